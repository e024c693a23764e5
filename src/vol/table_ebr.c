/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of extended boot records. */
#include <stdlib.h>

#include "base/memory.h"
#include "vol/table_parts.h"

enum { FIRST_LOGICAL = 5 };

static void say_link(const struct vk_finding_sink *sink, enum vk_finding_code code, uint64_t at,
		const char *message, uint64_t lba)
{
	vk_finding_say(sink, code, at, VK_MBR_BYTES, vk_phrase("sector %llu", (unsigned long long)lba).text, NULL, "%s",
		       message);
}

static bool visited(const struct vk_table *table, uint64_t lba)
{
	for (size_t i = 0; i < table->ebr_count; i++)
		if (table->ebr_lbas[i] == lba)
			return true;
	return false;
}

static enum vk_status add_logical(struct vk_table *table, uint64_t ebr_lba, const struct vk_mbr *ebr)
{
	const struct vk_mbr_entry *e = &ebr->entries[0];
	unsigned number = FIRST_LOGICAL;
	struct vk_partition p = {
		.start_sector = ebr_lba + e->firstLBA,
		.sectors = e->sectors,
		.logical = true,
		.mbr_type = e->type,
		.entry_offset_bytes = ebr_lba * table->sector_size + VK_MBR_ENTRY_OFFSET,
	};

	if (!vk_mbr_entry_used(e))
		return VK_OK;
	for (size_t i = 0; i < table->partition_count; i++)
		if (table->partitions[i].logical)
			number++;
	p.number = number;
	return vk_append(&table->partitions, &table->partition_count, &p, sizeof(p)) != NULL ? VK_OK : VK_NOMEM;
}

/* start and sectors are 32-bit numbers of the MBR, so that no sum of them overflows 64 bits. */
static enum vk_status follow(struct vk_io *io, const struct vk_finding_sink *sink,
			     struct vk_table *table, uint64_t start, uint64_t sectors,
			     struct vk_error *err)
{
	uint64_t lba = start;

	for (;;) {
		const uint64_t at = lba * table->sector_size;
		uint8_t sector[VK_MBR_BYTES];
		struct vk_mbr ebr;
		enum vk_status status;
		size_t got;

		if (visited(table, lba)) {
			say_link(sink, VK_F_EBR_LOOP, at, "the chain of extended boot records returns to a link", lba);
			return VK_OK;
		}
		if (table->ebr_count == VK_EBR_MAX) {
			say_link(sink, VK_F_EBR_TOO_MANY, at, "the chain of extended boot records is too long", lba);
			return VK_OK;
		}
		table->ebr_lbas[table->ebr_count++] = lba;
		status = vk_io_read(io, at, sector, sizeof(sector), &got, err);
		if (status != VK_OK)
			return status;
		if (got < sizeof(sector)) {
			say_link(sink, VK_F_STRUCTURE_ABSENT, at, "an extended boot record lies outside the source",
				 lba);
			return VK_OK;
		}
		vk_mbr_decode(sector, got, &ebr);
		if (ebr.signature != VK_MBR_SIGNATURE) {
			say_link(sink, VK_F_EBR_SIGNATURE_MISSING, at, "an extended boot record has no signature", lba);
			return VK_OK;
		}
		status = add_logical(table, lba, &ebr);
		if (status != VK_OK || !vk_mbr_entry_used(&ebr.entries[1]))
			return status;
		lba = start + ebr.entries[1].firstLBA;
		if (lba == 0)
			return VK_OK;
		if (lba < start || lba >= start + sectors)
			say_link(sink, VK_F_EBR_OUTSIDE, at,
				 "an extended boot record points outside the extended partition", lba);
	}
}

enum vk_status vk_ebr_read(struct vk_io *io, const struct vk_finding_sink *sink,
			   struct vk_table *table, struct vk_error *err)
{
	table->ebr_lbas = calloc(VK_EBR_MAX, sizeof(*table->ebr_lbas));
	if (table->ebr_lbas == NULL)
		return VK_NOMEM;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &table->mbr.entries[i];

		if (vk_mbr_entry_used(e) && vk_mbr_type_is_extended(e->type))
			return follow(io, sink, table, e->firstLBA, e->sectors, err);
	}
	return VK_OK;
}
