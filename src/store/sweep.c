/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a killed run left in a store. */
#include "store/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder.h"
#include "vmfskit/text.h"

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void put_left(const struct vk_finding_sink *sink, const char *name, const char *why)
{
	struct vk_finding finding;
	char label[160];
	struct vk_text text;

	vk_text_init(&text, label, sizeof(label));
	vk_text_label(&text, (const uint8_t *)name, strlen(name));
	vk_finding_init(&finding, VK_F_STORE_LEFT_OVER, 0, 0, "%s stays in the store: %s", label, why);
	vk_finding_put(sink, &finding);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Call step for each entry until it returns false; errno says why. */
static bool each_entry(int folder_fd, bool (*step)(int folder_fd, const char *name))
{
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool sound = true;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while (sound && (entry = readdir(dir)) != NULL)
		sound = is_dots(entry->d_name) || step(folder_fd, entry->d_name);
	closedir(dir);
	return sound;
}

static bool is_plain(int folder_fd, const char *name)
{
	struct stat st;
	bool plain = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);

	if (!plain)
		errno = 0;
	return plain;
}

static bool remove_file(int folder_fd, const char *name)
{
	return !vk_step_fails("left folder: unlink") && unlinkat(folder_fd, name, 0) == 0;
}

/* The name may have got to another folder before this one was locked: it was finished, or is another's now. */
static bool is_still(int store_fd, const char *name, int fd)
{
	struct stat here;
	struct stat there;

	return fstat(fd, &here) == 0 && fstatat(store_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static void sweep_open(int store_fd, const char *name, int fd, const struct vk_finding_sink *sink)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_still(store_fd, name, fd))
		return;
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		put_left(sink, name, "it belongs to another user");
		return;
	}
	if (!each_entry(fd, is_plain)) {
		put_left(sink, name, errno == 0 ? "it has something in it that no run makes" : strerror(errno));
		return;
	}
	if (!each_entry(fd, remove_file) || vk_step_fails("left folder: rmdir") ||
	    unlinkat(store_fd, name, AT_REMOVEDIR) != 0)
		put_left(sink, name, strerror(errno));
}

static void sweep_one(int store_fd, const char *name, const struct vk_finding_sink *sink)
{
	int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0) {
		put_left(sink, name, errno == ENOTDIR || errno == ELOOP ? "it is no folder" : strerror(errno));
		return;
	}
	sweep_open(store_fd, name, fd, sink);
	close(fd);
}

enum vk_status vk_store_sweep(struct vk_store *store, const struct vk_finding_sink *sink, struct vk_error *err)
{
	int copy = openat(vk_store_fd(store), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (dir == NULL) {
		vk_error_errno(err, errno, vk_store_path(store), "cannot list the store");
		if (copy >= 0)
			close(copy);
		return VK_IO;
	}
	while ((entry = readdir(dir)) != NULL)
		if (begins_with(entry->d_name, VK_TEMPORARY_PREFIX) ||
		    begins_with(entry->d_name, VK_GONE_PREFIX))
			sweep_one(vk_store_fd(store), entry->d_name, sink);
	closedir(dir);
	return VK_OK;
}
