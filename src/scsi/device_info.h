/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells of a block device, through sysfs. */
#ifndef VK_SCSI_DEVICE_INFO_H
#define VK_SCSI_DEVICE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vmfskit/io.h"
#include "vmfskit/scsi_id.h"

/*
 * Empty where the kernel does not tell. Of a partition: names of its disk. Of a multipath device: names of its paths.
 */
struct vk_device_info {
	char vendor[80];
	char model[160];
	char serial[160];
	char wwid[200];
	unsigned partition;    /* 0: it is a whole device, or none */
	uint64_t start_sector; /* of that partition, in 512 bytes; 0: not known */
	struct vk_file_id file; /* an image file; of a loop device: the whole file below it */
};
/*
 * Of what is open, however it is called by now; fd is not read (O_PATH is enough). Neither a block device nor a plain
 * file, or -1: all empty.
 */
void vk_device_info_read(int fd, struct vk_device_info *ret_info);
/* Of the file or device that a handle reads. */
void vk_device_info_of_io(const struct vk_io *io, struct vk_device_info *ret_info);
/* Of what a path names now, without opening it: for what was not opened yet, and never to decide about writing. */
void vk_device_info_of_path(const char *path, struct vk_device_info *ret_info);
/* The same of a folder of sysfs ("/sys/block/sda"). */
void vk_device_info_of(const char *folder, struct vk_device_info *ret_info);

/*
 * The id that ESX records for this LUN, from its NAA name and its model; the LUN number, which may be another on each
 * host, stays 0. False when the device has no such name.
 */
bool vk_device_info_disk_id(const struct vk_device_info *info, struct vk_scsi_disk_id *ret_id);

enum { VK_SYSFS_VALUE_BYTES = 4096 };
/*
 * The disks that a folder of sysfs stands for: of a partition its disk, of a multipath device each path, else itself.
 * disk gets the folder of each and says whether the next one is wanted. False: there is no such folder.
 */
struct vk_sysfs_walk {
	bool (*disk)(void *ctx, int dir_fd);
	void *ctx;
	unsigned partition;    /* out: which partition of it */
	uint64_t start_sector;
};
bool vk_sysfs_walk_disks(const char *folder, struct vk_sysfs_walk *walk);
/* The bytes of one attribute; false, and no bytes, when there is none. */
bool vk_sysfs_bytes(int dir_fd, const char *name, uint8_t buf[VK_SYSFS_VALUE_BYTES], size_t *ret_len);
/* One attribute as a text on one line, without blanks around it; false when there is none. */
bool vk_sysfs_text(const char *folder, const char *name, char *ret_text, size_t cap);
/* One that is the number of a device ("8:16"); false when there is none. */
bool vk_sysfs_device(const char *folder, const char *name, dev_t *ret_device);

#endif
