/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: 8 bytes of volume offset, then the lock, whole or cut. */
#include "fuzz.h"
#include "vmfskit/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint64_t volume_offset = fuzz_take(&in, 8);
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_lock_holder holder;
	struct vk_lock lock;
	size_t seen = fuzz_layout(&vk_lock_layout, in.data, in.size, &lock);

	vk_lock_check(&lock, seen, volume_offset, volume_offset + 0x1100000, &sink);
	FUZZ_ASSERT(count.count <= 3);
	FUZZ_ASSERT(seen == VK_LOCK_BYTES || count.count == 0);
	for (unsigned i = 0; i < VK_LOCK_HOLDERS; i++) {
		struct vk_lock_holder again;

		vk_lock_holder(&lock, i, &holder);
		fuzz_layout(&vk_lock_holder_layout, lock.holders + (size_t)i * VK_LOCK_HOLDER_BYTES,
			    VK_LOCK_HOLDER_BYTES, &again);
		FUZZ_ASSERT(memcmp(&again, &holder, sizeof(again)) == 0);
	}
	return 0;
}
