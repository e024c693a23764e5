/* SPDX-License-Identifier: Apache-2.0 */
/* What a repair that is being thought through consists of; shared by the files repair*.c. */
#ifndef VK_REPAIR_REPAIR_STATE_H
#define VK_REPAIR_REPAIR_STATE_H

#include "repair/unsaved.h"
#include "vmfskit/repair.h"

/* A capture that is consulted. */
struct vk_known {
	struct vk_capture capture;
	struct vk_source source;
	char name[VK_CAPTURE_ID_BYTES + 16]; /* "capture ID" */
	char misfit[640]; /* one that was named: what speaks against it, and whose guard that is */
	enum vk_guard misfit_guard;
};

struct vk_repair {
	struct vk_repair_options options;
	struct vk_source source; /* the target as it is */
	bool has_source;
	struct vk_overlay *overlay;
	struct vk_known *known; /* the newest first */
	size_t known_count;
	char passed_over[VK_CAPTURE_ID_BYTES]; /* the newest of this disk that nobody vouches for; empty: none */
	struct vk_find_hint *hints;
	size_t hint_count;
	struct vk_source *members;
	size_t member_count;
	struct vk_find find;
	bool has_find;
	bool scanned;
	char why_scanned[240];
	struct vk_rebuild_table table;
	bool has_table;
	struct vk_rebuild_header header;
	bool has_header;
	uint64_t start_sector;
	struct vk_unsaved unsaved;
	bool has_unsaved;
	struct vk_restore *restore;
};

/* A partition of the target, in bytes. */
struct vk_stretch {
	uint64_t start;
	uint64_t length; /* 0: not known */
};

/* The headers of one partition. */
struct vk_header_plan {
	struct vk_repair *repair;
	struct vk_stretch stretch; /* the partition */
	struct vk_known_header *known;
	size_t known_count;
};

/* Open the target and decide which partition is meant (repair_which.c). VK_USAGE: that is not clear. */
VK_MUST_USE enum vk_status vk_header_plan_open(struct vk_header_plan *plan, const char *target,
					       struct vk_error *err);

VK_MUST_USE enum vk_status vk_repair_no_memory(struct vk_error *err);

/* Begin anew: open and decode the target, put an overlay on it. What was there before is freed. */
VK_MUST_USE enum vk_status vk_repair_open(struct vk_repair *repair, const char *target,
					  enum vk_source_kind as, struct vk_error *err);
/* A fresh overlay; what planners put on the old one is forgotten. */
VK_MUST_USE enum vk_status vk_repair_new_overlay(struct vk_repair *repair, struct vk_error *err);
/* Open the captures of this target, or the one that was named, and take their hints (repair_known.c). */
VK_MUST_USE enum vk_status vk_repair_consult(struct vk_repair *repair, struct vk_error *err);
void vk_known_free(struct vk_known *known);
/* vk_find at the likely places; in whole: also everywhere in the stretch (NULL: on all of the target). */
VK_MUST_USE enum vk_status vk_repair_search(struct vk_repair *repair, bool whole,
					    const struct vk_stretch *stretch, struct vk_error *err);
/*
 * From the overlay to a plan of restore. rebuilt is taken over. add (may be NULL) may add to what the capture says, before
 * the guards are asked.
 */
VK_MUST_USE enum vk_status vk_repair_finish(struct vk_repair *repair, struct vk_rebuilt *rebuilt,
					    bool (*add)(struct vk_repair *repair), struct vk_error *err);

#endif
