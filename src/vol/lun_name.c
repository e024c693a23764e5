/* SPDX-License-Identifier: Apache-2.0 */
/* What the LUN under a partition is called: by the table of device names, or by the disk id of the header. */
#include <string.h>

#include "base/bytes.h"
#include "vmfskit/vmfs.h"

/* "NAME:PARTITION" and zeros behind it; NAME goes to ret_name. */
static bool take_name(const struct vk_lvm_sd *entry, char ret_name[VK_SCSI_NAME_BYTES])
{
	static const char *const kinds[] = {"naa.", "eui.", "t10.", "mpx."};
	size_t len = strnlen((const char *)entry->deviceName, sizeof(entry->deviceName)), end = len;
	bool known = false;

	for (size_t i = 0; i < len; i++)
		if (entry->deviceName[i] <= ' ' || entry->deviceName[i] > '~')
			return false;
	while (end > 0 && entry->deviceName[end - 1] >= '0' && entry->deviceName[end - 1] <= '9')
		end--;
	if (end == len || end < 6 || entry->deviceName[end - 1] != ':' || end > VK_SCSI_NAME_BYTES ||
	    !vk_all_zero(entry->deviceName + len, sizeof(entry->deviceName) - len))
		return false;
	memcpy(ret_name, entry->deviceName, end - 1);
	ret_name[end - 1] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known = known || strncmp(ret_name, kinds[i], 4) == 0;
	return known;
}

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
	    !take_name(&vmfs->sd_names[0], told) || !agrees(told, &vmfs->lvm.diskID, ret_name))
		return;
	memcpy(ret_name, told, sizeof(told));
	*ret_certain = true;
}
