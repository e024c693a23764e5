/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore that is being thought through consists of; shared by the files of this folder. */
#ifndef VK_REPAIR_RESTORE_STATE_H
#define VK_REPAIR_RESTORE_STATE_H

#include "base/checked.h"
#include "io/range_set.h"
#include "repair/plan/structures.h"
#include "repair/plan/target.h"
#include "vmfskit/restore.h"

/* The place where the capture saw a VMFS partition, as the target looks there now. */
struct vk_captured_place {
	const struct vk_identity *identity;
	uint64_t start_bytes;
	uint64_t length_bytes;
	struct vk_io *window;
	struct vk_vmfs vmfs;
	struct vk_findings findings; /* offsets count from start_bytes */
};

/* Of an undo: what can be told of the target's state. */
struct vk_knowledge {
	bool judged;       /* the capture that was put back could be compared with */
	bool has_gaps;     /* the undo capture joins ranges that were written over others that were not */
	uint64_t stranger; /* the first byte of a sector that is neither as found nor as left */
};
#define VK_JOINED_MARK "-joined"

struct vk_restore {
	const struct vk_capture *capture;
	struct vk_capture kept; /* what capture then points to: a copy of it with held regions, which are its own */
	struct vk_restore_options options;
	const char *store;
	struct vk_target own; /* the target, unless the caller had it open already */
	const char *path;     /* of the target, links followed */
	struct vk_target_id target;
	bool held;  /* somebody has the target for himself alone, or locked */
	struct vk_heartbeat_watch *heartbeats; /* as they were at the first look; guard_heartbeat.c */

	struct vk_io *io;          /* the target */
	struct vk_io *captured_io; /* the capture, in the target's coordinates */
	struct vk_overlay *overlay;
	struct vk_disk_facts *facts; /* who the target is */
	struct vk_of_disk of;        /* whether the capture is of it */
	const struct vk_source *before;   /* the target as it is */
	const struct vk_source *after;    /* as it would be; NULL: not decoded yet */
	const struct vk_source *captured; /* NULL for an undo capture: it is made of splinters */
	struct vk_source own_after, own_captured; /* unless the caller had decoded them already */
	struct vk_captured_place *places;
	size_t place_count;
	struct vk_structures structures;

	/* for each region of the capture; of some (NULL: of none) only what no structure uses, now or then */
	bool *chosen, *gaps_only;
	struct vk_range_set used; /* sectors of volumes that a structure uses, as captured or as the target says */
	unsigned parts;
	struct vk_restore_choice *choices;
	size_t choice_count;
	struct vk_range_set keep_out; /* partitions: the table part never writes here */
	struct vk_range holes[16]; /* chosen, but not in the capture or not readable on the target */
	size_t hole_count;         /* may be more than are kept */
	uint64_t hole_bytes;
	bool ends_in_sector; /* one of the holes is the target's end, no whole sector */
	bool known_state; /* an undo: every byte is as the restore found or left it */
	struct vk_knowledge knowledge;

	char plan[VK_PLAN_DIGEST_BYTES];
	struct vk_objection *objections;
	size_t objection_count;
	uint64_t written_bytes;
	char note[800];
	char **remarks; /* whole sentences, as many as there are */
	size_t remark_count;
	bool remark_lost; /* memory ran out for one: there is no plan then */
};

/* Whether anything is to be changed in the range, or in the chosen regions of a part. */
bool vk_restore_edits_meet(const struct vk_restore *restore, uint64_t offset, uint64_t length);
bool vk_restore_edits_in_part(const struct vk_restore *restore, enum vk_part part);
void vk_restore_add_hole(struct vk_restore *restore, uint64_t offset, uint64_t length);

/* A remark about parts that differ but were not chosen. */
void vk_restore_say_left_out(struct vk_restore *restore);
/* What the plan could not look at. None is dropped: vk_restore_plan fails when there was no memory for one. */
void vk_restore_add_remark(struct vk_restore *restore, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Whether --override lifts a guard, and whether it has objected already. */
bool vk_guard_is_lifted(const struct vk_restore_options *options, enum vk_guard guard);
bool vk_guard_has_objected(const struct vk_restore *restore, enum vk_guard guard);
VK_MUST_USE enum vk_status vk_guard_object(struct vk_restore *restore, enum vk_guard guard,
					   struct vk_error *err, const char *message, ...)
	__attribute__((format(printf, 4, 5)));
/* Of the objection that was added last: what to do (static), and whether a person may accept it as it is. */
void vk_guard_add_remedy(struct vk_restore *restore, const char *past, bool acceptable);
/* The first objection that nobody lifts; NULL: the plan may be carried out. */
const struct vk_objection *vk_restore_first_refusal(const struct vk_restore *restore);

/* vk_restore_plan_digest of the edits as they are now. */
VK_MUST_USE enum vk_status vk_restore_make_digest(struct vk_restore *restore, struct vk_error *err);

/* vk_capture_hold, with the store and the key of this restore. */
VK_MUST_USE enum vk_status vk_restore_hold(const struct vk_restore *restore, struct vk_capture *capture,
					   const struct vk_finding_sink *sink, unsigned *ret_by,
					   struct vk_error *err);
/* Choose the parts (parts.c), put the chosen regions on the overlay (edits.c). */
VK_MUST_USE enum vk_status vk_restore_choose(struct vk_restore *restore, struct vk_error *err);
/* Every region of the part and the partition is chosen. */
VK_MUST_USE enum vk_status vk_restore_choose_part(struct vk_restore *restore, enum vk_part part, unsigned partition,
						  const char *why, struct vk_error *err);
/*
 * Whether captured and present bytes differ; what cannot be read on either side is not compared. buf: twice the bytes
 * of a piece.
 */
enum { VK_RESTORE_PIECE_BYTES = 256 << 10 };
bool vk_restore_differs(const struct vk_restore *restore, const struct vk_range *range, uint8_t *buf);
VK_MUST_USE enum vk_status vk_restore_edit(struct vk_restore *restore, struct vk_error *err);
/* The regions that an undo capture has to hold: everything that would be changed. Free the array. */
VK_MUST_USE enum vk_status vk_restore_undo_regions(const struct vk_restore *restore,
						   struct vk_region **ret_regions,
						   size_t *ret_count, struct vk_error *err);
/* Of an undo: whether every byte it holds stands as the restore found it or left it; fills knowledge. */
VK_MUST_USE enum vk_status vk_restore_known_state(struct vk_restore *restore, bool *ret_known,
						  struct vk_error *err);

#endif
