/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, paths and links of the real volumes. */
#include "folder_bench.h"

static void names(void **state)
{
	static const struct {
		int version;
		const char *path, *names;
	} folders[] = {
		{3, "/", ". .. .fbb.sf .fdc.sf .pbc.sf .sbc.sf .vh.sf thin-flat.vmdk thin.vmdk thick-flat.vmdk thick.vmdk "
			 "zeroedthick-flat.vmdk zeroedthick.vmdk eagerzeroedthick-flat.vmdk eagerzeroedthick.vmdk"},
		{5, "/", ". .. .fbb.sf .fdc.sf .pbc.sf .sbc.sf .vh.sf .pb2.sf .sdd.sf directory"},
		{5, "/directory", IN_DIRECTORY},
		{5, "/.sdd.sf", ". .."},
		{6, "/", ". .. .fbb.sf .fdc.sf .pbc.sf .sbc.sf .vh.sf .pb2.sf .sdd.sf .jbc.sf directory"},
		{6, "/directory", IN_DIRECTORY6},
		{6, ".sdd.sf", ". .."},
	};
	struct text_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct folder_bench *b = bench(folders[i].version);

		assert_string_equal(list_of(b, folders[i].path, false, &list), folders[i].names);
		/* nothing was ever deleted in them */
		assert_string_equal(list_of(b, folders[i].path, true, &list), folders[i].names);
		folder_bench_silent(b);
	}
}

static bool enter_none(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	(void)ret_stop;
	put_path(ctx, visit);
	return false;
}

static void trees(void **state)
{
	static const char system_files[] = "/.fbb.sf /.fdc.sf /.pbc.sf /.sbc.sf /.vh.sf /.pb2.sf /.sdd.sf ";
	struct text_list list;

	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		const char *under = version == 5 ? UNDER_DIRECTORY : UNDER_DIRECTORY6;
		const char *all = tree_of(b, "/", put_visit, &list);

		assert_memory_equal(all, system_files, strlen(system_files));
		all += strlen(system_files);
		assert_string_equal(all, version == 5 ? "/directory " UNDER_DIRECTORY
						      : "/.jbc.sf /directory " UNDER_DIRECTORY6);
		assert_string_equal(tree_of(b, "directory//", put_visit, &list), under);
		assert_string_equal(tree_of(b, "/.sdd.sf", put_visit, &list), "");
		assert_null(strstr(tree_of(b, "/", enter_none, &list), "/directory/"));
		folder_bench_silent(b);
		assert_int_equal(vk_fs_walk_tree(b->fs, "/directory/file1", put_visit, &list, NULL, &b->err), VK_USAGE);
		assert_int_equal(vk_fs_walk_tree(b->fs, "/nothing", put_visit, &list, NULL, &b->err), VK_ABSENT);
	}
}

static void paths(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		char target[VK_FS_LINK_BYTES], deep[VK_FS_PATH_BYTES + 8];
		struct vk_fs_file *file;

		check_path(b, "", false, VK_OK, "/");
		check_path(b, "//directory///./file4", false, VK_OK, "/directory/file4");
		check_path(b, "directory/../directory/.././directory/file4", false, VK_OK, "/directory/file4");
		check_path(b, "/../../directory/", false, VK_OK, "/directory");
		check_path(b, "/directory/symlink", false, VK_OK, "/directory/symlink");
		check_path(b, "/directory/symlink", true, VK_OK, "/directory/file4");
		check_path(b, "/directory/file", false, VK_ABSENT, NULL);
		check_path(b, "/directory/file44", false, VK_ABSENT, NULL);
		check_path(b, "/directory/File4", false, VK_ABSENT, NULL);
		check_path(b, "/directory/file4/x", false, VK_ABSENT, NULL);
		check_path(b, "/directory/symlink/x", false, VK_ABSENT, NULL);
		memset(deep, 'x', sizeof(deep) - 1);
		deep[sizeof(deep) - 1] = '\0';
		check_path(b, deep, false, VK_USAGE, NULL);
		deep[2000] = '\0';
		check_path(b, deep, false, VK_ABSENT, NULL);
		file = folder_bench_file(b, "/directory/symlink");
		assert_int_equal(file->meta.type, VK_FILE_LINK);
		assert_int_equal(vk_fs_link(b->fs, file, target, &b->err), VK_OK);
		assert_string_equal(target, "file4");
		assert_int_equal(vk_fs_list(b->fs, file, false, put_name, NULL, NULL, &b->err), VK_USAGE);
		vk_fs_file_close(file);
		file = folder_bench_file(b, "/directory");
		assert_int_equal(vk_fs_link(b->fs, file, target, &b->err), VK_USAGE);
		vk_fs_file_close(file);
		folder_bench_silent(b);
	}
}

static void other_generation(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);

		hurt_metadata(b, "/directory/file3", 4, 77, 4);
		vk_fs_file_close(folder_bench_file(b, "/directory/file2"));
		assert_int_equal(b->findings.count, 0);
		vk_fs_file_close(folder_bench_file(b, "/directory/file3"));
		assert_int_equal(b->findings.count, 1);
		assert_int_equal(b->findings.items[0].code, VK_F_FILE_GENERATION);
	}
}

/* file1 becomes a folder that is /directory itself, file2 the root. */
static void loops(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		struct vk_fs_file *folder = folder_bench_file(b, "/directory");
		uint64_t at = version == 5 ? 2 * 140 : FILE1, step = version == 5 ? 140 : 288;
		uint32_t address = folder->address, generation = folder->meta.generation;
		struct text_list list;

		vk_fs_file_close(folder);
		hurt_number(b, "/directory", at, VK_FILE_FOLDER, 4);
		hurt_number(b, "/directory", at + 4, address, 4);
		hurt_number(b, "/directory", at + 8, generation, 4);
		hurt_number(b, "/directory", at + step, VK_FILE_FOLDER, 4);
		hurt_number(b, "/directory", at + step + 4, vk_fd_address(0, VK_SYSTEM_ROOT), 4);
		tree_of(b, "/", put_visit, &list);
		assert_null(strstr(list.text, "/directory/file1"));
		assert_null(strstr(list.text, "/directory/file2"));
		assert_non_null(strstr(list.text, "/directory/file3"));
		assert_int_equal(folder_bench_count(b, VK_F_FOLDER_LOOP), 2);
		/* from there the root is one of its folders, and the folder itself comes again under it */
		folder_bench_again(b);
		tree_of(b, "/directory", put_visit, &list);
		assert_non_null(strstr(list.text, "/directory/file2/.fdc.sf"));
		assert_null(strstr(list.text, "/directory/file2/directory"));
		/* a path may go round */
		check_path(b, "/directory/file1/file1/file1/file2/directory/file4", false, VK_OK, "/directory/file4");
	}
}

/* Names that no path may have are in the tree under others, and are found by these. */
static void unsafe_names(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		uint64_t at = version == 5 ? ENTRY3 + 12 : FILE3 + 24;
		struct vk_fs_file *file = folder_bench_file(b, "/directory/file3"), *same;
		struct text_list list;

		hurt_folder(b, "/directory", at, "../\033x", 6);
		tree_of(b, "/directory", put_visit, &list);
		assert_non_null(strstr(list.text, " /directory/..%2f%1bx "));
		same = folder_bench_file(b, "/directory/..%2f%1bx");
		assert_int_equal(file->address, same->address);
		for (size_t i = 0; i < b->findings.count; i++)
			assert_null(strchr(b->findings.items[i].seen, '\033'));
		vk_fs_file_close(file);
		vk_fs_file_close(same);
	}
}

/* A name that looks like the escape of another is no second name of it: neither in the tree, nor as a link's target. */
static void names_with_percent(void **state)
{
	(void)state;
	for (int version = 5; version <= 6; version++) {
		struct folder_bench *b = bench(version);
		uint64_t at = version == 5 ? ENTRY3 + 12 : FILE3 + 24, step = version == 5 ? 140 : 288;
		struct vk_fs_file *file3 = folder_bench_file(b, "/directory/file3"), *found;
		struct vk_fs_file *file4 = folder_bench_file(b, "/directory/file4");
		char target[VK_FS_LINK_BYTES];
		struct text_list list;

		hurt_folder(b, "/directory", at + step, "ab%0a", 5);
		/* alone it is found as it is, too */
		check_path(b, "/directory/ab%0a", false, VK_OK, "/directory/ab%250a");
		hurt_folder(b, "/directory", at, "ab\n\0", 5);
		hurt_folder(b, "/directory/symlink", 0, "ab%0a", 5);
		tree_of(b, "/directory", put_visit, &list);
		assert_non_null(strstr(list.text, " /directory/ab%0a /directory/ab%250a "));
		found = folder_bench_file(b, "/directory/ab%0a");
		assert_int_equal(found->address, file3->address);
		vk_fs_file_close(found);
		found = folder_bench_file(b, "/directory/ab%250a");
		assert_int_equal(found->address, file4->address);
		vk_fs_file_close(found);
		check_path(b, "/directory/ab\n", false, VK_OK, "/directory/ab%0a");
		check_path(b, "/directory/symlink", true, VK_OK, "/directory/ab%250a");
		found = folder_bench_file(b, "/directory/symlink");
		assert_int_equal(vk_fs_link(b->fs, found, target, &b->err), VK_OK);
		assert_string_equal(target, "ab%250a");
		vk_fs_file_close(found);
		vk_fs_file_close(file3);
		vk_fs_file_close(file4);
	}
}

/* A sub-block of VMFS3 that lies in two blocks of .sbc.sf: the fifteenth of its cluster. */
static void sub_block_in_two(void **state)
{
	size_t length = vk_layout_field(&vk_file_metadata_layout, "fileLength")->offset;
	struct folder_bench *b = bench(3);
	uint64_t missing, allocated;
	struct vk_fs_walk *walk;
	struct vk_fs_file *file;
	struct vk_fs_run run;

	(void)state;
	/* the addresses lie 512 bytes behind the metadata */
	hurt_metadata(b, "/thin.vmdk", 512, 0xE0000782, 4);
	hurt_metadata(b, "/thin.vmdk", length, 65536, 8);
	file = folder_bench_file(b, "/thin.vmdk");
	assert_int_equal(vk_fs_measure(b->fs, file, &missing, NULL, &allocated, &b->err), VK_OK);
	assert_int_equal(missing, 0);
	assert_int_equal(vk_fs_walk_open(b->fs, file, 0, UINT64_MAX, NULL, &walk, &b->err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	/* sub-block <30,0> lies at 0x2618000, and what follows it there is its cluster */
	assert_int_equal(run.volume_offset, 0x2618000 + 14 * 0x10000);
	assert_int_equal(run.kind, VK_RUN_DATA);
	vk_fs_walk_close(walk);
	vk_fs_file_close(file);
	folder_bench_silent(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),        cmocka_unit_test(trees),        cmocka_unit_test(paths),
		cmocka_unit_test(other_generation), cmocka_unit_test(loops), cmocka_unit_test(unsafe_names),
		cmocka_unit_test(names_with_percent),
		cmocka_unit_test(sub_block_in_two),
	};

	return cmocka_run_group_tests_name("folders", tests, folder_benches_open, folder_benches_close);
}
