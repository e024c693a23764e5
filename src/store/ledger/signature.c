/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys and signatures, as libcrypto has them. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "store/folder/digest.h"
#include "vmfskit/signature.h"

/* PEM files of these keys have about 120 bytes; with text in front of them a few hundred. */
enum { KEY_FILE_MAX = 16384 };

struct vk_public_key {
	EVP_PKEY *pkey;
	char name[VK_SHA256_HEX_BYTES];
};

/* The same thing under another name, so that the half that checks is found in the one that signs. */
struct vk_sign_key {
	struct vk_public_key both;
};

static enum vk_status read_key(const char *path, bool secret, char ret_text[KEY_FILE_MAX], size_t *ret_len,
			       struct vk_error *err)
{
	struct stat st;
	/* not blocking: a pipe in the place of the key must not stop a nightly run */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n;
	enum vk_status status = VK_OK;

	if (fd < 0 || fstat(fd, &st) != 0) {
		vk_error_errno(err, errno, path, "cannot open the key");
		if (fd >= 0)
			close(fd);
		return vk_error_remedy(err,
				       secret ? "make one: openssl genpkey -algorithm ed25519 -out %s"
					      : "make it from the private key: openssl pkey -pubout -in KEY -out %s",
				       vk_shell_path(path).text);
	}
	if (!S_ISREG(st.st_mode)) {
		status = vk_error_set(err, VK_USAGE, path, "the key is not a regular file");
	} else if (secret && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		vk_error_set(err, VK_REFUSED, path,
			     "others can read or change the private key (mode %04o): its signatures prove nothing",
			     (unsigned)(st.st_mode & 07777));
		status = vk_error_remedy(err, "chmod 600 %s, and make a new key if anyone may have read it",
					 vk_shell_path(path).text);
	}
	/* not through stdio, in whose memory it would stay behind */
	for (*ret_len = 0; status == VK_OK && *ret_len < KEY_FILE_MAX; *ret_len += (size_t)n) {
		n = read(fd, ret_text + *ret_len, KEY_FILE_MAX - *ret_len);
		if (n < 0)
			status = vk_error_errno(err, errno, path, "cannot read the key");
		if (n <= 0)
			break;
	}
	close(fd);
	return status;
}

/* libcrypto asks for a passphrase: nobody is there to give one, and what asked must be known. */
static int note_passphrase(char *buf, int size, int for_writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)for_writing;
	*(bool *)asked = true;
	return -1;
}

static enum vk_status open_key(const char *path, bool secret, struct vk_public_key **ret_key, struct vk_error *err)
{
	struct vk_public_key *key;
	char text[KEY_FILE_MAX];
	unsigned char *der = NULL;
	bool asked = false;
	size_t len = 0;
	int der_len;
	BIO *bio;
	enum vk_status status = read_key(path, secret, text, &len, err);

	if (status != VK_OK)
		return status;
	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	key = calloc(1, sizeof(*key));
	bio = BIO_new_mem_buf(text, (int)len);
	if (bio != NULL && key != NULL)
		key->pkey = secret ? PEM_read_bio_PrivateKey(bio, NULL, note_passphrase, &asked)
				   : PEM_read_bio_PUBKEY(bio, NULL, note_passphrase, &asked);
	if (bio == NULL || key == NULL) {
		status = vk_no_memory(err, path);
	} else if (key->pkey != NULL && EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519) {
		der_len = i2d_PUBKEY(key->pkey, &der);
		if (der_len <= 0 || !vk_digest_bytes(der, (size_t)der_len, key->name))
			status = vk_no_memory(err, path);
		OPENSSL_free(der);
	} else if (asked) {
		vk_error_set(err, VK_USAGE, path,
			     "the key is protected by a passphrase, which a nightly run could not give");
		status = vk_error_remedy(
			err, "take it off into a file that only its owner can read: openssl pkey -in %s -out KEY",
			vk_shell_path(path).text);
	} else {
		vk_error_set(err, VK_USAGE, path, "this is no %s Ed25519 key in a PEM file",
			     secret ? "private" : "public");
		status = vk_error_remedy(err, secret ? "openssl genpkey -algorithm ed25519 -out KEY makes one"
					 : "openssl pkey -pubout -in KEY -out PUB makes it from the private key");
	}
	BIO_free(bio);
	OPENSSL_cleanse(text, sizeof(text));
	ERR_clear_error();
	if (status == VK_OK)
		*ret_key = key;
	else
		vk_public_key_close(key);
	return status;
}

enum vk_status vk_public_key_open(const char *path, struct vk_public_key **ret_key, struct vk_error *err)
{
	return open_key(path, false, ret_key, err);
}

enum vk_status vk_sign_key_open(const char *path, struct vk_sign_key **ret_key, struct vk_error *err)
{
	struct vk_public_key *key = NULL;
	enum vk_status status = open_key(path, true, &key, err);

	if (status == VK_OK)
		*ret_key = (struct vk_sign_key *)key;
	return status;
}

void vk_public_key_close(struct vk_public_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

void vk_sign_key_close(struct vk_sign_key *key)
{
	vk_public_key_close((struct vk_public_key *)key);
}

const char *vk_sign_key_name(const struct vk_sign_key *key)
{
	return key->both.name;
}

const struct vk_public_key *vk_sign_key_public(const struct vk_sign_key *key)
{
	return &key->both;
}

enum vk_status vk_sign(const struct vk_sign_key *key, const void *bytes, size_t len,
		       uint8_t ret_signature[VK_SIGNATURE_BYTES], struct vk_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = VK_SIGNATURE_BYTES;
	bool done;

	if (ctx == NULL)
		return vk_no_memory(err, NULL);
	done = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->both.pkey) == 1 &&
	       EVP_DigestSign(ctx, ret_signature, &size, bytes, len) == 1 && size == VK_SIGNATURE_BYTES;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return done ? VK_OK : vk_error_set(err, VK_INTERNAL, NULL, "the signature could not be made");
}

bool vk_signature_fits(const struct vk_public_key *key, const void *bytes, size_t len,
		       const uint8_t signature[VK_SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
		    EVP_DigestVerify(ctx, signature, VK_SIGNATURE_BYTES, bytes, len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return fits;
}
