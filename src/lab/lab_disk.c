/* SPDX-License-Identifier: Apache-2.0 */
/* The practice disk: opened with care, written by position. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "lab/lab_disk.h"

static enum vk_status set_path(struct vk_lab_disk *disk, const char *path, struct vk_error *err)
{
	size_t len = strlen(path);

	*disk = (struct vk_lab_disk){.fd = -1};
	if (len >= sizeof(disk->path))
		return vk_error_set(err, VK_USAGE, NULL, "The path is longer than %zu characters",
				    sizeof(disk->path) - 1);
	memcpy(disk->path, path, len + 1);
	return VK_OK;
}

static enum vk_status refuse_existing(const char *path, const struct stat *st, bool overwrite,
				      struct vk_error *err)
{
	if (S_ISBLK(st->st_mode)) {
		vk_error_set(err, VK_REFUSED, path, "Practice disks are made as files, this is a block device");
		return vk_error_remedy(err, "make a file and attach it with losetup");
	}
	if (!S_ISREG(st->st_mode))
		return vk_error_set(err, VK_USAGE, path, "This is not an ordinary file");
	if (st->st_size == 0 || overwrite)
		return VK_OK;
	vk_error_set(err, VK_REFUSED, path, "The file exists and is not empty");
	return vk_error_remedy(err, "name another file, or say --overwrite if this one may go");
}

enum vk_status vk_lab_disk_create(const char *path, uint64_t size_bytes, bool overwrite,
				  struct vk_lab_disk *ret_disk, struct vk_error *err)
{
	struct vk_lab_disk disk;
	enum vk_status status = set_path(&disk, path, err);
	struct stat st;

	if (status != VK_OK)
		return status;
	if (size_bytes > INT64_MAX)
		return vk_error_set(err, VK_USAGE, path, "No file can be that large");
	if (stat(path, &st) == 0) {
		status = refuse_existing(path, &st, overwrite, err);
		if (status != VK_OK)
			return status;
	}
	disk.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (disk.fd < 0)
		return vk_error_errno(err, errno, path, "The file cannot be made");
	/* to nothing first, so that no byte of an older file stays */
	if (ftruncate(disk.fd, 0) != 0 || ftruncate(disk.fd, (off_t)size_bytes) != 0) {
		vk_error_errno(err, errno, path, "The file cannot be made %llu bytes long",
			       (unsigned long long)size_bytes);
		vk_error_remedy(err, "ext4 ends at 16 TiB; a folder on tmpfs or XFS holds larger sparse files");
		vk_lab_disk_abandon(&disk);
		unlink(path);
		return VK_IO;
	}
	disk.size_bytes = size_bytes;
	*ret_disk = disk;
	return VK_OK;
}

static enum vk_status measure_device(struct vk_lab_disk *disk, struct vk_error *err)
{
	int sector = 0;

	if (ioctl(disk->fd, BLKGETSIZE64, &disk->size_bytes) != 0 ||
	    ioctl(disk->fd, BLKSSZGET, &sector) != 0 || sector <= 0)
		return vk_error_errno(err, errno, disk->path, "The device does not tell its size");
	disk->sector_size = (uint32_t)sector;
	return VK_OK;
}

/* Opening a block device with O_EXCL fails while it or a partition of it is mounted or part of something. */
static enum vk_status check_unused(const char *path, struct vk_error *err)
{
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return VK_OK;
	}
	if (errno != EBUSY)
		return vk_error_errno(err, errno, path, "The device cannot be opened");
	vk_error_set(err, VK_REFUSED, path, "The device is mounted or in use");
	return vk_error_remedy(err, "this tool is for practice disks; unmount it if it is one");
}

enum vk_status vk_lab_disk_open(const char *path, bool really, struct vk_lab_disk *ret_disk,
				struct vk_error *err)
{
	struct vk_lab_disk disk;
	enum vk_status status = set_path(&disk, path, err);
	struct stat st;

	if (status != VK_OK)
		return status;
	if (stat(path, &st) != 0)
		return vk_error_errno(err, errno, path, "The disk cannot be opened");
	if (S_ISBLK(st.st_mode)) {
		if (!really) {
			vk_error_set(err, VK_REFUSED, path, "This is a block device, not a practice image");
			return vk_error_remedy(err, "if it may be destroyed, say --really");
		}
		status = check_unused(path, err);
		if (status != VK_OK)
			return status;
		disk.device = true;
	} else if (!S_ISREG(st.st_mode)) {
		return vk_error_set(err, VK_USAGE, path, "This is neither a file nor a block device");
	}
	disk.fd = open(path, O_RDWR | O_CLOEXEC);
	if (disk.fd < 0)
		return vk_error_errno(err, errno, path, "The disk cannot be opened for writing");
	disk.size_bytes = (uint64_t)st.st_size;
	if (disk.device) {
		status = measure_device(&disk, err);
		if (status != VK_OK) {
			vk_lab_disk_abandon(&disk);
			return status;
		}
	}
	*ret_disk = disk;
	return VK_OK;
}

void vk_lab_disk_abandon(struct vk_lab_disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
}

enum vk_status vk_lab_sync(struct vk_lab_disk *disk, struct vk_error *err)
{
	if (fdatasync(disk->fd) != 0)
		return vk_error_errno(err, errno, disk->path, "The bytes could not be brought to the medium");
	return VK_OK;
}

enum vk_status vk_lab_disk_close(struct vk_lab_disk *disk, struct vk_error *err)
{
	int fd = disk->fd;
	enum vk_status status = disk->device ? vk_lab_sync(disk, err) : VK_OK;

	disk->fd = -1;
	if (close(fd) != 0 && status == VK_OK)
		status = vk_error_errno(err, errno, disk->path, "The file could not be closed");
	return status;
}

enum vk_status vk_lab_put(struct vk_lab_disk *disk, uint64_t offset, const void *buf, size_t len,
			  struct vk_error *err)
{
	const uint8_t *p = buf;

	if (vk_add_sat(offset, len) > disk->size_bytes) {
		vk_error_set(err, VK_USAGE, disk->path, "%zu bytes do not fit there", len);
		return vk_error_at(err, offset);
	}
	while (len > 0) {
		ssize_t n = pwrite(disk->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n < 0 ? errno : EIO, disk->path, "Writing failed");
			return vk_error_at(err, offset);
		}
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return VK_OK;
}

enum vk_status vk_lab_get(struct vk_lab_disk *disk, uint64_t offset, void *buf, size_t len,
			  struct vk_error *err)
{
	uint8_t *p = buf;

	if (vk_add_sat(offset, len) > disk->size_bytes) {
		vk_error_set(err, VK_ABSENT, disk->path, "The disk ends before byte %llu",
			     (unsigned long long)vk_add_sat(offset, len));
		return vk_error_at(err, offset);
	}
	while (len > 0) {
		ssize_t n = pread(disk->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n < 0 ? errno : EIO, disk->path, "Reading failed");
			return vk_error_at(err, offset);
		}
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return VK_OK;
}

enum vk_status vk_lab_zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len,
			   struct vk_error *err)
{
	static const uint8_t zeros[65536];
	uint64_t end = vk_min_u64(vk_add_sat(offset, len), disk->size_bytes);

	while (offset < end) {
		size_t piece = (size_t)vk_min_u64(end - offset, sizeof(zeros));
		enum vk_status status = vk_lab_put(disk, offset, zeros, piece, err);

		if (status != VK_OK)
			return status;
		offset += piece;
	}
	return VK_OK;
}
