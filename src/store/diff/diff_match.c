/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which partition of one side is which of the other. */
#include <stdlib.h>

#include "base/memory.h"
#include "store/diff/diff_parts.h"

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_start_and_number(const void *a, const void *b)
{
	const struct vk_diff_key *x = a, *y = b;
	int order = compare_u64(x->start_bytes, y->start_bytes);

	return order != 0 ? order : compare_u64(x->number, y->number);
}

static int by_start(const void *a, const void *b)
{
	const struct vk_diff_key *x = a, *y = b;

	return compare_u64(x->start_bytes, y->start_bytes);
}

static int by_number(const void *a, const void *b)
{
	const struct vk_diff_key *x = a, *y = b;

	return compare_u64(x->number, y->number);
}

/* Take out of both lists what the order calls equal; the rest moves up. */
static void take_equal(struct vk_diff_key *keys[VK_SIDES], size_t counts[VK_SIDES],
		       int (*order)(const void *, const void *), struct vk_diff_pair *pairs,
		       size_t *count)
{
	size_t at[VK_SIDES] = {0}, kept[VK_SIDES] = {0};

	for (int side = 0; side < VK_SIDES; side++)
		if (counts[side] > 0)
			qsort(keys[side], counts[side], sizeof(*keys[side]), order);
	while (at[VK_BEFORE] < counts[VK_BEFORE] && at[VK_AFTER] < counts[VK_AFTER]) {
		const struct vk_diff_key *x = &keys[VK_BEFORE][at[VK_BEFORE]];
		const struct vk_diff_key *y = &keys[VK_AFTER][at[VK_AFTER]];
		int sign = order(x, y);

		if (sign == 0) {
			pairs[(*count)++] = (struct vk_diff_pair){{x->index, y->index}};
			at[VK_BEFORE]++;
			at[VK_AFTER]++;
		} else if (sign < 0) {
			keys[VK_BEFORE][kept[VK_BEFORE]++] = keys[VK_BEFORE][at[VK_BEFORE]++];
		} else {
			keys[VK_AFTER][kept[VK_AFTER]++] = keys[VK_AFTER][at[VK_AFTER]++];
		}
	}
	for (int side = 0; side < VK_SIDES; side++) {
		while (at[side] < counts[side])
			keys[side][kept[side]++] = keys[side][at[side]++];
		counts[side] = kept[side];
	}
}

static int by_first_index(const void *a, const void *b)
{
	const struct vk_diff_pair *x = a, *y = b;
	int order = compare_u64(x->index[VK_BEFORE], y->index[VK_BEFORE]);

	return order != 0 ? order : compare_u64(x->index[VK_AFTER], y->index[VK_AFTER]);
}

size_t vk_diff_match(struct vk_differ *d, struct vk_diff_key *keys[VK_SIDES],
		     const size_t counts[VK_SIDES], struct vk_diff_pair **ret_pairs)
{
	size_t left[VK_SIDES] = {counts[VK_BEFORE], counts[VK_AFTER]};
	size_t count = 0;
	struct vk_diff_pair *pairs = calloc(left[VK_BEFORE] + left[VK_AFTER] + 1, sizeof(*pairs));

	*ret_pairs = pairs;
	if (pairs == NULL) {
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
		return 0;
	}
	take_equal(keys, left, by_start_and_number, pairs, &count);
	take_equal(keys, left, by_start, pairs, &count);
	take_equal(keys, left, by_number, pairs, &count);
	for (size_t i = 0; i < left[VK_BEFORE]; i++)
		pairs[count++] = (struct vk_diff_pair){{keys[VK_BEFORE][i].index, SIZE_MAX}};
	for (size_t i = 0; i < left[VK_AFTER]; i++)
		pairs[count++] = (struct vk_diff_pair){{SIZE_MAX, keys[VK_AFTER][i].index}};
	qsort(pairs, count, sizeof(*pairs), by_first_index);
	return count;
}
