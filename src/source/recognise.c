/* SPDX-License-Identifier: Apache-2.0 */
/* Which reading of a source its content supports: asks each reading for the structure that it would have. */
#include "base/checked.h"
#include "source/recognise.h"

const uint64_t vk_usual_starts[] = {63,       64,       128,      1024,      2048,
				    16384,    10229760, 15472640, 20973535, 268437504};
const size_t vk_usual_start_count = sizeof(vk_usual_starts) / sizeof(vk_usual_starts[0]);

bool vk_lvm_header_at(struct vk_io *io, uint64_t at)
{
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device device;
	size_t got;

	if (vk_io_read(io, at, raw, sizeof(raw), &got, NULL) != VK_OK)
		return false;
	vk_lvm_device_decode(raw, got, &device);
	if (device.magic != VK_LVM_MAGIC)
		return false;
	/* extended metadata carries the same magic, but no sizes where a header has them */
	if (got < sizeof(raw))
		return got < 8 || (vk_lvm_version_known(device.majorVersion));
	return vk_lvm_device_usable(&device, got) || vk_lvm_block_size_sound(device.diskBlockSize);
}

bool vk_fs_descriptor_at(struct vk_io *io, uint64_t at)
{
	uint8_t raw[VK_FS_SECTOR_BYTES];
	struct vk_fs_descriptor fs;
	size_t got;

	if (vk_io_read(io, at, raw, sizeof(raw), &got, NULL) != VK_OK)
		return false;
	vk_fs_descriptor_decode(raw, got, &fs);
	return got >= 4 && vk_fs_magic_known(fs.magic) && (got < 9 || fs.majorVersion < 256);
}

bool vk_heartbeat_at(struct vk_io *io, uint64_t at, uint64_t volume_offset)
{
	uint8_t raw[VK_HEARTBEAT_BYTES];
	struct vk_heartbeat hb;
	size_t got;

	if (vk_io_read(io, at, raw, sizeof(raw), &got, NULL) != VK_OK || got < 12)
		return false;
	vk_heartbeat_decode(raw, got, &hb);
	return (hb.state == VK_HB_FREE || hb.state == VK_HB_IN_USE) && hb.addr == volume_offset;
}

static void support(struct vk_kind_fit *reading, enum vk_fit fit, const char *what, uint64_t at)
{
	struct vk_text text;

	if (fit <= reading->fit)
		return;
	reading->fit = fit;
	text = vk_text_in(reading->why, sizeof(reading->why));
	vk_text_fmt(&text, "%s at 0x%llx", what, (unsigned long long)at);
}

/* A VMFS structure where a partition that starts at `start` would have it; false: there is none. */
static bool support_partition_at(struct vk_io *io, uint64_t start, struct vk_kind_fit *reading,
				 enum vk_fit fit)
{
	uint64_t header = vk_add_sat(start, VK_LVM_HEADER_OFFSET);
	uint64_t fs = vk_add_sat(start, VK_LVM_DATA_OFFSET + VK_FS_OFFSET);
	uint64_t hb = vk_add_sat(start, VK_LVM_DATA_OFFSET + VK_HEARTBEATS_OFFSET);

	if (vk_lvm_header_at(io, header))
		support(reading, fit, "an LVM header", header);
	else if (vk_fs_descriptor_at(io, fs))
		support(reading, fit, "a file-system descriptor", fs);
	else if (vk_heartbeat_at(io, hb, VK_HEARTBEATS_OFFSET))
		support(reading, fit, "a heartbeat slot", hb);
	else
		return false;
	return true;
}

/* Whether it shows VMFS. */
static bool recognise_disk(struct vk_io *io, const struct vk_table *table, struct vk_kind_fit *r)
{
	bool shown = false;

	for (size_t i = 0; i < table->partition_count; i++)
		if (!vk_partition_is_extended(&table->partitions[i]) &&
		    (support_partition_at(io, vk_mul_sat(table->partitions[i].start_sector, table->sector_size), r,
					  VK_FIT_STRUCTURE) ||
		     vk_partition_is_vmfs(&table->partitions[i])))
			shown = true;
	if (table->kind != VK_TABLE_NONE)
		support(r, VK_FIT_TABLE, "a partition table", 0);
	for (size_t i = 0; i < vk_usual_start_count; i++)
		shown = support_partition_at(io, vk_usual_starts[i] * 512, r, VK_FIT_HINT) || shown;
	return shown;
}

static bool recognise_kinds(struct vk_io *io, const struct vk_table *table, const struct vk_tail_gpt *tail,
			    struct vk_kind_fit fits[4])
{
	struct vk_kind_fit *disk = &fits[0], *partition = &fits[1], *volume = &fits[2];
	const struct vk_partition *named = vk_tail_gpt_partition(tail, 0);
	bool shown = recognise_disk(io, table, disk);

	support_partition_at(io, 0, partition, VK_FIT_STRUCTURE);
	if (named != NULL && vk_partition_is_vmfs(named))
		support(partition, VK_FIT_STRUCTURE, "a backup GPT of a disk whose VMFS partition begins", 0);
	if (vk_fs_descriptor_at(io, VK_FS_OFFSET))
		support(volume, VK_FIT_STRUCTURE, "a file-system descriptor", VK_FS_OFFSET);
	else if (vk_heartbeat_at(io, VK_HEARTBEATS_OFFSET, VK_HEARTBEATS_OFFSET))
		support(volume, VK_FIT_STRUCTURE, "a heartbeat slot", VK_HEARTBEATS_OFFSET);
	else if (vk_fs_descriptor_at(io, 0))
		support(volume, VK_FIT_STRUCTURE, "a file-system descriptor", 0);
	if (vk_lvm_header_at(io, 0))
		support(&fits[3], VK_FIT_STRUCTURE, "an LVM header", 0);
	return shown;
}

void vk_lun_signs_of(struct vk_io *io, const struct vk_table *table, const struct vk_tail_gpt *tail,
		     struct vk_lun_signs *ret_signs)
{
	const struct vk_gpt_copy *gpt = table->gpt;
	struct vk_kind_fit *fits = ret_signs->fits;

	*ret_signs = (struct vk_lun_signs){.equal = 4, .sector_size = table->sector_size};
	for (int i = 0; i < 4; i++)
		fits[i].kind = (enum vk_source_kind)(VK_SOURCE_DISK + i);
	ret_signs->shows_vmfs = recognise_kinds(io, table, tail, fits);
	for (size_t i = 1; i < 4; i++)
		if (fits[i].fit > fits[ret_signs->best].fit)
			ret_signs->best = i;
	for (size_t i = 0; i < 4; i++)
		if (i != ret_signs->best && fits[i].fit == fits[ret_signs->best].fit && fits[i].fit >= VK_FIT_TABLE)
			ret_signs->equal = i;
	ret_signs->table_sound = table->partition_count > 0 &&
				 (gpt[0].sound || gpt[1].sound ||
				  (table->kind == VK_TABLE_MBR && table->mbr.signature == VK_MBR_SIGNATURE &&
				   vk_mbr_entries_plausible(&table->mbr, vk_io_size_bytes(io) / table->sector_size)));
	ret_signs->copies_agree = gpt[0].sound && gpt[1].sound && gpt[1].lba == gpt[0].header.alternateLBA &&
				  vk_guid_equal(&gpt[0].header.diskGUID, &gpt[1].header.diskGUID);
	ret_signs->disk_bytes = vk_mul_sat(vk_table_gpt_disk_sectors(table), table->sector_size);
}

enum vk_status vk_lun_signs_read(struct vk_io *io, uint32_t sector_size, struct vk_lun_signs *ret_signs,
				 struct vk_error *err)
{
	struct vk_tail_gpt tail = {.first_sector = 0};
	struct vk_table table = {.gpt_chosen = -1};
	enum vk_status status = vk_table_read(io, sector_size, true, NULL, &table, err);

	if (status == VK_OK && !table.mbr_used && !table.gpt[0].present)
		status = vk_tail_gpt_read(io, sector_size, &tail, err);
	if (status == VK_OK)
		vk_lun_signs_of(io, &table, &tail, ret_signs);
	vk_table_free(&table);
	vk_tail_gpt_free(&tail);
	return status;
}
