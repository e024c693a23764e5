/* SPDX-License-Identifier: Apache-2.0 */
/* A disk made of a few blocks in a large hole, with sectors that fail, parts that are absent, and failures on demand. */
#ifndef TESTS_UNIT_FAKE_DISK_H
#define TESTS_UNIT_FAKE_DISK_H

#include <errno.h>
#include <time.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "io_helpers.h"

enum { FAKE_MAX = 4096 };

struct fake_block {
	uint64_t offset;
	uint32_t words[4]; /* what the block begins with */
};

/* Start from all zero and a size; lists are sorted by offset and hold no overlaps. */
struct fake_disk {
	uint64_t size;
	bool dense;                      /* no holes: what is in no block is read, as zeros */
	struct fake_block blocks[FAKE_MAX];
	size_t block_count;
	struct vk_range bad[FAKE_MAX];   /* whole sectors */
	size_t bad_count;
	struct vk_range absent[FAKE_MAX];
	size_t absent_count;
	void (*fill)(uint64_t offset, uint8_t *sector); /* makes every sector instead of the blocks; may be NULL */
	uint64_t reads, bytes_read;      /* so far */
	uint64_t fail_from;              /* number of the read from which on the environment fails; 0: none does */
	uint64_t gone_from;              /* number of the read from which on no sector can be read; 0: none */
	unsigned sleep_ms;               /* of every read */
};

static inline const struct vk_range *fake_range(const struct vk_range *ranges, size_t count, uint64_t offset)
{
	for (size_t i = 0; i < count; i++)
		if (offset < ranges[i].offset_bytes + ranges[i].length_bytes)
			return &ranges[i];
	return NULL;
}

/* Bytes from offset to the next range of the list, 0 when it is in one. */
static inline uint64_t fake_clear(const struct vk_range *ranges, size_t count, uint64_t offset)
{
	const struct vk_range *r = fake_range(ranges, count, offset);

	return r == NULL ? UINT64_MAX : r->offset_bytes <= offset ? 0 : r->offset_bytes - offset;
}

static inline void fake_copy(const struct fake_disk *d, uint64_t offset, uint8_t *buf, size_t len)
{
	memset(buf, 0, len);
	if (d->fill != NULL) {
		if (offset % 512 != 0)
			abort();
		for (size_t at = 0; at < len; at += 512) {
			uint8_t sector[512] = {0};

			d->fill(offset + at, sector);
			memcpy(buf + at, sector, vk_min_u64(512, len - at));
		}
		return;
	}
	for (size_t i = 0; i < d->block_count; i++) {
		const struct fake_block *b = &d->blocks[i];
		uint8_t bytes[16];

		for (size_t k = 0; k < 4; k++)
			vk_put_le32(bytes + 4 * k, b->words[k]);
		for (size_t k = 0; k < sizeof(bytes); k++)
			if (b->offset + k >= offset && b->offset + k - offset < len)
				buf[b->offset + k - offset] = bytes[k];
	}
}

static inline enum vk_status fake_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
					  struct vk_error *err)
{
	struct fake_disk *d = self;
	const struct timespec pause = {.tv_nsec = (long)d->sleep_ms * 1000000};

	d->reads++;
	if (d->fail_from != 0 && d->reads >= d->fail_from)
		return vk_error_set(err, VK_IO, "fake", "the cable was pulled");
	if (d->sleep_ms > 0)
		nanosleep(&pause, NULL);
	if (d->gone_from != 0 && d->reads >= d->gone_from)
		len = 0;
	len = (size_t)vk_min_u64(len, fake_clear(d->bad, d->bad_count, offset));
	len = (size_t)vk_min_u64(len, fake_clear(d->absent, d->absent_count, offset));
	fake_copy(d, offset, buf, len);
	d->bytes_read += len;
	*ret_got = len;
	return VK_OK;
}

/* Sectors that fail are not known before they are read: only what is absent and what is a hole is told. */
static inline struct vk_span fake_span(void *self, uint64_t offset)
{
	const struct fake_disk *d = self;
	uint64_t clear = fake_clear(d->absent, d->absent_count, offset);
	uint64_t next = UINT64_MAX;

	if (clear == 0) {
		const struct vk_range *r = fake_range(d->absent, d->absent_count, offset);

		return (struct vk_span){VK_SPAN_ABSENT, r->offset_bytes + r->length_bytes - offset};
	}
	if (d->dense || d->fill != NULL)
		return (struct vk_span){VK_SPAN_DATA, clear};
	/* a block lies in a page of data; pages that fail are data too */
	for (size_t i = 0; i < d->block_count; i++) {
		uint64_t page = d->blocks[i].offset / 4096 * 4096;

		if (offset >= page && offset < page + 4096)
			return (struct vk_span){VK_SPAN_DATA, vk_min_u64(page + 4096 - offset, clear)};
		if (page > offset)
			next = vk_min_u64(next, page - offset);
	}
	for (size_t i = 0; i < d->bad_count; i++) {
		const struct vk_range *r = &d->bad[i];

		if (offset >= r->offset_bytes && offset < r->offset_bytes + r->length_bytes)
			return (struct vk_span){VK_SPAN_DATA,
						vk_min_u64(r->offset_bytes + r->length_bytes - offset, clear)};
		if (r->offset_bytes > offset)
			next = vk_min_u64(next, r->offset_bytes - offset);
	}
	return (struct vk_span){VK_SPAN_ZERO, vk_min_u64(next, clear)};
}

static inline struct vk_io *fake_open(struct fake_disk *d)
{
	static const struct vk_io_ops ops = {fake_read_at, fake_span, NULL};
	struct vk_io *io = vk_io_new(&ops, d, "fake", d->size, 512);

	assert_non_null(io);
	return io;
}

/* In order of offset. */
static inline void fake_put(struct fake_disk *d, uint64_t offset, uint32_t magic, uint64_t value)
{
	struct fake_block *b = &d->blocks[d->block_count++];

	assert_true(d->block_count <= FAKE_MAX);
	*b = (struct fake_block){offset, {magic, (uint32_t)value, (uint32_t)(value >> 32), 0}};
}

#endif
