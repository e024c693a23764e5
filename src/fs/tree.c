/* SPDX-License-Identifier: Apache-2.0 */
/* The files under a folder, each folder once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fs/folder.h"

enum {
	ADDRESSES = 1 << 26,                       /* of file descriptors: 16 bits of cluster, 10 of resource */
	TREE_SLOTS_MAX = 16 * VK_DIR_SLOTS_MAX  /* of all folders together */
};

/* A folder to be listed, or whose folders are. */
struct node {
	char *name;
	uint32_t address;
	size_t parent; /* SIZE_MAX: the folder where it begins */
};

struct tree {
	struct vk_fs *fs;
	const struct vk_finding_sink *sink;
	vk_fs_visit_fn fn;
	void *ctx;
	uint8_t *seen;                  /* a bit for each address: the folders that were met */
	struct node *nodes;
	size_t node_count;
	size_t *waiting;                /* nodes, the next one at the end */
	size_t waiting_count;
	size_t current;
	char path[VK_FS_PATH_BYTES];    /* of the folder that is listed, with a '/' behind it */
	size_t path_len;
	uint64_t slots_left;
	bool stop;
	enum vk_status status;
	struct vk_error *err;
};

/* Marks a folder; false: it was met before. */
static bool meet(struct tree *t, uint32_t address)
{
	uint32_t number = (address >> 6 & 0xFFFF) << 10 | address >> 22;
	bool before = ((unsigned)t->seen[number / 8] >> number % 8 & 1U) != 0;

	t->seen[number / 8] = (uint8_t)(t->seen[number / 8] | 1U << number % 8);
	return !before;
}

static bool add_node(struct tree *t, const char *name, uint32_t address, size_t parent)
{
	struct node node = {strdup(name), address, parent};

	if (node.name != NULL && vk_append(&t->nodes, &t->node_count, &node, sizeof(node)) != NULL)
		return true;
	free(node.name);
	t->status = vk_no_memory(t->err, NULL);
	return false;
}

/* Takes an opened file. Returns false to end the list. */
static bool visit_file(struct tree *t, const struct vk_fs_visit *visit, const char *name)
{
	bool folder = visit->file != NULL && vk_fs_file_is_folder(visit->file), enter;

	if (folder && !meet(t, visit->file->address)) {
		vk_fs_say(t->fs, t->sink, visit->file->address, VK_F_FOLDER_LOOP, visit->file->volume_offset, 0,
			  vk_phrase("descriptor 0x%08x", visit->file->address).text, NULL,
			  "a folder is named by two entries, or contains itself: it is shown once");
		return true;
	}
	enter = t->fn(t->ctx, visit, &t->stop);
	if (folder && enter && !t->stop && !add_node(t, name, visit->file->address, t->current))
		return false;
	return !t->stop;
}

static bool take_entry(void *ctx, const struct vk_fs_entry *entry)
{
	struct tree *t = ctx;
	char name[VK_FS_PATH_NAME_BYTES];
	struct vk_error error = {0};
	struct vk_fs_file *file = NULL;
	struct vk_fs_visit visit = {t->path, entry, NULL, &error, t->nodes[t->current].address};
	bool go_on;

	if (!entry->unsafe_name && vk_dir_is_dots(entry->name))
		return true;
	vk_fs_name_in_path(entry, name);
	if (t->path_len + strlen(name) + 1 >= sizeof(t->path)) {
		vk_fs_say(t->fs, t->sink, entry->address, VK_F_FOLDER_ENTRY,
			  t->fs->info.system[VK_SYSTEM_ROOT].file != NULL ?
			  t->fs->info.system[VK_SYSTEM_ROOT].file->volume_offset : 0, 0, NULL, NULL,
			  "a path is longer than %zu bytes: what is named so is not shown", sizeof(t->path) - 1);
		return true;
	}
	memcpy(t->path + t->path_len, name, strlen(name) + 1);
	if (vk_fs_entry_open(t->fs, entry, t->sink, &file, &error) == VK_OK)
		visit.file = file;
	go_on = visit_file(t, &visit, name);
	vk_fs_file_close(file);
	t->path[t->path_len] = '\0';
	return go_on;
}

/* The path of a node, from its end to its start. */
static void set_path(struct tree *t, size_t node)
{
	size_t at = sizeof(t->path) - 1;

	for (size_t n = node; n != SIZE_MAX; n = t->nodes[n].parent) {
		size_t len = strlen(t->nodes[n].name);

		at -= len + 1;
		memcpy(t->path + at, t->nodes[n].name, len);
		t->path[at + len] = '/';
	}
	t->path_len = sizeof(t->path) - 1 - at;
	memmove(t->path, t->path + at, t->path_len);
	t->path[t->path_len] = '\0';
}

static void list_node(struct tree *t, size_t node)
{
	char path[VK_FS_PATH_BYTES];
	struct vk_dir_visit visit = {.fn = take_entry, .ctx = t, .path = path};
	size_t before = t->node_count;
	struct vk_fs_file *folder;
	struct vk_error error = {0};
	enum vk_status st;

	t->current = node;
	set_path(t, node);
	memcpy(path, t->path, t->path_len);
	path[t->path_len > 0 ? t->path_len - 1 : 0] = '\0';
	st = vk_fs_file_open(t->fs, t->nodes[node].address, NULL, &folder, &error);
	if (st == VK_OK) {
		st = vk_dir_list(t->fs, folder, &visit, t->sink, &t->slots_left, &error);
		if ((st == VK_ABSENT || st == VK_IO || st == VK_DAMAGED) && t->nodes[node].parent != SIZE_MAX) {
			vk_fs_say(t->fs, t->sink, folder->address,
				  st == VK_IO ? VK_F_SOURCE_UNREADABLE
				  : st == VK_DAMAGED ? VK_F_FOLDER_BLOCK : VK_F_STRUCTURE_ABSENT,
				  folder->volume_offset, 0, NULL, NULL, "%s", error.what);
			st = VK_OK;
		}
		vk_fs_file_close(folder);
	}
	/* of a folder on the way the rest is given all the same; nothing of the first one is no empty folder */
	if (t->status == VK_OK && st != VK_OK &&
	    (st == VK_NOMEM || st == VK_IO || t->nodes[node].parent == SIZE_MAX)) {
		t->status = st;
		if (t->err != NULL)
			*t->err = error;
	}
	/* the first of its folders is the next one */
	for (size_t i = t->node_count; i > before && t->status == VK_OK; i--) {
		size_t number = i - 1;

		if (vk_append(&t->waiting, &t->waiting_count, &number, sizeof(number)) == NULL)
			t->status = vk_no_memory(t->err, NULL);
	}
}

/* The name of the first node is the path that leads to it. */
static void walk(struct tree *t, const char *path, uint32_t address)
{
	char start[VK_FS_PATH_BYTES];
	size_t len, first = 0;
	const bool by_descriptor = path[0] == '#';

	path += strspn(path, "/");
	for (len = strlen(path); len > 0 && path[len - 1] == '/'; len--)
		continue;
	snprintf(start, sizeof(start), "%s%.*s", len > 0 && !by_descriptor ? "/" : "", (int)len, path);
	if (!add_node(t, start, address, SIZE_MAX))
		return;
	if (vk_append(&t->waiting, &t->waiting_count, &first, sizeof(first)) == NULL)
		t->status = vk_no_memory(t->err, NULL);
	meet(t, address);
	while (t->status == VK_OK && !t->stop && t->waiting_count > 0)
		list_node(t, t->waiting[--t->waiting_count]);
}

enum vk_status vk_fs_walk_tree(struct vk_fs *fs, const char *path, vk_fs_visit_fn fn, void *ctx,
			       const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct vk_fs_file *folder = NULL;
	struct tree *t = NULL;
	enum vk_status st;

	/* two slashes are put to it */
	if (strlen(path) + 2 >= VK_FS_PATH_BYTES)
		return vk_error_set(err, VK_USAGE, NULL, "the path of a folder has at most %d bytes",
				    VK_FS_PATH_BYTES - 3);
	st = vk_fs_lookup(fs, path, true, sink, &folder, err);
	if (st == VK_OK && !vk_fs_file_is_folder(folder))
		st = vk_error_set(err, VK_USAGE, vk_io_name(fs->volume), "this is no folder");
	if (st == VK_OK && ((t = calloc(1, sizeof(*t))) == NULL || (t->seen = calloc(1, ADDRESSES / 8)) == NULL))
		st = vk_no_memory(err, NULL);
	if (st == VK_OK) {
		t->fs = fs;
		t->sink = sink;
		t->fn = fn;
		t->ctx = ctx;
		t->slots_left = TREE_SLOTS_MAX;
		t->err = err;
		walk(t, path, folder->address);
		st = t->status;
	}
	for (size_t i = 0; t != NULL && i < t->node_count; i++)
		free(t->nodes[i].name);
	if (t != NULL) {
		free(t->nodes);
		free(t->waiting);
		free(t->seen);
	}
	free(t);
	vk_fs_file_close(folder);
	return st;
}
