/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the three real volumes: contents, sizes and places, as independent readers found them. */
#include <openssl/evp.h>

#include "fs_open.h"

/* Contents of a file, read in pieces that are no multiple of anything. */
static void assert_sha256(struct opened_fs *o, const struct vk_fs_file *file, const char *expected)
{
	enum { PIECE = 3000017 };
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	uint8_t *buf = malloc(PIECE), digest[32];
	char hex[65];
	struct vk_error err = {0};
	uint64_t at = 0;

	assert_int_equal(EVP_DigestInit_ex(sum, EVP_sha256(), NULL), 1);
	for (size_t got = 1; got > 0; at += got) {
		assert_int_equal(vk_fs_read(o->fs, file, at, buf, PIECE, &got, &err), VK_OK);
		assert_int_equal(EVP_DigestUpdate(sum, buf, got), 1);
	}
	assert_int_equal(at, file->meta.fileLength);
	assert_int_equal(EVP_DigestFinal_ex(sum, digest, NULL), 1);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, expected);
	EVP_MD_CTX_free(sum);
	free(buf);
}

static struct vk_fs_file *open_file(struct opened_fs *o, uint32_t cluster, uint32_t resource)
{
	struct vk_fs_file *file = NULL;
	struct vk_error err = {0};

	if (vk_fs_file_open(o->fs, vk_fd_address(cluster, resource), &sound, &file, &err) != VK_OK)
		fail_msg("%s", err.what);
	return file;
}

struct expected {
	enum vk_system_file file;
	uint64_t bytes;
	const char *sha256;
};
static const struct expected files5[] = {
	{VK_SYSTEM_FBB, 131072, "06c135e64033f819dd8c8f37c722aac7fc0bfbb1323d8fc9ca7c63c089eae991"},
	{VK_SYSTEM_FDC, 1048576, "1ea52f75c6dfe548c65916786ce6dab3ee936ab04feac921267de84acf7cbd80"},
	{VK_SYSTEM_PBC, 135168, "46819c6e8464b94f2c987979d3726a450b94e7eace523a7db145069bb69f9c93"},
	{VK_SYSTEM_SBC, 2228224, "0ae387594296f33c351cecbd79d6b2745ba916365a1eaeace2b32daccec23b0b"},
	{VK_SYSTEM_VH, 4194304, "e3928fcc3f90d882e36bc5d370e26d24dc260d6ca0ecbec1ad12864807c16a9f"},
	{VK_SYSTEM_PB2, 135168, "1069ecb966496dee877b3b052b78fd8d6762f040de0f902f5cd8ba2c81b0567a"},
};
static const struct expected files6[] = {
	{VK_SYSTEM_FBB, 147456, "566403bff26cfb506cc5ea328aa3735db9e80a8ba6a8971cf38daca936ad1acf"},
	{VK_SYSTEM_FDC, 134807552, "31e7eda9548951a35b91abeac0f71a34c3b2547e3187aca3db83f73e794489f5"},
	{VK_SYSTEM_PBC, 65536, "975cecc48673934cce2d94bab96189be154776cc6f35ae8ff3da3d07c35037e0"},
	{VK_SYSTEM_SBC, 387973120, "ef7d50ab3d5e5c11331c47c95f25562536dcf6518d03cf1d721ea7f25889536b"},
	{VK_SYSTEM_VH, 7340032, "b38fa36615da3f7cd4ec837c2c0a80996106cbac03b5dd9a5d54e2cba4877234"},
	{VK_SYSTEM_PB2, 196608, "995996b33e6c19188b4b217c33668d866ffec0a91d418b2ccca9e503cf9ef67e"},
	{VK_SYSTEM_JBC, 268632064, "8eb966c1e84b8c8e4b55bd141447645999c8316b0712e7f6bd2598e061a5c6bf"},
};

static void assert_files(struct opened_fs *o, const struct expected *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct vk_fs_system *s = &o->info->system[list[i].file];

		assert_true(s->has_fd);
		assert_int_equal(s->file->meta.fileLength, list[i].bytes);
		assert_sha256(o, s->file, list[i].sha256);
	}
}

static bool have(size_t number, struct opened_fs *o)
{
	if (fs_real(number, o))
		return true;
	print_message("skipped: ../shared/data is not there\n");
	return false;
}

/* The runs of a whole file, and what its measure is. */
struct run {
	enum vk_run_kind kind;
	uint64_t file_offset, length, volume_offset, source_offset;
};
static void assert_runs(struct opened_fs *o, const struct vk_fs_file *file, const struct run *list, size_t count,
			uint64_t allocated)
{
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	uint64_t missing, blocks;

	assert_int_equal(vk_fs_walk_open(o->fs, file, 0, UINT64_MAX, &sound, &walk, &err), VK_OK);
	for (size_t i = 0; i < count; i++) {
		assert_true(vk_fs_walk_next(walk, &run));
		assert_int_equal(run.kind, list[i].kind);
		assert_int_equal(run.file_offset, list[i].file_offset);
		assert_int_equal(run.length_bytes, list[i].length);
		assert_int_equal(run.volume_offset, list[i].volume_offset);
		assert_int_equal(run.source_offset, list[i].source_offset);
		assert_int_equal(run.extent, list[i].source_offset == UINT64_MAX ? SIZE_MAX : 0);
	}
	assert_false(vk_fs_walk_next(walk, &run));
	vk_fs_walk_close(walk);
	assert_int_equal(vk_fs_measure(o->fs, file, &missing, NULL, &blocks, &err), VK_OK);
	assert_int_equal(missing, 0);
	assert_int_equal(blocks, allocated);
}

enum { M = 1 << 20, HEADER = 0x1100000 };
#define NONE UINT64_MAX

static void vmfs3(void **state)
{
	static const struct run thin[] = {{VK_RUN_DATA, 0, 393, 0x2618000, 0x3718000}};
	static const struct run thin_flat[] = {{VK_RUN_DATA, 0, M, 403 * M, 403 * M + HEADER},
					       {VK_RUN_HOLE, M, 199 * M, NONE, NONE}};
	static const struct run zeroed[] = {{VK_RUN_DATA, 0, M, 602 * M, 602 * M + HEADER},
					    {VK_RUN_TBZ, M, 199 * M, 603 * M, 603 * M + HEADER}};
	static const struct run thick_flat[] = {{VK_RUN_DATA, 0, 196 * M, 404 * M, 404 * M + HEADER},
						{VK_RUN_DATA, 196 * M, 2 * M, 400 * M, 400 * M + HEADER},
						{VK_RUN_DATA, 198 * M, 2 * M, 600 * M, 600 * M + HEADER}};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	struct opened_fs o;
	struct vk_fs_file *file;
	struct vk_error err = {0};
	char text[22] = "";
	size_t got;

	(void)state;
	if (!have(0, &o))
		return;
	assert_false(o.info->vmfs6);
	assert_int_equal(o.info->volume_bytes, 0x40000000);
	assert_int_equal(o.info->system[VK_SYSTEM_SBC].file->volume_offset, 0x41A000);
	assert_false(o.info->system[VK_SYSTEM_PB2].has_fd);
	file = open_file(&o, 6, 1);
	assert_int_equal(file->volume_offset, 0x478800);
	assert_int_equal(file->meta.fileLength, 393);
	assert_runs(&o, file, thin, 1, 65536);
	assert_int_equal(vk_fs_read(o.fs, file, 0, text, 21, &got, &err), VK_OK);
	assert_string_equal(text, "# Disk DescriptorFile");
	vk_fs_file_close(file);
	file = open_file(&o, 6, 0);
	assert_runs(&o, file, thin_flat, 2, M);
	vk_fs_file_close(file);
	file = open_file(&o, 6, 4);
	assert_runs(&o, file, zeroed, 2, 200 * M);
	/* from the middle of a block to the middle of another */
	assert_int_equal(vk_fs_walk_open(o.fs, file, 2 * M + 5, 3 * M, &sound, &walk, &err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.file_offset, 2 * M + 5);
	assert_int_equal(run.length_bytes, 3 * M);
	assert_int_equal(run.volume_offset, 604ULL * M + 5);
	assert_false(vk_fs_walk_next(walk, &run));
	vk_fs_walk_close(walk);
	vk_fs_file_close(file);
	file = open_file(&o, 6, 2);
	assert_runs(&o, file, thick_flat, 3, 200 * M);
	vk_fs_file_close(file);
	fs_done(&o);
}

static void vmfs5(void **state)
{
	static const struct run symlink[] = {{VK_RUN_DATA, 0, 5, 0x922000, 0x922000 + HEADER}};
	static const struct run file5[] = {{VK_RUN_DATA, 0, 8193, 14 * M, 14 * M + HEADER}};
	struct opened_fs o;
	struct vk_fs_file *file;
	struct vk_error err = {0};
	char text[8] = "";
	size_t got;

	(void)state;
	if (!have(1, &o))
		return;
	assert_files(&o, files5, sizeof(files5) / sizeof(files5[0]));
	file = open_file(&o, 0, 14);
	assert_runs(&o, file, symlink, 1, 8192);
	assert_int_equal(vk_fs_read(o.fs, file, 0, text, 8, &got, &err), VK_OK);
	assert_int_equal(got, 5);
	assert_string_equal(text, "file4");
	vk_fs_file_close(file);
	for (uint32_t i = 9; i < 14; i++) {
		file = open_file(&o, 0, i);
		if (file->meta.fileLength == 8193) {
			assert_runs(&o, file, file5, 1, M);
			assert_sha256(&o, file, "227c62ef44ec9d9d4dbda23feaf622078a496368e919980afcd786acd9f455c4");
		}
		vk_fs_file_close(file);
	}
	assert_true(vk_fs_file_is_folder(o.info->system[VK_SYSTEM_SDD].file));
	assert_true(vk_fs_file_is_folder(o.info->system[VK_SYSTEM_ROOT].file));
	assert_false(vk_fs_file_is_folder(o.info->system[VK_SYSTEM_VH].file));
	fs_done(&o);
}

static void vmfs6(void **state)
{
	static const struct run file4[] = {{VK_RUN_RESIDENT, 0, 8, 0x183B200 - HEADER, 0x183B200}};
	static const struct run file5[] = {{VK_RUN_DATA, 0, 8193, 0x8B40000, 0x8B40000 + HEADER}};
	struct opened_fs o;
	struct vk_fs_file *file;
	uint64_t missing, allocated;
	struct vk_error err = {0};

	(void)state;
	if (!have(2, &o))
		return;
	assert_true(o.info->vmfs6);
	assert_true(o.info->system[VK_SYSTEM_FBB].has_child);
	assert_int_equal(o.info->large_block_bytes, 512ULL * M);
	assert_files(&o, files6, sizeof(files6) / sizeof(files6[0]));
	file = open_file(&o, 0, 13);
	assert_runs(&o, file, file4, 1, 0);
	assert_sha256(&o, file, "434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53");
	vk_fs_file_close(file);
	file = open_file(&o, 0, 15);
	assert_int_equal(file->volume_offset, 0x73E000);
	assert_runs(&o, file, file5, 1, 65536);
	assert_sha256(&o, file, "227c62ef44ec9d9d4dbda23feaf622078a496368e919980afcd786acd9f455c4");
	vk_fs_file_close(file);
	/* by the blocks that the descriptors count */
	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_fs_file *f = o.info->system[i].file;

		assert_non_null(f);
		assert_int_equal(vk_fs_measure(o.fs, f, &missing, NULL, &allocated, &err), VK_OK);
		assert_int_equal(missing, 0);
		assert_true(allocated <= f->meta.numBlocks * f->meta.blockSize);
	}
	fs_done(&o);
}

/* The volumes without their partition: a piece of them read as a logical volume. */
static void volume_alone(void **state)
{
	static const uint64_t blocks[REAL_VOLUMES] = {1024, 256, 768};

	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		struct vk_io *io = real_volume_open(&real_volumes[i]), *inside;
		struct vk_error err = {0};
		struct opened_fs o;

		if (io == NULL) {
			print_message("skipped: ../shared/data is not there\n");
			return;
		}
		inside = vk_io_window(io, HEADER, UINT64_MAX);
		if (fs_try(inside, true, &sound, &o, &err) != VK_OK)
			fail_msg("%s: %s", real_volumes[i].name, err.what);
		assert_int_equal(o.info->volume_bytes, blocks[i] * M);
		fs_done(&o);
		vk_io_close(io);
	}
}

/* The first 26 MiB: what lies behind them is not missing. */
static void cut(void **state)
{
	struct vk_findings found = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&found);
	struct vk_io *io, *start;
	struct vk_error err = {0};
	struct opened_fs o;
	struct vk_fs_file *file;
	uint64_t missing, allocated;
	uint8_t buf[100];
	size_t got;

	(void)state;
	io = real_volume_open(&real_volumes[0]);
	if (io == NULL) {
		print_message("skipped: ../shared/data is not there\n");
		return;
	}
	start = vk_io_window(io, 0, 26 * M);
	assert_int_equal(fs_try(start, false, &sink, &o, &err), VK_OK);
	assert_false(vk_findings_bad(&found));
	assert_true(vk_findings_absent(&found) > 0 || o.info->system[VK_SYSTEM_SBC].has_resource);
	file = open_file(&o, 6, 2);
	assert_int_equal(vk_fs_measure(o.fs, file, &missing, NULL, &allocated, &err), VK_OK);
	assert_int_equal(missing, 200ULL * M);
	assert_int_equal(allocated, 200ULL * M);
	assert_int_equal(vk_fs_read(o.fs, file, 0, buf, sizeof(buf), &got, &err), VK_OK);
	assert_int_equal(got, 0);
	vk_fs_file_close(file);
	fs_done(&o);
	vk_findings_free(&found);
	/* without any file descriptor */
	start = vk_io_window(io, 0, 20 * M);
	assert_int_equal(fs_try(start, false, NULL, &o, &err), VK_ABSENT);
	fs_done(&o);
	vk_io_close(io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmfs3), cmocka_unit_test(vmfs5), cmocka_unit_test(vmfs6),
		cmocka_unit_test(volume_alone), cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
