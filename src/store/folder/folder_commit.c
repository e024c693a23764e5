/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a capture's folder: on disk and named, or gone; and small files that are replaced. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat2 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder/folder.h"

bool vk_is_there(int folder_fd, const char *name)
{
	struct stat st;

	return fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

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
	enum vk_status status = VK_OK;

	for (int wait = 0; wait < 2; wait++) {
		for (size_t at = 0; status == VK_OK && at < folder->made_bytes; at += strlen(folder->made + at) + 1) {
			const char *name = folder->made + at;
			int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

			/* the first is only a hint: what it does not do, fsync does */
			if (fd >= 0 && wait == 0)
				(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
			else if (fd < 0 || vk_step_fails("capture file: fsync") || fsync(fd) != 0)
				status = vk_folder_failed(folder, name, errno, "cannot flush", err);
			if (fd >= 0)
				close(fd);
		}
	}
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
	free(folder->made);
	folder->made = NULL;
	folder->made_bytes = 0;
	if (folder->fd < 0)
		return;
	(void)vk_empty_folder(folder->fd, NULL);
	if (vk_is_at(folder->store_fd, folder->temporary, folder->fd))
		unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
	close(folder->fd);
	folder->fd = -1;
}

/* ---- small files that are replaced whole */

static bool step_fails(const char *what, const char *step)
{
	char name[64];

	snprintf(name, sizeof(name), "%s: %s", what, step);
	return vk_step_fails(name);
}

enum vk_status vk_replace_file(int folder_fd, const char *file, const void *bytes, size_t len, const char *what,
			       struct vk_error *err)
{
	char temporary[300];
	ssize_t n;
	bool sound;
	int code;
	int fd;

	if (snprintf(temporary, sizeof(temporary), ".%s.new", file) >= (int)sizeof(temporary))
		return vk_error_set(err, VK_USAGE, file, "the name of the file is too long");
	/* left by a run that was killed here */
	(void)unlinkat(folder_fd, temporary, 0);
	fd = step_fails(what, "create")
		     ? -1
		     : openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	n = fd < 0 || step_fails(what, "write") ? -1 : write(fd, bytes, len);
	if (n >= 0 && n != (ssize_t)len)
		errno = ENOSPC;
	sound = n == (ssize_t)len && !step_fails(what, "fsync") && fsync(fd) == 0;
	code = errno;
	if (fd >= 0 && close(fd) != 0 && sound) {
		sound = false;
		code = errno;
	}
	if (sound && (step_fails(what, "rename") || renameat(folder_fd, temporary, folder_fd, file) != 0)) {
		sound = false;
		code = errno;
	}
	if (!sound) {
		(void)unlinkat(folder_fd, temporary, 0);
	} else if (step_fails(what, "fsync folder") || fsync(folder_fd) != 0) {
		sound = false;
		code = errno;
	}
	errno = code;
	return sound ? VK_OK : vk_error_errno(err, code, file, "cannot write the file");
}
