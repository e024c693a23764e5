/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sector of a FAT file system: layout and check. */
#include "disk/layout_table.h"
#include "vmfskit/fat_boot.h"

VK_LAYOUT_DEFINE(vk_fat_boot_layout, VK_FAT_BOOT_ROWS, struct vk_fat_boot, VK_FAT_BOOT_BYTES,
		 "FAT boot sector", "Boot sector of a FAT file system (ESXi's boot partition, boot banks, scratch)",
		 "Microsoft's FAT specification, 2000");

#define SIGNATURE 0xAA55
enum { FAT_ENTRY_BYTES = 32 };

static bool power_of_two(unsigned n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static uint64_t sectors_of(const struct vk_fat_boot *b)
{
	return b->sectors16 != 0 ? b->sectors16 : b->sectors32;
}

/* FAT32 keeps the length of a FAT in the first four bytes of the part that differs. */
static uint64_t fat_sectors(const struct vk_fat_boot *b)
{
	if (b->fatSectors16 != 0)
		return b->fatSectors16;
	return b->rest[0] | (uint64_t)b->rest[1] << 8 | (uint64_t)b->rest[2] << 16 |
	       (uint64_t)b->rest[3] << 24;
}

static bool parts_fit(const struct vk_fat_boot *b)
{
	uint64_t root = ((uint64_t)b->rootEntries * FAT_ENTRY_BYTES + b->bytesPerSector - 1) /
			b->bytesPerSector;
	uint64_t in_front = b->reservedSectors + b->fats * fat_sectors(b) + root;

	return fat_sectors(b) != 0 && in_front < sectors_of(b);
}

bool vk_fat_boot_usable(const struct vk_fat_boot *boot, size_t seen_bytes)
{
	if (seen_bytes < VK_FAT_BOOT_BYTES || boot->signature != SIGNATURE)
		return false;
	if (!(boot->jump[0] == 0xEB && boot->jump[2] == 0x90) && boot->jump[0] != 0xE9)
		return false;
	if (!power_of_two(boot->bytesPerSector) || boot->bytesPerSector < 512 ||
	    boot->bytesPerSector > 4096)
		return false;
	if (!power_of_two(boot->sectorsPerCluster) || boot->reservedSectors == 0)
		return false;
	if (boot->fats == 0 || boot->fats > 2)
		return false;
	if (boot->media != 0xF0 && boot->media < 0xF8)
		return false;
	return parts_fit(boot);
}

uint64_t vk_fat_boot_bytes(const struct vk_fat_boot *boot)
{
	return sectors_of(boot) * boot->bytesPerSector;
}
