/* SPDX-License-Identifier: Apache-2.0 */
/* What is found of deleted files without a capture: candidates against what the lab deleted, hits and false ones counted. */
#include <stdio.h>

#include "base/bytes.h"
#include "fs_filled.h"
#include "fs_open.h"
#include "lab/lab.h"
#include "vmfskit/overlay.h"
#include "vmfskit/undelete_carve.h"

enum { FILES = 8, MIB_BYTES = 1 << 20, HEAD = 4096 };
/* What each deleted file is, and how it is to be found. left=nothing leaves only its blocks. */
static const struct gone {
	const char *path, *sign, *words;
	uint64_t size;
	enum vk_undelete_from from;
	const char *looks_like;
} gone[FILES] = {
	{"/gone/kept", "ntfs", "stored=block left=pointers", 3 * MIB_BYTES + 700, VK_UNDELETE_DESCRIPTOR, "NTFS boot sector"},
	{"/gone/kept-pb", "mbr", "stored=pointer-block left=pointers", 5 * MIB_BYTES, VK_UNDELETE_DESCRIPTOR, "MBR"},
	{"/gone/kept-sub", "text", "stored=sub-block left=pointers", 6000, VK_UNDELETE_DESCRIPTOR, "VMDK descriptor"},
	{"/gone/pb", "gpt", "stored=pointer-block left=blocks", 4 * MIB_BYTES, VK_UNDELETE_POINTER_BLOCKS, "GPT"},
	{"/gone/pb-plain", "none", "stored=pointer-block left=blocks", 2 * MIB_BYTES, VK_UNDELETE_POINTER_BLOCKS, NULL},
	{"/gone/ext", "ext", "stored=block left=blocks", 3 * MIB_BYTES, VK_UNDELETE_SIGNATURE, "ext superblock"},
	{"/gone/xfs", "xfs", "stored=pointer-block left=nothing", 2 * MIB_BYTES, VK_UNDELETE_SIGNATURE, "XFS superblock"},
	{"/gone/cowd", "cowd", "stored=pointer-block left=nothing", 2 * MIB_BYTES, VK_UNDELETE_SIGNATURE, "COWD header"},
};

/* Bytes that no two files share, behind the signature. */
static uint8_t *make_bytes(size_t which)
{
	static const char text[] = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nRW 20480 VMFS \"x-flat.vmdk\"\n";
	const struct gone *g = &gone[which];
	uint8_t *b = malloc((size_t)g->size);

	assert_non_null(b);
	for (uint64_t i = 0; i < g->size; i++)
		b[i] = (uint8_t)(1 + which * 31 + i * 7 + i / 4096 * 13 + i / MIB_BYTES * 5);
	if (strcmp(g->sign, "none") == 0)
		return b;
	memset(b, 0, HEAD);
	if (strcmp(g->sign, "ntfs") == 0 || strcmp(g->sign, "mbr") == 0 || strcmp(g->sign, "gpt") == 0)
		vk_put_le16(b + 510, 0xAA55);
	if (strcmp(g->sign, "ntfs") == 0) {
		memcpy(b + 3, "NTFS    ", 8);
		vk_put_le16(b + 11, 512);
		vk_put_le64(b + 40, 2047);
	} else if (strcmp(g->sign, "mbr") == 0) {
		b[446 + 4] = 7;
		vk_put_le32(b + 446 + 8, 2048);
		vk_put_le32(b + 446 + 12, 4096);
	} else if (strcmp(g->sign, "gpt") == 0) {
		b[446 + 4] = 0xEE;
		vk_put_le32(b + 446 + 8, 1);
		vk_put_le32(b + 446 + 12, 8191);
		memcpy(b + 512, "EFI PART", 8);
		vk_put_le32(b + 512 + 8, 0x10000);
		vk_put_le32(b + 512 + 12, 92);
		vk_put_le64(b + 512 + 24, 1);
		vk_put_le64(b + 512 + 32, 8191);
	} else if (strcmp(g->sign, "ext") == 0) {
		vk_put_le32(b + 1024, 128);
		vk_put_le32(b + 1028, 768);
		vk_put_le32(b + 1048, 2);
		vk_put_le16(b + 1080, 0xEF53);
	} else if (strcmp(g->sign, "xfs") == 0) {
		memcpy(b, "XFSB\0\0\x10\0\0\0\0\0\0\0\x02\0", 16);
	} else if (strcmp(g->sign, "cowd") == 0) {
		memcpy(b, "COWD", 4);
		vk_put_le32(b + 4, 1);
		vk_put_le32(b + 12, 4096);
		vk_put_le32(b + 16, 1);
	} else {
		memcpy(b, text, sizeof(text) - 1);
	}
	return b;
}

static struct vk_io *make_volume(const char *spec, uint8_t *bytes[FILES])
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);
	struct vk_lab_extent extent = {8 * GIB, 1};
	struct vk_lab_files_asked asked = {0};
	struct vk_lab_device device = {0};
	struct vk_lab_volume volume;
	struct vk_error err = {0};
	char recipe[4000], names[FILES][64];
	size_t len = (size_t)snprintf(recipe, sizeof(recipe),
				      "file /live/a size=3M\nfile /live/b size=40M stored=pointer-block\nfile /live/c size=5000\n");

	for (size_t i = 0; i < FILES; i++) {
		int fd;

		snprintf(names[i], sizeof(names[i]), "/tmp/carve-XXXXXX");
		fd = mkstemp(names[i]);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, bytes[i], (size_t)gone[i].size), (ssize_t)gone[i].size);
		close(fd);
		len += (size_t)snprintf(recipe + len, sizeof(recipe) - len, "file %s size=%llu content=%s %s\n", gone[i].path,
					(unsigned long long)gone[i].size, names[i], gone[i].words);
	}
	vk_lab_volume_init(&volume);
	if (vk_lab_volume_parse(&volume, spec, &err) != VK_OK || vk_lab_recipe_parse(&asked, "recipe", recipe, &err) != VK_OK ||
	    vk_lab_devices_make(&volume, 7, 0, &extent, 1, 512, &device, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_files_needs(&asked, &device.needs);
	assert_int_equal(vk_lab_write_device(&disk, 0, &device), VK_OK);
	if (vk_lab_fill(&asked, &(struct vk_lab_member){&disk, 0, &device}, 1, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_asked_free(&asked);
	for (size_t i = 0; i < FILES; i++)
		unlink(names[i]);
	return memory_io(disk.fd);
}

/* Of which deleted file a candidate gives the bytes from its first on: FILES: of none. */
static size_t hit_by(struct vk_fs *fs, const struct vk_undelete_file *f, uint8_t *const bytes[FILES], uint64_t *ret_equal)
{
	struct vk_io *io = NULL;
	struct vk_error err = {0};
	size_t which = FILES, got = 0;
	uint8_t *read = malloc(8 * MIB_BYTES);

	assert_non_null(read);
	assert_int_equal(vk_undelete_io(fs, f, 0, &io, &err), VK_OK);
	assert_int_equal(vk_io_read(io, 0, read, 8 * MIB_BYTES, &got, &err), VK_OK);
	for (size_t i = 0; i < FILES && which == FILES; i++)
		if (got >= HEAD && memcmp(read, bytes[i], HEAD) == 0)
			which = i;
	for (*ret_equal = 0; which < FILES && *ret_equal < got && *ret_equal < gone[which].size &&
			     read[*ret_equal] == bytes[which][*ret_equal]; ++*ret_equal)
		;
	vk_io_close(io);
	free(read);
	return which;
}

/* What holds of every candidate, whatever it is. */
static void assert_candidate(const struct vk_undelete_file *f, const struct vk_carve_mark *mark)
{
	uint64_t at = 0;

	assert_true(f->verdict != VK_UNDELETE_ALL_UNTOUCHED);
	assert_int_equal(f->bytes[VK_UNDELETE_UNTOUCHED], 0);
	assert_int_equal(mark->name[0], '#');
	assert_true(f->guess || (f->from == VK_UNDELETE_DESCRIPTOR && mark->size_known));
	for (size_t k = 0; k < f->range_count; k++) {
		assert_int_equal(f->ranges[k].file_offset, at);
		assert_true(f->ranges[k].length_bytes > 0);
		at += f->ranges[k].length_bytes;
	}
	assert_true(f->size_bytes == 0 || f->size_bytes == at);
}

static void lab_volume(const char *spec)
{
	uint8_t *bytes[FILES];
	size_t found[FILES] = {0}, hits = 0, false_ones = 0;
	struct vk_carved carved = {0};
	struct vk_error err = {0};
	struct opened_fs o;

	for (size_t i = 0; i < FILES; i++)
		bytes[i] = make_bytes(i);
	assert_int_equal(fs_try(make_volume(spec, bytes), false, NULL, &o, &err), VK_OK);
	assert_int_equal(vk_carve(o.fs, NULL, NULL, &carved, &err), VK_OK);
	for (size_t i = 0; i < carved.found.count; i++) {
		const struct vk_undelete_file *f = &carved.found.files[i];
		uint64_t equal;
		const size_t which = hit_by(o.fs, f, bytes, &equal);

		assert_candidate(f, &carved.marks[i]);
		print_message("%s: %s %s, %llu bytes, %s, %s\n", spec, carved.marks[i].name,
			      f->path != NULL ? f->path : "-", (unsigned long long)f->size_bytes,
			      f->looks_like != NULL ? f->looks_like : "-", which < FILES ? gone[which].path : "false");
		if (which == FILES) {
			false_ones++;
			continue;
		}
		hits++;
		found[which]++;
		assert_int_equal(f->from, gone[which].from);
		assert_true(gone[which].looks_like == NULL ? f->looks_like == NULL
							   : strcmp(f->looks_like, gone[which].looks_like) == 0);
		if (f->from != VK_UNDELETE_SIGNATURE)
			assert_int_equal(equal, gone[which].size);
		if (f->from == VK_UNDELETE_DESCRIPTOR)
			assert_int_equal(f->size_bytes, gone[which].size);
		assert_true(o.info->vmfs6 || carved.marks[i].last_alloc == 0);
		assert_true(!o.info->vmfs6 || f->from == VK_UNDELETE_DESCRIPTOR || carved.marks[i].last_alloc != 0);
	}
	print_message("%s: %zu of %d deleted files hit by %zu candidates, %zu false ones, %llu descriptors cleared\n", spec,
		      hits, (int)FILES, carved.found.count, false_ones, (unsigned long long)carved.cleared);
	for (size_t i = 0; i < FILES; i++) {
		if (found[i] != 1)
			fail_msg("%s: %s is found %zu times", spec, gone[i].path, found[i]);
		free(bytes[i]);
	}
	assert_int_equal(false_ones, 0);
	assert_int_equal(carved.cleared, 5);
	assert_false(carved.found.unfinished || carved.stopped || carved.blocks_unknown);
	vk_carved_free(&carved);
	fs_done(&o);
}

static void volume3(void **state)
{
	(void)state;
	lab_volume("version=3");
}

static void volume5(void **state)
{
	(void)state;
	lab_volume("version=5");
}

static void volume6(void **state)
{
	(void)state;
	lab_volume("version=6");
}

/* Nothing was ever deleted on them; what is found is chance, or what the host left. */
static void real(void **state)
{
	bool any = false;

	(void)state;
	for (size_t v = 0; v < REAL_VOLUMES; v++) {
		struct vk_carved carved = {0};
		struct vk_error err = {0};
		struct opened_fs o;

		if (!fs_real(v, &o))
			continue;
		any = true;
		assert_int_equal(vk_carve(o.fs, NULL, NULL, &carved, &err), VK_OK);
		for (size_t i = 0; i < carved.found.count; i++) {
			assert_candidate(&carved.found.files[i], &carved.marks[i]);
			print_message("%s: %s, %llu bytes, %s\n", real_volumes[v].name, carved.marks[i].name,
				      (unsigned long long)carved.found.files[i].size_bytes,
				      carved.found.files[i].looks_like != NULL ? carved.found.files[i].looks_like : "-");
		}
		print_message("%s: %zu candidates, %llu cleared, %llu of %llu free blocks read\n", real_volumes[v].name,
			      carved.found.count, (unsigned long long)carved.cleared,
			      (unsigned long long)carved.blocks_read, (unsigned long long)carved.blocks_free);
		assert_int_equal(carved.found.count, 0);
		vk_carved_free(&carved);
		fs_done(&o);
	}
	if (!any)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volume3), cmocka_unit_test(volume5), cmocka_unit_test(volume6), cmocka_unit_test(real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
