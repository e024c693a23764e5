/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sectors of NTFS, exFAT and BitLocker; offsets as Microsoft's exFAT specification and public NTFS references give them. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "find/boot_sector.h"

static const struct vk_boot_sector boot_sectors[] = {
	{"ntfs", "An NTFS boot sector", "NTFS    ", 8, 3},
	{"exfat", "An exFAT boot sector", "EXFAT   ", 8, 3},
	{"BitLocker", "A BitLocker boot sector", "-FVE-FS-", 8, 3},
};

const struct vk_boot_sector *vk_boot_sector_of(const uint8_t sector[512])
{
	if (sector[510] != 0x55 || sector[511] != 0xaa)
		return NULL;
	for (size_t i = 0; i < sizeof(boot_sectors) / sizeof(boot_sectors[0]); i++)
		if (memcmp(sector + boot_sectors[i].at, boot_sectors[i].magic, boot_sectors[i].len) == 0)
			return &boot_sectors[i];
	return NULL;
}

uint64_t vk_boot_sector_length(const uint8_t sector[512])
{
	const struct vk_boot_sector *boot = vk_boot_sector_of(sector);

	if (boot == NULL)
		return 0;
	if (strcmp(boot->type, "exfat") == 0)
		return sector[0x6c] < 9 || sector[0x6c] > 12 ? 0 :
			vk_mul_sat(vk_get_le64(sector + 0x48), 1ULL << sector[0x6c]);
	/* NTFS and BitLocker: the backup of the boot sector lies behind the sectors counted */
	if (vk_get_le64(sector + 0x28) == 0)
		return 0;
	return vk_mul_sat(vk_add_sat(vk_get_le64(sector + 0x28), 1), (uint64_t)sector[0x0b] | (uint64_t)sector[0x0c] << 8);
}
