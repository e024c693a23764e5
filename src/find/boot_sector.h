/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sectors of file systems that libblkid passes over when the rest of the file system is not whole. */
#ifndef VK_FIND_BOOT_SECTOR_H
#define VK_FIND_BOOT_SECTOR_H

#include <stddef.h>
#include <stdint.h>

struct vk_boot_sector {
	const char *type;  /* the word for it in libblkid's manner */
	const char *name;  /* for sentences: "An NTFS boot sector" */
	const char *magic;
	size_t len;
	uint64_t at;       /* of the magic in the sector */
};

/* Which of them the sector is; NULL: none. */
const struct vk_boot_sector *vk_boot_sector_of(const uint8_t sector[512]);
/* The bytes of the file system as the sector says; 0: it does not. */
uint64_t vk_boot_sector_length(const uint8_t sector[512]);

#endif
