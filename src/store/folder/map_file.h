/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a capture that is no region, as a source: the map of the files of a volume, its metadata. */
#ifndef VK_STORE_MAP_FILE_H
#define VK_STORE_MAP_FILE_H

#include "vmfskit/capture.h"

/* Errors: VK_ABSENT (it is not there), VK_DAMAGED (no plain file of its length), VK_NOMEM. */
VK_MUST_USE enum vk_status vk_map_open(int folder_fd, const char *name, uint64_t length_bytes, struct vk_io **ret_io,
				       struct vk_error *err);

#endif
