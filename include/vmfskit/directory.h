/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders. On VMFS 3 and 5 the content of a folder is an array of entries. On VMFS6 it is a header with a hash table,
 * then blocks of mdAlignment bytes: maps of the blocks, blocks of entries, blocks of links (entries whose names share
 * a slot of the hash table). Offsets named "folder offset" count from the first byte of the folder's content.
 */
#ifndef VMFSKIT_DIRECTORY_H
#define VMFSKIT_DIRECTORY_H

#include <stdbool.h>

#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_DIR_ENTRY_ROWS(F, T) \
	F(T, U32, type, 0x00, 4, DEC, V, "that of the file descriptor") \
	F(T, U32, descAddr, 0x04, 4, HEX, V, "address of the file descriptor; 0: no entry") \
	F(T, U32, generation, 0x08, 4, DEC, V, "must be that of the file descriptor") \
	F(T, TEXT, name, 0x0C, 128, TEXT, V, "UTF-8, NUL padded")

enum { VK_DIR_ENTRY_BYTES = 140, VK_DIR_ENTRY_NAME = 0x0C };
/* An entry of VMFS 3 and 5; the first two are "." and "..". */
struct vk_dir_entry {
	VK_DIR_ENTRY_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_dir_entry_layout;

#define VK_DIR6_HEADER_ROWS(F, T) \
	F(T, U32, version, 0x000, 4, HEX, V, "0xf50001; 0xfdc001 of debug builds") \
	F(T, U32, numEntries, 0x004, 4, DEC, V, "entries in use, . and .. among them") \
	F(T, U32, numAllocated, 0x008, 4, DEC, V, "") \
	F(T, U32, numAllocationMapBlocks, 0x00C, 4, DEC, V, "") \
	F(T, BYTES, allocationMapBlocks, 0x010, 512, RAW, V, "block numbers of the allocation maps, 4 bytes each") \
	F(T, BYTES, unknown210, 0x210, 408, RESERVED, S, "meaning unknown") \
	F(T, U64, checksum, 0x3A8, 8, HEX, S, "zero on the volume seen") \
	F(T, U64, checksumGen, 0x3B0, 8, DEC, S, "zero on the volume seen") \
	F(T, BYTES, selfEntry, 0x3B8, 288, RAW, V, "entry of .") \
	F(T, BYTES, parentEntry, 0x4D8, 288, RAW, V, "entry of ..")

enum {
	VK_DIR6_HEADER_BYTES = 0x5F8,
	VK_DIR6_VERSION = 0xF50001, VK_DIR6_VERSION_DEBUG = 0xFDC001,
	VK_DIR6_MAPS_MAX = 128,            /* allocation maps that the header can name */
	VK_DIR6_SELF = 0x3B8, VK_DIR6_PARENT = 0x4D8,
	VK_DIR6_HASH = 0x5F8,              /* folder offset of the hash table: a location of 4 bytes in each slot */
	VK_DIR6_HASH_SLOTS = 16001,
	VK_DIR6_BLOCKS = 0x10000           /* folder offset of block 0 */
};
struct vk_dir6_header {
	VK_DIR6_HEADER_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_dir6_header_layout;

#define VK_DIR6_ENTRY_ROWS(F, T) \
	F(T, U32, type, 0x00, 4, DEC, V, "that of the file descriptor") \
	F(T, U32, address, 0x04, 4, HEX, V, "of the file descriptor") \
	F(T, U32, generation, 0x08, 4, DEC, V, "must be that of the file descriptor") \
	F(T, U32, hash, 0x0C, 4, HEX, V, "low half of the hash of the name; 0 of ., .. and the system files") \
	F(T, U64, offset, 0x10, 8, OFFSET, V, "folder offset of this entry itself") \
	F(T, TEXT, name, 0x18, 256, TEXT, V, "UTF-8, NUL padded; ESXi gives at most 127 bytes") \
	F(T, BYTES, unknown118, 0x118, 8, RESERVED, V, "zero on the volume seen")

enum { VK_DIR6_ENTRY_BYTES = 0x120, VK_DIR6_ENTRY_NAME = 0x18 };
struct vk_dir6_entry {
	VK_DIR6_ENTRY_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_dir6_entry_layout;

#define VK_DIR6_BLOCK_ROWS(F, T) \
	F(T, U16, version, 0x00, 2, DEC, V, "1 of entries, 0 of a map") \
	F(T, U16, type, 0x02, 2, DEC, V, "1 entries, 2 links, 3 allocation map") \
	F(T, U16, totalSlots, 0x04, 2, DEC, V, "0 of a map") \
	F(T, U16, freeSlots, 0x06, 2, DEC, V, "0 of a map") \
	F(T, BYTES, bitmap, 0x08, 56, RAW, V, "a bit for each slot, least significant first: 1 free")

enum {
	VK_DIR6_BLOCK_BYTES = 64,          /* of the header of a block; the slots follow */
	VK_DIR6_SLOTS_MAX = 56 * 8
};
/* Block type in a block's header, in a map (bits 0 and 1) and in a location. */
enum { VK_DIR6_NONE, VK_DIR6_ENTRIES, VK_DIR6_LINKS, VK_DIR6_MAP };
struct vk_dir6_block {
	VK_DIR6_BLOCK_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_dir6_block_layout;
static inline bool vk_dir6_slot_free(const struct vk_dir6_block *block, uint32_t slot)
{
	return ((unsigned)block->bitmap[slot / 8] >> slot % 8 & 1U) != 0;
}

#define VK_DIR6_LINK_GROUP_ROWS(F, T) \
	F(T, U16, hashIndex, 0x00, 2, HEX, X, "slot of the hash table that this chain belongs to") \
	F(T, U8, totalLinks, 0x02, 1, DEC, X, "12") \
	F(T, U8, freeLinks, 0x03, 1, DEC, X, "") \
	F(T, U8, nextFreeIdx, 0x04, 1, DEC, X, "") \
	F(T, BYTES, links, 0x06, 72, RAW, X, "12 links: a location of 4 bytes, bits 16 to 31 of the name's hash") \
	F(T, U32, nextGroup, 0x4E, 4, HEX, X, "location of the next group of this chain; 0: none")

enum { VK_DIR6_LINK_GROUP_BYTES = 84, VK_DIR6_GROUP_LINKS = 12, VK_DIR6_LINK_BYTES = 6 };
struct vk_dir6_link_group {
	VK_DIR6_LINK_GROUP_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_dir6_link_group_layout;

VK_CODEC(vk_dir_entry, struct vk_dir_entry)
VK_CODEC(vk_dir6_header, struct vk_dir6_header)
VK_CODEC(vk_dir6_entry, struct vk_dir6_entry)
VK_CODEC(vk_dir6_block, struct vk_dir6_block)
VK_CODEC(vk_dir6_link_group, struct vk_dir6_link_group)

/*
 * A location, as in the hash table and in links: bits 0 and 1 what lies there (VK_DIR6_NONE, VK_DIR6_ENTRIES or
 * VK_DIR6_LINKS), 2 to 23 the number of the block, 24 to 31 the slot in it. Real volumes confirm those of entries.
 */
struct vk_dir6_location {
	uint32_t type;
	uint32_t block;
	uint32_t slot;
};
struct vk_dir6_location vk_dir6_location_decode(uint32_t word);
/* Folder offset of it; type is VK_DIR6_ENTRIES or VK_DIR6_LINKS. */
uint64_t vk_dir6_location_offset(const struct vk_dir6_location *location, uint32_t md_alignment);
/* Slots of a block of that type: of entries 14 in 4096 bytes, of links 48. */
uint32_t vk_dir6_block_slots(uint32_t type, uint32_t md_alignment);

/*
 * An allocation map has 4 bits for each block, the high half of a byte first. Bits 0 and 1 are the block's type, bit 2
 * is set while it has free slots, bit 3 until it is written for the first time.
 */
enum { VK_DIR6_ITEM_TYPE = 3, VK_DIR6_ITEM_FREE_SLOTS = 4, VK_DIR6_ITEM_NOT_WRITTEN = 8 };
static inline uint32_t vk_dir6_map_items(uint32_t md_alignment)
{
	return 2 * (md_alignment - VK_DIR6_BLOCK_BYTES);
}
/* Item number index of a whole map block; index is below vk_dir6_map_items. */
static inline unsigned vk_dir6_map_item(const uint8_t *block, uint32_t index)
{
	return (unsigned)block[VK_DIR6_BLOCK_BYTES + index / 2] >> (index % 2 == 0 ? 4 : 0) & 0xFU;
}

/*
 * Where the hash table leads to a name. Hash: seven names and eight fixed slots of a real volume. In the root the
 * system files have slots of their own and hash 0. False: a name of more than 127 bytes, for which no rule is known.
 */
enum { VK_DIR6_NAME_MAX = 127 };
struct vk_dir6_key {
	uint32_t hash;       /* as in the entry */
	uint16_t link_hash;  /* as in a link */
	uint16_t slot;       /* of the hash table */
};
bool vk_dir6_key(const uint8_t *name, size_t len, bool root, struct vk_dir6_key *ret_key);
/* The hash of a name of at most VK_DIR6_NAME_MAX bytes. */
uint64_t vk_dir6_hash(const uint8_t *name, size_t len);

__END_DECLS
#endif
