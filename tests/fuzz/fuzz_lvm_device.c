/* SPDX-License-Identifier: Apache-2.0 */
/* LVM device header: 8 bytes of partition length, then the header, whole or cut. */
#include "fuzz.h"
#include "vmfskit/lvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint64_t partition_bytes = fuzz_take(&in, 8);
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_lvm_geometry g;
	struct vk_lvm_device d;
	size_t seen = fuzz_layout(&vk_lvm_device_layout, in.data, in.size, &d);

	vk_lvm_device_check(&d, seen, partition_bytes, VK_LVM_HEADER_OFFSET, &sink);
	FUZZ_ASSERT(seen > 3 || count.count == 0);
	/* a header that says nothing wrong may be built on */
	if (count.count == 0 && seen == VK_LVM_DEVICE_BYTES)
		FUZZ_ASSERT(vk_lvm_device_usable(&d, seen));
	if (vk_lvm_device_usable(&d, seen))
		FUZZ_ASSERT(d.totalBytes > d.dataOffset && d.totalBytes % 512 == 0);
	(void)vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &g);
	FUZZ_ASSERT(g.volume_table < g.sd_table && g.sd_table < g.first_bitmap);
	FUZZ_ASSERT(g.first_bitmap < 0x200000 && g.bitmap_bytes >= 1024 && g.bitmap_bytes <= 65536);
	FUZZ_ASSERT(g.pair_bytes == g.bitmap_bytes + 0x100000ULL);
	(void)vk_lvm_geometry(&d, d.extDevMetadataOffset, &g);
	FUZZ_ASSERT(g.first_bitmap >= d.extDevMetadataOffset);
	FUZZ_ASSERT(vk_lvm_main_maps(&d) >= 1 && vk_lvm_main_maps(&d) <= VK_LVM_MAPS_PER_REGION);
	return 0;
}
