/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a disk from end to end and reports what stands on its 512-byte boundaries: LVM magics, file-system magics, and
 * the votes of self-locating blocks. Knows nothing of volumes; what the marks mean is judged elsewhere (judge.c).
 */
#ifndef VK_FIND_SCAN_H
#define VK_FIND_SCAN_H

#include "vmfskit/find.h"

/* VK_MARK_GPT: a GPT header behind sector 1 whose checksum fits and that names the very place where it stands. */
enum vk_mark_kind { VK_MARK_LVM, VK_MARK_FS, VK_MARK_GPT };
/* A magic that was met. */
struct vk_mark {
	enum vk_mark_kind kind;
	uint64_t offset_bytes; /* on the disk */
};

/* More marks than these are only counted: a hostile disk may consist of nothing else. */
enum { VK_MARKS_MAX = 65536, VK_MARKS_GPT_MAX = 16, VK_VOTES_MAX = 256 };

struct vk_scan_options {
	uint64_t start_bytes;     /* multiple of 512 */
	uint64_t length_bytes;
	uint32_t sector_size;
	const char *resume_path;  /* may be NULL */
	const char *identity; /* the name of the disk, for the resume file: one that differs for another disk; may be
				 NULL */
	bool (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *ctx;
};

/* Plain lists; free with vk_scan_free. */
struct vk_scan {
	struct vk_mark *marks;    /* in order of offset */
	size_t mark_count;
	uint64_t marks_left_out;
	struct vk_vote *votes;    /* the strongest first; of at least VK_VOTES_LEAST blocks */
	size_t vote_count;
	uint64_t scanned_bytes, holes_bytes;
	uint64_t resumed_bytes;   /* of the range, done by an earlier run */
	uint64_t resumed_s;       /* when that run saved it, in seconds since 1970; 0: nothing was resumed */
	struct vk_range *unreadable;
	size_t unreadable_count;
	bool stopped;
};
enum { VK_VOTES_LEAST = 2 };

/*
 * A mark is reported where the bytes at a 512-byte boundary begin with an LVM or file-system magic and pass the
 * cheapest test that tells a structure from noise (a known version), and the first VK_MARKS_GPT_MAX headers of a GPT.
 * Errors: VK_IO (environment, resume file cannot be
 * written), VK_USAGE (resume file of another disk or range, or damaged, or of another format; or most blocks that it
 * noted are others now), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_scan(struct vk_io *io, const struct vk_scan_options *options,
				   struct vk_scan *ret_scan, struct vk_error *err);
void vk_scan_free(struct vk_scan *scan);

#endif
