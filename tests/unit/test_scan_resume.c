/* SPDX-License-Identifier: Apache-2.0 */
/* A scan that was interrupted, anywhere and any number of times, ends like one that was not. And files that are not believed. */
#include <sys/stat.h>

#include "fake_disk.h"
#include "find/scan/scan_resume.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/lvm.h"

#define MIB (1ULL << 20)
#define DISK_BYTES (200 * MIB + 300)

static struct fake_disk disk;
static char folder[64];
static char path[128];
static uint64_t seed;

static uint64_t random_below(uint64_t limit)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (seed >> 33) % limit;
}

/* Marks, votes of three volumes, holes, bad and absent ranges, all of the kind that a piece may end in. */
static void make_disk(uint64_t number)
{
	uint64_t at = 0;

	memset(&disk, 0, sizeof(disk));
	seed = number;
	disk.size = DISK_BYTES;
	disk.dense = number % 3 == 0;
	for (;;) {
		at += 512 * (1 + random_below(random_below(4) == 0 ? 16384 : 64));
		if (at + 8192 > DISK_BYTES)
			break;
		switch (random_below(16)) {
		case 0:
			disk.bad[disk.bad_count++] = (struct vk_range){at, 512 * (1 + random_below(3))};
			at += 2048;
			break;
		case 1:
			disk.absent[disk.absent_count++] = (struct vk_range){at + random_below(512), 1 + random_below(1024)};
			at += 2048;
			break;
		case 2:
			fake_put(&disk, at, random_below(2) ? VK_LVM_MAGIC : VK_FS_MAGIC_VMFS, 5);
			break;
		case 3:
			fake_put(&disk, at, VK_HB_IN_USE, at - 512);
			break;
		default:
			fake_put(&disk, at, 0x10C00001U + (uint32_t)random_below(6),
				 at + 1024 * random_below(3) + (random_below(9) == 0 ? 512 * random_below(999) : 0));
		}
	}
	assert_true(disk.bad_count > 3 && disk.absent_count > 3 && disk.block_count > 50);
}

static struct vk_scan_options options_of(const char *resume_path)
{
	return (struct vk_scan_options){
		.length_bytes = DISK_BYTES, .sector_size = 512, .identity = "naa.6000 \"x\"%\n", .resume_path = resume_path};
}

static enum vk_status scan(const struct vk_scan_options *options, struct vk_scan *ret_scan, struct vk_error *err)
{
	struct vk_io *io = fake_open(&disk);
	enum vk_status status = vk_scan(io, options, ret_scan, err);

	vk_io_close(io);
	return status;
}

static void assert_same(const struct vk_scan *a, const struct vk_scan *b)
{
	assert_int_equal(a->mark_count, b->mark_count);
	for (size_t i = 0; i < a->mark_count; i++) {
		assert_int_equal(a->marks[i].kind, b->marks[i].kind);
		assert_int_equal(a->marks[i].offset_bytes, b->marks[i].offset_bytes);
	}
	assert_int_equal(a->marks_left_out, b->marks_left_out);
	assert_int_equal(a->vote_count, b->vote_count);
	for (size_t i = 0; i < a->vote_count; i++)
		assert_memory_equal(&a->votes[i], &b->votes[i], sizeof(a->votes[i]));
	assert_int_equal(a->scanned_bytes, b->scanned_bytes);
	assert_int_equal(a->holes_bytes, b->holes_bytes);
	assert_int_equal(a->unreadable_count, b->unreadable_count);
	for (size_t i = 0; i < a->unreadable_count; i++) {
		assert_int_equal(a->unreadable[i].offset_bytes, b->unreadable[i].offset_bytes);
		assert_int_equal(a->unreadable[i].length_bytes, b->unreadable[i].length_bytes);
	}
}

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	/* in memory where that is possible: the state is flushed a thousand times */
	if (access("/dev/shm", W_OK) == 0)
		tmp = "/dev/shm";
	snprintf(folder, sizeof(folder), "%.40s/vmfskit-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/state", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char temporary[160];

	(void)state;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	(void)unlink(temporary);
	(void)unlink(path);
	return rmdir(folder);
}

/* The reads fail from a random one on, again and again, until the end is reached. */
static void interruptions_leave_no_trace(void **state)
{
	const struct vk_scan_options with = options_of(path);
	const struct vk_scan_options without = options_of(NULL);

	(void)state;
	for (uint64_t number = 1; number <= 40; number++) {
		struct vk_scan whole;
		struct vk_scan again;
		struct vk_scan parts;
		struct vk_error err = {0};
		unsigned runs = 0;

		make_disk(number);
		assert_int_equal(scan(&without, &whole, &err), VK_OK);
		assert_int_equal(whole.resumed_bytes, 0);
		for (;;) {
			disk.reads = 0;
			disk.fail_from = runs < 30 ? 1 + random_below(20) : 0;
			runs++;
			if (scan(&with, &parts, &err) == VK_OK)
				break;
			assert_string_equal(err.what, "the cable was pulled");
			assert_non_null(strstr(err.remedy, "the scan continues"));
		}
		assert_true(runs > 1 && parts.resumed_bytes > 0);
		assert_same(&whole, &parts);
		/* once more: the end is known already, and only what was noted is read */
		disk.reads = 0;
		assert_int_equal(scan(&with, &again, &err), VK_OK);
		assert_in_range(disk.reads, 1, VK_SCAN_SAMPLES_MAX + 2 * whole.vote_count + 2 * VK_VOTES_MAX);
		assert_int_equal(again.resumed_bytes, DISK_BYTES);
		assert_true(again.resumed_s != 0);
		assert_same(&whole, &again);
		vk_scan_free(&whole);
		vk_scan_free(&parts);
		vk_scan_free(&again);
		assert_int_equal(unlink(path), 0);
	}
}

static bool not_for_long(void *ctx, uint64_t done, uint64_t total)
{
	unsigned *left = ctx;

	(void)done;
	(void)total;
	return (*left)-- > 0;
}

static void stopping_keeps_what_was_done(void **state)
{
	unsigned left;
	struct vk_scan_options with = options_of(path);
	const struct vk_scan_options without = options_of(NULL);
	struct vk_scan whole;
	struct vk_scan parts;
	struct vk_error err = {0};
	uint64_t before = 0;
	unsigned stops = 0;

	(void)state;
	make_disk(3); /* without holes */
	assert_int_equal(scan(&without, &whole, &err), VK_OK);
	with.progress = not_for_long;
	with.ctx = &left;
	disk.sleep_ms = 12;
	for (;; stops++) {
		left = stops % 3;
		assert_int_equal(scan(&with, &parts, &err), VK_OK);
		assert_int_equal(parts.resumed_bytes, before);
		if (!parts.stopped)
			break;
		before = parts.scanned_bytes;
		for (size_t i = 0; i < parts.unreadable_count; i++)
			before += parts.unreadable[i].length_bytes;
		assert_true(before < DISK_BYTES && stops < 1000);
		vk_scan_free(&parts);
	}
	assert_true(stops >= 3);
	assert_same(&whole, &parts);
	vk_scan_free(&whole);
	vk_scan_free(&parts);
}

static size_t slurp(char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, cap);
	close(fd);
	assert_true(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

static void spit(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	put_at(fd, 0, bytes, len);
	close(fd);
}

static void assert_refused(const struct vk_scan_options *options, const char *why)
{
	struct vk_scan out;
	struct vk_error err = {0};

	disk.reads = 0;
	assert_int_equal(scan(options, &out, &err), VK_USAGE);
	if (strstr(err.what, why) == NULL)
		fail_msg("%s", err.what);
	assert_string_equal(err.where, options->resume_path);
	assert_non_null(strstr(err.remedy, "name a file that does not exist yet"));
	assert_int_equal(disk.reads, 0);
}

static void make_state(char *text, size_t cap, size_t *ret_len)
{
	const struct vk_scan_options with = options_of(path);
	struct vk_scan out;
	struct vk_error err = {0};
	struct stat st;

	make_disk(5);
	disk.fail_from = 30;
	assert_int_equal(scan(&with, &out, &err), VK_IO);
	*ret_len = slurp(text, cap);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	disk.fail_from = 0;
}

static void the_state_of_another_scan_is_refused(void **state)
{
	static char text[1 << 20];
	static char after[1 << 20];
	size_t len;
	struct vk_scan_options other;

	(void)state;
	make_state(text, sizeof(text), &len);
	other = options_of(path);
	other.identity = "naa.6001";
	assert_refused(&other, "another disk: of naa.6000 \"x\"%\n, and this is naa.6001");
	other.identity = NULL;
	assert_refused(&other, "another disk: of naa.6000 \"x\"%\n, and this is one without a name");
	other = options_of(path);
	other.start_bytes = 512;
	other.length_bytes -= 512;
	assert_refused(&other, "another range: of");
	other = options_of(path);
	other.length_bytes -= 1;
	assert_refused(&other, "another range: of");
	other = options_of(path);
	other.sector_size = 4096;
	assert_refused(&other, "in sectors of 512, and this one has");
	other = options_of(path);
	disk.size += 512;
	assert_refused(&other, "another disk: of 209715500 bytes");
	assert_int_equal(slurp(after, sizeof(after)), len);
	assert_memory_equal(text, after, len);
}

static void damaged_states_are_refused(void **state)
{
	static char text[1 << 20];
	static char after[1 << 20];
	const struct vk_scan_options with = options_of(path);
	size_t len;

	(void)state;
	make_state(text, sizeof(text), &len);
	for (unsigned i = 0; i < 200; i++) {
		size_t at = (size_t)random_below(len);

		memcpy(after, text, len);
		after[at] = (char)(after[at] ^ (1 << random_below(8)));
		spit(after, len);
		assert_refused(&with, at < 15 ? "" : "damaged");
		spit(text, at); /* cut short */
		assert_refused(&with, at < 13 ? "no state of a scan" : at < 15 ? "format of another" : "damaged");
	}
	memcpy(after, text, len);
	after[len] = '\n';
	spit(after, len + 1);
	assert_refused(&with, "damaged");
	memcpy(after, text, len);
	after[13] = '1'; /* the format that did not say enough of its disk */
	vk_scan_text_end(after, len - VK_SCAN_END_BYTES, after + len - VK_SCAN_END_BYTES);
	spit(after, len);
	assert_refused(&with, "format of another vmfskit, and it is left as it is");
}

/* The same name, or none, and other bytes: what was noted is read again, and votes that are not there any more are dropped. */
static void a_state_of_other_bytes_is_refused(void **state)
{
	static const char *const names[] = {"naa.6000", NULL};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_scan_options with = options_of(path);
		struct fake_disk before;
		struct vk_scan whole, out;
		struct vk_error err = {0};

		with.identity = names[i];
		make_disk(11);
		assert_int_equal(scan(&with, &whole, &err), VK_OK);
		assert_true(whole.vote_count > 0 && whole.resumed_s == 0);
		/* one volume is gone: its votes go, the rest stays */
		before = disk;
		for (size_t k = 0; k < disk.block_count; k++) {
			struct fake_block *b = &disk.blocks[k];

			/* behind the magic stands where it lies in the volume */
			if ((int64_t)(b->offset - b->words[1]) == whole.votes[whole.vote_count - 1].volume_start_bytes)
				memset(b->words, 0, sizeof(b->words));
		}
		assert_int_equal(scan(&with, &out, &err), VK_OK);
		assert_int_equal(out.vote_count, whole.vote_count - 1);
		assert_true(out.resumed_s != 0 && out.resumed_bytes == DISK_BYTES);
		vk_scan_free(&out);
		/* another disk of this size */
		disk = before;
		make_disk(12);
		assert_int_equal(scan(&with, &out, &err), VK_USAGE);
		assert_non_null(strstr(err.what, "blocks that it noted are others now"));
		assert_non_null(strstr(err.remedy, "does not exist yet"));
		vk_scan_free(&whole);
		assert_int_equal(unlink(path), 0);
	}
}

static void other_files_are_left_alone(void **state)
{
	const struct vk_scan_options with = options_of(path);
	char text[64];
	struct stat st;

	(void)state;
	make_disk(6);
	spit("", 0);
	assert_refused(&with, "no state of a scan");
	spit("a picture of my cat", 19);
	assert_refused(&with, "left as it is");
	assert_int_equal(slurp(text, sizeof(text)), 19);
	assert_int_equal(truncate(path, VK_SCAN_TEXT_MAX + 1), 0);
	assert_refused(&with, "too large");
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_refused(&with, "symbolic link");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(&with, "not a file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(&with, "not a file");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(rmdir(path), 0);
}

/* That the state cannot be kept is told before hours are spent. */
static void a_state_that_cannot_be_kept_is_told_at_once(void **state)
{
	char nowhere[160];
	struct vk_scan_options with = options_of(nowhere);
	struct vk_scan out;
	struct vk_error err = {0};

	(void)state;
	make_disk(7);
	snprintf(nowhere, sizeof(nowhere), "%s/none/state", folder);
	assert_int_equal(scan(&with, &out, &err), VK_IO);
	assert_int_equal(disk.reads, 0);
	assert_non_null(strstr(err.remedy, "folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(interruptions_leave_no_trace, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(stopping_keeps_what_was_done, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_state_of_another_scan_is_refused, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(damaged_states_are_refused, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_state_of_other_bytes_is_refused, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(other_files_are_left_alone, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_state_that_cannot_be_kept_is_told_at_once, make_folder, remove_folder),
	};

	return cmocka_run_group_tests_name("find: resume", tests, NULL, NULL);
}
