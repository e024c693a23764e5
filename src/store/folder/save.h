/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying ranges of a source into files: hashed on the way, sparse, with what could not be read
 * on record.
 */
#ifndef VK_STORE_SAVE_H
#define VK_STORE_SAVE_H

#include "store/folder/digest.h"
#include "store/folder/region_file.h"
#include "vmfskit/capture.h"

enum { VK_SAVE_BUFFER_BYTES = 256 << 10, VK_CAPTURE_RANGES_MAX = 100000 };

struct vk_saver {
	struct vk_io *io;
	struct vk_digest digest;
	uint8_t *buf; /* VK_SAVE_BUFFER_BYTES, aligned for O_DIRECT */
	struct vk_range *unreadable;
	size_t unreadable_count;
	size_t unreadable_cap;
	struct vk_range *absent; /* what the source does not hold, kept apart from that */
	size_t absent_count;
	size_t absent_cap;
};

/* io NULL: only buffer and digest are wanted. */
VK_MUST_USE enum vk_status vk_saver_init(struct vk_saver *saver, struct vk_io *io,
					 const struct vk_capture_shared *shared,
					 struct vk_error *err);
void vk_saver_free(struct vk_saver *saver);
/*
 * Copy region into file, which was begun, and fill region->sha256. Zeros count in the digest;
 * bytes that cannot be read are zeros in both and are put on saver->unreadable, those that the source does
 * not hold on saver->absent.
 */
VK_MUST_USE enum vk_status vk_saver_copy(struct vk_saver *saver, struct vk_region *region,
					 struct vk_region_file *file, struct vk_error *err);
/* What was noted up to now, to come back to it when a region has to be copied once more. */
struct vk_saver_mark {
	size_t unreadable_count;
	struct vk_range unreadable; /* the last of them, which may grow */
	size_t absent_count;
	struct vk_range absent;
};
struct vk_saver_mark vk_saver_mark(const struct vk_saver *saver);
void vk_saver_back_to(struct vk_saver *saver, const struct vk_saver_mark *mark);
/*
 * The digest of a file's bytes; holes are digested without being read. False when it cannot be read to its
 * length.
 */
VK_MUST_USE bool vk_saver_digest(struct vk_saver *saver, int fd, uint64_t length,
				 char ret_hex[VK_SHA256_HEX_BYTES]);
/*
 * The same, and the very bytes that go into the digest are written to another file, from start on, which must be a
 * hole there. At most room bytes that are not zero are, and room goes down by them; errno is EFBIG when that is not
 * enough. to may be NULL.
 */
struct vk_keeping {
	int fd;
	uint64_t start;
	uint64_t room;
};
VK_MUST_USE bool vk_saver_keep(struct vk_saver *saver, int fd, uint64_t length, struct vk_keeping *to,
			       char ret_hex[VK_SHA256_HEX_BYTES]);

#endif
