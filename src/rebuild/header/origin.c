/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what a repair of headers says. */
#include "vmfskit/rebuild_header.h"

const char *vk_field_origin_name(enum vk_field_origin origin)
{
	static const char *const names[] = {
		[VK_FIELD_CONSTANT] = "constant", [VK_FIELD_COPY] = "copy",
		[VK_FIELD_COMPUTED] = "computed", [VK_FIELD_MEMBER] = "member",
		[VK_FIELD_CAPTURE] = "capture",   [VK_FIELD_ASKED] = "asked",
		[VK_FIELD_USUAL] = "usual",       [VK_FIELD_FRESH] = "fresh",
	};

	return names[origin];
}

bool vk_field_origin_exact(enum vk_field_origin origin)
{
	return origin != VK_FIELD_USUAL && origin != VK_FIELD_FRESH;
}

const char *vk_structure_state_name(enum vk_structure_state state)
{
	static const char *const names[] = {
		[VK_STRUCTURE_CONSISTENT] = "consistent", [VK_STRUCTURE_MENDED] = "mended",
		[VK_STRUCTURE_REBUILT] = "rebuilt", [VK_STRUCTURE_LOST] = "lost",
		[VK_STRUCTURE_NONE] = "none",
	};

	return names[state];
}

const char *vk_header_structure_name(enum vk_header_structure structure)
{
	static const char *const names[VK_HS_COUNT] = {
		[VK_HS_LVM_HEADER] = "LVM device header",
		[VK_HS_VOLUME] = "LVM volume descriptor",
		[VK_HS_PE_TABLES] = "PE bitmaps and tables",
		[VK_HS_SD_TABLE] = "SD table",
		[VK_HS_FS_DESCRIPTOR] = "file-system descriptor",
		[VK_HS_HEARTBEATS] = "heartbeat region",
	};

	return names[structure];
}
