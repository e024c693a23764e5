/* SPDX-License-Identifier: Apache-2.0 */
/* What the LUN under a partition is called: by the table of device names, or by the disk id of the header. */
#include <string.h>

#include "vmfskit/vmfs.h"

/* eui. devices have the id of their path; of a t10. name the id has the serial number only. */
static bool agrees(const char *name, const struct vk_scsi_disk_id *id, const char *by_id)
{
	if (strcmp(name, by_id) == 0)
		return true;
	if (strncmp(name, "eui.", 4) == 0)
		return id->type == VK_SCSI_ID_PATH;
	return strncmp(name, "t10.", 4) == 0 && id->type == VK_SCSI_ID_SERIAL;
}

void vk_vmfs_lun_name(const struct vk_vmfs *vmfs, char ret_name[VK_SCSI_NAME_BYTES], bool *ret_certain)
{
	const struct vk_lvm_volume *volume = vmfs->volume_count == 1 ? &vmfs->volumes[0].volume : NULL;
	char told[VK_SCSI_NAME_BYTES];

	vk_scsi_disk_id_name(&vmfs->lvm.diskID, ret_name, ret_certain);
	/* the table is on the first extent, names one device for each, and that one first */
	if (volume == NULL || volume->firstPE != 0 || vmfs->sd_count == 0 || vmfs->sd_count != volume->numDevs ||
	    !vk_lvm_sd_name(&vmfs->sd_names[0], told) || !agrees(told, &vmfs->lvm.diskID, ret_name))
		return;
	memcpy(ret_name, told, sizeof(told));
	*ret_certain = true;
}
