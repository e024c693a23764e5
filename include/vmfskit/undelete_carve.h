/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was deleted, without a map of an earlier moment: candidates, found in what a volume still holds. Nothing of them
 * is certain: each may be a file, a part of one, or chance. Nothing is written.
 *
 * Three kinds, each with a name that can be typed. Addresses and offsets are of the logical volume:
 *   #0x01c00184      a file descriptor whose slot is free, or that no name leads to: address of the descriptor
 *   #pb-0x523000     pointer blocks that no file uses: volume offset of the first of them
 *   #block-0x1900000 a free file block that begins with a signature: its volume offset
 * The same volume gives the same names, as long as nothing is written to it.
 *
 * Descriptors. Runs, size and times are what the descriptor says. A length of 0 with addresses left is replaced by how
 * far these reach (guess). One whose addresses are all gone, or make no sense, is counted as cleared. Ordinary files
 * and symbolic links are looked for, no folders, no raw device mappings. The path is that of a deleted entry with the
 * same address and generation; else, on VMFS6, the folder of parentFD and the name of the candidate.
 *
 * Pointer blocks. One is taken for a candidate when each address in it, zeros aside, names a whole block of this volume
 * (of one kind), none twice, and at least one of the blocks belongs to no file of today. Free sub-blocks of VMFS6 are
 * looked at, too. What is assumed, and may be wrong:
 *   1. A file gets its blocks in order. So a block whose last address is used, and whose last file block is L, goes on
 *      in that one whose first file block is the next behind L, at most VK_CARVE_NEAR blocks away, if all of its file
 *      blocks lie behind those of the former.
 *   2. A file gets its pointer blocks in order: that one lies behind it in the same system file.
 *   3. The first one of a chain begins at byte 0 of the file. Holes as long as a pointer block end a chain.
 * The size is the end of the last address, so it is too long by less than a block. VMFS5's and VMFS6's blocks of
 * pointer blocks (two levels) are not followed; those that they lead to are candidates.
 *
 * Signatures: the beginning of a free block that no other candidate has. MBR, GPT, FAT, NTFS, ext, XFS, COWD, KDMV,
 * SESPARSE, text of a virtual disk's descriptor. The size is what the signature tells, or 0. The one range goes on to
 * that size, or to the next block that is not free: a file that is strewn over the volume is not followed.
 *
 * State of a range: HOLE, REUSED (a file of today has the block or sub-block: by), or UNKNOWN: ALLOCATED (the bitmap
 * says so, and no name leads to whoever has it: of a descriptor without a name it may be itself), UNREADABLE (of the
 * bitmap), UNPROVED (free, of a descriptor), GUESSED (free, of the two others), NOT_SAID. Never UNTOUCHED.
 */
#ifndef VMFSKIT_UNDELETE_CARVE_H
#define VMFSKIT_UNDELETE_CARVE_H

#include "vmfskit/undelete.h"

__BEGIN_DECLS

enum {
	VK_CARVE_NAME_BYTES = 32,
	VK_CARVE_NEAR = 1024,           /* blocks between the last of one pointer block and the first of the next */
	VK_CARVE_CANDIDATES = 1 << 15,  /* of each kind; more are counted */
	VK_CARVE_RANGES = 1 << 20,      /* of all candidates */
	VK_CARVE_ADDRESSES = 1 << 25    /* that are followed: of the files of today, and of candidates */
};

struct vk_carve_mark {
	char name[VK_CARVE_NAME_BYTES];
	bool slot_free;          /* of a descriptor: its slot is free; else no name leads to it */
	bool size_known;         /* by the descriptor; else it is a guess, or 0 */
	/*
	 * When something was allocated last in the cluster that has the first pointer block, or the block: not earlier
	 * than the file got it. Seconds since 1970; VMFS6 only; else 0. Of a descriptor: see file.mtime.
	 */
	uint32_t last_alloc;
	uint32_t pointer_blocks; /* in the chain */
};

struct vk_carved {
	/*
	 * Descriptors in the order of their slots, then pointer blocks, then signatures, by offset. path: what is known
	 * of it; of the last two NULL. cut, unseen, torn: false. Free with vk_carved_free.
	 */
	struct vk_undelete found;
	struct vk_carve_mark *marks;     /* of each file in found */
	uint64_t more[VK_UNDELETE_SIGNATURE + 1]; /* of each from: candidates that are not in found */
	uint64_t cleared;        /* descriptors of files that are gone, with nothing that leads to their bytes */
	uint64_t blocks_free, blocks_read; /* of the volume; whose beginning was looked at */
	bool blocks_unknown;     /* parts of the bitmap cannot be read: blocks there were not looked at */
	bool stopped;            /* by progress */
};

struct vk_carve_wish {
	bool no_signatures;      /* the free blocks are not read */
	/* Called now and then while free blocks are read; false: stop, what was found so far is given. May be NULL. */
	bool (*progress)(void *ctx, uint64_t done_blocks, uint64_t blocks);
	void *ctx;
};

/*
 * Find candidates. wish NULL: all. Read are: the tree twice, .fdc.sf and the files of pointer blocks once (VMFS6: the
 * first 4 KiB of free sub-blocks, too), and the first 4 KiB of each free block. Memory: bits for the resources of the
 * volume, what found holds, and 80 bytes for each of at most 2^20 orphaned pointer blocks. Bounds that were met:
 * found.unfinished. Findings: those of vk_fs_walk_tree. Errors: VK_IO (the device does not answer), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_carve(struct vk_fs *fs, const struct vk_carve_wish *wish,
				    const struct vk_finding_sink *sink, struct vk_carved *ret_carved,
				    struct vk_error *err);
void vk_carved_free(struct vk_carved *carved);

/*
 * What the first bytes of a file or disk say that it is: "NTFS boot sector"; NULL: nothing that is known. At least 4096
 * bytes should be given. ret_bytes: how long it says that it is, from its own first byte on; 0: it does not say.
 */
const char *vk_carve_looks_like(const uint8_t *bytes, size_t len, uint64_t *ret_bytes);

__END_DECLS
#endif
