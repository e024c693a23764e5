/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of commands for one tool offer to the one that collects them. */
#ifndef VK_REPORT_TABLE_COMMANDS_PARTS_H
#define VK_REPORT_TABLE_COMMANDS_PARTS_H

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
	struct vk_table_commands *out;
};

/* False when memory ran out. */
bool vk_commands_for_esxi(struct vk_commands_case *c);
bool vk_commands_for_linux(struct vk_commands_case *c);

/*
 * Check, save and put back; before commands that write. device: as the shell takes it, with a folder. False when
 * memory ran out.
 */
bool vk_commands_care_esxi(struct vk_commands_case *c, const char *device);
bool vk_commands_care_linux(struct vk_commands_case *c);
void vk_table_care_free(struct vk_table_care *care);

/* First sector of the extended partition of an MBR; 0: there is none. */
uint64_t vk_commands_extended(const struct vk_commands_case *c);
/* Whether the label of the planned kind stands and one copy of it can be used as it is. */
bool vk_commands_label_stands(const struct vk_rebuild_table *table);
/* Whether partition number of an MBR is the active one. */
bool vk_commands_active(const struct vk_commands_case *c, unsigned number);

#endif
