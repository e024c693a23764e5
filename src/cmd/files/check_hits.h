/* SPDX-License-Identifier: Apache-2.0 */
/* Which virtual machines the damage hits that a check found: the folders in the root, and their files. */
#ifndef VK_CMD_CHECK_HITS_H
#define VK_CMD_CHECK_HITS_H

#include "cmd/files/files.h"
#include "vmfskit/fs_check.h"

/* A file that damage hits; several of one path stand behind each other. Sorted by folder. */
struct vk_check_row {
	struct vk_phrase number; /* "#0x01c00184": of a file without a name, which has no path */
	const char *path;        /* of the check */
	size_t folder_len;       /* of path, the folder in the root that it is in; 1: the root itself; 0: no name */
	bool in_doubt;           /* no finding names it: it has bytes in damaged clusters */
};
struct vk_check_rows {
	struct vk_check_row *items;
	size_t count;
};

/* check must stay. False: memory ran out. Free items. */
VK_MUST_USE bool vk_check_rows_make(const struct vk_files *files, const struct vk_fs_check *check,
				    struct vk_check_rows *ret_rows);
/* One line for each folder. */
void vk_check_rows_put(FILE *out, const struct vk_check_rows *rows);
/* The list "hits"; and the keys path and folder of each of the findings. */
void vk_check_rows_json(const struct vk_files *files, const struct vk_fs_check *check,
			const struct vk_check_rows *rows, struct vk_json *root);

#endif
