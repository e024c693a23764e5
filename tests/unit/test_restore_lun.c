/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guards lun and unidentified: between plan and write a device can become another LUN, for its number is given again
 * or a link leads elsewhere. On loop devices, with names of our own over /sys/dev/block in a mount namespace; as
 * root.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "first_line.h"
#include "repair/guard/guards.h"
#include "repair_bench.h"

#define A "naa.600144f07ed404000000496ff8cd0003"
#define B "naa.6999999999999999999999999999bbbb"

struct lun {
	struct bench *bench;
	char device[128];
	char tree[160];
	char wwid[240];
};

static void say(const struct lun *l, const char *wwid)
{
	FILE *f = fopen(l->wwid, "we");

	assert_non_null(f);
	fputs(wwid, f);
	assert_int_equal(fclose(f), 0);
}

static void losetup(const char *options, const char *what, char *ret_line, int cap)
{
	char command[300];

	snprintf(command, sizeof(command), "losetup %s %s 2>/dev/null", options, what);
	first_line(command, ret_line, cap);
}

/* Each has a tree of its own; false: there can be none here. */
static bool lun_open(struct lun *l)
{
	char folder[200];
	struct stat st;

	memset(l, 0, sizeof(*l));
	l->bench = bench_open();
	if (geteuid() == 0)
		losetup("-f --show", l->bench->disk, l->device, sizeof(l->device));
	if (l->device[0] == '\0' || stat(l->device, &st) != 0)
		return false;
	snprintf(l->tree, sizeof(l->tree), "%s/tree", l->bench->dir);
	snprintf(folder, sizeof(folder), "%s/%u:%u", l->tree, major(st.st_rdev), minor(st.st_rdev));
	assert_int_equal(mkdir(l->tree, 0755), 0);
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(l->wwid, sizeof(l->wwid), "%s/wwid", folder);
	say(l, A);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	assert_int_equal(mount(l->tree, "/sys/dev/block", NULL, MS_BIND, NULL), 0);
	return true;
}

static void lun_close(struct lun *l)
{
	char line[16];

	if (l->wwid[0] != '\0')
		(void)umount("/sys/dev/block");
	if (l->device[0] != '\0')
		losetup("-d", l->device, line, sizeof(line));
	bench_close(l->bench);
}

/* Through a link that leads to another place as soon as the device is open: its names are those of what is read. */
static void take(const struct lun *l, struct vk_capture *ret_capture)
{
	const struct vk_source_options as = {.as = VK_SOURCE_DISK};
	struct vk_store *store = test_store(l->bench->store, VK_STORE_ADD);
	const struct vk_capture_options options = {.store = store, .vmfs_optional = true};
	char id[VK_CAPTURE_ID_BYTES], link[160];
	struct vk_source source;
	struct vk_error err;

	snprintf(link, sizeof(link), "%s/taken", l->bench->dir);
	assert_int_equal(symlink(l->device, link), 0);
	assert_int_equal(vk_source_open(link, &as, &source, &err), VK_OK);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(l->bench->disk, link), 0);
	assert_int_equal(vk_capture_take(&source, &options, NULL, id, &err), VK_OK);
	vk_source_close(&source);
	vk_store_close(store);
	assert_int_equal(vk_capture_open(l->bench->store, id, ret_capture, &err), VK_OK);
	assert_string_equal(ret_capture->wwid, A);
}

/* The file below the device, behind whatever is cached. */
static uint8_t byte_0(const struct lun *l)
{
	uint8_t byte = 0;
	int fd = open(l->device, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	close(fd);
	return byte;
}

static void spoil(const struct lun *l)
{
	uint8_t byte = (uint8_t)~l->bench->bytes[0];
	int fd = open(l->device, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static struct vk_restore *plan(const struct lun *l, const struct vk_capture *capture, const char *path)
{
	const struct vk_restore_options options = {.store = l->bench->store, .parts = VK_PART_TABLE};
	struct vk_restore *restore;
	const struct vk_edit *edits;
	struct vk_error err;

	assert_int_equal(vk_restore_plan(capture, path, &options, &restore, &err), VK_OK);
	assert_int_equal(vk_restore_edits(restore, &edits), 1);
	assert_false(vk_restore_refused(restore));
	return restore;
}

/* One that was captured, and spoilt since. Where there can be none the test is skipped. */
static void lun_begin(struct lun *l, struct vk_capture *ret_capture)
{
	if (!lun_open(l)) {
		lun_close(l);
		skip();
	}
	take(l, ret_capture);
	spoil(l);
}

/* The number is another LUN's now, which holds the very same bytes: a replica. */
static void the_number_is_another_luns(void **state)
{
	char undo[VK_CAPTURE_ID_BYTES];
	struct vk_capture capture;
	struct vk_restore *restore;
	struct vk_error err;
	struct lun l;

	(void)state;
	lun_begin(&l, &capture);
	restore = plan(&l, &capture, l.device);
	say(&l, B);
	assert_int_equal(vk_restore_write(restore, undo, &err), VK_REFUSED);
	assert_non_null(strstr(err.what, "guard lun"));
	assert_non_null(strstr(err.what, B));
	assert_non_null(strstr(err.remedy, "nothing was written"));
	assert_int_equal(byte_0(&l), (uint8_t)~l.bench->bytes[0]);
	/* one that has lost its names is no better */
	assert_int_equal(unlink(l.wwid), 0);
	assert_int_equal(vk_restore_write(restore, undo, &err), VK_REFUSED);
	assert_int_equal(byte_0(&l), (uint8_t)~l.bench->bytes[0]);
	say(&l, A);
	assert_int_equal(vk_restore_write(restore, undo, &err), VK_OK);
	assert_int_equal(byte_0(&l), l.bench->bytes[0]);
	vk_restore_free(restore);
	vk_capture_close(&capture);
	lun_close(&l);
}

/* A link that leads elsewhere by now: what was planned for is written, and nothing else. */
static void the_link_leads_elsewhere(void **state)
{
	char undo[VK_CAPTURE_ID_BYTES], link[160], elsewhere[160];
	struct vk_capture capture;
	struct vk_restore *restore;
	struct vk_error err;
	struct stat st;
	struct lun l;

	(void)state;
	lun_begin(&l, &capture);
	snprintf(link, sizeof(link), "%s/link", l.bench->dir);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", l.bench->dir);
	assert_int_equal(symlink(l.device, link), 0);
	restore = plan(&l, &capture, link);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(close(open(elsewhere, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(truncate(elsewhere, BENCH_BYTES), 0);
	assert_int_equal(symlink(elsewhere, link), 0);
	assert_int_equal(vk_restore_write(restore, undo, &err), VK_OK);
	assert_int_equal(byte_0(&l), l.bench->bytes[0]);
	assert_int_equal(stat(elsewhere, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	vk_restore_free(restore);
	vk_capture_close(&capture);
	lun_close(&l);
}

/* The guard says exactly this; VK_GUARD_COUNT: nothing. */
static void expect(struct vk_restore *restore, vk_guard_ask *ask, enum vk_guard guard)
{
	struct vk_error err;

	assert_int_equal(ask(restore, &err), VK_OK);
	assert_int_equal(restore->objection_count, guard == VK_GUARD_COUNT ? 0 : 1);
	if (guard == VK_GUARD_COUNT)
		return;
	assert_int_equal(restore->objections[0].guard, guard);
	assert_false(restore->objections[0].overridden);
	free(restore->objections);
	restore->objections = NULL;
	restore->objection_count = 0;
}

/* What the device says is silenced by nothing that is known of the bytes. */
static void another_lun(void **state)
{
	struct vk_capture capture = {.wwid = A, .source_kind = VK_SOURCE_DISK, .size_bytes = BENCH_BYTES};
	struct vk_disk_facts facts = {.wwid = A, .kind = VK_SOURCE_DISK, .size_bytes = BENCH_BYTES};
	struct vk_restore restore = {.capture = &capture, .facts = &facts};

	(void)state;
	expect(&restore, vk_guard_ask_lun, VK_GUARD_COUNT);
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_COUNT);
	strcpy(facts.wwid, B);
	expect(&restore, vk_guard_ask_lun, VK_GUARD_LUN);
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_COUNT);
	restore.known_state = true;
	capture.is_undo = true;
	expect(&restore, vk_guard_ask_lun, VK_GUARD_LUN);
	capture.is_undo = false;
	capture.is_rebuilt = true;
	expect(&restore, vk_guard_ask_lun, VK_GUARD_LUN);
	restore.options.overrides = ~(1U << VK_GUARD_LUN);
	expect(&restore, vk_guard_ask_lun, VK_GUARD_LUN);
	/* what repair worked out, when the path has become another LUN's meanwhile */
	capture.memory = vk_io_memory("disk", "x", 1, true);
	expect(&restore, vk_guard_ask_lun, VK_GUARD_LUN);
	strcpy(facts.wwid, A);
	expect(&restore, vk_guard_ask_lun, VK_GUARD_COUNT);
	/* a disk without names is the one that was read */
	capture.wwid[0] = facts.wwid[0] = '\0';
	expect(&restore, vk_guard_ask_lun, VK_GUARD_COUNT);
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_COUNT);
	vk_io_close(capture.memory);
}

static void nothing_proves_it(void **state)
{
	struct vk_capture capture = {.wwid = A, .source_kind = VK_SOURCE_DISK, .size_bytes = BENCH_BYTES};
	struct vk_disk_facts facts = {.kind = VK_SOURCE_DISK, .size_bytes = BENCH_BYTES};
	struct vk_restore restore = {.capture = &capture, .facts = &facts};

	(void)state;
	expect(&restore, vk_guard_ask_lun, VK_GUARD_COUNT);
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_UNIDENTIFIED);
	/* of an undo: the bytes that the restore left */
	restore.known_state = true;
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_COUNT);
	restore.known_state = false;
	/* a contradiction that no other guard spoke of is no proof */
	restore.of = (struct vk_of_disk){.is_of = VK_OF_NO, .by = VK_PROOF_GUID,
					 .why = "its GPT is that of another disk"};
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_UNIDENTIFIED);
	restore.of = (struct vk_of_disk){.is_of = VK_OF_LIKELY, .by = VK_PROOF_SERIAL};
	expect(&restore, vk_guard_ask_unidentified, VK_GUARD_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_lun),
		cmocka_unit_test(nothing_proves_it),
		cmocka_unit_test(the_number_is_another_luns),
		cmocka_unit_test(the_link_leads_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
