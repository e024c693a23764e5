/* SPDX-License-Identifier: Apache-2.0 */
/* The second night: what is the same becomes a link, and nothing else does. */
#include "capture_fixture.h"
#include "store/folder/folder.h"

#define LVM_FILE "p1-lvm.raw"
#define HEARTBEATS FIXTURE_BASE + 0x1400000

static void sound(const struct fixture *f)
{
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err;

	assert_int_equal(vk_capture_verify(f->path, &sink, &err), VK_OK);
	for (size_t i = 0; i < findings.count; i++)
		assert_int_equal(findings.items[i].code, VK_F_CAPTURE_INCOMPLETE);
	vk_findings_free(&findings);
}

/* The files of the capture are the bytes of the disk. */
static void equals_disk(const struct fixture *f)
{
	struct vk_capture c;
	struct vk_error err;

	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	for (size_t i = 0; i < c.region_count; i++) {
		const struct vk_region *r = &c.regions[i];
		size_t len;
		uint8_t *bytes = fixture_slurp(fixture_file(f, r->file), &len);

		assert_int_equal(len, r->length_bytes);
		assert_memory_equal(bytes, f->disk.bytes + r->offset_bytes, len);
		free(bytes);
	}
	vk_capture_close(&c);
}

/* Take one more capture; previous keeps the folder of the one before. */
static void next_night(struct fixture *f, char previous[256])
{
	char id[VK_CAPTURE_ID_BYTES];
	const struct vk_capture_options options = {.store = f->open_store, .previous = id};
	struct vk_finding_sink sink = vk_findings_sink(&f->findings);
	struct vk_error err = {.status = VK_OK};

	memcpy(id, f->id, sizeof(id));
	snprintf(previous, 256, "%s", f->path);
	if (vk_capture_take(&f->source, &options, &sink, f->id, &err) != VK_OK)
		fail_msg("capture failed: %s (%s)", err.what, err.where);
	snprintf(f->path, sizeof(f->path), "%s/%s", f->store, f->id);
	sound(f);
}

static bool is_linked(const struct fixture *f, const char *previous, const char *file)
{
	char path[400];
	struct stat old;
	struct stat new;

	snprintf(path, sizeof(path), "%s/%s", previous, file);
	assert_int_equal(stat(path, &old), 0);
	assert_int_equal(stat(fixture_file(f, file), &new), 0);
	return old.st_ino == new.st_ino && old.st_dev == new.st_dev;
}

static void nothing_changed(void **state)
{
	static const char *const files[] = {"head.raw", LVM_FILE, "p1-vh.raw", "p1-heartbeats.raw", "RESTORE.txt"};
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	char previous[256];

	(void)state;
	for (unsigned holes = 0; holes < 2; holes++) {
		f->disk.as_holes = holes != 0;
		fixture_take(f);
		next_night(f, previous);
		equals_disk(f);
		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
			assert_true(is_linked(f, previous, files[i]));
		assert_false(is_linked(f, previous, "manifest.json"));
		assert_false(is_linked(f, previous, "SHA256SUMS"));
	}
	assert_int_equal(f->findings.count, 0);
	fixture_free(f);
}

/* One byte at each place where a comparison could be off by one; all other files stay links. */
static void one_byte_changed(void **state)
{
	const uint64_t places[] = {0, 4095, 4096, 65535, 65536, 262143, 262144, 0x100004, 0x500000, 0x10fffff};
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	char previous[256];

	(void)state;
	memset(f->disk.bytes + FIXTURE_BASE, 0x42, 70000);
	fixture_take(f);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		f->disk.as_holes = i % 2 != 0;
		f->disk.bytes[FIXTURE_BASE + places[i]] ^= 1;
		next_night(f, previous);
		equals_disk(f);
		assert_false(is_linked(f, previous, LVM_FILE));
		assert_true(is_linked(f, previous, "p1-vh.raw"));
		assert_true(is_linked(f, previous, "head.raw"));
		next_night(f, previous);
		assert_true(is_linked(f, previous, LVM_FILE));
	}
	/* data that went away */
	memset(f->disk.bytes + FIXTURE_BASE, 0, 70000);
	next_night(f, previous);
	equals_disk(f);
	assert_false(is_linked(f, previous, LVM_FILE));
	fixture_free(f);
}

static void only_what_ticks(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	char previous[256];

	(void)state;
	fixture_take(f);
	f->disk.bytes[HEARTBEATS + 600] = 7;
	next_night(f, previous);
	equals_disk(f);
	assert_false(is_linked(f, previous, "p1-heartbeats.raw"));
	assert_true(is_linked(f, previous, LVM_FILE));
	assert_true(is_linked(f, previous, "RESTORE.txt"));
	fixture_free(f);
}

/* Whatever stands in the place of the old file: it is not carried on, and the new one is right. */
static void old_file_is_not_to_be_trusted(void **state)
{
	enum { ROTTEN, SHORT, WRITABLE, SYMLINK, FIFO, FOLDER, GONE, KINDS };
	char previous[256];
	char aside[300];

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
		const char *file;
		uint8_t byte = 0x77;

		fixture_take(f);
		file = fixture_file(f, LVM_FILE);
		assert_int_equal(chmod(file, 0600), 0);
		snprintf(aside, sizeof(aside), "%s/aside", f->store);
		if (kind == ROTTEN)
			fixture_put(file, 0x800000, &byte, 1);
		else if (kind == SHORT)
			assert_int_equal(truncate(file, 0x1100000 - 512), 0);
		else if (kind > WRITABLE)
			assert_int_equal(rename(file, aside), 0);
		if (kind == SYMLINK)
			assert_int_equal(symlink("../aside", file), 0);
		if (kind == FIFO)
			assert_int_equal(mkfifo(file, 0400), 0);
		if (kind == FOLDER)
			assert_int_equal(mkdir(file, 0700), 0);
		if (kind == ROTTEN || kind == SHORT)
			assert_int_equal(chmod(file, 0400), 0);
		else if (kind > WRITABLE)
			assert_int_equal(chmod(aside, 0400), 0);
		next_night(f, previous);
		equals_disk(f);
		if (kind != GONE && kind != SYMLINK)
			assert_false(is_linked(f, previous, LVM_FILE));
		assert_true(is_linked(f, previous, "p1-vh.raw"));
		fixture_free(f);
	}
}

struct meanwhile {
	char file[400]; /* empty: it was done */
	bool cut;
};

/* The first part of the file has been compared. */
static void change_old(void *ctx, uint64_t offset)
{
	struct meanwhile *m = ctx;
	const uint8_t byte = 0x77;

	if (m->file[0] == '\0' || offset < FIXTURE_BASE + 0x200000 || offset >= FIXTURE_BASE + 0x1100000)
		return;
	if (m->cut)
		assert_int_equal(truncate(m->file, 0x1000), 0);
	else
		fixture_put(m->file, 100, &byte, 1);
	m->file[0] = '\0';
}

/* The old file changes, or is cut, behind where it is compared: the night has its capture all the same, and a right one. */
static void old_file_is_lost_under_way(void **state)
{
	char previous[256];

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
		struct meanwhile m = {.cut = kind % 2 != 0};
		struct vk_capture c;
		struct vk_error err;

		memset(f->disk.bytes + FIXTURE_BASE, 0x42, 70000);
		/* noted once, however often the file is made */
		f->disk.bad[0] = (struct vk_range){FIXTURE_BASE + 0x180000, 512};
		f->disk.bad_count = 1;
		fixture_take(f);
		f->disk.bytes[FIXTURE_BASE + 0x10fffff] ^= kind < 2;
		snprintf(m.file, sizeof(m.file), "%s", fixture_file(f, LVM_FILE));
		f->disk.at_read = change_old;
		f->disk.ctx = &m;
		next_night(f, previous);
		assert_int_equal(m.file[0], '\0');
		equals_disk(f);
		assert_false(is_linked(f, previous, LVM_FILE));
		assert_true(is_linked(f, previous, "p1-vh.raw"));
		assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
		assert_int_equal(c.unreadable_count, 1);
		assert_int_equal(c.unreadable[0].length_bytes, 512);
		vk_capture_close(&c);
		fixture_free(f);
	}
}

static void previous_is_no_capture(void **state)
{
	static const char *const names[] = {"..", "", "/etc", "nothing", ".tmp-x", "link"};
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_finding_sink sink = vk_findings_sink(&f->findings);
	char link[300];
	struct vk_error err;

	(void)state;
	fixture_take(f);
	snprintf(link, sizeof(link), "%s/link", f->store);
	assert_int_equal(symlink(f->id, link), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct vk_capture_options options = {.store = f->open_store, .previous = names[i]};
		struct stat st;

		assert_int_equal(vk_capture_take(&f->source, &options, &sink, f->id, &err), VK_OK);
		snprintf(f->path, sizeof(f->path), "%s/%s", f->store, f->id);
		sound(f);
		assert_int_equal(stat(fixture_file(f, LVM_FILE), &st), 0);
		assert_int_equal(st.st_nlink, 1);
	}
	fixture_free(f);
}

static void unreadable_is_written_again(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	char previous[256];
	struct vk_capture c;
	struct vk_error err;

	(void)state;
	fixture_take(f);
	f->disk.bad[0] = (struct vk_range){FIXTURE_BASE + 0x100000, 512};
	f->disk.bad_count = 1;
	next_night(f, previous);
	assert_false(is_linked(f, previous, LVM_FILE));
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	assert_int_equal(c.unreadable_count, 1);
	vk_capture_close(&c);
	fixture_free(f);
}

/* ---- what a killed run leaves */

static void put_folder(const struct fixture *f, const char *name, const char *file)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", f->store, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", f->store, name, file);
	fixture_write(path, "x", 1);
}

static bool is_there(const struct fixture *f, const char *name)
{
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->store, name);
	return lstat(path, &st) == 0;
}

static void leftovers(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	const struct vk_store_options options = {.use = VK_STORE_RUN, .sink = &sink};
	struct vk_folder making;
	struct vk_store *run;
	struct vk_error err;
	char path[400];

	(void)state;
	fixture_take(f);
	put_folder(f, ".tmp-20260101T000000Z-a", "head.raw");
	put_folder(f, ".gone-20260101T000000Z-b", "head.raw");
	put_folder(f, ".tmp-with-folder", "file");
	snprintf(path, sizeof(path), "%s/.tmp-with-folder/sub", f->store);
	assert_int_equal(mkdir(path, 0700), 0);
	put_folder(f, ".tmp-with-link", "file");
	snprintf(path, sizeof(path), "%s/.tmp-with-link/link", f->store);
	assert_int_equal(symlink("/etc", path), 0);
	snprintf(path, sizeof(path), "%s/.tmp-link", f->store);
	assert_int_equal(symlink(f->id, path), 0);
	put_folder(f, "mine", "head.raw");
	/* an undo capture beside the run */
	assert_int_equal(vk_folder_begin(f->open_store, "/dev/x", "-undo", 1, &making, &err), VK_OK);
	assert_int_equal(vk_store_open(f->store, &options, &run, &err), VK_OK);
	assert_false(is_there(f, ".tmp-20260101T000000Z-a"));
	assert_false(is_there(f, ".gone-20260101T000000Z-b"));
	assert_true(is_there(f, ".tmp-with-folder/sub"));
	assert_true(is_there(f, ".tmp-with-folder/file"));
	assert_true(is_there(f, ".tmp-with-link/file"));
	assert_true(is_there(f, ".tmp-link"));
	assert_true(is_there(f, "mine/head.raw"));
	assert_true(is_there(f, making.temporary));
	assert_int_equal(findings.count, 3);
	assert_int_equal(fixture_count(&findings, VK_F_STORE_LEFT_OVER), 3);
	sound(f);
	assert_int_equal(vk_folder_put(&making, "head.raw", "x", 1, &err), VK_OK);
	vk_folder_abandon(&making);
	assert_false(is_there(f, making.temporary));
	vk_store_close(run);
	vk_findings_free(&findings);
	fixture_free(f);
}

/* A folder that took the place of the one that was begun is neither named nor emptied. */
static void replaced_under_way(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_folder making;
	struct vk_error err;
	char path[400];
	char aside[400];

	(void)state;
	assert_int_equal(vk_folder_begin(f->open_store, "/dev/x", "", 1, &making, &err), VK_OK);
	snprintf(path, sizeof(path), "%s/%s", f->store, making.temporary);
	snprintf(aside, sizeof(aside), "%s/aside", f->store);
	assert_int_equal(rename(path, aside), 0);
	put_folder(f, making.temporary, "other");
	assert_int_equal(vk_folder_commit(&making, &err), VK_IO);
	vk_folder_abandon(&making);
	assert_true(is_there(f, making.temporary));
	snprintf(path, sizeof(path), "%s/other", making.temporary);
	assert_true(is_there(f, path));
	fixture_free(f);
}

static void lock_that_is_none(void **state)
{
	enum { SYMLINK, FIFO, HARDLINK, FOLDER, KINDS };
	const struct vk_store_options options = {.use = VK_STORE_RUN};

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
		char path[300];
		char other[300];
		struct vk_store *run;
		struct vk_error err;
		uint8_t *bytes;
		size_t len;

		snprintf(path, sizeof(path), "%s/.lock", f->store);
		snprintf(other, sizeof(other), "%s/precious", f->store);
		fixture_write(other, "precious", 8);
		if (kind == SYMLINK)
			assert_int_equal(symlink(other, path), 0);
		else if (kind == FIFO)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (kind == FOLDER)
			assert_int_equal(mkdir(path, 0700), 0);
		else
			assert_int_equal(link(other, path), 0);
		assert_int_equal(vk_store_open(f->store, &options, &run, &err), VK_REFUSED);
		assert_non_null(strstr(err.remedy, ".lock"));
		bytes = fixture_slurp(other, &len);
		assert_int_equal(len, 8);
		assert_memory_equal(bytes, "precious", 8);
		free(bytes);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(one_byte_changed),
		cmocka_unit_test(only_what_ticks),
		cmocka_unit_test(old_file_is_not_to_be_trusted),
		cmocka_unit_test(old_file_is_lost_under_way),
		cmocka_unit_test(previous_is_no_capture),
		cmocka_unit_test(unreadable_is_written_again),
		cmocka_unit_test(leftovers),
		cmocka_unit_test(replaced_under_way),
		cmocka_unit_test(lock_that_is_none),
	};

	return cmocka_run_group_tests_name("capture links", tests, NULL, NULL);
}
