/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of commands for one tool offer to the one that collects them. */
#ifndef VK_REPORT_TABLE_COMMANDS_PARTS_H
#define VK_REPORT_TABLE_COMMANDS_PARTS_H

#include "base/command.h"
#include "report/table_commands.h"

/* The entries in the order of the disk. */
struct vk_commands_case {
	const struct vk_rebuild_table *table;
	const struct vk_table_commands_options *options;
	struct vk_planned_entry *entries;
	struct vk_mbr mbr;       /* of options->sector0 */
	bool has_mbr;
	const char *device;      /* on Linux; a placeholder when none is known that fits in a line */
	bool logical;            /* some entry is a logical partition */
	bool failed;             /* memory ran out: the commands are not whole, and none is shown */
	struct vk_table_commands *out;
};

void vk_commands_for_esxi(struct vk_commands_case *c);
void vk_commands_for_linux(struct vk_commands_case *c);

/* Check, save and put back; before commands that write. device: as the shell takes it, with a folder. */
void vk_commands_care_esxi(struct vk_commands_case *c, const char *device);
void vk_commands_care_linux(struct vk_commands_case *c);

/* Append a line; when memory runs out the case has failed. */
void vk_commands_add(struct vk_commands_case *c, struct vk_lines *lines, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of a line that was made word by word; it is ended. */
void vk_commands_add_made(struct vk_commands_case *c, struct vk_lines *lines, struct vk_command *line);

/* Whether the label of the planned kind stands and one copy of it can be used as it is. */
bool vk_commands_label_stands(const struct vk_rebuild_table *table);
/* Whether partition number of an MBR is the active one. */
bool vk_commands_active(const struct vk_commands_case *c, unsigned number);

#endif
