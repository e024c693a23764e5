/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs for entries whose own survived nowhere: derived, so that a second run gives the same bytes. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"
#include "rebuild/table/plan.h"

enum vk_status vk_fresh_guid(const char *what, const void *bytes, size_t len, struct vk_guid *ret_guid,
			     struct vk_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	bool done;

	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return vk_no_memory(err, NULL);
	done = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(ctx, what, strlen(what) + 1) == 1 &&
	       EVP_DigestUpdate(ctx, bytes, len) == 1 && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!done)
		return vk_error_set(err, VK_INTERNAL, NULL, "libcrypto computes no SHA-256");
	memcpy(ret_guid->b, digest, sizeof(ret_guid->b));
	/* the third group is little-endian on the disk: its version is in the upper half of byte 7 */
	ret_guid->b[7] = (uint8_t)((ret_guid->b[7] & 0x0F) | 0x80);
	ret_guid->b[8] = (uint8_t)((ret_guid->b[8] & 0x3F) | 0x80);
	return VK_OK;
}
