/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that make a planned partition table on a live ESXi host, and on Linux, exactly as those tools take them. */
#ifndef VK_REPORT_TABLE_COMMANDS_H
#define VK_REPORT_TABLE_COMMANDS_H

#include <stdio.h>

#include <jansson.h>

#include "vmfskit/rebuild_table.h"

struct vk_table_commands_options {
	const char *esxi_name;    /* of the LUN that a header on the disk was written for, "naa.6001..."; NULL: none says */
	const char *live_name;    /* of the LUN as the kernel knows it; NULL or empty: it does not tell */
	const char *linux_device; /* "/dev/sdb" or an image; NULL: a placeholder */
	const uint8_t *sector0;   /* the planned one (VK_MBR_BYTES): disk signature and active partition; may be NULL */
};

/* What belongs to commands that write: lines for a shell. All empty when there is nothing to write. */
struct vk_table_care {
	char **check; /* which LUN it is */
	size_t check_count;
	char **save;  /* what is overwritten, into files of the current folder; a file that is there is left as it is */
	size_t save_count;
	char **back;  /* what puts that back, in the order of save */
	size_t back_count;
};

struct vk_table_commands {
	struct vk_table_care esxi_care;
	struct vk_table_care linux_care;
	uint64_t size_bytes; /* of the disk they are made for */
	char *esxi_which;   /* how to tell which LUN DEVICE stands for; NULL: the commands name the LUN itself */
	char **esxi;        /* lines to type, in this order */
	size_t esxi_count;
	char **shown;       /* what the last of them, getptbl, shows then; empty when it is not known */
	size_t shown_count;
	char **esxi_notes;  /* whole sentences */
	size_t esxi_note_count;
	char *linux_command;/* reads script from standard input; NULL: there is no script */
	char **script;      /* lines */
	size_t script_count;
	char **linux_notes;
	size_t linux_note_count;
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
 * {"esxi": {"check", "save", "commands", "shows", "back", "notes"}, "linux": {"check", "save", "command", "script",
 * "back", "notes"}}; NULL when memory ran out.
 */
json_t *vk_table_commands_json(const struct vk_table_commands *commands);

#endif
