/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a capture's folder: on disk and named, or gone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder.h"

bool vk_folder_is_at(const struct vk_folder *folder, const char *name)
{
	struct stat here;
	struct stat there;

	return fstat(folder->fd, &here) == 0 &&
	       fstatat(folder->store_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static enum vk_status flush_failed(const struct vk_folder *folder, const char *file,
				   struct vk_error *err)
{
	return vk_folder_failed(folder, file, errno, "cannot flush", err);
}

/*
 * Call step for each file, with a descriptor of it. It returns false and sets errno when it
 * fails.
 */
static enum vk_status each_file(const struct vk_folder *folder, bool (*step)(int fd),
				struct vk_error *err)
{
	int copy = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	enum vk_status status = VK_OK;

	if (dir == NULL) {
		flush_failed(folder, folder->temporary, err);
		if (copy >= 0)
			close(copy);
		return VK_IO;
	}
	while (status == VK_OK && (entry = readdir(dir)) != NULL) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(folder->fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || !step(fd))
			status = flush_failed(folder, entry->d_name, err);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return status;
}

static bool start_writing(int fd)
{
	/* only a hint: what it does not do, fsync does */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return true;
}

/* A file of several names is one of the previous capture and long on disk. */
static bool flush(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_nlink > 1)
		return true;
	return !vk_step_fails("capture file: fsync") && fsync(fd) == 0;
}

static enum vk_status sync_folder(int fd, const char *step, const struct vk_folder *folder,
				  struct vk_error *err)
{
	if (vk_step_fails(step) || fsync(fd) != 0)
		return vk_error_errno(err, errno, folder->store, "cannot flush a folder of the store");
	return VK_OK;
}

/*
 * All files on their way before the first is waited for: the file system then commits them
 * together, which takes a fraction of the time of one after the other.
 */
enum vk_status vk_folder_flush(const struct vk_folder *folder, struct vk_error *err)
{
	enum vk_status status = each_file(folder, start_writing, err);

	if (status == VK_OK)
		status = each_file(folder, flush, err);
	return status == VK_OK ? sync_folder(folder->fd, "capture folder: fsync", folder, err) : status;
}

/* Returns 0 or an errno value. */
static int rename_without_replacing(const struct vk_folder *folder)
{
	struct stat st;

	if (vk_step_fails("capture folder: rename"))
		return errno;
	if (renameat2(folder->store_fd, folder->temporary, folder->store_fd, folder->id,
		      RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/*
	 * a file system without that flag: rename replaces an empty folder at most, never a
	 * capture
	 */
	if (fstatat(folder->store_fd, folder->id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	if (renameat(folder->store_fd, folder->temporary, folder->store_fd, folder->id) == 0)
		return 0;
	return errno;
}

enum vk_status vk_folder_commit(struct vk_folder *folder, struct vk_error *err)
{
	enum vk_status status;
	int code;

	if (!vk_folder_is_at(folder, folder->temporary))
		return vk_error_set(err, VK_IO, folder->store, "somebody replaced the folder %s while it was written",
				    folder->temporary);
	code = rename_without_replacing(folder);
	if (code != 0)
		return vk_error_errno(err, code, folder->store, "cannot name the capture %s", folder->id);
	/* it has its name: what fails from here on takes nothing away */
	status = sync_folder(folder->store_fd, "store folder: fsync", folder, err);
	close(folder->fd);
	folder->fd = -1;
	return status;
}

void vk_folder_abandon(struct vk_folder *folder)
{
	int copy;
	DIR *dir;

	if (folder->fd < 0)
		return;
	copy = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (dir != NULL) {
		const struct dirent *entry;

		while ((entry = readdir(dir)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				unlinkat(folder->fd, entry->d_name, 0);
		closedir(dir);
	} else if (copy >= 0) {
		close(copy);
	}
	if (vk_folder_is_at(folder, folder->temporary))
		unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
	close(folder->fd);
	folder->fd = -1;
}
