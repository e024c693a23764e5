/* SPDX-License-Identifier: Apache-2.0 */
/* One VMFS partition on both sides of a comparison. */
#ifndef VK_STORE_DIFF_DEVICE_H
#define VK_STORE_DIFF_DEVICE_H

#include "store/diff/diff_parts.h"

struct vk_diff_device {
	struct vk_differ *d;
	const struct vk_vmfs *vmfs[VK_SIDES]; /* NULL: the table of that side does not name it */
	const struct vk_vmfs *best;           /* the side whose header is the better guide */
	unsigned partition;
	uint64_t base[VK_SIDES];
	bool header_compared;
	struct vk_diff_structure header;
	struct vk_diff_structure volume; /* the first */
	bool volume_compared;
};

/* Magic of an LVM header; bytes are 4 at least. */
bool vk_diff_is_lvm(const uint8_t *bytes);
/* The header; first, as others ask what it says. */
void vk_diff_lvm_header(struct vk_diff_device *dev);
/* Volume descriptors, extended metadata, member devices, extents. */
void vk_diff_lvm_tables(struct vk_diff_device *dev);

#endif
