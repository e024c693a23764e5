/* SPDX-License-Identifier: Apache-2.0 */
/* A source put together from ranges of others: a window, a source moved up, a split dump, what was rescued. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/io_handle.h"

struct parts {
	struct vk_io_part *list;
	size_t count;
	enum vk_span_state gap;
	bool own;
};

static uint64_t end_of(const void *part)
{
	const struct vk_io_part *p = part;

	return p->offset_bytes + p->length_bytes;
}

/* Index of the first part that ends behind offset. */
static size_t find_part(const struct parts *p, uint64_t offset)
{
	return vk_first_not_below(p->list, p->count, sizeof(*p->list), vk_add_sat(offset, 1), end_of);
}

static enum vk_status parts_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				    struct vk_error *err)
{
	const struct parts *p = self;
	size_t done = 0;

	for (size_t i = find_part(p, offset); i < p->count && done < len; i++) {
		const struct vk_io_part *part = &p->list[i];
		uint64_t at = offset + done;
		size_t want, got;
		enum vk_status status;

		if (part->offset_bytes > at)
			break;
		want = (size_t)vk_min_u64(end_of(part) - at, len - done);
		status = vk_io_read(part->base, at - part->offset_bytes + part->base_bytes, (uint8_t *)buf + done,
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

static struct vk_span parts_span(void *self, uint64_t offset)
{
	const struct parts *p = self;
	size_t i = find_part(p, offset);
	const struct vk_io_part *part = &p->list[i];
	struct vk_span span;

	if (i == p->count)
		return (struct vk_span){p->gap, UINT64_MAX};
	if (part->offset_bytes > offset)
		return (struct vk_span){p->gap, part->offset_bytes - offset};
	span = vk_io_span(part->base, offset - part->offset_bytes + part->base_bytes);
	/* a base that became shorter than its part */
	if (span.state == VK_SPAN_END)
		return (struct vk_span){VK_SPAN_ABSENT, end_of(part) - offset};
	span.length_bytes = vk_min_u64(span.length_bytes, end_of(part) - offset);
	return span;
}

static void parts_close(void *self)
{
	struct parts *p = self;

	for (size_t i = 0; p->own && i < p->count; i++)
		vk_io_close(p->list[i].base);
	free(p->list);
	free(p);
}

static const struct vk_io_ops parts_ops = {parts_read_at, parts_span, parts_close};

static bool parts_in_order(const struct vk_io_part *parts, size_t count, uint64_t size_bytes)
{
	uint64_t end = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].offset_bytes < end || parts[i].length_bytes == 0 ||
		    !vk_add_u64(parts[i].offset_bytes, parts[i].length_bytes, &end))
			return false;
	}
	return end <= size_bytes;
}

struct vk_io *vk_io_parts(const char *name, const struct vk_io_part *parts, size_t count, uint64_t size_bytes,
			  enum vk_span_state gap)
{
	struct parts *p = parts_in_order(parts, count, size_bytes) ? calloc(1, sizeof(*p)) : NULL;
	struct vk_io *io;

	if (p == NULL)
		return NULL;
	p->gap = gap;
	p->list = calloc(count + 1, sizeof(*p->list));
	if (p->list == NULL) {
		free(p);
		return NULL;
	}
	if (count > 0)
		memcpy(p->list, parts, count * sizeof(*p->list));
	p->count = count;
	io = vk_io_new(&parts_ops, p, name, size_bytes, count > 0 ? vk_io_sector_size(parts[0].base) : 512);
	if (io == NULL)
		return NULL;
	/* the first stands for all: they are files of one kind, or ranges of one source */
	io->below = count > 0 ? parts[0].base : NULL;
	if (count == 1 && parts[0].offset_bytes == 0 && parts[0].length_bytes == size_bytes) {
		io->fd = parts[0].base->fd;
		io->fd_start = parts[0].base->fd_start + parts[0].base_bytes;
	}
	return io;
}

void vk_io_parts_own(struct vk_io *parts)
{
	struct parts *p = parts->self;

	p->own = true;
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
