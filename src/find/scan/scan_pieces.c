/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a source: large reads that end on round offsets, over small holes, around what cannot be read. */
#include "find/scan/scan_pieces.h"

#include "base/checked.h"

enum { SECTOR = 512 };
/* Asking for holes costs more than reading through smaller ones. */
#define HOLE_LEAST_BYTES ((uint64_t)256 << 10)
/* So many bad sectors in a row are tried one by one, then in strides that double up to the largest. */
#define PATIENCE_BYTES ((uint64_t)64 << 10)
#define STRIDE_MAX_BYTES ((uint64_t)1 << 20)
#define BAD_PIECE_MAX_BYTES ((uint64_t)64 << 20)

void vk_pieces_init(struct vk_pieces *pieces, struct vk_io *io, uint64_t start, uint64_t end, const bool *stop)
{
	*pieces = (struct vk_pieces){.io = io,
				     .at = start,
				     .end = vk_min_u64(end, vk_io_size_bytes(io)),
				     .data_end = start,
				     .good = UINT64_MAX,
				     .stop = stop};
}

/* Where the next block begins that can be looked at: the start of this one is not there. */
static uint64_t next_block(const struct vk_pieces *p, uint64_t offset)
{
	return vk_min_u64(vk_round_up_sat(offset, SECTOR), p->end);
}

/* What a source says without reading; DATA: it must be read. */
static struct vk_span span_to_come(struct vk_pieces *p)
{
	struct vk_span span = {VK_SPAN_DATA, 0};

	if (p->at < p->data_end)
		return (struct vk_span){VK_SPAN_DATA, p->data_end - p->at};
	if (p->at == p->hole.offset_bytes && p->hole.length_bytes > 0)
		return (struct vk_span){VK_SPAN_ZERO, p->hole.length_bytes};
	span = vk_io_span(p->io, p->at);
	span.length_bytes = vk_min_u64(span.length_bytes, p->end - p->at);
	if (span.state == VK_SPAN_DATA)
		p->data_end = p->at + span.length_bytes;
	return span;
}

static bool can_be_read(struct vk_pieces *p, uint64_t offset, uint8_t *buf, bool *ret_can, enum vk_status *status,
			struct vk_error *err)
{
	size_t got = 0;

	*status = vk_io_read(p->io, offset, buf, SECTOR, &got, err);
	*ret_can = got > 0;
	return *status == VK_OK;
}

/* bad cannot be read, good can: the first sector behind bad that can, as far as they are two regions. */
static enum vk_status first_good(struct vk_pieces *p, uint8_t *buf, uint64_t bad, uint64_t *good, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	while (*good - bad > SECTOR && status == VK_OK) {
		uint64_t middle = bad + (*good - bad) / SECTOR / 2 * SECTOR;
		bool can;

		if (!can_be_read(p, middle, buf, &can, &status, err))
			break;
		if (can)
			*good = middle;
		else
			bad = middle;
	}
	return status;
}

/*
 * The sector at offset cannot be read: how far that goes. A disk of which whole regions are gone is not asked for each
 * sector.
 */
static enum vk_status bad_end(struct vk_pieces *p, uint8_t *buf, uint64_t offset, uint64_t *ret_end,
			      struct vk_error *err)
{
	const uint64_t limit = vk_min_u64(p->end, vk_add_sat(offset, BAD_PIECE_MAX_BYTES));
	uint64_t stride = SECTOR;
	uint64_t bad = offset;
	enum vk_status status = VK_OK;

	for (;;) {
		uint64_t next = next_block(p, bad + 1);
		bool can;

		next = vk_min_u64(vk_add_sat(next, stride - SECTOR), limit);
		if (next >= limit || __atomic_load_n(p->stop, __ATOMIC_RELAXED)) {
			*ret_end = limit;
			return VK_OK;
		}
		if (!can_be_read(p, next, buf, &can, &status, err))
			return status;
		if (can) {
			*ret_end = next;
			return stride > SECTOR ? first_good(p, buf, bad - bad % SECTOR, ret_end, err) : VK_OK;
		}
		bad = next;
		if (bad - offset >= PATIENCE_BYTES)
			stride = vk_min_u64(stride * 2, STRIDE_MAX_BYTES);
	}
}

/* A long way nothing could be read: a disk that went away is not a disk of bad sectors. */
static enum vk_status still_there(struct vk_pieces *p, uint8_t *buf, struct vk_error *err)
{
	enum vk_status status;
	bool can;

	if (p->good == UINT64_MAX || __atomic_load_n(p->stop, __ATOMIC_RELAXED))
		return VK_OK;
	if (!can_be_read(p, p->good, buf, &can, &status, err) || can)
		return status;
	vk_error_set(err, VK_IO, vk_io_name(p->io),
		     "it does not answer any more: what could be read before cannot be read now");
	(void)vk_error_at(err, p->good);
	return VK_IO;
}

static enum vk_status missing(struct vk_pieces *p, uint64_t end, struct vk_piece *ret_piece)
{
	*ret_piece = (struct vk_piece){.kind = VK_PIECE_MISSING, .offset_bytes = p->at, .length_bytes = end - p->at};
	return VK_OK;
}

/* How much to read at once where data of span_bytes lies: through small holes, up to a large one. */
static uint64_t worth_reading(struct vk_pieces *p, uint64_t span_bytes)
{
	struct vk_span next;

	if (span_bytes >= HOLE_LEAST_BYTES || p->at + span_bytes >= p->end)
		return span_bytes;
	next = vk_io_span(p->io, p->at + span_bytes);
	if (next.state != VK_SPAN_ZERO || next.length_bytes < HOLE_LEAST_BYTES)
		return HOLE_LEAST_BYTES;
	p->hole = (struct vk_range){p->at + span_bytes, vk_min_u64(next.length_bytes, p->end - p->at - span_bytes)};
	return span_bytes;
}

static enum vk_status read_piece(struct vk_pieces *p, uint64_t span_bytes, uint8_t *buf, struct vk_piece *ret_piece,
				 struct vk_error *err)
{
	/* reads end on round offsets, so that the next one begins there */
	uint64_t most = VK_PIECE_BYTES_MAX - p->at % VK_PIECE_BYTES_MAX;
	uint64_t want = worth_reading(p, span_bytes);
	size_t got;
	uint64_t end;
	enum vk_status status;

	want = vk_round_up_sat(p->at + vk_min_u64(want, most), VK_PIECE_ALIGN_BYTES) - p->at;
	want = vk_min_u64(want, p->end - p->at);
	status = vk_io_read(p->io, p->at, buf, (size_t)want, &got, err);
	if (status != VK_OK)
		return status;
	if (got == 0) {
		struct vk_span span = vk_io_span(p->io, p->at);

		if (span.state == VK_SPAN_ABSENT)
			return missing(p, next_block(p, p->at + vk_min_u64(span.length_bytes, p->end - p->at)),
				       ret_piece);
		status = bad_end(p, buf, p->at, &end, err);
		if (status == VK_OK && end - p->at > PATIENCE_BYTES)
			status = still_there(p, buf, err);
		return status == VK_OK ? missing(p, end, ret_piece) : status;
	}
	p->good = p->at + (got - 1) / SECTOR * SECTOR;
	*ret_piece = (struct vk_piece){
		.kind = VK_PIECE_BYTES, .offset_bytes = p->at, .length_bytes = got, .bytes = buf};
	return VK_OK;
}

enum vk_status vk_pieces_next(struct vk_pieces *p, uint8_t *buf, struct vk_piece *ret_piece, struct vk_error *err)
{
	struct vk_span span;
	enum vk_status status = VK_OK;
	uint64_t whole;

	*ret_piece = (struct vk_piece){.offset_bytes = p->at};
	if (p->at >= p->end)
		return VK_OK;
	span = span_to_come(p);
	whole = span.length_bytes;
	if (p->at + whole < p->end)
		whole -= vk_min_u64((p->at + whole) % SECTOR, whole);
	if (span.state == VK_SPAN_ABSENT || span.state == VK_SPAN_UNREADABLE)
		status = missing(p, next_block(p, p->at + span.length_bytes), ret_piece);
	else if (span.state == VK_SPAN_ZERO && (whole >= HOLE_LEAST_BYTES || p->at + whole == p->end) && whole > 0)
		*ret_piece = (struct vk_piece){.kind = VK_PIECE_ZERO, .offset_bytes = p->at, .length_bytes = whole};
	else
		status = read_piece(p, span.length_bytes, buf, ret_piece, err);
	p->at += ret_piece->length_bytes;
	return status;
}
