/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI_DiskId: checks. Its text forms are in scsi_name.c. */
#include <string.h>

#include "base/bytes.h"
#include "disk/field_check.h"
#include "disk/scsi_id_length.h"
#include "vmfskit/scsi_id.h"

void vk_scsi_disk_id_check(const struct vk_scsi_disk_id *id, uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	const struct vk_checked c = {&vk_scsi_disk_id_layout, VK_SCSI_DISK_ID_BYTES, offset_bytes, sink};
	size_t designator = vk_designator_bytes(id);

	if (id->len > VK_SCSI_ID_MAX)
		vk_checked_say(&c, VK_F_LVM_DISK_ID_LENGTH, "len", "the disk id claims to be longer than its field",
			       VK_NUMBER(id->len), vk_phrase("at most %d", VK_SCSI_ID_MAX).text);
	else if (id->type == VK_SCSI_ID_SERIAL && id->len <= VK_SCSI_MODEL_TAIL_BYTES)
		vk_checked_say(&c, VK_F_LVM_DISK_ID_LENGTH, "len",
			       "the disk id is too short for a serial number and the model", VK_NUMBER(id->len),
			       vk_phrase("more than %d", VK_SCSI_MODEL_TAIL_BYTES).text);
	else if (id->type == VK_SCSI_ID_NAA && (designator == 0 || id->len != designator + VK_SCSI_MODEL_TAIL_BYTES))
		vk_checked_say(&c, VK_F_LVM_DISK_ID_LENGTH, "len",
			       "the length of the disk id does not fit its NAA designator", VK_NUMBER(id->len),
			       designator != 0 ? VK_NUMBER(designator + VK_SCSI_MODEL_TAIL_BYTES)
					       : vk_phrase("%d or %d", 8 + VK_SCSI_MODEL_TAIL_BYTES,
							   16 + VK_SCSI_MODEL_TAIL_BYTES)
							 .text);
}

bool vk_scsi_disk_id_is_nil(const struct vk_scsi_disk_id *id)
{
	return id->len == 0 && id->type == 0 && vk_all_zero(id->id, sizeof(id->id));
}

bool vk_scsi_disk_id_same_lun(const struct vk_scsi_disk_id *a, const struct vk_scsi_disk_id *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->id, b->id, vk_id_bytes(a)) == 0;
}
