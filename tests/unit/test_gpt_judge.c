/* SPDX-License-Identifier: Apache-2.0 */
/* The GPT judge: grown disks, copies that differ, entries put together, other tables, cut disks. */
#include "gpt_bench.h"

/* Entry 3 is damaged in one array, entry 1 in the other: the checksum finds the one right choice. */
static void entries_of_both_arrays(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	memset(b.disk + 2 * 512 + 256 + 30, 0x5A, 40);
	memset(b.disk + (b.sectors - 33) * 512 + 3, 0xA5, 77);
	after = repair(&b, NULL, &j);
	assert_int_equal(j.proof, VK_GPT_PROOF_PIECED);
	assert_int_equal(j.lost_count, 0);
	assert_non_null(after);
	assert_memory_equal(after, b.now, b.bytes);
	assert_int_equal(j.entry_count, 4);
	assert_int_equal(j.entries[0].origin, VK_ENTRY_PRIMARY);
	assert_int_equal(j.entries[1].origin, VK_ENTRY_BOTH);
	assert_int_equal(j.entries[2].origin, VK_ENTRY_BACKUP);
	assert_true(j.entries[2].exact);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Both arrays are of before the grow, the headers are not: the volume found gives the end that the checksum proves. */
static void the_end_of_a_grown_volume(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL, .length_exact = true, .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, false);
	make_disk(&b, b.now, b.sectors, false);
	/* grown, and nothing else: entry 3 now ends further behind */
	for (int copy = 0; copy < 2; copy++) {
		uint8_t *array = b.now + part_at(&b, copy ? VK_TP_BACKUP_ARRAY : VK_TP_PRIMARY_ARRAY,
						 b.sectors, &len);

		put_entry(array, 3, VK_GPT_TYPE_VMFS, 200, 1000);
	}
	for (int copy = 0; copy < 2; copy++)
		assert_true(vk_gpt_seal(b.now + part_at(&b, copy ? VK_TP_BACKUP_HEADER : VK_TP_PRIMARY_HEADER,
							b.sectors, &len),
					512, b.now + 1024));
	volume.length_bytes = volume.told_bytes = 801 * 512ULL;
	memcpy(b.disk, b.now, b.bytes);
	break_part(&b, VK_TP_PRIMARY_ARRAY, STALE);
	break_part(&b, VK_TP_BACKUP_ARRAY, ZERO);
	after = repair(&b, &find, &j);
	assert_int_equal(j.lost_count, 0);
	assert_non_null(after);
	assert_memory_equal(after, b.now, b.bytes);
	assert_int_equal(j.entries[2].origin, VK_ENTRY_FOUND);
	assert_true(j.entries[2].exact && j.entries[2].length_fits && j.entries[2].candidate == 0);
	free(after);
	vk_gpt_judgement_free(&j);
	/* without it, what is left is of before, and said to be */
	after = repair(&b, NULL, &j);
	assert_true(says(j.lost, j.lost_count, "entries as"));
	assert_false(j.entries[2].exact);
	assert_true(!j.entries[2].exact && !j.entries[2].length_fits);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* The array grew under a table that nobody told: everything is sound, and of a smaller disk. */
static void a_grown_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, false);
	memcpy(b.disk, b.old, b.bytes);
	after = repair(&b, NULL, &j);
	assert_non_null(after);
	assert_int_equal(j.grown_from_sectors, b.old_sectors);
	assert_int_equal(j.lost_count, 0);
	assert_true(says(j.notes, j.note_count, "was grown from 700 to 1200 sectors"));
	assert_true(says(j.notes, j.note_count, "sectors 667 to 699, is left as it is"));
	assert_int_equal(j.parts[VK_TP_MBR].state, VK_PART_STATE_STALE);
	assert_int_equal(j.parts[VK_TP_PRIMARY_HEADER].state, VK_PART_STATE_STALE);
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_SOUND);
	assert_int_equal(j.parts[VK_TP_BACKUP_HEADER].state, VK_PART_STATE_LOST);
	for (int part = 0; part < 5; part++) {
		size_t at = part_at(&b, (enum vk_table_part)part, b.sectors, &len);

		assert_memory_equal(after + at, b.now + at, len);
	}
	/* the old backup stays */
	assert_memory_equal(after + 667 * 512, b.old + 667 * 512, 33 * 512);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Start and end were zeroed after a grow: the backup of before stands behind the last volume, where nothing points to. */
static void a_backup_behind_the_volume(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL,
				      .length_bytes = 467 * 512ULL,
				      .told_bytes = 467 * 512ULL,
				      .length_exact = true,
				      .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, false);
	memcpy(b.disk, b.old, b.bytes);
	memset(b.disk, 0, 34 * 512);
	after = repair(&b, &find, &j);
	assert_true(j.was_gpt && j.disk_guid_known);
	assert_int_equal(j.proof, VK_GPT_PROOF_CRC);
	assert_int_equal(j.entry_count, 3);
	assert_memory_equal(after, b.now, 34 * 512);
	free(after);
	vk_gpt_judgement_free(&j);
	after = repair(&b, NULL, &j);
	assert_false(j.was_gpt);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Both copies whole, for this disk, and different: systems read the primary; the volumes may say otherwise. */
static void two_copies_that_differ(void **state)
{
	struct vk_candidate volume = {.start_bytes = 300 * 512ULL,
				      .length_bytes = 100 * 512ULL,
				      .told_bytes = 100 * 512ULL,
				      .length_exact = true,
				      .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	put_entry(b.disk + part_at(&b, VK_TP_BACKUP_ARRAY, b.sectors, &len), 3, VK_GPT_TYPE_VMFS, 300, 399);
	assert_true(vk_gpt_seal(b.disk + part_at(&b, VK_TP_BACKUP_HEADER, b.sectors, &len), 512,
				b.disk + part_at(&b, VK_TP_BACKUP_ARRAY, b.sectors, &len)));
	free(repair(&b, NULL, &j));
	assert_int_equal(j.right, 0);
	assert_int_equal(j.used, 0);
	assert_non_null(strstr(j.why_right, "systems use this one"));
	assert_true(says(j.notes, j.note_count, "compare both before writing"));
	assert_int_equal(j.parts[VK_TP_BACKUP_ARRAY].state, VK_PART_STATE_STALE);
	vk_gpt_judgement_free(&j);
	free(repair(&b, &find, &j));
	assert_int_equal(j.right, 1);
	assert_int_equal(j.used, 0);
	assert_non_null(strstr(j.why_right, "fit the volumes"));
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_STALE);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Entry 3 of one copy, which its header then names. */
static void reseal(struct bench *b, bool backup, uint64_t first, uint64_t last, unsigned guid)
{
	size_t len;
	uint8_t *array = b->disk + part_at(b, backup ? VK_TP_BACKUP_ARRAY : VK_TP_PRIMARY_ARRAY, b->sectors, &len);
	uint8_t *header = b->disk + part_at(b, backup ? VK_TP_BACKUP_HEADER : VK_TP_PRIMARY_HEADER, b->sectors, &len);
	struct vk_gpt_entry e = {.firstLBA = first, .lastLBA = last};

	assert_true(vk_guid_parse(VK_GPT_TYPE_VMFS, &e.typeGUID));
	guid_of(guid, &e.uniqueGUID);
	vk_gpt_entry_encode(&e, array + 2 * 128, 128);
	assert_true(vk_gpt_seal(header, 512, array));
}

static void expect_rivals(struct bench *b, const struct vk_find *find, bool right_is_backup, const uint8_t *right)
{
	struct vk_gpt_judgement j;

	free(repair(b, find, &j));
	assert_false(vk_gpt_proof_exact(j.proof));
	assert_true(j.disputed);
	assert_false(j.sound);
	assert_true(says(j.lost, j.lost_count, "written last cannot be proved"));
	for (size_t i = 0; i < j.entry_count; i++)
		assert_false(j.entries[i].exact);
	for (int part = VK_TP_PRIMARY_HEADER; part <= VK_TP_BACKUP_HEADER; part++) {
		assert_int_not_equal(j.parts[part].state, VK_PART_STATE_SOUND);
		if (part == VK_TP_PRIMARY_ARRAY || part == VK_TP_BACKUP_ARRAY)
			assert_int_not_equal(j.parts[part].state, VK_PART_STATE_DAMAGED);
	}
	if (right != NULL)
		assert_memory_equal(j.image.array, right, ARRAY);
	if (right != NULL)
		assert_int_equal(j.parts[right_is_backup ? VK_TP_BACKUP_ARRAY : VK_TP_PRIMARY_ARRAY].state,
				 VK_PART_STATE_CONSISTENT);
	vk_gpt_judgement_free(&j);
}

/* A checksum proves a copy whole, not that it is the newer one: when one header is lost, its array still stands. */
static void a_whole_copy_of_before(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL, .inside = SIZE_MAX, .length_exact = true};
	struct vk_find find = {.candidates = &volume, .count = 1};

	(void)state;
	for (int stale = 0; stale < 2; stale++) {
		enum vk_table_part live = stale ? VK_TP_PRIMARY_ARRAY : VK_TP_BACKUP_ARRAY;
		enum vk_table_part lost = stale ? VK_TP_PRIMARY_HEADER : VK_TP_BACKUP_HEADER;
		struct vk_gpt_judgement j;
		uint8_t right[ARRAY];
		struct bench b;
		size_t at, len;

		bench_make(&b, 512, 512, true);
		at = part_at(&b, live, b.sectors, &len);
		memcpy(right, b.now + at, ARRAY);
		volume.told_bytes = volume.length_bytes = (b.sectors - 33 - 200) * 512ULL;
		/* another length, of which the volume knows better */
		memcpy(b.disk, b.now, b.bytes);
		reseal(&b, stale, 200, 499, 3);
		break_part(&b, lost, ZERO);
		expect_rivals(&b, &find, !stale, right);
		/* only other GUIDs: which is right cannot be told */
		memcpy(b.disk, b.now, b.bytes);
		reseal(&b, stale, 200, b.sectors - 34, 77);
		break_part(&b, lost, ZERO);
		expect_rivals(&b, &find, !stale, NULL);
		/* unless what is left of the primary header names its own */
		if (stale) {
			memcpy(b.disk + 512, b.now + 512, VK_GPT_HEADER_BYTES);
			b.disk[512 + 40] ^= 3;
			b.disk[512 + 48] ^= 5;
			expect_rivals(&b, &find, false, right);
		}
		/* one damaged array of the two, the header with it: what is left of the header names what counts */
		memcpy(b.disk, b.now, b.bytes);
		guid_of(78, (struct vk_guid *)(b.disk + at + 2 * 128 + 16));
		at = part_at(&b, lost, b.sectors, &len);
		b.disk[at + 40] ^= 3;
		b.disk[at + 48] ^= 5;
		free(repair(&b, &find, &j));
		assert_true(vk_gpt_proof_exact(j.proof));
		assert_memory_equal(j.image.array, right, ARRAY);
		vk_gpt_judgement_free(&j);
		/* what overlaps is no table */
		memcpy(b.disk, b.now, b.bytes);
		break_part(&b, lost, ZERO);
		at = part_at(&b, stale ? VK_TP_PRIMARY_ARRAY : VK_TP_BACKUP_ARRAY, b.sectors, &len);
		memcpy(b.disk + at + 128, b.disk + at + 2 * 128, 128);
		free(repair(&b, &find, &j));
		assert_true(vk_gpt_proof_exact(j.proof));
		assert_memory_equal(j.image.array, right, ARRAY);
		vk_gpt_judgement_free(&j);
		/* both headers name the same: a table that makes sense beside them is damage */
		memcpy(b.disk, b.now, b.bytes);
		at = part_at(&b, live, b.sectors, &len);
		guid_of(79, (struct vk_guid *)(b.disk + at + 2 * 128 + 16));
		free(repair(&b, NULL, &j));
		assert_true(vk_gpt_proof_exact(j.proof));
		assert_memory_equal(j.image.array, right, ARRAY);
		vk_gpt_judgement_free(&j);
		bench_free(&b);
	}
}

/* The only header that is left is of before the disk was grown, and the entries of after still stand. */
static void a_copy_of_a_shorter_disk(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL, .inside = SIZE_MAX, .length_exact = true};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, true);
	volume.told_bytes = volume.length_bytes = (b.sectors - 33 - 200) * 512ULL;
	memcpy(b.disk, b.now, b.bytes);
	break_part(&b, VK_TP_PRIMARY_HEADER, ZERO);
	break_part(&b, VK_TP_BACKUP_ARRAY, STALE_AT_OLD_PLACE);
	break_part(&b, VK_TP_BACKUP_HEADER, STALE_AT_OLD_PLACE);
	/* that the disk is longer than it says is no secret: sector 0 points to it */
	memcpy(b.disk, b.old, 512);
	free(repair(&b, &find, &j));
	assert_false(vk_gpt_proof_exact(j.proof));
	assert_true(j.lost_count > 0);
	assert_memory_equal(j.image.array, b.now + part_at(&b, VK_TP_PRIMARY_ARRAY, b.sectors, &len), ARRAY);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

static void a_sound_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	for (int large = 0; large < 2; large++) {
		bench_make(&b, large ? 4096 : 512, 512, true);
		memcpy(b.disk, b.now, b.bytes);
		memset(b.disk, 0x90, 440);
		after = repair(&b, NULL, &j);
		assert_true(j.sound);
		assert_int_equal(j.used, 0);
		assert_int_equal(j.right, 0);
		assert_int_equal(j.lost_count, 0);
		assert_string_equal(j.why_right, "both headers agree");
		assert_memory_equal(after, b.disk, b.bytes);
		free(after);
		vk_gpt_judgement_free(&j);
		bench_free(&b);
	}
}

/* Somebody's MBR over the protective one; then a disk that never had a GPT. */
static void another_table(void **state)
{
	struct vk_mbr_entry e = {.type = 0x42, .firstLBA = 63, .sectors = 900};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	vk_layout_encode(&vk_mbr_entry_layout, &e, b.disk + VK_MBR_ENTRY_OFFSET, VK_MBR_ENTRY_BYTES);
	memset(b.disk, 0x33, 444);
	after = repair(&b, NULL, &j);
	assert_true(j.was_gpt && j.foreign_mbr);
	assert_int_equal(j.used, -1);
	assert_int_equal(j.parts[VK_TP_MBR].state, VK_PART_STATE_FOREIGN);
	assert_memory_equal(after, b.disk, 444);
	assert_memory_equal(after + 444, b.now + 444, b.bytes - 444);
	free(after);
	vk_gpt_judgement_free(&j);
	memset(b.disk + 512, 0, b.bytes - 512);
	after = repair(&b, NULL, &j);
	assert_true(j.foreign_mbr && !j.was_gpt);
	assert_int_equal(j.lost_count, 0);
	assert_int_equal(j.proof, VK_GPT_PROOF_NONE);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* The first part of a disk: nothing is missing that could be seen, and nothing can be put. */
static void a_cut_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	b.bytes = 400 * 512;
	assert_null(repair(&b, NULL, &j));
	assert_true(j.cut && !j.sound);
	assert_int_equal(j.disk_sectors, DISK_512);
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_SOUND);
	assert_int_equal(j.parts[VK_TP_BACKUP_HEADER].state, VK_PART_STATE_UNREADABLE);
	assert_int_equal(j.entry_count, 4);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_disk),
		cmocka_unit_test(entries_of_both_arrays),
		cmocka_unit_test(the_end_of_a_grown_volume),
		cmocka_unit_test(a_grown_disk),
		cmocka_unit_test(a_backup_behind_the_volume),
		cmocka_unit_test(two_copies_that_differ),
		cmocka_unit_test(a_whole_copy_of_before),
		cmocka_unit_test(a_copy_of_a_shorter_disk),
		cmocka_unit_test(another_table),
		cmocka_unit_test(a_cut_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
