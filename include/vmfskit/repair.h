/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair: what rebuild_table.h or rebuild_header.h put on an overlay becomes a capture marked "rebuilt", and that
 * capture is restored: the same guards, undo, order of writing and crash safety as any other restore. Putting
 * signatures away is a repair, too: what it works out are zeros where a magic stands.
 */
#ifndef VMFSKIT_REPAIR_H
#define VMFSKIT_REPAIR_H

#include "vmfskit/rebuild_header.h"
#include "vmfskit/rebuild_table.h"
#include "vmfskit/restore.h"

__BEGIN_DECLS

/* How much of the target is searched. */
enum vk_repair_scan {
	VK_REPAIR_SCAN_AUTO,   /* the likely places; all of it when they do not explain the disk */
	VK_REPAIR_SCAN_LIKELY, /* the likely places, whatever they tell */
	VK_REPAIR_SCAN_WHOLE   /* all of it */
};

/* The magics by which other systems know VMFS; bits. */
enum vk_wipe_signature {
	VK_WIPE_LVM = 1, /* of the LVM header, 1 MiB behind the start of the partition: what blkid and installers see */
	VK_WIPE_FS = 2   /* of the file-system descriptor, 2 MiB behind the start of the volume */
};
const char *vk_wipe_signature_name(enum vk_wipe_signature signature); /* "lvm", "fs" */

struct vk_repair_options {
	struct vk_restore_options restore;      /* parts is not used */
	/* hints are added to those of the captures; likely_only and range: see scan */
	struct vk_find_options find;
	enum vk_repair_scan scan;
	bool use_captures;                      /* look for captures of this disk in restore.store */
	/* this one (id or folder), whatever it fits; NULL: the newest that fit */
	const char *capture;
	struct vk_rebuild_table_options table;  /* known is filled in */
	/* candidate and known are filled in; live_id of a block device, unless it is given */
	struct vk_rebuild_header_options header;
	unsigned partition;                     /* header: of the table; 0: the only VMFS partition */
	bool has_start;                         /* header: the partition begins here */
	uint64_t start_sector;
	const char *const *members;             /* header: other extents of the volume; ends with NULL; may be NULL */
	unsigned signatures;                    /* wipe: bits of vk_wipe_signature */
	bool survey; /* what was found is wanted even when no plan comes of it (vk_repair_no_plan) */
};

/* A repair that was thought through but not done. */
struct vk_repair;

/*
 * Errors: those of vk_find, vk_rebuild_table and vk_restore_plan. Nothing is opened for writing. What options point to
 * must outlive the result. Free with vk_repair_free.
 */
VK_MUST_USE enum vk_status vk_repair_plan_table(const char *target,
						const struct vk_repair_options *options,
						struct vk_repair **ret_repair, struct vk_error *err);
/* Errors: those of vk_find, vk_rebuild_header and vk_restore_plan; VK_USAGE: which partition is meant is not clear. */
VK_MUST_USE enum vk_status vk_repair_plan_header(const char *target,
						 const struct vk_repair_options *options,
						 struct vk_repair **ret_repair, struct vk_error *err);
/*
 * Put signatures of one volume away: of the partition that is named, else of the only leftover that is found. Whether
 * it is one is asked in guard worse: not what is alive, nor what a sound table names as VMFS. Errors: those of vk_find
 * and vk_restore_plan; VK_ABSENT: no volume was found; VK_USAGE: which one is meant is not clear.
 */
VK_MUST_USE enum vk_status vk_repair_plan_wipe(const char *target, const struct vk_repair_options *options,
					       struct vk_repair **ret_repair, struct vk_error *err);
void vk_repair_free(struct vk_repair *repair);

/* A signature as it is now, and what the search says of its volume. Plain values. */
enum vk_wiped_state {
	VK_WIPED_STANDS,
	VK_WIPED_NOT_THERE, /* other bytes are there */
	VK_WIPED_ABSENT,    /* the target does not reach that far */
	VK_WIPED_UNREAD	    /* the target does not deliver them */
};
enum { VK_WIPE_BYTES = 4, VK_WIPE_SIGNATURES = 2 };
struct vk_wiped {
	enum vk_wipe_signature which;
	enum vk_wiped_state state;
	uint64_t at_bytes; /* in the target */
	uint8_t was[VK_WIPE_BYTES];
};
struct vk_repair_wipe {
	struct vk_wiped items[VK_WIPE_SIGNATURES];
	size_t count;
	bool known; /* the search knows of a volume there: standing and why are what it says */
	enum vk_standing standing;
	char why[240];
};
const struct vk_repair_wipe *vk_repair_wipe(const struct vk_repair *repair); /* NULL for a table or a header */

/* Of a survey: why there is no plan, and then vk_repair_restore is NULL; NULL: there is one. */
const struct vk_error *vk_repair_no_plan(const struct vk_repair *repair);
const struct vk_source *vk_repair_source(const struct vk_repair *repair); /* the target as it was searched */
const struct vk_find *vk_repair_find(const struct vk_repair *repair);
const struct vk_rebuild_table *vk_repair_table(const struct vk_repair *repair);   /* NULL unless it is of a table */
const struct vk_rebuild_header *vk_repair_header(const struct vk_repair *repair); /* NULL unless of a header */
/* Whether all of the target (for a header: of the partition) was searched, and why or why not: one sentence. */
bool vk_repair_scanned(const struct vk_repair *repair, const char **ret_why);
/* The nth capture that was used, NULL behind the last. */
const struct vk_capture *vk_repair_known(const struct vk_repair *repair, size_t n);
/*
 * The id of the newest capture of this disk that was not used because it is not vouched for (vouch.h); NULL: there is
 * none.
 */
const char *vk_repair_passed_over(const struct vk_repair *repair);
/*
 * Where no capture was used: the id of the newest of which only a person can know whether it is of this disk
 * (vk_capture_may_be_of); NULL: there is none.
 */
const char *vk_repair_may_be(const struct vk_repair *repair);
/* What was rebuilt, as a capture; its id is empty as long as it was not saved. */
const struct vk_capture *vk_repair_rebuilt(const struct vk_repair *repair);
/* Which partition's header it is, or whose signatures. */
uint64_t vk_repair_start_sector(const struct vk_repair *repair);
/* The plan as that of a restore: edits, objections, before and after. */
const struct vk_restore *vk_repair_restore(const struct vk_repair *repair);

/*
 * Save the rebuilt capture in the store, then restore it. ret_capture_id and ret_undo_id are empty as long as there is
 * none. Errors: those of vk_restore_write and vk_capture_take.
 */
VK_MUST_USE enum vk_status vk_repair_write(struct vk_repair *repair,
					   char ret_capture_id[VK_CAPTURE_ID_BYTES],
					   char ret_undo_id[VK_CAPTURE_ID_BYTES],
					   struct vk_error *err);

__END_DECLS
#endif
