/* SPDX-License-Identifier: Apache-2.0 */
/* GPT entries one by one, when no checksum proves any array: of both the one for which more speaks. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "evidence/gpt/case.h"

/* How much speaks for an entry; 0: it is none. */
static unsigned weigh(const struct vk_gpt_case *c, const uint8_t *array, uint32_t slot)
{
	struct vk_gpt_entry e;
	size_t candidate;

	if (!vk_gpt_look_entry(&c->look, array, slot, &e) ||
	    e.firstLBA < c->j.image.header.firstUsableLBA ||
	    e.lastLBA > c->j.image.header.lastUsableLBA)
		return 0;
	candidate = vk_gpt_candidate_at(c, e.firstLBA);
	return 1 + (strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0 ? 1U : 0U) +
	       (candidate != SIZE_MAX ? 2U : 0U) +
	       (vk_gpt_candidate_fits(c, candidate, e.lastLBA - e.firstLBA + 1) ? 4U : 0U);
}

struct weighed {
	uint64_t first;
	uint64_t last;
	uint32_t slot;
	unsigned weight;
};

static int by_first(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Of two entries that overlap, the one for which less speaks is none. */
static void drop_overlaps(struct vk_gpt_case *c, struct weighed *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 0; i < count; i++) {
		bool wins = true;

		while (kept > 0 && wins && list[kept - 1].last >= list[i].first) {
			wins = list[i].weight > list[kept - 1].weight;
			memset(c->j.image.array +
				       (size_t)list[wins ? kept - 1 : i].slot * c->look.entry_size,
			       0, c->look.entry_size);
			kept -= wins;
		}
		if (wins)
			list[kept++] = list[i];
	}
}

/* Entry by entry, the better of what both arrays hold where they belong. */
enum vk_status vk_gpt_take_single(struct vk_gpt_case *c)
{
	const struct vk_gpt_array_seen *sides[2] = {c->primary, c->backup};
	struct weighed *list = calloc(c->look.entries, sizeof(*list));
	size_t count = 0;

	if (list == NULL)
		return VK_NOMEM;
	memset(c->j.image.array, 0, c->look.array_bytes);
	for (uint32_t i = 0; i < c->look.entries; i++) {
		const struct vk_gpt_array_seen *best = NULL;
		struct vk_gpt_entry e;
		unsigned most = 0;

		for (int side = 0; side < 2; side++) {
			unsigned weight = vk_gpt_has_entries(sides[side])
						  ? weigh(c, sides[side]->bytes, i)
						  : 0;

			if (weight > most) {
				most = weight;
				best = sides[side];
			}
		}
		if (best == NULL)
			continue;
		memcpy(c->j.image.array + (size_t)i * c->look.entry_size, best->bytes + (size_t)i * c->look.entry_size,
		       c->look.entry_size);
		(void)vk_gpt_look_entry(&c->look, best->bytes, i, &e);
		list[count++] = (struct weighed){e.firstLBA, e.lastLBA, i, most};
	}
	drop_overlaps(c, list, count);
	free(list);
	c->j.proof = count > 0 ? VK_GPT_PROOF_SINGLE : VK_GPT_PROOF_NONE;
	return VK_OK;
}

bool vk_gpt_is_a_table(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array)
{
	struct weighed *list = calloc(c->look.entries, sizeof(*list));
	bool whole = list != NULL;
	size_t count = 0;

	for (uint32_t i = 0; i < c->look.entries && whole; i++) {
		struct vk_gpt_entry e;

		whole = vk_all_zero(array->bytes + (size_t)i * c->look.entry_size, c->look.entry_size) ||
			weigh(c, array->bytes, i) > 0;
		if (whole && vk_gpt_look_entry(&c->look, array->bytes, i, &e))
			list[count++] = (struct weighed){e.firstLBA, e.lastLBA, i, 0};
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 1; i < count; i++)
		whole = whole && list[i - 1].last < list[i].first;
	free(list);
	return whole && count > 0;
}
