/* SPDX-License-Identifier: Apache-2.0 */
/* One diagnosis in progress: what is known of the disk, what must stand where, and what stands there. */
#ifndef VK_DOCTOR_DOCTOR_H
#define VK_DOCTOR_DOCTOR_H

#include "vmfskit/doctor.h"
#include "vmfskit/of_disk.h"

/* Everything is judged in pieces of this size, whatever the sectors of the disk are. */
enum { VK_UNIT_BYTES = 512, VK_SUBJECTS_MAX = 64, VK_AREAS_MAX = 8192, VK_INTRUDERS_MAX = 64,
      VK_CHUNK_BYTES = 64 << 10 };

/* Where other bytes than zeros stand in a place that is usually empty: nothing by itself. */
#define VK_DAMAGE_STRANGE ((enum vk_damage)(VK_DAMAGE_UNREADABLE + 1))

enum vk_area_kind {
	VK_AREA_EMPTY,      /* zeros, on every volume seen */
	VK_AREA_STRUCTURE,  /* one structure; judged as a whole */
	VK_AREA_PE_BITMAP,
	VK_AREA_PE_TABLE,
	VK_AREA_HEARTBEATS,
	VK_AREA_LOCKS,      /* a lock at each multiple of the stride */
	VK_AREA_OPAQUE      /* only a capture can tell */
};

/* A stretch of the disk and what is expected of it. */
struct vk_area {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	enum vk_area_kind kind;
	const struct vk_layout *layout; /* of a structure */
	size_t subject;        /* index; SIZE_MAX: of the disk */
	enum vk_part part;
	enum vk_damage whole;  /* of a structure: what its checks say */
	const char *how;       /* of one that is damaged: in which way; NULL: nothing more is known; static */
	uint8_t *expected;     /* of a structure: what must stand there, length_bytes; NULL: not known; owned */
	bool proved;           /* a checksum proves `whole` or `expected` */
	bool somewhere;        /* a structure that is wrong, but nothing tells where */
	uint64_t blamed;       /* then: its units that are, a bit for each of the first 64 */
	/* hosts or administrators change it: a difference from the capture is no damage by itself */
	bool may_change;
	uint64_t stride_bytes; /* of locks and heartbeats */
	uint64_t volume_offset;/* of the first byte of locks and heartbeats */
	uint64_t index;        /* number of the first PE */
	uint32_t lock_type;
	uint32_t at_least;     /* so many of the first locks exist on every volume */
	const char *symbol;    /* a letter for the map, "" for what is not drawn; static */
	char *undo;            /* its signature was put away by vmfskit wipe: what takes that back; owned, or NULL */
	size_t name_length;    /* of `what` without the volume that it is of */
	char what[80];
};

/* Neighbouring units of one area with one verdict. */
struct vk_stretch {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	enum vk_damage damage;
	size_t area; /* index; SIZE_MAX: a mark of an intruder */
	size_t intruder; /* of a mark */
};

/* A VMFS partition of this disk, wherever it is known from. */
struct vk_subject {
	uint64_t start_bytes;
	size_t vmfs;             /* index in the source */
	uint64_t length_bytes;   /* 0: not known */
	bool named;              /* the table that systems see has it, as VMFS */
	const struct vk_candidate *candidate; /* may be NULL */
	const struct vk_vmfs *was;            /* in the capture; may be NULL */
	struct vk_lvm_device lvm;             /* the best that is known of its header */
	bool lvm_known;
	bool lvm_fits;                        /* and no check objects to it: others may be judged by it */
	bool lost_six;           /* it is not, but its tables lie where LVM6 has them: an entry may be of any length */
	bool magic_only;         /* of its header only the magic is gone */
	bool fs_magic_only;
	bool alive;
	bool left_over;          /* the table names others and not this one, of which only a header is there */
};

struct vk_known_capture {
	bool found;
	struct vk_capture capture;
	struct vk_source source;
	struct vk_io *io; /* in the offsets of the disk */
};

struct vk_doctor {
	const char *path;
	const struct vk_doctor_options *options;
	struct vk_diagnosis *d;
	struct vk_source source;
	bool opened;
	bool either;            /* it can be read as a partition, too */
	struct vk_find find;
	struct vk_known_capture known;
	struct vk_disk_facts facts; /* while captures are looked for */
	char copy_of[VK_CAPTURE_ID_BYTES]; /* newest capture of another LUN with a volume of this disk; empty: none */
	char copy_why[400];
	bool passed_over_doubt; /* d->passed_over_id is whole, only not vouched for */
	bool state_saved;       /* a sound capture holds the disk as it is now, damaged */
	char may_be[200];       /* LUN of the newest capture that may be of this disk; empty: none */
	bool may_be_several;    /* there are captures of several such LUNs */
	struct vk_subject subjects[VK_SUBJECTS_MAX];
	size_t subject_count;

	struct vk_area *areas; /* sorted, no two overlap */
	size_t area_count;
	struct vk_stretch *stretches; /* sorted, no two overlap */
	size_t stretch_count;

	bool gpt_expected;      /* the disk has, or had, a GPT */
	bool store_absent;      /* the store that was named is not there */
	bool table_foreign;     /* the table is another system's */
	bool cut_into;          /* the disk was cut short, and with it a partition or a volume */
	bool names_some;        /* the table that systems see names a volume */
	bool table_written;     /* something that is a table, or was one, is expected */
	bool windows;           /* and that is Windows */
	char foreign_table[120];/* what it holds */
	/* intruders, by index in find.foreign: their bytes lie where a volume's should, */
	bool confirmed[VK_INTRUDERS_MAX];
	bool certain[VK_INTRUDERS_MAX]; /* and they came after it: they hit something, or say when they were made */

	bool unread;            /* something that was asked for cannot be read */
	bool table_objected;    /* the checks of decode object to the table; to what a volume says */
	bool volume_objected;

	struct vk_finding not_kept; /* one that no memory could be had for */
	enum vk_status status;
	struct vk_error *err;
};

/* case.c. Always false, so that it can be returned; keeps the first error. */
bool vk_doctor_fail(struct vk_doctor *doc, enum vk_status status, const char *what);
/* Read len bytes; what is missing is zeroed. Returns how many came without a gap. */
size_t vk_doctor_read(struct vk_doctor *doc, uint64_t offset, void *buf, size_t len);
/* The length that a GPT entry gives it whose checksum fits; 0: none does. */
uint64_t vk_proved_length(const struct vk_doctor *doc, const struct vk_subject *subject);

/* The first finding of the diagnosis with this code; NULL: none. */
const struct vk_finding *vk_doctor_has(const struct vk_doctor *doc, enum vk_finding_code code);
/*
 * Add a finding, and return it so that more can be said of it; it stays there until the next one is added. Never
 * NULL.
 */
struct vk_finding *vk_doctor_report(struct vk_doctor *doc, enum vk_finding_code code, uint64_t offset, uint64_t length,
				    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The number of the sector that holds a byte of the disk. */
unsigned long long vk_doctor_sector(const struct vk_doctor *doc, uint64_t offset);

_Static_assert(offsetof(struct vk_area, offset_bytes) == 0 && offsetof(struct vk_stretch, offset_bytes) == 0 &&
		       offsetof(struct vk_subject, start_bytes) == 0,
	       "they are sorted by what they begin with");
/* Sort areas, stretches or subjects by their place on the disk, which each of them begins with. */
void vk_doctor_sort(void *items, size_t count, size_t size);

/* captures.c: the newest good capture of this disk. */
void vk_doctor_find_capture(struct vk_doctor *doc);
/* Which structures are without signature because vmfskit wipe put it away, by the undo captures that it took. */
void vk_doctor_find_wipes(struct vk_doctor *doc);
void vk_known_capture_close(struct vk_known_capture *known);

/* subjects.c: the VMFS partitions, from table, candidates and capture; those that no table names are decoded. */
bool vk_doctor_add_subjects(struct vk_doctor *doc);

/*
 * Of an area that meets one in the list nothing is added: the first claim counts. NULL: not added; the pointer lasts
 * until the next area is added. vk_area_append does not ask what is claimed.
 */
struct vk_area *vk_area_append(struct vk_doctor *doc, const struct vk_area *area);
struct vk_area *vk_area_add(struct vk_doctor *doc, enum vk_area_kind kind, enum vk_part part, size_t subject,
			    uint64_t offset, uint64_t length, const char *symbol, const char *what, ...)
	__attribute__((format(printf, 8, 9)));
/* Whether one of these partitions is a volume that was found. */
bool vk_doctor_names_any(const struct vk_doctor *doc, const struct vk_partition *list, size_t count);

/* areas.c, areas_table.c, areas_gpt.c */
bool vk_doctor_plan_areas(struct vk_doctor *doc);
bool vk_doctor_plan_table(struct vk_doctor *doc);
void vk_doctor_plan_gpt(struct vk_doctor *doc);

/*
 * judge_structure.c: what the checks of header, descriptors and the like say; sets whole, expected, proved,
 * may_change.
 */
void vk_judge_structure(struct vk_doctor *doc, struct vk_area *area);
/* Whether no check objects to what an LVM header says by itself. */
bool vk_header_fits(const struct vk_lvm_device *device, size_t seen_bytes);
/*
 * Whether the LVM metadata was written by a host since the capture: its header is consistent and of a later
 * generation.
 */
bool vk_generation_grew(const struct vk_doctor *doc, const struct vk_subject *subject);

/* Whether the LVM region is of one volume, and the file system of another. */
bool vk_of_two_volumes(const struct vk_doctor *doc, const struct vk_subject *subject);

/* Whether the header gives another length than the partition entry, which a checksum proves. */
bool vk_length_contradicts(const struct vk_doctor *doc, const struct vk_subject *subject);

/* judge_unit.c: one unit by itself. */
enum vk_damage vk_judge_unit(const struct vk_doctor *doc, const struct vk_area *area, uint64_t offset,
			     const uint8_t *unit);

/* survey.c: every unit of every area, compared with the capture too. */
bool vk_doctor_survey(struct vk_doctor *doc);
bool vk_stretch_add(struct vk_doctor *doc, const struct vk_stretch *stretch);

/* intruders.c: whose the wrong bytes are. */
bool vk_doctor_blame(struct vk_doctor *doc);

/* heartbeats.c, replica.c */
bool vk_doctor_listen(struct vk_doctor *doc);
void vk_doctor_ask_identity(struct vk_doctor *doc);
void vk_doctor_look_for_stripes(struct vk_doctor *doc, const struct vk_subject *subject);

/* ranges.c: stretches become the ranges of the diagnosis. */
void vk_doctor_draw(struct vk_doctor *doc);
static inline bool vk_damage_is_harm(enum vk_damage damage)
{
	return damage == VK_DAMAGE_DAMAGED || damage == VK_DAMAGE_ZERO || damage == VK_DAMAGE_FOREIGN;
}
/* Which stretches are meant. */
struct vk_filter {
	unsigned parts;      /* bits of vk_part; 0: any */
	size_t subject;      /* of a volume; SIZE_MAX: any */
	const struct vk_layout *layout; /* NULL: any */
	const struct vk_layout *but;    /* any but this */
	int kind;            /* -1: any */
	bool own;            /* none that another system is blamed for */
	const struct vk_foreign *foreign; /* not NULL: all it is blamed for, and its marks; else it does not count */
};
enum { VK_AREAS_USED = -2 }; /* as kind: any but empty ones */
/* First and last byte of the harm among those that filter means (NULL: all); false: none. */
struct vk_harm {
	uint64_t first_bytes;
	uint64_t last_bytes;
	uint64_t wrong_bytes;
	uint64_t zero_bytes; /* of these */
	uint64_t gap_from_bytes; /* the widest stretch between first and last without harm; both 0 when none is wide */
	uint64_t gap_to_bytes;   /* where the harm goes on */
};
bool vk_doctor_harm(const struct vk_doctor *doc, const struct vk_filter *filter, struct vk_harm *ret_harm);
/* "sectors 0 to 33 and 41943007 to 41943039": where harm lies, in one or two pieces. */
void vk_doctor_put_sectors(const struct vk_doctor *doc, const struct vk_harm *harm, struct vk_text *text);

/* files.c: the files that damaged ranges belong to, of all volumes. */
VK_MUST_USE enum vk_status vk_doctor_name_files(struct vk_diagnosis *diagnoses, size_t count,
						const struct vk_volume *volumes, size_t volume_count,
						struct vk_error *err);

/* reading.c */
/* Of a later piece of a split dump: the path of the first one; NULL: it is none. */
const char *vk_doctor_first_piece(const struct vk_doctor *doc);
/* Whether what is read is a disk to be judged: the source's own bytes, or the disk in it. */
bool vk_doctor_judges(const struct vk_doctor *doc);
/* Says what the source is where that is not a disk of its own. Before anything else is said. */
void vk_doctor_report_reading(struct vk_doctor *doc);
/* Whether the capture of this disk, which is another system's now, has a volume. */
bool vk_doctor_was_datastore(const struct vk_doctor *doc);

/* incidents.c, taken_over.c, sentences.c, advise.c */
void vk_doctor_name_incidents(struct vk_doctor *doc);
/* Behind the incidents: the findings of decode that none of them tells. Where they lie nothing is called consistent. */
void vk_doctor_take_over(struct vk_doctor *doc);
void vk_doctor_say(struct vk_doctor *doc);
void vk_doctor_advise(struct vk_doctor *doc);

#endif
