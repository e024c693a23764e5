/* SPDX-License-Identifier: Apache-2.0 */
/* What may be believed of captures and remains, and what of it is only a guess. */
#include "rebuild/table/plan.h"
#include "table_bench.h"

static struct table_bench disk_with(enum vk_table_kind kind, uint64_t size, const char *volume, const char *foreign)
{
	struct vk_lab_spec *spec = bench_spec(kind, 512, size);

	bench_volume(spec, volume);
	if (foreign != NULL)
		bench_foreign(spec, foreign);
	return bench_make(spec, "plain");
}

/* Partition 2 was deleted and made anew elsewhere between two captures; a third was taken after the damage. */
static void a_deleted_partition_stays_deleted(void **state)
{
	static const char *const windows[] = {"15000000+4096:basic", NULL};
	struct table_bench old = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", "10000000+4096:linux");
	struct table_bench b = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", "12000000+4096:linux");
	struct table_bench late = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", NULL);
	struct vk_known_table known[3] = {{.name = "late"}, {.name = "newer"}, {.name = "older"}};
	struct vk_rebuild_table_options options = {.known = &known[1], .known_count = 2};
	struct vk_source sources[3];

	(void)state;
	bench_wipe_table(&late, false);
	bench_other_table(&late, VK_TABLE_GPT, 99, windows);
	bench_source(&late, &sources[0]);
	bench_source(&b, &sources[1]);
	bench_source(&old, &sources[2]);
	for (size_t i = 0; i < 3; i++)
		known[i].source = &sources[i];
	for (int taken_late = 0; taken_late < 2; taken_late++) {
		struct table_bench wiped = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", NULL);
		struct rebuilt *r;

		bench_wipe_table(&wiped, false);
		r = bench_rebuild(&wiped, &options);
		entry_of(&b, r, 0);
		assert_int_equal(entry_of(&b, r, 1)->partition.number, 2);
		assert_true(entry_of(&b, r, 1)->bytes_exact);
		assert_int_equal(r->table.entry_count, 2);
		rebuilt_free(r);
		bench_free(&wiped);
		options.known = known;
		options.known_count = 3;
	}
	for (size_t i = 0; i < 3; i++)
		vk_source_close(&sources[i]);
	bench_free(&old);
	bench_free(&late);
	bench_free(&b);
}

/* Two captures give one number to two volumes: the newer is right. */
static void the_newer_capture_has_the_number(void **state)
{
	static const enum vk_table_kind kinds[] = {VK_TABLE_GPT, VK_TABLE_MBR};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct table_bench older = disk_with(kinds[k], 10 * GIB, "size=1G,version=3,start=4000000,number=2", NULL);
		struct table_bench newer = disk_with(kinds[k], 10 * GIB, "size=1G,version=3,start=8000000,number=2", NULL);
		struct table_bench b = bench_disk(kinds[k], 10 * GIB, "size=1G,version=3,start=4000000,number=1",
						  "size=1G,version=3,start=8000000,number=2");
		struct vk_known_table known[2] = {{.name = "newer"}, {.name = "older"}};
		const struct vk_rebuild_table_options options = {.known = known, .known_count = 2};
		struct vk_source sources[2];
		struct rebuilt *r;

		bench_source(&newer, &sources[0]);
		bench_source(&older, &sources[1]);
		known[0].source = &sources[0];
		known[1].source = &sources[1];
		bench_wipe_table(&b, false);
		r = bench_rebuild(&b, &options);
		assert_int_equal(entry_of(&b, r, 1)->partition.number, 2);
		assert_int_equal(entry_of(&b, r, 0)->partition.number, 1);
		assert_false(entry_of(&b, r, 0)->number_exact);
		rebuilt_free(r);
		vk_source_close(&sources[0]);
		vk_source_close(&sources[1]);
		bench_free(&older);
		bench_free(&newer);
		bench_free(&b);
	}
}

/* What no checksum proves is a guess, even where nothing contradicts it. */
static void an_unproved_entry_is_a_guess(void **state)
{
	struct table_bench b = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", "12000000+4096:linux");
	const uint64_t last = 12000000 + 4096 - 1 + 0x100300;
	const struct vk_planned_entry *e;
	struct rebuilt *r;

	(void)state;
	bench_zero(&b, 1, 1);
	bench_zero(&b, b.plan->disk_sectors - 33, 33);
	assert_int_equal(vk_lab_put(&b.disk, 1024 + 128 + 40, (const uint8_t *)&last, 8), VK_OK);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_OK);
	e = planned_at(r, 12000000);
	assert_non_null(e);
	assert_false(e->length_exact || e->bytes_exact);
	assert_true(r->table.guessed);
	/* nothing is missing in the entries that stand there, but nothing proves them */
	assert_int_equal(r->table.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_DAMAGED);
	assert_string_equal(r->table.parts[VK_TP_PRIMARY_ARRAY].why, "no header's checksum fits it");
	rebuilt_free(r);
	bench_free(&b);
}

/* One damaged header is all that knows the disk GUID; a capture knows better. */
static void a_guid_of_remains_is_a_guess(void **state)
{
	struct table_bench b = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", NULL);
	struct table_bench before = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5", NULL);
	struct vk_known_table known = {.name = "capture"};
	const struct vk_rebuild_table_options options = {.known = &known, .known_count = 1};
	struct vk_source captured;
	struct rebuilt *r;

	(void)state;
	bench_source(&before, &captured);
	known.source = &captured;
	assert_int_equal(vk_lab_put(&b.disk, 512 + 56, (const uint8_t *)"12345678", 8), VK_OK);
	bench_zero(&b, b.plan->disk_sectors - 1, 1);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_OK);
	assert_false(r->table.disk_guid_fresh);
	assert_memory_equal(r->table.disk_guid.b, "12345678", 8);
	assert_true(r->table.guessed);
	rebuilt_free(r);
	r = bench_rebuild(&b, &options);
	assert_int_equal(r->status, VK_OK);
	assert_false(r->table.guessed || r->table.disk_guid_fresh);
	assert_true(vk_guid_equal(&r->table.disk_guid, &captured.table.gpt[0].header.diskGUID));
	rebuilt_free(r);
	vk_source_close(&captured);
	bench_free(&before);
	bench_free(&b);
}

/* 20 sectors are missing at the end, so that the volume lies where the copy would: it stays a GPT all the same. */
static void a_gpt_that_lost_its_end(void **state)
{
	const uint64_t start = 2048;
	const struct vk_rebuild_table_options include = {.include_sectors = &start, .include_count = 1};
	const struct vk_rebuild_table_options label = {.label = VK_TABLE_GPT};

	(void)state;
	for (int how = 0; how < 3; how++) {
		struct table_bench b = disk_with(VK_TABLE_GPT, 4 * GIB, how == 1 ? "version=5" : "version=6", NULL);
		const struct vk_lab_partition *p = &b.plan->partitions[0];
		struct rebuilt *r;

		assert_true(p->start_sector + p->sectors > b.plan->disk_sectors - 20 - 33);
		/* what is left: sector 0 and the primary entries; of a VMFS6 it need not be anything */
		bench_zero(&b, how == 2 ? 0 : 1, how == 2 ? 34 : 1);
		b.disk.size_bytes -= 20 * 512;
		assert_int_equal(ftruncate(b.disk.fd, (off_t)b.disk.size_bytes), 0);
		/* where the entries still tell the length, this is a part of a disk, and a table needs its end */
		for (int asked = 0; asked < 2; asked++) {
			r = bench_rebuild(&b, asked ? &label : NULL);
			assert_int_equal(r->status, how == 2 ? VK_USAGE : VK_ABSENT);
			assert_non_null(strstr(r->err.what, how == 2 ? "at least 20 sectors shorter"
								     : "only a part of the disk is here"));
			assert_non_null(strstr(r->err.remedy, how == 2 ? "make the LUN"
								       : "the LUN once it has its length"));
			rebuilt_free(r);
		}
		r = bench_rebuild(&b, &include);
		assert_int_equal(r->status, how == 2 ? VK_OK : VK_ABSENT);
		if (how == 2) {
			assert_int_equal(r->table.kind, VK_TABLE_GPT);
			assert_true(r->table.guessed);
		}
		rebuilt_free(r);
		bench_free(&b);
	}
}

/* Numbers 1 to 4 are good in an MBR, too. */
static void an_mbr_keeps_numbers_of_a_gpt(void **state)
{
	const struct vk_rebuild_table_options mbr = {.label = VK_TABLE_MBR};
	struct table_bench b = bench_disk(VK_TABLE_GPT, 6 * GIB, "size=1G,version=5,number=3", "size=1G,version=5,number=7");
	struct rebuilt *r = bench_rebuild(&b, &mbr);

	(void)state;
	assert_int_equal(entry_of(&b, r, 0)->partition.number, 3);
	assert_int_equal(entry_of(&b, r, 1)->partition.number, 1);
	rebuilt_free(r);
	bench_free(&b);
}

/* Three primary partitions, an extended one without any logical, and a fourth volume outside of it. */
static void no_room_beside_an_empty_extended(void **state)
{
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_MBR, 512, 10 * GIB);
	struct table_bench b;
	uint8_t sector[512];
	struct rebuilt *r;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		bench_volume(spec, "size=1G,version=3");
	b = bench_make(spec, "plain");
	get(&b.disk, 0, sector, sizeof(sector));
	/* in place of the fourth: sectors 16000000 and following, type 05 */
	memcpy(sector + 446 + 48, (const uint8_t[16]){0, 0xFE, 0xFF, 0xFF, 5, 0xFE, 0xFF, 0xFF, 0x00, 0x24, 0xF4, 0, 0, 0, 16, 0}, 16);
	assert_int_equal(vk_lab_put(&b.disk, 0, sector, sizeof(sector)), VK_OK);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_USAGE);
	assert_non_null(strstr(r->err.what, "an MBR cannot list all 4 partitions"));
	rebuilt_free(r);
	bench_free(&b);
}

/* Each logical partition can be named, the extended one around them cannot. */
static void an_extended_partition_too_long(void **state)
{
	const struct vk_rebuild_table_options mbr = {.label = VK_TABLE_MBR};
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, 3 * 1024 * GIB);
	struct table_bench b;
	struct rebuilt *r;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		bench_volume(spec, "size=1G,version=5");
	bench_volume(spec, "size=1G,version=5,start=7000000");
	bench_volume(spec, "size=4G,version=5,start=4294000000");
	b = bench_make(spec, "plain");
	/* the table goes, so that nothing but the volumes speaks */
	bench_wipe_table(&b, false);
	r = bench_rebuild(&b, &mbr);
	assert_int_equal(r->status, VK_USAGE);
	if (strstr(r->err.what, "cannot list the extended partition") == NULL)
		rebuilt_print(r);
	assert_non_null(strstr(r->err.what, "cannot list the extended partition"));
	rebuilt_free(r);
	bench_free(&b);
}

static struct vk_proposal row(uint64_t start, uint64_t end, enum vk_claim claim, uint64_t least, size_t candidate)
{
	return (struct vk_proposal){.entry = {.partition = {.start_sector = start, .sectors = end - start, .gpt = true},
					      .length_exact = true,
					      .candidate = candidate},
				    .claim = claim,
				    .least_sectors = least};
}

/* Made shorter for a neighbour, and only for one that stays. */
static void what_is_shortened(void **state)
{
	(void)state;
	for (int stays = 0; stays < 2; stays++) {
		struct vk_rebuild_table out = {.kind = VK_TABLE_GPT};
		struct vk_proposal items[3] = {row(1000, 3000, VK_CLAIM_CONTENTS, 500, SIZE_MAX),
					       row(2000, stays ? 4000 : 4500, VK_CLAIM_CAPTURE, 0, SIZE_MAX),
					       row(4000, 5000, VK_CLAIM_LIVING, 1000, 0)};
		struct vk_table_plan plan = {
			.items = items, .count = 3, .first_usable = 34, .last_usable = 9999, .out = &out};
		struct vk_error err;

		must(vk_table_settle(&plan, &err), &err);
		assert_int_equal(plan.count, stays ? 3 : 2);
		assert_int_equal(items[0].entry.partition.sectors, stays ? 1000 : 2000);
		assert_int_equal(items[0].entry.length_exact, !stays);
		vk_rebuild_table_free(&out);
	}
}

/* Disks of one size and layout get GUIDs of their own, also for partitions without a volume. */
static void fresh_guids_differ(void **state)
{
	struct vk_guid guids[2][5], disks[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, 300 * GIB);
		struct table_bench b;
		struct rebuilt *r;

		spec->seed = 5 + i;
		bench_volume(spec, "");
		b = bench_make(spec, "esxi7");
		bench_wipe_table(&b, false);
		r = bench_rebuild(&b, NULL);
		assert_int_equal(r->status, VK_OK);
		assert_int_equal(r->table.entry_count, 5);
		disks[i] = r->table.disk_guid;
		for (size_t k = 0; k < 5; k++) {
			assert_true(r->table.entries[k].guid_fresh);
			guids[i][k] = r->table.entries[k].partition.entry.uniqueGUID;
			for (size_t before = 0; before < i; before++)
				assert_false(vk_guid_equal(&guids[i][k], &guids[before][k]));
		}
		for (size_t before = 0; before < i; before++)
			assert_false(vk_guid_equal(&disks[i], &disks[before]));
		rebuilt_free(r);
		bench_free(&b);
	}
}

/* The head of a volume remembers the number of its partition. One with a zero in front is not as hosts write it. */
static void the_number_that_a_head_remembers(void **state)
{
	const struct vk_lvm_device like = {.majorVersion = 5};
	struct vk_lvm_geometry g;

	(void)state;
	assert_true(vk_lvm_geometry(&like, VK_LVM_HEADER_OFFSET, &g));
	for (int damaged = 0; damaged < 2; damaged++) {
		struct table_bench b = disk_with(VK_TABLE_GPT, 10 * GIB, "size=2G,version=5,number=13", NULL);
		uint64_t at = b.plan->partitions[0].start_sector * 512 + g.sd_table + sizeof("naa.") - 1 + 32;
		struct rebuilt *r;

		bench_wipe_table(&b, false);
		if (damaged)
			assert_int_equal(vk_lab_put(&b.disk, at, ":0", 2), VK_OK);
		r = bench_rebuild(&b, NULL);
		assert_int_equal(entry_of(&b, r, 0)->partition.number, damaged ? 1 : 13);
		assert_int_equal(entry_of(&b, r, 0)->number_exact, !damaged);
		rebuilt_free(r);
		bench_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_partition_stays_deleted),
		cmocka_unit_test(the_newer_capture_has_the_number),
		cmocka_unit_test(an_unproved_entry_is_a_guess),
		cmocka_unit_test(a_guid_of_remains_is_a_guess),
		cmocka_unit_test(a_gpt_that_lost_its_end),
		cmocka_unit_test(an_mbr_keeps_numbers_of_a_gpt),
		cmocka_unit_test(no_room_beside_an_empty_extended),
		cmocka_unit_test(an_extended_partition_too_long),
		cmocka_unit_test(what_is_shortened),
		cmocka_unit_test(fresh_guids_differ),
		cmocka_unit_test(the_number_that_a_head_remembers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
