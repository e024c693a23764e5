/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition whose headers are being mended: what the parts of the planner (LVM region, file-system descriptor,
 * heartbeats) share. Offsets are bytes from the start of the partition throughout; nothing outside of it can be put.
 */
#ifndef VK_REBUILD_HEADER_WORK_H
#define VK_REBUILD_HEADER_WORK_H

#include <string.h>

#include "evidence/lvm/belief.h"
#include "evidence/self/report.h"
#include "rebuild/header/mend.h"
#include "rebuild/header/volume_identity.h"

/* The classes of repair's writer that headers belong to (vk_write_class): what makes a volume recognised comes last. */
enum vk_header_class { VK_HEADER_CLASS_TABLES = 4, VK_HEADER_CLASS_FS = 5, VK_HEADER_CLASS_LVM = 6 };

/* PE bitmaps and tables of the main region, whatever the header says. */
struct vk_pe_survey {
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
	struct vk_ballot offset;      /* of the data, in bytes */
	struct vk_ballot first;       /* extent of the volume on this device */
	struct vk_ballot device;      /* extents of the device */
	struct vk_ballot volume;      /* extents of the volume on this device */
	struct vk_ballot entries;     /* in use in the PE table; those of LVM6 are of free lengths */
	uint64_t total_bytes;
	enum vk_field_origin total_origin;
	const char *total_from;
	bool several, several_open;   /* the volume has other extents; it cannot be told whether it has */
	bool one_proved;
	bool first_open;       /* contradiction about the first extent; then pes_open, too */
	bool pes_open;         /* those who say how many extents there are contradict each other, none leads */
	bool covered;          /* LVM6: the entries as they are cover the volume without a gap */
	bool large;            /* extended metadata: main tables do not tell all */
};

enum { VK_LVM_EXTS_MAX = 64 };
struct vk_header_work {
	struct vk_overlay *overlay;
	struct vk_io *base;     /* the disk as it is */
	struct vk_io *window;   /* the partition, with everything put so far; byte 0 is its first */
	uint64_t start_bytes;   /* of the partition on the disk */
	uint64_t length_bytes;  /* of the partition; 0: not known */
	bool length_proved;     /* an entry of a GPT whose checksums are right says so */
	uint64_t room_bytes;    /* of the window: length_bytes, or up to the end of the disk */
	uint32_t sector_size;
	const struct vk_rebuild_header_options *options; /* never NULL */
	struct vk_vmfs vmfs;    /* the window as it was decoded last */
	bool vmfs_borrowed;     /* it is the source's */
	bool is_decoded;        /* nothing was put since then */
	struct vk_findings findings; /* of that decoding; offsets in the window */
	struct vk_self_report self;
	/* which volume this is, by the LVM part; of what is not proved, nothing may be copied */
	struct vk_volume_identity identity;
	/* that the volume was not changed since the capture is not proved: of what may change it proves nothing */
	bool capture_old;
	bool capture_untied;    /* nothing that is left says that the capture shows this volume: only the caller does */
	struct vk_rebuild_header *header; /* the result in the making */
	bool no_memory;         /* a text or a field could not be kept: the whole ends with VK_NOMEM */

	/* The LVM region, as it stands there. */
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

	/* The file-system descriptor, once the LVM region is sound. */
	struct vk_fs_work {
		struct vk_mending m;
		uint8_t sector[VK_FS_SECTOR_BYTES];
		struct vk_fs_descriptor was, is;
		bool trusted; /* this is the descriptor: a field stays unless something speaks against it */
		const struct vk_lvm_volume *lv; /* NULL: the LVM volume is not known */
		const struct vk_fs_descriptor *capture; /* as a capture of this volume shows it; NULL: none does */
		uint8_t capture_sector[VK_FS_SECTOR_BYTES];
	} fsd;
};

/* Bytes that are all zero or all ones say nothing. */
static inline bool vk_told32(uint32_t value)
{
	return value != 0 && value != UINT32_MAX;
}
static inline bool vk_told64(uint64_t value)
{
	return value != 0 && value != UINT64_MAX;
}

/*
 * The host in a UUID that is made new: a locally administered address that no host has; it spells "vmfsk". Such a UUID
 * is no witness of anything: neither its time nor its host tells of another field.
 */
extern const uint8_t vk_made_here[6];
static inline bool vk_uuid_made_here(const struct vk_vmfs_uuid *uuid)
{
	return memcmp(uuid->b + 10, vk_made_here, sizeof(vk_made_here)) == 0;
}

/* Whether the caller wants that structure looked after. */
bool vk_work_wants(const struct vk_header_work *work, enum vk_header_structure structure);
/*
 * The version of the file system that the caller named (fs_major); 0: none, or heartbeats or a sound LVM header
 * contradict it, which is noted.
 */
unsigned vk_work_asked_major(struct vk_header_work *work);

/* Exactly len bytes of the window; false when any of them is absent or unreadable. */
bool vk_work_get(struct vk_header_work *work, uint64_t offset, void *buf, size_t len);
/*
 * The same for what is going to be written: sectors that the device cannot deliver are taken for zeros, which nothing
 * is concluded from, and it is told that they are lost. Guard "unreadable" decides whether they are written.
 */
bool vk_work_get_anew(struct vk_header_work *work, uint64_t offset, void *buf, size_t len);
/*
 * Put bytes, not necessarily whole sectors: what shares a sector with them stays. reason is static text. Errors: VK_IO
 * (a sector cannot be read), VK_INTERNAL (outside the partition), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_work_put(struct vk_header_work *work, uint64_t offset,
				       const void *bytes, size_t len, const char *reason,
				       enum vk_header_class write_class, struct vk_error *err);

/*
 * Say that a field of the structure at structure_bytes changes. was and is are C structs of that layout, NULL where
 * there is nothing to show. An origin that is not exact also sets header->guessed.
 */
void vk_work_field(struct vk_header_work *work, const struct vk_layout *layout,
		   const struct vk_field *field, uint64_t structure_bytes, enum vk_field_origin origin,
		   const void *was, const void *is, const char *from);
/* The same for len_bytes bytes from at_bytes on: whole structures of that layout, one behind the other. */
void vk_work_range(struct vk_header_work *work, const struct vk_layout *layout, uint64_t at_bytes,
		   uint64_t len_bytes, enum vk_field_origin origin, const char *from, ...)
	__attribute__((format(printf, 6, 7)));
/* Whether this plan changes that field of a structure, as far as it is recorded: then it is no witness for another. */
bool vk_work_changes(const struct vk_header_work *work, const struct vk_layout *layout, const char *field_name);
/* Whole sentences with a final full stop, none twice. */
void vk_work_lost(struct vk_header_work *work, const char *sentence, ...)
	__attribute__((format(printf, 2, 3)));
void vk_work_note(struct vk_header_work *work, const char *sentence, ...)
	__attribute__((format(printf, 2, 3)));
void vk_work_verdict(struct vk_header_work *work, enum vk_header_structure structure,
		     enum vk_structure_state state, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The parts, in this order; the window is decoded anew before each of them. Each sets the verdicts of its structures,
 * records every field it changes, and puts nothing when it cannot know. Errors: as vk_rebuild_header.
 */
VK_MUST_USE enum vk_status vk_rebuild_lvm(struct vk_header_work *work, struct vk_error *err);
/* FS_DESCRIPTOR; work->vmfs.fs_offset_bytes is where it belongs once the LVM region is sound. */
VK_MUST_USE enum vk_status vk_rebuild_fs(struct vk_header_work *work, struct vk_error *err);
/* HEARTBEATS: slots that are neither free nor in use become free; never one in use. */
VK_MUST_USE enum vk_status vk_rebuild_heartbeats(struct vk_header_work *work, struct vk_error *err);

/* Of the LVM part. Read and judge everything that says something. */
void vk_lvm_case_open(struct vk_header_work *c);
/* Follow extended metadata from there on. */
void vk_lvm_exts_read(struct vk_header_work *c, uint64_t at);

/* Captures and other extents that were given. Both may set d and v before relations are looked at. */
void vk_lvm_known_find(struct vk_header_work *c);
void vk_lvm_known_apply(struct vk_header_work *c);
/* The volume that such a source shows; NULL: no sound one. */
const struct vk_vmfs *vk_lvm_known_decoded(const struct vk_known_header *known);
/* Whether an extent with a sound volume is of the same one; with no identity left the caller's word is taken. */
bool vk_lvm_member_fits(const struct vk_header_work *c, const struct vk_lvm_volume *other);
/* Ask all extents that were given what they have alike, and set what this device should have of it. */
void vk_lvm_members_ask(struct vk_header_work *c);
void vk_lvm_members_apply(struct vk_header_work *c);

/*
 * Decide the sizes from everybody who says something about them. VK_ABSENT: nobody says; VK_UNSUPPORTED: several
 * extents and no header.
 */
VK_MUST_USE enum vk_status vk_lvm_sizes_decide(struct vk_header_work *c, struct vk_error *err);
/* The fields, once the sizes are known. */
void vk_lvm_volume_mend(struct vk_header_work *c);
void vk_lvm_device_mend(struct vk_header_work *c);
void vk_lvm_disk_id_mend(struct vk_header_work *c);
/* Whether type, length and bytes of an id agree. */
bool vk_lvm_disk_id_sound(const struct vk_scsi_disk_id *id);
/*
 * Whether two more signs than its major version say that a header is of LVM5 or 6, which leave vendor and level empty;
 * and whether that holds of the one that stands there.
 */
bool vk_lvm_five_likely(struct vk_header_work *c, bool *ret_proved);
/* Whether the volume table has one entry in use: a second one that nobody filled does not count. */
bool vk_lvm_one_volume(struct vk_header_work *c);
/* Which of the volumes of the device this is. */
struct vk_ballot vk_lvm_volume_id(struct vk_header_work *c);
/* Put the tables that differ from what they should be, and their verdict. Errors: as vk_work_put. */
VK_MUST_USE enum vk_status vk_lvm_tables_put(struct vk_header_work *c, struct vk_error *err);

/* A UUID of that second that says by itself that it was made new: the same for the same volume on every run. */
void vk_lvm_fresh_uuid(struct vk_header_work *c, const char *what, uint32_t seconds, struct vk_vmfs_uuid *ret_uuid);
/* When the volume was made, Unix seconds, and who says so; 0: nobody. */
uint32_t vk_lvm_made_at(const struct vk_header_work *c, const char **ret_from);

/* Of the file-system descriptor. */
enum { VK_FS_DENSE = 4, VK_FS_LOCAL = 0x100 };

/*
 * An exact origin wants two witnesses besides the field that agree, neither of them put by this plan. A value must not
 * hang on that, or a second run would change more than the first.
 */
static inline enum vk_field_origin vk_fs_by(bool two_witnesses)
{
	return vk_origin_if(two_witnesses, VK_FIELD_COPY);
}

/* Judge a group of fields each, and set those that cannot be right. The version first: others depend on it. */
bool vk_fs_judge_version(struct vk_header_work *w); /* false: nothing tells the version */
void vk_fs_judge_magic(struct vk_header_work *w);
void vk_fs_judge_sizes(struct vk_header_work *w);
void vk_fs_judge_identity(struct vk_header_work *w);
void vk_fs_judge_config(struct vk_header_work *w);
void vk_fs_judge_label(struct vk_header_work *w);
/* What VMFS 5 and 6 have behind the sizes, where it is lost. */
void vk_fs_judge_later(struct vk_header_work *w);

static inline const struct vk_self_fact *vk_fs_fact(const struct vk_header_work *w, enum vk_self_fact_id id)
{
	return &w->self.facts[id];
}

#endif
