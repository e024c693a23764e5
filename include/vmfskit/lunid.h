/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the LUN that a volume was written for? The one judge of it: of the SCSI_DiskId in an LVM header, what the LUN
 * says of itself now, and the id that a capture saw. What it finds, what releases of ESX do about it, and the remedies.
 *
 * Which names can be compared:
 * - "naa." with "naa.", and "serial " with "serial ". What a header records of a serial number is never compared with
 *   a live "t10." name, which spells the same in other words.
 * - "eui." with "eui.", as far as they are equal. ESX records the path of such a device; a designator that looks like
 *   an EUI is inferred from damaged or unknown bytes, so that a difference says nothing.
 * - Paths only where both are those that ESX gave. Else "mpx." is a place on a host, which another LUN can have.
 * - Names of two lengths only so far that a person should look: a LUN can have a designator of 8 bytes and one of 16,
 *   and every host chooses. Whose capture it is, they do not tell.
 * - A name that is inferred from an id whose length does not fit (vk_scsi_disk_id_name: not certain) can be the same,
 *   but is no evidence for another LUN. Letters are compared without their case.
 */
#ifndef VMFSKIT_LUNID_H
#define VMFSKIT_LUNID_H

#include "vmfskit/live_lun.h"
#include "vmfskit/source.h"

__BEGIN_DECLS

enum vk_lun_relation {
	VK_LUN_NOT_COMPARABLE, /* a side has no name, or names of two kinds: nothing is known */
	VK_LUN_SAME,
	VK_LUN_OTHER_LENGTH,   /* "naa." names of 8 and of 16 bytes: another LUN, or the same by its other designator */
	VK_LUN_OTHER_KIND,     /* a path or a serial number is recorded, and ESX takes another kind now, or reversed */
	VK_LUN_OTHER           /* a name of the same kind, and another one: presented anew, a replica, or a copy */
};

/* Two names, as vk_scsi_disk_id_name or the kernel write them. Never VK_LUN_OTHER_KIND. */
enum vk_lun_relation vk_lun_relate_names(const char *recorded, const char *live);
/* An id in a header against the live LUN. Numbers and models are no part of it. */
enum vk_lun_relation vk_lun_relate(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live);

/*
 * Findings of one id at offset_bytes: lunid.match, lun-changed, designator-changed, model-changed, kind-changed,
 * length-wrong, not-comparable. live: NULL, it is not known.
 */
void vk_lunid_judge(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live, uint64_t offset_bytes,
		    const struct vk_finding_sink *sink);
/*
 * The same as a machine that is no ESX host may judge a LUN that it sees: the LUN number and the path are its own, and
 * only what is wrong is said.
 */
void vk_lunid_judge_elsewhere(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live,
			      uint64_t offset_bytes, const struct vk_finding_sink *sink);

/* One extent: a VMFS partition of a source, and what is known of the LUN under it. */
struct vk_lunid_extent {
	const struct vk_source *source; /* borrowed */
	size_t vmfs;                    /* index in it */
	bool live_known;
	struct vk_live_lun live;
	bool captured_known;
	struct vk_scsi_disk_id captured;
	bool alive;                     /* a host's heartbeat changed between two looks */
	bool watched;                   /* it was looked at twice, or no slot was in use */
	char who[200];                  /* that host */
};
const struct vk_vmfs *vk_lunid_vmfs(const struct vk_lunid_extent *extent);
/* Where its disk id lies in the source. */
uint64_t vk_lunid_offset(const struct vk_lunid_extent *extent);

/*
 * Findings about the volumes that the extents form: lunid.conflict, extent-missing, extent-doubled,
 * resignature-pending, resignature-done. Two nodes of one LUN are one LUN.
 */
VK_MUST_USE enum vk_status vk_lunid_judge_volumes(const struct vk_lunid_extent *extents, size_t count,
						  const struct vk_finding_sink *sink, struct vk_error *err);
/*
 * Look at the heartbeats of all extents, and once more wait_ms later where a slot is in use; 0: one look only. Sets
 * alive, watched and who. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_lunid_listen(struct vk_lunid_extent *extents, size_t count, unsigned wait_ms,
					   struct vk_error *err);

/* Whether the volume that an extent belongs to may be mounted by force here and now. */
enum vk_lunid_mount { VK_LUNID_MOUNT_NO, VK_LUNID_MOUNT_UNKNOWN, VK_LUNID_MOUNT_MAY };
/* found: what vk_lunid_judge_volumes said; ret_why: the reasons, as sentences without full stops. */
enum vk_lunid_mount vk_lunid_may_mount(const struct vk_lunid_extent *extents, size_t count, size_t index,
				       const struct vk_findings *found, struct vk_text *ret_why);

/* The fields of the ids side by side. Texts are empty where a side does not tell. */
enum { VK_LUNID_ROWS = 6 };
struct vk_lunid_row {
	const char *field;
	char recorded[VK_SCSI_NAME_BYTES];
	char live[VK_SCSI_NAME_BYTES];
	char captured[VK_SCSI_NAME_BYTES];
	bool differs; /* live from recorded */
};
void vk_lunid_rows(const struct vk_lunid_extent *extent, struct vk_lunid_row ret_rows[VK_LUNID_ROWS]);

/* What ESX 3, 4, 5, 6, 7 and 8 do by default; "not known" where nothing public says it. NULL: no such finding. */
enum { VK_LUNID_RELEASES = 6, VK_LUNID_RELEASE_FIRST = 3 };
#define VK_LUNID_NOT_KNOWN "not known"
const char *const *vk_lunid_esx(enum vk_finding_code code);

/* One remedy. They stand in the order of harm. */
enum vk_lunid_harm { VK_LUNID_LOOK, VK_LUNID_STORAGE, VK_LUNID_MOUNT, VK_LUNID_RESIGNATURE };
struct vk_lunid_remedy {
	enum vk_lunid_harm harm;
	const char *on;        /* "any array", "COMSTAR", "ESX 3", ... */
	const char *what;      /* one sentence */
	const char *command;   /* lines; NULL: words only */
	const char *set_back;  /* lines that undo its settings; NULL: there are none */
};
/* The remedy number index of a finding; NULL: there are no more. */
const struct vk_lunid_remedy *vk_lunid_remedy(enum vk_finding_code code, size_t index);
const char *vk_lunid_harm_name(enum vk_lunid_harm harm); /* "look", "storage", "mount", "resignature" */
/*
 * A text of a remedy with its {fields} filled in: lun, id, ID, name, model as recorded, live, live_lun, live_id,
 * LIVE_ID, uuid of the file system. What is not known is written in capitals, for a person to fill in.
 */
void vk_lunid_fill(const char *text, const struct vk_lunid_extent *extent, struct vk_text *out);

__END_DECLS
#endif
