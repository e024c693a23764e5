/* SPDX-License-Identifier: Apache-2.0 */
/* A source put together from ranges of others or of memory: a window, a split dump, what was rescued, a listing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/io_handle.h"

struct run {
	struct vk_io_part part; /* without a base: bytes of memory, zeros, or what cannot be read */
	const uint8_t *bytes;
	bool zeros;
};

struct parts {
	struct run *list;
	size_t count;
	enum vk_span_state gap;
	bool own;         /* the bases */
	void *own_memory; /* where the bytes are; NULL: borrowed */
};

static uint64_t end_of(const void *run)
{
	const struct run *r = run;

	return r->part.offset_bytes + r->part.length_bytes;
}

/* Index of the first run that ends behind offset. */
static size_t find_run(const struct parts *p, uint64_t offset)
{
	return vk_first_not_below(p->list, p->count, sizeof(*p->list), vk_add_sat(offset, 1), end_of);
}

static enum vk_status read_run(const struct run *run, uint64_t inside, uint8_t *to, size_t want, size_t *ret_got,
			       struct vk_error *err)
{
	*ret_got = want;
	if (run->part.base != NULL)
		return vk_io_read(run->part.base, run->part.base_bytes + inside, to, want, ret_got, err);
	if (run->bytes != NULL)
		memcpy(to, run->bytes + inside, want);
	else if (run->zeros)
		memset(to, 0, want);
	else
		*ret_got = 0;
	return VK_OK;
}

static enum vk_status parts_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				    struct vk_error *err)
{
	const struct parts *p = self;
	size_t done = 0;

	for (size_t i = find_run(p, offset); i < p->count && done < len; i++) {
		const struct run *run = &p->list[i];
		uint64_t at = offset + done;
		size_t want, got;
		enum vk_status status;

		if (run->part.offset_bytes > at)
			break;
		want = (size_t)vk_min_u64(end_of(run) - at, len - done);
		status = read_run(run, at - run->part.offset_bytes, (uint8_t *)buf + done, want, &got, err);
		if (status != VK_OK)
			return status;
		done += got;
		if (got < want)
			break;
	}
	*ret_got = done;
	return VK_OK;
}

static size_t parts_splice(void *self, uint64_t offset, int pipe, size_t len)
{
	const struct parts *p = self;
	const size_t i = find_run(p, offset);
	const struct run *run = &p->list[i];

	if (i == p->count || run->part.offset_bytes > offset || run->part.base == NULL)
		return 0;
	return vk_io_splice(run->part.base, offset - run->part.offset_bytes + run->part.base_bytes, pipe,
			    (size_t)vk_min_u64(len, end_of(run) - offset));
}

static struct vk_span parts_span(void *self, uint64_t offset)
{
	const struct parts *p = self;
	size_t i = find_run(p, offset);
	const struct run *run = &p->list[i];
	struct vk_span span = {p->gap, UINT64_MAX};
	uint64_t rest;

	if (i < p->count && run->part.offset_bytes > offset)
		span.length_bytes = run->part.offset_bytes - offset;
	if (i == p->count || run->part.offset_bytes > offset)
		return span;
	rest = end_of(run) - offset;
	if (run->part.base != NULL)
		span = vk_io_span(run->part.base, offset - run->part.offset_bytes + run->part.base_bytes);
	else
		span.state = run->bytes != NULL ? VK_SPAN_DATA : run->zeros ? VK_SPAN_ZERO : VK_SPAN_UNREADABLE;
	/* a base that became shorter than its part */
	if (span.state == VK_SPAN_END)
		return (struct vk_span){VK_SPAN_ABSENT, rest};
	span.length_bytes = vk_min_u64(span.length_bytes, rest);
	return span;
}

static void parts_close(void *self)
{
	struct parts *p = self;

	for (size_t i = 0; p->own && i < p->count; i++)
		vk_io_close(p->list[i].part.base);
	free(p->own_memory);
	free(p->list);
	free(p);
}

static const struct vk_io_ops parts_ops = {parts_read_at, parts_span, parts_close, parts_splice};

/* Room for count runs, which the caller fills in. */
static struct parts *parts_new(size_t count)
{
	struct parts *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->list = calloc(count + 1, sizeof(*p->list));
	p->count = count;
	if (p->list != NULL)
		return p;
	free(p);
	return NULL;
}

static bool runs_in_order(const struct parts *p, uint64_t size_bytes)
{
	uint64_t end = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct vk_io_part *part = &p->list[i].part;
		uint64_t base_end;

		if (part->offset_bytes < end || part->length_bytes == 0 ||
		    !vk_add_u64(part->offset_bytes, part->length_bytes, &end) ||
		    !vk_add_u64(part->base_bytes, part->length_bytes, &base_end))
			return false;
	}
	return end <= size_bytes;
}

/* p is taken over. */
static struct vk_io *parts_io(struct parts *p, const char *name, uint64_t size_bytes, uint32_t sector_size)
{
	if (runs_in_order(p, size_bytes))
		return vk_io_new(&parts_ops, p, name, size_bytes, sector_size);
	parts_close(p);
	return NULL;
}

struct vk_io *vk_io_parts(const char *name, const struct vk_io_part *parts, size_t count, uint64_t size_bytes,
			  enum vk_span_state gap)
{
	struct vk_io *first = NULL;
	struct parts *p = parts_new(count);
	struct vk_io *io;

	if (p == NULL)
		return NULL;
	p->gap = gap;
	for (size_t i = 0; i < count; i++) {
		p->list[i].part = parts[i];
		first = first != NULL ? first : parts[i].base;
	}
	io = parts_io(p, name, size_bytes, first != NULL ? vk_io_sector_size(first) : 512);
	if (io == NULL)
		return NULL;
	/* the first stands for all: they are files of one kind, or ranges of one source */
	io->below = first;
	if (first != NULL && count == 1 && parts[0].offset_bytes == 0 && parts[0].length_bytes == size_bytes) {
		io->fd = first->fd;
		io->fd_start = first->fd_start + parts[0].base_bytes;
	}
	return io;
}

struct vk_io *vk_io_pieces(const char *name, const struct vk_io_piece *pieces, size_t count, uint32_t sector_size,
			   void *own)
{
	struct parts *p = parts_new(count);
	uint64_t size = count > 0 ? vk_add_sat(pieces[count - 1].offset_bytes, pieces[count - 1].length_bytes) : 0;

	if (p == NULL) {
		free(own);
		return NULL;
	}
	p->gap = VK_SPAN_ABSENT;
	p->own_memory = own;
	for (size_t i = 0; i < count; i++)
		p->list[i] = (struct run){.part = {.offset_bytes = pieces[i].offset_bytes,
						   .length_bytes = pieces[i].length_bytes},
					  .bytes = pieces[i].bytes,
					  .zeros = pieces[i].bytes == NULL};
	return parts_io(p, name, size, sector_size);
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

void vk_io_parts_own(struct vk_io *parts)
{
	struct parts *p = parts->self;

	p->own = true;
}

struct vk_io *vk_io_parts_base(const struct vk_io *parts, size_t i)
{
	const struct parts *p = parts->self;

	return p->list[i].part.base;
}

/* One part of base at a place of the new source, and nothing else. */
static struct vk_io *one_part(const char *name, const struct vk_io_part *part, uint64_t size_bytes)
{
	struct vk_io *io = vk_io_parts(name, part, part->length_bytes > 0, size_bytes, VK_SPAN_ABSENT);

	if (io != NULL) {
		io->below = part->base;
		io->sector_size = vk_io_sector_size(part->base);
	}
	return io;
}

struct vk_io *vk_io_window(struct vk_io *base, uint64_t offset, uint64_t length)
{
	uint64_t size = vk_io_size_bytes(base);
	struct vk_io_part part = {.base = base};
	struct vk_io *io;
	char *name;

	part.base_bytes = vk_min_u64(offset, size);
	part.length_bytes = vk_min_u64(length, size - part.base_bytes);
	if (part.base_bytes == 0)
		return one_part(vk_io_name(base), &part, part.length_bytes);
	/* offsets in errors count from here: the name says so */
	if (asprintf(&name, "%s (from byte %llu on)", vk_io_name(base), (unsigned long long)part.base_bytes) < 0)
		return NULL;
	io = one_part(name, &part, part.length_bytes);
	free(name);
	return io;
}

struct vk_io *vk_io_shifted(struct vk_io *base, uint64_t origin)
{
	struct vk_io_part part = {.offset_bytes = origin, .base = base};
	uint64_t size = vk_add_sat(origin, vk_io_size_bytes(base));

	part.length_bytes = size - origin;
	return one_part(vk_io_name(base), &part, size);
}
