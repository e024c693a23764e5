/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of judging a GPT ask: whether a volume begins there, whether a checksum fits, how well entries fit. */
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "evidence/gpt/case.h"

enum { UNIT_BYTES = 512 };

static uint64_t bytes_of(const void *start)
{
	return ((const struct vk_known_start *)start)->bytes;
}

const struct vk_known_start *vk_gpt_start_at(const struct vk_gpt_judgement *j, uint64_t sector)
{
	uint64_t bytes = vk_mul_sat(sector, j->look.sector_size);
	size_t at = vk_first_not_below(j->starts, j->start_count, sizeof(*j->starts), bytes, bytes_of);

	return at < j->start_count && j->starts[at].bytes == bytes ? &j->starts[at] : NULL;
}

unsigned vk_gpt_fit(const struct vk_gpt_judgement *j, uint64_t first, uint64_t sectors)
{
	const struct vk_known_start *start = vk_gpt_start_at(j, first);
	uint64_t bytes;

	if (start == NULL)
		return 0;
	return vk_mul_u64(sectors, j->look.sector_size, &bytes) && bytes != 0 && start->length_bytes == bytes ? 3 : 1;
}

unsigned vk_gpt_array_fit(const struct vk_gpt_judgement *j, const uint8_t *array)
{
	unsigned points = 0;
	struct vk_gpt_entry e;

	for (uint32_t i = 0; j->start_count > 0 && i < j->look.entries; i++)
		if (vk_gpt_look_entry(&j->look, array, i, &e))
			points += vk_gpt_fit(j, e.firstLBA, e.lastLBA - e.firstLBA + 1);
	return points;
}

bool vk_gpt_counts_alike(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header)
{
	return header->header.numEntries == j->look.entries && header->header.entrySize == j->look.entry_size;
}

bool vk_gpt_matches(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header,
		    const struct vk_gpt_array_seen *array)
{
	return array->held == VK_GPT_HELD && vk_gpt_counts_alike(j, header) &&
	       header->header.entriesCRC32 == array->crc;
}

const struct vk_gpt_array_seen *vk_gpt_array_of(const struct vk_gpt_judgement *j,
						const struct vk_gpt_header_seen *header)
{
	VK_GPT_EACH_ARRAY(array, &j->look)
		if (vk_gpt_matches(j, header, array))
			return array;
	return NULL;
}

const uint8_t *vk_gpt_entries_of(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header)
{
	const struct vk_gpt_array_seen *array = vk_gpt_array_of(j, header);

	if (array != NULL)
		return array->bytes;
	return vk_gpt_counts_alike(j, header) &&
			       vk_crc32(0, j->image.array, j->look.array_bytes) == header->header.entriesCRC32
		       ? j->image.array
		       : NULL;
}

enum vk_gpt_unit vk_gpt_judge_unit(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array, size_t unit)
{
	size_t from = unit * UNIT_BYTES, end = (size_t)vk_min_u64(from + UNIT_BYTES, j->look.array_bytes);

	if (array->held != VK_GPT_HELD || from >= end)
		return VK_GPT_UNIT_OPEN;
	if (vk_gpt_proof_exact(j->proof))
		return memcmp(array->bytes + from, j->image.array + from, end - from) == 0 ? VK_GPT_UNIT_PROVED
											   : VK_GPT_UNIT_WRONG;
	for (size_t slot = from / j->look.entry_size; slot * j->look.entry_size < end; slot++)
		if (!vk_gpt_look_plausible(&j->look, array->bytes, (uint32_t)slot))
			return VK_GPT_UNIT_NONSENSE;
	return VK_GPT_UNIT_OPEN;
}

void vk_gpt_name_slot(struct vk_text *text, uint32_t slot, unsigned before, unsigned most)
{
	if (before < most)
		vk_text_fmt(text, "%s%u", before == 0 ? "" : ", ", slot + 1);
	else if (before == most)
		vk_text_put(text, " and more");
}

bool vk_gpt_has_entries(const struct vk_gpt_array_seen *array)
{
	return array != NULL && array->held == VK_GPT_HELD && !array->blank;
}

bool vk_gpt_one_bit_apart(const uint8_t *a, const uint8_t *b, size_t len, size_t *ret_bit)
{
	int bits = 0;

	for (size_t i = 0; i < len && bits < 2; i++) {
		uint8_t difference = a[i] ^ b[i];

		if (difference == 0)
			continue;
		bits += __builtin_popcount(difference);
		*ret_bit = i * 8 + (size_t)__builtin_ctz(difference);
	}
	return bits == 1;
}
