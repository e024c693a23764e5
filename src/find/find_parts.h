/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the search share: starts that were heard of, and candidates at work. */
#ifndef VK_FIND_FIND_PARTS_H
#define VK_FIND_FIND_PARTS_H

#include "find/scan/scan.h"
#include "vmfskit/find.h"

enum {
	VK_CANDIDATES_MAX = 1024, /* that are judged */
	VK_TABLE_STARTS_MAX = 512,
	VK_DELTAS_MAX = 24,
	VK_VOTES_COUNT = 8        /* fewer blocks than these are no evidence of a volume */
};

/* Who named a start. */
enum vk_heard {
	VK_HEARD_NOBODY,
	VK_HEARD_MBR,
	VK_HEARD_EBR,
	VK_HEARD_GPT_PRIMARY,
	VK_HEARD_GPT_BACKUP,
	VK_HEARD_GPT_TAIL, /* of the disk whose end the image is */
	VK_HEARD_HINT,
	VK_HEARD_GPT_OLDER /* of the disk when it was shorter, or before its table was made anew */
};

/* A length that somebody gives it. */
struct vk_said {
	uint64_t bytes;
	enum vk_heard heard;
	unsigned number; /* of the entry; index of the hint */
};
enum { VK_SAID_MAX = 6 };

/* A place where a partition may begin. */
struct vk_seed {
	int64_t start;          /* on the disk; negative: before it */
	unsigned found_by;
	uint64_t claimed_bytes;
	enum vk_heard heard;
	unsigned number;        /* of the entry; index of the hint */
	bool sound;             /* a VMFS entry of a sound copy of the table */
	struct vk_said others[VK_SAID_MAX]; /* what else was said of this start */
	size_t other_count;
	int score;              /* of the cheap test */
	bool later; /* of a later extent of a volume, of which only blocks are left: volume offset 0 is at delta */
	int64_t delta;
};
struct vk_seeds {
	struct vk_seed *items;
	size_t count;
	bool failed; /* memory ran out */
};

/* A candidate at work. */
struct vk_probe {
	struct vk_candidate c;
	int64_t start;
	struct vk_lvm_device lvm;  /* what the rest is located by: the header, mended where one field is damaged */
	bool magic;                /* the LVM magic is there */
	bool ext_like;             /* the fields of extended metadata make sense */
	bool fs_magic;
	uint64_t proved_bytes; /* of its length: more than one part of the volume says so; the rest is in one field */
	struct vk_said said[VK_SAID_MAX + 1]; /* lengths that tables and hints give it */
	size_t said_count;
	const struct vk_probe *clipped_by; /* begins where this one is made to end; NULL: its length is its own */
	bool has_pes;              /* the PE tables were read and agree */
	uint64_t agree, disagree;  /* self-locating blocks where its own should be */
	uint64_t slots_agree;      /* heartbeat slots of those that agree */
	int64_t deltas[VK_DELTAS_MAX]; /* places of volume offset 0 on the disk that its extents amount to */
	size_t delta_count;
	uint64_t ext_at[8];        /* disk offsets of its extended metadata */
	size_t ext_count;
	bool judged_ghost;
};

struct vk_finder {
	const struct vk_source *source;
	const struct vk_find_options *options;
	struct vk_io *io;
	uint64_t size_bytes;
	uint64_t end_bytes;        /* where the disk ends: behind size_bytes when only the beginning of it is here */
	bool may_be_part;          /* nothing says that the disk ends where the source does */
	struct vk_probe *probes;
	size_t count;
	size_t left_out;
	uint64_t budget_bytes;     /* left to be read from PE tables of the candidate at work */
	const struct vk_vote *votes;
	size_t vote_count;
	const struct vk_foreigners *foreign;
};

/*
 * Bytes at a place of the disk that may lie before it; how many there are. Sectors that cannot be read are not there.
 */
size_t vk_find_get(const struct vk_finder *f, int64_t at, void *buf, size_t len);

/* Starts to look at before anything else; the marks of a scan, with a cheap test of each. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_seeds_likely(const struct vk_finder *f, struct vk_seeds *seeds,
					   struct vk_error *err);
VK_MUST_USE enum vk_status vk_seeds_marks(const struct vk_finder *f, const struct vk_scan *scan,
					  struct vk_seeds *seeds, struct vk_error *err);
/* What older backup GPTs name, from the one of index first on. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_seeds_older(const struct vk_finder *f, const struct vk_find *found, size_t first,
					  struct vk_seeds *seeds, struct vk_error *err);
/*
 * Older backup GPTs where the scan met a header; behind the beginnings and the ends of the volumes that are known.
 * Appended to found->older. VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_older_gpt_marks(const struct vk_finder *f, const struct vk_scan *scan,
					      struct vk_find *found, struct vk_error *err);
VK_MUST_USE enum vk_status vk_older_gpt_likely(const struct vk_finder *f, struct vk_find *found, struct vk_error *err);
/* One for each start, the best VK_CANDIDATES_MAX of them, by start; returns how many were left out. */
size_t vk_seeds_settle(struct vk_seeds *seeds);

/* Read what stands around a start. False: nothing does. */
bool vk_probe_read(struct vk_finder *f, const struct vk_seed *seed, struct vk_probe *ret_probe);
/* PE bitmaps and tables, within the budget; fills has_pes, deltas and the row. */
void vk_probe_pes(struct vk_finder *f, struct vk_probe *p);
/* Whether some of these bytes are not in the source, or could not be read: nothing is known of them. */
bool vk_find_beyond(const struct vk_finder *f, int64_t at, size_t len);
/* The rows that follow from what was read; votes and foreign signatures are added by the calls below. */
void vk_judge_rows(const struct vk_finder *f, struct vk_probe *p);
void vk_judge_foreign(const struct vk_finder *f, struct vk_probe *p);
/* When all standings are known: what they are where the best reading is another system's disk. */
void vk_judge_others(const struct vk_finder *f);
/* Its length: what is proved, what the header says, and who else says so; fills the row and what depends on it. */
void vk_judge_length(const struct vk_finder *f, struct vk_probe *p);
/* Where it ends at the latest by what can be believed of it, from its start on. */
uint64_t vk_probe_reach(const struct vk_probe *p);
/* "entry 1 of the primary GPT", "capture 2026...-lun3"; empty for nobody. */
void vk_heard_text(const struct vk_finder *f, enum vk_heard heard, unsigned number, struct vk_text *out);
__attribute__((format(printf, 4, 5)))
void vk_judge_row(struct vk_probe *p, enum vk_find_check check, enum vk_verdict verdict,
		  const char *seen, ...);

/* Whether locks and heartbeats agree with it. */
bool vk_probe_self(const struct vk_probe *p);
/* Whether all that decides holds, whatever lies around it. */
bool vk_probe_whole(const struct vk_probe *p);

/* What it is and why; inside: index of what it lies in, SIZE_MAX: nothing. */
__attribute__((format(printf, 4, 5)))
void vk_stand(struct vk_probe *p, enum vk_standing standing, size_t inside, const char *why, ...);
/* A magic, and no volume: which kind of ghost, or too little of it in the source to tell. */
void vk_ghost_dismiss(const struct vk_finder *f, struct vk_probe *p);
/* An earlier format: now, whose index is given, lies over it. */
void vk_ghost_earlier(struct vk_probe *p, const struct vk_probe *now, size_t now_index);
/* It begins in the data of an accepted volume and ends there. */
void vk_ghost_inside(const struct vk_finder *f, struct vk_probe *p, const struct vk_probe *outer, size_t outer_index);
void vk_ghost_outside(struct vk_probe *p);
/* A volume of which a file that may be the beginning of a disk does not hold the end. False: it is none. */
bool vk_stand_in_part(const struct vk_finder *f, struct vk_probe *p);
/*
 * Byte behind outer_start where the disk of a virtual machine begins whose partition this is: a table there names its
 * start. An EBR looks the same but for what only a disk has; sure asks for that. UINT64_MAX: none.
 */
uint64_t vk_nested_table(const struct vk_finder *f, const struct vk_probe *p, int64_t outer_start, bool sure);

/* Standing, why and sureness of all of them; and their order. */
VK_MUST_USE enum vk_status vk_judge_standings(struct vk_finder *f, struct vk_error *err);

#endif
