/* SPDX-License-Identifier: Apache-2.0 */
/* A disk made of the pieces of it that there are: everything between them is absent, never zeros. */
#ifndef VK_STORE_IMPORT_PIECES_H
#define VK_STORE_IMPORT_PIECES_H

#include "vmfskit/io.h"

struct vk_import_piece {
	struct vk_io *io;      /* borrowed; NULL: whoever collected it could not read these bytes */
	uint64_t from_bytes;   /* where it begins in io */
	uint64_t offset_bytes; /* where it lies on the disk */
	uint64_t length_bytes;
};

/*
 * The pieces in any order, which are copied; where two overlap, the one that begins first counts, and one that was
 * read before one that was not. NULL when memory ran out or a piece reaches past the end of the numbers.
 */
struct vk_io *vk_import_io(const char *name, const struct vk_import_piece *pieces, size_t count,
			   uint64_t size_bytes, uint32_t sector_size);

#endif
