/* SPDX-License-Identifier: Apache-2.0 */
/* Copying files out of volumes: holes stay holes, what is missing is listed to the sector, digests fit the bytes. */
#include "extract_job.h"

static void check_missing(const struct job *job, size_t i, uint64_t offset, uint64_t length, bool absent)
{
	assert_true(i < job->x.missing_count);
	assert_int_equal(job->x.missing[i].file_offset, offset);
	assert_int_equal(job->x.missing[i].length_bytes, length);
	assert_int_equal(job->x.missing[i].absent, absent);
}

static void holes_stay_holes(void **state)
{
	struct job job;

	(void)state;
	new_disk();
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	job_copy(&job);
	job_compare(&job);
	assert_int_equal(job.x.missing_count, 0);
	assert_int_equal(job.x.written_bytes, 10 * MIB + 777);
	/* a hole: not a single block of it is there */
	assert_int_equal(lseek(job.fd, 3 * MIB, SEEK_HOLE), 3 * MIB);
	assert_int_equal(lseek(job.fd, 3 * MIB, SEEK_DATA), 8 * MIB);
	assert_int_equal(lseek(job.fd, 9 * MIB, SEEK_DATA), 10 * MIB);
	/* straight on, nothing was looked for twice */
	assert_int_equal(job.list.seeks, 1);
	job_end(&job);
}

static void tails_of_every_length(void **state)
{
	static const uint64_t tails[] = {1, 511, 512, 513, 4095, 4097, 65537, 262143, 262145};
	static const enum vk_run_kind kinds[] = {VK_RUN_DATA, VK_RUN_HOLE, VK_RUN_TBZ, VK_RUN_RESIDENT,
						 VK_RUN_MISSING};

	(void)state;
	for (size_t k = 0; k < 5; k++)
		for (size_t t = 0; t < 9; t++) {
			struct vk_fs_run runs[] = {DATA(0, 3 * 65536, 512), OTHER(HOLE, 3 * 65536, tails[t])};
			struct job job;

			new_disk();
			runs[1].kind = kinds[k];
			if (kinds[k] == VK_RUN_DATA || kinds[k] == VK_RUN_RESIDENT)
				runs[1].volume_offset = 5 * MIB + 512;
			job_begin(&job, runs, 2, 3 * 65536 + tails[t]);
			job_copy(&job);
			job_compare(&job);
			assert_int_equal(job.x.missing_bytes, kinds[k] == VK_RUN_MISSING ? tails[t] : 0);
			job_end(&job);
		}
}

static void bad_sectors_are_read_around(void **state)
{
	struct job job;

	(void)state;
	new_disk();
	/* of the file: sectors at 1024, the last of the first run and the first of the second, and a long region */
	disk.bad[disk.bad_count++] = (struct vk_range){7 * MIB, 512};
	disk.bad[disk.bad_count++] = (struct vk_range){20 * MIB, 200 * 1024};
	/* in which one sector can be read */
	disk.bad[disk.bad_count++] = (struct vk_range){20 * MIB + 200 * 1024 + 512, 100 * 1024};
	disk.bad[disk.bad_count++] = (struct vk_range){100 * MIB + 1024, 512};
	disk.bad[disk.bad_count++] = (struct vk_range){101 * MIB - 512, 512};
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	job_copy(&job);
	job_compare(&job);
	assert_int_equal(job.x.missing_count, 4);
	check_missing(&job, 0, 1024, 512, false);
	check_missing(&job, 1, MIB - 512, 1024, false);
	check_missing(&job, 2, 10 * MIB, 200 * 1024, false);
	check_missing(&job, 3, 10 * MIB + 200 * 1024 + 512, 100 * 1024, false);
	job_end(&job);
}

static void what_is_not_there_is_told_apart(void **state)
{
	static const struct vk_fs_run runs[] = {DATA(0, MIB, 10 * MIB), OTHER(MISSING, MIB, MIB),
						DATA(2 * MIB, MIB, 1023 * MIB + 512 * 1024)};
	struct job job;

	(void)state;
	new_disk();
	disk.absent[disk.absent_count++] = (struct vk_range){10 * MIB + 4096, 4096};
	job_begin(&job, runs, 3, 3 * MIB);
	job_copy(&job);
	job_compare(&job);
	assert_int_equal(job.x.missing_count, 3);
	check_missing(&job, 0, 4096, 4096, true);
	check_missing(&job, 1, MIB, MIB, true);
	/* past the end of the volume */
	check_missing(&job, 2, 2 * MIB + 512 * 1024, 512 * 1024, true);
	job_end(&job);
}

static void one_that_stops_at_missing_bytes(void **state)
{
	struct job job;

	(void)state;
	new_disk();
	disk.bad[disk.bad_count++] = (struct vk_range){7 * MIB + 1024, 512};
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	job.x.stop_at_missing = true;
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_OK);
	assert_int_equal(job.x.end, VK_EXTRACT_MISSING);
	assert_int_equal(job.x.position, MIB + 1024);
	assert_int_equal(job.x.missing_count, 1);
	/* and not one byte behind them was written */
	assert_int_equal(lseek(job.fd, 0, SEEK_END), MIB + 1024);
	job_end(&job);
}

static void runs_that_make_no_sense(void **state)
{
	static const struct vk_fs_run lists[][4] = {
		{DATA(0, 4096, 4096), DATA(8192, 4096, 8192), DATA(16384, 4096, 12288), DATA(20480, 4096, 0)},
		{DATA(0, 8192, UINT64_MAX - 4096), DATA(8192, 0, 0), DATA(0, 4096, 0), DATA(4096, 4096, 0)},
		{DATA(12288, 4096, 0), DATA(0, 4096, 0), DATA(0, UINT64_MAX, 0), DATA(UINT64_MAX, UINT64_MAX, 0)},
		{OTHER(DATA, 0, UINT64_MAX), OTHER(HOLE, 0, 0), OTHER(HOLE, UINT64_MAX, 1), OTHER(TBZ, 1, 1)},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct job job;

		new_disk();
		job_begin(&job, lists[i], 4, 24576);
		job_copy(&job);
		assert_int_equal(job.x.position, 24576);
		if (i == 0) {
			job_compare(&job);
			assert_int_equal(job.x.missing_count, 2);
			check_missing(&job, 0, 4096, 4096, true);
			check_missing(&job, 1, 12288, 4096, true);
		}
		if (i == 3)
			check_missing(&job, 0, 0, 24576, true);
		job_end(&job);
	}
}

static bool stop_at_once(void *ctx, const struct vk_extract *x)
{
	(void)x;
	++*(unsigned *)ctx;
	return false;
}

static void whoever_watches_can_stop_it(void **state)
{
	static const struct vk_fs_run hole[] = {OTHER(HOLE, 0, (uint64_t)1 << 60)};
	unsigned calls = 0;
	struct job job;

	(void)state;
	new_disk();
	job_begin(&job, hole, 1, (uint64_t)1 << 60);
	job.x.progress = stop_at_once;
	job.x.ctx = &calls;
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_OK);
	assert_int_equal(job.x.end, VK_EXTRACT_STOPPED);
	assert_int_equal(calls, 1);
	assert_true(job.x.position < job.size);
	job_end(&job);
}

static void ranges_add_up(void **state)
{
	struct job job;

	(void)state;
	new_disk();
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	/* as it is continued: the middle is there already */
	for (uint64_t at = 0; at < job.size; at += 3 * MIB + 512)
		assert_int_equal(vk_extract(&job.x, job.io, at, vk_min_u64(at + 3 * MIB + 512, job.size), "out",
					    &job.err), VK_OK);
	assert_int_equal(ftruncate(job.fd, (off_t)job.size), 0);
	job_compare(&job);
	job_end(&job);
}

static void failures_are_errors(void **state)
{
	struct job job;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0);
	new_disk();
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	job.x.fd = full;
	job.x.sparse = false;
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_IO);
	assert_string_equal(job.err.where, "out");
	job_end(&job);
	close(full);

	new_disk();
	disk.fail_from = 2;
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_IO);
	assert_string_equal(job.err.what, "the cable was pulled");
	job_end(&job);

	/* a disk that went away is not a disk of bad sectors */
	new_disk();
	disk.gone_from = 3;
	job_begin(&job, mixed, MIXED, MIXED_BYTES);
	assert_int_equal(vk_extract(&job.x, job.io, 0, job.size, "out", &job.err), VK_IO);
	assert_true(disk.reads < 2000);
	job_end(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(tails_of_every_length),
		cmocka_unit_test(bad_sectors_are_read_around),
		cmocka_unit_test(what_is_not_there_is_told_apart),
		cmocka_unit_test(one_that_stops_at_missing_bytes),
		cmocka_unit_test(runs_that_make_no_sense),
		cmocka_unit_test(whoever_watches_can_stop_it),
		cmocka_unit_test(ranges_add_up),
		cmocka_unit_test(failures_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
