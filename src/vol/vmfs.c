/* SPDX-License-Identifier: Apache-2.0 */
/* One VMFS device: header, volume descriptors, then through the map to descriptor and heartbeats. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vol/vmfs_parts.h"

static void count_and_pass(void *ctx, const struct vk_finding *finding)
{
	struct vk_vmfs_reader *reader = ctx;

	if (vk_finding_kind(finding->code)->severity == VK_ERROR)
		reader->errors++;
	vk_finding_put(reader->sink, finding);
}

/*
 * Reading may be what reveals a bad sector, so presence is judged (again) after the structure was read, and
 * missing structures are said in the end, in the order of the disk.
 */
static void settle_places(struct vk_vmfs_reader *r)
{
	for (size_t i = 0; i < r->vmfs->place_count; i++) {
		vk_place_settle(&r->vmfs->places[i], r->io);
		vk_place_check(&r->vmfs->places[i], r->sink);
	}
}

static void read_device_header(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	uint8_t sector[512];
	struct vk_place *place = vk_place_add(r, &vk_lvm_device_layout, 0, VK_PART_LVM, VK_LVM_HEADER_OFFSET,
					      sizeof(sector), "LVM device header");
	size_t got = vk_vmfs_get(r, VK_LVM_HEADER_OFFSET, sector, sizeof(sector));
	size_t errors = r->errors;

	v->lvm_seen_bytes = vk_lvm_device_decode(sector, got, &v->lvm);
	vk_lvm_device_check(&v->lvm, v->lvm_seen_bytes, v->partition_bytes, VK_LVM_HEADER_OFFSET,
			    &r->counting);
	v->lvm_usable = vk_lvm_device_usable(&v->lvm, v->lvm_seen_bytes);
	vk_lvm_geometry(&v->lvm, VK_LVM_HEADER_OFFSET, &v->geometry);
	if (place != NULL)
		place->damaged = r->errors > errors;
}

static void read_volume(struct vk_vmfs_reader *r, size_t index)
{
	struct vk_vmfs *v = r->vmfs;
	struct vk_lvm_volume_at *at = &v->volumes[v->volume_count];
	uint8_t entry[VK_LVM_VOLUME_BYTES];
	struct vk_place *place;
	size_t errors = r->errors;
	size_t got;

	at->offset_bytes = v->geometry.volume_table + index * VK_LVM_VOLUME_BYTES;
	place = vk_place_add(r, &vk_lvm_volume_layout, 0, VK_PART_LVM, at->offset_bytes, VK_LVM_VOLUME_BYTES,
			     "LVM volume descriptor%s", index > 0 ? vk_phrase(" %zu", index).text : "");
	got = vk_vmfs_get(r, at->offset_bytes, entry, sizeof(entry));
	at->seen_bytes = vk_lvm_volume_decode(entry, got, &at->volume);
	/* without a usable header the first entry is still looked at when it names itself */
	if (at->seen_bytes == 0 || (!v->lvm_usable && !vk_lvm_volume_named(&at->volume))) {
		if (place != NULL)
			place->damaged = place->presence == VK_PRESENCE_WHOLE;
		return;
	}
	v->volume_count++;
	vk_lvm_volume_check(&at->volume, &v->lvm, at->seen_bytes, at->offset_bytes, &r->counting);
	if (place != NULL)
		place->damaged = r->errors > errors;
}

static void read_volumes(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	size_t count = v->lvm_usable ? vk_min_u64(v->lvm.numVolumes, v->geometry.volume_entries) : 1;

	v->volumes = calloc(count + 1, sizeof(*v->volumes));
	if (v->volumes == NULL) {
		r->status = vk_no_memory(r->err, vk_io_name(r->io));
		return;
	}
	for (size_t i = 0; i < count && r->status == VK_OK; i++)
		read_volume(r, i);
}

static void read_sd_names(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	uint8_t table[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];
	size_t got;

	if (v->lvm.majorVersion < 5 || !v->lvm_usable || v->volume_count == 0)
		return;
	vk_place_add(r, &vk_lvm_sd_layout, VK_LVM_SD_BYTES, VK_PART_LVM, v->geometry.sd_table, sizeof(table),
		     "SD table (member devices)");
	got = vk_vmfs_get(r, v->geometry.sd_table, table, sizeof(table));
	for (size_t i = 0; i < got / VK_LVM_SD_BYTES && table[i * VK_LVM_SD_BYTES] != 0; i++) {
		struct vk_lvm_sd *sd = vk_append(&v->sd_names, &v->sd_count, NULL, sizeof(*sd));

		if (sd == NULL) {
			r->status = vk_no_memory(r->err, vk_io_name(r->io));
			return;
		}
		vk_lvm_sd_decode(table + i * VK_LVM_SD_BYTES, VK_LVM_SD_BYTES, sd);
	}
	/* the table is on the first extent, and names that one first */
	if (v->sd_count > 0 && v->volume_count == 1 && v->volumes[0].volume.firstPE == 0 &&
	    v->sd_count == v->volumes[0].volume.numDevs)
		vk_lvm_sd_check(&v->sd_names[0], &v->lvm, VK_LVM_HEADER_OFFSET, &r->counting);
}

/* Where a volume offset lies in the handle; the usual place when nothing maps it. */
static uint64_t place_in_handle(const struct vk_vmfs *v, uint64_t volume_offset)
{
	uint64_t device;
	uint64_t length;

	if (v->volume_only)
		return volume_offset;
	if (vk_vmfs_map(v, volume_offset, &device, &length))
		return device;
	return vk_add_sat(v->lvm_usable ? v->lvm.dataOffset : VK_LVM_DATA_OFFSET, volume_offset);
}

/*
 * Where no header says it the heartbeats do: VMFS6 has a slot in every 4096 bytes and zeros between, VMFS3 and 5 have
 * one in every 512.
 */
static bool slots_are_wide(struct vk_vmfs_reader *r)
{
	enum { SLOT = 512, WIDE_SLOT = 4096, SLOTS = 8 };
	uint8_t bytes[SLOTS * WIDE_SLOT];
	struct vk_heartbeat hb;

	if (vk_vmfs_get(r, place_in_handle(r->vmfs, VK_HEARTBEATS_OFFSET), bytes, sizeof(bytes)) < sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i += SLOT) {
		vk_heartbeat_decode(bytes + i, SLOT, &hb);
		if ((hb.state == VK_HB_FREE || hb.state == VK_HB_IN_USE) != (i % WIDE_SLOT == 0))
			return false;
	}
	return true;
}

/* On LVM6 the usual VMFS6 geometry is the better guess when the descriptor does not say. */
static void settle_fs_geometry(struct vk_vmfs_reader *r)
{
	const struct vk_fs_descriptor six = {.magic = VK_FS_MAGIC_VMFS,
					     .majorVersion = 24,
					     .fileBlockSize = 1 << 20,
					     .mdAlignment = 4096};
	struct vk_vmfs *v = r->vmfs;

	v->fs_usable = vk_fs_geometry(&v->fs, v->fs_seen_bytes, &v->fs_geometry);
	if (!v->fs_usable && (v->lvm_usable ? v->lvm.majorVersion >= 6 : v->fs_expected && slots_are_wide(r)))
		vk_fs_geometry(&six, VK_FS_DESCRIPTOR_BYTES, &v->fs_geometry);
}

static void read_fs(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	const struct vk_vmfs_uuid *lv = v->volume_count > 0 && v->lvm_usable
						? &v->volumes[0].volume.uuid : NULL;
	uint8_t sector[VK_FS_SECTOR_BYTES];
	size_t errors = r->errors;
	struct vk_place *place;
	size_t got;

	v->fs_offset_bytes = place_in_handle(v, VK_FS_OFFSET);
	place = vk_place_add(r, &vk_fs_descriptor_layout, 0, VK_PART_VH, v->fs_offset_bytes, sizeof(sector),
			     "file-system descriptor");
	got = vk_vmfs_get(r, v->fs_offset_bytes, sector, sizeof(sector));
	v->fs_seen_bytes = vk_fs_descriptor_decode(sector, got, &v->fs);
	vk_fs_descriptor_check(&v->fs, v->fs_seen_bytes, lv, v->fs_offset_bytes, &r->counting);
	if (place != NULL)
		place->damaged = r->errors > errors;
	settle_fs_geometry(r);
}

static void read_heartbeats(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	const struct vk_fs_geometry *g = &v->fs_geometry;

	v->heartbeats.geometry = *g;
	v->heartbeats.offset_bytes = place_in_handle(v, g->heartbeat_offset);
	vk_place_add(r, &vk_heartbeat_layout, g->heartbeat_slot_bytes, VK_PART_HEARTBEATS, v->heartbeats.offset_bytes,
		     g->heartbeat_end - g->heartbeat_offset, "heartbeat region");
	vk_heartbeats_read(r, g->heartbeat_offset);
	if (r->status == VK_OK)
		v->places[v->place_count - 1].damaged = v->heartbeats.damaged_count > 0;
}

static void reset(struct vk_vmfs *vmfs)
{
	struct vk_vmfs kept = {.partition = vmfs->partition,
			       .start_sector = vmfs->start_sector,
			       .sectors = vmfs->sectors,
			       .partition_bytes = vmfs->partition_bytes,
			       .volume_only = vmfs->volume_only};

	*vmfs = kept;
}

enum vk_status vk_vmfs_read(struct vk_io *io, const struct vk_finding_sink *sink,
			    struct vk_vmfs *vmfs, struct vk_error *err)
{
	struct vk_vmfs_reader r = {.io = io, .sink = sink, .vmfs = vmfs, .err = err};

	r.counting = (struct vk_finding_sink){count_and_pass, &r};
	reset(vmfs);
	if (!vmfs->volume_only) {
		read_device_header(&r);
		read_volumes(&r);
		read_sd_names(&r);
		vk_pe_tables_read(&r);
	}
	vmfs->fs_expected = vmfs->volume_only || vmfs->volume_count == 0 || vmfs->first_pe == 0;
	if (vmfs->fs_expected && r.status == VK_OK) {
		read_fs(&r);
		read_heartbeats(&r);
	} else {
		settle_fs_geometry(&r);
	}
	if (r.status != VK_OK) {
		vk_vmfs_free(vmfs);
		return r.status;
	}
	settle_places(&r);
	return VK_OK;
}

void vk_vmfs_free(struct vk_vmfs *vmfs)
{
	free(vmfs->volumes);
	free(vmfs->exts);
	free(vmfs->sd_names);
	free(vmfs->runs);
	free(vmfs->places);
	reset(vmfs);
}

/* A volume descriptor may claim a first extent near the end of all numbers. */
static uint64_t end_of_run(const void *run)
{
	return vk_add_sat(((const struct vk_run *)run)->volume_offset, ((const struct vk_run *)run)->length_bytes);
}

/* Runs lie one behind the other without overlap: pe_tables.c keeps no others. */
bool vk_vmfs_map(const struct vk_vmfs *vmfs, uint64_t volume_offset, uint64_t *ret_device_offset, uint64_t *ret_length)
{
	size_t i = vk_first_not_below(vmfs->runs, vmfs->run_count, sizeof(*vmfs->runs), vk_add_sat(volume_offset, 1),
				      end_of_run);
	const struct vk_run *run = i < vmfs->run_count ? &vmfs->runs[i] : NULL;

	if (run == NULL || volume_offset < run->volume_offset)
		return false;
	*ret_device_offset = run->device_offset + (volume_offset - run->volume_offset);
	*ret_length = run->length_bytes - (volume_offset - run->volume_offset);
	return true;
}
