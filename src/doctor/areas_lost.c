/* SPDX-License-Identifier: Apache-2.0 */
/* Where the structures of a volume lie whose header or descriptor is lost: VMFS6 has them elsewhere than VMFS3 and
 * VMFS5. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/heartbeat.h"

enum { SIX_BYTES = 4096 };

static bool volume_at(struct vk_doctor *doc, uint64_t at)
{
	uint8_t bytes[VK_LVM_VOLUME_BYTES];
	struct vk_lvm_volume volume;

	if (vk_doctor_read(doc, at, bytes, sizeof(bytes)) != sizeof(bytes))
		return false;
	vk_lvm_volume_decode(bytes, sizeof(bytes), &volume);
	return vk_lvm_volume_named(&volume);
}

uint32_t vk_lost_stride(struct vk_doctor *doc, const struct vk_subject *s, uint64_t region)
{
	enum { PIECES = 16, LEAST = 8 };
	uint8_t piece[VK_CHUNK_BYTES];
	uint64_t on_six = 0, between = 0;

	if (s->candidate != NULL && s->candidate->vote.heartbeat_stride_bytes != 0)
		return s->candidate->vote.heartbeat_stride_bytes;
	for (unsigned k = 0; k < PIECES; k++) {
		uint64_t in_region = (uint64_t)k * sizeof(piece);
		size_t got = vk_doctor_read(doc, vk_add_sat(region, in_region), piece, sizeof(piece));

		for (size_t at = 0; at + VK_UNIT_BYTES <= got; at += VK_UNIT_BYTES) {
			uint32_t state = vk_get_le32(piece + at);

			if ((state != VK_HB_FREE && state != VK_HB_IN_USE) ||
			    vk_get_le64(piece + at + 4) != VK_HEARTBEATS_OFFSET + in_region + at)
				continue;
			if (at % SIX_BYTES == 0)
				on_six++;
			else
				between++;
		}
	}
	if (between >= LEAST)
		return VK_UNIT_BYTES;
	return on_six >= LEAST ? SIX_BYTES : 0;
}

bool vk_lost_layout(struct vk_doctor *doc, const struct vk_subject *s, struct vk_lvm_geometry *ret_geometry)
{
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	const struct vk_lvm_device five = {.magic = VK_LVM_MAGIC, .majorVersion = 5};
	const struct vk_lvm_device six = {.magic = VK_LVM_MAGIC, .majorVersion = 6, .mdAlignment = SIX_BYTES};
	uint64_t header = vk_add_sat(s->start_bytes, VK_LVM_HEADER_OFFSET);
	uint32_t stride;
	bool is_six;

	if (v->fs_usable) {
		is_six = vk_fs_is_vmfs6(&v->fs);
	} else if (volume_at(doc, header + VK_UNIT_BYTES)) {
		is_six = false;
	} else if (volume_at(doc, header + SIX_BYTES)) {
		is_six = true;
	} else {
		stride = vk_lost_stride(doc, s, s->start_bytes + VK_LVM_DATA_OFFSET + VK_HEARTBEATS_OFFSET);
		if (stride == 0)
			return false;
		is_six = stride == SIX_BYTES;
	}
	vk_lvm_geometry(is_six ? &six : &five, VK_LVM_HEADER_OFFSET, ret_geometry);
	return true;
}
