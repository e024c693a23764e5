/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted list of starts. */
#include <stdlib.h>

#include "base/memory.h"
#include "evidence/known_start.h"

static int by_bytes(const void *a, const void *b)
{
	const struct vk_known_start *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

void vk_known_starts_sort(struct vk_known_start *starts, size_t count)
{
	if (count > 1)
		qsort(starts, count, sizeof(*starts), by_bytes);
}

static uint64_t bytes_of(const void *start)
{
	return ((const struct vk_known_start *)start)->bytes;
}

const struct vk_known_start *vk_known_start_at(const struct vk_known_start *starts, size_t count, uint64_t bytes)
{
	size_t at = vk_first_not_below(starts, count, sizeof(*starts), bytes, bytes_of);

	return at < count && starts[at].bytes == bytes ? &starts[at] : NULL;
}
