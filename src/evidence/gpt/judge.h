/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a GPT, part by part: which bytes are proved, by what, and which are lost. Both copies are read again
 * from the source, at every place that any of them names and with both sector sizes, because a table is
 * damaged exactly where others look for it.
 */
#ifndef VK_EVIDENCE_GPT_JUDGE_H
#define VK_EVIDENCE_GPT_JUDGE_H

#include "evidence/gpt/image.h"
#include "evidence/gpt/look.h"
#include "evidence/known_start.h"
#include "vmfskit/table_parts.h"

/* How the whole array of entries is known. The better comes first. */
enum vk_gpt_proof {
	VK_GPT_PROOF_CRC,      /* bytes of one array, and a header's checksum, or what is left of one, fits them */
	VK_GPT_PROOF_PIECED,   /* entries of both arrays, and a header's checksum fits the whole */
	VK_GPT_PROOF_BIT,      /* one array with one bit put back, and a header's checksum fits it */
	VK_GPT_PROOF_RIVALLED, /* a header's checksum fits one, but another whole table stands, and nothing proves which
				  is newer */
	VK_GPT_PROOF_EQUAL,    /* no header's checksum fits, but both arrays hold the same */
	VK_GPT_PROOF_OLDER,    /* whole, but of an earlier time: the checksum that counts fits nothing */
	VK_GPT_PROOF_SINGLE,   /* entry by entry */
	VK_GPT_PROOF_NONE      /* no entry is known */
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
	bool exact;                    /* byte for byte what was written last: a checksum proves it */
	bool alike;                    /* no checksum does, but both arrays hold it */
	size_t candidate;              /* index of the known start where it begins; SIZE_MAX: none */
	bool length_fits;              /* ... and is exactly as long */
	char why[200];
};

struct vk_gpt_judgement {
	bool was_gpt;             /* some part of a GPT is there */
	bool foreign_mbr;         /* sector 0 is an MBR with partitions of its own and protects nothing */
	char why[240];            /* both, in one sentence */
	uint32_t sector_size;     /* what the table counts in */
	bool sector_size_differs; /* the device has another: systems do not see this table there */
	char why_sector_size[200];
	uint64_t disk_sectors; /* of sector_size */
	bool cut; /* the source ends before the disk does: disk_sectors is the table's word, nothing can be put */
	struct vk_table_part_verdict parts[VK_TP_COUNT]; /* EBR stays unused; rewritten stays false */
	int used;  /* the copy that systems use as the disk is now: 0 primary, 1 backup, -1 none */
	int right; /* the copy that counts, -1: none alone */
	char why_right[240];
	uint64_t grown_from_sectors; /* the table that counts is of a disk of so many sectors; 0: of this one */
	uint64_t mbr_from_sectors; /* sector 0 is of a disk of so many: a header at its end says so; 0: of this one, or
				      not known */

	struct vk_gpt_image image; /* the best that can be known, always usable; for disk_sectors unless cut */
	bool header_exact;         /* disk GUID and numbers of a header that its checksum proves */
	bool places_known;         /* ... and where both arrays lie follows from it, or they were seen there */
	bool disputed; /* two headers, or a header and an array, tell of different entries, and nothing of which is
			  newer */
	bool disk_guid_known; /* else image has the nil GUID, or that of one damaged header, which nothing proves */
	bool usable_known;    /* else the usual range */
	enum vk_gpt_proof proof;
	struct vk_gpt_judged_entry *entries; /* by number */
	size_t entry_count;
	unsigned fits_found; /* entries that begin where a volume was found */
	bool sound;          /* every part is sound, sector 0 consistent, and they agree: nothing to do */
	char **lost;         /* whole sentences */
	size_t lost_count;
	char **notes;
	size_t note_count;

	/* what it rests on */
	struct vk_gpt_look look;
	const struct vk_known_start *starts; /* only while it is judged */
	size_t start_count;
	const struct vk_gpt_header_seen *chosen;   /* the header that counts; NULL: none can be trusted */
	const struct vk_gpt_array_seen *arrays[2]; /* primary and backup, where they belong; NULL: not looked at */
	const struct vk_gpt_array_seen *from;      /* BIT: the array that was mended */
	size_t bit;                                /* ... and its bit */
	bool adapted;                              /* PIECED: an end is that of a volume that was found */
	const char *newer; /* what tells of a table of after the last change of size; NULL: nothing */
	const struct vk_gpt_array_seen
		*rival;    /* it holds another whole table, and nothing proves that one to be older; NULL: none */
	bool rival_counts; /* ... and it was taken, because it fits the volumes better */
	bool contested;    /* both copies are whole, for this disk, and hold different entries */
};

/*
 * Judge a decoded disk. starts: where volumes begin, sorted; they say which of two tables fits. Damage is never an
 * error. Errors: VK_IO (environment), VK_NOMEM, VK_USAGE (the source is too small to hold a GPT). ret_judgement must
 * not move afterwards: it points into itself. Free with vk_gpt_judgement_free, unless this failed.
 */
VK_MUST_USE enum vk_status vk_gpt_judge(const struct vk_source *source, const struct vk_known_start *starts,
					size_t start_count, struct vk_gpt_judgement *ret_judgement,
					struct vk_error *err);
void vk_gpt_judgement_free(struct vk_gpt_judgement *judgement);

/*
 * Count a judged table in smaller sectors: image, entries, sector_size, disk_sectors and parts then are of the disk as
 * hosts with such sectors see it; look stays. Every partition keeps its bytes, number, GUIDs and name, the usable range
 * its bytes. VK_REFUSED: that would need a guess, or there is no room; the judgement is then of no more use.
 */
VK_MUST_USE enum vk_status vk_gpt_convert(struct vk_gpt_judgement *j, uint32_t sector_size, const char *path,
					  struct vk_error *err);

/* The entries that a header's checksum proves, all of them: look.array_bytes; NULL: no bytes are left that do. */
const uint8_t *vk_gpt_entries_of(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header);
/* What is known of 512 bytes of an array: repair changes those that are WRONG, and its guard `guess` holds what it does
 * elsewhere. */
enum vk_gpt_unit {
	VK_GPT_UNIT_PROVED,   /* a checksum proves what must stand there, and it stands there */
	VK_GPT_UNIT_WRONG,    /* ... and something else does */
	VK_GPT_UNIT_NONSENSE, /* nothing is proved, but no entry looks so */
	VK_GPT_UNIT_OPEN      /* nothing is proved */
};
enum vk_gpt_unit vk_gpt_judge_unit(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array,
				   size_t unit);

#endif
