/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: layout. */
#include "disk/layout_table.h"
#include "vmfskit/lock.h"

VK_LAYOUT_DEFINE(
	vk_lock_layout, VK_LOCK_ROWS, struct vk_lock, VK_LOCK_BYTES, "FS3_DiskLock",
	"Lock of a file descriptor or resource cluster",
	"decoded from real volumes up to mtime, the last holder from one lock; the rest from readers of others");
VK_LAYOUT_DEFINE(vk_lock_holder_layout, VK_LOCK_HOLDER_ROWS, struct vk_lock_holder,
		 VK_LOCK_HOLDER_BYTES, "FS3_LockHolder", "Shared holder of a lock",
		 "stated by readers of others");
