/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Votes on a number: who says what, and which value leads. Every voice must be a field of its own; bytes that are all
 * zero or all 0xFF say nothing and are not to be heard.
 */
#ifndef VK_EVIDENCE_TALLY_H
#define VK_EVIDENCE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VK_TALLY_MAX = 12 }; /* different values; more are left out */
struct vk_ballot {
	uint64_t value;
	unsigned weight, voices;
	bool proved;             /* of the one that leads: at least two say so, and more than all others together */
	char from[160];
};
struct vk_tally {
	struct vk_ballot ballots[VK_TALLY_MAX];
	size_t count;
	unsigned weight, voices; /* of all */
};

/* One voice more, when it is heard. Of those that say the same all are named, one behind the other. */
void vk_tally_add(struct vk_tally *tally, bool heard, uint64_t value, unsigned weight, const char *from);
/* The same of one that is heard; of those that say the same only the first is named. */
void vk_tally_tell(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
	__attribute__((format(printf, 4, 5)));
/* The value with the most weight. When there is none, or several have the most: `otherwise`, with the weight 0. */
struct vk_ballot vk_tally_best(const struct vk_tally *tally, uint64_t otherwise, const char *from_otherwise);
/* "4 (numPEs, PE bitmap) against 9 (lastPEIndex)" */
void vk_tally_text(const struct vk_tally *tally, char *ret_text, size_t cap);

/*
 * What most of a stream of any length agree on, in constant memory: the lead is at most by how many more voters that
 * value has than all others together. A tally cannot count so many different values, and needs to name its voters.
 */
struct vk_majority {
	uint64_t value;
	uint64_t lead; /* 0: nothing leads */
};
void vk_majority_add(struct vk_majority *majority, uint64_t value);
/* After the last of the voters: who does not lead by half of them has not won. */
void vk_majority_close(struct vk_majority *majority, uint64_t voters);

#endif
