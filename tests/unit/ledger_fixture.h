/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch store with keys, and its ledger as text. */
#ifndef VK_TEST_LEDGER_FIXTURE_H
#define VK_TEST_LEDGER_FIXTURE_H

#include "capture_fixture.h"
#include "vmfskit/ledger.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/* Two files, PATH and PATH.pub. */
static inline void make_keys(const char *path)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	char public_path[300];
	FILE *out = fopen(path, "w");

	assert_non_null(pkey);
	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(public_path, sizeof(public_path), "%s.pub", path);
	out = fopen(public_path, "w");
	assert_non_null(out);
	assert_int_equal(PEM_write_PUBKEY(out, pkey), 1);
	fclose(out);
	EVP_PKEY_free(pkey);
}

struct ledger_store {
	char folder[64]; /* holds keys and the store */
	char store[80];
	struct vk_sign_key *sign_key;
	struct vk_public_key *public_key;
	struct vk_store *open;
};

static inline const char *store_file(const struct ledger_store *s, const char *file)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", s->store, file);
	return path;
}

static inline struct ledger_store *ledger_store_new(bool is_signed)
{
	static const char *const command[] = {"vmfskit", "capture", "/dev/sd\x1b[31m", NULL};
	struct ledger_store *s = calloc(1, sizeof(*s));
	struct vk_store_options options = {.use = VK_STORE_ADD, .command = command};
	struct vk_error err;
	char key[120];

	assert_non_null(s);
	snprintf(s->folder, sizeof(s->folder), "/tmp/vmfskit-unit.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->store, sizeof(s->store), "%s/store", s->folder);
	snprintf(key, sizeof(key), "%s/key", s->folder);
	make_keys(key);
	assert_int_equal(vk_sign_key_open(key, &s->sign_key, &err), VK_OK);
	strcat(key, ".pub");
	assert_int_equal(vk_public_key_open(key, &s->public_key, &err), VK_OK);
	if (is_signed)
		options.sign_key = s->sign_key;
	assert_int_equal(vk_store_open(s->store, &options, &s->open, &err), VK_OK);
	return s;
}

static inline void ledger_store_free(struct ledger_store *s)
{
	vk_store_close(s->open);
	vk_sign_key_close(s->sign_key);
	vk_public_key_close(s->public_key);
	nftw(s->folder, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
}

static inline void append_event(struct ledger_store *s, enum vk_event_kind kind, const char *id,
				const char *manifest_sha256)
{
	const struct vk_event event = {.kind = kind,
				       .captures = &id,
				       .capture_count = id != NULL ? 1 : 0,
				       .manifest_sha256 = manifest_sha256,
				       .result = "sound"};
	struct vk_error err;

	if (vk_ledger_append(s->open, &event, &err) != VK_OK)
		fail_msg("append: %s (%s)", err.what, err.where);
}

/* The nth line, without its line end; free it. NULL behind the last. */
static inline char *nth_line(const struct ledger_store *s, size_t n)
{
	size_t len;
	char *text = (char *)fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
	char *rest = text;
	char *line = NULL;

	for (char *at; (at = strsep(&rest, "\n")) != NULL && rest != NULL; n--)
		if (n == 0) {
			line = strdup(at);
			break;
		}
	free(text);
	return line;
}

#endif
