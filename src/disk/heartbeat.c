/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Heartbeat: layout and checks of one slot. */
#include "disk/field_check.h"
#include "disk/layout_table.h"
#include "vmfskit/heartbeat.h"

VK_LAYOUT_DEFINE(vk_heartbeat_layout, VK_HEARTBEAT_ROWS, struct vk_heartbeat, VK_HEARTBEAT_BYTES,
		 "FS3_Heartbeat", "Heartbeat slot (from volume offset 0x300000 on)",
		 "decoded from real volumes of VMFS 3, 5 and 6; fields from replayHost on from readers of others");

void vk_heartbeat_check(const struct vk_heartbeat *hb, size_t seen_bytes, uint64_t volume_offset,
			uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	if (seen_bytes < VK_HEARTBEAT_BYTES)
		return;
	if (hb->state != VK_HB_FREE && hb->state != VK_HB_IN_USE) {
		vk_finding_say(sink, VK_F_HEARTBEAT_STATE, offset_bytes, 4, VK_HEX32(hb->state),
			       vk_phrase("0x%08x or 0x%08x", VK_HB_FREE, VK_HB_IN_USE).text,
			       "heartbeat slot at volume offset 0x%llx is neither free nor in use",
			       (unsigned long long)volume_offset);
		return;
	}
	if (hb->addr != volume_offset)
		vk_finding_say(sink, VK_F_HEARTBEAT_ADDRESS, offset_bytes + 4, 8,
			       vk_phrase("0x%llx", (unsigned long long)hb->addr).text,
			       vk_phrase("0x%llx", (unsigned long long)volume_offset).text,
			       "a heartbeat slot does not carry its own position");
	if (hb->state == VK_HB_IN_USE)
		vk_finding_say(sink, VK_F_HEARTBEAT_IN_USE, offset_bytes, VK_HEARTBEAT_BYTES,
			       vk_vmfs_uuid_text(&hb->owner).text, NULL,
			       "a host holds the heartbeat slot at volume offset 0x%llx",
			       (unsigned long long)volume_offset);
}

bool vk_heartbeat_has_history(const struct vk_heartbeat *hb)
{
	return hb->state == VK_HB_FREE &&
	       (hb->hbGen != 0 || hb->stamp != 0 || hb->driveX != 0 || hb->driveY != 0);
}
