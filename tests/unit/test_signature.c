/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are accepted and keys that are not; signatures that fit only what was signed. */
#include "ledger_fixture.h"

#include <openssl/rsa.h>

static void put_file(const char *path, const char *text, mode_t mode)
{
	fixture_write(path, text, strlen(text));
	assert_int_equal(chmod(path, mode), 0);
}

static void expect_sign(const char *path, enum vk_status status, const char *what)
{
	struct vk_sign_key *key = NULL;
	struct vk_error err = {.status = VK_OK};

	assert_int_equal(vk_sign_key_open(path, &key, &err), status);
	assert_null(key);
	if (strstr(err.what, what) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.what, what);
	assert_true(err.remedy[0] != '\0' || status == VK_USAGE);
}

static void expect_public(const char *path, enum vk_status status)
{
	struct vk_public_key *key = NULL;
	struct vk_error err;

	assert_int_equal(vk_public_key_open(path, &key, &err), status);
	assert_null(key);
}

static void fits_what_was_signed(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	struct vk_sign_key *other;
	uint8_t signature[VK_SIGNATURE_BYTES];
	char text[] = "what was signed";
	struct vk_error err;
	char path[100];

	(void)state;
	assert_int_equal(vk_sign(s->sign_key, text, strlen(text), signature, &err), VK_OK);
	assert_true(vk_signature_fits(s->public_key, text, strlen(text), signature));
	assert_true(vk_signature_fits(vk_sign_key_public(s->sign_key), text, strlen(text), signature));
	assert_false(vk_signature_fits(s->public_key, text, strlen(text) - 1, signature));
	for (size_t i = 0; i < strlen(text); i++) {
		text[i] ^= 1;
		assert_false(vk_signature_fits(s->public_key, text, strlen(text), signature));
		text[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 0x10;
		assert_false(vk_signature_fits(s->public_key, text, strlen(text), signature));
		signature[i] ^= 0x10;
	}
	snprintf(path, sizeof(path), "%s/other", s->folder);
	make_keys(path);
	assert_int_equal(vk_sign_key_open(path, &other, &err), VK_OK);
	assert_int_equal(vk_sign(other, text, strlen(text), signature, &err), VK_OK);
	assert_false(vk_signature_fits(s->public_key, text, strlen(text), signature));
	assert_string_not_equal(vk_sign_key_name(other), vk_sign_key_name(s->sign_key));
	assert_int_equal(strlen(vk_sign_key_name(other)), 64);
	vk_sign_key_close(other);
	vk_sign_key_close(NULL);
	vk_public_key_close(NULL);
	ledger_store_free(s);
}

static void write_rsa(const char *path)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	chmod(path, 0600);
	EVP_PKEY_free(pkey);
}

static void write_passphrase(const char *path)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, pkey, EVP_aes_256_cbc(), (const unsigned char *)"secret", 6, NULL,
					      NULL), 1);
	fclose(out);
	chmod(path, 0600);
	EVP_PKEY_free(pkey);
}

static void bad_keys(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	char path[100];
	char key[100];

	(void)state;
	snprintf(key, sizeof(key), "%s/key", s->folder);
	snprintf(path, sizeof(path), "%s/bad", s->folder);
	expect_sign(path, VK_IO, "cannot open");
	expect_public(path, VK_IO);
	expect_sign(s->folder, VK_USAGE, "regular");
	put_file(path, "", 0600);
	expect_sign(path, VK_USAGE, "Ed25519");
	expect_public(path, VK_USAGE);
	put_file(path, "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", 0600);
	expect_sign(path, VK_USAGE, "Ed25519");
	write_rsa(path);
	expect_sign(path, VK_USAGE, "Ed25519");
	write_passphrase(path);
	expect_sign(path, VK_USAGE, "passphrase");
	assert_int_equal(chmod(key, 0640), 0);
	expect_sign(key, VK_REFUSED, "others");
	assert_int_equal(chmod(key, 0604), 0);
	expect_sign(key, VK_REFUSED, "others");
	assert_int_equal(chmod(key, 0600), 0);
	/* the one half in the place of the other */
	expect_public(key, VK_USAGE);
	strcat(key, ".pub");
	chmod(key, 0600);
	expect_sign(key, VK_USAGE, "private");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_sign(path, VK_USAGE, "regular");
	ledger_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_what_was_signed),
		cmocka_unit_test(bad_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
