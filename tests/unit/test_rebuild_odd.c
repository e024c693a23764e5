/* SPDX-License-Identifier: Apache-2.0 */
/* What a table should not or cannot say: ghosts, volumes that overlap or reach too far, sectors that do not fit. */
#include "table_bench.h"

/* Two generations of headers 65 sectors apart: only the living one gets an entry, unless the other is asked for. */
static void ghosts_need_asking(void **state)
{
	const uint64_t ghost = 63, living = 128;
	const struct vk_rebuild_table_options ask = {
		.include_sectors = &ghost, .include_count = 1, .exclude_sectors = &living, .exclude_count = 1};
	const struct vk_rebuild_table_options include = {.include_sectors = &ghost, .include_count = 1};
	struct table_bench old = bench_disk(VK_TABLE_MBR, 4 * GIB, "start=63,version=3,size=3G", NULL);
	struct table_bench b = bench_disk(VK_TABLE_MBR, 4 * GIB, "start=128,version=3,size=3G", NULL);
	uint8_t header[1024];
	struct rebuilt *r;
	struct vk_error err;

	(void)state;
	get(&old.disk, 63 * 512 + 0x100000, header, sizeof(header));
	must(vk_lab_put(&b.disk, 63 * 512 + 0x100000, header, sizeof(header), &err), &err);
	bench_free(&old);
	bench_wipe_table(&b, false);
	r = bench_rebuild(&b, NULL);
	entry_of(&b, r, 0);
	assert_int_equal(r->table.entry_count, 1);
	rebuilt_free(r);
	r = bench_rebuild(&b, &ask);
	assert_int_equal(r->status, VK_OK);
	assert_non_null(planned_at(r, 63));
	assert_int_equal(r->table.entry_count, 1);
	rebuilt_free(r);
	/* both at once cannot be: what was asked for is stronger */
	r = bench_rebuild(&b, &include);
	assert_int_equal(r->status, VK_OK);
	assert_non_null(planned_at(r, 63));
	must_say(r, "left out");
	rebuilt_free(r);
	bench_free(&b);
}

static void a_disk_that_became_shorter(void **state)
{
	const uint64_t start = 2048;
	const struct vk_rebuild_table_options include = {.include_sectors = &start, .include_count = 1};
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=1G,version=6,start=2048", "size=3G,version=6");
	uint64_t second = b.plan->partitions[1].start_sector;
	const struct vk_rebuild_table_options ask = {.include_sectors = &second, .include_count = 1};
	struct rebuilt *r;

	(void)state;
	bench_wipe_table(&b, false);
	assert_int_equal(ftruncate(b.disk.fd, 3 * (off_t)GIB), 0);
	r = bench_rebuild(&b, NULL);
	entry_of(&b, r, 0);
	assert_int_equal(r->table.entry_count, 1);
	must_say(r, "behind the end of the disk");
	rebuilt_free(r);
	r = bench_rebuild(&b, &ask);
	assert_int_equal(r->status, VK_OK);
	assert_true(r->table.guessed);
	assert_int_equal(planned_at(r, second)->partition.sectors, r->table.last_usable_lba + 1 - second);
	rebuilt_free(r);
	/* not even its beginning is here */
	assert_int_equal(ftruncate(b.disk.fd, (off_t)GIB), 0);
	r = bench_rebuild(&b, &include);
	assert_int_equal(r->status, VK_OK);
	assert_true(r->table.guessed);
	rebuilt_free(r);
	bench_free(&b);
}

/* Volumes as find could tell them, on a disk without any. */
static struct rebuilt *rebuild_by_hand(struct table_bench *b, struct vk_candidate *candidates, size_t count,
				       uint32_t sector_size)
{
	const struct vk_rebuild_table_options none = {.label = VK_TABLE_GPT};
	struct rebuilt *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	bench_clear(b);
	b->spec->sector_size = sector_size;
	bench_source(b, &r->source);
	r->overlay = vk_overlay_new(r->source.io);
	for (size_t i = 0; i < count; i++) {
		candidates[i].inside = SIZE_MAX;
		candidates[i].has_header = true;
		candidates[i].length_exact = true;
		candidates[i].told_bytes = candidates[i].length_bytes;
	}
	{
		const struct vk_find find = {.candidates = candidates, .count = count};

		r->status = vk_rebuild_table(&r->source, &find, &none, r->overlay, &r->table, &r->err);
	}
	return r;
}

static void volumes_that_overlap(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=4G", NULL);
	struct vk_candidate c[2] = {{.start_bytes = 2048 * 512, .length_bytes = GIB, .sure_percent = 90},
				    {.start_bytes = 4096 * 512, .length_bytes = GIB, .sure_percent = 90}};
	struct rebuilt *r = rebuild_by_hand(&b, c, 2, 512);

	(void)state;
	assert_int_equal(r->status, VK_USAGE);
	assert_non_null(strstr(r->err.what, "2048"));
	assert_non_null(strstr(r->err.what, "4096"));
	rebuilt_free(r);
	c[1].sure_percent = 95;
	r = rebuild_by_hand(&b, c, 2, 512);
	assert_int_equal(r->status, VK_OK);
	assert_int_equal(r->table.entry_count, 1);
	assert_non_null(planned_at(r, 4096));
	must_say(r, "2048");
	rebuilt_free(r);
	bench_free(&b);
}

static void sectors_of_4096_bytes(void **state)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 0, "size=4G", NULL);
	struct vk_candidate c[3] = {{.start_bytes = 2047 * 512, .length_bytes = GIB},
				    {.start_bytes = 2 * GIB, .length_bytes = GIB - 512},
				    {.start_before_disk = true, .length_bytes = GIB}};
	struct rebuilt *r = rebuild_by_hand(&b, c, 3, 4096);

	(void)state;
	assert_int_equal(r->status, VK_OK);
	assert_int_equal(r->table.entry_count, 1);
	assert_int_equal(planned_at(r, 2 * GIB / 4096)->partition.sectors, GIB / 4096);
	must_say(r, "512-byte sector 2047");
	must_say(r, "no whole sectors of 4096 bytes");
	must_say(r, "in front of the disk");
	rebuilt_free(r);
	/* nothing that could be named is left */
	r = rebuild_by_hand(&b, c, 1, 4096);
	assert_int_equal(r->status, VK_ABSENT);
	assert_non_null(strstr(r->err.what, "512-byte sector 2047"));
	rebuilt_free(r);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ghosts_need_asking),
		cmocka_unit_test(a_disk_that_became_shorter),
		cmocka_unit_test(volumes_that_overlap),
		cmocka_unit_test(sectors_of_4096_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
