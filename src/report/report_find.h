/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for people and for scripts. */
#ifndef VK_REPORT_REPORT_FIND_H
#define VK_REPORT_REPORT_FIND_H

#include <stdio.h>

#include "base/json.h"
#include "vmfskit/find.h"

/* A search and what is to be told of it. All borrowed. */
struct vk_find_view {
	const struct vk_source *source;
	const struct vk_find *find;
	bool likely_only;
	const struct vk_findings *of_source; /* those of its findings that vk_finding_is_of_source */
	const char *resume_path; /* the state that a part was taken from; may be NULL */
	uint64_t range_start_bytes;
	bool all;             /* every check of every candidate */
	double seconds;
	char *const *next;    /* commands to paste */
	size_t next_count;
};

/* Whether there is a table to compare with: the disk's own, or the GPT at the end of an image of a part of it. */
bool vk_report_find_has_table(const struct vk_source *source);
/* Whether a sound table has the candidate as it is: start, and the length where its header says one. */
bool vk_report_find_in_table(const struct vk_candidate *c);
/*
 * Whether what was found and a sound table agree: nothing is damaged, cut off, missing in the table, or named and not
 * there, and the source itself is not wrong. Without a table (vk_report_find_has_table): whether the one volume of a
 * partition is sound and begins with it.
 */
bool vk_report_find_agrees(const struct vk_find_view *view);

/* How much of a search was taken from the state of an earlier one, and of when that is; nothing when none was. */
void vk_report_find_resumed(FILE *out, const struct vk_find *find, const char *resume_path);

/* The first answer, before the search: one line for each volume. */
void vk_report_find_likely(FILE *out, const struct vk_source *source, const struct vk_candidate *candidates,
			   size_t count, double seconds);
void vk_report_find_text(FILE *out, const struct vk_find_view *view);
/* docs/json.md; NULL when memory ran out. */
json_t *vk_report_find_json(const struct vk_find_view *view);
/* The member "foreign": what of other systems was found. */
void vk_report_set_foreign(struct vk_json *object, const struct vk_foreigners *foreign);

#endif
