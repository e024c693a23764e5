/* SPDX-License-Identifier: Apache-2.0 */
/* The map of the files of a volume, as a file of a capture. */
#ifndef VK_STORE_MAP_FILE_H
#define VK_STORE_MAP_FILE_H

#include "vmfskit/capture.h"

/* Errors: VK_ABSENT (it is not there), VK_DAMAGED (no plain file of its length), VK_NOMEM. */
VK_MUST_USE enum vk_status vk_map_open(int folder_fd, const struct vk_saved_map *map, struct vk_io **ret_io,
				       struct vk_error *err);

#endif
