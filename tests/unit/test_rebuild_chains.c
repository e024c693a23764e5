/* SPDX-License-Identifier: Apache-2.0 */
/* Logical partitions: what is left of a chain, chains of others, what a capture knows of one, more than four partitions. */
#include "table_bench.h"

#include "base/bytes.h"

static void chains(void **state)
{
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_MBR, 512, 20 * GIB);
	struct table_bench b;
	struct rebuilt *r;

	(void)state;
	bench_volume(spec, "start=128,size=1G,version=3");
	bench_volume(spec, "start=4000000,size=1G,version=3,logical");
	bench_volume(spec, "start=8000001,size=1G,version=3,logical");
	bench_volume(spec, "start=12000000,size=1G,version=3,logical");
	b = bench_make(spec, "plain");
	/* sector 0 and the first two boot records are gone: the third still leads to its volume */
	bench_wipe_table(&b, false);
	bench_zero(&b, b.plan->partitions[1].ebr_sector, 1);
	bench_zero(&b, b.plan->partitions[2].ebr_sector, 1);
	r = bench_rebuild(&b, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(entry_of(&b, r, i)->partition.start_sector,
				 b.plan->partitions[i].start_sector);
	assert_true(entry_of(&b, r, 3)->partition.logical && entry_of(&b, r, 3)->stands);
	rebuilt_free(r);
	/* only sector 0: all numbers are those of before, and no boot record is touched */
	must(vk_lab_write_table(&b.disk, b.plan), NULL);
	bench_wipe_table(&b, false);
	r = bench_rebuild(&b, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(entry_of(&b, r, i)->partition.number, b.plan->partitions[i].number);
	assert_true(entry_of(&b, r, 2)->number_exact);
	assert_int_equal(r->table.parts[VK_TP_EBR].state, VK_PART_STATE_CONSISTENT);
	assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 512);
	rebuilt_free(r);
	/* only the middle of the chain: the MBR knows where it begins */
	must(vk_lab_write_table(&b.disk, b.plan), NULL);
	bench_zero(&b, b.plan->partitions[2].ebr_sector, 1);
	r = bench_rebuild(&b, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(entry_of(&b, r, i)->partition.number, b.plan->partitions[i].number);
	assert_int_equal(r->table.parts[VK_TP_EBR].state, VK_PART_STATE_DAMAGED);
	assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 512);
	rebuilt_free(r);
	bench_free(&b);
}

/* Chains of others: in another order than the disk's, with an empty first link, without any partition, broken. */
static void chains_of_others(void **state)
{
	static const uint8_t link[2][16] = {
		{0, 0, 1, 0, 0x0F, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0x20, 0}, {0}};
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_MBR, 512, 10 * GIB);
	const struct vk_lab_partition *p;
	uint8_t ebr[512] = {0};
	struct table_bench b;
	struct rebuilt *r;

	(void)state;
	bench_volume(spec, "start=128,size=1G,version=3");
	bench_volume(spec, "start=4000000,size=1G,version=3,logical");
	b = bench_make(spec, "plain");
	p = &b.plan->partitions[1];
	/* the extended partition begins a MiB earlier, with a record that only leads on */
	b.plan->extended_start -= 2048;
	b.plan->extended_sectors += 2048;
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	memcpy(ebr + 446 + 16, link[0], 16);
	vk_put_le32(ebr + 446 + 16 + 8, 2048);
	vk_put_le16(ebr + 510, VK_MBR_SIGNATURE);
	assert_int_equal(vk_lab_put(&b.disk, b.plan->extended_start * 512, ebr, sizeof(ebr)), VK_OK);
	r = bench_rebuild(&b, NULL);
	assert_true(entry_of(&b, r, 1)->stands);
	if (!r->table.nothing_to_do)
		rebuilt_print(r);
	assert_true(r->table.nothing_to_do);
	assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 0);
	rebuilt_free(r);
	/* that record gone: the chain is mended from where it begins */
	bench_zero(&b, b.plan->extended_start, 1);
	r = bench_rebuild(&b, NULL);
	assert_true(entry_of(&b, r, 1)->partition.logical);
	assert_int_equal(r->table.parts[VK_TP_EBR].state, VK_PART_STATE_DAMAGED);
	must_say(r, "may have been in it");
	settled(&b, r);
	rebuilt_free(r);
	/* a record that leads nowhere, and no volume behind it: nothing to do */
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	memset(ebr + 446, 0, 64);
	assert_int_equal(vk_lab_put(&b.disk, b.plan->extended_start * 512, ebr, sizeof(ebr)), VK_OK);
	bench_zero(&b, p->ebr_sector, 1);
	bench_zero(&b, p->start_sector, p->sectors);
	r = bench_rebuild(&b, NULL);
	assert_true(r->table.nothing_to_do);
	assert_int_equal(r->table.entry_count, 2);
	rebuilt_free(r);
	/* not even that: the extended partition stays all the same, and it is said */
	bench_zero(&b, b.plan->extended_start, 1);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->table.entry_count, 2);
	assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 0);
	assert_false(r->table.nothing_to_do);
	must_say(r, "which logical partitions it led to is not known");
	rebuilt_free(r);
	bench_free(&b);
}

/* A capture knows a chain whose records are all gone, and the entry that was deleted from a sound table. */
static void captures_know_chains(void **state)
{
	struct vk_known_table known = {.name = "capture of yesterday"};
	const struct vk_rebuild_table_options options = {.known = &known, .known_count = 1};
	struct vk_source captured;
	struct table_bench b[2];
	struct rebuilt *r;
	uint8_t was[512], is[512];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_spec *spec = bench_spec(VK_TABLE_MBR, 512, 10 * GIB);

		bench_volume(spec, "start=63,size=1G,version=3,number=3");
		bench_volume(spec, "start=4000001,size=1G,version=3,logical");
		bench_volume(spec, "start=8000000,size=1G,version=5,logical");
		b[i] = bench_make(spec, "plain");
	}
	bench_source(&b[1], &captured);
	known.source = &captured;
	bench_wipe_table(&b[0], true);
	r = bench_rebuild(&b[0], &options);
	for (size_t i = 0; i < 3; i++) {
		const struct vk_planned_entry *e = entry_of(&b[0], r, i);

		assert_int_equal(e->partition.number, b[0].plan->partitions[i].number);
		assert_true(e->bytes_exact && e->length_exact);
	}
	bench_apply(&b[0], r);
	rebuilt_free(r);
	for (size_t i = 0; i < 3; i++) {
		uint64_t at = i == 0 ? 0 : b[0].plan->partitions[i].ebr_sector * 512;

		get(&b[0].disk, at, is, sizeof(is));
		get(&b[1].disk, at, was, sizeof(was));
		/* the disk signature in front of the entries is no part of the table */
		assert_memory_equal(was + 446, is + 446, 66);
	}
	vk_source_close(&captured);
	bench_free(&b[0]);
	bench_free(&b[1]);

	for (size_t i = 0; i < 2; i++)
		b[i] = bench_disk(VK_TABLE_GPT, 0, "size=1G,version=6", "size=2G,version=3,number=7");
	bench_source(&b[1], &captured);
	bench_delete_entry(&b[0], 1);
	r = bench_rebuild(&b[0], &options);
	assert_true(entry_of(&b[0], r, 1)->bytes_exact);
	assert_int_equal(entry_of(&b[0], r, 1)->partition.number, 7);
	assert_int_equal(entry_of(&b[0], r, 1)->origin, VK_ENTRY_CAPTURE);
	assert_int_equal(entry_of(&b[0], r, 0)->origin, VK_ENTRY_KEPT);
	rebuilt_free(r);
	vk_source_close(&captured);
	bench_free(&b[0]);
	bench_free(&b[1]);
}

static void more_than_four(void **state)
{
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, 20 * GIB);
	const struct vk_rebuild_table_options mbr = {.label = VK_TABLE_MBR};
	struct table_bench b;
	struct rebuilt *r;
	size_t logical = 0;

	(void)state;
	bench_volume(spec, "start=2048,size=1G,version=3");
	bench_volume(spec, "start=2099200,size=1G,version=3"); /* no sector is free in front of it */
	bench_volume(spec, "start=5000000,size=1G,version=3");
	bench_volume(spec, "start=8000000,size=1G,version=3");
	bench_volume(spec, "start=11000001,size=1G,version=3");
	b = bench_make(spec, "plain");
	bench_wipe_table(&b, false);
	r = bench_rebuild(&b, &mbr);
	for (size_t i = 0; i < 5; i++)
		logical += entry_of(&b, r, i)->partition.logical;
	assert_int_equal(logical, 2);
	assert_true(entry_of(&b, r, 4)->partition.logical && entry_of(&b, r, 3)->partition.logical);
	rebuilt_free(r);
	bench_free(&b);
}

/* Nothing says where the boot records stood: they go into empty sectors only, and that is a guess. */
static void boot_records_at_guessed_places(void **state)
{
	struct vk_lab_spec *spec = bench_spec(VK_TABLE_MBR, 512, 12 * GIB);
	struct table_bench b;
	uint8_t precious[512];
	struct rebuilt *r;

	(void)state;
	memset(precious, 'P', sizeof(precious));
	for (uint64_t i = 0; i < 5; i++) {
		char words[64];

		snprintf(words, sizeof(words), "start=%llu,size=1G,version=3%s", 2048 + (unsigned long long)i * 2200000, i < 3 ? "" : ",logical");
		bench_volume(spec, words);
	}
	b = bench_make(spec, "plain");
	bench_wipe_table(&b, true);
	for (int occupied = 2; occupied >= 0; occupied--) {
		for (size_t i = 3; i < 5; i++)
			for (uint64_t k = 1; k < 200; k++)
				assert_int_equal(vk_lab_put(&b.disk, (b.plan->partitions[i].start_sector - k) * 512,
							    i < 3 + (size_t)occupied ? precious : (uint8_t[512]){0}, 512),
						 VK_OK);
		r = bench_rebuild(&b, NULL);
		if (occupied > 0) {
			assert_int_equal(r->status, VK_REFUSED);
			assert_non_null(strstr(r->err.what, "sector 6601985, where the boot record of the partition at sector 6602048"));
			assert_non_null(strstr(r->err.remedy, "--exclude 6602048"));
			assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 0);
		} else {
			assert_int_equal(r->status, VK_OK);
			assert_true(r->table.guessed);
			assert_true(said(r->table.doubts, r->table.doubt_count, "is not known: it is written to sector 6601985"));
			assert_true(said(r->table.doubts, r->table.doubt_count, "is not known: it is written to sector 8801985"));
		}
		rebuilt_free(r);
	}
	/* where the record before leads is no guess, whatever stands there now */
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	assert_int_equal(vk_lab_put(&b.disk, b.plan->partitions[4].ebr_sector * 512, precious, 512), VK_OK);
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_OK);
	assert_true(entry_of(&b, r, 4)->partition.logical);
	assert_int_equal(entry_of(&b, r, 4)->partition.entry_offset_bytes, b.plan->partitions[4].ebr_sector * 512 + 446);
	assert_false(said(r->table.doubts, r->table.doubt_count, "is not known: it is put"));
	rebuilt_free(r);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains),
		cmocka_unit_test(chains_of_others),
		cmocka_unit_test(captures_know_chains),
		cmocka_unit_test(more_than_four),
		cmocka_unit_test(boot_records_at_guessed_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
