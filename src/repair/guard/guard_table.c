/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guards kind, table-kind and table-partitions: a whole disk where a partition was captured, or the other way round;
 * and only a sound table of the target can contradict the captured one.
 */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "repair/guard/guards.h"

enum vk_table_kind vk_table_sound_kind(const struct vk_table *table)
{
	bool mbr = table->mbr_seen_bytes >= VK_MBR_BYTES &&
		   table->mbr.signature == VK_MBR_SIGNATURE && !vk_mbr_is_protective(&table->mbr);
	bool used = false;

	for (int i = 0; mbr && i < 4; i++)
		used = used || vk_mbr_entry_used(&table->mbr.entries[i]);
	/* with a GPT behind it, what stands there is a damaged protection */
	if (used && table->kind != VK_TABLE_GPT)
		return VK_TABLE_MBR;
	return table->gpt[0].sound || table->gpt[1].sound ? VK_TABLE_GPT : VK_TABLE_NONE;
}

bool vk_guard_table_is_of_others(const struct vk_restore *restore)
{
	const struct vk_table *table = &restore->before->table;

	for (size_t i = 0; i < table->partition_count; i++)
		for (size_t p = 0; p < restore->place_count; p++)
			if (vk_partition_is_vmfs(&table->partitions[i]) &&
			    vk_mul_sat(table->partitions[i].start_sector, restore->target.sector_size) ==
				    restore->places[p].start_bytes)
				return false;
	return restore->place_count > 0;
}

/* What to do about a table that would go. */
static void add_remedy(struct vk_restore *restore)
{
	if (vk_guard_table_is_of_others(restore))
		vk_guard_add_remedy(restore,
				    "another system wrote that table over the volume: keep it from the LUN, and save "
				    "what is needed of its partitions",
				    true);
	else if (!restore->capture->is_rebuilt)
		vk_guard_add_remedy(restore,
				    "the volume may have been grown or moved since: take a newer capture, or leave the "
				    "table out with --part", false);
	else
		vk_guard_add_remedy(restore, "check that nobody needs the partitions that are lost", false);
}

enum vk_status vk_guard_ask_table_kind(struct vk_restore *restore, struct vk_error *err)
{
	enum vk_table_kind seen, want = restore->capture->table_kind;
	enum vk_status status;

	if (restore->known_state || restore->before->kind != VK_SOURCE_DISK ||
	    !vk_restore_edits_in_part(restore, VK_PART_TABLE))
		return VK_OK;
	seen = vk_table_sound_kind(&restore->before->table);
	if (seen == VK_TABLE_NONE || seen == want)
		return VK_OK;
	if (restore->capture->is_undo && restore->after != NULL && seen == restore->after->table.kind)
		return VK_OK;
	status = vk_guard_object(restore, VK_GUARD_TABLE_KIND, err,
				 "the target has a sound %s partition table, the %s table is %s",
				 vk_table_kind_name(seen), restore->capture->is_rebuilt ? "rebuilt" : "captured",
				 vk_table_kind_name(want));
	if (status == VK_OK)
		add_remedy(restore);
	return status;
}

bool vk_partition_was_captured(const struct vk_restore *restore, const struct vk_partition *partition)
{
	const struct vk_source *captured = restore->captured;
	uint32_t ss = restore->target.sector_size, captured_ss = restore->capture->sector_size;

	for (size_t i = 0; captured != NULL && i < captured->table.partition_count; i++) {
		const struct vk_partition *was = &captured->table.partitions[i];

		if (was->gpt == partition->gpt &&
		    (was->gpt ? vk_guid_equal(&was->entry.typeGUID, &partition->entry.typeGUID)
			      : was->mbr_type == partition->mbr_type) &&
		    vk_mul_sat(was->start_sector, captured_ss) ==
			    vk_mul_sat(partition->start_sector, ss) &&
		    vk_mul_sat(was->sectors, captured_ss) == vk_mul_sat(partition->sectors, ss))
			return true;
	}
	return false;
}

/* Tables of two kinds are table-kind's affair; an undo whose bytes are all known does not get here. */
enum vk_status vk_guard_ask_table_partitions(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_table *table = &restore->before->table;
	const struct vk_partition *first = NULL;
	char type[VK_GUID_TEXT_BYTES];
	enum vk_status status;
	size_t count = 0;
	const char *name;

	if (restore->known_state || restore->capture->is_undo ||
	    restore->before->kind != VK_SOURCE_DISK ||
	    !vk_restore_edits_in_part(restore, VK_PART_TABLE) || table->kind == VK_TABLE_NONE ||
	    vk_table_sound_kind(table) != table->kind || table->kind != restore->capture->table_kind)
		return VK_OK;
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *partition = &table->partitions[i];

		/*
		 * one that only becomes longer or shorter counts, too: what lies at its end is lost to it, or to its
		 * neighbour
		 */
		if (vk_partition_is_extended(partition) || vk_partition_was_captured(restore, partition))
			continue;
		if (count++ == 0)
			first = partition;
	}
	if (count == 0)
		return VK_OK;
	vk_partition_type(first, type, &name);
	status = vk_guard_object(restore, VK_GUARD_TABLE_PARTITIONS, err,
				 "the target's sound table has %zu %s that the %s one does not have, or not with this "
				 "end; the first is number %u at sector %" PRIu64 ", %" PRIu64
				 " sectors, type %s (%s)",
				 count, count == 1 ? "partition" : "partitions",
				 restore->capture->is_rebuilt ? "rebuilt" : "captured", first->number,
				 first->start_sector, first->sectors, type, name);
	if (status == VK_OK)
		add_remedy(restore);
	return status;
}

/* A table at the start of the very partition that was captured is damage, not a disk. */
static enum vk_status ask_partition(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_source disk;
	enum vk_table_kind kind;
	enum vk_status status;

	for (size_t i = 0; i < restore->place_count; i++) {
		const struct vk_vmfs *vmfs = &restore->places[i].vmfs;

		if (vmfs->lvm_usable && vk_guard_knows_device(restore, vk_vmfs_uuid_text(&vmfs->lvm.devID).text))
			return VK_OK;
	}
	status = vk_source_over(restore->io, restore->path, VK_SOURCE_DISK, restore->target.sector_size, &disk, err);
	if (status != VK_OK)
		return status == VK_USAGE ? VK_OK : status;
	kind = vk_table_sound_kind(&disk.table);
	if (kind == VK_TABLE_MBR && !vk_mbr_entries_plausible(&disk.table.mbr, disk.size_bytes / disk.sector_size))
		kind = VK_TABLE_NONE;
	if (kind != VK_TABLE_NONE)
		status = vk_guard_object(restore, VK_GUARD_KIND, err,
					 "a partition was captured; the target is a whole disk: it has a "
					 "sound %s partition table",
					 vk_table_kind_name(kind));
	for (size_t i = 0; kind == VK_TABLE_NONE && i < disk.vmfs_count; i++) {
		if (!disk.vmfs[i].lvm_usable || disk.vmfs[i].start_sector == 0)
			continue;
		status = vk_guard_object(restore, VK_GUARD_KIND, err,
					 "a partition was captured; the target is a whole disk: a "
					 "VMFS partition begins at its sector %" PRIu64,
					 disk.vmfs[i].start_sector);
		break;
	}
	vk_source_close(&disk);
	return status;
}

/* Without a usable LVM header nothing maps the volume: its descriptor is looked for in the usual place only. */
static bool may_be_partition(struct vk_io *io)
{
	uint8_t header[VK_LVM_DEVICE_BYTES], descriptor[VK_FS_SECTOR_BYTES];
	struct vk_lvm_device lvm;
	struct vk_fs_descriptor fs;
	struct vk_error ignored;
	size_t got = 0;

	if (vk_io_read(io, VK_LVM_HEADER_OFFSET, header, sizeof(header), &got, &ignored) == VK_OK &&
	    vk_lvm_device_usable(&lvm, vk_lvm_device_decode(header, got, &lvm)))
		return true;
	return vk_io_read(io, VK_LVM_DATA_OFFSET + VK_FS_OFFSET, descriptor, sizeof(descriptor), &got,
			  &ignored) == VK_OK &&
	       vk_fs_descriptor_usable(&fs, vk_fs_descriptor_decode(descriptor, got, &fs));
}

static bool read_partition(struct vk_io *io, struct vk_vmfs *ret_vmfs)
{
	struct vk_io *window = vk_io_window(io, 0, vk_io_size_bytes(io));
	struct vk_error ignored;
	bool read;

	memset(ret_vmfs, 0, sizeof(*ret_vmfs));
	read = window != NULL && vk_vmfs_read(window, NULL, ret_vmfs, &ignored) == VK_OK;
	vk_io_close(window);
	return read;
}

/* The headers of a partition that begins at byte 0, unless they stood there when the disk was captured. */
static enum vk_status ask_disk(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_vmfs now, was;
	enum vk_status status = VK_OK;
	bool had;

	if (!may_be_partition(restore->io) || !read_partition(restore->io, &now))
		return VK_OK;
	/* what repair works out has everything of the target, also what speaks against it */
	had = restore->capture->memory == NULL && read_partition(restore->captured_io, &was);
	if (now.lvm_usable && !(had && was.lvm_usable &&
				memcmp(&was.lvm.devID, &now.lvm.devID, sizeof(now.lvm.devID)) == 0))
		status = vk_guard_object(restore, VK_GUARD_KIND, err,
					 "a whole disk was captured; the target is a partition: it has an "
					 "LVM header at byte %d",
					 0x100000);
	else if (now.fs_usable && !(had && was.fs_usable &&
				    memcmp(&was.fs.uuid, &now.fs.uuid, sizeof(now.fs.uuid)) == 0))
		status = vk_guard_object(restore, VK_GUARD_KIND, err,
					 "a whole disk was captured; the target is a partition: it has a "
					 "VMFS file system's descriptor at byte %" PRIu64,
					 now.fs_offset_bytes);
	if (had)
		vk_vmfs_free(&was);
	vk_vmfs_free(&now);
	return status;
}

enum vk_status vk_guard_ask_kind(struct vk_restore *restore, struct vk_error *err)
{
	bool starts_at_0 = false;

	if (restore->known_state || restore->io == NULL || restore->captured_io == NULL)
		return VK_OK;
	if (restore->capture->source_kind == VK_SOURCE_PARTITION)
		return ask_partition(restore, err);
	/* a volume on a disk without any table */
	for (size_t i = 0; i < restore->place_count; i++)
		starts_at_0 = starts_at_0 || restore->places[i].start_bytes == 0;
	return starts_at_0 ? VK_OK : ask_disk(restore, err);
}
