/* SPDX-License-Identifier: Apache-2.0 */
/* An open volume for the tests of folders and files: over a source, damaged through an overlay. */
#ifndef VK_TESTS_FOLDER_BENCH_H
#define VK_TESTS_FOLDER_BENCH_H

#include "base/bytes.h"
#include "base/checked.h"
#include "header_bench.h"
#include "real_volumes.h"
#include "vmfskit/directory.h"
#include "vmfskit/fs.h"

struct folder_bench {
	struct header_bench disk;   /* sound and damaged partition */
	struct vk_vmfs vmfs;
	struct vk_fs *fs;           /* NULL: it did not open */
	struct vk_findings findings;
	struct vk_error err;
};

/* Opens the damaged partition. */
static inline void folder_bench_again(struct folder_bench *b)
{
	struct vk_io *io = vk_overlay_io(b->disk.damage);
	struct vk_finding_sink sink = vk_findings_sink(&b->findings);
	struct vk_fs_extent extent = {.io = io, .vmfs = &b->vmfs};

	vk_fs_close(b->fs);
	vk_vmfs_free(&b->vmfs);
	vk_findings_free(&b->findings);
	b->fs = NULL;
	b->vmfs = (struct vk_vmfs){.partition_bytes = vk_io_size_bytes(io)};
	assert_int_equal(vk_vmfs_read(io, NULL, &b->vmfs, &b->err), VK_OK);
	if (vk_fs_open(&extent, 1, &sink, &b->fs, &b->err) != VK_OK)
		b->fs = NULL;
}

static inline void folder_bench_open(struct folder_bench *b, struct vk_io *partition)
{
	*b = (struct folder_bench){0};
	header_bench_open(&b->disk, partition);
	folder_bench_again(b);
}

static inline void folder_bench_close(struct folder_bench *b)
{
	vk_fs_close(b->fs);
	vk_vmfs_free(&b->vmfs);
	vk_findings_free(&b->findings);
	header_bench_close(&b->disk);
}

/* How many findings of a code there are, and which; all of them are then forgotten. */
static inline size_t folder_bench_count(struct folder_bench *b, enum vk_finding_code code)
{
	size_t count = 0;

	for (size_t i = 0; i < b->findings.count; i++)
		count += b->findings.items[i].code == code;
	return count;
}

static inline void folder_bench_silent(struct folder_bench *b)
{
	for (size_t i = 0; i < b->findings.count; i++)
		fail_msg("%s: %s (seen %s, expected %s)", vk_finding_kind(b->findings.items[i].code)->code,
			 b->findings.items[i].message, b->findings.items[i].seen, b->findings.items[i].expected);
}

static inline struct vk_fs_file *folder_bench_file(struct folder_bench *b, const char *path)
{
	struct vk_finding_sink sink = vk_findings_sink(&b->findings);
	struct vk_fs_file *file = NULL;

	assert_non_null(b->fs);
	if (vk_fs_lookup(b->fs, path, false, &sink, &file, &b->err) != VK_OK)
		fail_msg("%s: %s", path, b->err.what);
	return file;
}

/* The real volumes, opened once; NULL: not there. */
static struct folder_bench *benches[REAL_VOLUMES];
static struct folder_bench made[REAL_VOLUMES];

static inline int folder_benches_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		struct vk_io *io = real_volume_open(&real_volumes[i]);

		if (io == NULL)
			continue;
		folder_bench_open(&made[i], io);
		benches[i] = &made[i];
	}
	return 0;
}

static inline int folder_benches_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++)
		if (benches[i] != NULL)
			folder_bench_close(benches[i]);
	return 0;
}

/* A volume without damage. */
static inline struct folder_bench *bench(int version)
{
	struct folder_bench *b = benches[version == 3 ? 0 : version == 5 ? 1 : 2];

	if (b == NULL)
		skip();
	header_bench_reset(&b->disk);
	folder_bench_again(b);
	assert_non_null(b->fs);
	return b;
}

struct text_list {
	char text[4000];
	struct vk_text to;
};

static inline bool put_name(void *ctx, const struct vk_fs_entry *entry)
{
	struct text_list *list = ctx;

	vk_text_fmt(&list->to, "%s%s", list->to.len_bytes > 0 ? " " : "", entry->deleted ? "deleted:" : "");
	vk_text_label(&list->to, (const uint8_t *)entry->name, strlen(entry->name));
	return true;
}

static inline const char *list_of(struct folder_bench *b, const char *path, bool deleted, struct text_list *list)
{
	struct vk_finding_sink sink = vk_findings_sink(&b->findings);
	struct vk_fs_file *folder = folder_bench_file(b, path);

	vk_text_init(&list->to, list->text, sizeof(list->text));
	assert_int_equal(vk_fs_list(b->fs, folder, deleted, put_name, list, &sink, &b->err), VK_OK);
	vk_fs_file_close(folder);
	return list->text;
}

#define IN_DIRECTORY ". .. file1 file2 file3 file4 file5 symlink"
#define IN_DIRECTORY6 ". .. file1 file2 file3 file4 symlink file5"
static inline void put_path(struct text_list *list, const struct vk_fs_visit *visit)
{
	vk_text_fmt(&list->to, "%s%s", list->to.len_bytes > 0 ? " " : "", visit->path);
	assert_non_null(visit->file);
	assert_int_equal(visit->file->address, visit->entry->address);
}
static inline bool put_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct text_list *list = ctx;

	put_path(list, visit);
	if (list->to.len_bytes > sizeof(list->text) - 200)
		*ret_stop = true;
	return true;
}
static inline const char *tree_of(struct folder_bench *b, const char *path, vk_fs_visit_fn fn, struct text_list *list)
{
	struct vk_finding_sink sink = vk_findings_sink(&b->findings);

	vk_text_init(&list->to, list->text, sizeof(list->text));
	if (vk_fs_walk_tree(b->fs, path, fn, list, &sink, &b->err) != VK_OK)
		fail_msg("%s: %s", path, b->err.what);
	return list->text;
}

#define UNDER_DIRECTORY \
	"/directory/file1 /directory/file2 /directory/file3 /directory/file4 /directory/file5 /directory/symlink"
#define UNDER_DIRECTORY6 \
	"/directory/file1 /directory/file2 /directory/file3 /directory/file4 /directory/symlink /directory/file5"
static inline void check_path(struct folder_bench *b, const char *path, bool follow, enum vk_status status,
		       const char *same_as)
{
	struct vk_fs_file *file = NULL, *same;

	assert_int_equal(vk_fs_lookup(b->fs, path, follow, NULL, &file, &b->err), status);
	if (status != VK_OK) {
		assert_true(b->err.what[0] != '\0');
		return;
	}
	same = folder_bench_file(b, same_as);
	assert_int_equal(file->address, same->address);
	vk_fs_file_close(same);
	vk_fs_file_close(file);
}

/* Damage: bytes at an offset of a folder or a link, or of FS3_FileMetadata of a file. */
static inline void hurt_folder(struct folder_bench *b, const char *path, uint64_t offset, const void *bytes, size_t len)
{
	struct vk_fs_file *folder = folder_bench_file(b, path), whole = *folder;
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	whole.meta.fileLength = vk_round_up_sat(offset + len, folder->meta.blockSize);
	assert_int_equal(vk_fs_walk_open(b->fs, &whole, offset, len, NULL, &walk, &b->err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_true(run.kind == VK_RUN_DATA || run.kind == VK_RUN_RESIDENT);
	assert_int_equal(run.length_bytes, len);
	header_bench_hurt(&b->disk, run.source_offset, bytes, len);
	vk_fs_walk_close(walk);
	vk_fs_file_close(folder);
	folder_bench_again(b);
}

static inline void hurt_number(struct folder_bench *b, const char *path, uint64_t offset, uint32_t value, size_t len)
{
	uint8_t bytes[4];

	vk_put_le32(bytes, value);
	hurt_folder(b, path, offset, bytes, len);
}

static inline void hurt_metadata(struct folder_bench *b, const char *path, size_t offset, uint64_t value, size_t len)
{
	struct vk_fs_file *file = folder_bench_file(b, path);
	uint64_t at = file->volume_offset + vk_fs_info(b->fs)->fd.metadata_offset + offset, source, length;
	size_t extent;
	uint8_t bytes[8];

	vk_put_le64(bytes, value);
	assert_true(vk_fs_place(b->fs, at, &extent, &source, &length));
	header_bench_hurt(&b->disk, source, bytes, len);
	vk_fs_file_close(file);
	folder_bench_again(b);
}

/* Folder offsets in /directory of the VMFS6 volume. */
enum {
	MAP = 0x10000, BLOCK = 0x11000, BLOCK2 = 0x12000,
	FILE3 = BLOCK + 64 + 2 * 288, FILE1 = BLOCK + 64
};
/* Entries in /directory of the VMFS5 volume: file3 is the fifth. */
enum { ENTRY3 = 4 * 140 };
#endif
