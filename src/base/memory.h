/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that ran out, in one wording; arrays that grow. */
#ifndef VK_BASE_MEMORY_H
#define VK_BASE_MEMORY_H

#include <stddef.h>

#include "vmfskit/error.h"

/* Fill err (may be NULL) with "memory ran out" and return VK_NOMEM. where may be NULL. */
enum vk_status vk_no_memory(struct vk_error *err, const char *where);

/*
 * Append one item of size bytes to an array that only this function makes longer: items is the address of the pointer
 * to it (NULL for an empty one), count the address of its length. The capacity is not kept anywhere: it is the power of
 * two that holds count. item is copied; NULL appends zeros. Returns the new item inside the array, whose address may
 * have changed; NULL when memory ran out, array and count are then as before. The array is freed with free().
 */
VK_MUST_USE void *vk_append(void *items, size_t *count, const void *item, size_t size);

/*
 * Index of the first of count sorted items whose key is not below key; count when there is none. key_of gives the key
 * of an item.
 */
size_t vk_first_not_below(const void *items, size_t count, size_t size, uint64_t key,
			  uint64_t (*key_of)(const void *item));

#endif
