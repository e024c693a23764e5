/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and MD5 beside it when asked for, over a stream of which long stretches are known to be zero. */
#ifndef VK_STORE_DIGEST_H
#define VK_STORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/capture.h"

struct vk_digest {
	void *ctx;
	void *md5; /* NULL: not asked for */
	char md5_hex[VK_MD5_HEX_BYTES]; /* of what was taken last */
	const struct vk_capture_shared *shared;
	bool failed;
	bool begun;             /* something else than zeros was added */
	uint64_t leading_zeros; /* before that */
};

/*
 * shared may be NULL, else it must outlive the digest. False when memory ran out. Free with
 * vk_digest_free.
 */
VK_MUST_USE bool vk_digest_init(struct vk_digest *digest, const struct vk_capture_shared *shared);
/* From here on MD5, too; before anything is added. False when memory ran out. */
VK_MUST_USE bool vk_digest_add_md5(struct vk_digest *digest);
/* MD5 of what vk_digest_take took last; empty when it was not asked for. */
void vk_digest_md5(const struct vk_digest *digest, char ret_hex[VK_MD5_HEX_BYTES]);
void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len);
void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len);
/* Write the digest and start anew. False when any step since the start failed. */
VK_MUST_USE bool vk_digest_take(struct vk_digest *digest, char ret_hex[VK_SHA256_HEX_BYTES]);
/* Forget what was added. */
void vk_digest_restart(struct vk_digest *digest);
void vk_digest_free(struct vk_digest *digest);

/* Of bytes in memory. False when memory ran out. */
VK_MUST_USE bool vk_digest_bytes(const void *bytes, size_t len, char ret_hex[VK_SHA256_HEX_BYTES]);

bool vk_sha256_text(const char *text); /* 64 lower-case hex digits */
bool vk_md5_text(const char *text);    /* 32 of them */

#endif
