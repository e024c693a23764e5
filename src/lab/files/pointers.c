/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of blocks, and the arrays and pointer blocks that hold them; written from the description of the format. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "lab/files/fill.h"

/* Types: bits 0 to 2. */
enum { TYPE_FB = 1, TYPE_SB = 2, TYPE_PB = 3, TYPE_FD = 4, TYPE_PB2 = 5, TYPE_LFB = 7 };

/* Cluster from bit 6 on, resource from bit 22 on. */
uint32_t vk_lab_fd_address(const struct vk_lab_fill *f, uint64_t fd)
{
	uint32_t per = f->files->of[VK_SYSTEM_FDC].resource.resourcesPerCluster;

	return TYPE_FD | (uint32_t)(fd / per) << 6 | (uint32_t)(fd % per) << 22;
}

/* As on the real VMFS6 volume: files with content are noted for their folder, all else for itself. */
uint32_t vk_lab_affinity(const struct vk_lab_fill *f, const struct vk_lab_node *n, enum vk_lab_pool_kind kind)
{
	bool of_folder = f->vmfs6 && n->item != NULL && n->item->type == VK_FILE_ORDINARY && n->size_bytes > 0 &&
			 kind == VK_LAB_POOL_SB;

	return vk_lab_fd_address(f, of_folder ? n->parent->fd : n->fd);
}

/*
 * 32 bits. File block: COW is bit 4, TBZ bit 5, the number stands from bit 6 on. Others: COW is bit 5, cluster from 6
 * on, resource from 28 on; a sub-block's fifth and sixth bit of the resource stand in bits 3 and 4.
 */
static uint64_t address32(const struct vk_lab_pool *p, enum vk_lab_pool_kind kind, uint64_t resource, bool tbz,
			  bool cow)
{
	uint64_t per = p->resource->resourcesPerCluster, c = resource / per, r = resource % per;

	switch (kind) {
	case VK_LAB_POOL_SMALL:
		return TYPE_FB | (cow ? 1U << 4 : 0) | (tbz ? 1U << 5 : 0) | resource << 6;
	case VK_LAB_POOL_SB:
		return TYPE_SB | (r >> 4 & 3) << 3 | (cow ? 1U << 5 : 0) | c << 6 | (r & 0xF) << 28;
	default:
		return (kind == VK_LAB_POOL_PB ? TYPE_PB : TYPE_PB2) | c << 6 | r << 28;
	}
}

/*
 * 64 bits; COW is bit 5. File blocks: bits 7 to 14 are set for the parts that are to be zeroed; cluster (or the number
 * of a large block) from 15 on, resource from 51 on. Others: cluster from 6 on, resource from 56 on.
 */
static uint64_t address64(const struct vk_lab_pool *p, enum vk_lab_pool_kind kind, uint64_t resource, bool tbz,
			  bool cow)
{
	uint64_t per = p->resource->resourcesPerCluster, c = resource / per, r = resource % per;
	uint64_t flags = (cow ? 1U << 5 : 0) | (tbz ? 0xFFU << 7 : 0);

	switch (kind) {
	case VK_LAB_POOL_SMALL:
		return TYPE_FB | flags | c << 15 | r << 51;
	case VK_LAB_POOL_LARGE:
		return TYPE_LFB | flags | resource << 15;
	case VK_LAB_POOL_SB:
		return TYPE_SB | flags | c << 6 | r << 56;
	default:
		return (kind == VK_LAB_POOL_PB ? TYPE_PB : TYPE_PB2) | c << 6 | r << 56;
	}
}

uint64_t vk_lab_address(const struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource, bool tbz, bool cow)
{
	return f->vmfs6 ? address64(&f->pools[kind], kind, resource, tbz, cow)
			: address32(&f->pools[kind], kind, resource, tbz, cow);
}

/* A pointer block in the making: its number among those of its level, and its bytes. */
struct level {
	bool open;
	uint64_t number;
	uint8_t *raw;
};
struct emitting {
	struct vk_lab_fill *f;
	struct vk_lab_node *n;
	enum vk_lab_pool_kind pool; /* where pointer blocks are taken */
	struct level levels[2];     /* 0: holds addresses of data; 1: of those */
	unsigned depth;             /* levels in use */
};

static void put_address(const struct vk_lab_fill *f, uint8_t *array, uint64_t index, uint64_t address)
{
	if (f->vmfs6)
		vk_put_le64(array + index * 8, address);
	else
		vk_put_le32(array + index * 4, (uint32_t)address);
}

static enum vk_status emit(struct emitting *e, unsigned level, uint64_t index, uint64_t address);

/* Finish the pointer block of a level: it gets a place, and its address goes to the level above. */
static enum vk_status flush(struct emitting *e, unsigned level)
{
	struct vk_lab_fill *f = e->f;
	struct level *l = &e->levels[level];
	struct vk_lab_taken taken = {.pool = e->pool};
	uint64_t got;
	enum vk_status status;

	if (!l->open)
		return VK_OK;
	l->open = false;
	status = vk_lab_pool_take(f, e->pool, 0, f->pools[e->pool].count, 1, vk_lab_fd_address(f, e->n->fd),
				  &taken.resource, &got);
	if (status == VK_OK)
		status = vk_lab_volume_put(f, vk_lab_pool_offset(f, e->pool, taken.resource), l->raw,
					   f->pointer_block_bytes);
	if (status == VK_OK && vk_append(&e->n->pointer_blocks, &e->n->pointer_block_count, &taken,
					 sizeof(taken)) == NULL)
		status = vk_no_memory(f->err, NULL);
	if (status != VK_OK)
		return status;
	return emit(e, level + 1, l->number, vk_lab_address(f, e->pool, taken.resource, false, false));
}

/* Address number index of a level; the level above the last is the array in the descriptor. */
static enum vk_status emit(struct emitting *e, unsigned level, uint64_t index, uint64_t address)
{
	struct vk_lab_fill *f = e->f;
	struct level *l = &e->levels[level < 2 ? level : 1];
	enum vk_status status = VK_OK;

	if (level == e->depth) {
		put_address(f, f->raw + f->fd.pointers_offset, index, address);
		return VK_OK;
	}
	if (l->open && l->number != index / f->per_pointer_block)
		status = flush(e, level);
	if (!l->open) {
		memset(l->raw, 0, f->pointer_block_bytes);
		l->number = index / f->per_pointer_block;
		l->open = true;
	}
	put_address(f, l->raw, index % f->per_pointer_block, address);
	return status;
}

static enum vk_lab_pool_kind pool_for(const struct vk_lab_fill *f, const struct vk_lab_node *n)
{
	switch (n->item == NULL ? VK_SYSTEM_ROOT : n->item->pointers) {
	case VK_SYSTEM_PBC:
		return VK_LAB_POOL_PB;
	case VK_SYSTEM_PB2:
		return VK_LAB_POOL_PB2;
	case VK_SYSTEM_SBC:
		return VK_LAB_POOL_SB;
	case VK_SYSTEM_FBB:
		return VK_LAB_POOL_SMALL;
	default:
		/* .pbc.sf of VMFS6 is empty */
		return n->zla == VK_ZLA_POINTER_BLOCK && !f->vmfs6 ? VK_LAB_POOL_PB : VK_LAB_POOL_PB2;
	}
}

enum vk_status vk_lab_put_pointers(struct vk_lab_fill *f, struct vk_lab_node *n)
{
	struct emitting e = {.f = f, .n = n, .pool = pool_for(f, n)};
	bool cow = n->item != NULL && n->item->cow;
	uint64_t per_large = 1ULL << f->w.device->fs.sfbToLfbShift;
	enum vk_status status = VK_OK;

	e.depth = n->zla == VK_ZLA_DOUBLE						 ? 2
		  : n->zla == VK_ZLA_POINTER_BLOCK || n->zla == VK_ZLA_POINTER_BLOCK2 ? 1
										      : 0;
	/* a pointer block of VMFS6 has 64 KiB, a sub-block there, too; the old ones have 4 KiB */
	if (!f->vmfs6 && e.depth > 0 && (e.pool == VK_LAB_POOL_SB || e.pool == VK_LAB_POOL_SMALL))
		return vk_error_set(f->err, VK_USAGE, n->item->path,
				    "only VMFS6 has pointer blocks among sub-blocks and file blocks");
	for (unsigned i = 0; i < e.depth; i++) {
		e.levels[i].raw = malloc(f->pointer_block_bytes);
		if (e.levels[i].raw == NULL)
			status = vk_no_memory(f->err, NULL);
	}
	for (size_t i = 0; i < n->piece_count; i++) {
		const struct vk_lab_piece *p = &n->pieces[i];

		for (uint64_t u = 0; u < p->units && status == VK_OK; u++) {
			uint64_t resource = p->resource + (p->pool == VK_LAB_POOL_LARGE ? u / per_large : u);

			status = emit(&e, 0, p->first_unit + u, vk_lab_address(f, p->pool, resource, p->tbz, cow));
		}
	}
	for (unsigned i = 0; i < e.depth; i++) {
		if (status == VK_OK)
			status = flush(&e, i);
		free(e.levels[i].raw);
	}
	return status;
}
