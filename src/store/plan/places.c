/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a VMFS partition lie, also of one whose headers do not tell; and who it is, in texts. */
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
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

static void fill_device(const struct vk_vmfs *vmfs, struct vk_identity *identity)
{
	bool certain;

	vk_vmfs_uuid_format(&vmfs->lvm.devID, identity->device_uuid);
	if (!vk_scsi_disk_id_is_nil(&vmfs->lvm.diskID)) {
		/* these texts are escaped where they are made */
		vk_scsi_disk_id_name(&vmfs->lvm.diskID, identity->disk_id, &certain);
		vk_scsi_disk_id_vml(&vmfs->lvm.diskID, identity->vml);
		vk_scsi_disk_id_label(&vmfs->lvm.diskID, identity->target_label);
		identity->lun = vmfs->lvm.diskID.lun;
	}
	if (vmfs->volume_count > 0)
		vk_vmfs_uuid_format(&vmfs->volumes[0].volume.uuid, identity->volume_uuid);
}

static void fill_fs(const struct vk_vmfs *vmfs, struct vk_identity *identity)
{

	vk_vmfs_uuid_format(&vmfs->fs.uuid, identity->fs_uuid);
	vk_label_into(identity->fs_label, sizeof(identity->fs_label), vmfs->fs.fsLabel, sizeof(vmfs->fs.fsLabel));
	vk_fs_version_name(&vmfs->fs, identity->fs_version);
}

void vk_identity_fill(const struct vk_source *source, const struct vk_vmfs *vmfs,
		      struct vk_identity *ret_identity)
{
	const struct vk_fs_geometry geometry = vk_plan_geometry(vmfs);
	struct vk_identity identity = {.partition = vmfs->partition,
				       .start_sector = vmfs->start_sector,
				       .sectors = vmfs->sectors};
	uint64_t heartbeats, length;

	if (identity.sectors == 0 && source->sector_size != 0)
		identity.sectors = (vmfs->partition_bytes != 0 ? vmfs->partition_bytes
				    : vmfs->lvm_usable         ? vmfs->lvm.totalBytes
							       : 0) /
				   source->sector_size;
	if (vmfs->lvm_usable)
		fill_device(vmfs, &identity);
	if (vmfs->fs_usable)
		fill_fs(vmfs, &identity);
	heartbeats = vk_add_sat(vk_plan_base(source, vmfs), vk_plan_map(vmfs, geometry.heartbeat_offset, &length));
	if (vmfs->fs_expected && heartbeats < source->size_bytes) {
		length = vk_min_u64(length, geometry.heartbeat_end - geometry.heartbeat_offset);
		identity.heartbeat_offset_bytes = heartbeats;
		identity.heartbeat_length_bytes = vk_min_u64(length, source->size_bytes - heartbeats);
		identity.heartbeat_slot_bytes = geometry.heartbeat_slot_bytes;
	}
	*ret_identity = identity;
}
