/* SPDX-License-Identifier: Apache-2.0 */
/* Files, holes, pipes and standard input. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "io_helpers.h"

#define TB64 ((uint64_t)1 << 46)

static struct vk_io *open_raw(const char *path)
{
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	if (vk_io_open_raw(path, NULL, &io, &err) != VK_OK)
		fail_msg("%s: %s", err.where, err.what);
	return io;
}

static void file_is_read_and_untouched(void **state)
{
	char path[64];
	int fd = scratch_file(NULL, path);
	uint8_t bytes[5000];
	struct stat before;
	struct stat after;
	struct vk_io *io;
	uint8_t buf[64];

	(void)state;
	fill_bytes(bytes, sizeof(bytes), 1);
	put_at(fd, 0, bytes, sizeof(bytes));
	assert_int_equal(fstat(fd, &before), 0);
	io = open_raw(path);
	assert_int_equal(vk_io_size_bytes(io), sizeof(bytes));
	assert_int_equal(vk_io_sector_size(io), 512);
	assert_false(vk_io_is_device(io));
	assert_holds(io, 0, bytes, sizeof(bytes));
	assert_holds(io, 513, bytes + 513, 1000);
	assert_got(io, 4990, buf, sizeof(buf), 10);
	vk_io_close(io);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	close(fd);
}

static void empty_file_is_a_source(void **state)
{
	char path[64];
	int fd = scratch_file(NULL, path);
	struct vk_error err = {0};
	enum vk_io_form form = VK_FORM_HEXDUMP;
	struct vk_io *io;
	char c;

	(void)state;
	assert_int_equal(vk_io_open(path, NULL, &io, &form, &err), VK_OK);
	assert_int_equal(form, VK_FORM_RAW);
	assert_int_equal(vk_io_size_bytes(io), 0);
	assert_got(io, 0, &c, 1, 0);
	vk_io_close(io);
	close(fd);
}

static void wrong_paths_say_what_is_wrong(void **state)
{
	const struct vk_open_options odd = {.sector_size = 1024};
	struct vk_error err = {0};
	struct vk_io *io = NULL;
	enum vk_io_form form;

	(void)state;
	assert_int_equal(vk_io_open("/tmp", NULL, &io, &form, &err), VK_USAGE);
	assert_string_equal(err.where, "/tmp");
	assert_string_not_equal(err.remedy, "");
	assert_int_equal(vk_io_open("/nonexistent/disk", NULL, &io, &form, &err), VK_IO);
	assert_string_equal(err.where, "/nonexistent/disk");
	assert_non_null(strstr(err.what, strerror(ENOENT)));
	assert_int_equal(vk_io_open("/dev/null", &odd, &io, &form, &err), VK_USAGE);
	assert_null(io);
}

static void sector_size_of_a_file_is_an_option(void **state)
{
	const struct vk_open_options big = {.sector_size = 4096};
	char path[64];
	int fd = scratch_file(NULL, path);
	struct vk_error err = {0};
	struct vk_io *io;

	(void)state;
	put_at(fd, 0, "abc", 3);
	assert_int_equal(vk_io_open_raw(path, &big, &io, &err), VK_OK);
	assert_int_equal(vk_io_sector_size(io), 4096);
	vk_io_close(io);
	close(fd);
}

static void sparse_64_tb_file_is_cheap(void **state)
{
	char path[64];
	int fd;
	struct vk_io *io;
	struct timeval start;
	struct timeval stop;
	uint64_t at = 0;
	int spans = 0;

	(void)state;
	if (access("/dev/shm", W_OK) != 0)
		skip();
	fd = scratch_file("/dev/shm", path);
	if (ftruncate(fd, (off_t)TB64) != 0)
		skip();
	put_at(fd, 1 << 20, "header", 6);
	put_at(fd, TB64 - 512, "backup", 6);
	io = open_raw(path);
	assert_int_equal(vk_io_size_bytes(io), TB64);
	assert_span(io, 0, VK_SPAN_ZERO, 1 << 20);
	assert_span(io, 1 << 20, VK_SPAN_DATA, 4096);
	assert_span(io, (1 << 20) + 4096, VK_SPAN_ZERO, TB64 - 4096 - (1 << 20) - 4096);
	assert_span(io, TB64 - 1, VK_SPAN_DATA, 1);
	assert_span(io, TB64, VK_SPAN_END, 0);
	assert_holds(io, TB64 - 512, "backup", 6);
	assert_zeros(io, (uint64_t)1 << 45, 65536);
	gettimeofday(&start, NULL);
	while (at < TB64) {
		at += vk_io_span(io, at).length_bytes;
		spans++;
	}
	assert_int_equal(vk_io_held(io, 0, UINT64_MAX), TB64);
	gettimeofday(&stop, NULL);
	assert_int_equal(spans, 4);
	assert_true(stop.tv_sec - start.tv_sec < 5);
	vk_io_close(io);
	close(fd);
}

static void file_that_shrinks_is_an_error(void **state)
{
	char path[64];
	int fd = scratch_file(NULL, path);
	struct vk_error err = {0};
	uint8_t buf[2048] = {0};
	struct vk_io *io;
	size_t got;

	(void)state;
	put_at(fd, 0, buf, sizeof(buf));
	io = open_raw(path);
	assert_int_equal(ftruncate(fd, 1000), 0);
	assert_int_equal(vk_io_read(io, 0, buf, sizeof(buf), &got, &err), VK_IO);
	assert_int_equal(err.offset_bytes, 1000);
	vk_io_close(io);
	close(fd);
}

/* Run in a child whose standard input is fd; the child's checks are those of `check`. */
static void with_stdin(int fd, void (*check)(struct vk_io *io))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct vk_error err = {0};
		struct vk_io *io = NULL;

		if (dup2(fd, 0) != 0 || vk_io_open_raw("-", NULL, &io, &err) != VK_OK)
			_exit(99);
		check(io);
		vk_io_close(io);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child there is no test framework to fail in. */
static void expect(bool truth)
{
	if (!truth)
		_exit(1);
}

static bool holds(struct vk_io *io, uint64_t offset, const void *want, size_t len)
{
	uint8_t *buf = malloc(len);
	struct vk_error err = {0};
	bool same = buf != NULL && vk_io_read_all(io, offset, buf, len, &err) == VK_OK &&
		    memcmp(buf, want, len) == 0;

	free(buf);
	return same;
}

#define STREAM_BYTES ((size_t)300 * 1024 + 7)
#define LONG_STREAM_BYTES ((size_t)70 << 20)
static uint8_t stream_bytes[STREAM_BYTES];
static int check_offset;

static void check_stream(struct vk_io *io)
{
	size_t left = STREAM_BYTES - (size_t)check_offset;

	expect(strcmp(vk_io_name(io), "standard input") == 0);
	expect(vk_io_size_bytes(io) == left);
	expect(holds(io, 0, stream_bytes + check_offset, left));
	expect(holds(io, 1000, stream_bytes + check_offset + 1000, 100));
	if (check_offset == 0)
		expect(vk_io_span(io, 0x10000).state == VK_SPAN_ZERO);
}

/* Write from a child, so that a pipe may fill up. */
static pid_t writer(int fd, const uint8_t *bytes, size_t len, int times)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	while (times-- > 0)
		for (size_t done = 0; done < len;) {
			size_t part = len - done < 5000 ? len - done : 5000;
			ssize_t n = write(fd, bytes + done, part);

			if (n <= 0)
				_exit(1);
			done += (size_t)n;
		}
	_exit(0);
}

static void make_stream(void)
{
	fill_bytes(stream_bytes, STREAM_BYTES, 2);
	memset(stream_bytes + 0x10000, 0, 0x20000);
}

static void stdin_pipe_is_kept(void **state)
{
	int ends[2];
	pid_t pid;
	int status;

	(void)state;
	make_stream();
	check_offset = 0;
	assert_int_equal(pipe(ends), 0);
	pid = writer(ends[1], stream_bytes, STREAM_BYTES, 1);
	close(ends[1]);
	with_stdin(ends[0], check_stream);
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void check_zeros_at_the_end(struct vk_io *io)
{
	static uint8_t zeros[100000];

	expect(vk_io_size_bytes(io) == 200000);
	expect(holds(io, 0, stream_bytes, 100000));
	expect(holds(io, 100000, zeros, 100000));
	expect(vk_io_span(io, 110000).state == VK_SPAN_ZERO);
}

static void stdin_may_end_in_zeros(void **state)
{
	int ends[2];
	pid_t pid;
	int status;

	(void)state;
	fill_bytes(stream_bytes, STREAM_BYTES, 3);
	memset(stream_bytes + 100000, 0, 100000);
	assert_int_equal(pipe(ends), 0);
	pid = writer(ends[1], stream_bytes, 200000, 1);
	close(ends[1]);
	with_stdin(ends[0], check_zeros_at_the_end);
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void check_long_stream(struct vk_io *io)
{
	expect(vk_io_size_bytes(io) == LONG_STREAM_BYTES);
	for (uint64_t at = 0; at < LONG_STREAM_BYTES; at += 1 << 18)
		expect(holds(io, at, stream_bytes, 1 << 18));
}

static void long_stdin_moves_out_of_memory(void **state)
{
	int ends[2];
	pid_t pid;
	int status;

	(void)state;
	fill_bytes(stream_bytes, STREAM_BYTES, 3); /* no zeros: they would not count */
	assert_int_equal(pipe(ends), 0);
	pid = writer(ends[1], stream_bytes, 1 << 18, LONG_STREAM_BYTES >> 18);
	close(ends[1]);
	with_stdin(ends[0], check_long_stream);
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void stdin_file_is_used_directly(void **state)
{
	char path[64];
	int fd = scratch_file(NULL, path);

	(void)state;
	make_stream();
	put_at(fd, 0, stream_bytes, 0x10000);
	put_at(fd, 0x30000, stream_bytes + 0x30000, STREAM_BYTES - 0x30000);
	check_offset = 0;
	with_stdin(fd, check_stream);
	/* the offset that we share with the reader after us did not move */
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	check_offset = 777;
	assert_int_equal(lseek(fd, check_offset, SEEK_SET), 777);
	with_stdin(fd, check_stream);
	close(fd);
}

static void check_sparse(struct vk_io *io)
{
	expect(vk_io_size_bytes(io) == TB64);
	expect(vk_io_span(io, 0).state == VK_SPAN_ZERO);
	expect(vk_io_span(io, 0).length_bytes == TB64);
}

static void stdin_sparse_file_is_not_copied(void **state)
{
	char path[64];
	int fd;

	(void)state;
	if (access("/dev/shm", W_OK) != 0)
		skip();
	fd = scratch_file("/dev/shm", path);
	if (ftruncate(fd, (off_t)TB64) != 0)
		skip();
	with_stdin(fd, check_sparse);
	close(fd);
}

static void check_empty(struct vk_io *io)
{
	expect(vk_io_size_bytes(io) == 0);
}

static void stdin_without_bytes_is_empty(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	with_stdin(fd, check_empty);
	close(fd);
}

/* What the shell makes of <(command) has a writer; a FIFO in a folder may never get one. */
static void pipe_is_read_like_a_stream(void **state)
{
	char folder[] = "/tmp/vmfskit-test-XXXXXX";
	struct vk_error err;
	char path[64];
	struct vk_io *io;
	int ends[2];

	(void)state;
	make_stream();
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], stream_bytes, 5000), 5000);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	io = open_raw(path);
	assert_int_equal(vk_io_size_bytes(io), 5000);
	assert_string_equal(vk_io_name(io), path);
	assert_holds(io, 0, stream_bytes, 5000);
	vk_io_close(io);
	close(ends[0]);

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(vk_io_open_raw(path, NULL, &io, &err), VK_USAGE);
	assert_non_null(strstr(err.what, "FIFO"));
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_read_and_untouched),
		cmocka_unit_test(empty_file_is_a_source),
		cmocka_unit_test(wrong_paths_say_what_is_wrong),
		cmocka_unit_test(sector_size_of_a_file_is_an_option),
		cmocka_unit_test(sparse_64_tb_file_is_cheap),
		cmocka_unit_test(file_that_shrinks_is_an_error),
		cmocka_unit_test(stdin_pipe_is_kept),
		cmocka_unit_test(stdin_may_end_in_zeros),
		cmocka_unit_test(long_stdin_moves_out_of_memory),
		cmocka_unit_test(stdin_file_is_used_directly),
		cmocka_unit_test(stdin_sparse_file_is_not_copied),
		cmocka_unit_test(stdin_without_bytes_is_empty),
		cmocka_unit_test(pipe_is_read_like_a_stream),
	};

	return cmocka_run_group_tests_name("io: files", tests, NULL, NULL);
}
