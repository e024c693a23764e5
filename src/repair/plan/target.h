/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a plan: opened, its table and volumes read; and whether what is opened later is still the same. */
#ifndef VK_REPAIR_TARGET_H
#define VK_REPAIR_TARGET_H

#include <sys/types.h>

#include "vmfskit/of_disk.h"

/* Which file or device was planned for; what is opened later is compared with it (vk_target_check). */
struct vk_target_id {
	bool is_device;
	dev_t dev;  /* a file: of its file system */
	ino_t ino;
	dev_t rdev; /* a device: its own number */
	bool is_view;        /* its bytes are not those of the file one by one: only who it is is compared */
	uint64_t size_bytes;
	uint64_t footer_bytes; /* behind that: the footer of a fixed VHD, which is no part of the disk */
	uint32_t sector_size;
};

/* It stays where it is: facts point into it. */
struct vk_target {
	char *path; /* links followed */
	struct vk_target_id id;
	struct vk_source source;    /* as it is; owns the handle, which is open for reading */
	struct vk_disk_facts facts; /* who it is; what was asked of its places is kept */
};

/*
 * Open a file or block device for reading, past what the kernel remembers of it, and decode it. sector_size 0: of the
 * device, or recognised. Errors: VK_IO, VK_USAGE, VK_NOMEM; there is nothing to close then.
 */
VK_MUST_USE enum vk_status vk_target_open(const char *path, enum vk_source_kind as, uint32_t sector_size,
					  const struct vk_io_view *view, struct vk_target *ret_target,
					  struct vk_error *err);
void vk_target_close(struct vk_target *target);

/*
 * Whether what is open under fd is what id and facts (NULL: nothing is known) were made of: this file or device, as
 * long, with sectors that fit, and by the same names. A path may lead elsewhere by now, and the number or the name of
 * a device can be another LUN's; bytes that are the same prove nothing: a replica has them, too. since: "the plan was
 * made". Errors: VK_REFUSED, with the remedy that nothing was written; VK_IO.
 */
VK_MUST_USE enum vk_status vk_target_check(const struct vk_target_id *id, const struct vk_disk_facts *facts, int fd,
					   const char *path, const char *since, struct vk_error *err);
/*
 * Whether it is a file in which nothing can be overwritten: a regular one of this user with one name, of which no block
 * was ever written. Else VK_REFUSED.
 */
VK_MUST_USE enum vk_status vk_target_scratch(int fd, const char *path, struct vk_error *err);
/* VK_REFUSED: "WHAT since SINCE". */
enum vk_status vk_target_changed(const char *path, const char *what, const char *since, struct vk_error *err);

/* Decode bytes that another owns: the target with changes, a capture. path is for messages. */
VK_MUST_USE enum vk_status vk_source_over(struct vk_io *io, const char *path, enum vk_source_kind as,
					  uint32_t sector_size, struct vk_source *ret_source, struct vk_error *err);

#endif
