/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of a capture while it is made: a new one or, as long as every byte is the same, one more name of the file that
 * the previous capture of the disk has.
 */
#ifndef VK_STORE_REGION_FILE_H
#define VK_STORE_REGION_FILE_H

#include <stdbool.h>

#include "store/folder/folder.h"

enum { VK_PREVIOUS_BUFFER_BYTES = 64 << 10 };

/* The previous capture, whose files may be linked; and whether the store can do that. */
struct vk_previous {
	int fd;             /* of its folder; -1: there is none */
	bool modes_kept;    /* files have the mode that they were made with */
	bool links_refused; /* the file system of the store has no links */
	uint8_t *buf;       /* for the old bytes */
};

/* Begin without one; id may be NULL. Free with vk_previous_close. */
VK_MUST_USE enum vk_status vk_previous_open(const struct vk_folder *folder, const char *id,
					    struct vk_previous *ret_previous, struct vk_error *err);
void vk_previous_close(struct vk_previous *previous);

struct vk_region_file {
	struct vk_folder *folder;
	struct vk_previous *previous;
	const char *file;
	uint64_t length_bytes;
	int fd;          /* of the new file; -1: not made, everything was the same so far */
	int old_fd;      /* of the previous capture's file; -1: nothing to compare with, or no longer */
	bool linked;     /* after finish: it is the previous capture's file */
	bool old_failed; /* after an error: it came from the old file; begin anew without it */
};

/* previous, folder and file are borrowed. */
VK_MUST_USE enum vk_status vk_region_file_begin(struct vk_region_file *f,
						struct vk_folder *folder,
						struct vk_previous *previous, const char *file,
						uint64_t length_bytes, struct vk_error *err);
/* The next bytes, in order; those that are not given are zeros, and blocks of zeros become holes. */
VK_MUST_USE enum vk_status vk_region_file_bytes(struct vk_region_file *f, uint64_t pos,
						const uint8_t *bytes, size_t len,
						struct vk_error *err);
/* Zeros, of which nothing has to be read. */
VK_MUST_USE enum vk_status vk_region_file_zeros(struct vk_region_file *f, uint64_t pos, uint64_t len,
						struct vk_error *err);
/* All bytes were given: link or set the length, and close. */
VK_MUST_USE enum vk_status vk_region_file_finish(struct vk_region_file *f, struct vk_error *err);
/* Close what is open, for all paths that do not finish; what was written stays for who removes the folder. */
void vk_region_file_abandon(struct vk_region_file *f);

#endif
