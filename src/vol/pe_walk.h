/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one walk over bitmaps of physical extents, their tables and the chain of extended metadata. What is believed of
 * the header, how much may be read and what an entry means is the caller's matter.
 */
#ifndef VK_VOL_PE_WALK_H
#define VK_VOL_PE_WALK_H

#include "vmfskit/io.h"
#include "vmfskit/lvm.h"

/* The tables of one header region. */
struct vk_pe_region {
	struct vk_lvm_geometry geometry;
	uint64_t data_offset; /* device offset of its first extent */
	uint64_t first_pe;    /* number on the device of its first extent */
	uint32_t maps;
};
struct vk_pe_region vk_pe_main_region(const struct vk_lvm_device *device);

/* One bitmap and its table. */
struct vk_pe_pair {
	const struct vk_pe_region *region;
	uint64_t bitmap_at, table_at; /* device offsets */
	uint64_t first_pe;
	uint8_t bitmap[VK_LVM_PES_PER_MAP / 8]; /* zeros until pair reads it */
};
static inline bool vk_pe_marked(const struct vk_pe_pair *pair, uint64_t i)
{
	return (pair->bitmap[i / 8] >> (i % 8) & 1) != 0;
}

/* Whether an entry makes sense and says what its place demands. */
bool vk_pe_fits(const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe,
		const struct vk_lvm_device *device);

enum { VK_PE_PIECE_MAX = 512 };
struct vk_pe_walk {
	void *ctx;
	/* Bytes at a device offset; how many there are. */
	size_t (*get)(void *ctx, uint64_t at, void *buf, size_t len);
	struct vk_io *holes;    /* what is known to be zero in it is not read; may be NULL */
	unsigned piece_entries; /* read at once, at most VK_PE_PIECE_MAX */
	bool whole; /* a piece that is not there as a whole ends its table; else its entries up to there count */
	/* Of each pair, in order: reads the bitmap, and walks what it wants to of the table. False: no more pairs. */
	bool (*pair)(const struct vk_pe_walk *walk, struct vk_pe_pair *pair);
	/* Of each entry that is used or marked in the bitmap. */
	void (*entry)(void *ctx, const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe);
	/*
	 * Of each block of extended metadata that the chain leads to, before its region; ext is NULL where there is
	 * none.
	 */
	void (*ext)(void *ctx, uint64_t at, const struct vk_lvm_ext *ext);
};

/* False when pair ended it. */
bool vk_pe_walk_region(const struct vk_pe_walk *walk, const struct vk_pe_region *region);
/* Entries first .. first + count - 1 of the table of a pair. */
void vk_pe_walk_entries(const struct vk_pe_walk *walk, const struct vk_pe_pair *pair, uint64_t first, uint64_t count);

enum vk_pe_chain {
	VK_PE_CHAIN_ENDS,
	VK_PE_CHAIN_UNREAD,
	VK_PE_CHAIN_STRANGE, /* something else stands where it leads to */
	VK_PE_CHAIN_ASTRAY   /* it does not lead upwards, or too far, or is longer than `most` blocks */
};
/*
 * The chain that begins at `at` (0: there is none), above `above` and not behind `end`, and the regions of its blocks
 * when pair is given. Returns how it ends, and where.
 */
enum vk_pe_chain vk_pe_walk_exts(const struct vk_pe_walk *walk, const struct vk_lvm_device *device, uint64_t at,
				 uint64_t above, uint64_t end, size_t most, uint64_t *ret_at);

#endif
