/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a block device or a file: mounts, swap space, device mapper, md, loop devices. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "repair/guards.h"

enum { DEVICES_MAX = 300 };

/* The device and its partitions. */
struct devices {
	dev_t items[DEVICES_MAX];
	size_t count;
};

static void add_device(struct devices *devices, dev_t rdev)
{
	if (devices->count < DEVICES_MAX)
		devices->items[devices->count++] = rdev;
}

static bool among(const struct devices *devices, dev_t rdev)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->items[i] == rdev)
			return true;
	return false;
}

static void say(struct vk_text *users, const char *how, const char *who)
{
	if (users->len_bytes > 0)
		vk_text_put(users, ", ");
	vk_text_put(users, how);
	vk_text_label(users, (const uint8_t *)who, strlen(who));
}

static void collect_partitions(struct devices *devices, const char *sys_path)
{
	DIR *folder = opendir(sys_path);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char path[600];
		unsigned major, minor;
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s/partition", sys_path, entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/dev", sys_path, entry->d_name);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fscanf(file, "%u:%u", &major, &minor) == 2)
			add_device(devices, makedev(major, minor));
		fclose(file);
	}
	if (folder != NULL)
		closedir(folder);
}

/* Turn the \ooo of /proc files back into characters, in place. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*out++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
}

static void look_at_mounts(const struct devices *devices, struct vk_text *users)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;

	while (file != NULL && getline(&line, &cap, file) > 0) {
		char place[4096], source[4096];
		unsigned major, minor;
		const char *rest = strstr(line, " - ");
		struct stat st;
		bool ours;

		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &major, &minor, place) != 3)
			continue;
		ours = among(devices, makedev(major, minor));
		/* some file systems show a number of their own: go by the name of what is mounted */
		if (!ours && rest != NULL && sscanf(rest, " - %*s %4095s", source) == 1) {
			unescape(source);
			ours = source[0] == '/' && stat(source, &st) == 0 &&
			       S_ISBLK(st.st_mode) && among(devices, st.st_rdev);
		}
		if (!ours)
			continue;
		unescape(place);
		say(users, "mounted on ", place);
	}
	free(line);
	if (file != NULL)
		fclose(file);
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
		unescape(path);
		if (stat(path, &st) != 0)
			continue;
		if (devices != NULL ? S_ISBLK(st.st_mode) && among(devices, st.st_rdev)
				    : st.st_dev == dev && st.st_ino == ino)
			say(users, "swap space ", path);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

static void look_at_holders(dev_t rdev, struct vk_text *users)
{
	char path[128];
	DIR *folder;
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(rdev), minor(rdev));
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			say(users, "part of ", entry->d_name);
	if (folder != NULL)
		closedir(folder);
}

void vk_device_users(dev_t rdev, struct vk_text *users)
{
	struct devices devices = {0};
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(rdev), minor(rdev));
	add_device(&devices, rdev);
	collect_partitions(&devices, path);
	look_at_mounts(&devices, users);
	look_at_swaps(&devices, 0, 0, users);
	for (size_t i = 0; i < devices.count; i++)
		look_at_holders(devices.items[i], users);
}

/* The kernel gives a device number of stat() in its own packing. */
static bool is_device_of(uint64_t packed, dev_t dev)
{
	return major(dev) == (packed & 0xfff00) >> 8 &&
	       minor(dev) == ((packed & 0xff) | (packed >> 12 & 0xfff00));
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
			is_device_of(info.lo_device, dev);
		close(fd);
	}
	return holds;
}

/* For those who may not ask the loop device itself. */
static bool loop_names(const char *name, dev_t dev, ino_t ino)
{
	char path[300], backing[4096];
	struct stat st;
	FILE *file;
	bool read;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	read = fgets(backing, sizeof(backing), file) != NULL;
	fclose(file);
	if (!read)
		return false;
	backing[strcspn(backing, "\n")] = '\0';
	return stat(backing, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static void look_at_loops(dev_t dev, ino_t ino, struct vk_text *users)
{
	DIR *folder = opendir("/sys/block");
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char path[300];

		snprintf(path, sizeof(path), "/sys/block/%.200s/loop", entry->d_name);
		if (strncmp(entry->d_name, "loop", 4) != 0 || access(path, F_OK) != 0)
			continue;
		if (loop_holds(entry->d_name, dev, ino) || loop_names(entry->d_name, dev, ino))
			say(users, "attached as /dev/", entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
}

/* Virtual machine monitors and a second run of this program lock the files they use. */
static void look_at_locks(int fd, struct vk_text *users)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		say(users, "locked by another process", "");
}

void vk_file_users(dev_t dev, ino_t ino, int fd, struct vk_text *users)
{
	look_at_loops(dev, ino, users);
	look_at_swaps(NULL, dev, ino, users);
	look_at_locks(fd, users);
}
