/* SPDX-License-Identifier: Apache-2.0 */
/* Practice disks afterwards: what is on them, and damage done by other systems. */
#ifndef VK_LAB_LAB_BREAK_H
#define VK_LAB_LAB_BREAK_H

#include "lab/lab.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/lvm.h"

enum { VK_LAB_FOUND_MAX = 256 };

/* A stretch of bytes with its name. */
struct vk_lab_range {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	const char *name; /* static */
};

/* One partition that was found, in bytes. */
struct vk_lab_found {
	unsigned number; /* 0: no table */
	uint64_t start_bytes;
	uint64_t length_bytes;
	bool vmfs;       /* by its type */
};

/* What a practice disk's table says. Written for disks that vk_lab_make made, and for real ones that are sound. */
struct vk_lab_table {
	uint32_t sector_size;
	bool mbr;                    /* sector 0 carries the signature */
	bool gpt;                    /* one of the copies is there */
	struct vk_lab_range primary[2]; /* header and entries; length 0: not there */
	struct vk_lab_range backup[2];
	struct vk_lab_found found[VK_LAB_FOUND_MAX];
	size_t count;
};
/* sector_size 0: of the device, or told by the content. */
VK_MUST_USE enum vk_status vk_lab_table_read(struct vk_lab_disk *disk, uint32_t sector_size,
					     struct vk_lab_table *ret_table, struct vk_error *err);

/* Which partitions are meant. */
struct vk_lab_choice {
	unsigned partition;    /* 0: all of VMFS */
	bool has_start;        /* the table is gone: the partition starts here */
	uint64_t start_sector;
	uint32_t sector_size;  /* 0: of the device, or told by the content */
};
/* Leaves only the chosen ones in table->found. VK_ABSENT when there is none. */
VK_MUST_USE enum vk_status vk_lab_choose(struct vk_lab_disk *disk,
					 const struct vk_lab_choice *choice,
					 struct vk_lab_table *ret_table, struct vk_error *err);

/* Where the structures of a VMFS partition lie, told by its header or, when that is gone, where they usually lie. */
struct vk_lab_places {
	struct vk_lab_range lvm;         /* header and volume descriptor */
	struct vk_lab_range fs;          /* the descriptor's block */
	struct vk_lab_range heartbeats;
	uint32_t slot_bytes;
};
VK_MUST_USE enum vk_status vk_lab_places_find(struct vk_lab_disk *disk,
					      const struct vk_lab_found *found,
					      struct vk_lab_places *ret_places,
					      struct vk_error *err);

/* Damage by others. */
VK_MUST_USE enum vk_status vk_lab_mkfs_ext4(const char *path, struct vk_error *err);
/* Fails as vk_lab_put does; ret_ranges is set when the disk has not failed. */
void vk_lab_put_ntfs(struct vk_lab_disk *disk, uint64_t offset_bytes, uint64_t length_bytes, uint32_t sector_size,
		     struct vk_lab_range ret_ranges[2]);

#endif
