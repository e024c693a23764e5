/* SPDX-License-Identifier: Apache-2.0 */
/* Units of a file: taken, given back, moved to larger ones; and the addresses that name them. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "lab/history/life.h"

static struct vk_life_file *file_of(const struct vk_life *life, uint64_t id)
{
	return &life->record.files[id];
}

static uint64_t units_for(const struct vk_life_file *file, uint64_t size)
{
	return size / file->unit_bytes + (size % file->unit_bytes != 0);
}

static char pool_letter(enum vk_lab_pool_kind pool)
{
	return pool == VK_LAB_POOL_SMALL ? 'b' : pool == VK_LAB_POOL_SB ? 's' : pool == VK_LAB_POOL_PB ? 'p' : '2';
}

static void dress_item(const struct vk_life_file *file, struct vk_lab_item *item, struct vk_lab_node *node)
{
	*item = (struct vk_lab_item){.path = file->path, .type = file->type, .size_bytes = file->size_bytes};
	*node = (struct vk_lab_node){.item = file->id == 0 ? NULL : item, .fd = file->fd,
				     .generation = file->generation, .zla = file->zla, .size_bytes = file->size_bytes,
				     .unit_bytes = file->unit_bytes};
	node->name = file->id == 0 ? "" : strrchr(file->path, '/') + 1;
}

enum vk_status vk_life_dress(struct vk_life *life, uint64_t id, struct vk_life_dressed *d)
{
	const struct vk_life_file *file = file_of(life, id);

	*d = (struct vk_life_dressed){.node = {NULL}};
	dress_item(file, &d->item, &d->node);
	dress_item(file_of(life, file->folder), &d->folder_item, &d->folder);
	d->node.parent = id == 0 ? NULL : &d->folder;
	for (unsigned i = 0; i < 3; i++)
		d->item.times[i] = life->f->now;
	for (uint64_t i = 0; i < file->unit_count; i++) {
		const struct vk_life_unit *u = &file->units[i];
		struct vk_lab_piece *last = d->node.piece_count == 0 ? NULL : &d->node.pieces[d->node.piece_count - 1];
		const struct vk_lab_piece piece = {i, 1, u->pool, u->resource, u->tbz};

		if (!u->there)
			continue;
		if (last != NULL && last->first_unit + last->units == i && last->pool == u->pool &&
		    last->tbz == u->tbz && last->resource + last->units == u->resource)
			last->units++;
		else if (vk_append(&d->node.pieces, &d->node.piece_count, &piece, sizeof(piece)) == NULL)
			return vk_no_memory(life->err, NULL);
	}
	for (uint64_t i = 0; i < file->pointer_count; i++) {
		const struct vk_lab_taken taken = {file->pointers[i].pool, file->pointers[i].resource};

		if (file->pointers[i].there && vk_append(&d->node.pointer_blocks, &d->node.pointer_block_count, &taken,
							 sizeof(taken)) == NULL)
			return vk_no_memory(life->err, NULL);
	}
	return VK_OK;
}

void vk_life_undress(struct vk_life_dressed *d)
{
	free(d->node.pieces);
	free(d->node.pointer_blocks);
}

/* Where the search for free resources begins. */
static void set_cursor(struct vk_life *life, enum vk_lab_pool_kind kind)
{
	struct vk_lab_pool *p = &life->f->pools[kind];
	const struct vk_life_record *r = &life->record;

	if (life->from == VK_LIFE_LOWEST)
		p->cursor = 0;
	if (life->from != VK_LIFE_FREED)
		return;
	/* some block that was lost not long ago; the resources of sub-blocks are not in the order of their places */
	for (size_t tries = 0; tries < 50 && r->event_count > 0; tries++) {
		const struct vk_life_event *e =
			&r->events[r->event_count - 1 - vk_life_random(life, vk_min_u64(r->event_count, 400))];

		if (e->what != '-' || kind != VK_LAB_POOL_SMALL || e->length != life->f->block_bytes)
			continue;
		p->cursor = e->place / life->f->block_bytes;
		return;
	}
	p->cursor = 0;
}

/* A fresh block has zeros before a host writes to it. */
static enum vk_status clear(struct vk_life *life, uint64_t place, uint64_t bytes)
{
	uint64_t at = life->member.base_bytes + life->device.header.dataOffset + place;

	if (fallocate(life->disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) == 0)
		return VK_OK;
	return vk_lab_zero(life->disk, at, bytes);
}

static enum vk_status take_run(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end, bool tbz,
			       uint64_t *ret_got)
{
	struct vk_lab_fill *f = life->f;
	struct vk_life_file *file = file_of(life, id);
	enum vk_lab_pool_kind kind = file->zla == VK_ZLA_SUB_BLOCK ? VK_LAB_POOL_SB : VK_LAB_POOL_SMALL;
	/* sub-blocks of two clusters do not follow each other */
	uint64_t want = kind == VK_LAB_POOL_SB ? 1 : end - first, resource, place;
	struct vk_life_dressed d;
	enum vk_status status = vk_life_dress(life, id, &d);

	set_cursor(life, kind);
	if (status == VK_OK)
		status = vk_lab_pool_take(f, kind, 0, UINT64_MAX, want, vk_lab_affinity(f, &d.node, kind), &resource,
					  ret_got);
	vk_life_undress(&d);
	if (status != VK_OK)
		return status;
	place = vk_lab_pool_offset(f, kind, resource);
	if (!tbz)
		status = clear(life, place, *ret_got * file->unit_bytes);
	if (status == VK_OK)
		status = vk_life_note(life, "+ %" PRIu64 " %" PRIu64 " %" PRIu64 " %c %" PRIu64 " %d %" PRIu64, id,
				      first, *ret_got, pool_letter(kind), resource, tbz, place);
	return status;
}

enum vk_status vk_life_take(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end, bool tbz)
{
	enum vk_status status = VK_OK;

	for (uint64_t got; first < end && status == VK_OK; first += got) {
		const struct vk_life_file *file = file_of(life, id);
		uint64_t stop = first;

		while (stop < end && (stop >= file->unit_count || !file->units[stop].there))
			stop++;
		got = 1;
		if (stop > first)
			status = take_run(life, id, first, stop, tbz, &got);
	}
	return status;
}

enum vk_status vk_life_drop(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end)
{
	struct vk_life_dressed d;
	enum vk_status status = vk_life_dress(life, id, &d);

	end = vk_min_u64(end, file_of(life, id)->unit_count);
	for (uint64_t i = first, n; i < end && status == VK_OK; i += n) {
		const struct vk_life_unit *u = &file_of(life, id)->units[i];

		for (n = 0; i + n < end && u[n].there && status == VK_OK; n++)
			status = vk_lab_pool_give(life->f, u[n].pool, u[n].resource,
						  vk_lab_affinity(life->f, &d.node, u[n].pool));
		if (status == VK_OK && n > 0)
			status = vk_life_note(life, "- %" PRIu64 " %" PRIu64 " %" PRIu64, id, i, n);
		n += n == 0;
	}
	vk_life_undress(&d);
	return status;
}

static uint32_t zla_for(const struct vk_life *life, const struct vk_life_file *file, uint64_t size)
{
	const struct vk_lab_fill *f = life->f;
	uint32_t pointers = f->vmfs6 ? VK_ZLA_POINTER_BLOCK2 : VK_ZLA_POINTER_BLOCK;
	enum vk_lab_stored stored = vk_lab_usual(f, file->type, size);

	switch (file->zla) {
	case VK_ZLA_RESIDENT:
		if (size <= f->resident_bytes)
			return VK_ZLA_RESIDENT;
		break;
	case VK_ZLA_SUB_BLOCK:
		if (stored == VK_LAB_RESIDENT || stored == VK_LAB_SUB_BLOCK)
			return VK_ZLA_SUB_BLOCK;
		break;
	case VK_ZLA_FILE_BLOCK:
		return units_for(file, size) > f->fd.pointers ? pointers : VK_ZLA_FILE_BLOCK;
	default:
		return file->zla;
	}
	return stored == VK_LAB_SUB_BLOCK ? VK_ZLA_SUB_BLOCK
	       : stored == VK_LAB_BLOCK	  ? VK_ZLA_FILE_BLOCK
					  : pointers;
}

/* All bytes of units that are there, and of the descriptor of a resident file. */
static enum vk_status read_old(struct vk_life *life, const struct vk_life_file *file, uint8_t *bytes, size_t len)
{
	struct vk_lab_fill *f = life->f;
	enum vk_status status = VK_OK;

	if (file->zla == VK_ZLA_RESIDENT)
		return vk_lab_volume_get(f, vk_lab_pool_offset(f, VK_LAB_POOL_FD, file->fd) + f->fd.metadata_offset +
						    512, bytes, len);
	for (uint64_t i = 0; i < file->unit_count && i * file->unit_bytes < len && status == VK_OK; i++)
		if (file->units[i].there)
			status = vk_lab_volume_get(f, file->units[i].place, bytes + i * file->unit_bytes,
						   (size_t)vk_min_u64(file->unit_bytes, len - i * file->unit_bytes));
	return status;
}

/* To units of another size: a copy, and what held it is free. */
static enum vk_status move(struct vk_life *life, uint64_t id, uint32_t zla)
{
	struct vk_lab_fill *f = life->f;
	size_t len = (size_t)file_of(life, id)->size_bytes;
	uint8_t *bytes = calloc(1, len + 1);
	enum vk_status status = bytes == NULL ? vk_no_memory(life->err, NULL) : VK_OK;
	uint64_t unit = zla == VK_ZLA_SUB_BLOCK ? f->sub_block_bytes : f->block_bytes;
	uint64_t count = len / unit + (len % unit != 0);

	if (status == VK_OK)
		status = read_old(life, file_of(life, id), bytes, len);
	if (status == VK_OK)
		status = vk_life_drop(life, id, 0, UINT64_MAX);
	if (status == VK_OK)
		status = vk_life_note(life, "S %" PRIu64 " %zu %" PRIu64 " %" PRIu32, id, len, unit, zla);
	if (status == VK_OK)
		status = vk_life_take(life, id, 0, count, false);
	for (uint64_t i = 0; i < count && status == VK_OK; i++)
		status = vk_lab_volume_put(f, file_of(life, id)->units[i].place, bytes + i * unit,
					   (size_t)vk_min_u64(unit, len - i * unit));
	if (status == VK_OK && count > 0)
		status = vk_life_note(life, "W %" PRIu64 " 0 %" PRIu64, id, count);
	free(bytes);
	return status;
}

enum vk_status vk_life_set_size(struct vk_life *life, uint64_t id, uint64_t size_bytes)
{
	struct vk_life_file *file = file_of(life, id);
	uint32_t zla = zla_for(life, file, size_bytes);
	enum vk_status status = VK_OK;

	if (zla != file->zla && (file->zla == VK_ZLA_RESIDENT || file->zla == VK_ZLA_SUB_BLOCK))
		status = move(life, id, zla);
	file = file_of(life, id);
	if (status == VK_OK)
		status = vk_life_drop(life, id, units_for(file, size_bytes), UINT64_MAX);
	file = file_of(life, id);
	if (status == VK_OK)
		status = vk_life_note(life, "S %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32, id, size_bytes,
				      file->unit_bytes, zla);
	file = file_of(life, id);
	/* folders and what lies in sub-blocks have no holes */
	if (status == VK_OK && (zla == VK_ZLA_SUB_BLOCK || file->type == VK_FILE_FOLDER))
		status = vk_life_take(life, id, 0, units_for(file, size_bytes), false);
	return status;
}

static bool by_pointers(const struct vk_life_file *file)
{
	return file->zla == VK_ZLA_POINTER_BLOCK || file->zla == VK_ZLA_POINTER_BLOCK2;
}

static bool any_there(const struct vk_life_file *file, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count && i < file->unit_count; i++)
		if (file->units[i].there)
			return true;
	return false;
}

static enum vk_status note_pointers(struct vk_life *life, uint64_t id, uint64_t number, enum vk_lab_pool_kind kind,
				    uint64_t resource)
{
	return vk_life_note(life, "P %" PRIu64 " %" PRIu64 " %c %" PRIu64 " %" PRIu64 " %" PRIu32, id, number,
			    pool_letter(kind), resource, vk_lab_pool_offset(life->f, kind, resource),
			    life->f->pointer_block_bytes);
}

/* A pointer block for each stretch of the file that has blocks, and no other. */
static enum vk_status take_pointers(struct vk_life *life, uint64_t id)
{
	struct vk_lab_fill *f = life->f;
	uint64_t per = f->per_pointer_block, got, resource;
	const struct vk_life_file *file = file_of(life, id);
	enum vk_lab_pool_kind kind = file->zla == VK_ZLA_POINTER_BLOCK && !f->vmfs6 ? VK_LAB_POOL_PB : VK_LAB_POOL_PB2;
	enum vk_status status = VK_OK;

	for (uint64_t i = 0; by_pointers(file) && i * per < file->unit_count && status == VK_OK; i++) {
		bool wanted = any_there(file, i * per, per);
		bool there = i < file->pointer_count && file->pointers[i].there;

		if (wanted && !there) {
			set_cursor(life, kind);
			status = vk_lab_pool_take(f, kind, 0, UINT64_MAX, 1, file->address, &resource, &got);
			if (status == VK_OK)
				status = note_pointers(life, id, i, kind, resource);
		} else if (!wanted && there) {
			status = vk_lab_pool_give(f, file->pointers[i].pool, file->pointers[i].resource, file->address);
			if (status == VK_OK)
				status = vk_life_note(life, "p %" PRIu64 " %" PRIu64, id, i);
		}
		file = file_of(life, id);
	}
	return status;
}

static void put_address(const struct vk_lab_fill *f, uint8_t *array, uint64_t index, uint64_t address)
{
	if (f->vmfs6)
		vk_put_le64(array + index * 8, address);
	else
		vk_put_le32(array + index * 4, (uint32_t)address);
}

static void put_addresses(const struct vk_lab_fill *f, const struct vk_life_file *file, uint64_t first, uint64_t count,
			  uint8_t *array)
{
	for (uint64_t i = 0; i < count && first + i < file->unit_count; i++) {
		const struct vk_life_unit *u = &file->units[first + i];

		if (u->there)
			put_address(f, array, i, vk_lab_address(f, u->pool, u->resource, u->tbz, false));
	}
}

/* The array of the descriptor, in f->raw, and the pointer blocks on the disk. */
static enum vk_status put_pointers(struct vk_life *life, const struct vk_life_file *file)
{
	struct vk_lab_fill *f = life->f;
	uint8_t *array = f->raw + f->fd.pointers_offset, *raw;
	enum vk_status status = VK_OK;

	memset(f->raw + f->fd.metadata_offset + 512, 0, f->fd.fd_bytes - f->fd.metadata_offset - 512);
	if (!by_pointers(file)) {
		put_addresses(f, file, 0, f->fd.pointers, array);
		return VK_OK;
	}
	raw = malloc(f->pointer_block_bytes);
	if (raw == NULL)
		return vk_no_memory(life->err, NULL);
	for (uint64_t i = 0; i < file->pointer_count && status == VK_OK; i++) {
		const struct vk_life_unit *p = &file->pointers[i];

		if (!p->there)
			continue;
		memset(raw, 0, f->pointer_block_bytes);
		put_addresses(f, file, i * f->per_pointer_block, f->per_pointer_block, raw);
		put_address(f, array, i, vk_lab_address(f, p->pool, p->resource, false, false));
		status = vk_lab_volume_put(f, p->place, raw, f->pointer_block_bytes);
	}
	free(raw);
	return status;
}

enum vk_status vk_life_settle(struct vk_life *life, uint64_t id, bool is_new, int links)
{
	struct vk_lab_fill *f = life->f;
	uint64_t at = vk_lab_pool_offset(f, VK_LAB_POOL_FD, file_of(life, id)->fd);
	struct vk_life_dressed d;
	struct vk_lock lock;
	enum vk_status status = take_pointers(life, id);

	if (status == VK_OK)
		status = vk_lab_pools_write(f);
	if (status == VK_OK)
		status = vk_lab_volume_get(f, at, f->raw, f->fd.fd_bytes);
	if (status != VK_OK)
		return status;
	vk_lock_decode(f->raw, f->fd.metadata_offset, &lock);
	if (is_new)
		memset(f->raw, 0, sizeof(f->raw));
	if (file_of(life, id)->zla != VK_ZLA_RESIDENT)
		status = put_pointers(life, file_of(life, id));
	else if (is_new)
		memset(f->raw + f->fd.metadata_offset + 512, 0, f->resident_bytes);
	if (status == VK_OK)
		status = vk_life_dress(life, id, &d);
	if (status != VK_OK)
		return status;
	/* the lock of a descriptor that was in use before counts on */
	d.node.token = lock.type == VK_FD_LOCK_TYPE ? lock.token + 1 : 0;
	status = is_new ? vk_lab_put_descriptor(f, &d.node) : vk_lab_change_descriptor(f, &d.node, links);
	vk_life_undress(&d);
	return status;
}
