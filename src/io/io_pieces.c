/* SPDX-License-Identifier: Apache-2.0 */
/* A source made of scattered pieces of memory, and of one. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vmfskit/io.h"

struct pieces {
	struct vk_io_piece *list;
	size_t count;
	void *own;
};

static uint64_t end_of(const void *piece)
{
	const struct vk_io_piece *p = piece;

	return p->offset_bytes + p->length_bytes;
}

/* Index of the first piece that ends behind offset. */
static size_t find_piece(const struct pieces *p, uint64_t offset)
{
	return vk_first_not_below(p->list, p->count, sizeof(*p->list), vk_add_sat(offset, 1), end_of);
}

static enum vk_status pieces_read_at(void *self, uint64_t offset, void *buf, size_t len,
				     size_t *ret_got, struct vk_error *err)
{
	const struct pieces *p = self;
	uint8_t *out = buf;
	size_t done = 0;

	(void)err;
	for (size_t i = find_piece(p, offset); i < p->count && done < len; i++) {
		const struct vk_io_piece *piece = &p->list[i];
		uint64_t at = offset + done;
		size_t n;

		if (piece->offset_bytes > at)
			break;
		n = (size_t)vk_min_u64(end_of(piece) - at, len - done);
		if (piece->bytes == NULL)
			memset(out + done, 0, n);
		else
			memcpy(out + done, piece->bytes + (at - piece->offset_bytes), n);
		done += n;
	}
	*ret_got = done;
	return VK_OK;
}

static struct vk_span pieces_span(void *self, uint64_t offset)
{
	const struct pieces *p = self;
	size_t i = find_piece(p, offset);
	const struct vk_io_piece *piece;

	if (i == p->count)
		return (struct vk_span){VK_SPAN_ABSENT, UINT64_MAX};
	piece = &p->list[i];
	if (piece->offset_bytes > offset)
		return (struct vk_span){VK_SPAN_ABSENT, piece->offset_bytes - offset};
	return (struct vk_span){piece->bytes == NULL ? VK_SPAN_ZERO : VK_SPAN_DATA,
				end_of(piece) - offset};
}

static void pieces_close(void *self)
{
	struct pieces *p = self;

	free(p->list);
	free(p->own);
	free(p);
}

static const struct vk_io_ops pieces_ops = {pieces_read_at, pieces_span, pieces_close};

static bool in_order(const struct vk_io_piece *pieces, size_t count)
{
	uint64_t end = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].offset_bytes < end || pieces[i].length_bytes == 0 ||
		    !vk_add_u64(pieces[i].offset_bytes, pieces[i].length_bytes, &end))
			return false;
	}
	return true;
}

struct vk_io *vk_io_pieces(const char *name, const struct vk_io_piece *pieces, size_t count,
			   uint32_t sector_size, void *own)
{
	struct pieces *p = in_order(pieces, count) ? calloc(1, sizeof(*p)) : NULL;

	if (p == NULL) {
		free(own);
		return NULL;
	}
	p->own = own;
	p->list = calloc(count == 0 ? 1 : count, sizeof(*p->list));
	if (p->list == NULL) {
		pieces_close(p);
		return NULL;
	}
	if (count > 0)
		memcpy(p->list, pieces, count * sizeof(*p->list));
	p->count = count;
	return vk_io_new(&pieces_ops, p, name, count == 0 ? 0 : end_of(&pieces[count - 1]),
			 sector_size);
}

struct vk_io *vk_io_memory(const char *name, const void *bytes, size_t len, bool copy)
{
	struct vk_io_piece all = {0, len, bytes};
	void *copied = NULL;

	if (copy && len > 0) {
		copied = malloc(len);
		if (copied == NULL)
			return NULL;
		memcpy(copied, bytes, len);
		all.bytes = copied;
	}
	return vk_io_pieces(name, &all, len > 0, 512, copied);
}
