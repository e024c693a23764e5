/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a restore: edits, fences, holes, what the undo has to hold. */
#include "repair_bench.h"

#include "base/texts.h"

static const struct vk_region head = {
	.file = "head.raw", .part = VK_PART_TABLE, .offset_bytes = 0, .length_bytes = 65536};

struct plan {
	struct bench *bench;
	struct vk_capture capture;
	struct vk_restore restore;
	bool chosen[4];
	struct vk_range fences[2];
	uint8_t captured[BENCH_BYTES];
};

/* The disk is captured in these regions, then every byte of it is turned over. */
static struct plan *plan_make(const struct vk_region *regions, size_t count)
{
	struct plan *p = test_calloc(1, sizeof(*p));
	char id[VK_CAPTURE_ID_BYTES];

	p->bench = bench_open();
	memcpy(p->captured, p->bench->bytes, BENCH_BYTES);
	bench_capture(p->bench, regions, count, id, &p->capture);
	for (size_t i = 0; i < BENCH_BYTES; i++)
		p->bench->bytes[i] ^= 0xff;
	bench_write_disk(p->bench);
	p->capture.is_undo = false;
	p->restore.capture = &p->capture;
	p->restore.io = p->bench->io;
	p->restore.store = p->bench->store;
	p->restore.target = (struct vk_target_id){.size_bytes = BENCH_BYTES, .sector_size = 512};
	p->restore.overlay = vk_overlay_new(p->bench->io);
	p->restore.chosen = p->chosen;
	memset(p->chosen, 1, sizeof(p->chosen));
	return p;
}

static void plan_free(struct plan *p)
{
	vk_overlay_free(p->restore.overlay);
	vk_range_set_free(&p->restore.keep_out);
	vk_capture_close(&p->capture);
	bench_close(p->bench);
	test_free(p);
}

/* A partition, which the table part stays out of. */
static void fence(struct plan *p, uint64_t offset, uint64_t length)
{
	p->fences[0] = (struct vk_range){offset, length};
	assert_true(vk_range_set_add(&p->restore.keep_out, offset, length));
}

/* What the capture does not hold is named; a bit that is no part has no name. */
static void parts_that_are_not_held(void **state)
{
	static const struct {
		unsigned parts;
		const char *what;
	} cases[] = {
		{VK_PART_TABLE | VK_PART_LVM | VK_PART_VH, "the capture holds no part \"lvm\""},
		{VK_PART_HEARTBEATS | 1U << 30, "the capture holds no part \"heartbeats\""},
		{1U << 30, "there is no such part"},
		{VK_PART_TABLE | 1U << 31, "there is no such part"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan *p = plan_make(&head, 1);
		struct vk_error err;

		p->restore.options.parts = cases[i].parts;
		assert_int_equal(vk_restore_choose(&p->restore, &err), VK_USAGE);
		assert_string_equal(err.what, cases[i].what);
		free(p->restore.chosen);
		free(p->restore.gaps_only);
		plan_free(p);
	}
}

static void plan_edit(struct plan *p)
{
	struct vk_error err;

	assert_int_equal(vk_restore_edit(&p->restore, &err), VK_OK);
}

/* Exactly start .. end is to be changed, to what was captured. */
static void expect_dirty(const struct plan *p, uint64_t start, uint64_t end)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(p->restore.overlay, &edits);
	uint64_t at = start;

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(edits[i].offset_bytes, at);
		assert_memory_equal(edits[i].old_bytes, p->bench->bytes + at, edits[i].length_bytes);
		assert_memory_equal(edits[i].new_bytes, p->captured + at, edits[i].length_bytes);
		at += edits[i].length_bytes;
	}
	assert_int_equal(at, end);
}

static void the_table_stays_out_of_partitions(void **state)
{
	struct plan *p = plan_make(&head, 1);

	(void)state;
	fence(p, 32256, 500000);
	plan_edit(p);
	expect_dirty(p, 0, 32256);
	plan_free(p);
	/* an undo puts back what it holds */
	p = plan_make(&head, 1);
	fence(p, 32256, 500000);
	p->capture.is_undo = true;
	plan_edit(p);
	expect_dirty(p, 0, 65536);
	plan_free(p);
}

static void other_parts_are_not_fenced(void **state)
{
	struct vk_region lvm = head;
	struct plan *p;

	(void)state;
	strcpy(lvm.file, "p1-lvm.raw");
	lvm.part = VK_PART_LVM;
	lvm.offset_bytes = 32768;
	p = plan_make(&lvm, 1);
	fence(p, 32768, 500000);
	plan_edit(p);
	expect_dirty(p, 32768, 98304);
	plan_free(p);
}

static void what_was_not_read_is_not_written(void **state)
{
	struct plan *p = plan_make(&head, 1);
	struct vk_range hole = {4096, 1024};

	(void)state;
	free(p->capture.unreadable);
	p->capture.unreadable = &hole;
	p->capture.unreadable_count = 1;
	plan_edit(p);
	assert_false(vk_restore_edits_meet(&p->restore, 4096, 1024));
	assert_true(vk_restore_edits_meet(&p->restore, 4095, 1));
	assert_true(vk_restore_edits_meet(&p->restore, 5120, 1));
	assert_int_equal(p->restore.hole_count, 1);
	assert_int_equal(p->restore.hole_bytes, 1024);
	p->capture.unreadable = NULL;
	p->capture.unreadable_count = 0;
	plan_free(p);
}

static void a_target_that_is_shorter(void **state)
{
	struct plan *p = plan_make(&head, 1);

	(void)state;
	p->restore.target.size_bytes = 40960;
	plan_edit(p);
	expect_dirty(p, 0, 40960);
	plan_free(p);
}

/* With larger sectors than the capture was made in, the rest of a sector keeps its bytes. */
static void larger_sectors(void **state)
{
	struct vk_region odd = head;
	const struct vk_edit *edits;
	struct plan *p;
	size_t count;

	(void)state;
	odd.offset_bytes = 512;
	odd.length_bytes = 8192;
	p = plan_make(&odd, 1);
	vk_overlay_free(p->restore.overlay);
	vk_io_set_sector_size(p->bench->io, 4096);
	p->restore.target.sector_size = 4096;
	p->restore.overlay = vk_overlay_new(p->bench->io);
	plan_edit(p);
	count = vk_overlay_edits(p->restore.overlay, &edits);
	assert_int_equal(vk_overlay_dirty_bytes(p->restore.overlay), 3 * 4096);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < edits[i].length_bytes; k++) {
			uint64_t at = edits[i].offset_bytes + k;
			bool ours = at >= 512 && at < 512 + 8192;

			assert_int_equal(edits[i].new_bytes[k],
					 ours ? p->captured[at] : p->bench->bytes[at]);
		}
	plan_free(p);
}

/* What the undo has to hold. */

static void undo_holds_exactly_what_changes(void **state)
{
	struct plan *p = plan_make(&head, 1);
	struct vk_region *regions;
	struct vk_error err;
	size_t count;

	(void)state;
	/* as captured but for three places */
	memcpy(p->bench->bytes, p->captured, BENCH_BYTES);
	p->bench->bytes[0] ^= 1;
	p->bench->bytes[512] ^= 1;
	p->bench->bytes[5000] ^= 1;
	p->bench->bytes[65535] ^= 1;
	bench_write_disk(p->bench);
	plan_edit(p);
	assert_int_equal(vk_restore_undo_regions(&p->restore, &regions, &count, &err), VK_OK);
	assert_int_equal(count, 3);
	assert_int_equal(regions[0].offset_bytes, 0);
	assert_int_equal(regions[0].length_bytes, 1024);
	assert_string_equal(regions[0].file, "head-s0.raw");
	assert_int_equal(regions[1].offset_bytes, 4608);
	assert_int_equal(regions[1].length_bytes, 512);
	assert_string_equal(regions[1].file, "head-s9.raw");
	assert_int_equal(regions[2].offset_bytes, 65024);
	free(regions);
	/* of the undo of an undo, names do not grow */
	strcpy(p->capture.regions[0].file, "p12-lvm-s8.raw");
	assert_int_equal(vk_restore_undo_regions(&p->restore, &regions, &count, &err), VK_OK);
	assert_string_equal(regions[1].file, "p12-lvm-s9.raw");
	free(regions);
	plan_free(p);
}

static void scattered_changes(enum vk_part part, size_t want_regions)
{
	struct vk_region whole = {.file = "p1-lvm.raw", .part = part, .length_bytes = BENCH_BYTES};
	struct plan *p = plan_make(&whole, 1);
	const struct vk_edit *edits;
	struct vk_region *regions;
	struct vk_error err;
	size_t count, edit_count;

	/* every second sector: too many for a file each */
	memcpy(p->bench->bytes, p->captured, BENCH_BYTES);
	for (size_t at = 0; at < BENCH_BYTES; at += 1024)
		p->bench->bytes[at] ^= 1;
	bench_write_disk(p->bench);
	plan_edit(p);
	fence(p, 512 * 1024 + 512, 512);
	edit_count = vk_overlay_edits(p->restore.overlay, &edits);
	assert_int_equal(edit_count, 1024);
	assert_int_equal(vk_restore_undo_regions(&p->restore, &regions, &count, &err), VK_OK);
	assert_int_equal(count, want_regions);
	for (size_t e = 0; e < edit_count; e++) {
		bool held = false;

		for (size_t i = 0; i < count; i++) {
			assert_non_null(strstr(regions[i].file, VK_JOINED_MARK));
			assert_false(want_regions > 1 && vk_ranges_meet(regions[i].offset_bytes, regions[i].length_bytes,
						    p->fences[0].offset_bytes, 512));
			held = held || (edits[e].offset_bytes >= regions[i].offset_bytes &&
					edits[e].offset_bytes + edits[e].length_bytes <=
						regions[i].offset_bytes + regions[i].length_bytes);
		}
		assert_true(held);
	}
	free(regions);
	plan_free(p);
}

static void undo_of_scattered_changes(void **state)
{
	(void)state;
	/* the table's gaps never hold a partition, those of a partition's own parts always do */
	scattered_changes(VK_PART_TABLE, 2);
	scattered_changes(VK_PART_LVM, 1);
}

/* Known state: an undo whose every sector is as it was found or left. */
static void known_states(void **state)
{
	struct bench *b = bench_open();
	struct vk_region region = head;
	char found_id[VK_CAPTURE_ID_BYTES], left_id[VK_CAPTURE_ID_BYTES];
	struct vk_capture found;
	struct vk_restore restore = {.capture = &found, .store = b->store};
	struct vk_error err;
	bool known;

	(void)state;
	region.length_bytes = 4096;
	bench_capture(b, &region, 1, found_id, &found);
	memset(b->bytes, 0x11, 4096);
	bench_write_disk(b);
	bench_capture(b, &region, 1, left_id, NULL);
	memcpy(found.undo_of, left_id, sizeof(found.undo_of));
	restore.target = (struct vk_target_id){.size_bytes = BENCH_BYTES, .sector_size = 512};
	restore.io = b->io;
	assert_int_equal(vk_capture_io(&found, &restore.captured_io, &err), VK_OK);

	/* as it was left */
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_true(known);
	/* half way */
	assert_int_equal(vk_io_read_all(restore.captured_io, 0, b->bytes, 1536, &err), VK_OK);
	bench_write_disk(b);
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_true(known);
	/* a byte of someone else's */
	b->bytes[4095] = 0x12;
	bench_write_disk(b);
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_false(known);
	assert_true(restore.knowledge.judged);
	assert_false(restore.knowledge.has_gaps);
	assert_int_equal(restore.knowledge.stranger, 4096 - 512);
	b->bytes[4095] = 0x11;
	bench_write_disk(b);
	/* a target with larger sectors than the capture: one of them may be half of each */
	restore.target.sector_size = 4096;
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_true(known);
	restore.target.sector_size = 512;
	/* neither a path nor a place outside */
	snprintf(found.undo_of, sizeof(found.undo_of), "../store/%.80s", left_id);
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_false(known);
	assert_false(restore.knowledge.judged);
	strcpy(found.undo_of, "..");
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_false(known);
	/* nothing to compare with */
	strcpy(found.undo_of, "gone");
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_false(known);
	/* gaps make it a matter of the guard */
	strcpy(found.regions[0].file, "head-s0-joined.raw");
	assert_int_equal(vk_restore_known_state(&restore, &known, &err), VK_OK);
	assert_true(restore.knowledge.has_gaps);
	vk_io_close(restore.captured_io);
	vk_capture_close(&found);
	bench_close(b);
}

/* However many there are: what is dropped may be the one that matters. */
static void remarks_are_all_kept(void **state)
{
	struct vk_restore restore = {.remark_count = 0};
	char text[20];

	(void)state;
	for (int i = 0; i < 40; i++)
		vk_restore_add_remark(&restore, "remark %d of %400s", i, "many");
	for (size_t i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "remark %zu of ", i);
		assert_non_null(vk_restore_remark(&restore, i));
		assert_int_equal(strncmp(vk_restore_remark(&restore, i), text, strlen(text)), 0);
		assert_string_equal(vk_restore_remark(&restore, i) + strlen(text) + 396, "many");
	}
	assert_null(vk_restore_remark(&restore, 40));
	assert_false(restore.remark_lost);
	vk_sentences_free(&restore.remarks, &restore.remark_count);
}

/* The digest of one edit with these bytes, on a target like this. */
static const char *digest_of(const struct vk_target_id *target, uint8_t old, uint8_t new, uint64_t offset,
			     char ret[VK_PLAN_DIGEST_BYTES])
{
	uint8_t disk[4096], sector[512];
	struct vk_disk_facts facts = {.is_device = target->is_device,
				      .file = {.device = target->dev, .inode = target->ino},
				      .size_bytes = target->size_bytes};
	struct vk_restore restore = {.target = *target, .facts = &facts, .path = "/nowhere"};
	struct vk_io *io;
	struct vk_error err;

	memset(disk, old, sizeof(disk));
	memset(sector, new, sizeof(sector));
	io = vk_io_memory("disk", disk, sizeof(disk), false);
	restore.overlay = vk_overlay_new(io);
	assert_int_equal(vk_overlay_put(restore.overlay, offset, sector, sizeof(sector), "test", 0, &err), VK_OK);
	assert_int_equal(vk_restore_make_digest(&restore, &err), VK_OK);
	memcpy(ret, vk_restore_plan_digest(&restore), VK_PLAN_DIGEST_BYTES);
	vk_overlay_free(restore.overlay);
	vk_io_close(io);
	return ret;
}

/* Each thing that makes a plan what it is, changed alone, makes it another one. */
static void what_names_a_plan(void **state)
{
	const struct vk_target_id file = {.dev = 1, .ino = 2, .size_bytes = 4096, .sector_size = 512};
	struct vk_target_id others[] = {file, file, file, file, file};
	char want[VK_PLAN_DIGEST_BYTES], got[VK_PLAN_DIGEST_BYTES];

	(void)state;
	digest_of(&file, 1, 2, 512, want);
	assert_int_equal(strlen(want), VK_PLAN_DIGEST_BYTES - 1);
	assert_string_equal(digest_of(&file, 1, 2, 512, got), want);
	assert_string_not_equal(digest_of(&file, 3, 2, 512, got), want);
	assert_string_not_equal(digest_of(&file, 1, 3, 512, got), want);
	assert_string_not_equal(digest_of(&file, 1, 2, 1024, got), want);
	others[0].dev = 3;
	others[1].ino = 3;
	others[2].size_bytes = 8192;
	others[3].sector_size = 4096;
	others[4].is_device = true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_not_equal(digest_of(&others[i], 1, 2, 512, got), want);
	assert_string_equal(digest_of(&file, 2, 2, 512, got), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_that_are_not_held),
		cmocka_unit_test(the_table_stays_out_of_partitions),
		cmocka_unit_test(other_parts_are_not_fenced),
		cmocka_unit_test(what_was_not_read_is_not_written),
		cmocka_unit_test(a_target_that_is_shorter),
		cmocka_unit_test(larger_sectors),
		cmocka_unit_test(undo_holds_exactly_what_changes),
		cmocka_unit_test(undo_of_scattered_changes),
		cmocka_unit_test(known_states),
		cmocka_unit_test(remarks_are_all_kept),
		cmocka_unit_test(what_names_a_plan),
	};

	return cmocka_run_group_tests_name("restore plan", tests, NULL, NULL);
}
