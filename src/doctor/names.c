/* SPDX-License-Identifier: Apache-2.0 */
/* How a verdict is called, drawn and explained. */
#include "vmfskit/doctor.h"

static const struct {
	const char *name;
	char sign;
	const char *meaning;
} verdicts[VK_DAMAGE_COUNT] = {
	[VK_DAMAGE_UNKNOWN] = {"unknown", '?', "nothing here can be judged"},
	[VK_DAMAGE_INTACT] = {"intact", '=', "proved by a checksum or a capture"},
	[VK_DAMAGE_CONSISTENT] = {"consistent", '.', "all checks pass, nothing proves every byte"},
	[VK_DAMAGE_CHANGED] = {"changed", '~', "differs from the capture, as hosts and administrators write"},
	[VK_DAMAGE_DAMAGED] = {"damaged", '#', "there and wrong"},
	[VK_DAMAGE_ZERO] = {"zero", '0', "zeros where something must be"},
	[VK_DAMAGE_FOREIGN] = {"foreign", 'X', "another system's bytes"},
	[VK_DAMAGE_UNREADABLE] = {"unreadable", '!', "the disk does not deliver it"},
};

const char *vk_damage_name(enum vk_damage damage)
{
	return verdicts[damage].name;
}

const char *vk_damage_meaning(enum vk_damage damage)
{
	return verdicts[damage].meaning;
}

char vk_damage_sign(enum vk_damage damage)
{
	return verdicts[damage].sign;
}
