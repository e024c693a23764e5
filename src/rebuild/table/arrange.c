/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions of an MBR: which are logical, where their boot records stand, and all numbers. */
#include "rebuild/table/plan.h"

enum { PRIMARIES = 4, FIRST_LOGICAL = 5, TRACK = 63 };

/* Partitions first to end - 1 (indices) are logical; first == end: none is. */
struct run {
	size_t first, end;
};

/* The sector behind what lies in front of a partition: its boot record fits in from there on. */
static uint64_t free_from(const struct vk_table_plan *plan, size_t index)
{
	return index == 0 ? 1 : vk_proposal_end(&plan->items[index - 1]);
}

static bool room_for_ebr(const struct vk_table_plan *plan, size_t index)
{
	return vk_proposal_start(&plan->items[index]) > free_from(plan, index);
}

/* What is known to be logical, from the first to the last. */
static struct run known_logical(struct vk_table_plan *plan)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct run run = {0, 0};

	for (size_t i = 0; i < plan->count; i++) {
		struct vk_proposal *p = &plan->items[i];
		struct vk_partition *part = &p->entry.partition;
		bool in_extended = mbr->extended_start != 0 && mbr->extended_sectors != 0 &&
				   vk_proposal_start(p) > mbr->extended_start &&
				   vk_proposal_end(p) <= mbr->extended_start + mbr->extended_sectors;

		/* a number of a GPT, or one that a volume's header remembers, counts when an MBR can have it */
		if (p->by == VK_PROPOSED_FOUND)
			part->logical = part->number >= FIRST_LOGICAL || in_extended;
		else if (part->gpt && part->number > PRIMARIES)
			part->number = 0;
		if (part->logical != (part->number >= FIRST_LOGICAL))
			part->number = 0;
		if (part->gpt)
			part->logical = false;
		if (!part->logical)
			continue;
		if (run.end == 0)
			run.first = i;
		run.end = i + 1;
	}
	return run;
}

/* Whether no primary partition lies over the extended one. */
static bool nothing_over_extended(const struct vk_table_plan *plan)
{
	VK_EACH_PROPOSAL(p, plan)
		if (!p->entry.partition.logical && vk_proposal_end(p) > plan->mbr.extended_start &&
		    vk_proposal_start(p) < plan->mbr.extended_start + plan->mbr.extended_sectors)
			return false;
	return true;
}

/* What there is no primary entry for becomes logical, too: those behind first, then those in front. */
static bool widen(const struct vk_table_plan *plan, struct run *run)
{
	size_t count = plan->count;

	if (run->first == run->end) {
		/* an extended partition of which nothing logical is known stays, and nothing moves into it unasked */
		if (plan->mbr.extended_exact && plan->source->table.kind == VK_TABLE_MBR && nothing_over_extended(plan))
			return count < PRIMARIES;
		if (count <= PRIMARIES)
			return true;
		*run = (struct run){PRIMARIES - 1, count};
	}
	while (count - (run->end - run->first) > PRIMARIES - 1) {
		if (run->end < count && room_for_ebr(plan, run->end))
			run->end++;
		else if (run->first > 0 && room_for_ebr(plan, run->first - 1))
			run->first--;
		else
			return false;
	}
	for (size_t i = run->first; i < run->end; i++)
		if (!room_for_ebr(plan, i))
			return false;
	return true;
}

/* Where it stood if that is known and free, else a track in front of the partition as fdisk did it, else right before.
 */
static void place_ebr(struct vk_table_plan *plan, size_t index, bool first)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct vk_proposal *p = &plan->items[index];
	uint64_t start = vk_proposal_start(p), from = free_from(plan, index);
	uint64_t extended = mbr->extended_start, stood = p->ebr_lba;

	if (first && extended >= from && extended < start && extended != 0) {
		p->ebr_exact = mbr->extended_exact || (p->ebr_exact && stood == extended);
		p->ebr_lba = extended;
		return;
	}
	if (stood >= from && stood < start && stood != 0)
		return;
	/* where a boot record that is still there leads to */
	p->ebr_lba = 0;
	for (size_t i = 0; i < mbr->ebr_count && p->ebr_lba == 0; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];
		uint64_t leads = vk_mbr_now_base(mbr) + link->firstLBA;

		if (vk_mbr_entry_used(link) && leads >= from && leads < start)
			p->ebr_lba = leads;
	}
	p->ebr_exact = p->ebr_lba != 0 && mbr->extended_exact;
	if (p->ebr_lba != 0)
		return;
	p->ebr_lba = start >= from + TRACK ? start - TRACK : start - 1;
	vk_table_doubt(
		plan,
		"where the boot record of the partition at sector %llu stood is not known: it is written to sector "
		"%llu",
		(ull)start, (ull)p->ebr_lba);
	vk_proposal_why(p, "the place of its boot record is not known; it is written %s",
			start - p->ebr_lba == 1 ? "right before it" : "a track of 63 sectors before it");
}

/* The chain runs in the order of the disk, so that is what logical numbers follow. */
static void number_logical(struct vk_table_plan *plan, const struct run *run)
{
	unsigned number = FIRST_LOGICAL;

	for (size_t i = run->first; i < run->end; i++, number++) {
		struct vk_proposal *p = &plan->items[i];
		unsigned was = p->entry.partition.number;

		place_ebr(plan, i, i == run->first);
		if (was != 0 && was != number)
			vk_table_note(plan, "the logical partition at sector %llu had the number %u and gets %u",
				      vk_proposal_start(p), was, number);
		p->entry.number_exact = was == number && p->entry.number_exact;
		p->entry.partition.number = number;
	}
}

/* The extended partition holds all logical ones; where it ended is kept when nothing else lies there. */
static void place_extended(struct vk_table_plan *plan, const struct run *run)
{
	struct vk_mbr_now *mbr = &plan->mbr;
	uint64_t start = plan->items[run->first].ebr_lba;
	uint64_t end = vk_proposal_end(&plan->items[run->end - 1]);
	uint64_t limit = run->end < plan->count ? vk_proposal_start(&plan->items[run->end]) : plan->disk_sectors;
	uint64_t was = mbr->extended_start + mbr->extended_sectors;
	uint8_t chs[3];

	if (mbr->extended_start != start || mbr->extended_sectors == 0 || was < end || was > limit) {
		mbr->extended_exact = false;
		mbr->extended_start = start;
		mbr->extended_sectors = end - start;
	}
	vk_mbr_chs(mbr->extended_start + mbr->extended_sectors - 1, chs);
	if (mbr->extended_type == 0)
		mbr->extended_type = chs[0] == 0xFE && chs[1] == 0xFF && chs[2] == 0xFF ? 0x0F : 0x05;
}

/* The partition of the chain that is read from sector 0 that this one is; NULL: none. */
static const struct vk_partition *in_chain(const struct vk_table *table, const struct vk_proposal *p)
{
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *q = &table->partitions[i];

		if (q->logical && q->start_sector == vk_proposal_start(p) && q->sectors == p->entry.partition.sectors &&
		    (!vk_proposal_is_volume(p) || vk_partition_is_vmfs(q)))
			return q;
	}
	return NULL;
}

/* Others keep chains in an order, or with links, of their own: what is whole stays as it is. */
static bool chain_stands(struct vk_table_plan *plan, const struct run *run)
{
	const struct vk_source *source = plan->source;
	size_t logical = 0;

	plan->chain_whole = true;
	for (size_t i = 0; i < source->findings.count; i++) {
		enum vk_finding_code code = source->findings.items[i].code;

		if (code == VK_F_EBR_SIGNATURE_MISSING || code == VK_F_EBR_LOOP || code == VK_F_EBR_OUTSIDE ||
		    code == VK_F_EBR_TOO_MANY)
			plan->chain_whole = false;
	}
	if (!plan->mbr.extended_exact || source->table.kind != VK_TABLE_MBR)
		return false;
	for (size_t i = 0; i < source->table.partition_count; i++)
		logical += source->table.partitions[i].logical;
	/* nothing is known that belongs into it: the extended partition stays, and its chain too, whatever that names
	 */
	if (run->first == run->end && logical > 0)
		plan->chain_whole = false;
	if (run->first != run->end && (!plan->chain_whole || logical != run->end - run->first))
		return false;
	for (size_t i = run->first; i < run->end; i++)
		if (in_chain(&source->table, &plan->items[i]) == NULL)
			return false;
	return nothing_over_extended(plan);
}

enum vk_status vk_table_arrange_mbr(struct vk_table_plan *plan, struct vk_error *err)
{
	struct run run = known_logical(plan);
	unsigned *extended = &plan->mbr.extended_number;

	if (plan->count > VK_EBR_MAX || !widen(plan, &run)) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "an MBR cannot list all %zu partitions: four are primary, and in front of a logical one "
			     "a sector must be free",
			     plan->count);
		return vk_error_remedy(err, "use --label gpt, or leave some out with --exclude SECTOR");
	}
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_proposal *p = &plan->items[i];
		bool logical = i >= run.first && i < run.end;

		if (p->entry.partition.logical == logical)
			continue;
		p->entry.partition.logical = logical;
		p->entry.partition.number = 0;
		p->entry.bytes_exact = false;
		p->ebr_lba = 0;
	}
	plan->chain_stands = chain_stands(plan, &run);
	for (size_t i = run.first; i < run.end && plan->chain_stands; i++) {
		struct vk_proposal *p = &plan->items[i];
		const struct vk_partition *q = in_chain(&plan->source->table, p);

		p->entry.partition.number = q->number;
		p->entry.partition.mbr_type = q->mbr_type;
		p->entry.partition.entry_offset_bytes = q->entry_offset_bytes;
		p->entry.number_exact = true;
		p->ebr_lba = q->entry_offset_bytes / plan->sector_size;
		p->ebr_exact = true;
	}
	if (!plan->chain_stands && run.first != run.end) {
		number_logical(plan, &run);
		place_extended(plan, &run);
	}
	if ((run.first == run.end && !plan->chain_stands) || *extended > PRIMARIES)
		*extended = 0;
	return vk_table_number(plan, PRIMARIES, extended, run.first != run.end ? run.first : SIZE_MAX, err);
}
