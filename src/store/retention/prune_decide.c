/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures of a store go, and how much room that makes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/folder/folder.h"
#include "store/retention/prune.h"

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
};

/* For vk_each_entry; errno is ENOMEM when memory ran out. */
static bool add_going(void *ctx, int folder_fd, const char *name)
{
	struct going_list *list = ctx;
	struct going going;
	struct stat st;

	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
		return true;
	going = (struct going){.dev = st.st_dev,
			       .ino = st.st_ino,
			       .names = st.st_nlink,
			       .bytes = vk_mul_sat((uint64_t)st.st_blocks, 512)};
	return vk_append(&list->items, &list->count, &going, sizeof(going)) != NULL;
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
static enum vk_status count_room(struct vk_prune *prune, struct vk_error *err)
{
	struct going_list list = {.count = 0};
	enum vk_status status = VK_OK;
	size_t first = 0;

	prune->remove_count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		const char *id = prune->captures[i].id;
		int fd;

		if (prune->captures[i].item.keep)
			continue;
		prune->remove_count++;
		fd = openat(vk_store_fd(prune->store), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || !vk_each_entry(fd, add_going, &list))
			status = vk_error_errno(err, errno, id, "cannot list the folder of a capture");
		if (fd >= 0)
			close(fd);
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), compare_going);
	prune->free_bytes = 0;
	for (size_t i = 0; i < list.count; i++) {
		bool ends = i + 1 == list.count || compare_going(&list.items[i], &list.items[i + 1]) != 0;

		if (ends && i - first + 1 >= list.items[i].names)
			prune->free_bytes = vk_add_sat(prune->free_bytes, list.items[i].bytes);
		if (ends)
			first = i + 1;
	}
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
			items[count++] = prune->captures[i].item;
	status = vk_retention_decide(items, count, policy, err);
	count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		struct vk_prune_capture *c = &prune->captures[i];

		if (c->problem[0] == '\0') {
			c->item = items[count++];
			continue;
		}
		c->item.keep = true;
		memcpy(c->item.why, c->problem, sizeof(c->problem));
	}
	free(items);
	return status == VK_OK ? count_room(prune, err) : status;
}
