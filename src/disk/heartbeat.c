/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Heartbeat: layout and checks of one slot. */
#include "disk/layout_table.h"
#include "vmfskit/heartbeat.h"

VK_LAYOUT_DEFINE(vk_heartbeat_layout, VK_HEARTBEAT_ROWS, struct vk_heartbeat, VK_HEARTBEAT_BYTES,
		 "FS3_Heartbeat", "Heartbeat slot (from volume offset 0x300000 on)",
		 "decoded from real volumes of VMFS 3, 5 and 6; fields from replayHost on from readers of others");

size_t vk_heartbeat_decode(const uint8_t *buf, size_t len, struct vk_heartbeat *ret_hb)
{
	return vk_layout_decode(&vk_heartbeat_layout, buf, len, ret_hb);
}

size_t vk_heartbeat_encode(const struct vk_heartbeat *hb, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_heartbeat_layout, hb, buf, len);
}

void vk_heartbeat_check(const struct vk_heartbeat *hb, size_t seen_bytes, uint64_t volume_offset,
			uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	struct vk_finding f;

	if (seen_bytes < VK_HEARTBEAT_BYTES)
		return;
	if (hb->state != VK_HB_FREE && hb->state != VK_HB_IN_USE) {
		vk_finding_init(&f, VK_F_HEARTBEAT_STATE, offset_bytes, 4,
				"heartbeat slot at volume offset 0x%llx is neither free nor in use",
				(unsigned long long)volume_offset);
		vk_finding_seen(&f, "0x%08x", hb->state);
		vk_finding_expected(&f, "0x%08x or 0x%08x", VK_HB_FREE, VK_HB_IN_USE);
		vk_finding_put(sink, &f);
		return;
	}
	if (hb->addr != volume_offset) {
		vk_finding_init(&f, VK_F_HEARTBEAT_ADDRESS, offset_bytes + 4, 8,
				"a heartbeat slot does not carry its own position");
		vk_finding_seen(&f, "0x%llx", (unsigned long long)hb->addr);
		vk_finding_expected(&f, "0x%llx", (unsigned long long)volume_offset);
		vk_finding_put(sink, &f);
	}
	if (hb->state == VK_HB_IN_USE) {
		char host[VK_VMFS_UUID_TEXT_BYTES];

		vk_vmfs_uuid_format(&hb->owner, host);
		vk_finding_init(&f, VK_F_HEARTBEAT_IN_USE, offset_bytes, VK_HEARTBEAT_BYTES,
				"a host holds the heartbeat slot at volume offset 0x%llx",
				(unsigned long long)volume_offset);
		vk_finding_seen(&f, "%s", host);
		vk_finding_put(sink, &f);
	}
}

bool vk_heartbeat_has_history(const struct vk_heartbeat *hb)
{
	return hb->state == VK_HB_FREE &&
	       (hb->hbGen != 0 || hb->stamp != 0 || hb->driveX != 0 || hb->driveY != 0);
}
