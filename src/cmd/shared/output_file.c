/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result that goes into a file: written beside its place, then renamed, so that no half of it and no disk is ever
 * hit.
 */
#include "base/crash_point.h"
#include "base/memory.h"
#include "base/shown.h"
#include "cmd/shared/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum vk_status check_at(int folder_fd, const char *name, bool overwrite, const char *path, struct vk_error *err)
{
	struct stat st;

	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? VK_OK : vk_error_errno(err, errno, path, "cannot look at this place");
	if (!S_ISREG(st.st_mode))
		return vk_error_set(err, VK_USAGE, path, "this is not a regular file, and only those are replaced");
	if (overwrite)
		return VK_OK;
	vk_error_set(err, VK_USAGE, path, "the file exists");
	return vk_error_remedy(err, "choose another name, or add --overwrite");
}

enum vk_status vk_output_check(const char *path, bool overwrite, struct vk_error *err)
{
	return check_at(AT_FDCWD, path, overwrite, path, err);
}

enum vk_status vk_output_open(const char *path, bool overwrite, struct vk_output_file *ret_file, struct vk_error *err)
{
	struct vk_output_file file = {.path = path, .overwrite = overwrite};
	enum vk_status status = vk_output_check(path, overwrite, err);
	int fd;

	if (status != VK_OK)
		return status;
	if (asprintf(&file.temporary, "%s.%ld.tmp", path, (long)getpid()) < 0)
		return vk_no_memory(err, path);
	fd = open(file.temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	file.out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file.out != NULL) {
		*ret_file = file;
		return VK_OK;
	}
	status = vk_error_errno(err, errno, path, "cannot make the file");
	if (fd >= 0) {
		close(fd);
		unlink(file.temporary);
	}
	free(file.temporary);
	return status;
}

enum vk_status vk_output_close(struct vk_output_file *file, bool keep, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (keep && (ferror(file->out) != 0 || fflush(file->out) != 0 || fsync(fileno(file->out)) != 0))
		status = vk_error_errno(err, errno, file->path, "cannot write the file");
	if (fclose(file->out) != 0 && keep && status == VK_OK)
		status = vk_error_errno(err, errno, file->path, "cannot write the file");
	if (keep && status == VK_OK && file->overwrite)
		status = vk_output_check(file->path, true, err);
	if (keep && status == VK_OK &&
	    renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, file->overwrite ? 0 : RENAME_NOREPLACE) != 0)
		status = vk_error_errno(err, errno, file->path, "cannot give the file its name");
	if (!keep || status != VK_OK)
		unlink(file->temporary);
	free(file->temporary);
	memset(file, 0, sizeof(*file));
	return status;
}

enum vk_status vk_output_part_open(int folder_fd, const char *part, bool resume, const char *shown, int *ret_fd,
				   struct vk_error *err)
{
	const int how = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (resume ? 0 : O_CREAT | O_EXCL);
	struct stat st;
	int fd = openat(folder_fd, part, how, 0600);

	if (fd < 0)
		return vk_error_errno(err, errno, shown, "cannot %s the file %s", resume ? "open" : "make", part);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1) {
		*ret_fd = fd;
		return VK_OK;
	}
	close(fd);
	return vk_error_set(err, VK_USAGE, shown, "%s is no regular file, or has several names", part);
}

enum vk_status vk_output_part_finish(int folder_fd, const char *part, int fd, const char *name, bool overwrite,
				     const char *shown, struct vk_error *err)
{
	enum vk_status status;

	if (vk_step_fails("output: fsync") || fsync(fd) != 0)
		return vk_error_errno(err, errno, shown, "cannot write the file");
	status = check_at(folder_fd, name, overwrite, shown, err);
	if (status != VK_OK)
		return status;
	if (vk_step_fails("output: rename") ||
	    renameat2(folder_fd, part, folder_fd, name, overwrite ? 0 : RENAME_NOREPLACE) != 0 || fsync(folder_fd) != 0)
		return vk_error_errno(err, errno, shown, "cannot give the file its name");
	return VK_OK;
}

enum vk_status vk_output_scratch(const char *folder, uint64_t size_bytes, char **ret_path, struct vk_error *err)
{
	enum vk_status status = VK_OK;
	char *path;
	int fd;

	if (asprintf(&path, "%s/vmfskit-drill.XXXXXX", folder) < 0)
		return vk_no_memory(err, folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		status = vk_error_errno(err, errno, folder, "cannot make a scratch file");
		free(path);
		return status;
	}
	if (size_bytes > INT64_MAX || ftruncate(fd, (off_t)size_bytes) != 0) {
		status = vk_error_errno(err, size_bytes > INT64_MAX ? EFBIG : errno, folder,
					"the file system of the scratch folder cannot hold a file of %s",
					vk_shown_size_short(size_bytes).text);
		(void)vk_error_remedy(err, "name a folder on XFS, btrfs or tmpfs with --scratch; ext4 ends at 16 TiB");
		unlink(path);
	}
	close(fd);
	if (status != VK_OK)
		free(path);
	else
		*ret_path = path;
	return status;
}
