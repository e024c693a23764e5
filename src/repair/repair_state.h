/* SPDX-License-Identifier: Apache-2.0 */
/* What a repair that is being thought through consists of; shared by the files repair*.c. */
#ifndef VK_REPAIR_REPAIR_STATE_H
#define VK_REPAIR_REPAIR_STATE_H

#include "repair/plan/target.h"
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

/* What the repair of tables, that of headers and putting signatures away do each in its own way. */
struct vk_repair_kind {
	const char *why_likely; /* why no more than the likely places is searched when that is asked for */
	const char *worked_out; /* when that was: "the table was worked out" */
	bool of_others; /* a disk that is another system's by now is what it is for */
	/* Open the target (vk_repair_open) and decide what is meant. */
	enum vk_status (*open)(struct vk_repair *repair, const char *target, struct vk_error *err);
	/* Behind the captures: who else knows. May be NULL. */
	enum vk_status (*gather)(struct vk_repair *repair, struct vk_error *err);
	/*
	 * Put on the overlay, which is fresh, what the search and all who know tell; has_table, has_header or has_wipe
	 * says that it is done.
	 */
	enum vk_status (*rebuild)(struct vk_repair *repair, struct vk_error *err);
	/* rebuild ended with this (VK_OK or VK_ABSENT): is that enough, or is all to be searched? Fills why_scanned. */
	bool (*is_enough)(struct vk_repair *repair, enum vk_status status);
	/* What of it is exact and what is not. False: no memory. */
	bool (*describe)(const struct vk_repair *repair, struct vk_rebuilt *rebuilt);
	/* Add to what the capture says before the guards are asked. May be NULL. False: no memory. */
	bool (*add)(struct vk_repair *repair);
	/* Object to the plan (vk_guard_object) behind the guards. May be NULL. */
	enum vk_status (*ask)(struct vk_repair *repair, struct vk_error *err);
};

struct vk_repair {
	const struct vk_repair_kind *kind;
	struct vk_repair_options options;
	struct vk_target target; /* as it was when it was searched */
	struct vk_target again;  /* the same disk, read anew for the guards and the plan */
	struct vk_overlay *overlay;
	struct vk_known *known; /* the newest first */
	size_t known_count;
	char passed_over[VK_CAPTURE_ID_BYTES]; /* the newest of this disk that is not vouched for; empty: none */
	char may_be[VK_CAPTURE_ID_BYTES]; /* the newest that may be of this disk, and nothing shows it; empty: none */
	struct vk_find_hint *hints;
	size_t hint_count;
	struct vk_source *members;
	size_t member_count;
	struct vk_find find;
	bool scanned;
	bool searched;          /* find is what the search found */
	struct vk_error no_plan; /* of a survey: why there is none; status VK_OK: there is one */
	char why_scanned[240];
	struct vk_rebuild_table table;
	bool has_table;
	struct vk_rebuild_header header;
	bool has_header;
	struct vk_repair_wipe wipe;
	bool has_wipe;
	struct vk_identity wiped_volume; /* who it is whose signatures go */
	/*
	 * of a header or a wipe: its partition, in bytes (length 0: not known), and that partition in captures and
	 * members
	 */
	bool has_partition;
	struct vk_range partition;
	struct vk_known_header *known_headers;
	size_t known_header_count;
	uint64_t start_sector;
	struct vk_unsaved unsaved;
	struct vk_restore *restore;
};

/* From a path to a plan: open, ask captures, search as far as needed, rebuild, plan the restore of what was rebuilt. */
VK_MUST_USE enum vk_status vk_repair_plan(const struct vk_repair_kind *kind, const char *target,
					  const struct vk_repair_options *options, struct vk_repair **ret_repair,
					  struct vk_error *err);

/* Begin anew: open and decode the target. What was there before is freed. */
VK_MUST_USE enum vk_status vk_repair_open(struct vk_repair *repair, const char *target,
					  enum vk_source_kind as, struct vk_error *err);
/* vk_find at the likely places; in whole: also everywhere, or everywhere in the partition of a header. */
VK_MUST_USE enum vk_status vk_repair_search(struct vk_repair *repair, bool whole, struct vk_error *err);
/*
 * Open the target and decide which partition of it is meant (repair_which.c): the one that the options name, else
 * what only says. VK_USAGE: that is not clear.
 */
typedef enum vk_status vk_repair_only(struct vk_repair *repair, struct vk_error *err);
VK_MUST_USE enum vk_status vk_repair_choose_partition(struct vk_repair *repair, const char *target,
						      vk_repair_only *only, struct vk_error *err);
/* The only VMFS partition of the table; where it names none, the only volume that is found. */
vk_repair_only vk_repair_only_volume;
/* What the search says of the partition; NULL: nothing. */
const struct vk_candidate *vk_repair_candidate(const struct vk_repair *repair);
/* Open the captures of this target, or the one that was named, and take their hints (repair_known.c). */
VK_MUST_USE enum vk_status vk_repair_consult(struct vk_repair *repair, struct vk_error *err);
void vk_known_free(struct vk_known *known);

#endif
