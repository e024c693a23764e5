/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals from tables: the one that stands, its copies and what is left of its chain, and those of captures. */
#include <stdio.h>
#include <string.h>

#include "rebuild/table/plan.h"

/* Believed in this order when they speak of one start. */
enum { RANK_STANDING = 0, RANK_OFF_CHAIN = 1, RANK_CAPTURE = 100, RANK_DOUBTFUL = 500, RANK_OLDER = 600 };

/*
 * What another system has in a partition that a sound table names: a file system that ends in it, or a part of a pool,
 * which says no length. NULL: nothing that begins with it.
 */
static const struct vk_foreign *held_by(const struct vk_table_plan *plan, const struct vk_proposal *p)
{
	uint64_t start = vk_mul_sat(vk_proposal_start(p), plan->sector_size);
	uint64_t length = vk_mul_sat(p->entry.partition.sectors, plan->sector_size);

	for (size_t i = 0; i < plan->find->foreign.count; i++) {
		const struct vk_foreign *f = &plan->find->foreign.items[i];

		if (f->start_bytes == start && f->length_bytes <= length)
			return f;
	}
	return NULL;
}

static void propose_judged(struct vk_table_plan *plan, const struct vk_gpt_judged_entry *e)
{
	const struct vk_gpt_judgement *gpt = &plan->gpt;
	uint32_t from = gpt->sector_size, to = plan->sector_size;
	bool whole = e->exact || e->alike || gpt->proof == VK_GPT_PROOF_RIVALLED;
	struct vk_proposal p = {
		.entry = {.partition = e->partition,
			  .origin = e->origin,
			  .bytes_exact = e->exact && from == to,
			  .length_exact = e->exact,
			  .length_said = e->length_fits,
			  .number_exact = true,
			  .candidate = SIZE_MAX},
		.by = VK_PROPOSED_GPT,
		.claim = whole ? VK_CLAIM_TABLE : VK_CLAIM_DOUBTFUL,
		.rank = whole ? RANK_STANDING : RANK_DOUBTFUL,
		.stands = true,
		.has_entry = true,
	};
	struct vk_partition *part = &p.entry.partition;

	if (from != to) {
		uint64_t start = vk_mul_sat(part->start_sector, from), length = vk_mul_sat(part->sectors, from);

		if (start == UINT64_MAX || length == UINT64_MAX || start % to != 0 || length % to != 0) {
			vk_table_lost(plan,
				      "partition %u of a GPT that counts sectors of %u bytes does not lie on sectors "
				      "of %u bytes",
				      part->number, from, to);
			return;
		}
		part->start_sector = part->entry.firstLBA = start / to;
		part->sectors = length / to;
		part->entry.lastLBA = part->start_sector + part->sectors - 1;
	} else if (e->exact && gpt->used >= 0 && gpt->used == gpt->right) {
		p.entry.origin = VK_ENTRY_KEPT;
		if (!vk_partition_is_vmfs(part))
			p.holds = held_by(plan, &p);
	}
	snprintf(p.name, sizeof(p.name), "%s", e->origin == VK_ENTRY_BACKUP ? "the backup GPT" : "the GPT");
	if (e->why[0] != '\0')
		vk_proposal_why(&p, "%s", e->why);
	vk_table_propose(plan, &p);
}

void vk_table_from_gpt(struct vk_table_plan *plan)
{
	for (size_t i = 0; plan->gpt_judged && i < plan->gpt.entry_count; i++)
		propose_judged(plan, &plan->gpt.entries[i]);
}

static struct vk_proposal from_boot_record(const struct vk_table_plan *plan, const uint8_t *raw,
					   const struct vk_mbr_entry *e, uint64_t lba)
{
	struct vk_proposal p = {
		.entry = {.partition = {.start_sector = lba + e->firstLBA,
					.sectors = e->sectors,
					.logical = lba != 0,
					.mbr_type = e->type},
			  .origin = plan->source->table.kind == VK_TABLE_MBR ? VK_ENTRY_KEPT : VK_ENTRY_MBR,
			  .length_said = true,
			  .candidate = SIZE_MAX},
		.by = VK_PROPOSED_MBR,
		.claim = VK_CLAIM_TABLE,
		.rank = RANK_STANDING,
		.stands = true,
		.has_entry = true,
		.ebr_lba = lba,
		.ebr_exact = lba != 0,
	};

	memcpy(p.raw, raw, sizeof(p.raw));
	snprintf(p.name, sizeof(p.name), "%s", lba == 0 ? "the MBR" : "its boot record");
	return p;
}

void vk_table_from_mbr(struct vk_table_plan *plan)
{
	const struct vk_mbr_now *now = &plan->mbr;
	const struct vk_table *table = &plan->source->table;
	bool used = now->readable && table->mbr_used && !now->protective && !now->boot_sector;
	size_t named = 0;

	for (unsigned i = 0; i < 4 && used; i++) {
		const struct vk_mbr_entry *e = &now->mbr.entries[i];
		struct vk_proposal p;

		if (!vk_mbr_entry_used(e) || vk_mbr_type_is_extended(e->type) || e->firstLBA == 0)
			continue;
		p = from_boot_record(plan, now->sector + VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES, e, 0);
		p.entry.partition.number = i + 1;
		p.entry.number_exact = true;
		vk_table_propose(plan, &p);
	}
	for (size_t i = 0; i < table->partition_count; i++)
		named += table->partitions[i].logical;
	for (const struct vk_ebr *ebr = now->ebrs; ebr != NULL && ebr < now->ebrs + now->ebr_count; ebr++) {
		struct vk_proposal p =
			from_boot_record(plan, ebr->sector + VK_MBR_ENTRY_OFFSET, &ebr->record.entries[0], ebr->lba);
		uint64_t at = ebr->lba * table->sector_size + VK_MBR_ENTRY_OFFSET;

		/* the number that the chain as it can be read from sector 0 gives it */
		for (size_t k = 0; k < table->partition_count; k++)
			if (table->partitions[k].logical && table->partitions[k].entry_offset_bytes == at)
				p.entry.partition.number = table->partitions[k].number;
		/* behind a boot record that names none the numbers may be others than they were */
		p.entry.number_exact = p.entry.partition.number != 0 && named == table->ebr_count;
		if (p.entry.partition.number == 0) {
			p.entry.origin = VK_ENTRY_MBR;
			p.rank = RANK_OFF_CHAIN;
		}
		vk_table_propose(plan, &p);
	}
}

static void propose_captured(struct vk_table_plan *plan, const struct vk_known_table *known,
			     const struct vk_partition *partition, unsigned rank)
{
	struct vk_proposal p = {
		.entry = {.partition = *partition,
			  .origin = VK_ENTRY_CAPTURE,
			  .bytes_exact = true,
			  .length_exact = true,
			  .number_exact = true,
			  .candidate = SIZE_MAX},
		.by = VK_PROPOSED_CAPTURE,
		.claim = VK_CLAIM_CAPTURE,
		.rank = rank,
		.has_entry = true,
	};

	if (!partition->gpt)
		p.has_entry = vk_io_read_all(known->source->io, partition->entry_offset_bytes, p.raw, sizeof(p.raw),
					     NULL) == VK_OK;
	if (partition->logical) {
		p.ebr_lba = partition->entry_offset_bytes / plan->sector_size;
		p.ebr_exact = true;
	}
	snprintf(p.name, sizeof(p.name), "%s", known->name);
	vk_table_propose(plan, &p);
}

void vk_table_from_captures(struct vk_table_plan *plan)
{
	struct vk_mbr_now *now = &plan->mbr;

	for (size_t k = 0; k < plan->options->known_count; k++) {
		const struct vk_known_table *known = &plan->options->known[k];
		const struct vk_table *table = &known->source->table;

		if (table->kind == VK_TABLE_NONE)
			continue;
		if (table->sector_size != plan->sector_size) {
			vk_table_note(plan, "the table of %s counts sectors of %u bytes and was not used", known->name,
				      table->sector_size);
			continue;
		}
		for (size_t i = 0; i < table->partition_count; i++) {
			const struct vk_partition *p = &table->partitions[i];

			if (!vk_partition_is_extended(p)) {
				if (p->start_sector != 0 && p->sectors != 0)
					propose_captured(plan, known, p, RANK_CAPTURE + (unsigned)k);
				continue;
			}
			/* the newest capture that has one says where it lay, when the disk does not */
			if (now->extended_number != 0 ||
			    (now->extended_start != 0 && now->extended_start != p->start_sector))
				continue;
			now->extended_number = p->number;
			now->extended_type = p->mbr_type;
			now->extended_start = p->start_sector;
			now->extended_sectors = p->sectors;
		}
	}
}

bool vk_table_hears_older(const struct vk_table_plan *plan)
{
	const struct vk_table *now = &plan->source->table;

	for (size_t i = 0; i < now->partition_count; i++)
		if (vk_partition_is_vmfs(&now->partitions[i]))
			return false;
	return now->kind != VK_TABLE_GPT && !(plan->gpt_judged && plan->gpt.entry_count > 0);
}

/*
 * A witness of number, GUID and name of what was found where it says. It proves how the disk was, not how it is: by it
 * alone nothing becomes a partition, and what is taken from it is a guess.
 */
void vk_table_from_older(struct vk_table_plan *plan)
{
	if (!vk_table_hears_older(plan))
		return;
	for (size_t i = 0; i < plan->find->older_count; i++) {
		const struct vk_older_gpt *gpt = &plan->find->older[i];

		for (size_t k = 0; k < gpt->entry_count && gpt->sector_size == plan->sector_size; k++) {
			const struct vk_gpt_entry *e = &gpt->entries[k].entry;
			struct vk_proposal p = {
				.entry = {.partition = {.number = gpt->entries[k].number,
							.start_sector = e->firstLBA,
							.sectors = e->lastLBA - e->firstLBA + 1,
							.gpt = true,
							.entry = *e},
					  .origin = VK_ENTRY_FOUND,
					  .length_said = true,
					  .number_exact = true,
					  .candidate = SIZE_MAX},
				.by = VK_PROPOSED_OLDER,
				.claim = VK_CLAIM_DOUBTFUL,
				.rank = RANK_OLDER + (unsigned)i,
				.has_entry = true,
			};

			snprintf(p.name, sizeof(p.name), "an older GPT at sector %llu", (ull)gpt->header.myLBA);
			vk_table_propose(plan, &p);
		}
	}
}

/*
 * What begins inside a VMFS entry is a copy in it, unless it ends with it: then the entry may have a wrong start. What
 * lies in another system's file system or pool always is one.
 */
static bool is_inside(const struct vk_proposal *volume, const struct vk_proposal *entry)
{
	uint64_t start = vk_proposal_start(volume);

	return (vk_partition_is_vmfs(&entry->entry.partition) || entry->holds != NULL) &&
	       start > vk_proposal_start(entry) && start < vk_proposal_end(entry) &&
	       !(entry->holds == NULL && volume->claim == VK_CLAIM_LIVING &&
		 vk_proposal_end(volume) == vk_proposal_end(entry));
}

/* Whether an entry lies over a volume and is not about it. */
static bool is_over(const struct vk_proposal *entry, const struct vk_proposal *volume)
{
	if (vk_proposal_start(volume) == vk_proposal_start(entry))
		return !vk_proposal_names(volume, entry);
	return vk_proposal_start(volume) < vk_proposal_end(entry) &&
	       vk_proposal_start(entry) < vk_proposal_end(volume) && !is_inside(volume, entry);
}

/* Which tables name a volume, and which only lie over living ones. */
static void compare_with_found(struct vk_table_plan *plan)
{
	bool names[2] = {false, false}, over[2] = {false, false};

	VK_EACH_PROPOSAL(volume, plan) {
		if (volume->by != VK_PROPOSED_FOUND)
			continue;
		VK_EACH_PROPOSAL(p, plan) {
			bool same = vk_proposal_start(p) == vk_proposal_start(volume);

			if (p->by > VK_PROPOSED_GPT)
				continue;
			names[p->by] = names[p->by] || (same && vk_proposal_names(volume, p));
			over[p->by] = over[p->by] ||
				      (volume->claim >= VK_CLAIM_LIVING && p->holds == NULL && is_over(p, volume));
		}
	}
	plan->mbr_names = names[VK_PROPOSED_MBR];
	plan->gpt_names = names[VK_PROPOSED_GPT];
	plan->mbr_foreign = over[VK_PROPOSED_MBR] && !names[VK_PROPOSED_MBR];
	plan->gpt_foreign = over[VK_PROPOSED_GPT] && !names[VK_PROPOSED_GPT];
}

/*
 * Which capture may speak of partitions that nothing on the disk confirms. An older one has those that were deleted
 * since; the newest may have been taken after the damage, and then it does not name what was found.
 */
static void choose_capture(struct vk_table_plan *plan)
{
	unsigned newest = UINT32_MAX, naming = UINT32_MAX;

	VK_EACH_PROPOSAL(p, plan) {
		const struct vk_proposal *volume = vk_table_volume_at(plan, vk_proposal_start(p));

		if (p->by != VK_PROPOSED_CAPTURE)
			continue;
		newest = p->rank < newest ? p->rank : newest;
		if (p->rank < naming && volume != NULL && vk_proposal_names(volume, p))
			naming = p->rank;
	}
	plan->capture_names = naming != UINT32_MAX;
	plan->capture_rank = plan->capture_names ? naming : newest;
	if (plan->capture_rank != UINT32_MAX)
		plan->capture = &plan->options->known[plan->capture_rank - RANK_CAPTURE];
}

/*
 * Whether an entry of the table that systems use stays unless somebody asks for something else. A checksum proves one
 * of a GPT; one of an MBR is confirmed by the volume that begins with it.
 */
static bool stays(const struct vk_table_plan *plan, const struct vk_proposal *p)
{
	const struct vk_proposal *volume = vk_table_volume_at(plan, vk_proposal_start(p));
	bool vmfs = vk_partition_is_vmfs(&p->entry.partition), mbr = p->by == VK_PROPOSED_MBR;

	if (p->claim != VK_CLAIM_TABLE || !p->stands || (!mbr && !p->entry.bytes_exact) ||
	    (mbr && vk_proposal_end(p) > plan->disk_sectors))
		return false;
	if (volume != NULL && !vmfs)
		return !vk_proposal_names(volume, p);
	if (mbr && vmfs)
		return volume != NULL && p->entry.partition.number != 0 &&
		       p->entry.partition.sectors >= volume->entry.partition.sectors;
	if (!vmfs || volume != NULL)
		return true;
	VK_EACH_PROPOSAL(q, plan)
		if (q->by == VK_PROPOSED_FOUND && vk_proposal_start(q) > vk_proposal_start(p) &&
		    vk_proposal_start(q) < vk_proposal_end(p) && !is_inside(q, p))
			return false;
	return true;
}

/* What was found inside a partition that stands is somebody's copy: it decides nothing, unless it is asked for. */
static void drop_ghosts(struct vk_table_plan *plan)
{
	size_t kept = 0;

	VK_EACH_PROPOSAL(p, plan) {
		const struct vk_proposal *outer = NULL;

		for (size_t i = 0; i < kept && p->by == VK_PROPOSED_FOUND && p->claim != VK_CLAIM_ASKED; i++)
			if (plan->items[i].claim == VK_CLAIM_STANDING && is_inside(p, &plan->items[i]))
				outer = &plan->items[i];
		if (outer == NULL)
			plan->items[kept++] = *p;
		else if (outer->holds != NULL)
			vk_table_note(plan,
				      "what was found at sector %llu lies inside the partition at sector %llu, which "
				      "holds a whole %s and stays as it is: it is taken for a copy in it",
				      vk_proposal_start(p), vk_proposal_start(outer), outer->holds->type);
		else
			vk_table_note(plan,
				      "what was found at sector %llu lies inside the partition at sector %llu, which "
				      "stays as it is: it is taken for a copy; --include %llu takes it for a volume",
				      vk_proposal_start(p), vk_proposal_start(outer), vk_proposal_start(p));
	}
	plan->count = kept;
}

void vk_table_judge_standing(struct vk_table_plan *plan)
{
	enum vk_table_kind kind = plan->source->table.kind;
	size_t standing[2] = {0, 0};
	bool mbr_used, gpt_used;

	compare_with_found(plan);
	VK_EACH_PROPOSAL(p, plan)
		if (p->by <= VK_PROPOSED_GPT)
			standing[p->by]++;
	/* an MBR of others in front of a GPT that knows the volumes */
	if (plan->gpt_names && !plan->mbr_names && standing[VK_PROPOSED_MBR] > 0)
		plan->mbr_foreign = true;
	mbr_used = kind == VK_TABLE_MBR && standing[VK_PROPOSED_MBR] > 0 && !plan->mbr_foreign;
	gpt_used = kind == VK_TABLE_GPT && !vk_table_signatures_lost(&plan->source->table) &&
		   standing[VK_PROPOSED_GPT] > 0 && !plan->gpt_foreign && plan->gpt.proof <= VK_GPT_PROOF_EQUAL;
	plan->table_ours = mbr_used || gpt_used;
	choose_capture(plan);
	VK_EACH_PROPOSAL(p, plan) {
		if (p->by == VK_PROPOSED_CAPTURE)
			p->stands = !plan->table_ours && p->rank == plan->capture_rank;
		if (p->by == VK_PROPOSED_GPT && mbr_used && !plan->gpt_names)
			p->stands = false;
		if (p->by == VK_PROPOSED_MBR && gpt_used)
			p->stands = false;
	}
	/* a partition that holds another system's data stays, whosever the table is */
	VK_EACH_PROPOSAL(p, plan)
		if (p->holds != NULL || (plan->table_ours && p->by == (gpt_used ? VK_PROPOSED_GPT : VK_PROPOSED_MBR) &&
					 stays(plan, p)))
			p->claim = VK_CLAIM_STANDING;
	drop_ghosts(plan);
}
