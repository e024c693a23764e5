/* SPDX-License-Identifier: Apache-2.0 */
/* The file that keeps the state of a scan: the only one that find writes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/crash_point.h"
#include "find/scan/scan_resume.h"

static enum vk_status no_file_of_ours(const char *path, const char *what, struct vk_error *err)
{
	vk_error_set(err, VK_USAGE, path, "%s", what);
	(void)vk_error_remedy(err, "name a file that does not exist yet for the state of the scan");
	return VK_USAGE;
}

enum vk_status vk_scan_file_load(const char *path, const struct vk_scan_job *job, struct vk_scan_state *state,
				 struct vk_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	enum vk_status status = VK_OK;
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return vk_error_set(err, VK_ABSENT, path, "there is no state of a scan");
	if (fd < 0 && errno == ELOOP)
		return no_file_of_ours(path, "this is a symbolic link, which would be replaced", err);
	if (fd < 0)
		return vk_error_errno(err, errno, path, "cannot open the state of the scan");
	if (fstat(fd, &st) != 0)
		status = vk_error_errno(err, errno, path, "cannot tell what it is");
	else if (!S_ISREG(st.st_mode))
		status = no_file_of_ours(path, "this is not a file", err);
	else if ((uint64_t)st.st_size > VK_SCAN_TEXT_MAX)
		status = no_file_of_ours(
			path, "this file is too large to hold the state of a scan, and it is left as it is", err);
	else if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		status = vk_no_memory(err, path);
	while (status == VK_OK && len < (size_t)st.st_size && n != 0) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0 && errno != EINTR)
			status = vk_error_errno(err, errno, path, "reading failed");
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (status == VK_OK) {
		text[len] = '\0';
		status = vk_scan_text_read(path, text, len, job, state, err);
	}
	free(text);
	return status;
}

static enum vk_status write_all(int fd, const char *path, const char *text, size_t len, struct vk_error *err)
{
	while (len > 0) {
		ssize_t n = vk_step_fails("scan state: write") ? -1 : write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return vk_error_errno(err, n < 0 ? errno : ENOSPC, path, "cannot write the state of the scan");
		text += n;
		len -= (size_t)n;
	}
	if (vk_step_fails("scan state: fsync") || fsync(fd) != 0)
		return vk_error_errno(err, errno, path, "cannot flush the state of the scan");
	return VK_OK;
}

/* The name in the folder becomes lasting. Some file systems cannot flush a folder: the file is there all the same. */
static void flush_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
		 slash == NULL ? "." : path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* What a run that was killed while it wrote has left; nothing else goes. */
static enum vk_status remove_leftover(const char *fresh, struct vk_error *err)
{
	static const char ours[] = "vmfskit scan ";
	char begin[sizeof(ours) - 1];
	struct stat st;
	ssize_t got;
	int fd = open(fresh, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return VK_OK;
	got = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, begin, sizeof(begin)) : -1;
	if (fd >= 0)
		close(fd);
	/* a run may have been killed before the first line was there */
	if (got < 0 || memcmp(begin, ours, (size_t)got) != 0) {
		vk_error_set(err, VK_USAGE, fresh, "this is not the state of a scan, and it is in the way of one");
		return vk_error_remedy(err, "move it away, or name another file for the state of the scan");
	}
	if (unlink(fresh) != 0)
		return vk_error_errno(err, errno, fresh, "cannot remove what an earlier run left");
	return VK_OK;
}

static enum vk_status replace(const char *path, const char *text, size_t len, struct vk_error *err)
{
	char fresh[PATH_MAX];
	enum vk_status status;
	int fd;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return vk_error_set(err, VK_USAGE, path, "the name of the file is too long");
	status = remove_leftover(fresh, err);
	if (status != VK_OK)
		return status;
	fd = vk_step_fails("scan state: create")
		     ? -1
		     : open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return vk_error_errno(err, errno, fresh, "cannot make a file for the state of the scan");
	status = write_all(fd, fresh, text, len, err);
	if (close(fd) != 0 && status == VK_OK)
		status = vk_error_errno(err, errno, fresh, "cannot write the state of the scan");
	if (status == VK_OK && (vk_step_fails("scan state: rename") || rename(fresh, path) != 0))
		status = vk_error_errno(err, errno, path, "cannot replace the state of the scan");
	if (status == VK_OK)
		flush_folder(path);
	else
		(void)unlink(fresh);
	return status;
}

enum vk_status vk_scan_file_save(const char *path, const struct vk_scan_job *job, const struct vk_scan_state *state,
				 struct vk_error *err)
{
	size_t len;
	char *text = vk_scan_text(job, state, &len);
	enum vk_status status;

	if (text == NULL)
		return vk_no_memory(err, path);
	status = replace(path, text, len, err);
	if (status == VK_IO)
		(void)vk_error_remedy(
			err,
			"name a file in a folder that you may write to and that has room, on another disk than "
			"this one");
	free(text);
	return status;
}
