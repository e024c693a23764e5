/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of a capture while it is made: as long as each byte is that of the previous capture's file nothing is written,
 * and at the end it is one more name of that one. From the first byte that differs on it is a file of its own.
 */
#ifndef VK_STORE_REGION_FILE_H
#define VK_STORE_REGION_FILE_H

#include <time.h>

#include "store/folder/digest.h"
#include "store/folder/folder.h"

enum { VK_FILE_BUFFER_BYTES = 256 << 10 };

/* The previous capture, whose files may be linked; and whether the store can do that. */
struct vk_previous {
	int fd;             /* of its folder; -1: there is none */
	bool modes_kept;    /* files have the mode that they were made with */
	bool links_refused; /* the file system of the store has no links */
	uint8_t *buf;       /* VK_FILE_BUFFER_BYTES, to read its files into */
};

/* id may be NULL: begin without one. Without it everything is written, which is never wrong. */
void vk_previous_open(const struct vk_folder *folder, const char *id, struct vk_previous *ret_previous);
void vk_previous_close(struct vk_previous *previous);

/* What a file holds: the ranges that were written and the sum of their bytes; all else is zeros. Begin zeroed. */
struct vk_written {
	struct vk_range *ranges;
	size_t range_count;
	uint8_t sum[VK_SUM_BYTES];
	bool linked; /* it is the previous capture's file, which was read whole from the disk */
};
void vk_written_free(struct vk_written *written);
/* Whether a file of that length reads so. buf: VK_FILE_BUFFER_BYTES. False also when it cannot be read. */
VK_MUST_USE bool vk_written_is(const struct vk_written *written, struct vk_sum *sum, int fd, uint64_t length,
			       uint8_t *buf);

struct vk_region_file {
	struct vk_folder *folder;
	struct vk_previous *previous;
	const char *file;
	uint64_t length_bytes;
	int fd;     /* -1: nothing was written */
	int old_fd; /* the previous capture's file, while all that was given is in it; -1: none, or it differs */
	struct timespec old_time; /* when it was written */
	bool old_is_lost; /* it failed because of that file alone: to be made anew, without the previous capture */
	struct vk_sum *sum;
	struct vk_written *written;
};
/* Everything given is borrowed until the file is finished or abandoned; sum serves one file at a time. */
VK_MUST_USE enum vk_status vk_region_file_begin(struct vk_region_file *file, struct vk_folder *folder,
						struct vk_previous *previous, const char *name, uint64_t length_bytes,
						struct vk_sum *sum, struct vk_written *ret_written,
						struct vk_error *err);
/* Its bytes at pos, in ascending order; what is not given is zeros. */
VK_MUST_USE enum vk_status vk_region_file_bytes(struct vk_region_file *file, uint64_t pos, const uint8_t *bytes,
						size_t len, struct vk_error *err);
/* Close it, or link the previous capture's file. The file is abandoned when this fails. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_region_file_finish(struct vk_region_file *file, struct vk_error *err);
void vk_region_file_abandon(struct vk_region_file *file);

#endif
