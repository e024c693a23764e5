/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead of the search: a ring of buffers between two threads. */
#include "base/memory.h"
#include "find/scan/scan_reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/checked.h"
#include "find/scan/scan_pieces.h"

/*
 * Searching is much faster than reading: one buffer is read while the other is searched; more are only more to cache.
 */
enum { RING = 2, BUFFER_ALIGN_BYTES = 2 << 20 };
_Static_assert(BUFFER_ALIGN_BYTES % VK_PIECE_ALIGN_BYTES == 0, "buffers must be aligned for direct reads");
_Static_assert(RING * VK_PIECE_BYTES_MAX <= 16 << 20, "a scan is to stay small");

struct vk_scan_reader {
	struct vk_pieces pieces;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vk_piece ring[RING];
	uint8_t *buffers[RING];
	size_t first;            /* the piece that is handed out next, or is out */
	size_t filled;
	bool stop;               /* the other side wants no more; written under the lock and atomically */
	bool over;               /* the thread has come to the end, or to an error */
	enum vk_status status;
	struct vk_error error;
};

/* False: no more are wanted. Returns with a slot that is the thread's. */
static bool wait_for_slot(struct vk_scan_reader *r, size_t *ret_slot)
{
	bool go_on;

	pthread_mutex_lock(&r->lock);
	while (r->filled == RING && !r->stop)
		pthread_cond_wait(&r->changed, &r->lock);
	go_on = !r->stop;
	*ret_slot = (r->first + r->filled) % RING;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

static void *read_all(void *arg)
{
	struct vk_scan_reader *r = arg;
	bool over = false;
	size_t slot;

	while (!over && wait_for_slot(r, &slot)) {
		struct vk_error err = {0};
		enum vk_status status = vk_pieces_next(&r->pieces, r->buffers[slot], &r->ring[slot], &err);

		over = status != VK_OK || r->ring[slot].length_bytes == 0;
		pthread_mutex_lock(&r->lock);
		r->over = over;
		r->status = status;
		r->error = err;
		r->filled += !over;
		pthread_cond_signal(&r->changed);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

static void free_reader(struct vk_scan_reader *r)
{
	for (size_t i = 0; i < RING; i++)
		free(r->buffers[i]);
	free(r);
}

enum vk_status vk_scan_reader_open(struct vk_io *io, uint64_t start, uint64_t end,
				   struct vk_scan_reader **ret_reader, struct vk_error *err)
{
	struct vk_scan_reader *r = calloc(1, sizeof(*r));
	bool ok = r != NULL;

	for (size_t i = 0; ok && i < RING; i++) {
		void *buffer;

		ok = posix_memalign(&buffer, BUFFER_ALIGN_BYTES, VK_PIECE_BYTES_MAX) == 0;
		if (!ok)
			break;
		r->buffers[i] = buffer;
		/* large pages: fewer faults, and fewer parts of a direct read; without them it is only slower */
		(void)madvise(buffer, VK_PIECE_BYTES_MAX, MADV_HUGEPAGE);
	}
	if (ok) {
		vk_pieces_init(&r->pieces, io, start, end, &r->stop);
		r->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
		r->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
		ok = pthread_create(&r->thread, NULL, read_all, r) == 0;
	}
	if (!ok) {
		if (r != NULL)
			free_reader(r);
		return vk_no_memory(err, vk_io_name(io));
	}
	*ret_reader = r;
	return VK_OK;
}

static struct timespec from_now(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

enum vk_status vk_scan_reader_next(struct vk_scan_reader *r, unsigned wait_ms, const struct vk_piece **ret_piece,
				   struct vk_error *err)
{
	static const struct vk_piece end;
	struct timespec until = from_now(wait_ms);
	enum vk_status status = VK_OK;
	int waited = 0;

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

void vk_scan_reader_give_back(struct vk_scan_reader *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->filled > 0) {
		r->first = (r->first + 1) % RING;
		r->filled--;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
}

void vk_scan_reader_close(struct vk_scan_reader *r)
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
