/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of partedUtil setptbl before it is typed, against what the search found and the planner decided. Nothing here
 * writes.
 */
#ifndef VK_REBUILD_TABLE_CHECK_LINE_H
#define VK_REBUILD_TABLE_CHECK_LINE_H

#include "rebuild/table/setptbl.h"
#include "vmfskit/rebuild_table.h"

/* Whole sentences: what is right, what speaks against the line, and what nobody knows. */
struct vk_line_said {
	char **right, **wrong, **open;
	size_t right_count, wrong_count, open_count;
};

struct vk_line_check {
	struct vk_setptbl line;
	struct vk_line_said whole;                       /* of the line as a whole */
	struct vk_line_said said[VK_SETPTBL_ENTRIES_MAX]; /* of each entry of it */
	/* What to type instead of the entry: "1 2048 41943006 AA31... 0"; empty: nothing, or it is not known. */
	char instead[VK_SETPTBL_ENTRIES_MAX][VK_SETPTBL_WORDS_BYTES + 16];
	char *line_instead; /* the whole line that the planned table takes; NULL: none */
	bool sound;         /* nothing speaks against it */
};

/* What it is compared with. All is borrowed. */
struct vk_line_case {
	const struct vk_source *source;
	const struct vk_find *find;
	const struct vk_rebuild_table *table; /* the plan; NULL: there is none */
	const char *why_not; /* there is no plan, or it may not be told: why, a sentence. NULL: it may be told */
	const char *live_name; /* of the LUN as the kernel knows it; empty: it does not tell */
};

/* Errors: VK_NOMEM. ret_check->line is the caller's, everything else is filled here. Free with vk_line_check_free. */
VK_MUST_USE enum vk_status vk_line_check(const struct vk_line_case *against, struct vk_line_check *ret_check,
					 struct vk_error *err);
void vk_line_check_free(struct vk_line_check *check);

#endif
