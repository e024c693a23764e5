/* SPDX-License-Identifier: Apache-2.0 */
/* One structure being mended: how it was, how it should be, and how each field of that is known. */
#ifndef VK_REBUILD_LVM_SIDE_H
#define VK_REBUILD_LVM_SIDE_H

#include "rebuild/header/header_work.h"

enum { VK_SIDE_ROWS_MAX = 32 };
struct vk_side_row {
	bool told;
	enum vk_field_origin origin;
	char from[160];
};
struct vk_side {
	const struct vk_layout *layout;
	const void *was;  /* C structs of that layout, borrowed */
	void *is;
	uint64_t at;      /* from the partition's start */
	bool rebuilt;     /* nothing of what stands there is believed */
	bool contradicted; /* something in it is wrong, and stays */
	struct vk_side_row rows[VK_SIDE_ROWS_MAX];
};

void vk_side_init(struct vk_side *side, const struct vk_layout *layout, const void *was, void *is,
		  uint64_t at);
/* Set a field and remember where its value comes from. */
void vk_side_number(struct vk_side *side, const char *field, uint64_t value,
		    enum vk_field_origin origin, const char *from, ...)
	__attribute__((format(printf, 5, 6)));
/* The same for the member of a TEXT, BYTES or UUID field; bytes has its size. */
void vk_side_bytes(struct vk_side *side, const char *field, const void *bytes,
		   enum vk_field_origin origin, const char *from, ...)
	__attribute__((format(printf, 5, 6)));
/* Every field as another structure of the layout has it, but for a disk id inside, which has a side of its own. */
void vk_side_all(struct vk_side *side, const void *other, enum vk_field_origin origin,
		 const char *from);
/* Where the structure lies, or which one it is, is not proved: then none of its values is. */
void vk_side_doubt(struct vk_side *side);
/* How a value is known that is what stood there when proved; else it is what fits best. */
static inline enum vk_field_origin vk_origin_if(bool proved, enum vk_field_origin origin)
{
	return proved ? origin : VK_FIELD_USUAL;
}
/* Record what changes; returns how many fields that is, and in ret_inexact how many of them are not as they were. */
size_t vk_side_tell(const struct vk_side *side, struct vk_header_work *work, size_t *ret_inexact);

/*
 * Votes on a number: who says what. Few values; more are left out. Every voice must be a field of its own; bytes that are all
 * zero or all 0xFF say nothing and are not to be added.
 */
enum { VK_TALLY_MAX = 12 };
struct vk_ballot {
	uint64_t value;
	unsigned weight, voices;
	char from[160];
};
struct vk_tally {
	struct vk_ballot ballots[VK_TALLY_MAX];
	size_t count;
	unsigned weight, voices; /* of all */
};
void vk_tally_add(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from);
void vk_tally_merge(struct vk_tally *to, const struct vk_tally *from);
/* The value that clearly leads, NULL when none does. */
const struct vk_ballot *vk_tally_best(const struct vk_tally *tally);
/* How many say so. */
unsigned vk_tally_voices(const struct vk_tally *tally, uint64_t value);
/* Whether at least two say so, and more than all others together. */
bool vk_tally_proves(const struct vk_tally *tally, uint64_t value);
/* "4 (numPEs, PE bitmap) against 9 (lastPEIndex)" */
void vk_tally_text(const struct vk_tally *tally, char *ret_text, size_t cap);

#endif
