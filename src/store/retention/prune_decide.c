/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures of a store go, and how much room that makes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/retention/prune.h"

static struct vk_retention_item item_of(const struct vk_prune_capture *c)
{
	return (struct vk_retention_item){.id = c->id,
					  .disk = c->disk,
					  .volumes = (const char *const *)c->volumes,
					  .volume_count = c->volume_count,
					  .header = c->header,
					  .header_is_table = c->header_is_table,
					  .unix_seconds = c->unix_seconds,
					  .verdict = c->verdict,
					  .pinned = c->pinned,
					  .is_undo = c->is_undo,
					  .is_rebuilt = c->is_rebuilt};
}

/* A file that goes, once for each name that goes. */
struct going {
	dev_t dev;
	ino_t ino;
	nlink_t names;
	uint64_t bytes;
};

struct going_list {
	struct going *items;
	size_t count;
	size_t cap;
};

static bool add_going(struct going_list *list, const struct stat *st)
{
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 256 : list->cap * 2;
		struct going *items = realloc(list->items, cap * sizeof(*items));

		if (items == NULL)
			return false;
		list->items = items;
		list->cap = cap;
	}
	list->items[list->count++] = (struct going){.dev = st->st_dev,
						    .ino = st->st_ino,
						    .names = st->st_nlink,
						    .bytes = vk_mul_sat((uint64_t)st->st_blocks, 512)};
	return true;
}

static enum vk_status add_folder(const struct vk_prune *prune, const char *id, struct going_list *list,
				 struct vk_error *err)
{
	int fd = openat(vk_store_fd(prune->store), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	enum vk_status status = VK_OK;

	if (dir == NULL) {
		vk_error_errno(err, errno, id, "cannot list the folder of a capture");
		if (fd >= 0)
			close(fd);
		return VK_IO;
	}
	while (status == VK_OK && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) &&
		    !add_going(list, &st))
			status = vk_no_memory(err, id);
	}
	closedir(dir);
	return status;
}

static int compare_going(const void *a, const void *b)
{
	const struct going *x = a;
	const struct going *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* A file is gone with the last of its names. */
static uint64_t sum_going(struct going_list *list)
{
	uint64_t sum = 0;
	size_t first = 0;

	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare_going);
	for (size_t i = 0; i < list->count; i++) {
		bool ends = i + 1 == list->count || compare_going(&list->items[i], &list->items[i + 1]) != 0;

		if (ends && i - first + 1 >= list->items[i].names)
			sum = vk_add_sat(sum, list->items[i].bytes);
		if (ends)
			first = i + 1;
	}
	return sum;
}

static enum vk_status count_room(struct vk_prune *prune, struct vk_error *err)
{
	struct going_list list = {.count = 0};
	enum vk_status status = VK_OK;

	prune->remove_count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		if (prune->captures[i].keep)
			continue;
		prune->remove_count++;
		status = add_folder(prune, prune->captures[i].id, &list, err);
	}
	if (status == VK_OK)
		prune->free_bytes = sum_going(&list);
	free(list.items);
	return status;
}

enum vk_status vk_prune_decide(struct vk_prune *prune, const struct vk_retention_policy *policy,
			       struct vk_error *err)
{
	struct vk_retention_item *items = calloc(prune->count + 1, sizeof(*items));
	size_t count = 0;
	enum vk_status status;

	if (items == NULL)
		return vk_no_memory(err, vk_store_path(prune->store));
	for (size_t i = 0; i < prune->count; i++)
		if (prune->captures[i].problem[0] == '\0')
			items[count++] = item_of(&prune->captures[i]);
	status = vk_retention_decide(items, count, policy, err);
	count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		struct vk_prune_capture *c = &prune->captures[i];
		bool decided = c->problem[0] == '\0';

		c->keep = decided ? items[count].keep : true;
		memcpy(c->why, decided ? items[count].why : c->problem,
		       decided ? sizeof(items[count].why) : sizeof(c->problem));
		count += decided;
	}
	free(items);
	return status == VK_OK ? count_room(prune, err) : status;
}
