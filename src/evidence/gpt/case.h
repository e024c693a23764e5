/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of judging a GPT hand to each other. */
#ifndef VK_REBUILD_GPT_CASE_H
#define VK_REBUILD_GPT_CASE_H

#include "evidence/gpt/judge.h"
#include "evidence/gpt/look.h"

/* Where a volume begins that is no ghost. */
struct vk_gpt_start {
	uint64_t bytes;
	size_t candidate;
};

struct vk_gpt_case {
	const struct vk_source *source;
	const struct vk_find *find; /* may be NULL */
	struct vk_gpt_start *starts; /* sorted */
	size_t start_count;
	struct vk_gpt_look look;
	const struct vk_gpt_header_seen *chosen; /* the header that counts; NULL: none can be trusted */
	const struct vk_gpt_array_seen *primary; /* the arrays where they belong */
	const struct vk_gpt_array_seen *backup;
	const struct vk_gpt_array_seen *from;    /* BIT: the array that was mended */
	size_t bit;                              /* ... and its bit */
	bool adapted;                            /* PIECED: an end is that of a volume that was found */
	const char *newer;                       /* what tells of a table of after the last change of size; NULL: nothing */
	const struct vk_gpt_array_seen *rival;   /* it holds another whole table, and nothing proves that one to be older; NULL: none */
	bool rival_counts;                       /* ... and it was taken, because it fits the volumes better */
	bool contested;                          /* both copies are whole, for this disk, and hold different entries */
	struct vk_gpt_judgement j;
};

/* The volume, not a ghost, that begins at that sector: its index, SIZE_MAX when there is none. */
size_t vk_gpt_candidate_at(const struct vk_gpt_case *c, uint64_t sector);
bool vk_gpt_candidate_fits(const struct vk_gpt_case *c, size_t candidate, uint64_t sectors);
/* How well the entries of an array fit the volumes: one point for a start, two more for the exact length. */
unsigned vk_gpt_array_fit(const struct vk_gpt_case *c, const uint8_t *array);
/* Whether an array's bytes are what the header's checksum names. */
bool vk_gpt_matches(const struct vk_gpt_case *c, const struct vk_gpt_header_seen *header,
		    const struct vk_gpt_array_seen *array);

/* image, with all but its array, from the header that counts; VK_NOMEM, and VK_USAGE when the disk is too small. */
VK_MUST_USE enum vk_status vk_gpt_make_image(struct vk_gpt_case *c, struct vk_error *err);
/*
 * The array: into image.array, with proof. The places of image are settled before; chosen and the two arrays too.
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_gpt_settle_array(struct vk_gpt_case *c);
/* Held, and not all zero; array may be NULL. */
bool vk_gpt_has_entries(const struct vk_gpt_array_seen *array);
/* After the array was settled: sets rival and proof when the other copy holds another table that may be the newer one. */
void vk_gpt_meet_rival(struct vk_gpt_case *c);
/* Whether two arrays differ in one bit, and which. */
bool vk_gpt_one_bit_apart(const uint8_t *a, const uint8_t *b, size_t len, size_t *ret_bit);
/* Whether an array holds a table that is whole as far as one can see: entries, each in the usable range, apart from each other. */
bool vk_gpt_is_a_table(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array);
/* The last resort of vk_gpt_settle_array: entry by entry. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_take_single(struct vk_gpt_case *c);
/* entries of the judgement, from the array. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_list_entries(struct vk_gpt_case *c);
/* parts and sound. */
void vk_gpt_give_verdicts(struct vk_gpt_case *c);
/* right, why_right, lost, notes. VK_NOMEM. */
VK_MUST_USE enum vk_status vk_gpt_say_what_counts(struct vk_gpt_case *c);

#endif
