/* SPDX-License-Identifier: Apache-2.0 */
/* Master boot record: published entries, names, and each finding on its own. */
#include "disk_support.h"
#include "vmfskit/mbr.h"

static struct vk_findings list;

/* A sound disk of 20 971 520 sectors with the entry of a published LVM 5 disk. */
static struct vk_mbr sound(void)
{
	uint8_t b[512] = {0};
	struct vk_mbr mbr;

	bytes_of("00 02 03 00 FB FE FF FF 80 00 00 00 80 FF 3F 01", b + 0x1BE, 16);
	bytes_of("55 AA", b + 0x1FE, 2);
	assert_int_equal(vk_mbr_decode(b, sizeof(b), &mbr), 512);
	return mbr;
}

static void check(const struct vk_mbr *mbr, size_t seen)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_mbr_check(mbr, seen, 20971520, 0x1000, &sink);
}

static void published_entries(void **state)
{
	struct vk_mbr_entry e;
	uint8_t b[16];
	uint8_t chs[3];

	(void)state;
	bytes_of("00 02 03 00 FB FE FF FF 80 00 00 00 72 EF BF 5D", b, sizeof(b));
	assert_int_equal(vk_layout_decode(&vk_mbr_entry_layout, b, 16, &e), 16);
	assert_int_equal(e.type, VK_MBR_TYPE_VMFS);
	assert_int_equal(e.firstLBA, 128);
	assert_int_equal(e.sectors, 1572859762);
	assert_field(&vk_mbr_entry_layout, "firstCHS", &e, "cylinder 0, head 2, sector 3");
	assert_field(&vk_mbr_entry_layout, "lastCHS", &e, "cylinder 1023, head 254, sector 63");
	assert_field(&vk_mbr_entry_layout, "type", &e, "fb (VMFS)");
	vk_mbr_chs(128, chs);
	assert_memory_equal(chs, e.firstCHS, 3);
	vk_mbr_chs(128 + 1572859762ULL - 1, chs);
	assert_memory_equal(chs, e.lastCHS, 3);

	bytes_of("00 02 03 00 FB FE FF FF 80 00 00 00 80 FF 3F 01", b, sizeof(b));
	vk_layout_decode(&vk_mbr_entry_layout, b, 16, &e);
	assert_int_equal(e.sectors, 0x27FFF0000ULL / 512);
}

static void cylinders_heads_sectors(void **state)
{
	uint8_t chs[3];

	(void)state;
	vk_mbr_chs(0, chs);
	assert_memory_equal(chs, "\x00\x01\x00", 3);
	vk_mbr_chs(63, chs);
	assert_memory_equal(chs, "\x01\x01\x00", 3);
	vk_mbr_chs(16065, chs);
	assert_memory_equal(chs, "\x00\x01\x01", 3);
	/* bits 8 and 9 of the cylinder lie above the sector */
	vk_mbr_chs(16065ULL * 1023, chs);
	assert_memory_equal(chs, "\x00\xc1\xff", 3);
	vk_mbr_chs(16065ULL * 1024 - 1, chs);
	assert_memory_equal(chs, "\xfe\xff\xff", 3);
	vk_mbr_chs(16065ULL * 1024, chs);
	assert_memory_equal(chs, "\xfe\xff\xff", 3);
	vk_mbr_chs(UINT64_MAX, chs);
	assert_memory_equal(chs, "\xfe\xff\xff", 3);
}

static void protective(void **state)
{
	uint8_t b[512];
	struct vk_mbr mbr;

	(void)state;
	sample_bytes("d5-mbr-gpt", 0, b, sizeof(b));
	vk_mbr_decode(b, sizeof(b), &mbr);
	assert_true(vk_mbr_is_protective(&mbr));
	assert_int_equal(mbr.entries[0].firstLBA, 1);
	assert_int_equal(mbr.entries[0].sectors, 20971519);
	assert_int_equal(mbr.unknown1BC, 0x9A1D);
	assert_round_trip(&vk_mbr_layout, b, sizeof(b));
	check(&mbr, 512);
	assert_codes(&list, 0);
	/* a protective entry is allowed to say more than the disk has: 0xFFFFFFFF is the rule beyond 2 TiB */
	mbr.entries[0].sectors = 0xFFFFFFFF;
	check(&mbr, 512);
	assert_codes(&list, 0);
	mbr.entries[0].type = VK_MBR_TYPE_VMFS;
	assert_false(vk_mbr_is_protective(&mbr));
	/* hybrid: any of the four protects */
	mbr.entries[3].type = VK_MBR_TYPE_PROTECTIVE;
	assert_true(vk_mbr_is_protective(&mbr));
}

static void the_entries_are_what_is_written(void **state)
{
	struct vk_mbr mbr = sound();
	struct vk_mbr again;
	uint8_t b[512];

	(void)state;
	memset(b, 0x11, sizeof(b));
	mbr.entries[3] = mbr.entries[0];
	mbr.entries[3].firstLBA = 0xA1B2C3D4;
	assert_int_equal(vk_mbr_encode(&mbr, b, sizeof(b)), 512);
	vk_mbr_decode(b, sizeof(b), &again);
	assert_int_equal(again.entries[3].firstLBA, 0xA1B2C3D4);
	assert_memory_equal(b + 0x1EE + 8, "\xd4\xc3\xb2\xa1", 4);
	assert_int_equal(b[510], 0x55);
	/* a buffer that ends inside an entry holds none of it */
	memset(b, 0x11, sizeof(b));
	assert_int_equal(vk_mbr_encode(&mbr, b, 0x1BE + 15), 0x1BE + 15);
	for (size_t i = 0x1BE; i < sizeof(b); i++)
		assert_int_equal(b[i], 0x11);
	vk_mbr_encode(&mbr, b, 512);
	assert_int_equal(vk_mbr_decode(b, 0x1BE + 15, &again), 0x1BE + 15);
	assert_int_equal(again.entries[0].type, 0);
	vk_mbr_decode(b, 0x1BE + 16, &again);
	assert_int_equal(again.entries[0].type, VK_MBR_TYPE_VMFS);
}

static void findings(void **state)
{
	struct vk_mbr mbr = sound();

	(void)state;
	check(&mbr, 512);
	assert_codes(&list, 0);
	for (size_t seen = 0; seen < 512; seen++) {
		uint8_t b[512];
		struct vk_mbr cut;

		vk_mbr_encode(&mbr, memset(b, 0, sizeof(b)), sizeof(b));
		check((vk_mbr_decode(b, seen, &cut), &cut), seen);
		assert_codes(&list, 0);
	}

	mbr.signature = 0x55AA;
	check(&mbr, 512);
	assert_range(&list, 0, 0x1000 + 510, 2);
	assert_string_equal(list.items[0].seen, "aa 55");
	assert_codes(&list, 1, "mbr.signature-missing");

	mbr = sound();
	mbr.entries[0].bootFlag = 0x80;
	check(&mbr, 512);
	assert_codes(&list, 0);
	mbr.entries[0].bootFlag = 0x7f;
	check(&mbr, 512);
	assert_range(&list, 0, 0x1000 + 0x1BE, 1);
	assert_codes(&list, 1, "mbr.boot-flag");

	mbr = sound();
	mbr.entries[0].sectors = 20971520 - 128;
	check(&mbr, 512);
	assert_codes(&list, 0);
	mbr.entries[0].sectors++;
	check(&mbr, 512);
	assert_range(&list, 0, 0x1000 + 0x1BE + 8, 8);
	assert_codes(&list, 1, "mbr.entry-outside-disk");
	mbr.entries[0].firstLBA = 0xFFFFFFFF;
	mbr.entries[0].sectors = 0xFFFFFFFF;
	check(&mbr, 512);
	assert_codes(&list, 1, "mbr.entry-outside-disk");
	/* of a disk of unknown size nothing is said */
	vk_mbr_check(&mbr, 512, 0, 0, &(struct vk_finding_sink){NULL, NULL});

}

static void overlaps(void **state)
{
	struct vk_mbr mbr = sound();

	(void)state;
	mbr.entries[0].sectors = 1000;
	mbr.entries[2] = mbr.entries[0];
	mbr.entries[2].firstLBA = 128 + 1000;
	check(&mbr, 512);
	assert_codes(&list, 0);
	mbr.entries[2].firstLBA--;
	check(&mbr, 512);
	assert_range(&list, 0, 0x1000 + 0x1DE, 16);
	assert_string_equal(list.items[0].message, "partitions 1 and 3 overlap");
	assert_codes(&list, 1, "mbr.entry-overlap");
	mbr.entries[2].firstLBA = 0;
	mbr.entries[2].sectors = 129;
	check(&mbr, 512);
	assert_codes(&list, 1, "mbr.entry-overlap");
	mbr.entries[2].sectors = 128;
	check(&mbr, 512);
	assert_codes(&list, 0);
	for (unsigned i = 0; i < 4; i++)
		mbr.entries[i] = sound().entries[0];
	mbr.entries[3].bootFlag = 1;
	check(&mbr, 512);
	assert_range(&list, 6, 0x1000 + 0x1EE, 1);
	assert_codes(&list, 7, "mbr.entry-overlap", "mbr.entry-overlap", "mbr.entry-overlap",
		     "mbr.entry-overlap", "mbr.entry-overlap", "mbr.entry-overlap", "mbr.boot-flag");
	mbr = sound();
	mbr.entries[2] = mbr.entries[0];
	/* an entry without type or length is not used */
	mbr.entries[2].type = 0;
	check(&mbr, 512);
	mbr.entries[2].type = 0xFB;
	mbr.entries[2].sectors = 0;
	mbr.entries[2].bootFlag = 3;
	check(&mbr, 512);
	assert_codes(&list, 0);
}

static void types(void **state)
{
	(void)state;
	static const struct {
		unsigned type;
		const char *name;
	} rows[] = {
		{0x04, "FAT16"}, {0x05, "extended"}, {0x06, "FAT16"}, {0x07, "NTFS/exFAT"},
		{0x0B, "FAT32"}, {0x0C, "FAT32"}, {0x0E, "FAT16"}, {0x0F, "extended"},
		{0x27, "Windows recovery"}, {0x42, "Windows dynamic disk"}, {0x82, "Linux swap"},
		{0x83, "Linux"}, {0x85, "extended"}, {0x8E, "Linux LVM"}, {0xEE, "GPT protective"},
		{0xEF, "EFI system"}, {0xFB, "VMFS"}, {0xFC, "VMKCORE"}, {0xFD, "Linux RAID"},
	};

	for (unsigned t = 0, i = 0; t < 256; t++) {
		bool named = i < sizeof(rows) / sizeof(rows[0]) && rows[i].type == t;

		assert_string_equal(vk_mbr_type_name((uint8_t)t), named ? rows[i].name : "unknown");
		i += named;
		assert_int_equal(vk_mbr_type_is_extended((uint8_t)t), t == 5 || t == 15 || t == 0x85);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_entries),
		cmocka_unit_test(cylinders_heads_sectors),
		cmocka_unit_test(protective),
		cmocka_unit_test(the_entries_are_what_is_written),
		cmocka_unit_test(findings), cmocka_unit_test(overlaps),
		cmocka_unit_test(types),
	};

	return cmocka_run_group_tests_name("mbr", tests, NULL, NULL);
}
