/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted set of byte ranges that do not touch: what could not be read. */
#ifndef VK_IO_RANGE_SET_H
#define VK_IO_RANGE_SET_H

#include "vmfskit/io.h"

struct vk_range_set {
	struct vk_range *ranges;
	size_t count;
};

/* Add a range, merged with those it touches. False when memory ran out; the set is then as before. */
VK_MUST_USE bool vk_range_set_add(struct vk_range_set *set, uint64_t offset, uint64_t length);
/* The first range that ends behind offset: it holds offset or is the next one. NULL when there is none. */
const struct vk_range *vk_range_set_find(const struct vk_range_set *set, uint64_t offset);
/* Whether a range holds offset; *length is brought down to where that answer stops being true. */
bool vk_range_set_holds(const struct vk_range_set *set, uint64_t offset, uint64_t *length);
/*
 * Add ranges in any order, overlapping or not: of a manifest, which anyone may have written. False when memory ran out.
 */
VK_MUST_USE bool vk_range_set_add_all(struct vk_range_set *set, const struct vk_range *ranges, size_t count);
void vk_range_set_free(struct vk_range_set *set);

#endif
