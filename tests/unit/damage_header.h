/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a VMFS partition the damage of header repairs is drawn over, and which of them say the same. */
#ifndef VK_TESTS_DAMAGE_HEADER_H
#define VK_TESTS_DAMAGE_HEADER_H

#include "damage_draw.h"
#include "vmfskit/vmfs.h"

/* One copy of a fact: bytes of a field of the device header (D), the volume descriptor (V) or the file system (F). */
struct damage_row {
	const char *fact;
	char structure;
	const char *field;
	size_t from, len; /* len 0: all of it */
};
static const struct damage_row damage_rows[] = {
	{"volume time", 'V', "name", 0, 8}, {"volume time", 'V', "uuid", 0, 4}, {"volume time", 'F', "volInfo", 0, 4},
	{"volume time high", 'V', "name", 9, 8}, {"volume time high", 'V', "uuid", 4, 4},
	{"volume time high", 'F', "volInfo", 4, 4},
	{"volume random", 'V', "name", 18, 4}, {"volume random", 'V', "uuid", 8, 2}, {"volume random", 'F', "volInfo", 8, 2},
	{"volume MAC", 'V', "name", 23, 12}, {"volume MAC", 'V', "uuid", 10, 6}, {"volume MAC", 'F', "volInfo", 10, 6},
	{"volume", 'V', "name", 0, 35}, {"volume", 'V', "uuid", 0, 0}, {"volume", 'F', "volInfo", 0, 0},
	{"device time", 'D', "devID", 0, 4}, {"device time", 'D', "initTimeUS", 0, 0},
	{"device time", 'V', "creationTimeUS", 0, 0},
	{"creation", 'V', "creationTimeUS", 0, 0}, {"creation", 'V', "uuid", 0, 4}, {"creation", 'D', "initTimeUS", 0, 0},
	{"creation", 'F', "creationTime", 0, 0}, {"creation", 'F', "uuid", 0, 4}, {"creation", 'D', "devID", 0, 4},
	{"MAC", 'D', "devID", 10, 6}, {"MAC", 'V', "uuid", 10, 6}, {"MAC", 'F', "volInfo", 10, 6}, {"MAC", 'F', "uuid", 10, 6},
	{"MAC", 'V', "name", 23, 12},
	{"size", 'D', "totalBytes", 0, 0}, {"size", 'D', "numPEs", 0, 0}, {"size", 'D', "lastPEIndex", 0, 0},
	{"size", 'V', "logicalSize", 0, 0}, {"size", 'V', "numPEs", 0, 0}, {"size", 'V', "lastPE", 0, 0},
	{"size", 'D', "numPEs6", 0, 0},
	{"length", 'D', "totalBytes", 0, 0}, {"length", 'V', "logicalSize", 0, 0},
	{"extents", 'D', "numPEs", 0, 0}, {"extents", 'D', "lastPEIndex", 0, 0}, {"extents", 'V', "numPEs", 0, 0},
	{"snapshot", 'V', "snapID", 0, 0}, {"snapshot", 'F', "volInfoSnapID", 0, 0}, {"snapshot", 'F', "snapID", 0, 0},
	{"change", 'D', "modTimeUS", 0, 0}, {"change", 'V', "modTimeUS", 0, 0},
	{"generation", 'D', "generation", 0, 0}, {"generation", 'V', "generation", 0, 0},
	{"sector size", 'D', "diskBlockSize", 0, 0}, {"sector size", 'F', "diskBlockSize", 0, 0},
	{"alignment", 'D', "mdAlignment", 0, 0}, {"alignment", 'F', "mdAlignment", 0, 0},
	{"magic", 'D', "magic", 0, 0}, {"magic", 'F', "magic", 0, 0},
	{"version", 'D', "majorVersion", 0, 0}, {"version", 'D', "minorVersion", 0, 0}, {"version", 'F', "majorVersion", 0, 0},
	{"maps", 'D', "numPEMaps", 0, 0}, {"maps", 'D', "dataOffset", 0, 0}, {"maps", 'D', "extDevMetadataOffset", 0, 0},
	{"file system", 'F', "uuid", 0, 0}, {"file system", 'F', "creationTime", 0, 0},
	{"file system", 'V', "creationTimeUS", 0, 0},
	{"label", 'F', "fsLabel", 0, 16}, {"label", 'F', "uuid", 0, 0},
	{"blocks", 'F', "fileBlockSize", 0, 0}, {"blocks", 'F', "subBlockSize", 0, 0},
	{"blocks", 'F', "fdcClusterGroupOffset", 0, 0}, {"blocks", 'F', "fdcClustersPerGroup", 0, 0},
	{"number", 'V', "volumeID", 0, 0}, {"number", 'D', "numVolumes", 0, 0}, {"number", 'V', "numDevs", 0, 0},
};

/* Where it lies on this volume; false: it has no such structure. */
static inline bool damage_row_place(const struct damage_row *row, const struct vk_vmfs *v, uint64_t *ret_at,
				    size_t *ret_len)
{
	const struct vk_layout *layout = row->structure == 'D' ? &vk_lvm_device_layout :
					 row->structure == 'V' ? &vk_lvm_volume_layout : &vk_fs_descriptor_layout;
	uint64_t at = row->structure == 'D' ? VK_LVM_HEADER_OFFSET :
		      row->structure == 'V' ? v->volumes[0].offset_bytes : v->fs_offset_bytes;
	const struct vk_field *field = vk_layout_field(layout, row->field);

	assert_non_null(field);
	*ret_at = at + field->offset + row->from;
	*ret_len = row->len != 0 ? row->len : field->size;
	return row->structure != 'F' || v->fs_expected;
}

static inline void damage_map_facts(struct damage_map *map, const struct vk_vmfs *v)
{
	for (size_t i = 0; i < sizeof(damage_rows) / sizeof(damage_rows[0]); i++) {
		uint64_t at;
		size_t len;

		if (damage_row_place(&damage_rows[i], v, &at, &len))
			damage_add_copy(map, damage_rows[i].fact, at, len);
	}
}

/* Bitmap and entries that say the same of the first extents, and the names of the disk. */
static inline void damage_map_tables(struct damage_map *map, const struct vk_vmfs *v)
{
	uint64_t table = v->geometry.first_bitmap + v->geometry.bitmap_bytes;
	size_t entries = v->lvm.numPEs < 4 ? v->lvm.numPEs : 4;

	damage_add_copy(map, "PEs in use", v->geometry.first_bitmap, (v->lvm.numPEs + 7) / 8);
	for (size_t i = 0; i < entries; i++)
		damage_add_copy(map, "PEs in use", table + i * VK_LVM_PE_STRIDE, 1);
	damage_add_copy(map, "places of PEs", v->geometry.first_bitmap, (v->lvm.numPEs + 7) / 8);
	for (size_t i = 0; i < entries; i++)
		damage_add_copy(map, "places of PEs", table + i * VK_LVM_PE_STRIDE, VK_LVM_PE_BYTES_USED);
	damage_add_copy(map, "disk", VK_LVM_HEADER_OFFSET + 0x2E, 22);
	if (v->sd_count > 0)
		damage_add_copy(map, "disk", v->geometry.sd_table, 48);
}

static inline void damage_map_heartbeats(struct damage_map *map, struct vk_io *healthy, const struct vk_vmfs *v)
{
	const struct vk_heartbeats *h = &v->heartbeats;
	uint32_t slots[] = {0, 1, 7, h->geometry.heartbeat_slots - 1,
			    h->in_use_count > 0 ? h->in_use[0].slot : 2, h->history_count > 0 ? h->history[0].slot : 3};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		damage_add_region(map, healthy, "heartbeat slot",
				  h->offset_bytes + (uint64_t)slots[i] * h->geometry.heartbeat_slot_bytes, DAMAGE_SECTOR);
}

/* What lies in the first sectors of a partition that is sound. The headers are several times as likely as the rest. */
static inline void damage_map_header(struct damage_map *map, struct vk_io *healthy, uint64_t partition_bytes)
{
	struct vk_vmfs v = {.partition_bytes = partition_bytes};
	struct vk_error err = {0};

	memset(map, 0, sizeof(*map));
	assert_int_equal(vk_vmfs_read(healthy, NULL, &v, &err), VK_OK);
	assert_true(v.lvm_usable && v.volume_count == 1 && (!v.fs_expected || v.fs_usable));
	for (int i = 0; i < 5; i++) {
		damage_add_region(map, healthy, "LVM header", VK_LVM_HEADER_OFFSET, DAMAGE_SECTOR);
		damage_add_region(map, healthy, "volume descriptor", v.volumes[0].offset_bytes, DAMAGE_SECTOR);
		if (v.fs_expected)
			damage_add_region(map, healthy, "FS descriptor", v.fs_offset_bytes, DAMAGE_SECTOR);
	}
	for (int i = 0; i < 2; i++) {
		damage_add_region(map, healthy, "PE bitmap", v.geometry.first_bitmap, (v.lvm.numPEs + 7) / 8);
		damage_add_region(map, healthy, "PE bitmap sector", v.geometry.first_bitmap, DAMAGE_SECTOR);
		damage_add_region(map, healthy, "PE table", v.geometry.first_bitmap + v.geometry.bitmap_bytes,
				  (size_t)v.lvm.numPEs * VK_LVM_PE_STRIDE);
	}
	if (v.lvm.majorVersion >= 5)
		damage_add_region(map, healthy, "SD table", v.geometry.sd_table, (size_t)2 * VK_LVM_SD_BYTES);
	if (v.fs_expected)
		damage_map_heartbeats(map, healthy, &v);
	damage_map_facts(map, &v);
	damage_map_tables(map, &v);
	vk_vmfs_free(&v);
}

#endif
