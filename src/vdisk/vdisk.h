/* SPDX-License-Identifier: Apache-2.0 */
/* The list of virtual disks while it is made. */
#ifndef VK_VDISK_VDISK_H
#define VK_VDISK_VDISK_H

#include "vmfskit/virtual_disk.h"

/* Names that are looked up in the volume because the walk did not meet them. */
enum { VK_VDISK_LOOKUPS = 1024 };

struct vk_vdisk_making {
	struct vk_fs *fs;
	const char *top;      /* the folder below which all names are met */
	struct vk_vdisks *disks;
	size_t *by_path;      /* numbers of files in the order of their paths */
	size_t sorted;        /* how many */
	unsigned lookups;
	struct vk_vmdk_descriptor *text; /* the one that was parsed last */
	uint8_t *bytes;       /* VK_VMDK_TEXT_BYTES */
	enum vk_status status;
	struct vk_error *err;
};

/* Whether a file has a name of virtual disks: it ends in ".vmdk". */
bool vk_vdisk_is_name(const char *path);
/* Whether something is not in the sources, or cannot be read from them. */
bool vk_vdisk_is_beyond(const struct vk_error *error);
/* A file of the list, whose path is taken over; SIZE_MAX: memory ran out. file may be NULL: error says why. */
size_t vk_vdisk_add_file(struct vk_vdisk_making *m, char *path, const struct vk_fs_file *file,
			 const struct vk_error *error);
/* Whether that file of the list is a descriptor, whose text is then m->text. file may be NULL: error says why. */
void vk_vdisk_read_text(struct vk_vdisk_making *m, size_t number, const struct vk_fs_file *file,
			const struct vk_error *error);
/*
 * The number of the file that a descriptor at path from names so: relative to its folder, or /vmfs/volumes/NAME/....
 * Anything but HERE: *ret_file is not set.
 */
enum vk_vdisk_place vk_vdisk_resolve(struct vk_vdisk_making *m, const char *from, const char *name, size_t *ret_file);
/* The number of the file with that path among those that were met; SIZE_MAX: none. */
size_t vk_vdisk_file_at(const struct vk_vdisk_making *m, const char *path);

/* All disks are there: extents to files, parents to disks, what is wrong. */
void vk_vdisk_judge(struct vk_vdisk_making *m);

#endif
