/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Votes on a number: who says what, and which value leads. Every voice must be a field of its own; bytes that are all
 * zero or all 0xFF say nothing and are not to be added.
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
	char from[160];
};
struct vk_tally {
	struct vk_ballot ballots[VK_TALLY_MAX];
	size_t count;
	unsigned weight, voices; /* of all */
};

/* One voice more. Of those that say the same all are named, one behind the other. */
void vk_tally_add(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from);
/* The same; of those that say the same only the first is named. */
void vk_tally_tell(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
	__attribute__((format(printf, 4, 5)));
void vk_tally_merge(struct vk_tally *to, const struct vk_tally *from);
/* The value with the most weight; NULL when there is none, or several have the most. */
const struct vk_ballot *vk_tally_best(const struct vk_tally *tally);
/* Whether at least two say so, and more than all others together. */
bool vk_tally_proves(const struct vk_tally *tally, uint64_t value);
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
