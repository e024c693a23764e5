/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables on one disk that are both whole: which counts, and that neither is proved to be the newer one. */
#include <string.h>

#include "evidence/gpt/case.h"

/* The header of the other copy, or what is left of it, names these entries, too: then they were written last in both. */
static bool named_by_both(const struct vk_gpt_case *c)
{
	uint32_t crc = vk_crc32(0, c->j.image.array, c->look.array_bytes);

	for (size_t i = 0; i < 2; i++)
		if (&c->look.headers[i] != c->chosen && (c->look.headers[i].lba == 1) != (c->chosen->lba == 1) &&
		    c->look.headers[i].held == VK_GPT_HELD && c->look.headers[i].header.entriesCRC32 == crc)
			return true;
	return false;
}

/* A header that is not for this disk any more dates the array that it names. */
static bool dated(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array)
{
	for (size_t i = 0; i < c->look.header_count; i++)
		if (vk_gpt_header_trusted(&c->look.headers[i]) && !c->look.headers[i].fits && c->chosen->fits &&
		    vk_gpt_matches(c, &c->look.headers[i], array))
			return true;
	return false;
}

/*
 * A checksum proves a copy whole, not that it is the newer one. Where the array of the other copy holds another table and its
 * header is lost, the one that fits the volumes better is taken, and neither is proved. An array beside its own header
 * is no rival: that header says that it is damaged.
 */
void vk_gpt_meet_rival(struct vk_gpt_case *c)
{
	const struct vk_gpt_array_seen *other;
	size_t bit;

	if (c->chosen == NULL || !vk_gpt_proof_exact(c->j.proof))
		return;
	other = c->chosen->lba == 1 ? c->backup : c->primary;
	if (vk_gpt_has_entries(other) && memcmp(other->bytes, c->j.image.array, c->look.array_bytes) != 0 && !named_by_both(c) &&
	    !dated(c, other) && vk_gpt_is_a_table(c, other)) {
		unsigned fit = vk_gpt_array_fit(c, other->bytes), most = vk_gpt_array_fit(c, c->j.image.array);

		/* what is left of the primary header names it: a whole copy, too, and the one that systems read */
		c->rival_counts = fit > most || (fit == most && other == c->primary && c->look.headers[0].held == VK_GPT_HELD &&
						 c->look.headers[0].header.entriesCRC32 == other->crc);
		/* time changes more than a bit, unless a volume says that it did */
		if (c->rival_counts || !vk_gpt_one_bit_apart(other->bytes, c->j.image.array, c->look.array_bytes, &bit))
			c->rival = other;
	}
	if (c->rival_counts)
		memcpy(c->j.image.array, other->bytes, c->look.array_bytes);
	c->j.disputed = c->j.disputed || c->rival != NULL;
	if (c->j.disputed)
		c->j.proof = VK_GPT_PROOF_RIVALLED;
}
