/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is asked for. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/files/files.h"

static void free_disk(struct vk_lab_virtual *disk)
{
	if (disk == NULL)
		return;
	free(disk->path);
	free(disk->parent);
	free(disk);
}

void vk_lab_item_free(struct vk_lab_item *item)
{
	free(item->text);
	free(item->head);
	free(item->data);
	free(item->tbz);
	free_disk(item->disk);
}

void vk_lab_asked_free(struct vk_lab_files_asked *asked)
{
	for (size_t i = 0; i < asked->count; i++) {
		free(asked->items[i].path);
		vk_lab_item_free(&asked->items[i]);
	}
	free(asked->items);
}

/* A path from the root whose parts are names that a volume can hold. */
static bool sound_path(const char *path)
{
	for (const char *part = path; *part != '\0';) {
		size_t len = strcspn(part + 1, "/");

		if (*part != '/' || len == 0 || len > VK_DIR6_NAME_MAX ||
		    (len <= 2 && strncmp(part + 1, "..", len) == 0))
			return false;
		part += len + 1;
	}
	for (unsigned i = VK_SYSTEM_FBB; i < VK_SYSTEM_COUNT; i++)
		if (strcmp(path + 1, vk_system_file_name((enum vk_system_file)i)) == 0)
			return false;
	return *path != '\0';
}

/* The folder of a path, if nobody asked for it yet: it or one of its files stands near the end of the list. */
static enum vk_status add_parent(struct vk_lab_files_asked *asked, const char *path, struct vk_error *err)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	struct vk_lab_item parent = {.type = VK_FILE_FOLDER};
	enum vk_status status;

	if (len == 0)
		return VK_OK;
	for (size_t i = asked->count; i-- > 0;) {
		const char *there = asked->items[i].path;

		if (strncmp(there, path, len) == 0 &&
		    (there[len] == '\0' || (there[len] == '/' && strchr(there + len + 1, '/') == NULL)))
			return VK_OK;
	}
	parent.path = strndup(path, len);
	if (parent.path == NULL)
		return vk_no_memory(err, NULL);
	status = vk_lab_asked_add(asked, &parent, err);
	free(parent.path);
	return status;
}

enum vk_status vk_lab_asked_add(struct vk_lab_files_asked *asked, const struct vk_lab_item *item, struct vk_error *err)
{
	struct vk_lab_item *added;
	enum vk_status status;

	if (!sound_path(item->path))
		return vk_error_set(err, VK_USAGE, item->path,
				    "this is no path on a volume: it begins with a slash, its names have 1 to %d "
				    "bytes, and none is that of a system file",
				    VK_DIR6_NAME_MAX);
	status = add_parent(asked, item->path, err);
	if (status != VK_OK)
		return status;
	added = vk_append(&asked->items, &asked->count, item, sizeof(*item));
	if (added == NULL)
		return vk_no_memory(err, NULL);
	/* text and stretches belong to the list from now on */
	added->names = NULL;
	added->path = strdup(item->path);
	if (added->path != NULL)
		return VK_OK;
	asked->count--;
	return vk_no_memory(err, NULL);
}
