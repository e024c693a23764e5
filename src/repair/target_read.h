/* SPDX-License-Identifier: Apache-2.0 */
/* Reading back what a target holds: from the disk, past what the kernel remembers of it. */
#ifndef VK_REPAIR_TARGET_READ_H
#define VK_REPAIR_TARGET_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

enum { VK_TARGET_BUFFER_BYTES = 1 << 20, VK_TARGET_ALIGN_BYTES = 4096 };

struct vk_target_reader {
	int fd; /* borrowed; of a device it has O_DIRECT */
	const char *path;
	uint8_t *buf; /* borrowed: VK_TARGET_BUFFER_BYTES, aligned to VK_TARGET_ALIGN_BYTES */
	bool is_device;
	bool cached; /* a file that cannot be read past the cache: it was dropped from it before reading */
};

/*
 * Between begin and end a file is read with O_DIRECT, whose offsets and lengths are no concern of the caller's; it
 * must not be written to meanwhile. Where the file system refuses that, all of the file is dropped from the cache.
 */
void vk_target_read_begin(struct vk_target_reader *r);
void vk_target_read_end(const struct vk_target_reader *r);
/* Whether the target holds these bytes; *ret_at is the first that differs. Errors: VK_IO. */
VK_MUST_USE enum vk_status vk_target_compare(struct vk_target_reader *r, uint64_t offset, const uint8_t *want,
					     size_t len, bool *ret_same, uint64_t *ret_at,
					     struct vk_error *err);

/* Whether any sector of the range can be read: the first that can. */
bool vk_target_readable(struct vk_target_reader *reader, uint64_t offset, size_t len, size_t sector, uint64_t *ret_at);

#endif
