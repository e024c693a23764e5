/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a history, drawn by a seed. */
#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "lab/history/life.h"

enum { MIB = 1 << 20, LIVE_MAX = 60, BLOCKS_MAX = 400, TRIES = 40, DRAWN_BEFORE = 1 << 15 };

/* A file that is there, folders or others; 0: none was drawn. */
static uint64_t draw_file(struct vk_life *life, bool folder)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t id = vk_life_random(life, life->record.count);
		const struct vk_life_file *file = &life->record.files[id];

		if (id != 0 && file->died == 0 && (file->type == VK_FILE_FOLDER) == folder)
			return id;
	}
	return 0;
}

/* A path that nobody has; number is that of the file. */
static void draw_path(struct vk_life *life, uint64_t number, char *path, size_t size)
{
	static const char *const ends[] = {"-flat.vmdk", ".vmdk", ".log", "", "-delta.vmdk"};
	uint64_t folder = draw_file(life, true);

	snprintf(path, size, "%s/f%" PRIu64 "-%" PRIu64 "%s", folder == 0 ? "" : life->record.files[folder].path,
		 number, life->record.moment, ends[vk_life_random(life, sizeof(ends) / sizeof(ends[0]))]);
}

static void count(const struct vk_life *life, uint64_t *ret_files, uint64_t *ret_blocks)
{
	*ret_files = 0;
	*ret_blocks = 0;
	for (size_t i = 1; i < life->record.count; i++) {
		const struct vk_life_file *file = &life->record.files[i];

		if (file->died != 0)
			continue;
		++*ret_files;
		for (size_t k = 0; k < file->unit_count; k++)
			*ret_blocks += file->units[k].there && file->units[k].pool == VK_LAB_POOL_SMALL;
	}
}

/* How many pointer blocks a new file may need: small volumes have few, and files that grow may need one more each. */
static uint64_t pointers_left(const struct vk_life *life)
{
	uint64_t used = 3, count = life->f->pools[life->f->vmfs6 ? VK_LAB_POOL_PB2 : VK_LAB_POOL_PB].count;
	const uint64_t each = life->f->per_pointer_block * life->f->block_bytes;

	for (size_t i = 1; i < life->record.count; i++) {
		const struct vk_life_file *file = &life->record.files[i];

		if (file->died == 0 && (file->zla == VK_ZLA_POINTER_BLOCK || file->zla == VK_ZLA_POINTER_BLOCK2 ||
					file->size_bytes > 150ULL * MIB))
			used += 1 + (file->size_bytes + 100 * MIB) / each;
	}
	return count > used ? count - used : 0;
}

/* From what fits a descriptor to what needs pointer blocks. */
static uint64_t draw_size(struct vk_life *life)
{
	uint64_t left;

	switch (vk_life_random(life, 8)) {
	case 0:
		return vk_life_random(life, 900);
	case 1:
	case 2:
		return 1 + vk_life_random(life, life->f->sub_block_bytes);
	case 3:
		left = pointers_left(life);
		if (left == 0)
			return 3 * MIB;
		/* over several pointer blocks */
		if (left > 5 && vk_life_random(life, 2) == 0)
			return (1 + vk_life_random(life, 3)) * life->f->per_pointer_block * life->f->block_bytes + MIB;
		return 200ULL * MIB + vk_life_random(life, 300) * MIB;
	default:
		return 1 + vk_life_random(life, 12 * MIB);
	}
}

static enum vk_status write_some(struct vk_life *life, uint64_t id)
{
	uint64_t size = life->record.files[id].size_bytes, most = 6 * MIB;
	uint64_t offset = size == 0 ? 0 : vk_life_random(life, size);
	const uint64_t each = life->f->per_pointer_block * life->f->block_bytes;

	/* at the end of a pointer block and into the next */
	if (size > each && vk_life_random(life, 2) == 0)
		offset = (1 + vk_life_random(life, size / each)) * each - 2 * MIB;
	return vk_life_write(life, id, offset, 1 + vk_life_random(life, most));
}

static enum vk_status create(struct vk_life *life, const char *words)
{
	uint64_t size = draw_size(life), id = life->record.count;
	bool pointers = size > MIB && pointers_left(life) > 0 && vk_life_random(life, 3) == 0;
	bool thick = size < 20 * MIB && vk_life_random(life, 4) == 0, whole;
	char path[VK_LIFE_PATH_BYTES];
	enum vk_status status;

	draw_path(life, id, path, sizeof(path));
	status = vk_life_moment(life, words, path);
	if (status == VK_OK)
		status = vk_life_create(life, path, VK_FILE_ORDINARY, size,
					pointers ? VK_LAB_POINTER_BLOCK : VK_LAB_AUTO, thick);
	/* most are written in whole; each descriptor that goes to the disk is a moment of its own */
	whole = size < 20 * MIB && !thick && vk_life_random(life, 3) != 0;
	for (unsigned i = 0; i < (whole ? 1 : 3) && status == VK_OK; i++) {
		status = vk_life_moment(life, "write", path);
		if (status == VK_OK)
			status = whole ? vk_life_write(life, id, 0, size) : write_some(life, id);
	}
	return status;
}

static enum vk_status create_folder(struct vk_life *life)
{
	char path[VK_LIFE_PATH_BYTES];
	enum vk_status status;

	snprintf(path, sizeof(path), "/folder%" PRIu64, life->record.moment);
	status = vk_life_moment(life, "folder", path);
	return status == VK_OK ? vk_life_create(life, path, VK_FILE_FOLDER, 0, VK_LAB_AUTO, false) : status;
}

static enum vk_status rename_one(struct vk_life *life, uint64_t id)
{
	char path[VK_LIFE_PATH_BYTES];
	enum vk_status status;

	if (life->record.files[id].type == VK_FILE_FOLDER)
		snprintf(path, sizeof(path), "/moved%" PRIu64, life->record.moment);
	else
		draw_path(life, id, path, sizeof(path));
	status = vk_life_moment(life, "rename", path);
	return status == VK_OK ? vk_life_rename(life, id, path) : status;
}

static enum vk_status with_file(struct vk_life *life, uint64_t id, uint64_t what)
{
	const struct vk_life_file *file = &life->record.files[id];
	uint64_t size = file->size_bytes;
	const char *words = what < 50 ? "write" : what < 61 ? "grow" : what < 69 ? "shrink" : "delete";
	enum vk_status status = vk_life_moment(life, words, file->path);

	if (status != VK_OK)
		return status;
	if (what < 50)
		return write_some(life, id);
	if (what < 61) {
		size += 1 + vk_life_random(life, vk_life_random(life, 2) == 0 ? 9000 : 5 * MIB);
		status = vk_life_resize(life, id, size);
		if (status == VK_OK)
			status = vk_life_moment(life, "write", life->record.files[id].path);
		return status == VK_OK ? vk_life_write(life, id, size - vk_life_random(life, size), 5 * MIB) : status;
	}
	if (what < 69)
		return vk_life_resize(life, id, size == 0 ? 0 : vk_life_random(life, size));
	return vk_life_delete(life, id);
}

enum vk_status vk_life_step(struct vk_life *life)
{
	uint64_t what, files, blocks, id, folder;
	const uint64_t free_blocks = life->f->files->volume_blocks - life->f->files->used_blocks;

	/* however often the volume is opened between: not what the moment before has drawn */
	life->drawn = DRAWN_BEFORE;
	id = draw_file(life, false);
	count(life, &files, &blocks);
	what = vk_life_random(life, 100);
	life->from = (enum vk_life_from)vk_life_random(life, 3);
	if (files < 3 || id == 0)
		what = files < 2 ? 99 : 0;
	if (files > LIVE_MAX || blocks > vk_min_u64(BLOCKS_MAX, free_blocks / 2))
		what = id == 0 ? 99 : 70;
	if (what < 28)
		return create(life, life->from == VK_LIFE_FREED ? "reuse" : "create");
	if (what < 88)
		return with_file(life, id, what);
	folder = draw_file(life, true);
	if (what < 96)
		return rename_one(life, folder != 0 && what == 95 ? folder : id);
	return create_folder(life);
}
