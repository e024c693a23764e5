/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions that the ESXi installers make on a boot disk, and which of them a disk still shows. */
#ifndef VK_REBUILD_BOOT_LAYOUT_H
#define VK_REBUILD_BOOT_LAYOUT_H

#include "vmfskit/find.h"

/* What proves that a row was there. */
enum vk_boot_proof {
	VK_BOOT_FAT,   /* a FAT boot sector at its start, and a length that fits */
	VK_BOOT_GAP,   /* nothing of its own: it fits between two neighbours that are proved */
	VK_BOOT_LOCAL, /* a VMFS-L at its start */
	VK_BOOT_VMFS   /* a VMFS at its start */
};

struct vk_boot_row {
	unsigned number;
	uint64_t start;
	uint64_t end; /* inclusive; 0: as its volume says */
	enum vk_boot_proof proof;
	const char *type;
	const char *name; /* NULL: as the ESXi tools leave it */
};
struct vk_boot_layout {
	const char *name;
	const struct vk_boot_row *rows; /* in the order of the disk */
	size_t count;
};
extern const struct vk_boot_layout vk_boot_layouts[];
extern const size_t vk_boot_layout_count;

enum { VK_BOOT_ROWS_MAX = 8 };
/* What a disk shows of one layout. */
struct vk_boot_evidence {
	bool shown[VK_BOOT_ROWS_MAX];
	uint64_t fat_bytes[VK_BOOT_ROWS_MAX]; /* of VK_BOOT_FAT: as long as the file system says it is */
	size_t candidate[VK_BOOT_ROWS_MAX];   /* of VK_BOOT_LOCAL and VK_BOOT_VMFS */
	unsigned own;  /* rows with a proof of their own */
};

/*
 * Compare a disk of 512-byte sectors with a layout. Ghosts prove nothing. Errors: VK_IO.
 */
VK_MUST_USE enum vk_status vk_boot_layout_look(const struct vk_boot_layout *layout, struct vk_io *io,
					       const struct vk_find *find,
					       struct vk_boot_evidence *ret_evidence,
					       struct vk_error *err);

#endif
