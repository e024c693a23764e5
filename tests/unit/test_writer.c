/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: writes what was planned and nothing else, and nothing at all unless everything is as planned. */
#include "repair_bench.h"

#include <sys/file.h>

enum { AT = 4096, LEN = 1024 };

struct job {
	struct vk_write_job job;
	struct vk_edit edit;
	uint8_t fresh[LEN];
	char undo_id[VK_CAPTURE_ID_BYTES];
	struct bench *bench;
};

static void job_make(struct job *j, struct bench *b)
{
	const struct vk_region region = {
		.file = "head-s8.raw", .part = VK_PART_TABLE, .offset_bytes = AT, .length_bytes = LEN};
	struct stat st;

	memset(j, 0, sizeof(*j));
	j->bench = b;
	assert_int_equal(stat(b->disk, &st), 0);
	bench_capture(b, &region, 1, j->undo_id, NULL);
	memset(j->fresh, 0x5a, sizeof(j->fresh));
	j->edit = (struct vk_edit){AT, LEN, b->bytes + AT, j->fresh, "MBR", VK_WRITE_MBR};
	j->job = (struct vk_write_job){
		.path = b->disk,
		.target = {.dev = st.st_dev,
			   .ino = st.st_ino,
			   .size_bytes = BENCH_BYTES,
			   .sector_size = 512},
		.edits = &j->edit,
		.edit_count = 1,
		.store = b->store,
		.undo_id = j->undo_id,
	};
}

static enum vk_status run(const struct job *j, struct vk_error *err)
{
	char buf[200];
	struct vk_text note;

	vk_text_init(&note, buf, sizeof(buf));
	return vk_writer_run(&j->job, &note, err);
}

/* Nothing but the edit's bytes changed, or nothing at all. */
static void expect_disk(const struct job *j, bool written)
{
	uint8_t *now = test_malloc(BENCH_BYTES);

	bench_read_disk(j->bench, now);
	assert_memory_equal(now, j->bench->bytes, AT);
	assert_memory_equal(now + AT, written ? j->fresh : j->bench->bytes + AT, LEN);
	assert_memory_equal(now + AT + LEN, j->bench->bytes + AT + LEN, BENCH_BYTES - AT - LEN);
	test_free(now);
}

static void writes_what_was_planned(void **state)
{
	struct bench *b = bench_open();
	struct vk_error err;
	struct job j;

	(void)state;
	job_make(&j, b);
	assert_int_equal(run(&j, &err), VK_OK);
	expect_disk(&j, true);
	bench_close(b);
}

static void expect_refusal(struct job *j, enum vk_status status)
{
	struct vk_error err;

	assert_int_equal(run(j, &err), status);
	assert_int_equal(err.status, status);
	assert_true(err.what[0] != '\0');
	assert_true(strstr(err.remedy, "othing was written") != NULL);
	expect_disk(j, false);
}

static void a_target_that_changed(void **state)
{
	struct bench *b = bench_open();
	struct job j;

	(void)state;
	job_make(&j, b);
	b->bytes[AT + LEN - 1] ^= 1;
	bench_write_disk(b);
	/* the undo capture holds the byte that was there */
	expect_refusal(&j, VK_DAMAGED);
	bench_close(b);

	b = bench_open();
	job_make(&j, b);
	j.edit.old_bytes = test_malloc(LEN);
	memcpy((uint8_t *)(uintptr_t)j.edit.old_bytes, b->bytes + AT, LEN);
	b->bytes[AT + LEN - 1] ^= 1;
	bench_write_disk(b);
	expect_refusal(&j, VK_REFUSED);
	test_free((uint8_t *)(uintptr_t)j.edit.old_bytes);
	bench_close(b);
}

static void another_file_under_the_name(void **state)
{
	struct bench *b = bench_open();
	char other[160];
	struct job j;

	(void)state;
	job_make(&j, b);
	snprintf(other, sizeof(other), "%s.old", b->disk);
	assert_int_equal(rename(b->disk, other), 0);
	bench_write_disk(b);
	expect_refusal(&j, VK_REFUSED);
	/* nor is a link followed */
	assert_int_equal(unlink(b->disk), 0);
	assert_int_equal(symlink(other, b->disk), 0);
	expect_refusal(&j, VK_REFUSED);
	bench_close(b);
}

static void another_size(void **state)
{
	struct bench *b = bench_open();
	struct job j;

	(void)state;
	job_make(&j, b);
	assert_int_equal(truncate(b->disk, BENCH_BYTES + 512), 0);
	expect_refusal(&j, VK_REFUSED);
	bench_close(b);
}

static void a_target_in_use(void **state)
{
	struct bench *b = bench_open();
	struct job j;
	int fd;

	(void)state;
	job_make(&j, b);
	fd = open(b->disk, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	expect_refusal(&j, VK_REFUSED);
	j.job.shared = true;
	assert_int_equal(run(&j, &(struct vk_error){0}), VK_OK);
	expect_disk(&j, true);
	close(fd);
	bench_close(b);
}

static void spoil(const struct job *j, const char *file)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", j->bench->store, j->undo_id, file);
	assert_int_equal(chmod(path, 0600), 0);
	f = fopen(path, "r+be");
	assert_non_null(f);
	assert_int_equal(fseek(f, 60, SEEK_SET), 0);
	fputc('#', f);
	fclose(f);
}

static void an_undo_capture_that_does_not_serve(void **state)
{
	static const char *const files[] = {"head-s8.raw", "manifest.json", "SHA256SUMS"};
	struct vk_error err;
	struct job j;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bench *b = bench_open();

		job_make(&j, b);
		spoil(&j, files[i]);
		assert_int_equal(run(&j, &err), VK_DAMAGED);
		expect_disk(&j, false);
		bench_close(b);
	}
}

static void an_edit_that_the_undo_capture_lacks(void **state)
{
	struct bench *b = bench_open();
	struct vk_edit edits[2];
	struct job j;

	(void)state;
	job_make(&j, b);
	edits[0] = j.edit;
	edits[1] = (struct vk_edit){65536, 512, b->bytes + 65536, j.fresh, "MBR", VK_WRITE_MBR};
	j.job.edits = edits;
	j.job.edit_count = 2;
	expect_refusal(&j, VK_DAMAGED);
	/* none at all */
	j.job.undo_id = "nothing";
	assert_int_equal(run(&j, &(struct vk_error){0}), VK_ABSENT);
	expect_disk(&j, false);
	bench_close(b);
}

/* Without an undo capture only onto a file of which no block was ever written, that has no second name. */
static void a_scratch_file(void **state)
{
	struct bench *b = bench_open();
	struct vk_error err;
	struct stat st;
	struct job j;
	char other[4200];

	(void)state;
	job_make(&j, b);
	j.job.undo_id = NULL;
	expect_refusal(&j, VK_REFUSED);
	assert_int_equal(truncate(b->disk, 0), 0);
	assert_int_equal(truncate(b->disk, BENCH_BYTES), 0);
	memset(b->bytes, 0, BENCH_BYTES);
	assert_int_equal(stat(b->disk, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	snprintf(other, sizeof(other), "%s.link", b->disk);
	assert_int_equal(link(b->disk, other), 0);
	expect_refusal(&j, VK_REFUSED);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(run(&j, &err), VK_OK);
	expect_disk(&j, true);
	assert_int_equal(run(&j, &err), VK_REFUSED);
	bench_close(b);
}

static void a_disk_that_cannot_be_written(void **state)
{
	struct bench *b = bench_open();
	struct vk_error err;
	struct job j;

	(void)state;
	job_make(&j, b);
	assert_int_equal(chmod(b->disk, 0400), 0);
	/* root may write all the same */
	if (geteuid() != 0) {
		assert_int_equal(run(&j, &err), VK_IO);
		assert_non_null(strstr(err.remedy, "nothing was written"));
		expect_disk(&j, false);
	}
	j.edit.write_class = VK_WRITE_CLASSES;
	assert_int_equal(run(&j, &err), VK_INTERNAL);
	expect_disk(&j, false);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_was_planned),
		cmocka_unit_test(a_target_that_changed),
		cmocka_unit_test(another_file_under_the_name),
		cmocka_unit_test(another_size),
		cmocka_unit_test(a_target_in_use),
		cmocka_unit_test(an_undo_capture_that_does_not_serve),
		cmocka_unit_test(an_edit_that_the_undo_capture_lacks),
		cmocka_unit_test(a_scratch_file),
		cmocka_unit_test(a_disk_that_cannot_be_written),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
