/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges that a capture saves beyond those that every capture of such a disk has. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/plan/plan.h"

static bool append(const struct vk_source *source, const struct vk_rebuilt *rebuilt, struct vk_capture_plan *plan,
		   uint64_t start, uint64_t end)
{
	struct vk_region region = {.part = VK_PART_TABLE, .offset_bytes = start, .length_bytes = end - start};
	const struct vk_vmfs *vmfs = NULL;
	const uint64_t sector = start / source->sector_size;

	for (size_t i = 0; i < source->vmfs_count && vmfs == NULL; i++) {
		const uint64_t base = vk_plan_base(source, &source->vmfs[i]);
		const uint64_t length = source->vmfs[i].partition_bytes;

		if (start >= base && start - base < (length != 0 ? length : UINT64_MAX))
			vmfs = &source->vmfs[i];
	}
	if (vmfs == NULL && source->kind == VK_SOURCE_DISK) {
		if (vk_rebuilt_is_wipe(rebuilt))
			region.part = VK_PART_LVM;
		snprintf(region.file, sizeof(region.file), "more-s%" PRIu64 ".raw", sector);
	} else {
		region.part = VK_PART_VH;
		if (vmfs == NULL || start - vk_plan_base(source, vmfs) < vk_plan_data_offset(vmfs))
			region.part = VK_PART_LVM;
		region.partition = vmfs != NULL ? vmfs->partition : 0;
		snprintf(region.file, sizeof(region.file), "p%u-more-s%" PRIu64 ".raw", region.partition, sector);
	}
	return vk_append(&plan->regions, &plan->region_count, &region, sizeof(region)) != NULL;
}

/* What no region below `planned` holds of from .. end; regions are sorted. */
static bool add_rest(const struct vk_source *source, const struct vk_rebuilt *rebuilt, struct vk_capture_plan *plan,
		     size_t planned, uint64_t from, uint64_t end)
{
	for (size_t i = 0; i < planned && from < end; i++) {
		uint64_t start = plan->regions[i].offset_bytes;
		uint64_t behind = vk_add_sat(start, plan->regions[i].length_bytes);

		if (behind <= from)
			continue;
		if (start >= end)
			break;
		if (start > from && !append(source, rebuilt, plan, from, start))
			return false;
		from = vk_max_u64(from, behind);
	}
	return from >= end || append(source, rebuilt, plan, from, end);
}

enum vk_status vk_plan_also(const struct vk_source *source, const struct vk_rebuilt *rebuilt,
			    struct vk_capture_plan *plan, struct vk_error *err)
{
	const struct vk_range *ranges = rebuilt->ranges;
	size_t planned = plan->region_count;

	for (size_t i = 0; i < rebuilt->range_count; i++) {
		uint64_t end = vk_min_u64(vk_add_sat(ranges[i].offset_bytes, ranges[i].length_bytes),
					  source->size_bytes);

		if (ranges[i].offset_bytes < end &&
		    !add_rest(source, rebuilt, plan, planned, ranges[i].offset_bytes, end)) {
			vk_capture_plan_free(plan);
			return vk_no_memory(err, source->path);
		}
	}
	if (plan->region_count > 0)
		qsort(plan->regions, plan->region_count, sizeof(*plan->regions), vk_region_compare);
	return VK_OK;
}
