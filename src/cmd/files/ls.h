/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit ls. */
#ifndef VK_CMD_FILES_LS_H
#define VK_CMD_FILES_LS_H

#include "cmd/files/entry.h"
#include "vmfskit/virtual_disk.h"

struct vk_ls {
	struct vk_files files;        /* first */
	bool all;                     /* system files, "." and ".." */
	bool recursive;
	char *folder;                 /* what is listed; NULL: PATH is a file; owned */
	struct vk_ls_entry *entries;  /* sorted by folder, then by name */
	size_t count;
	bool as_disks;                /* --disks: instead of entries */
	struct vk_vdisks disks;
	size_t *shown;                /* numbers of those that are shown; owned */
	size_t shown_count;
};

/* As ls does; folders in front of what is in them. False: memory ran out. */
bool vk_ls_show(const struct vk_ls *ls);
/* The body file of The Sleuth Kit 3, for mactime. */
void vk_ls_show_body(const struct vk_ls *ls);
/* The virtual disks below a folder, or that a file is of. False: it failed, which is reported. */
bool vk_ls_gather_disks(struct vk_ls *ls, const char *path, const struct vk_fs_file *file);
void vk_ls_show_disks(const struct vk_ls *ls);
void vk_ls_set_disks(const struct vk_ls *ls, struct vk_json *root);

#endif
