/* SPDX-License-Identifier: Apache-2.0 */
/* What captures of this device and the other extents of its volume say for it. */
#include <string.h>

#include "rebuild/header/header_work.h"

/* Whether a capture shows this very device: nothing that outlives every change may differ. */
static bool same_device(const struct vk_header_work *c, const struct vk_vmfs *k, bool *ret_tied)
{
	const struct vk_lvm_volume *v = &k->volumes[0].volume;
	int same = 0, other = 0;

	/* another extent of the volume has all of its identity but the place in it */
	if ((c->volume_believed && c->v0.numDevs > 1 && c->v0.firstPE != v->firstPE && c->v0.lastPE != v->lastPE) ||
	    (c->fs_believed && v->firstPE != 0))
		return false;
	if (c->device_believed) {
		same += vk_vmfs_uuid_equal(&c->d0.devID, &k->lvm.devID) + (c->d0.initTimeUS == k->lvm.initTimeUS);
		other += 2 - same;
	}
	if (c->volume_believed) {
		int equal = vk_vmfs_uuid_equal(&c->v0.uuid, &v->uuid) +
			    (memcmp(c->v0.name, v->name, sizeof(v->name)) == 0);

		same += equal + (c->v0.creationTimeUS == v->creationTimeUS);
		other += 2 - equal;
	}
	if (c->fs_believed && vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid))
		same++;
	else
		other += c->fs_believed;
	*ret_tied = same > other;
	return same > other || (same == 0 && other == 0);
}

void vk_lvm_known_find(struct vk_header_work *c)
{
	const struct vk_rebuild_header_options *o = c->options;

	for (size_t i = 0; i < o->known_count; i++) {
		const struct vk_known_header *known = &o->known[i];
		const struct vk_vmfs *k = vk_lvm_known_decoded(known);
		bool tied = false;
		bool fits = k != NULL && (known->member ? vk_lvm_member_fits(c, &k->volumes[0].volume)
							: same_device(c, k, &tied));

		if (k == NULL)
			vk_work_note(c, "%s holds no sound header of a VMFS device: not used.", known->name);
		else if (!fits)
			vk_work_note(c, "%s is of another volume: not used.", known->name);
		else if (known->member && c->member == NULL)
			c->member = known;
		else if (!known->member && c->capture == NULL) {
			c->capture = known;
			c->earlier = k;
			c->capture_untied = !tied;
		}
	}
	if (c->member != NULL)
		vk_lvm_members_ask(c);
}

/*
 * A lost structure: nothing of it stands that could say it was not changed since the capture, whatever the other one
 * says: they are changed one without the other.
 */
static void take_lost(struct vk_header_work *c, struct vk_mending *m, const void *other)
{
	for (size_t i = 0; i < m->layout->count; i++) {
		const struct vk_field *f = &m->layout->fields[i];
		bool identity = strcmp(f->name, "uuid") == 0 || strcmp(f->name, "name") == 0;
		bool lasting = (f->marks & VK_LASTING) != 0;

		/* the disk id has a side of its own; the volume's identity is told better by the file system */
		if (f->kind != VK_KIND_DISKID && !(identity && c->fs_believed))
			vk_mend_bytes(m, f->name, vk_mend_member(f, other),
				      vk_origin_if(lasting && !c->capture_untied, VK_FIELD_CAPTURE), "%s%s",
				      c->capture->name, lasting ? "" : ", and it may have changed since");
	}
}

/*
 * A structure that stands and was not changed since. With the time of its last change all of it is as it was, but for a
 * lock, which may have come or gone; by its generation alone what passes may be newer, and stays. modTimeUS only grows.
 */
static void take_standing(struct vk_header_work *c, struct vk_mending *m, const void *other, uint64_t changed_now,
			  uint64_t changed_then)
{
	bool time_stays = changed_now >= changed_then && changed_now / 1000000 <= UINT32_MAX;

	for (size_t i = 0; i < m->layout->count; i++) {
		const struct vk_field *f = &m->layout->fields[i];
		bool time = strcmp(f->name, "modTimeUS") == 0, passing = (f->marks & VK_PASSING) != 0;

		if (f->kind != VK_KIND_DISKID && (!passing || changed_now == changed_then || (time && !time_stays)))
			vk_mend_bytes(m, f->name, vk_mend_member(f, other), vk_origin_if(!passing, VK_FIELD_CAPTURE),
				      "%s", c->capture->name);
	}
}

/*
 * A capture is trusted in what may change when the structure stands and was not changed since: its generation or its
 * time of change is still the same. Else only in what never changes. A header that was made from an old capture is not
 * newer for that.
 */
static void apply_capture(struct vk_header_work *c)
{
	const struct vk_lvm_device *d = &c->earlier->lvm;
	const struct vk_lvm_volume *v = &c->earlier->volumes[0].volume;
	const char *name = c->capture->name;
	bool same_time = d->modTimeUS == c->d0.modTimeUS;
	bool same_volume = v->generation == c->v0.generation || v->modTimeUS == c->v0.modTimeUS;

	c->capture_old = !(c->volume_believed && same_volume);
	if (c->device_believed && (d->generation == c->d0.generation || same_time) &&
	    (same_volume || !c->volume_believed)) {
		take_standing(c, &c->device, d, c->d0.modTimeUS, d->modTimeUS);
		if (same_time)
			vk_mend_all(&c->disk_id, &d->diskID, VK_FIELD_CAPTURE, name);
	} else if (c->device_believed) {
		vk_mend_bytes(&c->device, "devID", &d->devID, VK_FIELD_CAPTURE, "%s", name);
		vk_mend_number(&c->device, "initTimeUS", d->initTimeUS, VK_FIELD_CAPTURE, "%s", name);
		vk_work_note(c, "the LVM header was changed since %s: fields that may change were not taken from it.",
			     name);
	} else {
		take_lost(c, &c->device, d);
		if (c->disk_id.rebuilt && c->options->live_id == NULL)
			take_lost(c, &c->disk_id, &d->diskID);
		vk_work_note(c, "the LVM header is lost, and it may have been changed since %s: fields that may "
				"change are taken from there all the same, and may be old.", name);
	}
	if (!c->capture_old) {
		take_standing(c, &c->volume, v, c->v0.modTimeUS, v->modTimeUS);
	} else if (c->volume_believed) {
		vk_mend_number(&c->volume, "creationTimeUS", v->creationTimeUS, VK_FIELD_CAPTURE, "%s", name);
	} else {
		take_lost(c, &c->volume, v);
		vk_work_note(c, "the volume descriptor is lost, and it may have been changed since %s: fields that "
				"may change are taken from there all the same, and may be old.", name);
	}
}

static bool laid_out_alike(const struct vk_header_work *c, const struct vk_lvm_device *other)
{
	return (other->majorVersion >= 6) == c->six && (!c->six || other->mdAlignment == c->alignment);
}

void vk_lvm_known_apply(struct vk_header_work *c)
{
	if (c->earlier != NULL)
		apply_capture(c);
	if (c->sibling != NULL)
		vk_lvm_members_apply(c);
	/* all devices of a volume are laid out alike, and stay so */
	if ((c->earlier != NULL && !c->capture_untied && laid_out_alike(c, &c->earlier->lvm)) ||
	    (c->sibling != NULL && c->device_believed && (c->d0.majorVersion >= 6) == c->six &&
	     laid_out_alike(c, &vk_lvm_known_decoded(c->member)->lvm)))
		c->six_proved = true;
}
