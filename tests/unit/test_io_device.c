/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices, by loop devices (as root): sector sizes, alignment, and that no stale cache is read. */
#include <fcntl.h>

#include "first_line.h"
#include "io/io_handle.h"
#include "io_helpers.h"

#define SIZE ((size_t)3 << 20)

struct loop {
	int fd;         /* backing file */
	char path[128]; /* of the device; empty: none could be made */
};

static uint8_t disk[SIZE];
static struct loop loop = {.fd = -1};

/* Ends the test as skipped where no loop device can be made. */
static void attach(unsigned sector_size)
{
	char name[] = "/var/tmp/vmfskit-test-XXXXXX";
	char command[256];

	fill_bytes(disk, SIZE, 5);
	loop.fd = mkostemp(name, O_CLOEXEC);
	assert_true(loop.fd >= 0);
	put_at(loop.fd, 0, disk, SIZE);
	loop.path[0] = '\0';
	if (geteuid() == 0) {
		snprintf(command, sizeof(command), "losetup -r -b %u -f --show %s 2>/dev/null",
			 sector_size, name);
		first_line(command, loop.path, sizeof(loop.path));
	}
	unlink(name);
	if (loop.path[0] == '\0')
		skip();
}

/* Also after a test that failed. */
static int detach(void **state)
{
	char command[256];
	char line[16];

	(void)state;
	if (loop.path[0] != '\0') {
		snprintf(command, sizeof(command), "losetup -d %s", loop.path);
		first_line(command, line, sizeof(line));
	}
	if (loop.fd >= 0)
		close(loop.fd);
	loop = (struct loop){.fd = -1};
	return 0;
}

static struct vk_io *open_device(const char *path)
{
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	if (vk_io_open_raw(path, NULL, &io, &err) != VK_OK)
		fail_msg("%s: %s", err.where, err.what);
	return io;
}

static void check_device(unsigned sector_size)
{
	struct vk_io *io;
	struct vk_io *window;
	uint8_t buf[64];

	attach(sector_size);
	io = open_device(loop.path);
	window = vk_io_window(io, 4096, 8192);
	assert_true(vk_io_is_device(io));
	assert_true(vk_io_is_device(window));
	assert_int_equal(vk_io_sector_size(io), sector_size);
	assert_int_equal(vk_io_size_bytes(io), SIZE);
	assert_span(io, 5, VK_SPAN_DATA, SIZE - 5);
	assert_holds(io, 0, disk, SIZE); /* longer than the bounce buffer */
	assert_holds(io, 1, disk + 1, 3);
	assert_holds(io, 4095, disk + 4095, 4098);
	assert_holds(io, (1 << 20) - 7, disk + (1 << 20) - 7, (1 << 20) + 11);
	assert_holds(window, 1, disk + 4097, 8191);
	assert_got(io, SIZE - 3, buf, sizeof(buf), 3);
	assert_memory_equal(buf, disk + SIZE - 3, 3);
	vk_io_close(window);
	vk_io_close(io);
}

/* Long reads into aligned buffers are not copied; nothing but what was asked for is touched, at their end neither. */
static void check_aligned_reads(unsigned sector_size)
{
	const size_t tails[] = {0, 1, 511, 512, 513, 4095, 4096, 5000};
	struct vk_io *io;
	uint8_t *buf = NULL;
	size_t got;
	struct vk_error err = {0};

	attach(sector_size);
	assert_int_equal(posix_memalign((void **)&buf, 4096, SIZE + 4096), 0);
	io = open_device(loop.path);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		size_t len = (1 << 20) + tails[i];

		memset(buf, 0xA5, SIZE + 4096);
		assert_got(io, 8192, buf, len, len);
		assert_memory_equal(buf, disk + 8192, len);
		assert_int_equal(buf[len], 0xA5);
	}
	assert_int_equal(vk_io_read(io, SIZE - 8192, buf, SIZE, &got, &err), VK_OK);
	assert_int_equal(got, 8192);
	assert_memory_equal(buf, disk + SIZE - 8192, got);
	/* only the front reads as it should: bad sectors are told as before */
	assert_int_equal(ftruncate(loop.fd, 1 << 20), 0);
	assert_got(io, 4096, buf, SIZE, (1 << 20) - 4096);
	assert_memory_equal(buf, disk + 4096, (1 << 20) - 4096);
	assert_span(io, 1 << 20, VK_SPAN_UNREADABLE, sector_size);
	vk_io_close(io);
	free(buf);
}

static void aligned_reads_of_512(void **state)
{
	(void)state;
	check_aligned_reads(512);
}

static void aligned_reads_of_4096(void **state)
{
	(void)state;
	check_aligned_reads(4096);
}

static void device_of_512(void **state)
{
	(void)state;
	check_device(512);
}

static void device_of_4096(void **state)
{
	(void)state;
	check_device(4096);
}

/* Another host wrote: the backing file changes behind the back of the device's cache. */
static void cache_is_not_believed(void **state)
{
	struct vk_io *io;
	int cached;
	uint8_t buf[4096];

	(void)state;
	attach(512);
	cached = open(loop.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(cached, buf, sizeof(buf), 8192), sizeof(buf));
	disk[8192 + 77] ^= 0xFF;
	put_at(loop.fd, 0, disk, SIZE);
	assert_int_equal(pread(cached, buf, sizeof(buf), 8192), sizeof(buf));
	assert_memory_not_equal(buf, disk + 8192, sizeof(buf)); /* the cache is stale indeed */
	io = open_device(loop.path);
	assert_holds(io, 8192, disk + 8192, sizeof(buf));
	vk_io_close(io);
	close(cached);
}

/* The backing file is cut: the kernel itself fails every sector behind it. */
static void failing_sectors_of_a_device_are_told(void **state)
{
	const uint64_t good = (1 << 20) + 3 * 512;
	const struct vk_range *bad;
	struct vk_io *io;
	uint8_t *buf;

	(void)state;
	attach(512);
	buf = malloc(SIZE);
	io = open_device(loop.path);
	assert_int_equal(ftruncate(loop.fd, (off_t)good), 0);
	assert_got(io, 1000, buf, SIZE, good - 1000);
	assert_memory_equal(buf, disk + 1000, good - 1000);
	assert_got(io, good + 512 + 5, buf, SIZE, 0);
	assert_int_equal(vk_io_bad_ranges(io, &bad), 1);
	assert_int_equal(bad[0].offset_bytes, good);
	assert_int_equal(bad[0].length_bytes, 1024);
	assert_span(io, good + 512, VK_SPAN_UNREADABLE, 512);
	assert_span(io, good + 1024, VK_SPAN_DATA, SIZE - good - 1024);
	vk_io_close(io);
	free(buf);
}

/* Reads that the kernel refuses as direct ones go through the cache, and all later ones too. */
static void refused_direct_reads_fall_back(void **state)
{
	/* a grain of one byte: nothing gets aligned, as if the device asked for more than it says */
	const struct vk_io_file_facts facts = {
		.size_bytes = SIZE, .sector_size = 512, .unit_bytes = 1, .is_device = true, .direct = true};
	char path[64];
	int made = scratch_file("/var/tmp", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	struct vk_io *io;
	uint8_t byte;

	(void)state;
	fill_bytes(disk, SIZE, 6);
	put_at(made, 0, disk, SIZE);
	if (fd < 0 || pread(fd, &byte, 1, 3) >= 0) {
		close(fd);
		close(made);
		skip(); /* this file system takes any direct read, or none */
	}
	io = vk_io_file(fd, "stubborn", &facts);
	assert_holds(io, 3, disk + 3, 100000);
	assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, 0);
	assert_holds(io, 0, disk, SIZE);
	vk_io_close(io);
	close(made);
}

/* A listing on a device is bytes of that device. */
static void devices_are_not_unfolded(void **state)
{
	struct vk_error err = {0};
	enum vk_io_form form = VK_FORM_HEXDUMP;
	struct vk_io *io;

	(void)state;
	attach(512);
	put_at(loop.fd, 0, "VMFSIMG\x02\x01\x03", 10);
	assert_int_equal(vk_io_open(loop.path, NULL, &io, &form, &err), VK_OK);
	assert_int_equal(form, VK_FORM_RAW);
	assert_int_equal(vk_io_size_bytes(io), SIZE);
	vk_io_close(io);
}

static void device_without_medium_is_an_error(void **state)
{
	struct vk_error err = {0};
	enum vk_status status = VK_OK;
	char path[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	/* somebody else may attach the free device before we look at it */
	for (int attempt = 0; attempt < 10 && status == VK_OK; attempt++) {
		struct vk_io *io = NULL;

		first_line("losetup -f 2>/dev/null", path, sizeof(path));
		if (path[0] == '\0')
			skip();
		status = vk_io_open_raw(path, NULL, &io, &err);
		vk_io_close(io);
	}
	assert_int_equal(status, VK_IO);
	assert_string_equal(err.where, path);
	assert_non_null(strstr(err.what, "no bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(device_of_512, detach),
		cmocka_unit_test_teardown(device_of_4096, detach),
		cmocka_unit_test_teardown(aligned_reads_of_512, detach),
		cmocka_unit_test_teardown(aligned_reads_of_4096, detach),
		cmocka_unit_test_teardown(cache_is_not_believed, detach),
		cmocka_unit_test_teardown(failing_sectors_of_a_device_are_told, detach),
		cmocka_unit_test(refused_direct_reads_fall_back),
		cmocka_unit_test_teardown(devices_are_not_unfolded, detach),
		cmocka_unit_test(device_without_medium_is_an_error),
	};

	return cmocka_run_group_tests_name("io: block devices", tests, NULL, NULL);
}
