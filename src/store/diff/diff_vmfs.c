/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares VMFS partitions: finds which is which, then walks over the places of their structures. Each is read at the
 * same place on both sides, so that a header that makes no sense any more on one side does not hide what lies behind
 * it.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/differ.h"
#include "store/plan/plan.h"

/* One partition on both sides. */
struct device {
	struct vk_differ *d;
	const struct vk_vmfs *vmfs[VK_SIDES]; /* NULL: the table of that side does not name it */
	const struct vk_vmfs *best;           /* of the side whose header is the better guide */
	unsigned partition;
	uint64_t base[VK_SIDES];
	bool other_lun;    /* the header names another LUN than before: the table of device names follows */
	bool other_uuid;   /* of the volume: the file-system descriptor follows */
	bool other_snap;
};

/* A structure on both sides, as it was read. */
struct reading {
	uint8_t bytes[VK_SIDES][512];
	uint64_t at[VK_SIDES];
	bool held[VK_SIDES];
	bool present[VK_SIDES];
};

/* Nothing marks a volume descriptor: it is one as long as any part of it makes sense. */
static bool is_volume(const uint8_t *bytes)
{
	struct vk_lvm_volume v;
	char text[VK_VMFS_UUID_TEXT_BYTES];

	if (vk_all_zero(bytes, VK_LVM_VOLUME_BYTES))
		return false;
	vk_lvm_volume_decode(bytes, VK_LVM_VOLUME_BYTES, &v);
	vk_vmfs_uuid_format(&v.uuid, text);
	return v.state <= VK_LVM_SENTINEL || memcmp(v.name, text, sizeof(text)) == 0 ||
	       (v.lastPE >= v.firstPE && v.numPEs == v.lastPE - v.firstPE + 1);
}

static bool is_one(const struct vk_layout *layout, const uint8_t *bytes)
{
	if (layout == &vk_lvm_volume_layout)
		return is_volume(bytes);
	if (layout == &vk_fs_descriptor_layout)
		return vk_fs_magic_known(vk_get_le32(bytes));
	return vk_get_le32(bytes) == VK_LVM_MAGIC;
}

static void read_both(const struct device *dev, const struct vk_layout *layout, uint64_t offset, struct reading *r)
{
	for (int side = 0; side < VK_SIDES; side++) {
		r->at[side] = vk_add_sat(dev->base[side], offset);
		memset(r->bytes[side], 0, sizeof(r->bytes[side]));
		r->held[side] = vk_diff_read(dev->d, side, r->at[side], r->bytes[side], sizeof(r->bytes[side])) >=
				layout->size;
		r->present[side] = r->held[side] && is_one(layout, r->bytes[side]);
	}
}

/* Not there on one side: that is one change, and not one for each field. */
static void report_presence(struct vk_differ *d, const struct vk_diff_topic *topic, const struct reading *r)
{
	const char *states[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		if (r->present[side])
			states[side] = "present";
		else if (r->held[side])
			states[side] = vk_all_zero(r->bytes[side], sizeof(r->bytes[side])) ? "zeros" : "overwritten";
		else if (vk_io_span(d->side[side]->io, r->at[side]).state == VK_SPAN_UNREADABLE)
			states[side] = "unreadable";
		else
			return;
	}
	if (r->present[VK_BEFORE] == r->present[VK_AFTER])
		return;
	vk_diff_report(d, topic, states[VK_BEFORE], states[VK_AFTER], "%s -> %s", states[VK_BEFORE], states[VK_AFTER]);
	vk_diff_claim_both(d, VK_CLAIM_TOLD, r->at, 0, sizeof(r->bytes[0]));
}

/* The header's length is that of its partition, and when that changed the table says so. */
static bool length_follows(const struct device *dev)
{
	const struct vk_vmfs *before = dev->vmfs[VK_BEFORE], *after = dev->vmfs[VK_AFTER];

	return before != NULL && after != NULL && before->partition_bytes != after->partition_bytes &&
	       before->lvm.totalBytes == before->partition_bytes && after->lvm.totalBytes == after->partition_bytes;
}

/* What others ask of a structure that is there on both sides. */
static void learn(struct device *dev, const struct vk_diff_structure *s)
{
	static const char *const extents[] = {"numPEs", "numPEs6", "firstPE", "lastPE"};
	struct vk_diff_told *told;
	bool grown = false;

	if (s->layout == &vk_lvm_device_layout)
		dev->other_lun = vk_diff_row_differs(s, "diskID");
	if (s->layout == &vk_lvm_volume_layout) {
		dev->other_uuid = dev->other_uuid || vk_diff_row_differs(s, "uuid");
		dev->other_snap = dev->other_snap || vk_diff_row_differs(s, "snapID");
	}
	for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++)
		grown = grown || vk_diff_row_differs(s, extents[i]);
	told = grown ? vk_diff_told(dev->d, dev->partition) : NULL;
	if (told != NULL)
		told->extents = true;
}

static void compare_structure(struct device *dev, const struct vk_place *place)
{
	const struct vk_layout *layout = place->layout;
	struct reading r;
	struct vk_diff_structure s = {
		.layout = layout,
		.topic = {.partition = dev->partition, .subject = place->name, .field = "structure"},
		.bytes = {r.bytes[VK_BEFORE], r.bytes[VK_AFTER]},
		.at = r.at};

	read_both(dev, layout, place->offset_bytes, &r);
	if (!r.present[VK_BEFORE] || !r.present[VK_AFTER]) {
		report_presence(dev->d, &s.topic, &r);
		return;
	}
	if (layout == &vk_lvm_device_layout && length_follows(dev))
		s.silent[0] = "totalBytes";
	if (layout == &vk_fs_descriptor_layout) {
		s.silent[0] = dev->other_uuid ? "volInfo" : NULL;
		s.silent[1] = dev->other_snap ? "volInfoSnapID" : NULL;
	}
	learn(dev, &s);
	vk_diff_rows(dev->d, &s);
}

/* Names of member devices: entry by entry. */
static void compare_members(struct device *dev, const struct vk_place *place)
{
	uint8_t raw[VK_SIDES][VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];

	for (int side = 0; side < VK_SIDES; side++)
		if (vk_diff_read(dev->d, side, vk_add_sat(dev->base[side], place->offset_bytes), raw[side],
				 sizeof(raw[side])) < sizeof(raw[side]))
			return;
	for (unsigned i = 0; i < VK_LVM_SD_ENTRIES; i++) {
		const uint32_t from = i * VK_LVM_SD_BYTES;
		const uint64_t at[VK_SIDES] = {vk_add_sat(dev->base[VK_BEFORE], place->offset_bytes + from),
					       vk_add_sat(dev->base[VK_AFTER], place->offset_bytes + from)};
		char subject[40];
		const struct vk_diff_structure s = {.layout = place->element,
						    .topic = {.partition = dev->partition, .subject = subject},
						    .bytes = {raw[VK_BEFORE] + from, raw[VK_AFTER] + from},
						    .at = at,
						    .silent = {dev->other_lun ? "deviceName" : NULL}};

		snprintf(subject, sizeof(subject), "SD table, member device %u", i + 1);
		vk_diff_rows(dev->d, &s);
	}
}

static void compare_place(struct device *dev, const struct vk_vmfs *own, const struct vk_place *place)
{
	uint64_t at[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++)
		at[side] = vk_add_sat(dev->base[side], place->offset_bytes);
	if (place->layout != NULL)
		compare_structure(dev, place);
	else if (place->element == &vk_lvm_sd_layout)
		compare_members(dev, place);
	else if (place->element == &vk_heartbeat_layout)
		vk_diff_heartbeats(dev->d, dev->partition, at, own->heartbeats.geometry.heartbeat_offset,
				   place->length_bytes, place->stride_bytes);
	else /* PE bitmaps and tables */
		vk_diff_claim_both(dev->d, VK_CLAIM_EXTENTS, at, 0, place->length_bytes);
}

static bool has_place(const struct vk_vmfs *v, const struct vk_place *place)
{
	for (size_t i = 0; i < v->place_count; i++)
		if (v->places[i].offset_bytes == place->offset_bytes && v->places[i].layout == place->layout &&
		    v->places[i].element == place->element)
			return true;
	return false;
}

/*
 * Where only one side's table names it, whether the volume came or went is one change, not one for each structure.
 * Returns whether there is more to compare.
 */
static bool is_on_both(struct device *dev)
{
	struct reading r;
	struct vk_diff_told *told;

	read_both(dev, &vk_lvm_device_layout, VK_LVM_HEADER_OFFSET, &r);
	if ((dev->vmfs[VK_BEFORE] != NULL && dev->vmfs[VK_AFTER] != NULL) ||
	    (r.present[VK_BEFORE] && r.present[VK_AFTER]))
		return true;
	if (r.present[VK_BEFORE] != r.present[VK_AFTER] && r.held[VK_BEFORE] && r.held[VK_AFTER]) {
		told = vk_diff_told(dev->d, dev->partition);
		if (told != NULL)
			told->all = true;
	}
	return false;
}

static void compare_device(struct device *dev)
{
	const bool both = is_on_both(dev);
	const struct vk_vmfs *lists[] = {dev->best, dev->vmfs[VK_BEFORE], dev->vmfs[VK_AFTER]};

	for (size_t n = 0; n < sizeof(lists) / sizeof(lists[0]); n++)
		for (size_t i = 0; lists[n] != NULL && i < lists[n]->place_count && dev->d->status == VK_OK; i++) {
			const struct vk_place *place = &lists[n]->places[i];

			if ((n == 0 || (lists[n] != dev->best && !has_place(dev->best, place))) &&
			    (both || place->layout == &vk_lvm_device_layout))
				compare_place(dev, lists[n], place);
		}
}

static bool has_header(struct vk_differ *d, int side, uint64_t base)
{
	uint8_t magic[4];

	return vk_diff_read(d, side, vk_add_sat(base, VK_LVM_HEADER_OFFSET), magic, sizeof(magic)) == sizeof(magic) &&
	       vk_get_le32(magic) == VK_LVM_MAGIC;
}

/*
 * The table says that the partition begins elsewhere, which is told. Where the volume stayed, it is compared where
 * it is; where it went along, other things lie now at the same places.
 */
static void follow_move(struct device *dev)
{
	for (int stayed = 0; stayed < VK_SIDES; stayed++) {
		/* on the other side nothing begins where its table says, but where that of this side says */
		const int other = !stayed;

		if (has_header(dev->d, other, dev->base[other]) || !has_header(dev->d, other, dev->base[stayed]))
			continue;
		dev->base[other] = dev->base[stayed];
		dev->vmfs[other] = dev->best = dev->vmfs[stayed];
		return;
	}
	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_diff_told *told = vk_diff_told(dev->d, dev->vmfs[side]->partition);

		if (told != NULL)
			told->all = true;
	}
}

static void compare_pair(struct vk_differ *d, const void *of_before, const void *of_after)
{
	const struct vk_vmfs *before = of_before, *after = of_after;
	const struct vk_vmfs *first = before != NULL ? before : after;
	struct device dev = {.d = d, .vmfs = {before, after}, .best = first, .partition = first->partition};

	if (!first->lvm_usable && after != NULL && after->lvm_usable)
		dev.best = after;
	for (int side = 0; side < VK_SIDES; side++) {
		const int own = dev.vmfs[side] != NULL ? side : !side;

		dev.base[side] = vk_plan_base(d->side[own], dev.vmfs[own]);
	}
	if (before != NULL && after != NULL && dev.base[VK_BEFORE] != dev.base[VK_AFTER])
		follow_move(&dev);
	compare_device(&dev);
}

static struct vk_diff_key key_of(const struct vk_differ *d, int side, const void *item)
{
	const struct vk_vmfs *vmfs = item;

	return (struct vk_diff_key){vk_plan_base(d->side[side], vmfs), vmfs->partition};
}

void vk_diff_vmfs(struct vk_differ *d)
{
	struct vk_vmfs spare[VK_SIDES];
	struct vk_diff_lists lists = {.item_bytes = sizeof(struct vk_vmfs), .key_of = key_of, .compare = compare_pair};

	for (int side = 0; side < VK_SIDES; side++)
		lists.items[side] = vk_plan_partitions(d->side[side], &spare[side], &lists.counts[side]);
	vk_diff_pairs(d, &lists);
}
