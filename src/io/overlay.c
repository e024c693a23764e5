/* SPDX-License-Identifier: Apache-2.0 */
/* The copy-on-write overlay: what is put above a source that is only read. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/io_handle.h"
#include "io/patch_list.h"

#define CHUNK_BYTES ((size_t)1 << 16)

struct vk_overlay {
	struct vk_io *base;
	struct vk_io *view;
	uint32_t sector_size;
	struct vk_patch_list patches;
	struct vk_edit *edits; /* the patches, as the caller sees them */
	size_t edit_count; /* at least as many as there are patches */
	uint8_t *chunk;
};

/*
 * The base; where it stops and a patch lies, behind that, so that a sector that cannot be read is covered by what was
 * put.
 */
static enum vk_status read_below(const struct vk_overlay *o, uint64_t offset, uint8_t *buf, size_t len,
				 size_t *ret_got, struct vk_error *err)
{
	size_t done = 0;

	*ret_got = 0;
	while (done < len) {
		size_t got;
		enum vk_status status = vk_io_read(o->base, offset + done, buf + done, len - done, &got, err);
		uint64_t stop = offset + done + got;
		size_t i = vk_patch_list_find(&o->patches, stop);

		if (status != VK_OK)
			return status;
		done += got;
		*ret_got = done;
		if (done == len || i == o->patches.count || o->patches.list[i].offset > stop)
			break;
		done = (size_t)vk_min_u64(len, o->patches.list[i].offset + o->patches.list[i].len - offset);
		*ret_got = done;
	}
	return VK_OK;
}

static enum vk_status view_read_at(void *self, uint64_t offset, void *buf, size_t len,
				   size_t *ret_got, struct vk_error *err)
{
	const struct vk_overlay *o = self;
	enum vk_status status = read_below(o, offset, buf, len, ret_got, err);
	uint64_t end;

	if (status != VK_OK)
		return status;
	end = offset + *ret_got;
	for (size_t i = vk_patch_list_find(&o->patches, offset); i < o->patches.count; i++) {
		const struct vk_patch *p = &o->patches.list[i];
		uint64_t from = vk_max_u64(p->offset, offset);
		uint64_t to = vk_min_u64(p->offset + p->len, end);

		if (from >= to)
			break;
		memcpy((uint8_t *)buf + (from - offset), p->new_bytes + (from - p->offset),
		       (size_t)(to - from));
	}
	return VK_OK;
}

static struct vk_span view_span(void *self, uint64_t offset)
{
	const struct vk_overlay *o = self;
	size_t i = vk_patch_list_find(&o->patches, offset);
	const struct vk_patch *p = i < o->patches.count ? &o->patches.list[i] : NULL;
	struct vk_span span;

	if (p != NULL && p->offset <= offset)
		return (struct vk_span){VK_SPAN_DATA, p->offset + p->len - offset};
	span = vk_io_span(o->base, offset);
	if (p != NULL)
		span.length_bytes = vk_min_u64(span.length_bytes, p->offset - offset);
	return span;
}

/* The overlay owns its view, not the other way round. */
static const struct vk_io_ops view_ops = {view_read_at, view_span, NULL};

struct vk_overlay *vk_overlay_new(struct vk_io *base)
{
	struct vk_overlay *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->base = base;
	o->sector_size = vk_io_sector_size(base);
	o->chunk = malloc(CHUNK_BYTES);
	o->view = vk_io_new(&view_ops, o, vk_io_name(base), vk_io_size_bytes(base), o->sector_size);
	if (o->chunk == NULL || o->view == NULL) {
		vk_overlay_free(o);
		return NULL;
	}
	o->view->below = base;
	return o;
}

void vk_overlay_free(struct vk_overlay *overlay)
{
	if (overlay == NULL)
		return;
	vk_io_close(overlay->view);
	vk_patch_list_free(&overlay->patches);
	free(overlay->edits);
	free(overlay->chunk);
	free(overlay);
}

struct vk_io *vk_overlay_io(struct vk_overlay *overlay)
{
	return overlay->view;
}

/* One put, and the patches that take the place of all those it touches. */
struct put {
	const struct vk_overlay *overlay;
	uint64_t offset;
	const uint8_t *bytes;
	size_t len;
	const char *reason;
	unsigned write_class;
	struct vk_patch_list fresh;
};

static enum vk_status out_of_memory(const struct vk_overlay *o, struct vk_error *err)
{
	return vk_no_memory(err, vk_io_name(o->base));
}

/* Keep a part of a patch as it is. */
static bool keep_part(struct put *put, const struct vk_patch *patch, uint64_t from, uint64_t to)
{
	struct vk_edit part = vk_patch_part(patch, from, (size_t)(to - from));

	return vk_patch_list_append(&put->fresh, &part);
}

/* One sector at `at`, of which base holds old_bytes; unread: nobody knows what. */
static bool put_sector(struct put *put, uint64_t at, const uint8_t *old_bytes, bool unread)
{
	const struct vk_patch_list *patches = &put->overlay->patches;
	uint32_t len = put->overlay->sector_size;
	const uint8_t *bytes = put->bytes + (at - put->offset);
	size_t i = vk_patch_list_find(patches, at);
	const struct vk_patch *patch = i < patches->count ? &patches->list[i] : NULL;

	if (patch != NULL && patch->offset <= at &&
	    memcmp(patch->new_bytes + (at - patch->offset), bytes, len) == 0)
		return keep_part(put, patch, at, at + len);
	if (!unread && memcmp(old_bytes, bytes, len) == 0)
		return true;
	return vk_patch_list_append(&put->fresh, &(struct vk_edit){.offset_bytes = at,
								   .length_bytes = len,
								   .old_bytes = old_bytes,
								   .old_unread = unread,
								   .new_bytes = bytes,
								   .reason = put->reason,
								   .write_class = put->write_class});
}

static enum vk_status not_held(const struct vk_overlay *o, uint64_t at, struct vk_error *err)
{
	vk_error_set(err, VK_IO, vk_io_name(o->base), "the source does not contain the bytes to change");
	vk_error_at(err, at);
	return VK_IO;
}

/* Into chunk: *len bytes that base holds, or one sector, which is zeros when it cannot be delivered. */
static enum vk_status read_old(const struct vk_overlay *o, uint64_t at, size_t *len, bool *ret_unread,
			       struct vk_error *err)
{
	enum vk_status status = vk_io_read_around_bad(o->base, at, o->chunk, *len, o->sector_size, ret_unread, err);

	if ((status == VK_ABSENT || (status == VK_OK && *ret_unread)) && *len > o->sector_size) {
		*len = o->sector_size;
		return read_old(o, at, len, ret_unread, err);
	}
	return status == VK_ABSENT ? not_held(o, at, err) : status;
}

static enum vk_status put_sectors(struct put *put, struct vk_error *err)
{
	const struct vk_overlay *o = put->overlay;

	for (size_t done = 0; done < put->len;) {
		size_t n = (size_t)vk_min_u64(CHUNK_BYTES, put->len - done);
		bool unread;
		enum vk_status status = read_old(o, put->offset + done, &n, &unread, err);

		if (status != VK_OK)
			return status;
		for (size_t at = 0; at < n; at += o->sector_size)
			if (!put_sector(put, put->offset + done + at, o->chunk + at, unread))
				return out_of_memory(o, err);
		done += n;
	}
	return VK_OK;
}

/* Work out what the touched patches, index first to last - 1, become. */
static enum vk_status build_fresh(struct put *put, size_t first, size_t last, struct vk_error *err)
{
	const struct vk_patch *list = put->overlay->patches.list;
	uint64_t end = put->offset + put->len;
	enum vk_status status;

	if (first < last && list[first].offset < put->offset &&
	    !keep_part(put, &list[first], list[first].offset, put->offset))
		return out_of_memory(put->overlay, err);
	status = put_sectors(put, err);
	if (status != VK_OK)
		return status;
	if (first < last && list[last - 1].offset + list[last - 1].len > end &&
	    !keep_part(put, &list[last - 1], end, list[last - 1].offset + list[last - 1].len))
		return out_of_memory(put->overlay, err);
	return VK_OK;
}

static enum vk_status check_place(const struct vk_overlay *o, uint64_t offset, size_t len,
				  struct vk_error *err)
{
	uint64_t end;

	if (offset % o->sector_size != 0 || len % o->sector_size != 0)
		vk_error_set(err, VK_USAGE, vk_io_name(o->base),
			     "a change must cover whole sectors of %u bytes",
			     (unsigned)o->sector_size);
	else if (!vk_add_u64(offset, len, &end) || end > vk_io_size_bytes(o->base))
		vk_error_set(err, VK_USAGE, vk_io_name(o->base),
			     "a change reaches behind the end (%llu bytes)",
			     (unsigned long long)vk_io_size_bytes(o->base));
	else
		return VK_OK;
	vk_error_at(err, offset);
	return VK_USAGE;
}

enum vk_status vk_overlay_put(struct vk_overlay *overlay, uint64_t offset_bytes, const void *bytes,
			      size_t len, const char *reason, unsigned write_class,
			      struct vk_error *err)
{
	struct put put = {.overlay = overlay,
			  .offset = offset_bytes,
			  .bytes = bytes,
			  .len = len,
			  .reason = reason != NULL ? reason : "",
			  .write_class = write_class};
	struct vk_patch_list *patches = &overlay->patches;
	size_t first = vk_patch_list_find(patches, offset_bytes);
	size_t last = first;
	enum vk_status status = check_place(overlay, offset_bytes, len, err);

	if (status != VK_OK || len == 0)
		return status;
	while (last < patches->count && patches->list[last].offset < offset_bytes + len)
		last++;
	status = build_fresh(&put, first, last, err);
	while (status == VK_OK && overlay->edit_count < patches->count - (last - first) + put.fresh.count)
		if (vk_append(&overlay->edits, &overlay->edit_count, NULL, sizeof(*overlay->edits)) == NULL)
			status = out_of_memory(overlay, err);
	if (status == VK_OK && !vk_patch_list_replace(patches, first, last - first, &put.fresh))
		status = out_of_memory(overlay, err);
	/* also after a failure: growing may have moved the bytes of a neighbour */
	for (size_t i = first > 0 ? first - 1 : 0; i < patches->count; i++)
		overlay->edits[i] = vk_patch_part(&patches->list[i], patches->list[i].offset, patches->list[i].len);
	vk_patch_list_free(&put.fresh);
	return status;
}

enum vk_status vk_overlay_lay(struct vk_overlay *overlay, uint64_t offset_bytes, const void *bytes, size_t len,
			      const char *reason, unsigned write_class, bool *ret_changed, struct vk_error *err)
{
	uint64_t from = offset_bytes - offset_bytes % overlay->sector_size;
	size_t lead = (size_t)(offset_bytes - from);
	size_t whole = (size_t)vk_round_up_sat(lead + len, overlay->sector_size);
	uint8_t *held = malloc(whole > 0 ? whole : 1);
	bool changed;
	enum vk_status status;

	if (held == NULL)
		return out_of_memory(overlay, err);
	status = check_place(overlay, from, whole, err);
	if (status == VK_OK)
		status = vk_io_read_around_bad(overlay->view, from, held, whole, overlay->sector_size, &changed, err);
	if (status == VK_ABSENT)
		status = not_held(overlay, from, err);
	if (status == VK_OK) {
		changed = changed || memcmp(held + lead, bytes, len) != 0;
		memcpy(held + lead, bytes, len);
		if (changed)
			status = vk_overlay_put(overlay, from, held, whole, reason, write_class, err);
		if (ret_changed != NULL)
			*ret_changed = changed;
	}
	free(held);
	return status;
}

size_t vk_overlay_edits(const struct vk_overlay *overlay, const struct vk_edit **ret_edits)
{
	*ret_edits = overlay->edits;
	return overlay->patches.count;
}

uint64_t vk_overlay_dirty_bytes(const struct vk_overlay *overlay)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < overlay->patches.count; i++)
		sum += overlay->patches.list[i].len;
	return sum;
}
