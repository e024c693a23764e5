/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as an MBR with its chain of extended boot records, on the overlay. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "io/write_class.h"
#include "rebuild/table/plan.h"

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

	if (p->entry.candidate != SIZE_MAX)
		type = VK_MBR_TYPE_VMFS;
	else if (part->gpt && !vk_table_type_to_mbr(&part->entry.typeGUID, &type))
		return vk_error_set(err, VK_USAGE, plan->source->path,
				    "An MBR has no type for the partition at sector %llu", (ull)part->start_sector);
	if (part->gpt || !p->has_entry) {
		p->has_entry = false;
		p->entry.bytes_exact = false;
	}
	part->mbr_type = type;
	part->gpt = false;
	memset(&part->entry, 0, sizeof(part->entry));
	if (part->start_sector <= UINT32_MAX && part->sectors <= UINT32_MAX)
		return VK_OK;
	return vk_error_set(err, VK_USAGE, plan->source->path,
			    "An MBR cannot name the partition at sector %llu of %llu sectors", (ull)part->start_sector,
			    (ull)part->sectors);
}

/* What stands in sector lba; false: it cannot be read. */
static bool read_record(const struct vk_table_plan *plan, uint64_t lba, uint8_t ret_record[VK_MBR_BYTES])
{
	size_t got = 0;

	memset(ret_record, 0, VK_MBR_BYTES);
	return vk_io_read(plan->source->io, vk_mul_sat(lba, plan->sector_size), ret_record, VK_MBR_BYTES, &got, NULL) ==
		       VK_OK &&
	       got == VK_MBR_BYTES;
}

/* Where nothing says that a boot record stood, only an empty sector is taken for one. */
static enum vk_status refuse_place(const struct vk_table_plan *plan, const struct vk_proposal *p, struct vk_error *err)
{
	vk_error_set(err, VK_REFUSED, plan->source->path,
		     "Sector %llu, where the boot record of the partition at sector %llu would be put, is not empty, "
		     "and nothing says "
		     "that one stood there",
		     (ull)p->ebr_lba, vk_proposal_start(p));
	vk_error_at(err, p->ebr_lba * plan->sector_size);
	vk_error_remedy(
		err,
		"look at what lies there; --label gpt needs no boot records, --exclude %llu leaves the partition out",
		vk_proposal_start(p));
	return VK_REFUSED;
}

/* The entries of a boot record that are put anew, beside those that stand: which of them nobody knows. */
static void doubt_record(struct vk_table_plan *plan, const struct vk_proposal *p, const uint8_t *stood,
			 const uint8_t *entries)
{
	const uint8_t *then = stood + VK_MBR_ENTRY_OFFSET;
	bool entry = memcmp(entries, then, VK_MBR_ENTRY_BYTES) == 0 || p->entry.bytes_exact;

	if (entry && memcmp(entries + VK_MBR_ENTRY_BYTES, then + VK_MBR_ENTRY_BYTES, 3 * VK_MBR_ENTRY_BYTES) == 0)
		return;
	vk_table_doubt(plan,
		       "The boot record in sector %llu of the partition at sector %llu: boot flag, heads and sectors, "
		       "and how long its "
		       "link is, are what is usual",
		       (ull)p->ebr_lba, vk_proposal_start(p));
}

static bool leads_to(const uint8_t link[VK_MBR_ENTRY_BYTES], uint64_t first)
{
	struct vk_mbr_entry e;

	vk_layout_decode(&vk_mbr_entry_layout, link, VK_MBR_ENTRY_BYTES, &e);
	return vk_mbr_entry_used(&e) && vk_mbr_type_is_extended(e.type) && e.firstLBA == first;
}

static enum vk_status put_ebr(struct vk_table_plan *plan, size_t index, bool *ret_changed, struct vk_error *err)
{
	struct vk_proposal *p = &plan->items[index];
	const struct vk_proposal *next = next_logical(plan, index + 1);
	const struct vk_ebr *now = vk_mbr_now_ebr(&plan->mbr, p->ebr_lba);
	uint8_t stood[VK_MBR_BYTES], record[VK_MBR_BYTES];
	uint8_t *entries = record + VK_MBR_ENTRY_OFFSET;
	uint8_t *link = entries + VK_MBR_ENTRY_BYTES;
	uint64_t base = plan->mbr.extended_start;
	bool read = read_record(plan, p->ebr_lba, stood);

	if (now == NULL && !p->ebr_exact && (!read || !vk_all_zero(stood, sizeof(stood))))
		return refuse_place(plan, p, err);
	memcpy(record, stood, sizeof(record));
	encode_entry(p->entry.partition.mbr_type, vk_proposal_start(p), p->entry.partition.sectors, p->ebr_lba,
		     now == NULL && p->has_entry ? p->raw : stood + VK_MBR_ENTRY_OFFSET, entries);
	p->entry.bytes_exact = p->entry.bytes_exact && memcmp(entries, p->raw, sizeof(p->raw)) == 0;
	p->entry.partition.entry_offset_bytes = p->ebr_lba * plan->sector_size + VK_MBR_ENTRY_OFFSET;
	/* some write the length of the next partition here, some that of all that follow: a link that leads there stays
	 */
	if (next == NULL)
		memset(link, 0, VK_MBR_ENTRY_BYTES);
	else if (!leads_to(link, next->ebr_lba - base))
		encode_entry(0x05, next->ebr_lba, vk_proposal_end(next) - next->ebr_lba, base, NULL, link);
	memset(entries + 2 * VK_MBR_ENTRY_BYTES, 0, 2 * VK_MBR_ENTRY_BYTES);
	vk_put_le16(record + VK_MBR_BYTES - 2, VK_MBR_SIGNATURE);
	doubt_record(plan, p, stood, entries);
	return vk_overlay_lay(plan->overlay, p->ebr_lba * plan->sector_size, record, sizeof(record),
			      "extended boot record", VK_WRITE_EBR, ret_changed, err);
}

static void keep_chain(struct vk_table_plan *plan, struct vk_table_part_verdict *part)
{
	part->state = plan->chain_whole ? VK_PART_STATE_CONSISTENT : VK_PART_STATE_DAMAGED;
	part->offset_bytes = plan->mbr.extended_start * plan->sector_size;
	part->length_bytes = VK_MBR_BYTES;
	strcpy(part->why, plan->chain_whole ? "nothing contradicts it; it has no checksum" : "the chain breaks off");
	if (plan->chain_whole)
		return;
	vk_table_lost(
		plan,
		"The chain of boot records in the extended partition at sector %llu is broken, and nothing tells which "
		"logical partitions it led to",
		(ull)plan->mbr.extended_start);
}

static enum vk_status put_chain(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_table_part_verdict *part = &plan->out->parts[VK_TP_EBR];
	size_t wanted = 0, there = 0;
	enum vk_status status = VK_OK;

	if (plan->chain_stands) {
		keep_chain(plan, part);
		return VK_OK;
	}
	if (plan->mbr.extended_exact && !plan->chain_whole)
		vk_table_note(plan,
			      "The chain of the extended partition was broken: logical partitions of other systems "
			      "may have been in it that nothing tells of");
	for (size_t i = 0; i < plan->count && status == VK_OK; i++) {
		bool changed = false;

		if (!plan->items[i].entry.partition.logical)
			continue;
		wanted++;
		status = put_ebr(plan, i, &changed, err);
		there += vk_mbr_now_ebr(&plan->mbr, plan->items[i].ebr_lba) != NULL;
		part->rewritten = part->rewritten || changed;
	}
	if (status != VK_OK || wanted == 0)
		return status;
	/* links that lead from the start of the extended partition to the last leave no doubt about the numbers */
	for (size_t i = 0; i < plan->count && !part->rewritten; i++)
		if (plan->items[i].entry.partition.logical && (wanted > 1 || plan->mbr.extended_exact))
			plan->items[i].entry.number_exact = true;
	part->offset_bytes = plan->mbr.extended_start * plan->sector_size;
	part->length_bytes = VK_MBR_BYTES;
	part->state = plan->mbr.ebr_count == 0 ? VK_PART_STATE_LOST
		      : part->rewritten        ? VK_PART_STATE_DAMAGED
					       : VK_PART_STATE_CONSISTENT;
	strcpy(part->why, "nothing contradicts it; it has no checksum");
	if (part->state != VK_PART_STATE_CONSISTENT) {
		struct vk_text text;

		vk_text_init(&text, part->why, sizeof(part->why));
		vk_text_fmt(&text, "%zu of %zu boot records of the chain are in their places", there, wanted);
	}
	return VK_OK;
}

static void plan_extended(struct vk_table_plan *plan, uint8_t *raw)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct vk_planned_entry e = {
		.partition = {.number = mbr->extended_number,
			      .start_sector = mbr->extended_start,
			      .sectors = mbr->extended_sectors,
			      .mbr_type = mbr->extended_type,
			      .entry_offset_bytes =
				      VK_MBR_ENTRY_OFFSET + (mbr->extended_number - 1ULL) * VK_MBR_ENTRY_BYTES},
		.origin = mbr->extended_exact ? VK_ENTRY_KEPT : VK_ENTRY_MBR,
		.length_said = mbr->extended_exact,
		.number_exact = mbr->extended_exact,
		.candidate = SIZE_MAX,
	};
	struct vk_text text;

	vk_text_init(&text, e.why, sizeof(e.why));
	vk_text_put(&text,
		    mbr->extended_exact ? "as it stands" : "holds the logical partitions; it may have been longer");
	encode_entry(mbr->extended_type, mbr->extended_start, mbr->extended_sectors, 0,
		     mbr->extended_exact ? mbr->sector + e.partition.entry_offset_bytes : NULL, raw);
	vk_table_planned(plan, &e);
}

static enum vk_status check_extended(const struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_mbr_now *mbr = &plan->mbr;

	if (next_logical(plan, 0) == NULL || (mbr->extended_start <= UINT32_MAX && mbr->extended_sectors <= UINT32_MAX))
		return VK_OK;
	vk_error_set(err, VK_USAGE, plan->source->path,
		     "An MBR cannot name the extended partition at sector %llu of %llu sectors",
		     (ull)mbr->extended_start, (ull)mbr->extended_sectors);
	return vk_error_remedy(err, "use --label gpt, or leave some out with --exclude SECTOR");
}

static void judge_sector_0(struct vk_table_plan *plan)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	struct vk_table_part_verdict *part = &plan->out->parts[VK_TP_MBR];
	const char *why = "nothing contradicts it; it has no checksum";
	struct vk_text text;

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
	vk_text_init(&text, part->why, sizeof(part->why));
	vk_text_put(&text, why);
}

/* Every primary partition lies in one of the four places. */
static bool numbers_fit(const struct vk_table_plan *plan, bool has_extended)
{
	bool fit = !has_extended || (plan->mbr.extended_number >= 1 && plan->mbr.extended_number <= 4);

	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_partition *part = &plan->items[i].entry.partition;

		fit = fit && (part->logical || (part->number >= 1 && part->number <= 4));
	}
	return fit;
}

/* What of sector 0 goes, or becomes what is usual, beside the entries of the plan, which speak for themselves. */
static void doubt_sector_0(struct vk_table_plan *plan, const uint8_t *sector)
{
	const struct vk_mbr_now *mbr = &plan->mbr;

	if (!mbr->readable || mbr->boot_sector)
		vk_table_doubt(plan, "Boot code and disk signature of sector 0 become zeros: %s",
			       mbr->readable ? "what stands there is another system's"
					     : "what stands there cannot be read");
	for (unsigned n = 1; n <= 4 && mbr->readable; n++) {
		uint64_t at = VK_MBR_ENTRY_OFFSET + (n - 1) * VK_MBR_ENTRY_BYTES;

		if (!vk_all_zero(mbr->sector + at, VK_MBR_ENTRY_BYTES) &&
		    vk_all_zero(sector + at, VK_MBR_ENTRY_BYTES) &&
		    !vk_table_listed(plan->options->exclude_sectors, plan->options->exclude_count,
				     mbr->mbr.entries[n - 1].firstLBA))
			vk_table_doubt(plan, "Entry %u of sector 0 goes: nothing confirms it", n);
	}
}

static enum vk_status put_sector_0(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	bool has_extended = plan->chain_stands || next_logical(plan, 0) != NULL;
	uint8_t sector[VK_MBR_BYTES] = {0};
	uint8_t *entries = sector + VK_MBR_ENTRY_OFFSET;
	enum vk_status status;

	if (!numbers_fit(plan, has_extended))
		return vk_error_set(err, VK_INTERNAL, plan->source->path, "A partition of the MBR has no number");
	/* boot code and disk signature stay; what makes others take the disk for a file system does not */
	if (mbr->readable && !mbr->boot_sector)
		memcpy(sector, mbr->sector, VK_MBR_ENTRY_OFFSET);
	else if (mbr->boot_sector)
		vk_table_note(plan, "Sector 0 is the boot sector of another file system; all of it is replaced");
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_proposal *p = &plan->items[i];
		struct vk_partition *part = &p->entry.partition;

		if (part->logical)
			continue;
		part->entry_offset_bytes = VK_MBR_ENTRY_OFFSET + (part->number - 1ULL) * VK_MBR_ENTRY_BYTES;
		encode_entry(part->mbr_type, part->start_sector, part->sectors, 0, p->has_entry ? p->raw : NULL,
			     sector + part->entry_offset_bytes);
		p->entry.bytes_exact = p->entry.bytes_exact &&
				       memcmp(sector + part->entry_offset_bytes, p->raw, sizeof(p->raw)) == 0;
	}
	if (has_extended)
		plan_extended(plan, entries + (plan->mbr.extended_number - 1UL) * VK_MBR_ENTRY_BYTES);
	vk_put_le16(sector + VK_MBR_BYTES - 2, VK_MBR_SIGNATURE);
	doubt_sector_0(plan, sector);
	status = vk_overlay_lay(plan->overlay, 0, sector, sizeof(sector), "MBR", VK_WRITE_MBR,
				&plan->out->parts[VK_TP_MBR].rewritten, err);
	judge_sector_0(plan);
	return status;
}

/* A GPT in front of the volumes of an MBR would be believed by others: its headers go. */
static enum vk_status clear_gpt(struct vk_table_plan *plan, struct vk_error *err)
{
	static const enum vk_table_part parts[] = {VK_TP_BACKUP_HEADER, VK_TP_PRIMARY_HEADER};
	uint8_t *zeros;
	enum vk_status status = VK_OK;

	if (plan->source->table.kind != VK_TABLE_GPT || !plan->gpt_judged)
		return VK_OK;
	zeros = calloc(1, plan->sector_size);
	if (zeros == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < 2 && status == VK_OK; i++) {
		struct vk_table_part_verdict *part = &plan->out->parts[parts[i]];
		uint64_t lba;

		*part = plan->gpt.parts[parts[i]];
		lba = part->offset_bytes / plan->sector_size;
		if (!plan->source->table.gpt[i == 0].present || part->offset_bytes % plan->sector_size != 0 ||
		    lba != plan->source->table.gpt[i == 0].lba)
			continue;
		part->state = VK_PART_STATE_FOREIGN;
		for (size_t k = 0; k < plan->count && lba != 0; k++)
			if (lba >= plan->items[k].entry.partition.start_sector &&
			    lba < vk_proposal_end(&plan->items[k]))
				lba = 0;
		if (lba == 0) {
			vk_table_note(plan, "The %s lies in a partition and stays", vk_table_part_name(parts[i]));
			continue;
		}
		part->rewritten = true;
		vk_table_doubt(
			plan,
			"The %s becomes zeros: another system's table, it is taken, would be believed before this one",
			vk_table_part_name(parts[i]));
		status = vk_overlay_put(plan->overlay, part->offset_bytes, zeros, plan->sector_size,
					"GPT that is in the way", i == 0 ? VK_WRITE_GPT_BACKUP : VK_WRITE_GPT_PRIMARY,
					err);
	}
	free(zeros);
	return status;
}

enum vk_status vk_table_put_mbr(struct vk_table_plan *plan, struct vk_error *err)
{
	enum vk_status status = vk_table_arrange_mbr(plan, err);

	for (size_t i = 0; i < plan->count && status == VK_OK; i++)
		status = set_type(plan, &plan->items[i], err);
	if (status == VK_OK)
		status = check_extended(plan, err);
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
