/* SPDX-License-Identifier: Apache-2.0 */
/* What the phases of the check share: maps of what is allocated and used, names of files, findings that name them. */
#ifndef VK_FS_CHECK_H
#define VK_FS_CHECK_H

#include "fs/fs_parts.h"
#include "vmfskit/fs_check.h"
#include "vmfskit/heartbeat.h"

/* The resources of one kind. */
enum vk_check_kind { VK_CHECK_BLOCKS, VK_CHECK_FDS, VK_CHECK_PBS, VK_CHECK_SUB_BLOCKS, VK_CHECK_PB2S, VK_CHECK_KINDS };
struct vk_check_map {
	enum vk_system_file file;
	const char *things;       /* "file blocks" */
	uint64_t count;           /* 0: nothing is known of them */
	uint32_t per_cluster;
	uint8_t *allocated, *used; /* a bit for each */
	uint8_t *known;           /* a bit for each cluster: its bitmap was read, and is sound */
};
static inline bool vk_bit(const uint8_t *bits, uint64_t i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}
static inline void vk_set_bit(uint8_t *bits, uint64_t i)
{
	bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << (i % 8));
}

/* Called for each header of a cluster whose place is known. */
struct vk_check_header {
	enum vk_check_kind kind;      /* VK_CHECK_KINDS: large blocks, journals */
	uint32_t lock_type;
	uint64_t cluster;
	const struct vk_fs_file *file; /* that has it */
	uint64_t volume_offset;
	bool unused;                  /* nothing in it was ever allocated */
	uint64_t stamp;               /* as in struct vk_fs_clusters */
};
typedef void (*vk_check_header_fn)(void *ctx, const struct vk_check_header *header);

struct vk_checking {
	struct vk_fs *fs;
	const struct vk_finding_sink *sink; /* the caller's */
	struct vk_finding_sink named;       /* into sink: counts for phase, and names the file */
	enum vk_fs_check_phase phase;
	uint32_t fd;                        /* of the file that is looked at; 0: none */
	const char *path;                   /* NULL: none */
	struct vk_fs_check result;
	struct vk_check_map maps[VK_CHECK_KINDS];
	uint32_t *subfolders;               /* for each folder, the one that it is in; sorted */
	size_t subfolder_count;
	bool names_unknown;                 /* parts of folders are not in the source, or damaged */
	bool blocks_unknown;                /* what a file uses is not all known */
	bool journals_unknown;              /* heartbeats, which tell where they lie, are not in the source */
	struct vk_range_set twice[VK_CHECK_KINDS]; /* numbers of what two files use */
	vk_check_header_fn on_header;       /* NULL: nobody asks */
	void *on_header_ctx;
	struct vk_range_set damaged;        /* of the volume: what clusters with a damaged header hold */
	unsigned damaged_clusters;
	struct vk_error *err;
	enum vk_status status;
};

enum { VK_CLUSTER6_BITMAP_BYTES = 512 /* of a cluster, at the most */ };
/* The clusters of one file. */
struct vk_clusters {
	struct vk_checking *c;
	struct vk_check_map *map;  /* NULL: nobody asks which are allocated */
	const struct vk_fs_file *file;
	const struct vk_resource_file *r;
	const char *name;
	uint32_t lock_type;
	bool small;                /* small blocks of VMFS6 */
	uint64_t block_bytes;      /* of .fbb.sf: of what it counts, which lies in the volume; else 0 */
	const uint8_t *converted;  /* of small blocks: a bit for each cluster that exists */
	struct vk_fs_cursor cursor;
	uint64_t gap_from, gap_end; /* file offsets that are known not to be there */
};

/* The header of a cluster as far as it is judged. */
struct vk_cluster_head {
	uint64_t at;
	struct vk_lock lock;
	uint64_t number;
	uint32_t total, free;
	bool signed_well;
	uint32_t given;            /* what was given out of it, as far as that is counted: 0: nothing ever was */
	uint64_t stamp;            /* as in struct vk_fs_clusters */
	uint8_t bitmap[VK_CLUSTER6_BITMAP_BYTES];
	uint32_t bits;             /* for each resource */
};
/* File offset of its header. Of k only c->fs, r and small are used. */
uint64_t vk_cluster_head_offset(const struct vk_clusters *k, uint64_t cluster);
/* VK_ABSENT, VK_DAMAGED: the source does not hold it; nothing leads to it. */
enum vk_status vk_cluster_head_read(struct vk_clusters *k, uint64_t cluster, struct vk_cluster_head *ret_head);
/* Whether its bitmap may be believed; the finding of what is wrong. */
bool vk_cluster_head_judge(struct vk_clusters *k, uint64_t cluster, const struct vk_cluster_head *head);
/* What the bitmap says of a resource. */
uint32_t vk_cluster_head_value(const struct vk_cluster_head *head, uint32_t resource);

/* Header, system files, and the maps from the headers of all clusters. */
void vk_check_resources(struct vk_checking *c);
/* The maps alone; blocks: those of the file blocks, too, which are most of the bytes. */
void vk_check_clusters(struct vk_checking *c, bool blocks);
/* What the header of the volume and the system files say of each other. */
void vk_check_system(struct vk_checking *c);
void vk_check_heartbeats(struct vk_checking *c);
/* Where the journal of a slot that is in use lies. Errors: VK_ABSENT (it has none, or what tells it), VK_DAMAGED. */
VK_MUST_USE enum vk_status vk_check_journal(struct vk_fs *fs, const struct vk_heartbeat *hb,
					    uint64_t *ret_volume_offset, uint64_t *ret_length);
/* Folders; fills names. */
void vk_check_names(struct vk_checking *c);
/* Names of an address: the first, and how many. ret_folder may be NULL: the folder that has the first. */
size_t vk_check_names_of(const struct vk_checking *c, uint32_t address, const char **ret_path, uint32_t *ret_folder);
size_t vk_check_subfolders_of(const struct vk_checking *c, uint32_t address);
void vk_check_free_maps(struct vk_checking *c);
/* The map of file descriptors alone. */
void vk_check_descriptor_map(struct vk_checking *c);
/* Each descriptor that may be in use, by the map: those of clusters without a bitmap, too, whatever lies there. */
void vk_check_each_descriptor(struct vk_checking *c,
			      void (*fn)(struct vk_checking *c, uint64_t number, void *ctx), void *ctx);
/* Whether a descriptor whose bitmap is not known is one of a file. */
bool vk_check_is_alive(const struct vk_fs_file *file);
/* All descriptors in use, what they use, and what is left. */
void vk_check_files(struct vk_checking *c);
/*
 * How many bytes in ranges of the volume lie in file blocks that the bitmaps call free, and how many in allocated ones.
 * At most so many clusters are read; of the rest it is not known.
 */
void vk_check_block_states(struct vk_checking *c, const struct vk_range_set *ranges, uint64_t clusters,
			   uint64_t *ret_free_bytes, uint64_t *ret_used_bytes);
/* Whose the bytes in ranges of the volume are: vk_fs_hits_find. */
VK_MUST_USE enum vk_status vk_hits_in(struct vk_fs *fs, const struct vk_range_set *ranges,
				      struct vk_fs_hits *ret_hits, struct vk_error *err);
/* The lock of an object at a volume offset. */
void vk_check_lock(struct vk_checking *c, const struct vk_lock *lock, uint64_t volume_offset);
/* The addresses of one file: what they use. again: only what two files use is said. */
void vk_check_blocks(struct vk_checking *c, const struct vk_fs_file *file, bool again);
/* What is allocated and not used. */
void vk_check_lost(struct vk_checking *c);

#endif
