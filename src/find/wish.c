/* SPDX-License-Identifier: Apache-2.0 */
/* What a person must say so that a repair of the table names a volume that another system's partitions lie over. */
#include "base/checked.h"
#include "find/wish.h"

/* What the other system has in the partition begins with it and ends in it; the same that a repair spares. */
static bool holds_data(const struct vk_find *find, uint64_t start, uint64_t length)
{
	for (size_t i = 0; i < find->foreign.count; i++)
		if (find->foreign.items[i].start_bytes == start && find->foreign.items[i].length_bytes <= length)
			return true;
	return false;
}

/* The partitions of other systems that lie over the volume, one after the other; false: no more. */
static bool next_over(const struct vk_source *source, const struct vk_candidate *c, size_t *i, uint64_t *ret_start,
		      uint64_t *ret_length)
{
	const struct vk_table *t = &source->table;

	for (; *i < t->partition_count; ++*i) {
		const struct vk_partition *p = &t->partitions[*i];

		*ret_start = vk_mul_sat(p->start_sector, source->sector_size);
		*ret_length = vk_mul_sat(p->sectors, source->sector_size);
		if (!vk_partition_is_vmfs(p) && !vk_partition_is_extended(p) &&
		    vk_ranges_meet(*ret_start, *ret_length, c->start_bytes, vk_max_u64(c->length_bytes, 1)))
			return true;
	}
	return false;
}

enum vk_wish vk_find_wish(const struct vk_find *find, const struct vk_source *source, const struct vk_candidate *c)
{
	enum vk_wish wish = VK_WISH_NONE;
	uint64_t start, length;

	if (source->kind != VK_SOURCE_DISK || vk_standing_is_ghost(c->standing) || c->start_before_disk ||
	    c->table_sound)
		return VK_WISH_NONE;
	for (size_t i = 0; next_over(source, c, &i, &start, &length); i++) {
		if (c->start_bytes > start && holds_data(find, start, length))
			return VK_WISH_COPY;
		/* a living volume wins by itself over what holds nothing */
		if (c->standing == VK_STANDING_DAMAGED)
			wish = VK_WISH_ASKED;
	}
	return wish;
}

void vk_find_put_wish(const struct vk_find *find, const struct vk_source *source, const struct vk_candidate *c,
		      struct vk_command *line)
{
	uint64_t start, length;

	if (vk_find_wish(find, source, c) != VK_WISH_ASKED)
		return;
	vk_command_add(line, " --include %llu", (unsigned long long)(c->start_bytes / source->sector_size));
	for (size_t i = 0; source->table.kind == VK_TABLE_GPT && next_over(source, c, &i, &start, &length); i++)
		if (holds_data(find, start, length))
			vk_command_add(line, " --exclude %llu", (unsigned long long)(start / source->sector_size));
}
