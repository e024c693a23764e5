/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes that a search found, as a table is judged by them. */
#include <stdlib.h>

#include "base/memory.h"
#include "find/known_starts.h"

static int by_bytes(const void *a, const void *b)
{
	const struct vk_known_start *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

enum vk_status vk_find_known_starts(const struct vk_find *find, struct vk_known_start **ret_starts, size_t *ret_count,
				    struct vk_error *err)
{
	struct vk_known_start *starts = NULL;
	size_t count = 0;

	for (size_t i = 0; i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];
		const struct vk_known_start start = {c->start_bytes, c->told_bytes, i};

		if (c->start_before_disk || vk_standing_is_ghost(c->standing))
			continue;
		if (vk_append(&starts, &count, &start, sizeof(start)) == NULL) {
			free(starts);
			return vk_no_memory(err, NULL);
		}
	}
	if (count > 1)
		qsort(starts, count, sizeof(*starts), by_bytes);
	*ret_starts = starts;
	*ret_count = count;
	return VK_OK;
}
