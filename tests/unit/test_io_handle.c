/* SPDX-License-Identifier: Apache-2.0 */
/* The handle over memory, windows, shifted sources, pieces, and a backend that fails. */
#include "io_helpers.h"

static void memory_reads(void **state)
{
	char text[] = "0123456789";
	struct vk_io *borrowed = vk_io_memory("text", text, 10, false);
	struct vk_io *copied = vk_io_memory("text", text, 10, true);
	char buf[32];

	(void)state;
	text[0] = 'x';
	assert_holds(borrowed, 0, "x123456789", 10);
	assert_holds(copied, 0, "0123456789", 10);
	assert_got(copied, 7, buf, sizeof(buf), 3);
	assert_memory_equal(buf, "789", 3);
	assert_got(copied, 10, buf, sizeof(buf), 0);
	assert_got(copied, UINT64_MAX, buf, sizeof(buf), 0);
	assert_span(copied, 4, VK_SPAN_DATA, 6);
	assert_span(copied, 10, VK_SPAN_END, 0);
	assert_span(copied, UINT64_MAX, VK_SPAN_END, 0);
	assert_int_equal(vk_io_held(copied, 4, 100), 6);
	assert_int_equal(vk_io_held(copied, 4, 2), 2);
	assert_int_equal(vk_io_held(copied, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(vk_io_size_bytes(copied), 10);
	assert_string_equal(vk_io_name(copied), "text");
	assert_false(vk_io_is_device(copied));
	assert_null(vk_io_damage(copied, NULL));
	vk_io_close(borrowed);
	vk_io_close(copied);
	vk_io_close(NULL);
}

static void memory_empty(void **state)
{
	struct vk_io *io = vk_io_memory("nothing", NULL, 0, true);
	char c;

	(void)state;
	assert_got(io, 0, &c, 1, 0);
	assert_span(io, 0, VK_SPAN_END, 0);
	vk_io_close(io);
}

static void sector_size_is_512_or_4096(void **state)
{
	struct vk_io *io = vk_io_memory("m", "x", 1, false);

	(void)state;
	assert_int_equal(vk_io_sector_size(io), 512);
	vk_io_set_sector_size(io, 4096);
	assert_int_equal(vk_io_sector_size(io), 4096);
	vk_io_set_sector_size(io, 520);
	assert_int_equal(vk_io_sector_size(io), 512);
	vk_io_close(io);
}

static void read_all_names_the_missing_byte(void **state)
{
	struct vk_io *io = vk_io_memory("short", "0123456789", 10, false);
	struct vk_error err = {0};
	char buf[16];

	(void)state;
	assert_int_equal(vk_io_read_all(io, 2, buf, 8, &err), VK_OK);
	assert_memory_equal(buf, "23456789", 8);
	assert_int_equal(vk_io_read_all(io, 2, buf, 9, &err), VK_ABSENT);
	assert_int_equal(err.status, VK_ABSENT);
	assert_true(err.has_offset);
	assert_int_equal(err.offset_bytes, 10);
	assert_string_equal(err.where, "short");
	assert_int_equal(vk_io_read_all(io, 20, buf, 1, NULL), VK_ABSENT);
	vk_io_close(io);
}

static void window_is_cut_at_the_end(void **state)
{
	struct vk_io *base = vk_io_memory("base", "0123456789", 10, false);
	struct vk_io *all = vk_io_window(base, 0, UINT64_MAX);
	struct vk_io *part = vk_io_window(base, 3, 4);
	struct vk_io *tail = vk_io_window(base, 8, UINT64_MAX);
	struct vk_io *none = vk_io_window(base, 11, 5);
	struct vk_io *inner = vk_io_window(part, 1, 2);
	char buf[16];

	(void)state;
	assert_int_equal(vk_io_size_bytes(all), 10);
	assert_string_equal(vk_io_name(all), "base");
	assert_holds(part, 0, "3456", 4);
	assert_got(part, 2, buf, sizeof(buf), 2);
	assert_span(part, 1, VK_SPAN_DATA, 3);
	assert_span(part, 4, VK_SPAN_END, 0);
	assert_string_equal(vk_io_name(part), "base (from byte 3 on)");
	assert_holds(tail, 0, "89", 2);
	assert_int_equal(vk_io_size_bytes(tail), 2);
	assert_int_equal(vk_io_size_bytes(none), 0);
	assert_holds(inner, 0, "45", 2);
	vk_io_close(inner);
	vk_io_close(none);
	vk_io_close(tail);
	vk_io_close(part);
	vk_io_close(all);
	assert_holds(base, 0, "0123456789", 10);
	vk_io_close(base);
}

static void shifted_is_absent_below(void **state)
{
	const uint64_t origin = (uint64_t)1 << 46;
	struct vk_io *base = vk_io_memory("base", "abc", 3, false);
	struct vk_io *io = vk_io_shifted(base, origin);
	struct vk_error err = {0};
	char buf[8];

	(void)state;
	assert_int_equal(vk_io_size_bytes(io), origin + 3);
	assert_span(io, 0, VK_SPAN_ABSENT, origin);
	assert_span(io, origin - 1, VK_SPAN_ABSENT, 1);
	assert_span(io, origin + 1, VK_SPAN_DATA, 2);
	assert_got(io, origin - 1, buf, 2, 0);
	assert_got(io, origin + 1, buf, 8, 2);
	assert_memory_equal(buf, "bc", 2);
	assert_int_equal(vk_io_read_all(io, origin - 512, buf, 8, &err), VK_ABSENT);
	assert_int_equal(err.offset_bytes, origin - 512);
	assert_int_equal(vk_io_held(io, origin - 1, 4), 0);
	vk_io_close(io);
	vk_io_close(base);
}

static void shifted_does_not_wrap(void **state)
{
	struct vk_io *base = vk_io_memory("base", "abc", 3, false);
	struct vk_io *io = vk_io_shifted(base, UINT64_MAX - 1);
	char buf[8];

	(void)state;
	assert_int_equal(vk_io_size_bytes(io), UINT64_MAX);
	assert_got(io, UINT64_MAX - 1, buf, 8, 1);
	assert_got(io, 0, buf, 8, 0);
	vk_io_close(io);
	vk_io_close(base);
}

static void pieces_keep_their_gaps(void **state)
{
	const struct vk_io_piece list[] = {
		{4, 2, (const uint8_t *)"ab"},
		{6, 3, NULL},
		{9, 1, (const uint8_t *)"c"},
		{(uint64_t)1 << 45, 2, (const uint8_t *)"zz"},
	};
	struct vk_io *io = vk_io_pieces("bits", list, 4, 4096, NULL);
	char buf[64];

	(void)state;
	assert_int_equal(vk_io_size_bytes(io), ((uint64_t)1 << 45) + 2);
	assert_int_equal(vk_io_sector_size(io), 4096);
	assert_span(io, 1, VK_SPAN_ABSENT, 3);
	assert_span(io, 5, VK_SPAN_DATA, 1);
	assert_span(io, 6, VK_SPAN_ZERO, 3);
	assert_span(io, 10, VK_SPAN_ABSENT, ((uint64_t)1 << 45) - 10);
	assert_got(io, 0, buf, 64, 0);
	assert_got(io, 5, buf, 64, 5);
	assert_memory_equal(buf, "b\0\0\0c", 5);
	assert_int_equal(vk_io_held(io, 4, 64), 6);
	assert_holds(io, (uint64_t)1 << 45, "zz", 2);
	vk_io_close(io);
}

static void pieces_out_of_order_are_refused(void **state)
{
	const struct vk_io_piece overlap[] = {{0, 4, NULL}, {3, 4, NULL}};
	const struct vk_io_piece back[] = {{8, 1, NULL}, {0, 1, NULL}};
	const struct vk_io_piece wrap[] = {{UINT64_MAX, 2, NULL}};
	const struct vk_io_piece empty[] = {{8, 0, NULL}};
	struct vk_io *none;

	(void)state;
	/* own is freed either way: a leak checker would tell */
	assert_null(vk_io_pieces("p", overlap, 2, 512, malloc(1)));
	assert_null(vk_io_pieces("p", back, 2, 512, NULL));
	assert_null(vk_io_pieces("p", wrap, 1, 512, NULL));
	assert_null(vk_io_pieces("p", empty, 1, 512, NULL));
	none = vk_io_pieces("p", NULL, 0, 512, malloc(1));
	assert_non_null(none);
	assert_span(none, 0, VK_SPAN_END, 0);
	vk_io_close(none);
}

/* A disk of 16 sectors, all bytes 'd', whose sectors 3, 4 and 9 fail; sector 12 is not there. */
struct sick {
	int closed;
	bool environment; /* reads fail as a whole */
};

static char sector_state(uint64_t sector)
{
	return sector == 3 || sector == 4 || sector == 9 ? 'b' : sector == 12 ? 'a' : 'd';
}

static enum vk_status sick_read_at(void *self, uint64_t offset, void *buf, size_t len,
				   size_t *ret_got, struct vk_error *err)
{
	const struct sick *s = self;
	size_t n = 0;

	if (s->environment)
		return vk_error_set(err, VK_IO, "sick", "the cable is out");
	while (n < len && sector_state((offset + n) / 512) == 'd')
		((char *)buf)[n++] = 'd';
	*ret_got = n;
	return VK_OK;
}

static struct vk_span sick_span(void *self, uint64_t offset)
{
	uint64_t end = offset;
	char what = sector_state(offset / 512);

	(void)self;
	while (end < 16 * 512 && sector_state(end / 512) == what)
		end++;
	return (struct vk_span){what == 'd' ? VK_SPAN_DATA :
				what == 'b' ? VK_SPAN_UNREADABLE :
					      VK_SPAN_ABSENT,
				end - offset};
}

static void sick_close(void *self)
{
	((struct sick *)self)->closed++;
}

static const struct vk_io_ops sick_ops = {sick_read_at, sick_span, sick_close};

static void bad_sectors_stop_reads_and_are_noted(void **state)
{
	struct sick sick = {0};
	struct vk_io *io = vk_io_new(&sick_ops, &sick, "sick", 16 * 512, 512);
	const struct vk_range *bad;
	struct vk_error err = {0};
	char buf[16 * 512];

	(void)state;
	assert_int_equal(vk_io_bad_ranges(io, &bad), 0);
	assert_got(io, 5 * 512, buf, sizeof(buf), 4 * 512);
	assert_got(io, 100, buf, sizeof(buf), 3 * 512 - 100);
	assert_got(io, 4 * 512, buf, 512, 0);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 2);
	assert_int_equal(bad[0].offset_bytes, 3 * 512);
	assert_int_equal(bad[0].length_bytes, 2 * 512);
	assert_int_equal(bad[1].offset_bytes, 9 * 512);
	assert_int_equal(bad[1].length_bytes, 512);
	assert_int_equal(vk_io_read_all(io, 2 * 512, buf, 1024, &err), VK_IO);
	assert_int_equal(err.offset_bytes, 3 * 512);
	assert_int_equal(vk_io_read_all(io, 11 * 512, buf, 1024, &err), VK_ABSENT);
	assert_int_equal(err.offset_bytes, 12 * 512);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 2);
	assert_int_equal(vk_io_held(io, 5 * 512, 8192), 4 * 512);
	vk_io_close(io);
	assert_int_equal(sick.closed, 1);
}

static void windows_tell_bad_ranges_in_their_own_offsets(void **state)
{
	struct sick sick = {0};
	struct vk_io *base = vk_io_new(&sick_ops, &sick, "sick", 16 * 512, 512);
	struct vk_io *window = vk_io_window(base, 2 * 512, 2 * 512);
	struct vk_io *shifted = vk_io_shifted(base, 1 << 20);
	const struct vk_range *bad;
	char buf[4096];

	(void)state;
	assert_got(window, 0, buf, 1024, 512);
	assert_int_equal(vk_io_bad_ranges(window, &bad), 1);
	assert_int_equal(bad[0].offset_bytes, 512);
	assert_int_equal(bad[0].length_bytes, 512);
	assert_got(shifted, (1 << 20) + 8 * 512, buf, 4096, 512);
	assert_int_equal(vk_io_bad_ranges(shifted, &bad), 1);
	assert_int_equal(bad[0].offset_bytes, (1 << 20) + 9 * 512);
	vk_io_close(shifted);
	vk_io_close(window);
	vk_io_close(base);
}

static void failures_of_the_environment_are_errors(void **state)
{
	struct sick sick = {.environment = true};
	struct vk_io *io = vk_io_new(&sick_ops, &sick, "sick", 16 * 512, 512);
	struct vk_error err = {0};
	const struct vk_range *bad;
	char buf[512];
	size_t got = 7;

	(void)state;
	assert_int_equal(vk_io_read(io, 0, buf, 512, &got, &err), VK_IO);
	assert_int_equal(got, 0);
	assert_string_equal(err.what, "the cable is out");
	assert_int_equal(vk_io_bad_ranges(io, &bad), 0);
	vk_io_close(io);
}

static void damage_is_seen_through_windows(void **state)
{
	struct vk_io *base = vk_io_memory("base", "abc", 3, false);
	struct vk_io *window = vk_io_window(base, 1, 1);
	uint64_t at = 0;

	(void)state;
	assert_null(vk_io_damage(window, &at));
	vk_io_set_damage(base, "it is broken", 77);
	vk_io_set_damage(base, "this follows from the first", 99);
	assert_string_equal(vk_io_damage(window, &at), "it is broken");
	assert_int_equal(at, 77);
	vk_io_close(window);
	vk_io_close(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_reads),
		cmocka_unit_test(memory_empty),
		cmocka_unit_test(sector_size_is_512_or_4096),
		cmocka_unit_test(read_all_names_the_missing_byte),
		cmocka_unit_test(window_is_cut_at_the_end),
		cmocka_unit_test(shifted_is_absent_below),
		cmocka_unit_test(shifted_does_not_wrap),
		cmocka_unit_test(pieces_keep_their_gaps),
		cmocka_unit_test(pieces_out_of_order_are_refused),
		cmocka_unit_test(bad_sectors_stop_reads_and_are_noted),
		cmocka_unit_test(windows_tell_bad_ranges_in_their_own_offsets),
		cmocka_unit_test(failures_of_the_environment_are_errors),
		cmocka_unit_test(damage_is_seen_through_windows),
	};

	return cmocka_run_group_tests_name("io: handles", tests, NULL, NULL);
}
