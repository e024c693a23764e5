/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which LUNs a host sees: each once, however many paths lead to it.
 *
 * Linux: /sys/block without loop, RAM, floppy and optical devices; device-mapper and md devices are named with
 * only_with_vmfs, multipath devices stand for their paths. ESX and ESXi: /vmfs/devices/disks or /dev/disks, without
 * vml.* aliases and the nodes of partitions (name:N). A folder of device nodes or of files (images) can be named
 * instead.
 */
#ifndef VMFSKIT_LUNS_H
#define VMFSKIT_LUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmfskit/error.h"

__BEGIN_DECLS

struct vk_luns_options {
	const char *dev_dir;        /* NULL: of the system */
	const char *const *include; /* globs on names ("naa.6001*"), ends with NULL; NULL or empty: all */
	const char *const *exclude; /* ends with NULL; may be NULL */
};

/* One LUN. */
struct vk_lun {
	char *path;           /* the node to read: a multipath device before its paths, by-id names are not used */
	char **other_paths;   /* further nodes of the same LUN, sorted */
	size_t other_path_count;
	char wwid[200];       /* what identifies it to the kernel, may be empty */
	bool only_with_vmfs;  /* take it only when there is VMFS on it: a logical volume, a RAID */
};

/*
 * Sorted by path, numbers in names as numbers. Two nodes are one LUN when they are the same device or file, have the
 * same non-empty wwid, are loop devices on one file, or when one is a multipath device over the other.
 * Errors: VK_IO (the folder cannot be read), VK_ABSENT (the system has none of the known folders), VK_NOMEM. Free with
 * vk_luns_free.
 */
VK_MUST_USE enum vk_status vk_luns_find(const struct vk_luns_options *options, struct vk_lun **ret_luns,
					size_t *ret_count, struct vk_error *err);
void vk_luns_free(struct vk_lun *luns, size_t count);

__END_DECLS
#endif
