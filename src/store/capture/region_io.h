/* SPDX-License-Identifier: Apache-2.0 */
/* The regions of a capture as a source, from somewhere else than its files. */
#ifndef VK_STORE_REGION_IO_H
#define VK_STORE_REGION_IO_H

#include "vmfskit/capture.h"

/* Where a region lies in the file that holds all of them, and how much of it there is. */
struct vk_held_region {
	uint64_t start;
	uint64_t length;
};

/* As vk_capture_io, from fd; held has one row for each region. Both are taken over, also when this fails. */
VK_MUST_USE enum vk_status vk_region_io_held(const struct vk_capture *capture, int fd, struct vk_held_region *held,
					     struct vk_io **ret_io, struct vk_error *err);

#endif
