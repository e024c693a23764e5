/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of a store that are replaced whole. */
#ifndef VK_STORE_REPLACE_FILE_H
#define VK_STORE_REPLACE_FILE_H

#include <stddef.h>

#include "vmfskit/error.h"

/*
 * Replace a file of a folder, or make it: flushed under another name, renamed, the folder flushed. At every moment
 * the old file is there, or the new one. what names its steps ("pin": "pin: create", ...). Errors: VK_USAGE (the name
 * is too long), VK_IO; errno is then that of the step that failed.
 */
VK_MUST_USE enum vk_status vk_replace_file(int folder_fd, const char *file, const void *bytes, size_t len,
					   const char *what, struct vk_error *err);

#endif
