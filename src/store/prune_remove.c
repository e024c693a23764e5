/* SPDX-License-Identifier: Apache-2.0 */
/* Removing captures: first all get names under which nobody looks for them, and only when that is durable their files go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/prune.h"

#define GONE_PREFIX ".gone-"
enum { GONE_BYTES = VK_CAPTURE_ID_BYTES + sizeof(GONE_PREFIX) };

static void gone_name(const char *id, char ret_name[GONE_BYTES])
{
	snprintf(ret_name, GONE_BYTES, GONE_PREFIX "%s", id);
}

static enum vk_status failed(const struct vk_prune *prune, const char *id, struct vk_error *err)
{
	vk_error_errno(err, errno, prune->store, "cannot remove the capture %s", id);
	return vk_error_remedy(err, "check the permissions of the store, then run prune again: it removes what is left");
}

static bool rename_to_new(int store_fd, const char *from, const char *to)
{
	if (renameat2(store_fd, from, store_fd, to, RENAME_NOREPLACE) == 0)
		return true;
	/* a file system without that flag: rename replaces an empty folder at most, never a capture */
	return (errno == EINVAL || errno == ENOSYS) && renameat(store_fd, from, store_fd, to) == 0;
}

/* What stands under the name now must be what was judged. */
static bool is_same(const struct vk_prune *prune, const struct vk_prune_capture *capture)
{
	struct stat st;

	if (fstatat(prune->store_fd, capture->id, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	errno = ESTALE;
	return S_ISDIR(st.st_mode) && st.st_dev == capture->dev && st.st_ino == capture->ino;
}

static enum vk_status take_name(const struct vk_prune *prune, struct vk_prune_capture *capture,
				struct vk_error *err)
{
	char gone[GONE_BYTES];

	gone_name(capture->id, gone);
	vk_crash_point("prune: rename");
	if (!is_same(prune, capture) || !rename_to_new(prune->store_fd, capture->id, gone))
		return failed(prune, capture->id, err);
	capture->removed = true;
	if (!vk_pin_holds(prune->store_fd, capture->id))
		return VK_OK;
	if (!rename_to_new(prune->store_fd, gone, capture->id))
		return failed(prune, capture->id, err);
	capture->removed = false;
	capture->keep = true;
	snprintf(capture->why, sizeof(capture->why), "pinned meanwhile");
	return VK_OK;
}

/* Files of an open folder; a folder among them is no part of a capture and stops it. */
static bool unlink_files(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool sound = dir != NULL;

	while (sound && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		vk_crash_point("prune: unlink");
		sound = unlinkat(fd, entry->d_name, 0) == 0;
	}
	if (dir != NULL) {
		int code = errno;

		closedir(dir);
		errno = code;
	} else if (copy >= 0) {
		close(copy);
	}
	return sound;
}

static bool remove_gone(int store_fd, const char *name)
{
	int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool sound = fd >= 0 && unlink_files(fd);

	if (fd >= 0) {
		int code = errno;

		close(fd);
		errno = code;
	}
	vk_crash_point("prune: rmdir");
	return sound && unlinkat(store_fd, name, AT_REMOVEDIR) == 0;
}

enum vk_status vk_prune_remove(struct vk_prune *prune, struct vk_error *err)
{
	enum vk_status first = VK_OK;
	struct vk_error why = {.status = VK_OK};

	for (size_t i = 0; i < prune->count; i++) {
		enum vk_status status = VK_OK;
		struct vk_error own;

		if (!prune->captures[i].keep)
			status = take_name(prune, &prune->captures[i], &own);
		if (status != VK_OK && first == VK_OK) {
			first = status;
			why = own;
		}
	}
	vk_crash_point("prune: fsync store");
	if (fsync(prune->store_fd) != 0)
		return vk_error_errno(err, errno, prune->store, "cannot flush the folder of the store");
	for (size_t i = 0; i < prune->count; i++) {
		char gone[GONE_BYTES];

		if (!prune->captures[i].removed)
			continue;
		gone_name(prune->captures[i].id, gone);
		if (!remove_gone(prune->store_fd, gone) && first == VK_OK)
			first = failed(prune, prune->captures[i].id, &why);
	}
	if (fsync(prune->store_fd) != 0 && first == VK_OK)
		first = vk_error_errno(&why, errno, prune->store, "cannot flush the folder of the store");
	if (first != VK_OK && err != NULL)
		*err = why;
	return first;
}

enum vk_status vk_prune_finish(int store_fd, const char *store, struct vk_error *err)
{
	int copy = openat(store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	enum vk_status status = VK_OK;

	if (dir == NULL) {
		vk_error_errno(err, errno, store, "cannot list the store");
		if (copy >= 0)
			close(copy);
		return VK_IO;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, GONE_PREFIX, sizeof(GONE_PREFIX) - 1) != 0)
			continue;
		if (!remove_gone(store_fd, entry->d_name)) {
			vk_error_errno(err, errno, store, "cannot remove %s, which a run that was killed left", entry->d_name);
			status = vk_error_remedy(err, "look at it and remove it by hand");
		}
	}
	closedir(dir);
	return status;
}
