/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a folder. */
#include "store/folder/entries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
