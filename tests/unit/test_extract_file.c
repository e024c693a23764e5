/* SPDX-License-Identifier: Apache-2.0 */
/* Copying files out of volumes into pipes, and out of volumes that are files into files: these bytes are moved. */
#include "extract_job.h"

#include <pthread.h>
#include <sys/mman.h>

/* The reader of a pipe. */
struct drain {
	int fd;
	uint8_t *bytes;
	size_t size, got;
};
static void *drain_pipe(void *arg)
{
	struct drain *d = arg;
	ssize_t n;

	while (d->got < d->size && (n = read(d->fd, d->bytes + d->got, d->size - d->got)) > 0)
		d->got += (size_t)n;
	return NULL;
}

static void check_pipe(struct vk_io *volume, bool digest)
{
	struct drain drain = {.size = MIXED_BYTES + 1};
	uint8_t *expected;
	pthread_t thread;
	struct job job;
	int ends[2];

	job_begin_on(&job, volume, mixed, MIXED, MIXED_BYTES);
	if (!digest)
		job.x.digest = NULL;
	assert_int_equal(pipe(ends), 0);
	drain.fd = ends[0];
	drain.bytes = malloc(drain.size);
	assert_non_null(drain.bytes);
	assert_int_equal(pthread_create(&thread, NULL, drain_pipe, &drain), 0);
	job.x.fd = ends[1];
	job.x.sparse = false;
	job_copy(&job);
	close(ends[1]);
	pthread_join(thread, NULL);
	expected = expected_of(&job);
	assert_int_equal(drain.got, MIXED_BYTES);
	assert_memory_equal(drain.bytes, expected, MIXED_BYTES);
	free(expected);
	free(drain.bytes);
	close(ends[0]);
	job_end(&job);
}

/* The volume as a file, which holds what the mixed runs name. */
static struct vk_io *mixed_file(void)
{
	static uint8_t bytes[512];
	struct vk_io *io;
	struct vk_error err;
	enum vk_io_form form;
	char path[64];
	int fd = scratch_file(NULL, path);

	for (size_t i = 0; i < MIXED; i++)
		for (uint64_t k = 0; mixed[i].kind == VK_RUN_DATA && k < mixed[i].length_bytes; k += sizeof(bytes)) {
			fill_places(mixed[i].volume_offset + k, bytes);
			put_at(fd, mixed[i].volume_offset + k, bytes, sizeof(bytes));
		}
	assert_int_equal(vk_io_open(path, NULL, &io, &form, &err), VK_OK);
	close(fd);
	return io;
}

static void a_pipe_gets_zeros(void **state)
{
	(void)state;
	new_disk();
	check_pipe(fake_open(&disk), true);
	new_disk();
	check_pipe(fake_open(&disk), false);
	check_pipe(mixed_file(), true);
	check_pipe(mixed_file(), false);
}

/* Only as far as a run goes, and only what is there. */
static void bytes_of_files_are_moved(void **state)
{
	uint8_t bytes[4096];
	int ends[2];
	struct job job;

	(void)state;
	job_begin_on(&job, mixed_file(), mixed, MIXED, MIXED_BYTES);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(vk_io_splice(job.io, MIB - 4096, ends[1], 8192), 4096);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 4096);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], byte_at(101 * MIB - 4096 + i));
	assert_int_equal(vk_io_splice(job.io, 3 * MIB, ends[1], 4096), 0);
	assert_int_equal(vk_io_splice(job.io, 9 * MIB, ends[1], 4096), 0);
	assert_int_equal(vk_io_splice(job.io, MIXED_BYTES - 5, ends[1], 4096), 5);
	assert_int_equal(vk_io_splice(job.io, MIXED_BYTES, ends[1], 4096), 0);
	close(ends[0]);
	close(ends[1]);
	job.x.digest = NULL;
	job_copy(&job);
	job_compare(&job);
	assert_int_equal(job.x.written_bytes, 10 * MIB + 777);
	assert_int_equal(lseek(job.fd, 3 * MIB, SEEK_HOLE), 3 * MIB);
	assert_int_equal(lseek(job.fd, 9 * MIB, SEEK_DATA), 10 * MIB);
	job_end(&job);
}

/* The system moves nothing into such a file: it is written. */
static void a_file_that_is_appended_to(void **state)
{
	struct job job;

	(void)state;
	job_begin_on(&job, mixed_file(), mixed, MIXED, MIXED_BYTES);
	assert_int_equal(fcntl(job.fd, F_SETFL, O_APPEND), 0);
	job.x.digest = NULL;
	job.x.sparse = false;
	job_copy(&job);
	job_compare(&job);
	job_end(&job);
}

static void fill_output(const char *path)
{
	static const struct vk_fs_run runs[] = {DATA(0, 64 * MIB, 0)};
	struct vk_error err;
	enum vk_io_form form;
	struct vk_io *io;
	struct job job;
	int out = memfd_create("out", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	assert_int_equal(vk_io_open(path, NULL, &io, &form, &err), VK_OK);
	assert_int_equal(ftruncate(out, 2 * MIB), 0);
	assert_int_equal(fcntl(out, F_ADD_SEALS, F_SEAL_GROW), 0);
	job_begin_on(&job, io, runs, 1, 64 * MIB);
	job.x.fd = out;
	job.x.digest = NULL;
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_IO);
	assert_non_null(strstr(job.err.what, "cannot write"));
	close(out);
	job_end(&job);
}

/* What cannot be written ends it, though the pipe that it came through is still full; which thread is first varies. */
static void an_output_that_takes_no_more(void **state)
{
	char path[64];
	int fd = scratch_file(NULL, path);

	(void)state;
	assert_int_equal(posix_fallocate(fd, 0, 64 * MIB), 0);
	for (int i = 0; i < 50; i++)
		fill_output(path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gets_zeros),
		cmocka_unit_test(bytes_of_files_are_moved),
		cmocka_unit_test(a_file_that_is_appended_to),
		cmocka_unit_test(an_output_that_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
