/* SPDX-License-Identifier: Apache-2.0 */
/* Names in descriptors: which file of the volume they mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/folder.h"
#include "fs/fs_parts.h"
#include "vdisk/vdisk.h"

size_t vk_vdisk_file_at(const struct vk_vdisk_making *m, const char *path)
{
	size_t low = 0, high = m->sorted;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(m->disks->files[m->by_path[middle]].path, path);

		if (order == 0)
			return m->by_path[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

/* Puts name behind the folder, "." and ".." taken out. False: it leads out of the volume, or is too long. */
static bool join(const char *folder, size_t folder_len, const char *name, char path[VK_FS_PATH_BYTES])
{
	/* a path that begins at a descriptor keeps it */
	const size_t least = folder[0] == '#' ? strcspn(folder, "/") : 0;
	size_t at = folder_len, len;

	if (folder_len >= VK_FS_PATH_BYTES)
		return false;
	memcpy(path, folder, folder_len);
	for (; *name != '\0'; name += len) {
		name += strspn(name, "/");
		len = strcspn(name, "/");
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && strncmp(name, "..", 2) == 0) {
			if (at <= least)
				return false;
			while (path[--at] != '/')
				continue;
			continue;
		}
		if (at + 1 + len >= VK_FS_PATH_BYTES)
			return false;
		path[at++] = '/';
		memcpy(path + at, name, len);
		at += len;
	}
	path[at] = '\0';
	return at > 0;
}

static size_t by_address(const struct vk_vdisk_making *m, uint32_t address)
{
	for (size_t i = 0; i < m->disks->file_count; i++)
		if (m->disks->files[i].address == address && m->disks->files[i].status == VK_OK)
			return i;
	return SIZE_MAX;
}

/* Whether the walk meets each file that has such a path, unless a link stands in it. */
static bool is_walked(const struct vk_vdisk_making *m, const char *path)
{
	const size_t len = strlen(m->top);
	const bool root = len == 0 || m->top[len - 1] == '/';

	return !m->disks->incomplete && vk_vdisk_is_name(path) && strncmp(path, m->top, len) == 0 &&
	       (root || path[len] == '/');
}

/* A file that the walk did not meet under this path: one with another name, or outside of what was walked. */
static enum vk_vdisk_place look_up(struct vk_vdisk_making *m, const char *path, size_t *ret_file)
{
	struct vk_fs_file *file;
	struct vk_error err = {.status = VK_OK};
	char *copy;

	/* nobody looked whether it is there */
	if (m->lookups >= VK_VDISK_LOOKUPS)
		return is_walked(m, path) ? VK_VDISK_LOST : VK_VDISK_NOT_FOUND;
	m->lookups++;
	switch (vk_fs_lookup(m->fs, path, true, NULL, &file, &err)) {
	case VK_OK:
		break;
	case VK_NOMEM:
		m->status = vk_error_set(m->err, VK_NOMEM, NULL, "%s", err.what);
		return VK_VDISK_NOT_FOUND;
	case VK_IO:
		return VK_VDISK_NOT_FOUND;
	default:
		return m->disks->incomplete ? VK_VDISK_NOT_FOUND : VK_VDISK_LOST;
	}
	*ret_file = by_address(m, file->address);
	if (*ret_file == SIZE_MAX && !vk_fs_file_is_folder(file) && (copy = strdup(path)) != NULL) {
		*ret_file = vk_vdisk_add_file(m, copy, file, NULL);
		if (*ret_file != SIZE_MAX)
			vk_vdisk_read_text(m, *ret_file, file, NULL);
	}
	vk_fs_file_close(file);
	return *ret_file != SIZE_MAX ? VK_VDISK_HERE : VK_VDISK_LOST;
}

enum vk_vdisk_place vk_vdisk_resolve(struct vk_vdisk_making *m, const char *from, const char *name, size_t *ret_file)
{
	const char *slash = strrchr(from, '/'), *inside;
	char path[VK_FS_PATH_BYTES], escaped[3 * VK_VMDK_NAME_BYTES];

	if (name[0] == '\0')
		return VK_VDISK_NOWHERE;
	/* a descriptor has the bytes of a name, a path of ours their form in paths */
	vk_dir_escape(name, "", escaped);
	inside = escaped;
	if (name[0] == '/') {
		inside = vk_fs_inside_volume(m->fs, escaped);
		slash = NULL;
	}
	if (inside == NULL)
		return VK_VDISK_ELSEWHERE;
	/* above a folder that is named by its descriptor lies the same volume */
	if (!join(from, slash != NULL ? (size_t)(slash - from) : 0, inside, path))
		return slash != NULL && from[0] == '#' ? VK_VDISK_NOT_FOUND : VK_VDISK_ELSEWHERE;
	*ret_file = vk_vdisk_file_at(m, path);
	return *ret_file != SIZE_MAX ? VK_VDISK_HERE : look_up(m, path, ret_file);
}
