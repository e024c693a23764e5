/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes with 1 to 64 wrong bytes in their metadata: everything is listed, mapped, read and looked up, and it ends.
 * Damage number N of a volume follows from its name and N alone: test_fs_damage real6 592 repeats one case. DAMAGES: so
 * many of each volume; DAMAGES_FROM: the first number.
 */
#include <signal.h>

#include "damage_run.h"
#include "fs_damage.h"

enum { SECONDS = 10, READ_BYTES = 100000, PRACTICE = 4, USUAL = 15 };

static struct places places;

static const char *volume_name(size_t index)
{
	static const char *const practice[] = {"version=3", "version=5", "version=6", "version=6l"};

	return index < REAL_VOLUMES ? real_volumes[index].name
				    : index < REAL_VOLUMES + PRACTICE ? practice[index - REAL_VOLUMES] : NULL;
}

/* What is looked at, and what is said: texts that end and steer no terminal. */
struct look {
	struct vk_fs *fs;
	struct vk_finding_sink sink;
	uint64_t files;
	uint8_t bytes[READ_BYTES];
};

static void check_finding(void *ctx, const struct vk_finding *finding)
{
	(void)ctx;
	assert_true((unsigned)finding->code < VK_F_COUNT && finding->message[0] != '\0');
	assert_printable(finding->message, sizeof(finding->message));
	assert_printable(finding->seen, sizeof(finding->seen));
	assert_printable(finding->expected, sizeof(finding->expected));
}

static bool any_entry(void *ctx, const struct vk_fs_entry *entry)
{
	assert_true(memchr(entry->name, '\0', sizeof(entry->name)) != NULL && entry->name[0] != '\0');
	(*(uint64_t *)ctx)++;
	return true;
}

static void look_at_bytes(struct look *l, const struct vk_fs_file *file)
{
	uint64_t end = file->meta.fileLength, at = 0, missing, allocated;
	const uint64_t offsets[] = {0, end / 3, end < READ_BYTES / 2 ? 0 : end - READ_BYTES / 2};
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	size_t got;

	assert_int_equal(vk_fs_walk_open(l->fs, file, 0, UINT64_MAX, &l->sink, &walk, &err), VK_OK);
	for (; vk_fs_walk_next(walk, &run); at += run.length_bytes) {
		assert_true(run.length_bytes > 0);
		assert_int_equal(run.file_offset, at);
	}
	assert_int_equal(at, end);
	vk_fs_walk_close(walk);
	for (size_t i = 0; i < 3; i++) {
		enum vk_status st = vk_fs_read(l->fs, file, offsets[i], l->bytes, READ_BYTES, &got, &err);

		assert_true(st != VK_OK || (got <= READ_BYTES && (got == 0 || got <= end - offsets[i])));
	}
	assert_true(vk_fs_measure(l->fs, file, &missing, NULL, &allocated, &err) == VK_OK || err.what[0] != '\0');
}

static bool look_at_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	char target[VK_FS_LINK_BYTES];
	struct look *l = ctx;
	struct vk_error err = {0};
	struct vk_fs_file *file;
	uint64_t entries = 0;

	*ret_stop = ++l->files > 10000;
	assert_true(visit->path[0] == '/' && strlen(visit->path) < VK_FS_PATH_BYTES);
	if (visit->file == NULL) {
		assert_true(visit->error->what[0] != '\0');
		return true;
	}
	look_at_bytes(l, visit->file);
	if (vk_fs_file_is_folder(visit->file))
		assert_true(vk_fs_list(l->fs, visit->file, true, any_entry, &entries, &l->sink, &err) == VK_OK ||
			    err.what[0] != '\0');
	if (visit->file->meta.type == VK_FILE_LINK)
		assert_true(vk_fs_link(l->fs, visit->file, target, &err) == VK_OK || err.what[0] != '\0');
	if (vk_fs_lookup(l->fs, visit->path, l->files % 2 == 0, &l->sink, &file, &err) == VK_OK)
		vk_fs_file_close(file);
	else
		assert_true(err.what[0] != '\0');
	return true;
}

/* The name of the case, for a signal. */
static char now[80];
static void hangs(int number)
{
	(void)number;
	if (write(STDERR_FILENO, now, strlen(now)) < 0)
		_exit(3);
	_exit(2);
}

static void one_damage(struct folder_bench *b, const char *name, uint64_t number, bool show)
{
	uint64_t random = number * 7919 + 1;
	unsigned edits;
	static struct look l;

	for (const char *c = name; *c != '\0'; c++)
		random = random * 31 + (uint8_t)*c;
	snprintf(now, sizeof(now), "%s %llu hangs\n", name, (unsigned long long)number);
	alarm(SECONDS);
	header_bench_reset(&b->disk);
	for (edits = 1 + (unsigned)damage_below(&random, 3); edits > 0; edits--) {
		struct fs_damage d = fs_damage_draw(&places, &random);

		if (show)
			fprintf(stderr, "%s, %zu bytes at 0x%llx\n", place_names[d.place->what], d.len, (unsigned long long)d.at);
		header_bench_hurt(&b->disk, d.at, d.bytes, d.len);
	}
	folder_bench_again(b);
	if (b->fs != NULL) {
		l.fs = b->fs;
		l.sink = (struct vk_finding_sink){check_finding, &l};
		l.files = 0;
		assert_true(vk_fs_walk_tree(b->fs, "/", look_at_visit, &l, &l.sink, &b->err) == VK_OK ||
			    b->err.what[0] != '\0');
	}
	for (size_t i = 0; i < b->findings.count; i++)
		check_finding(NULL, &b->findings.items[i]);
	if (show)
		fprintf(stderr, "%llu files; %s\n", (unsigned long long)l.files, b->fs == NULL ? b->err.what : "it opens");
	alarm(0);
}

/* False: the volume is not there. */
static bool run_volume(size_t index, uint64_t first, uint64_t count, bool show)
{
	struct vk_io *io = index < REAL_VOLUMES ? real_volume_open(&real_volumes[index])
						: header_bench_lab(volume_name(index), 2 * GIB, 1, 0);
	struct folder_bench b;

	if (io == NULL)
		return false;
	signal(SIGALRM, hangs);
	folder_bench_open(&b, io);
	assert_non_null(b.fs);
	places_find(&places, &b);
	for (uint64_t i = 0; i < count; i++)
		one_damage(&b, volume_name(index), first + i, show);
	folder_bench_close(&b);
	return true;
}

static void everything_ends(void **state)
{
	if (!run_volume((uintptr_t)*state, damage_number_of("DAMAGES_FROM", 0), damage_number_of("DAMAGES", USUAL), false))
		skip();
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[REAL_VOLUMES + PRACTICE];

	for (size_t i = 0; argc > 2 && volume_name(i) != NULL; i++)
		if (strcmp(volume_name(i), argv[1]) == 0)
			return run_volume(i, strtoull(argv[2], NULL, 10), 1, true) ? 0 : 77;
	for (size_t i = 0; i < REAL_VOLUMES + PRACTICE; i++)
		tests[i] = damage_unit_test("everything_ends", volume_name(i), everything_ends, i);
	return cmocka_run_group_tests_name("fs damage", tests, NULL, NULL);
}
