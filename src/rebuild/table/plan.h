/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the steps of the table planner share. Each source of knowledge (the table that stands, captures, what was found,
 * the layouts of boot disks) proposes entries; those of one start are one partition; what overlaps is settled by how
 * strongly each holds its sectors.
 */
#ifndef VK_REBUILD_TABLE_PLAN_H
#define VK_REBUILD_TABLE_PLAN_H

#include "base/checked.h"
#include "evidence/gpt/judge.h"
#include "evidence/mbr/mbr_now.h"
#include "vmfskit/rebuild_table.h"

/* How strongly a proposal holds its sectors. */
enum vk_claim {
	VK_CLAIM_DOUBTFUL, /* an entry that no checksum proves */
	VK_CLAIM_VOTES,    /* a volume of which only self-locating blocks are left */
	VK_CLAIM_CAPTURE,
	VK_CLAIM_GAP,      /* a boot disk has it, and it fits between two that were seen */
	VK_CLAIM_TABLE,    /* an entry of the table that stands */
	VK_CLAIM_FS,       /* a damaged volume with its descriptor */
	VK_CLAIM_HEADER,   /* a damaged volume with its LVM header */
	VK_CLAIM_CONTENTS, /* its contents were seen */
	VK_CLAIM_LIVING,
	VK_CLAIM_STANDING, /* an entry that stands, proved or confirmed: it gives way to nothing but a wish */
	VK_CLAIM_ASKED     /* the caller wants it */
};

enum vk_proposed_by {
	VK_PROPOSED_MBR, /* the table that stands, with what is left of its chain */
	VK_PROPOSED_GPT, /* what both copies say */
	VK_PROPOSED_CAPTURE,
	VK_PROPOSED_OLDER, /* a backup GPT of an earlier time, where nothing else of a table is left */
	VK_PROPOSED_FOUND,
	VK_PROPOSED_LAYOUT
};

struct vk_proposal {
	struct vk_planned_entry entry; /* number 0: not known */
	enum vk_proposed_by by;
	enum vk_claim claim;
	unsigned rank;  /* of those with the same start or number, the lowest is believed first */
	bool stands;    /* needs nothing on the disk that confirms it */
	bool local;     /* VMFS-L */
	bool open_end;  /* a volume whose length nothing says: sectors are the least */
	bool end_alone; /* only the volume's own header says where it ends */
	bool has_entry; /* the rest of a GPT entry (partition.entry) or of an MBR entry (raw) is known */
	uint8_t raw[VK_MBR_ENTRY_BYTES]; /* of an MBR */
	uint64_t least_sectors;          /* the volume needs; 0: not known */
	uint64_t told_sectors;           /* the volume's header says; 0: nothing */
	const struct vk_foreign *holds;  /* of a proved entry: the other system's whole data that begins with it */
	uint64_t ebr_lba;                /* of a logical one: its boot record; 0: not known */
	bool ebr_exact;
	unsigned sure_percent;
	char name[48]; /* where it was read: "the backup GPT", "capture ..." */
};

struct vk_table_plan {
	const struct vk_source *source;
	const struct vk_find *find;
	const struct vk_rebuild_table_options *options;
	struct vk_overlay *overlay;
	uint32_t sector_size;
	uint64_t disk_sectors;
	uint64_t first_usable, last_usable; /* of the label that was chosen */
	struct vk_gpt_judgement gpt;
	struct vk_gpt_image image; /* a GPT that is to stand */
	bool gpt_judged;           /* false: the disk is too small for one */
	struct vk_mbr_now mbr;
	bool chain_whole;              /* nothing was found wrong with the chain of boot records */
	bool chain_stands;             /* the plan has all that it has and nothing else: it is not touched */
	bool mbr_names, gpt_names;     /* it names a volume that was found */
	bool mbr_foreign, gpt_foreign; /* it lies over volumes and names none of them */
	bool table_ours;               /* the table that systems use now may be believed */
	unsigned capture_rank; /* of the newest capture whose table names a volume that was found, else of the newest */
	const struct vk_known_table *capture; /* that one; NULL: none has a partition */
	bool capture_names;                   /* ... and it names a volume */
	struct vk_proposal *items;
	size_t count;
	struct vk_rebuild_table *out;
	bool disk_id_asked, disk_id_known; /* identify_disk */
	uint8_t disk_id[16];
	bool nomem; /* a note or proposal was lost for want of memory */
};

#define VK_EACH_PROPOSAL(p, plan) \
	for (struct vk_proposal *p = (plan)->items; p != NULL && p < (plan)->items + (plan)->count; p++)

/* Appended to a list of the plan, once each; a few hundred at most. */
void vk_table_say(struct vk_table_plan *plan, char ***list, size_t *count, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define vk_table_note(plan, ...) vk_table_say(plan, &(plan)->out->notes, &(plan)->out->note_count, __VA_ARGS__)
#define vk_table_lost(plan, ...) vk_table_say(plan, &(plan)->out->lost, &(plan)->out->lost_count, __VA_ARGS__)
/* A value that is put and not known: what, and what is put instead. */
#define vk_table_doubt(plan, ...) vk_table_say(plan, &(plan)->out->doubts, &(plan)->out->doubt_count, __VA_ARGS__)
/* Append a proposal; append to out->entries. */
void vk_table_propose(struct vk_table_plan *plan, const struct vk_proposal *proposal);
void vk_table_planned(struct vk_table_plan *plan, const struct vk_planned_entry *entry);
/* Append to entry.why. */
void vk_proposal_why(struct vk_proposal *proposal, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
typedef unsigned long long ull; /* for printing */
static inline ull vk_proposal_start(const struct vk_proposal *p)
{
	return p->entry.partition.start_sector;
}
static inline uint64_t vk_proposal_end(const struct vk_proposal *p)
{
	return vk_add_sat(vk_proposal_start(p), p->entry.partition.sectors);
}
static inline bool vk_proposal_is_volume(const struct vk_proposal *p)
{
	return p->entry.candidate != SIZE_MAX;
}
/* What people call its type. */
const char *vk_proposal_type(const struct vk_proposal *p);
/*
 * Whether an entry is about the volume that begins with it. One of another type is when it ends where the volume does:
 * then somebody changed the type; else it is a partition of another system that begins there by chance.
 */
bool vk_proposal_names(const struct vk_proposal *volume, const struct vk_proposal *entry);
/* Whether the caller asked for this start, or does not want it. */
bool vk_table_included(const struct vk_table_plan *plan, uint64_t sector);
bool vk_table_excluded(const struct vk_table_plan *plan, uint64_t sector);

/* The sources of proposals. */
void vk_table_from_gpt(struct vk_table_plan *plan);
void vk_table_from_mbr(struct vk_table_plan *plan);
void vk_table_from_captures(struct vk_table_plan *plan);
void vk_table_from_older(struct vk_table_plan *plan);
/* Whether older GPTs are heard: nothing is left of the last one, and no table that stands names a volume. */
bool vk_table_hears_older(const struct vk_table_plan *plan);
VK_MUST_USE enum vk_status vk_table_from_found(struct vk_table_plan *plan, struct vk_error *err);
VK_MUST_USE enum vk_status vk_table_from_layouts(struct vk_table_plan *plan, struct vk_error *err);
/* Sorted by start; a volume that was found is the first of its start. */
void vk_table_sort(struct vk_table_plan *plan);
/* The volume that was found that begins there, of a sorted plan; NULL: none does. */
const struct vk_proposal *vk_table_volume_at(const struct vk_table_plan *plan, uint64_t sector);
/* Whether what stands is ours or another system's; sets claims of what it proposed. */
void vk_table_judge_standing(struct vk_table_plan *plan);
/* Decide out->kind and why. VK_USAGE, VK_ABSENT. */
VK_MUST_USE enum vk_status vk_table_choose_label(struct vk_table_plan *plan, struct vk_error *err);
/* One proposal for each start. */
void vk_table_merge(struct vk_table_plan *plan);
/*
 * None overlaps another, all inside the usable range; sorted by start. VK_USAGE: undecidable; VK_REFUSED: an entry that
 * stands would have to go.
 */
VK_MUST_USE enum vk_status vk_table_settle(struct vk_table_plan *plan, struct vk_error *err);

/* Prepare plan->image and the usable range of the label that was chosen. */
VK_MUST_USE enum vk_status vk_table_prepare(struct vk_table_plan *plan, struct vk_error *err);
/* Give numbers, GUIDs and names, fill out->entries, and put it on the overlay. */
VK_MUST_USE enum vk_status vk_table_put_gpt(struct vk_table_plan *plan, struct vk_error *err);
VK_MUST_USE enum vk_status vk_table_put_mbr(struct vk_table_plan *plan, struct vk_error *err);
/* Which partitions of an MBR are logical, their numbers, where their boot records stand. */
VK_MUST_USE enum vk_status vk_table_arrange_mbr(struct vk_table_plan *plan, struct vk_error *err);

/* The type of a partition in the other kind of table; false: it has none. */
VK_MUST_USE bool vk_table_type_to_mbr(const struct vk_guid *type, uint8_t *ret_type);
VK_MUST_USE bool vk_table_type_to_gpt(uint8_t type, struct vk_guid *ret_type);
enum { VK_GPT_NAME_BYTES = 72 };
/* The name of a GPT entry: ASCII, or NULL: none, as the ESXi tools leave it (one NUL and 0xFFFF behind it). */
void vk_table_gpt_name(const char *name, uint8_t ret_name[VK_GPT_NAME_BYTES]);
enum { VK_TABLE_NUMBERS = VK_GPT_ENTRIES_MAX_BYTES / VK_GPT_ENTRY_BYTES };
/*
 * Numbers up to most that are known stay, those of the best rank first, each once; the others are counted in the order
 * of the disk, and are 0 when there are no more. The extended partition of an MBR, whose number is known or 0, has its
 * turn before the partition of that index (SIZE_MAX: there is none); logical ones of an MBR are not asked. VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_table_number(struct vk_table_plan *plan, unsigned most, unsigned *extended, size_t turn,
					   struct vk_error *err);

/*
 * Put image on overlay in the classes of io/write_class.h: backup, primary, MBR. Only what differs becomes an edit;
 * ret_rewritten (VK_TP_COUNT of them, may be NULL) says which parts do. Errors: VK_USAGE (an entry lies outside the
 * usable range or overlaps another; the table would lie over itself or over an entry; the overlay's disk has another
 * size or a sector size that cannot hold it), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_gpt_put(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool *ret_rewritten,
				      struct vk_error *err);

#endif
