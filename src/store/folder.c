/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a capture's folder so that a power cut leaves either all of it or none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder.h"
#include "vmfskit/text.h"

enum { DISK_NAME_MAX = 64, SAME_NAME_MAX = 10000 };

/* The last part of a path, with only characters that need no quoting anywhere. */
static void put_disk_name(struct vk_text *text, const char *path)
{
	size_t len = strlen(path);
	size_t start;

	while (len > 1 && path[len - 1] == '/')
		len--;
	start = len;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (len - start > DISK_NAME_MAX)
		len = start + DISK_NAME_MAX;
	for (size_t i = start; i < len; i++) {
		char c = path[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';

		vk_text_fmt(text, "%c", plain ? c : '_');
	}
	if (start == len)
		vk_text_put(text, "disk");
}

/* "2026-11-21T01:45:00Z" without its punctuation, which sorts as time does. */
static void put_stamp(struct vk_text *text, uint64_t unix_seconds)
{
	char buf[40];
	struct vk_text full;

	vk_text_init(&full, buf, sizeof(buf));
	vk_text_time_s(&full, unix_seconds);
	for (const char *p = buf; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			vk_text_fmt(text, "%c", *p);
}

/*
 * Making the temporary folder reserves the id: who finds it made looks for the next one. Whether
 * the id itself is taken is asked only then, so that no other run can take it in between.
 */
static enum vk_status reserve(struct vk_folder *folder, const char *base, struct vk_error *err)
{
	for (unsigned n = 1; n < SAME_NAME_MAX; n++) {
		struct stat st;
		struct vk_text text;

		vk_text_init(&text, folder->id, sizeof(folder->id));
		vk_text_put(&text, base);
		if (n > 1)
			vk_text_fmt(&text, "-%u", n);
		snprintf(folder->temporary, sizeof(folder->temporary), ".tmp-%s", folder->id);
		vk_crash_point("capture folder: mkdir");
		if (mkdirat(folder->store_fd, folder->temporary, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			vk_error_errno(err, errno, folder->store, "cannot make a folder in the store");
			return vk_error_remedy(err, "check its permissions and free space");
		}
		if (fstatat(folder->store_fd, folder->id, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
		    errno == ENOENT)
			return VK_OK;
		unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
	}
	return vk_error_set(err, VK_IO, folder->store, "too many captures are named %s", base);
}

enum vk_status vk_folder_begin(struct vk_store *store, const char *disk_path, const char *suffix,
			       uint64_t unix_seconds, struct vk_folder *ret_folder,
			       struct vk_error *err)
{
	struct vk_folder folder = {
		.store_fd = vk_store_fd(store), .fd = -1, .store = vk_store_path(store)};
	char base[VK_CAPTURE_ID_BYTES];
	struct vk_text text;
	enum vk_status status;

	vk_text_init(&text, base, sizeof(base));
	put_stamp(&text, unix_seconds);
	vk_text_put(&text, "-");
	put_disk_name(&text, disk_path);
	vk_text_put(&text, suffix);
	status = reserve(&folder, base, err);
	if (status == VK_OK) {
		folder.fd = openat(folder.store_fd, folder.temporary,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder.fd < 0)
			status = vk_error_errno(err, errno, folder.store, "cannot open the new folder");
	}
	if (status == VK_OK)
		*ret_folder = folder;
	return status;
}

enum vk_status vk_folder_create(const struct vk_folder *folder, const char *file, int *ret_fd,
				struct vk_error *err)
{
	vk_crash_point("capture file: create");
	*ret_fd = openat(folder->fd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (*ret_fd < 0)
		return vk_error_errno(err, errno, file, "cannot make a file of the capture in %s",
				      folder->store);
	return VK_OK;
}

enum vk_status vk_folder_close_file(const struct vk_folder *folder, const char *file, int fd,
				    struct vk_error *err)
{
	if (close(fd) != 0)
		return vk_error_errno(err, errno, file, "cannot write a file of the capture in %s",
				      folder->store);
	return VK_OK;
}

enum vk_status vk_folder_put(const struct vk_folder *folder, const char *file, const char *bytes,
			     size_t len, struct vk_error *err)
{
	int fd;
	enum vk_status status = vk_folder_create(folder, file, &fd, err);

	if (status != VK_OK)
		return status;
	vk_crash_point("capture file: write");
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			status = vk_error_errno(err, n == 0 ? ENOSPC : errno, file,
						"cannot write a file of the capture in %s",
						folder->store);
			close(fd);
			return status;
		}
	}
	return vk_folder_close_file(folder, file, fd, err);
}

static enum vk_status flush_failed(const struct vk_folder *folder, const char *file,
				   struct vk_error *err)
{
	return vk_error_errno(err, errno, file, "cannot flush a file of the capture in %s",
			      folder->store);
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

static bool flush(int fd)
{
	vk_crash_point("capture file: fsync");
	return fsync(fd) == 0;
}

/*
 * All files on their way before the first is waited for: the file system then commits them
 * together, which takes a fraction of the time of one after the other.
 */
enum vk_status vk_folder_flush(const struct vk_folder *folder, struct vk_error *err)
{
	enum vk_status status = each_file(folder, start_writing, err);

	return status == VK_OK ? each_file(folder, flush, err) : status;
}

/* Returns 0 or an errno value. */
static int rename_without_replacing(const struct vk_folder *folder)
{
	struct stat st;

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

static enum vk_status sync_folder(int fd, const char *store, struct vk_error *err)
{
	if (fsync(fd) != 0)
		return vk_error_errno(err, errno, store, "cannot flush a folder of the store");
	return VK_OK;
}

enum vk_status vk_folder_commit(struct vk_folder *folder, struct vk_error *err)
{
	int code;
	enum vk_status status = vk_folder_flush(folder, err);

	if (status != VK_OK)
		return status;
	vk_crash_point("capture folder: fsync");
	status = sync_folder(folder->fd, folder->store, err);
	if (status != VK_OK)
		return status;
	vk_crash_point("capture folder: rename");
	code = rename_without_replacing(folder);
	if (code != 0)
		return vk_error_errno(err, code, folder->store, "cannot name the capture %s",
				      folder->id);
	vk_crash_point("store folder: fsync");
	status = sync_folder(folder->store_fd, folder->store, err);
	close(folder->fd);
	folder->fd = -1;
	return status;
}

void vk_folder_abandon(struct vk_folder *folder)
{
	DIR *dir;

	if (folder->fd < 0)
		return;
	dir = fdopendir(folder->fd);
	if (dir != NULL) {
		const struct dirent *entry;

		while ((entry = readdir(dir)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				unlinkat(dirfd(dir), entry->d_name, 0);
		closedir(dir);
	} else {
		close(folder->fd);
	}
	unlinkat(folder->store_fd, folder->temporary, AT_REMOVEDIR);
	folder->fd = -1;
}
