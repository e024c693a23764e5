/* SPDX-License-Identifier: Apache-2.0 */
/* An empty FAT16 in a partition of an ESXi boot disk: boot sector and the first entries of both FATs. */
#include <string.h>

#include "base/bytes.h"
#include "lab/disk/practice.h"
#include "vmfskit/fat_boot.h"

enum {
	SECTOR = 512,
	FATS = 2,
	ROOT_ENTRIES = 512,
	ROOT_SECTORS = ROOT_ENTRIES * 32 / SECTOR,
	ENTRIES_PER_SECTOR = SECTOR / 2,
	CLUSTERS_MAX = 65524, /* more would be FAT32 */
	SIGNATURE = 0xAA55
};

/* The smallest clusters that FAT16 can count; more than 64 KiB does not exist. */
static bool choose_clusters(uint64_t sectors, struct vk_fat_boot *boot)
{
	for (unsigned cluster = 1; cluster <= 128; cluster *= 2) {
		uint64_t clusters = sectors / cluster;
		uint64_t fat = (clusters + 2 + ENTRIES_PER_SECTOR - 1) / ENTRIES_PER_SECTOR;
		uint64_t in_front = 1 + FATS * fat + ROOT_SECTORS;

		if (sectors <= in_front || (sectors - in_front) / cluster > CLUSTERS_MAX)
			continue;
		boot->sectorsPerCluster = (uint8_t)cluster;
		boot->fatSectors16 = (uint16_t)fat;
		return true;
	}
	return false;
}

enum vk_status vk_lab_write_fat(struct vk_lab_disk *disk, const struct vk_lab_plan *plan,
				const struct vk_lab_partition *p)
{
	static const uint8_t first_entries[4] = {0xF8, 0xFF, 0xFF, 0xFF};
	const char *name = p->gpt_name != NULL && p->gpt_name[0] != '\0' ? p->gpt_name : "NO NAME";
	uint64_t base = p->start_sector * SECTOR;
	struct vk_fat_boot boot = {
		.jump = {0xEB, 0x3C, 0x90},
		.bytesPerSector = SECTOR,
		.reservedSectors = 1,
		.fats = FATS,
		.rootEntries = ROOT_ENTRIES,
		.media = 0xF8,
		.sectorsPerTrack = 63,
		.heads = 255,
		.hiddenSectors = (uint32_t)p->start_sector,
		.signature = SIGNATURE,
	};
	uint8_t sector[VK_FAT_BOOT_BYTES] = {0};

	memcpy(boot.oemName, "VMFSLAB ", sizeof(boot.oemName));
	if (p->sectors > UINT16_MAX)
		boot.sectors32 = (uint32_t)p->sectors;
	else
		boot.sectors16 = (uint16_t)p->sectors;
	if (p->sectors > UINT32_MAX || !choose_clusters(p->sectors, &boot))
		return vk_lab_fail(disk, vk_error_set(disk->err, VK_USAGE, disk->path, "no FAT16 has %llu sectors",
						      (unsigned long long)p->sectors));
	/* drive number, mark of the three fields that follow, number of the volume, label, type */
	boot.rest[0] = 0x80;
	boot.rest[2] = 0x29;
	vk_put_le32(boot.rest + 3, (uint32_t)vk_lab_random(plan->seed, "FAT volume", p->number));
	memset(boot.rest + 7, ' ', 19);
	memcpy(boot.rest + 7, name, strnlen(name, 11));
	memcpy(boot.rest + 18, "FAT16", 5);
	vk_fat_boot_encode(&boot, sector, sizeof(sector));
	vk_lab_put(disk, base, sector, sizeof(sector));
	for (unsigned i = 0; i < FATS; i++)
		vk_lab_put(disk, base + SECTOR * (1 + (uint64_t)i * boot.fatSectors16), first_entries,
			   sizeof(first_entries));
	return disk->failed;
}
