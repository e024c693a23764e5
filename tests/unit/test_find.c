/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes without a table: living and damaged ones, each with the checks that tell. */
#include "find_bench.h"

#include "disk_support.h"

static const uint64_t odd_start = 77777 * SECTOR;

/* Every check holds of a volume of any version, wherever it begins. */
static void test_living(void **state)
{
	(void)state;
	for (unsigned version = 3; version <= 6; version += version == 3 ? 2 : 1) {
		struct vk_lab_disk disk = memory_disk(4 * GIB);
		struct vk_lab_device device = put_volume(&disk, version, odd_start, 3 * GIB, 1);
		struct searched s = search(&disk);
		const struct vk_candidate *c = assert_candidate(&s, 0, VK_STANDING_LIVING, odd_start);

		assert_int_equal(s.find.count, 1);
		/* nothing but the header says where it ends: its extents are what is proved */
		assert_true(!c->length_exact && c->told_bytes == 3 * GIB && c->length_witness[0] == '\0');
		assert_int_equal(c->length_bytes, VK_LVM_DATA_OFFSET + 11 * VK_LVM_PE_BYTES);
		assert_in_range(c->most_bytes, 3 * GIB, c->length_bytes + VK_LVM_PE_BYTES);
		assert_in_range(c->sure_percent, 80, 98);
		assert_check(c, VK_CHECK_LENGTH, VK_VERDICT_UNKNOWN);
		assert_int_equal(c->found_by, VK_FOUND_HEADER | VK_FOUND_FS | VK_FOUND_SELF);
		assert_true(c->has_header && c->has_volume && c->has_fs && c->head && !c->local);
		assert_memory_equal(&c->fs.uuid, &device.fs.uuid, sizeof(device.fs.uuid));
		for (int i = 0; i < VK_CHECK_COUNT; i++)
			if (i != VK_CHECK_LENGTH && (version != 6 || (i != VK_CHECK_NUM_PES && i != VK_CHECK_LAST_PE)))
				assert_check(c, (enum vk_find_check)i, VK_VERDICT_PASS);
		assert_int_equal(s.find.vote_count, 1);
		assert_int_equal(s.find.votes[0].volume_start_bytes, (int64_t)(odd_start + VK_LVM_DATA_OFFSET));
		assert_int_equal(s.find.scanned_bytes, 4 * GIB);
		search_free(&s);
		s = search_likely(&disk);
		assert_int_equal(s.find.count, 0); /* nobody begins there */
		search_free(&s);
		/* where the disk ends behind it as installers leave it */
		assert_int_equal(ftruncate(disk.fd, (off_t)(odd_start + 3 * GIB + 33 * SECTOR)), 0);
		s = search(&disk);
		c = assert_candidate(&s, 0, VK_STANDING_LIVING, odd_start);
		assert_true(c->length_exact && c->length_bytes == 3 * GIB && c->length_witness[0] != '\0');
		assert_int_equal(c->sure_percent, 99); /* never all: a label has no copy */
		assert_check(c, VK_CHECK_LENGTH, VK_VERDICT_PASS);
		search_free(&s);
		close(disk.fd);
	}
}

/* Starts that tools use are looked at without a scan, counted in sectors of either size. */
static void test_usual_starts(void **state)
{
	static const uint64_t starts[] = {0, 63, 64, 128, 1024, 2048, 16384, 3 * 16065, 63 * 8, 128 * 8};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct vk_lab_disk disk = memory_disk(2 * GIB);
		struct searched s;

		put_volume(&disk, 5, starts[i] * SECTOR, GIB, 1);
		s = search_likely(&disk);
		assert_candidate(&s, 0, VK_STANDING_LIVING, starts[i] * SECTOR);
		assert_true((s.find.candidates[0].found_by & VK_FOUND_USUAL) != 0);
		search_free(&s);
		close(disk.fd);
	}
}

static void test_hint(void **state)
{
	struct vk_lab_disk disk = memory_disk(2 * GIB);
	const struct vk_find_hint hint = {77777, GIB / SECTOR, "capture 20261121T020000Z"};
	const struct vk_find_options options = {.likely_only = true, .hints = &hint, .hint_count = 1};
	struct searched s;

	(void)state;
	put_volume(&disk, 5, odd_start, GIB, 1);
	s = search_with(&disk, &options);
	assert_candidate(&s, 0, VK_STANDING_LIVING, odd_start);
	assert_string_equal(s.find.candidates[0].heard, "capture 20261121T020000Z");
	assert_int_equal(s.find.candidates[0].claimed_bytes, GIB);
	assert_true(s.find.candidates[0].length_exact && s.find.candidates[0].length_bytes == GIB);
	assert_string_equal(s.find.candidates[0].length_witness, "capture 20261121T020000Z");
	search_free(&s);
	close(disk.fd);
}

/* One thing after another is taken away: the start stays known to the last, the length as long as it can. */
static void test_damaged(void **state)
{
	struct vk_lab_disk disk = memory_disk(4 * GIB);
	const struct vk_candidate *c;
	struct searched s;
	uint8_t magic[4] = {0};

	(void)state;
	put_volume(&disk, 5, odd_start, 3 * GIB, 1);
	put(&disk, odd_start + DESCRIPTOR, magic, sizeof(magic));
	s = search(&disk);
	c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, odd_start);
	assert_true(c->told_bytes == 3 * GIB && !c->length_exact && c->has_fs);
	assert_check(c, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_FAIL);
	search_free(&s);

	put(&disk, odd_start + HEADER, magic, sizeof(magic)); /* both magics: only the votes lead there */
	s = search(&disk);
	c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, odd_start);
	assert_true(c->has_header && !c->length_exact && c->told_bytes == 3 * GIB);
	assert_check(c, VK_CHECK_MAGIC, VK_VERDICT_FAIL);
	assert_int_equal(c->found_by, VK_FOUND_SELF);
	search_free(&s);

	zero(&disk, odd_start + HEADER, SECTOR);
	s = search(&disk);
	c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, odd_start);
	assert_true(!c->has_header && c->has_volume && !c->length_exact);
	assert_int_equal(c->length_bytes, VK_LVM_DATA_OFFSET + c->volume.numPEs * VK_LVM_PE_BYTES);
	search_free(&s);

	zero(&disk, odd_start, VK_LVM_DATA_OFFSET);
	zero(&disk, odd_start + DESCRIPTOR, SECTOR);
	s = search(&disk);
	c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, odd_start);
	assert_int_equal(s.find.count, 1);
	assert_true(!c->has_header && !c->has_volume && !c->has_fs && c->head && !c->length_exact);
	assert_int_equal(c->vote.heartbeats, 2048);
	assert_true(c->length_bytes >= VK_LVM_DATA_OFFSET + 0x400000 && c->length_bytes <= 3 * GIB);
	search_free(&s);
	close(disk.fd);
}

/* A single field of the header that is wrong: still the same volume, and the length is not taken from a field that lies. */
static void test_single_fields(void **state)
{
	static const struct {
		const char *field;
		uint64_t value;
		enum vk_find_check fails;
		bool told; /* and exact, where the end of the disk says the same */
	} cases[] = {
		{"magic", 0, VK_CHECK_MAGIC, true},
		{"majorVersion", 99, VK_CHECK_MAGIC, true},
		{"diskBlockSize", 3, VK_CHECK_BLOCK_SIZE, false}, /* right beside totalBytes */
		{"totalBytes", 0, VK_CHECK_TOTAL_BYTES, false},
		{"totalBytes", 9 * GIB, VK_CHECK_NUM_PES, false},
		{"dataOffset", 17, VK_CHECK_DATA_OFFSET, true},
		{"dataOffset", 0x21100000, VK_CHECK_DATA_OFFSET, true},
		{"numPEs", 5, VK_CHECK_NUM_PES, true},
		{"lastPEIndex", 77, VK_CHECK_LAST_PE, true},
		{"numVolumes", 0, VK_CHECK_NUM_VOLUMES, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vk_lab_disk disk = memory_disk(odd_start + 3 * GIB + 33 * SECTOR);
		const struct vk_field *field = vk_layout_field(&vk_lvm_device_layout, cases[i].field);
		const struct vk_candidate *c;
		struct searched s;
		uint8_t raw[8];

		put_volume(&disk, 5, odd_start, 3 * GIB, 1);
		vk_put_le64(raw, cases[i].value);
		put(&disk, odd_start + HEADER + field->offset, raw, field->size);
		s = search(&disk);
		c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, odd_start);
		assert_check(c, cases[i].fails, VK_VERDICT_FAIL);
		assert_true(c->has_header);
		if (c->length_exact != cases[i].told || (c->told_bytes != 0) != cases[i].told)
			fail_msg("%s: exact %d, %llu", cases[i].field, c->length_exact, (unsigned long long)c->told_bytes);
		assert_true(!c->length_exact || c->length_bytes == 3 * GIB);
		assert_true(c->length_bytes <= 3 * GIB);
		search_free(&s);
		close(disk.fd);
	}
}

/* The end of the disk is missing, or its beginning. */
static void test_cut(void **state)
{
	struct vk_lab_disk disk = memory_disk(4 * GIB);
	struct vk_lab_disk tail = memory_disk(GIB);
	const struct vk_candidate *c;
	struct searched s;

	(void)state;
	put_volume(&disk, 5, 2048 * SECTOR, 3 * GIB, 1);
	assert_int_equal(ftruncate(disk.fd, (off_t)(2 * GIB)), 0);
	s = search(&disk);
	c = assert_candidate(&s, 0, VK_STANDING_LIVING, 2048 * SECTOR);
	assert_check(c, VK_CHECK_INSIDE_DISK, VK_VERDICT_UNKNOWN);
	assert_int_equal(c->absent_bytes, 2048 * SECTOR + c->length_bytes - 2 * GIB);
	assert_false(c->length_exact);
	search_free(&s);
	/* from the middle of the header region on */
	copy(&disk, 2048 * SECTOR + 0x800000, &tail, 0, 16 << 20);
	s = search(&tail);
	c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, 0);
	assert_true(c->start_before_disk && c->has_fs);
	assert_string_not_equal(c->checks[VK_CHECK_INSIDE_DISK].seen, "");
	search_free(&s);
	close(disk.fd);
	close(tail.fd);
}

/* Real headers, of which nothing else is known: each relation that they can show holds. */
static void test_samples(void **state)
{
	static const struct {
		const char *sample;
		uint64_t start;
		uint64_t total;
	} rows[] = {
		{"d1-lvm316-vmfs331", 128, 107372739584}, {"d2-lvm317", 128, 107372739584},
		{"d3-lvm521", 128, 10737352704}, {"d4-lvm521-older", 63, 10733958144},
	};
	static const enum vk_find_check hold[] = {VK_CHECK_MAGIC, VK_CHECK_BLOCK_SIZE, VK_CHECK_TOTAL_BYTES, VK_CHECK_DATA_OFFSET,
						  VK_CHECK_NUM_PES, VK_CHECK_LAST_PE, VK_CHECK_INIT_TIME, VK_CHECK_NUM_VOLUMES,
						  VK_CHECK_INSIDE_DISK};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_lab_disk disk = memory_disk(rows[i].start * SECTOR + rows[i].total);
		const struct vk_candidate *c;
		struct searched s;
		uint8_t raw[512];

		sample_bytes(rows[i].sample, HEADER, raw, sizeof(raw));
		put(&disk, rows[i].start * SECTOR + HEADER, raw, sizeof(raw));
		if (i == 0) {
			sample_bytes(rows[i].sample, HEADER + 512, raw, sizeof(raw));
			put(&disk, rows[i].start * SECTOR + HEADER + 512, raw, sizeof(raw));
			sample_bytes(rows[i].sample, DESCRIPTOR, raw, sizeof(raw));
			put(&disk, rows[i].start * SECTOR + DESCRIPTOR, raw, sizeof(raw));
		}
		s = search(&disk);
		/* without extents and blocks nobody calls it living */
		c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, rows[i].start * SECTOR);
		assert_true(c->length_exact && c->length_bytes == rows[i].total);
		for (size_t k = 0; k < sizeof(hold) / sizeof(hold[0]); k++)
			assert_check(c, hold[k], VK_VERDICT_PASS);
		if (i == 0)
			for (int k = VK_CHECK_VOLUME_NAME; k <= VK_CHECK_VOLUME_TIME; k++)
				assert_check(c, (enum vk_find_check)k, VK_VERDICT_PASS);
		if (i == 0)
			assert_check(c, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_PASS);
		assert_check(c, VK_CHECK_PE_TABLES, VK_VERDICT_FAIL);
		search_free(&s);
		close(disk.fd);
	}
}

/* A later extent of which nothing but locks is left: behind a usual start, or where they allow it. */
static void test_later_extent(void **state)
{
	static const uint64_t starts[] = {2048 * SECTOR, 77777 * SECTOR};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_disk disk = memory_disk(4 * GIB);
		uint64_t volume_start = starts[i] + VK_LVM_DATA_OFFSET - 15 * VK_LVM_PE_BYTES; /* wraps: before the disk */
		const struct vk_candidate *c;
		struct searched s;

		for (uint64_t at = starts[i] + VK_LVM_DATA_OFFSET + (1 << 20); at < 3 * GIB; at += 32 << 20) {
			uint8_t lock[SECTOR] = {0};

			vk_put_le32(lock, 0x10C00003);
			vk_put_le64(lock + 4, at - volume_start);
			put(&disk, at, lock, sizeof(lock));
		}
		s = search(&disk);
		assert_int_equal(s.find.vote_count, 1);
		assert_int_equal(s.find.votes[0].volume_start_bytes, (int64_t)volume_start);
		c = assert_candidate(&s, 0, VK_STANDING_DAMAGED, starts[i]);
		assert_true(!c->head && !c->start_before_disk && !c->length_exact);
		assert_int_equal(c->found_by, i == 0 ? VK_FOUND_USUAL | VK_FOUND_SELF : VK_FOUND_SELF);
		search_free(&s);
		close(disk.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_living),
		cmocka_unit_test(test_usual_starts),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_single_fields),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_later_extent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
