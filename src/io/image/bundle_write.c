/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle is written from its first byte to its last. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "io/image/bundle_form.h"

enum { USUAL_LEVEL = 3, INDEX_LEVEL = 9 };

struct range {
	uint64_t offset_bytes, length_bytes;
	enum vk_bundle_kind kind;
};
struct frame {
	uint32_t packed_bytes, plain_bytes;
	uint8_t sha[VK_BUNDLE_SHA_BYTES];
};
struct vk_bundle_writer {
	struct vk_bundle_options options;
	char *name;
	ZSTD_CCtx *zstd;
	uint8_t *plain;  /* of the frame that is being filled */
	size_t filled;
	uint8_t *packed;
	size_t packed_room;
	struct range *ranges;
	size_t range_count;
	struct frame *frames;
	size_t frame_count;
	uint64_t end;    /* of what was added, in the source */
	uint64_t at;     /* in the file */
	uint64_t added[VK_BUNDLE_KINDS];
};

bool vk_bundle_sha(const void *bytes, size_t len, uint8_t ret_sha[VK_BUNDLE_SHA_BYTES])
{
	unsigned got = 0;

	return EVP_Digest(bytes, len, ret_sha, &got, EVP_sha256(), NULL) == 1 && got == VK_BUNDLE_SHA_BYTES;
}

static enum vk_status put_bytes(struct vk_bundle_writer *w, const void *bytes, size_t len, struct vk_error *err)
{
	w->at += len;
	return w->options.put(w->options.ctx, bytes, len, err);
}

/* What stands in front of len bytes that zstd skips. */
static enum vk_status put_skipped(struct vk_bundle_writer *w, size_t len, struct vk_error *err)
{
	uint8_t head[VK_BUNDLE_SKIPPED_BYTES];

	vk_put_le32(head, VK_BUNDLE_SKIPPED);
	vk_put_le32(head + 4, (uint32_t)len);
	return put_bytes(w, head, sizeof(head), err);
}

static enum vk_status of_zstd(const struct vk_bundle_writer *w, size_t result, struct vk_error *err)
{
	if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
		return vk_no_memory(err, w->name);
	return vk_error_set(err, VK_INTERNAL, w->name, "libzstd: %s", ZSTD_getErrorName(result));
}

static bool set_parameters(struct vk_bundle_writer *w, int level)
{
	return !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1));
}

enum vk_status vk_bundle_begin(const struct vk_bundle_options *options, struct vk_bundle_writer **ret_writer,
			       struct vk_error *err)
{
	struct vk_bundle_writer *w = calloc(1, sizeof(*w));
	enum vk_status status;

	if (w == NULL)
		return vk_no_memory(err, options->name);
	w->options = *options;
	w->name = strdup(options->name);
	w->zstd = ZSTD_createCCtx();
	w->plain = malloc(VK_BUNDLE_FRAME_BYTES);
	w->packed_room = ZSTD_compressBound(VK_BUNDLE_FRAME_BYTES);
	w->packed = malloc(w->packed_room);
	if (w->name == NULL || w->zstd == NULL || w->plain == NULL || w->packed == NULL ||
	    !set_parameters(w, options->level != 0 ? options->level : USUAL_LEVEL)) {
		vk_bundle_free(w);
		return vk_no_memory(err, options->name);
	}
	status = put_skipped(w, VK_BUNDLE_HEAD_BYTES - VK_BUNDLE_SKIPPED_BYTES, err);
	if (status == VK_OK)
		status = put_bytes(w, VK_BUNDLE_HEAD, VK_BUNDLE_HEAD_BYTES - VK_BUNDLE_SKIPPED_BYTES, err);
	if (status == VK_OK)
		*ret_writer = w;
	else
		vk_bundle_free(w);
	return status;
}

void vk_bundle_free(struct vk_bundle_writer *w)
{
	if (w == NULL)
		return;
	ZSTD_freeCCtx(w->zstd);
	free(w->plain);
	free(w->packed);
	free(w->ranges);
	free(w->frames);
	free(w->name);
	free(w);
}

uint64_t vk_bundle_added(const struct vk_bundle_writer *w, enum vk_bundle_kind kind)
{
	return w->added[kind];
}

static enum vk_status end_frame(struct vk_bundle_writer *w, struct vk_error *err)
{
	struct frame frame = {.plain_bytes = (uint32_t)w->filled};
	size_t packed;

	if (w->filled == 0)
		return VK_OK;
	packed = ZSTD_compress2(w->zstd, w->packed, w->packed_room, w->plain, w->filled);
	if (ZSTD_isError(packed))
		return of_zstd(w, packed, err);
	frame.packed_bytes = (uint32_t)packed;
	if (!vk_bundle_sha(w->plain, w->filled, frame.sha) ||
	    vk_append(&w->frames, &w->frame_count, &frame, sizeof(frame)) == NULL)
		return vk_no_memory(err, w->name);
	w->filled = 0;
	return put_bytes(w, w->packed, packed, err);
}

static size_t index_bytes(const struct vk_bundle_writer *w)
{
	return VK_BUNDLE_INDEX_HEAD_BYTES + w->range_count * VK_BUNDLE_RANGE_BYTES +
	       w->frame_count * VK_BUNDLE_FRAME_ROW_BYTES;
}

/* A range is where the one before it ends, or behind that; the same kind makes that one longer. */
static enum vk_status note_range(struct vk_bundle_writer *w, enum vk_bundle_kind kind, uint64_t offset,
				 uint64_t length, struct vk_error *err)
{
	const struct range range = {offset, length, kind};
	struct range *last = w->range_count > 0 ? &w->ranges[w->range_count - 1] : NULL;
	uint64_t end;

	if (offset < w->end || !vk_add_u64(offset, length, &end) || end > w->options.source_bytes)
		return vk_error_set(err, VK_INTERNAL, w->name, "a range of the bundle is out of order");
	w->added[kind] += length;
	if (last != NULL && last->kind == kind && w->end == offset) {
		last->length_bytes += length;
	} else if (index_bytes(w) > VK_BUNDLE_INDEX_BYTES - VK_BUNDLE_FACTS_BYTES - (1 << 20)) {
		return vk_error_set(err, VK_UNSUPPORTED, w->name, "there are more ranges than a bundle can hold");
	} else if (vk_append(&w->ranges, &w->range_count, &range, sizeof(range)) == NULL) {
		return vk_no_memory(err, w->name);
	}
	w->end = end;
	return VK_OK;
}

enum vk_status vk_bundle_add_none(struct vk_bundle_writer *w, enum vk_bundle_kind kind, uint64_t offset,
				  uint64_t length, struct vk_error *err)
{
	return length > 0 ? note_range(w, kind, offset, length, err) : VK_OK;
}

static enum vk_status add_data(struct vk_bundle_writer *w, uint64_t offset, const uint8_t *bytes, size_t len,
			       struct vk_error *err)
{
	enum vk_status status = note_range(w, VK_BUNDLE_DATA, offset, len, err);

	while (status == VK_OK && len > 0) {
		const size_t n = (size_t)vk_min_u64(len, VK_BUNDLE_FRAME_BYTES - w->filled);

		memcpy(w->plain + w->filled, bytes, n);
		w->filled += n;
		bytes += n;
		len -= n;
		if (w->filled == VK_BUNDLE_FRAME_BYTES)
			status = end_frame(w, err);
	}
	return status;
}

enum vk_status vk_bundle_add(struct vk_bundle_writer *w, uint64_t offset, const void *bytes, size_t len,
			     struct vk_error *err)
{
	const uint8_t *from = bytes;
	enum vk_status status = VK_OK;

	for (size_t done = 0, n; status == VK_OK && done < len; done += n) {
		n = (size_t)vk_min_u64(len - done,
				       VK_BUNDLE_ZERO_BYTES - (offset + done) % VK_BUNDLE_ZERO_BYTES);
		if (n == VK_BUNDLE_ZERO_BYTES && vk_all_zero(from + done, n))
			status = note_range(w, VK_BUNDLE_ZEROS, offset + done, n, err);
		else
			status = add_data(w, offset + done, from + done, n, err);
	}
	return status;
}

/* What is no data at offset: noted, and how long it is. */
static enum vk_status copy_none(struct vk_bundle_writer *w, struct vk_io *io, uint64_t offset, uint64_t length,
				uint64_t *ret_done, struct vk_error *err)
{
	const struct vk_span span = vk_io_span(io, offset);

	*ret_done = vk_min_u64(span.length_bytes, length);
	switch (span.state) {
	case VK_SPAN_ZERO:
		return vk_bundle_add_none(w, VK_BUNDLE_ZEROS, offset, *ret_done, err);
	case VK_SPAN_UNREADABLE:
		return vk_bundle_add_none(w, VK_BUNDLE_UNREADABLE, offset, *ret_done, err);
	case VK_SPAN_END:
		*ret_done = length;
		return VK_OK;
	case VK_SPAN_ABSENT:
		return VK_OK;
	case VK_SPAN_DATA:
		break;
	}
	*ret_done = 0;
	return VK_OK;
}

static enum vk_status copy_data(struct vk_bundle_writer *w, struct vk_io *io, uint64_t offset, uint8_t *bytes,
				size_t len, size_t *ret_got, vk_bundle_change_fn change, void *ctx,
				struct vk_error *err)
{
	enum vk_status status = vk_io_read(io, offset, bytes, len, ret_got, err);

	if (status == VK_OK && change != NULL && *ret_got > 0)
		status = change(ctx, offset, bytes, *ret_got, err);
	return status == VK_OK ? vk_bundle_add(w, offset, bytes, *ret_got, err) : status;
}

enum vk_status vk_bundle_copy(struct vk_bundle_writer *w, struct vk_io *io, uint64_t offset, uint64_t length,
			      vk_bundle_change_fn change, void *ctx, struct vk_error *err)
{
	const uint64_t end = vk_add_sat(offset, length);
	uint8_t *bytes = malloc(VK_BUNDLE_FRAME_BYTES);
	enum vk_status status = bytes != NULL ? VK_OK : vk_no_memory(err, w->name);
	uint64_t at = offset;

	while (status == VK_OK && at < end) {
		uint64_t want = VK_BUNDLE_FRAME_BYTES - (at - offset) % VK_BUNDLE_FRAME_BYTES;
		uint64_t none;
		size_t got;

		status = copy_none(w, io, at, end - at, &none, err);
		at += none;
		if (status != VK_OK || none > 0)
			continue;
		want = vk_min_u64(want, end - at);
		/* zeros behind it are told by io; who changes bytes gets structures that are whole */
		if (change == NULL)
			want = vk_min_u64(want, vk_io_span(io, at).length_bytes);
		status = copy_data(w, io, at, bytes, (size_t)want, &got, change, ctx, err);
		at += got;
		/* a read that stops where there should be data: the sector that stopped it */
		if (status != VK_OK || got > 0 || vk_io_span(io, at).state != VK_SPAN_DATA)
			continue;
		none = vk_min_u64(end - at, vk_io_sector_size(io) - at % vk_io_sector_size(io));
		status = vk_bundle_add_none(w, VK_BUNDLE_UNREADABLE, at, none, err);
		at += none;
	}
	free(bytes);
	return status;
}

static void fill_index(const struct vk_bundle_writer *w, const char *facts, uint8_t *to)
{
	vk_put_le64(to + VK_BUNDLE_INDEX_SOURCE, w->options.source_bytes);
	vk_put_le32(to + VK_BUNDLE_INDEX_SECTOR, w->options.sector_size);
	vk_put_le32(to + VK_BUNDLE_INDEX_FLAGS, w->options.redacted ? VK_BUNDLE_REDACTED : 0);
	vk_put_le64(to + VK_BUNDLE_INDEX_RANGES, w->range_count);
	vk_put_le64(to + VK_BUNDLE_INDEX_FRAMES, w->frame_count);
	vk_put_le64(to + VK_BUNDLE_INDEX_FACTS, strlen(facts));
	to += VK_BUNDLE_INDEX_HEAD_BYTES;
	for (size_t i = 0; i < w->range_count; i++, to += VK_BUNDLE_RANGE_BYTES) {
		vk_put_le64(to, w->ranges[i].offset_bytes);
		vk_put_le64(to + 8, w->ranges[i].length_bytes);
		vk_put_le32(to + 16, w->ranges[i].kind);
	}
	for (size_t i = 0; i < w->frame_count; i++, to += VK_BUNDLE_FRAME_ROW_BYTES) {
		vk_put_le32(to, w->frames[i].packed_bytes);
		vk_put_le32(to + 4, w->frames[i].plain_bytes);
		memcpy(to + 8, w->frames[i].sha, VK_BUNDLE_SHA_BYTES);
	}
	memcpy(to, facts, strlen(facts));
}

/* The packed index, and the tail that names it. */
static enum vk_status put_index(struct vk_bundle_writer *w, const uint8_t *plain, size_t len, struct vk_error *err)
{
	const size_t room = ZSTD_compressBound(len);
	uint8_t tail[VK_BUNDLE_TAIL_BYTES] = {0}, *packed = malloc(room);
	size_t got;
	enum vk_status status;

	if (packed == NULL || !set_parameters(w, INDEX_LEVEL) ||
	    !vk_bundle_sha(plain, len, tail + VK_BUNDLE_TAIL_SHA)) {
		free(packed);
		return vk_no_memory(err, w->name);
	}
	got = ZSTD_compress2(w->zstd, packed, room, plain, len);
	if (ZSTD_isError(got)) {
		free(packed);
		return of_zstd(w, got, err);
	}
	memcpy(tail, VK_BUNDLE_TAIL, VK_BUNDLE_TAIL_INDEX_AT);
	vk_put_le64(tail + VK_BUNDLE_TAIL_INDEX_AT, w->at);
	vk_put_le64(tail + VK_BUNDLE_TAIL_INDEX_PACKED, got);
	vk_put_le64(tail + VK_BUNDLE_TAIL_INDEX_BYTES, len);
	status = put_skipped(w, got, err);
	if (status == VK_OK)
		status = put_bytes(w, packed, got, err);
	if (status == VK_OK)
		status = put_skipped(w, sizeof(tail), err);
	if (status == VK_OK)
		status = put_bytes(w, tail, sizeof(tail), err);
	free(packed);
	return status;
}

enum vk_status vk_bundle_end(struct vk_bundle_writer *w, const char *facts, uint64_t *ret_bytes, struct vk_error *err)
{
	enum vk_status status = end_frame(w, err);
	size_t len = index_bytes(w) + strlen(facts);
	uint8_t *plain;

	if (status != VK_OK)
		return status;
	if (strlen(facts) > VK_BUNDLE_FACTS_BYTES || len > VK_BUNDLE_INDEX_BYTES)
		return vk_error_set(err, VK_UNSUPPORTED, w->name, "there is more to tell than a bundle can hold");
	plain = calloc(1, len);
	if (plain == NULL)
		return vk_no_memory(err, w->name);
	fill_index(w, facts, plain);
	status = put_index(w, plain, len, err);
	free(plain);
	if (status == VK_OK && ret_bytes != NULL)
		*ret_bytes = w->at;
	return status;
}
