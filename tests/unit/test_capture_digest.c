/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of streams with long stretches of zeros are those of the bytes; sums that prove that a file reads back. */
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

/* zeros, then bytes, then zeros, then a byte: added piece by piece. */
static void zeros_everywhere(void **state)
{
	static const size_t lengths[] = {0, 1, 63, 64, 16383, 16385, (1 << 20) + 1, (2 << 20) - 1, 3 << 20};
	const size_t count = sizeof(lengths) / sizeof(lengths[0]);
	uint8_t *bytes = malloc(7 << 20);
	struct vk_digest digest;
	char expected[VK_SHA256_HEX_BYTES];
	char hex[VK_SHA256_HEX_BYTES];

	(void)state;
	assert_non_null(bytes);
	assert_true(vk_digest_init(&digest));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k += i % 2 + 1) {
			size_t len = lengths[i] + 1000 + lengths[k] + 1;

			memset(bytes, 0, len);
			memset(bytes + lengths[i], (int)(i * 16 + k + 1), 1000);
			bytes[len - 1] = 9;
			plain(bytes, len, expected);
			vk_digest_add_zeros(&digest, lengths[i] / 3);
			vk_digest_add_zeros(&digest, lengths[i] - lengths[i] / 3);
			vk_digest_add(&digest, bytes + lengths[i], 1000);
			vk_digest_add_zeros(&digest, lengths[k]);
			vk_digest_add(&digest, bytes + len - 1, 1);
			assert_true(vk_digest_take(&digest, hex));
			assert_string_equal(hex, expected);
			/* nothing but zeros */
			memset(bytes, 0, len);
			plain(bytes, lengths[k], expected);
			vk_digest_add_zeros(&digest, lengths[k]);
			assert_true(vk_digest_take(&digest, hex));
			assert_string_equal(hex, expected);
		}
	}
	vk_digest_free(&digest);
	free(bytes);
}

/* What is written reads back as the same sum in any pieces, and as another when one bit of it is another. */
static void sums(void **state)
{
	uint8_t bytes[5000], first[VK_SUM_BYTES], again[VK_SUM_BYTES];
	struct vk_sum sum, other;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_true(vk_sum_init(&sum));
	assert_true(vk_sum_init(&other));
	vk_sum_add(&sum, bytes, sizeof(bytes));
	assert_true(vk_sum_take(&sum, first));
	vk_sum_begin(&sum);
	vk_sum_add(&sum, bytes, 17);
	vk_sum_add(&sum, bytes + 17, sizeof(bytes) - 17);
	assert_true(vk_sum_take(&sum, again));
	assert_memory_equal(first, again, VK_SUM_BYTES);
	for (size_t i = 0; i < sizeof(bytes); i += 411) {
		bytes[i] ^= 4;
		vk_sum_begin(&sum);
		vk_sum_add(&sum, bytes, sizeof(bytes));
		assert_true(vk_sum_take(&sum, again));
		assert_memory_not_equal(first, again, VK_SUM_BYTES);
		bytes[i] ^= 4;
	}
	/* the key of another is another */
	vk_sum_add(&other, bytes, sizeof(bytes));
	assert_true(vk_sum_take(&other, again));
	assert_memory_not_equal(first, again, VK_SUM_BYTES);
	vk_sum_free(&sum);
	vk_sum_free(&other);
}

static void restarted(void **state)
{
	struct vk_digest digest;
	char hex[VK_SHA256_HEX_BYTES];
	char expected[VK_SHA256_HEX_BYTES];

	(void)state;
	plain((const uint8_t *)"x", 1, expected);
	assert_true(vk_digest_init(&digest));
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
		cmocka_unit_test(sums),
		cmocka_unit_test(restarted),
	};

	return cmocka_run_group_tests_name("capture digest", tests, NULL, NULL);
}
