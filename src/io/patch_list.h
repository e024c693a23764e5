/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted runs of changed bytes, each with what was there before: the memory of an overlay. */
#ifndef VK_IO_PATCH_LIST_H
#define VK_IO_PATCH_LIST_H

#include "vmfskit/overlay.h"

struct vk_patch {
	uint64_t offset;
	size_t len;
	size_t cap;
	uint8_t *old_bytes;
	bool old_unread;
	uint8_t *new_bytes;
	const char *reason;
	unsigned write_class;
};
struct vk_patch_list {
	struct vk_patch *list;
	size_t count;
	size_t cap;
};

void vk_patch_list_free(struct vk_patch_list *patches);
/* Index of the first patch that ends behind offset. */
size_t vk_patch_list_find(const struct vk_patch_list *patches, uint64_t offset);
/*
 * Put a copy of an edit behind the last patch, or into it where both touch and have one reason and class. False
 * when memory ran out.
 */
VK_MUST_USE bool vk_patch_list_append(struct vk_patch_list *patches, const struct vk_edit *edit);
/* Part of a patch, as the world sees it; borrowed. */
struct vk_edit vk_patch_part(const struct vk_patch *patch, uint64_t offset, size_t len);
/*
 * Put the patches of fresh in the place of `gone` patches from index `at` on; those at the seams are joined
 * with their neighbours. fresh is empty afterwards. False when memory ran out; both are then as before.
 */
VK_MUST_USE bool vk_patch_list_replace(struct vk_patch_list *patches, size_t at, size_t gone,
				       struct vk_patch_list *fresh);

#endif
