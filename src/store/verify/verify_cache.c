/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of files that were read already. */
#include "store/verify/verify.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct cached_file {
	struct vk_verify_key key;
	struct vk_verify_digests digests;
};

struct vk_verify_cache {
	pthread_mutex_t lock;
	void *entries; /* of tsearch */
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
	tdestroy(cache->entries, free);
	free(cache);
}

bool vk_verify_key_of(int fd, struct vk_verify_key *ret_key)
{
	struct stat st;

	/* keys are compared whole, with what lies between their members */
	memset(ret_key, 0, sizeof(*ret_key));
	if (fstat(fd, &st) != 0)
		return false;
	ret_key->dev = st.st_dev;
	ret_key->ino = st.st_ino;
	ret_key->size_bytes = st.st_size;
	ret_key->changed = st.st_mtim;
	ret_key->touched = st.st_ctim;
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const struct cached_file *x = a;
	const struct cached_file *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

bool vk_verify_cache_find(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			  struct vk_verify_digests *ret_digests)
{
	struct cached_file wanted;
	void *node;

	memcpy(&wanted.key, key, sizeof(*key));
	pthread_mutex_lock(&cache->lock);
	node = tfind(&wanted, &cache->entries, compare_entries);
	if (node != NULL)
		*ret_digests = (*(struct cached_file **)node)->digests;
	pthread_mutex_unlock(&cache->lock);
	return node != NULL;
}

void vk_verify_cache_add(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			 const struct vk_verify_digests *digests)
{
	struct cached_file *entry = calloc(1, sizeof(*entry));
	void *node;

	if (entry == NULL)
		return;
	memcpy(&entry->key, key, sizeof(*key));
	entry->digests = *digests;
	pthread_mutex_lock(&cache->lock);
	node = tsearch(entry, &cache->entries, compare_entries);
	if (node != NULL && *(struct cached_file **)node != entry)
		(*(struct cached_file **)node)->digests = *digests;
	if (node == NULL || *(struct cached_file **)node != entry)
		free(entry);
	pthread_mutex_unlock(&cache->lock);
}
