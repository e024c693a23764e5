/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Master boot record and the chain of extended boot records. Sector numbers count logical sectors of the disk
 * (512 or 4096 bytes).
 */
#ifndef VMFSKIT_MBR_H
#define VMFSKIT_MBR_H

#include <stdbool.h>

#include "vmfskit/error.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_MBR_ENTRY_ROWS(F, T) \
	F(T, U8, bootFlag, 0, 1, HEX, P, "0x80 active, 0x00 inactive") \
	F(T, BYTES, firstCHS, 1, 3, CHS, P, "first sector: head, sector, cylinder") \
	F(T, U8, type, 4, 1, MBR_TYPE, P, "partition type; 0xFB VMFS") \
	F(T, BYTES, lastCHS, 5, 3, CHS, P, "last sector, FE FF FF beyond the CHS range") \
	F(T, U32, firstLBA, 8, 4, LBA, P, \
	  "first sector; in an EBR entry 1 counts from that EBR, entry 2 from the extended partition") \
	F(T, U32, sectors, 12, 4, DEC, P, "number of sectors")

struct vk_mbr_entry {
	VK_MBR_ENTRY_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_mbr_entry_layout;

#define VK_MBR_ROWS(F, T) \
	F(T, BYTES, bootCode, 0, 440, RESERVED, S, "boot code") \
	F(T, U32, diskSignature, 0x1B8, 4, HEX, S, "disk signature of Windows and Linux") \
	F(T, U16, unknown1BC, 0x1BC, 2, HEX, U, "seen as 1D 9A on one ESXi 5 disk; meaning unknown") \
	F(T, BYTES, entry1, 0x1BE, 16, RAW, P, "partition entry 1") \
	F(T, BYTES, entry2, 0x1CE, 16, RAW, P, "partition entry 2") \
	F(T, BYTES, entry3, 0x1DE, 16, RAW, P, "partition entry 3") \
	F(T, BYTES, entry4, 0x1EE, 16, RAW, P, "partition entry 4") \
	F(T, U16, signature, 0x1FE, 2, HEX, P, "0xAA55: bytes 55 AA")

enum { VK_MBR_BYTES = 512, VK_MBR_ENTRY_BYTES = 16, VK_MBR_ENTRY_OFFSET = 0x1BE };
#define VK_MBR_SIGNATURE 0xAA55
#define VK_MBR_TYPE_VMFS 0xFB
#define VK_MBR_TYPE_VMKCORE 0xFC
#define VK_MBR_TYPE_PROTECTIVE 0xEE
struct vk_mbr {
	VK_MBR_ROWS(VK_MEMBER, )
	struct vk_mbr_entry entries[4]; /* the four entries taken apart */
};
extern const struct vk_layout vk_mbr_layout;

/* An EBR has the layout of an MBR of which only entries 1 (the partition) and 2 (the next link) are used. */
size_t vk_mbr_decode(const uint8_t *buf, size_t len, struct vk_mbr *ret_mbr);
/* entries[] is what is written; entry1 to entry4 are ignored. */
size_t vk_mbr_encode(const struct vk_mbr *mbr, uint8_t *buf, size_t len);
/*
 * Findings about one MBR: mbr.signature-missing, mbr.boot-flag, mbr.entry-outside-disk, mbr.entry-overlap.
 * disk_sectors 0: not known, nothing is said about the end of the disk.
 */
void vk_mbr_check(const struct vk_mbr *mbr, size_t seen_bytes, uint64_t disk_sectors,
		  uint64_t offset_bytes, const struct vk_finding_sink *sink);

bool vk_mbr_entry_used(const struct vk_mbr_entry *entry); /* type and length are not 0 */
/* Boot sectors of file systems carry the signature, too; whether what stands for entries fits a disk of that length. */
bool vk_mbr_entries_plausible(const struct vk_mbr *mbr, uint64_t disk_sectors);
/*
 * Whether the entry can be a partition beside a GPT, on a disk of that many sectors (0: not known): it begins behind
 * sector 1, where the GPT's header stands, and ends before the disk does.
 */
bool vk_mbr_entry_beside_gpt(const struct vk_mbr_entry *entry, uint64_t disk_sectors);
bool vk_mbr_type_is_extended(uint8_t type);               /* 05, 0F, 85 */
/* Whether sector 0 protects a GPT: an entry of type EE. */
bool vk_mbr_is_protective(const struct vk_mbr *mbr);
/* Name of a type for people, "unknown" for others: "VMFS", "VMKCORE", "GPT protective", "extended", ... */
const char *vk_mbr_type_name(uint8_t type);
/* The CHS bytes of a sector with 255 heads and 63 sectors; FE FF FF when it is out of reach. */
void vk_mbr_chs(uint64_t lba, uint8_t ret_chs[3]);

/* The most links of an EBR chain that are followed. */
enum { VK_EBR_MAX = 128 };

__END_DECLS
#endif
