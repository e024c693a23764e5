/* SPDX-License-Identifier: Apache-2.0 */
/* GPT: the published table of a VMFS5 disk, checksums, GUIDs, and each finding on its own. */
#include "disk_support.h"
#include "vmfskit/gpt.h"

enum { LAST = 20971519, BACKUP_ENTRIES = LAST - 32 };
static struct vk_findings list;
static uint8_t sector[512];
static uint8_t array[128 * 128];
static struct vk_gpt_header h;

/* The published primary table. */
static void primary(void)
{
	sample_bytes("d5-mbr-gpt", 512, sector, sizeof(sector));
	sample_bytes("d5-mbr-gpt", 1024, array, sizeof(array));
	vk_gpt_header_decode(sector, sizeof(sector), &h);
}

/* The copy that must stand at the end of that disk. */
static void backup(void)
{
	primary();
	h.myLBA = LAST;
	h.alternateLBA = 1;
	h.entriesLBA = BACKUP_ENTRIES;
}

static void put_header(void)
{
	vk_gpt_header_encode(&h, sector, sizeof(sector));
	assert_true(vk_gpt_seal(sector, sizeof(sector), array));
	vk_gpt_header_decode(sector, sizeof(sector), &h);
}

static bool check_header(uint64_t lba)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	return vk_gpt_header_check(sector, sizeof(sector), lba, LAST, &sink);
}

static void check_entries(void)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_gpt_entries_check(&h, array, 1024, &sink);
}

static void put_entry(uint32_t index, uint64_t first, uint64_t last)
{
	struct vk_gpt_entry e = {.firstLBA = first, .lastLBA = last};

	assert_true(vk_guid_parse(VK_GPT_TYPE_VMFS, &e.typeGUID));
	vk_gpt_entry_encode(&e, array + (size_t)index * h.entrySize, 128);
}

static void checksum(void **state)
{
	const uint8_t *digits = (const uint8_t *)"123456789";
	uint8_t all[256];
	uint32_t plain = ~0U;

	(void)state;
	assert_int_equal(vk_crc32(0, digits, 9), 0xCBF43926);
	for (size_t cut = 0; cut <= 9; cut++)
		assert_int_equal(vk_crc32(vk_crc32(0, digits, cut), digits + cut, 9 - cut), 0xCBF43926);
	assert_int_equal(vk_crc32(0, digits, 0), 0);
	/* against the definition, bit by bit, over every byte value */
	for (unsigned i = 0; i < 256; i++) {
		all[i] = (uint8_t)i;
		plain ^= i;
		for (int bit = 0; bit < 8; bit++)
			plain = plain >> 1 ^ (plain & 1 ? 0xEDB88320 : 0);
	}
	assert_int_equal(vk_crc32(0, all, sizeof(all)), ~plain);
}

static void published_table(void **state)
{
	struct vk_gpt_entry e;

	(void)state;
	primary();
	assert_true(vk_gpt_has_signature(sector, sizeof(sector)));
	assert_true(vk_gpt_has_signature(sector, 8));
	assert_false(vk_gpt_has_signature(sector, 7));
	sector[7]++;
	assert_false(vk_gpt_has_signature(sector, 8));
	sector[7]--;
	assert_int_equal(h.headerCRC32, 0x18F45FA5);
	assert_int_equal(h.entriesCRC32, 0xD3C3A4B9);
	assert_int_equal(h.alternateLBA, LAST);
	assert_int_equal(h.firstUsableLBA, 34);
	assert_int_equal(h.lastUsableLBA, 20971486);
	assert_int_equal(vk_gpt_entries_bytes(&h), sizeof(array));
	assert_true(check_header(1));
	check_entries();
	assert_codes(&list, 0);
	assert_round_trip(&vk_gpt_header_layout, sector, 512);
	assert_round_trip(&vk_gpt_entry_layout, array, 128);
	vk_gpt_entry_decode(array, 128, &e);
	assert_int_equal(e.firstLBA, 2048);
	assert_int_equal(e.lastLBA, 20964824);
	assert_true(vk_gpt_type_is_vmfs(&e.typeGUID));
	assert_field(&vk_gpt_entry_layout, "typeGUID", &e,
		     "AA31E02A-400F-11DB-9590-000C2911D1B8 (VMFS)");
	assert_field(&vk_gpt_entry_layout, "uniqueGUID", &e, "C5E52091-5592-418B-94A0-005F84F683AC");
	assert_field(&vk_gpt_header_layout, "diskGUID", &h, "F4D64A05-1E54-4E6D-80D4-CD91FED08846");
	/* ESXi's name: a NUL, then filler that is kept and never shown */
	assert_field(&vk_gpt_entry_layout, "name", &e, "\"\"");
	assert_memory_equal(e.name, "\0\0\xff\xff", 4);
}

static void names(void **state)
{
	struct vk_gpt_entry e = {0};
	const struct vk_layout *l = &vk_gpt_entry_layout;

	(void)state;
	bytes_of("64 00 61 00 74 00 61 00 31 00", e.name, sizeof(e.name));
	assert_field(l, "name", &e, "\"data1\"");
	bytes_of("1b 00 5c 00 2e 20 3d d8 22 00 7f 00 7e 00 20 00 1f 00", e.name, sizeof(e.name));
	assert_field(l, "name", &e, "\"\\u001b\\u005c\\u202e\\ud83d\"\\u007f~ \\u001f\"");
	memset(e.name, 'A', sizeof(e.name));
	for (size_t i = 1; i < sizeof(e.name); i += 2)
		e.name[i] = 0;
	assert_field(l, "name", &e, "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"");
}

static void backup_is_sound(void **state)
{
	(void)state;
	backup();
	put_header();
	assert_true(check_header(LAST));
	check_entries();
	assert_codes(&list, 0);
	assert_int_equal(h.entriesCRC32, 0xD3C3A4B9);
	assert_int_not_equal(h.headerCRC32, 0x18F45FA5);
	/* the disk has grown behind it: still a sound copy where it stands */
	assert_true(vk_gpt_header_check(sector, 512, LAST, LAST + 1000,
					&(struct vk_finding_sink){NULL, NULL}));
}

static void header_findings(void **state)
{
	(void)state;
	/* every single byte of the header is under its checksum */
	for (size_t i = 0; i < VK_GPT_HEADER_BYTES; i++) {
		primary();
		sector[i] ^= 0x01;
		check_header(1);
		assert_true(list.count >= 1);
		if (i < VK_GPT_SIGNATURE_BYTES)
			assert_int_equal(list.items[0].code, VK_F_GPT_SIGNATURE);
		else
			assert_true(list.items[0].code == VK_F_GPT_HEADER_CRC ||
				    list.items[0].code == VK_F_GPT_HEADER_SIZE);
		vk_findings_free(&list);
	}
	primary();
	sector[0x38] ^= 0x80;
	assert_true(check_header(1));
	assert_range(&list, 0, 512, 92);
	assert_string_equal(list.items[0].seen, "0x18f45fa5");
	assert_non_null(strstr(list.items[0].message, "primary"));
	assert_codes(&list, 1, "gpt.header-crc");

	static const uint32_t bad_sizes[] = {0, 91, 513, 0xFFFFFFFF};
	for (size_t i = 0; i < 4; i++) {
		primary();
		h.headerSize = bad_sizes[i];
		vk_gpt_header_encode(&h, sector, sizeof(sector));
		assert_false(check_header(1));
		assert_range(&list, 0, 512 + 12, 4);
		assert_codes(&list, 1, "gpt.header-size");
		assert_false(vk_gpt_seal(sector, sizeof(sector), array));
	}
	primary();
	h.headerSize = 512;
	put_header();
	assert_true(check_header(1));
	assert_codes(&list, 0);
	sector[511] ^= 1;
	assert_true(check_header(1));
	assert_codes(&list, 1, "gpt.header-crc");

	primary();
	h.myLBA = 2;
	put_header();
	assert_true(check_header(1));
	assert_range(&list, 0, 512 + 0x18, 8);
	assert_codes(&list, 1, "gpt.my-lba");

	primary();
	h.alternateLBA = LAST - 1;
	put_header();
	assert_true(check_header(1));
	assert_range(&list, 0, 512 + 0x20, 8);
	assert_codes(&list, 1, "gpt.alternate-lba");
	backup();
	put_header();
	sector[0x38] ^= 0x80;
	assert_true(check_header(LAST));
	assert_non_null(strstr(list.items[0].message, "backup"));
	assert_codes(&list, 1, "gpt.header-crc");
	backup();
	h.alternateLBA = 2;
	put_header();
	assert_true(check_header(LAST));
	assert_range(&list, 0, LAST * 512ULL + 0x20, 8);
	assert_string_equal(list.items[0].seen, "2");
	assert_string_equal(list.items[0].expected, "1");
	assert_codes(&list, 1, "gpt.alternate-lba");
}

static void entry_sizes(void **state)
{
	static const struct {
		uint32_t number;
		uint32_t size;
		uint32_t bytes;
	} rows[] = {
		{128, 128, 16384}, {4, 128, 512}, {16384, 128, 2097152}, {64, 256, 16384},
		{128, 136, 17408}, {1, 2097152, 2097152}, {16385, 128, 0}, {128, 127, 0}, {128, 64, 0},
		{128, 132, 0}, {0, 128, 0}, {1, 0, 0}, {0x10000000, 0x10, 0},
		{0xFFFFFFFF, 0xFFFFFFF8, 0}, {0x80000001, 0x80000000, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		primary();
		h.numEntries = rows[i].number;
		h.entrySize = rows[i].size;
		assert_int_equal(vk_gpt_entries_bytes(&h), rows[i].bytes);
	}
	for (int way = 0; way < 2; way++) {
		primary();
		h.entrySize = way == 0 ? 127 : 128;
		h.numEntries = way == 0 ? 128 : 0;
		vk_gpt_header_encode(&h, sector, sizeof(sector));
		assert_false(vk_gpt_seal(sector, sizeof(sector), array));
		assert_false(check_header(1));
		assert_range(&list, 1, 512 + 0x50, 8);
		assert_codes(&list, 2, "gpt.header-crc", "gpt.entry-size");
		/* and with its checksum put right: only that */
		memset(sector + 0x10, 0, 4);
		h.headerCRC32 = vk_crc32(0, sector, VK_GPT_HEADER_BYTES);
		vk_gpt_header_encode(&h, sector, sizeof(sector));
		assert_false(check_header(1));
		assert_codes(&list, 1, "gpt.entry-size");
	}
	/* and nothing is looked at in an array of unknown size */
	check_entries();
	assert_codes(&list, 0);
}

static void usable_ranges(void **state)
{
	/* at lba 1: first and last usable, array */
	static const struct {
		uint64_t lba, first, last, entries;
		bool sound;
	} rows[] = {
		{1, 34, LAST - 33, 2, true},
		{1, 34, LAST - 1, 2, true},
		{1, 34, LAST, 2, false},
		{1, 34, 33, 2, false},
		{1, 33, LAST - 33, 2, false},
		{1, 34, LAST - 33, 3, false},
		{1, 34, LAST - 33, 1, false},
		{1, 34, LAST - 33, 0, false},
		{1, 2048, LAST - 33, 2, true},
		{1, 34, LAST - 33, UINT64_MAX, false},
		{1, UINT64_MAX, UINT64_MAX, 2, false},
		{LAST, 34, LAST - 33, LAST - 32, true},
		{LAST, 34, LAST - 33, LAST - 31, false},
		{LAST, 34, LAST - 32, LAST - 32, false},
		{LAST, 34, LAST - 33, 2, false},
		{LAST, 34, LAST - 33, UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].lba == 1)
			primary();
		else
			backup();
		h.firstUsableLBA = rows[i].first;
		h.lastUsableLBA = rows[i].last;
		h.entriesLBA = rows[i].entries;
		put_header();
		assert_true(check_header(rows[i].lba));
		if (rows[i].sound) {
			assert_codes(&list, 0);
		} else {
			assert_range(&list, 0, rows[i].lba * 512 + 0x28, 16);
			assert_codes(&list, 1, "gpt.usable-range");
		}
	}
}

static void sectors_of_4096(void **state)
{
	uint8_t big[4096] = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	(void)state;
	primary();
	h.alternateLBA = 999999;
	h.firstUsableLBA = 6;
	h.lastUsableLBA = 999999 - 6;
	vk_gpt_header_encode(&h, big, sizeof(big));
	assert_true(vk_gpt_seal(big, sizeof(big), array));
	assert_true(vk_gpt_header_check(big, sizeof(big), 1, 999999, &sink));
	assert_codes(&list, 0);
	h.firstUsableLBA = 5;
	vk_gpt_header_encode(&h, big, sizeof(big));
	assert_true(vk_gpt_seal(big, sizeof(big), array));
	assert_true(vk_gpt_header_check(big, sizeof(big), 1, 999999, &sink));
	assert_range(&list, 0, 4096 + 0x28, 16);
	assert_codes(&list, 1, "gpt.usable-range");
	/* a header found at an absurd place is judged without overflow */
	vk_gpt_header_check(big, sizeof(big), UINT64_MAX, 0, &sink);
	assert_codes(&list, 3, "gpt.my-lba", "gpt.alternate-lba", "gpt.usable-range");
}

static void entry_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(array); i += 97) {
		primary();
		array[i] ^= 0x10;
		check_entries();
		assert_int_equal(list.items[0].code, VK_F_GPT_ENTRIES_CRC);
		assert_range(&list, 0, 1024, sizeof(array));
		vk_findings_free(&list);
	}

	static const struct {
		uint64_t first, last;
		bool sound;
	} rows[] = {
		{34, 20971486, true}, {34, 34, true}, {33, 100, false}, {34, 20971487, false},
		{35, 34, false}, {UINT64_MAX, UINT64_MAX, false}, {0, UINT64_MAX, false}, {0, 0, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		primary();
		put_entry(0, rows[i].first, rows[i].last);
		put_header();
		check_entries();
		if (rows[i].sound) {
			assert_codes(&list, 0);
		} else {
			assert_range(&list, 0, 1024 + 0x20, 16);
			assert_codes(&list, 1, "gpt.entry-range");
		}
	}
}

static void overlaps(void **state)
{
	(void)state;
	primary();
	put_entry(0, 3000, 3999);
	put_entry(5, 2000, 2999);
	put_entry(127, 4000, 4000);
	put_header();
	check_entries();
	assert_codes(&list, 0);

	put_entry(5, 2000, 3000);
	put_header();
	check_entries();
	assert_range(&list, 0, 1024 + 5 * 128, 128);
	assert_string_equal(list.items[0].message, "GPT partitions 1 and 6 overlap");
	assert_codes(&list, 1, "gpt.entry-overlap");

	/* one inside a long one, behind a short one that ends before */
	put_entry(5, 2000, 9000);
	put_entry(6, 8000, 8000);
	put_entry(7, 9001, 9001);
	put_header();
	check_entries();
	assert_codes(&list, 3, "gpt.entry-overlap", "gpt.entry-overlap", "gpt.entry-overlap");

	/* an entry that ends before it starts is no range to overlap with */
	primary();
	put_entry(1, 5000, 4000);
	put_header();
	check_entries();
	assert_codes(&list, 1, "gpt.entry-range");
}

/* As many entries as are read, in descending order, larger than 128 bytes: each overlap is found once. */
static void large_tables(void **state)
{
	uint32_t number = VK_GPT_ENTRIES_MAX_BYTES / 256;
	uint8_t *big = calloc(number, 256);
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	(void)state;
	assert_non_null(big);
	primary();
	h.numEntries = number;
	h.entrySize = 256;
	for (uint32_t i = 0; i < number; i++) {
		struct vk_gpt_entry e = {.firstLBA = 40 + (number - i) * 10ULL};

		e.lastLBA = e.firstLBA + (i % 1000 == 7 ? 10 : 9);
		assert_true(vk_guid_parse(VK_GPT_TYPE_BASIC, &e.typeGUID));
		vk_gpt_entry_encode(&e, big + (size_t)i * 256, 256);
	}
	h.entriesCRC32 = vk_crc32(0, big, number * 256);
	vk_gpt_entries_check(&h, big, 0, &sink);
	assert_int_equal(list.count, 9);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.items[i].code, VK_F_GPT_ENTRY_OVERLAP);
	vk_findings_free(&list);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum),
		cmocka_unit_test(published_table),
		cmocka_unit_test(names),
		cmocka_unit_test(backup_is_sound),
		cmocka_unit_test(header_findings),
		cmocka_unit_test(entry_sizes),
		cmocka_unit_test(usable_ranges),
		cmocka_unit_test(sectors_of_4096),
		cmocka_unit_test(entry_findings),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(large_tables),
	};

	return cmocka_run_group_tests_name("gpt", tests, NULL, NULL);
}
