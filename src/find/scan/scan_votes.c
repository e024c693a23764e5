/* SPDX-License-Identifier: Apache-2.0 */
/* Votes for volume starts: a hash table that sheds its weaker half when it is full. */
#include "find/scan/scan_votes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/checked.h"
#include "find/scan/scan.h"

enum { SLOT_BITS = 13, SLOTS = 1 << SLOT_BITS, SECTOR = 512, SLOT_OF_VMFS6 = 4096 };
_Static_assert(SLOTS >= 2 * VK_TALLIES_MAX, "free slots end every search");

bool vk_tallies_init(struct vk_tallies *tallies)
{
	memset(tallies, 0, sizeof(*tallies));
	tallies->tallies = calloc(VK_TALLIES_MAX, sizeof(*tallies->tallies));
	tallies->slots = calloc(SLOTS, sizeof(*tallies->slots));
	/* without a random factor only a crafted disk is slow, and only a little */
	if (getrandom(&tallies->factor, sizeof(tallies->factor), GRND_NONBLOCK) != (ssize_t)sizeof(tallies->factor))
		tallies->factor = 0x9e3779b97f4a7c15ULL;
	tallies->factor |= 1;
	return tallies->tallies != NULL && tallies->slots != NULL;
}

void vk_tallies_free(struct vk_tallies *tallies)
{
	free(tallies->tallies);
	free(tallies->slots);
	memset(tallies, 0, sizeof(*tallies));
}

/* The slot of a place, or the free one where it belongs. */
static uint16_t *slot_of(const struct vk_tallies *tallies, int64_t start)
{
	uint64_t key = (uint64_t)start / SECTOR;
	size_t i = (size_t)((key * tallies->factor) >> (64 - SLOT_BITS));

	while (tallies->slots[i] != 0 && tallies->tallies[tallies->slots[i] - 1].vote.volume_start_bytes != start)
		i = (i + 1) % SLOTS;
	return &tallies->slots[i];
}

static int by_weight(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void vk_tallies_keep(struct vk_tallies *tallies, bool (*keep)(void *ctx, const struct vk_place_tally *tally), void *ctx)
{
	size_t kept = 0;

	memset(tallies->slots, 0, SLOTS * sizeof(*tallies->slots));
	for (size_t i = 0; i < tallies->count; i++) {
		if (!keep(ctx, &tallies->tallies[i]))
			continue;
		tallies->tallies[kept] = tallies->tallies[i];
		kept++;
		*slot_of(tallies, tallies->tallies[kept - 1].vote.volume_start_bytes) = (uint16_t)kept;
	}
	tallies->count = kept;
	tallies->recent = 0;
}

static bool has_weight(void *ctx, const struct vk_place_tally *tally)
{
	(void)ctx;
	return tally->weight > 0;
}

/*
 * Take the median weight off all and drop those that have none left: at least half go, and what is taken in vain from
 * those that stay is at most what the dropped ones lost. The result does not depend on the order of the table.
 */
static void shed(struct vk_tallies *tallies)
{
	uint64_t weights[VK_TALLIES_MAX] = {0};
	uint64_t median;

	for (size_t i = 0; i < tallies->count; i++)
		weights[i] = tallies->tallies[i].weight;
	qsort(weights, tallies->count, sizeof(weights[0]), by_weight);
	median = weights[tallies->count / 2];
	for (size_t i = 0; i < tallies->count; i++)
		tallies->tallies[i].weight -= vk_min_u64(median, tallies->tallies[i].weight);
	vk_tallies_keep(tallies, has_weight, NULL);
}

void vk_tallies_count(struct vk_tallies *tallies, const struct vk_block_claim *claim)
{
	int64_t start = (int64_t)(claim->offset_bytes - claim->addr);
	struct vk_place_tally *tally = &tallies->tallies[tallies->recent];
	uint64_t distance;

	if (tallies->recent >= tallies->count || tally->vote.volume_start_bytes != start) {
		uint16_t *slot = slot_of(tallies, start);

		if (*slot == 0 && tallies->count == VK_TALLIES_MAX) {
			shed(tallies);
			slot = slot_of(tallies, start);
		}
		if (*slot == 0) {
			tallies->tallies[tallies->count++] = (struct vk_place_tally){
				.vote = {.volume_start_bytes = start, .first_bytes = claim->offset_bytes}};
			*slot = (uint16_t)tallies->count;
		}
		tallies->recent = *slot - 1U;
		tally = &tallies->tallies[tallies->recent];
	}
	tally->weight++;
	tally->vote.blocks++;
	tally->vote.last_bytes = claim->offset_bytes;
	tally->vote.last_addr = vk_max_u64(tally->vote.last_addr, claim->addr);
	if (!claim->heartbeat) {
		tally->vote.locks[claim->lock]++;
		return;
	}
	tally->vote.heartbeats++;
	tally->vote.heartbeats_in_use += claim->in_use;
	/* where slots were lost those of 512 bytes may be 4096 apart too */
	distance = claim->addr - tally->last_heartbeat;
	if (tally->last_heartbeat != 0 &&
	    (distance == SECTOR || (distance == SLOT_OF_VMFS6 && tally->vote.heartbeat_stride_bytes == 0)))
		tally->vote.heartbeat_stride_bytes = (uint32_t)distance;
	tally->last_heartbeat = claim->addr;
}

bool vk_tallies_put(struct vk_tallies *tallies, const struct vk_place_tally *tally)
{
	uint16_t *slot = slot_of(tallies, tally->vote.volume_start_bytes);

	if (*slot != 0 || tallies->count == VK_TALLIES_MAX)
		return false;
	tallies->tallies[tallies->count++] = *tally;
	*slot = (uint16_t)tallies->count;
	return true;
}

static int strongest_first(const void *a, const void *b)
{
	const struct vk_vote *x = a;
	const struct vk_vote *y = b;

	if (x->blocks != y->blocks)
		return x->blocks < y->blocks ? 1 : -1;
	return (x->volume_start_bytes > y->volume_start_bytes) - (x->volume_start_bytes < y->volume_start_bytes);
}

bool vk_tallies_ranked(const struct vk_tallies *tallies, struct vk_vote **ret_votes, size_t *ret_count)
{
	struct vk_vote *votes = calloc(tallies->count + 1, sizeof(*votes));
	struct vk_vote *fewer;
	size_t count = 0;

	if (votes == NULL)
		return false;
	for (size_t i = 0; i < tallies->count; i++)
		if (tallies->tallies[i].vote.blocks >= VK_VOTES_LEAST)
			votes[count++] = tallies->tallies[i].vote;
	qsort(votes, count, sizeof(*votes), strongest_first);
	count = (size_t)vk_min_u64(count, VK_VOTES_MAX);
	fewer = reallocarray(votes, count + 1, sizeof(*votes));
	*ret_votes = fewer != NULL ? fewer : votes;
	*ret_count = count;
	return true;
}
