/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the search for files that are gone share. Moments are gone through from the oldest to today. */
#ifndef VK_UNDELETE_UNDELETE_PARTS_H
#define VK_UNDELETE_UNDELETE_PARTS_H

#include "base/memory.h"
#include "vmfskit/undelete.h"

enum {
	VK_GONE_MAPS_MAX = UINT16_MAX,
	VK_GONE_RANGES_MAX = 1 << 23, /* of all files that are gone, and of one that is compared */
	VK_GONE_HITS = 1 << 18        /* that are kept until they are applied */
};

/* A file that maps know. */
struct vk_gone_key {
	uint32_t address, generation;
	uint64_t size_bytes;     /* in that map */
	uint16_t map;            /* that it is known from */
	uint16_t newest;         /* the newest that has it */
	bool disk;               /* a virtual disk: a map in which it is longer knows more */
	bool live;               /* a name leads to it today, or may */
	bool wished;
	bool taken;              /* its lines in that map were met: a second name adds nothing */
	uint32_t file;           /* its number of the files found, and one more; 0: none */
};
/* A file of today. */
struct vk_gone_live {
	uint64_t key;            /* address and generation */
	uint32_t ctime;          /* 0: not known */
};
/* Bytes of a file that is gone, of which it is not known yet who has them. None overlaps another. */
struct vk_gone_piece {
	uint64_t at, length, file_offset;
	uint32_t file;           /* of the files found */
	bool sub;                /* in a sub-block */
	bool unproved;           /* in some time until now it may have been used */
};
/* A part of a piece that somebody has. */
struct vk_gone_hit {
	size_t piece;
	uint64_t at, end;
	const char *by;          /* NULL: the file itself, at the same offset */
};
/* A file in one moment: which units it has, as a sum in which the order does not matter. */
struct vk_gone_sum {
	uint32_t address, generation;
	uint64_t units;
	uint64_t fresh;          /* of those that nobody had in the moment before */
};
/* One moment: a map, or today. */
struct vk_gone_moment {
	uint64_t *stamps[VK_CLUSTERS_KINDS];
	uint8_t *own;            /* a bit for each unit that a file has */
	struct vk_gone_sum *files; /* each once, sorted, when the moment was read */
	size_t file_count;
	bool whole;              /* all files and all of their runs are in it, of one moment */
	uint64_t sub_end;        /* size of .sbc.sf */
};
/* The time between two moments; all but the last three of VMFS 3 and 5. */
struct vk_gone_gap {
	bool accounted;          /* each generation that was given out is that of a file in the later moment */
	size_t losers;           /* files that lost units, or are gone */
	uint32_t address, generation; /* of the one of them; it gained none */
	/* of tokens of blocks, of sub-blocks */
	bool by_twos[2];         /* all are odd, as those of ESX are */
	bool by_units[2];        /* all grew by one for each unit that was taken or freed, as those of debugvmfs do */
	uint64_t cluster;        /* the one whose losers were counted last */
	size_t known;            /* so many */
	bool counted;
	uint64_t large;          /* the cluster of large blocks that was judged last */
	bool large_read, large_proved;
};

struct vk_gone_search {
	struct vk_fs *fs;
	const struct vk_undelete_known *known;
	size_t count;
	struct vk_undelete_wish wish;
	const struct vk_finding_sink *sink;
	struct vk_undelete out;
	struct vk_fs_clusters clusters; /* of today */
	/* a unit: a file block, then each sub-block */
	uint64_t block_bytes, blocks, subs;
	struct vk_fs_run *sbc;   /* of .sbc.sf today, by volume offset */
	size_t sbc_count;
	uint64_t *sub_ends;      /* of each map */
	struct vk_gone_key *keys; /* sorted */
	size_t key_count;
	struct vk_gone_live *live; /* what names lead to today; sorted */
	size_t live_count;
	struct vk_gone_piece *pieces, *new_pieces;
	size_t piece_count, new_count;
	size_t sorted;           /* of pieces; those behind are parts of them */
	struct vk_gone_hit *hits;
	size_t hit_count;
	uint64_t ranges_left;
	struct vk_gone_moment before, now;
	uint64_t *seen[VK_CLUSTERS_KINDS]; /* the last stamp of each cluster until now */
	uint32_t since;          /* the number of now */
	uint32_t *handed[2];     /* of each cluster of blocks, of sub-blocks: units that changed hands */
	/* the file whose runs come */
	struct {
		struct vk_file_map_file file;
		char path[VK_FS_PATH_BYTES];
		const char *by;          /* its path, once it was needed */
		struct vk_gone_sum sum;
		struct vk_gone_key *key; /* that is known from this map only; NULL: none */
		struct vk_fs_run *runs;  /* of it */
		size_t run_count;
		struct vk_fs_file *today; /* of one that is there, with the walk over it */
		struct vk_fs_walk *walk;
		struct vk_fs_run today_run;
		bool lost_some, kept_some; /* blocks that it has no more, or still has */
	} at;
	bool open;
	struct vk_error *err;
	enum vk_status status;
};

/* False, and the status of it. */
static inline bool vk_gone_no_memory(struct vk_gone_search *s)
{
	if (s->status == VK_OK)
		s->status = vk_no_memory(s->err, NULL);
	return false;
}

static inline bool vk_gone_bit(const uint8_t *bits, uint64_t i)
{
	return bits != NULL && (bits[i / 8] >> i % 8 & 1) != 0;
}

/* The units of the volume. */
bool vk_gone_units_open(struct vk_gone_search *s);
/* Unit of the byte at, and where it ends; UINT64_MAX: in none. sub_end: how long .sbc.sf is in that moment. */
uint64_t vk_gone_unit(const struct vk_gone_search *s, uint64_t at, uint64_t sub_end, uint64_t *ret_end);
/* The cluster of a unit. */
enum vk_fs_cluster_kind vk_gone_cluster(const struct vk_gone_search *s, uint64_t unit, uint64_t *ret_cluster);

/* Moments. */
bool vk_gone_moment_open(struct vk_gone_search *s, uint64_t sub_end);
void vk_gone_moment_free(struct vk_gone_moment *moment);
/* A run of the file sum in the moment now. */
void vk_gone_count_run(struct vk_gone_search *s, struct vk_gone_sum *sum, uint64_t at, uint64_t length);
/* Now was read: what is not proved of the time since the moment before is marked in the pieces. */
void vk_gone_prove(struct vk_gone_search *s);

/* A moment later than this map contradicts it: nothing is proved of what it and those before it know. */
void vk_gone_went_back(struct vk_gone_search *s, size_t map);
bool vk_gone_is_back(const struct vk_gone_search *s, const struct vk_undelete_file *file);
/* The stamps of now, against those of the moments before it. */
void vk_gone_compare_stamps(struct vk_gone_search *s);
/* A file of a map that no name leads to, against what lies in its descriptor today. */
void vk_gone_compare_slot(struct vk_gone_search *s, const struct vk_file_map_file *file, size_t map);

/* By address and generation, for qsort. */
int vk_gone_compare_sums(const void *a, const void *b);
void vk_gone_gap_open(struct vk_gone_search *s, struct vk_gone_gap *gap);
/*
 * Whether nobody can have had this unit of whole in between and given it back. whole is piece number index as it was
 * when vk_gone_prove began; pieces are asked about in their order.
 */
bool vk_gone_proved(struct vk_gone_search *s, struct vk_gone_gap *gap, const struct vk_gone_piece *whole, size_t index,
		    uint64_t unit);

/* Pieces. */
void vk_gone_resolve(struct vk_gone_search *s, const struct vk_gone_piece *piece, enum vk_undelete_state state,
		     enum vk_undelete_why why, const char *by);
/*
 * The file at.file has this run in the moment now: pieces of others are reused, and those that it has at another
 * offset. own: pieces of this file count, and only those: where it has them at the same offset they are what they were.
 */
void vk_gone_hit(struct vk_gone_search *s, const struct vk_fs_run *run, bool own);
void vk_gone_apply(struct vk_gone_search *s);
/* The files that are known from this map alone join the pieces. */
void vk_gone_join(struct vk_gone_search *s);
/* What is left is judged by the bitmaps of today. */
void vk_gone_settle(struct vk_gone_search *s);

/* Files. */
bool vk_gone_names(struct vk_gone_search *s); /* what is there today, and what maps know */
bool vk_gone_is_wished(const struct vk_gone_search *s, const char *path);
struct vk_gone_key *vk_gone_find_key(const struct vk_gone_search *s, uint32_t address, uint32_t generation);
void vk_gone_read_map(struct vk_gone_search *s, size_t map);
void vk_gone_read_today(struct vk_gone_search *s);
/* A file of a map that is gone, with its runs: at. */
void vk_gone_add(struct vk_gone_search *s, bool cut);

#endif
