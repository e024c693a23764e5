/* SPDX-License-Identifier: Apache-2.0 */
/* The practice disk as a place to write to: a file, or a loop device when that is really meant. */
#ifndef VK_LAB_LAB_DISK_H
#define VK_LAB_LAB_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

struct vk_lab_disk {
	int fd;
	char path[4096];
	uint64_t size_bytes;
	uint32_t sector_size; /* of a device; 0: a file does not tell */
	bool device;
	enum vk_status failed; /* of the first write that failed; VK_OK: none */
};

/*
 * A new file of that size, all zeros. An existing file is refused unless it is empty or overwrite is set;
 * devices are always refused.
 */
VK_MUST_USE enum vk_status vk_lab_disk_create(const char *path, uint64_t size_bytes, bool overwrite,
					      struct vk_lab_disk *ret_disk, struct vk_error *err);
/*
 * An existing image for reading and writing. VK_REFUSED: a block device that is no loop device, a loop device without
 * really, or one that is mounted or otherwise in use.
 */
VK_MUST_USE enum vk_status vk_lab_disk_open(const char *path, bool really,
					    struct vk_lab_disk *ret_disk, struct vk_error *err);
/* Everything on its medium, then closed. */
VK_MUST_USE enum vk_status vk_lab_disk_close(struct vk_lab_disk *disk, struct vk_error *err);
/* Closed after a failure: nothing more is said. */
void vk_lab_disk_abandon(struct vk_lab_disk *disk);

/*
 * Whoever writes many things looks at the last status only: after a failure nothing more is written, and every later
 * call returns the status of the first one, whose error stays in err.
 */
enum vk_status vk_lab_put(struct vk_lab_disk *disk, uint64_t offset, const void *buf, size_t len, struct vk_error *err);
/* The disk has failed for another reason than writing. */
enum vk_status vk_lab_fail(struct vk_lab_disk *disk, enum vk_status status);
/* Zeroed memory for what is to be written; NULL: memory ran out, and the disk has failed. */
void *vk_lab_alloc(struct vk_lab_disk *disk, size_t size, struct vk_error *err);
/* All of it, or VK_ABSENT. */
VK_MUST_USE enum vk_status vk_lab_get(struct vk_lab_disk *disk, uint64_t offset, void *buf,
				      size_t len, struct vk_error *err);
/* Zeros; what lies behind the end of the disk is left out. */
enum vk_status vk_lab_zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len, struct vk_error *err);
VK_MUST_USE enum vk_status vk_lab_sync(struct vk_lab_disk *disk, struct vk_error *err);

#endif
