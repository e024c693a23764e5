/* SPDX-License-Identifier: Apache-2.0 */
/* What captures of this device and the other extents of its volume say for it. */
#include <string.h>

#include "base/checked.h"
#include "rebuild/lvm_case.h"

static const struct vk_vmfs *decoded(const struct vk_known_header *known)
{
	const struct vk_vmfs *v;

	if (known->source == NULL || known->vmfs >= known->source->vmfs_count)
		return NULL;
	v = &known->source->vmfs[known->vmfs];
	return v->lvm_usable && v->volume_count > 0 &&
			       v->volumes[0].seen_bytes == VK_LVM_VOLUME_BYTES ? v : NULL;
}

/* Whether a capture shows this very device: nothing that outlives every change may differ. */
static bool same_device(const struct vk_lvm_case *c, const struct vk_vmfs *k)
{
	const struct vk_lvm_volume *v = &k->volumes[0].volume;
	unsigned same = 0, other = 0;

	if (c->device_believed) {
		bool id = vk_vmfs_uuid_equal(&c->d0.devID, &k->lvm.devID);
		bool time = c->d0.initTimeUS == k->lvm.initTimeUS;

		same += (unsigned)id + (unsigned)time;
		other += (unsigned)!id + (unsigned)!time;
	}
	if (c->volume_believed) {
		bool id = vk_vmfs_uuid_equal(&c->v0.uuid, &v->uuid);
		bool name = memcmp(c->v0.name, v->name, sizeof(v->name)) == 0;

		same += (unsigned)id + (unsigned)name + (c->v0.creationTimeUS == v->creationTimeUS);
		other += (unsigned)!id + (unsigned)!name;
	}
	if (c->fs_believed) {
		bool id = vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid);

		same += id;
		other += !id;
	}
	return same > other || (same == 0 && other == 0);
}

/* Whether an extent is of the same volume; with no identity left the caller's word is taken. */
static bool same_volume(const struct vk_lvm_case *c, const struct vk_vmfs *k)
{
	const struct vk_lvm_volume *v = &k->volumes[0].volume;

	if (c->volume_believed)
		return vk_vmfs_uuid_equal(&c->v0.uuid, &v->uuid);
	if (c->fs_believed)
		return vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid);
	return true;
}

void vk_lvm_known_find(struct vk_lvm_case *c)
{
	const struct vk_rebuild_header_options *o = c->work->options;

	for (size_t i = 0; i < o->known_count; i++) {
		const struct vk_known_header *known = &o->known[i];
		const struct vk_vmfs *k = decoded(known);
		bool fits = k != NULL && (known->member ? same_volume(c, k) : same_device(c, k));

		if (k == NULL)
			vk_work_note(c->work, "%s holds no sound header of a VMFS device: not used.", known->name);
		else if (!fits)
			vk_work_note(c->work, "%s is of another volume: not used.", known->name);
		else if (known->member && c->member == NULL)
			c->member = known;
		else if (!known->member && c->capture == NULL)
			c->capture = known;
	}
	if (c->capture != NULL)
		c->earlier = decoded(c->capture);
	if (c->member != NULL)
		c->sibling = &decoded(c->member)->volumes[0].volume;
}

/* The one gap that the other extents leave, when all of them are here. */
static bool find_gap(const struct vk_lvm_case *c, uint64_t *ret_first, uint64_t *ret_count)
{
	const struct vk_rebuild_header_options *o = c->work->options;
	uint64_t total = c->sibling->logicalSize / VK_LVM_PE_BYTES;
	uint64_t at = 0, first = 0, count = 0;
	unsigned gaps = 0, members = 0;

	for (bool more = true; more;) {
		uint64_t next = total, end = total;

		more = false;
		for (size_t i = 0; i < o->known_count; i++) {
			const struct vk_vmfs *k = decoded(&o->known[i]);
			const struct vk_lvm_volume *v;

			if (k == NULL || !o->known[i].member || !same_volume(c, k))
				continue;
			v = &k->volumes[0].volume;
			if (!vk_vmfs_uuid_equal(&v->uuid, &c->sibling->uuid) || v->firstPE < at ||
			    v->firstPE >= next || v->lastPE < v->firstPE || v->lastPE >= total)
				continue;
			next = v->firstPE;
			end = v->lastPE + 1;
			more = true;
		}
		if (next > at) {
			gaps++;
			first = at;
			count = next - at;
		}
		members += more;
		at = end;
	}
	*ret_first = first;
	*ret_count = count;
	return gaps == 1 && members + 1 == c->sibling->numDevs && count <= UINT32_MAX;
}

static void apply_sibling(struct vk_lvm_case *c)
{
	const struct vk_lvm_volume *s = c->sibling;
	const char *name = c->member->name;
	struct vk_side *v = &c->volume;
	uint64_t first, count;

	vk_side_number(v, "logicalSize", s->logicalSize, VK_FIELD_MEMBER, "%s", name);
	vk_side_number(v, "generation", s->generation, VK_FIELD_MEMBER, "%s", name);
	vk_side_bytes(v, "name", s->name, VK_FIELD_MEMBER, "%s", name);
	vk_side_bytes(v, "uuid", &s->uuid, VK_FIELD_MEMBER, "%s", name);
	vk_side_number(v, "snapID", s->snapID, VK_FIELD_MEMBER, "%s", name);
	vk_side_number(v, "creationTimeUS", s->creationTimeUS, VK_FIELD_MEMBER, "%s", name);
	vk_side_number(v, "numDevs", s->numDevs, VK_FIELD_MEMBER, "%s", name);
	if (c->volume_believed)
		return;
	vk_side_number(v, "state", s->state, VK_FIELD_MEMBER, "%s", name);
	if (!find_gap(c, &first, &count))
		return;
	vk_side_number(v, "numPEs", count, VK_FIELD_MEMBER, "the gap between the other extents");
	vk_side_number(v, "firstPE", first, VK_FIELD_MEMBER, "the gap between the other extents");
	vk_side_number(v, "lastPE", first + count - 1, VK_FIELD_MEMBER,
		       "the gap between the other extents");
}

/* What a structure keeps from its making to its end; all else a grow, an upgrade or a resignature may change. */
static const char *const lasting[] = {"magic", "diskBlockSize", "dataOffset", "devID", "initTimeUS",
				      "mdAlignment", "creationTimeUS", "volumeID"};

static bool is_lasting(const struct vk_field *field)
{
	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
		if (strcmp(field->name, lasting[i]) == 0)
			return true;
	return false;
}

/* A lost structure from a capture of before a change: most of it may be other by now. */
static void take_old(struct vk_lvm_case *c, struct vk_side *side, const void *other)
{
	for (size_t i = 0; i < side->layout->count; i++) {
		const struct vk_field *f = &side->layout->fields[i];
		bool identity = strcmp(f->name, "uuid") == 0 || strcmp(f->name, "name") == 0;

		/* the disk id has a side of its own; the volume's identity is told better by the file system */
		if (f->kind == VK_KIND_DISKID || (identity && c->fs_believed))
			continue;
		vk_side_bytes(side, f->name, (const uint8_t *)other + f->member,
			      is_lasting(f) ? VK_FIELD_CAPTURE : VK_FIELD_USUAL, "%s%s", c->capture->name,
			      is_lasting(f) ? "" : ", from before a change of the volume");
	}
}

static void apply_to_device(struct vk_lvm_case *c, bool now)
{
	const struct vk_lvm_device *d = &c->earlier->lvm;
	const char *name = c->capture->name;

	if (now) {
		vk_side_all(&c->device, d, VK_FIELD_CAPTURE, name);
		vk_side_all(&c->disk_id, &d->diskID, VK_FIELD_CAPTURE, name);
	} else if (c->device_believed) {
		vk_side_bytes(&c->device, "devID", &d->devID, VK_FIELD_CAPTURE, "%s", name);
		vk_side_number(&c->device, "initTimeUS", d->initTimeUS, VK_FIELD_CAPTURE, "%s", name);
		vk_work_note(c->work, "The LVM header was changed since %s: of what may change, nothing was taken from it.",
			     name);
	} else {
		take_old(c, &c->device, d);
		if (c->disk_id.rebuilt && c->work->options->live_id == NULL)
			take_old(c, &c->disk_id, &d->diskID);
		vk_work_note(c->work, "The LVM header is lost, and the volume was changed since %s: what may have changed with "
			     "it is taken from there all the same, and may be old.", name);
	}
}

static void apply_to_volume(struct vk_lvm_case *c, bool now)
{
	const struct vk_lvm_volume *v = &c->earlier->volumes[0].volume;
	const char *name = c->capture->name;

	if (now) {
		vk_side_all(&c->volume, v, VK_FIELD_CAPTURE, name);
	} else if (c->volume_believed) {
		vk_side_number(&c->volume, "creationTimeUS", v->creationTimeUS, VK_FIELD_CAPTURE, "%s",
			       name);
	} else {
		take_old(c, &c->volume, v);
		vk_work_note(c->work, "The volume descriptor is lost, and the LVM header was changed since %s: what may have "
			     "changed with it is taken from there all the same, and may be old.", name);
	}
}

/*
 * A capture is trusted in everything when the structure was not changed since: its generation or its time of change is
 * still the same. Else only in what never changes. Of a structure that is lost, the other one tells; a header that was
 * made from an old capture is not newer for that.
 */
static void apply_capture(struct vk_lvm_case *c)
{
	const struct vk_lvm_device *d = &c->earlier->lvm;
	const struct vk_lvm_volume *v = &c->earlier->volumes[0].volume;
	bool same_header = d->generation == c->d0.generation || d->modTimeUS == c->d0.modTimeUS;
	bool same_volume_entry = v->generation == c->v0.generation || v->modTimeUS == c->v0.modTimeUS;
	bool volume_now = c->volume_believed ? same_volume_entry : !c->device_believed || same_header;
	bool device_now = volume_now && (!c->device_believed || same_header);

	c->work->capture_old = !volume_now;
	apply_to_device(c, device_now);
	apply_to_volume(c, volume_now);
}

void vk_lvm_known_apply(struct vk_lvm_case *c)
{
	if (c->earlier != NULL)
		apply_capture(c);
	if (c->sibling != NULL)
		apply_sibling(c);
	/* all devices of a volume are laid out alike, and stay so */
	if ((c->earlier != NULL && (c->earlier->lvm.majorVersion >= 6) == c->six) ||
	    (c->sibling != NULL && (decoded(c->member)->lvm.majorVersion >= 6) == c->six))
		c->six_proved = true;
}
