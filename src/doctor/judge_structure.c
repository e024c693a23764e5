/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of one structure say of it, and whether what differs from the capture is what hosts write. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "doctor/doctor.h"

static void count_bad(void *ctx, const struct vk_finding *finding)
{
	/* magic and config of a file system: which is wrong is not known, and neither may be damage */
	if (vk_finding_kind(finding->code)->severity != VK_INFO && finding->code != VK_F_FS_LOCAL)
		++*(size_t *)ctx;
}

/* A header that stands in its partition is not blamed for a table that says another length. */
bool vk_header_fits(const struct vk_lvm_device *device, size_t seen)
{
	size_t bad = 0;
	const struct vk_finding_sink sink = {count_bad, &bad};

	vk_lvm_device_check(device, seen, 0, 0, &sink);
	return bad == 0 && vk_lvm_device_usable(device, seen);
}

bool vk_generation_grew(const struct vk_doctor *doc, const struct vk_subject *subject)
{
	const struct vk_vmfs *v = &doc->source.vmfs[subject->vmfs];
	const struct vk_vmfs *was = subject->was;

	return was != NULL && v->lvm_usable && vk_header_fits(&v->lvm, v->lvm_seen_bytes) &&
	       v->lvm.generation > was->lvm.generation && vk_vmfs_uuid_equal(&v->lvm.devID, &was->lvm.devID);
}

bool vk_length_contradicts(const struct vk_doctor *doc, const struct vk_subject *subject)
{
	const struct vk_vmfs *v = &doc->source.vmfs[subject->vmfs];
	uint64_t entry = vk_proved_length(doc, subject);

	if (entry == 0 || !v->lvm_usable)
		return false;
	/* one sector may be lost where lengths are rounded */
	return vk_max_u64(entry, v->lvm.totalBytes) - vk_min_u64(entry, v->lvm.totalBytes) > doc->source.sector_size;
}

/* The volume's UUID where its name says it once more; else who is wrong, it or the descriptor, is not known. */
static const struct vk_vmfs_uuid *believable_uuid(const struct vk_vmfs *v)
{
	return v->lvm_usable && v->volume_count > 0 && vk_lvm_volume_named(&v->volumes[0].volume)
		     ? &v->volumes[0].volume.uuid
		     : NULL;
}

/*
 * Nothing that is drawn anew for each volume (time, clock, random number) is the same in both: that is no damage to one
 * UUID, but another one.
 */
bool vk_of_two_volumes(const struct vk_doctor *doc, const struct vk_subject *subject)
{
	static const struct {
		uint8_t at, len;
	} parts[] = {{0, 4}, {4, 4}, {8, 2}};
	const struct vk_vmfs *v = &doc->source.vmfs[subject->vmfs];
	const struct vk_vmfs_uuid *lv = believable_uuid(v);

	if (lv == NULL || !v->fs_expected || !v->fs_usable)
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const uint8_t *a = lv->b + parts[i].at, *b = v->fs.volInfo.b + parts[i].at;
		size_t len = parts[i].len;

		if (memcmp(a, b, len) == 0 || vk_all_zero(a, len) || vk_all_zero(b, len) ||
		    vk_all_bytes(a, len, 0xFF) || vk_all_bytes(b, len, 0xFF))
			return false;
	}
	return true;
}

static bool fits(const struct vk_doctor *doc, const struct vk_area *a, const uint8_t *bytes)
{
	const struct vk_subject *s = &doc->subjects[a->subject];
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	struct vk_lvm_device device;
	struct vk_lvm_volume volume;
	struct vk_fs_descriptor fs;
	struct vk_lvm_ext ext;
	size_t bad = 0, seen;
	const struct vk_finding_sink sink = {count_bad, &bad};

	if (a->layout == &vk_lvm_device_layout) {
		seen = vk_lvm_device_decode(bytes, VK_UNIT_BYTES, &device);
		return vk_header_fits(&device, seen);
	}
	/* volumes made with the low-level tool have other names; what then is left to check is checked */
	if (a->layout == &vk_lvm_volume_layout) {
		seen = vk_lvm_volume_decode(bytes, VK_LVM_VOLUME_BYTES, &volume);
		vk_lvm_volume_check(&volume, s->lvm_known ? &s->lvm : &v->lvm, seen, 0, &sink);
		return bad == 0 && !vk_vmfs_uuid_is_nil(&volume.uuid) && volume.logicalSize > 0;
	}
	if (a->layout == &vk_fs_descriptor_layout) {
		seen = vk_fs_descriptor_decode(bytes, VK_FS_SECTOR_BYTES, &fs);
		vk_fs_descriptor_check(&fs, seen, vk_of_two_volumes(doc, s) ? NULL : believable_uuid(v), 0, &sink);
		return bad == 0 && vk_fs_descriptor_usable(&fs, seen);
	}
	vk_lvm_ext_decode(bytes, VK_UNIT_BYTES, &ext);
	return ext.magic == VK_LVM_MAGIC && ext.numPEMaps >= 1 && ext.numPEMaps <= VK_LVM_MAPS_PER_REGION;
}

static bool is_plain_text(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && bytes[at] != 0) {
		uint32_t c;
		size_t n = vk_utf8_decode(bytes + at, len - at, &c);

		if (n == 0 || vk_utf8_steers(c))
			return false;
		at += n;
	}
	return vk_all_zero(bytes + at, len - at);
}

/*
 * Whether all that differs are fields that hosts write, or an administrator changes without anything being wrong: a
 * rename; a resignature gives volume and file system new names, on which all structures agree.
 */
static bool only_what_hosts_write(const struct vk_doctor *doc, const struct vk_area *a, const uint8_t *now,
				  const uint8_t *before)
{
	static const char *const anew[] = {"uuid", "volInfo", "snapID", "creationTime", "creationTimeUS", "name"};
	const struct vk_subject *s = &doc->subjects[a->subject];
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	bool resignatured = s->was != NULL && v->lvm_usable && v->fs_usable && v->volume_count > 0 &&
			    s->was->volume_count > 0 &&
			    !vk_vmfs_uuid_equal(&v->volumes[0].volume.uuid, &s->was->volumes[0].volume.uuid) &&
			    vk_vmfs_uuid_equal(&v->fs.volInfo, &v->volumes[0].volume.uuid);
	uint8_t rest[VK_UNIT_BYTES];

	if ((a->layout == &vk_lvm_device_layout || a->layout == &vk_lvm_volume_layout) && vk_generation_grew(doc, s))
		return true;
	memcpy(rest, before, sizeof(rest));
	for (size_t i = 0; i < a->layout->count; i++) {
		const struct vk_field *f = &a->layout->fields[i];
		bool may_differ = (f->marks & VK_VOLATILE) != 0;

		if (f->offset + f->size > sizeof(rest))
			continue;
		for (size_t k = 0; resignatured && k < sizeof(anew) / sizeof(anew[0]); k++)
			may_differ = may_differ || strcmp(f->name, anew[k]) == 0;
		if (a->layout == &vk_fs_descriptor_layout && strcmp(f->name, "fsLabel") == 0)
			may_differ = is_plain_text(now + f->offset, f->size);
		if (memcmp(now + f->offset, before + f->offset, f->size) != 0 && !may_differ)
			return false;
		memcpy(rest + f->offset, now + f->offset, f->size);
	}
	return memcmp(rest, now, sizeof(rest)) == 0;
}

void vk_judge_structure(struct vk_doctor *doc, struct vk_area *area)
{
	const struct vk_subject *s = &doc->subjects[area->subject];
	uint8_t now[VK_UNIT_BYTES], before[VK_UNIT_BYTES];
	struct vk_error ignored;

	vk_doctor_read(doc, area->offset_bytes, now, sizeof(now));
	area->whole = fits(doc, area, now) ? VK_DAMAGE_CONSISTENT : VK_DAMAGE_DAMAGED;
	/* header or entry, LVM region or file system: which of the two is wrong or foreign is not known, so neither is
	 * called damaged, nor consistent */
	if (area->whole == VK_DAMAGE_CONSISTENT &&
	    (vk_of_two_volumes(doc, s) || (area->layout == &vk_lvm_device_layout && vk_length_contradicts(doc, s))))
		area->whole = VK_DAMAGE_UNKNOWN;
	if (area->whole != VK_DAMAGE_CONSISTENT || !doc->known.found)
		return;
	if (vk_io_read_all(doc->known.io, area->offset_bytes, before, sizeof(before), &ignored) == VK_OK)
		area->may_change = only_what_hosts_write(doc, area, now, before);
}
