/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sector of a FAT file system: how long it says it is. Boot partitions, boot banks and scratch of ESXi are FAT. */
#ifndef VMFSKIT_FAT_BOOT_H
#define VMFSKIT_FAT_BOOT_H

#include <stdbool.h>

#include "vmfskit/error.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_FAT_BOOT_ROWS(F, T) \
	F(T, BYTES, jump, 0x00, 3, RAW, S, "EB xx 90 or E9 xx xx") \
	F(T, TEXT, oemName, 0x03, 8, TEXT, S, "whatever formatted it") \
	F(T, U16, bytesPerSector, 0x0B, 2, SIZE, S, "512, 1024, 2048 or 4096") \
	F(T, U8, sectorsPerCluster, 0x0D, 1, DEC, S, "a power of two") \
	F(T, U16, reservedSectors, 0x0E, 2, DEC, S, "in front of the first FAT, this one included") \
	F(T, U8, fats, 0x10, 1, DEC, S, "copies of the FAT, 2 in practice") \
	F(T, U16, rootEntries, 0x11, 2, DEC, S, "0 on FAT32") \
	F(T, U16, sectors16, 0x13, 2, DEC, S, "sectors of the file system; 0: see sectors32") \
	F(T, U8, media, 0x15, 1, HEX, S, "F8 on disks") \
	F(T, U16, fatSectors16, 0x16, 2, DEC, S, "sectors of one FAT; 0 on FAT32") \
	F(T, U16, sectorsPerTrack, 0x18, 2, DEC, S, "geometry") \
	F(T, U16, heads, 0x1A, 2, DEC, S, "geometry") \
	F(T, U32, hiddenSectors, 0x1C, 4, LBA, S, "first sector of the partition when it was formatted, or 0") \
	F(T, U32, sectors32, 0x20, 4, DEC, S, "sectors of the file system; 0: see sectors16") \
	F(T, BYTES, rest, 0x24, 54, RESERVED, S, "differs between FAT12, FAT16 and FAT32") \
	F(T, U16, signature, 0x1FE, 2, HEX, S, "0xAA55: bytes 55 AA")

enum { VK_FAT_BOOT_BYTES = 512 };
struct vk_fat_boot {
	VK_FAT_BOOT_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_fat_boot_layout;

VK_CODEC(vk_fat_boot, struct vk_fat_boot)
/*
 * Whether this is the boot sector of a FAT file system: every number possible, and FATs and root folder shorter than
 * the whole. seen_bytes is what decode returned. Says nothing: where none is, none is missing.
 */
bool vk_fat_boot_usable(const struct vk_fat_boot *boot, size_t seen_bytes);
/* Length of the file system; 0 when it does not say. */
uint64_t vk_fat_boot_bytes(const struct vk_fat_boot *boot);

__END_DECLS
#endif
