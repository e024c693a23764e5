/* SPDX-License-Identifier: Apache-2.0 */
/* VMFS6: from the key of a name through the hash table of a folder to its entries. */
#include "base/bytes.h"
#include "fs/folder.h"

enum { GROUPS_MAX = 4096 }; /* of one chain; a chain that leads back to itself ends there */

/* Whether the links of a group lead to the entry; *ret_next is the location of the next group. */
static bool search_group(struct vk_dir *links, uint32_t word, const struct vk_dir6_key *key,
			 bool (*fn)(void *ctx, uint64_t offset), void *ctx, uint32_t *ret_next)
{
	struct vk_dir6_location at = vk_dir6_location_decode(word);
	uint32_t alignment = links->fs->info.md_alignment;
	struct vk_dir6_link_group group;
	const uint8_t *bytes;
	uint64_t next;

	*ret_next = 0;
	if (at.slot >= vk_dir6_block_slots(VK_DIR6_LINKS, alignment))
		return false;
	bytes = vk_dir_bytes(links, vk_dir6_location_offset(&at, alignment), VK_DIR6_LINK_GROUP_BYTES, &next);
	if (bytes == NULL)
		return false;
	vk_dir6_link_group_decode(bytes, VK_DIR6_LINK_GROUP_BYTES, &group);
	if (group.hashIndex != key->slot || group.totalLinks > VK_DIR6_GROUP_LINKS ||
	    group.freeLinks > group.totalLinks)
		return false;
	*ret_next = group.nextGroup;
	for (size_t i = 0; i < (size_t)(group.totalLinks - group.freeLinks); i++) {
		const uint8_t *link = group.links + i * VK_DIR6_LINK_BYTES;

		at = vk_dir6_location_decode(vk_get_le32(link));
		if (at.type == VK_DIR6_ENTRIES && vk_get_le16(link + 4) == key->link_hash &&
		    fn(ctx, vk_dir6_location_offset(&at, alignment)))
			return true;
	}
	return false;
}

bool vk_dir6_candidates(struct vk_dir *table, struct vk_dir *links, const struct vk_dir6_key *key,
			   bool (*fn)(void *ctx, uint64_t offset), void *ctx)
{
	uint64_t next;
	const uint8_t *bytes = vk_dir_bytes(table, VK_DIR6_HASH + 4 * (uint64_t)key->slot, 4, &next);
	uint32_t word = bytes != NULL ? vk_get_le32(bytes) : 0;
	struct vk_dir6_location at = vk_dir6_location_decode(word);

	for (unsigned i = 0; at.type == VK_DIR6_LINKS && i < GROUPS_MAX; i++) {
		if (search_group(links, word, key, fn, ctx, &word))
			return true;
		at = vk_dir6_location_decode(word);
	}
	return at.type == VK_DIR6_ENTRIES && fn(ctx, vk_dir6_location_offset(&at, table->fs->info.md_alignment));
}
