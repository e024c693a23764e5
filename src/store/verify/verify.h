/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of verifying a capture. */
#ifndef VK_STORE_VERIFY_H
#define VK_STORE_VERIFY_H

#include <sys/types.h>
#include <time.h>

#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "vmfskit/signature.h"
#include "vmfskit/vouch.h"

/* A file that should be there. Borrowed texts. */
struct vk_expected_file {
	char file[64];
	char sha256[VK_SHA256_HEX_BYTES];
	char md5[VK_MD5_HEX_BYTES]; /* empty: not recorded */
	bool has_length;
	uint64_t length_bytes;
	uint64_t offset_bytes; /* on the disk, for findings; 0 for files that are no region */
	const struct vk_saved_map *map; /* NULL: it is none. Borrowed */
	const struct vk_saved_metadata *metadata; /* the same */
};

struct vk_verifier {
	const char *path;
	int folder_fd;
	const struct vk_finding_sink *sink;
	struct vk_verify_cache *cache; /* may be NULL */
	bool has_manifest;        /* understood */
	char manifest_sha256[VK_SHA256_HEX_BYTES];
	struct vk_manifest manifest;
	char signature_sha256[VK_SHA256_HEX_BYTES]; /* as SHA256SUMS has it; empty: it does not */
	char *sums; /* NULL: could not be read */
	size_t sums_len;
	struct vk_expected_file *expected; /* sorted by name */
	size_t expected_count;
	uid_t owner; /* of the folder */
};

/* The whole of it. folder_fd is borrowed, path only for messages, cache may be NULL. */
VK_MUST_USE enum vk_status vk_verify_folder(int folder_fd, const char *path, struct vk_verify_cache *cache,
					    const struct vk_finding_sink *sink, struct vk_error *err);

/*
 * Which files should be there, as the manifest says or, when it cannot be understood, as SHA256SUMS does; length and
 * digest of each; and what else lies in the folder, or may be written by others.
 */
VK_MUST_USE enum vk_status vk_verify_files(struct vk_verifier *v, struct vk_error *err);

/*
 * As vk_vouch, for an open folder; path names it. ret_sha256 is of the manifest that was asked about, empty when it
 * has none.
 */
VK_MUST_USE enum vk_status vk_vouch_folder(struct vk_vouching *vouching, int folder_fd, const char *path,
					   const struct vk_finding_sink *sink, unsigned *ret_by,
					   char ret_sha256[VK_SHA256_HEX_BYTES], struct vk_error *err);

/* ---- digests of files that were read already: unchanged files of many captures are one file with many names */

/* What cannot stay the same when a file is written to. */
struct vk_verify_key {
	dev_t dev;
	ino_t ino;
	off_t size_bytes;
	struct timespec changed; /* contents */
	struct timespec touched; /* contents, mode, owner, number of names */
};

/* Digests of a file; md5 is empty when nobody asked for it. */
struct vk_verify_digests {
	char sha256[VK_SHA256_HEX_BYTES];
	char md5[VK_MD5_HEX_BYTES];
};

/* Two that are equal are so byte for byte. */
VK_MUST_USE bool vk_verify_key_of(int fd, struct vk_verify_key *ret_key);

VK_MUST_USE bool vk_verify_cache_find(struct vk_verify_cache *cache, const struct vk_verify_key *key,
				      struct vk_verify_digests *ret_digests);
/* Without memory nothing is remembered. */
void vk_verify_cache_add(struct vk_verify_cache *cache, const struct vk_verify_key *key,
			 const struct vk_verify_digests *digests);

#endif
