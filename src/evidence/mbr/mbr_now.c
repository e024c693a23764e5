/* SPDX-License-Identifier: Apache-2.0 */
/* Reads sector 0, and what is left of a chain of extended boot records. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/mbr/mbr_now.h"
#include "vmfskit/fat_boot.h"

enum {
	GAP_BYTES = 2 << 20, /* how far in front of a partition its boot record is looked for */
	STARTS_MAX = 128,    /* more volumes than any disk has are not asked */
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
static bool is_ebr(const struct vk_source *source, uint64_t lba, const uint8_t sector[VK_MBR_BYTES],
		   const struct vk_mbr *record)
{
	const struct vk_mbr_entry *e = record->entries;

	return record->signature == VK_MBR_SIGNATURE && lba != 0 && !is_boot_sector(sector) &&
	       vk_mbr_entry_used(&e[0]) && !vk_mbr_type_is_extended(e[0].type) && e[0].type != VK_MBR_TYPE_PROTECTIVE &&
	       e[0].firstLBA != 0 && lba + e[0].firstLBA + e[0].sectors <= source->table.disk_sectors &&
	       (!vk_mbr_entry_used(&e[1]) || vk_mbr_type_is_extended(e[1].type)) && !vk_mbr_entry_used(&e[2]) &&
	       !vk_mbr_entry_used(&e[3]);
}

const struct vk_ebr *vk_mbr_now_ebr(const struct vk_mbr_now *mbr, uint64_t lba)
{
	for (size_t i = 0; i < mbr->ebr_count; i++)
		if (mbr->ebrs[i].lba == lba)
			return &mbr->ebrs[i];
	return NULL;
}

/* Keep the sector as a boot record when it is one; start 0: of any partition. */
static void keep_ebr(const struct vk_source *source, struct vk_mbr_now *mbr, uint64_t lba,
		     const uint8_t sector[VK_MBR_BYTES], uint64_t start)
{
	struct vk_ebr ebr = {.lba = lba};
	size_t at = 0;

	vk_mbr_decode(sector, VK_MBR_BYTES, &ebr.record);
	if (mbr->ebr_count == VK_EBR_MAX || !is_ebr(source, lba, sector, &ebr.record) ||
	    (start != 0 && lba + ebr.record.entries[0].firstLBA != start) || vk_mbr_now_ebr(mbr, lba) != NULL)
		return;
	memcpy(ebr.sector, sector, VK_MBR_BYTES);
	while (at < mbr->ebr_count && mbr->ebrs[at].lba < lba)
		at++;
	memmove(&mbr->ebrs[at + 1], &mbr->ebrs[at], (mbr->ebr_count - at) * sizeof(*mbr->ebrs));
	mbr->ebrs[at] = ebr;
	mbr->ebr_count++;
}

static enum vk_status read_ebr(const struct vk_source *source, struct vk_mbr_now *mbr, uint64_t lba,
			       struct vk_error *err)
{
	uint8_t sector[VK_MBR_BYTES];
	enum vk_status status;
	size_t got;

	if (lba == 0 || lba >= source->table.disk_sectors)
		return VK_OK;
	status = vk_io_read(source->io, lba * source->table.sector_size, sector, sizeof(sector), &got, err);
	if (status == VK_OK && got == sizeof(sector))
		keep_ebr(source, mbr, lba, sector, 0);
	return status;
}

/* The sectors in front of volumes: one of them may lead to each. */
static enum vk_status search_before_starts(const struct vk_source *source, struct vk_mbr_now *mbr,
					   const struct vk_known_start *starts, size_t count, struct vk_error *err)
{
	uint32_t ss = source->table.sector_size;
	uint8_t *buf = malloc(PIECE_BYTES);
	enum vk_status status = VK_OK;

	if (buf == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < count && i < STARTS_MAX; i++) {
		uint64_t start = starts[i].bytes / ss, gap = GAP_BYTES / ss, n;

		if (starts[i].bytes % ss != 0)
			continue;
		for (uint64_t lba = start > gap ? start - gap : 1; lba < start && status == VK_OK; lba += n) {
			size_t got = 0;

			n = vk_min_u64(PIECE_BYTES / ss, start - lba);
			status = vk_io_read(source->io, lba * ss, buf, (size_t)n * ss, &got, err);
			for (uint64_t k = 0; status == VK_OK && k * ss + VK_MBR_BYTES <= got; k++)
				if (vk_get_le16(buf + k * ss + VK_MBR_BYTES - 2) == VK_MBR_SIGNATURE)
					keep_ebr(source, mbr, lba + k, buf + k * ss, start);
		}
	}
	free(buf);
	return status;
}

/* Links count from the start of the extended partition. Where that is, two records that follow each other tell. */
static void derive_extended(struct vk_mbr_now *mbr)
{
	for (size_t i = 0; i + 1 < mbr->ebr_count && mbr->extended_start == 0; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];
		uint64_t next = mbr->ebrs[i + 1].lba;

		if (vk_mbr_entry_used(link) && link->firstLBA < next && next - link->firstLBA <= mbr->ebrs[0].lba)
			mbr->extended_start = next - link->firstLBA;
	}
}

static enum vk_status follow_links(const struct vk_source *source, struct vk_mbr_now *mbr, struct vk_error *err)
{
	for (size_t i = 0; i < mbr->ebr_count; i++) {
		const struct vk_mbr_entry *link = &mbr->ebrs[i].record.entries[1];
		size_t before = mbr->ebr_count;
		enum vk_status status = VK_OK;

		if (vk_mbr_entry_used(link))
			status = read_ebr(source, mbr, vk_mbr_now_base(mbr) + link->firstLBA, err);
		if (status != VK_OK)
			return status;
		/* the list is sorted: what was put in moved others, so begin again, at most once for each record */
		if (mbr->ebr_count != before)
			i = (size_t)-1;
	}
	return VK_OK;
}

static enum vk_status read_sector_0(const struct vk_source *source, struct vk_mbr_now *mbr, struct vk_error *err)
{
	size_t got;
	enum vk_status status = vk_io_read(source->io, 0, mbr->sector, sizeof(mbr->sector), &got, err);

	if (status != VK_OK)
		return status;
	mbr->readable = got == sizeof(mbr->sector);
	vk_mbr_decode(mbr->sector, got, &mbr->mbr);
	mbr->blank = vk_all_zero(mbr->sector + VK_MBR_ENTRY_OFFSET, VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET);
	mbr->protective = vk_mbr_is_protective(&mbr->mbr);
	mbr->boot_sector = mbr->readable && is_boot_sector(mbr->sector);
	for (unsigned i = 0; i < 4 && source->table.mbr_used && !mbr->protective && !mbr->boot_sector; i++) {
		const struct vk_mbr_entry *e = &mbr->mbr.entries[i];

		if (mbr->extended_number != 0 || !vk_mbr_entry_used(e) || !vk_mbr_type_is_extended(e->type) ||
		    e->firstLBA == 0)
			continue;
		mbr->extended_number = i + 1;
		mbr->extended_type = e->type;
		mbr->extended_start = e->firstLBA;
		mbr->extended_sectors = e->sectors;
		mbr->extended_exact = true;
	}
	return VK_OK;
}

enum vk_status vk_mbr_now_read(const struct vk_source *source, const struct vk_known_start *starts, size_t start_count,
			       const uint64_t *lbas, size_t lba_count, struct vk_mbr_now *ret_mbr, struct vk_error *err)
{
	const struct vk_table *table = &source->table;
	struct vk_mbr_now mbr = {.ebrs = calloc(VK_EBR_MAX + 1, sizeof(*mbr.ebrs))};
	enum vk_status status = mbr.ebrs == NULL ? vk_no_memory(err, NULL) : read_sector_0(source, &mbr, err);

	for (size_t i = 0; i < table->ebr_count && status == VK_OK; i++)
		status = read_ebr(source, &mbr, table->ebr_lbas[i], err);
	for (size_t i = 0; i < lba_count && status == VK_OK; i++)
		status = read_ebr(source, &mbr, lbas[i], err);
	if (status == VK_OK)
		status = search_before_starts(source, &mbr, starts, start_count, err);
	derive_extended(&mbr);
	if (status == VK_OK)
		status = follow_links(source, &mbr, err);
	derive_extended(&mbr);
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
