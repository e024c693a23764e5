/* SPDX-License-Identifier: Apache-2.0 */
/* Texts made in place, to be named in the arguments of a printf. */
#include "report/shown.h"

#include <string.h>

#include "vmfskit/text.h"

static struct vk_text into(struct vk_shown *shown)
{
	struct vk_text text;

	vk_text_init(&text, shown->text, sizeof(shown->text));
	return text;
}

struct vk_shown vk_shown_size(uint64_t bytes)
{
	struct vk_shown shown = {""};
	struct vk_text text = into(&shown);

	vk_text_size(&text, bytes);
	return shown;
}

struct vk_shown vk_shown_size_short(uint64_t bytes)
{
	struct vk_shown shown = {""};
	struct vk_text text = into(&shown);

	vk_text_size_short(&text, bytes);
	return shown;
}

struct vk_shown vk_shown_time_s(uint64_t unix_seconds)
{
	struct vk_shown shown = {""};
	struct vk_text text = into(&shown);

	vk_text_time_s(&text, unix_seconds);
	return shown;
}

struct vk_shown vk_shown_duration_us(uint64_t microseconds)
{
	struct vk_shown shown = {""};
	struct vk_text text = into(&shown);

	vk_text_duration_us(&text, microseconds);
	return shown;
}

struct vk_shown vk_shown_uuid(const struct vk_vmfs_uuid *uuid)
{
	struct vk_shown shown = {""};

	vk_vmfs_uuid_format(uuid, shown.text);
	return shown;
}

struct vk_shown vk_shown_made(const struct vk_vmfs_uuid *uuid, const char *before)
{
	struct vk_vmfs_uuid_parts parts;
	struct vk_shown shown = {""};
	struct vk_text text = into(&shown);

	vk_vmfs_uuid_decode(uuid, &parts);
	vk_text_time_s(&text, parts.timeLo);
	vk_text_put(&text, before);
	vk_mac_format(parts.macAddr, shown.text + text.len_bytes);
	return shown;
}

struct vk_shown_label vk_shown_label(const void *bytes, size_t len)
{
	struct vk_shown_label shown = {""};
	struct vk_text text;

	vk_text_init(&text, shown.text, sizeof(shown.text));
	vk_text_label(&text, bytes, len);
	return shown;
}

struct vk_shown_label vk_shown_name(const char *text)
{
	return vk_shown_label(text, strlen(text));
}
