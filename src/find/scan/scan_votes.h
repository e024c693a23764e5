/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where self-locating blocks say that the volume begins, counted in bounded memory. As long as no more than
 * VK_TALLIES_MAX different places were named every count is exact. Behind that the weakest are dropped in bulk: a place
 * named by more than 2/VK_TALLIES_MAX of all blocks is kept whatever else the disk holds, its count from the time on at
 * which it was last new.
 */
#ifndef VK_FIND_SCAN_VOTES_H
#define VK_FIND_SCAN_VOTES_H

#include "vmfskit/find.h"

enum { VK_TALLIES_MAX = 4096 };

/* What a block says of itself. */
struct vk_block_claim {
	uint64_t offset_bytes; /* on the disk */
	uint64_t addr;         /* in the volume */
	unsigned lock;         /* index of vk_vote.locks; not used for heartbeats */
	bool heartbeat;
	bool in_use;
};

struct vk_place_tally {
	struct vk_vote vote;
	uint64_t weight;         /* what keeps it from being dropped: never more than vote.blocks */
	uint64_t last_heartbeat; /* volume offset of the slot met last; 0: none yet */
};

struct vk_tallies {
	struct vk_place_tally *tallies;
	uint16_t *slots;     /* number of a place + 1; 0: free */
	size_t count;
	size_t recent;       /* the place named last: the next block mostly names it again */
	uint64_t factor;     /* of the hash, odd: nobody can know which places collide */
};

/* False when memory ran out. Free with vk_tallies_free, which takes one that failed or is all zero too. */
VK_MUST_USE bool vk_tallies_init(struct vk_tallies *tallies);
void vk_tallies_free(struct vk_tallies *tallies);
void vk_tallies_count(struct vk_tallies *tallies, const struct vk_block_claim *claim);
/* A place with its counts, known from before. False: it is there already, or there is no room. */
VK_MUST_USE bool vk_tallies_put(struct vk_tallies *tallies, const struct vk_place_tally *tally);
/* Drop all places but those that keep is true of; it is asked once for each. */
void vk_tallies_keep(struct vk_tallies *tallies, bool (*keep)(void *ctx, const struct vk_place_tally *tally),
		     void *ctx);
/* Those of at least VK_VOTES_LEAST blocks, the strongest first, at most VK_VOTES_MAX. False when memory ran out. */
VK_MUST_USE bool vk_tallies_ranked(const struct vk_tallies *tallies, struct vk_vote **ret_votes, size_t *ret_count);

#endif
