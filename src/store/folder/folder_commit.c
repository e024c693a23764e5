/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a capture's folder: on disk and named, or gone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat2 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder/folder.h"

bool vk_is_at(int folder_fd, const char *name, int fd)
{
	struct stat here;
	struct stat there;

	return fstat(fd, &here) == 0 && fstatat(folder_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

enum vk_status vk_folder_failed(const struct vk_folder *folder, const char *file, int code,
				const char *what, struct vk_error *err)
{
	enum vk_status status = vk_error_errno(err, code, file, "%s a file of the capture in %s", what,
					       folder->store);

	if (code == ENOSPC || code == EDQUOT)
		(void)vk_error_remedy(err,
				      "make room in the store (vmfskit prune), or name another with --store; nothing "
				      "was changed, and the captures in it are as they were");
	return status;
}

static enum vk_status flush_failed(const struct vk_folder *folder, const char *file,
				   struct vk_error *err)
{
	return vk_folder_failed(folder, file, errno, "cannot flush", err);
}

/*
 * Call step for each file that this run made, with a descriptor of it. It returns false and sets errno when it
 * fails.
 */
static enum vk_status each_file(const struct vk_folder *folder, bool (*step)(int fd),
				struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t at = 0; status == VK_OK && at < folder->made_bytes; at += strlen(folder->made + at) + 1) {
		const char *name = folder->made + at;
		int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0 || !step(fd))
			status = flush_failed(folder, name, err);
		if (fd >= 0)
			close(fd);
	}
	return status;
}

static bool start_writing(int fd)
{
	/* only a hint: what it does not do, fsync does */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return true;
}

static bool flush(int fd)
{
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

int vk_rename_to_new(int store_fd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(store_fd, from, store_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/*
	 * a file system without that flag: rename replaces an empty folder at most, never a
	 * capture
	 */
	if (fstatat(store_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	return renameat(store_fd, from, store_fd, to) == 0 ? 0 : errno;
}

static enum vk_status was_replaced(const struct vk_folder *folder, struct vk_error *err)
{
	return vk_error_set(err, VK_IO, folder->store, "somebody replaced the folder %s while it was written",
			    folder->temporary);
}

enum vk_status vk_folder_commit(struct vk_folder *folder, struct vk_error *err)
{
	enum vk_status status;
	int code;

	if (!vk_is_at(folder->store_fd, folder->temporary, folder->fd))
		return was_replaced(folder, err);
	code = vk_step_fails("capture folder: rename")
		       ? errno
		       : vk_rename_to_new(folder->store_fd, folder->temporary, folder->id);
	if (code != 0)
		return vk_error_errno(err, code, folder->store, "cannot name the capture %s", folder->id);
	if (!vk_is_at(folder->store_fd, folder->id, folder->fd)) {
		/* somebody else's got the name */
		(void)!vk_rename_to_new(folder->store_fd, folder->id, folder->temporary);
		return was_replaced(folder, err);
	}
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

	free(folder->made);
	folder->made = NULL;
	folder->made_bytes = 0;
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
	if (vk_is_at(folder->store_fd, folder->temporary, folder->fd))
		unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
	close(folder->fd);
	folder->fd = -1;
}
