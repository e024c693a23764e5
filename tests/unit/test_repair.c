/* SPDX-License-Identifier: Apache-2.0 */
/* A rebuilt capture: from an overlay made by hand, through restore, into a store and back. */
#include "repair_bench.h"

#include "base/bytes.h"
#include "repair/unsaved.h"
#include "store/manifest/rebuilt.h"

/* A disk full of noise, and an overlay that puts an MBR on it and touches places that no capture would save. */
struct rebuilt {
	struct bench *bench;
	struct vk_source before;
	struct vk_overlay *overlay;
	struct vk_rebuilt says;
	struct vk_unsaved unsaved;
	struct vk_restore_options options;
	struct vk_restore *restore;
	uint8_t want[BENCH_BYTES];
};

static void put(struct rebuilt *r, uint64_t offset, const void *bytes, size_t len)
{
	struct vk_error err;

	assert_int_equal(vk_overlay_put(r->overlay, offset, bytes, len, "test", VK_WRITE_HEADERS, &err), VK_OK);
	memcpy(r->want + offset, bytes, len);
}

static void put_mbr(struct rebuilt *r)
{
	uint8_t sector[512];

	memcpy(sector, r->want, sizeof(sector));
	memset(sector + 446, 0, 66);
	sector[450] = 0x83;
	vk_put_le32(sector + 454, 128);
	vk_put_le32(sector + 458, 1000);
	vk_put_le16(sector + 510, VK_MBR_SIGNATURE);
	put(r, 0, sector, sizeof(sector));
}

static struct rebuilt *rebuilt_new(void)
{
	struct rebuilt *r = test_calloc(1, sizeof(*r));
	struct vk_source_options options = {.as = VK_SOURCE_DISK, .sector_size = 512};
	struct vk_error err;
	struct vk_io *io;

	r->bench = bench_open();
	memset(r->bench->bytes, 0, 512);
	bench_write_disk(r->bench);
	memcpy(r->want, r->bench->bytes, BENCH_BYTES);
	assert_int_equal(vk_io_open_raw(r->bench->disk, &(struct vk_open_options){512}, &io, &err), VK_OK);
	assert_int_equal(vk_source_open_io(io, r->bench->disk, VK_FORM_RAW, &options, &r->before, &err), VK_OK);
	r->overlay = vk_overlay_new(r->before.io);
	assert_non_null(r->overlay);
	strcpy(r->says.what, "table");
	r->options = (struct vk_restore_options){.store = r->bench->store, .heartbeat_wait_ms = 1};
	return r;
}

static void rebuilt_plan(struct rebuilt *r)
{
	struct vk_error err = {.what = ""};
	struct stat st;

	assert_int_equal(vk_unsaved_make(&r->before, r->overlay, &r->says, &r->unsaved, &err), VK_OK);
	/* it says who the target was that it was worked out from */
	assert_int_equal(stat(r->bench->disk, &st), 0);
	assert_int_equal(r->unsaved.capture.file.inode, st.st_ino);
	if (vk_restore_plan(&r->unsaved.capture, r->bench->disk, &r->options, &r->restore, &err) != VK_OK)
		fail_msg("%s", err.what);
}

/* As vk_repair_write does it; the id of the capture that was saved. */
static void rebuilt_write(struct rebuilt *r, char ret_id[VK_CAPTURE_ID_BYTES],
			  char ret_undo[VK_CAPTURE_ID_BYTES])
{
	struct vk_store *store = test_store(r->bench->store, VK_STORE_ADD);
	struct vk_capture_options options = {.store = store, .sector_size = 512,
					     .rebuilt = &r->unsaved.capture.rebuilt};
	struct vk_error err = {.what = ""};

	if (vk_capture_take(&r->unsaved.after, &options, NULL, ret_id, &err) != VK_OK)
		fail_msg("%s", err.what);
	vk_store_close(store);
	memcpy(r->unsaved.capture.id, ret_id, VK_CAPTURE_ID_BYTES);
	if (vk_restore_write(r->restore, ret_undo, &err) != VK_OK)
		fail_msg("%s", err.what);
}

static void rebuilt_free(struct rebuilt *r)
{
	vk_restore_free(r->restore);
	vk_unsaved_free(&r->unsaved);
	vk_rebuilt_free(&r->says);
	vk_overlay_free(r->overlay);
	vk_source_close(&r->before);
	bench_close(r->bench);
	test_free(r);
}

static void expect_disk(const struct rebuilt *r, const uint8_t *want)
{
	uint8_t *now = test_malloc(BENCH_BYTES);

	bench_read_disk(r->bench, now);
	assert_memory_equal(now, want, BENCH_BYTES);
	test_free(now);
}

static void one_put(struct rebuilt *r, uint64_t offset)
{
	uint8_t sector[512];

	memset(sector, 0x77, sizeof(sector));
	put(r, offset, sector, sizeof(sector));
}

/* Whatever the planner changes, in no region, across the edge of one, at the very end: restore changes exactly that. */
static void the_plan_is_what_the_planner_meant(void **state)
{
	struct rebuilt *r = rebuilt_new();
	const struct vk_edit *edits;
	struct vk_error err;

	(void)state;
	put_mbr(r);
	one_put(r, 512 * 5);
	one_put(r, 65536 - 512);
	one_put(r, 1000448);
	one_put(r, 1000448 + 512);
	one_put(r, BENCH_BYTES - 512);
	rebuilt_plan(r);
	assert_int_equal(r->unsaved.capture.rebuilt.range_count, 5);
	assert_int_equal(vk_unsaved_check(r->overlay, r->restore, &err), VK_OK);
	assert_true(vk_restore_edits(r->restore, &edits) >= 5);
	assert_false(vk_restore_refused(r->restore));
	expect_disk(r, r->bench->bytes);
	rebuilt_free(r);
}

static void a_target_that_changed_is_refused(void **state)
{
	struct rebuilt *r = rebuilt_new();
	struct vk_error err;
	uint8_t sector[512];
	FILE *f;

	(void)state;
	put_mbr(r);
	one_put(r, 512 * 5);
	memset(sector, 0x11, sizeof(sector));
	f = fopen(r->bench->disk, "r+be");
	assert_non_null(f);
	assert_int_equal(fwrite(sector, 1, sizeof(sector), f), sizeof(sector));
	fclose(f);
	rebuilt_plan(r);
	/* the same bytes are to be written, over others than were seen */
	vk_overlay_free(r->restore->overlay);
	r->restore->overlay = vk_overlay_new(r->restore->io);
	assert_int_equal(vk_unsaved_check(r->overlay, r->restore, &err), VK_REFUSED);
	rebuilt_free(r);
}

static void saved_written_and_undone(void **state)
{
	struct rebuilt *r = rebuilt_new();
	char id[VK_CAPTURE_ID_BYTES], undo_id[VK_CAPTURE_ID_BYTES], again_id[VK_CAPTURE_ID_BYTES];
	struct vk_capture capture;
	struct vk_restore *restore;
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	const struct vk_edit *edits;
	struct vk_error err;

	(void)state;
	put_mbr(r);
	one_put(r, 1000448);
	assert_true(vk_rebuilt_say(&r->says.exact, "partition %d", 1));
	assert_true(vk_rebuilt_say(&r->says.lost, "boot\ncode"));
	rebuilt_plan(r);
	rebuilt_write(r, id, undo_id);
	expect_disk(r, r->want);
	assert_non_null(strstr(id, "-rebuilt"));
	assert_int_equal(vk_capture_open(r->bench->store, id, &capture, &err), VK_OK);
	assert_true(capture.is_rebuilt);
	assert_false(capture.is_undo);
	assert_string_equal(capture.rebuilt.what, "table");
	assert_string_equal(capture.rebuilt.exact[0], "partition 1");
	assert_string_equal(capture.rebuilt.lost[0], "boot\\x0acode");
	assert_null(capture.rebuilt.fresh == NULL ? NULL : capture.rebuilt.fresh[0]);
	assert_int_equal(capture.rebuilt.range_count, 2);
	assert_int_equal(vk_capture_verify(capture.path, &sink, &err), VK_OK);
	assert_int_equal(vk_findings_errors(&findings), 0);
	vk_findings_free(&findings);

	/* a repair that was cut short is completed from the store: what was rebuilt, and nothing else */
	memset(r->bench->bytes + 512 * 9, 0xab, 512);
	bench_write_disk(r->bench);
	memset(r->want + 512 * 9, 0xab, 512);
	assert_int_equal(vk_restore_plan(&capture, r->bench->disk, &r->options, &restore, &err), VK_OK);
	assert_int_equal(vk_restore_edits(restore, &edits), 2);
	assert_int_equal(vk_restore_write(restore, again_id, &err), VK_OK);
	vk_restore_free(restore);
	expect_disk(r, r->want);
	vk_capture_close(&capture);

	/* the undo capture knows what repair left, and goes back */
	assert_int_equal(vk_capture_open(r->bench->store, undo_id, &capture, &err), VK_OK);
	assert_string_equal(capture.undo_of, id);
	assert_int_equal(vk_restore_plan(&capture, r->bench->disk, &r->options, &restore, &err), VK_OK);
	assert_true(restore->known_state);
	assert_int_equal(vk_restore_write(restore, again_id, &err), VK_OK);
	vk_restore_free(restore);
	vk_capture_close(&capture);
	expect_disk(r, r->bench->bytes);
	rebuilt_free(r);
}

static bool objects(const struct vk_restore *restore, enum vk_guard guard)
{
	const struct vk_objection *objections;
	size_t count = vk_restore_objections(restore, &objections);

	for (size_t i = 0; i < count; i++)
		if (objections[i].guard == guard)
			return true;
	return false;
}

static void a_guess_is_asked_about(void **state)
{
	struct rebuilt *r = rebuilt_new();
	char id[VK_CAPTURE_ID_BYTES], undo_id[VK_CAPTURE_ID_BYTES];
	struct vk_capture capture;
	struct vk_restore *restore;
	struct vk_error err;

	(void)state;
	put_mbr(r);
	assert_true(vk_rebuilt_say(&r->says.guessed, "the end of partition 1"));
	rebuilt_plan(r);
	assert_true(objects(r->restore, VK_GUARD_GUESS));
	assert_true(vk_restore_refused(r->restore));
	assert_int_equal(vk_restore_write(r->restore, undo_id, &err), VK_REFUSED);
	vk_restore_free(r->restore);
	r->options.overrides = 1U << VK_GUARD_GUESS;
	assert_int_equal(vk_restore_plan(&r->unsaved.capture, r->bench->disk, &r->options, &r->restore, &err), VK_OK);
	assert_false(vk_restore_refused(r->restore));
	rebuilt_write(r, id, undo_id);

	/* nothing is guessed where nothing is to do; else the capture in the store asks as well */
	r->options.overrides = 0;
	assert_int_equal(vk_capture_open(r->bench->store, id, &capture, &err), VK_OK);
	assert_int_equal(vk_restore_plan(&capture, r->bench->disk, &r->options, &restore, &err), VK_OK);
	assert_false(objects(restore, VK_GUARD_GUESS));
	vk_restore_free(restore);
	bench_write_disk(r->bench);
	assert_int_equal(vk_restore_plan(&capture, r->bench->disk, &r->options, &restore, &err), VK_OK);
	assert_true(objects(restore, VK_GUARD_GUESS));
	vk_restore_free(restore);
	vk_capture_close(&capture);
	rebuilt_free(r);
}

/* The overlay holds the foreign bytes, too; they speak against it all the same, also from the store. */
static void foreign_bytes_are_no_evidence(void **state)
{
	struct rebuilt *r = rebuilt_new();
	uint8_t sector[512] = {0};
	struct vk_error err;

	(void)state;
	memcpy(sector + 3, "NTFS    ", 8);
	vk_put_le16(sector + 510, 0xaa55);
	memcpy(r->bench->bytes + 65536, sector, sizeof(sector));
	bench_write_disk(r->bench);
	memcpy(r->want, r->bench->bytes, BENCH_BYTES);
	put_mbr(r);
	rebuilt_plan(r);
	assert_false(objects(r->restore, VK_GUARD_FOREIGN_SIGNATURE));
	vk_restore_free(r->restore);
	/* the same where a VMFS volume would be named */
	free(r->unsaved.capture.identities);
	r->unsaved.capture.identities = calloc(1, sizeof(struct vk_identity));
	r->unsaved.capture.identities[0] =
		(struct vk_identity){.partition = 1, .start_sector = 128, .sectors = 1000};
	r->unsaved.capture.identity_count = 1;
	assert_int_equal(vk_restore_plan(&r->unsaved.capture, r->bench->disk, &r->options, &r->restore, &err), VK_OK);
	assert_true(objects(r->restore, VK_GUARD_FOREIGN_SIGNATURE));
	rebuilt_free(r);
}

static void sentences_are_bounded(void **state)
{
	char **list = NULL;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_true(vk_rebuilt_say(&list, "sentence %d \x1b[2J", i));
	while (list[count] != NULL)
		count++;
	assert_int_equal(count, 500);
	assert_string_equal(list[0], "sentence 0 \\x1b[2J");
	assert_string_equal(list[499], "and more of the same kind");
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_is_what_the_planner_meant),
		cmocka_unit_test(a_target_that_changed_is_refused),
		cmocka_unit_test(saved_written_and_undone),
		cmocka_unit_test(a_guess_is_asked_about),
		cmocka_unit_test(foreign_bytes_are_no_evidence),
		cmocka_unit_test(sentences_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
