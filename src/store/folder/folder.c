/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a capture's folder so that a power cut leaves either all of it or none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/crash_point.h"
#include "store/folder/folder.h"
#include "vmfskit/text.h"

enum { DISK_NAME_MAX = 64, SAME_NAME_MAX = 10000, LOST_MAX = 100 };

/* The last part of a path, with only characters that need no quoting anywhere. */
static void put_disk_name(struct vk_text *text, const char *path)
{
	static const char plain[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
	size_t len = strlen(path);
	size_t start;

	while (len > 1 && path[len - 1] == '/')
		len--;
	start = len;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (len - start > DISK_NAME_MAX)
		len = start + DISK_NAME_MAX;
	for (size_t i = start; i < len; i++)
		vk_text_fmt(text, "%c", strchr(plain, path[i]) != NULL ? path[i] : '_');
	if (start == len)
		vk_text_put(text, "disk");
}

/*
 * Making the temporary folder reserves the id: who finds it made looks for the next one. Whether the id itself is taken
 * is asked only then, so that no other run can take it in between. The folder is locked for as long as it is made, so
 * that a run that removes what killed ones left can tell it from those: one that such a run took between making and
 * locking is made again.
 */
static enum vk_status reserve(struct vk_folder *folder, const char *stamp, const char *name, struct vk_error *err)
{
	unsigned lost = 0;

	for (unsigned n = 1; n < SAME_NAME_MAX && lost < LOST_MAX;) {
		enum vk_status status;
		struct stat st;
		struct vk_text id = vk_text_in(folder->id, sizeof(folder->id));

		vk_text_put(&id, stamp);
		if (n > 1)
			vk_text_fmt(&id, ".%u", n);
		vk_text_fmt(&id, "-%s", name);
		snprintf(folder->temporary, sizeof(folder->temporary), VK_TEMPORARY_PREFIX "%s", folder->id);
		if (vk_step_fails("capture folder: mkdir") ||
		    mkdirat(folder->store_fd, folder->temporary, 0700) != 0) {
			n++;
			if (errno == EEXIST)
				continue;
			vk_error_errno(err, errno, folder->store, "cannot make a folder in the store");
			return vk_error_remedy(err, "check its permissions and free space, or name another store with "
						    "--store");
		}
		folder->fd = openat(folder->store_fd, folder->temporary,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder->fd < 0 && errno != ENOENT) {
			status = vk_error_errno(err, errno, folder->store, "cannot open the new folder");
			unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
			return status;
		}
		/* where there are no locks at all, there are no runs beside this one either */
		if (folder->fd < 0 || (flock(folder->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
		    !vk_is_at(folder->store_fd, folder->temporary, folder->fd)) {
			if (folder->fd >= 0)
				close(folder->fd);
			folder->fd = -1;
			lost++;
			continue;
		}
		if (fstatat(folder->store_fd, folder->id, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
			return VK_OK;
		vk_folder_abandon(folder);
		n++;
	}
	if (lost >= LOST_MAX)
		return vk_error_set(err, VK_IO, folder->store, "another run removes each folder that this one makes");
	return vk_error_set(err, VK_IO, folder->store, "too many captures are named %s-%s", stamp, name);
}

enum vk_status vk_folder_begin(struct vk_store *store, const char *disk_path, const char *suffix,
			       uint64_t unix_seconds, struct vk_folder *ret_folder,
			       struct vk_error *err)
{
	struct vk_folder folder = {
		.store_fd = vk_store_fd(store), .fd = -1, .store = vk_store_path(store)};
	char name[DISK_NAME_MAX + 16];
	struct vk_text text = vk_text_in(name, sizeof(name));
	char stamp[40]; /* sorts as time does */
	struct tm tm;
	enum vk_status status;

	if (gmtime_r(&(time_t){(time_t)unix_seconds}, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return vk_error_set(err, VK_INTERNAL, folder.store, "the time of the capture is none");
	put_disk_name(&text, disk_path);
	vk_text_put(&text, suffix);
	status = reserve(&folder, stamp, name, err);
	if (status == VK_OK)
		*ret_folder = folder;
	return status;
}

enum vk_status vk_folder_create(struct vk_folder *folder, const char *file, int *ret_fd,
				struct vk_error *err)
{
	size_t len = strlen(file) + 1;
	/*
	 * by our own record and not by what the file system shows of a file: its number of names, times and mode are
	 * anybody's to change while the capture is made
	 */
	char *made = realloc(folder->made, folder->made_bytes + len);

	*ret_fd = -1;
	if (made == NULL)
		return vk_no_memory(err, file);
	memcpy(made + folder->made_bytes, file, len);
	folder->made = made;
	folder->made_bytes += len;
	if (!vk_step_fails("capture file: create"))
		*ret_fd = openat(folder->fd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	return *ret_fd >= 0 ? VK_OK : vk_folder_failed(folder, file, errno, "cannot make", err);
}

enum vk_status vk_folder_scratch(const struct vk_folder *folder, int *ret_fd, struct vk_error *err)
{
	static const char name[] = "scratch";

	*ret_fd = openat(folder->fd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (*ret_fd < 0) {
		/* not every file system can make one; who abandons the folder removes what is left of this one */
		*ret_fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*ret_fd >= 0)
			(void)unlinkat(folder->fd, name, 0);
	}
	return *ret_fd >= 0 ? VK_OK : vk_folder_failed(folder, name, errno, "cannot make", err);
}

enum vk_status vk_folder_close_file(const struct vk_folder *folder, const char *file, int fd,
				    struct vk_error *err)
{
	if (close(fd) != 0)
		return vk_folder_failed(folder, file, errno, "cannot write", err);
	return VK_OK;
}

enum vk_status vk_folder_put(struct vk_folder *folder, const char *file, const char *bytes,
			     size_t len, struct vk_error *err)
{
	int fd;
	enum vk_status status = vk_folder_create(folder, file, &fd, err);

	if (status != VK_OK)
		return status;
	for (size_t done = 0; done < len;) {
		ssize_t n = vk_step_fails("capture file: write") ? -1 : write(fd, bytes + done, len - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			status = vk_folder_failed(folder, file, n == 0 ? ENOSPC : errno, "cannot write",
						  err);
			close(fd);
			return status;
		}
	}
	return vk_folder_close_file(folder, file, fd, err);
}
