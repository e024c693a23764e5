/* SPDX-License-Identifier: Apache-2.0 */
/* The root directory of a practice volume: the system files, in the form of VMFS 3 and 5 or of VMFS6. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/lab_files.h"

/* VMFS 3 and 5: an array of entries. */
enum { ENTRY_BYTES = 140, ENTRY_NAME = 12, FIRST_FILE = VK_SYSTEM_FBB };

/* VMFS6: a header with a hash table, then blocks of 4096 bytes, each with a header of its own. */
enum {
	DIR6_VERSION = 0xF50001,
	DIR6_SELF = 0x3B8, DIR6_PARENT = 0x4D8, DIR6_HASH = 0x5F8, DIR6_BLOCKS = 0x10000,
	DIR6_BLOCK_BYTES = 4096, DIR6_BYTES = DIR6_BLOCKS + 2 * DIR6_BLOCK_BYTES,
	BLOCK_PAYLOAD = 64, BLOCK_DIRENTS = 1, BLOCK_MAP = 3,
	MAP_FREE = 4, MAP_NOT_WRITTEN = 8,
	ENTRY6_BYTES = 288, ENTRY6_NAME = 0x18, ENTRY6_SLOTS = 14,
	HASH_FIRST_FILE = 0x3E66, /* .fbb.sf; the other system files follow in order */
	LOCATION_ENTRY = 1
};

/* The root itself has no entry, but "." and ".." have. */
uint64_t vk_lab_root_bytes(const struct vk_lab_files *files)
{
	return files->md_alignment != 0 ? DIR6_BYTES : (files->file_count + 1ULL) * ENTRY_BYTES;
}

static void put_entry(uint8_t *to, uint32_t type, uint32_t resource, const char *name)
{
	vk_put_le32(to, type);
	vk_put_le32(to + 4, vk_fd_address(0, resource));
	vk_put_le32(to + 8, 1); /* generation of all of them */
	memcpy(to + ENTRY_NAME, name, strlen(name));
}

static void fill_root(uint8_t *to, unsigned file_count)
{
	put_entry(to, VK_FILE_FOLDER, VK_SYSTEM_ROOT, ".");
	put_entry(to + ENTRY_BYTES, VK_FILE_FOLDER, VK_SYSTEM_ROOT, "..");
	for (unsigned i = FIRST_FILE; i < file_count; i++)
		put_entry(to + (size_t)(i + 1) * ENTRY_BYTES, VK_FILE_SYSTEM, i,
			  vk_system_file_name((enum vk_system_file)i));
}

static void put_entry6(uint8_t *dir, uint32_t offset, uint32_t type, uint32_t resource, uint16_t hash,
		       const char *name)
{
	uint8_t *to = dir + offset;

	vk_put_le32(to, type);
	vk_put_le32(to + 4, vk_fd_address(0, resource));
	vk_put_le32(to + 8, 1);
	vk_put_le16(to + 0x0C, hash);
	vk_put_le16(to + 0x0E, hash);
	vk_put_le64(to + 0x10, offset);
	memcpy(to + ENTRY6_NAME, name, strlen(name));
}

static void put_block_header(uint8_t *to, uint16_t type, uint16_t slots, uint16_t used)
{
	vk_put_le16(to, 1);
	vk_put_le16(to + 2, type);
	vk_put_le16(to + 4, slots);
	vk_put_le16(to + 6, (uint16_t)(slots - used));
	for (uint32_t i = used; i < slots && i < 56 * 8; i++)
		to[8 + i / 8] = (uint8_t)(to[8 + i / 8] | 1U << i % 8);
}

static void fill_root6(uint8_t *dir, unsigned file_count)
{
	uint8_t *map = dir + DIR6_BLOCKS;
	uint8_t *block = map + DIR6_BLOCK_BYTES;
	const unsigned files = file_count - FIRST_FILE;

	vk_put_le32(dir, DIR6_VERSION);
	vk_put_le32(dir + 4, files + 2);
	vk_put_le32(dir + 8, files);
	vk_put_le32(dir + 12, 1); /* one allocation map, in block 0 */
	put_entry6(dir, DIR6_SELF, VK_FILE_FOLDER, VK_SYSTEM_ROOT, 0, ".");
	put_entry6(dir, DIR6_PARENT, VK_FILE_FOLDER, VK_SYSTEM_ROOT, 0, "..");
	put_block_header(map, BLOCK_MAP, 0, 0);
	memset(map + BLOCK_PAYLOAD, (MAP_FREE | MAP_NOT_WRITTEN) * 0x11, DIR6_BLOCK_BYTES - BLOCK_PAYLOAD);
	map[BLOCK_PAYLOAD] = BLOCK_MAP << 4 | BLOCK_DIRENTS;
	put_block_header(block, BLOCK_DIRENTS, ENTRY6_SLOTS, (uint16_t)files);
	for (unsigned i = 0; i < files; i++) {
		uint16_t hash = (uint16_t)(HASH_FIRST_FILE + i);

		put_entry6(dir, DIR6_BLOCKS + DIR6_BLOCK_BYTES + BLOCK_PAYLOAD + i * ENTRY6_BYTES,
			   VK_FILE_SYSTEM, FIRST_FILE + i, hash,
			   vk_system_file_name((enum vk_system_file)(FIRST_FILE + i)));
		vk_put_le32(dir + DIR6_HASH + (size_t)hash * 4, LOCATION_ENTRY | 1U << 2 | i << 24);
	}
}

enum vk_status vk_lab_write_root(const struct vk_lab_files_at *at, struct vk_error *err)
{
	size_t len = (size_t)vk_lab_root_bytes(at->files);
	uint8_t *bytes = calloc(1, len);
	enum vk_status status;

	if (bytes == NULL)
		return vk_error_set(err, VK_NOMEM, NULL, "Memory ran out");
	if (at->files->md_alignment != 0)
		fill_root6(bytes, at->files->file_count);
	else
		fill_root(bytes, at->files->file_count);
	status = vk_lab_file_put(at, VK_SYSTEM_ROOT, 0, bytes, len, err);
	free(bytes);
	return status;
}
