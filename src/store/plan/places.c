/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a VMFS partition lie, also of one whose headers do not tell. */
#include <string.h>

#include "base/checked.h"
#include "store/plan/plan.h"

uint64_t vk_plan_base(const struct vk_source *source, const struct vk_vmfs *vmfs)
{
	return vk_mul_sat(vmfs->start_sector, source->sector_size);
}

uint64_t vk_plan_data_offset(const struct vk_vmfs *vmfs)
{
	if (vmfs->lvm_usable && vmfs->lvm.dataOffset <= VK_PLAN_LVM_MAX_BYTES)
		return vmfs->lvm.dataOffset;
	return VK_LVM_DATA_OFFSET;
}

uint64_t vk_plan_map(const struct vk_vmfs *vmfs, uint64_t volume_offset, uint64_t *ret_length)
{
	uint64_t device_offset;

	if (vmfs->lvm_usable && vk_vmfs_map(vmfs, volume_offset, &device_offset, ret_length) &&
	    *ret_length > 0)
		return device_offset;
	*ret_length = UINT64_MAX;
	return vk_plan_data_offset(vmfs) + volume_offset;
}

struct vk_fs_geometry vk_plan_geometry(const struct vk_vmfs *vmfs)
{
	struct vk_fs_geometry geometry = vmfs->fs_geometry;

	if (!vmfs->fs_usable || geometry.heartbeat_offset <= VK_FS_OFFSET ||
	    geometry.heartbeat_end <= geometry.heartbeat_offset ||
	    geometry.vh_end < geometry.heartbeat_end || geometry.vh_end > (64ULL << 20))
		(void)vk_fs_geometry(NULL, 0, &geometry);
	return geometry;
}

const struct vk_vmfs *vk_plan_partitions(const struct vk_source *source, struct vk_vmfs *spare,
					 size_t *ret_count)
{
	memset(spare, 0, sizeof(*spare));
	*ret_count = source->vmfs_count;
	if (source->kind == VK_SOURCE_PARTITION && source->vmfs_count == 0) {
		spare->partition_bytes = source->size_bytes;
		spare->fs_expected = true;
		*ret_count = 1;
		return spare;
	}
	return source->vmfs;
}
