/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition table that fits what was found and what of the old table is still sound, put on an overlay. Nothing
 * here writes; repair.h applies it.
 */
#ifndef VMFSKIT_REBUILD_TABLE_H
#define VMFSKIT_REBUILD_TABLE_H

#include "vmfskit/find.h"
#include "vmfskit/overlay.h"
#include "vmfskit/table_parts.h"

__BEGIN_DECLS

struct vk_planned_entry {
	struct vk_partition partition; /* number, place, type; of a GPT the whole entry */
	enum vk_entry_origin origin;
	bool bytes_exact;    /* as it stood, byte for byte: a checksum proves it, or a capture has it */
	bool stands;         /* of an MBR: the plan leaves its bytes as they are */
	bool length_exact;   /* two that were not damaged together agree in it; false: a guess, see why */
	bool length_said; /* not exact, but somebody says it: the entry that stands, the volume's header, or the layout
			     of a boot disk */
	bool length_rounded; /* not exact, but no guess either: the volume's last byte lies in its last sector */
	bool number_exact;   /* false: counted from 1 in the order of the disk */
	bool guid_fresh;     /* the unique GUID survived nowhere; derived from the volume, the same on every run */
	size_t candidate;    /* index in vk_find; SIZE_MAX: none */
	char why[240];
};

/* A table that is known from elsewhere. Borrowed. */
struct vk_known_table {
	const struct vk_source *source; /* of the capture */
	const char *name;               /* "capture 20261121T020000Z-lun3" */
	uint64_t disk_bytes;            /* the disk's length then; 0: not known */
};

struct vk_rebuild_table_options {
	enum vk_table_kind label;       /* NONE: what the evidence says */
	const uint64_t *include_sectors;/* starts of ghosts that are wanted all the same */
	size_t include_count;
	const uint64_t *exclude_sectors;/* starts that are not wanted */
	size_t exclude_count;
	/*
	 * The table counts in larger sectors than the source has: count it in these, those of the source. 0: a table
	 * that counts in others is left alone.
	 */
	uint32_t convert_sectors;
	const struct vk_known_table *known; /* the newest first */
	size_t known_count;
};

struct vk_rebuild_table {
	enum vk_table_kind kind;
	char why_kind[240];
	uint32_t sector_size;
	uint64_t disk_sectors;
	struct vk_guid disk_guid;       /* GPT */
	uint32_t converted_from;        /* GPT: it counted in sectors of this size; 0: in those of the disk */
	uint64_t grown_from_sectors;    /* GPT: the copy that counts is of a disk of so many sectors; 0: of this one, or
					   there is none */
	bool disk_guid_fresh;
	bool disk_guid_guessed;         /* of one damaged header, which nothing proves */
	uint64_t first_usable_lba, last_usable_lba; /* GPT */
	struct vk_table_part_verdict parts[VK_TP_COUNT]; /* as the disk is now */
	struct vk_planned_entry *entries; /* by number */
	size_t entry_count;
	char **lost;                    /* what cannot be brought back: whole sentences */
	size_t lost_count;
	char **doubts; /* values that the plan puts and that are not known to be what stood there: sentences */
	size_t doubt_count;
	char **notes;                   /* what else a person should know, one sentence each */
	size_t note_count;
	const char *layout;             /* "ESXi 7 or 8 boot disk", NULL: none; static */
	bool nothing_to_do;             /* every part is sound or consistent, and they agree */
	bool guessed;                   /* a byte that changes is not known to be what stood there (guard "guess") */
};

/*
 * Decide the table and put it on overlay, whose base is source's disk. Write classes are those of restore (backup GPT
 * first, MBR last of the table). Never proposes entries that overlap or reach past the disk. Errors: VK_ABSENT (nothing
 * was found that a table could name; err says what to try), VK_USAGE (a label that cannot express it; two choices that
 * cannot both be; nothing to convert), VK_REFUSED (what stands would have to go: an entry that is proved, bytes where a
 * boot record would be put, a table that counts in other sectors; err says where and what to do), VK_IO, VK_NOMEM. Free
 * with vk_rebuild_table_free.
 */
VK_MUST_USE enum vk_status vk_rebuild_table(const struct vk_source *source,
					    const struct vk_find *find,
					    const struct vk_rebuild_table_options *options,
					    struct vk_overlay *overlay,
					    struct vk_rebuild_table *ret_table, struct vk_error *err);
void vk_rebuild_table_free(struct vk_rebuild_table *table);

__END_DECLS
#endif
