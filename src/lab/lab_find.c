/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a practice disk: its table, its partitions, the structures in them. */
#include <string.h>

#include "base/checked.h"
#include "lab/lab_break.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/mbr.h"

enum { SECTOR_MAX = 4096 };

static void add(struct vk_lab_table *t, unsigned number, uint64_t start, uint64_t sectors, bool vmfs)
{
	if (t->count == VK_LAB_FOUND_MAX)
		return;
	t->found[t->count++] = (struct vk_lab_found){
		.number = number,
		.start_bytes = vk_mul_sat(start, t->sector_size),
		.length_bytes = vk_mul_sat(sectors, t->sector_size),
		.vmfs = vmfs,
	};
}

/* Entries of one copy; true when the header at lba was usable. */
static bool read_gpt(struct vk_lab_disk *disk, struct vk_lab_table *t, uint64_t lba,
		     struct vk_lab_range ret_ranges[2], uint64_t *ret_other)
{
	uint8_t sector[SECTOR_MAX];
	uint64_t at = vk_mul_sat(lba, t->sector_size);
	struct vk_gpt_header h;
	uint64_t array;
	uint32_t bytes;

	if (vk_lab_get(disk, at, sector, t->sector_size, NULL) != VK_OK ||
	    !vk_gpt_has_signature(sector, t->sector_size))
		return false;
	vk_gpt_header_decode(sector, t->sector_size, &h);
	bytes = vk_gpt_entries_bytes(&h);
	array = vk_mul_sat(h.entriesLBA, t->sector_size);
	ret_ranges[0] = (struct vk_lab_range){at, t->sector_size,
					      lba == 1 ? "primary GPT header" : "backup GPT header"};
	if (bytes != 0 && vk_add_sat(array, bytes) <= disk->size_bytes)
		ret_ranges[1] = (struct vk_lab_range){
			array, bytes, lba == 1 ? "primary GPT entries" : "backup GPT entries"};
	*ret_other = h.alternateLBA;
	if (t->count > 0 || ret_ranges[1].length_bytes == 0)
		return true;
	for (uint32_t i = 0; i < h.numEntries; i++) {
		uint8_t raw[VK_GPT_ENTRY_BYTES];
		struct vk_gpt_entry e;

		if (vk_lab_get(disk, array + (uint64_t)i * h.entrySize, raw, sizeof(raw), NULL) != VK_OK)
			break;
		vk_gpt_entry_decode(raw, sizeof(raw), &e);
		if (!vk_guid_is_nil(&e.typeGUID) && e.lastLBA >= e.firstLBA)
			add(t, i + 1, e.firstLBA, e.lastLBA - e.firstLBA + 1,
			    vk_gpt_type_is_vmfs(&e.typeGUID));
	}
	return true;
}

static bool read_gpts(struct vk_lab_disk *disk, struct vk_lab_table *t, uint32_t sector_size)
{
	uint64_t sectors = disk->size_bytes / sector_size;
	uint64_t other;
	uint64_t last = sectors == 0 ? 0 : sectors - 1;
	bool primary, backup;

	t->sector_size = sector_size;
	primary = read_gpt(disk, t, 1, t->primary, &other);
	if (primary && other < sectors && other > 1)
		last = other;
	backup = last > 1 && read_gpt(disk, t, last, t->backup, &other);
	return primary || backup;
}

static void read_ebrs(struct vk_lab_disk *disk, struct vk_lab_table *t, uint64_t extended)
{
	uint64_t at = extended;

	for (unsigned i = 0; i < VK_EBR_MAX; i++) {
		uint8_t sector[VK_MBR_BYTES];
		struct vk_mbr ebr;

		if (vk_lab_get(disk, vk_mul_sat(at, t->sector_size), sector, sizeof(sector), NULL) !=
		    VK_OK)
			return;
		vk_mbr_decode(sector, sizeof(sector), &ebr);
		if (ebr.signature != VK_MBR_SIGNATURE)
			return;
		if (vk_mbr_entry_used(&ebr.entries[0]))
			add(t, 5 + i, at + ebr.entries[0].firstLBA, ebr.entries[0].sectors,
			    ebr.entries[0].type == VK_MBR_TYPE_VMFS);
		if (!vk_mbr_entry_used(&ebr.entries[1]) || ebr.entries[1].firstLBA == 0)
			return;
		at = extended + ebr.entries[1].firstLBA;
	}
}

static bool magic_at(struct vk_lab_disk *disk, uint64_t partition_start)
{
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device d;

	if (vk_lab_get(disk, vk_add_sat(partition_start, VK_LVM_HEADER_OFFSET), raw, sizeof(raw),
		       NULL) != VK_OK)
		return false;
	vk_lvm_device_decode(raw, sizeof(raw), &d);
	return d.magic == VK_LVM_MAGIC;
}

/* An MBR does not tell its sector size: the one with which a VMFS partition has its header. */
static uint32_t mbr_sector_size(struct vk_lab_disk *disk, const struct vk_mbr *mbr)
{
	for (size_t i = 0; i < 4; i++)
		if (mbr->entries[i].type == VK_MBR_TYPE_VMFS &&
		    !magic_at(disk, mbr->entries[i].firstLBA * 512ULL) &&
		    magic_at(disk, mbr->entries[i].firstLBA * 4096ULL))
			return 4096;
	return 512;
}

static void read_mbr(struct vk_lab_disk *disk, struct vk_lab_table *t, uint32_t sector_size,
		     const struct vk_mbr *mbr)
{
	t->sector_size = sector_size != 0 ? sector_size : mbr_sector_size(disk, mbr);
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &mbr->entries[i];

		if (!vk_mbr_entry_used(e) || e->type == VK_MBR_TYPE_PROTECTIVE)
			continue;
		if (vk_mbr_type_is_extended(e->type))
			read_ebrs(disk, t, e->firstLBA);
		else
			add(t, (unsigned)i + 1, e->firstLBA, e->sectors, e->type == VK_MBR_TYPE_VMFS);
	}
}

enum vk_status vk_lab_table_read(struct vk_lab_disk *disk, uint32_t sector_size,
				 struct vk_lab_table *ret_table, struct vk_error *err)
{
	uint32_t given = sector_size != 0 ? sector_size : disk->sector_size;
	uint8_t sector[VK_MBR_BYTES];
	struct vk_lab_table *t = ret_table;
	struct vk_mbr mbr;
	enum vk_status status;

	memset(t, 0, sizeof(*t));
	if (given != 0 && given != 512 && given != 4096)
		return vk_error_set(err, VK_USAGE, NULL, "Sectors have 512 or 4096 bytes");
	status = vk_lab_get(disk, 0, sector, sizeof(sector), err);
	if (status != VK_OK)
		return status;
	vk_mbr_decode(sector, sizeof(sector), &mbr);
	t->mbr = mbr.signature == VK_MBR_SIGNATURE;
	if (given != 0)
		t->gpt = read_gpts(disk, t, given);
	else
		t->gpt = read_gpts(disk, t, 512) || read_gpts(disk, t, 4096);
	if (t->gpt)
		return VK_OK;
	if (t->mbr) {
		read_mbr(disk, t, given, &mbr);
		return VK_OK;
	}
	t->sector_size = given != 0 ? given : 512;
	if (magic_at(disk, 0))
		add(t, 0, 0, disk->size_bytes / t->sector_size, true);
	return VK_OK;
}

static enum vk_status none_chosen(struct vk_lab_disk *disk, const struct vk_lab_choice *choice,
				  struct vk_error *err)
{
	if (choice->partition != 0) {
		vk_error_set(err, VK_ABSENT, disk->path, "The table has no partition %u",
			     choice->partition);
	} else {
		vk_error_set(err, VK_ABSENT, disk->path, "No VMFS partition is found through the table");
	}
	return vk_error_remedy(err, "if the table is gone, say where the partition starts with --start");
}

enum vk_status vk_lab_choose(struct vk_lab_disk *disk, const struct vk_lab_choice *choice,
			     struct vk_lab_table *ret_table, struct vk_error *err)
{
	struct vk_lab_table *t = ret_table;
	enum vk_status status = vk_lab_table_read(disk, choice->sector_size, t, err);
	size_t kept = 0;

	if (status != VK_OK)
		return status;
	if (choice->has_start) {
		uint64_t start = vk_mul_sat(choice->start_sector, t->sector_size);

		if (start >= disk->size_bytes)
			return vk_error_set(err, VK_USAGE, disk->path,
					    "Sector %llu lies behind the end of the disk",
					    (unsigned long long)choice->start_sector);
		t->count = 0;
		add(t, 0, choice->start_sector, (disk->size_bytes - start) / t->sector_size, true);
		return VK_OK;
	}
	for (size_t i = 0; i < t->count; i++)
		if (choice->partition == 0 ? t->found[i].vmfs
					   : t->found[i].number == choice->partition)
			t->found[kept++] = t->found[i];
	t->count = kept;
	return kept > 0 ? VK_OK : none_chosen(disk, choice, err);
}

static enum vk_status outside(struct vk_lab_disk *disk, const struct vk_lab_found *found,
			      struct vk_error *err)
{
	vk_error_set(err, VK_ABSENT, disk->path, "The disk ends before the headers of partition %u",
		     found->number);
	return vk_error_at(err, found->start_bytes);
}

enum vk_status vk_lab_places_find(struct vk_lab_disk *disk, const struct vk_lab_found *found,
				  struct vk_lab_places *ret_places, struct vk_error *err)
{
	uint8_t raw[VK_FS_SECTOR_BYTES] = {0};
	struct vk_lvm_device d;
	struct vk_lvm_geometry lvm;
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry g;
	uint64_t data = VK_LVM_DATA_OFFSET;
	enum vk_status status;
	size_t seen;

	/* sums below stay far from the end of the numbers */
	if (found->start_bytes > disk->size_bytes)
		return outside(disk, found, err);
	status = vk_lab_get(disk, found->start_bytes + VK_LVM_HEADER_OFFSET, raw, sizeof(raw), err);
	if (status != VK_OK)
		return status;
	seen = vk_lvm_device_decode(raw, sizeof(raw), &d);
	if (vk_lvm_device_usable(&d, seen))
		data = d.dataOffset;
	else
		memset(&d, 0, sizeof(d));
	if (data > disk->size_bytes)
		return outside(disk, found, err);
	vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &lvm);
	status = vk_lab_get(disk, found->start_bytes + data + VK_FS_OFFSET, raw, sizeof(raw), err);
	if (status != VK_OK)
		return status;
	seen = vk_fs_descriptor_decode(raw, sizeof(raw), &fs);
	vk_fs_geometry(&fs, seen, &g);
	*ret_places = (struct vk_lab_places){
		.lvm = {found->start_bytes + VK_LVM_HEADER_OFFSET,
			lvm.volume_table + VK_LVM_VOLUME_BYTES - VK_LVM_HEADER_OFFSET,
			"LVM header and volume descriptor"},
		.fs = {found->start_bytes + data + VK_FS_OFFSET, g.heartbeat_slot_bytes,
		       "file-system descriptor"},
		.heartbeats = {found->start_bytes + data + g.heartbeat_offset,
			       g.heartbeat_end - g.heartbeat_offset, "heartbeats"},
		.slot_bytes = g.heartbeat_slot_bytes,
	};
	return VK_OK;
}
