/* SPDX-License-Identifier: Apache-2.0 */
/* Copying ranges of a source into files, and digesting files: sparse, with what could not be read on record. */
#ifndef VK_STORE_SAVE_H
#define VK_STORE_SAVE_H

#include "store/folder/region_file.h"

enum { VK_CAPTURE_RANGES_MAX = 100000 };

/* A range that the source did not deliver, or (is_absent) does not hold. */
struct vk_missing {
	struct vk_range range;
	bool is_absent;
};

struct vk_saver {
	struct vk_io *io;
	struct vk_digest digest;
	struct vk_sum sum;
	uint8_t *buf;               /* VK_FILE_BUFFER_BYTES, aligned for O_DIRECT */
	struct vk_missing *missing; /* in the order of the regions that were copied */
	size_t missing_count;
};

/* io NULL: only buffer, digest and sum are wanted. */
VK_MUST_USE enum vk_status vk_saver_init(struct vk_saver *saver, struct vk_io *io, struct vk_error *err);
void vk_saver_free(struct vk_saver *saver);
/*
 * Copy region into file, which was begun, and fill its digests. Bytes that are missing are zeros in both and are put on
 * saver->missing.
 */
VK_MUST_USE enum vk_status vk_saver_copy(struct vk_saver *saver, struct vk_region *region,
					 struct vk_region_file *file, struct vk_error *err);
/*
 * The digest of a file's bytes; holes are digested without being read. False when it cannot be read to its length.
 * to (may be NULL): the very bytes that go into the digest are also written to another file, from start on, which must
 * be a hole there. At most room bytes that are not zero are, and room goes down by them; errno is EFBIG when that is
 * not enough.
 */
struct vk_keeping {
	int fd;
	uint64_t start;
	uint64_t room;
};
VK_MUST_USE bool vk_saver_keep(struct vk_saver *saver, int fd, uint64_t length, struct vk_keeping *to,
			       char ret_hex[VK_SHA256_HEX_BYTES]);

#endif
