/* SPDX-License-Identifier: Apache-2.0 */
/* The two copies of a GPT: reading each on its own, comparing them. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vol/table_parts.h"

/* Header and entries match their checksums and are in order. */
static bool copy_sound(const struct vk_gpt_copy *copy, uint32_t sector_size)
{
	/* the last sector is not named here: a grown disk does not make a copy unsound */
	return vk_gpt_header_faults(copy->sector, sector_size, copy->lba, 0) == 0 &&
	       vk_crc32(0, copy->array, vk_gpt_entries_bytes(&copy->header)) == copy->header.entriesCRC32;
}

bool vk_gpt_copy_proved(const struct vk_gpt_copy *copy, uint32_t sector_size)
{
	unsigned faults = copy->present && copy->seen_bytes >= sector_size
				  ? vk_gpt_header_faults(copy->sector, sector_size, copy->lba, 0)
				  : VK_GPT_FAULT_SIGNATURE;

	return copy->signature_lost ? copy->header.myLBA == copy->lba
				    : (faults & (VK_GPT_FAULTS_OF_BYTES | VK_GPT_FAULT_MY_LBA)) == 0;
}

static enum vk_status read_array(struct vk_io *io, uint32_t sector_size, struct vk_gpt_copy *copy,
				 struct vk_error *err)
{
	uint32_t bytes = vk_gpt_entries_bytes(&copy->header);
	enum vk_status status;
	uint64_t at;
	size_t got;

	if (bytes == 0 || !vk_mul_u64(copy->header.entriesLBA, sector_size, &at))
		return VK_OK;
	copy->array = malloc(bytes);
	if (copy->array == NULL)
		return vk_no_memory(err, vk_io_name(io));
	status = vk_io_read(io, at, copy->array, bytes, &got, err);
	copy->usable = status == VK_OK && got == bytes;
	copy->unreadable = got < bytes && vk_io_span(io, at + got).state == VK_SPAN_UNREADABLE;
	if (!copy->usable) {
		free(copy->array);
		copy->array = NULL;
	}
	return status;
}

enum vk_status vk_gpt_copy_read(struct vk_io *io, uint32_t sector_size, uint64_t lba,
				struct vk_gpt_copy *ret_copy, struct vk_error *err)
{
	struct vk_gpt_copy copy = {.lba = lba};
	enum vk_status status;
	uint64_t at;

	*ret_copy = copy;
	if (!vk_mul_u64(lba, sector_size, &at))
		return VK_OK;
	copy.sector = calloc(1, sector_size);
	if (copy.sector == NULL)
		return vk_no_memory(err, vk_io_name(io));
	status = vk_io_read(io, at, copy.sector, sector_size, &copy.seen_bytes, err);
	copy.unreadable = copy.seen_bytes < sector_size &&
			  vk_io_span(io, at + copy.seen_bytes).state == VK_SPAN_UNREADABLE;
	copy.signature_lost = status == VK_OK && copy.seen_bytes == sector_size &&
			      vk_gpt_signature_lost(copy.sector, sector_size);
	copy.present = copy.signature_lost || (status == VK_OK && vk_gpt_has_signature(copy.sector, copy.seen_bytes));
	if (copy.present) {
		vk_gpt_header_decode(copy.sector, copy.seen_bytes, &copy.header);
		if (copy.seen_bytes == sector_size)
			status = read_array(io, sector_size, &copy, err);
	}
	if (copy.usable)
		copy.sound = copy_sound(&copy, sector_size);
	if (status == VK_OK)
		*ret_copy = copy;
	else
		vk_gpt_copy_free(&copy);
	return status;
}

/*
 * Who makes another table takes away the signatures of the old one (sfdisk, parted), and who makes a file system on the
 * whole disk writes over sector 1: what stays of a GPT then is none.
 */
void vk_gpt_drop_unsigned(struct vk_table *table)
{
	bool replaced = (table->mbr_used && !vk_mbr_is_protective(&table->mbr)) || !table->gpt[0].present;

	for (int i = 0; i < 2; i++) {
		struct vk_gpt_copy *copy = &table->gpt[i];

		if (!copy->signature_lost || !replaced)
			continue;
		free(copy->array);
		copy->array = NULL;
		copy->present = copy->usable = copy->signature_lost = false;
		memset(&copy->header, 0, sizeof(copy->header));
	}
}

bool vk_table_signatures_lost(const struct vk_table *table)
{
	return table->kind == VK_TABLE_GPT && table->gpt_chosen >= 0 && table->gpt[table->gpt_chosen].signature_lost &&
	       (table->gpt[1].signature_lost || !table->gpt[1].present);
}

void vk_gpt_copy_free(struct vk_gpt_copy *copy)
{
	free(copy->sector);
	free(copy->array);
	memset(copy, 0, sizeof(*copy));
}

static void check_copy(const struct vk_table *table, int which, bool device, const struct vk_finding_sink *sink)
{
	const struct vk_gpt_copy *copy = &table->gpt[which];
	uint64_t last = table->disk_sectors == 0 ? 0 : table->disk_sectors - 1;

	/* what could not be read is said as that; what the source does not hold, of a disk that may, is not missing */
	if (!copy->present && !copy->unreadable && (copy->seen_bytes >= 8 || device))
		vk_finding_say(sink, which == 0 ? VK_F_GPT_PRIMARY_MISSING : VK_F_GPT_BACKUP_MISSING,
			       vk_mul_sat(copy->lba, table->sector_size), table->sector_size,
			       vk_phrase(copy->seen_bytes >= 8 ? "no signature in sector %llu"
							       : "sector %llu is not in the source",
					 (unsigned long long)copy->lba)
				       .text,
			       VK_GPT_SIGNATURE, "the %s GPT header is not there", which == 0 ? "primary" : "backup");
	if (copy->present && copy->seen_bytes >= table->sector_size &&
	    vk_gpt_header_check(copy->sector, table->sector_size, copy->lba, last, sink) && copy->usable)
		vk_gpt_entries_check(&copy->header, copy->array, copy->header.entriesLBA * table->sector_size, sink);
}

void vk_gpt_copies_check(const struct vk_table *table, bool complete, bool device,
			 const struct vk_finding_sink *sink)
{
	const struct vk_gpt_copy *a = &table->gpt[0], *b = &table->gpt[1];
	uint32_t bytes = vk_gpt_entries_bytes(&a->header), other = vk_gpt_entries_bytes(&b->header);

	if (table->mbr_seen_bytes >= VK_MBR_BYTES &&
	    (!vk_mbr_is_protective(&table->mbr) || table->mbr.signature != VK_MBR_SIGNATURE))
		vk_finding_say(sink, VK_F_GPT_PROTECTIVE_MBR, 0, VK_MBR_BYTES, NULL, "55 aa, and an entry of type ee",
			       vk_mbr_is_protective(&table->mbr)
				       ? "only the last two bytes of the protective MBR are gone"
				       : "sector 0 is not a protective MBR");
	check_copy(table, 0, device, sink);
	if (complete || b->present)
		check_copy(table, 1, device, sink);
	if (a->usable && b->usable && (bytes != other || memcmp(a->array, b->array, bytes) != 0))
		vk_finding_say(sink, VK_F_GPT_COPIES_DIFFER, a->header.entriesLBA * table->sector_size, bytes,
			       vk_phrase("entries CRC 0x%08x", vk_crc32(0, a->array, bytes)).text,
			       vk_phrase("entries CRC 0x%08x as in the backup", vk_crc32(0, b->array, other)).text,
			       "the two copies of the GPT differ");
}

enum vk_status vk_gpt_add_entries(struct vk_table *table)
{
	const struct vk_gpt_copy *copy;

	if (table->gpt_chosen < 0)
		return VK_OK;
	copy = &table->gpt[table->gpt_chosen];
	for (uint32_t i = 0; i < copy->header.numEntries; i++) {
		uint64_t at = (uint64_t)i * copy->header.entrySize;
		struct vk_partition p = {.number = i + 1, .gpt = true};

		vk_gpt_entry_decode(copy->array + at, copy->header.entrySize, &p.entry);
		if (vk_guid_is_nil(&p.entry.typeGUID) || p.entry.lastLBA < p.entry.firstLBA)
			continue;
		p.start_sector = p.entry.firstLBA;
		p.sectors = vk_add_sat(p.entry.lastLBA - p.entry.firstLBA, 1);
		p.entry_offset_bytes =
			vk_add_sat(vk_mul_sat(copy->header.entriesLBA, table->sector_size), at);
		if (vk_append(&table->partitions, &table->partition_count, &p, sizeof(p)) == NULL)
			return VK_NOMEM;
	}
	return VK_OK;
}
