/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles made by hand, sound or not: the index and the frames as they are given, the rest as it should be. */
#ifndef TESTS_UNIT_BUNDLE_BENCH_H
#define TESTS_UNIT_BUNDLE_BENCH_H

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "io/image/bundle_form.h"

/* Bytes in memory that grow. */
struct grown {
	uint8_t *bytes;
	size_t len;
};

static inline void grow(struct grown *g, const void *bytes, size_t len)
{
	uint8_t *more = realloc(g->bytes, g->len + len + 1);

	if (more == NULL)
		abort();
	if (len > 0)
		memcpy(more + g->len, bytes, len);
	g->bytes = more;
	g->len += len;
}

static inline void grow_u32(struct grown *g, uint32_t value)
{
	uint8_t b[4];

	vk_put_le32(b, value);
	grow(g, b, 4);
}

static inline void grow_u64(struct grown *g, uint64_t value)
{
	uint8_t b[8];

	vk_put_le64(b, value);
	grow(g, b, 8);
}

static inline void grow_skipped(struct grown *g, const void *bytes, size_t len)
{
	grow_u32(g, VK_BUNDLE_SKIPPED);
	grow_u32(g, (uint32_t)len);
	grow(g, bytes, len);
}

static inline void grow_packed(struct grown *g, const void *bytes, size_t len)
{
	size_t room = ZSTD_compressBound(len);
	uint8_t *to = malloc(room + 1);
	size_t got = to != NULL ? ZSTD_compress(to, room, bytes, len, 3) : 0;

	if (ZSTD_isError(got))
		abort();
	grow(g, to, got);
	free(to);
}

/* A bundle of these frames, as they are, and this index. */
static inline struct grown bundle_of(const void *frames, size_t frames_len, const void *index, size_t index_len)
{
	struct grown file = {NULL, 0}, packed = {NULL, 0}, tail = {NULL, 0};
	uint8_t sha[VK_BUNDLE_SHA_BYTES];

	grow_skipped(&file, VK_BUNDLE_HEAD, VK_BUNDLE_HEAD_BYTES - VK_BUNDLE_SKIPPED_BYTES);
	grow(&file, frames, frames_len);
	grow_packed(&packed, index, index_len);
	grow(&tail, VK_BUNDLE_TAIL, VK_BUNDLE_TAIL_INDEX_AT);
	grow_u64(&tail, file.len);
	grow_u64(&tail, packed.len);
	grow_u64(&tail, index_len);
	if (!vk_bundle_sha(index, index_len, sha))
		abort();
	grow(&tail, sha, sizeof(sha));
	grow_skipped(&file, packed.bytes, packed.len);
	grow_skipped(&file, tail.bytes, tail.len);
	free(packed.bytes);
	free(tail.bytes);
	return file;
}

/* The head of an index. */
static inline void grow_index(struct grown *g, uint64_t source, uint32_t sector, uint64_t ranges, uint64_t frames,
			      uint64_t facts)
{
	static const uint8_t rest[VK_BUNDLE_INDEX_HEAD_BYTES - 40] = {0};

	grow_u64(g, source);
	grow_u32(g, sector);
	grow_u32(g, 0);
	grow_u64(g, ranges);
	grow_u64(g, frames);
	grow_u64(g, facts);
	grow(g, rest, sizeof(rest));
}

static inline void grow_range(struct grown *g, uint64_t offset, uint64_t length, uint32_t kind)
{
	grow_u64(g, offset);
	grow_u64(g, length);
	grow_u32(g, kind);
	grow_u32(g, 0);
}

static inline void grow_frame(struct grown *g, size_t packed, size_t plain, const void *bytes)
{
	uint8_t sha[VK_BUNDLE_SHA_BYTES];

	if (!vk_bundle_sha(bytes, plain, sha))
		abort();
	grow_u32(g, (uint32_t)packed);
	grow_u32(g, (uint32_t)plain);
	grow(g, sha, sizeof(sha));
}

#endif
