/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a block device or a file: mounts, swap space, device mapper, md, loop devices. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mounts.h"
#include "repair/guard/disk_lock.h"
#include "repair/guard/guards.h"
#include "repair/guard/open_files.h"
#include "scsi/device_info.h"

enum { DEVICES_MAX = 300 };

/* Each is there once. */
struct devices {
	dev_t items[DEVICES_MAX];
	size_t count;
};

static bool among(const struct devices *devices, dev_t rdev)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->items[i] == rdev)
			return true;
	return false;
}

static void add_device(struct devices *devices, dev_t rdev)
{
	if (devices->count < DEVICES_MAX && !among(devices, rdev))
		devices->items[devices->count++] = rdev;
}

static void add_user(struct vk_text *users, const char *how, const char *who)
{
	vk_text_put(users, users->len_bytes > 0 ? ", " : "");
	vk_text_put(users, how);
	vk_text_label(users, (const uint8_t *)who, strlen(who));
}

/* The next entry of a folder that is no hidden one; NULL at its end, or when there is no folder. */
static const char *next_name(DIR *folder)
{
	const struct dirent *entry = NULL;

	while (folder != NULL && (entry = readdir(folder)) != NULL && entry->d_name[0] == '.')
		;
	return entry != NULL ? entry->d_name : NULL;
}

static void close_folder(DIR *folder)
{
	if (folder != NULL)
		closedir(folder);
}

static DIR *open_sysfs(dev_t rdev, const char *below, char ret_path[128])
{
	snprintf(ret_path, 128, "/sys/dev/block/%u:%u/%s", major(rdev), minor(rdev), below);
	return opendir(ret_path);
}

/* Each device below a folder of sysfs, or only the partitions among them. */
static void collect(struct devices *devices, dev_t rdev, const char *below, bool partitions)
{
	char sys_path[128], path[600], number[16];
	DIR *folder = open_sysfs(rdev, below, sys_path);
	const char *name;
	dev_t device;

	while ((name = next_name(folder)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", sys_path, name);
		if (partitions && !vk_sysfs_text(path, "partition", number, sizeof(number)))
			continue;
		if (vk_sysfs_device(path, "dev", &device))
			add_device(devices, device);
	}
	close_folder(folder);
}

static void look_at_mounts(const struct devices *devices, struct vk_text *users)
{
	/* some file systems show a number of their own: then the name of what is mounted counts */
	for (struct vk_mounts m = vk_mounts_begin(); vk_mounts_next(&m);)
		if (among(devices, m.device) || among(devices, vk_mounts_source_device(&m)))
			add_user(users, "mounted on ", m.place);
}

/* devices: for block devices; NULL: the file dev, ino. */
static void look_at_swaps(const struct devices *devices, dev_t dev, ino_t ino,
			  struct vk_text *users)
{
	FILE *file = fopen("/proc/swaps", "re");
	char *line = NULL;
	size_t cap = 0;

	while (file != NULL && getline(&line, &cap, file) > 0) {
		char path[4096];
		struct stat st;

		if (sscanf(line, "%4095s", path) != 1 || path[0] != '/')
			continue;
		vk_unescape_octal(path);
		if (stat(path, &st) != 0)
			continue;
		if (devices != NULL ? S_ISBLK(st.st_mode) && among(devices, st.st_rdev)
				    : st.st_dev == dev && st.st_ino == ino)
			add_user(users, "swap space ", path);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

static void look_at_holders(dev_t rdev, struct vk_text *users)
{
	char path[128];
	DIR *folder = open_sysfs(rdev, "holders", path);
	const char *name;

	while ((name = next_name(folder)) != NULL)
		add_user(users, "part of ", name);
	close_folder(folder);
}

/* The kernel gives a device number of stat() in its own packing. */
static dev_t unpacked(uint64_t packed)
{
	return makedev((unsigned)((packed & 0xfff00) >> 8), (unsigned)((packed & 0xff) | (packed >> 12 & 0xfff00)));
}

static bool loop_holds(const char *name, dev_t dev, ino_t ino)
{
	struct loop_info64 info;
	char path[300];
	bool holds = false;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		holds = ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == ino &&
			unpacked(info.lo_device) == dev;
		close(fd);
	}
	return holds;
}

/* By the path that sysfs has: for those who may not ask the loop device itself. */
static bool loop_file(const char *name, char ret_path[PATH_MAX], struct stat *ret_st)
{
	char path[300];
	FILE *file;
	bool read;

	snprintf(path, sizeof(path), "/sys/block/%.200s/loop/backing_file", name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	read = fgets(ret_path, PATH_MAX, file) != NULL;
	fclose(file);
	if (!read)
		return false;
	ret_path[strcspn(ret_path, "\n")] = '\0';
	return stat(ret_path, ret_st) == 0;
}

static bool loop_names(const char *name, dev_t dev, ino_t ino)
{
	char path[PATH_MAX];
	struct stat st;

	return loop_file(name, path, &st) && st.st_dev == dev && st.st_ino == ino;
}

/* except: the loop device that is asked about, or NULL. */
static void look_at_loops(dev_t dev, ino_t ino, const char *except, struct vk_text *users)
{
	DIR *folder = opendir("/sys/block");
	const char *name;

	while ((name = next_name(folder)) != NULL) {
		char path[300];

		snprintf(path, sizeof(path), "/sys/block/%.200s/loop", name);
		if (strncmp(name, "loop", 4) != 0 || access(path, F_OK) != 0 ||
		    (except != NULL && strcmp(name, except) == 0))
			continue;
		if (loop_holds(name, dev, ino) || loop_names(name, dev, ino))
			add_user(users, "attached as /dev/", name);
	}
	close_folder(folder);
}

/* Virtual machine monitors and a second run of this program lock the files they use. */
static void look_at_locks(int fd, struct vk_text *users)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		add_user(users, "locked by another process", "");
}

/* What lies behind a loop device: whoever writes to that writes to the device. False: not all of it could be seen. */
static bool look_behind_loop(dev_t rdev, struct vk_text *users)
{
	char path[PATH_MAX], up[PATH_MAX];
	struct vk_open_thing thing = {0};
	struct stat st;
	dev_t disk = rdev;
	const char *name;
	int fd;

	(void)vk_disk_of_partition(rdev, &disk, NULL);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(disk), minor(disk));
	if (realpath(path, up) == NULL)
		return true;
	name = strrchr(up, '/') + 1;
	if (!loop_file(name, path, &st))
		return true;
	if (S_ISBLK(st.st_mode)) {
		thing.devices = &st.st_rdev;
		thing.device_count = 1;
	}
	thing.dev = st.st_dev;
	thing.ino = st.st_ino;
	look_at_loops(st.st_dev, st.st_ino, name, users);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		look_at_locks(fd, users);
		close(fd);
	}
	return vk_open_writers(&thing, users);
}

bool vk_device_users(dev_t rdev, int fd, struct vk_text *users)
{
	struct devices devices = {0};
	struct vk_open_thing thing = {.devices = devices.items};
	dev_t disk;
	size_t parts;
	bool seen;

	add_device(&devices, rdev);
	collect(&devices, rdev, "", true);
	parts = devices.count;
	for (size_t i = 0; i < parts; i++)
		look_at_holders(devices.items[i], users);
	/* what is made of them, and of that; the list grows while it is walked */
	for (size_t i = 0; i < devices.count; i++)
		collect(&devices, devices.items[i], "holders", false);
	look_at_mounts(&devices, users);
	look_at_swaps(&devices, 0, 0, users);
	/* who writes to the disk that it is a part of, or that it is made of, writes to it */
	if (vk_disk_of_partition(rdev, &disk, NULL))
		add_device(&devices, disk);
	collect(&devices, rdev, "slaves", false);
	thing.device_count = devices.count;
	seen = vk_open_writers(&thing, users);
	if (fd >= 0)
		look_at_locks(fd, users);
	return look_behind_loop(rdev, users) && seen;
}

bool vk_file_users(dev_t dev, ino_t ino, int fd, struct vk_text *users)
{
	const struct vk_open_thing thing = {.dev = dev, .ino = ino};

	look_at_loops(dev, ino, NULL, users);
	look_at_swaps(NULL, dev, ino, users);
	look_at_locks(fd, users);
	return vk_open_writers(&thing, users);
}
