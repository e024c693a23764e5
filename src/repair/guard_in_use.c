/* SPDX-License-Identifier: Apache-2.0 */
/* Guard in-use: is the target, or a part of it, mounted, held, locked or open for writing by someone? */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "repair/disk_lock.h"
#include "repair/guards.h"

enum { USERS_BYTES = 330 };

static void remark_unseen(struct vk_restore *restore)
{
	vk_restore_add_remark(restore, "whether another process has the target open for writing could not be told for all "
				       "of them: only root outside of containers sees every process");
}

/* Opening for itself alone, if only to read, fails while anyone claims the disk or a partition of it. */
static bool is_claimed(const char *path)
{
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	bool busy = fd < 0 && errno == EBUSY;

	if (fd >= 0)
		close(fd);
	return busy;
}

static bool is_locked(const struct vk_restore *restore, int fd)
{
	return restore->target.is_device ? vk_device_is_locked(fd, restore->target.rdev)
					 : flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

enum vk_status vk_guard_ask_in_use(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_target_id *target = &restore->target;
	char users[USERS_BYTES];
	struct vk_text text;
	bool claimed, locked, seen;
	int fd;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	fd = open(restore->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vk_error_errno(err, errno, restore->path, "Cannot open the target for reading");
	vk_text_init(&text, users, sizeof(users));
	seen = target->is_device ? vk_device_users(target->rdev, fd, &text)
				 : vk_file_users(target->dev, target->ino, fd, &text);
	claimed = target->is_device && is_claimed(restore->path);
	locked = is_locked(restore, fd);
	close(fd);
	restore->held = claimed || locked;
	if (claimed && users[0] == '\0')
		vk_text_put(&text, "a program has it open for itself alone");
	else if (locked && users[0] == '\0')
		vk_text_put(&text, "another process holds a lock on it");
	if (!seen)
		remark_unseen(restore);
	if (users[0] == '\0')
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_IN_USE, err, "The target is in use: %s", users);
}

/* By now the writer has the target locked and, unless somebody else had it, for itself alone. */
enum vk_status vk_guard_in_use_again(const struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_target_id *target = &restore->target;
	char users[USERS_BYTES];
	struct vk_text text;
	int fd;

	if ((restore->options.overrides & 1U << VK_GUARD_IN_USE) != 0)
		return VK_OK;
	fd = open(restore->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vk_error_errno(err, errno, restore->path, "Cannot open the target for reading");
	vk_text_init(&text, users, sizeof(users));
	/* that not all were seen was said of the plan */
	(void)!(target->is_device ? vk_device_users(target->rdev, fd, &text)
				  : vk_file_users(target->dev, target->ino, fd, &text));
	close(fd);
	if (users[0] == '\0')
		return VK_OK;
	vk_error_set(err, VK_REFUSED, restore->path, "Guard in-use: the target came into use since the plan was made: %s",
		     users);
	return vk_error_remedy(err, "Nothing was written; stop what uses it, then repeat the command");
}
