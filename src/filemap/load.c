/* SPDX-License-Identifier: Apache-2.0 */
/* All files of a map in memory, and what became of them in a later one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "filemap/file_map_form.h"
#include "vmfskit/virtual_disk.h"

enum { TEXT_MAX = 256 << 20, DISK_LEAST_BYTES = 1 << 20 };

/* ---- loading */

struct torn {
	uint32_t address, generation;
};
struct loading {
	struct vk_file_map *map;
	struct torn *torn;
	size_t torn_count;
	bool too_much;
};

static char *keep_text(struct loading *l, const char *text)
{
	const size_t bytes = strlen(text) + 1;

	l->too_much = l->too_much || bytes > TEXT_MAX - l->map->text_bytes;
	if (l->too_much)
		return NULL;
	l->map->text_bytes += bytes;
	return strdup(text);
}

static bool add_file(void *ctx, const struct vk_file_map_file *file)
{
	struct loading *l = ctx;
	struct vk_file_map_file copy = *file;
	char *path = keep_text(l, file->path);

	copy.path = path;
	if (path != NULL && vk_append(&l->map->files, &l->map->count, &copy, sizeof(copy)) != NULL)
		return true;
	free(path);
	return false;
}

static bool add_id(void *ctx, const char *disk_id)
{
	struct loading *l = ctx;

	return (l->map->files[l->map->count - 1].disk_id = keep_text(l, disk_id)) != NULL;
}

static bool add_run(void *ctx, const struct vk_fs_run *run)
{
	struct loading *l = ctx;

	(void)run;
	l->map->files[l->map->count - 1].run_count++;
	return true;
}

static bool add_torn(void *ctx, uint32_t address, uint32_t generation)
{
	struct loading *l = ctx;
	const struct torn torn = {address, generation};

	return vk_append(&l->torn, &l->torn_count, &torn, sizeof(torn)) != NULL;
}

static int compare_torn(const void *a, const void *b)
{
	const struct torn *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->generation != y->generation ? (x->generation < y->generation ? -1 : 1) : 0;
}

static int compare_paths(const void *a, const void *b)
{
	const struct vk_file_map_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

enum vk_status vk_file_map_load(struct vk_io *io, struct vk_file_map *ret_map, struct vk_error *err)
{
	struct vk_file_map map = {.count = 0};
	struct loading l = {.map = &map};
	const struct vk_file_map_visitor visitor = {add_file, add_id, add_run, add_torn, NULL, &l};
	enum vk_status status = vk_file_map_read(io, &visitor, &map.sums, err);

	if (status == VK_NOMEM && l.too_much)
		status = vk_error_set(err, VK_UNSUPPORTED, vk_io_name(io),
				      "the file map has more names than any volume");
	if (l.torn_count > 0)
		qsort(l.torn, l.torn_count, sizeof(*l.torn), compare_torn);
	for (size_t i = 0; i < map.count && l.torn_count > 0; i++) {
		const struct torn key = {map.files[i].address, map.files[i].generation};

		map.files[i].torn = bsearch(&key, l.torn, l.torn_count, sizeof(key), compare_torn) != NULL;
	}
	free(l.torn);
	if (map.count > 0)
		qsort(map.files, map.count, sizeof(*map.files), compare_paths);
	if (status == VK_OK)
		*ret_map = map;
	else
		vk_file_map_free(&map);
	return status;
}

void vk_file_map_free(struct vk_file_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free((void *)(uintptr_t)map->files[i].path);
		free((void *)(uintptr_t)map->files[i].disk_id);
	}
	free(map->files);
	memset(map, 0, sizeof(*map));
}

/* ---- comparing */

const char *vk_file_change_name(enum vk_file_change_kind kind)
{
	static const char *const names[] = {"vanished", "moved", "appeared", "grew", "shrank", "unseen"};

	return names[kind];
}

bool vk_file_map_ends(const char *path, const char *end)
{
	const size_t len = strlen(path), tail = strlen(end);

	return len >= tail && strcasecmp(path + len - tail, end) == 0;
}

bool vk_file_map_is_disk(const struct vk_file_map_file *file)
{
	const enum vk_vdisk_kind kind = vk_vdisk_kind_of_name(file->path);

	if (!vk_file_map_ends(file->path, ".vmdk") || vk_file_map_ends(file->path, "-ctk.vmdk") ||
	    kind == VK_VDISK_DELTA || kind == VK_VDISK_SESPARSE)
		return false;
	return file->type == VK_FILE_RDM || (file->type == VK_FILE_ORDINARY && file->size_bytes >= DISK_LEAST_BYTES);
}

struct comparing {
	const struct vk_file_map *maps[2];
	const struct vk_file_map_file **sides[2]; /* by descriptor, generation, path; without system files */
	size_t counts[2];
	struct vk_file_change *changes;
	size_t change_count;
	bool failed;
};

static int compare_keys(const struct vk_file_map_file *x, const struct vk_file_map_file *y)
{
	const struct torn a = {x->address, x->generation}, b = {y->address, y->generation};

	/* a link is not a disk that moved, whatever the generations say */
	return x->type != y->type ? (x->type < y->type ? -1 : 1) : compare_torn(&a, &b);
}

static int compare_files(const void *a, const void *b)
{
	const struct vk_file_map_file *const *x = a, *const *y = b;
	const int keys = compare_keys(*x, *y);

	return keys != 0 ? keys : strcmp((*x)->path, (*y)->path);
}

static void add_change(struct comparing *c, enum vk_file_change_kind kind, const struct vk_file_map_file *before,
		       const struct vk_file_map_file *after)
{
	const struct vk_file_change change = {kind, before, after};

	if (kind == VK_FILE_APPEARED && !vk_file_map_is_whole(&c->maps[0]->sums))
		return;
	if (vk_append(&c->changes, &c->change_count, &change, sizeof(change)) == NULL)
		c->failed = true;
}

/* The same name of the same file. */
static void compare_sizes(struct comparing *c, const struct vk_file_map_file *before,
			  const struct vk_file_map_file *after)
{
	if (before->unread || after->unread || after->type == VK_FILE_FOLDER || before->size_bytes == after->size_bytes)
		return;
	add_change(c, before->size_bytes < after->size_bytes ? VK_FILE_GREW : VK_FILE_SHRANK, before, after);
}

static size_t group_end(const struct comparing *c, int side, size_t from)
{
	size_t end = from;

	while (end < c->counts[side] && compare_keys(c->sides[side][end], c->sides[side][from]) == 0)
		end++;
	return end;
}

/* Names of one file on both sides: those that are on both, then the others in pairs, then what has no partner. */
static void compare_group(struct comparing *c, size_t from, size_t end, size_t from2, size_t end2)
{
	const struct vk_file_map_file **before = c->sides[0], **after = c->sides[1];
	size_t left = from, left2 = from2, i = from, k = from2;

	/* those without a partner move to the front of the group */
	while (i < end || k < end2) {
		const int order = i == end ? 1 : k == end2 ? -1 : strcmp(before[i]->path, after[k]->path);

		if (order == 0)
			compare_sizes(c, before[i++], after[k++]);
		else if (order < 0)
			before[left++] = before[i++];
		else
			after[left2++] = after[k++];
	}
	for (i = from, k = from2; i < left || k < left2;) {
		if (i < left && k < left2) {
			add_change(c, VK_FILE_MOVED, before[i], after[k]);
			i++;
			k++;
		} else if (i < left) {
			add_change(c, vk_file_map_is_whole(&c->maps[1]->sums) ? VK_FILE_VANISHED : VK_FILE_UNSEEN,
				   before[i++], NULL);
		} else {
			add_change(c, VK_FILE_APPEARED, NULL, after[k++]);
		}
	}
}

static int compare_changes(const void *a, const void *b)
{
	const struct vk_file_change *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp((x->before != NULL ? x->before : x->after)->path,
		      (y->before != NULL ? y->before : y->after)->path);
}

static bool fill_side(struct comparing *c, int side)
{
	const struct vk_file_map *map = c->maps[side];

	c->sides[side] = calloc(map->count + 1, sizeof(*c->sides[side]));
	if (c->sides[side] == NULL)
		return false;
	for (size_t i = 0; i < map->count; i++)
		if (map->files[i].type != VK_FILE_SYSTEM)
			c->sides[side][c->counts[side]++] = &map->files[i];
	qsort(c->sides[side], c->counts[side], sizeof(*c->sides[side]), compare_files);
	return true;
}

enum vk_status vk_file_map_compare(const struct vk_file_map *before, const struct vk_file_map *after,
				   struct vk_file_change **ret_changes, size_t *ret_count, struct vk_error *err)
{
	struct comparing c = {.maps = {before, after}};

	if (strcmp(before->sums.volume, after->sums.volume) != 0)
		return vk_error_set(err, VK_USAGE, NULL, "these are the files of two volumes: %s and %s",
				    before->sums.volume, after->sums.volume);
	c.failed = !fill_side(&c, 0) || !fill_side(&c, 1);
	for (size_t i = 0, k = 0; !c.failed && (i < c.counts[0] || k < c.counts[1]);) {
		const int order = i == c.counts[0]   ? 1
				  : k == c.counts[1] ? -1
						     : compare_keys(c.sides[0][i], c.sides[1][k]);
		const size_t end = order <= 0 ? group_end(&c, 0, i) : i, end2 = order >= 0 ? group_end(&c, 1, k) : k;

		compare_group(&c, i, end, k, end2);
		i = end;
		k = end2;
	}
	free(c.sides[0]);
	free(c.sides[1]);
	if (c.failed) {
		free(c.changes);
		return vk_no_memory(err, NULL);
	}
	if (c.change_count > 0)
		qsort(c.changes, c.change_count, sizeof(*c.changes), compare_changes);
	*ret_changes = c.changes;
	*ret_count = c.change_count;
	return VK_OK;
}
