/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a volume: all that is on it before there are files of users. */
#include "lab/disk/practice.h"

enum vk_status vk_lab_write_device(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device)
{
	struct vk_lab_writing w = {.disk = disk, .base_bytes = base_bytes, .device = device};

	vk_lab_write_lvm(&w);
	if (device->head && disk->failed == VK_OK &&
	    vk_lab_fail(disk, vk_lab_files_plan(device, &w.files, disk->err)) == VK_OK) {
		vk_lab_write_fs(&w);
		vk_lab_write_files(&w);
	}
	return disk->failed;
}
