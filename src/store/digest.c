/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 with the processor's instructions, as libcrypto has them. */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/checked.h"
#include "store/digest.h"
#include "vmfskit/text.h"

enum { SHA256_BYTES = 32, ZERO_BYTES = 16384 };

static bool start(struct vk_digest *digest)
{
	digest->failed = EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1;
	return !digest->failed;
}

bool vk_digest_init(struct vk_digest *digest)
{
	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	digest->ctx = EVP_MD_CTX_new();
	return digest->ctx != NULL && start(digest);
}

void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(digest->ctx, bytes, len) != 1)
		digest->failed = true;
}

void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len)
{
	/* small enough to stay in the first-level cache */
	static const uint8_t zeros[ZERO_BYTES];

	while (len > 0) {
		size_t n = (size_t)vk_min_u64(len, sizeof(zeros));

		vk_digest_add(digest, zeros, n);
		len -= n;
	}
}

bool vk_digest_take(struct vk_digest *digest, char ret_hex[VK_SHA256_HEX_BYTES])
{
	uint8_t bytes[SHA256_BYTES];
	struct vk_text text;
	bool sound = EVP_DigestFinal_ex(digest->ctx, bytes, NULL) == 1 && !digest->failed;

	vk_text_init(&text, ret_hex, VK_SHA256_HEX_BYTES);
	if (sound)
		vk_text_hex(&text, bytes, sizeof(bytes));
	return start(digest) && sound;
}

void vk_digest_restart(struct vk_digest *digest)
{
	(void)start(digest);
}

void vk_digest_free(struct vk_digest *digest)
{
	EVP_MD_CTX_free(digest->ctx);
	digest->ctx = NULL;
}

bool vk_digest_bytes(const void *bytes, size_t len, char ret_hex[VK_SHA256_HEX_BYTES])
{
	struct vk_digest digest;
	bool sound = vk_digest_init(&digest);

	if (sound) {
		vk_digest_add(&digest, bytes, len);
		sound = vk_digest_take(&digest, ret_hex);
	}
	vk_digest_free(&digest);
	return sound;
}
