/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Heartbeat: 8 bytes of volume offset, then the slot, whole or cut. */
#include "fuzz.h"
#include "vmfskit/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint64_t volume_offset = fuzz_take(&in, 8);
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_heartbeat hb;
	size_t seen = fuzz_layout(&vk_heartbeat_layout, in.data, in.size, &hb);

	vk_heartbeat_check(&hb, seen, volume_offset, volume_offset + 0x1100000, &sink);
	FUZZ_ASSERT(count.count <= 2);
	FUZZ_ASSERT(seen == VK_HEARTBEAT_BYTES || count.count == 0);
	if (seen == VK_HEARTBEAT_BYTES && count.count == 0)
		FUZZ_ASSERT(hb.state == VK_HB_FREE && hb.addr == volume_offset);
	if (vk_heartbeat_has_history(&hb))
		FUZZ_ASSERT(hb.state == VK_HB_FREE);
	return 0;
}
