/* SPDX-License-Identifier: Apache-2.0 */
/* The lock that programs which change a disk take, and the disk that a partition is a part of. */
#include "repair/guard/disk_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "scsi/device_info.h"

enum { LOCK_TRIES = 50, LOCK_WAIT_MS = 100 };

bool vk_disk_of_partition(dev_t rdev, dev_t *ret_disk, char ret_node[VK_NODE_BYTES])
{
	char path[128], number[16], up[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(rdev), minor(rdev));
	if (!vk_sysfs_text(path, "partition", number, sizeof(number)) || !vk_sysfs_device(path, "../dev", ret_disk))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/..", major(rdev), minor(rdev));
	if (realpath(path, up) == NULL)
		return false;
	if (ret_node == NULL)
		return true;
	snprintf(ret_node, VK_NODE_BYTES, "/dev/%.200s", strrchr(up, '/') + 1);
	/* the kernel writes the slash of cciss/c0d0 so */
	for (char *p = strchr(ret_node, '!'); p != NULL; p = strchr(p, '!'))
		*p = '/';
	return true;
}

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

bool vk_device_is_locked(int fd, dev_t rdev)
{
	int disk_fd = open_whole_disk(rdev);
	/* udev shares it while it looks at the disk, which is no reason to object */
	bool locked = flock(disk_fd >= 0 ? disk_fd : fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	if (disk_fd >= 0)
		close(disk_fd);
	else if (!locked)
		(void)flock(fd, LOCK_UN);
	return locked;
}
