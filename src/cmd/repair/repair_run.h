/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit repair, for those who show it. */
#ifndef VK_CMD_REPAIR_RUN_H
#define VK_CMD_REPAIR_RUN_H

#include "cmd/restore/restore_run.h"
#include "report/table_commands.h"
#include "vmfskit/repair.h"

struct vk_repair_run {
	const struct vk_cli_call *call;
	const char *target;
	bool header; /* else the table */
	struct vk_repair_options options;
	const char **members;
	uint64_t *include;
	uint64_t *exclude;
	struct vk_repair *repair;
	char capture_id[VK_CAPTURE_ID_BYTES]; /* what was rebuilt, saved; empty: it was not */
	struct vk_restore_run restore;        /* the plan of it */
};

/* Read the options; an exit code, after what is wrong was said. Free with vk_repair_options_free in any case. */
int vk_repair_parse(struct vk_repair_run *run);
void vk_repair_options_free(struct vk_repair_run *run);

/* The same command with --write, to be pasted. Free it; NULL when there is no memory. */
char *vk_repair_command(const struct vk_repair_run *run);

/* What does the same elsewhere; of a table only. Free with vk_table_commands_free. */
VK_MUST_USE enum vk_status vk_repair_commands(const struct vk_repair_run *run,
					      struct vk_table_commands *ret_commands,
					      struct vk_error *err);
/* An exit code, after what is wrong was said. */
int vk_repair_show_commands(const struct vk_repair_run *run);

/* Why a part of the table is as it is said to be, or is written although it is sound; may be empty. */
const char *vk_repair_part_why(const struct vk_table_part_verdict *part);

void vk_repair_show(const struct vk_repair_run *run);
void vk_repair_show_json(const struct vk_repair_run *run);

#endif
