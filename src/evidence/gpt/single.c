/* SPDX-License-Identifier: Apache-2.0 */
/* GPT entries one by one, when no checksum proves any array: of both the one for which more speaks. */
#include <stdlib.h>
#include <string.h>

#include "evidence/gpt/case.h"

/* How much speaks for an entry; 0: it is none. */
static unsigned weigh(const struct vk_gpt_judgement *j, const uint8_t *array, uint32_t slot)
{
	const struct vk_known_start *start;
	struct vk_gpt_entry e;

	if (!vk_gpt_look_entry(&j->look, array, slot, &e) || e.firstLBA < j->image.header.firstUsableLBA ||
	    e.lastLBA > j->image.header.lastUsableLBA)
		return 0;
	start = vk_gpt_start_at(j, e.firstLBA);
	return 1 + (strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0 ? 1U : 0U) + (start != NULL ? 2U : 0U) +
	       (vk_gpt_length_fits(j, start, e.lastLBA - e.firstLBA + 1) ? 4U : 0U);
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
static void drop_overlaps(struct vk_gpt_judgement *j, struct weighed *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 0; i < count; i++) {
		bool wins = true;

		while (kept > 0 && wins && list[kept - 1].last >= list[i].first) {
			wins = list[i].weight > list[kept - 1].weight;
			memset(j->image.array + vk_gpt_slot_at(j, list[wins ? kept - 1 : i].slot), 0,
			       j->look.entry_size);
			kept -= wins;
		}
		if (wins)
			list[kept++] = list[i];
	}
}

/* Entry by entry, the better of what both arrays hold where they belong. */
enum vk_status vk_gpt_take_single(struct vk_gpt_judgement *j)
{
	struct weighed *list = calloc(j->look.entries, sizeof(*list));
	size_t count = 0;

	if (list == NULL)
		return VK_NOMEM;
	memset(j->image.array, 0, j->look.array_bytes);
	for (uint32_t i = 0; i < j->look.entries; i++) {
		unsigned weight[2];
		const uint8_t *better;
		struct vk_gpt_entry e;

		for (int side = 0; side < 2; side++)
			weight[side] = vk_gpt_has_entries(j->arrays[side]) ? weigh(j, j->arrays[side]->bytes, i) : 0;
		if (weight[0] == 0 && weight[1] == 0)
			continue;
		better = j->arrays[weight[1] > weight[0]]->bytes;
		memcpy(j->image.array + vk_gpt_slot_at(j, i), better + vk_gpt_slot_at(j, i), j->look.entry_size);
		(void)vk_gpt_look_entry(&j->look, better, i, &e);
		list[count++] = (struct weighed){e.firstLBA, e.lastLBA, i, weight[weight[1] > weight[0]]};
	}
	drop_overlaps(j, list, count);
	free(list);
	j->proof = count > 0 ? VK_GPT_PROOF_SINGLE : VK_GPT_PROOF_NONE;
	return VK_OK;
}

bool vk_gpt_is_a_table(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array)
{
	struct weighed *list = calloc(j->look.entries, sizeof(*list));
	bool whole = list != NULL;
	size_t count = 0;

	for (uint32_t i = 0; i < j->look.entries && whole; i++) {
		struct vk_gpt_entry e;

		whole = vk_gpt_is_blank_slot(j, array->bytes, i) || weigh(j, array->bytes, i) > 0;
		if (whole && vk_gpt_look_entry(&j->look, array->bytes, i, &e))
			list[count++] = (struct weighed){e.firstLBA, e.lastLBA, i, 0};
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 1; i < count; i++)
		whole = whole && list[i - 1].last < list[i].first;
	free(list);
	return whole && count > 0;
}
