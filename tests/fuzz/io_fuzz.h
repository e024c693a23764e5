/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every unfolded stream, however broken it is. */
#ifndef TESTS_FUZZ_IO_FUZZ_H
#define TESTS_FUZZ_IO_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmfskit/io.h"

#define FUZZ_SPANS_MAX 200
#define FUZZ_READ_BYTES ((size_t)4096)

static inline void fuzz_must(bool truth)
{
	if (!truth)
		abort();
}

static inline size_t fuzz_read(struct vk_io *io, uint64_t offset, uint8_t *buf, size_t len)
{
	struct vk_error err = {0};
	size_t got = SIZE_MAX;

	fuzz_must(vk_io_read(io, offset, buf, len, &got, &err) == VK_OK);
	fuzz_must(got <= len);
	return got;
}

/* A span holds what it says, at its start, over its end, and in small reads as in large ones. */
static inline void fuzz_check_span(struct vk_io *io, uint64_t offset, const struct vk_span *span)
{
	static uint8_t large[FUZZ_READ_BYTES];
	static uint8_t small[FUZZ_READ_BYTES];
	size_t len = span->length_bytes < FUZZ_READ_BYTES ? (size_t)span->length_bytes :
							    FUZZ_READ_BYTES;
	size_t step = 200 + (size_t)(offset % 700);
	uint64_t last = offset + span->length_bytes - 1;

	if (span->state == VK_SPAN_ABSENT) {
		fuzz_must(fuzz_read(io, offset, large, len) == 0);
		fuzz_must(fuzz_read(io, last, large, 1) == 0);
		return;
	}
	fuzz_must(span->state == VK_SPAN_DATA || span->state == VK_SPAN_ZERO);
	fuzz_must(vk_io_held(io, offset, span->length_bytes) == span->length_bytes);
	fuzz_must(fuzz_read(io, offset, large, len) == len);
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;

		fuzz_must(fuzz_read(io, offset + at, small + at, part) == part);
	}
	fuzz_must(memcmp(large, small, len) == 0);
	for (size_t i = 0; span->state == VK_SPAN_ZERO && i < len; i++)
		fuzz_must(large[i] == 0);
	fuzz_must(fuzz_read(io, last, large, 1) == 1);
}

static inline void fuzz_check_source(struct vk_io *io, size_t input_bytes)
{
	uint64_t size = vk_io_size_bytes(io);
	const struct vk_range *bad;
	uint64_t damage_at = 0;
	uint64_t offset = 0;
	uint8_t byte;

	fuzz_must(size <= ((uint64_t)1 << 60) + 16);
	for (int i = 0; i < FUZZ_SPANS_MAX && offset < size; i++) {
		struct vk_span span = vk_io_span(io, offset);

		fuzz_must(span.length_bytes > 0 && span.length_bytes <= size - offset);
		fuzz_check_span(io, offset, &span);
		offset += span.length_bytes;
	}
	fuzz_must(vk_io_span(io, size).state == VK_SPAN_END);
	fuzz_must(fuzz_read(io, size, &byte, 1) == 0);
	fuzz_must(vk_io_bad_ranges(io, &bad) == 0);
	if (vk_io_damage(io, &damage_at) != NULL)
		fuzz_must(damage_at <= input_bytes);
}

#endif
