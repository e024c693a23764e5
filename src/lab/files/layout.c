/* SPDX-License-Identifier: Apache-2.0 */
/* How a file is stored: which stretches have blocks, of which kind, and where they are taken. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "lab/files/fill.h"

/* Units of a file that are treated alike. */
struct part {
	uint64_t first;
	uint64_t end;
	bool tbz;
};
struct parts {
	struct part *of;
	size_t count;
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t units_of(const struct vk_lab_node *n)
{
	return divide_up(n->size_bytes, n->unit_bytes);
}

/* Most units that the addresses can name. */
uint64_t vk_lab_capacity(const struct vk_lab_fill *f, uint32_t zla)
{
	uint64_t p = f->per_pointer_block, direct = f->fd.pointers;

	return zla == VK_ZLA_DOUBLE ? direct * p * p
	       : zla == VK_ZLA_POINTER_BLOCK || zla == VK_ZLA_POINTER_BLOCK2 ? direct * p
									     : direct;
}

/*
 * As ESX does, as far as real volumes show it: what fits the descriptor is put there (but no link of VMFS5), else what
 * fits one sub-block; folders of VMFS6 take several of those.
 */
enum vk_lab_stored vk_lab_usual(const struct vk_lab_fill *f, enum vk_file_type type, uint64_t size_bytes)
{
	uint64_t subs = type == VK_FILE_FOLDER && f->vmfs6 ? 4 : 1;
	uint64_t blocks = divide_up(size_bytes, f->block_bytes);

	if (size_bytes <= f->resident_bytes && (type == VK_FILE_ORDINARY || (type == VK_FILE_LINK && f->vmfs6)))
		return VK_LAB_RESIDENT;
	if (size_bytes <= subs * f->sub_block_bytes)
		return VK_LAB_SUB_BLOCK;
	if (blocks <= f->fd.pointers)
		return VK_LAB_BLOCK;
	if (blocks <= vk_lab_capacity(f, VK_ZLA_POINTER_BLOCK))
		return f->vmfs6 ? VK_LAB_POINTER_BLOCK2 : VK_LAB_POINTER_BLOCK;
	return VK_LAB_DOUBLE;
}

static enum vk_status refuse(const struct vk_lab_fill *f, const struct vk_lab_node *n, const char *why)
{
	return vk_error_set(f->err, VK_USAGE, n->item == NULL ? "/" : n->item->path, "%s", why);
}

/* Large blocks need no address type of their own: the array has one, or pointer blocks have. */
static uint32_t zla_of(const struct vk_lab_fill *f, const struct vk_lab_node *n, enum vk_lab_stored stored)
{
	uint64_t units = units_of(n);

	switch (stored) {
	case VK_LAB_RESIDENT:
		return VK_ZLA_RESIDENT;
	case VK_LAB_SUB_BLOCK:
		return VK_ZLA_SUB_BLOCK;
	case VK_LAB_POINTER_BLOCK:
		return VK_ZLA_POINTER_BLOCK;
	case VK_LAB_POINTER_BLOCK2:
		return VK_ZLA_POINTER_BLOCK2;
	case VK_LAB_DOUBLE:
		return VK_ZLA_DOUBLE;
	default:
		return units <= f->fd.pointers || stored == VK_LAB_BLOCK ? VK_ZLA_FILE_BLOCK
		       : units <= vk_lab_capacity(f, VK_ZLA_POINTER_BLOCK2) ? VK_ZLA_POINTER_BLOCK2
									 : VK_ZLA_DOUBLE;
	}
}

static enum vk_status choose(const struct vk_lab_fill *f, struct vk_lab_node *n)
{
	enum vk_lab_stored stored = n->item == NULL ? VK_LAB_BLOCK : n->item->stored;
	unsigned version = f->w.device->version;

	if (stored == VK_LAB_AUTO)
		stored = vk_lab_usual(f, n->item->type, n->size_bytes);
	n->unit_bytes = stored == VK_LAB_RESIDENT || stored == VK_LAB_SUB_BLOCK ? f->sub_block_bytes : f->block_bytes;
	n->zla = zla_of(f, n, stored);
	if (stored == VK_LAB_RESIDENT && n->size_bytes > f->resident_bytes)
		return refuse(f, n, version == 3 ? "VMFS3 stores nothing in file descriptors"
						 : "it is too long to be stored in its file descriptor");
	if (version == 3 && (n->zla == VK_ZLA_POINTER_BLOCK2 || n->zla == VK_ZLA_DOUBLE))
		return refuse(f, n, "VMFS3 knows one level of pointer blocks only, and one kind of them");
	if (stored == VK_LAB_LARGE && !f->vmfs6)
		return refuse(f, n, "only VMFS6 has large file blocks");
	if (n->zla != VK_ZLA_RESIDENT && units_of(n) > vk_lab_capacity(f, n->zla))
		return refuse(f, n, "it is too long for addresses of that kind");
	return VK_OK;
}

static enum vk_status add_part(struct vk_lab_fill *f, struct parts *parts, uint64_t first, uint64_t end, bool tbz)
{
	struct part *last = parts->count == 0 ? NULL : &parts->of[parts->count - 1];
	const struct part p = {first, end, tbz};

	if (end <= first)
		return VK_OK;
	if (last != NULL && last->end == first && last->tbz == tbz) {
		last->end = end;
		return VK_OK;
	}
	return vk_append(&parts->of, &parts->count, &p, sizeof(p)) == NULL ? vk_no_memory(f->err, NULL) : VK_OK;
}

/* Between two written stretches: what the item's provision makes of it, but to be zeroed where that was asked for. */
static enum vk_status add_unwritten(struct vk_lab_fill *f, const struct vk_lab_node *n, struct parts *parts,
				    uint64_t from, uint64_t to)
{
	const struct vk_lab_item *item = n->item;
	enum vk_status status = VK_OK;

	if (item->provision != VK_LAB_THIN)
		return add_part(f, parts, from, to, item->provision == VK_LAB_THICK);
	for (size_t i = 0; i < item->tbz_count && status == VK_OK; i++) {
		uint64_t first = vk_max_u64(from, item->tbz[i].offset / n->unit_bytes);
		uint64_t end = divide_up(vk_add_sat(item->tbz[i].offset, item->tbz[i].length), n->unit_bytes);

		status = add_part(f, parts, first, vk_min_u64(to, end), true);
		from = vk_max_u64(from, vk_min_u64(to, end));
	}
	return status;
}

static enum vk_status divide(struct vk_lab_fill *f, const struct vk_lab_node *n, struct parts *parts)
{
	const struct vk_lab_item *item = n->item;
	uint64_t units = units_of(n), at = 0;
	enum vk_status status = VK_OK;

	/* folders and links are whole; so is what is not divided */
	if (item == NULL || item->type != VK_FILE_ORDINARY || (!item->sparse && item->tbz_count == 0))
		return add_part(f, parts, 0, units, false);
	for (size_t i = 0; i < item->data_count && status == VK_OK; i++) {
		uint64_t first = vk_min_u64(units, vk_max_u64(at, item->data[i].offset / n->unit_bytes));
		uint64_t end = vk_min_u64(units, divide_up(vk_add_sat(item->data[i].offset, item->data[i].length),
							   n->unit_bytes));

		if (first > at)
			status = add_unwritten(f, n, parts, at, first);
		if (status == VK_OK)
			status = add_part(f, parts, first, end, false);
		at = vk_max_u64(at, end);
	}
	return status == VK_OK ? add_unwritten(f, n, parts, at, units) : status;
}

static enum vk_status add_piece(struct vk_lab_fill *f, struct vk_lab_node *n, const struct vk_lab_piece *piece)
{
	return vk_append(&n->pieces, &n->piece_count, piece, sizeof(*piece)) == NULL ? vk_no_memory(f->err, NULL)
										      : VK_OK;
}

/* How many units are taken in one place, and from where on when they are strewn over the volume. */
static uint64_t fragment(struct vk_lab_fill *f, const struct vk_lab_node *n, enum vk_lab_pool_kind kind, uint64_t first,
			 uint64_t end)
{
	uint64_t seed = f->w.device->seed, room = vk_min_u64(end, f->pools[kind].count);
	unsigned fragments = n->item == NULL ? 0 : n->item->fragments;

	if (fragments == 0)
		return UINT64_MAX;
	if (room > first)
		f->pools[kind].cursor = first + vk_lab_random(seed, n->item->path, n->piece_count) % (room - first);
	return vk_max_u64(1, units_of(n) / fragments);
}

static enum vk_status take_units(struct vk_lab_fill *f, struct vk_lab_node *n, enum vk_lab_pool_kind kind,
				 const struct part *part, uint64_t from, uint64_t to)
{
	uint64_t first = 0, end = UINT64_MAX, got;

	if (kind == VK_LAB_POOL_SMALL)
		vk_lab_volume_blocks(f, n->item == NULL ? 0 : n->item->extent, &first, &end);
	for (; from < to; from += got) {
		struct vk_lab_piece piece = {.first_unit = from, .pool = kind, .tbz = part->tbz};
		uint64_t want = vk_min_u64(to - from, fragment(f, n, kind, first, end));
		enum vk_status status = vk_lab_pool_take(f, kind, first, end, want, vk_lab_affinity(f, n, kind),
							 &piece.resource, &got);

		if (status == VK_OK) {
			piece.units = got;
			status = add_piece(f, n, &piece);
		}
		if (status != VK_OK)
			return status;
	}
	return VK_OK;
}

/* As many large blocks as fit the part, small ones before and behind. */
static enum vk_status take_large(struct vk_lab_fill *f, struct vk_lab_node *n, const struct part *part)
{
	uint64_t per = 1ULL << f->w.device->fs.sfbToLfbShift;
	uint64_t whole = f->files->volume_blocks / per, first = vk_round_up_sat(part->first, per);
	uint64_t end = part->end - part->end % per, got;
	enum vk_status status;

	if (first >= end)
		return take_units(f, n, VK_LAB_POOL_SMALL, part, part->first, part->end);
	status = take_units(f, n, VK_LAB_POOL_SMALL, part, part->first, first);
	for (; first < end && status == VK_OK; first += got * per) {
		struct vk_lab_piece piece = {.first_unit = first, .pool = VK_LAB_POOL_LARGE, .tbz = part->tbz};

		status = vk_lab_pool_take(f, VK_LAB_POOL_LARGE, 0, whole, (end - first) / per, 0, &piece.resource,
					  &got);
		piece.units = got * per;
		if (status == VK_OK)
			status = add_piece(f, n, &piece);
	}
	return status == VK_OK ? take_units(f, n, VK_LAB_POOL_SMALL, part, end, part->end) : status;
}

enum vk_status vk_lab_lay_out(struct vk_lab_fill *f, struct vk_lab_node *n, bool has_blocks)
{
	struct parts parts = {NULL, 0};
	enum vk_status status = choose(f, n);
	uint64_t have = 0;

	if (status != VK_OK || n->zla == VK_ZLA_RESIDENT || (n->item != NULL && n->item->type == VK_FILE_RDM))
		return status;
	status = divide(f, n, &parts);
	/* the root has blocks already, from the first on */
	for (size_t i = 0; has_blocks && i < n->piece_count; i++)
		have += n->pieces[i].units;
	for (size_t i = 0; i < parts.count && status == VK_OK; i++) {
		const struct part *p = &parts.of[i];

		if (n->item != NULL && n->item->stored == VK_LAB_LARGE)
			status = take_large(f, n, p);
		else
			status = take_units(f, n,
					    n->zla == VK_ZLA_SUB_BLOCK ? VK_LAB_POOL_SB : VK_LAB_POOL_SMALL, p,
					    vk_max_u64(p->first, have), p->end);
	}
	free(parts.of);
	return status;
}
