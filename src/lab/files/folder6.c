/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of VMFS6: a hash table, a map of blocks, blocks of entries, blocks of links where names share a slot. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "lab/files/fill.h"

enum { BLOCK = VK_LAB_FOLDER6_BLOCK_BYTES, SLOTS_ENTRIES = 14, SLOTS_LINKS = 48,
       MAP_ITEMS = 2 * (BLOCK - VK_DIR6_BLOCK_BYTES),
       TABLE = 16001, TABLE_ROOT = 15973, KEY_BYTES = 256, KEY_WORDS = KEY_BYTES / 8, SALTED_BYTES = 128 };

static void mix_step(uint64_t *x, uint64_t y, uint64_t z, int shift)
{
	uint64_t moved = shift > 0 ? z >> shift : z << -shift;

	*x = (*x - y - z) ^ moved;
}

/* Twelve steps: negative shifts are to the left. */
static void mix_words(uint64_t w[3])
{
	static const int shifts[12] = {43, -9, 8, 38, -23, 5, 35, -49, 11, 12, -18, 22};

	/* a -= b, c with c moved; b -= c, a with a moved; c -= a, b with b moved; and so on */
	for (unsigned i = 0; i < 12; i++)
		mix_step(&w[i % 3], w[(i + 1) % 3], w[(i + 2) % 3], shifts[i]);
}

uint64_t vk_lab_name_hash(const char *name, size_t len)
{
	static const uint8_t salt[8] = {0x17, 0xB0, 0x61, 0x8E, 0xC2, 0x75, 0x9A, 0x73};
	uint8_t key[KEY_BYTES] = {0};
	uint64_t w[3] = {42, 42, 0x9E3779B97F4A7C13ULL};

	memcpy(key, name, len);
	for (size_t p = (len / 8 + 1) * 8; p < SALTED_BYTES; p++)
		key[p] = salt[p % 8];
	for (unsigned k = 0; k + 2 < KEY_WORDS; k += 3) {
		for (unsigned i = 0; i < 3; i++)
			w[i] += vk_get_le64(key + (k + i) * 8);
		mix_words(w);
	}
	w[2] += KEY_WORDS;
	w[0] += vk_get_le64(key + (KEY_WORDS - 2) * 8);
	w[1] += vk_get_le64(key + (KEY_WORDS - 1) * 8);
	mix_words(w);
	return w[2];
}

/* A folder in the making. */
struct making {
	struct vk_lab_fill *f;
	const struct vk_lab_node *n;
	uint8_t *bytes;
	size_t len;
	uint32_t open[4]; /* by type: the block that has room; 0: none (block 0 is the map) */
};

static uint8_t *block_at(const struct making *m, uint32_t block)
{
	return m->bytes + VK_DIR6_BLOCKS + (size_t)block * BLOCK;
}

static size_t slot_offset(uint32_t type, uint32_t block, uint32_t slot)
{
	uint32_t each = type == VK_DIR6_ENTRIES ? VK_DIR6_ENTRY_BYTES : VK_DIR6_LINK_GROUP_BYTES;

	return VK_DIR6_BLOCKS + (size_t)block * BLOCK + VK_DIR6_BLOCK_BYTES + (size_t)slot * each;
}

static uint32_t location(uint32_t type, uint32_t block, uint32_t slot)
{
	return type | block << 2 | slot << 24;
}

static size_t offset_of(uint32_t where)
{
	return slot_offset(where & 3, where >> 2 & 0x3FFFFF, where >> 24);
}

static uint8_t *hash_slot(const struct making *m, uint64_t hash)
{
	uint64_t index = hash % (m->n->item == NULL ? TABLE_ROOT : TABLE);

	return m->bytes + VK_DIR6_HASH + index * 4;
}

/* Four bits for each block, the high half of a byte first. */
static void set_item(const struct making *m, uint32_t block, unsigned item)
{
	uint8_t *to = block_at(m, 0) + VK_DIR6_BLOCK_BYTES + block / 2;

	*to = (uint8_t)(block % 2 == 0 ? (*to & 0x0F) | item << 4 : (*to & 0xF0) | item);
}

static unsigned item_of(const struct making *m, uint32_t block)
{
	return block_at(m, 0)[VK_DIR6_BLOCK_BYTES + block / 2] >> (block % 2 == 0 ? 4 : 0) & 0xF;
}

static enum vk_status add_block(struct making *m, uint32_t type)
{
	struct vk_dir6_block b = {.version = 1, .type = (uint16_t)type};
	uint32_t number = (uint32_t)((m->len - VK_DIR6_BLOCKS) / BLOCK);
	uint8_t *bytes;

	if (number >= MAP_ITEMS)
		return vk_error_set(m->f->err, VK_USAGE, m->n->item == NULL ? "/" : m->n->item->path,
				    "more entries than one allocation map covers are not made");
	bytes = realloc(m->bytes, m->len + BLOCK);
	if (bytes == NULL)
		return vk_no_memory(m->f->err, NULL);
	m->bytes = bytes;
	memset(m->bytes + m->len, 0, BLOCK);
	m->len += BLOCK;
	b.totalSlots = type == VK_DIR6_ENTRIES ? SLOTS_ENTRIES : SLOTS_LINKS;
	b.freeSlots = b.totalSlots;
	for (uint32_t i = 0; i < b.totalSlots; i++)
		b.bitmap[i / 8] = (uint8_t)(b.bitmap[i / 8] | 1U << i % 8);
	vk_dir6_block_encode(&b, block_at(m, number), VK_DIR6_BLOCK_BYTES);
	set_item(m, number, type | VK_DIR6_ITEM_FREE_SLOTS);
	m->open[type] = number;
	return VK_OK;
}

/* A slot is taken or given back. */
static void change_slot(struct making *m, uint32_t type, uint32_t block, uint32_t slot, bool taken)
{
	struct vk_dir6_block b;

	vk_dir6_block_decode(block_at(m, block), VK_DIR6_BLOCK_BYTES, &b);
	b.bitmap[slot / 8] = (uint8_t)(b.bitmap[slot / 8] ^ 1U << slot % 8);
	b.freeSlots = (uint16_t)(taken ? b.freeSlots - 1 : b.freeSlots + 1);
	vk_dir6_block_encode(&b, block_at(m, block), VK_DIR6_BLOCK_BYTES);
	set_item(m, block, type | (b.freeSlots > 0 ? VK_DIR6_ITEM_FREE_SLOTS : 0U));
	if (b.freeSlots == 0)
		m->open[type] = 0;
}

static enum vk_status take_slot(struct making *m, uint32_t type, uint32_t *ret_location)
{
	enum vk_status status = m->open[type] == 0 ? add_block(m, type) : VK_OK;
	struct vk_dir6_block b;
	uint32_t slot = 0, block = m->open[type];

	if (status != VK_OK)
		return status;
	vk_dir6_block_decode(block_at(m, block), VK_DIR6_BLOCK_BYTES, &b);
	while (slot < b.totalSlots && (b.bitmap[slot / 8] >> slot % 8 & 1) == 0)
		slot++;
	change_slot(m, type, block, slot, true);
	*ret_location = location(type, block, slot);
	return VK_OK;
}

static void put_link(struct vk_dir6_link_group *g, uint32_t where, uint16_t hash)
{
	uint8_t *to = g->links + (size_t)(g->totalLinks - g->freeLinks) * VK_DIR6_LINK_BYTES;

	vk_put_le32(to, where);
	vk_put_le16(to + 4, hash);
	g->freeLinks--;
	g->nextFreeIdx = (uint8_t)(g->totalLinks - g->freeLinks);
}

static enum vk_status new_group(struct making *m, uint16_t index, const uint32_t *where, const uint16_t *hashes,
				unsigned count, uint32_t *ret_location)
{
	struct vk_dir6_link_group g = {.hashIndex = index, .totalLinks = VK_DIR6_GROUP_LINKS,
				       .freeLinks = VK_DIR6_GROUP_LINKS};
	enum vk_status status = take_slot(m, VK_DIR6_LINKS, ret_location);

	if (status != VK_OK)
		return status;
	for (unsigned i = 0; i < count; i++)
		put_link(&g, where[i], hashes[i]);
	vk_dir6_link_group_encode(&g, m->bytes + offset_of(*ret_location), VK_DIR6_LINK_GROUP_BYTES);
	return VK_OK;
}

/* To the chain of a slot that has links; its last group takes one more, or gets a next group. */
static enum vk_status add_to_chain(struct making *m, uint32_t chain, uint32_t where, uint16_t hash)
{
	struct vk_dir6_link_group g;
	uint32_t next;
	enum vk_status status = VK_OK;

	for (;; chain = g.nextGroup) {
		vk_dir6_link_group_decode(m->bytes + offset_of(chain), VK_DIR6_LINK_GROUP_BYTES, &g);
		if (g.nextGroup == 0)
			break;
	}
	if (g.freeLinks > 0) {
		put_link(&g, where, hash);
	} else {
		status = new_group(m, g.hashIndex, &where, &hash, 1, &next);
		g.nextGroup = next;
	}
	if (status == VK_OK)
		vk_dir6_link_group_encode(&g, m->bytes + offset_of(chain), VK_DIR6_LINK_GROUP_BYTES);
	return status;
}

/* The way to a name: straight to its entry, or over links as soon as two names share the slot. */
static enum vk_status put_hash(struct making *m, uint64_t hash, uint32_t where)
{
	uint32_t there = vk_get_le32(hash_slot(m, hash)), group;
	uint16_t hashes[2] = {0, (uint16_t)(hash >> 16)};
	uint16_t index = (uint16_t)((hash_slot(m, hash) - m->bytes - VK_DIR6_HASH) / 4);
	uint32_t both[2] = {there, where};
	enum vk_status status;

	if ((there & 3) == VK_DIR6_LINKS)
		return add_to_chain(m, there, where, hashes[1]);
	if (there == 0) {
		vk_put_le32(hash_slot(m, hash), where);
		return VK_OK;
	}
	hashes[0] = (uint16_t)(vk_get_le32(m->bytes + offset_of(there) + 0x0C) >> 16);
	status = new_group(m, index, both, hashes, 2, &group);
	if (status == VK_OK)
		vk_put_le32(hash_slot(m, hash), group);
	return status;
}

static void put_entry(struct making *m, size_t offset, const struct vk_lab_node *n, const char *name, uint64_t hash)
{
	struct vk_dir6_entry e = {.type = n->item == NULL ? VK_FILE_FOLDER : n->item->type,
				  .address = vk_lab_fd_address(m->f, n->fd), .generation = n->generation,
				  .hash = (uint32_t)hash, .offset = offset};

	memcpy(e.name, name, strlen(name));
	vk_dir6_entry_encode(&e, m->bytes + offset, VK_DIR6_ENTRY_BYTES);
}

static void count_entries(struct making *m, int by)
{
	vk_put_le32(m->bytes + 4, vk_get_le32(m->bytes + 4) + (uint32_t)by);
	vk_put_le32(m->bytes + 8, vk_get_le32(m->bytes + 8) + (uint32_t)by);
}

static enum vk_status add_name(struct making *m, const struct vk_lab_node *child, uint32_t *ret_location)
{
	uint64_t hash = vk_lab_name_hash(child->name, strlen(child->name));
	enum vk_status status = take_slot(m, VK_DIR6_ENTRIES, ret_location);

	if (status != VK_OK)
		return status;
	put_entry(m, offset_of(*ret_location), child, child->name, hash);
	count_entries(m, 1);
	return put_hash(m, hash, *ret_location);
}

/* The entry stays as it is; its slot is free, and the hash table does not lead to it any more. */
static void remove_name(struct making *m, const struct vk_lab_node *child, uint32_t where)
{
	uint8_t *slot = hash_slot(m, vk_lab_name_hash(child->name, strlen(child->name)));
	struct vk_dir6_link_group g;

	change_slot(m, VK_DIR6_ENTRIES, where >> 2 & 0x3FFFFF, where >> 24, false);
	count_entries(m, -1);
	if (vk_get_le32(slot) == where) {
		vk_put_le32(slot, 0);
		return;
	}
	for (uint32_t chain = vk_get_le32(slot); (chain & 3) == VK_DIR6_LINKS; chain = g.nextGroup) {
		uint8_t *raw = m->bytes + offset_of(chain);

		vk_dir6_link_group_decode(raw, VK_DIR6_LINK_GROUP_BYTES, &g);
		for (unsigned i = 0, used = g.totalLinks - g.freeLinks; i < used; i++) {
			uint8_t *link = g.links + (size_t)i * VK_DIR6_LINK_BYTES;

			if (vk_get_le32(link) != where)
				continue;
			memmove(link, g.links + (size_t)(used - 1) * VK_DIR6_LINK_BYTES, VK_DIR6_LINK_BYTES);
			memset(g.links + (size_t)(used - 1) * VK_DIR6_LINK_BYTES, 0, VK_DIR6_LINK_BYTES);
			g.freeLinks++;
			g.nextFreeIdx--;
			vk_dir6_link_group_encode(&g, raw, VK_DIR6_LINK_GROUP_BYTES);
			return;
		}
	}
}

/* A folder without entries: header, hash table, one map. */
static enum vk_status begin(struct making *m)
{
	struct vk_dir6_header header = {.version = VK_DIR6_VERSION, .numEntries = 2, .numAllocated = 2,
					.numAllocationMapBlocks = 1};
	struct vk_dir6_block map = {.type = VK_DIR6_MAP};

	m->len = VK_DIR6_BLOCKS + BLOCK;
	m->bytes = calloc(1, m->len);
	if (m->bytes == NULL)
		return vk_no_memory(m->f->err, NULL);
	vk_dir6_header_encode(&header, m->bytes, VK_DIR6_HEADER_BYTES);
	put_entry(m, VK_DIR6_SELF, m->n, ".", 0);
	put_entry(m, VK_DIR6_PARENT, m->n->parent, "..", 0);
	vk_dir6_block_encode(&map, block_at(m, 0), VK_DIR6_BLOCK_BYTES);
	memset(block_at(m, 0) + VK_DIR6_BLOCK_BYTES, VK_DIR6_ITEM_NOT_WRITTEN * 0x11, BLOCK - VK_DIR6_BLOCK_BYTES);
	set_item(m, 0, VK_DIR6_MAP);
	return VK_OK;
}

/* The blocks that have room. */
static void find_room(struct making *m)
{
	for (uint32_t b = 1; VK_DIR6_BLOCKS + (size_t)b * BLOCK < m->len; b++)
		if ((item_of(m, b) & VK_DIR6_ITEM_FREE_SLOTS) != 0)
			m->open[item_of(m, b) & VK_DIR6_ITEM_TYPE] = b;
}

enum vk_status vk_lab_folder_add(struct vk_lab_fill *f, const struct vk_lab_node *n, const struct vk_lab_node *child,
				 struct vk_lab_folder *folder)
{
	struct making m = {.f = f, .n = n, .bytes = folder->bytes, .len = folder->len};
	uint32_t where;
	enum vk_status status;

	if (!f->vmfs6)
		return vk_lab_folder5_add(f, child, folder);
	find_room(&m);
	status = add_name(&m, child, &where);
	*folder = (struct vk_lab_folder){m.bytes, m.len, m.len};
	return status;
}

void vk_lab_folder_remove(struct vk_lab_fill *f, const struct vk_lab_node *n, const struct vk_lab_node *child,
			  struct vk_lab_folder *folder)
{
	struct making m = {.f = f, .n = n, .bytes = folder->bytes, .len = folder->len};
	struct vk_dir6_entry e;
	struct vk_dir6_block block;

	if (!f->vmfs6) {
		vk_lab_folder5_remove(child, folder);
		return;
	}
	for (uint32_t b = 1; VK_DIR6_BLOCKS + (size_t)b * BLOCK < m.len; b++) {
		if ((item_of(&m, b) & VK_DIR6_ITEM_TYPE) != VK_DIR6_ENTRIES)
			continue;
		vk_dir6_block_decode(block_at(&m, b), VK_DIR6_BLOCK_BYTES, &block);
		for (uint32_t slot = 0; slot < SLOTS_ENTRIES; slot++) {
			uint32_t where = location(VK_DIR6_ENTRIES, b, slot);

			vk_dir6_entry_decode(m.bytes + offset_of(where), VK_DIR6_ENTRY_BYTES, &e);
			if ((block.bitmap[slot / 8] >> slot % 8 & 1) != 0 ||
			    strncmp((const char *)e.name, child->name, sizeof(e.name)) != 0)
				continue;
			remove_name(&m, child, where);
			return;
		}
	}
}

enum vk_status vk_lab_folder6(struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_lab_folder *folder)
{
	struct making m = {.f = f, .n = n, .bytes = folder->bytes, .len = folder->len};
	uint32_t *where = calloc(n->child_count + 1, sizeof(*where));
	enum vk_status status = where == NULL ? vk_no_memory(f->err, NULL) : VK_OK;

	if (status == VK_OK && m.bytes == NULL)
		status = begin(&m);
	if (status == VK_OK)
		find_room(&m);
	for (size_t i = 0; i < n->child_count && status == VK_OK; i++)
		status = add_name(&m, n->children[i].node, &where[i]);
	for (size_t i = 0; i < n->child_count && status == VK_OK; i++)
		if (n->children[i].node->item->deleted)
			remove_name(&m, n->children[i].node, where[i]);
	free(where);
	*folder = (struct vk_lab_folder){m.bytes, m.len, m.len};
	return status;
}
