/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the store know of an open one beyond vmfskit/store.h. */
#ifndef VK_STORE_HANDLE_H
#define VK_STORE_HANDLE_H

#include "vmfskit/store.h"

/* vk_store_open without sweeping: folder and lock. */
VK_MUST_USE enum vk_status vk_store_hold(const char *path, const struct vk_store_options *options,
					 struct vk_store **ret_store, struct vk_error *err);
/* True for the first caller: a store without links is told of once in a run, not once for each disk. */
bool vk_store_first_without_links(struct vk_store *store);

#endif
