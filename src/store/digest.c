/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 with the processor's instructions, as libcrypto has them. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/checked.h"
#include "store/digest.h"
#include "vmfskit/text.h"

enum { SHA256_BYTES = 32, ZERO_BYTES = 16384, SHARED_COUNT = 2 };
static const uint64_t shared_step_bytes = 1 << 20;

/*
 * states[n] has seen n + 1 steps of zeros. Regions begin with 1 MiB (LVM) and 2 MiB (volume
 * header) of them.
 */
struct vk_capture_shared {
	EVP_MD_CTX *states[SHARED_COUNT];
};

static void start(struct vk_digest *digest)
{
	digest->failed = EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1;
	digest->begun = false;
	digest->leading_zeros = 0;
}

bool vk_digest_init(struct vk_digest *digest, const struct vk_capture_shared *shared)
{
	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	digest->shared = shared;
	digest->ctx = EVP_MD_CTX_new();
	if (digest->ctx == NULL)
		return false;
	start(digest);
	return !digest->failed;
}

static void update(struct vk_digest *digest, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(digest->ctx, bytes, len) != 1)
		digest->failed = true;
}

static void update_zeros(struct vk_digest *digest, uint64_t len)
{
	/* small enough to stay in the first-level cache */
	static const uint8_t zeros[ZERO_BYTES];

	while (len > 0) {
		size_t n = (size_t)vk_min_u64(len, sizeof(zeros));

		update(digest, zeros, n);
		len -= n;
	}
}

/* Now the leading zeros are all there: as many as possible from a state that has seen them. */
static void begin(struct vk_digest *digest)
{
	uint64_t steps = vk_min_u64(digest->leading_zeros / shared_step_bytes, SHARED_COUNT);

	if (digest->begun)
		return;
	digest->begun = true;
	if (digest->shared == NULL)
		steps = 0;
	if (steps > 0 && EVP_MD_CTX_copy_ex(digest->ctx, digest->shared->states[steps - 1]) != 1)
		digest->failed = true;
	update_zeros(digest, digest->leading_zeros - steps * shared_step_bytes);
}

void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len)
{
	begin(digest);
	update(digest, bytes, len);
}

void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len)
{
	if (digest->begun)
		update_zeros(digest, len);
	else
		digest->leading_zeros += len;
}

bool vk_digest_take(struct vk_digest *digest, char ret_hex[VK_SHA256_HEX_BYTES])
{
	uint8_t bytes[SHA256_BYTES];
	struct vk_text text;
	bool sound;

	begin(digest);
	sound = EVP_DigestFinal_ex(digest->ctx, bytes, NULL) == 1 && !digest->failed;
	vk_text_init(&text, ret_hex, VK_SHA256_HEX_BYTES);
	if (sound)
		vk_text_hex(&text, bytes, sizeof(bytes));
	start(digest);
	return sound;
}

void vk_digest_restart(struct vk_digest *digest)
{
	start(digest);
}

void vk_digest_free(struct vk_digest *digest)
{
	EVP_MD_CTX_free(digest->ctx);
	digest->ctx = NULL;
}

bool vk_digest_bytes(const void *bytes, size_t len, char ret_hex[VK_SHA256_HEX_BYTES])
{
	struct vk_digest digest;
	bool sound = vk_digest_init(&digest, NULL);

	if (sound) {
		vk_digest_add(&digest, bytes, len);
		sound = vk_digest_take(&digest, ret_hex);
	}
	vk_digest_free(&digest);
	return sound;
}

struct vk_capture_shared *vk_capture_shared_new(void)
{
	struct vk_capture_shared *shared = calloc(1, sizeof(*shared));
	struct vk_digest digest;
	bool sound = vk_digest_init(&digest, NULL) && shared != NULL;

	for (size_t i = 0; i < SHARED_COUNT && sound; i++) {
		update_zeros(&digest, shared_step_bytes);
		shared->states[i] = EVP_MD_CTX_new();
		sound = !digest.failed && shared->states[i] != NULL &&
			EVP_MD_CTX_copy_ex(shared->states[i], digest.ctx) == 1;
	}
	vk_digest_free(&digest);
	if (sound)
		return shared;
	vk_capture_shared_free(shared);
	return NULL;
}

void vk_capture_shared_free(struct vk_capture_shared *shared)
{
	if (shared == NULL)
		return;
	for (size_t i = 0; i < SHARED_COUNT; i++)
		EVP_MD_CTX_free(shared->states[i]);
	free(shared);
}
