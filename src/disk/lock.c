/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: layout and checks. */
#include "disk/layout_table.h"
#include "vmfskit/lock.h"

VK_LAYOUT_DEFINE(vk_lock_layout, VK_LOCK_ROWS, struct vk_lock, VK_LOCK_BYTES, "FS3_DiskLock",
		 "Lock of a file descriptor or resource cluster",
		 "decoded from real volumes up to mtime, the last holder from one lock; the rest from readers of others");
VK_LAYOUT_DEFINE(vk_lock_holder_layout, VK_LOCK_HOLDER_ROWS, struct vk_lock_holder,
		 VK_LOCK_HOLDER_BYTES, "FS3_LockHolder", "Shared holder of a lock",
		 "stated by readers of others");

size_t vk_lock_decode(const uint8_t *buf, size_t len, struct vk_lock *ret_lock)
{
	return vk_layout_decode(&vk_lock_layout, buf, len, ret_lock);
}

size_t vk_lock_encode(const struct vk_lock *lock, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_lock_layout, lock, buf, len);
}

void vk_lock_holder(const struct vk_lock *lock, unsigned index, struct vk_lock_holder *ret_holder)
{
	size_t at = (size_t)(index % VK_LOCK_HOLDERS) * VK_LOCK_HOLDER_BYTES;

	vk_layout_decode(&vk_lock_holder_layout, lock->holders + at, VK_LOCK_HOLDER_BYTES,
			 ret_holder);
}

/* Numbers that no source names are let pass as long as they are of the family. */
#define LOCK_FAMILY 0x10C00000U

void vk_lock_check(const struct vk_lock *lock, size_t seen_bytes, uint64_t volume_offset,
		   uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	struct vk_finding f;

	if (seen_bytes < VK_LOCK_BYTES)
		return;
	/* never initialised: unused file descriptors and clusters are all zero */
	if (lock->type == 0 && lock->addr == 0)
		return;
	if ((lock->type & ~0xffU) != LOCK_FAMILY) {
		vk_finding_init(&f, VK_F_LOCK_TYPE, offset_bytes, 4, "the lock is of an unknown kind");
		vk_finding_seen(&f, "0x%08x", lock->type);
		vk_finding_expected(&f, "0x10c000 and two digits: 0x10c00001 to 0x10c00008 are known");
		vk_finding_put(sink, &f);
	}
	if (lock->addr != volume_offset) {
		vk_finding_init(&f, VK_F_LOCK_ADDRESS, offset_bytes + 4, 8,
				"a lock does not carry its own position");
		vk_finding_seen(&f, "0x%llx", (unsigned long long)lock->addr);
		vk_finding_expected(&f, "0x%llx", (unsigned long long)volume_offset);
		vk_finding_put(sink, &f);
	}
	if (vk_view_name(VK_VIEW_LOCK_MODE, lock->mode) == NULL) {
		vk_finding_init(&f, VK_F_LOCK_MODE, offset_bytes + 0x24, 4,
				"the lock is in an unknown mode");
		vk_finding_seen(&f, "%u", lock->mode);
		vk_finding_expected(&f, "0, 1, 2 or 3");
		vk_finding_put(sink, &f);
	}
}
