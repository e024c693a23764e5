/* SPDX-License-Identifier: Apache-2.0 */
/* VMFS LVM: where the tables of each version lie, PE entries, member devices. */
#include "lvm_samples.h"

static void geometry(void **state)
{
	static const struct {
		uint32_t major, alignment;
		bool known;
		uint64_t volume_table, sd_table, bitmap, pair1;
		uint32_t entries, bitmap_bytes;
	} rows[] = {
		{3, 0, true, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
		{4, 0, true, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
		{5, 0, true, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
		{5, 4096, true, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
		{6, 4096, true, 0x101000, 0x17F000, 0x181000, 0x282000, 1, 4096},
		{6, 512, true, 0x100200, 0x17E200, 0x180200, 0x280600, 1, 1024},
		{6, 65536, true, 0x110000, 0x18E000, 0x190000, 0x2A0000, 1, 65536},
		{6, 0, false, 0x100200, 0x17E200, 0x180200, 0x280600, 1, 1024},
		{6, 12288, false, 0x100200, 0x17E200, 0x180200, 0x280600, 1, 1024},
		{2, 0, false, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
		{7, 4096, false, 0x100200, 0x17E200, 0x180200, 0x280600, 512, 1024},
	};
	struct vk_lvm_geometry g;
	struct vk_lvm_device d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = (struct vk_lvm_device){.majorVersion = rows[i].major, .mdAlignment = rows[i].alignment};
		assert_int_equal(vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &g), rows[i].known);
		assert_int_equal(g.volume_table, rows[i].volume_table);
		assert_int_equal(g.volume_entries, rows[i].entries);
		assert_int_equal(g.sd_table, rows[i].sd_table);
		assert_int_equal(g.first_bitmap, rows[i].bitmap);
		assert_int_equal(g.bitmap_bytes, rows[i].bitmap_bytes);
		assert_int_equal(g.first_bitmap + g.pair_bytes, rows[i].pair1);
		/* the PE table of a pair follows its bitmap and ends with the pair */
		assert_int_equal(g.pair_bytes - g.bitmap_bytes, 8192 * VK_LVM_PE_STRIDE);
	}
	/* an extended region has the same displacements; a place at the end of all numbers does not wrap */
	d.majorVersion = 5;
	vk_lvm_geometry(&d, 0x40000000000, &g);
	assert_int_equal(g.first_bitmap, 0x40000080200);
	vk_lvm_geometry(&d, UINT64_MAX - 10, &g);
	assert_int_equal(g.first_bitmap, UINT64_MAX);
	assert_int_equal(g.sd_table, UINT64_MAX);
}

static void maps(void **state)
{
	static const uint32_t rows[][2] = {{0, 1}, {1, 1}, {2, 2}, {8, 8}, {9, 8}, {UINT32_MAX, 8}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_lvm_device d = {.numPEMaps = rows[i][0]};

		assert_int_equal(vk_lvm_main_maps(&d), rows[i][1]);
	}
	for (uint32_t major = 3; major <= 6; major++) {
		struct vk_lvm_device d = {.majorVersion = major};

		assert_int_equal(vk_lvm_fixed_pes(&d), major != 6);
	}
}

static void pe_entries(void **state)
{
	struct vk_lvm_device d = d1();
	struct vk_lvm_pe pe;
	struct vk_lvm_pe bad;
	uint8_t b[VK_LVM_PE_STRIDE] = {0};

	(void)state;
	/* entry 1 of the ESX 3.5 volume */
	bytes_of("01 01 00 00 00 00 00 00 00 00 00 10 11 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 00 00 00 00 "
		 "01 00 00 00", b, sizeof(b));
	assert_int_equal(vk_lvm_pe_decode(b, sizeof(b), &pe), VK_LVM_PE_BYTES_USED);
	assert_round_trip(&vk_lvm_pe_layout, b, sizeof(b));
	assert_int_equal(pe.used, 1);
	assert_int_equal(pe.peID, 1);
	assert_int_equal(pe.pOffset, 0x11100000);
	assert_int_equal(pe.lOffset, 0x10000000);
	assert_int_equal(pe.length, VK_LVM_PE_BYTES);
	assert_int_equal(pe.version, 1);
	assert_true(vk_lvm_pe_plausible(&pe, &d));
	assert_true(vk_lvm_pe_at_place(&pe, &d, 1, d.dataOffset, 1));
	assert_false(vk_lvm_pe_at_place(&pe, &d, 0, d.dataOffset, 0));
	assert_false(vk_lvm_pe_at_place(&pe, &d, UINT64_MAX, d.dataOffset, UINT64_MAX));
	bad = pe;
	bad.pOffset = d.totalBytes - bad.length;
	assert_true(vk_lvm_pe_plausible(&bad, &d));
	bad = pe;
	bad.pOffset += 512;
	assert_false(vk_lvm_pe_at_place(&bad, &d, 1, d.dataOffset, 1));
	assert_true(vk_lvm_pe_plausible(&bad, &d));

#define IMPLAUSIBLE(change) (bad = pe, change, assert_false(vk_lvm_pe_plausible(&bad, &d)))
	IMPLAUSIBLE(bad.used = 0);
	IMPLAUSIBLE(bad.used = 2);
	IMPLAUSIBLE(bad.length = 0);
	IMPLAUSIBLE(bad.length *= 2);
	IMPLAUSIBLE(bad.pOffset = d.dataOffset - 1);
	IMPLAUSIBLE(bad.pOffset = d.totalBytes - bad.length + 1);
	IMPLAUSIBLE(bad.pOffset = UINT64_MAX);
	/* LVM6: any length inside the device, and the place is free */
	d.majorVersion = 6;
	bad = pe;
	bad.length = 64 * VK_LVM_PE_BYTES;
	assert_true(vk_lvm_pe_plausible(&bad, &d));
	assert_true(vk_lvm_pe_at_place(&bad, &d, 7, d.dataOffset, 7));
	IMPLAUSIBLE(bad.length = UINT64_MAX);
}

static void device_names(void **state)
{
	uint8_t b[VK_LVM_SD_BYTES] = "naa.600144f07ed404000000496ff8cd0003:1";
	struct vk_lvm_sd sd;

	(void)state;
	assert_int_equal(vk_lvm_sd_decode(b, sizeof(b), &sd), VK_LVM_SD_BYTES);
	assert_field(&vk_lvm_sd_layout, "deviceName", &sd, "\"naa.600144f07ed404000000496ff8cd0003:1\"");
	assert_round_trip(&vk_lvm_sd_layout, b, sizeof(b));
	memset(b, 'x', sizeof(b));
	assert_int_equal(vk_lvm_sd_decode(b, sizeof(b), &sd), VK_LVM_SD_BYTES);
	memset(b, 0, sizeof(b));
	assert_int_equal(vk_lvm_sd_encode(&sd, b, sizeof(b)), VK_LVM_SD_BYTES);
	assert_int_equal(b[255], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometry),
		cmocka_unit_test(maps),
		cmocka_unit_test(pe_entries),
		cmocka_unit_test(device_names),
	};

	return cmocka_run_group_tests_name("lvm tables", tests, NULL, NULL);
}
