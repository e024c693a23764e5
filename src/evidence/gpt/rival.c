/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables on one disk that are both whole: which counts, and that neither is proved to be the newer one. */
#include <string.h>

#include "evidence/gpt/case.h"

/* The header of the other copy, or what is left of it, names these entries, too: then they were written last in both.
 */
static bool named_by_both(const struct vk_gpt_judgement *j)
{
	uint32_t crc = vk_crc32(0, j->image.array, j->look.array_bytes);

	for (size_t i = 0; i < 2; i++)
		if (&j->look.headers[i] != j->chosen && (j->look.headers[i].lba == 1) != (j->chosen->lba == 1) &&
		    j->look.headers[i].held == VK_GPT_HELD && j->look.headers[i].header.entriesCRC32 == crc)
			return true;
	return false;
}

/* A header that is not for this disk any more dates the array that it names. */
static bool dated(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array)
{
	for (size_t i = 0; i < j->look.header_count; i++)
		if (vk_gpt_header_trusted(&j->look.headers[i]) && !j->look.headers[i].fits && j->chosen->fits &&
		    vk_gpt_matches(j, &j->look.headers[i], array))
			return true;
	return false;
}

/*
 * A checksum proves a copy whole, not that it is the newer one. Where the array of the other copy holds another table
 * and its header is lost, the one that fits the volumes better is taken, and neither is proved. An array beside its own
 * header is no rival: that header says that it is damaged.
 */
void vk_gpt_meet_rival(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_array_seen *other;
	size_t bit;

	if (j->chosen == NULL || !vk_gpt_proof_exact(j->proof))
		return;
	other = j->chosen->lba == 1 ? j->arrays[1] : j->arrays[0];
	if (vk_gpt_has_entries(other) && !vk_gpt_is_image(j, other->bytes) && !named_by_both(j) && !dated(j, other) &&
	    vk_gpt_is_a_table(j, other)) {
		unsigned fit = vk_gpt_array_fit(j, other->bytes), most = vk_gpt_array_fit(j, j->image.array);

		/* what is left of the primary header names it: a whole copy, too, and the one that systems read */
		j->rival_counts = fit > most ||
				  (fit == most && other == j->arrays[0] && j->look.headers[0].held == VK_GPT_HELD &&
				   j->look.headers[0].header.entriesCRC32 == other->crc);
		/* time changes more than a bit, unless a volume says that it did */
		if (j->rival_counts || !vk_gpt_one_bit_apart(other->bytes, j->image.array, j->look.array_bytes, &bit))
			j->rival = other;
	}
	if (j->rival_counts)
		memcpy(j->image.array, other->bytes, j->look.array_bytes);
	j->disputed = j->disputed || j->rival != NULL;
	if (j->disputed)
		j->proof = VK_GPT_PROOF_RIVALLED;
}
