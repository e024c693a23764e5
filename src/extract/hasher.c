/* SPDX-License-Identifier: Apache-2.0 */
/* A digest that is computed on a thread of its own, while the same bytes are written. */
#include <pthread.h>
#include <stdlib.h>

#include "extract/hasher.h"

struct vk_hasher {
	struct vk_digest *digest;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	const void *bytes;
	uint64_t len; /* not 0: to be added */
	bool stop;
};

static void *hash_all(void *arg)
{
	struct vk_hasher *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		while (h->len == 0 && !h->stop)
			pthread_cond_wait(&h->changed, &h->lock);
		if (h->len == 0)
			break;
		/* the other side does not touch these until len is 0 again */
		pthread_mutex_unlock(&h->lock);
		if (h->bytes != NULL)
			vk_digest_add(h->digest, h->bytes, (size_t)h->len);
		else
			vk_digest_add_zeros(h->digest, h->len);
		pthread_mutex_lock(&h->lock);
		h->len = 0;
		pthread_cond_signal(&h->changed);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct vk_hasher *vk_hasher_open(struct vk_digest *digest)
{
	struct vk_hasher *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->digest = digest;
	h->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	h->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	if (pthread_create(&h->thread, NULL, hash_all, h) != 0) {
		free(h);
		return NULL;
	}
	return h;
}

void vk_hasher_begin(struct vk_hasher *h, const void *bytes, uint64_t len)
{
	pthread_mutex_lock(&h->lock);
	h->bytes = bytes;
	h->len = len;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

void vk_hasher_wait(struct vk_hasher *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->len > 0)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void vk_hasher_close(struct vk_hasher *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->changed);
	free(h);
}
