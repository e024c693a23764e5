/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of streams with long stretches of zeros are those of the bytes, whatever is shared or
 * left out.
 */
#include <openssl/evp.h>

#include "capture_fixture.h"
#include "store/folder/digest.h"

/* libcrypto over all bytes, without any of our shortcuts. */
static void plain(const uint8_t *bytes, size_t len, char ret_hex[VK_SHA256_HEX_BYTES])
{
	uint8_t md[32];

	assert_int_equal(EVP_Digest(bytes, len, md, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(md); i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", md[i]);
}

static void known(void **state)
{
	char hex[VK_SHA256_HEX_BYTES];

	(void)state;
	assert_true(vk_digest_bytes("abc", 3, hex));
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(vk_digest_bytes("", 0, hex));
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/*
 * zeros, then bytes, then zeros, then a byte: added piece by piece, with and without shared
 * states.
 */
static void zeros_everywhere(void **state)
{
	static const size_t lengths[] = {0, 1, 63, 64, 16383, 16385, (1 << 20) - 1, 1 << 20,
					 (1 << 20) + 1, (2 << 20) - 1, 2 << 20, (2 << 20) + 5, 3 << 20};
	const size_t count = sizeof(lengths) / sizeof(lengths[0]);
	struct vk_capture_shared *shared = vk_capture_shared_new();
	uint8_t *bytes = malloc(7 << 20);
	struct vk_digest with;
	struct vk_digest without;

	(void)state;
	assert_non_null(shared);
	assert_non_null(bytes);
	assert_true(vk_digest_init(&with, shared));
	assert_true(vk_digest_init(&without, NULL));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k += i % 2 + 1) {
			struct vk_digest *const both[] = {&with, &without};
			size_t len = lengths[i] + 1000 + lengths[k] + 1;
			char expected[VK_SHA256_HEX_BYTES];
			char hex[VK_SHA256_HEX_BYTES];

			memset(bytes, 0, len);
			memset(bytes + lengths[i], (int)(i * 16 + k + 1), 1000);
			bytes[len - 1] = 9;
			plain(bytes, len, expected);
			for (size_t d = 0; d < 2; d++) {
				vk_digest_add_zeros(both[d], lengths[i] / 3);
				vk_digest_add_zeros(both[d], lengths[i] - lengths[i] / 3);
				vk_digest_add(both[d], bytes + lengths[i], 1000);
				vk_digest_add_zeros(both[d], lengths[k]);
				vk_digest_add(both[d], bytes + len - 1, 1);
				assert_true(vk_digest_take(both[d], hex));
				assert_string_equal(hex, expected);
			}
			/* nothing but zeros */
			memset(bytes, 0, len);
			plain(bytes, lengths[k], expected);
			for (size_t d = 0; d < 2; d++) {
				vk_digest_add_zeros(both[d], lengths[k]);
				assert_true(vk_digest_take(both[d], hex));
				assert_string_equal(hex, expected);
			}
		}
	}
	vk_digest_free(&with);
	vk_digest_free(&without);
	vk_capture_shared_free(shared);
	vk_capture_shared_free(NULL);
	free(bytes);
}

static void restarted(void **state)
{
	struct vk_digest digest;
	char hex[VK_SHA256_HEX_BYTES];
	char expected[VK_SHA256_HEX_BYTES];

	(void)state;
	plain((const uint8_t *)"x", 1, expected);
	assert_true(vk_digest_init(&digest, NULL));
	vk_digest_add_zeros(&digest, 5);
	vk_digest_add(&digest, "junk", 4);
	vk_digest_restart(&digest);
	vk_digest_add(&digest, "x", 1);
	assert_true(vk_digest_take(&digest, hex));
	assert_string_equal(hex, expected);
	vk_digest_free(&digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(zeros_everywhere),
		cmocka_unit_test(restarted),
	};

	return cmocka_run_group_tests_name("capture digest", tests, NULL, NULL);
}
