/* SPDX-License-Identifier: Apache-2.0 */
/* Which proposals stay: the stronger before the weaker, none over another, none outside of what the table can name. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "rebuild/table/plan.h"

/* Those that stay, sorted by start, while they are chosen. */
struct chosen {
	struct vk_proposal **items;
	size_t count;
};

static uint64_t start_key(const void *item)
{
	return vk_proposal_start(*(struct vk_proposal *const *)item);
}

static int by_strength(const void *a, const void *b)
{
	const struct vk_proposal *x = *(struct vk_proposal *const *)a;
	const struct vk_proposal *y = *(struct vk_proposal *const *)b;

	if (x->claim != y->claim)
		return x->claim > y->claim ? -1 : 1;
	if (x->sure_percent != y->sure_percent)
		return x->sure_percent > y->sure_percent ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return vk_proposal_start(x) < vk_proposal_start(y) ? -1 : vk_proposal_start(x) > vk_proposal_start(y);
}

/* Whether p may end where `other` begins (NULL: the table itself). What stands gives way to a wish only. */
static bool may_shorten(const struct vk_proposal *p, const struct vk_proposal *other, uint64_t sectors)
{
	return p->least_sectors != 0 && p->least_sectors <= sectors &&
	       (p->claim != VK_CLAIM_STANDING || (other != NULL && other->claim == VK_CLAIM_ASKED));
}

/* Take from the end what the volume or file system does not need. False: it needs all. */
static bool shorten(struct vk_table_plan *plan, struct vk_proposal *p, const struct vk_proposal *other, uint64_t end,
		    const char *why)
{
	uint64_t sectors = end - vk_proposal_start(p);

	if (!may_shorten(p, other, sectors))
		return false;
	/* the volume's own length is known, as far as it fits */
	if (vk_proposal_is_volume(p) && !p->open_end)
		sectors = vk_min_u64(sectors, vk_max_u64(p->told_sectors, p->least_sectors));
	vk_table_note(plan, "the partition at sector %llu is made %llu sectors long instead of %llu: %s",
		      vk_proposal_start(p), (ull)sectors, (ull)p->entry.partition.sectors, why);
	p->entry.partition.sectors = sectors;
	p->entry.bytes_exact = false;
	p->entry.length_exact = p->entry.length_exact && vk_proposal_is_volume(p) && sectors == p->told_sectors;
	return true;
}

static enum vk_status refuse_standing(const struct vk_table_plan *plan, const struct vk_proposal *p, const char *why,
				      struct vk_error *err)
{
	vk_error_set(err, VK_REFUSED, plan->source->path,
		     "partition %u, sectors %llu to %llu, which %s names and nothing contradicts, %s",
		     p->entry.partition.number, vk_proposal_start(p), (ull)(vk_proposal_end(p) - 1), p->name, why);
	vk_error_remedy(err, "if the disk was longer, give it that length again; --exclude %llu leaves the partition "
			     "out",
			vk_proposal_start(p));
	return VK_REFUSED;
}

/* False: it lies outside. Of what stands that is an error. */
static bool fit_range(struct vk_table_plan *plan, struct vk_proposal *p, struct vk_error *err)
{
	uint64_t limit = vk_add_sat(plan->last_usable, 1);
	uint64_t end = vk_proposal_end(p);
	ull start = vk_proposal_start(p), sectors = p->entry.partition.sectors;

	if (sectors != 0 && start >= plan->first_usable && end <= limit)
		return true;
	if (p->claim == VK_CLAIM_STANDING) {
		refuse_standing(plan, p, "does not lie in the usable sectors of this table", err);
	} else if (sectors == 0) {
		vk_table_lost(plan, "the partition at sector %llu ends before it begins", start);
	} else if (start < plan->first_usable) {
		vk_table_lost(plan,
			      "the partition at sector %llu begins before sector %llu, the first usable one of this "
			      "table",
			      start, (ull)plan->first_usable);
	} else if (start < limit && shorten(plan, p, NULL, limit, "the disk ends there")) {
		return true;
	} else if (start < limit && p->claim == VK_CLAIM_ASKED) {
		p->entry.partition.sectors = limit - start;
		p->entry.length_exact = false;
		p->entry.bytes_exact = false;
		vk_proposal_why(p, "cut off at the end of the disk, as requested");
		return true;
	} else {
		vk_table_lost(plan,
			      "%s at sector %llu is %llu sectors long and would end %llu sectors behind the last "
			      "usable one (%llu)",
			      vk_proposal_is_volume(p) ? "the volume" : "the partition", start, sectors,
			      (ull)(end - limit), (ull)plan->last_usable);
	}
	return false;
}

/* A VMFS entry with a wrong start or end that lies over one volume only was that volume's. */
static void inherit(struct vk_proposal *volume, const struct vk_proposal *entry)
{
	const struct vk_partition *from = &entry->entry.partition;
	struct vk_partition *to = &volume->entry.partition;

	if (!vk_proposal_is_volume(volume) || volume->by != VK_PROPOSED_FOUND || entry->by > VK_PROPOSED_GPT ||
	    !vk_partition_is_vmfs(from))
		return;
	volume->by = entry->by;
	volume->rank = entry->rank;
	volume->entry.origin = entry->entry.origin;
	volume->entry.number_exact = from->number != 0;
	to->number = from->number;
	to->gpt = volume->has_entry = from->gpt;
	to->mbr_type = from->mbr_type;
	to->entry = from->entry;
	vk_proposal_why(volume, "%s has it at sector %llu, which is impossible", entry->name, vk_proposal_start(entry));
}

/* Whether both can stay, if need be with the first made shorter. */
static bool can_settle(const struct vk_proposal *a, const struct vk_proposal *b)
{
	const struct vk_proposal *first = vk_proposal_start(a) < vk_proposal_start(b) ? a : b;
	const struct vk_proposal *second = first == a ? b : a;

	if (vk_proposal_end(first) <= vk_proposal_start(second))
		return true;
	return vk_proposal_start(first) != vk_proposal_start(second) &&
	       may_shorten(first, second, vk_proposal_start(second) - vk_proposal_start(first));
}

/* Settle p against one that is chosen. False: p must go. */
static bool settle_pair(struct vk_table_plan *plan, struct vk_proposal *chosen, struct vk_proposal *p)
{
	struct vk_proposal *first = vk_proposal_start(chosen) < vk_proposal_start(p) ? chosen : p;
	struct vk_proposal *second = first == p ? chosen : p;
	bool volume = vk_proposal_is_volume(p);

	if (vk_proposal_end(first) <= vk_proposal_start(second))
		return true;
	if (vk_proposal_start(first) != vk_proposal_start(second) &&
	    shorten(plan, first, second, vk_proposal_start(second), "the next one begins there"))
		return true;
	vk_table_note(plan, "%s%s at sectors %llu to %llu (%s) is left out: it overlaps %s at sector %llu",
		      volume ? "what was found" : "the entry of ", volume ? "" : p->name, vk_proposal_start(p),
		      (ull)(vk_proposal_end(p) - 1), volume ? "VMFS" : vk_proposal_type(p),
		      vk_proposal_is_volume(chosen) ? "the volume" : vk_proposal_type(chosen),
		      vk_proposal_start(chosen));
	inherit(chosen, p);
	return false;
}

/* Whether p stays beside those that are chosen, which are stronger. */
static enum vk_status choose(struct vk_table_plan *plan, struct chosen *chosen, struct vk_proposal *p,
			     struct vk_error *err)
{
	struct vk_proposal *neighbours[2] = {NULL, NULL};
	size_t low;

	if (!fit_range(plan, p, err))
		return p->claim == VK_CLAIM_STANDING ? VK_REFUSED : VK_OK;
	low = vk_first_not_below(chosen->items, chosen->count, sizeof(struct vk_proposal *), vk_proposal_start(p) + 1,
				 start_key);
	if (low > 0)
		neighbours[0] = chosen->items[low - 1];
	if (low < chosen->count)
		neighbours[1] = chosen->items[low];
	/* nobody is made shorter for one that must go because of the other neighbour */
	if (neighbours[0] != NULL && neighbours[1] != NULL && can_settle(neighbours[0], p) &&
	    !can_settle(neighbours[1], p))
		neighbours[0] = NULL;
	for (size_t i = 0; i < 2; i++) {
		struct vk_proposal *n = neighbours[i];

		if (n == NULL)
			continue;
		if (p->claim == VK_CLAIM_STANDING && n->claim == VK_CLAIM_STANDING && !can_settle(n, p))
			return refuse_standing(plan, p, "overlaps another that stands", err);
		if (vk_proposal_is_volume(n) && vk_proposal_is_volume(p) && n->claim == p->claim &&
		    n->sure_percent == p->sure_percent && !can_settle(n, p)) {
			vk_error_set(err, VK_USAGE, plan->source->path,
				     "the volumes at sectors %llu and %llu overlap, and which of them is in use is "
				     "not known",
				     vk_proposal_start(n), vk_proposal_start(p));
			return vk_error_remedy(err, "leave one out with --exclude %llu or --exclude %llu",
					       vk_proposal_start(n), vk_proposal_start(p));
		}
		if (!settle_pair(plan, n, p))
			return VK_OK;
	}
	memmove(&chosen->items[low + 1], &chosen->items[low], (chosen->count - low) * sizeof(struct vk_proposal *));
	chosen->items[low] = p;
	chosen->count++;
	return VK_OK;
}

/*
 * Volumes whose length nothing says get what is free behind them. Of the others totalBytes stands in one field, of
 * which extents and other numbers prove only the higher bits. What proves it is a checksum over the entry, a capture,
 * or that the volume ends with what the disk can give away.
 */
static void settle_ends(struct vk_table_plan *plan, const struct chosen *chosen)
{
	for (size_t i = 0; i < chosen->count; i++) {
		struct vk_proposal *p = chosen->items[i];
		const struct vk_proposal *next = i + 1 < chosen->count ? chosen->items[i + 1] : NULL;
		uint64_t limit = next == NULL ? plan->last_usable + 1 : vk_proposal_start(next);
		uint64_t end = vk_proposal_end(p);

		if (p->open_end) {
			if (next != NULL && next->ebr_lba > end)
				limit = vk_min_u64(limit, next->ebr_lba);
			p->entry.partition.sectors = limit - vk_proposal_start(p);
			vk_proposal_why(p, "the length is a guess: it needs %llu sectors, and up to %s there are %llu",
					(ull)p->least_sectors,
					next == NULL ? "the end of the disk" : "the next partition",
					(ull)p->entry.partition.sectors);
		}
		if (!p->end_alone || !p->entry.length_exact || end == plan->last_usable + 1 ||
		    end == plan->disk_sectors)
			continue;
		p->entry.length_exact = false;
		p->entry.length_said = true;
		vk_proposal_why(p, "nothing proves where it ends");
	}
}

enum vk_status vk_table_settle(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_proposal **order = calloc(plan->count + 1, sizeof(struct vk_proposal *));
	struct chosen chosen = {calloc(plan->count + 1, sizeof(struct vk_proposal *)), 0};
	enum vk_status status = VK_OK;

	if (order == NULL || chosen.items == NULL) {
		status = vk_no_memory(err, NULL);
	} else {
		for (size_t i = 0; i < plan->count; i++)
			order[i] = &plan->items[i];
		qsort(order, plan->count, sizeof(struct vk_proposal *), by_strength);
	}
	for (size_t i = 0; i < plan->count && status == VK_OK; i++)
		status = choose(plan, &chosen, order[i], err);
	if (status == VK_OK) {
		settle_ends(plan, &chosen);
		/* both are in the order of the disk */
		plan->count = chosen.count;
		for (size_t i = 0; i < chosen.count; i++)
			plan->items[i] = *chosen.items[i];
	}
	free(order);
	free(chosen.items);
	return status;
}
