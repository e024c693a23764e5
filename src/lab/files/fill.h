/* SPDX-License-Identifier: Apache-2.0 */
/* A volume that is being filled. */
#ifndef VK_LAB_FILES_FILL_H
#define VK_LAB_FILES_FILL_H

#include "lab/files/files.h"

/* What is given out: file descriptors, blocks of each kind. LARGE are those of VMFS6, SMALL all other file blocks. */
enum vk_lab_pool_kind {
	VK_LAB_POOL_FD, VK_LAB_POOL_PB, VK_LAB_POOL_SB, VK_LAB_POOL_PB2, VK_LAB_POOL_SMALL, VK_LAB_POOL_LARGE,
	VK_LAB_POOLS
};

struct vk_lab_pool {
	enum vk_system_file file;
	bool small;                   /* the child of .fbb.sf on VMFS6 */
	const struct vk_resource_file *resource; /* NULL: the volume has no such thing */
	uint32_t bits;                /* in the bitmap for each resource */
	uint64_t count;
	uint64_t cursor;              /* where the search begins */
	uint64_t clusters;
	uint8_t **headers;            /* of the clusters; NULL: not read yet */
	bool *changed;                /* of the clusters: not on the disk yet */
};

/* Consecutive units of a file in consecutive resources. A large block is 512 units. */
struct vk_lab_piece {
	uint64_t first_unit;
	uint64_t units;
	enum vk_lab_pool_kind pool;
	uint64_t resource;
	bool tbz;
};

/* A file on its way into the volume. */
struct vk_lab_node {
	const struct vk_lab_item *item; /* NULL: the root */
	struct vk_lab_node *parent;     /* NULL: of the root */
	uint32_t seconds;               /* when it was made, from the others on */
	uint64_t token;                 /* of its lock; 0: as a new one's */
	const char *name;               /* within its folder; ends with the path */
	uint64_t fd;                    /* number of its descriptor */
	uint32_t generation;
	struct vk_lab_child {
		struct vk_lab_node *node;
	} *children;
	size_t child_count;
	uint32_t zla;
	uint64_t size_bytes;
	uint64_t unit_bytes;            /* blockSize */
	struct vk_lab_piece *pieces;    /* by their first unit */
	size_t piece_count;
	struct vk_lab_taken {
		enum vk_lab_pool_kind pool;
		uint64_t resource;
	} *pointer_blocks;
	size_t pointer_block_count;
	char sha256[65];                /* of the content; empty: too long to be read in a test */
	char data_sha256[65];           /* of what was written, one stretch behind the other */
};

struct vk_lab_fill {
	const struct vk_lab_files_asked *asked;
	const struct vk_lab_member *members;
	size_t member_count;
	struct vk_lab_writing w;        /* of the head */
	const struct vk_lab_files *files;
	struct vk_fd_geometry fd;
	bool vmfs6;
	uint32_t per_pointer_block;     /* addresses in one */
	uint32_t pointer_block_bytes;
	uint32_t sub_block_bytes;
	uint32_t resident_bytes;
	uint64_t block_bytes;
	uint32_t now;                   /* 0: the volume is being made; else time of what happens to it later */
	struct vk_lab_pool pools[VK_LAB_POOLS];
	uint8_t raw[2 * 4096];          /* the descriptor in hand */
	struct vk_lab_node root;
	struct vk_lab_node *nodes;      /* one for each item */
	struct vk_error *err;
};

/* Bytes of the volume, whichever members they lie on. */
enum vk_status vk_lab_volume_put(struct vk_lab_fill *f, uint64_t offset, const void *buf, size_t len);
VK_MUST_USE enum vk_status vk_lab_volume_get(struct vk_lab_fill *f, uint64_t offset, void *buf, size_t len);
/* What failed first on any of them. */
enum vk_status vk_lab_volume_status(const struct vk_lab_fill *f);
/* First block of a member and the one behind its last; member counts from 1, 0 is all. */
void vk_lab_volume_blocks(const struct vk_lab_fill *f, unsigned member, uint64_t *ret_first, uint64_t *ret_end);

/* Sizes of this volume, from f->w. */
void vk_lab_set_geometry(struct vk_lab_fill *f);
VK_MUST_USE enum vk_status vk_lab_pools_open(struct vk_lab_fill *f);
/* Up to want free resources in a row, from the cursor on and within first..end; VK_USAGE: there is none. */
VK_MUST_USE enum vk_status vk_lab_pool_take(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t first,
					    uint64_t end, uint64_t want, uint32_t affinity, uint64_t *ret_resource,
					    uint64_t *ret_got);
VK_MUST_USE enum vk_status vk_lab_pool_give(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource,
					    uint32_t affinity);
/* A new descriptor: its number and the generation that its cluster hands out. */
VK_MUST_USE enum vk_status vk_lab_pool_descriptor(struct vk_lab_fill *f, uint32_t folder, uint64_t *ret_fd,
						  uint32_t *ret_generation);
/* Volume offset of a resource. */
uint64_t vk_lab_pool_offset(const struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource);
/* All that changed goes to the disk. */
enum vk_status vk_lab_pools_write(struct vk_lab_fill *f);
void vk_lab_pools_free(struct vk_lab_fill *f);

/* Address of a resource, with its flags, as this volume's pointer arrays hold it. */
uint64_t vk_lab_address(const struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource, bool tbz, bool cow);
uint32_t vk_lab_fd_address(const struct vk_lab_fill *f, uint64_t fd);
/* Whom a resource of that kind is noted for: the file, or what its descriptor has in affinityFD. */
uint32_t vk_lab_affinity(const struct vk_lab_fill *f, const struct vk_lab_node *n, enum vk_lab_pool_kind kind);

/* How a file of that type and size is stored unless its recipe says how. */
enum vk_lab_stored vk_lab_usual(const struct vk_lab_fill *f, enum vk_file_type type, uint64_t size_bytes);
/* Most units that the addresses of a descriptor can name. */
uint64_t vk_lab_capacity(const struct vk_lab_fill *f, uint32_t zla);
/* Decide how a file is stored and take its blocks: unit_bytes, zla, pieces. */
VK_MUST_USE enum vk_status vk_lab_lay_out(struct vk_lab_fill *f, struct vk_lab_node *n, bool has_blocks);
/* Fill the array of the descriptor, and pointer blocks where it takes them. */
VK_MUST_USE enum vk_status vk_lab_put_pointers(struct vk_lab_fill *f, struct vk_lab_node *n);
/* Write what the item has for content, or bytes of that many (a folder, a link), and sum it up. */
VK_MUST_USE enum vk_status vk_lab_put_content(struct vk_lab_fill *f, struct vk_lab_node *n, const uint8_t *bytes);
/* Lock and metadata into f->raw, and all of it to the disk. */
VK_MUST_USE enum vk_status vk_lab_put_descriptor(struct vk_lab_fill *f, struct vk_lab_node *n);
/*
 * The descriptor of a file that exists, with another length, other blocks, another folder or more links: f->raw has it
 * as it is on the disk, but for its addresses, which are new already.
 */
VK_MUST_USE enum vk_status vk_lab_change_descriptor(struct vk_lab_fill *f, struct vk_lab_node *n, int links);
/* As a deletion leaves the file: blocks free, addresses gone. */
VK_MUST_USE enum vk_status vk_lab_delete(struct vk_lab_fill *f, struct vk_lab_node *n);

/* Bytes of a folder; live_bytes are its length, what follows is left of deleted entries. Freed with bytes. */
struct vk_lab_folder {
	uint8_t *bytes;
	size_t len;
	size_t live_bytes;
};
/* The content of a folder with all its children, and without the deleted ones. folder has what the root has already. */
VK_MUST_USE enum vk_status vk_lab_folder5(struct vk_lab_fill *f, const struct vk_lab_node *n,
					  struct vk_lab_folder *folder);
VK_MUST_USE enum vk_status vk_lab_folder6(struct vk_lab_fill *f, const struct vk_lab_node *n,
					  struct vk_lab_folder *folder);
/* One name more or less in the bytes of a folder. */
VK_MUST_USE enum vk_status vk_lab_folder_add(struct vk_lab_fill *f, const struct vk_lab_node *n,
					     const struct vk_lab_node *child, struct vk_lab_folder *folder);
void vk_lab_folder_remove(struct vk_lab_fill *f, const struct vk_lab_node *n, const struct vk_lab_node *child,
			  struct vk_lab_folder *folder);
VK_MUST_USE enum vk_status vk_lab_folder5_add(struct vk_lab_fill *f, const struct vk_lab_node *child,
					      struct vk_lab_folder *folder);
void vk_lab_folder5_remove(const struct vk_lab_node *child, struct vk_lab_folder *folder);
/* The hash of a name on VMFS6. */
uint64_t vk_lab_name_hash(const char *name, size_t len);

/* A line of JSON for each file. */
VK_MUST_USE enum vk_status vk_lab_truth_write(struct vk_lab_fill *f, FILE *out);

#endif
