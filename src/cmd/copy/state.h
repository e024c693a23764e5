/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a copy that is not whole: beside NAME.vmfskit-part lies NAME.vmfskit-map, a mapfile of GNU ddrescue
 * whose comment says which file of which volume it is of. '+' is copied and on disk, '-' could not be read, '?' was not
 * copied, or the source does not hold it. Beside a folder that was made for a tree lies a map without ranges, until all
 * of the tree is copied.
 */
#ifndef VK_CMD_COPY_STATE_H
#define VK_CMD_COPY_STATE_H

#include "io/range_set.h"
#include "vmfskit/extract.h"

enum { VK_COPY_IDENTITY_BYTES = 200 };
/* "volume UUID, file 0x01c00184, generation 7, 8193 bytes, modified 1628697600"; "volume UUID, folder 0x01c00004" */
void vk_copy_identity(const struct vk_fs_info *info, const struct vk_fs_file *file,
		      char ret_text[VK_COPY_IDENTITY_BYTES]);

/*
 * Write the file map of an open folder anew, of a file of size_bytes. missing may be NULL. Errors: VK_IO,
 * VK_USAGE, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_copy_state_write(int folder_fd, const char *map, const char *identity,
					       uint64_t size_bytes, const struct vk_range_set *done,
					       const struct vk_extract_missing *missing, size_t missing_count,
					       struct vk_error *err);
/*
 * The map that stays: done is what is done and not among doubts, ascending; what extract could not read is missing.
 * Errors: as above.
 */
VK_MUST_USE enum vk_status vk_copy_state_write_doubts(int folder_fd, const char *map, const char *identity,
						      uint64_t size_bytes, const struct vk_range_set *done,
						      const struct vk_extract *extract,
						      const struct vk_extract_missing *doubts, size_t count,
						      struct vk_error *err);
/*
 * What it says is done. Errors: VK_ABSENT (there is no such file), VK_DAMAGED, VK_REFUSED (it is of another file),
 * VK_IO, VK_NOMEM. Free with vk_range_set_free.
 */
VK_MUST_USE enum vk_status vk_copy_state_read(int folder_fd, const char *map, const char *identity,
					      uint64_t size_bytes, struct vk_range_set *ret_done,
					      struct vk_error *err);

#endif
