/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a folder of VMFS6: blocks of entries, which maps name, and a hash table that must lead to each. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "fs/folder.h"
#include "vmfskit/bundle.h"

/* The work on one folder. */
struct list6 {
	struct vk_dir *f;
	struct vk_dir_visit *visit;
	struct vk_dir table;         /* the same folder, for the hash table and the links */
	struct vk_dir links;
	uint8_t *map;                   /* an allocation map */
	bool has_table;
	bool has_map;                   /* for the blocks that are taken */
	uint32_t alignment;
	uint64_t in_use;                /* entries */
	bool stopped;
	uint8_t hit[VK_DIR6_HASH_SLOTS / 8 + 1]; /* slots of the hash table that entries have */
};

static bool is_there(void *ctx, uint64_t offset)
{
	return offset == *(uint64_t *)ctx;
}

/* The hash of an entry is that of its name, and the hash table leads to it. */
static void check_hash(struct list6 *l, const struct vk_dir6_entry *raw, uint64_t at)
{
	const uint8_t *name = raw->name;
	struct vk_dir6_key key;

	if (!l->has_table || !vk_dir6_key(name, strnlen((const char *)name, sizeof(raw->name)),
					  l->f->file->address == vk_fd_address(0, VK_SYSTEM_ROOT), &key))
		return;
	l->hit[key.slot / 8] = (uint8_t)(l->hit[key.slot / 8] | 1U << key.slot % 8);
	if (raw->hash != key.hash)
		vk_dir_say(l->f, VK_F_FOLDER_ENTRY, at, VK_DIR6_ENTRY_BYTES,
			      vk_phrase("0x%08x", raw->hash).text, vk_phrase("0x%08x", key.hash).text,
			      "the hash of an entry is not that of its name");
	else if (!vk_dir6_candidates(&l->table, &l->links, &key, is_there, &at))
		vk_dir_say(l->f, VK_F_FOLDER_HASH, at, VK_DIR6_ENTRY_BYTES, NULL, NULL,
			      "the hash table does not lead to an entry");
}

/* in_use: what the block says of this slot; sound: whether the block itself can be believed. */
static void take_slot(struct list6 *l, const uint8_t *bytes, uint64_t at, bool in_use, bool sound)
{
	struct vk_fs_entry entry = {.file_offset = at};
	struct vk_dir6_entry raw;
	bool good;

	vk_dir6_entry_decode(bytes, VK_DIR6_ENTRY_BYTES, &raw);
	entry.type = raw.type;
	entry.address = raw.address;
	entry.generation = raw.generation;
	good = vk_dir_entry_sound(raw.type, raw.address);
	/* in a block that is damaged an entry is believed that names its own place */
	entry.deleted = sound ? !in_use : false;
	if ((entry.deleted && (!l->visit->deleted || !good)) || (!sound && (!good || raw.offset != at)))
		return;
	if (!entry.deleted) {
		l->in_use++;
		if (!good || raw.offset != at)
			vk_dir_say(l->f, VK_F_FOLDER_ENTRY, at, VK_DIR6_ENTRY_BYTES,
				      vk_phrase("type %u, descriptor 0x%08x, offset 0x%" PRIx64, raw.type, raw.address,
						raw.offset).text,
				      vk_phrase("offset 0x%" PRIx64, at).text,
				      "an entry cannot be one, or does not name its own place");
	}
	if (!vk_dir_name(l->f, raw.name, sizeof(raw.name), &entry))
		return;
	if (!entry.deleted)
		check_hash(l, &raw, at);
	l->stopped = !vk_dir_give(l->visit, &entry);
}

static unsigned count_free(const struct vk_dir6_block *block, uint32_t slots)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < slots; i++)
		count += vk_dir6_slot_free(block, i);
	return count;
}

/* mapped: a map says that it holds entries; else it must say so itself. */
static void take_block(struct list6 *l, const uint8_t *bytes, uint64_t at, bool mapped)
{
	uint32_t slots = vk_dir6_block_slots(VK_DIR6_ENTRIES, l->alignment);
	struct vk_dir6_block block;
	unsigned free_slots;
	bool sound;

	vk_dir6_block_decode(bytes, VK_DIR6_BLOCK_BYTES, &block);
	sound = block.version == 1 && block.type == VK_DIR6_ENTRIES && block.totalSlots == slots;
	if (!sound && !mapped)
		return;
	if (!sound)
		vk_dir_say(l->f, VK_F_FOLDER_BLOCK, at, VK_DIR6_BLOCK_BYTES,
			   vk_phrase("version %u, type %u, %u slots", block.version, block.type,
				     block.totalSlots).text,
			   vk_phrase("version 1, type 1, %u slots", slots).text,
			   "a block is no block of entries: of what lies in it only entries that name their own place "
			   "are given");
	else if (!mapped && l->has_map)
		vk_dir_say(l->f, VK_F_FOLDER_BLOCK, at, VK_DIR6_BLOCK_BYTES, NULL, NULL,
			   "a block of entries is none by the allocation map: its entries are given");
	free_slots = count_free(&block, slots);
	if (sound && free_slots != block.freeSlots)
		vk_dir_say(l->f, VK_F_FOLDER_BLOCK, at, VK_DIR6_BLOCK_BYTES, vk_phrase("%u", block.freeSlots).text,
			   vk_phrase("%u", free_slots).text,
			   "the number of free slots of a block is not that of its bitmap");
	for (uint32_t i = 0; i < slots && !l->stopped && *l->f->slots_left > 0; i++, --*l->f->slots_left) {
		size_t place = VK_DIR6_BLOCK_BYTES + (size_t)i * VK_DIR6_ENTRY_BYTES;

		take_slot(l, bytes + place, at + place, !vk_dir6_slot_free(&block, i), sound);
	}
}

/* The map of blocks from `first` on; NULL: it is not there or is no map, which is said unless it was before. */
static const uint8_t *read_map(struct list6 *l, uint32_t block, uint64_t first, bool before)
{
	uint64_t at = VK_DIR6_BLOCKS + (uint64_t)block * l->alignment, next;
	const uint8_t *bytes = vk_dir_bytes(&l->links, at, l->alignment, &next);
	struct vk_dir6_block header;

	if (bytes == NULL)
		return NULL;
	vk_dir6_block_decode(bytes, VK_DIR6_BLOCK_BYTES, &header);
	if (header.type == VK_DIR6_MAP)
		return memcpy(l->map, bytes, l->alignment);
	if (before)
		return NULL;
	vk_dir_say(l->f, VK_F_FOLDER_BLOCK, at, VK_DIR6_BLOCK_BYTES, vk_phrase("type %u", header.type).text,
		      "type 3",
		      "block %u should be the allocation map from block %" PRIu64 " on: blocks are taken by what they "
		      "say themselves", block, first);
	return NULL;
}

static bool names_entries(unsigned item)
{
	return (item & VK_DIR6_ITEM_TYPE) == VK_DIR6_ENTRIES && (item & VK_DIR6_ITEM_NOT_WRITTEN) == 0;
}

/*
 * Blocks from first on: with a map those that it calls blocks of entries; in a search those that it does not, and
 * without a map all up to the folder's end, by what they say themselves.
 */
static void take_blocks(struct list6 *l, const uint8_t *map, uint64_t first, uint64_t count, bool search)
{
	uint64_t length = l->f->whole.meta.fileLength, next;
	uint64_t blocks = length > VK_DIR6_BLOCKS ? (length - VK_DIR6_BLOCKS) / l->alignment : 0;
	bool mapped = map != NULL && !search;

	l->has_map = map != NULL;
	if (!mapped)
		count = first < blocks ? vk_min_u64(count, blocks - first) : 0;
	for (uint64_t i = 0; i < count && !l->stopped && *l->f->slots_left > 0; i++) {
		uint64_t at = VK_DIR6_BLOCKS + (first + i) * l->alignment;
		const uint8_t *bytes;

		if (map != NULL && names_entries(vk_dir6_map_item(map, (uint32_t)i)) == search)
			continue;
		if (first + i >= blocks) {
			vk_dir_say(l->f, VK_F_FOLDER_BLOCK, at, 0, NULL, NULL,
				   "the allocation map names block %" PRIu64 ", which lies behind the folder's end",
				   first + i);
			return;
		}
		bytes = vk_dir_bytes(l->f, at, l->alignment, &next);
		if (bytes != NULL) {
			take_block(l, bytes, at, mapped);
			*l->f->slots_left -= mapped ? 0 : 1;
			continue;
		}
		if (search)
			return;
		vk_dir_gap(l->f, at, at + l->alignment);
		/* what no map describes is passed over as a whole */
		if (map == NULL && next > at + l->alignment) {
			vk_dir_gap(l->f, at + l->alignment, next);
			i = vk_min_u64(count, (next - VK_DIR6_BLOCKS) / l->alignment - first) - 1;
		}
	}
}

/* "." or ".." of the header. */
static void take_dot(struct list6 *l, const uint8_t *raw_entry, uint64_t at, const char *name)
{
	struct vk_fs_entry entry = {.file_offset = at};
	struct vk_dir6_entry raw;
	bool self = strcmp(name, ".") == 0;

	vk_dir6_entry_decode(raw_entry, VK_DIR6_ENTRY_BYTES, &raw);
	if (raw.address == 0 || l->stopped)
		return;
	l->in_use++;
	entry.type = raw.type;
	entry.address = raw.address;
	entry.generation = raw.generation;
	memcpy(entry.name, name, strlen(name));
	if (!vk_dir_entry_sound(raw.type, raw.address) || strncmp((const char *)raw.name, name, 4) != 0 ||
	    (self && (raw.address != l->f->file->address || raw.generation != l->f->file->meta.generation)))
		vk_dir_say(l->f, VK_F_FOLDER_ENTRY, at, VK_DIR6_ENTRY_BYTES,
			      vk_phrase("type %u, descriptor 0x%08x", raw.type, raw.address).text, NULL,
			      "the entry of \"%s\" in the header of a folder is wrong", name);
	l->stopped = !vk_dir_give(l->visit, &entry);
}

/* All blocks of entries. search: those that no map calls so. */
static void take_maps(struct list6 *l, const struct vk_dir6_header *header, uint32_t maps, bool search)
{
	uint64_t per_map = vk_dir6_map_items(l->alignment);

	for (uint32_t k = 0; k < maps && !l->stopped; k++) {
		uint32_t block = vk_get_le32(header->allocationMapBlocks + 4 * (size_t)k);
		const uint8_t *map = read_map(l, block, k * per_map, search);

		/* without the map all of them were taken before */
		if (map != NULL || !search)
			take_blocks(l, map, k * per_map, per_map, search);
	}
}

/* Whether an entry whose name has that slot lies there, or did before it was wiped. A damaged name was said there. */
static bool has_slot(struct list6 *l, uint64_t at, uint32_t slot)
{
	uint64_t next;
	const uint8_t *bytes = vk_dir_bytes(&l->links, at, VK_DIR6_ENTRY_BYTES, &next);
	struct vk_dir6_entry raw;
	struct vk_dir6_key key;

	if (bytes == NULL || vk_all_zero(bytes, VK_DIR6_ENTRY_BYTES))
		return true;
	vk_dir6_entry_decode(bytes, VK_DIR6_ENTRY_BYTES, &raw);
	return !vk_dir6_key(raw.name, strnlen((const char *)raw.name, sizeof(raw.name)),
			    l->f->file->address == vk_fd_address(0, VK_SYSTEM_ROOT), &key) ||
	       key.slot == slot || key.hash != raw.hash;
}

/* Whether what a slot of the hash table leads to can lie there. */
static bool location_sound(struct list6 *l, uint32_t slot, uint32_t word)
{
	struct vk_dir6_location to = vk_dir6_location_decode(word);
	bool entry = to.type == VK_DIR6_ENTRIES;
	uint64_t size = entry ? VK_DIR6_ENTRY_BYTES : VK_DIR6_LINK_GROUP_BYTES, at;

	if ((!entry && to.type != VK_DIR6_LINKS) || to.slot >= vk_dir6_block_slots(to.type, l->alignment))
		return false;
	at = vk_dir6_location_offset(&to, l->alignment);
	return at + size <= l->f->whole.meta.fileLength && (!entry || has_slot(l, at, slot));
}

/* Slots that no entry has are empty, or lead to what is left of a deleted one. */
static void check_table(struct list6 *l)
{
	uint64_t next;
	const uint8_t *table = vk_dir_bytes(&l->table, 0, VK_DIR6_BLOCKS, &next);

	for (uint32_t i = 0; table != NULL && i < VK_DIR6_HASH_SLOTS; i++) {
		uint32_t at = VK_DIR6_HASH + 4 * i, word = vk_get_le32(table + at);

		if (word != 0 && (l->hit[i / 8] >> i % 8 & 1) == 0 && !location_sound(l, i, word))
			vk_dir_say(l->f, VK_F_FOLDER_HASH, at, 4, vk_phrase("0x%08x", word).text, NULL,
				   "slot %u of the hash table leads to no entry of its own", i);
	}
}

static void take_header(struct list6 *l, const struct vk_dir6_header *header)
{
	uint32_t maps = header->numAllocationMapBlocks;
	bool complete;

	if ((header->version != VK_DIR6_VERSION && header->version != VK_DIR6_VERSION_DEBUG) || maps == 0 ||
	    maps > VK_DIR6_MAPS_MAX) {
		l->f->fs->info.zero_metadata |= header->version == 0 && maps == 0;
		vk_dir_say(l->f, VK_F_FOLDER_BLOCK, 0, VK_DIR6_HEADER_BYTES,
			   vk_phrase("version 0x%x, %u maps", header->version, maps).text, "version 0xf50001",
			   "the header of a folder is damaged: blocks are taken by what they say themselves");
		maps = 0;
		take_blocks(l, NULL, 0, UINT64_MAX, false);
	}
	take_maps(l, header, maps, false);
	complete = !l->stopped && l->f->missing_bytes == 0 && *l->f->slots_left > 0;
	if (complete && l->has_table)
		check_table(l);
	if (!complete || l->in_use == header->numEntries)
		return;
	vk_dir_say(l->f, VK_F_FOLDER_COUNT, 0, VK_DIR6_HEADER_BYTES, vk_phrase("%" PRIu64, l->in_use).text,
		   vk_phrase("%u", header->numEntries).text,
		   "a folder has another number of entries than its header says");
	/* a map that is damaged may hide entries */
	if (l->in_use < header->numEntries)
		take_maps(l, header, maps, true);
}

static bool is_redacted(const struct vk_fs *fs)
{
	bool redacted = false;

	return vk_io_bundle_facts(fs->extents[0].io, &redacted) != NULL && redacted;
}

enum vk_status vk_dir6_list(struct vk_dir *f, struct vk_dir_visit *visit, struct vk_error *err)
{
	struct list6 l = {.f = f, .visit = visit, .alignment = f->fs->info.md_alignment};
	struct vk_dir6_header *header = NULL;
	enum vk_status st, opened;
	const uint8_t *bytes;
	uint64_t next;

	st = vk_dir_open(&l.table, f->fs, f->file, NULL, VK_DIR6_BLOCKS, err);
	opened = vk_dir_open(&l.links, f->fs, f->file, NULL, l.alignment, err);
	header = malloc(sizeof(*header));
	l.map = malloc(l.alignment);
	if (st == VK_OK)
		st = opened;
	if (st == VK_OK && (header == NULL || l.map == NULL))
		st = vk_no_memory(err, NULL);
	if (st == VK_OK) {
		bytes = vk_dir_bytes(&l.table, 0, VK_DIR6_HEADER_BYTES, &next);
		if (bytes != NULL) {
			vk_dir6_header_decode(bytes, VK_DIR6_HEADER_BYTES, header);
			/*
			 * what the hash table says is only looked at when somebody wants to know; where names were left
			 * out it was, too
			 */
			l.has_table = f->sink != NULL && !is_redacted(f->fs) &&
				      vk_dir_bytes(&l.table, 0, VK_DIR6_BLOCKS, &next) != NULL;
			take_dot(&l, header->selfEntry, VK_DIR6_SELF, ".");
			take_dot(&l, header->parentEntry, VK_DIR6_PARENT, "..");
			take_header(&l, header);
		} else {
			vk_dir_gap(f, 0, vk_min_u64(next, VK_DIR6_BLOCKS));
			take_blocks(&l, NULL, 0, UINT64_MAX, false);
		}
	}
	free(header);
	free(l.map);
	vk_dir_close(&l.links);
	vk_dir_close(&l.table);
	return st;
}
