/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, MD5 and GMAC with the processor's instructions, as libcrypto has them. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/checked.h"
#include "store/folder/digest.h"
#include "vmfskit/text.h"

enum { ZERO_BYTES = 16384 };

void vk_digest_restart(struct vk_digest *digest)
{
	digest->failed = EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1 ||
			 (digest->md5 != NULL && EVP_DigestInit_ex(digest->md5, EVP_md5(), NULL) != 1);
}

bool vk_digest_init(struct vk_digest *digest)
{
	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	*digest = (struct vk_digest){.ctx = EVP_MD_CTX_new()};
	if (digest->ctx == NULL)
		return false;
	vk_digest_restart(digest);
	return !digest->failed;
}

bool vk_digest_add_md5(struct vk_digest *digest)
{
	digest->md5 = EVP_MD_CTX_new();
	if (digest->md5 == NULL)
		return false;
	vk_digest_restart(digest);
	return !digest->failed;
}

void vk_digest_add(struct vk_digest *digest, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(digest->ctx, bytes, len) != 1 ||
	    (digest->md5 != NULL && EVP_DigestUpdate(digest->md5, bytes, len) != 1))
		digest->failed = true;
}

void vk_digest_add_zeros(struct vk_digest *digest, uint64_t len)
{
	/* small enough to stay in the first-level cache */
	static const uint8_t zeros[ZERO_BYTES];

	for (uint64_t n; len > 0; len -= n) {
		n = vk_min_u64(len, sizeof(zeros));
		vk_digest_add(digest, zeros, (size_t)n);
	}
}

static bool take_hex(EVP_MD_CTX *ctx, char *ret_hex, size_t cap)
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct vk_text text;

	if (EVP_DigestFinal_ex(ctx, bytes, &len) != 1)
		return false;
	text = vk_text_in(ret_hex, cap);
	vk_text_hex(&text, bytes, len);
	return true;
}

bool vk_digest_take(struct vk_digest *digest, char ret_hex[VK_SHA256_HEX_BYTES])
{
	bool sound = !digest->failed && take_hex(digest->ctx, ret_hex, VK_SHA256_HEX_BYTES) &&
		     (digest->md5 == NULL || take_hex(digest->md5, digest->md5_hex, VK_MD5_HEX_BYTES));

	if (!sound)
		ret_hex[0] = '\0';
	vk_digest_restart(digest);
	return sound;
}

void vk_digest_free(struct vk_digest *digest)
{
	EVP_MD_CTX_free(digest->ctx);
	EVP_MD_CTX_free(digest->md5);
	*digest = (struct vk_digest){.ctx = NULL};
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

bool vk_digest_text(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

bool vk_sha256_text(const char *text)
{
	return vk_digest_text(text, VK_SHA256_HEX_BYTES - 1);
}

bool vk_sum_init(struct vk_sum *sum)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	*sum = (struct vk_sum){.ctx = EVP_CIPHER_CTX_new()};
	if (sum->ctx == NULL || RAND_bytes(sum->key, sizeof(sum->key)) != 1)
		return false;
	vk_sum_begin(sum);
	return !sum->failed;
}

bool vk_sum_init_like(struct vk_sum *sum, const struct vk_sum *like)
{
	if (!vk_sum_init(sum))
		return false;
	memcpy(sum->key, like->key, sizeof(sum->key));
	vk_sum_begin(sum);
	return !sum->failed;
}

void vk_sum_begin(struct vk_sum *sum)
{
	/* one nonce for all: no sum is ever shown to anybody */
	static const uint8_t nonce[12];

	sum->failed = EVP_EncryptInit_ex(sum->ctx, EVP_aes_128_gcm(), NULL, sum->key, nonce) != 1;
}

void vk_sum_add(struct vk_sum *sum, const void *bytes, size_t len)
{
	int n;

	/* data that is not encrypted: GCM is GMAC then */
	if (EVP_EncryptUpdate(sum->ctx, NULL, &n, bytes, (int)len) != 1)
		sum->failed = true;
}

bool vk_sum_take(struct vk_sum *sum, uint8_t ret_sum[VK_SUM_BYTES])
{
	uint8_t none[EVP_MAX_BLOCK_LENGTH];
	int n;

	return !sum->failed && EVP_EncryptFinal_ex(sum->ctx, none, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(sum->ctx, EVP_CTRL_AEAD_GET_TAG, VK_SUM_BYTES, ret_sum) == 1;
}

void vk_sum_free(struct vk_sum *sum)
{
	EVP_CIPHER_CTX_free(sum->ctx);
	OPENSSL_cleanse(sum->key, sizeof(sum->key));
	sum->ctx = NULL;
}
