/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a capture's folder and reading its files, which anyone may have put there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "store/folder/folder.h"

enum vk_status vk_folder_closed(struct vk_error *err, int code, const char *path, const char *what)
{
	enum vk_status status = vk_error_errno(err, code, path, "%s", what);

	if (code == EACCES || code == EPERM)
		vk_error_remedy(err, "run this as root, or as the owner of the store");
	else if (code == ENOTDIR || code == ELOOP)
		vk_error_remedy(err, "name a folder, not a file and not a link");
	return status;
}

enum vk_status vk_folder_open(const char *path, int *ret_fd, struct vk_error *err)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd >= 0)
		return VK_OK;
	return errno == ENOENT ? vk_error_set(err, VK_ABSENT, path, "there is no such folder")
			       : vk_folder_closed(err, errno, path, "cannot open the capture's folder");
}

enum vk_status vk_folder_open_file(int folder_fd, const char *file, int *ret_fd,
				   uint64_t *ret_length_bytes, struct vk_error *err)
{
	struct stat st;
	/* not blocking: a pipe in the place of a file must not stop us */
	int fd = openat(folder_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return vk_error_set(err, VK_ABSENT, file, "the file is not there");
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return vk_error_set(err, VK_DAMAGED, file, "not a regular file");
	if (fd < 0)
		return vk_error_errno(err, errno, file, "cannot open the file");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return vk_error_set(err, VK_DAMAGED, file, "not a regular file");
	}
	*ret_fd = fd;
	*ret_length_bytes = (uint64_t)st.st_size;
	return VK_OK;
}

enum vk_status vk_folder_open_fresh(int folder_fd, const char *file, int *ret_fd,
				    uint64_t *ret_length_bytes, struct vk_error *err)
{
	enum vk_status status = vk_folder_open_file(folder_fd, file, ret_fd, ret_length_bytes, err);

	/* all of it: of a range the kernel keeps pages that it only partly covers */
	if (status == VK_OK)
		(void)posix_fadvise(*ret_fd, 0, 0, POSIX_FADV_DONTNEED);
	return status;
}

bool vk_pread_all(int fd, void *buf, size_t len, uint64_t offset)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n == 0)
			errno = ENODATA;
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			offset += (uint64_t)n;
		}
	}
	return true;
}

enum vk_status vk_folder_slurp(int folder_fd, const char *file, size_t max, char **ret_bytes,
			       size_t *ret_len, struct vk_error *err)
{
	uint64_t length;
	size_t got = 0;
	char *buf;
	int fd;
	enum vk_status status = vk_folder_open_file(folder_fd, file, &fd, &length, err);

	if (status != VK_OK)
		return status;
	if (length > max) {
		close(fd);
		return vk_error_set(err, VK_DAMAGED, file, "the file has %llu bytes, at most %zu make sense",
				    (unsigned long long)length, max);
	}
	buf = malloc((size_t)length + 1);
	if (buf == NULL)
		status = vk_no_memory(err, file);
	while (status == VK_OK && got < length) {
		ssize_t n = read(fd, buf + got, (size_t)length - got);

		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			status = vk_error_errno(err, errno, file, "cannot read the file");
	}
	close(fd);
	if (status != VK_OK) {
		free(buf);
		return status;
	}
	buf[got] = '\0';
	*ret_bytes = buf;
	*ret_len = got;
	return VK_OK;
}

bool vk_id_stamped(const char *name)
{
	static const char form[] = "00000000T000000Z";

	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
			return false;
	name += sizeof(form) - 1;
	if (name[0] == '.' && name[1] >= '1' && name[1] <= '9')
		name += 1 + strspn(name + 1, "0123456789");
	return name[0] == '-';
}

/* What a person names may be reached through links, the store that it is in, too; what lies in it may not be one. */
static char *resolve(const char *name)
{
	struct stat st;

	errno = 0;
	if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return strdup(name);
	return stat(name, &st) == 0 && S_ISDIR(st.st_mode) ? realpath(name, NULL) : NULL;
}

/* A name without a slash: an id in the store, or else a capture in the current folder; never a guess between two. */
static enum vk_status find_id(const char *store, const char *name, char **ret_path,
			      struct vk_error *err)
{
	struct stat here, there;
	int fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool is_here = fd >= 0 && fstat(fd, &here) == 0 && faccessat(fd, VK_MANIFEST_FILE, F_OK, 0) == 0;
	bool is_there;
	char *path;

	if (fd >= 0)
		close(fd);
	if (asprintf(&path, "%s/%s", store, name) < 0)
		return vk_no_memory(err, name);
	/* a link in a store is no capture of it, wherever it leads */
	is_there = name[0] != '.' && name[0] != '\0' && lstat(path, &there) == 0 && S_ISDIR(there.st_mode);
	if (is_there && (!is_here || (here.st_dev == there.st_dev && here.st_ino == there.st_ino))) {
		*ret_path = path;
		return VK_OK;
	}
	free(path);
	if (is_there) {
		vk_error_set(err, VK_USAGE, name,
			     "there is a capture of this name in the current folder and another in the store %s",
			     store);
		return vk_error_remedy(err, "write ./%s or %s/%s", name, store, name);
	}
	if (access(store, X_OK) != 0 && errno == EACCES)
		return vk_folder_closed(err, EACCES, store, "cannot look into the store");
	if (is_here) {
		*ret_path = resolve(name);
		return *ret_path != NULL ? VK_OK : vk_no_memory(err, name);
	}
	vk_error_set(err, VK_ABSENT, name, "there is no such capture, neither here nor in the store %s", store);
	return vk_error_remedy(err, "vmfskit list --store %s shows the captures", vk_shell_path(store).text);
}

enum vk_status vk_store_find(const char *store, const char *name, char **ret_path,
			     struct vk_error *err)
{
	if (strchr(name, '/') == NULL)
		return find_id(store, name, ret_path, err);
	*ret_path = resolve(name);
	if (*ret_path != NULL)
		return VK_OK;
	if (errno == EACCES)
		return vk_folder_closed(err, EACCES, name, "cannot look into the folder that it is in");
	vk_error_set(err, VK_ABSENT, name, "there is no such folder");
	return vk_error_remedy(err, "vmfskit list shows the captures of a store");
}

/* Time first, then names in the order people count in: "-sdb", ".2-sdb", ".10-sdb". */
static int compare_ids(const void *a, const void *b)
{
	const char *x = *(char *const *)a;
	const char *y = *(char *const *)b;
	int order = strncmp(x, y, sizeof("20261121T014500Z") - 1);

	return order != 0 ? order : strverscmp(x, y);
}

/*
 * A folder with a capture's name or one of its papers is one, whatever its state, so that a broken one
 * is not passed over; what begins with a dot never is. Of one with the name nothing is looked at: a store may have
 * many.
 */
static bool is_capture(int store_fd, const struct dirent *entry)
{
	static const char *const marks[] = {VK_MANIFEST_FILE, VK_SUMS_FILE, VK_RESTORE_FILE};
	const char *name = entry->d_name;
	bool stamped = vk_id_stamped(name);
	char file[VK_CAPTURE_ID_BYTES + 32];
	struct stat st;

	if (name[0] == '.' || strlen(name) >= VK_CAPTURE_ID_BYTES)
		return false;
	if (entry->d_type != DT_UNKNOWN)
		st.st_mode = (mode_t)DTTOIF(entry->d_type);
	else if (fstatat(store_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT && stamped; /* what must not be looked at may be one */
	if (!S_ISDIR(st.st_mode))
		return false;
	for (size_t i = 0; !stamped && i < sizeof(marks) / sizeof(marks[0]); i++) {
		snprintf(file, sizeof(file), "%.*s/%s", VK_CAPTURE_ID_BYTES - 1, name, marks[i]);
		stamped = fstatat(store_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return stamped;
}

enum vk_status vk_store_list(const char *store, char ***ret_ids, size_t *ret_count,
			     struct vk_error *err)
{
	DIR *dir = opendir(store);
	const struct dirent *entry;
	char **ids = NULL;
	size_t count = 0;
	bool sound = true;

	if (dir == NULL && errno == ENOENT) {
		vk_error_set(err, VK_ABSENT, store, "there is no store here yet");
		return vk_error_remedy(err, "vmfskit capture --store %s DISK makes it", vk_shell_path(store).text);
	}
	if (dir == NULL)
		return vk_folder_closed(err, errno, store, "cannot open the store");
	while (sound && (entry = readdir(dir)) != NULL) {
		char *id;

		if (!is_capture(dirfd(dir), entry))
			continue;
		id = strdup(entry->d_name);
		sound = id != NULL && vk_append(&ids, &count, &id, sizeof(id)) != NULL;
		if (!sound)
			free(id);
	}
	closedir(dir);
	if (!sound) {
		for (size_t i = 0; i < count; i++)
			free(ids[i]);
		free(ids);
		return vk_no_memory(err, store);
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), compare_ids);
	*ret_ids = ids;
	*ret_count = count;
	return VK_OK;
}
