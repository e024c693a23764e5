/* SPDX-License-Identifier: Apache-2.0 */
/* The copy-on-write overlay: dirty ranges, reasons, overlaps, and a model that it is compared with. */
#include "io_helpers.h"
#include "vmfskit/overlay.h"

#define SECTORS 64
#define SIZE (SECTORS * 512)

static uint8_t disk[SIZE];

static int make_disk(void **state)
{
	(void)state;
	fill_bytes(disk, SIZE, 1);
	return 0;
}

static void put(struct vk_overlay *o, uint64_t sector, const void *bytes, size_t sectors,
		const char *reason, unsigned write_class)
{
	struct vk_error err = {0};

	assert_int_equal(vk_overlay_put(o, sector * 512, bytes, sectors * 512, reason, write_class,
					&err),
			 VK_OK);
}

static void assert_edit(const struct vk_edit *edit, uint64_t sector, size_t sectors,
			const char *reason, unsigned write_class, const uint8_t *new_bytes)
{
	assert_int_equal(edit->offset_bytes, sector * 512);
	assert_int_equal(edit->length_bytes, sectors * 512);
	assert_string_equal(edit->reason, reason);
	assert_int_equal(edit->write_class, write_class);
	assert_memory_equal(edit->old_bytes, disk + sector * 512, sectors * 512);
	assert_memory_equal(edit->new_bytes, new_bytes, sectors * 512);
}

static void unchanged_sectors_are_left_out(void **state)
{
	struct vk_io *base = vk_io_memory("disk", disk, SIZE, false);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	uint8_t bytes[8 * 512];

	(void)state;
	assert_int_equal(vk_overlay_edits(o, &edits), 0);
	memcpy(bytes, disk + 4 * 512, sizeof(bytes));
	put(o, 4, bytes, 8, "same", 0);
	assert_int_equal(vk_overlay_edits(o, &edits), 0);
	bytes[1 * 512] ^= 1;
	bytes[2 * 512 + 511] ^= 1;
	bytes[7 * 512] ^= 1;
	put(o, 4, bytes, 8, "change", 2);
	assert_int_equal(vk_overlay_edits(o, &edits), 2);
	assert_edit(&edits[0], 5, 2, "change", 2, bytes + 512);
	assert_edit(&edits[1], 11, 1, "change", 2, bytes + 7 * 512);
	assert_int_equal(vk_overlay_dirty_bytes(o), 3 * 512);
	assert_holds(vk_overlay_io(o), 4 * 512, bytes, sizeof(bytes));
	assert_holds(base, 0, disk, SIZE);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void neighbours_join_only_for_the_same_reason(void **state)
{
	char same_text[] = "first";
	struct vk_io *base = vk_io_memory("disk", disk, SIZE, false);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	uint8_t bytes[SIZE];

	(void)state;
	fill_bytes(bytes, SIZE, 2);
	put(o, 10, bytes, 1, "first", 0);
	put(o, 12, bytes + 1024, 1, "first", 0);
	assert_int_equal(vk_overlay_edits(o, &edits), 2);
	put(o, 11, bytes + 512, 1, same_text, 0); /* closes the gap on both sides */
	assert_int_equal(vk_overlay_edits(o, &edits), 1);
	assert_edit(&edits[0], 10, 3, "first", 0, bytes);
	put(o, 13, bytes + 1536, 1, "second", 0);
	put(o, 14, bytes + 2048, 1, "second", 1);
	put(o, 9, bytes + 4096, 1, "first", 1);
	assert_int_equal(vk_overlay_edits(o, &edits), 4);
	assert_edit(&edits[0], 9, 1, "first", 1, bytes + 4096);
	assert_edit(&edits[1], 10, 3, "first", 0, bytes);
	assert_edit(&edits[2], 13, 1, "second", 0, bytes + 1536);
	assert_edit(&edits[3], 14, 1, "second", 1, bytes + 2048);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void later_puts_win_and_old_bytes_stay(void **state)
{
	struct vk_io *base = vk_io_memory("disk", disk, SIZE, false);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	uint8_t a[SIZE];
	uint8_t b[SIZE];

	(void)state;
	fill_bytes(a, SIZE, 3);
	fill_bytes(b, SIZE, 4);
	put(o, 8, a, 10, "a", 0);
	put(o, 11, b, 3, "b", 1); /* into the middle */
	assert_int_equal(vk_overlay_edits(o, &edits), 3);
	assert_edit(&edits[0], 8, 3, "a", 0, a);
	assert_edit(&edits[1], 11, 3, "b", 1, b);
	assert_edit(&edits[2], 14, 4, "a", 0, a + 6 * 512);
	put(o, 12, disk + 12 * 512, 1, "back", 0); /* what base holds: no longer dirty */
	assert_int_equal(vk_overlay_edits(o, &edits), 4);
	assert_edit(&edits[1], 11, 1, "b", 1, b);
	assert_edit(&edits[2], 13, 1, "b", 1, b + 1024);
	put(o, 14, a + 6 * 512, 1, "again", 5); /* already so: keeps its first reason */
	assert_int_equal(vk_overlay_edits(o, &edits), 4);
	assert_edit(&edits[3], 14, 4, "a", 0, a + 6 * 512);
	put(o, 0, disk, SECTORS, "all back", 0);
	assert_int_equal(vk_overlay_edits(o, &edits), 0);
	assert_int_equal(vk_overlay_dirty_bytes(o), 0);
	assert_holds(vk_overlay_io(o), 0, disk, SIZE);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void wrong_places_are_refused(void **state)
{
	struct vk_io *base = vk_io_memory("disk", disk, SIZE - 100, false);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	struct vk_error err = {0};
	uint8_t bytes[1024] = {0};

	(void)state;
	assert_int_equal(vk_overlay_put(o, 1, bytes, 512, "r", 0, &err), VK_USAGE);
	assert_int_equal(vk_overlay_put(o, 0, bytes, 511, "r", 0, &err), VK_USAGE);
	assert_int_equal(vk_overlay_put(o, SIZE, bytes, 512, "r", 0, &err), VK_USAGE);
	assert_int_equal(vk_overlay_put(o, SIZE - 512, bytes, 512, "r", 0, &err), VK_USAGE);
	assert_int_equal(vk_overlay_put(o, UINT64_MAX - 511, bytes, 512, "r", 0, NULL), VK_USAGE);
	assert_int_equal(vk_overlay_put(o, 0, bytes, 0, "r", 0, &err), VK_OK);
	assert_int_equal(vk_overlay_edits(o, &edits), 0);
	vk_overlay_free(o);
	vk_io_set_sector_size(base, 4096);
	o = vk_overlay_new(base);
	assert_int_equal(vk_overlay_put(o, 512, bytes, 512, "r", 0, &err), VK_USAGE);
	assert_int_equal(vk_io_sector_size(vk_overlay_io(o)), 4096);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void sectors_of_4096_bytes_change_as_a_whole(void **state)
{
	struct vk_io *base = vk_io_memory("disk", disk, SIZE, false);
	struct vk_overlay *o;
	const struct vk_edit *edits;
	uint8_t bytes[8192];
	struct vk_error err = {0};

	(void)state;
	vk_io_set_sector_size(base, 4096);
	o = vk_overlay_new(base);
	memcpy(bytes, disk + 4096, sizeof(bytes));
	bytes[5000] ^= 0xFF;
	assert_int_equal(vk_overlay_put(o, 4096, bytes, 8192, "r", 0, &err), VK_OK);
	assert_int_equal(vk_overlay_edits(o, &edits), 1);
	assert_edit(&edits[0], 16, 8, "r", 0, bytes + 4096);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void absent_old_bytes_are_refused_as_a_whole(void **state)
{
	const struct vk_io_piece list[] = {{0, 2048, disk}, {4096, 2048, disk + 4096}};
	struct vk_io *base = vk_io_pieces("bits", list, 2, 512, NULL);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	struct vk_error err = {0};
	uint8_t bytes[4096];

	(void)state;
	fill_bytes(bytes, sizeof(bytes), 5);
	assert_int_equal(vk_overlay_put(o, 0, bytes, 4096, "r", 0, &err), VK_IO);
	assert_int_equal(err.status, VK_IO);
	assert_int_equal(err.offset_bytes, 2048);
	assert_int_equal(vk_overlay_put(o, 0, bytes, 4096, "r", 0, NULL), VK_IO);
	assert_int_equal(vk_overlay_edits(o, &edits), 0);
	assert_holds(vk_overlay_io(o), 0, disk, 2048);
	assert_int_equal(vk_overlay_put(o, 0, bytes, 1024, "r", 0, &err), VK_OK);
	assert_span(vk_overlay_io(o), 2048, VK_SPAN_ABSENT, 2048);
	vk_overlay_free(o);
	vk_io_close(base);
}

/* Of 8 sectors the device delivers all but 2 and 5. */
static enum vk_status read_bad(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got, struct vk_error *err)
{
	uint64_t stop = offset < 3 * 512 ? 2 * 512 : 5 * 512;

	(void)self;
	(void)err;
	stop = offset >= 6 * 512 || offset + len < stop ? offset + len : stop;
	*ret_got = stop > offset ? (size_t)(stop - offset) : 0;
	memcpy(buf, disk + offset, *ret_got);
	return VK_OK;
}

static struct vk_span span_bad(void *self, uint64_t offset)
{
	bool bad = offset / 512 == 2 || offset / 512 == 5;

	(void)self;
	return (struct vk_span){bad ? VK_SPAN_UNREADABLE : VK_SPAN_DATA, 512 - offset % 512};
}

/* What cannot be read is written anew, whatever is put, and its edit says that nobody knows what stood there. */
static void unread_sectors_are_put_as_unknown(void **state)
{
	static const struct vk_io_ops ops = {read_bad, span_bad, NULL};
	struct vk_io *base = vk_io_new(&ops, NULL, "bad", 8 * 512, 512);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	struct vk_error err = {0};
	uint8_t bytes[8 * 512], zeros[512] = {0};
	bool changed = false;

	(void)state;
	memcpy(bytes, disk, sizeof(bytes));
	assert_int_equal(vk_overlay_put(o, 0, bytes, 4 * 512, "r", 0, &err), VK_OK);
	assert_int_equal(vk_overlay_edits(o, &edits), 1);
	assert_int_equal(edits[0].offset_bytes, 2 * 512);
	assert_int_equal(edits[0].length_bytes, 512);
	assert_true(edits[0].old_unread);
	assert_memory_equal(edits[0].old_bytes, zeros, 512);
	assert_holds(vk_overlay_io(o), 0, bytes, 5 * 512);
	assert_span(vk_overlay_io(o), 5 * 512, VK_SPAN_UNREADABLE, 512);
	/* zeros, too, and the rest of a sector that is only known in part */
	memset(bytes + 5 * 512, 0, 512);
	bytes[5 * 512 + 7] = 1;
	assert_int_equal(vk_overlay_lay(o, 5 * 512 + 7, bytes + 5 * 512 + 7, 1, "r", 0, &changed, &err), VK_OK);
	assert_true(changed);
	assert_int_equal(vk_overlay_edits(o, &edits), 2);
	assert_true(edits[1].old_unread);
	assert_holds(vk_overlay_io(o), 0, bytes, sizeof(bytes));
	/* a neighbour that was read is an edit of its own */
	bytes[3 * 512] ^= 1;
	assert_int_equal(vk_overlay_lay(o, 3 * 512, bytes + 3 * 512, 2, "r", 0, &changed, &err), VK_OK);
	assert_int_equal(vk_overlay_edits(o, &edits), 3);
	assert_true(edits[0].old_unread && !edits[1].old_unread && edits[2].old_unread);
	assert_int_equal(vk_overlay_lay(o, 3 * 512, bytes + 3 * 512, 2, "r", 0, &changed, &err), VK_OK);
	assert_false(changed);
	vk_overlay_free(o);
	vk_io_close(base);
}

static void spans_of_zeros_are_cut_by_edits(void **state)
{
	const struct vk_io_piece list[] = {{0, (uint64_t)1 << 46, NULL}};
	struct vk_io *base = vk_io_pieces("64 TB", list, 1, 512, NULL);
	struct vk_overlay *o = vk_overlay_new(base);
	struct vk_io *view = vk_overlay_io(o);
	const uint64_t at = ((uint64_t)1 << 46) - 1024;
	struct vk_error err = {0};
	uint8_t bytes[512];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(vk_overlay_put(o, at, bytes, 512, "r", 0, &err), VK_OK);
	assert_span(view, 0, VK_SPAN_ZERO, at);
	assert_span(view, at, VK_SPAN_DATA, 512);
	assert_span(view, at + 512, VK_SPAN_ZERO, 512);
	assert_span(view, at + 1024, VK_SPAN_END, 0);
	assert_holds(view, at, bytes, 512);
	assert_zeros(view, at + 512, 512);
	vk_overlay_free(o);
	vk_io_close(base);
}

static const char *const reasons[] = {"table", "header", "descriptor"};

/* What the overlay must be, sector by sector. */
struct model {
	uint8_t now[SIZE];
	int reason[SECTORS]; /* -1: clean */
	unsigned write_class[SECTORS];
};

static void model_put(struct model *m, size_t first, const uint8_t *bytes, size_t count, int reason,
		      unsigned write_class)
{
	for (size_t i = 0; i < count; i++) {
		size_t s = first + i;

		if (memcmp(m->now + s * 512, bytes + i * 512, 512) == 0)
			continue;
		memcpy(m->now + s * 512, bytes + i * 512, 512);
		m->reason[s] = memcmp(m->now + s * 512, disk + s * 512, 512) == 0 ? -1 : reason;
		m->write_class[s] = write_class;
	}
}

static void assert_like_model(struct vk_overlay *o, const struct model *m)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(o, &edits);
	size_t next = 0;
	uint64_t dirty = 0;

	for (size_t s = 0; s < SECTORS;) {
		size_t first = s;

		if (m->reason[s] < 0) {
			s++;
			continue;
		}
		while (s < SECTORS && m->reason[s] == m->reason[first] &&
		       m->write_class[s] == m->write_class[first])
			s++;
		assert_true(next < count);
		assert_edit(&edits[next++], first, s - first, reasons[m->reason[first]],
			    m->write_class[first], m->now + first * 512);
		dirty += (s - first) * 512;
	}
	assert_int_equal(next, count);
	assert_int_equal(vk_overlay_dirty_bytes(o), dirty);
	assert_holds(vk_overlay_io(o), 0, m->now, SIZE);
}

static void random_puts_equal_the_model(void **state)
{
	static struct model m;
	struct vk_io *base = vk_io_memory("disk", disk, SIZE, false);

	(void)state;
	srandom(7);
	for (int round = 0; round < 20; round++) {
		struct vk_overlay *o = vk_overlay_new(base);

		memcpy(m.now, disk, SIZE);
		memset(m.reason, 0xFF, sizeof(m.reason));
		for (int i = 0; i < 200; i++) {
			size_t first = (size_t)random() % SECTORS;
			size_t count = 1 + (size_t)random() % (i % 3 == 0 ? 24 : 4);
			int reason = (int)(random() % 3);
			unsigned write_class = (unsigned)random() % 2;
			uint8_t bytes[24 * 512];

			if (count > SECTORS - first)
				count = SECTORS - first;
			for (size_t k = 0; k < count; k++) /* one of: base, now, a few others */
				switch (random() % 4) {
				case 0:
					memcpy(bytes + k * 512, disk + (first + k) * 512, 512);
					break;
				case 1:
					memcpy(bytes + k * 512, m.now + (first + k) * 512, 512);
					break;
				default:
					memset(bytes + k * 512, (int)(random() % 3), 512);
					break;
				}
			model_put(&m, first, bytes, count, reason, write_class);
			put(o, first, bytes, count, reasons[reason], write_class);
			assert_like_model(o, &m);
		}
		vk_overlay_free(o);
	}
	vk_io_close(base);
}

static void many_puts_in_a_row_make_one_edit(void **state)
{
	const size_t size = (size_t)32 << 20;
	const struct vk_io_piece list[] = {{0, size, NULL}};
	struct vk_io *base = vk_io_pieces("zeros", list, 1, 512, NULL);
	struct vk_overlay *o = vk_overlay_new(base);
	const struct vk_edit *edits;
	uint8_t bytes[4096];
	struct vk_error err = {0};

	(void)state;
	memset(bytes, 'n', sizeof(bytes));
	for (size_t at = 0; at < size; at += sizeof(bytes))
		assert_int_equal(vk_overlay_put(o, at, bytes, sizeof(bytes), "fill", 0, &err),
				 VK_OK);
	assert_int_equal(vk_overlay_edits(o, &edits), 1);
	assert_int_equal(edits[0].length_bytes, size);
	vk_overlay_free(o);
	vk_io_close(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_sectors_are_left_out),
		cmocka_unit_test(neighbours_join_only_for_the_same_reason),
		cmocka_unit_test(later_puts_win_and_old_bytes_stay),
		cmocka_unit_test(wrong_places_are_refused),
		cmocka_unit_test(sectors_of_4096_bytes_change_as_a_whole),
		cmocka_unit_test(absent_old_bytes_are_refused_as_a_whole),
		cmocka_unit_test(unread_sectors_are_put_as_unknown),
		cmocka_unit_test(spans_of_zeros_are_cut_by_edits),
		cmocka_unit_test(random_puts_equal_the_model),
		cmocka_unit_test(many_puts_in_a_row_make_one_edit),
	};

	return cmocka_run_group_tests_name("overlay", tests, make_disk, NULL);
}
