/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted runs of changed bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/patch_list.h"

#define PATCH_MIN_BYTES ((size_t)512)

static uint64_t end_of(const struct vk_patch *patch)
{
	return patch->offset + patch->len;
}

static void patch_free(struct vk_patch *patch)
{
	free(patch->old_bytes);
	free(patch->new_bytes);
}

void vk_patch_list_free(struct vk_patch_list *patches)
{
	for (size_t i = 0; i < patches->count; i++)
		patch_free(&patches->list[i]);
	free(patches->list);
	memset(patches, 0, sizeof(*patches));
}

static uint64_t end_of_patch(const void *patch)
{
	return end_of(patch);
}

size_t vk_patch_list_find(const struct vk_patch_list *patches, uint64_t offset)
{
	return vk_first_not_below(patches->list, patches->count, sizeof(*patches->list), vk_add_sat(offset, 1),
				  end_of_patch);
}

struct vk_edit vk_patch_part(const struct vk_patch *patch, uint64_t offset, size_t len)
{
	return (struct vk_edit){.offset_bytes = offset,
				.length_bytes = len,
				.old_bytes = patch->old_bytes + (offset - patch->offset),
				.old_unread = patch->old_unread,
				.new_bytes = patch->new_bytes + (offset - patch->offset),
				.reason = patch->reason,
				.write_class = patch->write_class};
}

static struct vk_edit whole(const struct vk_patch *patch)
{
	return vk_patch_part(patch, patch->offset, patch->len);
}

static bool joins(const struct vk_patch *left, const struct vk_edit *right)
{
	return end_of(left) == right->offset_bytes && left->write_class == right->write_class &&
	       left->old_unread == right->old_unread &&
	       (left->reason == right->reason || strcmp(left->reason, right->reason) == 0);
}

/* Room for more bytes; doubles, so that many small puts in a row stay cheap. */
static bool patch_reserve(struct vk_patch *patch, size_t more)
{
	size_t cap = patch->cap;
	uint8_t *bytes;

	if (patch->new_bytes != NULL && more <= cap - patch->len)
		return true;
	if (more > SIZE_MAX / 4 - patch->len)
		return false;
	cap = patch->len + more > cap * 2 ? patch->len + more : cap * 2;
	cap = cap < PATCH_MIN_BYTES ? PATCH_MIN_BYTES : cap;
	bytes = realloc(patch->old_bytes, cap);
	if (bytes == NULL)
		return false;
	patch->old_bytes = bytes;
	bytes = realloc(patch->new_bytes, cap);
	if (bytes == NULL)
		return false;
	patch->new_bytes = bytes;
	patch->cap = cap;
	return true;
}

/* The room must have been reserved. */
static void patch_extend(struct vk_patch *patch, const struct vk_edit *edit)
{
	memcpy(patch->old_bytes + patch->len, edit->old_bytes, edit->length_bytes);
	memcpy(patch->new_bytes + patch->len, edit->new_bytes, edit->length_bytes);
	patch->len += edit->length_bytes;
}

static bool list_reserve(struct vk_patch_list *patches, size_t count)
{
	size_t cap = patches->cap == 0 ? 8 : patches->cap;
	struct vk_patch *list;

	if (patches->list != NULL && count <= patches->cap)
		return true;
	while (cap < count)
		cap *= 2;
	list = reallocarray(patches->list, cap, sizeof(*list));
	if (list == NULL)
		return false;
	patches->list = list;
	patches->cap = cap;
	return true;
}

bool vk_patch_list_append(struct vk_patch_list *patches, const struct vk_edit *edit)
{
	struct vk_patch *last = patches->count > 0 ? &patches->list[patches->count - 1] : NULL;
	struct vk_patch patch = {.offset = edit->offset_bytes,
				 .old_unread = edit->old_unread,
				 .reason = edit->reason,
				 .write_class = edit->write_class};

	if (last != NULL && joins(last, edit)) {
		if (!patch_reserve(last, edit->length_bytes))
			return false;
		patch_extend(last, edit);
		return true;
	}
	if (!list_reserve(patches, patches->count + 1))
		return false;
	if (!patch_reserve(&patch, edit->length_bytes)) {
		patch_free(&patch);
		return false;
	}
	patch_extend(&patch, edit);
	patches->list[patches->count++] = patch;
	return true;
}

/* Join patch `at` with the one behind it; the room must have been reserved. */
static void join_next(struct vk_patch_list *patches, size_t at)
{
	struct vk_patch *next = &patches->list[at + 1];
	struct vk_edit edit = whole(next);

	patch_extend(&patches->list[at], &edit);
	patch_free(next);
	patches->count--;
	memmove(next, next + 1, (patches->count - at - 1) * sizeof(*next));
}

static bool neighbours_join(const struct vk_patch *left, const struct vk_patch *right)
{
	struct vk_edit edit;

	if (left == NULL || right == NULL)
		return false;
	edit = whole(right);
	return joins(left, &edit);
}

bool vk_patch_list_replace(struct vk_patch_list *patches, size_t at, size_t gone,
			   struct vk_patch_list *fresh)
{
	size_t tail = patches->count - at - gone;
	struct vk_patch *left = at > 0 ? &patches->list[at - 1] : NULL;
	struct vk_patch *right = tail > 0 ? &patches->list[at + gone] : NULL;
	struct vk_patch *first = fresh->count > 0 ? fresh->list : NULL;
	struct vk_patch *last = first != NULL ? first + fresh->count - 1 : NULL;
	bool join_left = neighbours_join(left, first);
	bool join_right = neighbours_join(last, right);
	size_t end = at + fresh->count;

	/* nothing is changed before all memory is there */
	if (join_right && !patch_reserve(last, right->len))
		return false;
	if (join_left &&
	    !patch_reserve(left, first->len + (join_right && first == last ? right->len : 0)))
		return false;
	if (!list_reserve(patches, end + tail))
		return false;
	for (size_t i = at; i < at + gone; i++)
		patch_free(&patches->list[i]);
	if (tail > 0)
		memmove(&patches->list[end], &patches->list[at + gone],
			tail * sizeof(*patches->list));
	if (first != NULL)
		memcpy(&patches->list[at], first, fresh->count * sizeof(*first));
	patches->count = end + tail;
	fresh->count = 0;
	if (join_right)
		join_next(patches, end - 1);
	if (join_left)
		join_next(patches, at - 1);
	return true;
}
