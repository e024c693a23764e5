/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells of a block device, through sysfs. */
#ifndef VK_SCSI_DEVICE_INFO_H
#define VK_SCSI_DEVICE_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "vmfskit/scsi_id.h"

/* Empty where the kernel does not tell. */
struct vk_device_info {
	char vendor[80];
	char model[160];
	char serial[160];
	char wwid[200];
};
/* path that is no block device: all empty. Of a multipath device: what its paths are. */
void vk_device_info_read(const char *path, struct vk_device_info *ret_info);
/* The same of a folder of sysfs ("/sys/block/sda"). */
void vk_device_info_of(const char *folder, struct vk_device_info *ret_info);

/*
 * The id that ESX records for this LUN, from its NAA name and its model; the LUN number, which may be another on each
 * host, stays 0. False when the device has no such name.
 */
bool vk_device_info_disk_id(const struct vk_device_info *info, struct vk_scsi_disk_id *ret_id);

/* One attribute as a text on one line, without blanks around it; false when there is none. */
bool vk_sysfs_text(const char *folder, const char *name, char *ret_text, size_t cap);

#endif
