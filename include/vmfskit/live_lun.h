/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host says of a LUN now, and the SCSI_DiskId that ESX would record of it. It comes from INQUIRY and its pages
 * 80h (unit serial number) and 83h (device identification), from sysfs, from a name, or from the saved output of
 * esxcli storage core device list, esxcfg-scsidevs -l and -m, esxcfg-mpath -l.
 */
#ifndef VMFSKIT_LIVE_LUN_H
#define VMFSKIT_LIVE_LUN_H

#include "vmfskit/io.h"
#include "vmfskit/scsi_id.h"

__BEGIN_DECLS

enum { VK_LUN_NAMES_MAX = 8, VK_LUN_PATHS_MAX = 32 };

/* Start from zeros: nothing is known. */
struct vk_live_lun {
	char name[VK_SCSI_NAME_BYTES]; /* as ESX shows it: naa., eui., t10., mpx. or uuid.; empty: not known */
	/*
	 * What ESX would record. type: of which kind; its other members count only as far as the rest says: deviceType
	 * always, id and len with id_known, the last six bytes of id (model) with model_known, lun with lun_known.
	 */
	struct vk_scsi_disk_id id;
	bool kind_known;
	bool id_known;
	bool model_known;
	bool lun_known;
	/* every designator of this LUN, the chosen one first */
	char names[VK_LUN_NAMES_MAX][VK_SCSI_NAME_BYTES];
	size_t name_count;
	uint16_t luns[VK_LUN_PATHS_MAX]; /* its number on the paths of this host: each once, in order */
	size_t lun_count;
	char model[17];                  /* of INQUIRY, blanks at the end trimmed; empty: not known */
	char volume[40];                 /* from esxcfg-scsidevs -m: UUID of the file system on it; empty: not said */
};

/* Bytes of INQUIRY and its pages, each as long as it could be read; NULL and 0: there is none. */
struct vk_lun_pages {
	const uint8_t *inquiry, *page80, *page83;
	size_t inquiry_len, page80_len, page83_len;
};
/*
 * Of pages that may be cut, lie about their lengths, or be hostile: a designator that does not fit its page or its kind
 * is passed over, and one of a target port or a target is none of the LUN. Chosen is NAA of 16 bytes before 5, 2 and
 * 3, then EUI-64, T10, the SCSI name string, then the serial number.
 */
void vk_live_lun_of_pages(const struct vk_lun_pages *pages, struct vk_live_lun *ret_lun);

/*
 * Of the block device that a handle reads: sysfs, and SG_IO (INQUIRY, nothing else) where sysfs has no pages. Of a
 * partition it is its disk, of a multipath device its paths. False: it is no block device, or nothing tells.
 */
bool vk_live_lun_of_io(const struct vk_io *io, struct vk_live_lun *ret_lun);

/* Whether a text is meant as a name: it begins with vml., naa., eui., t10., mpx. or uuid. */
bool vk_live_lun_is_name(const char *text);
/* Errors: VK_USAGE, it is no such name, or not a whole one. */
VK_MUST_USE enum vk_status vk_live_lun_of_name(const char *name, struct vk_live_lun *ret_lun, struct vk_error *err);

struct vk_live_luns {
	struct vk_live_lun *items;
	size_t count;
};
/*
 * The devices of a saved text, in its order; what it repeats is put together. The bytes are those of anybody. Errors:
 * VK_USAGE (no device in it), VK_UNSUPPORTED (more than 4096), VK_NOMEM. Free with vk_live_luns_free.
 */
VK_MUST_USE enum vk_status vk_live_luns_of_text(const char *text, size_t len, struct vk_live_luns *ret_luns,
						struct vk_error *err);
void vk_live_luns_free(struct vk_live_luns *luns);

__END_DECLS
#endif
