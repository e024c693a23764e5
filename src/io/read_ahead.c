/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: a thread walks a range of the source, in large reads that end on round offsets, over small holes,
 * around what cannot be read, and fills a ring of buffers.
 */
#include "base/memory.h"
#include "io/read_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"

/*
 * One buffer is read while the other is searched or written; more are only more to cache.
 */
enum { RING = 2, BUFFER_ALIGN_BYTES = 2 << 20, PIECE_ALIGN_BYTES = 4096, SECTOR = 512, PIPE_BYTES = 1 << 20 };
_Static_assert(BUFFER_ALIGN_BYTES % PIECE_ALIGN_BYTES == 0, "buffers must be aligned for direct reads");
_Static_assert(RING * VK_PIECE_BYTES_MAX <= 16 << 20, "a reader is to stay small");

/* Asking for holes costs more than reading through smaller ones. */
#define HOLE_LEAST_BYTES ((uint64_t)256 << 10)
/*
 * So many bad sectors in a row are tried one by one, then in strides that double up to the largest, unless every sector
 * counts.
 */
#define PATIENCE_BYTES ((uint64_t)64 << 10)
#define STRIDE_MAX_BYTES ((uint64_t)1 << 20)
#define BAD_PIECE_MAX_BYTES ((uint64_t)64 << 20)

struct vk_read_ahead {
	/* the thread's, until over is set */
	struct vk_io *io;
	uint8_t *buf;          /* of the piece that is being read; what is tried goes there, too */
	const int *pipe;       /* of that piece; its ends are -1 when there is none */
	uint64_t at, end;
	bool every_sector;
	uint64_t data_end;     /* up to here the source said that there is data: it need not be asked again */
	struct vk_range hole;  /* the large one that was met last */
	uint64_t good;         /* the block that was read last; UINT64_MAX: none yet */
	enum vk_status status; /* of the read that failed; an unreadable sector is no failure */
	struct vk_error error;

	/* of both sides, under the lock */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vk_piece ring[RING];
	uint8_t *buffers[RING];
	int pipes[RING][2];
	size_t first;          /* the piece that is handed out next, or is out */
	size_t filled;
	bool stop;             /* the other side wants no more; written under the lock and atomically */
	bool over;             /* the thread has come to the end, or to an error */
};

/* Where the next block begins that can be looked at: the start of this one is not there. */
static uint64_t next_block(const struct vk_read_ahead *r, uint64_t offset)
{
	return vk_min_u64(vk_round_up_sat(offset, SECTOR), r->end);
}

/* What a source says without reading; DATA: it must be read. */
static struct vk_span span_to_come(struct vk_read_ahead *r)
{
	struct vk_span span;

	if (r->at < r->data_end)
		return (struct vk_span){VK_SPAN_DATA, r->data_end - r->at};
	if (r->at == r->hole.offset_bytes && r->hole.length_bytes > 0)
		return (struct vk_span){VK_SPAN_ZERO, r->hole.length_bytes};
	span = vk_io_span(r->io, r->at);
	span.length_bytes = vk_min_u64(span.length_bytes, r->end - r->at);
	if (span.state == VK_SPAN_DATA)
		r->data_end = r->at + span.length_bytes;
	return span;
}

/* False also when reading failed, which status says. */
static bool can_be_read(struct vk_read_ahead *r, uint64_t offset)
{
	size_t got = 0;

	r->status = vk_io_read(r->io, offset, r->buf, SECTOR, &got, &r->error);
	return r->status == VK_OK && got > 0;
}

/* A long way nothing could be read: a disk that went away is not a disk of bad sectors. */
static void check_still_there(struct vk_read_ahead *r)
{
	if (r->good == UINT64_MAX || __atomic_load_n(&r->stop, __ATOMIC_RELAXED) || can_be_read(r, r->good) ||
	    r->status != VK_OK)
		return;
	vk_error_set(&r->error, VK_IO, vk_io_name(r->io),
		     "it does not answer any more: bytes that were read before cannot be read now");
	(void)vk_error_at(&r->error, r->good);
	r->status = VK_IO;
}

/*
 * The sector at offset cannot be read: how far that goes. A disk of which whole regions are gone is not asked for each
 * sector.
 */
static uint64_t bad_end(struct vk_read_ahead *r, uint64_t offset)
{
	const uint64_t limit = vk_min_u64(r->end, vk_add_sat(offset, BAD_PIECE_MAX_BYTES));
	uint64_t stride = SECTOR;
	uint64_t bad = offset, good;
	uint64_t asked = 0;

	for (;;) {
		good = vk_min_u64(vk_add_sat(next_block(r, bad + 1), stride - SECTOR), limit);
		if (good >= limit || __atomic_load_n(&r->stop, __ATOMIC_RELAXED))
			return limit;
		if (can_be_read(r, good))
			break;
		if (r->status != VK_OK)
			return limit;
		bad = good;
		if (bad - offset < PATIENCE_BYTES)
			continue;
		if (!r->every_sector)
			stride = vk_min_u64(stride * 2, STRIDE_MAX_BYTES);
		else if (asked++ % (PATIENCE_BYTES / SECTOR) == 0)
			check_still_there(r);
		if (r->status != VK_OK)
			return limit;
	}
	/* between the two: the first sector behind bad that can be read, as far as they are two regions */
	for (bad -= bad % SECTOR; good - bad > SECTOR && r->status == VK_OK;) {
		uint64_t middle = bad + (good - bad) / SECTOR / 2 * SECTOR;

		if (can_be_read(r, middle))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

/* How much to read at once where data of span_bytes lies: through small holes, up to a large one. */
static uint64_t worth_reading(struct vk_read_ahead *r, uint64_t span_bytes)
{
	struct vk_span next;

	if (span_bytes >= HOLE_LEAST_BYTES || r->at + span_bytes >= r->end)
		return span_bytes;
	next = vk_io_span(r->io, r->at + span_bytes);
	if (next.state != VK_SPAN_ZERO || next.length_bytes < HOLE_LEAST_BYTES)
		return HOLE_LEAST_BYTES;
	r->hole = (struct vk_range){r->at + span_bytes, vk_min_u64(next.length_bytes, r->end - r->at - span_bytes)};
	return span_bytes;
}

/* Fill piece with what could be read; else it says how far nothing can. */
static void read_piece(struct vk_read_ahead *r, uint64_t span_bytes, struct vk_piece *piece)
{
	/* reads end on round offsets, so that the next one begins there */
	uint64_t most = VK_PIECE_BYTES_MAX - r->at % VK_PIECE_BYTES_MAX;
	uint64_t want = vk_min_u64(worth_reading(r, span_bytes), most);
	struct vk_span span;
	uint64_t end;
	size_t got;

	want = vk_min_u64(vk_round_up_sat(r->at + want, PIECE_ALIGN_BYTES), r->end) - r->at;
	got = r->pipe[1] >= 0 ? vk_io_splice(r->io, r->at, r->pipe[1], (size_t)vk_min_u64(want, PIPE_BYTES)) : 0;
	piece->pipe = r->pipe[0];
	if (got == 0) {
		piece->bytes = r->buf;
		r->status = vk_io_read(r->io, r->at, r->buf, (size_t)want, &got, &r->error);
	}
	if (r->status != VK_OK)
		return;
	if (got > 0) {
		r->good = r->at + (got - 1) / SECTOR * SECTOR;
		piece->length_bytes = got;
		return;
	}
	piece->kind = VK_PIECE_MISSING;
	piece->bytes = NULL;
	span = vk_io_span(r->io, r->at);
	piece->absent = span.state == VK_SPAN_ABSENT;
	if (piece->absent) {
		end = next_block(r, r->at + vk_min_u64(span.length_bytes, r->end - r->at));
	} else {
		end = bad_end(r, r->at);
		if (r->status == VK_OK && end - r->at > PATIENCE_BYTES)
			check_still_there(r);
	}
	piece->length_bytes = end - r->at;
}

/* What comes next, its bytes in r->buf; no length: the end, or a failure. */
static struct vk_piece next_piece(struct vk_read_ahead *r)
{
	struct vk_piece piece = {.offset_bytes = r->at};
	struct vk_span span;
	uint64_t whole;

	if (r->at >= r->end)
		return piece;
	span = span_to_come(r);
	whole = span.length_bytes;
	if (r->at + whole < r->end)
		whole -= vk_min_u64((r->at + whole) % SECTOR, whole);
	if (span.state == VK_SPAN_ABSENT || span.state == VK_SPAN_UNREADABLE) {
		piece.kind = VK_PIECE_MISSING;
		piece.absent = span.state == VK_SPAN_ABSENT;
		piece.length_bytes = next_block(r, r->at + span.length_bytes) - r->at;
	} else if (span.state == VK_SPAN_ZERO && (whole >= HOLE_LEAST_BYTES || r->at + whole == r->end) && whole > 0) {
		piece.kind = VK_PIECE_ZERO;
		piece.length_bytes = whole;
	} else {
		read_piece(r, span.length_bytes, &piece);
	}
	r->at += piece.length_bytes;
	return piece;
}

static void *read_all(void *arg)
{
	struct vk_read_ahead *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->over && !r->stop) {
		/* this slot is the thread's: the other side changes both numbers alike */
		size_t slot = (r->first + r->filled) % RING;
		bool over;

		if (r->filled == RING) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		pthread_mutex_unlock(&r->lock);
		r->buf = r->buffers[slot];
		r->pipe = r->pipes[slot];
		r->ring[slot] = next_piece(r);
		over = r->status != VK_OK || r->ring[slot].length_bytes == 0;
		pthread_mutex_lock(&r->lock);
		r->over = over;
		r->filled += !over;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void close_pipe(int ends[2])
{
	for (size_t i = 0; i < 2 && ends[i] >= 0; i++)
		close(ends[i]);
	ends[0] = ends[1] = -1;
}

/* One that takes as much as is read at once, or none. */
static void open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0)
		ends[0] = ends[1] = -1;
	else if (fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < PIPE_BYTES)
		close_pipe(ends);
}

static void free_reader(struct vk_read_ahead *r)
{
	for (size_t i = 0; i < RING; i++) {
		close_pipe(r->pipes[i]);
		free(r->buffers[i]);
	}
	free(r);
}

enum vk_status vk_read_ahead_open(struct vk_io *io, uint64_t start, uint64_t end, unsigned how,
				  struct vk_read_ahead **ret_reader, struct vk_error *err)
{
	struct vk_read_ahead *r = calloc(1, sizeof(*r));
	bool ok = true;

	if (r == NULL)
		return vk_no_memory(err, vk_io_name(io));
	memset(r->pipes, 0xff, sizeof(r->pipes));
	for (size_t i = 0; ok && i < RING; i++) {
		void *buffer;

		ok = posix_memalign(&buffer, BUFFER_ALIGN_BYTES, VK_PIECE_BYTES_MAX) == 0;
		if (!ok)
			break;
		r->buffers[i] = buffer;
		/* large pages: fewer faults, and fewer parts of a direct read; without them it is only slower */
		(void)madvise(buffer, VK_PIECE_BYTES_MAX, MADV_HUGEPAGE);
		if ((how & VK_READ_INTO_PIPES) != 0)
			open_pipe(r->pipes[i]);
	}
	r->io = io;
	r->at = r->data_end = start;
	r->end = vk_min_u64(end, vk_io_size_bytes(io));
	r->every_sector = (how & VK_READ_EVERY_SECTOR) != 0;
	r->good = UINT64_MAX;
	r->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	r->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	if (!ok || pthread_create(&r->thread, NULL, read_all, r) != 0) {
		free_reader(r);
		return vk_no_memory(err, vk_io_name(io));
	}
	*ret_reader = r;
	return VK_OK;
}

enum vk_status vk_read_ahead_next(struct vk_read_ahead *r, unsigned wait_ms, const struct vk_piece **ret_piece,
				   struct vk_error *err)
{
	static const struct vk_piece end;
	enum vk_status status = VK_OK;
	struct timespec until;
	int waited = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)wait_ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&r->lock);
	while (r->filled == 0 && !r->over && waited != ETIMEDOUT)
		waited = pthread_cond_clockwait(&r->changed, &r->lock, CLOCK_MONOTONIC, &until);
	if (r->filled > 0) {
		*ret_piece = &r->ring[r->first];
	} else if (r->over) {
		*ret_piece = &end;
		status = r->status;
		if (status != VK_OK && err != NULL)
			*err = r->error;
	} else {
		*ret_piece = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	return status;
}

void vk_read_ahead_give_back(struct vk_read_ahead *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->filled > 0) {
		r->first = (r->first + 1) % RING;
		r->filled--;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
}

void vk_read_ahead_close(struct vk_read_ahead *r)
{
	pthread_mutex_lock(&r->lock);
	__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free_reader(r);
}
