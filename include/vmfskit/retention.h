/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which captures of a store may go: grandfather, father, son. A pure function of ids, times and verdicts, so that
 * the decision can be computed again by anyone. All times are UTC; there is no "now".
 *
 * Periods. A capture is good when verify found it sound or incomplete and it is neither an undo capture nor a rebuilt
 * one. For each disk by itself the last good capture of each of the keep_daily newest days that have a good one
 * stays; likewise of weeks (Saturday to Friday), calendar months and calendar years. Periods without a good capture
 * do not count, so that a disk that was away for a year loses nothing. One capture may be the last of several
 * periods. A pinned capture counts like any other: pinning one never makes another go.
 *
 * Whatever the numbers say, these stay:
 * - pinned captures;
 * - those that repair rebuilt, which count for nothing else;
 * - the newest undo capture of every disk and, where that one is damaged, the newest that is not;
 * - the newest sound capture of every disk;
 * - the newest sound capture of every volume, on whichever disk it lies;
 * - of every disk, the newest sound capture with each distinct LVM header (of a disk without VMFS: partition table).
 *
 * Where in the last three there is no sound one, it is the newest incomplete one; where there is neither, all damaged
 * ones.
 *
 * A damaged capture never counts for a period. Where nothing above holds it, it stays while fewer than keep_daily newer
 * days have a good capture of its disk: long enough for somebody to look why.
 *
 * An undo capture counts for nothing else. It stays while fewer than keep_daily newer days, or fewer than keep_weekly
 * newer weeks, or fewer than keep_monthly newer months have a good capture of its disk: so long somebody may want to
 * take that restore back.
 *
 * "Newer" is by time, and of equal times by id in the order of strverscmp (-2 before -10).
 */
#ifndef VMFSKIT_RETENTION_H
#define VMFSKIT_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

__BEGIN_DECLS

struct vk_retention_policy {
	unsigned keep_daily;
	unsigned keep_weekly;
	unsigned keep_monthly;
	unsigned keep_yearly;
};
#define VK_RETENTION_DEFAULT ((struct vk_retention_policy){7, 5, 12, 10})

enum vk_retention_verdict { VK_RETENTION_SOUND, VK_RETENTION_INCOMPLETE, VK_RETENTION_DAMAGED };

/* One capture. The first part is filled by the caller; texts are borrowed. */
struct vk_retention_item {
	const char *id;            /* no two are equal */
	const char *disk;          /* equal for captures of one disk */
	const char *const *volumes;/* UUID texts of the volumes on it */
	size_t volume_count;
	/* equal for captures with equal LVM headers (or tables): any text; empty: it has neither */
	const char *header;
	bool header_is_table;      /* only for the wording of why */
	int64_t unix_seconds;
	enum vk_retention_verdict verdict;
	bool pinned;
	bool is_undo;
	bool is_rebuilt;

	/* the decision */
	bool keep;
	/*
	 * All that holds it, or why it goes: "last of the day 2026-11-20, the week to Friday 2026-11-20; newest sound
	 * capture of its disk", "pinned", "older than the rules keep"
	 */
	char why[320];
};

/*
 * Decide for all of them; their order does not matter and is not changed. Time grows as n log n with items and their
 * volumes. Errors: VK_NOMEM, nothing is then decided.
 */
VK_MUST_USE enum vk_status vk_retention_decide(struct vk_retention_item *items, size_t count,
					       const struct vk_retention_policy *policy,
					       struct vk_error *err);

__END_DECLS
#endif
