/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a folder. */
#include "store/folder/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"

bool vk_each_entry(int folder_fd, bool (*step)(void *ctx, int folder_fd, const char *name), void *ctx)
{
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool sound = dir != NULL;
	int code;

	while (sound) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL) {
			/* the end of the folder, or of what can be read of it */
			sound = errno == 0;
			break;
		}
		sound = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			step(ctx, folder_fd, entry->d_name);
	}
	code = errno;
	if (dir != NULL)
		closedir(dir);
	else if (copy >= 0)
		close(copy);
	errno = code;
	return sound;
}

static bool is_plain(void *ctx, int folder_fd, const char *name)
{
	struct stat st;
	bool plain = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);

	(void)ctx;
	if (!plain)
		errno = 0;
	return plain;
}

bool vk_only_plain_files(int folder_fd)
{
	return vk_each_entry(folder_fd, is_plain, NULL);
}

static bool remove_file(void *ctx, int folder_fd, const char *name)
{
	const char *const *step = ctx;

	if (*step != NULL)
		return !vk_step_fails(*step) && unlinkat(folder_fd, name, 0) == 0;
	(void)unlinkat(folder_fd, name, 0);
	return true;
}

bool vk_empty_folder(int folder_fd, const char *step)
{
	return vk_each_entry(folder_fd, remove_file, &step);
}
