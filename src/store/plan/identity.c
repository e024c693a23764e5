/* SPDX-License-Identifier: Apache-2.0 */
/* Who a partition is, in texts that a guard can compare and a person can read. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/plan/plan.h"

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
	struct vk_text text;

	vk_vmfs_uuid_format(&vmfs->fs.uuid, identity->fs_uuid);
	vk_text_init(&text, identity->fs_label, sizeof(identity->fs_label));
	vk_text_label(&text, vmfs->fs.fsLabel, sizeof(vmfs->fs.fsLabel));
	vk_fs_version_name(&vmfs->fs, identity->fs_version);
}

static void fill_heartbeats(const struct vk_source *source, const struct vk_vmfs *vmfs,
			    struct vk_identity *identity)
{
	struct vk_fs_geometry geometry = vk_plan_geometry(vmfs);
	uint64_t length;
	uint64_t device = vk_plan_map(vmfs, geometry.heartbeat_offset, &length);
	uint64_t start = vk_add_sat(vk_plan_base(source, vmfs), device);

	if (start >= source->size_bytes)
		return;
	length = vk_min_u64(length, geometry.heartbeat_end - geometry.heartbeat_offset);
	length = vk_min_u64(length, source->size_bytes - start);
	identity->heartbeat_offset_bytes = start;
	identity->heartbeat_length_bytes = length;
	identity->heartbeat_slot_bytes = geometry.heartbeat_slot_bytes;
}

void vk_identity_fill(const struct vk_source *source, const struct vk_vmfs *vmfs,
		      struct vk_identity *ret_identity)
{
	struct vk_identity identity = {.partition = vmfs->partition,
				       .start_sector = vmfs->start_sector,
				       .sectors = vmfs->sectors};

	if (identity.sectors == 0 && source->sector_size != 0)
		identity.sectors = (vmfs->partition_bytes != 0 ? vmfs->partition_bytes
				    : vmfs->lvm_usable         ? vmfs->lvm.totalBytes
							       : 0) /
				   source->sector_size;
	if (vmfs->lvm_usable)
		fill_device(vmfs, &identity);
	if (vmfs->fs_usable)
		fill_fs(vmfs, &identity);
	if (vmfs->fs_expected)
		fill_heartbeats(source, vmfs, &identity);
	*ret_identity = identity;
}
