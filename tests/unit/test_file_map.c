/* SPDX-License-Identifier: Apache-2.0 */
/* The map of the files of a volume: what the walk says, byte for byte the same again; hostile texts; comparing two. */
#include "folder_bench.h"
#include "vmfskit/file_map.h"

enum { LIMIT = 1 << 20 };

/* A map in memory. hook is called when everything but the last lines was put. */
struct text_map {
	char *text;
	size_t len;
	void (*hook)(void *ctx);
	void *ctx;
};

static bool put_text(void *ctx, const void *bytes, size_t len)
{
	struct text_map *map = ctx;

	map->text = realloc(map->text, map->len + len + 1);
	assert_non_null(map->text);
	memcpy(map->text + map->len, bytes, len);
	map->len += len;
	map->text[map->len] = '\0';
	if (map->hook != NULL)
		map->hook(map->ctx);
	map->hook = NULL;
	return true;
}

static bool restart(void *ctx)
{
	((struct text_map *)ctx)->len = 0;
	return true;
}

static struct vk_file_map_made make(struct folder_bench *b, struct text_map *map)
{
	const struct vk_fs_extent extent = {.io = vk_overlay_io(b->disk.damage), .vmfs = &b->vmfs};
	const struct vk_file_map_out out = {put_text, restart, map};
	struct vk_file_map_made result;
	struct vk_error err = {0};

	if (vk_file_map_make(&extent, 1, LIMIT, &out, &result, &err) != VK_OK)
		fail_msg("%s", err.what);
	assert_int_equal(result.bytes, map->len);
	return result;
}

static struct vk_file_map load(const char *text, size_t len)
{
	struct vk_io *io = vk_io_memory("map", text, len, false);
	struct vk_file_map map;
	struct vk_error err = {0};

	if (vk_file_map_load(io, &map, &err) != VK_OK)
		fail_msg("%s", err.what);
	vk_io_close(io);
	return map;
}

/* ---- what is in it */

struct against {
	struct folder_bench *b;
	struct vk_fs_file *file;
	struct vk_fs_walk *walk;
	size_t files;
};

static void end_walk(struct against *a)
{
	struct vk_fs_run run;

	if (a->walk != NULL)
		assert_false(vk_fs_walk_next(a->walk, &run));
	vk_fs_walk_close(a->walk);
	vk_fs_file_close(a->file);
	a->walk = NULL;
	a->file = NULL;
}

static bool same_file(void *ctx, const struct vk_file_map_file *file)
{
	struct against *a = ctx;

	end_walk(a);
	a->file = folder_bench_file(a->b, file->path);
	a->files++;
	assert_int_equal(file->address, a->file->address);
	assert_int_equal(file->generation, a->file->meta.generation);
	assert_int_equal(file->type, a->file->meta.type);
	assert_int_equal(file->size_bytes, a->file->meta.fileLength);
	assert_int_equal(file->block_bytes, a->file->meta.blockSize);
	assert_int_equal(file->mode, a->file->meta.mode);
	assert_int_equal(file->links, a->file->meta.linkCount);
	assert_int_equal(file->mtime, a->file->meta.mtime);
	assert_int_equal(vk_fs_walk_open(a->b->fs, a->file, 0, UINT64_MAX, NULL, &a->walk, NULL), VK_OK);
	return true;
}

static bool same_run(void *ctx, const struct vk_fs_run *run)
{
	struct against *a = ctx;
	struct vk_fs_run real;

	assert_true(vk_fs_walk_next(a->walk, &real));
	assert_int_equal(run->kind, real.kind);
	assert_int_equal(run->file_offset, real.file_offset);
	assert_int_equal(run->length_bytes, real.length_bytes);
	assert_int_equal(run->volume_offset, real.volume_offset);
	assert_int_equal(run->copy_on_write, real.copy_on_write);
	return true;
}

static bool count_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	(void)visit;
	(void)ret_stop;
	++*(size_t *)ctx;
	return true;
}

static void real_volumes_map(void **state)
{
	(void)state;
	for (int version = 3; version <= 6; version += version == 3 ? 2 : 1) {
		struct folder_bench *b = bench(version);
		struct text_map map = {.len = 0}, again = {.len = 0};
		struct vk_file_map_made result = make(b, &map);
		struct against a = {.b = b};
		const struct vk_file_map_visitor visitor = {same_file, NULL, same_run, NULL, NULL, &a};
		struct vk_io *io = vk_io_memory("map", map.text, map.len, false);
		struct vk_file_map_sums sums;
		struct vk_error err = {0};
		size_t in_tree = 1; /* the root */

		if (vk_file_map_read(io, &visitor, &sums, &err) != VK_OK)
			fail_msg("%s", err.what);
		end_walk(&a);
		assert_memory_equal(&sums, &result.sums, sizeof(sums));
		assert_int_equal(vk_fs_walk_tree(b->fs, "/", count_visit, &in_tree, NULL, &err), VK_OK);
		assert_int_equal(a.files, in_tree);
		assert_int_equal(sums.files, in_tree);
		assert_true(vk_file_map_is_whole(&sums));
		assert_int_equal(sums.torn, 0);
		assert_int_equal(sums.scope, VK_FILE_MAP_ALL);
		(void)make(b, &again);
		assert_int_equal(again.len, map.len);
		assert_memory_equal(again.text, map.text, map.len);
		vk_io_close(io);
		free(map.text);
		free(again.text);
	}
}

/* ---- what changes while it is result */

static void change_size(void *ctx)
{
	struct folder_bench *b = ctx;
	struct vk_fs_file *file = folder_bench_file(b, "/directory/file2");
	const uint64_t at = file->volume_offset + vk_fs_info(b->fs)->fd.metadata_offset;
	uint8_t length[8];
	uint64_t source, rest;
	size_t extent;

	vk_put_le64(length, file->meta.fileLength + 1);
	assert_true(vk_fs_place(b->fs, at + 0x14, &extent, &source, &rest));
	header_bench_hurt(&b->disk, source, length, sizeof(length));
	vk_fs_file_close(file);
}

/* Of a file that was only read nothing is torn. */
static void read_it(void *ctx)
{
	struct folder_bench *b = ctx;
	struct vk_fs_file *file = folder_bench_file(b, "/directory/file2");
	const uint64_t at = file->volume_offset + vk_fs_info(b->fs)->fd.metadata_offset;
	uint64_t source, rest;
	size_t extent;

	assert_true(vk_fs_place(b->fs, at + 0x34, &extent, &source, &rest));
	header_bench_hurt(&b->disk, source, "read", 4);
	vk_fs_file_close(file);
}

static void torn(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		struct text_map map = {.hook = change_size, .ctx = b}, quiet = {.hook = read_it};
		struct vk_file_map_made result = make(b, &map);
		struct vk_file_map loaded = load(map.text, map.len);
		size_t seen = 0;

		assert_int_equal(result.sums.torn, 1);
		for (size_t i = 0; i < loaded.count; i++)
			if (loaded.files[i].torn) {
				assert_string_equal(loaded.files[i].path, "/directory/file2");
				seen++;
			}
		assert_int_equal(seen, 1);
		vk_file_map_free(&loaded);
		free(map.text);
		quiet.ctx = b = bench(version);
		result = make(b, &quiet);
		assert_int_equal(result.sums.torn, 0);
		free(quiet.text);
	}
}

/* ---- hostile texts */

#define HEAD "vmfskit file map 1\nV 4f4173d6-923034a3-5a3d-0050561003be 1048576 VMFS-5.81\n"
#define HEAD2 "vmfskit file map 2\nV 4f4173d6-923034a3-5a3d-0050561003be 1048576 VMFS-5.81\n"
#define FILE4 "F 3 0x00400004 7 4 512 0x0 0x1a4 0 0 1 10 20 /a b\n"

static enum vk_status read_text(const char *text, size_t len, struct vk_file_map_sums *sums, struct vk_error *err)
{
	struct vk_io *io = vk_io_memory("map", text, len, false);
	enum vk_status status = vk_file_map_read(io, NULL, sums, err);

	vk_io_close(io);
	return status;
}

static void hostile(void **state)
{
	static const char sound_map[] = HEAD FILE4 "d 1 512\nh 2\nm 1\nF 6 0x00800004 1 9 1 0 0 0 0 1 0 0 /r\nR naa.6\n"
					"m 9\nU 3 0x00c00004 2 /gone\nT 0x00400004 7\nE all 3 4 1 1 2\n";
	static const struct {
		const char *text, *what;
	} broken[] = {
		{"", "it ends early"},
		{"vmfskit file map 1", "it ends early"},
		{"vmfskit file map 10\n", "newer form"},
		{"vmfskit files 1\n", "this is no file map"},
		{"vmfskit file map 1\n" FILE4, "line 2"},
		{"vmfskit file map 1\nV nobody 1 x\nE all 0 0 0 0 0\n", "describes no volume"},
		{"vmfskit file map 1\nV 4f4173d6-923034a3-5a3d-0050561003be 1\n", "no volume"},
		{HEAD "V 4f4173d6-923034a3-5a3d-0050561003be 1 x\n", "no line of a file map"},
		{HEAD "d 1 512\n", "a run of no file"},
		{HEAD "U 3 0x00c00004 2 /gone\nd 1 512\n", "a run of no file"},
		{HEAD FILE4 "d 5 512\n", "does not fit"},
		{HEAD FILE4 "d 0 512\n", "does not fit"},
		{HEAD FILE4 "d -1 512\n", "does not fit"},
		{HEAD FILE4 "d 4\n", "has no place"},
		{HEAD FILE4 "d 4 9223372036854775804\n", "lies nowhere"},
		{HEAD FILE4 "d 4 99999999999999999999\n", "lies nowhere"},
		{HEAD FILE4 "d 4 512 9\n", "lies nowhere"},
		{HEAD FILE4 "- 4\n", "no line of a file map"},
		{HEAD FILE4 "x 4\n", "no line of a file map"},
		{HEAD FILE4 "d\n", "no line of a file map"},
		{HEAD FILE4 "R naa.6\n", "a LUN is named"},
		{HEAD FILE4 "d 3 512\n" FILE4, "another length"},
		{HEAD FILE4 "d 3 512\nE all 1 1 0 0 0\n", "another length"},
		{HEAD FILE4 "E all 1 0 0 0 0\n", "a file has no runs"},
		{HEAD FILE4 "E some 1 0 0 0 0\n", "sums"},
		{HEAD FILE4 "E names 2 0 0 0 0\n", "sums"},
		{HEAD FILE4 "E names 1 1 0 0 0\n", "sums"},
		{HEAD FILE4 "E names 1 0 0 1 0\n", "sums"},
		{HEAD FILE4 "E names 1 0 0 0\n", "fields are missing"},
		{HEAD FILE4 "T 0x00400004 7\nT 0x00400004 7\n", "no torn file"},
		{HEAD "F 3 0x00400004 7 4 512 0x0 0x1a4 0 0 1 10 20\n", "describes no file"},
		{HEAD "F 3 0x00400004 7 4 512 0x0 0x1a4 0 0 1 10\n", "fields are missing"},
		{HEAD "F 3 0x100400004 7 4 512 0x0 0x1a4 0 0 1 10 20 /a\n", "describes no file"},
		{HEAD "F 3  7 4 512 0x0 0x1a4 0 0 1 10 20 /a\n", "fields are missing"},
		{HEAD "E all 0 0 0 0 0\nE all 0 0 0 0 0\n", "behind the end"},
		{HEAD "E all 0 0 0 0 0\n\n", "behind the end"},
		{HEAD "E all 0 0 0 0 0\nx", "it ends early"},
		{"vmfskit file map 20\n", "newer form"},
		{"vmfskit file map 3\n", "newer form"},
		{HEAD "C fbb 0 1 1\n", "no stamps"},
		{HEAD "E all 0 0 0 0 0 0\n", "sums"},
		{HEAD2 "E all 0 0 0 0 0\n", "fields are missing"},
		{HEAD2 "C fbb 0 1 1\nE all 0 0 0 0 0 0\n", "sums"},
		{HEAD2 "C fbb 0 1\n", "fields are missing"},
		{HEAD2 "C fbb 0 1 1 1\n", "no stamps"},
		{HEAD2 "C jbc 0 1 1\n", "no stamps"},
		{HEAD2 "C fbb 0 0 1\n", "no stamps"},
		{HEAD2 "C fbb 0 134217729 1\n", "no stamps"},
		{HEAD2 "C fbb 134217728 1 1\n", "no stamps"},
		{HEAD2 "C fbb 0 1 18446744073709551615\n", "no stamps"},
		{HEAD2 "C fbb 0 2 1\nC fbb 1 1 1\n", "no stamps"},
		{HEAD2 "C lfb 0 2 1\nC fbb 2 1 1\n", "no stamps"},
		{HEAD2 "C fbb 0 2 1\n" FILE4, "a file behind"},
	};
	static const char sound_stamps[] = HEAD2 FILE4 "h 4\nT 0x00400004 7\nC fbb 0 2 1\nC fbb 2 1 7\nC fbb 9 3 1\n"
					   "C pb2 0 1 18446744073709551614\nE all 1 1 0 1 0 7\n";
	struct vk_file_map_sums sums;
	struct vk_error err = {0};
	char copy[sizeof(sound_map)], *longest = malloc(20000);

	(void)state;
	if (read_text(sound_map, sizeof(sound_map) - 1, &sums, &err) != VK_OK)
		fail_msg("%s", err.what);
	assert_int_equal(sums.faults, 2);
	assert_int_equal(sums.clusters, 0);
	if (read_text(sound_stamps, sizeof(sound_stamps) - 1, &sums, &err) != VK_OK)
		fail_msg("%s", err.what);
	assert_int_equal(sums.clusters, 7);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_not_equal(read_text(broken[i].text, strlen(broken[i].text), &sums, &err), VK_OK);
		if (strstr(err.what, broken[i].what) == NULL)
			fail_msg("%zu: %s, not: %s", i, err.what, broken[i].what);
	}
	/* no beginning of a map is one */
	for (size_t len = 0; len < sizeof(sound_map) - 1; len++)
		assert_int_equal(read_text(sound_map, len, &sums, &err), VK_DAMAGED);
	for (size_t len = 0; len < sizeof(sound_stamps) - 1; len++)
		assert_int_equal(read_text(sound_stamps, len, &sums, &err), VK_DAMAGED);
	/* a NUL, a bit more or less: whatever comes of it, it ends */
	for (size_t i = 0; i < 8 * (sizeof(sound_map) - 1); i++) {
		memcpy(copy, sound_map, sizeof(copy));
		copy[i / 8] = (char)((unsigned char)copy[i / 8] ^ 1U << i % 8);
		(void)!read_text(copy, sizeof(copy) - 1, &sums, &err);
	}
	copy[0] = '\0';
	assert_int_equal(read_text(copy, sizeof(copy) - 1, &sums, &err), VK_DAMAGED);
	/* lines without an end */
	memset(longest, 'F', 20000);
	assert_int_equal(read_text(longest, 20000, &sums, &err), VK_DAMAGED);
	assert_non_null(strstr(err.what, "too long"));
	free(longest);
}

/* ---- two nights */

static void expect_changes(const char *before_text, const char *after_text, const char *expected)
{
	struct vk_file_map before = load(before_text, strlen(before_text));
	struct vk_file_map after = load(after_text, strlen(after_text));
	struct vk_file_change *changes = NULL;
	struct vk_error err = {0};
	char told[1000];
	struct vk_text text = vk_text_in(told, sizeof(told));
	size_t count = 0;

	assert_int_equal(vk_file_map_compare(&before, &after, &changes, &count, &err), VK_OK);
	for (size_t i = 0; i < count; i++)
		vk_text_fmt(&text, "%s%s %s%s%s", i > 0 ? "; " : "", vk_file_change_name(changes[i].kind),
			    changes[i].before != NULL ? changes[i].before->path : "",
			    changes[i].before != NULL && changes[i].after != NULL ? " > " : "",
			    changes[i].after != NULL ? changes[i].after->path : "");
	assert_string_equal(told, expected);
	free(changes);
	vk_file_map_free(&before);
	vk_file_map_free(&after);
}

#define A(generation, size, path) "F 3 0x00400004 " generation " " size " 1 0 0 0 0 1 0 0 " path "\n"
#define B(size, path) "F 3 0x00800004 1 " size " 1 0 0 0 0 1 0 0 " path "\n"
#define FOLDER(size, path) "F 2 0x00c00004 1 " size " 1 0 0 0 0 1 0 0 " path "\n"
#define SYSTEM(size) "F 5 0x01000004 1 " size " 1 0 0 0 0 1 0 0 /.fbb.sf\n"
#define END(files) "E names " files " 0 0 0 0\n"

static void two_nights(void **state)
{
	struct vk_file_map map, other;
	struct vk_file_change *changes;
	struct vk_error err = {0};
	size_t count;

	(void)state;
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("1", "5", "/a") END("1"), "");
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("1", "6", "/a") END("1"), "grew /a > /a");
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("1", "4", "/a") END("1"), "shrank /a > /a");
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("1", "6", "/b") END("1"), "moved /a > /b");
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD END("0"), "vanished /a");
	expect_changes(HEAD END("0"), HEAD A("1", "5", "/a") END("1"), "appeared /a");
	/* deleted, and its descriptor is used again */
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("2", "5", "/a") END("1"), "vanished /a; appeared /a");
	/* folders and system files */
	expect_changes(HEAD FOLDER("5", "/d") SYSTEM("5") END("2"), HEAD FOLDER("6", "/d") SYSTEM("6") END("2"), "");
	expect_changes(HEAD FOLDER("5", "/d") SYSTEM("5") END("2"), HEAD FOLDER("5", "/e") END("1"), "moved /d > /e");
	/* two names of one file: one more, one less, one renamed */
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD A("1", "5", "/a") A("1", "5", "/b") END("2"), "appeared /b");
	expect_changes(HEAD A("1", "5", "/a") A("1", "5", "/b") END("2"), HEAD A("1", "5", "/b") END("1"), "vanished /a");
	expect_changes(HEAD A("1", "5", "/a") A("1", "5", "/b") END("2"),
		       HEAD A("1", "5", "/b") A("1", "5", "/c") END("2"), "moved /a > /c");
	expect_changes(HEAD A("1", "5", "/x") B("5", "/y") END("2"), HEAD A("1", "9", "/x") B("1", "/z") END("2"),
		       "moved /y > /z; grew /x > /x");
	/* what is not in a map that is not whole may be there */
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD "E names 0 0 0 0 1\n", "unseen /a");
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD "E cut 0 0 0 0 0\n", "unseen /a");
	expect_changes(HEAD "E names 0 0 0 0 1\n", HEAD A("1", "5", "/a") END("1"), "");
	/* its size is not known */
	expect_changes(HEAD A("1", "5", "/a") END("1"), HEAD "U 3 0x00400004 1 /a\nE names 1 0 1 0 0\n", "");

	map = load(HEAD END("0"), strlen(HEAD END("0")));
	other = map;
	other.sums.volume[0] = '5';
	assert_int_equal(vk_file_map_compare(&map, &other, &changes, &count, &err), VK_USAGE);
	vk_file_map_free(&map);
}

static void virtual_disks(void **state)
{
	static const struct {
		const char *path;
		uint32_t type;
		uint64_t size;
		bool is_disk;
	} files[] = {
		{"/vm/vm-flat.vmdk", VK_FILE_ORDINARY, 1 << 20, true}, {"/vm/vm.VMDK", VK_FILE_ORDINARY, 1 << 30, true},
		{"/vm/vm.vmdk", VK_FILE_ORDINARY, 500, false},	       {"/vm/vm-rdmp.vmdk", VK_FILE_RDM, 0, true},
		{"/vm/vm-ctk.vmdk", VK_FILE_ORDINARY, 1 << 30, false},
		{"/vm/vm-000001-delta.vmdk", VK_FILE_ORDINARY, 1 << 30, false},
		{"/vm/x-sesparse.vmdk", VK_FILE_ORDINARY, 1 << 30, false},
		{"/vm/vm.vmdk", VK_FILE_FOLDER, 1 << 30, false},
		{"/vm/vmdk", VK_FILE_ORDINARY, 1 << 30, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const struct vk_file_map_file file = {.path = files[i].path, .type = files[i].type,
						      .size_bytes = files[i].size};

		assert_int_equal(vk_file_map_is_disk(&file), files[i].is_disk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_volumes_map), cmocka_unit_test(torn),	  cmocka_unit_test(hostile),
		cmocka_unit_test(two_nights),	    cmocka_unit_test(virtual_disks),
	};

	return cmocka_run_group_tests_name("file map", tests, folder_benches_open, folder_benches_close);
}
