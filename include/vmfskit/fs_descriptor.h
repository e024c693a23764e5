/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FS3_Descriptor: the file-system descriptor of VMFS 3, 5, 6 and VMFS-L at volume offset 0x200000. Names and meanings
 * from maxJournalSlotsPerTxn on were stated by a source; where a value is given, it was seen on a real volume.
 */
#ifndef VMFSKIT_FS_DESCRIPTOR_H
#define VMFSKIT_FS_DESCRIPTOR_H

#include <stdbool.h>

#include "vmfskit/finding.h"
#include "vmfskit/vmfs_uuid.h"

__BEGIN_DECLS

#define VK_FS_OFFSET 0x200000ULL /* volume offset */
#define VK_FS_MAGIC_VMFS 0x2FABF15EU
#define VK_FS_MAGIC_VMFSL 0x2FABF15FU
#define VK_FS_MAGIC_VMFS6 0x2FABF160U  /* known from a symbol only */
#define VK_FS_MAGIC_VMFS6L 0x2FABF161U /* known from a symbol only */

#define VK_FS_DESCRIPTOR_ROWS(F, T) \
	F(T, U32, magic, 0x00, 4, FS_MAGIC, V, "0x2FABF15E VMFS, 0x2FABF15F VMFS-L", VK_LASTING) \
	F(T, U32, majorVersion, 0x04, 4, FS_VERSION, V, "4 VMFS3, 14 VMFS5, 24 VMFS6") \
	F(T, U8, minorVersion, 0x08, 1, DEC, V, "the y of VMFS-x.y") \
	F(T, UUID, uuid, 0x09, 16, UUID, V, "datastore UUID shown under /vmfs/volumes", VK_LASTING) \
	F(T, U32, config, 0x19, 4, FS_CONFIG, V, \
	  "flags; bits 0-1 access mode, the names of the others were stated by a source; 0x2 on VMFS3, 0x6 on " \
	  "VMFS 5 and 6 made new") \
	F(T, TEXT, fsLabel, 0x1D, 128, TEXT, V, "datastore label, UTF-8, NUL padded") \
	F(T, U32, diskBlockSize, 0x9D, 4, SIZE, V, "512", VK_LASTING) \
	F(T, U64, fileBlockSize, 0xA1, 8, SIZE, V, "1, 2, 4 or 8 MiB; VMFS6 1 MiB", VK_LASTING) \
	F(T, U32, creationTime, 0xA9, 4, TIME_S, V, "creation", VK_LASTING) \
	F(T, U32, snapID, 0xAD, 4, DEC, V, "1") \
	F(T, UUID, volInfo, 0xB1, 16, UUID, V, "lvID of the LVM volume this file system lives on", VK_LASTING) \
	F(T, U32, volInfoSnapID, 0xC1, 4, DEC, V, "snapID of that volume") \
	F(T, BYTES, volInfoRest, 0xC5, 12, RESERVED, V, "rest of FDS_VolInfo, zero") \
	F(T, U32, fdcClusterGroupOffset, 0xD1, 4, OFFSET, V, "file offset of cluster group 0 in .fdc.sf", VK_LASTING) \
	F(T, U32, fdcClustersPerGroup, 0xD5, 4, DEC, V, "32 on VMFS3, 64 on VMFS5, 8 on VMFS6", VK_LASTING) \
	F(T, U32, subBlockSize, 0xD9, 4, SIZE, V, "65536 on VMFS3 and VMFS6, 8192 on VMFS5", VK_LASTING) \
	F(T, U32, maxJournalSlotsPerTxn, 0xDD, 4, DEC, V, "8 on VMFS5, 64 on VMFS6") \
	F(T, U64, pb2VolAddr, 0xE1, 8, OFFSET, V, "volume offset of the file descriptor of .pb2.sf") \
	F(T, U32, pb2FDAddr, 0xE9, 4, HEX, V, "address of that file descriptor, 0x1800004") \
	F(T, UUID, hostUuid, 0xED, 16, UUID, V, "host session that made the file system", VK_VOLATILE) \
	F(T, U64, gblGeneration, 0xFD, 8, DEC, V, "1 on VMFS 5 and 6", VK_VOLATILE) \
	F(T, U64, sddVolAddr, 0x105, 8, OFFSET, V, "volume offset of the file descriptor of .sdd.sf") \
	F(T, U32, sddFDAddr, 0x10D, 4, HEX, V, "address of that file descriptor, 0x1C00004") \
	F(T, U8, checksumType, 0x111, 1, DEC, S, "") \
	F(T, U16, unmapPriority, 0x112, 2, UNMAP_PRIO, V, "0 none, 1 low, 2 medium, 3 high") \
	F(T, BYTES, pad1, 0x114, 4, RESERVED, S, "") \
	F(T, U64, checksumGen, 0x118, 8, DEC, S, "", VK_VOLATILE) \
	F(T, BYTES, checksum, 0x120, 16, RAW, S, \
	  "value and generation; the algorithm is not known, it is not verified", VK_VOLATILE) \
	F(T, U32, physDiskBlockSize, 0x130, 4, SIZE, V, "512 on VMFS6, 0 on VMFS 3 and 5") \
	F(T, U32, mdAlignment, 0x134, 4, SIZE, V, "VMFS6: size of a metadata block, 4096; 0 on VMFS 3 and 5", \
	  VK_LASTING) \
	F(T, U16, sfbToLfbShift, 0x138, 2, DEC, V, "VMFS6: log2 of large block / small block, 9", VK_LASTING) \
	F(T, BYTES, reserved16_1, 0x13A, 2, RESERVED, S, "") \
	F(T, BYTES, reserved16_2, 0x13C, 2, RESERVED, S, "") \
	F(T, U16, ptrBlockShift, 0x13E, 2, DEC, V, "VMFS6: log2 of the resources of .pb2.sf, 16") \
	F(T, U16, sfbAddrBits, 0x140, 2, DEC, V, "VMFS6: bits of a small block's address, 44") \
	F(T, BYTES, reserved16_3, 0x142, 2, RESERVED, S, "") \
	F(T, U32, tbzGranularity, 0x144, 4, SIZE, V, "also called unmapGranularity; 1 MiB on VMFS6") \
	F(T, U32, journalBlockSize, 0x148, 4, SIZE, V, "VMFS6: of the resources of .jbc.sf, 2 MiB") \
	F(T, U32, leaseIntervalMs, 0x14C, 4, DEC, V, "16000 on VMFS6") \
	F(T, U32, reclaimWindowMs, 0x150, 4, DEC, V, "4000 on VMFS6") \
	F(T, U64, localStampUS, 0x154, 8, UPTIME_US, S, "VMFS-L: stamp of the host that mounted it", VK_VOLATILE) \
	F(T, BYTES, localMountOwnerMacAddr, 0x15C, 6, MAC, S, "VMFS-L: MAC address of that host", VK_VOLATILE) \
	F(T, U8, unmapMethod, 0x162, 1, DEC, S, "0 priority, 1 fixed") \
	F(T, U32, unmapBandwidth, 0x163, 4, DEC, S, "") \
	F(T, U32, unmapBandwidthMin, 0x167, 4, DEC, S, "") \
	F(T, U32, unmapBandwidthMax, 0x16B, 4, DEC, S, "")

enum { VK_FS_DESCRIPTOR_BYTES = 0x16F, VK_FS_SECTOR_BYTES = 512 };
struct vk_fs_descriptor {
	VK_FS_DESCRIPTOR_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_fs_descriptor_layout;

VK_CODEC(vk_fs_descriptor, struct vk_fs_descriptor)
/* FS3_Descriptor.majorVersion */
enum { VK_FS_VMFS3 = 4, VK_FS_VMFS5 = 14, VK_FS_VMFS6 = 24 };
bool vk_fs_magic_known(uint32_t magic);
bool vk_fs_version_known(uint32_t major);
/* "VMFS-3.31", "VMFS-5.81", "VMFS-L 6.82": the UI name; "unknown version 7.1" for others. */
void vk_fs_version_name(const struct vk_fs_descriptor *fs, char ret_text[40]);
bool vk_fs_is_vmfs6(const struct vk_fs_descriptor *fs); /* majorVersion >= 24: VMFS6 rules */
/*
 * Findings: fs.magic-missing, fs.version, fs.block-size, fs.disk-block-size, fs.md-alignment,
 * fs.volinfo-mismatch (only with lv_uuid, which may be NULL), fs.creation-time.
 */
void vk_fs_descriptor_check(const struct vk_fs_descriptor *fs, size_t seen_bytes,
			    const struct vk_vmfs_uuid *lv_uuid, uint64_t offset_bytes,
			    const struct vk_finding_sink *sink);
/* Magic, block size and (VMFS6) alignment make sense: the layout below may be derived from it. */
bool vk_fs_descriptor_usable(const struct vk_fs_descriptor *fs, size_t seen_bytes);

/* Where the heartbeat region lies and where .vh.sf ends (volume offsets). */
struct vk_fs_geometry {
	uint64_t heartbeat_offset;     /* VK_HEARTBEATS_OFFSET */
	uint32_t heartbeat_slot_bytes; /* 512; VMFS6 mdAlignment */
	uint32_t heartbeat_slots;      /* 2048; VMFS6 1024 */
	uint64_t heartbeat_end;
	uint64_t vh_end; /* first block of .fdc.sf */
};
/* fs NULL or not usable: the geometry of VMFS3/5 with 1 MiB blocks, and false. */
bool vk_fs_geometry(const struct vk_fs_descriptor *fs, size_t seen_bytes,
		    struct vk_fs_geometry *ret_geometry);

__END_DECLS
#endif
