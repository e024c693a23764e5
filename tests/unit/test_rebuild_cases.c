/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of others, captures, deleted and damaged entries, wishes. */
#include "table_bench.h"

static void a_sound_table_stays(void **state)
{
	static const char *const layouts[] = {"esxi5", "esxi7-small"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, 100 * GIB);
		struct table_bench b;
		struct rebuilt *r;

		bench_volume(spec, "");
		b = bench_make(spec, layouts[i]);
		r = bench_rebuild(&b, NULL);
		if (r->status != VK_OK || !r->table.nothing_to_do)
			rebuilt_print(r);
		assert_true(r->table.nothing_to_do);
		assert_int_equal(r->table.entry_count, b.plan->count);
		assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 0);
		rebuilt_free(r);
		bench_free(&b);
	}
}

static void a_deleted_entry_comes_back(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=1G,version=6", "size=2G,version=6");
	const struct vk_planned_entry *e;
	struct vk_guid disk;
	struct rebuilt *r;

	(void)state;
	r = bench_rebuild(&b, NULL);
	disk = r->source.table.gpt[0].header.diskGUID;
	rebuilt_free(r);
	bench_delete_entry(&b, 1);
	r = bench_rebuild(&b, NULL);
	e = entry_of(&b, r, 0);
	assert_true(e->bytes_exact);
	assert_int_equal(e->origin, VK_ENTRY_KEPT);
	e = entry_of(&b, r, 1);
	assert_int_equal(e->partition.number, 2);
	assert_true(e->number_exact && e->guid_fresh && !e->bytes_exact);
	assert_int_equal(e->partition.entry.uniqueGUID.b[7] & 0xF0, 0x80);
	assert_int_equal(e->partition.entry.uniqueGUID.b[8] & 0xC0, 0x80);
	assert_true(vk_guid_equal(&r->table.disk_guid, &disk));
	assert_false(r->table.disk_guid_fresh || r->table.nothing_to_do);
	rebuilt_free(r);
	/* all entries deleted: the empty GPT still says what kind of table it was */
	bench_delete_entry(&b, 1);
	b.plan->count = 1;
	bench_delete_entry(&b, 0);
	b.plan->count = 2;
	r = bench_rebuild(&b, NULL);
	entry_of(&b, r, 0);
	entry_of(&b, r, 1);
	rebuilt_free(r);
	bench_free(&b);
}

static void one_copy_is_enough(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=1G,version=5", "size=2G,version=6,number=9");
	uint64_t last = b.plan->disk_sectors - 33;

	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct rebuilt *r;

		assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
		bench_zero(&b, lost == 0 ? 0 : last, lost == 0 ? 34 : 33);
		r = bench_rebuild(&b, NULL);
		for (size_t i = 0; i < 2; i++)
			assert_true(entry_of(&b, r, i)->bytes_exact);
		assert_int_equal(entry_of(&b, r, 1)->partition.number, 9);
		assert_false(r->table.disk_guid_fresh || r->table.nothing_to_do);
		rebuilt_free(r);
	}
	bench_free(&b);
}

static void others_over_volumes(void **state)
{
	static const char *const windows_gpt[] = {"34+32768:E3C9E316-0B5C-4DB8-817D-F92DF00215AE", NULL};
	static const char *const windows_mbr[] = {"2048+6000000:7", NULL};
	static const char *const linux_mbr[] = {"64+900:83", "8000000+100000:83", NULL};
	const struct {
		enum vk_table_kind kind;
		const char *const *partitions;
	} others[] = {{VK_TABLE_GPT, windows_gpt}, {VK_TABLE_MBR, windows_mbr}, {VK_TABLE_MBR, linux_mbr}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct table_bench b = bench_disk(VK_TABLE_GPT, 5 * GIB, "size=3G,version=6", NULL);
		struct rebuilt *r;

		bench_wipe_table(&b, false);
		bench_other_table(&b, others[i].kind, 99, others[i].partitions);
		r = bench_rebuild(&b, NULL);
		entry_of(&b, r, 0);
		assert_int_equal(r->table.kind, VK_TABLE_GPT);
		if (i < 2) {
			assert_int_equal(r->table.entry_count, 1);
			must_say(r, "left out");
		} else {
			/* what lies beside the volume stays, as far as a GPT has room */
			assert_non_null(planned_at(r, 8000000));
			assert_non_null(planned_at(r, 64));
			assert_int_equal(r->table.entry_count, 3);
		}
		rebuilt_free(r);
		bench_free(&b);
	}
}

/* A GPT of Windows in front of a VMFS3: the MBR comes back, and the GPT goes, or it would be believed. */
static void an_mbr_instead_of_a_foreign_gpt(void **state)
{
	static const char *const windows[] = {"34+32768:E3C9E316-0B5C-4DB8-817D-F92DF00215AE", NULL};
	struct table_bench b = bench_disk(VK_TABLE_MBR, 5 * GIB, "size=3G,version=3,block-size=8M", NULL);
	struct vk_source after;
	struct rebuilt *r;

	(void)state;
	bench_other_table(&b, VK_TABLE_GPT, 99, windows);
	r = bench_rebuild(&b, NULL);
	entry_of(&b, r, 0);
	assert_int_equal(r->table.kind, VK_TABLE_MBR);
	assert_int_equal(r->table.parts[VK_TP_MBR].state, VK_PART_STATE_FOREIGN);
	assert_true(r->table.parts[VK_TP_PRIMARY_HEADER].rewritten &&
		    r->table.parts[VK_TP_BACKUP_HEADER].rewritten);
	bench_apply(&b, r);
	bench_source(&b, &after);
	assert_int_equal(after.table.kind, VK_TABLE_MBR);
	assert_false(after.table.gpt[0].present || after.table.gpt[1].present);
	vk_source_close(&after);
	rebuilt_free(r);
	bench_free(&b);
}

/* What a capture of the same disk knows: a second disk of the same seed stands for it. */
static void captures_know(void **state)
{
	static const char *const foreign = "12000000+4096:basic";
	struct vk_known_table known = {.name = "capture of yesterday"};
	const struct vk_rebuild_table_options options = {.known = &known, .known_count = 1};
	struct vk_source captured;
	struct table_bench b[2];
	struct rebuilt *r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, 10 * GIB);

		bench_volume(spec, "size=2G,version=3,number=4");
		bench_volume(spec, "size=3G,version=5");
		bench_foreign(spec, foreign);
		b[i] = bench_make(spec, "plain");
	}
	bench_source(&b[1], &captured);
	known.source = &captured;
	bench_wipe_table(&b[0], false);
	r = bench_rebuild(&b[0], &options);
	assert_int_equal(r->table.kind, VK_TABLE_GPT);
	for (size_t i = 0; i < 3; i++) {
		const struct vk_planned_entry *e = entry_of(&b[0], r, i);

		assert_int_equal(e->origin, VK_ENTRY_CAPTURE);
		assert_true(e->bytes_exact && e->number_exact && !e->guid_fresh);
		assert_int_equal(e->partition.number, b[0].plan->partitions[i].number);
	}
	assert_true(vk_guid_equal(&r->table.disk_guid, &captured.table.gpt[0].header.diskGUID));
	assert_false(r->table.disk_guid_fresh);
	bench_apply(&b[0], r);
	rebuilt_free(r);
	/* everything is back, byte for byte */
	for (uint64_t at = 0; at < 34 * 512; at += 512) {
		uint8_t x[512], y[512];

		get(&b[0].disk, at, x, sizeof(x));
		get(&b[1].disk, at, y, sizeof(y));
		assert_memory_equal(x, y, sizeof(x));
	}
	/* where a sound table stands, what only a capture has is not put back: it may have been deleted on purpose */
	bench_delete_entry(&b[0], 2);
	bench_delete_entry(&b[0], 1);
	b[0].plan->count = 2;
	must(vk_lab_write_table(&b[0].disk, b[0].plan), NULL);
	r = bench_rebuild(&b[0], &options);
	assert_int_equal(r->table.entry_count, 2);
	rebuilt_free(r);
	vk_source_close(&captured);
	bench_free(&b[0]);
	bench_free(&b[1]);
}

static void wishes_that_cannot_be(void **state)
{
	const struct vk_rebuild_table_options mbr = {.label = VK_TABLE_MBR}, gpt = {.label = VK_TABLE_GPT};
	const uint64_t nowhere = 12345;
	const struct vk_rebuild_table_options include = {.include_sectors = &nowhere, .include_count = 1};
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=3T,version=5", NULL);
	struct rebuilt *r = bench_rebuild(&b, &mbr);

	(void)state;
	assert_int_equal(r->status, VK_USAGE);
	assert_non_null(strstr(r->err.remedy, "--label gpt"));
	rebuilt_free(r);
	r = bench_rebuild(&b, &include);
	assert_int_equal(r->status, VK_USAGE);
	rebuilt_free(r);
	bench_free(&b);
	/* up to the last sector: no room for the copy of a GPT, so that it was an MBR, whatever the version says */
	b = bench_disk(VK_TABLE_MBR, 4 * GIB, "start=128,version=5", NULL);
	bench_wipe_table(&b, false);
	r = bench_rebuild(&b, &gpt);
	assert_int_equal(r->status, VK_USAGE);
	rebuilt_free(r);
	r = bench_rebuild(&b, NULL);
	entry_of(&b, r, 0);
	assert_int_equal(r->table.kind, VK_TABLE_MBR);
	rebuilt_free(r);
	bench_free(&b);
}

static void nothing_there(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_MBR, 0, "size=1G,version=3", NULL);
	struct rebuilt *r;

	(void)state;
	bench_clear(&b);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_ABSENT);
	assert_true(r->err.remedy[0] != '\0');
	rebuilt_free(r);
	bench_free(&b);
}

/* Without its LVM header a volume does not say how long it is. */
static void a_guess_is_called_one(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 6 * GIB, "size=2G,version=3,live=2", "start=6000001,size=1G,version=3");
	const struct vk_planned_entry *e;
	struct rebuilt *r;

	(void)state;
	bench_wipe_table(&b, false);
	bench_zero(&b, 2048 + 2048, 1);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_OK);
	e = planned_at(r, 2048);
	assert_true(r->table.guessed);
	if (e == NULL || e->length_exact || e->partition.sectors != 6000001 - 2048 ||
	    strstr(e->why, "guess") == NULL)
		rebuilt_print(r);
	assert_true(e != NULL && strstr(e->why, "guess") != NULL && !e->length_exact &&
		    e->partition.sectors == 6000001 - 2048);
	rebuilt_free(r);
	/* unless some copy of the table does */
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	bench_zero(&b, 0, 34);
	r = bench_rebuild(&b, NULL);
	assert_true(entry_of(&b, r, 0)->bytes_exact && entry_of(&b, r, 0)->length_exact);
	/* of sector 0 there is no copy */
	assert_true(r->table.guessed);
	assert_int_equal(r->table.doubt_count, 1);
	assert_non_null(strstr(r->table.doubts[0], "heads and sectors) gets the usual values"));
	rebuilt_free(r);
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	bench_zero(&b, 1, 33);
	r = bench_rebuild(&b, NULL);
	assert_true(entry_of(&b, r, 0)->bytes_exact && entry_of(&b, r, 0)->length_exact);
	assert_false(r->table.guessed);
	rebuilt_free(r);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_table_stays),
		cmocka_unit_test(a_deleted_entry_comes_back),
		cmocka_unit_test(one_copy_is_enough),
		cmocka_unit_test(others_over_volumes),
		cmocka_unit_test(an_mbr_instead_of_a_foreign_gpt),
		cmocka_unit_test(captures_know),
		cmocka_unit_test(wishes_that_cannot_be),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(a_guess_is_called_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
