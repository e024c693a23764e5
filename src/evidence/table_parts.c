/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the parts of a table, of what is said of them, and of where an entry is from. */
#include "vmfskit/table_parts.h"

const char *vk_table_part_name(enum vk_table_part part)
{
	static const char *const names[VK_TP_COUNT] = {
		"MBR",
		"primary GPT header",
		"primary GPT entries",
		"backup GPT entries",
		"backup GPT header",
		"extended boot records",
	};

	return names[part];
}

const char *vk_part_state_name(enum vk_part_state state)
{
	static const char *const names[] = {"unused",  "sound",   "consistent", "stale",
					    "damaged", "foreign", "lost",       "unreadable"};

	return names[state];
}

const char *vk_entry_origin_name(enum vk_entry_origin origin)
{
	static const char *const names[] = {"kept", "primary GPT", "backup GPT",   "both copies of the GPT",
					    "MBR",  "capture",     "found volume", "boot-disk layout"};

	return names[origin];
}
