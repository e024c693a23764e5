/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and MD5 beside it when asked for, of a stream; and a fast sum that proves that a file reads back. */
#ifndef VK_STORE_DIGEST_H
#define VK_STORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/capture.h"

enum { VK_SUM_BYTES = 16 };

struct vk_digest {
	void *ctx;
	void *md5; /* NULL: not asked for */
	char md5_hex[VK_MD5_HEX_BYTES]; /* of what was taken last; empty when it was not asked for */
	bool failed;
};

/* False when memory ran out. Free with vk_digest_free, also then. */
VK_MUST_USE bool vk_digest_init(struct vk_digest *digest);
/* From here on MD5, too; before anything is added. False when memory ran out. */
VK_MUST_USE bool vk_digest_add_md5(struct vk_digest *digest);
void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len);
void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len);
/* Write the digest and start anew. False when any step since the start failed. */
VK_MUST_USE bool vk_digest_take(struct vk_digest *digest, char ret_hex[VK_SHA256_HEX_BYTES]);
/* Forget what was added. */
void vk_digest_restart(struct vk_digest *digest);
void vk_digest_free(struct vk_digest *digest);

/* Of bytes in memory. False when memory ran out. */
VK_MUST_USE bool vk_digest_bytes(const void *bytes, size_t len, char ret_hex[VK_SHA256_HEX_BYTES]);

bool vk_digest_text(const char *text, size_t digits); /* so many lower-case hex digits */
bool vk_sha256_text(const char *text);                /* 64 of them */

/*
 * GMAC under a key that is drawn here and never leaves the process: several times as fast as SHA-256, and nobody can
 * make other bytes for the same sum. Only for comparing with another sum of the same struct, or of one that is like it.
 */
struct vk_sum {
	void *ctx;
	uint8_t key[16];
	bool failed;
};
/* False when memory ran out. Free with vk_sum_free, also then. */
VK_MUST_USE bool vk_sum_init(struct vk_sum *sum);
/* One more whose sums may be compared with those of like. */
VK_MUST_USE bool vk_sum_init_like(struct vk_sum *sum, const struct vk_sum *like);
void vk_sum_begin(struct vk_sum *sum);
void vk_sum_add(struct vk_sum *sum, const void *bytes, size_t len); /* at most 1 GiB */
/* False when any step since vk_sum_begin failed. */
VK_MUST_USE bool vk_sum_take(struct vk_sum *sum, uint8_t ret_sum[VK_SUM_BYTES]);
void vk_sum_free(struct vk_sum *sum);

#endif
