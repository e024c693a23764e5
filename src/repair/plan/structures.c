/* SPDX-License-Identifier: Apache-2.0 */
/* Lists what lies where on a decoded disk, in whole sectors and without overlaps. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/plan/structures.h"

static bool add_structure(struct vk_structures *list, uint32_t sector_size, uint64_t at, uint64_t length,
		const char *name, const struct vk_layout *layout, unsigned write_class)
{
	struct vk_structure item = {
		.start = at - at % sector_size, .at = at, .name = name, .layout = layout, .write_class = write_class};
	uint64_t end;

	if (length == 0 || !vk_add_u64(at, length, &end))
		return true;
	item.end = vk_round_up_sat(end, sector_size);
	return vk_append(&list->items, &list->count, &item, sizeof(item)) != NULL;
}

static bool add_table(struct vk_structures *list, const struct vk_table *table, uint32_t ss)
{
	const struct vk_gpt_copy *backup = &table->gpt[1];
	bool fits = true;

	for (size_t i = 0; fits && i < table->place_count; i++) {
		const struct vk_place *place = &table->places[i];
		uint64_t lba = place->layout == &vk_gpt_header_layout ? backup->lba : backup->header.entriesLBA;
		/* which copy of the GPT a place belongs to decides its turn */
		unsigned turn = place->offset_bytes == vk_mul_sat(lba, table->sector_size) ? VK_WRITE_GPT_BACKUP
											   : VK_WRITE_GPT_PRIMARY;

		if (place->layout == &vk_mbr_layout)
			turn = place->offset_bytes == 0 ? VK_WRITE_MBR : VK_WRITE_EBR;
		fits = add_structure(list, ss, place->offset_bytes, place->length_bytes, place->name, place->layout,
				     turn);
	}
	return fits;
}

static bool add_vmfs(struct vk_structures *list, const struct vk_vmfs *vmfs, uint32_t ss)
{
	uint64_t start = vk_mul_sat(vmfs->start_sector, ss);
	bool fits = true;

	for (size_t i = 0; fits && i < vmfs->place_count; i++) {
		const struct vk_place *place = &vmfs->places[i];
		bool lvm = place->layout == &vk_lvm_device_layout;
		unsigned turn = place->layout == &vk_fs_descriptor_layout ? VK_WRITE_FS_DESCRIPTOR : VK_WRITE_HEADERS;

		/* reasons are short; where the header lies is said beside them */
		fits = add_structure(list, ss, vk_add_sat(start, place->offset_bytes), place->length_bytes,
				     lvm ? "LVM device header" : place->name, place->layout,
				     lvm ? VK_WRITE_LVM_HEADER : turn);
	}
	return fits;
}

static int by_place(const void *a, const void *b)
{
	const struct vk_structure *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

enum vk_status vk_structures_list(const struct vk_source *source,
				  struct vk_structures *ret_structures, struct vk_error *err)
{
	struct vk_structures list = {0};
	bool fits = add_table(&list, &source->table, source->sector_size);
	uint64_t taken = 0;
	size_t kept = 0;

	for (size_t i = 0; fits && i < source->vmfs_count; i++)
		fits = add_vmfs(&list, &source->vmfs[i], source->sector_size);
	if (!fits) {
		vk_structures_free(&list);
		return vk_no_memory(err, source->path);
	}
	/* where two share a sector, the one that begins first keeps it; of that sector it is the name */
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), by_place);
	for (size_t i = 0; i < list.count; i++) {
		struct vk_structure item = list.items[i];

		item.start = vk_max_u64(item.start, taken);
		if (item.start >= item.end)
			continue;
		taken = item.end;
		list.items[kept++] = item;
	}
	list.count = kept;
	*ret_structures = list;
	return VK_OK;
}

void vk_structures_free(struct vk_structures *structures)
{
	free(structures->items);
	memset(structures, 0, sizeof(*structures));
}

/* What a place of the region is called when no structure is known there. */
static void name_after_region(const struct vk_region *region, struct vk_structure *item)
{
	bool tail = strncmp(region->file, "gpt-tail", 8) == 0;

	item->layout = NULL;
	item->write_class = VK_WRITE_HEADERS;
	switch (region->part) {
	case VK_PART_LVM:
		item->name = "LVM region";
		break;
	case VK_PART_VH:
		item->name = "volume header (.vh.sf)";
		break;
	case VK_PART_HEARTBEATS:
		item->name = "heartbeat region";
		break;
	default:
		item->write_class = tail ? VK_WRITE_GPT_BACKUP : VK_WRITE_EBR;
		item->name = tail					? "gap in front of the backup GPT"
			     : strncmp(region->file, "ebr", 3) == 0 ? "extended boot record"
								       : "boot code and gap";
		break;
	}
}

static uint64_t end_of(const void *structure)
{
	return ((const struct vk_structure *)structure)->end;
}

struct vk_structure vk_structures_at(const struct vk_structures *structures,
				     const struct vk_region *region, uint64_t offset, uint64_t end)
{
	struct vk_structure item = {.start = offset, .end = end, .at = offset};
	/* no two overlap, so their ends are sorted like their starts */
	size_t low = vk_first_not_below(structures->items, structures->count, sizeof(*structures->items),
					vk_add_sat(offset, 1), end_of);

	name_after_region(region, &item);
	if (low == structures->count)
		return item;
	if (structures->items[low].start > offset) {
		item.end = vk_min_u64(end, structures->items[low].start);
		return item;
	}
	item = structures->items[low];
	item.start = offset;
	item.end = vk_min_u64(end, item.end);
	return item;
}
