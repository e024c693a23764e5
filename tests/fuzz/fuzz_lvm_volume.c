/* SPDX-License-Identifier: Apache-2.0 */
/* LVM volume descriptor: 16 bytes of the device (totalBytes, dataOffset), then the descriptor, whole or cut. */
#include "fuzz.h"
#include "vmfskit/lvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vk_lvm_device d = {.magic = VK_LVM_MAGIC, .majorVersion = 5, .diskBlockSize = 512};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_lvm_volume v;
	size_t seen;

	d.totalBytes = fuzz_take(&in, 8);
	d.dataOffset = fuzz_take(&in, 8);
	seen = fuzz_layout(&vk_lvm_volume_layout, in.data, in.size, &v);
	vk_lvm_volume_check(&v, &d, seen, VK_LVM_HEADER_OFFSET + 0x200, &sink);
	FUZZ_ASSERT(count.count <= 5);
	FUZZ_ASSERT(seen >= 0x14 || count.count == 0);
	return 0;
}
