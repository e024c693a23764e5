/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a file of a capture, or finding that it need not be written. */
#include "base/memory.h"
#include "store/folder/region_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/crash_point.h"
#include "store/folder/save.h"

enum { HOLE_BYTES = 4096 };

/* ---- writing */

static enum vk_status write_all(const struct vk_region_file *f, uint64_t offset, const uint8_t *p,
				size_t len, struct vk_error *err)
{
	if (vk_step_fails("region file: write"))
		return vk_folder_failed(f->folder, f->file, errno, "cannot write", err);
	while (len > 0) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)offset);

		if (n == 0 || (n < 0 && errno != EINTR))
			return vk_folder_failed(f->folder, f->file, n == 0 ? ENOSPC : errno,
						"cannot write", err);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			offset += (uint64_t)n;
		}
	}
	return VK_OK;
}

/* Bytes of the block of the file's grid that begins, or is entered, at pos. */
static size_t block_at(uint64_t pos, size_t len)
{
	return (size_t)vk_min_u64(len, HOLE_BYTES - pos % HOLE_BYTES);
}

/* Neighbouring blocks that are not all zero go out in one write; the rest is left as a hole. */
static enum vk_status write_sparse(const struct vk_region_file *f, uint64_t pos, const uint8_t *buf,
				   size_t len, struct vk_error *err)
{
	size_t at = 0;

	while (at < len) {
		size_t start;

		while (at < len && vk_all_zero(buf + at, block_at(pos + at, len - at)))
			at += block_at(pos + at, len - at);
		start = at;
		while (at < len && !vk_all_zero(buf + at, block_at(pos + at, len - at)))
			at += block_at(pos + at, len - at);
		if (at > start) {
			enum vk_status status = write_all(f, pos + start, buf + start, at - start, err);

			if (status != VK_OK)
				return status;
		}
	}
	return VK_OK;
}

/* ---- the old file */

/* How far from pos the old file has no data; 0: there is data at pos. */
static uint64_t old_hole(const struct vk_region_file *f, uint64_t pos)
{
	off_t data = lseek(f->old_fd, (off_t)pos, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO && pos < f->length_bytes ? f->length_bytes - pos : 0;
	return vk_min_u64((uint64_t)data, f->length_bytes) - pos;
}

static bool old_has_zeros(const struct vk_region_file *f, uint64_t pos, uint64_t len)
{
	while (len > 0) {
		uint64_t n = vk_min_u64(old_hole(f, pos), len);

		if (n == 0) {
			n = vk_min_u64(len, VK_PREVIOUS_BUFFER_BYTES);
			if (!vk_pread_all(f->old_fd, f->previous->buf, (size_t)n, pos) ||
			    !vk_all_zero(f->previous->buf, (size_t)n))
				return false;
		}
		pos += n;
		len -= n;
	}
	return true;
}

static bool old_has_bytes(const struct vk_region_file *f, uint64_t pos, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t n = (size_t)vk_min_u64(len, VK_PREVIOUS_BUFFER_BYTES);

		if (!vk_pread_all(f->old_fd, f->previous->buf, n, pos) ||
		    memcmp(f->previous->buf, bytes, n) != 0)
			return false;
		pos += n;
		bytes += n;
		len -= n;
	}
	return true;
}

/* Make the new file, with what was the same up to pos. It is read again when it is on disk, so a copy need not be proved here. */
static enum vk_status part_ways(struct vk_region_file *f, uint64_t pos, struct vk_error *err)
{
	enum vk_status status = vk_folder_create(f->folder, f->file, &f->fd, err);

	for (uint64_t at = 0; status == VK_OK && at < pos;) {
		uint64_t n = vk_min_u64(old_hole(f, at), pos - at);

		if (n == 0) {
			n = vk_min_u64(pos - at, VK_PREVIOUS_BUFFER_BYTES);
			f->old_failed = !vk_pread_all(f->old_fd, f->previous->buf, (size_t)n, at);
			status = f->old_failed ? vk_error_errno(err, errno, f->file,
								"cannot read a file of the previous capture")
					       : write_sparse(f, at, f->previous->buf, (size_t)n, err);
		}
		at += n;
	}
	close(f->old_fd);
	f->old_fd = -1;
	return status;
}

/*
 * Only a file that nobody else can have made or can change becomes a part of the new capture. A file system that keeps
 * no modes shows the same ones for all.
 */
static bool is_ours(const struct vk_previous *previous, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_uid != geteuid())
		return false;
	return (st.st_mode & (previous->modes_kept ? 07777 & ~0400 : 07022)) == 0;
}

static void open_old(struct vk_region_file *f)
{
	uint64_t length;
	int fd;

	if (f->previous == NULL || f->previous->fd < 0 || f->previous->links_refused ||
	    vk_folder_open_fresh(f->previous->fd, f->file, &fd, &length, NULL) != VK_OK)
		return;
	if (length != f->length_bytes || !is_ours(f->previous, fd)) {
		close(fd);
		return;
	}
	f->old_fd = fd;
}

/* ---- linking */

/* The link has to be of the very file that was compared, whatever stands under its old name now. */
static bool is_same_file(const struct vk_region_file *f)
{
	struct stat old;
	struct stat new;

	return fstat(f->old_fd, &old) == 0 &&
	       fstatat(f->folder->fd, f->file, &new, AT_SYMLINK_NOFOLLOW) == 0 &&
	       old.st_dev == new.st_dev && old.st_ino == new.st_ino;
}

static bool is_full(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EIO || code == ENOMEM || code == EROFS;
}

/* f->linked: it worked; else, without an error, a copy has to do. */
static enum vk_status try_link(struct vk_region_file *f, struct vk_error *err)
{
	int code = 0;

	if (vk_step_fails("capture file: link") ||
	    linkat(f->previous->fd, f->file, f->folder->fd, f->file, 0) != 0)
		code = errno;
	if (is_full(code))
		return vk_folder_failed(f->folder, f->file, code, "cannot link", err);
	if (code == EPERM || code == EOPNOTSUPP || code == ENOSYS)
		f->previous->links_refused = true;
	if (code != 0)
		return VK_OK;
	f->linked = is_same_file(f);
	if (!f->linked && unlinkat(f->folder->fd, f->file, 0) != 0)
		return vk_folder_failed(f->folder, f->file, errno, "cannot replace", err);
	return VK_OK;
}

/* ---- the file */

enum vk_status vk_region_file_begin(struct vk_region_file *f, struct vk_folder *folder,
				    struct vk_previous *previous, const char *file,
				    uint64_t length_bytes, struct vk_error *err)
{
	*f = (struct vk_region_file){.folder = folder,
				     .previous = previous,
				     .file = file,
				     .length_bytes = length_bytes,
				     .fd = -1,
				     .old_fd = -1};
	open_old(f);
	return f->old_fd >= 0 ? VK_OK : vk_folder_create(folder, file, &f->fd, err);
}

enum vk_status vk_region_file_bytes(struct vk_region_file *f, uint64_t pos, const uint8_t *bytes,
				    size_t len, struct vk_error *err)
{
	if (f->old_fd >= 0) {
		enum vk_status status;

		if (old_has_bytes(f, pos, bytes, len))
			return VK_OK;
		status = part_ways(f, pos, err);
		if (status != VK_OK)
			return status;
	}
	return write_sparse(f, pos, bytes, len, err);
}

enum vk_status vk_region_file_zeros(struct vk_region_file *f, uint64_t pos, uint64_t len,
				    struct vk_error *err)
{
	if (f->old_fd < 0 || old_has_zeros(f, pos, len))
		return VK_OK;
	return part_ways(f, pos, err);
}

enum vk_status vk_region_file_finish(struct vk_region_file *f, struct vk_error *err)
{
	enum vk_status status = VK_OK;
	int fd;

	if (f->old_fd >= 0)
		status = try_link(f, err);
	if (status == VK_OK && f->old_fd >= 0 && !f->linked)
		status = part_ways(f, f->length_bytes, err);
	if (status == VK_OK && f->fd >= 0 &&
	    (vk_step_fails("region file: set length") || ftruncate(f->fd, (off_t)f->length_bytes) != 0))
		status = vk_folder_failed(f->folder, f->file, errno, "cannot set the length of", err);
	if (status != VK_OK || f->fd < 0) {
		vk_region_file_abandon(f);
		return status;
	}
	fd = f->fd;
	f->fd = -1;
	return vk_folder_close_file(f->folder, f->file, fd, err);
}

void vk_region_file_abandon(struct vk_region_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->old_fd >= 0)
		close(f->old_fd);
	f->fd = -1;
	f->old_fd = -1;
}

/* ---- the previous capture */

enum vk_status vk_previous_open(const struct vk_folder *folder, const char *id,
				struct vk_previous *ret_previous, struct vk_error *err)
{
	struct stat st;

	*ret_previous = (struct vk_previous){.fd = -1};
	if (id == NULL || id[0] == '.' || id[0] == '\0' || strchr(id, '/') != NULL ||
	    fstat(folder->fd, &st) != 0)
		return VK_OK;
	ret_previous->modes_kept = (st.st_mode & 07777) == 0700;
	ret_previous->buf = malloc(VK_PREVIOUS_BUFFER_BYTES);
	if (ret_previous->buf == NULL)
		return vk_no_memory(err, folder->store);
	/* without it everything is written, which is never wrong */
	ret_previous->fd = openat(folder->store_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return VK_OK;
}

void vk_previous_close(struct vk_previous *previous)
{
	if (previous->fd >= 0)
		close(previous->fd);
	free(previous->buf);
	*previous = (struct vk_previous){.fd = -1};
}
