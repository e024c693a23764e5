/* SPDX-License-Identifier: Apache-2.0 */
/* What is said when folders are damaged, and what of them is still listed. */
#include "folder_bench.h"

/* The list of a damaged /directory, and its only finding (0: whatever they are). */
static void check_list(struct folder_bench *b, const char *expected, enum vk_finding_code code)
{
	struct text_list list;

	assert_string_equal(list_of(b, "/directory", true, &list), expected);
	if (b->findings.count == 0)
		fail_msg("nothing is said");
	for (size_t i = 0; i < b->findings.count; i++)
		if (b->findings.items[i].code != code)
			fail_msg("%s: %s", vk_finding_kind(b->findings.items[i].code)->code, b->findings.items[i].message);
}

static uint64_t slot_of(const char *name)
{
	struct vk_dir6_key key;

	assert_true(vk_dir6_key((const uint8_t *)name, strlen(name), false, &key));
	return VK_DIR6_HASH + 4 * (uint64_t)key.slot;
}

static void damaged6(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t value;
		size_t len;
		enum vk_finding_code code;
		const char *names;
	} damages[] = {
		{0x00, 0, 4, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},                /* version */
		{0x04, 1000000000, 4, VK_F_FOLDER_COUNT, IN_DIRECTORY6},       /* numEntries */
		{0x0C, 1000000000, 4, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},       /* numAllocationMapBlocks */
		{0x10, 0x3FFFFF, 4, 0, IN_DIRECTORY6},                         /* the map's place */
		{0x10, 1, 4, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},                /* that of another block */
		{0x3B8 + 4, 0x04C00004, 4, VK_F_FOLDER_ENTRY, IN_DIRECTORY6},  /* address of "." */
		{MAP + 2, 1, 2, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},             /* type of the map */
		{MAP + 64, 0x31, 1, 0, IN_DIRECTORY6},                         /* no bit "free slots": no matter */
		{BLOCK, 0, 2, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},               /* a block's version, type, slots */
		{BLOCK + 2, 2, 2, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},
		{BLOCK + 4, 13, 2, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},
		{BLOCK + 6, 9, 2, VK_F_FOLDER_BLOCK, IN_DIRECTORY6},           /* freeSlots */
		{FILE3, 9, 4, VK_F_FOLDER_ENTRY, IN_DIRECTORY6},               /* type, address, hash, offset */
		{FILE3 + 4, 3, 4, VK_F_FOLDER_ENTRY, IN_DIRECTORY6},
		{FILE3 + 12, 3, 4, VK_F_FOLDER_ENTRY, IN_DIRECTORY6},
		{FILE3 + 16, 3, 4, VK_F_FOLDER_ENTRY, IN_DIRECTORY6},
		{FILE3 + 24, 'x', 1, VK_F_FOLDER_ENTRY, ". .. file1 file2 xile3 file4 symlink file5"},
		{FILE3 + 24, '/', 1, VK_F_FOLDER_ENTRY, ". .. file1 file2 /ile3 file4 symlink file5"},
		{FILE3 + 24, 0, 1, VK_F_FOLDER_ENTRY, ". .. file1 file2 file4 symlink file5"},
	};
	struct folder_bench *b = bench(6);

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct text_list list;

		hurt_number(b, "/directory", damages[i].offset, damages[i].value, damages[i].len);
		if (damages[i].code != 0)
			check_list(b, damages[i].names, damages[i].code);
		else
			assert_string_equal(list_of(b, "/directory", true, &list), damages[i].names);
		b = bench(6);
	}
	/* the map calls the block free: it is searched for, as entries are missing */
	hurt_number(b, "/directory", MAP + 64, 0x38, 1);
	assert_int_equal(folder_bench_count(b, VK_F_FOLDER_COUNT), 0);
	{
		struct text_list list;

		assert_string_equal(list_of(b, "/directory", false, &list), IN_DIRECTORY6);
	}
	assert_int_equal(folder_bench_count(b, VK_F_FOLDER_COUNT), 1);
	assert_int_equal(folder_bench_count(b, VK_F_FOLDER_BLOCK), 1);
}

static void hash_table(void **state)
{
	struct folder_bench *b = bench(6);

	(void)state;
	hurt_number(b, "/directory", slot_of("file3"), 0, 4);
	check_list(b, IN_DIRECTORY6, VK_F_FOLDER_HASH);
	assert_int_equal(b->findings.count, 1);
	/* it is found all the same, and that is said */
	folder_bench_again(b);
	vk_fs_file_close(folder_bench_file(b, "/directory/file2"));
	assert_int_equal(b->findings.count, 0);
	vk_fs_file_close(folder_bench_file(b, "/directory/file3"));
	assert_int_equal(b->findings.count, 1);
	assert_int_equal(b->findings.items[0].code, VK_F_FOLDER_HASH);
	/* a location of another entry, of a block far away, of links that are none */
	static const uint32_t words[] = {1 | 1 << 2, 0xFFFFFFFD, 2 | 1 << 2, 0xFFFFFFFE, 3};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hurt_number(b, "/directory", slot_of("file3"), words[i], 4);
		check_list(b, IN_DIRECTORY6, VK_F_FOLDER_HASH);
	}
}

/* A second block, of links: file1 is reached through two groups. */
static void link_groups(void **state)
{
	struct folder_bench *b = bench(6);
	struct vk_dir6_link_group group = {.totalLinks = 12, .freeLinks = 11, .nextFreeIdx = 1};
	struct vk_dir6_block header = {.version = 1, .type = VK_DIR6_LINKS, .totalSlots = 48, .freeSlots = 46};
	uint8_t bytes[64 + 2 * 84];
	struct vk_dir6_key key;
	struct text_list list;

	(void)state;
	assert_true(vk_dir6_key((const uint8_t *)"file1", 5, false, &key));
	group.hashIndex = key.slot;
	hurt_metadata(b, "/directory", vk_layout_field(&vk_file_metadata_layout, "fileLength")->offset, 0x13000, 8);
	hurt_number(b, "/directory", MAP + 65, 0x28, 1);
	memset(header.bitmap, 0xFF, 6);
	header.bitmap[0] = 0xFC;
	vk_dir6_block_encode(&header, bytes, 64);
	/* the first one has a link to file3 with this hash, as of a name with both hashes, and leads to the second */
	vk_put_le32(group.links, VK_DIR6_ENTRIES | 1U << 2 | 2U << 24);
	vk_put_le16(group.links + 4, key.link_hash);
	group.nextGroup = VK_DIR6_LINKS | 2U << 2 | 1U << 24;
	vk_dir6_link_group_encode(&group, bytes + 64, 84);
	vk_put_le32(group.links, VK_DIR6_ENTRIES | 1U << 2);
	group.nextGroup = 0;
	vk_dir6_link_group_encode(&group, bytes + 64 + 84, 84);
	hurt_folder(b, "/directory", BLOCK2, bytes, sizeof(bytes));
	hurt_number(b, "/directory", slot_of("file1"), VK_DIR6_LINKS | 2U << 2, 4);
	assert_string_equal(list_of(b, "/directory", true, &list), IN_DIRECTORY6);
	vk_fs_file_close(folder_bench_file(b, "/directory/file1"));
	folder_bench_silent(b);
	/* a chain that leads back to itself ends */
	hurt_number(b, "/directory", BLOCK2 + 64 + 0x4E, VK_DIR6_LINKS | 2U << 2, 4);
	check_list(b, IN_DIRECTORY6, VK_F_FOLDER_HASH);
	vk_fs_file_close(folder_bench_file(b, "/directory/file1"));
}

static void deleted6(void **state)
{
	struct folder_bench *b = bench(6);
	struct text_list list;

	(void)state;
	/* as the name goes: count, bit, number of free slots, slot of the hash table */
	hurt_number(b, "/directory", 4, 7, 4);
	hurt_number(b, "/directory", BLOCK + 6, 9, 2);
	hurt_number(b, "/directory", BLOCK + 8, 0xC4, 1);
	assert_string_equal(list_of(b, "/directory", false, &list), ". .. file1 file2 file4 symlink file5");
	assert_string_equal(list_of(b, "/directory", true, &list), ". .. file1 file2 deleted:file3 file4 symlink file5");
	folder_bench_silent(b);
	/* the hash table still leads there */
	check_path(b, "/directory/file3", false, VK_ABSENT, NULL);
}

static void damaged5(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t value;
		size_t len;
		const char *names;
	} damages[] = {
		{4, 4, 4, IN_DIRECTORY},                     /* address of "." */
		{140 + 12, 'x', 1, ". x. file1 file2 file3 file4 file5 symlink"},
		{ENTRY3, 9, 4, IN_DIRECTORY},
		{ENTRY3 + 4, 3, 4, IN_DIRECTORY},
		{ENTRY3 + 12 + 2, '/', 1, ". .. file1 file2 fi/e3 file4 file5 symlink"},
		{ENTRY3 + 12, 0, 1, ". .. file1 file2 file4 file5 symlink"},
	};
	size_t length = vk_layout_field(&vk_file_metadata_layout, "fileLength")->offset;
	struct folder_bench *b = bench(5);
	struct text_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		hurt_number(b, "/directory", damages[i].offset, damages[i].value, damages[i].len);
		check_list(b, damages[i].names, VK_F_FOLDER_ENTRY);
		b = bench(5);
	}
	hurt_metadata(b, "/directory", length, 8 * 140 - 1, 8);
	check_list(b, ". .. file1 file2 file3 file4 file5 deleted:symlink", VK_F_FOLDER_COUNT);
	b = bench(5);
	hurt_number(b, "/directory", ENTRY3 + 4, 0, 4);
	hurt_metadata(b, "/directory", length, 7 * 140, 8);
	assert_string_equal(list_of(b, "/directory", false, &list), ". .. file1 file2 file4 file5");
	assert_string_equal(list_of(b, "/directory", true, &list),
			    ". .. file1 file2 deleted:file3 file4 file5 deleted:symlink");
	folder_bench_silent(b);
}

/* A folder of 10^9 entries, one of 2^60 bytes: what is there is listed, and it ends. */
static void huge_folders(void **state)
{
	size_t length = vk_layout_field(&vk_file_metadata_layout, "fileLength")->offset;
	static const uint64_t lengths[] = {140000000000, 1ULL << 60, UINT64_MAX, UINT64_MAX - 140};
	struct text_list list;

	(void)state;
	for (int version = 5; version <= 6; version++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct folder_bench *b = bench(version);

			hurt_metadata(b, "/directory", length, lengths[i], 8);
			list_of(b, "/directory", true, &list);
			assert_memory_equal(list.text, IN_DIRECTORY, strlen(". .. file1 file2 file3 file4 "));
			/* VMFS6 reads only what its maps name */
			assert_true(version == 6 || b->findings.count > 0);
			assert_memory_equal(tree_of(b, "/directory", put_visit, &list), UNDER_DIRECTORY,
					    strlen("/directory/file1 /directory/file2 /directory/file3"));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged6), cmocka_unit_test(hash_table), cmocka_unit_test(link_groups),
		cmocka_unit_test(deleted6), cmocka_unit_test(damaged5),   cmocka_unit_test(huge_folders),
	};

	return cmocka_run_group_tests_name("folder damage", tests, folder_benches_open, folder_benches_close);
}
