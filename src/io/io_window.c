/* SPDX-License-Identifier: Apache-2.0 */
/* A part of another source, and another source moved up. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "io/io_handle.h"

/* Byte `up` of the handle is byte `down` of base: one of them is 0. */
struct moved {
	struct vk_io *base;
	uint64_t up;
	uint64_t down;
};

static enum vk_status moved_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				    struct vk_error *err)
{
	const struct moved *m = self;

	if (offset >= m->up)
		return vk_io_read(m->base, offset - m->up + m->down, buf, len, ret_got, err);
	*ret_got = 0;
	return VK_OK;
}

static struct vk_span moved_span(void *self, uint64_t offset)
{
	const struct moved *m = self;

	if (offset < m->up)
		return (struct vk_span){VK_SPAN_ABSENT, m->up - offset};
	return vk_io_span(m->base, offset - m->up + m->down);
}

static struct vk_io *moved_new(struct vk_io *base, const char *name, uint64_t up, uint64_t down, uint64_t size_bytes)
{
	static const struct vk_io_ops ops = {moved_read_at, moved_span, free};
	struct moved *m = calloc(1, sizeof(*m));
	struct vk_io *io;

	if (m == NULL)
		return NULL;
	*m = (struct moved){base, up, down};
	io = vk_io_new(&ops, m, name, size_bytes, vk_io_sector_size(base));
	if (io == NULL)
		return NULL;
	io->below = base;
	if (up == 0) {
		io->fd = base->fd;
		io->fd_start = base->fd_start + down;
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
		return moved_new(base, vk_io_name(base), 0, 0, length);
	/* offsets in errors count from here: the name says so */
	if (asprintf(&name, "%s (from byte %llu on)", vk_io_name(base),
		     (unsigned long long)offset) < 0)
		return NULL;
	io = moved_new(base, name, 0, offset, length);
	free(name);
	return io;
}

struct vk_io *vk_io_shifted(struct vk_io *base, uint64_t origin)
{
	return moved_new(base, vk_io_name(base), origin, 0, vk_add_sat(origin, vk_io_size_bytes(base)));
}
