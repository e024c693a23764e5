/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of a practice volume, in the form of VMFS 3 and 5 or of VMFS6: the root, and .sdd.sf. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/lab.h"

/* VMFS 3 and 5: an array of entries. */
enum { ENTRY_BYTES = VK_LAB_ENTRY_BYTES, ENTRY_NAME = 12, DOTS = 2, FIRST_FILE = VK_SYSTEM_FBB };

/* VMFS6: a header with a hash table, then blocks of 4096 bytes, each with a header of its own. */
enum {
	DIR6_VERSION = 0xF50001,
	DIR6_SELF = 0x3B8, DIR6_PARENT = 0x4D8, DIR6_HASH = 0x5F8, DIR6_BLOCKS = 0x10000,
	DIR6_BLOCK_BYTES = VK_LAB_FOLDER6_BLOCK_BYTES, DIR6_EMPTY_BYTES = VK_LAB_FOLDER6_BYTES,
	BLOCK_PAYLOAD = 64, BLOCK_DIRENTS = 1, BLOCK_MAP = 3,
	MAP_HAS_FREE = 4, MAP_NOT_WRITTEN = 8,
	ENTRY6_BYTES = 288, ENTRY6_NAME = 0x18, ENTRY6_SLOTS = 14,
	HASH_FIRST_FILE = 0x3E66, /* .fbb.sf; the other system files follow in order */
	LOCATION_ENTRY = 1
};

static void put_entry(uint8_t *to, uint32_t type, uint32_t resource, const char *name)
{
	vk_put_le32(to, type);
	vk_put_le32(to + 4, vk_fd_address(0, resource));
	vk_put_le32(to + 8, 1); /* generation of all of them */
	memcpy(to + ENTRY_NAME, name, strlen(name));
}

/* The names of system files have fixed places in the hash table, and no hash in the entry. */
static void put_entry6(uint8_t *dir, uint32_t offset, uint32_t type, uint32_t resource, const char *name)
{
	uint8_t *to = dir + offset;

	vk_put_le32(to, type);
	vk_put_le32(to + 4, vk_fd_address(0, resource));
	vk_put_le32(to + 8, 1);
	vk_put_le64(to + 0x10, offset);
	memcpy(to + ENTRY6_NAME, name, strlen(name));
}

static void put_block_header(uint8_t *to, uint16_t type, uint16_t slots, uint16_t used)
{
	vk_put_le16(to, type == BLOCK_MAP ? 0 : 1);
	vk_put_le16(to + 2, type);
	vk_put_le16(to + 4, slots);
	vk_put_le16(to + 6, (uint16_t)(slots - used));
	for (uint32_t i = used; i < slots && i < 56 * 8; i++)
		to[8 + i / 8] = (uint8_t)(to[8 + i / 8] | 1U << i % 8);
}

/* Header and allocation map of a folder of that many files, in one block or none. */
static void fill_head6(uint8_t *dir, enum vk_system_file self, uint32_t self_type, unsigned files)
{
	uint8_t *map = dir + DIR6_BLOCKS;

	vk_put_le32(dir, DIR6_VERSION);
	vk_put_le32(dir + 4, files + DOTS);
	vk_put_le32(dir + 8, files + DOTS);
	vk_put_le32(dir + 12, 1); /* one allocation map, in block 0 */
	put_entry6(dir, DIR6_SELF, self_type, self, ".");
	put_entry6(dir, DIR6_PARENT, VK_FILE_FOLDER, VK_SYSTEM_ROOT, "..");
	put_block_header(map, BLOCK_MAP, 0, 0);
	memset(map + BLOCK_PAYLOAD, MAP_NOT_WRITTEN * 0x11, DIR6_BLOCK_BYTES - BLOCK_PAYLOAD);
	map[BLOCK_PAYLOAD] = BLOCK_MAP << 4 | (files > 0 ? BLOCK_DIRENTS | MAP_HAS_FREE : MAP_NOT_WRITTEN);
}

/* The root names the other system files; .sdd.sf is empty. */
static void fill_folder6(uint8_t *dir, enum vk_system_file self, unsigned files)
{
	fill_head6(dir, self, self == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM, files);
	if (files > 0)
		put_block_header(dir + DIR6_EMPTY_BYTES, BLOCK_DIRENTS, ENTRY6_SLOTS, (uint16_t)files);
	for (unsigned i = 0; i < files; i++) {
		put_entry6(dir, DIR6_EMPTY_BYTES + BLOCK_PAYLOAD + i * ENTRY6_BYTES, VK_FILE_SYSTEM, FIRST_FILE + i,
			   vk_system_file_name((enum vk_system_file)(FIRST_FILE + i)));
		vk_put_le32(dir + DIR6_HASH + (size_t)(HASH_FIRST_FILE + i) * 4, LOCATION_ENTRY | 1U << 2 | i << 24);
	}
}

static void fill_folder(uint8_t *to, enum vk_system_file self, unsigned files)
{
	put_entry(to, self == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM, self, ".");
	put_entry(to + ENTRY_BYTES, VK_FILE_FOLDER, VK_SYSTEM_ROOT, "..");
	for (unsigned i = FIRST_FILE; i < FIRST_FILE + files; i++)
		put_entry(to + (size_t)(i + 1) * ENTRY_BYTES, VK_FILE_SYSTEM, i,
			  vk_system_file_name((enum vk_system_file)i));
}

void vk_lab_write_folders(const struct vk_lab_writing *w)
{
	static const enum vk_system_file folders[] = {VK_SYSTEM_ROOT, VK_SYSTEM_SDD};

	for (size_t i = 0; i < (w->files.file_count > VK_SYSTEM_SDD ? 2 : 1); i++) {
		size_t len = (size_t)w->files.of[folders[i]].length;
		unsigned files = folders[i] == VK_SYSTEM_ROOT ? w->files.file_count - FIRST_FILE : 0;
		uint8_t *bytes = vk_lab_alloc(w->disk, len);

		if (bytes == NULL)
			return;
		if (w->files.md_alignment != 0)
			fill_folder6(bytes, folders[i], files);
		else
			fill_folder(bytes, folders[i], files);
		vk_lab_file_put(w, folders[i], 0, bytes, len);
		free(bytes);
	}
}
