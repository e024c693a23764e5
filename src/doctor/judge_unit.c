/* SPDX-License-Identifier: Apache-2.0 */
/* What one unit of an area is, judged by what stands in it. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/lock.h"

static enum vk_damage wrong(const uint8_t *unit)
{
	return vk_all_zero(unit, VK_UNIT_BYTES) ? VK_DAMAGE_ZERO : VK_DAMAGE_DAMAGED;
}

static enum vk_damage judge_structure(const struct vk_area *a, uint64_t offset, const uint8_t *unit)
{
	uint64_t index = (offset - a->offset_bytes) / VK_UNIT_BYTES;

	if (a->expected != NULL) {
		if (memcmp(a->expected + (offset - a->offset_bytes), unit, VK_UNIT_BYTES) != 0)
			return a->whole == VK_DAMAGE_FOREIGN ? VK_DAMAGE_FOREIGN : wrong(unit);
		return a->proved ? VK_DAMAGE_INTACT : VK_DAMAGE_CONSISTENT;
	}
	if (a->whole == VK_DAMAGE_FOREIGN)
		return vk_all_zero(unit, VK_UNIT_BYTES) ? VK_DAMAGE_UNKNOWN : VK_DAMAGE_FOREIGN;
	/* whose it is may still be found out */
	if (a->whole == VK_DAMAGE_UNKNOWN && !vk_all_zero(unit, VK_UNIT_BYTES))
		return VK_DAMAGE_STRANGE;
	if (a->whole != VK_DAMAGE_DAMAGED)
		return a->whole;
	if (a->somewhere && (index >= 64 || (a->blamed >> index & 1) == 0))
		return VK_DAMAGE_UNKNOWN;
	return wrong(unit);
}

/*
 * The header that the tables belong to; of an unknown one what all have in common, of one that is damaged nothing
 * at all.
 */
static struct vk_lvm_device device_of(const struct vk_subject *s)
{
	struct vk_lvm_device any = {.magic = VK_LVM_MAGIC,
				    .majorVersion = s->lost_six ? 6 : 5,
				    .dataOffset = VK_LVM_DATA_OFFSET,
				    .totalBytes = 1ULL << 62,
				    .numPEs = UINT32_MAX};

	if (s->lvm_known && !s->lvm_fits) {
		any.majorVersion = 6; /* an entry may be anywhere, and of any length */
		any.dataOffset = 0;
		return any;
	}
	return s->lvm_known ? s->lvm : any;
}

static const struct vk_lvm_volume *volume_of(const struct vk_doctor *doc, const struct vk_subject *s)
{
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];

	if (v->lvm_usable && v->volume_count == 1)
		return &v->volumes[0].volume;
	return s->was != NULL && s->was->volume_count == 1 ? &s->was->volumes[0].volume : NULL;
}

/* How many extents from number 0 on are in use for certain. */
static uint64_t extents_used(const struct vk_doctor *doc, const struct vk_subject *s)
{
	const struct vk_lvm_volume *volume = volume_of(doc, s);

	if (!s->lvm_known || !vk_lvm_fixed_pes(&s->lvm) || (!s->lvm_fits && volume == NULL))
		return 1; /* there is no volume without one */
	return volume != NULL ? vk_min_u64(volume->numPEs, s->lvm.numPEs) : s->lvm.numPEs;
}

static enum vk_damage judge_bitmap(const struct vk_doctor *doc, const struct vk_area *a, uint64_t offset,
				   const uint8_t *unit)
{
	const struct vk_subject *s = &doc->subjects[a->subject];
	uint64_t used = extents_used(doc, s);
	uint64_t first = a->index + (offset - a->offset_bytes) * 8;
	const struct vk_lvm_volume *volume = volume_of(doc, s);
	bool exact = s->lvm_known && vk_lvm_fixed_pes(&s->lvm) && volume != NULL && volume->numPEs == s->lvm.numPEs;

	for (uint64_t i = 0; i < VK_UNIT_BYTES * 8ULL; i++) {
		bool set = (unit[i / 8] >> (i % 8) & 1) != 0;

		if (first + i < used && !set)
			return wrong(unit);
		if (exact && first + i >= used && set)
			return VK_DAMAGE_DAMAGED;
	}
	return VK_DAMAGE_CONSISTENT;
}

static enum vk_damage judge_entry(const struct vk_doctor *doc, const struct vk_subject *s, uint64_t index,
				  const uint8_t *raw)
{
	const uint64_t per_region = (uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION;
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	struct vk_lvm_device device = device_of(s);
	uint64_t region = index / per_region, data = device.dataOffset;
	bool in_use = index < extents_used(doc, s);
	struct vk_lvm_pe pe;

	if (vk_all_zero(raw, VK_LVM_PE_STRIDE))
		return in_use ? VK_DAMAGE_ZERO : VK_DAMAGE_CONSISTENT;
	vk_lvm_pe_decode(raw, VK_LVM_PE_STRIDE, &pe);
	if (region > 0 && region <= v->ext_count && v->exts[region - 1].ext.dataOffset != 0)
		data = v->exts[region - 1].ext.dataOffset;
	if (pe.used > 1 || !vk_all_zero(raw + VK_LVM_PE_BYTES_USED, VK_LVM_PE_STRIDE - VK_LVM_PE_BYTES_USED))
		return VK_DAMAGE_DAMAGED;
	if (pe.used == 0)
		return in_use ? VK_DAMAGE_DAMAGED : VK_DAMAGE_CONSISTENT;
	if (!vk_lvm_pe_plausible(&pe, &device) || !vk_lvm_pe_at_place(&pe, &device, index, data, index % per_region))
		return VK_DAMAGE_DAMAGED;
	return VK_DAMAGE_CONSISTENT;
}

static enum vk_damage judge_slot(const struct vk_area *a, uint64_t offset, const uint8_t *unit)
{
	uint64_t in_region = offset - a->offset_bytes;
	struct vk_heartbeat hb;

	if (a->somewhere && in_region % a->stride_bytes != 0)
		return VK_DAMAGE_UNKNOWN;
	/* what VMFS6 has behind the first sector of a slot was always zero */
	if (a->stride_bytes > VK_UNIT_BYTES && in_region % a->stride_bytes != 0)
		return vk_all_zero(unit, VK_UNIT_BYTES) ? VK_DAMAGE_CONSISTENT : VK_DAMAGE_STRANGE;
	vk_heartbeat_decode(unit, VK_UNIT_BYTES, &hb);
	if ((hb.state == VK_HB_FREE || hb.state == VK_HB_IN_USE) && hb.addr == a->volume_offset + in_region)
		return VK_DAMAGE_CONSISTENT;
	return wrong(unit);
}

static enum vk_damage judge_lock(const struct vk_area *a, uint64_t offset, const uint8_t *unit)
{
	uint64_t in_area = offset - a->offset_bytes;
	struct vk_lock lock;

	if (in_area % a->stride_bytes != 0)
		return VK_DAMAGE_UNKNOWN;
	/* whether one that was never initialised was there, only the others tell: see survey.c */
	if (vk_all_zero(unit, VK_UNIT_BYTES))
		return in_area / a->stride_bytes < a->at_least ? VK_DAMAGE_ZERO : VK_DAMAGE_UNKNOWN;
	vk_lock_decode(unit, VK_UNIT_BYTES, &lock);
	return lock.type == a->lock_type && lock.addr == a->volume_offset + in_area ? VK_DAMAGE_CONSISTENT
										  : VK_DAMAGE_DAMAGED;
}

enum vk_damage vk_judge_unit(const struct vk_doctor *doc, const struct vk_area *area, uint64_t offset,
			     const uint8_t *unit)
{
	switch (area->kind) {
	case VK_AREA_EMPTY:
		return vk_all_zero(unit, VK_UNIT_BYTES) ? VK_DAMAGE_CONSISTENT : VK_DAMAGE_STRANGE;
	case VK_AREA_STRUCTURE:
		return judge_structure(area, offset, unit);
	case VK_AREA_PE_BITMAP:
		return judge_bitmap(doc, area, offset, unit);
	case VK_AREA_PE_TABLE:
		for (size_t i = 0; i < VK_UNIT_BYTES / VK_LVM_PE_STRIDE; i++)
			if (judge_entry(doc, &doc->subjects[area->subject],
					area->index + (offset - area->offset_bytes) / VK_LVM_PE_STRIDE + i,
					unit + i * VK_LVM_PE_STRIDE) != VK_DAMAGE_CONSISTENT)
				return wrong(unit);
		return VK_DAMAGE_CONSISTENT;
	case VK_AREA_HEARTBEATS:
		return judge_slot(area, offset, unit);
	case VK_AREA_LOCKS:
		return judge_lock(area, offset, unit);
	case VK_AREA_OPAQUE:
		break;
	}
	return VK_DAMAGE_UNKNOWN;
}
