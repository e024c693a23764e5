/* SPDX-License-Identifier: Apache-2.0 */
/* The disk that the image of a real volume was cut from: its start is gone, and is made from its end. */
#ifndef VK_TESTS_REAL_DISK_H
#define VK_TESTS_REAL_DISK_H

#include "real_volumes.h"
#include "vmfskit/gpt.h"
#include "vmfskit/mbr.h"

/* The first copy of the table as its backup at the end of the disk has it, behind a protective MBR. */
static inline void write_primary(int fd, uint64_t size)
{
	struct vk_mbr mbr = {.signature = VK_MBR_SIGNATURE};
	struct vk_gpt_header h;
	uint8_t sector[512], array[128 * 128];

	assert_int_equal(pread(fd, sector, sizeof(sector), (off_t)(size - 512)), sizeof(sector));
	vk_gpt_header_decode(sector, sizeof(sector), &h);
	assert_int_equal(vk_gpt_entries_bytes(&h), sizeof(array));
	assert_int_equal(pread(fd, array, sizeof(array), (off_t)(h.entriesLBA * 512)), sizeof(array));
	h.alternateLBA = h.myLBA;
	h.myLBA = 1;
	h.entriesLBA = 2;
	memset(sector, 0, sizeof(sector));
	vk_gpt_header_encode(&h, sector, sizeof(sector));
	assert_true(vk_gpt_seal(sector, sizeof(sector), array));
	assert_int_equal(pwrite(fd, sector, sizeof(sector), 512), sizeof(sector));
	assert_int_equal(pwrite(fd, array, sizeof(array), 1024), sizeof(array));
	mbr.entries[0] = (struct vk_mbr_entry){.type = 0xee, .firstLBA = 1, .sectors = (uint32_t)(size / 512 - 1)};
	memset(sector, 0, sizeof(sector));
	vk_mbr_encode(&mbr, sector, sizeof(sector));
	assert_int_equal(pwrite(fd, sector, sizeof(sector), 0), sizeof(sector));
}

#endif
