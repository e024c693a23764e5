/* SPDX-License-Identifier: Apache-2.0 */
/* Sources over others: parts, longer sectors, what a rescue read. */
#include "io_folder.h"

#include "io/io_handle.h"
#include "io/mapfile.h"

enum { SECTORS = 40, TIB = 40 };

/* Sectors of stride bytes, whose data is that of fill_bytes; tail more bytes behind the last whole one. */
static uint8_t *long_sectors(uint32_t stride, size_t sectors, size_t tail, uint8_t **ret_plain)
{
	uint8_t *plain = malloc((sectors + 1) * 512), *raw = malloc((sectors + 1) * (size_t)stride);

	assert_non_null(plain);
	assert_non_null(raw);
	fill_bytes(plain, (sectors + 1) * 512, stride);
	memset(raw, 0xee, (sectors + 1) * (size_t)stride);
	for (size_t i = 0; i <= sectors; i++)
		memcpy(raw + i * stride, plain + i * 512, i < sectors || tail > 512 ? 512 : tail);
	*ret_plain = plain;
	return raw;
}

static void strides_leave_out_what_stands_behind_each_sector(void **state)
{
	static const uint32_t strides[] = {520, 528};
	static const size_t tails[] = {0, 1, 511, 512, 515};

	(void)state;
	for (size_t s = 0; s < 2; s++)
		for (size_t t = 0; t < 5; t++) {
			uint8_t *plain, buf[SECTORS * 512 + 600];
			uint8_t *raw = long_sectors(strides[s], SECTORS, tails[t], &plain);
			struct vk_io *base = vk_io_memory("raw", raw, SECTORS * strides[s] + tails[t], false);
			struct vk_io *io = vk_io_strided(base, strides[s]);
			const size_t size = SECTORS * 512 + (tails[t] < 512 ? tails[t] : 512);

			assert_non_null(io);
			assert_int_equal(vk_io_size_bytes(io), size);
			for (size_t at = 0; at < size; at += 97)
				for (size_t len = 1; len < 1600; len += 211) {
					size_t want = at + len < size ? len : size - at, got;

					assert_got(io, at, buf, len, want);
					assert_memory_equal(buf, plain + at, got);
				}
			assert_int_equal(vk_io_span(io, 0).state, VK_SPAN_DATA);
			assert_int_equal(vk_io_span(io, 700).length_bytes, size - 700);
			assert_int_equal(vk_io_span(io, size).state, VK_SPAN_END);
			vk_io_close(io);
			vk_io_close(base);
			free(raw);
			free(plain);
		}
}

static void a_stride_is_longer_than_its_data(void **state)
{
	struct vk_io *base = vk_io_memory("raw", "", 0, false), *io;

	(void)state;
	assert_null(vk_io_strided(base, 512));
	assert_null(vk_io_strided(base, 0));
	assert_null(vk_io_strided(base, VK_STRIDE_MAX_BYTES + 1));
	io = vk_io_strided(base, 520);
	assert_non_null(io);
	assert_int_equal(vk_io_size_bytes(io), 0);
	vk_io_close(io);
	vk_io_close(base);
}

/* Sectors 8 to 10 of 520 bytes fail; and what stands behind the data of sector 20. */
static struct vk_span failing_span(void *self, uint64_t offset)
{
	const uint64_t bad[2][2] = {{8ULL * 520, 11ULL * 520}, {20ULL * 520 + 512, 21ULL * 520}};

	(void)self;
	for (size_t i = 0; i < 2; i++) {
		if (offset < bad[i][0])
			return (struct vk_span){VK_SPAN_DATA, bad[i][0] - offset};
		if (offset < bad[i][1])
			return (struct vk_span){VK_SPAN_UNREADABLE, bad[i][1] - offset};
	}
	return (struct vk_span){VK_SPAN_DATA, UINT64_MAX};
}

static enum vk_status failing_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				      struct vk_error *err)
{
	struct vk_span span = failing_span(self, offset);

	(void)err;
	*ret_got = span.state == VK_SPAN_UNREADABLE ? 0 : len < span.length_bytes ? len : (size_t)span.length_bytes;
	memset(buf, (int)(offset / 520), *ret_got);
	return VK_OK;
}

static void a_stride_stops_at_bad_sectors_and_not_at_bad_trailers(void **state)
{
	static const struct vk_io_ops ops = {failing_read_at, failing_span, NULL};
	struct vk_io *base = vk_io_new(&ops, NULL, "failing", 40ULL * 520, 512), *io = vk_io_strided(base, 520);
	const struct vk_range *bad;
	uint8_t buf[40 * 512];
	struct vk_span span;

	(void)state;
	assert_got(io, 0, buf, sizeof(buf), 8 * 512);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 1);
	assert_int_equal(bad[0].offset_bytes, 8 * 512);
	assert_int_equal(bad[0].length_bytes, 3 * 512);
	span = vk_io_span(io, 9 * 512 + 5);
	assert_int_equal(span.state, VK_SPAN_UNREADABLE);
	assert_int_equal(span.length_bytes, 2 * 512 - 5);
	assert_got(io, 11 * 512, buf, sizeof(buf), 29 * 512);
	vk_io_close(io);
	vk_io_close(base);
}

/* Any byte of it is its sector of 512 in the disk below. */
static enum vk_status endless_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				      struct vk_error *err)
{
	uint8_t *out = buf;

	(void)self;
	(void)err;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)((offset + i) / 528 * 7 + (offset + i) % 528);
	*ret_got = len;
	return VK_OK;
}

static void strides_reach_64_tb_and_do_not_wrap(void **state)
{
	static const struct vk_io_ops ops = {endless_read_at, NULL, NULL};
	const uint64_t sectors = (64ULL << TIB) / 512, last = sectors * 512 - 3;
	struct vk_io *base = vk_io_new(&ops, NULL, "large", sectors * 528, 512), *io = vk_io_strided(base, 528);
	uint8_t buf[8];

	(void)state;
	assert_true(vk_io_size_bytes(io) == sectors * 512);
	assert_got(io, last, buf, sizeof(buf), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(buf[i], (uint8_t)((sectors - 1) * 7 + 509 + i));
	assert_int_equal(vk_io_span(io, last).length_bytes, 3);
	vk_io_close(io);
	vk_io_close(base);
	base = vk_io_new(&ops, NULL, "endless", UINT64_MAX, 512);
	io = vk_io_strided(base, 528);
	assert_true(vk_io_size_bytes(io) < UINT64_MAX / 528 * 512 + 512);
	assert_got(io, vk_io_size_bytes(io) - 1, buf, sizeof(buf), 1);
	vk_io_close(io);
	vk_io_close(base);
}

static void parts_are_read_across_their_borders(void **state)
{
	uint8_t a[100] = {0}, b[50] = {0}, buf[300];
	struct vk_io *ia = vk_io_memory("a", a, sizeof(a), false), *ib = vk_io_memory("b", b, sizeof(b), false), *io;
	const struct vk_io_part good[] = {{10, 40, ia, 60}, {50, 50, ib, 0}, {150, 20, ia, 0}, {170, 10, NULL, 0}};
	const struct vk_io_part over[] = {{10, 40, ia, 60}, {49, 50, ib, 0}};
	const struct vk_io_part empty[] = {{10, 0, ia, 60}};
	const struct vk_io_part wraps[] = {{UINT64_MAX - 3, 40, ia, 60}};
	const struct vk_io_part base_wraps[] = {{0, 40, ia, UINT64_MAX - 3}};
	const struct vk_range *bad;
	struct vk_error err;

	(void)state;
	fill_bytes(a, sizeof(a), 1);
	fill_bytes(b, sizeof(b), 2);
	assert_null(vk_io_parts("x", over, 2, 1000, VK_SPAN_ABSENT));
	assert_null(vk_io_parts("x", empty, 1, 1000, VK_SPAN_ABSENT));
	assert_null(vk_io_parts("x", wraps, 1, UINT64_MAX, VK_SPAN_ABSENT));
	assert_null(vk_io_parts("x", base_wraps, 1, UINT64_MAX, VK_SPAN_ABSENT));
	assert_null(vk_io_parts("x", good, 3, 169, VK_SPAN_ABSENT));
	io = vk_io_parts("x", good, 4, 200, VK_SPAN_ABSENT);
	assert_non_null(io);
	assert_got(io, 0, buf, sizeof(buf), 0);
	assert_span(io, 0, VK_SPAN_ABSENT, 10);
	assert_got(io, 10, buf, sizeof(buf), 90);
	assert_memory_equal(buf, a + 60, 40);
	assert_memory_equal(buf + 40, b, 50);
	assert_int_equal(vk_io_span(io, 100).length_bytes, 50);
	assert_got(io, 151, buf, sizeof(buf), 19);
	assert_memory_equal(buf, a + 1, 19);
	/* a part without a base */
	assert_span(io, 170, VK_SPAN_UNREADABLE, 10);
	assert_int_equal(vk_io_read_all(io, 160, buf, 20, &err), VK_IO);
	assert_int_equal(err.offset_bytes, 170);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 1);
	assert_int_equal(bad[0].offset_bytes, 170);
	assert_int_equal(bad[0].length_bytes, 10);
	assert_span(io, 180, VK_SPAN_ABSENT, 20);
	vk_io_close(io);
	io = vk_io_parts("x", &good[3], 1, 200, VK_SPAN_ABSENT);
	assert_span(io, 170, VK_SPAN_UNREADABLE, 10);
	vk_io_close(io);
	vk_io_close(ia);
	vk_io_close(ib);
}

#define MAP_HEAD "# Mapfile. Created by GNU ddrescue version 1.27\n# current_pos  current_status  current_pass\n"

static enum vk_status read_map(const char *text, size_t len, struct vk_mapfile *ret_map, struct vk_error *err)
{
	struct vk_io *io = vk_io_memory("map", text, len, false);
	enum vk_status status = vk_mapfile_read(io, ret_map, err);

	vk_io_close(io);
	return status;
}

static void mapfiles_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		enum vk_status status;
		size_t ranges;
		uint64_t end;
	} rows[] = {
		{MAP_HEAD "0x400 + 1\n0x0 0x400 +\n0x400 0x200 -\n1536 02000 +\n", VK_OK, 2, 1536 + 1024},
		{"0x400 + # of an old version\n0 512 + # read\n\n512 512 +\n", VK_OK, 1, 1024},
		{"0 ? 1\r\n0 0x7FFFFFFFFFFFFFFF ?\r\n", VK_OK, 0, INT64_MAX},
		{"0 + 1\n0 512 *\n512 512 /\n1024 512 ?\n1536 512 -\n", VK_OK, 0, 2048},
		{"0 + 1\n512 512 +\n", VK_OK, 1, 1024},
		{"", VK_DAMAGED, 0, 0},
		{MAP_HEAD, VK_DAMAGED, 0, 0},
		{"0 + 1\n", VK_DAMAGED, 0, 0},
		{"0 512 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512 +\n513 512 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512 +\n511 512 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512 F\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512 ++\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 0 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 -512 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512 + 3\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 512b +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 09 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 0x8000000000000000 +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n1 0x7FFFFFFFFFFFFFFF +\n", VK_DAMAGED, 0, 0},
		{"0 + 1\n0 99999999999999999999999 +\n", VK_DAMAGED, 0, 0},
	};
	struct vk_mapfile map;
	struct vk_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_map(rows[i].text, strlen(rows[i].text), &map, &err), rows[i].status);
		if (rows[i].status != VK_OK)
			continue;
		assert_int_equal(map.read.count, rows[i].ranges);
		assert_true(map.end_bytes == rows[i].end);
		vk_mapfile_free(&map);
	}
	assert_int_equal(read_map("0 + 1\n0 512\0 +\n", 16, &map, &err), VK_DAMAGED);
	assert_non_null(strstr(err.what, "line 2"));
}

static void what_was_not_rescued_is_not_zero(void **state)
{
	static const struct vk_open_options options = {.view.mapfile = "map"};
	const char *text = "0 + 1\n0 1024 +\n1024 512 -\n1536 512 +\n2048 4096 ?\n";
	char bytes[2048];
	struct vk_error err;
	struct vk_io *io;
	size_t got;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	write_text("image", bytes, sizeof(bytes));
	write_text("map", text, strlen(text));
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_OK);
	/* what was never tried is a part of the disk, too */
	assert_true(vk_io_size_bytes(io) == 6144);
	assert_int_equal(vk_io_read(io, 512, bytes, 2048, &got, NULL), VK_OK);
	assert_int_equal(got, 512);
	assert_span(io, 1100, VK_SPAN_UNREADABLE, 436);
	assert_span(io, 2048, VK_SPAN_ABSENT, 4096);
	assert_true(vk_io_is_view(io));
	assert_int_equal(vk_io_refuse_view(io, &err), VK_REFUSED);
	vk_io_close(io);
	/* the beginning failed, and an input of unknown length */
	text = "0 - 1\n0 512 /\n512 512 +\n1024 512 *\n1536 0x7FFFFFFFFFFFF9FF -\n";
	write_text("map", text, strlen(text));
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_OK);
	assert_true(vk_io_size_bytes(io) == 2048);
	assert_span(io, 0, VK_SPAN_UNREADABLE, 512);
	assert_span(io, 512, VK_SPAN_DATA, 512);
	assert_span(io, 1024, VK_SPAN_UNREADABLE, 1024);
	vk_io_close(io);
	assert_int_equal(unlink("map"), 0);
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_IO);
	text = "0 + 1\n0 4096 +\n";
	write_text("map", text, strlen(text));
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_USAGE);
}

static void views_lie_over_each_other(void **state)
{
	struct vk_open_options options = {.view = {.mapfile = "map", .stride_bytes = 520, .at_bytes = 1000}};
	uint8_t *plain, *raw = long_sectors(520, SECTORS, 0, &plain), buf[64];
	const char *text = "0 + 1\n0 20800 +\n";
	struct vk_error err;
	struct vk_io *io;

	(void)state;
	write_text("image", (const char *)raw, SECTORS * 520);
	write_text("map", text, strlen(text));
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_OK);
	assert_int_equal(vk_io_size_bytes(io), SECTORS * 512 - 1000);
	assert_int_equal(vk_io_read_all(io, 3, buf, sizeof(buf), &err), VK_OK);
	assert_memory_equal(buf, plain + 1003, sizeof(buf));
	assert_true(vk_io_is_view(io));
	assert_true(vk_io_descriptor(io) >= 0);
	vk_io_close(io);
	options.view = (struct vk_io_view){.stride_bytes = 524};
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_USAGE);
	options.view = (struct vk_io_view){.at_bytes = SECTORS * 520};
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_USAGE);
	options.view = (struct vk_io_view){.at_bytes = 0};
	assert_int_equal(vk_io_open_raw("image", &options, &io, &err), VK_OK);
	assert_false(vk_io_is_view(io));
	assert_int_equal(vk_io_refuse_view(io, &err), VK_OK);
	vk_io_close(io);
	free(raw);
	free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strides_leave_out_what_stands_behind_each_sector),
		cmocka_unit_test(a_stride_is_longer_than_its_data),
		cmocka_unit_test(a_stride_stops_at_bad_sectors_and_not_at_bad_trailers),
		cmocka_unit_test(strides_reach_64_tb_and_do_not_wrap),
		cmocka_unit_test(parts_are_read_across_their_borders),
		cmocka_unit_test(mapfiles_are_read_strictly),
		cmocka_unit_test(what_was_not_rescued_is_not_zero),
		cmocka_unit_test(views_lie_over_each_other),
	};

	return cmocka_run_group_tests(tests, in_a_folder, without_it);
}
