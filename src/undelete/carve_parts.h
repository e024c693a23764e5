/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the search without a capture share: what files of today have, and the candidates so far. */
#ifndef VK_UNDELETE_CARVE_PARTS_H
#define VK_UNDELETE_CARVE_PARTS_H

#include "fs/check.h"
#include "vmfskit/fs_clusters.h"
#include "vmfskit/undelete_carve.h"

enum { VK_CARVE_HEAD_BYTES = 4096 }; /* of a file, that its signature is looked for in */

/* VMFS6: the folder that a descriptor names. */
struct vk_carve_parent {
	uint32_t folder;         /* address of its descriptor */
	size_t file;             /* number of the candidate */
};
struct vk_carving {
	struct vk_fs *fs;
	const struct vk_fs_info *info;
	struct vk_carve_wish wish;
	const struct vk_finding_sink *sink;
	struct vk_fs_clusters clusters;
	uint8_t *live[VK_CLUSTERS_KINDS]; /* a bit for each resource that a file has to which a name leads */
	uint8_t *claimed[VK_CLUSTERS_KINDS]; /* and for each file block and pointer block that a candidate has */
	struct vk_carve_parent *parents;  /* sorted when names are read */
	size_t parent_count;
	uint64_t addresses_left;          /* of the files of today, then of candidates */
	size_t ranges_left;
	size_t kept[VK_UNDELETE_SIGNATURE + 1];
	struct vk_carved out;
	struct vk_error *err;
	enum vk_status status;
};

/* VK_NOMEM is noted; false. */
bool vk_carve_no_memory(struct vk_carving *c);
/* Count an address that leads to so many bytes; false: that were too many. */
bool vk_carve_pay(struct vk_carving *c, uint64_t length_bytes);

/* The resource that an address names, but for file blocks; false: none that the volume has. */
bool vk_carve_number(const struct vk_carving *c, uint64_t address, enum vk_fs_cluster_kind *ret_kind,
		     uint64_t *ret_number);
/* Whether the bitmap calls it allocated; false and *ret_known false: it cannot be read. */
bool vk_carve_allocated(const struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t number, bool *ret_known);
static inline bool vk_carve_is_live(const struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t number)
{
	return number < c->clusters.of[kind].resources && vk_bit(c->live[kind], number);
}
/* When the cluster of a resource was allocated from last; 0: nothing tells it. */
uint32_t vk_carve_last_alloc(struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t number);

/* Mark what the files of today have. */
void vk_carve_read_live(struct vk_carving *c);
/* Name whoever has what candidates had, and the candidates by what is left of folders. */
void vk_carve_read_names(struct vk_carving *c);

/* One candidate while its ranges are put together. */
struct vk_carve_making {
	struct vk_carving *c;
	struct vk_undelete_file file;
	struct vk_carve_mark mark;
	uint64_t end;            /* of its ranges */
	uint64_t placed_end;     /* of the last that has a place */
	bool full;               /* a bound was met: it is dropped */
};
/* A range behind the others, without a place. */
void vk_carve_put_gap(struct vk_carve_making *m, enum vk_run_kind kind, uint64_t length);
/* One with a place: judged by the address that led to it. */
void vk_carve_put_data(struct vk_carve_making *m, bool zeroed, uint64_t address, uint64_t volume_offset,
		       uint64_t length);
/* A range as it is. False: bounds, or memory. */
bool vk_carve_put_range(struct vk_carve_making *m, const struct vk_undelete_range *range);
/* Nothing without a place at the end. */
void vk_carve_trim(struct vk_carve_making *m);
/* It is done: among the others, or counted if there are too many. What it is is read from its first bytes. */
void vk_carve_keep(struct vk_carve_making *m);
void vk_carve_drop(struct vk_carve_making *m);

void vk_carve_descriptors(struct vk_carving *c);
void vk_carve_pointer_blocks(struct vk_carving *c);
void vk_carve_free_blocks(struct vk_carving *c);

#endif
