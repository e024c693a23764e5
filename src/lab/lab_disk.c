/* SPDX-License-Identifier: Apache-2.0 */
/* The practice disk: opened with care, written by position. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
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
	struct stat st, now;

	if (status != VK_OK)
		return status;
	if (stat(path, &st) != 0)
		return vk_error_errno(err, errno, path, "The disk cannot be opened");
	if (S_ISBLK(st.st_mode)) {
		if (major(st.st_rdev) != LOOP_MAJOR) {
			vk_error_set(err, VK_REFUSED, path, "This is a block device, and no loop device");
			return vk_error_remedy(err, "only practice disks are broken; attach a file with losetup");
		}
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
	/* what was asked about is what is open */
	if (fstat(disk.fd, &now) != 0 || now.st_rdev != st.st_rdev || now.st_ino != st.st_ino ||
	    now.st_dev != st.st_dev)
		status = vk_error_set(err, VK_REFUSED, path, "Another file has this name since a moment");
	else if (disk.device)
		status = measure_device(&disk, err);
	if (status != VK_OK)
		vk_lab_disk_abandon(&disk);
	else
		*ret_disk = disk;
	return status;
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

enum vk_status vk_lab_fail(struct vk_lab_disk *disk, enum vk_status status)
{
	if (disk->failed == VK_OK)
		disk->failed = status;
	return disk->failed;
}

void *vk_lab_alloc(struct vk_lab_disk *disk, size_t size, struct vk_error *err)
{
	void *memory = disk->failed == VK_OK ? calloc(1, size) : NULL;

	if (memory == NULL && disk->failed == VK_OK)
		vk_lab_fail(disk, vk_no_memory(err, NULL));
	return memory;
}

/* All len bytes, to the disk when from is not NULL, else from it. */
static enum vk_status transfer(const struct vk_lab_disk *disk, uint64_t offset, const uint8_t *from, uint8_t *to,
			       size_t len, struct vk_error *err)
{
	for (size_t done = 0; done < len;) {
		off_t at = (off_t)(offset + done);
		ssize_t n = from != NULL ? pwrite(disk->fd, from + done, len - done, at)
					 : pread(disk->fd, to + done, len - done, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n < 0 ? errno : EIO, disk->path,
				       from != NULL ? "Writing failed" : "Reading failed");
			vk_error_at(err, offset + done);
			return VK_IO;
		}
		done += (size_t)n;
	}
	return VK_OK;
}

enum vk_status vk_lab_put(struct vk_lab_disk *disk, uint64_t offset, const void *buf, size_t len, struct vk_error *err)
{
	if (disk->failed != VK_OK)
		return disk->failed;
	if (vk_add_sat(offset, len) <= disk->size_bytes)
		return vk_lab_fail(disk, transfer(disk, offset, buf, NULL, len, err));
	vk_error_set(err, VK_USAGE, disk->path, "%zu bytes do not fit there", len);
	vk_error_at(err, offset);
	return vk_lab_fail(disk, VK_USAGE);
}

enum vk_status vk_lab_get(struct vk_lab_disk *disk, uint64_t offset, void *buf, size_t len, struct vk_error *err)
{
	if (vk_add_sat(offset, len) <= disk->size_bytes)
		return transfer(disk, offset, NULL, buf, len, err);
	vk_error_set(err, VK_ABSENT, disk->path, "The disk ends before byte %llu",
		     (unsigned long long)vk_add_sat(offset, len));
	vk_error_at(err, offset);
	return VK_ABSENT;
}

enum vk_status vk_lab_zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len, struct vk_error *err)
{
	static const uint8_t zeros[65536];
	uint64_t end = vk_min_u64(vk_add_sat(offset, len), disk->size_bytes);

	for (size_t piece; offset < end; offset += piece) {
		piece = (size_t)vk_min_u64(end - offset, sizeof(zeros));
		vk_lab_put(disk, offset, zeros, piece, err);
	}
	return disk->failed;
}
