/* SPDX-License-Identifier: Apache-2.0 */
/* Whole practice disks. */
#ifndef VK_LAB_LAB_H
#define VK_LAB_LAB_H

#include <stdio.h>

#include "lab/disk/practice.h"
#include "lab/files/files.h"

/*
 * Make a disk, or with count > 1 the disks of one spanned volume (then the spec has exactly one volume, and
 * sizes[i] is the size of its partition on disk i, 0 as in the spec). files go into the one volume; NULL: none. Each
 * partition made is a line on out.
 */
VK_MUST_USE enum vk_status vk_lab_make(struct vk_lab_spec *spec, const char *const *paths, const uint64_t *sizes,
				       size_t count, const struct vk_lab_files_asked *files, bool overwrite, FILE *out,
				       struct vk_error *err);

#endif
