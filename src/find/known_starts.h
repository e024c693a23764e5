/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes that a search found, as a table is judged by them. */
#ifndef VK_FIND_KNOWN_STARTS_H
#define VK_FIND_KNOWN_STARTS_H

#include "evidence/known_start.h"
#include "vmfskit/find.h"

/*
 * Where volumes begin that are on this disk and no ghosts, sorted; index is that of the candidate. Free with free().
 * Errors: VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_find_known_starts(const struct vk_find *find, struct vk_known_start **ret_starts,
						size_t *ret_count, struct vk_error *err);

#endif
