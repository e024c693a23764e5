/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a folder. */
#ifndef VK_STORE_ENTRIES_H
#define VK_STORE_ENTRIES_H

#include <stdbool.h>

/*
 * Call step for each entry of an open folder, "." and ".." left out, until it returns false; the position of
 * folder_fd stays. False when a step returned false, or when the folder cannot be listed: errno is then what stood in
 * the way.
 */
bool vk_each_entry(int folder_fd, bool (*step)(void *ctx, int folder_fd, const char *name), void *ctx);

#endif
