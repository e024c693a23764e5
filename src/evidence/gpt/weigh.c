/* SPDX-License-Identifier: Apache-2.0 */
/* Where no checksum decides: entries one by one, and two tables that are both whole. What was found is asked. */
#include <stdlib.h>
#include <string.h>

#include "evidence/gpt/case.h"

/* How much speaks for an entry; 0: it is none. */
static unsigned weigh(const struct vk_gpt_judgement *j, const uint8_t *array, uint32_t slot)
{
	struct vk_gpt_entry e;

	if (!vk_gpt_look_entry(&j->look, array, slot, &e) || e.firstLBA < j->image.header.firstUsableLBA ||
	    e.lastLBA > j->image.header.lastUsableLBA)
		return 0;
	return 1 + (strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0 ? 1U : 0U) +
	       2 * vk_gpt_fit(j, e.firstLBA, e.lastLBA - e.firstLBA + 1);
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

/* Entry by entry, the better of what both arrays hold where they belong. */
enum vk_status vk_gpt_take_single(struct vk_gpt_judgement *j)
{
	struct weighed *list = calloc(j->look.entries, sizeof(*list));
	uint8_t *image = j->image.array;
	size_t count = 0, kept = 0;

	if (list == NULL)
		return VK_NOMEM;
	memset(image, 0, j->look.array_bytes);
	for (uint32_t i = 0; i < j->look.entries; i++) {
		struct weighed *w = &list[count];
		const uint8_t *better = NULL;
		struct vk_gpt_entry e;

		for (int side = 0; side < 2; side++) {
			const struct vk_gpt_array_seen *array = j->arrays[side];
			unsigned weight = vk_gpt_has_entries(array) ? weigh(j, array->bytes, i) : 0;

			if (weight <= w->weight)
				continue;
			w->weight = weight;
			better = array->bytes;
		}
		if (better == NULL)
			continue;
		(void)vk_gpt_look_entry(&j->look, better, i, &e);
		*w = (struct weighed){e.firstLBA, e.lastLBA, i, w->weight};
		memcpy(image + vk_gpt_slot_at(j, i), better + vk_gpt_slot_at(j, i), j->look.entry_size);
		count++;
	}
	/* of two that overlap, the one for which less speaks is none */
	qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 0; i < count; i++) {
		bool wins = true;

		while (kept > 0 && wins && list[kept - 1].last >= list[i].first) {
			wins = list[i].weight > list[kept - 1].weight;
			memset(image + vk_gpt_slot_at(j, list[wins ? kept - 1 : i].slot), 0, j->look.entry_size);
			kept -= wins;
		}
		if (wins)
			list[kept++] = list[i];
	}
	free(list);
	j->proof = count > 0 ? VK_GPT_PROOF_SINGLE : VK_GPT_PROOF_NONE;
	return VK_OK;
}

/* Whether an array is whole as far as one can see: entries, each in the usable range, apart from each other. */
static bool is_a_table(const struct vk_gpt_judgement *j, const uint8_t *array)
{
	char problem[160];

	for (uint32_t i = 0; i < j->look.entries; i++)
		if (!vk_gpt_is_blank_slot(j, array, i) && weigh(j, array, i) == 0)
			return false;
	return !vk_gpt_entries_problem(&j->image.header, array, problem, sizeof(problem));
}

/*
 * A checksum proves a copy whole, not that it is the newer one. Where the array of the other copy holds another table
 * and its header is lost, the one that fits the volumes better is taken, and neither is proved. An array beside its own
 * header is no rival: that header says that it is damaged.
 */
void vk_gpt_meet_rival(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_array_seen *other;
	const struct vk_gpt_header_seen *first = &j->look.headers[0];
	bool named_by_both = false, dated = false;
	uint32_t crc;
	size_t bit;

	if (j->chosen == NULL || !vk_gpt_proof_exact(j->proof))
		return;
	crc = vk_crc32(0, j->image.array, j->look.array_bytes);
	other = j->chosen->lba == 1 ? j->arrays[1] : j->arrays[0];
	VK_GPT_EACH_HEADER(h, &j->look) {
		/* the header of the other copy, or what is left of it, names these entries: they were written last */
		named_by_both = named_by_both || (h < first + 2 && h != j->chosen && h->held == VK_GPT_HELD &&
						  (h->lba == 1) != (j->chosen->lba == 1) &&
						  h->header.entriesCRC32 == crc);
		/* a header that is not for this disk any more dates the array that it names */
		dated = dated || (other != NULL && vk_gpt_header_trusted(h) && !h->fits && j->chosen->fits &&
				  vk_gpt_matches(j, h, other));
	}
	if (other != NULL && vk_gpt_has_entries(other) && !vk_gpt_is_image(j, other->bytes) && !named_by_both &&
	    !dated && is_a_table(j, other->bytes)) {
		unsigned fit = vk_gpt_array_fit(j, other->bytes), most = vk_gpt_array_fit(j, j->image.array);

		/* what is left of the primary header names it: a whole copy, too, and the one that systems use */
		j->rival_counts = fit > most || (fit == most && other == j->arrays[0] && first->held == VK_GPT_HELD &&
						 first->header.entriesCRC32 == other->crc);
		/* time changes more than a bit, unless a volume says that it did */
		if (j->rival_counts || !vk_gpt_one_bit_apart(other->bytes, j->image.array, j->look.array_bytes, &bit))
			j->rival = other;
		if (j->rival_counts)
			memcpy(j->image.array, other->bytes, j->look.array_bytes);
	}
	j->disputed = j->disputed || j->rival != NULL;
	if (j->disputed)
		j->proof = VK_GPT_PROOF_RIVALLED;
}
