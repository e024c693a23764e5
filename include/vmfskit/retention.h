/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which captures of a store may go: grandfather, father, son. Pure functions of ids, times and verdicts, so that
 * the decision can be computed again by anyone.
 *
 * For each disk, of the captures that verify found sound or incomplete: the last one of each of the keep_daily newest days (UTC)
 * that have one stays, and likewise of weeks (Saturday to Friday), months and years. Whatever the numbers say, these stay: pinned
 * captures, undo captures, the newest sound capture of every disk and of every volume, and the newest capture with each
 * distinct LVM header (of a disk without VMFS: with each distinct partition table). A damaged capture never counts for a period; it stays when it
 * is the only one of its disk, else it goes with the day rule.
 */
#ifndef VMFSKIT_RETENTION_H
#define VMFSKIT_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

#ifdef __cplusplus
extern "C" {
#endif

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
	const char *id;
	const char *disk;          /* equal for captures of one disk */
	const char *const *volumes;/* UUID texts of the volumes on it */
	size_t volume_count;
	const char *header;        /* equal for captures with equal LVM headers (or tables): any text */
	int64_t unix_seconds;
	enum vk_retention_verdict verdict;
	bool pinned;
	bool is_undo;

	/* the decision */
	bool keep;
	char why[160]; /* "last of the week that ended 2026-11-20", "pinned", "the only capture with this LVM header", "older than the rules keep" */
};

/* Decide for all of them; order does not matter, equal times are ordered by id. Errors: VK_NOMEM. */
VK_MUST_USE enum vk_status vk_retention_decide(struct vk_retention_item *items, size_t count,
					       const struct vk_retention_policy *policy,
					       struct vk_error *err);

#ifdef __cplusplus
}
#endif
#endif
