/* SPDX-License-Identifier: Apache-2.0 */
/* MBR: 8 bytes of disk size, then the boot record, whole or cut. */
#include "fuzz.h"
#include "vmfskit/mbr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint64_t disk_sectors = fuzz_take(&in, 8);
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	uint8_t again[VK_MBR_BYTES];
	struct vk_mbr mbr;
	size_t seen;

	fuzz_layout(&vk_mbr_layout, in.data, in.size, &mbr);
	seen = vk_mbr_decode(in.data, in.size, &mbr);
	memset(again, 0, sizeof(again));
	FUZZ_ASSERT(vk_mbr_encode(&mbr, again, seen) == seen);
	if (seen == VK_MBR_BYTES)
		FUZZ_ASSERT(memcmp(again, in.data, seen) == 0);
	for (size_t i = 0; i < 4; i++) {
		struct vk_mbr_entry e;
		uint8_t chs[3];

		memset(again, 0, sizeof(again));
		vk_layout_encode(&vk_mbr_entry_layout, &mbr.entries[i], again, VK_MBR_ENTRY_BYTES);
		fuzz_layout(&vk_mbr_entry_layout, again, VK_MBR_ENTRY_BYTES, &e);
		FUZZ_ASSERT(memcmp(&e, &mbr.entries[i], sizeof(e)) == 0);
		vk_mbr_chs(e.firstLBA + (uint64_t)e.sectors, chs);
		FUZZ_ASSERT((chs[1] & 0x3f) != 0);
	}
	vk_mbr_check(&mbr, seen, disk_sectors, disk_sectors, &sink);
	FUZZ_ASSERT(count.count <= 1 + 4 * 2 + 6);
	FUZZ_ASSERT(seen > 0 || count.count == 0);
	(void)vk_mbr_is_protective(&mbr);
	return 0;
}
