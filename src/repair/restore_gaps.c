/* SPDX-License-Identifier: Apache-2.0 */
/* Another system's signature in sectors of a volume that VMFS leaves unused: what stood there is put back. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "repair/guard/guards.h"
#include "repair/restore_gaps.h"
#include "vmfskit/foreign.h"

enum { LOOKS_MAX = 256 };

/* What other systems have at the beginning of the target, of the captured volumes, and of partitions in these. */
static enum vk_status look_for_others(const struct vk_restore *restore, struct vk_foreigners *found,
				      struct vk_error *err)
{
	const struct vk_table *table = &restore->before->table;
	uint64_t size = restore->target.size_bytes;
	size_t looks = 0, named = restore->before->kind == VK_SOURCE_DISK ? table->partition_count : 0;
	enum vk_status status = vk_foreign_look(restore->io, 0, size, found, err);

	for (size_t i = 0; i < restore->place_count && status == VK_OK; i++) {
		const struct vk_captured_place *place = &restore->places[i];

		status = vk_foreign_look(restore->io, place->start_bytes, place->length_bytes, found, err);
		for (size_t k = 0; k < named && status == VK_OK && looks < LOOKS_MAX; k++) {
			uint64_t start = vk_mul_sat(table->partitions[k].start_sector, restore->target.sector_size);

			if (start <= place->start_bytes || start - place->start_bytes >= place->length_bytes)
				continue;
			looks++;
			status = vk_foreign_look(restore->io, start,
						 vk_mul_sat(table->partitions[k].sectors, restore->target.sector_size),
						 found, err);
		}
	}
	return status;
}

/* Of a region only what no structure uses, now or then. */
static bool gaps_differ(struct vk_restore *restore, const struct vk_region *region, uint8_t *buf)
{
	uint64_t end = vk_add_sat(region->offset_bytes, region->length_bytes);
	struct vk_range gap = {.offset_bytes = region->offset_bytes};

	for (; gap.offset_bytes < end; gap.offset_bytes += gap.length_bytes) {
		gap.length_bytes = end - gap.offset_bytes;
		if (!vk_range_set_holds(&restore->used, gap.offset_bytes, &gap.length_bytes) &&
		    vk_restore_differs(restore, &gap, buf))
			return true;
	}
	return false;
}

enum vk_status vk_restore_choose_gaps(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	struct vk_foreigners found = {.count = 0};
	uint8_t *buf = malloc(2 * (size_t)VK_RESTORE_PIECE_BYTES);
	enum vk_status status = buf != NULL ? VK_OK : vk_no_memory(err, NULL);

	/* a person who names parts has chosen; an undo and a rebuilt capture say themselves what they change */
	if (status == VK_OK && restore->options.parts == 0 && !capture->is_undo && !capture->is_rebuilt)
		status = look_for_others(restore, &found, err);
	for (size_t f = 0; f < found.count && status == VK_OK; f++) {
		const struct vk_foreign *sign = &found.items[f];
		uint64_t reach = vk_max_u64(vk_add_sat(sign->start_bytes, sign->length_bytes),
					    vk_add_sat(sign->magic_bytes, 1)) - sign->start_bytes;
		char why[sizeof(restore->choices->why)];

		if (vk_foreign_is_member(sign) || vk_guard_as_captured(restore, sign))
			continue;
		snprintf(why, sizeof(why), "%.40s from byte %llu on lies over it: only sectors that no structure uses",
			 sign->type, (unsigned long long)sign->start_bytes);
		for (size_t i = 0; i < capture->region_count && status == VK_OK; i++) {
			const struct vk_region *region = &capture->regions[i];

			if ((region->part != VK_PART_LVM && region->part != VK_PART_VH) || restore->chosen[i] ||
			    !vk_ranges_meet(region->offset_bytes, region->length_bytes, sign->start_bytes, reach) ||
			    !gaps_differ(restore, region, buf))
				continue;
			/* all regions of that part are chosen together */
			for (size_t k = 0; k < capture->region_count; k++)
				restore->gaps_only[k] =
					restore->gaps_only[k] ||
					(!restore->chosen[k] && capture->regions[k].part == region->part &&
					 capture->regions[k].partition == region->partition);
			status = vk_restore_choose_part(restore, region->part, region->partition, why, err);
		}
	}
	vk_foreigners_free(&found);
	free(buf);
	return status;
}
