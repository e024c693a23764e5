/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as an MBR with its chain of extended boot records, on the overlay. */
#include <string.h>

#include "base/bytes.h"
#include "io/write_class.h"
#include "rebuild/table/plan.h"

/* The first logical partition from that index on; NULL: there is none. */
static const struct vk_proposal *next_logical(const struct vk_table_plan *plan, size_t from)
{
	for (size_t i = from; i < plan->count; i++)
		if (plan->items[i].entry.partition.logical)
			return &plan->items[i];
	return NULL;
}

/*
 * The bytes of an entry: those that stand or were captured when they say the same, so that no byte changes without
 * need; else fresh ones with the heads and sectors that ESX writes. base: what the entry counts from.
 */
static void encode_entry(uint8_t type, uint64_t start, uint64_t sectors, uint64_t base, const uint8_t *known,
			 uint8_t ret_raw[VK_MBR_ENTRY_BYTES])
{
	struct vk_mbr_entry e = {.bootFlag = 0};

	if (known != NULL) {
		vk_layout_decode(&vk_mbr_entry_layout, known, VK_MBR_ENTRY_BYTES, &e);
		if (e.type == type && e.firstLBA == start - base && e.sectors == sectors &&
		    (e.bootFlag == 0 || e.bootFlag == 0x80)) {
			memcpy(ret_raw, known, VK_MBR_ENTRY_BYTES);
			return;
		}
		e.bootFlag = e.bootFlag == 0x80 ? 0x80 : 0;
	}
	e.type = type;
	e.firstLBA = (uint32_t)(start - base);
	e.sectors = (uint32_t)sectors;
	vk_mbr_chs(start, e.firstCHS);
	vk_mbr_chs(start + sectors - 1, e.lastCHS);
	vk_layout_encode(&vk_mbr_entry_layout, &e, ret_raw, VK_MBR_ENTRY_BYTES);
}

static enum vk_status set_type(const struct vk_table_plan *plan, struct vk_proposal *p, struct vk_error *err)
{
	struct vk_partition *part = &p->entry.partition;
	uint8_t type = part->mbr_type;

	if (vk_proposal_is_volume(p))
		type = VK_MBR_TYPE_VMFS;
	else if (part->gpt && !vk_table_type_to_mbr(&part->entry.typeGUID, &type))
		return vk_error_set(err, VK_USAGE, plan->source->path,
				    "an MBR has no type for the partition at sector %llu", (ull)part->start_sector);
	if (part->gpt || !p->has_entry)
		p->has_entry = p->entry.bytes_exact = false;
	part->mbr_type = type;
	part->gpt = false;
	memset(&part->entry, 0, sizeof(part->entry));
	if (part->start_sector <= UINT32_MAX && part->sectors <= UINT32_MAX)
		return VK_OK;
	return vk_error_set(err, VK_USAGE, plan->source->path,
			    "an MBR cannot list the partition at sector %llu of %llu sectors", (ull)part->start_sector,
			    (ull)part->sectors);
}

/* The record in front of a logical partition: its entry, and the link to the next one. */
static enum vk_status put_ebr(struct vk_table_plan *plan, size_t index, bool *ret_changed, struct vk_error *err)
{
	struct vk_proposal *p = &plan->items[index];
	const struct vk_proposal *next = next_logical(plan, index + 1);
	const struct vk_ebr *now = vk_mbr_now_ebr(&plan->mbr, p->ebr_lba);
	uint64_t base = plan->mbr.extended_start, at = vk_mul_sat(p->ebr_lba, plan->sector_size);
	uint8_t stood[VK_MBR_BYTES] = {0}, record[VK_MBR_BYTES];
	uint8_t *entries = record + VK_MBR_ENTRY_OFFSET, *link = entries + VK_MBR_ENTRY_BYTES;
	const uint8_t *then = stood + VK_MBR_ENTRY_OFFSET;
	struct vk_mbr_entry leads;
	bool read = vk_io_read_all(plan->source->io, at, stood, sizeof(stood), NULL) == VK_OK;

	/* where nothing says that a boot record stood, only an empty sector is taken for one */
	if (now == NULL && !p->ebr_exact && (!read || !vk_all_zero(stood, sizeof(stood)))) {
		vk_error_set(err, VK_REFUSED, plan->source->path,
			     "sector %llu, where the boot record of the partition at sector %llu would be written, "
			     "is not empty, and no trace shows that one stood there",
			     (ull)p->ebr_lba, vk_proposal_start(p));
		vk_error_at(err, p->ebr_lba * plan->sector_size);
		vk_error_remedy(err,
				"look at what lies there; --label gpt needs no boot records, --exclude %llu leaves the "
				"partition out",
				vk_proposal_start(p));
		return VK_REFUSED;
	}
	memcpy(record, stood, sizeof(record));
	encode_entry(p->entry.partition.mbr_type, vk_proposal_start(p), p->entry.partition.sectors, p->ebr_lba,
		     now == NULL && p->has_entry ? p->raw : then, entries);
	p->entry.bytes_exact = p->entry.bytes_exact && memcmp(entries, p->raw, sizeof(p->raw)) == 0;
	p->entry.partition.entry_offset_bytes = at + VK_MBR_ENTRY_OFFSET;
	/* some write the length of the next partition here, some that of all that follow: a link that leads there stays
	 */
	vk_layout_decode(&vk_mbr_entry_layout, link, VK_MBR_ENTRY_BYTES, &leads);
	if (next == NULL)
		memset(link, 0, VK_MBR_ENTRY_BYTES);
	else if (!vk_mbr_entry_used(&leads) || !vk_mbr_type_is_extended(leads.type) ||
		 leads.firstLBA != next->ebr_lba - base)
		encode_entry(0x05, next->ebr_lba, vk_proposal_end(next) - next->ebr_lba, base, NULL, link);
	memset(entries + 2 * VK_MBR_ENTRY_BYTES, 0, 2 * VK_MBR_ENTRY_BYTES);
	vk_put_le16(record + VK_MBR_BYTES - 2, VK_MBR_SIGNATURE);
	/* entries that are put anew, beside those that stand: which of them nobody knows */
	if ((memcmp(entries, then, VK_MBR_ENTRY_BYTES) != 0 && !p->entry.bytes_exact) ||
	    memcmp(link, then + VK_MBR_ENTRY_BYTES, 3 * VK_MBR_ENTRY_BYTES) != 0)
		vk_table_doubt(plan,
			       "the boot record in sector %llu of the partition at sector %llu: boot flag, heads and "
			       "sectors, and the length of its link get the usual values",
			       (ull)p->ebr_lba, vk_proposal_start(p));
	return vk_overlay_lay(plan->overlay, at, record, sizeof(record), "extended boot record", VK_WRITE_EBR,
			      ret_changed, err);
}

static enum vk_status put_chain(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct vk_table_part_verdict *part = &plan->out->parts[VK_TP_EBR];
	size_t wanted = 0, there = 0;
	enum vk_status status = VK_OK;
	struct vk_text text;

	if (mbr->extended_exact && !plan->chain_whole && !plan->chain_stands)
		vk_table_note(plan,
			      "the chain of the extended partition was broken: logical partitions of other systems "
			      "may have been in it");
	for (size_t i = 0; i < plan->count && status == VK_OK && !plan->chain_stands; i++) {
		bool changed = false;

		if (!plan->items[i].entry.partition.logical)
			continue;
		wanted++;
		status = put_ebr(plan, i, &changed, err);
		there += vk_mbr_now_ebr(mbr, plan->items[i].ebr_lba) != NULL;
		part->rewritten = part->rewritten || changed;
	}
	if (status != VK_OK || (wanted == 0 && !plan->chain_stands))
		return status;
	/* links that lead from the start of the extended partition to the last leave no doubt about the numbers */
	for (size_t i = 0; i < plan->count && !part->rewritten; i++)
		if (plan->items[i].entry.partition.logical && (wanted > 1 || mbr->extended_exact))
			plan->items[i].entry.number_exact = true;
	part->offset_bytes = mbr->extended_start * plan->sector_size;
	part->length_bytes = VK_MBR_BYTES;
	part->state = VK_PART_STATE_CONSISTENT;
	text = vk_text_in(part->why, sizeof(part->why));
	if (plan->chain_stands && !plan->chain_whole) {
		part->state = VK_PART_STATE_DAMAGED;
		vk_text_put(&text, "the chain breaks off");
		vk_table_lost(plan,
			      "the chain of boot records in the extended partition at sector %llu is broken, and "
			      "which logical partitions it led to is not known",
			      (ull)mbr->extended_start);
	} else if (!plan->chain_stands && (mbr->ebr_count == 0 || part->rewritten)) {
		part->state = mbr->ebr_count == 0 ? VK_PART_STATE_LOST : VK_PART_STATE_DAMAGED;
		vk_text_fmt(&text, "%zu of %zu boot records of the chain are in their places", there, wanted);
	} else {
		vk_text_put(&text, "nothing contradicts it; it has no checksum");
	}
	return VK_OK;
}

static void plan_extended(struct vk_table_plan *plan, uint8_t *raw)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	bool exact = mbr->extended_exact;
	struct vk_planned_entry e = {
		.partition = {.number = mbr->extended_number,
			      .start_sector = mbr->extended_start,
			      .sectors = mbr->extended_sectors,
			      .mbr_type = mbr->extended_type,
			      .entry_offset_bytes =
				      VK_MBR_ENTRY_OFFSET + (mbr->extended_number - 1ULL) * VK_MBR_ENTRY_BYTES},
		.origin = exact ? VK_ENTRY_KEPT : VK_ENTRY_MBR,
		.length_said = exact,
		.number_exact = exact,
		.candidate = SIZE_MAX,
	};

	strcpy(e.why, exact ? "as it stands" : "holds the logical partitions; it may have been longer");
	encode_entry(mbr->extended_type, mbr->extended_start, mbr->extended_sectors, 0,
		     exact ? mbr->sector + e.partition.entry_offset_bytes : NULL, raw);
	vk_table_planned(plan, &e);
}

static void judge_sector_0(struct vk_table_plan *plan)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct vk_table_part_verdict *part = &plan->out->parts[VK_TP_MBR];
	const char *why = "nothing contradicts it; it has no checksum";

	part->length_bytes = VK_MBR_BYTES;
	part->state = VK_PART_STATE_CONSISTENT;
	if (!mbr->readable) {
		part->state = VK_PART_STATE_UNREADABLE;
		why = "sector 0 cannot be read";
	} else if (mbr->blank) {
		part->state = VK_PART_STATE_LOST;
		why = "it has neither entries nor a signature";
	} else if (mbr->boot_sector) {
		part->state = VK_PART_STATE_FOREIGN;
		why = "it is the boot sector of another file system";
	} else if (mbr->protective || plan->mbr_foreign) {
		part->state = VK_PART_STATE_FOREIGN;
		why = mbr->protective ? "it protects a GPT" : "its partitions lie over volumes that were found";
	} else if (part->rewritten) {
		part->state = VK_PART_STATE_DAMAGED;
		why = mbr->mbr.signature == VK_MBR_SIGNATURE ? "entries are missing or wrong" : "its signature is gone";
	}
	strcpy(part->why, why);
}

static enum vk_status put_sector_0(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	uint8_t sector[VK_MBR_BYTES] = {0};
	uint8_t *entries = sector + VK_MBR_ENTRY_OFFSET;
	enum vk_status status;

	/* boot code and disk signature stay; what makes others take the disk for a file system does not */
	if (mbr->readable && !mbr->boot_sector)
		memcpy(sector, mbr->sector, VK_MBR_ENTRY_OFFSET);
	else if (mbr->boot_sector)
		vk_table_note(plan, "sector 0 is the boot sector of another file system; all of it is replaced");
	VK_EACH_PROPOSAL(p, plan) {
		struct vk_partition *part = &p->entry.partition;
		uint8_t *raw;

		if (part->logical)
			continue;
		if (part->number < 1 || part->number > 4)
			return vk_error_set(err, VK_INTERNAL, plan->source->path,
					    "a partition of the MBR has no number");
		raw = entries + (part->number - 1UL) * VK_MBR_ENTRY_BYTES;
		part->entry_offset_bytes = (uint64_t)(raw - sector);
		encode_entry(part->mbr_type, part->start_sector, part->sectors, 0, p->has_entry ? p->raw : NULL, raw);
		p->entry.bytes_exact = p->entry.bytes_exact && memcmp(raw, p->raw, sizeof(p->raw)) == 0;
	}
	if (plan->chain_stands || next_logical(plan, 0) != NULL) {
		if (mbr->extended_number < 1 || mbr->extended_number > 4)
			return vk_error_set(err, VK_INTERNAL, plan->source->path,
					    "the extended partition of the MBR has no number");
		plan_extended(plan, entries + (mbr->extended_number - 1UL) * VK_MBR_ENTRY_BYTES);
	}
	vk_put_le16(sector + VK_MBR_BYTES - 2, VK_MBR_SIGNATURE);
	/* what goes, or becomes what is usual, beside the entries of the plan, which speak for themselves */
	if (!mbr->readable || mbr->boot_sector)
		vk_table_doubt(plan, "boot code and disk signature of sector 0 become zeros: %s",
			       mbr->readable ? "what stands there is another system's"
					     : "what stands there cannot be read");
	for (unsigned n = 1; n <= 4 && mbr->readable; n++) {
		uint64_t at = VK_MBR_ENTRY_OFFSET + (n - 1) * VK_MBR_ENTRY_BYTES;

		if (!vk_all_zero(mbr->sector + at, VK_MBR_ENTRY_BYTES) &&
		    vk_all_zero(sector + at, VK_MBR_ENTRY_BYTES) &&
		    !vk_table_excluded(plan, mbr->mbr.entries[n - 1].firstLBA))
			vk_table_doubt(plan, "entry %u of sector 0 is removed: nothing confirms it", n);
	}
	status = vk_overlay_lay(plan->overlay, 0, sector, sizeof(sector), "MBR", VK_WRITE_MBR,
				&plan->out->parts[VK_TP_MBR].rewritten, err);
	judge_sector_0(plan);
	return status;
}

/* A GPT in front of the volumes of an MBR would be believed by others: its headers go. */
static enum vk_status clear_gpt(struct vk_table_plan *plan, struct vk_error *err)
{
	static const enum vk_table_part parts[] = {VK_TP_BACKUP_HEADER, VK_TP_PRIMARY_HEADER};
	static const uint8_t zeros[4096];
	uint32_t ss = plan->sector_size;
	enum vk_status status = VK_OK;

	if (plan->source->table.kind != VK_TABLE_GPT || !plan->gpt_judged)
		return VK_OK;
	for (size_t i = 0; i < 2 && status == VK_OK; i++) {
		const struct vk_gpt_copy *copy = &plan->source->table.gpt[i == 0];
		struct vk_table_part_verdict *part = &plan->out->parts[parts[i]];
		bool in_partition = copy->lba == 0;

		*part = plan->gpt.parts[parts[i]];
		if (!copy->present || part->offset_bytes != vk_mul_sat(copy->lba, ss))
			continue;
		part->state = VK_PART_STATE_FOREIGN;
		VK_EACH_PROPOSAL(p, plan)
			in_partition = in_partition ||
				       (copy->lba >= vk_proposal_start(p) && copy->lba < vk_proposal_end(p));
		if (in_partition) {
			vk_table_note(plan, "the %s lies in a partition and stays", vk_table_part_name(parts[i]));
			continue;
		}
		part->rewritten = true;
		vk_table_doubt(plan,
			       "the %s becomes zeros: it is taken for another system's table, which systems would "
			       "use instead of this one",
			       vk_table_part_name(parts[i]));
		status = vk_overlay_put(plan->overlay, part->offset_bytes, zeros, ss, "GPT that is in the way",
					i == 0 ? VK_WRITE_GPT_BACKUP : VK_WRITE_GPT_PRIMARY, err);
	}
	return status;
}

enum vk_status vk_table_put_mbr(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	enum vk_status status = vk_table_arrange_mbr(plan, err);

	for (size_t i = 0; i < plan->count && status == VK_OK; i++)
		status = set_type(plan, &plan->items[i], err);
	if (status == VK_OK && next_logical(plan, 0) != NULL &&
	    (mbr->extended_start > UINT32_MAX || mbr->extended_sectors > UINT32_MAX)) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "an MBR cannot list the extended partition at sector %llu of %llu sectors",
			     (ull)mbr->extended_start, (ull)mbr->extended_sectors);
		status = vk_error_remedy(err, "use --label gpt, or leave some out with --exclude SECTOR");
	}
	if (status == VK_OK)
		status = clear_gpt(plan, err);
	if (status == VK_OK)
		status = put_chain(plan, err);
	if (status == VK_OK)
		status = put_sector_0(plan, err);
	for (size_t i = 0; i < plan->count && status == VK_OK; i++)
		vk_table_planned(plan, &plan->items[i].entry);
	return status;
}
