/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted set of byte ranges that do not touch. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/range_set.h"

static uint64_t end_of(const void *range)
{
	const struct vk_range *r = range;

	return r->offset_bytes + r->length_bytes;
}

/* Index of the first range that ends at or behind offset. */
static size_t first_touching(const struct vk_range_set *set, uint64_t offset)
{
	return vk_first_not_below(set->ranges, set->count, sizeof(*set->ranges), offset, end_of);
}

bool vk_range_set_add(struct vk_range_set *set, uint64_t offset, uint64_t length)
{
	uint64_t end = vk_add_sat(offset, length);
	size_t first = first_touching(set, offset);
	size_t last = first;

	if (length == 0)
		return true;
	for (; last < set->count && set->ranges[last].offset_bytes <= end; last++) {
		offset = vk_min_u64(offset, set->ranges[last].offset_bytes);
		end = vk_max_u64(end, end_of(&set->ranges[last]));
	}
	if (last == first) {
		if (vk_append(&set->ranges, &set->count, NULL, sizeof(*set->ranges)) == NULL)
			return false;
		memmove(&set->ranges[first + 1], &set->ranges[first], (set->count - 1 - first) * sizeof(*set->ranges));
	} else {
		memmove(&set->ranges[first + 1], &set->ranges[last],
			(set->count - last) * sizeof(*set->ranges));
		set->count -= last - first - 1;
	}
	set->ranges[first].offset_bytes = offset;
	set->ranges[first].length_bytes = end - offset;
	return true;
}

const struct vk_range *vk_range_set_find(const struct vk_range_set *set, uint64_t offset)
{
	size_t i = first_touching(set, offset);

	if (i < set->count && end_of(&set->ranges[i]) == offset)
		i++;
	return i < set->count ? &set->ranges[i] : NULL;
}

bool vk_range_set_holds(const struct vk_range_set *set, uint64_t offset, uint64_t *length)
{
	const struct vk_range *range = vk_range_set_find(set, offset);
	bool holds = range != NULL && range->offset_bytes <= offset;

	if (range != NULL)
		*length = vk_min_u64(*length, holds ? end_of(range) - offset : range->offset_bytes - offset);
	return holds;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_range *x = a;
	const struct vk_range *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

bool vk_range_set_add_all(struct vk_range_set *set, const struct vk_range *ranges, size_t count)
{
	struct vk_range *sorted = calloc(count + 1, sizeof(*sorted));
	bool added = sorted != NULL;

	/* each is then added at the end, and nothing is moved */
	if (added && count > 0) {
		memcpy(sorted, ranges, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), by_offset);
	}
	for (size_t i = 0; added && i < count; i++)
		added = vk_range_set_add(set, sorted[i].offset_bytes, sorted[i].length_bytes);
	free(sorted);
	return added;
}

void vk_range_set_free(struct vk_range_set *set)
{
	free(set->ranges);
	memset(set, 0, sizeof(*set));
}
