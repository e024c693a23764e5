/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit-collect.txt: what a collector says of what it collected (docs/json.md). */
#ifndef VK_STORE_IMPORT_INDEX_H
#define VK_STORE_IMPORT_INDEX_H

#include "vmfskit/capture.h"

#define VK_INDEX_FILE "vmfskit-collect.txt"
enum {
	VK_INDEX_MAX_BYTES = 64 << 20,
	VK_INDEX_DISKS_MAX = 65536,
	VK_INDEX_PIECES_MAX = 4096, /* of one disk */
	VK_INDEX_TEXT_BYTES = 1024
};

/* A range of a disk. */
struct vk_index_piece {
	char file[64];        /* below the folder of the index; empty: these bytes could not be read */
	uint64_t offset_bytes;
	uint64_t length_bytes;
	char sha256[VK_SHA256_HEX_BYTES]; /* empty: not recorded */
	char md5[VK_MD5_HEX_BYTES];       /* the same */
};

struct vk_index_disk {
	char name[VK_INDEX_TEXT_BYTES];
	char path[VK_INDEX_TEXT_BYTES];
	uint64_t size_bytes;  /* 0: not known */
	uint32_t sector_size;
	bool incomplete;      /* the collector says that it did not get all of it, */
	bool broken;          /* or that a program which it needs failed meanwhile */
	struct vk_index_piece *pieces;
	size_t piece_count;
};

struct vk_index {
	char host[256];
	uint64_t unix_seconds;
	bool complete; /* the last line is there: the collector was not stopped */
	struct vk_index_disk *disks;
	size_t disk_count;
};

/*
 * The text is taken for hostile: names stay below the folder, numbers are in bounds. where names it in errors.
 * VK_DAMAGED (with the line), VK_UNSUPPORTED (another version), VK_NOMEM. Free with vk_index_free.
 */
VK_MUST_USE enum vk_status vk_index_parse(const char *text, size_t len, const char *where,
					  struct vk_index *ret_index, struct vk_error *err);
void vk_index_free(struct vk_index *index);

#endif
