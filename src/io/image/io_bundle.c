/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle as a source. Nothing of its index is believed: a frame never becomes longer than one may be. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "io/image/bundle_form.h"
#include "io/io_handle.h"

enum { CACHE_FRAMES = 8 };
#define SOURCE_MAX_BYTES ((uint64_t)1 << 60)

struct range {
	uint64_t offset_bytes, length_bytes;
	uint64_t at; /* of data: in the bytes of all frames */
	enum vk_bundle_kind kind;
};
struct frame {
	uint64_t file_at, packed_bytes;
	uint64_t at, plain_bytes; /* in the bytes of all frames */
	uint8_t sha[VK_BUNDLE_SHA_BYTES];
	bool is_bad;
};
struct slot {
	uint8_t *bytes; /* of the frame; NULL: the slot is empty */
	size_t frame;
	uint64_t used;  /* when, counted in uses */
};
struct bundle {
	struct vk_io *base, *io;
	bool owns_base, redacted;
	ZSTD_DCtx *zstd;
	struct range *ranges;
	size_t range_count;
	struct frame *frames;
	size_t frame_count;
	char *facts;
	uint8_t *packed;
	struct slot slots[CACHE_FRAMES];
	uint64_t uses;
};

static uint64_t range_end(const void *range)
{
	const struct range *r = range;

	return r->offset_bytes + r->length_bytes;
}

static uint64_t frame_end(const void *frame)
{
	const struct frame *f = frame;

	return f->at + f->plain_bytes;
}

static size_t find_range(const struct bundle *b, uint64_t offset)
{
	return vk_first_not_below(b->ranges, b->range_count, sizeof(*b->ranges), vk_add_sat(offset, 1), range_end);
}

static size_t find_frame(const struct bundle *b, uint64_t at)
{
	return vk_first_not_below(b->frames, b->frame_count, sizeof(*b->frames), vk_add_sat(at, 1), frame_end);
}

/* NULL: it is damaged, which was told. */
static const char *unpack(struct bundle *b, const struct frame *f, uint8_t *to, struct vk_error *err,
			  enum vk_status *ret_status)
{
	uint8_t sha[VK_BUNDLE_SHA_BYTES];
	size_t got;

	*ret_status = vk_io_read(b->base, f->file_at, b->packed, f->packed_bytes, &got, err);
	if (*ret_status != VK_OK)
		return NULL;
	if (got < f->packed_bytes)
		return "a frame of the bundle cannot be read";
	got = ZSTD_decompressDCtx(b->zstd, to, f->plain_bytes, b->packed, f->packed_bytes);
	if (ZSTD_isError(got) || got != f->plain_bytes)
		return "a frame of the bundle cannot be unpacked";
	if (!vk_bundle_sha(to, f->plain_bytes, sha) || memcmp(sha, f->sha, sizeof(sha)) != 0)
		return "a frame of the bundle has other bytes than its index says";
	return NULL;
}

/* *ret_bytes NULL: the frame is damaged. Valid until the next call. */
static enum vk_status get_frame(struct bundle *b, size_t index, const uint8_t **ret_bytes, struct vk_error *err)
{
	struct slot *slot = &b->slots[0];
	struct frame *f = &b->frames[index];
	enum vk_status status;
	const char *wrong;

	*ret_bytes = NULL;
	for (size_t i = 0; i < CACHE_FRAMES && !f->is_bad; i++) {
		struct slot *s = &b->slots[i];

		if (s->bytes != NULL && s->frame == index) {
			s->used = ++b->uses;
			*ret_bytes = s->bytes;
			return VK_OK;
		}
		if (slot->bytes != NULL && (s->bytes == NULL || s->used < slot->used))
			slot = s;
	}
	if (f->is_bad)
		return VK_OK;
	/* what was there is overwritten before it is known whether this frame is whole */
	if (slot->bytes == NULL)
		slot->bytes = malloc(VK_BUNDLE_FRAME_BYTES);
	if (slot->bytes == NULL)
		return vk_no_memory(err, vk_io_name(b->base));
	slot->frame = SIZE_MAX;
	slot->used = 0;
	wrong = unpack(b, f, slot->bytes, err, &status);
	if (status != VK_OK)
		return status;
	if (wrong != NULL) {
		f->is_bad = true;
		vk_io_set_damage(b->io, wrong, f->file_at);
		return VK_OK;
	}
	slot->frame = index;
	slot->used = ++b->uses;
	*ret_bytes = slot->bytes;
	return VK_OK;
}

/* Data of the frames from `at` on, up to len; *ret_got stops before a frame that is damaged. */
static enum vk_status read_data(struct bundle *b, uint64_t at, uint8_t *to, size_t len, size_t *ret_got,
				struct vk_error *err)
{
	size_t done = 0;

	for (size_t i = find_frame(b, at); i < b->frame_count && done < len; i++) {
		const uint64_t skip = at + done - b->frames[i].at;
		const size_t n = (size_t)vk_min_u64(b->frames[i].plain_bytes - skip, len - done);
		const uint8_t *bytes;
		enum vk_status status = get_frame(b, i, &bytes, err);

		if (status != VK_OK)
			return status;
		if (bytes == NULL)
			break;
		memcpy(to + done, bytes + skip, n);
		done += n;
	}
	*ret_got = done;
	return VK_OK;
}

static enum vk_status bundle_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				     struct vk_error *err)
{
	struct bundle *b = self;
	size_t done = 0;

	for (size_t i = find_range(b, offset); i < b->range_count && done < len; i++) {
		const struct range *r = &b->ranges[i];
		const uint64_t at = offset + done;
		uint8_t *to = (uint8_t *)buf + done;
		size_t want, got = 0;

		if (r->offset_bytes > at)
			break;
		want = (size_t)vk_min_u64(range_end(r) - at, len - done);
		if (r->kind == VK_BUNDLE_DATA) {
			enum vk_status status = read_data(b, r->at + at - r->offset_bytes, to, want, &got, err);

			if (status != VK_OK)
				return status;
		} else if (r->kind == VK_BUNDLE_ZEROS) {
			memset(to, 0, want);
			got = want;
		}
		done += got;
		if (got < want)
			break;
	}
	*ret_got = done;
	return VK_OK;
}

static struct vk_span bundle_span(void *self, uint64_t offset)
{
	const struct bundle *b = self;
	const size_t i = find_range(b, offset);
	const struct range *r = &b->ranges[i];
	struct vk_span span = {VK_SPAN_ABSENT, UINT64_MAX};

	if (i == b->range_count)
		return span;
	if (r->offset_bytes > offset) {
		span.length_bytes = r->offset_bytes - offset;
		return span;
	}
	span.length_bytes = range_end(r) - offset;
	span.state = r->kind == VK_BUNDLE_ZEROS ? VK_SPAN_ZERO : VK_SPAN_UNREADABLE;
	if (r->kind == VK_BUNDLE_DATA) {
		const uint64_t at = r->at + offset - r->offset_bytes;
		const struct frame *f = &b->frames[find_frame(b, at)];

		span.state = f->is_bad ? VK_SPAN_UNREADABLE : VK_SPAN_DATA;
		if (f->is_bad)
			span.length_bytes = vk_min_u64(span.length_bytes, frame_end(f) - at);
	}
	return span;
}

static void bundle_close(void *self)
{
	struct bundle *b = self;

	if (b->owns_base)
		vk_io_close(b->base);
	for (size_t i = 0; i < CACHE_FRAMES; i++)
		free(b->slots[i].bytes);
	ZSTD_freeDCtx(b->zstd);
	free(b->ranges);
	free(b->frames);
	free(b->facts);
	free(b->packed);
	free(b);
}

static const struct vk_io_ops bundle_ops = {bundle_read_at, bundle_span, bundle_close, NULL};

const char *vk_io_bundle_facts(const struct vk_io *io, bool *ret_redacted)
{
	const struct bundle *b;

	while (io->below != NULL && io->ops != &bundle_ops)
		io = io->below;
	if (io->ops != &bundle_ops)
		return NULL;
	b = io->self;
	*ret_redacted = b->redacted;
	return b->facts;
}

static bool reads_head(struct vk_io *base, uint8_t head[VK_BUNDLE_HEAD_BYTES])
{
	return vk_io_read_all(base, 0, head, VK_BUNDLE_HEAD_BYTES, NULL) == VK_OK &&
	       vk_get_le32(head) == VK_BUNDLE_SKIPPED &&
	       memcmp(head + VK_BUNDLE_SKIPPED_BYTES, VK_BUNDLE_HEAD, VK_BUNDLE_MAGIC_BYTES) == 0;
}

bool vk_io_is_bundle(struct vk_io *base)
{
	uint8_t head[VK_BUNDLE_HEAD_BYTES];

	return reads_head(base, head);
}

static enum vk_status damaged(const struct bundle *b, uint64_t offset, const char *what, struct vk_error *err)
{
	vk_error_set(err, VK_DAMAGED, vk_io_name(b->base), "%s", what);
	vk_error_at(err, offset);
	if (err != NULL)
		vk_error_remedy(err, "take the bundle once more, or copy it once more from where it came from");
	return VK_DAMAGED;
}

static enum vk_status check_version(const struct bundle *b, struct vk_error *err)
{
	uint8_t head[VK_BUNDLE_HEAD_BYTES];

	if (!reads_head(b->base, head))
		return damaged(b, 0, "it is not a whole bundle", err);
	if (memcmp(head + VK_BUNDLE_SKIPPED_BYTES, VK_BUNDLE_HEAD, sizeof(VK_BUNDLE_HEAD) - 1) == 0)
		return VK_OK;
	vk_error_set(err, VK_UNSUPPORTED, vk_io_name(b->base), "it is a bundle of another form than 1");
	if (err != NULL)
		vk_error_remedy(err, "read it with the vmfskit that made it, or with a newer one");
	return VK_UNSUPPORTED;
}

struct tail {
	uint64_t index_at, packed_bytes, plain_bytes;
	uint8_t sha[VK_BUNDLE_SHA_BYTES];
};

/* The last bytes of the file, which lead to the index. */
static enum vk_status read_tail(const struct bundle *b, struct tail *ret_tail, struct vk_error *err)
{
	const uint64_t all = VK_BUNDLE_SKIPPED_BYTES + VK_BUNDLE_TAIL_BYTES, size = vk_io_size_bytes(b->base);
	uint8_t tail[VK_BUNDLE_SKIPPED_BYTES + VK_BUNDLE_TAIL_BYTES];
	const uint8_t *t = tail + VK_BUNDLE_SKIPPED_BYTES;
	enum vk_status status;

	if (size < VK_BUNDLE_HEAD_BYTES + VK_BUNDLE_SKIPPED_BYTES + all)
		return damaged(b, size, "the bundle is cut off: its index is missing", err);
	status = vk_io_read_all(b->base, size - all, tail, sizeof(tail), err);
	if (status != VK_OK)
		return status;
	if (vk_get_le32(tail) != VK_BUNDLE_SKIPPED || vk_get_le32(tail + 4) != VK_BUNDLE_TAIL_BYTES ||
	    memcmp(t, VK_BUNDLE_TAIL, VK_BUNDLE_TAIL_INDEX_AT) != 0)
		return damaged(b, size, "the bundle is cut off: its index is missing", err);
	ret_tail->index_at = vk_get_le64(t + VK_BUNDLE_TAIL_INDEX_AT);
	ret_tail->packed_bytes = vk_get_le64(t + VK_BUNDLE_TAIL_INDEX_PACKED);
	ret_tail->plain_bytes = vk_get_le64(t + VK_BUNDLE_TAIL_INDEX_BYTES);
	memcpy(ret_tail->sha, t + VK_BUNDLE_TAIL_SHA, sizeof(ret_tail->sha));
	if (ret_tail->index_at < VK_BUNDLE_HEAD_BYTES || ret_tail->index_at > size ||
	    ret_tail->packed_bytes != size - ret_tail->index_at - VK_BUNDLE_SKIPPED_BYTES - all ||
	    ret_tail->packed_bytes > ZSTD_compressBound(VK_BUNDLE_INDEX_BYTES) ||
	    ret_tail->plain_bytes < VK_BUNDLE_INDEX_HEAD_BYTES || ret_tail->plain_bytes > VK_BUNDLE_INDEX_BYTES)
		return damaged(b, size - all, "the end of the bundle names an index that cannot be", err);
	return VK_OK;
}

/* *ret_index is freed by the caller. */
static enum vk_status read_index(const struct bundle *b, const struct tail *tail, uint8_t **ret_index,
				 struct vk_error *err)
{
	uint8_t sha[VK_BUNDLE_SHA_BYTES], *packed = malloc(tail->packed_bytes + 1);
	uint8_t *plain = malloc(tail->plain_bytes);
	enum vk_status status = packed != NULL && plain != NULL ? VK_OK : vk_no_memory(err, vk_io_name(b->base));
	size_t got;

	if (status == VK_OK)
		status = vk_io_read_all(b->base, tail->index_at + VK_BUNDLE_SKIPPED_BYTES, packed, tail->packed_bytes,
					err);
	if (status == VK_OK) {
		got = ZSTD_decompressDCtx(b->zstd, plain, tail->plain_bytes, packed, tail->packed_bytes);
		if (ZSTD_isError(got) || got != tail->plain_bytes || !vk_bundle_sha(plain, got, sha) ||
		    memcmp(sha, tail->sha, sizeof(sha)) != 0)
			status = damaged(b, tail->index_at, "the index of the bundle is damaged", err);
	}
	free(packed);
	if (status == VK_OK)
		*ret_index = plain;
	else
		free(plain);
	return status;
}

/* In order, apart, in the source; *ret_data: bytes that the frames must have. */
static bool takes_ranges(struct bundle *b, const uint8_t *rows, uint64_t source_bytes, uint64_t *ret_data)
{
	uint64_t end = 0, data = 0;

	for (size_t i = 0; i < b->range_count; i++, rows += VK_BUNDLE_RANGE_BYTES) {
		struct range *r = &b->ranges[i];
		const uint32_t kind = vk_get_le32(rows + 16);

		*r = (struct range){vk_get_le64(rows), vk_get_le64(rows + 8), data, (enum vk_bundle_kind)kind};
		if (kind >= VK_BUNDLE_KINDS || r->length_bytes == 0 || r->offset_bytes < end ||
		    !vk_add_u64(r->offset_bytes, r->length_bytes, &end) || end > source_bytes)
			return false;
		data += kind == VK_BUNDLE_DATA ? r->length_bytes : 0;
	}
	*ret_data = data;
	return true;
}

/* One behind the other, up to the index. */
static bool takes_frames(struct bundle *b, const uint8_t *rows, uint64_t index_at, uint64_t data)
{
	uint64_t file_at = VK_BUNDLE_HEAD_BYTES, at = 0;

	for (size_t i = 0; i < b->frame_count; i++, rows += VK_BUNDLE_FRAME_ROW_BYTES) {
		struct frame *f = &b->frames[i];

		*f = (struct frame){.file_at = file_at, .packed_bytes = vk_get_le32(rows), .at = at,
				    .plain_bytes = vk_get_le32(rows + 4)};
		memcpy(f->sha, rows + 8, VK_BUNDLE_SHA_BYTES);
		if (f->plain_bytes == 0 || f->plain_bytes > VK_BUNDLE_FRAME_BYTES || f->packed_bytes == 0 ||
		    f->packed_bytes > ZSTD_compressBound(VK_BUNDLE_FRAME_BYTES))
			return false;
		file_at += f->packed_bytes;
		at += f->plain_bytes;
	}
	return file_at == index_at && at == data;
}

static enum vk_status take_index(struct bundle *b, const struct tail *tail, const uint8_t *index, struct vk_error *err)
{
	const uint64_t ranges = vk_get_le64(index + VK_BUNDLE_INDEX_RANGES);
	const uint64_t frames = vk_get_le64(index + VK_BUNDLE_INDEX_FRAMES);
	const uint64_t facts = vk_get_le64(index + VK_BUNDLE_INDEX_FACTS);
	const uint64_t source = vk_get_le64(index + VK_BUNDLE_INDEX_SOURCE);
	const uint32_t sector = vk_get_le32(index + VK_BUNDLE_INDEX_SECTOR);
	const uint8_t *rows = index + VK_BUNDLE_INDEX_HEAD_BYTES;
	static const char wrong[] = "the index of the bundle names ranges or frames that cannot be";
	uint64_t data = 0;

	if (ranges > VK_BUNDLE_INDEX_BYTES || frames > VK_BUNDLE_INDEX_BYTES || facts > VK_BUNDLE_FACTS_BYTES ||
	    VK_BUNDLE_INDEX_HEAD_BYTES + ranges * VK_BUNDLE_RANGE_BYTES + frames * VK_BUNDLE_FRAME_ROW_BYTES + facts !=
		    tail->plain_bytes ||
	    source == 0 || source > SOURCE_MAX_BYTES || (sector != 512 && sector != 4096))
		return damaged(b, tail->index_at, wrong, err);
	b->ranges = calloc(ranges + 1, sizeof(*b->ranges));
	b->frames = calloc(frames + 1, sizeof(*b->frames));
	b->facts = calloc(facts + 1, 1);
	b->packed = malloc(ZSTD_compressBound(VK_BUNDLE_FRAME_BYTES));
	if (b->ranges == NULL || b->frames == NULL || b->facts == NULL || b->packed == NULL)
		return vk_no_memory(err, vk_io_name(b->base));
	b->range_count = ranges;
	b->frame_count = frames;
	b->redacted = (vk_get_le32(index + VK_BUNDLE_INDEX_FLAGS) & VK_BUNDLE_REDACTED) != 0;
	if (!takes_ranges(b, rows, source, &data) ||
	    !takes_frames(b, rows + ranges * VK_BUNDLE_RANGE_BYTES, tail->index_at, data))
		return damaged(b, tail->index_at, wrong, err);
	memcpy(b->facts, index + tail->plain_bytes - facts, facts);
	return VK_OK;
}

/* *ret_index is freed by the caller; its numbers are sound then. */
static enum vk_status load(struct bundle *b, uint8_t **ret_index, struct vk_error *err)
{
	struct tail tail;
	enum vk_status status = check_version(b, err);

	if (status == VK_OK)
		status = read_tail(b, &tail, err);
	if (status == VK_OK)
		status = read_index(b, &tail, ret_index, err);
	return status == VK_OK ? take_index(b, &tail, *ret_index, err) : status;
}

enum vk_status vk_io_bundle(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err)
{
	struct bundle *b = calloc(1, sizeof(*b));
	uint8_t *index = NULL;
	enum vk_status status;

	if (b == NULL)
		return vk_no_memory(err, vk_io_name(base));
	b->base = base;
	b->zstd = ZSTD_createDCtx();
	status = b->zstd != NULL ? load(b, &index, err) : vk_no_memory(err, vk_io_name(base));
	if (status == VK_OK) {
		*ret_io = vk_io_new(&bundle_ops, b, vk_io_name(base), vk_get_le64(index + VK_BUNDLE_INDEX_SOURCE),
				    vk_get_le32(index + VK_BUNDLE_INDEX_SECTOR));
		free(index);
		if (*ret_io == NULL)
			return vk_no_memory(err, vk_io_name(base));
		b->io = *ret_io;
		b->owns_base = true;
		return VK_OK;
	}
	free(index);
	bundle_close(b);
	return status;
}
