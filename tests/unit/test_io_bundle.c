/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: what was written is read back, what is in none is absent; made ones that are wrong do no harm. */
#include "io_helpers.h"

#include "bundle_bench.h"

#define MIB ((uint64_t)1 << 20)
#define SOURCE_BYTES (64 * 1024 * 1024 * MIB)

static enum vk_status put(void *ctx, const void *bytes, size_t len, struct vk_error *err)
{
	(void)err;
	grow(ctx, bytes, len);
	return VK_OK;
}

static void must(enum vk_status status, const struct vk_error *err)
{
	if (status != VK_OK)
		fail_msg("%s: %s", err->where, err->what);
}

static struct vk_bundle_writer *begin(struct grown *file)
{
	const struct vk_bundle_options options = {.name = "bundle", .source_bytes = SOURCE_BYTES, .sector_size = 512,
						  .put = put, .ctx = file};
	struct vk_bundle_writer *writer;
	struct vk_error err = {0};

	must(vk_bundle_begin(&options, &writer, &err), &err);
	return writer;
}

static void finish(struct vk_bundle_writer *writer, struct grown *file)
{
	struct vk_error err = {0};
	uint64_t bytes = 0;

	must(vk_bundle_end(writer, "{\"what\":1}", &bytes, &err), &err);
	assert_int_equal(bytes, file->len);
	vk_bundle_free(writer);
}

static struct vk_io *unfold(const struct grown *file)
{
	struct vk_io *base = vk_io_memory("bundle", file->bytes, file->len, false), *io = NULL;
	struct vk_error err = {0};

	assert_true(vk_io_is_bundle(base));
	must(vk_io_bundle(base, &io, &err), &err);
	return io;
}

static void refuses(struct grown *file, enum vk_status status, const char *what)
{
	struct vk_io *base = vk_io_memory("bundle", file->bytes, file->len, false), *io = NULL;
	struct vk_error err = {0};

	assert_int_equal(vk_io_bundle(base, &io, &err), status);
	assert_null(io);
	assert_non_null(strstr(err.what, what));
	vk_io_close(base);
	free(file->bytes);
}

/* Ranges of every kind at places that frames do not know. */
static struct grown made(uint8_t *bytes, size_t len)
{
	struct grown file = {NULL, 0};
	struct vk_bundle_writer *writer = begin(&file);
	struct vk_error err = {0};

	fill_bytes(bytes, len, 7);
	memset(bytes + MIB, 0, MIB / 2);
	must(vk_bundle_add(writer, 0, bytes, len, &err), &err);
	must(vk_bundle_add_none(writer, VK_BUNDLE_UNREADABLE, len, 1024, &err), &err);
	must(vk_bundle_add_none(writer, VK_BUNDLE_ZEROS, 1000 * MIB, 3000 * MIB, &err), &err);
	must(vk_bundle_add(writer, SOURCE_BYTES - 700, bytes, 700, &err), &err);
	assert_int_equal(vk_bundle_added(writer, VK_BUNDLE_DATA), len - MIB / 2 + 700);
	assert_int_equal(vk_bundle_added(writer, VK_BUNDLE_ZEROS), MIB / 2 + 3000 * MIB);
	finish(writer, &file);
	return file;
}

static void what_was_written_is_read(void **state)
{
	const size_t len = 3 * MIB + 4711;
	uint8_t *bytes = malloc(len), buf[16];
	struct grown file = made(bytes, len), again = made(bytes, len);
	struct vk_io *io = unfold(&file);
	bool redacted = true;

	(void)state;
	assert_int_equal(file.len, again.len);
	assert_memory_equal(file.bytes, again.bytes, file.len);
	assert_true(file.len < 3 * MIB);
	assert_int_equal(vk_io_size_bytes(io), SOURCE_BYTES);
	assert_string_equal(vk_io_bundle_facts(io, &redacted), "{\"what\":1}");
	assert_false(redacted);
	assert_holds(io, 0, bytes, len);
	assert_holds(io, MIB - 3, bytes + MIB - 3, MIB);
	assert_span(io, 0, VK_SPAN_DATA, MIB);
	assert_span(io, MIB, VK_SPAN_ZERO, MIB / 2);
	assert_span(io, len, VK_SPAN_UNREADABLE, 1024);
	assert_span(io, len + 1024, VK_SPAN_ABSENT, 1000 * MIB - len - 1024);
	assert_span(io, 1000 * MIB + 1, VK_SPAN_ZERO, 3000 * MIB - 1);
	assert_span(io, 4000 * MIB, VK_SPAN_ABSENT, SOURCE_BYTES - 700 - 4000 * MIB);
	assert_holds(io, SOURCE_BYTES - 700, bytes, 700);
	assert_got(io, 4000 * MIB - 8, buf, 16, 8);
	assert_got(io, 999 * MIB, buf, 16, 0);
	assert_got(io, len, buf, 16, 0);
	vk_io_close(io);
	free(again.bytes);
	free(file.bytes);
	free(bytes);
}

/* A source with a hole, bytes, a gap and the end of it: copied, each remains what it is. */
static void a_source_is_copied(void **state)
{
	uint8_t *bytes = malloc(2 * MIB);
	const struct vk_io_piece pieces[] = {{0, 2 * MIB, bytes}, {2 * MIB, 5 * MIB, NULL}, {9 * MIB, MIB, bytes}};
	struct vk_io *from = vk_io_pieces("from", pieces, 3, 512, NULL), *io;
	struct grown file = {NULL, 0};
	struct vk_bundle_writer *writer = begin(&file);
	struct vk_error err = {0};

	(void)state;
	fill_bytes(bytes, 2 * MIB, 3);
	must(vk_bundle_copy(writer, from, 100, 8 * MIB, NULL, NULL, &err), &err);
	must(vk_bundle_copy(writer, from, 9 * MIB, 100 * MIB, NULL, NULL, &err), &err);
	finish(writer, &file);
	io = unfold(&file);
	assert_span(io, 0, VK_SPAN_ABSENT, 100);
	assert_holds(io, 100, bytes + 100, 2 * MIB - 100);
	assert_span(io, 2 * MIB, VK_SPAN_ZERO, 5 * MIB);
	assert_span(io, 7 * MIB, VK_SPAN_ABSENT, 2 * MIB);
	assert_holds(io, 9 * MIB, bytes, MIB);
	assert_span(io, 10 * MIB, VK_SPAN_ABSENT, SOURCE_BYTES - 10 * MIB);
	vk_io_close(io);
	vk_io_close(from);
	free(file.bytes);
	free(bytes);
}

static enum vk_status full(void *ctx, const void *bytes, size_t len, struct vk_error *err)
{
	size_t *room = ctx;

	(void)bytes;
	if (len > *room)
		return vk_error_set(err, VK_IO, "bundle", "no room");
	*room -= len;
	return VK_OK;
}

static void order_and_room_are_kept(void **state)
{
	size_t room = 40;
	struct vk_bundle_options options = {.name = "bundle", .source_bytes = 100, .sector_size = 512, .put = full,
					    .ctx = &room};
	struct vk_bundle_writer *writer;
	struct vk_error err = {0};

	(void)state;
	must(vk_bundle_begin(&options, &writer, &err), &err);
	must(vk_bundle_add(writer, 50, "abc", 3, &err), &err);
	assert_int_equal(vk_bundle_add(writer, 52, "abc", 3, &err), VK_INTERNAL);
	assert_int_equal(vk_bundle_add(writer, 98, "abc", 3, &err), VK_INTERNAL);
	assert_int_equal(vk_bundle_end(writer, "{}", NULL, &err), VK_IO);
	assert_non_null(strstr(err.what, "no room"));
	vk_bundle_free(writer);
	room = 8;
	assert_int_equal(vk_bundle_begin(&options, &writer, &err), VK_IO);
}

/* A bit of a frame: what is in it is unreadable, and only that. */
static void a_damaged_frame_is_unreadable(void **state)
{
	const size_t len = 3 * MIB + 4711;
	uint8_t *bytes = malloc(len), buf[64];
	struct grown file = made(bytes, len);
	struct vk_io *io;
	uint64_t at = 0;

	(void)state;
	file.bytes[VK_BUNDLE_HEAD_BYTES + MIB / 2] ^= 1;
	io = unfold(&file);
	assert_null(vk_io_damage(io, NULL));
	assert_got(io, 0, buf, sizeof(buf), 0);
	assert_non_null(vk_io_damage(io, &at));
	assert_int_equal(at, VK_BUNDLE_HEAD_BYTES);
	assert_span(io, 0, VK_SPAN_UNREADABLE, MIB);
	assert_holds(io, 2 * MIB, bytes + 2 * MIB, MIB);
	vk_io_close(io);
	free(file.bytes);
	free(bytes);
}

/* Cut off anywhere it is no bundle, and says so. */
static void a_cut_bundle_is_refused(void **state)
{
	static uint8_t bytes[4000];
	struct grown whole = {NULL, 0};
	struct vk_bundle_writer *writer = begin(&whole);
	struct vk_error err = {0};

	(void)state;
	fill_bytes(bytes, sizeof(bytes), 1);
	must(vk_bundle_add(writer, 512, bytes, sizeof(bytes), &err), &err);
	finish(writer, &whole);
	for (size_t len = 0; len < whole.len; len += 13) {
		struct grown cut = {NULL, 0};

		grow(&cut, whole.bytes, len);
		refuses(&cut, VK_DAMAGED, len < VK_BUNDLE_HEAD_BYTES ? "not a whole bundle" : "cut off");
	}
	for (size_t at = whole.len - VK_BUNDLE_TAIL_BYTES + VK_BUNDLE_TAIL_INDEX_AT; at < whole.len; at++) {
		struct grown other = {NULL, 0};

		grow(&other, whole.bytes, whole.len);
		other.bytes[at] ^= 0x40;
		refuses(&other, VK_DAMAGED, "index");
	}
	whole.bytes[VK_BUNDLE_SKIPPED_BYTES + VK_BUNDLE_MAGIC_BYTES] = '2';
	refuses(&whole, VK_UNSUPPORTED, "another form");
}

/* One range and one frame, with what is asked for in place of what is right. */
struct wrong {
	uint64_t source, ranges, frames, facts, offset, length, packed, plain;
	uint32_t sector, kind;
};
static struct grown made_wrong(const struct wrong *w)
{
	static uint8_t bytes[1000];
	struct grown frame = {NULL, 0}, index = {NULL, 0}, file;

	grow_packed(&frame, bytes, sizeof(bytes));
	grow_index(&index, w->source, w->sector, w->ranges, w->frames, w->facts);
	grow_range(&index, w->offset, w->length, w->kind);
	grow_range(&index, 5000, 100, VK_BUNDLE_ZEROS);
	grow_frame(&index, w->packed != 0 ? w->packed : frame.len, sizeof(bytes), bytes);
	vk_put_le32(index.bytes + index.len - VK_BUNDLE_FRAME_ROW_BYTES + 4, (uint32_t)w->plain);
	file = bundle_of(frame.bytes, frame.len, index.bytes, index.len);
	free(frame.bytes);
	free(index.bytes);
	return file;
}

static void wrong_indexes_are_refused(void **state)
{
	static const struct wrong right = {.source = 10000, .ranges = 2, .frames = 1, .length = 1000, .plain = 1000,
					   .sector = 512};
	struct wrong cases[16];
	size_t n = 0;
	struct grown file = made_wrong(&right);
	struct vk_io *io = unfold(&file);

	(void)state;
	assert_zeros(io, 0, 1000);
	vk_io_close(io);
	free(file.bytes);
	for (size_t i = 0; i < 16; i++)
		cases[i] = right;
	cases[n++].source = 0;
	cases[n++].source = 5050;               /* a range behind its end */
	cases[n++].source = UINT64_MAX;
	cases[n++].sector = 1000;
	cases[n++].ranges = 3;
	cases[n++].ranges = UINT64_MAX / VK_BUNDLE_RANGE_BYTES + 2;
	cases[n++].frames = 0;
	cases[n++].frames = UINT64_MAX;
	cases[n++].facts = 1;
	cases[n++].facts = UINT64_MAX - 100;
	cases[n++].offset = 4500;               /* over the next one */
	cases[n++].offset = UINT64_MAX - 10;
	cases[n++].length = 0;
	cases[n++].length = 999;                /* fewer bytes than the frame has */
	cases[n++].kind = VK_BUNDLE_KINDS;
	cases[n++].packed = 5;
	for (size_t i = 0; i < n; i++) {
		file = made_wrong(&cases[i]);
		refuses(&file, VK_DAMAGED, "cannot be");
	}
}

/* A frame that unpacks to more than it says, or says more than a frame may have. */
static void bombs_do_not_go_off(void **state)
{
	const size_t len = 64 * MIB;
	uint8_t *zeros = calloc(1, len), byte;
	struct grown frame = {NULL, 0}, index = {NULL, 0}, file;
	struct vk_io *io;

	(void)state;
	grow_packed(&frame, zeros, len);
	grow_index(&index, len, 512, 1, 1, 0);
	grow_range(&index, 0, 1000, VK_BUNDLE_DATA);
	grow_frame(&index, frame.len, 1000, zeros);
	file = bundle_of(frame.bytes, frame.len, index.bytes, index.len);
	io = unfold(&file);
	assert_got(io, 0, &byte, 1, 0);
	assert_span(io, 0, VK_SPAN_UNREADABLE, 1000);
	assert_non_null(strstr(vk_io_damage(io, NULL), "unpacked"));
	vk_io_close(io);
	free(file.bytes);
	index.len = 0;
	grow_index(&index, len, 512, 1, 1, 0);
	grow_range(&index, 0, len, VK_BUNDLE_DATA);
	grow_frame(&index, frame.len, len, zeros);
	file = bundle_of(frame.bytes, frame.len, index.bytes, index.len);
	refuses(&file, VK_DAMAGED, "cannot be");
	/* an index that says 1 KiB, and is 64 MiB */
	file = bundle_of(frame.bytes, frame.len, zeros, len);
	vk_put_le64(file.bytes + file.len - VK_BUNDLE_TAIL_BYTES + VK_BUNDLE_TAIL_INDEX_BYTES, 1024);
	refuses(&file, VK_DAMAGED, "index of the bundle is damaged");
	free(frame.bytes);
	free(index.bytes);
	free(zeros);
}

/* More frames than are kept, read forwards and backwards. */
static void frames_are_read_in_any_order(void **state)
{
	const size_t len = 20 * MIB;
	uint8_t *bytes = malloc(len);
	struct grown file = {NULL, 0};
	struct vk_bundle_writer *writer = begin(&file);
	struct vk_error err = {0};
	struct vk_io *io;

	(void)state;
	for (size_t i = 0; i < len; i += MIB)
		memset(bytes + i, (int)(i / MIB + 1), MIB);
	for (size_t i = 0; i < len; i += 5000)
		must(vk_bundle_add(writer, 512 + i, bytes + i, len - i < 5000 ? len - i : 5000, &err), &err);
	finish(writer, &file);
	io = unfold(&file);
	for (size_t i = 20; i-- > 0;)
		assert_holds(io, 512 + i * MIB, bytes + i * MIB, MIB);
	assert_holds(io, 512, bytes, len);
	vk_io_close(io);
	free(file.bytes);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_source_is_copied),
		cmocka_unit_test(order_and_room_are_kept),
		cmocka_unit_test(a_damaged_frame_is_unreadable),
		cmocka_unit_test(a_cut_bundle_is_refused),
		cmocka_unit_test(wrong_indexes_are_refused),
		cmocka_unit_test(bombs_do_not_go_off),
		cmocka_unit_test(frames_are_read_in_any_order),
	};

	return cmocka_run_group_tests_name("io: bundles", tests, NULL, NULL);
}
