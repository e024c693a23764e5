/* SPDX-License-Identifier: Apache-2.0 */
/* Guard in-use: is the target, or a part of it, mounted or held by someone? */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "repair/guards.h"

static enum vk_status cannot_open(const struct vk_restore *restore, int code, struct vk_error *err)
{
	return vk_error_errno(err, code, restore->path, "Cannot open the target for reading");
}

static enum vk_status object_to(struct vk_restore *restore, const char *users, struct vk_error *err)
{
	return vk_guard_object(restore, VK_GUARD_IN_USE, err, "The target is in use: %s",
			       users[0] == '\0' ? "a program has it open for itself alone" : users);
}

/* Opening for itself alone, if only to read, fails while anyone claims the disk or a partition of it. */
static enum vk_status ask_device(struct vk_restore *restore, struct vk_error *err)
{
	int fd = open(restore->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	bool busy = fd < 0 && errno == EBUSY;
	char users[300];
	struct vk_text text;

	if (fd < 0 && !busy)
		return cannot_open(restore, errno, err);
	if (fd >= 0)
		close(fd);
	vk_text_init(&text, users, sizeof(users));
	vk_device_users(restore->target.rdev, &text);
	return busy || users[0] != '\0' ? object_to(restore, users, err) : VK_OK;
}

static enum vk_status ask_file(struct vk_restore *restore, struct vk_error *err)
{
	int fd = open(restore->path, O_RDONLY | O_CLOEXEC);
	char users[300];
	struct vk_text text;

	if (fd < 0)
		return cannot_open(restore, errno, err);
	vk_text_init(&text, users, sizeof(users));
	vk_file_users(restore->target.dev, restore->target.ino, fd, &text);
	if (users[0] == '\0' && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		vk_text_put(&text, "another process holds a lock on it");
	close(fd);
	return users[0] != '\0' ? object_to(restore, users, err) : VK_OK;
}

enum vk_status vk_guard_ask_in_use(struct vk_restore *restore, struct vk_error *err)
{
	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	return restore->target.is_device ? ask_device(restore, err) : ask_file(restore, err);
}
