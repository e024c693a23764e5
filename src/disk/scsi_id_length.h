/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a disk id is the designator and how much the model's first characters. */
#ifndef VK_DISK_SCSI_ID_LENGTH_H
#define VK_DISK_SCSI_ID_LENGTH_H

#include "vmfskit/scsi_id.h"

/* Bytes of an NAA designator, told by its first four bits; 0 when they say nothing known. */
static inline size_t vk_naa_bytes(const struct vk_scsi_disk_id *id)
{
	switch (id->id[0] >> 4) {
	case 2:
	case 3:
	case 5:
		return 8;
	case 6:
		return 16;
	default:
		return 0;
	}
}

/* Significant bytes of id, never more than there are. */
static inline size_t vk_id_bytes(const struct vk_scsi_disk_id *id)
{
	return id->len < VK_SCSI_ID_MAX ? id->len : VK_SCSI_ID_MAX;
}

#endif
