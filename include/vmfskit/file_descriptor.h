/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors (inodes) of VMFS 3, 5 and 6: lock, FS3_FileMetadata and the array of block addresses. Offsets named
 * "volume" count from the first byte of the logical volume.
 */
#ifndef VMFSKIT_FILE_DESCRIPTOR_H
#define VMFSKIT_FILE_DESCRIPTOR_H

#include <stdbool.h>

#include "vmfskit/address.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_FD_LOCK_TYPE 0x10C00001U
#define VK_FD_SIGNATURE 0x66646D64U /* FS3_FileMetadata.signature on VMFS6 */

#define VK_FILE_METADATA_ROWS(F, T) \
	F(T, U32, descAddr, 0x00, 4, HEX, V, "address of this file descriptor itself") \
	F(T, U32, generation, 0x04, 4, DEC, V, "must be that of the directory entry") \
	F(T, U32, linkCount, 0x08, 4, DEC, V, "0: deleted") \
	F(T, U32, type, 0x0C, 4, DEC, V, \
	  "1 volume, 2 directory, 3 file, 4 symbolic link, 5 system file, 6 raw device mapping") \
	F(T, U32, flags, 0x10, 4, HEX, V, "") \
	F(T, U64, fileLength, 0x14, 8, SIZE, V, "") \
	F(T, U64, blockSize, 0x1C, 8, SIZE, V, "allocation unit of this file") \
	F(T, U64, numBlocks, 0x24, 8, DEC, V, "allocated ones, holes are not counted") \
	F(T, U32, mtime, 0x2C, 4, TIME_S, V, "") \
	F(T, U32, ctime, 0x30, 4, TIME_S, V, "") \
	F(T, U32, atime, 0x34, 4, TIME_S, V, "") \
	F(T, U32, uid, 0x38, 4, DEC, V, "") \
	F(T, U32, gid, 0x3C, 4, DEC, V, "") \
	F(T, U32, mode, 0x40, 4, HEX, V, "permission bits; its type bits do not decide") \
	F(T, U32, zeroLevelAddrType, 0x44, 4, DEC, V, \
	  "what the addresses are: 1 file blocks, 2 sub-blocks, 3 and 5 pointer blocks, 4304 two levels of them, " \
	  "4305 none: the data is in the descriptor") \
	F(T, U32, numTBZBlocksLo, 0x48, 4, DEC, V, "blocks that read as zeros whatever they hold") \
	F(T, U32, numCOWBlocksLo, 0x4C, 4, DEC, V, "") \
	F(T, U32, newSinceEpochLo, 0x50, 4, DEC, V, "VMFS 5 and 6: numBlocks, but not of .fdc.sf") \
	F(T, U32, numTBZBlocksHi, 0x54, 4, DEC, S, "") \
	F(T, U32, numCOWBlocksHi, 0x58, 4, DEC, S, "") \
	F(T, U32, numPointerBlocks, 0x5C, 4, DEC, V, "") \
	F(T, U32, newSinceEpochHi, 0x60, 4, DEC, S, "") \
	F(T, U32, signature, 0x64, 4, HEX, V, "0x66646D64 on VMFS6, 0 on VMFS 3 and 5") \
	F(T, U32, affinityFD, 0x68, 4, HEX, V, "the file's own address or that of its folder; 0 on VMFS3") \
	F(T, U32, tbzGranularityShift, 0x6C, 4, DEC, V, "20 on VMFS 5 and 6; 0 on VMFS3") \
	F(T, U32, parentFD, 0x70, 4, HEX, V, \
	  "VMFS6: address of the folder's file descriptor; 0 for the root and the system files") \
	F(T, U32, lastSFBClusterNum, 0x74, 4, DEC, S, "") \
	F(T, BYTES, unknown78, 0x78, 8, RESERVED, S, "meaning unknown") \
	F(T, U32, affinityBitmap, 0x80, 4, HEX, S, "") \
	F(T, U8, numPreAllocBlocks, 0x84, 1, DEC, S, "") \
	F(T, BYTES, unknown85, 0x85, 4, RESERVED, S, "meaning unknown") \
	F(T, U8, blockOffsetShift, 0x89, 1, DEC, V, "log2 of blockSize; 0 on VMFS3") \
	F(T, U8, numTracked, 0x8A, 1, DEC, S, "") \
	F(T, BYTES, unknown8B, 0x8B, 1, RESERVED, S, "meaning unknown") \
	F(T, U32, numLFB, 0x8C, 4, DEC, S, "large blocks in use") \
	F(T, BYTES, unknown90, 0x90, 216, RESERVED, S, "meaning unknown") \
	F(T, U32, lastFreeSFBC, 0x168, 4, DEC, S, "")

enum { VK_FILE_METADATA_BYTES = 0x16C };
struct vk_file_metadata {
	VK_FILE_METADATA_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_file_metadata_layout;

/* FS3_FileMetadata.type */
enum vk_file_type {
	VK_FILE_INVALID, VK_FILE_VOLUME, VK_FILE_FOLDER, VK_FILE_ORDINARY, VK_FILE_LINK, VK_FILE_SYSTEM, VK_FILE_RDM
};
/* FS3_FileMetadata.zeroLevelAddrType */
enum { VK_ZLA_FILE_BLOCK = 1, VK_ZLA_SUB_BLOCK = 2, VK_ZLA_POINTER_BLOCK = 3, VK_ZLA_POINTER_BLOCK2 = 5,
       VK_ZLA_DOUBLE = 4304, VK_ZLA_RESIDENT = 4305 };

/* The system files: resource number of their file descriptors in cluster 0. */
enum vk_system_file {
	VK_SYSTEM_ROOT, VK_SYSTEM_FBB, VK_SYSTEM_FDC, VK_SYSTEM_PBC, VK_SYSTEM_SBC, VK_SYSTEM_VH, VK_SYSTEM_PB2,
	VK_SYSTEM_SDD, VK_SYSTEM_JBC, VK_SYSTEM_COUNT
};
/* ".fbb.sf"; of the root directory "/". */
const char *vk_system_file_name(enum vk_system_file file);

VK_CODEC(vk_file_metadata, struct vk_file_metadata)

/* How a file descriptor is divided; offsets from its start. */
struct vk_fd_geometry {
	uint32_t fd_bytes;        /* 2048; VMFS6 2 x mdAlignment */
	uint32_t metadata_offset; /* of FS3_FileMetadata: 512; VMFS6 mdAlignment */
	uint32_t pointers_offset; /* of the array of addresses */
	uint32_t pointers;        /* 256; VMFS6 320 or more */
	uint32_t pointer_bytes;   /* 4; VMFS6 8 */
};
/* md_alignment 0: VMFS 3 and 5. */
void vk_fd_geometry(uint32_t md_alignment, struct vk_fd_geometry *ret_geometry);
/* Address number index of the array of a whole file descriptor. */
uint64_t vk_fd_pointer(const struct vk_fd_geometry *geometry, const uint8_t *fd, uint32_t index);

__END_DECLS
#endif
