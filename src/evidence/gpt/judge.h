/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a GPT, part by part: which bytes are proved, by what, and which are lost. Both copies are read again
 * from the source, at every place that any of them names and with both sector sizes, because a table is
 * damaged exactly where others look for it.
 */
#ifndef VK_REBUILD_GPT_JUDGE_H
#define VK_REBUILD_GPT_JUDGE_H

#include "rebuild/table/gpt_put.h"
#include "vmfskit/rebuild_table.h"

/* How the whole array of entries is known. The better comes first. */
enum vk_gpt_proof {
	VK_GPT_PROOF_CRC,     /* bytes of one array, and a header's checksum, or what is left of one, fits them */
	VK_GPT_PROOF_PIECED,  /* entries of both arrays, and a header's checksum fits the whole */
	VK_GPT_PROOF_BIT,     /* one array with one bit put back, and a header's checksum fits it */
	VK_GPT_PROOF_RIVALLED, /* a header's checksum fits one, but another whole table stands, and nothing proves which is newer */
	VK_GPT_PROOF_EQUAL,   /* no header's checksum fits, but both arrays hold the same */
	VK_GPT_PROOF_OLDER,   /* whole, but of an earlier time: the checksum that counts fits nothing */
	VK_GPT_PROOF_SINGLE,  /* entry by entry */
	VK_GPT_PROOF_NONE     /* no entry is known */
};
/* Whether the array is byte for byte what was written last. Two that are alike may have been damaged alike. */
static inline bool vk_gpt_proof_exact(enum vk_gpt_proof proof)
{
	return proof <= VK_GPT_PROOF_BIT;
}

/* An entry in use, as far as it can be known. */
struct vk_gpt_judged_entry {
	struct vk_partition partition; /* entry_offset_bytes: where it was read */
	enum vk_entry_origin origin;   /* PRIMARY, BACKUP, BOTH, or FOUND when a candidate's end proved it */
	bool exact;          /* byte for byte what was written last: a checksum proves it */
	bool alike;          /* no checksum does, but both arrays hold it */
	size_t candidate;    /* candidate of vk_find, not a ghost, that begins where it does; SIZE_MAX: none */
	bool length_fits;    /* ... and is exactly as long */
	bool suspicious;     /* not exact and not confirmed by a candidate: of both arrays the more plausible */
	char why[200];
};

struct vk_gpt_judgement {
	bool was_gpt;                 /* some part of a GPT is there */
	bool foreign_mbr;             /* sector 0 is an MBR with partitions of its own and protects nothing */
	char why[240];                /* both, in one sentence */
	uint32_t sector_size;         /* what the table counts in */
	bool sector_size_differs;     /* the device has another: systems do not see this table there */
	char why_sector_size[200];
	uint64_t disk_sectors;        /* of sector_size */
	bool cut;                     /* the source ends before the disk does: disk_sectors is the table's word, nothing can be put */
	struct vk_table_part_verdict parts[VK_TP_COUNT]; /* EBR stays unused; rewritten stays false */
	int used;                     /* the copy that systems use as the disk is now: 0 primary, 1 backup, -1 none */
	int right;                    /* the copy that counts, -1: none alone */
	char why_right[240];
	uint64_t grown_from_sectors;  /* the table that counts is of a disk of so many sectors; 0: of this one */
	uint64_t mbr_from_sectors;    /* sector 0 is of a disk of so many: a header at its end says so; 0: of this one, or not known */

	struct vk_gpt_image image;    /* the best that can be known, always usable; for disk_sectors unless cut */
	bool header_exact;            /* disk GUID and numbers of a header that its checksum proves */
	bool places_known;            /* ... and where both arrays lie follows from it, or they were seen there */
	bool disputed;                /* two headers, or a header and an array, tell of different entries, and nothing of which is newer */
	bool disk_guid_known;         /* else image has the nil GUID, or that of one damaged header, which nothing proves */
	bool usable_known;            /* else the usual range */
	enum vk_gpt_proof proof;
	struct vk_gpt_judged_entry *entries; /* by number */
	size_t entry_count;
	bool entries_lost;            /* there were (or may have been) entries that nothing tells of any more */
	unsigned fits_found;          /* entries that begin where a volume was found */
	unsigned mbr_fits_found;      /* the same of the MBR's own entries */
	bool sound;                   /* every part is sound, sector 0 consistent, and they agree: nothing to do */
	char **lost;                  /* whole sentences */
	size_t lost_count;
	char **notes;
	size_t note_count;
};

/*
 * Judge a decoded disk. find may be NULL. Damage is never an error. Errors: VK_IO (environment), VK_NOMEM, VK_USAGE (the
 * source is too small to hold a GPT: ret_judgement is not filled). Free with vk_gpt_judgement_free.
 */
VK_MUST_USE enum vk_status vk_gpt_judge(const struct vk_source *source, const struct vk_find *find,
					struct vk_gpt_judgement *ret_judgement,
					struct vk_error *err);
void vk_gpt_judgement_free(struct vk_gpt_judgement *judgement);

#endif
