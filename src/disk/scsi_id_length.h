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

/*
 * Bytes of the designator in an id of type 2. One that is no NAA may be an EUI of 8 or 16 bytes: which type
 * carries those was never seen, so they are not held against the header. 0 when the length fits nothing.
 */
static inline size_t vk_designator_bytes(const struct vk_scsi_disk_id *id)
{
	size_t naa = vk_naa_bytes(id);
	size_t rest = id->len;

	if (naa != 0)
		return naa;
	rest = rest > VK_SCSI_MODEL_TAIL_BYTES ? rest - VK_SCSI_MODEL_TAIL_BYTES : 0;
	return rest == 8 || rest == 16 ? rest : 0;
}

/* Significant bytes of id, never more than there are. */
static inline size_t vk_id_bytes(const struct vk_scsi_disk_id *id)
{
	return id->len < VK_SCSI_ID_MAX ? id->len : VK_SCSI_ID_MAX;
}

#endif
