/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a block device or a file: mounts, swap space, device mapper, md, loop devices, locks, other processes. */
#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mounts.h"
#include "repair/guard/guards.h"
#include "scsi/device_info.h"

/* Beyond DESCRIPTORS_MAX of the host the look ends; the kernel's usual limit of open files is lower. */
enum { DEVICES_MAX = 300, NAMED_MAX = 4, DESCRIPTORS_MAX = 4 << 20 };
/* The number that the kernel gives its first namespace of processes; who sees another one sees only a part. */
#define FIRST_PID_NAMESPACE 0xeffffffcU

/* What is looked for: devices by their numbers, whatever node they were opened by, or one file. Each is there once. */
struct wanted {
	dev_t devices[DEVICES_MAX];
	size_t count; /* 0: a file */
	dev_t dev;
	ino_t ino;
};

bool vk_disk_of_partition(dev_t rdev, dev_t *ret_disk, char ret_node[VK_NODE_BYTES])
{
	char name[200];

	if (blkid_devno_to_wholedisk(rdev, name, sizeof(name), ret_disk) != 0 || *ret_disk == rdev)
		return false;
	if (ret_node != NULL)
		snprintf(ret_node, VK_NODE_BYTES, "/dev/%s", name);
	return true;
}

static bool among(const struct wanted *wanted, dev_t rdev)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->devices[i] == rdev)
			return true;
	return false;
}

static void add_device(struct wanted *wanted, dev_t rdev)
{
	if (wanted->count < DEVICES_MAX && !among(wanted, rdev))
		wanted->devices[wanted->count++] = rdev;
}

static void add_user(struct vk_text *users, const char *how, const char *who)
{
	vk_text_put(users, users->len_bytes > 0 ? ", " : "");
	vk_text_put(users, how);
	vk_text_label(users, (const uint8_t *)who, strlen(who));
}

/* The next entry of a folder that is no hidden one; NULL at its end, when the folder is closed, or there is none. */
static const char *next_name(DIR *folder)
{
	const struct dirent *entry = NULL;

	while (folder != NULL && (entry = readdir(folder)) != NULL && entry->d_name[0] == '.')
		;
	if (folder != NULL && entry == NULL)
		closedir(folder);
	return entry != NULL ? entry->d_name : NULL;
}

static DIR *open_sysfs(dev_t rdev, const char *below, char ret_path[128])
{
	snprintf(ret_path, 128, "/sys/dev/block/%u:%u/%s", major(rdev), minor(rdev), below);
	return opendir(ret_path);
}

/* Each device below a folder of sysfs, or only the partitions among them. */
static void collect(struct wanted *wanted, dev_t rdev, const char *below, bool partitions)
{
	char sys_path[128], path[600], number[16];
	DIR *folder = open_sysfs(rdev, below, sys_path);
	const char *name;
	dev_t device;

	while ((name = next_name(folder)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", sys_path, name);
		if ((!partitions || vk_sysfs_text(path, "partition", number, sizeof(number))) &&
		    vk_sysfs_device(path, "dev", &device))
			add_device(wanted, device);
	}
}

static void look_at_swaps(const struct wanted *wanted, struct vk_text *users)
{
	FILE *file = fopen("/proc/swaps", "re");
	char *line = NULL, path[4096];
	struct stat st;
	size_t cap = 0;

	while (file != NULL && getline(&line, &cap, file) > 0) {
		if (sscanf(line, "%4095s", path) != 1 || path[0] != '/')
			continue;
		vk_unescape_octal(path);
		if (stat(path, &st) != 0)
			continue;
		if (wanted->count > 0 ? S_ISBLK(st.st_mode) && among(wanted, st.st_rdev)
				      : st.st_dev == wanted->dev && st.st_ino == wanted->ino)
			add_user(users, "swap space ", path);
	}
	free(line);
	if (file != NULL)
		fclose(file);
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
		/* the kernel gives a device number of stat() in its own packing */
		holds = ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == ino &&
			makedev((unsigned)((info.lo_device & 0xfff00) >> 8),
				(unsigned)((info.lo_device & 0xff) | (info.lo_device >> 12 & 0xfff00))) == dev;
		close(fd);
	}
	return holds;
}

/* What lies behind a loop device, by the path that sysfs has: for those who may not ask the loop device itself. */
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

/* except: the loop device that is asked about, or NULL. */
static void look_at_loops(dev_t dev, ino_t ino, const char *except, struct vk_text *users)
{
	DIR *folder = opendir("/sys/block");
	char path[PATH_MAX];
	struct stat st;
	const char *name;

	while ((name = next_name(folder)) != NULL) {
		snprintf(path, sizeof(path), "/sys/block/%.200s/loop", name);
		if (strncmp(name, "loop", 4) != 0 || access(path, F_OK) != 0 ||
		    (except != NULL && strcmp(name, except) == 0))
			continue;
		if (loop_holds(name, dev, ino) || (loop_file(name, path, &st) && st.st_dev == dev && st.st_ino == ino))
			add_user(users, "attached as /dev/", name);
	}
}

/* Virtual machine monitors and a second run of this program lock the files they use. */
static void look_at_locks(int fd, struct vk_text *users)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		add_user(users, "locked by another process", "");
}

struct look {
	const struct wanted *wanted;
	struct vk_text *users;
	size_t found;
	size_t descriptors;
	bool all_seen;
};

/* Whether a descriptor, the link /proc/PID/fd/NAME, is open for writing to what is looked for. */
static bool is_writer(const struct wanted *wanted, int fds, const char *name)
{
	struct statx st;
	struct stat link;
	bool it;

	/* without asking a server: a file of somebody else's on a file system that hangs must not stop us */
	if (statx(fds, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &st) != 0)
		return false;
	if (wanted->count > 0)
		it = S_ISBLK(st.stx_mode) && among(wanted, makedev(st.stx_rdev_major, st.stx_rdev_minor));
	else
		it = S_ISREG(st.stx_mode) && st.stx_ino == wanted->ino &&
		     makedev(st.stx_dev_major, st.stx_dev_minor) == wanted->dev;
	/* the link shows its owner the right to write exactly when the descriptor has it */
	return it && fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && (link.st_mode & S_IWUSR) != 0;
}

static void add_process(struct look *look, const char *pid)
{
	char path[64], program[64] = "";
	FILE *file;

	if (look->found++ >= NAMED_MAX)
		return;
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(program, sizeof(program), file) != NULL)
			program[strcspn(program, "\n")] = '\0';
		fclose(file);
	}
	vk_text_fmt(look->users, "%sopen for writing by process %.20s (", look->users->len_bytes > 0 ? ", " : "", pid);
	vk_text_label(look->users, (const uint8_t *)program, strlen(program));
	vk_text_put(look->users, ")");
}

/* One that ended meanwhile has nothing open. */
static void look_at_process(struct look *look, const char *pid)
{
	char path[64];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	folder = opendir(path);
	if (folder == NULL) {
		look->all_seen = look->all_seen && (errno == ENOENT || errno == ESRCH);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (look->descriptors++ == DESCRIPTORS_MAX) {
			look->all_seen = false;
			break;
		}
		if (is_writer(look->wanted, dirfd(folder), entry->d_name)) {
			add_process(look, pid);
			break;
		}
	}
	closedir(folder);
}

/*
 * Add "open for writing by process 1234 (qemu)" for each other process, the first of them by name and how many more.
 * False: not every process could be looked at, because this one may not or because it sees only some of them.
 */
static bool look_at_processes(const struct wanted *wanted, struct vk_text *users)
{
	struct look look = {.wanted = wanted, .users = users};
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	struct stat st;
	char self[32] = "";

	/*
	 * /proc may be mounted so that others are not even listed, and a container has a /proc of its own; self is our
	 * number as this one counts
	 */
	look.all_seen = folder != NULL && readlink("/proc/self", self, sizeof(self) - 1) >= 0 && geteuid() == 0 &&
			stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == FIRST_PID_NAMESPACE;
	while (folder != NULL && look.descriptors <= DESCRIPTORS_MAX && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && strcmp(entry->d_name, self) != 0)
			look_at_process(&look, entry->d_name);
	if (folder != NULL)
		closedir(folder);
	if (look.found > NAMED_MAX)
		vk_text_fmt(users, " and by %zu more", look.found - NAMED_MAX);
	return look.all_seen;
}

/* What lies behind a loop device: whoever writes to that writes to the device. False: not all of it could be seen. */
static bool look_behind_loop(dev_t rdev, struct vk_text *users)
{
	struct wanted behind = {.count = 0};
	char path[PATH_MAX], name[200];
	struct stat st;
	dev_t disk;
	int fd;

	if (blkid_devno_to_wholedisk(rdev, name, sizeof(name), &disk) != 0 || !loop_file(name, path, &st))
		return true;
	if (S_ISBLK(st.st_mode))
		add_device(&behind, st.st_rdev);
	behind.dev = st.st_dev;
	behind.ino = st.st_ino;
	look_at_loops(st.st_dev, st.st_ino, name, users);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		look_at_locks(fd, users);
		close(fd);
	}
	return look_at_processes(&behind, users);
}

bool vk_target_users(const struct vk_target_id *target, int fd, struct vk_text *users)
{
	struct wanted wanted = {.dev = target->dev, .ino = target->ino};
	char path[128];
	const char *name;
	dev_t disk;
	size_t parts;
	bool seen;

	if (!target->is_device) {
		look_at_loops(target->dev, target->ino, NULL, users);
		look_at_swaps(&wanted, users);
		look_at_locks(fd, users);
		return look_at_processes(&wanted, users);
	}
	add_device(&wanted, target->rdev);
	collect(&wanted, target->rdev, "", true);
	parts = wanted.count;
	for (size_t i = 0; i < parts; i++)
		for (DIR *folder = open_sysfs(wanted.devices[i], "holders", path); (name = next_name(folder)) != NULL;)
			add_user(users, "part of ", name);
	/* what is made of them, and of that; the list grows while it is walked */
	for (size_t i = 0; i < wanted.count; i++)
		collect(&wanted, wanted.devices[i], "holders", false);
	/* some file systems show a number of their own: then the name of what is mounted counts */
	for (struct vk_mounts m = vk_mounts_begin(); vk_mounts_next(&m);)
		if (among(&wanted, m.device) || among(&wanted, vk_mounts_source_device(&m)))
			add_user(users, "mounted on ", m.place);
	look_at_swaps(&wanted, users);
	/* who writes to the disk that it is a part of, or that it is made of, writes to it */
	if (vk_disk_of_partition(target->rdev, &disk, NULL))
		add_device(&wanted, disk);
	collect(&wanted, target->rdev, "slaves", false);
	seen = look_at_processes(&wanted, users);
	look_at_locks(fd, users);
	return look_behind_loop(target->rdev, users) && seen;
}
