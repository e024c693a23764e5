/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a drive whose sectors are 520 or 528 bytes long, as if they had 512: what stands behind the 512 bytes of
 * each (a checksum and the block's address, which arrays keep there: T10 DIF, and vendors' own) is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "io/io_handle.h"

enum { DATA_BYTES = 512, BATCH_BYTES = 1 << 20 };

struct strided {
	struct vk_io *base;
	uint32_t stride;
	uint8_t *batch; /* read at once, so that a sector does not cost a call */
};

/* Where a byte of the view lies in base. */
static uint64_t down(const struct strided *s, uint64_t offset)
{
	return vk_add_sat(vk_mul_sat(offset / DATA_BYTES, s->stride), offset % DATA_BYTES);
}

/* How many bytes of the view lie in front of a byte of base. */
static uint64_t up(const struct strided *s, uint64_t offset)
{
	return offset / s->stride * DATA_BYTES + vk_min_u64(offset % s->stride, DATA_BYTES);
}

/* One batch; fewer than len bytes are no end yet. *ret_stopped: base stopped in front of a byte of the view. */
static enum vk_status read_batch(const struct strided *s, uint64_t offset, uint8_t *buf, size_t len, size_t *ret_got,
				 bool *ret_stopped, struct vk_error *err)
{
	uint64_t from = down(s, offset), end;
	size_t want, got, lead = (size_t)(offset % DATA_BYTES);
	enum vk_status status;

	/* whole sectors of base, as far as the batch reaches */
	len = (size_t)vk_min_u64(len, BATCH_BYTES / s->stride * DATA_BYTES - lead);
	want = (size_t)(down(s, offset + len - 1) + 1 - from);
	status = vk_io_read(s->base, from, s->batch, want, &got, err);
	if (status != VK_OK)
		return status;
	end = up(s, from + got) - offset;
	for (size_t done = 0; done < end;) {
		size_t n = (size_t)vk_min_u64(DATA_BYTES - (offset + done) % DATA_BYTES, end - done);

		memcpy(buf + done, s->batch + (down(s, offset + done) - from), n);
		done += n;
	}
	*ret_got = (size_t)end;
	/* what lies behind the data of a sector may fail without a byte of the view missing */
	*ret_stopped = end < len && down(s, offset + end) == from + got;
	return VK_OK;
}

static enum vk_status strided_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				      struct vk_error *err)
{
	const struct strided *s = self;
	bool stopped = false;
	size_t done = 0;

	while (done < len && !stopped) {
		size_t got;
		enum vk_status status = read_batch(s, offset + done, (uint8_t *)buf + done, len - done, &got, &stopped,
						   err);

		if (status != VK_OK)
			return status;
		done += got;
		stopped = stopped || got == 0;
	}
	*ret_got = done;
	return VK_OK;
}

static struct vk_span strided_span(void *self, uint64_t offset)
{
	const struct strided *s = self;
	uint64_t from = down(s, offset);
	struct vk_span span = vk_io_span(s->base, from);

	if (span.state != VK_SPAN_END)
		span.length_bytes = up(s, vk_add_sat(from, span.length_bytes)) - offset;
	return span;
}

static void strided_close(void *self)
{
	struct strided *s = self;

	free(s->batch);
	free(s);
}

struct vk_io *vk_io_strided(struct vk_io *base, uint32_t stride_bytes)
{
	static const struct vk_io_ops ops = {strided_read_at, strided_span, strided_close};
	struct strided *s;
	struct vk_io *io;
	char *name;

	if (stride_bytes <= DATA_BYTES || stride_bytes > VK_STRIDE_MAX_BYTES)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->batch = malloc(BATCH_BYTES);
	if (s == NULL || s->batch == NULL ||
	    asprintf(&name, "%s (512 of each %u bytes)", vk_io_name(base), (unsigned)stride_bytes) < 0) {
		if (s != NULL)
			strided_close(s);
		return NULL;
	}
	s->base = base;
	s->stride = stride_bytes;
	io = vk_io_new(&ops, s, name, up(s, vk_io_size_bytes(base)), DATA_BYTES);
	free(name);
	if (io != NULL)
		io->below = base;
	return io;
}
