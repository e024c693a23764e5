/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a tar: regular files and folders under plain relative names, as collectors and every tar write them.
 * Everything else (links, devices, long names, pax records, sparse members) is refused, not skipped.
 */
#ifndef VK_STORE_IMPORT_TAR_H
#define VK_STORE_IMPORT_TAR_H

#include "vmfskit/io.h"

enum { VK_TAR_NAME_BYTES = 257, VK_TAR_MEMBERS_MAX = 100000 };

struct vk_tar_member {
	char name[VK_TAR_NAME_BYTES]; /* without "./" in front */
	uint64_t offset_bytes;        /* of its bytes in the tar */
	uint64_t length_bytes;
	uint64_t modified;            /* Unix seconds */
};

struct vk_tar {
	struct vk_tar_member *members; /* regular files, sorted by name, each name once */
	size_t count;
};

/* Whether it begins like one. */
bool vk_tar_recognise(struct vk_io *io);
/*
 * Errors: VK_DAMAGED (not a tar, cut short, a checksum, number or size that is wrong, a name twice), VK_REFUSED (a name
 * that leads elsewhere), VK_UNSUPPORTED (a kind of member), VK_IO, VK_NOMEM. Free with vk_tar_free.
 */
VK_MUST_USE enum vk_status vk_tar_read(struct vk_io *io, struct vk_tar *ret_tar,
				       struct vk_error *err);
void vk_tar_free(struct vk_tar *tar);
/* NULL when there is none of that name. */
const struct vk_tar_member *vk_tar_find(const struct vk_tar *tar, const char *name);

/* A relative path that stays below where it begins: no "..", no "." in the middle, no empty part. */
bool vk_import_path_plain(const char *path);

#endif
