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
#include "vmfskit/text.h"

enum { VALUE_BYTES = 4096 };

/* One attribute, without blanks around it; false when there is none. */
static bool read_value(int dir_fd, const char *name, uint8_t buf[VALUE_BYTES], size_t *ret_len)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, VALUE_BYTES);
	close(fd);
	*ret_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void put_trimmed(const uint8_t *p, size_t len, char *ret_text, size_t cap)
{
	struct vk_text text;

	while (len > 0 && (p[0] == ' ' || p[0] == '\n')) {
		p++;
		len--;
	}
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\n' || p[len - 1] == '\0'))
		len--;
	vk_text_init(&text, ret_text, cap);
	vk_text_label(&text, p, len);
}

/* The first of the names that is there; names end with NULL. */
static void read_text(int dir_fd, const char *const *names, char *ret_text, size_t cap)
{
	uint8_t buf[VALUE_BYTES];
	size_t len;

	for (; *names != NULL && ret_text[0] == '\0'; names++)
		if (read_value(dir_fd, *names, buf, &len))
			put_trimmed(buf, len, ret_text, cap);
}

/* SCSI keeps the unit serial number as INQUIRY gave it: page 80h, four bytes of header. */
static void read_scsi_serial(int dir_fd, struct vk_device_info *info)
{
	uint8_t buf[VALUE_BYTES];
	size_t len;

	if (info->serial[0] == '\0' && read_value(dir_fd, "device/vpd_pg80", buf, &len) && len > 4)
		put_trimmed(buf + 4, len - 4, info->serial, sizeof(info->serial));
}

static void read_folder(int dir_fd, struct vk_device_info *info)
{
	static const char *const vendor[] = {"device/vendor", NULL};
	static const char *const model[] = {"device/model", NULL};
	static const char *const serial[] = {"serial", "device/serial", NULL};
	static const char *const wwid[] = {"wwid", "device/wwid", NULL};

	read_text(dir_fd, vendor, info->vendor, sizeof(info->vendor));
	read_text(dir_fd, model, info->model, sizeof(info->model));
	read_text(dir_fd, serial, info->serial, sizeof(info->serial));
	read_scsi_serial(dir_fd, info);
	read_text(dir_fd, wwid, info->wwid, sizeof(info->wwid));
}

static bool is_multipath(int dir_fd)
{
	uint8_t uuid[VALUE_BYTES];
	size_t len;

	return read_value(dir_fd, "dm/uuid", uuid, &len) && len > 6 &&
	       memcmp(uuid, "mpath-", 6) == 0;
}

/* The LUN that a multipath device stands for: any of its paths tells. */
static void read_path_of(int dir_fd, struct vk_device_info *info)
{
	int slaves_fd = openat(dir_fd, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *slaves = slaves_fd >= 0 ? fdopendir(slaves_fd) : NULL;
	const struct dirent *entry;

	while (slaves != NULL && info->wwid[0] == '\0' && (entry = readdir(slaves)) != NULL) {
		int fd = entry->d_name[0] != '.' ? openat(slaves_fd, entry->d_name,
							  O_RDONLY | O_DIRECTORY | O_CLOEXEC)
						 : -1;

		if (fd < 0)
			continue;
		read_folder(fd, info);
		close(fd);
	}
	if (slaves != NULL)
		closedir(slaves);
	else if (slaves_fd >= 0)
		close(slaves_fd);
}

void vk_device_info_of(const char *folder, struct vk_device_info *ret_info)
{
	int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(ret_info, 0, sizeof(*ret_info));
	if (dir_fd < 0)
		return;
	if (is_multipath(dir_fd))
		read_path_of(dir_fd, ret_info);
	else
		read_folder(dir_fd, ret_info);
	close(dir_fd);
}

void vk_device_info_read(const char *path, struct vk_device_info *ret_info)
{
	char name[80];
	struct stat st;

	memset(ret_info, 0, sizeof(*ret_info));
	if (stat(path, &st) != 0 || !S_ISBLK(st.st_mode))
		return;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/partition", major(st.st_rdev),
		 minor(st.st_rdev));
	/* a partition's node lies inside that of its disk */
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u%s", major(st.st_rdev), minor(st.st_rdev),
		 access(name, F_OK) == 0 ? "/.." : "");
	vk_device_info_of(name, ret_info);
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
	bool there = dir_fd >= 0 && read_value(dir_fd, name, buf, &len);

	ret_text[0] = '\0';
	if (there)
		put_trimmed(buf, len, ret_text, cap);
	if (dir_fd >= 0)
		close(dir_fd);
	return there;
}
