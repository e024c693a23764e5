/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing a small file so that a run can be killed at any moment. */
#include "store/folder/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash_point.h"

static bool step_fails(const char *what, const char *step)
{
	char name[64];

	snprintf(name, sizeof(name), "%s: %s", what, step);
	return vk_step_fails(name);
}

/* Sets errno when it fails. */
static bool write_new(int fd, const void *bytes, size_t len, const char *what)
{
	ssize_t n = step_fails(what, "write") ? -1 : write(fd, bytes, len);

	if (n >= 0 && n != (ssize_t)len)
		errno = ENOSPC;
	return n == (ssize_t)len && !step_fails(what, "fsync") && fsync(fd) == 0;
}

enum vk_status vk_replace_file(int folder_fd, const char *file, const void *bytes, size_t len, const char *what,
			       struct vk_error *err)
{
	char temporary[300];
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
	sound = fd >= 0 && write_new(fd, bytes, len, what);
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
