/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard in-use: is the target, or a part of it, mounted, held, locked or open for writing by someone? And the lock that
 * programs which change a disk take.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "repair/guard/guards.h"

enum { USERS_BYTES = 330, LOCK_TRIES = 50, LOCK_WAIT_MS = 100 };

/* -1: it is no partition, or its disk cannot be opened. */
static int open_whole_disk(dev_t rdev)
{
	char node[VK_NODE_BYTES];
	struct stat st;
	dev_t disk;
	int fd;

	if (!vk_disk_of_partition(rdev, &disk, node))
		return -1;
	fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISBLK(st.st_mode) || st.st_rdev != disk)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool vk_target_lock(int fd, const struct vk_target_id *target, bool wait, int *ret_disk_fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	int tries = wait && target->is_device ? LOCK_TRIES : 1;

	*ret_disk_fd = target->is_device ? open_whole_disk(target->rdev) : -1;
	while (flock(*ret_disk_fd >= 0 ? *ret_disk_fd : fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || --tries == 0)
			return false;
		nanosleep(&pause, NULL);
		errno = EWOULDBLOCK;
	}
	return true;
}

/* Whether somebody else has such a lock now; fd is open for reading and has none. */
static bool is_locked(const struct vk_target_id *target, int fd)
{
	int disk_fd = target->is_device ? open_whole_disk(target->rdev) : -1;
	/* of a device udev shares it while it looks at the disk, which is no reason to object */
	int how = target->is_device ? LOCK_SH : LOCK_EX;
	bool locked = flock(disk_fd >= 0 ? disk_fd : fd, how | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	if (disk_fd >= 0)
		close(disk_fd);
	else if (!locked)
		(void)flock(fd, LOCK_UN);
	return locked;
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

enum vk_status vk_guard_ask_in_use(struct vk_restore *restore, struct vk_error *err)
{
	int fd = vk_io_descriptor(restore->io);
	char users[USERS_BYTES];
	struct vk_text text = vk_text_in(users, sizeof(users));
	bool claimed, locked;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	if (!vk_target_users(&restore->target, fd, &text))
		vk_restore_add_remark(restore, "whether another process has the target open for writing is not known "
					       "of all of them: only root outside of containers sees every process");
	claimed = restore->target.is_device && is_claimed(restore->path);
	locked = is_locked(&restore->target, fd);
	restore->held = claimed || locked;
	if (claimed && users[0] == '\0')
		vk_text_put(&text, "a program has opened it exclusively");
	else if (locked && users[0] == '\0')
		vk_text_put(&text, "another process holds a lock on it");
	if (users[0] == '\0')
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_IN_USE, err, "the target is in use: %s", users);
}

/*
 * By now the writer has the target locked and, unless somebody else had it, for itself alone. That not all could be
 * seen was said of the plan.
 */
enum vk_status vk_guard_in_use_again(const struct vk_restore *restore, struct vk_error *err)
{
	char users[USERS_BYTES];
	struct vk_text text = vk_text_in(users, sizeof(users));

	if (vk_guard_is_lifted(&restore->options, VK_GUARD_IN_USE))
		return VK_OK;
	vk_target_users(&restore->target, vk_io_descriptor(restore->io), &text);
	if (users[0] == '\0')
		return VK_OK;
	vk_error_set(err, VK_REFUSED, restore->path,
		     "guard in-use: the target came into use since the plan was made: %s", users);
	return vk_error_remedy(err, "nothing was written; stop what uses it, then repeat the command");
}
