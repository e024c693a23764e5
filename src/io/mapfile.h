/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapfile of GNU ddrescue: which bytes of the input were read. GNU ddrescue manual, "Mapfile structure": comments
 * behind '#', one status line (position, status, number of the pass, which old versions do not write), then blocks
 * (position, size, status) that follow each other without a gap. Numbers are decimal, octal or hexadecimal as in C.
 */
#ifndef VK_IO_MAPFILE_H
#define VK_IO_MAPFILE_H

#include "io/range_set.h"

struct vk_mapfile {
	struct vk_range_set read;   /* blocks of status '+' */
	struct vk_range_set failed; /* of '*', '/' and '-': tried, and not read, or not whole; '?' was not tried */
	uint64_t end_bytes;         /* of the last block */
};

/*
 * Read it strictly: a line that the manual does not describe makes all of it worthless. Errors: VK_IO, VK_DAMAGED (with
 * the number of the line), VK_NOMEM. Free with vk_mapfile_free.
 */
VK_MUST_USE enum vk_status vk_mapfile_read(struct vk_io *io, struct vk_mapfile *ret_map, struct vk_error *err);
void vk_mapfile_free(struct vk_mapfile *map);

/*
 * What of base, an image that ddrescue wrote, was read, also where zeros stand: what failed is unreadable, what was not
 * tried is absent. base is owned by the new handle on success. Errors: VK_IO, those of vk_mapfile_read; VK_USAGE: the
 * map is of another, longer image.
 */
VK_MUST_USE enum vk_status vk_io_mapped(struct vk_io *base, const char *mapfile, struct vk_io **ret_io,
					struct vk_error *err);

#endif
