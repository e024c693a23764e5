/* SPDX-License-Identifier: Apache-2.0 */
/* A part of another source, and another source moved up. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "io/io_handle.h"

struct moved {
	struct vk_io *base;
	uint64_t offset; /* window: byte 0 of the handle in base; shifted: byte 0 of base in the handle */
};

static enum vk_status window_read_at(void *self, uint64_t offset, void *buf, size_t len,
				     size_t *ret_got, struct vk_error *err)
{
	const struct moved *w = self;

	return vk_io_read(w->base, w->offset + offset, buf, len, ret_got, err);
}

static struct vk_span window_span(void *self, uint64_t offset)
{
	const struct moved *w = self;

	return vk_io_span(w->base, w->offset + offset);
}

static enum vk_status shifted_read_at(void *self, uint64_t offset, void *buf, size_t len,
				      size_t *ret_got, struct vk_error *err)
{
	const struct moved *s = self;

	if (offset < s->offset) {
		*ret_got = 0;
		return VK_OK;
	}
	return vk_io_read(s->base, offset - s->offset, buf, len, ret_got, err);
}

static struct vk_span shifted_span(void *self, uint64_t offset)
{
	const struct moved *s = self;

	if (offset < s->offset)
		return (struct vk_span){VK_SPAN_ABSENT, s->offset - offset};
	return vk_io_span(s->base, offset - s->offset);
}

static const struct vk_io_ops window_ops = {window_read_at, window_span, free};
static const struct vk_io_ops shifted_ops = {shifted_read_at, shifted_span, free};

static struct vk_io *moved_new(const struct vk_io_ops *ops, struct vk_io *base, const char *name,
			       uint64_t offset, uint64_t size_bytes)
{
	struct moved *m = calloc(1, sizeof(*m));
	struct vk_io *io;

	if (m == NULL)
		return NULL;
	m->base = base;
	m->offset = offset;
	io = vk_io_new(ops, m, name, size_bytes, vk_io_sector_size(base));
	if (io == NULL)
		return NULL;
	io->below = base;
	if (ops == &window_ops) {
		io->fd = base->fd;
		io->fd_start = base->fd_start + offset;
	}
	return io;
}

struct vk_io *vk_io_window(struct vk_io *base, uint64_t offset, uint64_t length)
{
	uint64_t size = vk_io_size_bytes(base);
	struct vk_io *io;
	char *name;

	offset = vk_min_u64(offset, size);
	length = vk_min_u64(length, size - offset);
	if (offset == 0)
		return moved_new(&window_ops, base, vk_io_name(base), 0, length);
	/* offsets in errors count from here: the name says so */
	if (asprintf(&name, "%s (from byte %llu on)", vk_io_name(base),
		     (unsigned long long)offset) < 0)
		return NULL;
	io = moved_new(&window_ops, base, name, offset, length);
	free(name);
	return io;
}

struct vk_io *vk_io_shifted(struct vk_io *base, uint64_t origin)
{
	return moved_new(&shifted_ops, base, vk_io_name(base), origin,
			 vk_add_sat(origin, vk_io_size_bytes(base)));
}
