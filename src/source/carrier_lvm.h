/* SPDX-License-Identifier: Apache-2.0 */
/* The text that LVM2 keeps on each physical volume: which volumes there are, and where they lie. */
#ifndef VK_SOURCE_CARRIER_LVM_H
#define VK_SOURCE_CARRIER_LVM_H

#include "source/carrier.h"

enum { VK_LVM2_UUID_BYTES = 32, VK_LVM2_NAME_BYTES = 128, VK_LVM2_VOLUMES_MAX = 64 };

/* A volume that people see, in one piece on the physical volume that was asked for. */
struct vk_lvm2_volume {
	char name[VK_LVM2_NAME_BYTES];
	uint64_t first_extent; /* of the physical volume */
	uint64_t extents;
};
struct vk_lvm2_group {
	char name[VK_LVM2_NAME_BYTES];
	uint64_t extent_bytes;
	uint64_t data_bytes;  /* where extent 0 of the physical volume begins; 0: it does not say */
	size_t pieces;        /* of any volume that name this physical volume */
	struct vk_lvm2_volume volumes[VK_LVM2_VOLUMES_MAX];
	size_t volume_count;
};

/*
 * Read a text that ends with NUL, as config files of LVM2 are written (lvm.conf(5), "configuration file syntax"). uuid:
 * of the physical volume, without hyphens. False when it is no such text, or does not name that volume.
 */
VK_MUST_USE bool vk_lvm2_read_text(const char *text, const uint8_t uuid[VK_LVM2_UUID_BYTES],
				   struct vk_lvm2_group *ret_group);

#endif
