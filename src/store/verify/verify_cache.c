/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of files that were read already: a table with open addresses, never more than half full. */
#include "store/verify/verify_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct entry {
	bool used;
	struct vk_verify_key key;
	struct vk_verify_digests digests;
};

enum { FIRST_ENTRIES = 256 };

struct vk_verify_cache {
	pthread_mutex_t lock;
	struct entry *entries;
	size_t cap; /* a power of two */
	size_t count;
};

struct vk_verify_cache *vk_verify_cache_new(void)
{
	struct vk_verify_cache *cache = calloc(1, sizeof(*cache));

	if (cache != NULL && pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return NULL;
	}
	return cache;
}

void vk_verify_cache_free(struct vk_verify_cache *cache)
{
	if (cache == NULL)
		return;
	pthread_mutex_destroy(&cache->lock);
	free(cache->entries);
	free(cache);
}

bool vk_verify_key_of(int fd, struct vk_verify_key *ret_key)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	*ret_key = (struct vk_verify_key){.dev = st.st_dev,
					  .ino = st.st_ino,
					  .size_bytes = st.st_size,
					  .changed = st.st_mtim,
					  .touched = st.st_ctim};
	return true;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool vk_verify_key_equal(const struct vk_verify_key *a, const struct vk_verify_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size_bytes == b->size_bytes &&
	       same_time(&a->changed, &b->changed) && same_time(&a->touched, &b->touched);
}

static uint64_t mix(uint64_t value, uint64_t more)
{
	value = (value ^ more) * 0x9e3779b97f4a7c15ULL;
	return value ^ (value >> 29);
}

/* The entry with this key, or the free one where it belongs. */
static struct entry *place_of(struct entry *entries, size_t cap, const struct vk_verify_key *key)
{
	uint64_t hash = mix(mix(mix(1, (uint64_t)key->ino), (uint64_t)key->dev), (uint64_t)key->touched.tv_nsec);
	size_t i = (size_t)hash & (cap - 1);

	while (entries[i].used && !vk_verify_key_equal(&entries[i].key, key))
		i = (i + 1) & (cap - 1);
	return &entries[i];
}

static bool make_room(struct vk_verify_cache *cache)
{
	size_t cap = cache->cap == 0 ? FIRST_ENTRIES : cache->cap * 2;
	struct entry *entries;

	if (cache->count < cache->cap / 2)
		return true;
	entries = cap > cache->cap ? calloc(cap, sizeof(*entries)) : NULL;
	if (entries == NULL)
		return false;
	for (size_t i = 0; i < cache->cap; i++)
		if (cache->entries[i].used)
			*place_of(entries, cap, &cache->entries[i].key) = cache->entries[i];
	free(cache->entries);
	cache->entries = entries;
	cache->cap = cap;
	return true;
}

bool vk_verify_cache_find(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			  struct vk_verify_digests *ret_digests)
{
	bool found = false;

	pthread_mutex_lock(&cache->lock);
	if (cache->count > 0) {
		const struct entry *entry = place_of(cache->entries, cache->cap, key);

		found = entry->used;
		if (found)
			*ret_digests = entry->digests;
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void vk_verify_cache_add(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			 const struct vk_verify_digests *digests)
{
	pthread_mutex_lock(&cache->lock);
	if (make_room(cache)) {
		struct entry *entry = place_of(cache->entries, cache->cap, key);

		cache->count += !entry->used;
		entry->used = true;
		entry->key = *key;
		entry->digests = *digests;
	}
	pthread_mutex_unlock(&cache->lock);
}
