/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates without a capture: blocks that have another owner, chains of pointer blocks, pointer blocks that name everything. */
#include <stdio.h>

#include "base/bytes.h"
#include "fs_filled.h"
#include "fs_open.h"
#include "vmfskit/overlay.h"
#include "vmfskit/undelete_carve.h"

enum { MIB_BYTES = 1 << 20 };

static struct vk_io *make_volume(const char *spec, const char *lines)
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);
	struct vk_lab_extent extent = {8 * GIB, 1};
	struct vk_lab_files_asked asked = {0};
	struct vk_lab_device device = {0};
	struct vk_lab_volume volume;
	struct vk_error err = {0};
	char recipe[400];

	snprintf(recipe, sizeof(recipe), "%s", lines);
	vk_lab_volume_init(&volume);
	if (vk_lab_volume_parse(&volume, spec, &err) != VK_OK || vk_lab_recipe_parse(&asked, "recipe", recipe, &err) != VK_OK ||
	    vk_lab_devices_make(&volume, 7, 0, &extent, 1, 512, &device, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_files_needs(&asked, &device.needs);
	assert_int_equal(vk_lab_write_device(&disk, 0, &device), VK_OK);
	if (vk_lab_fill(&asked, &(struct vk_lab_member){&disk, 0, &device}, 1, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_asked_free(&asked);
	return memory_io(disk.fd);
}

/* Bytes at a volume offset, in the source. */
static void lay(struct vk_overlay *overlay, struct vk_fs *fs, uint64_t volume_offset, const void *bytes, size_t len)
{
	struct vk_error err = {0};
	uint64_t at, rest;
	size_t extent;

	assert_true(vk_fs_place(fs, volume_offset, &extent, &at, &rest) && rest >= len);
	assert_int_equal(vk_overlay_lay(overlay, at, bytes, len, "test", 0, NULL, &err), VK_OK);
}

static void carve(struct vk_io *io, struct opened_fs *ret_fs, struct vk_carved *ret_carved)
{
	const struct vk_carve_wish wish = {.no_signatures = true};
	struct vk_error err = {0};

	assert_int_equal(fs_try(io, false, NULL, ret_fs, &err), VK_OK);
	assert_int_equal(vk_carve(ret_fs->fs, &wish, NULL, ret_carved, &err), VK_OK);
	assert_int_equal(ret_carved->blocks_read, 0);
}

/* The second block of a deleted file is that of another one today. */
static void reused(void **state)
{
	static const char *const specs[] = {"version=3", "version=5", "version=6"};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct vk_io *io = make_volume(specs[i], "file /live/a size=2M stored=block\n"
							 "file /gone/x size=3M stored=block left=pointers\n");
		struct vk_overlay *overlay = vk_overlay_new(io);
		struct vk_fs_file *live = NULL, *lost = NULL;
		const struct vk_undelete_range *r;
		struct vk_carved carved = {0};
		struct vk_error err = {0};
		struct opened_fs o;
		size_t pointers;

		carve(io, &o, &carved);
		assert_int_equal(carved.found.count, 1);
		assert_string_equal(carved.found.files[0].path, "/gone/x");
		assert_true(carved.marks[0].slot_free && carved.marks[0].size_known);
		assert_int_equal(carved.found.files[0].verdict, VK_UNDELETE_ALL_UNKNOWN);
		assert_int_equal(vk_fs_lookup(o.fs, "/live/a", false, NULL, &live, &err), VK_OK);
		assert_int_equal(vk_fs_file_open(o.fs, carved.found.files[0].address, NULL, &lost, &err), VK_OK);
		pointers = o.info->fd.pointers_offset;
		lay(overlay, o.fs, lost->volume_offset + pointers + o.info->fd.pointer_bytes, live->fd + pointers,
		    o.info->fd.pointer_bytes);
		vk_fs_file_close(live);
		vk_fs_file_close(lost);
		vk_carved_free(&carved);
		vk_fs_close(o.fs);
		vk_vmfs_free(&o.vmfs);

		carve(vk_overlay_io(overlay), &o, &carved);
		assert_int_equal(carved.found.count, 1);
		assert_int_equal(carved.found.files[0].range_count, 3);
		assert_int_equal(carved.found.files[0].verdict, VK_UNDELETE_PARTLY_REUSED);
		r = carved.found.files[0].ranges;
		assert_int_equal(r[0].state, VK_UNDELETE_UNKNOWN);
		assert_int_equal(r[0].why, VK_UNDELETE_UNPROVED);
		assert_int_equal(r[1].state, VK_UNDELETE_REUSED);
		assert_string_equal(r[1].by, "/live/a");
		assert_int_equal(r[1].since, VK_UNDELETE_TODAY);
		assert_int_equal(r[1].length_bytes, MIB_BYTES);
		assert_int_equal(r[2].state, VK_UNDELETE_UNKNOWN);
		vk_carved_free(&carved);
		vk_fs_close(o.fs);
		vk_vmfs_free(&o.vmfs);
		vk_overlay_free(overlay);
		vk_io_close(io);
	}
}

/* Three pointer blocks of one file make one candidate, and those of the next one another. */
static void chain(void **state)
{
	struct vk_carved carved = {0}, again = {0};
	struct opened_fs o;

	(void)state;
	carve(make_volume("version=3", "file /gone/long size=2500M stored=pointer-block thick data=0+1M left=blocks\n"
				       "file /gone/next size=2000M stored=pointer-block thick data=0+1M left=blocks\n"),
	      &o, &carved);
	assert_int_equal(carved.found.count, 2);
	assert_int_equal(carved.marks[0].pointer_blocks, 3);
	assert_int_equal(carved.found.files[0].size_bytes, 2500ULL * MIB_BYTES);
	assert_int_equal(carved.marks[1].pointer_blocks, 2);
	assert_int_equal(carved.found.files[1].size_bytes, 2000ULL * MIB_BYTES);
	assert_true(carved.found.files[0].guess && carved.found.files[1].guess);
	assert_false(carved.marks[0].size_known);
	/* the same names each time */
	vk_fs_close(o.fs);
	vk_vmfs_free(&o.vmfs);
	carve(o.io, &o, &again);
	assert_int_equal(again.found.count, 2);
	assert_string_equal(again.marks[0].name, carved.marks[0].name);
	assert_string_equal(again.marks[1].name, carved.marks[1].name);
	vk_carved_free(&carved);
	vk_carved_free(&again);
	fs_done(&o);
}

/* Each pointer block of the volume names the same blocks, in an order that does not join. */
static void hostile(void **state)
{
	struct vk_io *io = make_volume("version=5", "file /live/a size=2M\n");
	struct vk_overlay *overlay = vk_overlay_new(io);
	struct vk_carved carved = {0};
	struct opened_fs o;
	uint8_t block[4096];
	size_t ranges = 0;
	uint64_t laid = 0;

	(void)state;
	carve(io, &o, &carved);
	assert_int_equal(carved.found.count, 0);
	for (uint64_t i = 0; i < 512 && i < vk_resource_count(&o.info->system[VK_SYSTEM_PBC].resource); i++, laid++) {
		const struct vk_resource_file *r = &o.info->system[VK_SYSTEM_PBC].resource;
		const uint64_t at = vk_resource_offset(r, 0, i / r->resourcesPerCluster, (uint32_t)(i % r->resourcesPerCluster));
		struct vk_fs_walk *walk;
		struct vk_fs_run run;
		struct vk_error err = {0};

		assert_int_equal(vk_fs_walk_open(o.fs, o.info->system[VK_SYSTEM_PBC].file, at, sizeof(block), NULL, &walk, &err),
				 VK_OK);
		assert_true(vk_fs_walk_next(walk, &run) && run.length_bytes == sizeof(block));
		vk_put_le32(block + 4092, (uint32_t)vk_file_block_address(false, 5000 + i, 0));
		vk_put_le32(block, (uint32_t)vk_file_block_address(false, 6000 + i, 0));
		for (unsigned k = 1; k < 1023; k++)
			vk_put_le32(block + (size_t)k * 4, (uint32_t)vk_file_block_address(false, 4000 - k * 2, 0));
		lay(overlay, o.fs, run.volume_offset, block, sizeof(block));
		vk_fs_walk_close(walk);
	}
	vk_fs_close(o.fs);
	vk_vmfs_free(&o.vmfs);
	carve(vk_overlay_io(overlay), &o, &carved);
	for (size_t i = 0; i < carved.found.count; i++)
		ranges += carved.found.files[i].range_count;
	print_message("%llu blocks that name everything: %zu candidates, %zu ranges\n", (unsigned long long)laid,
		      carved.found.count, ranges);
	assert_true(laid > 8);
	/* each names what the others name: none goes on in another */
	assert_int_equal(carved.found.count, laid);
	assert_int_equal(ranges, laid * 1024);
	vk_carved_free(&carved);
	vk_fs_close(o.fs);
	vk_vmfs_free(&o.vmfs);
	vk_overlay_free(overlay);
	vk_io_close(io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reused), cmocka_unit_test(chain), cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
