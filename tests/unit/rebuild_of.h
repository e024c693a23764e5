/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a partition rebuilt over bytes whose table is read first, as who opens a source does. */
#ifndef VK_TESTS_REBUILD_OF_H
#define VK_TESTS_REBUILD_OF_H

#include "vmfskit/rebuild_header.h"

static inline enum vk_status rebuild_of(struct vk_io *io, uint64_t start_bytes, uint64_t length_bytes, uint32_t sector_size,
					const struct vk_rebuild_header_options *options, struct vk_overlay *overlay,
					struct vk_rebuild_header *ret_header, struct vk_error *err)
{
	struct vk_source disk = {.io = io, .raw = io, .sector_size = sector_size};
	struct vk_error ignored;
	enum vk_status status = VK_OK;

	if (sector_size != 0 && vk_table_read(io, sector_size, true, NULL, &disk.table, &ignored) == VK_OK)
		status = vk_tail_gpt_read(io, 0, &disk.tail, &ignored);
	if (status == VK_OK || status == VK_IO)
		status = vk_rebuild_header(&disk, start_bytes, length_bytes, options, overlay, ret_header, err);
	vk_tail_gpt_free(&disk.tail);
	vk_table_free(&disk.table);
	return status;
}

#endif
