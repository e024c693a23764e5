/* SPDX-License-Identifier: Apache-2.0 */
/* The lock that programs which change a disk take, and the disk that a partition is a part of. */
#ifndef VK_REPAIR_DISK_LOCK_H
#define VK_REPAIR_DISK_LOCK_H

#include "repair/plan/restore_state.h"

/* The whole disk of a partition; false when rdev is none. ret_node (may be NULL) is the path of its node. */
enum { VK_NODE_BYTES = 300 };
bool vk_disk_of_partition(dev_t rdev, dev_t *ret_disk, char ret_node[VK_NODE_BYTES]);

/*
 * An exclusive BSD lock: on a file itself, of devices on the node of the whole disk, where udev, systemd-repart,
 * sfdisk and mkfs look for it (https://systemd.io/BLOCK_DEVICE_LOCKING). wait: udev's own locks last moments, so it
 * is tried for some seconds. Held until fd, or *ret_disk_fd when that is not -1, is closed. False: errno is
 * EWOULDBLOCK when somebody else has it.
 */
VK_MUST_USE bool vk_target_lock(int fd, const struct vk_target_id *target, bool wait, int *ret_disk_fd);
/* Whether somebody else has such a lock on the device now. */
VK_MUST_USE bool vk_device_is_locked(int fd, dev_t rdev);

#endif
