/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table of a disk: reads every copy on its own, then decides which one counts. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vmfskit/table.h"
#include "vol/table_parts.h"

const char *vk_table_kind_name(enum vk_table_kind kind)
{
	static const char *const names[] = {"none", "mbr", "gpt"};

	return names[kind];
}

void vk_partition_type(const struct vk_partition *partition, char ret_type[VK_GUID_TEXT_BYTES],
		       const char **ret_name)
{
	struct vk_text text = vk_text_in(ret_type, VK_GUID_TEXT_BYTES);

	if (partition->gpt) {
		vk_guid_format(&partition->entry.typeGUID, ret_type);
		*ret_name = vk_gpt_type_name(&partition->entry.typeGUID);
		return;
	}
	vk_text_fmt(&text, "%02x", partition->mbr_type);
	*ret_name = vk_mbr_type_name(partition->mbr_type);
}

bool vk_partition_is_vmfs(const struct vk_partition *partition)
{
	return partition->gpt ? vk_gpt_type_is_vmfs(&partition->entry.typeGUID)
			      : partition->mbr_type == VK_MBR_TYPE_VMFS;
}

bool vk_partition_is_extended(const struct vk_partition *partition)
{
	return !partition->gpt && vk_mbr_type_is_extended(partition->mbr_type);
}

static enum vk_status read_copies(struct vk_io *io, bool complete, struct vk_table *table,
				  struct vk_error *err)
{
	uint64_t sectors = vk_io_size_bytes(io) / table->sector_size;
	uint64_t last = sectors > 0 ? sectors - 1 : 0;
	enum vk_status status = vk_gpt_copy_read(io, table->sector_size, 1, &table->gpt[0], err);

	if (status == VK_OK && complete && last > 1)
		status = vk_gpt_copy_read(io, table->sector_size, last, &table->gpt[1], err);
	if (status != VK_OK || table->gpt[1].present || !table->gpt[0].present)
		return status;
	/* not at the end: perhaps where the first copy says, on a disk that was grown */
	last = table->gpt[0].header.alternateLBA;
	if (last < 2 || last == table->gpt[1].lba)
		return VK_OK;
	vk_gpt_copy_free(&table->gpt[1]);
	return vk_gpt_copy_read(io, table->sector_size, last, &table->gpt[1], err);
}

static int choose_copy(const struct vk_gpt_copy gpt[2])
{
	for (int i = 0; i < 2; i++)
		if (gpt[i].sound)
			return i;
	for (int i = 0; i < 2; i++)
		if (gpt[i].usable)
			return i;
	return -1;
}

/*
 * A sound GPT stands here, and no entry of the MBR can be a partition beside it: what is there protected it, and is
 * damaged. The type may have one bit flipped, or be another's.
 */
static bool was_protective(const struct vk_table *table)
{
	bool found = false;

	if (table->gpt_chosen < 0 || !table->gpt[table->gpt_chosen].sound)
		return false;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &table->mbr.entries[i];

		if (vk_mbr_entry_used(e) && vk_mbr_entry_beside_gpt(e, table->disk_sectors))
			return false;
		found = found || vk_mbr_entry_used(e);
	}
	return found;
}

/* No disk of VMFS is as short as that, and no partition has to begin before its end. */
enum { FIRST_SECTORS_BYTES = 1 << 20 };

static bool is_tiny(struct vk_io *io)
{
	return !vk_io_is_device(io) && vk_io_size_bytes(io) <= FIRST_SECTORS_BYTES;
}

/*
 * An MBR of which no entry begins on this disk is no table of it; one that protects a GPT says so also alone. A dump of
 * the first sectors ends before any partition begins.
 */
static bool mbr_outside(struct vk_io *io, const struct vk_table *table)
{
	bool tiny = is_tiny(io);

	if (vk_mbr_is_protective(&table->mbr))
		return false;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &table->mbr.entries[i];

		if (vk_mbr_entry_used(e) && (e->firstLBA < table->disk_sectors ||
					     (tiny && strcmp(vk_mbr_type_name(e->type), "unknown") != 0)))
			return false;
	}
	return table->disk_sectors > 1;
}

static enum vk_table_kind decide_kind(const struct vk_table *table)
{
	bool protective = vk_mbr_is_protective(&table->mbr) || was_protective(table);
	bool guarded = protective && table->mbr.signature == VK_MBR_SIGNATURE;
	bool empty = true;

	for (size_t i = 0; i < 4; i++)
		if (vk_mbr_entry_used(&table->mbr.entries[i]))
			empty = false;
	if (table->gpt_chosen >= 0 && (protective || !table->mbr_used || empty))
		return VK_TABLE_GPT;
	if ((table->gpt[0].present || table->gpt[1].present) && (protective || !table->mbr_used))
		return VK_TABLE_GPT;
	/* sector 0 says that there is a GPT, even when neither copy of it is left */
	if (guarded && table->mbr_used)
		return VK_TABLE_GPT;
	return table->mbr_used && !protective ? VK_TABLE_MBR : VK_TABLE_NONE;
}

/* A boot record is a table when its entries look like entries; the signature alone proves nothing. */
static bool mbr_plausible(const struct vk_table *table)
{
	const struct vk_mbr *mbr = &table->mbr;
	bool known = false;

	if (table->mbr_seen_bytes < VK_MBR_ENTRY_OFFSET + VK_MBR_ENTRY_BYTES)
		return false;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &mbr->entries[i];

		if (e->bootFlag != 0 && e->bootFlag != 0x80)
			return false;
		if (vk_mbr_entry_used(e) && e->firstLBA != 0 &&
		    strcmp(vk_mbr_type_name(e->type), "unknown") != 0)
			known = true;
	}
	if (table->mbr_seen_bytes >= VK_MBR_BYTES && mbr->signature == VK_MBR_SIGNATURE)
		return true;
	return known;
}

static enum vk_status read_mbr(struct vk_io *io, struct vk_table *table, struct vk_error *err)
{
	uint8_t sector[VK_MBR_BYTES];
	size_t got;
	enum vk_status status = vk_io_read(io, 0, sector, sizeof(sector), &got, err);

	if (status != VK_OK)
		return status;
	table->mbr_seen_bytes = vk_mbr_decode(sector, got, &table->mbr);
	table->mbr_used = mbr_plausible(table);
	table->mbr_unreadable = got < sizeof(sector) && vk_io_span(io, got).state == VK_SPAN_UNREADABLE;
	return VK_OK;
}

bool vk_table_unread(const struct vk_table *table)
{
	return table->mbr_unreadable || table->gpt[0].unreadable || table->gpt[1].unreadable;
}

/* A header that its checksum proves, and the source ends before its entries do. */
static bool entries_absent(const struct vk_table *table, const struct vk_gpt_copy *copy)
{
	return copy->present && !copy->usable && copy->sector != NULL && copy->seen_bytes >= table->sector_size &&
	       vk_gpt_header_proved(copy->sector, table->sector_size);
}

/* Sector 0 says that there is a GPT, and no byte of either copy is in the source. */
static bool copies_absent(const struct vk_table *table)
{
	return table->gpt[0].seen_bytes == 0 && table->gpt[1].seen_bytes == 0;
}

bool vk_table_absent(const struct vk_table *table)
{
	if (table->partition_count > 0 || vk_table_unread(table))
		return false;
	if (table->kind == VK_TABLE_NONE)
		return table->mbr_seen_bytes == 0;
	return table->kind == VK_TABLE_GPT && table->gpt_chosen < 0 &&
	       (copies_absent(table) || entries_absent(table, &table->gpt[0]) ||
		entries_absent(table, &table->gpt[1]));
}

static enum vk_status add_mbr_entries(struct vk_table *table)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &table->mbr.entries[i];
		struct vk_partition p = {
			.number = i + 1,
			.start_sector = e->firstLBA,
			.sectors = e->sectors,
			.mbr_type = e->type,
			.entry_offset_bytes = VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES,
		};

		if (vk_mbr_entry_used(e) &&
		    vk_append(&table->partitions, &table->partition_count, &p, sizeof(p)) == NULL)
			return VK_NOMEM;
	}
	return VK_OK;
}

/*
 * A file that is tiny, or whose primary header, which its checksum proves, names an end behind it, is the first part of
 * a disk. A device has the size it has.
 */
static bool is_first_part(struct vk_io *io, const struct vk_table *table)
{
	const struct vk_gpt_copy *primary = &table->gpt[0];

	if (vk_io_is_device(io) || table->gpt[1].present)
		return false;
	return is_tiny(io) || (vk_gpt_copy_proved(primary, table->sector_size) &&
			       primary->header.alternateLBA >= table->disk_sectors);
}

enum vk_status vk_table_read(struct vk_io *io, uint32_t sector_size, bool complete,
			     const struct vk_finding_sink *sink, struct vk_table *ret_table,
			     struct vk_error *err)
{
	struct vk_table table = {.gpt_chosen = -1};
	enum vk_status status;

	table.sector_size = sector_size != 0 ? sector_size : vk_table_sector_size(io);
	status = read_mbr(io, &table, err);
	if (status == VK_OK)
		status = read_copies(io, complete, &table, err);
	if (status != VK_OK)
		goto out;
	table.disk_sectors = complete ? vk_io_size_bytes(io) / table.sector_size : 0;
	table.mbr_used = table.mbr_used && !mbr_outside(io, &table);
	vk_gpt_drop_unsigned(&table);
	complete = complete && !is_first_part(io, &table);
	if (!complete)
		table.disk_sectors = 0;
	table.gpt_chosen = choose_copy(table.gpt);
	table.kind = decide_kind(&table);
	switch (table.kind) {
	case VK_TABLE_NONE:
		if (table.mbr_seen_bytes >= VK_MBR_BYTES)
			vk_finding_say(sink, VK_F_TABLE_NONE, 0, table.sector_size,
				       table.mbr.signature == VK_MBR_SIGNATURE ?
					       "a boot sector without usable partition entries" : NULL,
				       "an MBR or a GPT", "no partition table");
		break;
	case VK_TABLE_MBR:
		vk_mbr_check(&table.mbr, table.mbr_seen_bytes, table.disk_sectors, 0, sink);
		status = add_mbr_entries(&table);
		if (status == VK_OK)
			status = vk_ebr_read(io, sink, &table, err);
		break;
	case VK_TABLE_GPT:
		vk_gpt_copies_check(&table, complete, vk_io_is_device(io), sink);
		status = vk_gpt_add_entries(&table);
		break;
	}
	if (status == VK_OK)
		status = vk_table_locate(io, &table);
	for (size_t i = 0; i < table.place_count; i++)
		vk_place_check(&table.places[i], sink);
out:
	if (status == VK_OK)
		*ret_table = table;
	else
		vk_table_free(&table);
	if (status == VK_NOMEM)
		return vk_no_memory(err, vk_io_name(io));
	return status;
}

void vk_table_free(struct vk_table *table)
{
	vk_gpt_copy_free(&table->gpt[0]);
	vk_gpt_copy_free(&table->gpt[1]);
	free(table->ebr_lbas);
	free(table->places);
	free(table->partitions);
	memset(table, 0, sizeof(*table));
	table->gpt_chosen = -1;
}

uint64_t vk_table_gpt_disk_sectors(const struct vk_table *t)
{
	if (t->kind != VK_TABLE_GPT || t->gpt_chosen < 0 || !t->gpt[t->gpt_chosen].sound)
		return 0;
	return vk_add_sat(t->gpt_chosen == 0 ? t->gpt[0].header.alternateLBA : t->gpt[1].lba, 1);
}
