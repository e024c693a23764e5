/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: layouts, and the hash of a name. */
#include <string.h>

#include "base/bytes.h"
#include "disk/layout_table.h"
#include "vmfskit/directory.h"

VK_LAYOUT_DEFINE(vk_dir_entry_layout, VK_DIR_ENTRY_ROWS, struct vk_dir_entry, VK_DIR_ENTRY_BYTES, "FS3_DirEntry",
		 "Entry of a folder, VMFS 3 and 5", "decoded from real VMFS 3 and 5 volumes");
VK_LAYOUT_DEFINE(vk_dir6_header_layout, VK_DIR6_HEADER_ROWS, struct vk_dir6_header, VK_DIR6_HEADER_BYTES,
		 "FS6_DirHeader", "Header of a folder, VMFS6; a hash table of 16001 locations follows it",
		 "decoded from a real VMFS6 volume");
VK_LAYOUT_DEFINE(vk_dir6_entry_layout, VK_DIR6_ENTRY_ROWS, struct vk_dir6_entry, VK_DIR6_ENTRY_BYTES, "FS6_DirEntry",
		 "Entry of a folder, VMFS6", "decoded from a real VMFS6 volume");
VK_LAYOUT_DEFINE(vk_dir6_block_layout, VK_DIR6_BLOCK_ROWS, struct vk_dir6_block, VK_DIR6_BLOCK_BYTES,
		 "FS6_DirBlockHeader", "Header of a block of a folder, VMFS6", "decoded from a real VMFS6 volume");
VK_LAYOUT_DEFINE(vk_dir6_link_group_layout, VK_DIR6_LINK_GROUP_ROWS, struct vk_dir6_link_group,
		 VK_DIR6_LINK_GROUP_BYTES, "FS6_DirLinkGroup",
		 "Links to entries whose names share a slot of the hash table, VMFS6", "readers of others");

enum {
	KEY_BYTES = 256, KEY_WORDS = KEY_BYTES / 8, SALTED_BYTES = 128,
	ROOT_SLOTS = 15973,   /* of the root's hash table for names without a slot of their own */
	FIRST_FIXED = 0x3E66
};
#define SALT 0x739A75C28E61B017ULL

struct vk_dir6_location vk_dir6_location_decode(uint32_t word)
{
	return (struct vk_dir6_location){word & 3, word >> 2 & 0x3FFFFF, word >> 24};
}

static uint32_t slot_bytes(uint32_t type)
{
	return type == VK_DIR6_ENTRIES ? VK_DIR6_ENTRY_BYTES : VK_DIR6_LINK_GROUP_BYTES;
}

uint64_t vk_dir6_location_offset(const struct vk_dir6_location *location, uint32_t md_alignment)
{
	return VK_DIR6_BLOCKS + (uint64_t)location->block * md_alignment + VK_DIR6_BLOCK_BYTES +
	       (uint64_t)location->slot * slot_bytes(location->type);
}

uint32_t vk_dir6_block_slots(uint32_t type, uint32_t md_alignment)
{
	uint32_t slots = (md_alignment - VK_DIR6_BLOCK_BYTES) / slot_bytes(type);

	return slots < VK_DIR6_SLOTS_MAX ? slots : VK_DIR6_SLOTS_MAX;
}

/* One step of the hash by Bob Jenkins for keys of 64-bit words ("lookup8"). */
static void mix(uint64_t s[3])
{
	static const int8_t shifts[12] = {-43, 9, -8, -38, 23, -5, -35, 49, -11, -12, 18, -22}; /* below 0: right */

	for (unsigned i = 0; i < 12; i++) {
		uint64_t *x = &s[i % 3], last = s[(i + 2) % 3];

		*x -= s[(i + 1) % 3];
		*x -= last;
		*x ^= shifts[i] < 0 ? last >> -shifts[i] : last << shifts[i];
	}
}

uint64_t vk_dir6_hash(const uint8_t *name, size_t len)
{
	uint64_t s[3] = {42, 42, 0x9E3779B97F4A7C13ULL};
	uint8_t key[KEY_BYTES] = {0};

	if (len > VK_DIR6_NAME_MAX)
		len = VK_DIR6_NAME_MAX;
	memcpy(key, name, len);
	for (size_t at = (len / 8 + 1) * 8; at < SALTED_BYTES; at += 8)
		vk_put_le64(key + at, SALT);
	for (size_t i = 0; i + 3 <= KEY_WORDS; i += 3) {
		for (size_t k = 0; k < 3; k++)
			s[k] += vk_get_le64(key + (i + k) * 8);
		mix(s);
	}
	/* two words are left, and the third of them is the length in words */
	s[2] += KEY_WORDS;
	s[0] += vk_get_le64(key + (KEY_WORDS - 2) * 8UL);
	s[1] += vk_get_le64(key + (KEY_WORDS - 1) * 8UL);
	mix(s);
	return s[2];
}

bool vk_dir6_key(const uint8_t *name, size_t len, bool root, struct vk_dir6_key *ret_key)
{
	static const char fixed[][10] = {".fbb.sf", ".fdc.sf", ".pbc.sf", ".sbc.sf",   ".vh.sf",
					 ".pb2.sf", ".sdd.sf", ".jbc.sf", ".unmap.sf", ".dfd.sf"};
	uint64_t h;

	if (len > VK_DIR6_NAME_MAX)
		return false;
	for (size_t i = 0; root && i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (len != strlen(fixed[i]) || memcmp(name, fixed[i], len) != 0)
			continue;
		*ret_key = (struct vk_dir6_key){0, 0, (uint16_t)(FIRST_FIXED + i)};
		return true;
	}
	h = vk_dir6_hash(name, len);
	*ret_key = (struct vk_dir6_key){(uint32_t)h, (uint16_t)(h >> 16),
					(uint16_t)(h % (root ? ROOT_SLOTS : VK_DIR6_HASH_SLOTS))};
	return true;
}
