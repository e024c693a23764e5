/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of files that were read already: unchanged files of many captures are one file with many names. */
#ifndef VK_STORE_VERIFY_CACHE_H
#define VK_STORE_VERIFY_CACHE_H

#include <sys/types.h>
#include <time.h>

#include "vmfskit/capture.h"

/* What cannot stay the same when a file is written to. */
struct vk_verify_key {
	dev_t dev;
	ino_t ino;
	off_t size_bytes;
	struct timespec changed; /* contents */
	struct timespec touched; /* contents, mode, owner, number of names */
};

/* Digests of a file; md5 is empty when nobody asked for it. */
struct vk_verify_digests {
	char sha256[VK_SHA256_HEX_BYTES];
	char md5[VK_MD5_HEX_BYTES];
};

/* Two that are equal are so byte for byte. */
VK_MUST_USE bool vk_verify_key_of(int fd, struct vk_verify_key *ret_key);

VK_MUST_USE bool vk_verify_cache_find(struct vk_verify_cache *cache, const struct vk_verify_key *key,
				      struct vk_verify_digests *ret_digests);
/* Without memory nothing is remembered. */
void vk_verify_cache_add(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			 const struct vk_verify_digests *digests);

#endif
