/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that make a planned partition table on a live ESXi host, and on Linux, exactly as those tools take them.
 */
#ifndef VK_REPORT_TABLE_COMMANDS_H
#define VK_REPORT_TABLE_COMMANDS_H

#include <stdio.h>

#include <jansson.h>

#include "vmfskit/rebuild_table.h"

struct vk_table_commands_options {
	/* of the LUN that a header on the disk was written for, "naa.6001..."; NULL: none says */
	const char *esxi_name;
	const char *live_name;    /* of the LUN as the kernel knows it; NULL or empty: it does not tell */
	const char *linux_device; /* "/dev/sdb" or an image; NULL: a placeholder */
	const uint8_t *sector0;   /* the planned one (VK_MBR_BYTES): disk signature and active partition; may be NULL */
};

struct vk_lines {
	char **items;
	size_t count;
};

/*
 * What one tool is given. check, save and back go with commands that write, and are empty when there is nothing to
 * write.
 */
struct vk_tool_commands {
	struct vk_lines check; /* which LUN it is */
	/* what is overwritten, into files of the current folder; a file that is there is left as it is */
	struct vk_lines save;
	struct vk_lines back;  /* what puts that back, in the order of save */
	struct vk_lines lines; /* partedUtil: to type, in this order; sfdisk: the script */
	struct vk_lines notes; /* whole sentences */
};

struct vk_table_commands {
	uint64_t size_bytes; /* of the disk they are made for */
	char *esxi_which;    /* how to tell which LUN DEVICE stands for; NULL: the commands name the LUN itself */
	struct vk_tool_commands esxi;
	struct vk_lines shown; /* what the last of them, getptbl, shows then; empty when it is not known */
	char *linux_command; /* reads the script from standard input; NULL: there is no script */
	struct vk_tool_commands sfdisk;
};

/* Errors: VK_NOMEM. Free with vk_table_commands_free. */
VK_MUST_USE enum vk_status vk_table_commands_make(const struct vk_rebuild_table *table,
						  const struct vk_table_commands_options *options,
						  struct vk_table_commands *ret_commands,
						  struct vk_error *err);
void vk_table_commands_free(struct vk_table_commands *commands);

/* For people: to paste line by line; all that is no command is a comment. */
void vk_table_commands_text(FILE *out, const struct vk_table_commands *commands);
/*
 * {"esxi": {"which", "check", "save", "back", "commands", "shows", "notes"}, "linux": {"check", "save", "back",
 * "command", "script", "notes"}}; NULL when memory ran out.
 */
json_t *vk_table_commands_json(const struct vk_table_commands *commands);

#endif
