/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of judging a GPT ask: whether a volume begins there, whether a checksum fits, how well entries fit. */
#include <string.h>

#include "base/checked.h"
#include "evidence/gpt/case.h"

enum { UNIT_BYTES = 512 };

const struct vk_known_start *vk_gpt_start_at(const struct vk_gpt_judgement *j, uint64_t sector)
{
	uint64_t bytes;

	return vk_mul_u64(sector, j->look.sector_size, &bytes) ? vk_known_start_at(j->starts, j->start_count, bytes)
							       : NULL;
}

bool vk_gpt_length_fits(const struct vk_gpt_judgement *j, const struct vk_known_start *start, uint64_t sectors)
{
	uint64_t bytes;

	return start != NULL && vk_mul_u64(sectors, j->look.sector_size, &bytes) && start->length_bytes == bytes &&
	       bytes != 0;
}

unsigned vk_gpt_array_fit(const struct vk_gpt_judgement *j, const uint8_t *array)
{
	unsigned points = 0;

	for (uint32_t i = 0; j->start_count > 0 && i < j->look.entries; i++) {
		const struct vk_known_start *start;
		struct vk_gpt_entry e;

		if (!vk_gpt_look_entry(&j->look, array, i, &e))
			continue;
		start = vk_gpt_start_at(j, e.firstLBA);
		points += (start != NULL) + (vk_gpt_length_fits(j, start, e.lastLBA - e.firstLBA + 1) ? 2U : 0U);
	}
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
	for (size_t i = 0; i < j->look.array_count; i++)
		if (vk_gpt_matches(j, header, &j->look.arrays[i]))
			return &j->look.arrays[i];
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

const struct vk_gpt_header_seen *vk_gpt_header_at(const struct vk_gpt_judgement *j, uint64_t lba)
{
	for (size_t i = 0; i < j->look.header_count; i++)
		if (j->look.headers[i].lba == lba)
			return &j->look.headers[i];
	return NULL;
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
