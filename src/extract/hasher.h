/* SPDX-License-Identifier: Apache-2.0 */
/* A digest that is computed on a thread of its own, while the same bytes are written. */
#ifndef VK_EXTRACT_HASHER_H
#define VK_EXTRACT_HASHER_H

#include "store/folder/digest.h"

struct vk_hasher;

/* The digest is the hasher's until it is closed. NULL when memory or threads ran out. */
struct vk_hasher *vk_hasher_open(struct vk_digest *digest);
/* Begin to add bytes, or zeros where bytes is NULL. They stay as they are until vk_hasher_wait comes back. */
void vk_hasher_begin(struct vk_hasher *hasher, const void *bytes, uint64_t len);
void vk_hasher_wait(struct vk_hasher *hasher);
void vk_hasher_close(struct vk_hasher *hasher); /* NULL is allowed */

#endif
