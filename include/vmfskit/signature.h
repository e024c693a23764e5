/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 signatures, with keys as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` make them. A
 * signature file is the raw 64 bytes, so that `openssl pkeyutl -verify -pubin -inkey PUB -rawin -in FILE -sigfile
 * FILE.sig` checks it, too.
 */
#ifndef VMFSKIT_SIGNATURE_H
#define VMFSKIT_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

__BEGIN_DECLS

enum { VK_SIGNATURE_BYTES = 64 };

struct vk_sign_key;   /* can sign */
struct vk_public_key; /* can check */

/*
 * Read a PEM file. Errors: VK_IO (cannot be read), VK_USAGE (not an Ed25519 key of that sort, or protected by a
 * passphrase, which a nightly run could not give), VK_REFUSED (a private key that others can read). Free with the
 * calls below.
 */
VK_MUST_USE enum vk_status vk_sign_key_open(const char *path, struct vk_sign_key **ret_key, struct vk_error *err);
VK_MUST_USE enum vk_status vk_public_key_open(const char *path, struct vk_public_key **ret_key, struct vk_error *err);
void vk_sign_key_close(struct vk_sign_key *key);     /* NULL is allowed */
void vk_public_key_close(struct vk_public_key *key); /* NULL is allowed */

/*
 * The name of a key: SHA-256, in hexadecimal digits, of its public half as `openssl pkey -pubout -outform DER` writes
 * it. Borrowed from the key.
 */
const char *vk_sign_key_name(const struct vk_sign_key *key);
/* The public half; borrowed from the key. */
const struct vk_public_key *vk_sign_key_public(const struct vk_sign_key *key);

/* Errors: VK_NOMEM, VK_INTERNAL. Safe from several threads at a time. */
VK_MUST_USE enum vk_status vk_sign(const struct vk_sign_key *key, const void *bytes, size_t len,
				   uint8_t ret_signature[VK_SIGNATURE_BYTES], struct vk_error *err);
/* Whether the signature is this key's over these bytes. */
VK_MUST_USE bool vk_signature_fits(const struct vk_public_key *key, const void *bytes, size_t len,
				   const uint8_t signature[VK_SIGNATURE_BYTES]);

__END_DECLS
#endif
