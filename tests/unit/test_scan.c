/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of a disk: what is met at which boundaries, around holes and bad sectors, and what hostile disks cost. */
#include "fake_disk.h"
#include "find/scan/scan_state.h"
#include "io/read_ahead.h"
#include "lab_memory.h"

#define MIB (1ULL << 20)

static struct fake_disk disk;

static void new_disk(uint64_t size)
{
	memset(&disk, 0, sizeof(disk));
	disk.size = size;
}

static void scan_range(struct vk_io *io, uint64_t start, uint64_t length, struct vk_scan *ret_scan)
{
	const struct vk_scan_options options = {.start_bytes = start, .length_bytes = length, .sector_size = 512};
	struct vk_error err = {0};

	if (vk_scan(io, &options, ret_scan, &err) != VK_OK)
		fail_msg("%s", err.what);
}

static void scan_disk(struct vk_scan *ret_scan)
{
	struct vk_io *io = fake_open(&disk);

	scan_range(io, 0, disk.size, ret_scan);
	assert_false(ret_scan->stopped);
	vk_io_close(io);
}

static void assert_mark(const struct vk_scan *scan, size_t index, enum vk_mark_kind kind, uint64_t offset)
{
	assert_true(index < scan->mark_count);
	assert_int_equal(scan->marks[index].offset_bytes, offset);
	assert_int_equal(scan->marks[index].kind, kind);
}

static void assert_unreadable(const struct vk_scan *scan, size_t index, uint64_t offset, uint64_t length)
{
	assert_true(index < scan->unreadable_count);
	assert_int_equal(scan->unreadable[index].offset_bytes, offset);
	assert_int_equal(scan->unreadable[index].length_bytes, length);
}

/* Every residue mod 8 sectors, in one volume's distance from each other and from both ends; and not off the boundaries. */
static void marks_at_every_residue(void **state)
{
	struct vk_scan scan;
	size_t n = 0;

	(void)state;
	new_disk(64 * MIB);
	disk.dense = true;
	for (uint64_t r = 0; r < 8; r++) {
		uint64_t at = (r * 13001 + r) / 8 * 8 * 512 + r * 512;

		fake_put(&disk, at, VK_LVM_MAGIC, 3 + r % 4);
		fake_put(&disk, at + 1024 + 256, VK_LVM_MAGIC, 5);
		fake_put(&disk, at + 2048 + 4, VK_FS_MAGIC_VMFS, 14);
		fake_put(&disk, at + 4096, VK_FS_MAGIC_VMFS + (uint32_t)r % 4, 24);
	}
	scan_disk(&scan);
	assert_int_equal(scan.mark_count, 16);
	for (uint64_t r = 0; r < 8; r++) {
		uint64_t at = (r * 13001 + r) / 8 * 8 * 512 + r * 512;

		assert_mark(&scan, n++, VK_MARK_LVM, at);
		assert_mark(&scan, n++, VK_MARK_FS, at + 4096);
	}
	assert_int_equal(scan.scanned_bytes, disk.size);
	assert_int_equal(scan.holes_bytes, 0);
	assert_int_equal(scan.unreadable_count, 0);
	vk_scan_free(&scan);
}

static void marks_at_the_edges_of_buffers_and_of_the_disk(void **state)
{
	const uint64_t edge = VK_PIECE_BYTES_MAX;
	const uint64_t at[] = {0,        edge - 1024,     edge - 512,      edge,           edge + 512,
			       2 * edge, 3 * edge - 512, 3 * edge + 1024, 4 * edge - 512};
	struct vk_scan scan;

	(void)state;
	for (int dense = 0; dense < 2; dense++)
		for (uint64_t tail = 0; tail < 512; tail += tail == 0 ? 1 : 17) {
			size_t count = sizeof(at) / sizeof(at[0]);

			new_disk(4 * edge + tail);
			disk.dense = dense;
			for (size_t i = 0; i < count; i++)
				fake_put(&disk, at[i], VK_LVM_MAGIC, 6);
			/* the last sector is cut: what begins in it is seen when magic and version are there */
			if (tail >= 12)
				fake_put(&disk, 4 * edge, VK_FS_MAGIC_VMFS, 4);
			scan_disk(&scan);
			assert_int_equal(scan.mark_count, count + (tail >= 12));
			for (size_t i = 0; i < count; i++)
				assert_mark(&scan, i, VK_MARK_LVM, at[i]);
			if (tail >= 12)
				assert_mark(&scan, count, VK_MARK_FS, 4 * edge);
			assert_int_equal(scan.scanned_bytes, disk.size);
			vk_scan_free(&scan);
		}
}

/* The range is a part of the disk: what lies before and behind is not told, places are those of the disk. */
static void a_range_is_kept_to(void **state)
{
	struct vk_scan scan;
	struct vk_io *io;
	const struct vk_scan_options wrong[] = {{.start_bytes = 100, .length_bytes = 512},
						{.start_bytes = 0, .length_bytes = 8 * MIB + 1},
						{.start_bytes = 8 * MIB, .length_bytes = 512},
						{.start_bytes = 512, .length_bytes = UINT64_MAX}};

	(void)state;
	new_disk(8 * MIB);
	disk.dense = true;
	for (uint64_t i = 0; i < 16; i++)
		fake_put(&disk, i * MIB / 2, VK_LVM_MAGIC, 5);
	io = fake_open(&disk);
	scan_range(io, MIB - 512, 3 * MIB + 512, &scan);
	assert_int_equal(scan.mark_count, 6);
	assert_mark(&scan, 0, VK_MARK_LVM, MIB);
	assert_mark(&scan, 5, VK_MARK_LVM, 7 * MIB / 2);
	assert_int_equal(scan.scanned_bytes, 3 * MIB + 512);
	vk_scan_free(&scan);
	scan_range(io, 8 * MIB, 0, &scan);
	assert_int_equal(scan.scanned_bytes, 0);
	vk_scan_free(&scan);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vk_error err = {0};

		assert_int_equal(vk_scan(io, &wrong[i], &scan, &err), VK_USAGE);
		assert_int_equal(err.status, VK_USAGE);
	}
	vk_io_close(io);
}

/* One field besides the magic must be right. */
static void structures_are_told_from_noise(void **state)
{
	static const struct {
		uint32_t magic, version;
		bool lvm, fs;
	} cases[] = {
		{VK_LVM_MAGIC, 0, false, false},       {VK_LVM_MAGIC, 1, true, false},
		{VK_LVM_MAGIC, 3, true, false},        {VK_LVM_MAGIC, 8, true, false},
		{VK_LVM_MAGIC, 9, false, false},       {VK_LVM_MAGIC + 1, 5, false, false},
		{VK_FS_MAGIC_VMFS, 3, false, false},   {VK_FS_MAGIC_VMFS, 4, false, true},
		{VK_FS_MAGIC_VMFSL, 14, false, true},  {VK_FS_MAGIC_VMFS6L, 24, false, true},
		{VK_FS_MAGIC_VMFS6, 64, false, false}, {VK_FS_MAGIC_VMFS6L + 1, 24, false, false},
	};
	enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
	uint8_t bytes[COUNT][512] = {0};
	struct vk_scan_state s;
	size_t n = 0;

	(void)state;
	assert_true(vk_scan_state_init(&s, 0));
	for (size_t i = 0; i < COUNT; i++) {
		vk_put_le32(bytes[i], cases[i].magic);
		vk_put_le32(bytes[i] + 4, cases[i].version);
	}
	assert_true(vk_scan_state_search(&s, bytes[0], sizeof(bytes), 4096));
	for (size_t i = 0; i < COUNT; i++) {
		if (!cases[i].lvm && !cases[i].fs)
			continue;
		assert_true(n < s.mark_count);
		assert_int_equal(s.marks[n].offset_bytes, 4096 + 512 * i);
		assert_int_equal(s.marks[n++].kind, cases[i].lvm ? VK_MARK_LVM : VK_MARK_FS);
	}
	assert_int_equal(s.mark_count, n);
	vk_scan_state_free(&s);

	/* a version that was overwritten hides nothing while the block size is one */
	assert_true(vk_scan_state_init(&s, 0));
	memset(bytes, 0, sizeof(bytes));
	for (size_t i = 0; i < 4; i++) {
		vk_put_le32(bytes[i], i % 2 == 0 ? VK_LVM_MAGIC : VK_FS_MAGIC_VMFS);
		vk_put_le32(bytes[i] + 4, 0xFFFFFFFF);
		vk_put_le32(bytes[i] + (i % 2 == 0 ? 0x5A : 0x9D), i < 2 ? 512 : 513);
	}
	assert_true(vk_scan_state_search(&s, bytes[0], sizeof(bytes), 0));
	assert_int_equal(s.mark_count, 2);
	vk_scan_state_free(&s);
}

static void holes_are_not_read(void **state)
{
	struct vk_scan scan;

	(void)state;
	new_disk(64 * TIB);
	fake_put(&disk, MIB, VK_LVM_MAGIC, 5);
	fake_put(&disk, TIB + 512, VK_LVM_MAGIC, 5);
	fake_put(&disk, TIB + 100 * 1024, VK_LVM_MAGIC, 5); /* a small hole in between */
	fake_put(&disk, 64 * TIB - 512, VK_FS_MAGIC_VMFS, 14);
	scan_disk(&scan);
	assert_int_equal(scan.mark_count, 4);
	assert_mark(&scan, 1, VK_MARK_LVM, TIB + 512);
	assert_mark(&scan, 2, VK_MARK_LVM, TIB + 100 * 1024);
	assert_mark(&scan, 3, VK_MARK_FS, 64 * TIB - 512);
	assert_int_equal(scan.scanned_bytes, 64 * TIB);
	assert_int_equal(scan.holes_bytes, 64 * TIB - disk.bytes_read);
	assert_true(disk.bytes_read < 2 * MIB);
	assert_true(disk.reads < 8);
	vk_scan_free(&scan);

	/* holes smaller than a read cost no reads of their own */
	new_disk(256 * MIB);
	for (uint64_t i = 0; i < FAKE_MAX; i++)
		fake_put(&disk, i * 65536, VK_LVM_MAGIC, 5);
	scan_disk(&scan);
	assert_int_equal(scan.mark_count, FAKE_MAX);
	assert_true(disk.reads <= 256 * 4);
	vk_scan_free(&scan);
}

static void a_sparse_file_is_scanned_at_once(void **state)
{
	uint8_t sector[512] = {0x0D, 0xD0, 0x01, 0xC0, 5};
	char path[64];
	struct vk_lab_disk file = memory_disk(16 * TIB);
	struct vk_error err = {0};
	struct vk_scan scan;
	struct vk_io *io;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file.fd);
	put_at(file.fd, 8 * TIB + 5 * 512, sector, sizeof(sector));
	put_at(file.fd, 16 * TIB - 512, sector, sizeof(sector));
	assert_int_equal(vk_io_open_raw(path, NULL, &io, &err), VK_OK);
	scan_range(io, 0, 16 * TIB, &scan);
	assert_int_equal(scan.mark_count, 2);
	assert_mark(&scan, 0, VK_MARK_LVM, 8 * TIB + 5 * 512);
	assert_mark(&scan, 1, VK_MARK_LVM, 16 * TIB - 512);
	assert_true(scan.holes_bytes >= 16 * TIB - MIB);
	vk_scan_free(&scan);
	vk_io_close(io);
	close(file.fd);
}

static void bad_sectors_are_noted_and_passed(void **state)
{
	struct vk_scan scan;

	(void)state;
	for (int dense = 0; dense < 2; dense++) {
		new_disk(64 * MIB);
		disk.dense = dense;
		disk.bad[disk.bad_count++] = (struct vk_range){0, 512};
		disk.bad[disk.bad_count++] = (struct vk_range){MIB, 1024};
		disk.bad[disk.bad_count++] = (struct vk_range){MIB + 1536, 512};
		disk.bad[disk.bad_count++] = (struct vk_range){VK_PIECE_BYTES_MAX - 512, 1024};
		disk.bad[disk.bad_count++] = (struct vk_range){64 * MIB - 512, 512};
		fake_put(&disk, 512, VK_LVM_MAGIC, 3);
		fake_put(&disk, MIB - 512, VK_LVM_MAGIC, 3);
		fake_put(&disk, MIB + 1024, VK_LVM_MAGIC, 3);
		fake_put(&disk, MIB + 2048, VK_LVM_MAGIC, 3);
		fake_put(&disk, VK_PIECE_BYTES_MAX + 512, VK_LVM_MAGIC, 3);
		fake_put(&disk, 64 * MIB - 1024, VK_LVM_MAGIC, 3);
		scan_disk(&scan);
		assert_int_equal(scan.mark_count, 6);
		assert_int_equal(scan.unreadable_count, 5);
		for (size_t i = 0; i < 5; i++)
			assert_unreadable(&scan, i, disk.bad[i].offset_bytes, disk.bad[i].length_bytes);
		assert_int_equal(scan.scanned_bytes, 64 * MIB - 7 * 512);
		vk_scan_free(&scan);
	}
}

/* A region that is gone is not asked for each sector, and its end is found to the sector all the same. */
static void bad_regions_are_strided_over(void **state)
{
	struct vk_scan scan;
	const uint64_t bytes[] = {64 * 1024, 64 * 1024 + 512, 300 * 1024, 10 * MIB + 512, 64 * MIB, 1000 * MIB + 7 * 512};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		uint64_t end = MIB + 512 + bytes[i];

		new_disk(2048 * MIB);
		disk.bad[disk.bad_count++] = (struct vk_range){MIB + 512, bytes[i]};
		fake_put(&disk, MIB, VK_LVM_MAGIC, 3);
		fake_put(&disk, end, VK_LVM_MAGIC, 3);
		scan_disk(&scan);
		assert_int_equal(scan.mark_count, 2);
		assert_mark(&scan, 1, VK_MARK_LVM, end);
		assert_int_equal(scan.unreadable_count, 1);
		assert_unreadable(&scan, 0, MIB + 512, bytes[i]);
		assert_true(disk.reads < 200 + 4 * bytes[i] / MIB);
		vk_scan_free(&scan);
	}
}

static void ranges_of_a_dying_disk_are_bounded(void **state)
{
	struct vk_scan_state s;

	(void)state;
	assert_true(vk_scan_state_init(&s, 0));
	for (uint64_t i = 0; i < VK_SCAN_RANGES_MAX + 1000; i++)
		assert_true(vk_scan_state_unreadable(&s, i * 1024, 512));
	assert_int_equal(s.unreadable.count, VK_SCAN_RANGES_MAX);
	assert_int_equal(s.unreadable.ranges[VK_SCAN_RANGES_MAX - 1].offset_bytes, (VK_SCAN_RANGES_MAX - 1) * 1024);
	assert_int_equal(s.unreadable.ranges[VK_SCAN_RANGES_MAX - 1].length_bytes, 1000 * 1024 + 512);
	vk_scan_state_free(&s);
}

/* A listing or a capture holds parts of a disk, of any length. */
static void absent_parts_are_passed(void **state)
{
	struct vk_scan scan;

	(void)state;
	new_disk(MIB);
	disk.absent[disk.absent_count++] = (struct vk_range){100, 900};
	disk.absent[disk.absent_count++] = (struct vk_range){4096, 512};
	disk.absent[disk.absent_count++] = (struct vk_range){MIB / 2 + 1, MIB / 2 - 1};
	fake_put(&disk, 0, VK_LVM_MAGIC, 3);
	fake_put(&disk, 512, VK_LVM_MAGIC, 3); /* this one is not there */
	fake_put(&disk, 1024, VK_LVM_MAGIC, 3);
	fake_put(&disk, 4608, VK_LVM_MAGIC, 3);
	fake_put(&disk, MIB / 2, VK_LVM_MAGIC, 3); /* one byte of it */
	for (int dense = 0; dense < 2; dense++) {
		disk.dense = dense;
		scan_disk(&scan);
		assert_int_equal(scan.mark_count, 3);
		assert_mark(&scan, 1, VK_MARK_LVM, 1024);
		assert_mark(&scan, 2, VK_MARK_LVM, 4608);
		/* the rest of a block whose start is absent cannot be looked at either */
		assert_int_equal(scan.unreadable_count, 3);
		assert_unreadable(&scan, 0, 100, 924);
		assert_unreadable(&scan, 1, 4096, 512);
		assert_unreadable(&scan, 2, MIB / 2 + 1, MIB / 2 - 1);
		vk_scan_free(&scan);
	}
}

static void reading_that_fails_ends_the_scan(void **state)
{
	struct vk_scan scan;
	struct vk_error err = {0};
	const struct vk_scan_options options = {.length_bytes = 64 * MIB, .sector_size = 512};
	struct vk_io *io;

	(void)state;
	for (uint64_t from = 1; from < 5; from++) {
		new_disk(64 * MIB);
		disk.dense = true;
		disk.fail_from = from;
		io = fake_open(&disk);
		assert_int_equal(vk_scan(io, &options, &scan, &err), VK_IO);
		assert_string_equal(err.what, "the cable was pulled");
		vk_io_close(io);
	}
}

/* A cable that was pulled is not noted as bad sectors up to the end. */
static void a_disk_that_goes_away_ends_the_scan(void **state)
{
	struct vk_scan scan;
	struct vk_error err = {0};
	const struct vk_scan_options options = {.length_bytes = 256 * MIB, .sector_size = 512};
	struct vk_io *io;

	(void)state;
	for (uint64_t from = 2; from < 60; from += 3) {
		new_disk(256 * MIB);
		disk.dense = true;
		disk.gone_from = from;
		io = fake_open(&disk);
		assert_int_equal(vk_scan(io, &options, &scan, &err), VK_IO);
		assert_non_null(strstr(err.what, "does not answer any more"));
		vk_io_close(io);
	}
}

static bool note_progress(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *last = ctx;

	if (total != 40ULL * VK_PIECE_BYTES_MAX || done > total || (*last != UINT64_MAX && done < *last))
		abort();
	*last = done;
	return true;
}

static void progress_is_told_to_the_end(void **state)
{
	struct vk_scan scan;
	uint64_t last = UINT64_MAX;
	const struct vk_scan_options options = {.length_bytes = 40ULL * VK_PIECE_BYTES_MAX,
						.progress = note_progress,
						.ctx = &last};
	struct vk_io *io;

	(void)state;
	new_disk(40ULL * VK_PIECE_BYTES_MAX);
	disk.dense = true;
	disk.sleep_ms = 10;
	io = fake_open(&disk);
	assert_int_equal(vk_scan(io, &options, &scan, NULL), VK_OK);
	assert_int_equal(last, disk.size);
	vk_scan_free(&scan);
	vk_io_close(io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_at_every_residue),
		cmocka_unit_test(marks_at_the_edges_of_buffers_and_of_the_disk),
		cmocka_unit_test(a_range_is_kept_to),
		cmocka_unit_test(structures_are_told_from_noise),
		cmocka_unit_test(holes_are_not_read),
		cmocka_unit_test(a_sparse_file_is_scanned_at_once),
		cmocka_unit_test(bad_sectors_are_noted_and_passed),
		cmocka_unit_test(bad_regions_are_strided_over),
		cmocka_unit_test(ranges_of_a_dying_disk_are_bounded),
		cmocka_unit_test(absent_parts_are_passed),
		cmocka_unit_test(reading_that_fails_ends_the_scan),
		cmocka_unit_test(a_disk_that_goes_away_ends_the_scan),
		cmocka_unit_test(progress_is_told_to_the_end),
	};

	return cmocka_run_group_tests_name("find: scan", tests, NULL, NULL);
}
