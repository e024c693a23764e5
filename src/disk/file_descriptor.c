/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_FileMetadata: layout; how a file descriptor is divided. */
#include "base/bytes.h"
#include "disk/layout_table.h"
#include "vmfskit/file_descriptor.h"

VK_LAYOUT_DEFINE(vk_file_metadata_layout, VK_FILE_METADATA_ROWS, struct vk_file_metadata,
		 VK_FILE_METADATA_BYTES, "FS3_FileMetadata", "File descriptor, behind its lock",
		 "decoded from real volumes up to numCOWBlocksLo and where marked; the rest from readers of others");

enum {
	FD_BYTES = 2048, BLOCK_BYTES = 512, POINTERS_OFFSET = 0x400, POINTERS = 256,
	POINTERS6 = 320, SMALL_ALIGNMENT = 4096
};

const char *vk_system_file_name(enum vk_system_file file)
{
	static const char *const names[] = {"/",       ".fbb.sf", ".fdc.sf", ".pbc.sf",
					    ".sbc.sf", ".vh.sf",  ".pb2.sf", ".sdd.sf",
					    ".jbc.sf"};

	return (unsigned)file < VK_SYSTEM_COUNT ? names[file] : "";
}

void vk_fd_geometry(uint32_t md_alignment, struct vk_fd_geometry *ret_geometry)
{
	uint32_t pointers = md_alignment <= SMALL_ALIGNMENT ? POINTERS6 : md_alignment / 16;

	if (md_alignment == 0) {
		*ret_geometry = (struct vk_fd_geometry){FD_BYTES, BLOCK_BYTES, POINTERS_OFFSET, POINTERS, 4};
		return;
	}
	*ret_geometry = (struct vk_fd_geometry){2 * md_alignment, md_alignment,
						2 * md_alignment - 8 * pointers, pointers, 8};
}

uint64_t vk_fd_pointer(const struct vk_fd_geometry *geometry, const uint8_t *fd, uint32_t index)
{
	const uint8_t *p = fd + geometry->pointers_offset + (size_t)index * geometry->pointer_bytes;

	if (index >= geometry->pointers)
		return 0;
	return geometry->pointer_bytes == 8 ? vk_get_le64(p) : vk_get_le32(p);
}
