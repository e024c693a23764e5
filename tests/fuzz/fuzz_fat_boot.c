/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sector of a FAT file system, whole or cut. */
#include "fuzz.h"
#include "vmfskit/fat_boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_fat_boot boot;
	size_t seen = fuzz_layout(&vk_fat_boot_layout, data, size, &boot);

	if (!vk_fat_boot_usable(&boot, seen))
		return 0;
	FUZZ_ASSERT(seen == VK_FAT_BOOT_BYTES);
	FUZZ_ASSERT(vk_fat_boot_bytes(&boot) > boot.bytesPerSector);
	FUZZ_ASSERT(vk_fat_boot_bytes(&boot) % boot.bytesPerSector == 0);
	return 0;
}
