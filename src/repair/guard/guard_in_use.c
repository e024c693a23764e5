/* SPDX-License-Identifier: Apache-2.0 */
/* Guard in-use: is the target, or a part of it, mounted, held, locked or open for writing by someone? */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "repair/guard/disk_lock.h"
#include "repair/guard/guards.h"

enum { USERS_BYTES = 330 };

static void remark_unseen(struct vk_restore *restore)
{
	vk_restore_add_remark(restore, "whether another process has the target open for writing could not be told for "
				       "all of them: only root outside of containers sees every process");
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

/* Who uses it now, as a text that is empty when nobody is known; *ret_fd is open for reading. */
static enum vk_status list_users(const struct vk_restore *restore, char ret_users[USERS_BYTES],
				 struct vk_text *ret_text, bool *ret_seen, int *ret_fd, struct vk_error *err)
{
	const struct vk_target_id *target = &restore->target;

	*ret_fd = open(restore->path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return vk_error_errno(err, errno, restore->path, "Cannot open the target for reading");
	vk_text_init(ret_text, ret_users, USERS_BYTES);
	*ret_seen = target->is_device ? vk_device_users(target->rdev, *ret_fd, ret_text)
				      : vk_file_users(target->dev, target->ino, *ret_fd, ret_text);
	return VK_OK;
}

enum vk_status vk_guard_ask_in_use(struct vk_restore *restore, struct vk_error *err)
{
	char users[USERS_BYTES];
	struct vk_text text;
	bool claimed, locked, seen;
	enum vk_status status;
	int fd;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	status = list_users(restore, users, &text, &seen, &fd, err);
	if (status != VK_OK)
		return status;
	claimed = restore->target.is_device && is_claimed(restore->path);
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
	char users[USERS_BYTES];
	struct vk_text text;
	enum vk_status status;
	bool seen; /* that not all were seen was said of the plan */
	int fd;

	if (vk_guard_is_lifted(&restore->options, VK_GUARD_IN_USE))
		return VK_OK;
	status = list_users(restore, users, &text, &seen, &fd, err);
	if (status != VK_OK)
		return status;
	close(fd);
	if (users[0] == '\0')
		return VK_OK;
	vk_error_set(err, VK_REFUSED, restore->path,
		     "Guard in-use: the target came into use since the plan was made: %s", users);
	return vk_error_remedy(err, "Nothing was written; stop what uses it, then repeat the command");
}
