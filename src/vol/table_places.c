/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition table lies in: boot records, both headers and both arrays of entries. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "vol/table_parts.h"

static struct vk_place *add_place(struct vk_io *io, struct vk_table *table, const char *name,
			    const struct vk_layout *layout, uint64_t lba, uint64_t length_bytes)
{
	struct vk_place *place = &table->places[table->place_count++];

	vk_place_init(place, io, name, layout, VK_PART_TABLE, vk_mul_sat(lba, table->sector_size),
		      length_bytes);
	return place;
}

static void add_copy(struct vk_io *io, struct vk_table *table, int which)
{
	static const char *const headers[] = {"GPT header (primary)", "GPT header (backup)"};
	static const char *const arrays[] = {"GPT entries (primary)", "GPT entries (backup)"};
	const struct vk_gpt_copy *copy = &table->gpt[which];
	uint32_t bytes = vk_gpt_entries_bytes(&copy->header);
	struct vk_place *place;

	if (copy->lba == 0)
		return;
	place = add_place(io, table, headers[which], &vk_gpt_header_layout, copy->lba, table->sector_size);
	/* entries that are not in the source, or not in whole, say nothing against a header that its checksum proves */
	place->damaged = place->presence == VK_PRESENCE_WHOLE && !copy->sound &&
			 (copy->usable || bytes == 0 || copy->sector == NULL ||
			  !vk_gpt_header_proved(copy->sector, table->sector_size));
	if (!copy->present || bytes == 0)
		return;
	place = add_place(io, table, arrays[which], NULL, copy->header.entriesLBA, bytes);
	place->element = &vk_gpt_entry_layout;
	place->stride_bytes = copy->header.entrySize;
	place->damaged = copy->usable &&
			 vk_crc32(0, copy->array, bytes) != copy->header.entriesCRC32;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_place *x = a;
	const struct vk_place *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

enum vk_status vk_table_locate(struct vk_io *io, struct vk_table *table)
{
	bool protective = table->kind == VK_TABLE_GPT;
	struct vk_place *place;

	table->places = calloc(5 + table->ebr_count, sizeof(*table->places));
	if (table->places == NULL)
		return VK_NOMEM;
	place = add_place(io, table, protective ? "protective MBR" : "MBR", &vk_mbr_layout, 0, VK_MBR_BYTES);
	place->damaged = place->presence == VK_PRESENCE_WHOLE &&
			 (protective ? !vk_mbr_is_protective(&table->mbr) : !table->mbr_used);
	for (size_t i = 0; i < table->ebr_count; i++)
		add_place(io, table, "extended boot record", &vk_mbr_layout, table->ebr_lbas[i],
		    VK_MBR_BYTES);
	if (protective) {
		add_copy(io, table, 0);
		add_copy(io, table, 1);
	}
	qsort(table->places, table->place_count, sizeof(*table->places), by_offset);
	return VK_OK;
}
