/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a scan as a text, and the file that keeps it between two runs. */
#ifndef VK_FIND_SCAN_RESUME_H
#define VK_FIND_SCAN_RESUME_H

#include "find/scan/scan_state.h"

/* Which scan a state belongs to. */
struct vk_scan_job {
	const char *identity; /* the name of the disk: WWID, serial number or file; empty: it has none */
	uint64_t disk_bytes;
	uint32_t sector_size;
	uint64_t start_bytes, length_bytes;
};

/* More is no state of ours: all lists full, with the largest numbers, are less. */
#define VK_SCAN_TEXT_MAX ((size_t)16 << 20)

/* The last line of a text, with the checksum of what stands before it; ended by a NUL. */
enum { VK_SCAN_END_BYTES = 13 };
void vk_scan_text_end(const char *text, size_t len, char ret_line[VK_SCAN_END_BYTES + 1]);
/* The text, ended by a NUL; free() it. NULL when memory ran out. */
char *vk_scan_text(const struct vk_scan_job *job, const struct vk_scan_state *state, size_t *ret_len);
/*
 * Read a text of whoever wrote it into *state, which was initialised for this job and found nothing yet. Only a text
 * that vk_scan_text would write for the same state is taken. Errors, with path: VK_USAGE (damaged, or of another scan),
 * VK_NOMEM. The state is then good for nothing but to be freed.
 */
VK_MUST_USE enum vk_status vk_scan_text_read(const char *path, const char *text, size_t len,
					     const struct vk_scan_job *job, struct vk_scan_state *state,
					     struct vk_error *err);

/* What to do about a state that cannot be gone on from. */
#define VK_SCAN_ANEW "name a file that does not exist yet: the scan then begins anew and keeps its state there"
/*
 * Hold a state that was read against the disk: blocks that it noted are read again, one of each vote, too. Votes that
 * are not there any more are dropped. VK_USAGE: most of them are others now. What cannot be read now says nothing.
 */
VK_MUST_USE enum vk_status vk_scan_state_check(struct vk_io *io, const char *path, struct vk_scan_state *state,
					       struct vk_error *err);

/* The same from the file at path. VK_ABSENT: there is none; else as above, and VK_IO, VK_USAGE for what is no file. */
VK_MUST_USE enum vk_status vk_scan_file_load(const char *path, const struct vk_scan_job *job,
					     struct vk_scan_state *state, struct vk_error *err);
/* Replace the file at path by this state, so that at any time either the old one or the new one is there. Errors:
   VK_IO, VK_NOMEM, VK_USAGE when something that is no state of a scan stands at path with .new behind it. */
VK_MUST_USE enum vk_status vk_scan_file_save(const char *path, const struct vk_scan_job *job,
					     const struct vk_scan_state *state, struct vk_error *err);

#endif
