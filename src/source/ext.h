/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext2, ext3 and ext4: whether the file system is whole, whether it holds files, and what it says of a byte of its own.
 * All facts: Linux, Documentation/filesystems/ext4 (super block, group descriptors, block bitmaps), fs/ext4/super.c.
 */
#ifndef VK_SOURCE_EXT_H
#define VK_SOURCE_EXT_H

#include "vmfskit/io.h"

/* CRC-32C (Castagnoli); neither what goes in nor what comes out is inverted. */
uint32_t vk_crc32c(uint32_t crc, const uint8_t *bytes, size_t len);

/* What its superblock says, with bounds checked. Borrows io. */
struct vk_ext {
	struct vk_io *io;
	uint64_t start_bytes;
	uint64_t length_bytes;
	uint64_t blocks;
	uint64_t groups;
	uint32_t block_bytes;
	uint32_t first_block;       /* 1 where blocks have 1 KiB, else 0 */
	uint32_t blocks_per_group;
	uint32_t units_per_group;   /* bits of a bitmap that count: blocks, or clusters with bigalloc */
	uint32_t unit_blocks;       /* 1, or those of a cluster */
	uint32_t inodes_per_group;
	uint32_t inode_bytes;
	uint32_t descriptor_bytes;
	uint32_t flex_groups;       /* so many groups keep their bitmaps and inodes together; 0: too many */
	uint32_t meta_from;         /* from this block of descriptors on they lie in their groups; UINT32_MAX: never */
	uint32_t reserved_blocks;   /* behind the descriptors, for growing */
	uint32_t backups[2];        /* sparse_super2: the groups with a copy; both 0: it is not used */
	bool sparse;
	bool checksums;             /* metadata_csum: bitmaps carry one */
	uint32_t seed;              /* of these */
	bool uninit;                /* groups may say that their bitmap was never written */
	bool clean;                 /* unmounted in order, no journal to be replayed */
	uint64_t files;             /* directories, too; without what mkfs itself makes */
	uint64_t made_s, written_s, mounted_s; /* seconds since 1970; mounted_s 0: never */
};

/* False: no superblock that makes sense stands there. */
bool vk_ext_open(struct vk_io *io, uint64_t start_bytes, struct vk_ext *ret_fs);
/* Whether its parts agree: the root directory is there, and bitmaps in front, in the middle and at the end fit. */
bool vk_ext_whole(const struct vk_ext *fs);

/* What a file system says of one of its bytes. */
enum vk_hold {
	VK_HOLD_UNKNOWN,
	VK_HOLD_FREE,
	VK_HOLD_OWN, /* tables of its own: inodes, bitmaps, superblocks */
	VK_HOLD_FILE /* in use, and none of these: a file, a directory, the journal */
};
/* at_bytes: of the source. A bounded number of reads. */
enum vk_hold vk_ext_hold(const struct vk_ext *fs, uint64_t at_bytes);

#endif
