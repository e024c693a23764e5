/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: 8 bytes of volume offset, then the lock, whole or cut. */
#include "fuzz.h"
#include "vmfskit/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vk_lock_holder holder;
	struct vk_lock lock;

	(void)fuzz_take(&in, 8);
	fuzz_layout(&vk_lock_layout, in.data, in.size, &lock);
	for (unsigned i = 0; i < VK_LOCK_HOLDERS; i++)
		fuzz_layout(&vk_lock_holder_layout, lock.holders + (size_t)i * VK_LOCK_HOLDER_BYTES, VK_LOCK_HOLDER_BYTES, &holder);
	return 0;
}
