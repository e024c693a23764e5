/* SPDX-License-Identifier: Apache-2.0 */
/* The LVM region of one device as a case: what was found, who can be believed, and what it should say. */
#ifndef VK_REBUILD_LVM_CASE_H
#define VK_REBUILD_LVM_CASE_H

#include "evidence/lvm/belief.h"
#include "evidence/tally.h"
#include "rebuild/header/mend.h"

/* PE bitmaps and tables of the main region, whatever the header says. */
struct vk_pe_survey {
	bool held;
	uint64_t bitmap_ones;
	bool bitmap_plain;     /* there are some, and they are the first bits of the bitmaps */
	uint64_t entries;      /* number of the last entry that is one, and 1 */
	uint64_t good;         /* entries that are used and carry their own number */
	uint64_t bytes;        /* sum of their lengths */
	struct vk_majority data_offset, first_pe, volume_id;
	bool full;             /* all of the main region is used: there is more elsewhere */
};

/*
 * Sizes are in units of 256 MiB. Proved: at least two independent fields say so, and more than all that say otherwise.
 */
struct vk_lvm_sizes {
	uint64_t data_offset;
	uint64_t total_bytes;
	uint64_t device_pes;   /* that the device has */
	uint64_t first_pe;
	uint64_t volume_pes;   /* of the volume on this device */
	uint64_t logical_pes;  /* of the whole volume */
	uint64_t entries;      /* in use in the PE table; those of LVM6 are of free lengths */
	bool several;          /* the volume has other extents */
	bool several_open;     /* it cannot be told whether it has */
	bool first_open;       /* contradiction about the first extent; then pes_open, too */
	bool pes_open;         /* those who say how many extents there are contradict each other, none leads */
	bool offset_proved, first_proved, device_proved, volume_proved, one_proved, entries_proved;
	bool covered;          /* LVM6: the entries as they are cover the volume without a gap */
	char offset_from[160], pes_from[160], volume_pes_from[160], total_from[160], first_from[160];
	enum vk_field_origin total_origin;
	bool large;            /* extended metadata: main tables do not tell all */
};

enum { VK_LVM_EXTS_MAX = 64 };
struct vk_lvm_case {
	struct vk_header_work *work;
	uint8_t device_raw[512], volume_raw[VK_LVM_VOLUME_BYTES];
	struct vk_lvm_device d0, d;       /* as it is, as it should be */
	struct vk_lvm_volume v0, v;
	struct vk_fs_descriptor fs;
	struct vk_fs_descriptor doubtful; /* what lies where it belongs, when it is not believed */
	uint64_t fs_at, volume_at;
	bool device_believed, volume_believed, fs_believed;
	unsigned volume_score;
	bool six;                         /* laid out as LVM6 */
	/* two fields say whether it is, and its alignment; or the volume descriptor lies there */
	bool six_proved;
	uint32_t alignment;               /* of LVM6 */
	struct vk_lvm_geometry geometry;
	struct vk_pe_survey survey;
	struct vk_lvm_ext_at exts[VK_LVM_EXTS_MAX]; /* extended metadata, as far as its chain can be followed */
	size_t ext_count;
	struct vk_lvm_sd names[VK_LVM_SD_ENTRIES]; /* of the members, in the SD table */
	size_t name_count;
	uint64_t ext_found_at;            /* where it begins when the header does not say; 0: not found */
	struct vk_lvm_sizes sizes;
	struct vk_mending device, disk_id, volume;
	const struct vk_known_header *capture;  /* of this device; NULL: none */
	const struct vk_vmfs *earlier;          /* decoded in it */
	const struct vk_known_header *member;   /* another extent of the volume; NULL: none */
	const struct vk_lvm_volume *sibling;    /* what the volume descriptors of all other extents say; NULL: none */
	struct vk_lvm_volume elected;           /* that is it */
	bool elected_proved[VK_MEND_FIELDS_MAX];  /* of each field that all extents have alike: two witnesses agree */
};

/* Read and judge everything that says something. */
void vk_lvm_case_open(struct vk_header_work *work, struct vk_lvm_case *ret_case);
void vk_pe_survey_read(struct vk_lvm_case *c);
/* Follow extended metadata from there on. */
void vk_lvm_exts_read(struct vk_lvm_case *c, uint64_t at);

/* Captures and other extents that were given. Both may set d and v before relations are looked at. */
void vk_lvm_known_find(struct vk_lvm_case *c);
void vk_lvm_known_apply(struct vk_lvm_case *c);
/* The volume that such a source shows; NULL: no sound one. */
const struct vk_vmfs *vk_lvm_known_decoded(const struct vk_known_header *known);
/* Whether an extent with a sound volume is of the same one; with no identity left the caller's word is taken. */
bool vk_lvm_member_fits(const struct vk_lvm_case *c, const struct vk_known_header *known);
/* Ask all extents that were given what they have alike, and set what this device should have of it. */
void vk_lvm_members_ask(struct vk_lvm_case *c);
void vk_lvm_members_apply(struct vk_lvm_case *c);

/*
 * Decide the sizes from everybody who says something about them. VK_ABSENT: nobody says; VK_UNSUPPORTED: several
 * extents and no header.
 */
VK_MUST_USE enum vk_status vk_lvm_sizes_decide(struct vk_lvm_case *c, struct vk_error *err);
/* The fields, once the sizes are known. */
void vk_lvm_volume_mend(struct vk_lvm_case *c);
void vk_lvm_device_mend(struct vk_lvm_case *c);
void vk_lvm_disk_id_mend(struct vk_lvm_case *c);
/* Whether type, length and bytes of an id agree. */
bool vk_lvm_disk_id_sound(const struct vk_scsi_disk_id *id);
/*
 * Whether two more signs than its major version say that this header is of LVM5 or 6, which leave vendor and level
 * empty.
 */
bool vk_lvm_five_proved(const struct vk_lvm_case *c);
/* The same of the header as it is going to be. */
bool vk_lvm_five_likely(const struct vk_lvm_case *c);
/* Whether the volume table has one entry in use: a second one that nobody filled does not count. */
bool vk_lvm_one_volume(const struct vk_lvm_case *c);
/* Which of the volumes of the device this is, and whether two fields say so. */
uint32_t vk_lvm_volume_id(const struct vk_lvm_case *c, bool *ret_proved);
/* Bytes that are all zero or all ones say nothing. */
static inline bool vk_told32(uint32_t value)
{
	return value != 0 && value != UINT32_MAX;
}
static inline bool vk_told64(uint64_t value)
{
	return value != 0 && value != UINT64_MAX;
}
/* Put the tables that differ from what they should be, and their verdict. Errors: as vk_work_put. */
VK_MUST_USE enum vk_status vk_lvm_tables_put(struct vk_lvm_case *c, struct vk_error *err);

/* A UUID of that second that says by itself that it was made new: the same for the same volume on every run. */
void vk_lvm_fresh_uuid(const struct vk_lvm_case *c, const char *what, uint32_t seconds,
		       struct vk_vmfs_uuid *ret_uuid);
/* When the volume was made, Unix seconds, and who says so; 0: nobody. */
uint32_t vk_lvm_made_at(const struct vk_lvm_case *c, const char **ret_from);
#endif
