/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of judging a GPT, and what they ask. Each step works on a judgement in which those before it are done. */
#ifndef VK_EVIDENCE_GPT_CASE_H
#define VK_EVIDENCE_GPT_CASE_H

#include <string.h>

#include "base/bytes.h"
#include "evidence/gpt/judge.h"

/* The volume that begins at that sector; NULL: none does. */
const struct vk_known_start *vk_gpt_start_at(const struct vk_gpt_judgement *j, uint64_t sector);
/* How well so many sectors from there fit the volumes: 0: none begins there; 1: one does; 3: it is exactly as long. */
unsigned vk_gpt_fit(const struct vk_gpt_judgement *j, uint64_t first, uint64_t sectors);
/* The same, of all entries of an array together. */
unsigned vk_gpt_array_fit(const struct vk_gpt_judgement *j, const uint8_t *array);
/* Whether an array's bytes are what the header's checksum names. */
bool vk_gpt_matches(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header,
		    const struct vk_gpt_array_seen *array);
/* The first array that the header's checksum names; NULL: none is left. */
const struct vk_gpt_array_seen *vk_gpt_array_of(const struct vk_gpt_judgement *j,
						const struct vk_gpt_header_seen *header);
/* Whether the header has the number and size of entries that all arrays were read with. */
bool vk_gpt_counts_alike(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *header);
/* Add one more entry to a list of their numbers, of which `before` are in it and `most` are named. */
void vk_gpt_name_slot(struct vk_text *text, uint32_t slot, unsigned before, unsigned most);
/* Held, and not all zero; array may be NULL. */
bool vk_gpt_has_entries(const struct vk_gpt_array_seen *array);
/* Whether two arrays differ in one bit, and which. */
bool vk_gpt_one_bit_apart(const uint8_t *a, const uint8_t *b, size_t len, size_t *ret_bit);
/* Whether the array that was settled holds these bytes, or, of one slot (from 0), these. */
static inline bool vk_gpt_is_image(const struct vk_gpt_judgement *j, const uint8_t *array)
{
	return memcmp(array, j->image.array, j->look.array_bytes) == 0;
}
static inline size_t vk_gpt_slot_at(const struct vk_gpt_judgement *j, uint32_t slot)
{
	return (size_t)slot * j->look.entry_size;
}
static inline bool vk_gpt_is_image_slot(const struct vk_gpt_judgement *j, const uint8_t *array, uint32_t slot)
{
	return memcmp(array + vk_gpt_slot_at(j, slot), j->image.array + vk_gpt_slot_at(j, slot), j->look.entry_size) ==
	       0;
}
static inline bool vk_gpt_is_blank_slot(const struct vk_gpt_judgement *j, const uint8_t *array, uint32_t slot)
{
	return vk_all_zero(array + vk_gpt_slot_at(j, slot), j->look.entry_size);
}

/*
 * The array: into image.array, with proof. The places of image are settled before; chosen and the two arrays too.
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_gpt_settle_array(struct vk_gpt_judgement *j);
/* After the array was settled: sets rival and proof when the other copy holds another table that may be the newer one.
 */
void vk_gpt_meet_rival(struct vk_gpt_judgement *j);
/* The last resort of vk_gpt_settle_array: entry by entry. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_take_single(struct vk_gpt_judgement *j);
/* entries of the judgement, from the array. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_list_entries(struct vk_gpt_judgement *j);
/* parts and sound. */
void vk_gpt_give_verdicts(struct vk_gpt_judgement *j);
/* right, why_right, lost, notes. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_say_what_counts(struct vk_gpt_judgement *j);

#endif
