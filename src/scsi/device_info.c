/* SPDX-License-Identifier: Apache-2.0 */
/* What sysfs tells of a block device. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "scsi/device_info.h"
#include "base/shown.h"

enum { VALUE_BYTES = VK_SYSFS_VALUE_BYTES, DEPTH_MAX = 4 };

bool vk_sysfs_bytes(int dir_fd, const char *name, uint8_t buf[VK_SYSFS_VALUE_BYTES], size_t *ret_len)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*ret_len = 0;
	if (fd < 0)
		return false;
	n = read(fd, buf, VK_SYSFS_VALUE_BYTES);
	close(fd);
	*ret_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void put_trimmed(const uint8_t *p, size_t len, char *ret_text, size_t cap)
{

	while (len > 0 && (p[0] == ' ' || p[0] == '\n')) {
		p++;
		len--;
	}
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\n' || p[len - 1] == '\0'))
		len--;
	vk_label_into(ret_text, cap, p, len);
}

/* The first of the names that is there; names end with NULL. */
static void read_text(int dir_fd, const char *const *names, char *ret_text, size_t cap)
{
	uint8_t buf[VALUE_BYTES];
	size_t len;

	for (; *names != NULL && ret_text[0] == '\0'; names++)
		if (vk_sysfs_bytes(dir_fd, *names, buf, &len))
			put_trimmed(buf, len, ret_text, cap);
}

static bool read_folder(void *ctx, int dir_fd)
{
	struct vk_device_info *info = ctx;

	static const char *const vendor[] = {"device/vendor", NULL};
	static const char *const model[] = {"device/model", NULL};
	static const char *const serial[] = {"serial", "device/serial", NULL};
	static const char *const wwid[] = {"wwid", "device/wwid", NULL};
	uint8_t buf[VALUE_BYTES];
	size_t len;

	read_text(dir_fd, vendor, info->vendor, sizeof(info->vendor));
	read_text(dir_fd, model, info->model, sizeof(info->model));
	read_text(dir_fd, serial, info->serial, sizeof(info->serial));
	/* SCSI keeps the unit serial number as INQUIRY gave it: page 80h, four bytes of header */
	if (info->serial[0] == '\0' && vk_sysfs_bytes(dir_fd, "device/vpd_pg80", buf, &len) && len > 4)
		put_trimmed(buf + 4, len - 4, info->serial, sizeof(info->serial));
	read_text(dir_fd, wwid, info->wwid, sizeof(info->wwid));
	return info->wwid[0] == '\0';
}

static bool begins(int dir_fd, const char *name, const char *prefix, uint8_t value[VALUE_BYTES], size_t *ret_len)
{
	size_t len = strlen(prefix);

	return vk_sysfs_bytes(dir_fd, name, value, ret_len) && *ret_len > len && memcmp(value, prefix, len) == 0;
}

static uint64_t read_number(int dir_fd, const char *name)
{
	uint8_t buf[VALUE_BYTES];
	uint64_t n = 0;
	size_t len;

	if (!vk_sysfs_bytes(dir_fd, name, buf, &len))
		return 0;
	for (size_t i = 0; i < len && buf[i] >= '0' && buf[i] <= '9' && n < UINT64_MAX / 16; i++)
		n = n * 10 + (uint64_t)(buf[i] - '0');
	return n;
}

static bool walk_disks(int dir_fd, unsigned depth, struct vk_sysfs_walk *walk);

/* Each device below, as long as more is wanted. */
static bool walk_slaves(int dir_fd, unsigned depth, struct vk_sysfs_walk *walk)
{
	int slaves_fd = openat(dir_fd, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *slaves = slaves_fd >= 0 ? fdopendir(slaves_fd) : NULL;
	const struct dirent *entry;
	bool more = true;

	while (slaves != NULL && more && (entry = readdir(slaves)) != NULL) {
		int fd = entry->d_name[0] != '.' ? openat(slaves_fd, entry->d_name,
							  O_RDONLY | O_DIRECTORY | O_CLOEXEC)
						 : -1;

		if (fd < 0)
			continue;
		more = walk_disks(fd, depth + 1, walk);
		close(fd);
	}
	if (slaves != NULL)
		closedir(slaves);
	else if (slaves_fd >= 0)
		close(slaves_fd);
	return more;
}

/* "part2-mpath-3600...": kpartx makes partitions of multipath devices. 0: it is none of those. */
static unsigned kpartx_partition(const uint8_t *uuid, size_t len)
{
	unsigned n = 0;
	size_t i = 4;

	for (; i < len && uuid[i] >= '0' && uuid[i] <= '9' && n < 1000000; i++)
		n = n * 10 + (unsigned)(uuid[i] - '0');
	return len - i > 7 && memcmp(uuid + i, "-mpath-", 7) == 0 ? n : 0;
}

/* A partition's folder lies inside that of its disk, a multipath device names its paths; both are the LUN. */
static bool walk_disks(int dir_fd, unsigned depth, struct vk_sysfs_walk *walk)
{
	uint8_t uuid[VALUE_BYTES];
	unsigned partition;
	bool more = true;
	size_t len;
	int disk_fd;

	if (depth > DEPTH_MAX)
		return true;
	partition = (unsigned)read_number(dir_fd, "partition");
	if (partition != 0) {
		walk->partition = partition;
		walk->start_sector = read_number(dir_fd, "start");
		disk_fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (disk_fd >= 0) {
			more = walk_disks(disk_fd, depth + 1, walk);
			close(disk_fd);
		}
		return more;
	}
	if (begins(dir_fd, "dm/uuid", "part", uuid, &len) && (partition = kpartx_partition(uuid, len)) != 0) {
		walk->partition = partition;
		return walk_slaves(dir_fd, depth, walk);
	}
	if (begins(dir_fd, "dm/uuid", "mpath-", uuid, &len))
		return walk_slaves(dir_fd, depth, walk);
	return walk->disk(walk->ctx, dir_fd);
}

bool vk_sysfs_walk_disks(const char *folder, struct vk_sysfs_walk *walk)
{
	int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return false;
	(void)walk_disks(dir_fd, 0, walk);
	close(dir_fd);
	return true;
}

void vk_device_info_of(const char *folder, struct vk_device_info *ret_info)
{
	struct vk_sysfs_walk walk = {.disk = read_folder, .ctx = ret_info};

	memset(ret_info, 0, sizeof(*ret_info));
	if (!vk_sysfs_walk_disks(folder, &walk))
		return;
	ret_info->partition = walk.partition;
	ret_info->start_sector = walk.start_sector;
}

static void fill_file(const struct statx *st, struct vk_file_id *ret_file)
{
	/* a stream that was kept in a file without name is no file that can be met again */
	if (!S_ISREG(st->stx_mode) || st->stx_nlink == 0)
		return;
	ret_file->device = makedev(st->stx_dev_major, st->stx_dev_minor);
	ret_file->inode = st->stx_ino;
	if ((st->stx_mask & STATX_BTIME) != 0 && st->stx_btime.tv_sec >= 0)
		ret_file->born_ns = (uint64_t)st->stx_btime.tv_sec * 1000000000 + st->stx_btime.tv_nsec;
}

/* The whole file below a loop device is the same image as the file itself. */
static void read_loop(const char *folder, struct vk_file_id *ret_file)
{
	char backing[VALUE_BYTES];
	char offset[32];
	struct statx st;

	if (vk_sysfs_text(folder, "loop/backing_file", backing, sizeof(backing)) &&
	    (!vk_sysfs_text(folder, "loop/offset", offset, sizeof(offset)) || strcmp(offset, "0") == 0) &&
	    statx(AT_FDCWD, backing, 0, STATX_BASIC_STATS | STATX_BTIME, &st) == 0)
		fill_file(&st, ret_file);
}

void vk_device_info_read(int fd, struct vk_device_info *ret_info)
{
	char folder[80];
	struct statx st;

	memset(ret_info, 0, sizeof(*ret_info));
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
		return;
	if (!S_ISBLK(st.stx_mode)) {
		fill_file(&st, &ret_info->file);
		return;
	}
	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", st.stx_rdev_major, st.stx_rdev_minor);
	vk_device_info_of(folder, ret_info);
	read_loop(folder, &ret_info->file);
}

void vk_device_info_of_io(const struct vk_io *io, struct vk_device_info *ret_info)
{
	vk_device_info_read(vk_io_descriptor(io), ret_info);
}

void vk_device_info_of_path(const char *path, struct vk_device_info *ret_info)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	vk_device_info_read(fd, ret_info);
	if (fd >= 0)
		close(fd);
}

bool vk_device_info_disk_id(const struct vk_device_info *info, struct vk_scsi_disk_id *ret_id)
{
	char tail[VK_SCSI_MODEL_TAIL_BYTES + 1];

	if (strncmp(info->wwid, "naa.", 4) != 0)
		return false;
	snprintf(tail, sizeof(tail), "%.*s", VK_SCSI_MODEL_TAIL_BYTES, info->model);
	return vk_scsi_disk_id_from_name(info->wwid, tail, 0, ret_id) == VK_OK;
}

bool vk_sysfs_text(const char *folder, const char *name, char *ret_text, size_t cap)
{
	int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t buf[VALUE_BYTES];
	size_t len;
	bool there = dir_fd >= 0 && vk_sysfs_bytes(dir_fd, name, buf, &len);

	ret_text[0] = '\0';
	if (there)
		put_trimmed(buf, len, ret_text, cap);
	if (dir_fd >= 0)
		close(dir_fd);
	return there;
}

bool vk_sysfs_device(const char *folder, const char *name, dev_t *ret_device)
{
	unsigned major_number, minor_number;
	char text[32];

	if (!vk_sysfs_text(folder, name, text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
		return false;
	*ret_device = makedev(major_number, minor_number);
	return true;
}
