/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI_DiskId: layout and checks. Its text forms are in scsi_name.c. */
#include <string.h>

#include "base/bytes.h"
#include "disk/layout_table.h"
#include "disk/scsi_id_length.h"
#include "vmfskit/scsi_id.h"

VK_LAYOUT_DEFINE(vk_scsi_disk_id_layout, VK_SCSI_DISK_ID_ROWS, struct vk_scsi_disk_id,
		 VK_SCSI_DISK_ID_BYTES, "SCSI_DiskId", "Disk id: the LUN a volume was accepted on",
		 "decoded from a real VMFS3 volume and three published headers");

size_t vk_scsi_disk_id_decode(const uint8_t *buf, size_t len, struct vk_scsi_disk_id *ret_id)
{
	return vk_layout_decode(&vk_scsi_disk_id_layout, buf, len, ret_id);
}

size_t vk_scsi_disk_id_encode(const struct vk_scsi_disk_id *id, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_scsi_disk_id_layout, id, buf, len);
}

void vk_scsi_disk_id_check(const struct vk_scsi_disk_id *id, uint64_t offset_bytes,
			   const struct vk_finding_sink *sink)
{
	const struct vk_field *len = vk_layout_field(&vk_scsi_disk_id_layout, "len");
	size_t designator = vk_designator_bytes(id);
	struct vk_finding f;

	if (id->len > VK_SCSI_ID_MAX) {
		vk_finding_init(&f, VK_F_LVM_DISK_ID_LENGTH, offset_bytes + len->offset, 1,
				"the disk id claims to be longer than its field");
		vk_finding_seen(&f, "%u", id->len);
		vk_finding_expected(&f, "at most %d", VK_SCSI_ID_MAX);
		vk_finding_put(sink, &f);
	} else if (id->type == VK_SCSI_ID_SERIAL && id->len <= VK_SCSI_MODEL_TAIL_BYTES) {
		vk_finding_init(&f, VK_F_LVM_DISK_ID_LENGTH, offset_bytes + len->offset, 1,
				"the disk id is too short for a serial number and the model");
		vk_finding_seen(&f, "%u", id->len);
		vk_finding_expected(&f, "more than %d", VK_SCSI_MODEL_TAIL_BYTES);
		vk_finding_put(sink, &f);
	} else if (id->type == VK_SCSI_ID_NAA &&
		   (designator == 0 || id->len != designator + VK_SCSI_MODEL_TAIL_BYTES)) {
		vk_finding_init(&f, VK_F_LVM_DISK_ID_LENGTH, offset_bytes + len->offset, 1,
				"the length of the disk id does not fit its NAA designator");
		vk_finding_seen(&f, "%u", id->len);
		if (designator == 0)
			vk_finding_expected(&f, "%d or %d", 8 + VK_SCSI_MODEL_TAIL_BYTES,
					    16 + VK_SCSI_MODEL_TAIL_BYTES);
		else
			vk_finding_expected(&f, "%zu", designator + VK_SCSI_MODEL_TAIL_BYTES);
		vk_finding_put(sink, &f);
	}
}

bool vk_scsi_disk_id_is_nil(const struct vk_scsi_disk_id *id)
{
	return id->len == 0 && id->type == 0 && vk_all_zero(id->id, sizeof(id->id));
}

bool vk_scsi_disk_id_same_lun(const struct vk_scsi_disk_id *a, const struct vk_scsi_disk_id *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->id, b->id, vk_id_bytes(a)) == 0;
}
