/* SPDX-License-Identifier: Apache-2.0 */
/* Reading through pieces. */
#include "store/import/import_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/range_set.h"

struct pieces {
	struct vk_import_piece *list; /* sorted, not overlapping, all with an io */
	size_t count;
	struct vk_range_set unreadable;
};

static uint64_t end_of(const void *piece)
{
	const struct vk_import_piece *p = piece;

	return p->offset_bytes + p->length_bytes;
}

/* The first piece that ends behind offset; count when there is none. */
static size_t find(const struct pieces *p, uint64_t offset)
{
	return vk_first_not_below(p->list, p->count, sizeof(*p->list), vk_add_sat(offset, 1), end_of);
}

static struct vk_span span_between(const struct pieces *p, uint64_t offset, uint64_t length)
{
	const struct vk_range *bad = vk_range_set_find(&p->unreadable, offset);
	struct vk_span span = {VK_SPAN_ABSENT, length};

	if (bad != NULL && bad->offset_bytes <= offset)
		span = (struct vk_span){VK_SPAN_UNREADABLE,
					vk_min_u64(length, bad->offset_bytes + bad->length_bytes - offset)};
	else if (bad != NULL)
		span.length_bytes = vk_min_u64(length, bad->offset_bytes - offset);
	return span;
}

static struct vk_span span(void *self, uint64_t offset)
{
	const struct pieces *p = self;
	size_t i = find(p, offset);
	const struct vk_import_piece *piece;
	struct vk_span inner;
	uint64_t rest;

	if (i == p->count)
		return span_between(p, offset, UINT64_MAX - offset);
	piece = &p->list[i];
	if (piece->offset_bytes > offset)
		return span_between(p, offset, piece->offset_bytes - offset);
	rest = end_of(piece) - offset;
	inner = vk_io_span(piece->io, piece->from_bytes + (offset - piece->offset_bytes));
	/* the file is shorter than it was when the piece was made of it */
	if (inner.state == VK_SPAN_END)
		return (struct vk_span){VK_SPAN_ABSENT, rest};
	inner.length_bytes = vk_min_u64(inner.length_bytes, rest);
	return inner;
}

static enum vk_status read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
			      struct vk_error *err)
{
	const struct pieces *p = self;
	uint8_t *out = buf;
	size_t done = 0;

	for (size_t i = find(p, offset); i < p->count && done < len; i++) {
		const struct vk_import_piece *piece = &p->list[i];
		uint64_t at = offset + done;
		enum vk_status status;
		size_t want;
		size_t got;

		if (piece->offset_bytes > at)
			break;
		want = (size_t)vk_min_u64(end_of(piece) - at, len - done);
		status = vk_io_read(piece->io, piece->from_bytes + (at - piece->offset_bytes), out + done,
				    want, &got, err);
		if (status != VK_OK)
			return status;
		done += got;
		if (got < want)
			break;
	}
	*ret_got = done;
	return VK_OK;
}

static void close_pieces(void *self)
{
	struct pieces *p = self;

	vk_range_set_free(&p->unreadable);
	free(p->list);
	free(p);
}

static const struct vk_io_ops ops = {read_at, span, close_pieces};

static int by_offset(const void *a, const void *b)
{
	const struct vk_import_piece *x = a;
	const struct vk_import_piece *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

/* Cut what an earlier one holds off the beginning. */
static void cut_overlaps(struct pieces *p)
{
	uint64_t end = 0;
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct vk_import_piece piece = p->list[i];
		uint64_t over = end > piece.offset_bytes ? end - piece.offset_bytes : 0;

		if (over >= piece.length_bytes)
			continue;
		piece.from_bytes += over;
		piece.offset_bytes += over;
		piece.length_bytes -= over;
		end = end_of(&piece);
		p->list[kept++] = piece;
	}
	p->count = kept;
}

static bool fill(struct pieces *p, const struct vk_import_piece *pieces, size_t count)
{
	p->list = calloc(count + 1, sizeof(*p->list));
	if (p->list == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct vk_import_piece *piece = &pieces[i];
		uint64_t end;

		if (!vk_add_u64(piece->offset_bytes, piece->length_bytes, &end) ||
		    !vk_add_u64(piece->from_bytes, piece->length_bytes, &end))
			return false;
		if (piece->io != NULL)
			p->list[p->count++] = *piece;
		else if (piece->length_bytes > 0 &&
			 !vk_range_set_add(&p->unreadable, piece->offset_bytes, piece->length_bytes))
			return false;
	}
	if (p->count > 0)
		qsort(p->list, p->count, sizeof(*p->list), by_offset);
	cut_overlaps(p);
	return true;
}

struct vk_io *vk_import_io(const char *name, const struct vk_import_piece *pieces, size_t count,
			   uint64_t size_bytes, uint32_t sector_size)
{
	struct pieces *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if (fill(p, pieces, count))
		return vk_io_new(&ops, p, name, size_bytes, sector_size);
	close_pieces(p);
	return NULL;
}
