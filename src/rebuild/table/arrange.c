/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions of an MBR: which are logical, where their boot records stand, and all numbers. */
#include "base/checked.h"
#include "rebuild/table/plan.h"

enum { PRIMARIES = 4, FIRST_LOGICAL = 5, TRACK = 63 };

/* Whether it lies in the extended partition that is known. */
static bool in_extended(const struct vk_mbr_now *mbr, const struct vk_proposal *p)
{
	return mbr->extended_start != 0 && mbr->extended_sectors != 0 && vk_proposal_start(p) > mbr->extended_start &&
	       vk_proposal_end(p) <= mbr->extended_start + mbr->extended_sectors;
}

/* A number above 4 of a GPT, or one that a volume's header remembers and an MBR cannot have, says nothing here. */
static void keep_mbr_numbers(struct vk_table_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_proposal *p = &plan->items[i];
		struct vk_partition *part = &p->entry.partition;

		if (p->by == VK_PROPOSED_FOUND)
			part->logical = part->number >= FIRST_LOGICAL || in_extended(&plan->mbr, p);
		else if (part->gpt && part->number > PRIMARIES)
			part->number = 0;
		if (part->logical != (part->number >= FIRST_LOGICAL))
			part->number = 0;
		if (part->gpt)
			part->logical = false;
	}
}

/* Partitions first .. last (indices) are logical; first > last: none. */
struct run {
	size_t first, last;
};

static bool room_for_ebr(const struct vk_table_plan *plan, size_t index)
{
	uint64_t free_from = index == 0 ? 1 : vk_proposal_end(&plan->items[index - 1]);

	return plan->items[index].entry.partition.start_sector > free_from;
}

static struct run known_logical(const struct vk_table_plan *plan)
{
	struct run run = {SIZE_MAX, 0};

	for (size_t i = 0; i < plan->count; i++) {
		if (!plan->items[i].entry.partition.logical)
			continue;
		if (run.first == SIZE_MAX)
			run.first = i;
		run.last = i;
	}
	return run;
}

/* Whether no primary partition lies over the extended one. */
static bool nothing_over_extended(const struct vk_table_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_proposal *p = &plan->items[i];

		if (!p->entry.partition.logical && vk_proposal_end(p) > plan->mbr.extended_start &&
		    vk_proposal_start(p) < plan->mbr.extended_start + plan->mbr.extended_sectors)
			return false;
	}
	return true;
}

/* What there is no primary entry for becomes logical, too: those behind first, then those in front. */
static bool widen(const struct vk_table_plan *plan, struct run *run)
{
	size_t count = plan->count;

	if (run->first == SIZE_MAX) {
		/* an extended partition of which nothing logical is known stays, and nothing moves into it unasked */
		if (plan->mbr.extended_exact && plan->source->table.kind == VK_TABLE_MBR && nothing_over_extended(plan))
			return count < PRIMARIES;
		if (count <= PRIMARIES)
			return true;
		*run = (struct run){PRIMARIES - 1, count - 1};
	}
	while (count - (run->last - run->first + 1) > PRIMARIES - 1) {
		if (run->last + 1 < count && room_for_ebr(plan, run->last + 1))
			run->last++;
		else if (run->first > 0 && room_for_ebr(plan, run->first - 1))
			run->first--;
		else
			return false;
	}
	for (size_t i = run->first; i <= run->last; i++)
		if (!room_for_ebr(plan, i))
			return false;
	return true;
}

static void mark(struct vk_table_plan *plan, const struct run *run)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_proposal *p = &plan->items[i];
		bool logical = run->first != SIZE_MAX && i >= run->first && i <= run->last;

		if (p->entry.partition.logical == logical)
			continue;
		p->entry.partition.logical = logical;
		p->entry.partition.number = 0;
		p->entry.bytes_exact = false;
		p->ebr_lba = 0;
	}
}

/* Where a boot record that is still there leads to, between these two sectors; 0: none leads there. */
static uint64_t linked_place(const struct vk_mbr_now *mbr, uint64_t free_from, uint64_t start)
{
	uint64_t base = vk_mbr_now_base(mbr);

	for (size_t i = 0; i < mbr->ebr_count; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];

		if (vk_mbr_entry_used(link) && base + link->firstLBA >= free_from && base + link->firstLBA < start)
			return base + link->firstLBA;
	}
	return 0;
}

/* Where it stood if that is known and free, else a track in front of the partition as fdisk did it, else right before.
 */
static void place_ebr(struct vk_table_plan *plan, size_t index, bool first)
{
	struct vk_proposal *p = &plan->items[index];
	uint64_t start = vk_proposal_start(p);
	uint64_t free_from = index == 0 ? 1 : vk_proposal_end(&plan->items[index - 1]);
	uint64_t extended = plan->mbr.extended_start;

	if (first && extended >= free_from && extended < start && extended != 0) {
		p->ebr_exact = plan->mbr.extended_exact || (p->ebr_exact && p->ebr_lba == extended);
		p->ebr_lba = extended;
		return;
	}
	if (p->ebr_lba >= free_from && p->ebr_lba < start && p->ebr_lba != 0)
		return;
	p->ebr_lba = linked_place(&plan->mbr, free_from, start);
	p->ebr_exact = p->ebr_lba != 0 && plan->mbr.extended_exact;
	if (p->ebr_lba != 0)
		return;
	p->ebr_lba = start >= free_from + TRACK ? start - TRACK : start - 1;
	vk_table_doubt(
		plan,
		"Where the boot record of the partition at sector %llu stood is not known: it is put into sector %llu",
		(ull)start, (ull)p->ebr_lba);
	vk_proposal_why(p, "nothing says where its boot record stood; it is put %s",
			start - p->ebr_lba == 1 ? "right before it" : "a track of 63 sectors before it");
}

/* The chain runs in the order of the disk, so that is what logical numbers follow. */
static void number_logical(struct vk_table_plan *plan, const struct run *run)
{
	unsigned number = FIRST_LOGICAL;

	for (size_t i = run->first; i <= run->last; i++, number++) {
		struct vk_proposal *p = &plan->items[i];
		unsigned was = p->entry.partition.number;

		place_ebr(plan, i, i == run->first);
		if (was != 0 && was != number)
			vk_table_note(plan, "The logical partition at sector %llu had the number %u and gets %u",
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
	uint64_t end = vk_proposal_end(&plan->items[run->last]);
	uint64_t limit = run->last + 1 < plan->count ? plan->items[run->last + 1].entry.partition.start_sector
						     : plan->disk_sectors;
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

static bool chain_is_whole(const struct vk_source *source)
{
	for (size_t i = 0; i < source->findings.count; i++) {
		enum vk_finding_code code = source->findings.items[i].code;

		if (code == VK_F_EBR_SIGNATURE_MISSING || code == VK_F_EBR_LOOP || code == VK_F_EBR_OUTSIDE ||
		    code == VK_F_EBR_TOO_MANY)
			return false;
	}
	return true;
}

/* The partition of the chain that is read from sector 0 that this one is; NULL: none. */
static const struct vk_partition *in_chain(const struct vk_table *table, const struct vk_proposal *p)
{
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *q = &table->partitions[i];

		if (q->logical && q->start_sector == vk_proposal_start(p) && q->sectors == p->entry.partition.sectors &&
		    (p->entry.candidate == SIZE_MAX || vk_partition_is_vmfs(q)))
			return q;
	}
	return NULL;
}

/* Others keep chains in an order, or with links, of their own: what is whole stays as it is. */
static bool chain_stands(struct vk_table_plan *plan, const struct run *run)
{
	const struct vk_table *table = &plan->source->table;
	size_t logical = 0;

	if (!plan->mbr.extended_exact || table->kind != VK_TABLE_MBR)
		return false;
	for (size_t i = 0; i < table->partition_count; i++)
		logical += table->partitions[i].logical;
	/* nothing is known that belongs into it: the extended partition stays, and its chain too, whatever that names
	 */
	if (run->first == SIZE_MAX && logical > 0)
		plan->chain_whole = false;
	if (run->first != SIZE_MAX && (!plan->chain_whole || logical != run->last - run->first + 1))
		return false;
	for (size_t i = run->first; i <= run->last && run->first != SIZE_MAX; i++)
		if (in_chain(table, &plan->items[i]) == NULL)
			return false;
	return nothing_over_extended(plan);
}

static void keep_chain(struct vk_table_plan *plan, const struct run *run)
{
	const struct vk_table *table = &plan->source->table;

	plan->chain_stands = true;
	for (size_t i = run->first; i <= run->last && run->first != SIZE_MAX; i++) {
		struct vk_proposal *p = &plan->items[i];
		const struct vk_partition *q = in_chain(table, p);

		p->entry.partition.number = q->number;
		p->entry.partition.mbr_type = q->mbr_type;
		p->entry.partition.entry_offset_bytes = q->entry_offset_bytes;
		p->entry.number_exact = true;
		p->ebr_lba = q->entry_offset_bytes / plan->sector_size;
		p->ebr_exact = true;
	}
}

/* Known numbers stay; the others are counted in the order of the disk, the extended partition in its turn. */
static enum vk_status number_primary(struct vk_table_plan *plan, const struct run *run, struct vk_error *err)
{
	bool used[PRIMARIES + 1] = {false};
	bool extended = run->first != SIZE_MAX || plan->chain_stands;
	unsigned *of_extended = &plan->mbr.extended_number, next = 1;
	enum vk_status status;

	if (!extended || *of_extended > PRIMARIES)
		*of_extended = 0;
	used[*of_extended] = *of_extended != 0;
	status = vk_table_keep_numbers(plan, PRIMARIES, used, err);
	for (size_t i = 0; i < plan->count && status == VK_OK; i++) {
		struct vk_proposal *p = &plan->items[i];

		if (extended && i == run->first && *of_extended == 0)
			*of_extended = vk_table_free_number(used, PRIMARIES, &next);
		if (p->entry.partition.logical || p->entry.partition.number != 0)
			continue;
		p->entry.partition.number = vk_table_free_number(used, PRIMARIES, &next);
		p->entry.number_exact = false;
	}
	return status;
}

enum vk_status vk_table_arrange_mbr(struct vk_table_plan *plan, struct vk_error *err)
{
	struct run run;

	keep_mbr_numbers(plan);
	run = known_logical(plan);
	if (plan->count > VK_EBR_MAX || !widen(plan, &run)) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "An MBR cannot name all %zu partitions: four are primary, and in front of a logical one a "
			     "sector must "
			     "be free",
			     plan->count);
		return vk_error_remedy(err, "use --label gpt, or leave some out with --exclude SECTOR");
	}
	mark(plan, &run);
	plan->chain_whole = chain_is_whole(plan->source);
	if (chain_stands(plan, &run)) {
		keep_chain(plan, &run);
	} else if (run.first != SIZE_MAX) {
		number_logical(plan, &run);
		place_extended(plan, &run);
	}
	return number_primary(plan, &run, err);
}
