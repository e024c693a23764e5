/* SPDX-License-Identifier: Apache-2.0 */
/* Guard heartbeat after its first look: who comes later, and who could not be watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/texts.h"
#include "repair/guard/guards.h"
#include "vol/heartbeat_watch.h"

enum { DISK_BYTES = 1 << 20, SLOT = 512, BEATS_AT = 65536, BEATS = 8192, PLACES = 70 };

/*
 * A restore without a disk: 1 MiB in memory, heartbeat regions of free slots one behind the other, sector 0 to be
 * changed.
 */
struct bench {
	struct vk_restore restore;
	struct vk_source before;
	struct vk_captured_place places[PLACES];
	struct vk_identity identities[PLACES];
	uint8_t bytes[DISK_BYTES];
};

static struct bench *bench_new(size_t places)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	uint8_t sector[512];

	for (size_t i = 0; i < places; i++) {
		b->identities[i] = (struct vk_identity){.heartbeat_offset_bytes = BEATS_AT + i * BEATS,
							.heartbeat_length_bytes = BEATS,
							.heartbeat_slot_bytes = SLOT};
		b->places[i].identity = &b->identities[i];
		for (size_t at = 0; at < BEATS; at += SLOT)
			vk_put_le32(b->bytes + BEATS_AT + i * BEATS + at, VK_HB_FREE);
	}
	b->restore.before = &b->before;
	b->restore.places = b->places;
	b->restore.place_count = places;
	b->restore.target = (struct vk_target_id){.size_bytes = DISK_BYTES, .sector_size = 512};
	b->restore.io = vk_io_memory("disk", b->bytes, DISK_BYTES, false);
	b->restore.overlay = vk_overlay_new(b->restore.io);
	memset(sector, 0xee, sizeof(sector));
	assert_int_equal(vk_overlay_put(b->restore.overlay, 0, sector, sizeof(sector), "MBR", VK_WRITE_MBR, NULL),
			 VK_OK);
	return b;
}

static void bench_free(struct bench *b)
{
	vk_guard_heartbeat_forget(&b->restore);
	vk_overlay_free(b->restore.overlay);
	free(b->restore.objections);
	vk_sentences_free(&b->restore.remarks, &b->restore.remark_count);
	vk_io_close(b->restore.io);
	test_free(b);
}

/* Who could not be watched is told of. */
static void more_heartbeats_than_are_watched(void **state)
{
	struct bench *b = bench_new(PLACES);
	struct vk_error err;
	const char *remark;
	bool told = false;

	(void)state;
	assert_int_equal(vk_guard_ask_heartbeat(&b->restore, &err), VK_OK);
	assert_int_equal(b->restore.objection_count, 0);
	for (size_t i = 0; (remark = vk_restore_remark(&b->restore, i)) != NULL; i++)
		told = told || strstr(remark, "heartbeats cannot be judged in 6 more places") != NULL;
	assert_true(told);
	bench_free(b);
}

/* One that nobody used at the first look is watched, too; what is written here is none of a host. */
static void a_host_that_comes_later(void **state)
{
	struct bench *b = bench_new(1);
	char buf[800];
	struct vk_text note;
	struct vk_error err;

	(void)state;
	assert_int_equal(vk_guard_ask_heartbeat(&b->restore, &err), VK_OK);
	assert_int_equal(vk_guard_heartbeat_again(&b->restore, &err), VK_OK);
	vk_put_le32(b->bytes + BEATS_AT + 3 * SLOT, VK_HB_IN_USE);
	assert_int_equal(vk_guard_heartbeat_again(&b->restore, &err), VK_REFUSED);
	assert_non_null(strstr(err.what, "guard heartbeat: heartbeat slot 3 "));
	b->restore.options.overrides = 1U << VK_GUARD_HEARTBEAT;
	assert_int_equal(vk_guard_heartbeat_again(&b->restore, &err), VK_OK);
	b->restore.options.overrides = 0;
	vk_text_init(&note, buf, sizeof(buf));
	vk_guard_heartbeat_after(&b->restore, &note);
	assert_non_null(strstr(buf, "heartbeat slot 3 "));
	bench_free(b);
}

/* What could not be read at the first look, and can be at the second, was written by nobody. */
static void what_was_not_read_has_not_changed(void **state)
{
	struct bench *b = bench_new(1);
	struct vk_heartbeat_watch watch = {.count = 0};
	struct vk_heartbeat_change change;
	struct vk_error err;
	bool ticked;

	(void)state;
	assert_true(vk_heartbeat_watch_add(&watch, BEATS_AT, BEATS, SLOT));
	assert_false(vk_heartbeat_watch_add(&watch, BEATS_AT, BEATS, SLOT));
	assert_int_equal(vk_heartbeat_watch_begin(&watch, b->restore.io, &err), VK_OK);
	assert_true(watch.items[0].marked);
	assert_false(watch.items[0].in_use);
	memset(watch.items[0].first + 2 * SLOT, 0, BEATS - 2 * SLOT);
	watch.items[0].held_bytes = 2 * SLOT;
	assert_int_equal(vk_heartbeat_region_ticked(&watch.items[0], b->restore.io, &ticked, &change, &err), VK_OK);
	assert_false(ticked);
	vk_put_le32(b->bytes + BEATS_AT + SLOT, VK_HB_IN_USE);
	assert_int_equal(vk_heartbeat_region_ticked(&watch.items[0], b->restore.io, &ticked, &change, &err), VK_OK);
	assert_true(ticked);
	assert_int_equal(change.slot, 1);
	vk_heartbeat_watch_end(&watch);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_heartbeats_than_are_watched),
		cmocka_unit_test(a_host_that_comes_later),
		cmocka_unit_test(what_was_not_read_has_not_changed),
	};

	return cmocka_run_group_tests_name("guard heartbeat", tests, NULL, NULL);
}
