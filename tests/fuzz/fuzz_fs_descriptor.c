/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Descriptor: one byte (bit 0: 16 bytes of the LVM volume's UUID follow), then the descriptor, whole or cut. */
#include "fuzz.h"
#include "vmfskit/fs_descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	bool with_uuid = fuzz_take(&in, 1) & 1;
	struct vk_vmfs_uuid lv = {{0}};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry g;
	char name[40];
	size_t seen;

	for (size_t i = 0; with_uuid && i < 16; i++)
		lv.b[i] = (uint8_t)fuzz_take(&in, 1);
	seen = fuzz_layout(&vk_fs_descriptor_layout, in.data, in.size, &fs);
	vk_fs_descriptor_check(&fs, seen, with_uuid ? &lv : NULL, 0x1300000, &sink);
	FUZZ_ASSERT(count.count <= 7);
	FUZZ_ASSERT(seen > 3 || count.count == 0);
	vk_fs_version_name(&fs, name);
	fuzz_text(name, sizeof(name));
	if (seen == VK_FS_DESCRIPTOR_BYTES && count.worst < VK_ERROR)
		FUZZ_ASSERT(vk_fs_descriptor_usable(&fs, seen));
	FUZZ_ASSERT(vk_fs_geometry(&fs, seen, &g) == vk_fs_descriptor_usable(&fs, seen));
	FUZZ_ASSERT(g.heartbeat_end == g.heartbeat_offset +
					       (uint64_t)g.heartbeat_slot_bytes * g.heartbeat_slots);
	FUZZ_ASSERT(g.heartbeat_slot_bytes >= 512 && g.heartbeat_slot_bytes <= 65536);
	FUZZ_ASSERT(g.vh_end >= g.heartbeat_end && g.vh_end <= g.heartbeat_end + (8U << 20));
	return 0;
}
