/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad sectors of files: the halving, what is remembered, what comes after. The two sources under test are
 * compiled in here with their test hooks; the library's own copies stay unused.
 */
#define VK_TEST_HOOKS
#include "io/io_fault.c"
#include "io/io_file.c"

#include "io_helpers.h"

#define SIZE ((size_t)4 << 20)

static uint8_t *disk;

static int make_disk(void **state)
{
	(void)state;
	disk = malloc(SIZE);
	if (disk == NULL)
		return -1;
	fill_bytes(disk, SIZE, 9);
	return 0;
}

static int free_disk(void **state)
{
	(void)state;
	free(disk);
	return 0;
}

static struct vk_io *open_bad(const char *bad, uint32_t sector_size)
{
	const struct vk_open_options options = {.sector_size = sector_size};
	char path[64];
	int fd = scratch_file(NULL, path);
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	put_at(fd, 0, disk, SIZE);
	/* opening reads the first and last sectors: not with the faults of the test before */
	assert_int_equal(unsetenv("VMFSKIT_TEST_BAD"), 0);
	assert_int_equal(vk_io_open_raw(path, &options, &io, &err), VK_OK);
	close(fd);
	assert_int_equal(setenv("VMFSKIT_TEST_BAD", bad, 1), 0);
	return io;
}

static void assert_bad(struct vk_io *io, size_t index, uint64_t offset, uint64_t length)
{
	const struct vk_range *bad;
	size_t count = vk_io_bad_ranges(io, &bad);

	assert_true(index < count);
	assert_int_equal(bad[index].offset_bytes, offset);
	assert_int_equal(bad[index].length_bytes, length);
}

static void reads_stop_at_the_very_sector(void **state)
{
	struct vk_io *io = open_bad("1000000+1,0x200000+0x400", 512);
	const uint64_t first = 1000000 / 512 * 512;
	const struct vk_range *bad;
	struct vk_error err = {0};
	uint8_t *buf = malloc(SIZE);

	(void)state;
	assert_span(io, 0, VK_SPAN_DATA, SIZE);
	assert_got(io, 0, buf, SIZE, first);
	assert_memory_equal(buf, disk, first);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 1);
	assert_bad(io, 0, first, 512);
	assert_span(io, 0, VK_SPAN_DATA, first);
	assert_span(io, first + 12, VK_SPAN_UNREADABLE, 500);
	assert_int_equal(vk_io_held(io, 100, SIZE), first - 100);
	assert_int_equal(vk_io_read_all(io, first - 3, buf, 100, &err), VK_IO);
	assert_int_equal(err.offset_bytes, first);

	/* behind the bad sector, from a place that is no sector's start */
	assert_got(io, first + 513, buf, SIZE, 0x200000 - first - 513);
	assert_memory_equal(buf, disk + first + 513, 0x200000 - first - 513);
	assert_bad(io, 1, 0x200000, 512);
	assert_got(io, 0x200200, buf, 512, 0); /* the next sector: joined */
	assert_bad(io, 1, 0x200000, 0x400);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 2);
	assert_holds(io, 0x200400, disk + 0x200400, SIZE - 0x200400);
	free(buf);
	vk_io_close(io);
}

/* A read may begin in the middle of the sector in front of the bad one, or of the bad one itself. */
static void crooked_reads_find_whole_sectors(void **state)
{
	struct vk_io *io = open_bad("4096+512", 512);
	uint8_t buf[8192];

	(void)state;
	assert_got(io, 4096 - 100, buf, 300, 100);
	assert_memory_equal(buf, disk + 4096 - 100, 100);
	assert_bad(io, 0, 4096, 512);
	vk_io_close(io);
	io = open_bad("4096+512", 512); /* halves that end in the sector they begin in */
	assert_got(io, 4096 - 511, buf, 520, 511);
	assert_memory_equal(buf, disk + 4096 - 511, 511);
	assert_bad(io, 0, 4096, 512);
	vk_io_close(io);
	io = open_bad("4096+512", 512);
	assert_got(io, 4096 + 100, buf, 10, 0);
	assert_bad(io, 0, 4096, 512);
	assert_span(io, 4096, VK_SPAN_UNREADABLE, 512);
	assert_got(io, 4000, buf, sizeof(buf), 96);
	vk_io_close(io);
}

static void known_bad_sectors_are_not_asked_again(void **state)
{
	struct vk_io *io = open_bad("4096+512", 512);
	uint8_t buf[8192];

	(void)state;
	assert_got(io, 0, buf, sizeof(buf), 4096);
	assert_int_equal(unsetenv("VMFSKIT_TEST_BAD"), 0);
	assert_got(io, 0, buf, sizeof(buf), 4096);
	assert_got(io, 4100, buf, 10, 0);
	assert_holds(io, 4608, disk + 4608, 4096);
	vk_io_close(io);
}

static void sectors_of_4096_bytes_fail_as_a_whole(void **state)
{
	struct vk_io *io = open_bad("10000+1", 4096);
	uint8_t buf[65536];

	(void)state;
	assert_got(io, 1, buf, sizeof(buf), 8191);
	assert_bad(io, 0, 8192, 4096);
	assert_holds(io, 12288, disk + 12288, 65536);
	vk_io_close(io);
}

static void first_and_last_sector_may_be_bad(void **state)
{
	struct vk_io *io = open_bad("0+1,4193792+512", 512);
	uint8_t *buf = malloc(SIZE);

	(void)state;
	assert_got(io, 0, buf, SIZE, 0);
	assert_bad(io, 0, 0, 512);
	assert_got(io, 512, buf, SIZE, SIZE - 1024);
	assert_memory_equal(buf, disk + 512, SIZE - 1024);
	assert_bad(io, 1, SIZE - 512, 512);
	assert_span(io, SIZE - 512, VK_SPAN_UNREADABLE, 512);
	free(buf);
	vk_io_close(io);
}

static void every_bad_sector_of_a_comb_is_found(void **state)
{
	char bad[4096] = "";
	struct vk_io *io;
	uint8_t *buf = malloc(SIZE);
	const struct vk_range *ranges;
	uint64_t at = 0;
	struct vk_error err = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		snprintf(bad + strlen(bad), sizeof(bad) - strlen(bad), "%s%d+512", i == 0 ? "" : ",",
			 3 * 512 * i + 512);
	io = open_bad(bad, 512);
	while (at < SIZE) {
		size_t got;

		assert_int_equal(vk_io_read(io, at, buf, SIZE, &got, &err), VK_OK);
		assert_memory_equal(buf, disk + at, got);
		at += got;
		if (at < SIZE) {
			struct vk_span span = vk_io_span(io, at);

			assert_int_equal(span.state, VK_SPAN_UNREADABLE);
			at += span.length_bytes;
		}
	}
	assert_int_equal(vk_io_bad_ranges(io, &ranges), 100);
	for (size_t i = 0; i < 100; i++)
		assert_bad(io, i, 3 * 512 * i + 512, 512);
	free(buf);
	vk_io_close(io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_stop_at_the_very_sector),
		cmocka_unit_test(crooked_reads_find_whole_sectors),
		cmocka_unit_test(known_bad_sectors_are_not_asked_again),
		cmocka_unit_test(sectors_of_4096_bytes_fail_as_a_whole),
		cmocka_unit_test(first_and_last_sector_may_be_bad),
		cmocka_unit_test(every_bad_sector_of_a_comb_is_found),
	};

	return cmocka_run_group_tests_name("io: bad sectors", tests, make_disk, free_disk);
}
