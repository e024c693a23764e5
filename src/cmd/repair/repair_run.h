/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit repair or wipe, for those who show it. */
#ifndef VK_CMD_REPAIR_RUN_H
#define VK_CMD_REPAIR_RUN_H

#include "cmd/restore/restore_run.h"
#include "rebuild/table/check_line.h"
#include "report/table_commands.h"
#include "vmfskit/repair.h"

struct vk_repair_run {
	struct vk_restore_run plan; /* first; what was worked out, as the restore that it is */
	bool header; /* repair: else the table */
	enum vk_status (*make)(const char *target, const struct vk_repair_options *options,
			       struct vk_repair **ret_repair, struct vk_error *err);
	struct vk_repair_options options;
	const char **members;
	uint64_t *include;
	uint64_t *exclude;
	struct vk_repair *repair; /* NULL: there is no plan */
	bool has_commands;        /* what does the same elsewhere: of a table whose plan is not refused */
	struct vk_table_commands commands;
	struct vk_line_check check; /* --check-line: what is said of it */
	struct vk_find_hint *hints; /* where that line says that something begins */
	char capture_id[VK_CAPTURE_ID_BYTES]; /* what was rebuilt, saved; empty: it was not */
};

/* Read the options of repair; those that say which partition is meant; false: what is wrong was reported. */
bool vk_repair_read_options(void *run);
bool vk_repair_read_place(struct vk_repair_run *run);
/* vk_repair_plan_* with a bar of progress. */
VK_MUST_USE enum vk_status vk_repair_make_plan(struct vk_repair_run *run, struct vk_error *err);
/* Steps of --check-line. */
bool vk_repair_check(void *run);
void vk_repair_check_show(const void *run);
void vk_repair_check_json(const void *run, struct vk_json *root);
/* Steps of the verb: think the repair through and, if that was asked for, do it; and its end. */
bool vk_repair_plan_and_write(void *run);
void vk_repair_end(void *run);

/* Why a part of the table is as it is said to be, or is written although it is sound; may be empty. */
const char *vk_repair_part_why(const struct vk_table_part_verdict *part);

/* What was asked and searched: captures, and how much of the target; as JSON the latter. */
void vk_repair_show_sources(const struct vk_repair_run *run);
void vk_repair_searched_json(const struct vk_repair_run *run, struct vk_json *root);
void vk_repair_show(const void *run);
void vk_repair_put_json(const void *run, struct vk_json *root);

#endif
