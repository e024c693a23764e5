/* SPDX-License-Identifier: Apache-2.0 */
/* The second look: which files are as they were. */
#include <stdlib.h>

#include "base/memory.h"
#include "filemap/seen.h"

enum { AGAIN = 1, NAMES_A_NEW_ONE = 2, FLAGS = AGAIN | NAMES_A_NEW_ONE };

uint64_t vk_map_sum(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ b[i]) * 0x100000001b3;
	return sum;
}

bool vk_map_seen_add(struct vk_map_seen *seen, uint32_t address, uint32_t generation)
{
	const struct vk_map_seen_file file = {address, generation, 0};

	return vk_append(&seen->of, &seen->count, &file, sizeof(file)) != NULL;
}

void vk_map_seen_set(struct vk_map_seen *seen, uint64_t sum)
{
	if (seen->count > 0)
		seen->of[seen->count - 1].sum = sum & ~(uint64_t)FLAGS;
}

static int by_file(const void *a, const void *b)
{
	const struct vk_map_seen_file *x = a, *y = b;
	const uint64_t sums[2] = {x->sum & ~(uint64_t)FLAGS, y->sum & ~(uint64_t)FLAGS};

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return sums[0] == sums[1] ? 0 : sums[0] < sums[1] ? -1 : 1;
}

void vk_map_seen_sort(struct vk_map_seen *seen, bool all)
{
	seen->all = all;
	if (seen->count > 1)
		qsort(seen->of, seen->count, sizeof(*seen->of), by_file);
}

static uint64_t key_of(const void *file)
{
	const struct vk_map_seen_file *f = file;

	return (uint64_t)f->address << 32 | f->generation;
}

void vk_map_seen_again(struct vk_map_seen *seen, uint32_t address, uint32_t generation, uint64_t sum, uint32_t folder)
{
	const struct vk_map_seen_file key = {address, generation, sum};
	struct vk_map_seen_file *there = bsearch(&key, seen->of, seen->count, sizeof(key), by_file);
	size_t i;

	if (there != NULL) {
		there->sum |= AGAIN;
		return;
	}
	i = vk_first_not_below(seen->of, seen->count, sizeof(key), key_of(&key), key_of);
	if (!seen->all || (i < seen->count && key_of(&seen->of[i]) == key_of(&key)))
		return;
	i = vk_first_not_below(seen->of, seen->count, sizeof(key), (uint64_t)folder << 32, key_of);
	if (i < seen->count && seen->of[i].address == folder)
		seen->of[i].sum |= NAMES_A_NEW_ONE;
}

bool vk_map_seen_torn(const struct vk_map_seen *seen, size_t *at, uint32_t *ret_address, uint32_t *ret_generation)
{
	for (size_t i = *at, end = i; i < seen->count; i = end) {
		bool same = true;

		/* of a file with several names one answer */
		while (end < seen->count && key_of(&seen->of[end]) == key_of(&seen->of[i])) {
			const size_t first = end;
			uint64_t flags = 0;

			/* the same name twice */
			for (; end < seen->count && by_file(&seen->of[end], &seen->of[first]) == 0; end++)
				flags |= seen->of[end].sum & FLAGS;
			same = same && flags == AGAIN;
		}
		*at = end;
		if (same)
			continue;
		*ret_address = seen->of[i].address;
		*ret_generation = seen->of[i].generation;
		return true;
	}
	return false;
}
