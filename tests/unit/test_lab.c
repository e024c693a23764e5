/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the lab decode back, have no finding, agree with published bytes, and are the same every time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "lab/lab.h"
#include "lab_memory.h"
#include "vmfskit/heartbeat.h"

static void make_devices(struct vk_lab_device *devices, const char *spec, const uint64_t *totals,
			 size_t count)
{
	struct vk_lab_extent extents[VK_LAB_MEMBERS_MAX];
	struct vk_lab_volume v;

	vk_lab_volume_init(&v);
	v.version = 5;
	assert_int_equal(vk_lab_volume_parse(&v, spec, NULL), VK_OK);
	for (size_t i = 0; i < count; i++)
		extents[i] = (struct vk_lab_extent){totals[i], 1};
	assert_int_equal(vk_lab_devices_make(&v, 7, 0, extents, count, 512, devices, NULL), VK_OK);
}

struct walk {
	uint64_t next_pe_offset; /* where the next entry must continue the volume */
	uint64_t entries;
	uint64_t ones;
	uint64_t data_end;       /* device offset behind the data of all regions so far */
};

static uint64_t count_ones(const uint8_t *bitmap, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (uint64_t)__builtin_popcount(bitmap[i]);
	return n;
}

/* One region as a reader walks it: pair by pair, only by what the bytes say. */
static void walk_region(struct vk_lab_disk *disk, const struct vk_lvm_device *d, uint64_t header,
			uint32_t maps, uint64_t data_offset, struct walk *w)
{
	static uint8_t table[VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE];
	uint8_t bitmap[VK_LVM_PES_PER_MAP / 8];
	struct vk_lvm_geometry g;

	assert_true(vk_lvm_geometry(d, header, &g));
	assert_true(maps >= 1 && maps <= VK_LVM_MAPS_PER_REGION);
	assert_true(g.first_bitmap + maps * g.pair_bytes <= data_offset);
	assert_true(header >= w->data_end);
	for (uint32_t m = 0; m < maps; m++) {
		uint64_t at = g.first_bitmap + m * g.pair_bytes;

		get(disk, at, bitmap, sizeof(bitmap));
		get(disk, at + g.bitmap_bytes, table, sizeof(table));
		w->ones += count_ones(bitmap, sizeof(bitmap));
		for (uint32_t i = 0; i < VK_LVM_PES_PER_MAP; i++) {
			struct vk_lvm_pe pe;

			vk_lvm_pe_decode(table + (size_t)i * VK_LVM_PE_STRIDE, VK_LVM_PE_STRIDE, &pe);
			assert_int_equal(pe.used, bitmap[i / 8] >> i % 8 & 1);
			if (pe.used == 0)
				continue;
			assert_true(vk_lvm_pe_plausible(&pe, d));
			assert_int_equal(pe.peID, w->entries);
			assert_int_equal(pe.lOffset, w->next_pe_offset);
			assert_true(pe.pOffset >= data_offset && pe.pOffset >= w->data_end);
			w->next_pe_offset += pe.length;
			w->data_end = pe.pOffset + pe.length;
			w->entries++;
		}
	}
}

static void check_pes(struct vk_lab_disk *disk, const struct vk_lvm_device *d,
		      const struct vk_lvm_volume *v)
{
	struct walk w = {.next_pe_offset = v->firstPE * VK_LVM_PE_BYTES};
	uint64_t next = d->extDevMetadataOffset;

	walk_region(disk, d, VK_LVM_HEADER_OFFSET, vk_lvm_main_maps(d), d->dataOffset, &w);
	for (int links = 0; next != 0; links++) {
		uint8_t raw[VK_LVM_EXT_BYTES];
		struct vk_lvm_ext ext;

		assert_true(links < 64);
		get(disk, next, raw, sizeof(raw));
		vk_lvm_ext_decode(raw, sizeof(raw), &ext);
		assert_int_equal(ext.magic, VK_LVM_MAGIC);
		walk_region(disk, d, next, ext.numPEMaps, ext.dataOffset, &w);
		next = ext.nextOffset;
	}
	assert_int_equal(w.entries, d->numPEs);
	assert_int_equal(w.ones, d->numPEs);
	assert_int_equal(w.next_pe_offset, (v->lastPE + 1) * VK_LVM_PE_BYTES);
	assert_true(w.data_end <= d->totalBytes);
	/* no whole extent is left over, except what extended metadata takes */
	if (d->extDevMetadataOffset == 0)
		assert_true(d->totalBytes - w.data_end < VK_LVM_PE_BYTES);
}

static void check_fs(struct vk_lab_disk *disk, const struct vk_lvm_device *d,
		     const struct vk_lvm_volume *v, unsigned live)
{
	uint8_t raw[4096];
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry g;
	unsigned in_use = 0, history = 0;
	size_t seen;

	get(disk, d->dataOffset + VK_FS_OFFSET, raw, VK_FS_SECTOR_BYTES);
	seen = vk_fs_descriptor_decode(raw, VK_FS_SECTOR_BYTES, &fs);
	vk_fs_descriptor_check(&fs, seen, &v->uuid, d->dataOffset + VK_FS_OFFSET, &sound);
	assert_true(vk_fs_geometry(&fs, seen, &g));
	for (uint32_t i = 0; i < g.heartbeat_slots; i++) {
		uint64_t at = g.heartbeat_offset + (uint64_t)i * g.heartbeat_slot_bytes;
		struct vk_heartbeat hb;

		get(disk, d->dataOffset + at, raw, g.heartbeat_slot_bytes);
		seen = vk_heartbeat_decode(raw, g.heartbeat_slot_bytes, &hb);
		vk_heartbeat_check(&hb, seen, at, d->dataOffset + at, &sound);
		in_use += hb.state == VK_HB_IN_USE;
		history += vk_heartbeat_has_history(&hb);
		if (hb.state == VK_HB_IN_USE) {
			assert_false(vk_vmfs_uuid_is_nil(&hb.owner));
			assert_true(hb.stamp > 0 && hb.hbGen > 0 && hb.journalAddr != 0);
			assert_true(hb.journalVolAddr < v->logicalSize);
			assert_int_equal(strncmp((const char *)hb.ip, "10.20.", 6), 0);
		}
	}
	assert_int_equal(in_use, live);
	assert_int_equal(history, 1);
}

static void check_device(const char *spec, uint64_t total, unsigned live)
{
	struct vk_lab_device *made = calloc(1, sizeof(*made));
	struct vk_lab_disk disk = memory_disk(total);
	uint8_t raw[512];
	struct vk_lvm_device d;
	struct vk_lvm_volume v;
	struct vk_lvm_geometry g;
	size_t seen;

	assert_non_null(made);
	make_devices(made, spec, &total, 1);
	assert_int_equal(vk_lab_write_device(&disk, 0, made), VK_OK);
	get(&disk, VK_LVM_HEADER_OFFSET, raw, sizeof(raw));
	seen = vk_lvm_device_decode(raw, sizeof(raw), &d);
	assert_memory_equal(&d, &made->header, sizeof(d));
	assert_true(vk_lvm_device_usable(&d, seen));
	vk_lvm_device_check(&d, seen, total, VK_LVM_HEADER_OFFSET, &sound);
	assert_true(vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &g));
	get(&disk, g.volume_table, raw, sizeof(raw));
	seen = vk_lvm_volume_decode(raw, sizeof(raw), &v);
	vk_lvm_volume_check(&v, &d, seen, g.volume_table, &sound);
	check_pes(&disk, &d, &v);
	check_fs(&disk, &d, &v, live);
	close(disk.fd);
	free(made);
}

static void devices_have_no_finding(void **state)
{
	static const char *const specs[] = {"version=3,live=2", "version=5,live=1", "version=6,live=3",
					    "version=5l", "version=6l", "version=3,block-size=8M"};
	static const unsigned live[] = {2, 1, 3, 0, 0, 0};
	const uint64_t data = VK_LVM_DATA_OFFSET;
	/* about one map, one region, and an extended region that has no room for an extent */
	const uint64_t totals[] = {
		data + VK_LVM_PE_BYTES,
		5 * GIB + 512,
		data + 8192 * VK_LVM_PE_BYTES - 512,
		data + 8192 * VK_LVM_PE_BYTES,
		data + 8193 * VK_LVM_PE_BYTES,
		data + 16 * TIB,
		data + 16 * TIB + VK_LVM_PE_BYTES,
		data + 16 * TIB + VK_LVM_PE_BYTES + (16 << 20),
		64 * TIB - (1 << 20),
		100 * TIB,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		for (size_t t = 0; t < sizeof(totals) / sizeof(totals[0]); t++)
			check_device(specs[i], totals[t], live[i]);
}

static void extended_regions_of_64_tib(void **state)
{
	struct vk_lab_region r;
	unsigned regions = 0;

	(void)state;
	for (bool more = vk_lab_region_next(64 * TIB, NULL, &r); more;
	     more = vk_lab_region_next(64 * TIB, &r, &r))
		regions++;
	assert_int_equal(regions, 4);
	assert_int_equal(vk_lab_pe_count(5, 64 * TIB), 0x3FFFF);
	assert_int_equal(vk_lab_pe_count(6, 64 * TIB), 0x3FFFF);
}

static void lvm6_entries_begin_at_multiples_of_16_tib(void **state)
{
	struct vk_lab_device *d = calloc(1, sizeof(*d));
	const uint64_t total = 64 * TIB;
	struct vk_lvm_pe pe;

	(void)state;
	make_devices(d, "version=6", &total, 1);
	assert_int_equal(d->header.numPEs, 4);
	assert_int_equal(d->header.numPEs6, 0x3FFFF);
	for (uint32_t i = 0; i < 4; i++) {
		vk_lab_pe(d, NULL, i, &pe);
		assert_int_equal(pe.lOffset, i * 16 * TIB);
		assert_int_equal(pe.length, i < 3 ? 16 * TIB : 16 * TIB - VK_LVM_PE_BYTES);
	}
	free(d);
}

/* Headers of two published hexdumps up to the device UUID; what follows is drawn from the seed. */
static void headers_agree_with_published_bytes(void **state)
{
	static const uint8_t d1[0x82] = {
		0x0d, 0xd0, 0x01, 0xc0, 0x03, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x02, 0x16, 0x03,
		0x00, 0x00, 0x06, 0x53, 0x55, 0x4e, 0x20, 0x20, 0x20, 0x20, 0x20, 0x43, 0x4f, 0x4d, 0x53,
		0x54, 0x41, 0x52, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x31, 0x2e, 0x30,
		0x20, 0x60, 0x01, 0x44, 0xf0, 0x7e, 0xd4, 0x04, 0x00, 0x00, 0x00, 0x49, 0x6f, 0xf8, 0xcd,
		0x00, 0x03, 0x43, 0x4f, 0x4d, 0x53, 0x54, 0x41, [0x5b] = 0x02, [0x5f] = 0xfc, 0xe9, 0xff,
		0x18, [0x66] = 0x01, [0x6a] = 0x8f, 0x01, 0x00, 0x00, 0x8e, 0x01, 0x00, 0x00, 0x91, 0x01,
		[0x7c] = 0x10, 0x01};
	static const uint8_t d3[0x82] = {
		0x0d, 0xd0, 0x01, 0xc0, 0x05, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00, 0x02, 0x16, 0x05,
		[0x2e] = 0x60, 0x01, 0x44, 0xf0, 0xe8, 0xcb, 0x47, 0x00, 0x00, 0x00, 0x50, 0x53, 0xb9,
		0xb5, 0x00, 0x01, 0x43, 0x4f, 0x4d, 0x53, 0x54, 0x41, [0x5b] = 0x02, [0x60] = 0xff, 0x7f,
		0x02, [0x66] = 0x01, [0x6a] = 0x27, [0x6e] = 0x26, [0x72] = 0x03, [0x7c] = 0x10, 0x01};
	const uint64_t total1 = 107372739584, total3 = 10737352704;
	struct vk_lab_device *d = calloc(1, sizeof(*d));
	uint8_t raw[512] = {0};

	(void)state;
	make_devices(d, "version=3,lun=3,model=SUN:COMSTAR:1.0,naa=naa.600144f07ed404000000496ff8cd0003",
		     &total1, 1);
	vk_lvm_device_encode(&d->header, raw, sizeof(raw));
	assert_memory_equal(raw, d1, sizeof(d1));
	assert_true(vk_all_zero(raw + 0xA2, sizeof(raw) - 0xA2));
	assert_int_equal(d->volume.logicalSize, 0x18F0000000ULL);
	assert_int_equal(d->volume.generation, 0x190);
	make_devices(d, "version=5,lun=5,model=SUN:COMSTAR:1.0,naa=naa.600144f0e8cb470000005053b9b50001",
		     &total3, 1);
	vk_lvm_device_encode(&d->header, raw, sizeof(raw));
	assert_memory_equal(raw, d3, sizeof(d3));
	assert_int_equal(vk_get_le32(raw + 0xBE), 1);
	free(d);
}

static void members_tile_the_volume(void **state)
{
	const uint64_t totals[] = {3 * GIB, 20 * TIB, 5 * GIB};
	struct vk_lab_device *d = calloc(3, sizeof(*d));
	uint64_t next = 0;

	(void)state;
	make_devices(d, "version=5,naa=naa.600144f07ed404000000496ff8cd00ff,lun=9", totals, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(d[i].head, i == 0);
		assert_int_equal(d[i].volume.firstPE, next);
		next = d[i].volume.lastPE + 1;
		assert_int_equal(d[i].volume.numDevs, 3);
		assert_int_equal(d[i].header.diskID.lun, 9 + i);
		assert_true(vk_vmfs_uuid_equal(&d[i].volume.uuid, &d[0].volume.uuid));
		assert_int_equal(vk_vmfs_uuid_equal(&d[i].header.devID, &d[0].header.devID), i == 0);
		assert_int_equal(d[i].member_count, i == 0 ? 3 : 0);
		vk_lvm_device_check(&d[i].header, VK_LVM_DEVICE_BYTES, totals[i], 0, &sound);
		vk_lvm_volume_check(&d[i].volume, &d[i].header, VK_LVM_VOLUME_BYTES, 0, &sound);
	}
	assert_int_equal(d[0].volume.logicalSize, next * VK_LVM_PE_BYTES);
	/* the next LUN of the array, with a carry */
	assert_string_equal((char *)d[0].members[1].deviceName,
			    "naa.600144f07ed404000000496ff8cd0100:1");
	free(d);
}

/* A public listing of a VMFS 6.81 of 500 GB: 1000 large blocks, 256 pointer blocks, so many bytes of metadata. */
static void metadata_of_500_gb_is_as_published(void **state)
{
	const uint64_t total = VK_LVM_DATA_OFFSET + 2000 * VK_LVM_PE_BYTES;
	struct vk_lab_device *d = calloc(1, sizeof(*d));
	struct vk_lab_files files;
	uint64_t bytes = 0;

	(void)state;
	make_devices(d, "version=6", &total, 1);
	assert_int_equal(vk_lab_files_plan(d, &files, NULL), VK_OK);
	for (unsigned i = VK_SYSTEM_FBB; i < files.file_count; i++)
		bytes += i == VK_SYSTEM_SDD ? 0 : files.of[i].length;
	assert_int_equal(bytes, 1510866944);
	assert_int_equal(vk_resource_count(&files.of[VK_SYSTEM_FBB].resource), 1000);
	assert_int_equal(vk_resource_count(&files.of[VK_SYSTEM_PB2].resource), 256);
	free(d);
}

/* All bytes of a made device, as one number. */
static uint32_t digest(const char *spec, uint64_t seed)
{
	const struct vk_lab_extent extent = {20 * GIB, 1};
	const size_t len = 24 << 20;
	struct vk_lab_disk disk = memory_disk(extent.total_bytes);
	struct vk_lab_device *d = calloc(1, sizeof(*d));
	uint8_t *bytes = malloc(len);
	struct vk_lab_volume v;
	uint32_t crc;

	vk_lab_volume_init(&v);
	assert_int_equal(vk_lab_volume_parse(&v, spec, NULL), VK_OK);
	assert_int_equal(vk_lab_devices_make(&v, seed, 0, &extent, 1, 512, d, NULL), VK_OK);
	assert_int_equal(vk_lab_write_device(&disk, 0, d), VK_OK);
	get(&disk, 0, bytes, len);
	crc = vk_crc32(0, bytes, len);
	close(disk.fd);
	free(bytes);
	free(d);
	return crc;
}

static void the_seed_decides(void **state)
{
	static const char *const specs[] = {"version=3,live=4", "version=5,live=4", "version=6,live=4"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(digest(specs[i], 1), digest(specs[i], 1));
		assert_int_not_equal(digest(specs[i], 1), digest(specs[i], 2));
	}
}

static void all_hosts_find_a_slot(void **state)
{
	(void)state;
	check_device("version=6,live=512", 2 * GIB, 512);
	check_device("version=3,live=512", 2 * GIB, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_have_no_finding),
		cmocka_unit_test(extended_regions_of_64_tib),
		cmocka_unit_test(lvm6_entries_begin_at_multiples_of_16_tib),
		cmocka_unit_test(headers_agree_with_published_bytes),
		cmocka_unit_test(members_tile_the_volume),
		cmocka_unit_test(metadata_of_500_gb_is_as_published),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(all_hosts_find_a_slot),
	};

	return cmocka_run_group_tests_name("lab", tests, NULL, NULL);
}
