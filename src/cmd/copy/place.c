/* SPDX-License-Identifier: Apache-2.0 */
/* Where copied files go. */
#include "cmd/copy/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/copy/state.h"

static bool is_scratch(const char *name, size_t len, size_t *ret_start)
{
	static const char *const ends[] = {VK_COPY_PART, VK_COPY_MAP};

	for (size_t i = 0; i < 2; i++) {
		const size_t end_len = strlen(ends[i]);

		*ret_start = len - end_len;
		if (len >= end_len && strncmp(name + len - end_len, ends[i], end_len) == 0)
			return true;
	}
	return false;
}

char *vk_copy_place_name(const char *name, size_t len)
{
	const bool dots = len <= 2 && strspn(name, ".") >= len;
	char *safe = malloc(3 * len + 1), *to = safe;
	size_t start;
	const bool scratch = is_scratch(name, len, &start);

	if (safe == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)name[i];

		if (c < 0x20 || c == 0x7f || dots || (scratch && i == start))
			to += sprintf(to, "%%%02x", c);
		else
			*to++ = (char)c;
	}
	*to = '\0';
	return safe;
}

/* The last name of a path: where it begins and how long it is; nothing of the root. */
static size_t last_name(const char *path, const char **ret_name)
{
	const char *end = path + strlen(path), *start;

	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/'; start--)
		continue;
	*ret_name = start;
	return (size_t)(end - start);
}

void vk_copy_place_free(struct vk_copy_place *place)
{
	if (place->folder_fd >= 0)
		close(place->folder_fd);
	free(place->name);
	free(place->shown);
	*place = (struct vk_copy_place){.folder_fd = -1};
}

/* The texts are taken over. */
static enum vk_status finish(int folder_fd, char *name, char *shown, struct vk_copy_place *ret_place,
			     struct vk_error *err)
{
	struct vk_copy_place place = {folder_fd, name, shown};

	if (name != NULL && shown != NULL) {
		*ret_place = place;
		return VK_OK;
	}
	vk_copy_place_free(&place);
	return vk_no_memory(err, NULL);
}

static int open_folder(int at_fd, const char *name)
{
	return openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* DEST with the slashes at its end taken away: with them a link would be followed. */
static char *trimmed(const char *dest)
{
	size_t len = strlen(dest);

	while (len > 1 && dest[len - 1] == '/')
		len--;
	return strndup(dest, len);
}

/* What is at DEST: a folder, something else, or nothing. */
static enum vk_status look_at(const char *dest, bool *ret_folder, bool *ret_there, struct vk_error *err)
{
	struct stat st;

	*ret_folder = *ret_there = false;
	if (dest[0] == '\0')
		return vk_error_set(err, VK_USAGE, NULL, "DEST is empty");
	if (lstat(dest, &st) != 0)
		return errno == ENOENT ? VK_OK : vk_error_errno(err, errno, dest, "cannot look at this place");
	*ret_there = true;
	*ret_folder = S_ISDIR(st.st_mode);
	if (!S_ISLNK(st.st_mode))
		return VK_OK;
	vk_error_set(err, VK_USAGE, dest, "this is a symbolic link, and nothing is written through one");
	return vk_error_remedy(err, "name the place that it leads to, or another one");
}

static enum vk_status no_folder(const char *path, struct vk_error *err)
{
	vk_error_set(err, VK_USAGE, path, "there is no such folder");
	return vk_error_remedy(err, "make it first, with mkdir -p");
}

/* The folder that DEST, which need not be there, lies in, and its own name. */
static enum vk_status place_at(const char *dest, struct vk_copy_place *ret_place, struct vk_error *err)
{
	const char *slash = strrchr(dest, '/');
	char *folder = slash == NULL ? strdup(".") : strndup(dest, slash == dest ? 1 : (size_t)(slash - dest));
	const char *name = slash != NULL ? slash + 1 : dest;
	enum vk_status status;
	int fd;

	if (folder == NULL)
		return vk_no_memory(err, dest);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		status = no_folder(folder, err);
	else if (fd < 0)
		status = vk_error_errno(err, errno, folder, "cannot open the folder");
	else
		status = finish(fd, strdup(name), strdup(dest), ret_place, err);
	free(folder);
	return status;
}

/* A name of the volume in the folder DEST. */
static enum vk_status place_in(const char *dest, const char *name, size_t len, struct vk_copy_place *ret_place,
			       struct vk_error *err)
{
	const int fd = open_folder(AT_FDCWD, dest);
	char *safe, *shown = NULL;

	if (fd < 0)
		return vk_error_errno(err, errno, dest, "cannot open the folder");
	safe = vk_copy_place_name(name, len);
	if (safe != NULL && asprintf(&shown, "%s%s%s", dest, dest[strlen(dest) - 1] == '/' ? "" : "/", safe) < 0)
		shown = NULL;
	return finish(fd, safe, shown, ret_place, err);
}

enum vk_status vk_copy_place_of(const char *given, const char *path, struct vk_copy_place *ret_place,
				struct vk_error *err)
{
	char *dest = trimmed(given);
	bool is_folder, is_there;
	const char *name;
	enum vk_status status;

	if (dest == NULL)
		return vk_no_memory(err, given);
	status = look_at(dest, &is_folder, &is_there, err);
	if (status == VK_OK && is_folder) {
		size_t len = last_name(path, &name);

		status = place_in(dest, name, len, ret_place, err);
	} else if (status == VK_OK && strlen(dest) < strlen(given)) {
		status = no_folder(dest, err);
	} else if (status == VK_OK) {
		status = place_at(dest, ret_place, err);
	}
	free(dest);
	return status;
}

enum vk_status vk_copy_place_make_folder(const struct vk_copy_place *place, int *ret_fd, struct vk_error *err)
{
	if (mkdirat(place->folder_fd, place->name, 0700) != 0 && errno != EEXIST)
		return vk_error_errno(err, errno, place->shown, "cannot make the folder");
	*ret_fd = open_folder(place->folder_fd, place->name);
	if (*ret_fd >= 0)
		return VK_OK;
	if (errno == ENOTDIR || errno == ELOOP)
		return vk_error_set(err, VK_USAGE, place->shown, "there is something else where a folder is to be");
	return vk_error_errno(err, errno, place->shown, "cannot open the folder");
}

/* Whether beside the folder DEST lies the map of a copy that made it. */
static bool is_begun(const char *dest, const char *identity, struct vk_copy_place *ret_place)
{
	struct vk_range_set none;
	struct vk_copy_place place;
	bool begun;
	char *map;

	if (place_at(dest, &place, NULL) != VK_OK)
		return false;
	if (asprintf(&map, "%s" VK_COPY_MAP, place.name) < 0)
		map = NULL;
	begun = map != NULL && vk_copy_state_read(place.folder_fd, map, identity, 0, &none, NULL) == VK_OK;
	free(map);
	if (begun)
		*ret_place = place;
	else
		vk_copy_place_free(&place);
	return begun;
}

enum vk_status vk_copy_place_of_tree(const char *given, const char *path, const char *begun,
				     bool whole, struct vk_copy_place *ret_place, struct vk_error *err)
{
	char *dest = trimmed(given);
	bool is_folder, is_there;
	const char *name;
	size_t len = last_name(path, &name);
	enum vk_status status;
	int fd;

	if (dest == NULL)
		return vk_no_memory(err, given);
	status = look_at(dest, &is_folder, &is_there, err);
	if (status == VK_OK && is_there && !is_folder)
		status = vk_error_set(err, VK_USAGE, dest, "this is no folder");
	if (status == VK_OK && is_folder && begun != NULL && len > 0 && is_begun(dest, begun, ret_place)) {
		free(dest);
		return VK_OK;
	}
	if (status == VK_OK && is_folder && whole && len > 0) {
		status = place_at(dest, ret_place, err);
		free(dest);
		return status;
	}
	if (status == VK_OK && is_folder && len == 0) {
		fd = open_folder(AT_FDCWD, dest);
		status = fd >= 0 ? finish(fd, strdup(""), strdup(dest), ret_place, err)
				 : vk_error_errno(err, errno, dest, "cannot open the folder");
		free(dest);
		return status;
	}
	if (status == VK_OK)
		status = is_folder ? place_in(dest, name, len, ret_place, err) : place_at(dest, ret_place, err);
	free(dest);
	return status;
}

enum vk_status vk_copy_place_below(const struct vk_copy_place *tree, const char *path, struct vk_copy_place *ret_place,
			      struct vk_error *err)
{
	int fd = fcntl(tree->folder_fd, F_DUPFD_CLOEXEC, 3);
	char *shown = strdup(tree->shown), *name = NULL;

	while (fd >= 0 && shown != NULL) {
		size_t len;
		char *longer = NULL;
		int next;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		if (name != NULL) {
			next = open_folder(fd, name);
			if (next < 0)
				vk_error_errno(err, errno, shown, "cannot open the folder");
			close(fd);
			fd = next;
			if (fd < 0)
				break;
		}
		free(name);
		name = vk_copy_place_name(path, len);
		if (name != NULL && asprintf(&longer, "%s/%s", shown, name) < 0)
			longer = NULL;
		free(shown);
		shown = longer;
		path += len;
	}
	if (fd < 0) {
		/* only opening a folder can have failed, or the first descriptor could not be had */
		if (name == NULL)
			vk_error_errno(err, errno, tree->shown, "cannot open the folder");
		free(shown);
		free(name);
		return VK_IO;
	}
	return finish(fd, name != NULL ? name : strdup(""), shown, ret_place, err);
}
