/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is proposed for one start becomes one partition: the best that is known of each part of it. */
#include <string.h>

#include "rebuild/table/plan.h"

/* The entry to believe: the first that ends where the volume does, else the first that is about it. */
static const struct vk_proposal *best_entry(const struct vk_proposal *volume, const struct vk_proposal *items,
					    size_t count)
{
	const struct vk_proposal *first = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct vk_proposal *p = &items[i];

		if (p->by == VK_PROPOSED_FOUND || p->by == VK_PROPOSED_LAYOUT || !vk_proposal_names(volume, p))
			continue;
		if (p->entry.partition.sectors == volume->entry.partition.sectors && p->claim > VK_CLAIM_DOUBTFUL)
			return p;
		if (first == NULL)
			first = p;
	}
	return first;
}

static const struct vk_proposal *layout_row(const struct vk_proposal *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].by == VK_PROPOSED_LAYOUT)
			return &items[i];
	return NULL;
}

/*
 * totalBytes stands in one field, an entry of a table that is whole does not change by itself: when both hold the
 * volume's extents, the entry is left as it is.
 */
static bool entry_holds_extents(const struct vk_table_plan *plan, const struct vk_proposal *entry,
				const struct vk_proposal *p)
{
	const struct vk_candidate *c = &plan->find->candidates[p->entry.candidate];
	uint64_t data = c->has_header && c->lvm.totalBytes > c->lvm.dataOffset ? c->lvm.dataOffset : 0;
	uint64_t extents = c->lvm.totalBytes > data ? (c->lvm.totalBytes - data) / VK_LVM_PE_BYTES : 0;

	return data != 0 && entry->claim == VK_CLAIM_TABLE && entry->stands &&
	       vk_mul_sat(entry->entry.partition.sectors, plan->sector_size) >=
		       vk_add_sat(data, vk_mul_sat(extents, VK_LVM_PE_BYTES));
}

/* The end that the entry has. Of its bytes all stay, unless the type is to be another. */
static void take_length(const struct vk_proposal *entry, struct vk_proposal *p)
{
	p->entry.partition.sectors = entry->entry.partition.sectors;
	p->entry.length_exact = entry->entry.length_exact;
	p->entry.length_said = entry->entry.length_said;
	p->entry.length_rounded = p->open_end = p->end_alone = false;
	/* an entry that says VMFS or VMFS-L knows better which of the two than a header of which one field tells */
	p->entry.bytes_exact = entry->entry.bytes_exact && vk_partition_is_vmfs(&entry->entry.partition);
}

/* Which of entry and header says the length. */
static void settle_length(struct vk_table_plan *plan, const struct vk_proposal *entry, struct vk_proposal *p)
{
	ull start = vk_proposal_start(p), said = entry->entry.partition.sectors, needed = p->entry.partition.sectors;
	bool known = p->entry.length_exact;

	if (said == needed && known) {
		/* damage may have hit both alike: only a checksum or a capture is a witness */
		p->end_alone = !entry->entry.length_exact;
		return;
	}
	p->entry.bytes_exact = false;
	if (entry->claim == VK_CLAIM_STANDING && p->claim != VK_CLAIM_ASKED) {
		/* what is proved or confirmed keeps its end, whatever the volume says; a wish makes it as long as that
		 */
		if (said > needed && known)
			vk_table_note(
				plan,
				"the partition at sector %llu is %llu sectors longer than its volume; it stays so",
				start, said - needed);
		else if (said < needed)
			vk_table_note(plan,
				      "%s gives the volume at sector %llu %llu sectors, and it needs %llu; the entry "
				      "stays, --include %llu gives it the length of the volume",
				      entry->name, start, said, needed, start);
		take_length(entry, p);
	} else if (!known && said < p->least_sectors) {
		vk_table_note(plan, "%s gives the volume at sector %llu %llu sectors, but it needs %llu at least",
			      entry->name, start, said, (ull)p->least_sectors);
	} else if (!known) {
		take_length(entry, p);
		vk_proposal_why(p, "%llu sectors, as %s says", said, entry->name);
	} else if (said > needed && entry->claim == VK_CLAIM_TABLE && entry->stands) {
		take_length(entry, p);
		vk_table_note(plan, "the partition at sector %llu is %llu sectors longer than its volume; it stays so",
			      start, said - needed);
	} else if (entry_holds_extents(plan, entry, p)) {
		take_length(entry, p);
		vk_table_note(plan,
			      "the LVM header at sector %llu says %llu sectors; %s gives it %llu, which hold all of "
			      "its extents; it stays so",
			      start, needed, entry->name, said);
	} else {
		vk_table_note(plan, "%s gives the partition at sector %llu %llu sectors; its volume has %llu",
			      entry->name, start, said, needed);
	}
}

/* Where it was read, unless it stands there or was said. */
static void say_source(const struct vk_proposal *entry, struct vk_proposal *p)
{
	if (entry->entry.origin == VK_ENTRY_KEPT)
		return;
	if (entry->entry.why[0] == '\0')
		vk_proposal_why(p, "as in %s", entry->name);
	else if (p != entry && strstr(p->entry.why, entry->entry.why) == NULL)
		vk_proposal_why(p, "%s", entry->entry.why);
}

/* What a volume needs, with number, GUID and all else of the entry. */
static void take_entry(struct vk_table_plan *plan, const struct vk_proposal *entry, struct vk_proposal *p)
{
	const struct vk_partition was = p->entry.partition;
	struct vk_partition *to = &p->entry.partition;
	bool vmfs = vk_partition_is_vmfs(&entry->entry.partition);

	p->entry.bytes_exact = entry->entry.bytes_exact && vmfs;
	p->entry.origin = entry->entry.origin;
	if (entry->claim == VK_CLAIM_STANDING && p->claim != VK_CLAIM_ASKED)
		p->claim = VK_CLAIM_STANDING;
	p->by = entry->by;
	p->rank = entry->rank;
	p->has_entry = entry->has_entry;
	*to = entry->entry.partition;
	to->sectors = was.sectors;
	if (to->number != 0)
		p->entry.number_exact = entry->entry.number_exact;
	else
		to->number = was.number;
	memcpy(p->raw, entry->raw, sizeof(p->raw));
	p->ebr_lba = entry->ebr_lba;
	p->ebr_exact = entry->ebr_exact;
	memcpy(p->name, entry->name, sizeof(p->name));
	settle_length(plan, entry, p);
	if (p->entry.bytes_exact)
		say_source(entry, p);
	else if (!vmfs)
		vk_proposal_why(p, "%s gives it another type", entry->name);
	else
		vk_proposal_why(p, "number and name as in %s", entry->name);
}

/* A start where a volume was found. */
static struct vk_proposal merge_volume(struct vk_table_plan *plan, const struct vk_proposal *items, size_t count)
{
	struct vk_proposal p = items[0];
	const struct vk_proposal *entry = best_entry(&p, items, count);
	const struct vk_proposal *row = layout_row(items, count);
	ull start = vk_proposal_start(&p);

	for (size_t i = 1; i < count; i++) {
		/* an entry of another type that stands there, and was not asked to go */
		if (items[i].claim != VK_CLAIM_STANDING || p.claim == VK_CLAIM_ASKED ||
		    (vk_proposal_names(&p, &items[i]) && items[i].holds == NULL))
			continue;
		vk_table_note(plan,
			      "a volume was found at sector %llu, where %s has a partition of another system (%s), "
			      "which %s",
			      start, items[i].name, vk_proposal_type(&items[i]),
			      items[i].holds != NULL
				      ? "holds its data and stays"
				      : vk_phrase("stays; --include %llu puts the volume in its place", start).text);
		return items[i];
	}
	if (entry != NULL) {
		take_entry(plan, entry, &p);
	} else if (row != NULL) {
		p.by = VK_PROPOSED_LAYOUT;
		p.rank = row->rank;
		p.entry.origin = VK_ENTRY_LAYOUT;
		p.entry.partition.number = row->entry.partition.number;
		p.entry.partition.gpt = true;
		p.entry.partition.entry = row->entry.partition.entry;
		p.has_entry = true;
		vk_proposal_why(&p, "partition %u of an %s", row->entry.partition.number, row->name);
	}
	for (size_t i = 1; i < count; i++)
		if (items[i].by < VK_PROPOSED_FOUND && !vk_proposal_names(&items[0], &items[i]))
			vk_table_note(plan,
				      "the entry of %s that begins at sector %llu, too, is another system's (%s) and "
				      "is left out",
				      items[i].name, start, vk_proposal_type(&items[i]));
	return p;
}

/* A start where no volume was found. False: nothing confirms what was proposed. */
static bool merge_others(struct vk_table_plan *plan, const struct vk_proposal *items, size_t count,
			 struct vk_proposal *ret_proposal)
{
	const struct vk_proposal *row = layout_row(items, count);
	const struct vk_proposal *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct vk_proposal *p = &items[i];
		bool fits = row == NULL || p->entry.partition.sectors == row->entry.partition.sectors;

		if (p->by == VK_PROPOSED_LAYOUT)
			continue;
		if ((p->stands || (row != NULL && fits)) &&
		    (best == NULL || (fits && best->claim == VK_CLAIM_DOUBTFUL)))
			best = p;
	}
	if (best == NULL && row == NULL && vk_partition_is_vmfs(&items[0].entry.partition))
		vk_table_note(plan,
			      "%s has a VMFS partition at sector %llu of which nothing was found; it is left out",
			      items[0].name, vk_proposal_start(&items[0]));
	if (best == NULL && row != NULL)
		*ret_proposal = *row;
	if (best == NULL)
		return row != NULL;
	*ret_proposal = *best;
	if (row != NULL) {
		ret_proposal->claim = row->claim > best->claim ? row->claim : best->claim;
		ret_proposal->least_sectors = row->least_sectors;
	}
	say_source(best, ret_proposal);
	return true;
}

void vk_table_merge(struct vk_table_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < plan->count; i = end) {
		struct vk_proposal merged;
		bool keep = true;

		for (end = i + 1; end < plan->count; end++)
			if (vk_proposal_start(&plan->items[end]) != vk_proposal_start(&plan->items[i]))
				break;
		if (plan->items[i].by == VK_PROPOSED_FOUND)
			merged = merge_volume(plan, &plan->items[i], end - i);
		else
			keep = merge_others(plan, &plan->items[i], end - i, &merged);
		if (keep)
			plan->items[kept++] = merged;
	}
	plan->count = kept;
}
