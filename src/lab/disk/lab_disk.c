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
#include "lab/disk/practice.h"

enum vk_status vk_lab_disk_create(const char *path, uint64_t size_bytes, bool overwrite,
				  struct vk_lab_disk *ret_disk, struct vk_error *err)
{
	struct stat st;
	int fd;

	if (size_bytes > INT64_MAX)
		return vk_error_set(err, VK_USAGE, path, "no file can be that large");
	if (stat(path, &st) == 0) {
		if (S_ISBLK(st.st_mode)) {
			vk_error_set(err, VK_REFUSED, path, "practice disks are made as files, this is a block device");
			return vk_error_remedy(err, "make a file and attach it with losetup");
		}
		if (!S_ISREG(st.st_mode))
			return vk_error_set(err, VK_USAGE, path, "this is not an ordinary file");
		if (st.st_size != 0 && !overwrite) {
			vk_error_set(err, VK_REFUSED, path, "the file exists and is not empty");
			return vk_error_remedy(err, "name another file, or say --overwrite if this one may go");
		}
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return vk_error_errno(err, errno, path, "the file cannot be made");
	/* to nothing first, so that no byte of an older file stays */
	if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)size_bytes) != 0) {
		vk_error_errno(err, errno, path, "the file cannot be made %llu bytes long",
			       (unsigned long long)size_bytes);
		vk_error_remedy(err, "ext4 ends at 16 TiB; a folder on tmpfs or XFS holds larger sparse files");
		close(fd);
		unlink(path);
		return VK_IO;
	}
	*ret_disk = (struct vk_lab_disk){.fd = fd, .path = path, .size_bytes = size_bytes, .err = err};
	return VK_OK;
}

enum vk_status vk_lab_disk_open(const char *path, bool really, struct vk_lab_disk *ret_disk,
				struct vk_error *err)
{
	struct vk_lab_disk disk = {.path = path, .err = err};
	enum vk_status status = VK_OK;
	struct stat st, now;
	int sector = 0;

	if (stat(path, &st) != 0)
		return vk_error_errno(err, errno, path, "the disk cannot be opened");
	if (S_ISBLK(st.st_mode)) {
		if (major(st.st_rdev) != LOOP_MAJOR) {
			vk_error_set(err, VK_REFUSED, path, "this is a block device, and no loop device");
			return vk_error_remedy(err, "only practice disks are broken; attach a file with losetup");
		}
		if (!really) {
			vk_error_set(err, VK_REFUSED, path, "this is a block device, not a practice image");
			return vk_error_remedy(err, "if it may be destroyed, say --really");
		}
		/* that fails while the device or a partition of it is mounted or part of something */
		disk.fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
		if (disk.fd < 0 && errno != EBUSY)
			return vk_error_errno(err, errno, path, "the device cannot be opened");
		if (disk.fd < 0) {
			vk_error_set(err, VK_REFUSED, path, "the device is mounted or in use");
			return vk_error_remedy(err, "this tool is for practice disks; unmount it if it is one");
		}
		close(disk.fd);
		disk.device = true;
	} else if (!S_ISREG(st.st_mode)) {
		return vk_error_set(err, VK_USAGE, path, "this is neither a file nor a block device");
	}
	disk.fd = open(path, O_RDWR | O_CLOEXEC);
	if (disk.fd < 0)
		return vk_error_errno(err, errno, path, "the disk cannot be opened for writing");
	disk.size_bytes = (uint64_t)st.st_size;
	/* what was asked about is what is open */
	if (fstat(disk.fd, &now) != 0 || now.st_rdev != st.st_rdev || now.st_ino != st.st_ino ||
	    now.st_dev != st.st_dev)
		status = vk_error_set(err, VK_REFUSED, path, "another file has this name since a moment");
	else if (disk.device && (ioctl(disk.fd, BLKGETSIZE64, &disk.size_bytes) != 0 ||
				 ioctl(disk.fd, BLKSSZGET, &sector) != 0 || sector <= 0))
		status = vk_error_errno(err, errno, path, "the device does not report its size");
	disk.sector_size = (uint32_t)sector;
	if (status != VK_OK)
		close(disk.fd);
	else
		*ret_disk = disk;
	return status;
}

void vk_lab_sync(struct vk_lab_disk *disk)
{
	if (disk->failed == VK_OK && fdatasync(disk->fd) != 0)
		vk_lab_fail(disk, vk_error_errno(disk->err, errno, disk->path,
						 "the bytes could not be brought to the medium"));
}

enum vk_status vk_lab_disk_close(struct vk_lab_disk *disk)
{
	if (disk->device)
		vk_lab_sync(disk);
	if (close(disk->fd) != 0 && disk->failed == VK_OK)
		vk_lab_fail(disk, vk_error_errno(disk->err, errno, disk->path, "the file could not be closed"));
	return disk->failed;
}

enum vk_status vk_lab_fail(struct vk_lab_disk *disk, enum vk_status status)
{
	if (disk->failed == VK_OK)
		disk->failed = status;
	return disk->failed;
}

void *vk_lab_alloc(struct vk_lab_disk *disk, size_t size)
{
	void *memory = disk->failed == VK_OK ? calloc(1, size) : NULL;

	if (memory == NULL && disk->failed == VK_OK)
		vk_lab_fail(disk, vk_no_memory(disk->err, NULL));
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
				       from != NULL ? "writing failed" : "reading failed");
			vk_error_at(err, offset + done);
			return VK_IO;
		}
		done += (size_t)n;
	}
	return VK_OK;
}

enum vk_status vk_lab_put(struct vk_lab_disk *disk, uint64_t offset, const void *buf, size_t len)
{
	if (disk->failed != VK_OK)
		return disk->failed;
	if (vk_add_sat(offset, len) <= disk->size_bytes)
		return vk_lab_fail(disk, transfer(disk, offset, buf, NULL, len, disk->err));
	vk_error_set(disk->err, VK_USAGE, disk->path, "%zu bytes do not fit there", len);
	vk_error_at(disk->err, offset);
	return vk_lab_fail(disk, VK_USAGE);
}

enum vk_status vk_lab_get(struct vk_lab_disk *disk, uint64_t offset, void *buf, size_t len, struct vk_error *err)
{
	if (vk_add_sat(offset, len) <= disk->size_bytes)
		return transfer(disk, offset, NULL, buf, len, err);
	vk_error_set(err, VK_ABSENT, disk->path, "the disk ends before byte %llu",
		     (unsigned long long)vk_add_sat(offset, len));
	vk_error_at(err, offset);
	return VK_ABSENT;
}

enum vk_status vk_lab_zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len)
{
	static const uint8_t zeros[65536];
	uint64_t end = vk_min_u64(vk_add_sat(offset, len), disk->size_bytes);

	for (size_t piece; offset < end; offset += piece) {
		piece = (size_t)vk_min_u64(end - offset, sizeof(zeros));
		vk_lab_put(disk, offset, zeros, piece);
	}
	return disk->failed;
}
