/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a practice disk: its table, its partitions, the structures in them. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "lab/lab_break.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/source.h"

static void add_found(struct vk_lab_table *t, unsigned number, uint64_t start, uint64_t sectors, bool vmfs)
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

static bool header_at(struct vk_lab_disk *disk, uint64_t partition_start)
{
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device d;

	if (vk_lab_get(disk, vk_add_sat(partition_start, VK_LVM_HEADER_OFFSET), raw, sizeof(raw), NULL) != VK_OK)
		return false;
	vk_lvm_device_decode(raw, sizeof(raw), &d);
	return d.magic == VK_LVM_MAGIC;
}

/*
 * By the descriptor, so that it is the file that is open. An MBR does not tell its sector size: that is the one with
 * which a VMFS partition has its header.
 */
static enum vk_status read_source(struct vk_lab_disk *disk, uint32_t sector_size, struct vk_source *ret_source,
				  struct vk_error *err)
{
	const struct vk_source_options options = {.look = VK_LOOK_NOT,
						  .as = VK_SOURCE_DISK,
						  .sector_size = sector_size};
	const struct vk_table *table = &ret_source->table;
	char path[40];
	struct vk_io *io;
	enum vk_status status;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	status = vk_io_open_raw(path, NULL, &io, err);
	if (status == VK_OK)
		status = vk_source_open_io(io, disk->path, VK_FORM_RAW, &options, ret_source, err);
	if (status != VK_OK || sector_size != 0 || table->kind != VK_TABLE_MBR)
		return status;
	for (size_t i = 0; i < table->partition_count; i++) {
		uint64_t start = table->partitions[i].start_sector;

		if (vk_partition_is_vmfs(&table->partitions[i]) && !header_at(disk, vk_mul_sat(start, 512)) &&
		    header_at(disk, vk_mul_sat(start, 4096))) {
			vk_source_close(ret_source);
			return read_source(disk, 4096, ret_source, err);
		}
	}
	return VK_OK;
}

enum vk_status vk_lab_table_read(struct vk_lab_disk *disk, uint32_t sector_size, struct vk_lab_table *ret_table,
				 struct vk_error *err)
{
	static const char *const names[2][2] = {{"primary GPT header", "primary GPT entries"},
						{"backup GPT header", "backup GPT entries"}};
	uint32_t given = sector_size != 0 ? sector_size : disk->sector_size;
	uint8_t sector[VK_MBR_BYTES];
	struct vk_lab_table *t = ret_table;
	struct vk_source source;
	enum vk_status status;

	memset(t, 0, sizeof(*t));
	if (given != 0 && given != 512 && given != 4096)
		return vk_error_set(err, VK_USAGE, NULL, "sectors have 512 or 4096 bytes");
	status = vk_lab_get(disk, 0, sector, sizeof(sector), err);
	if (status == VK_OK)
		status = read_source(disk, given, &source, err);
	if (status != VK_OK)
		return status;
	t->sector_size = source.sector_size;
	t->mbr = source.table.mbr.signature == VK_MBR_SIGNATURE;
	t->gpt = source.table.gpt[0].present || source.table.gpt[1].present;
	for (int i = 0; i < 2; i++) {
		const struct vk_gpt_copy *copy = &source.table.gpt[i];
		struct vk_lab_range *ranges = i == 0 ? t->primary : t->backup;
		uint64_t array = vk_mul_sat(copy->header.entriesLBA, t->sector_size);
		uint32_t bytes = vk_gpt_entries_bytes(&copy->header);

		if (!copy->present)
			continue;
		ranges[0] = (struct vk_lab_range){copy->lba * t->sector_size, t->sector_size, names[i][0]};
		if (bytes != 0 && vk_add_sat(array, bytes) <= disk->size_bytes)
			ranges[1] = (struct vk_lab_range){array, bytes, names[i][1]};
	}
	for (size_t i = 0; i < source.table.partition_count; i++) {
		const struct vk_partition *p = &source.table.partitions[i];

		if (!vk_partition_is_extended(p))
			add_found(t, p->number, p->start_sector, p->sectors, vk_partition_is_vmfs(p));
	}
	/* without a table: a volume that begins at sector 0 */
	if (!t->gpt && !t->mbr && header_at(disk, 0))
		add_found(t, 0, 0, disk->size_bytes / t->sector_size, true);
	vk_source_close(&source);
	return VK_OK;
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
					    "sector %llu lies behind the end of the disk",
					    (unsigned long long)choice->start_sector);
		t->count = 0;
		add_found(t, 0, choice->start_sector, (disk->size_bytes - start) / t->sector_size, true);
		return VK_OK;
	}
	for (size_t i = 0; i < t->count; i++)
		if (choice->partition == 0 ? t->found[i].vmfs
					   : t->found[i].number == choice->partition)
			t->found[kept++] = t->found[i];
	t->count = kept;
	if (kept > 0)
		return VK_OK;
	if (choice->partition != 0)
		vk_error_set(err, VK_ABSENT, disk->path, "the table has no partition %u", choice->partition);
	else
		vk_error_set(err, VK_ABSENT, disk->path, "no VMFS partition is found through the table");
	return vk_error_remedy(err, "if the table is gone, say where the partition starts with --start");
}

enum vk_status vk_lab_places_find(struct vk_lab_disk *disk, const struct vk_lab_found *found,
				  struct vk_lab_places *ret_places, struct vk_error *err)
{
	uint8_t raw[VK_FS_SECTOR_BYTES] = {0};
	struct vk_lvm_device d = {0};
	struct vk_lvm_geometry lvm;
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry g;
	uint64_t start = found->start_bytes, data = VK_LVM_DATA_OFFSET;
	enum vk_status status = VK_OK;
	size_t seen;

	/* sums below stay far from the end of the numbers */
	if (start <= disk->size_bytes) {
		status = vk_lab_get(disk, start + VK_LVM_HEADER_OFFSET, raw, sizeof(raw), err);
		if (status != VK_OK)
			return status;
		seen = vk_lvm_device_decode(raw, sizeof(raw), &d);
		if (vk_lvm_device_usable(&d, seen))
			data = d.dataOffset;
		else
			memset(&d, 0, sizeof(d));
	}
	if (start > disk->size_bytes || data > disk->size_bytes) {
		vk_error_set(err, VK_ABSENT, disk->path, "the disk ends before the headers of partition %u",
			     found->number);
		return vk_error_at(err, start);
	}
	vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &lvm);
	status = vk_lab_get(disk, start + data + VK_FS_OFFSET, raw, sizeof(raw), err);
	if (status != VK_OK)
		return status;
	seen = vk_fs_descriptor_decode(raw, sizeof(raw), &fs);
	vk_fs_geometry(&fs, seen, &g);
	*ret_places = (struct vk_lab_places){
		.lvm = {start + VK_LVM_HEADER_OFFSET, lvm.volume_table + VK_LVM_VOLUME_BYTES - VK_LVM_HEADER_OFFSET,
			"LVM header and volume descriptor"},
		.fs = {start + data + VK_FS_OFFSET, g.heartbeat_slot_bytes, "file-system descriptor"},
		.heartbeats = {start + data + g.heartbeat_offset, g.heartbeat_end - g.heartbeat_offset, "heartbeats"},
		.slot_bytes = g.heartbeat_slot_bytes,
	};
	return VK_OK;
}
