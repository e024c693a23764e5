/* SPDX-License-Identifier: Apache-2.0 */
/* Sector 0 as it is, and what is left of a chain of extended boot records. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/table/plan.h"
#include "vmfskit/fat_boot.h"

enum {
	GAP_BYTES = 2 << 20,  /* how far in front of a partition its boot record is looked for */
	CANDIDATES_MAX = 128, /* more volumes than any disk has are not asked */
	PIECE_BYTES = 256 << 10
};

/* Boot sectors of file systems, which carry the same signature as an MBR. */
static bool is_boot_sector(const uint8_t sector[VK_MBR_BYTES])
{
	struct vk_fat_boot fat;
	size_t seen = vk_fat_boot_decode(sector, VK_MBR_BYTES, &fat);

	return memcmp(sector + 3, "NTFS    ", 8) == 0 || memcmp(sector + 3, "EXFAT   ", 8) == 0 ||
	       vk_fat_boot_usable(&fat, seen);
}

/* One partition in entry 1, nothing but the next link in entry 2. */
static bool is_ebr(const struct vk_table_plan *plan, uint64_t lba,
		   const uint8_t sector[VK_MBR_BYTES], const struct vk_mbr *record)
{
	const struct vk_mbr_entry *e = record->entries;

	if (record->signature != VK_MBR_SIGNATURE || lba == 0 || is_boot_sector(sector))
		return false;
	if (!vk_mbr_entry_used(&e[0]) || vk_mbr_type_is_extended(e[0].type) ||
	    e[0].type == VK_MBR_TYPE_PROTECTIVE || e[0].firstLBA == 0)
		return false;
	if (lba + e[0].firstLBA + e[0].sectors > plan->disk_sectors)
		return false;
	if (vk_mbr_entry_used(&e[1]) && !vk_mbr_type_is_extended(e[1].type))
		return false;
	return !vk_mbr_entry_used(&e[2]) && !vk_mbr_entry_used(&e[3]);
}

const struct vk_ebr *vk_mbr_now_ebr(const struct vk_mbr_now *mbr, uint64_t lba)
{
	for (size_t i = 0; i < mbr->ebr_count; i++)
		if (mbr->ebrs[i].lba == lba)
			return &mbr->ebrs[i];
	return NULL;
}

/* Keep the sector as a boot record when it is one; start 0: of any partition. */
static void keep_ebr(const struct vk_table_plan *plan, struct vk_mbr_now *mbr, uint64_t lba,
		     const uint8_t sector[VK_MBR_BYTES], uint64_t start)
{
	struct vk_mbr record;
	size_t at = 0;

	vk_mbr_decode(sector, VK_MBR_BYTES, &record);
	if (mbr->ebr_count == VK_EBR_MAX || !is_ebr(plan, lba, sector, &record) ||
	    (start != 0 && lba + record.entries[0].firstLBA != start) ||
	    vk_mbr_now_ebr(mbr, lba) != NULL)
		return;
	while (at < mbr->ebr_count && mbr->ebrs[at].lba < lba)
		at++;
	memmove(&mbr->ebrs[at + 1], &mbr->ebrs[at], (mbr->ebr_count - at) * sizeof(*mbr->ebrs));
	mbr->ebrs[at] = (struct vk_ebr){.lba = lba, .record = record};
	memcpy(mbr->ebrs[at].sector, sector, VK_MBR_BYTES);
	mbr->ebr_count++;
}

static enum vk_status look_at(const struct vk_table_plan *plan, struct vk_mbr_now *mbr, uint64_t lba,
			      struct vk_error *err)
{
	uint8_t sector[VK_MBR_BYTES];
	enum vk_status status;
	size_t got;

	if (lba == 0 || lba >= plan->disk_sectors)
		return VK_OK;
	status = vk_io_read(plan->source->io, lba * plan->sector_size, sector, sizeof(sector), &got,
			    err);
	if (status == VK_OK && got == sizeof(sector))
		keep_ebr(plan, mbr, lba, sector, 0);
	return status;
}

/* The sectors in front of a volume: one of them may lead to it. */
static enum vk_status look_in_front(const struct vk_table_plan *plan, struct vk_mbr_now *mbr,
				    uint64_t start, uint8_t *buf, struct vk_error *err)
{
	uint32_t ss = plan->sector_size;
	uint64_t gap = GAP_BYTES / ss;
	uint64_t lba = start > gap ? start - gap : 1;

	while (lba < start) {
		uint64_t n = vk_min_u64(PIECE_BYTES / ss, start - lba);
		size_t got;
		enum vk_status status =
			vk_io_read(plan->source->io, lba * ss, buf, (size_t)n * ss, &got, err);

		if (status != VK_OK)
			return status;
		for (uint64_t i = 0; i * ss + VK_MBR_BYTES <= got; i++)
			if (vk_get_le16(buf + i * ss + 510) == VK_MBR_SIGNATURE)
				keep_ebr(plan, mbr, lba + i, buf + i * ss, start);
		lba += n;
	}
	return VK_OK;
}

static enum vk_status look_before_volumes(const struct vk_table_plan *plan, struct vk_mbr_now *mbr,
					  struct vk_error *err)
{
	uint8_t *buf = malloc(PIECE_BYTES);
	enum vk_status status = VK_OK;

	if (buf == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < plan->find->count && i < CANDIDATES_MAX && status == VK_OK; i++) {
		const struct vk_candidate *c = &plan->find->candidates[i];

		if (!vk_standing_is_ghost(c->standing) && c->start_bytes % plan->sector_size == 0)
			status = look_in_front(plan, mbr, c->start_bytes / plan->sector_size, buf, err);
	}
	free(buf);
	return status;
}

/* Links count from the start of the extended partition. Where that is, two records that follow each other tell. */
static void derive_extended(struct vk_mbr_now *mbr)
{
	if (mbr->extended_start != 0)
		return;
	for (size_t i = 0; i + 1 < mbr->ebr_count; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];
		uint64_t next = mbr->ebrs[i + 1].lba;

		if (!vk_mbr_entry_used(link) || link->firstLBA >= next ||
		    next - link->firstLBA > mbr->ebrs[0].lba)
			continue;
		mbr->extended_start = next - link->firstLBA;
		return;
	}
}

static enum vk_status follow_links(const struct vk_table_plan *plan, struct vk_mbr_now *mbr,
				   struct vk_error *err)
{
	bool asked[VK_EBR_MAX] = {false};

	for (size_t i = 0; i < mbr->ebr_count; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];
		uint64_t base = mbr->extended_start != 0 ? mbr->extended_start : mbr->ebrs[0].lba;
		size_t before = mbr->ebr_count;
		enum vk_status status;

		if (asked[i] || !vk_mbr_entry_used(link))
			continue;
		asked[i] = true;
		status = look_at(plan, mbr, base + link->firstLBA, err);
		if (status != VK_OK)
			return status;
		/* the list is sorted: what was put in moved others, so begin again, at most once for each record */
		if (mbr->ebr_count != before) {
			memset(asked, 0, sizeof(asked));
			i = (size_t)-1;
		}
	}
	return VK_OK;
}

static enum vk_status read_chain(const struct vk_table_plan *plan, struct vk_mbr_now *mbr,
				 struct vk_error *err)
{
	const struct vk_table *table = &plan->source->table;
	enum vk_status status = VK_OK;

	mbr->ebrs = calloc(VK_EBR_MAX + 1, sizeof(*mbr->ebrs));
	if (mbr->ebrs == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < table->ebr_count && status == VK_OK; i++)
		status = look_at(plan, mbr, table->ebr_lbas[i], err);
	for (size_t k = 0; k < plan->options->known_count && status == VK_OK; k++) {
		const struct vk_table *known = &plan->options->known[k].source->table;

		for (size_t i = 0; i < known->ebr_count && status == VK_OK &&
				   known->sector_size == plan->sector_size; i++)
			status = look_at(plan, mbr, known->ebr_lbas[i], err);
	}
	if (status == VK_OK)
		status = look_before_volumes(plan, mbr, err);
	derive_extended(mbr);
	if (status == VK_OK)
		status = follow_links(plan, mbr, err);
	derive_extended(mbr);
	return status;
}

static void take_extended(struct vk_mbr_now *mbr)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &mbr->mbr.entries[i];

		if (!vk_mbr_entry_used(e) || !vk_mbr_type_is_extended(e->type) || e->firstLBA == 0)
			continue;
		mbr->extended_number = i + 1;
		mbr->extended_type = e->type;
		mbr->extended_start = e->firstLBA;
		mbr->extended_sectors = e->sectors;
		mbr->extended_exact = true;
		return;
	}
}

enum vk_status vk_mbr_now_read(const struct vk_table_plan *plan, struct vk_mbr_now *ret_mbr,
			       struct vk_error *err)
{
	struct vk_mbr_now mbr = {.extended_number = 0};
	size_t got;
	enum vk_status status =
		vk_io_read(plan->source->io, 0, mbr.sector, sizeof(mbr.sector), &got, err);

	if (status != VK_OK)
		return status;
	mbr.readable = got == sizeof(mbr.sector);
	vk_mbr_decode(mbr.sector, got, &mbr.mbr);
	mbr.blank = vk_all_zero(mbr.sector + VK_MBR_ENTRY_OFFSET, VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET);
	mbr.protective = vk_mbr_is_protective(&mbr.mbr);
	mbr.boot_sector = mbr.readable && is_boot_sector(mbr.sector);
	if (plan->source->table.mbr_used && !mbr.protective && !mbr.boot_sector)
		take_extended(&mbr);
	status = read_chain(plan, &mbr, err);
	if (status == VK_OK)
		*ret_mbr = mbr;
	else
		vk_mbr_now_free(&mbr);
	return status;
}

void vk_mbr_now_free(struct vk_mbr_now *mbr)
{
	free(mbr->ebrs);
	memset(mbr, 0, sizeof(*mbr));
}
