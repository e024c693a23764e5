/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the LUN that a header was written for? An LVM header records the LUN on which ESX last accepted the volume:
 * a kind of id, its bytes, and the LUN number. A live LUN has a name, and a number under which a host sees it. This
 * is the one answer to how the two relate; what follows from it (a replica, an incident, a repair) is decided by who
 * asks.
 *
 * Which names can be compared:
 * - "naa." with "naa.", and "serial " with "serial ". What a header records of a serial number is never compared with
 *   a live "t10." name, which spells the same in other words.
 * - "eui." with "eui.", as far as they are equal. ESX records the path of such a device; a designator that looks like
 *   an EUI is inferred from damaged or unknown bytes, so that a difference says nothing.
 * - Nothing else. "mpx." is a place on a host, which another LUN can have.
 * - Names of two lengths only so far that a person should look: a LUN can have a designator of 8 bytes and one of 16,
 *   and every host chooses. Whose capture it is, they do not tell.
 * - A name that is inferred from an id whose length does not fit (vk_scsi_disk_id_name: not certain) can be the same,
 *   but is no evidence for another LUN. Letters are compared without their case. Vendor, model and the model's six
 *   characters are no part of it: array firmware changes them. The number is no name: it may be another on each host,
 *   and only old releases of ESX hold it against a volume.
 */
#ifndef VK_EVIDENCE_IDENTITY_H
#define VK_EVIDENCE_IDENTITY_H

#include "vmfskit/scsi_id.h"

enum vk_lun_relation {
	VK_LUN_NOT_COMPARABLE, /* a side has no name, or names of two kinds: nothing is known */
	VK_LUN_SAME,
	VK_LUN_OTHER_LENGTH,   /* "naa." names of 8 and of 16 bytes: another LUN, or the same by its other designator */
	VK_LUN_OTHER_NUMBER,   /* the same LUN under another number than the header records */
	VK_LUN_OTHER           /* a name of the same kind, and another one: presented anew, a replica, or a copy */
};

/* What a host says of a LUN now. */
struct vk_live_lun {
	const char *name;    /* naa., eui. or what sysfs calls wwid; empty: it has none */
	bool number_known;
	uint16_t number;
};

/* Two names, as vk_scsi_disk_id_name or the kernel write them. Never VK_LUN_OTHER_NUMBER. */
enum vk_lun_relation vk_lun_relate_names(const char *recorded, const char *live);
/*
 * An id in a header against the live LUN. ret_name is what the header calls it (vk_scsi_disk_id_name), empty when
 * nothing is recorded.
 */
enum vk_lun_relation vk_lun_relate(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live,
				   char ret_name[VK_SCSI_NAME_BYTES]);

#endif
