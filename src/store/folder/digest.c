/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and MD5 with the processor's instructions, as libcrypto has them. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "store/folder/digest.h"
#include "vmfskit/text.h"

enum { SHA256_BYTES = 32, MD5_BYTES = 16, ZERO_BYTES = 16384, SHARED_COUNT = 2 };
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
	if (digest->md5 != NULL && EVP_DigestInit_ex(digest->md5, EVP_md5(), NULL) != 1)
		digest->failed = true;
	digest->begun = false;
	digest->leading_zeros = 0;
}

bool vk_digest_init(struct vk_digest *digest, const struct vk_capture_shared *shared)
{
	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	digest->shared = shared;
	digest->md5 = NULL;
	digest->md5_hex[0] = '\0';
	digest->ctx = EVP_MD_CTX_new();
	if (digest->ctx == NULL)
		return false;
	start(digest);
	return !digest->failed;
}

bool vk_digest_add_md5(struct vk_digest *digest)
{
	digest->md5 = EVP_MD_CTX_new();
	if (digest->md5 == NULL)
		return false;
	start(digest);
	return !digest->failed;
}

void vk_digest_md5(const struct vk_digest *digest, char ret_hex[VK_MD5_HEX_BYTES])
{
	memcpy(ret_hex, digest->md5_hex, VK_MD5_HEX_BYTES);
}

static void update_md5(struct vk_digest *digest, const void *bytes, size_t len)
{
	if (digest->md5 != NULL && EVP_DigestUpdate(digest->md5, bytes, len) != 1)
		digest->failed = true;
}

static void update(struct vk_digest *digest, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(digest->ctx, bytes, len) != 1)
		digest->failed = true;
}

static void update_zeros(struct vk_digest *digest, uint64_t len,
			 void (*add)(struct vk_digest *digest, const void *bytes, size_t len))
{
	/* small enough to stay in the first-level cache */
	static const uint8_t zeros[ZERO_BYTES];

	while (len > 0) {
		size_t n = (size_t)vk_min_u64(len, sizeof(zeros));

		add(digest, zeros, n);
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
	update_zeros(digest, digest->leading_zeros - steps * shared_step_bytes, update);
	if (digest->md5 != NULL)
		update_zeros(digest, digest->leading_zeros, update_md5);
}

void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len)
{
	begin(digest);
	update(digest, bytes, len);
	update_md5(digest, bytes, len);
}

void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len)
{
	if (!digest->begun) {
		digest->leading_zeros += len;
		return;
	}
	update_zeros(digest, len, update);
	if (digest->md5 != NULL)
		update_zeros(digest, len, update_md5);
}

static bool take_md5(struct vk_digest *digest)
{
	uint8_t bytes[MD5_BYTES];
	struct vk_text text;

	if (digest->md5 == NULL)
		return true;
	if (EVP_DigestFinal_ex(digest->md5, bytes, NULL) != 1)
		return false;
	vk_text_init(&text, digest->md5_hex, sizeof(digest->md5_hex));
	vk_text_hex(&text, bytes, sizeof(bytes));
	return true;
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
	sound = take_md5(digest) && sound;
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
	EVP_MD_CTX_free(digest->md5);
	digest->ctx = NULL;
	digest->md5 = NULL;
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

bool vk_sha256_text(const char *text)
{
	return strlen(text) == VK_SHA256_HEX_BYTES - 1 &&
	       strspn(text, "0123456789abcdef") == VK_SHA256_HEX_BYTES - 1;
}

bool vk_md5_text(const char *text)
{
	return strlen(text) == VK_MD5_HEX_BYTES - 1 &&
	       strspn(text, "0123456789abcdef") == VK_MD5_HEX_BYTES - 1;
}

struct vk_capture_shared *vk_capture_shared_new(void)
{
	struct vk_capture_shared *shared = calloc(1, sizeof(*shared));
	struct vk_digest digest;
	bool sound = vk_digest_init(&digest, NULL) && shared != NULL;

	for (size_t i = 0; i < SHARED_COUNT && sound; i++) {
		update_zeros(&digest, shared_step_bytes, update);
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
