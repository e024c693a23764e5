/* SPDX-License-Identifier: Apache-2.0 */
/* What a table should not or cannot say: ghosts, volumes that overlap or reach too far, sectors that do not fit. */
#include "table_bench.h"

#include "base/bytes.h"

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

	(void)state;
	get(&old.disk, 63 * 512 + 0x100000, header, sizeof(header));
	assert_int_equal(vk_lab_put(&b.disk, 63 * 512 + 0x100000, header, sizeof(header)), VK_OK);
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
	must_say(r, "which is not a multiple of 4096");
	must_say(r, "before the disk");
	rebuilt_free(r);
	/* nothing that could be named is left */
	r = rebuild_by_hand(&b, c, 1, 4096);
	assert_int_equal(r->status, VK_ABSENT);
	assert_non_null(strstr(r->err.what, "512-byte sector 2047"));
	rebuilt_free(r);
	bench_free(&b);
}

/* What is left of a volume of before, inside the partition of one that is not grown into it. */
static void what_stands_gives_way_to_a_wish_only(void **state)
{
	struct table_bench old = bench_disk(VK_TABLE_GPT, 0, "size=1G,version=5", NULL);
	struct table_bench b = bench_disk(VK_TABLE_GPT, 8 * GIB, "size=2G,version=6", NULL);
	const uint64_t inside = 4 * GIB / 512;
	const struct vk_rebuild_table_options include = {.include_sectors = &inside, .include_count = 1};
	struct vk_lab_plan *plan = malloc(sizeof(*plan));
	static uint8_t buf[1 << 16];
	struct rebuilt *r;

	(void)state;
	assert_non_null(plan);
	*plan = *b.plan;
	plan->partitions[0].sectors = plan->disk_sectors - 34 - plan->partitions[0].start_sector;
	assert_int_equal(vk_lab_write_table(&b.disk, plan), VK_OK);
	for (uint64_t at = 0; at < 24 << 20; at += sizeof(buf)) {
		get(&old.disk, old.plan->partitions[0].start_sector * 512 + at, buf, sizeof(buf));
		assert_int_equal(vk_lab_put(&b.disk, inside * 512 + at, buf, sizeof(buf)), VK_OK);
	}
	for (int hurt = 0; hurt < 2; hurt++) {
		/* also when nothing is left of the volume that the entry is for */
		if (hurt == 1)
			bench_zero(&b, plan->partitions[0].start_sector, (24 << 20) / 512);
		r = bench_rebuild(&b, NULL);
		assert_int_equal(r->status, VK_OK);
		if (!r->table.nothing_to_do)
			rebuilt_print(r);
		assert_true(r->table.nothing_to_do);
		assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 0);
		assert_int_equal(r->table.entry_count, 1);
		must_say(r, "--include 8388608 takes it for a volume");
		rebuilt_free(r);
	}
	assert_int_equal(vk_lab_write_table(&b.disk, plan), VK_OK);
	r = bench_rebuild(&b, &include);
	assert_int_equal(r->status, VK_OK);
	assert_non_null(planned_at(r, inside));
	assert_true(r->table.guessed);
	rebuilt_free(r);
	free(plan);
	bench_free(&old);
	bench_free(&b);
}

/* An MBR beside a sound GPT whose entries cannot be partitions of the disk: it protected, and is damaged. */
static void an_mbr_that_names_nothing(void **state)
{
	static const char *const linux_only[] = {"2048+40000:linux", NULL};
	struct table_bench b = bench_disk(VK_TABLE_GPT, 4 * GIB, "size=2G,version=6", NULL);
	const uint32_t sectors = (uint32_t)b.plan->disk_sectors;
	const uint32_t entries[][2] = {{1, UINT32_MAX}, {1, sectors - 1}, {sectors + 5, 1000}, {2048, sectors}};

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		if (kind == 1) {
			bench_zero(&b, 2048, b.plan->partitions[0].sectors);
			bench_other_table(&b, VK_TABLE_GPT, 99, linux_only);
		}
		for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
			uint8_t sector[512] = {0};
			struct rebuilt *r;

			sector[446 + 4] = 0x07;
			vk_put_le32(sector + 446 + 8, entries[i][0]);
			vk_put_le32(sector + 446 + 12, entries[i][1]);
			vk_put_le16(sector + 510, VK_MBR_SIGNATURE);
			assert_int_equal(vk_lab_put(&b.disk, 0, sector, sizeof(sector)), VK_OK);
			r = bench_rebuild(&b, NULL);
			if (r->status != VK_OK || r->table.kind != VK_TABLE_GPT)
				rebuilt_print(r);
			assert_int_equal(r->status, VK_OK);
			assert_int_equal(r->source.table.kind, VK_TABLE_GPT);
			assert_int_equal(r->table.kind, VK_TABLE_GPT);
			assert_int_equal(r->table.parts[VK_TP_MBR].state, VK_PART_STATE_DAMAGED);
			assert_int_equal(r->table.entry_count, 1);
			assert_true(r->table.entries[0].bytes_exact);
			assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 512);
			rebuilt_free(r);
			/* without the GPT, one of which nothing begins here is no table at all */
			if (kind == 1 && i == 2) {
				bench_zero(&b, 1, 33);
				bench_zero(&b, b.plan->disk_sectors - 33, 33);
				r = bench_rebuild(&b, NULL);
				assert_int_equal(r->source.table.kind, VK_TABLE_NONE);
				assert_int_equal(r->status, VK_ABSENT);
				rebuilt_free(r);
				bench_other_table(&b, VK_TABLE_GPT, 99, linux_only);
			}
		}
	}
	bench_free(&b);
}

/* As many entries as there may be, all without a unique GUID. A walk of the others for each of them takes many minutes. */
static void thousands_without_guids(void **state)
{
	enum { COUNT = 16384, EACH = 8 };
	const uint64_t array = COUNT * 128ULL / 512, first = 2 + array, sectors = first + COUNT * EACH + array + 1;
	struct table_bench b = {.disk = memory_disk(sectors * 512), .spec = bench_spec(VK_TABLE_GPT, 512, sectors * 512)};
	struct vk_gpt_header h = {.signature = "EFI PART", .revision = 0x10000, .headerSize = VK_GPT_HEADER_BYTES,
				  .firstUsableLBA = first, .lastUsableLBA = first + COUNT * EACH - 1, .numEntries = COUNT,
				  .entrySize = 128};
	uint8_t *bytes = calloc(COUNT, 128), sector[512] = {0};
	struct rebuilt *r;

	(void)state;
	assert_non_null(bytes);
	for (uint64_t i = 0; i < COUNT; i++) {
		struct vk_gpt_entry e = {.firstLBA = first + i * EACH, .lastLBA = first + i * EACH + EACH - 1};

		assert_true(vk_guid_parse(VK_GPT_TYPE_BASIC, &e.typeGUID));
		vk_gpt_entry_encode(&e, bytes + i * 128, 128);
	}
	for (int primary = 0; primary < 2; primary++) {
		h.myLBA = primary ? 1 : sectors - 1;
		h.alternateLBA = primary ? sectors - 1 : 1;
		h.entriesLBA = primary ? 2 : sectors - 1 - array;
		vk_gpt_header_encode(&h, sector, sizeof(sector));
		assert_true(vk_gpt_seal(sector, 512, bytes));
		assert_int_equal(vk_lab_put(&b.disk, h.myLBA * 512, sector, sizeof(sector)), VK_OK);
		assert_int_equal(vk_lab_put(&b.disk, h.entriesLBA * 512, bytes, COUNT * 128), VK_OK);
	}
	r = bench_rebuild(&b, NULL);
	assert_int_equal(r->status, VK_OK);
	/* a checksum proves that they have none: none is made up */
	assert_int_equal(r->table.entry_count, COUNT);
	assert_int_equal(vk_overlay_dirty_bytes(r->overlay), 512);
	assert_true(r->table.parts[VK_TP_MBR].rewritten);
	rebuilt_free(r);
	free(bytes);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ghosts_need_asking),
		cmocka_unit_test(a_disk_that_became_shorter),
		cmocka_unit_test(volumes_that_overlap),
		cmocka_unit_test(sectors_of_4096_bytes),
		cmocka_unit_test(what_stands_gives_way_to_a_wish_only),
		cmocka_unit_test(an_mbr_that_names_nothing),
		cmocka_unit_test(thousands_without_guids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
