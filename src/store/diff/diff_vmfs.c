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

enum { PIECE_BYTES = 64 << 10, HOSTS_MAX = 64 };

/* One partition on both sides. */
struct device {
	struct vk_differ *d;
	const struct vk_vmfs *vmfs[VK_SIDES]; /* NULL: the table of that side does not name it */
	unsigned partition;
	uint64_t base[VK_SIDES];
	bool other_lun;    /* the header names another LUN than before: the table of device names follows */
	bool other_uuid;   /* of the volume: the file-system descriptor follows */
	bool other_snap;
	bool other_extents; /* a field said that their number changed: the PE tables follow */
};

/* A structure on both sides, as it was read. */
struct reading {
	uint8_t bytes[VK_SIDES][512];
	uint64_t at[VK_SIDES];
	bool held[VK_SIDES];
	bool present[VK_SIDES];
};

static bool is_one(const struct vk_layout *layout, const uint8_t *bytes)
{
	struct vk_lvm_volume v;

	if (layout == &vk_fs_descriptor_layout)
		return vk_fs_magic_known(vk_get_le32(bytes));
	if (layout != &vk_lvm_volume_layout)
		return vk_get_le32(bytes) == VK_LVM_MAGIC;
	/* nothing marks a volume descriptor: it is one as long as any part of it makes sense */
	if (vk_all_zero(bytes, VK_LVM_VOLUME_BYTES))
		return false;
	vk_lvm_volume_decode(bytes, VK_LVM_VOLUME_BYTES, &v);
	return v.state <= VK_LVM_SENTINEL ||
	       memcmp(v.name, vk_vmfs_uuid_text(&v.uuid).text, VK_VMFS_UUID_TEXT_BYTES) == 0 ||
	       (v.lastPE >= v.firstPE && v.numPEs == v.lastPE - v.firstPE + 1);
}

static void read_both(struct vk_differ *d, const struct vk_layout *layout, const uint64_t at[VK_SIDES],
		      struct reading *r)
{
	memset(r, 0, sizeof(*r));
	for (int side = 0; side < VK_SIDES; side++) {
		r->at[side] = at[side];
		r->held[side] = vk_diff_read(d, side, at[side], r->bytes[side], sizeof(r->bytes[side])) >= layout->size;
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

static void compare_structure(struct device *dev, const struct vk_place *place, const uint64_t at[VK_SIDES])
{
	static const char *const extents[] = {"numPEs", "numPEs6", "firstPE", "lastPE"};
	const struct vk_layout *layout = place->layout;
	const struct vk_vmfs *before = dev->vmfs[VK_BEFORE], *after = dev->vmfs[VK_AFTER];
	struct reading r;
	struct vk_diff_structure s = {
		.layout = layout,
		.topic = {.partition = dev->partition, .subject = place->name, .field = "structure"},
		.bytes = {r.bytes[VK_BEFORE], r.bytes[VK_AFTER]},
		.at = r.at};

	read_both(dev->d, layout, at, &r);
	if (!r.present[VK_BEFORE] || !r.present[VK_AFTER]) {
		report_presence(dev->d, &s.topic, &r);
		return;
	}
	if (layout == &vk_lvm_device_layout) {
		dev->other_lun = vk_diff_row_differs(&s, "diskID");
		/* the header's length is that of its partition, and when that changed the table says so */
		if (before != NULL && after != NULL && before->partition_bytes != after->partition_bytes &&
		    before->lvm.totalBytes == before->partition_bytes &&
		    after->lvm.totalBytes == after->partition_bytes)
			s.silent[0] = "totalBytes";
	} else if (layout == &vk_lvm_volume_layout) {
		dev->other_uuid = dev->other_uuid || vk_diff_row_differs(&s, "uuid");
		dev->other_snap = dev->other_snap || vk_diff_row_differs(&s, "snapID");
	} else if (layout == &vk_fs_descriptor_layout) {
		s.silent[0] = dev->other_uuid ? "volInfo" : NULL;
		s.silent[1] = dev->other_snap ? "volInfoSnapID" : NULL;
	}
	for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++)
		dev->other_extents = dev->other_extents || vk_diff_row_differs(&s, extents[i]);
	vk_diff_rows(dev->d, &s);
}

/* Names of member devices: entry by entry. */
static void compare_members(struct device *dev, const struct vk_place *place, const uint64_t base[VK_SIDES])
{
	uint8_t raw[VK_SIDES][VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];

	for (int side = 0; side < VK_SIDES; side++)
		if (vk_diff_read(dev->d, side, base[side], raw[side], sizeof(raw[side])) < sizeof(raw[side]))
			return;
	for (unsigned i = 0; i < VK_LVM_SD_ENTRIES; i++) {
		const uint32_t from = i * VK_LVM_SD_BYTES;
		const uint64_t at[VK_SIDES] = {vk_add_sat(base[VK_BEFORE], from), vk_add_sat(base[VK_AFTER], from)};
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

static void report_host(struct device *dev, const struct vk_heartbeat *hb, bool left, unsigned *told)
{
	const struct vk_diff_topic topic = {
		.partition = dev->partition, .subject = "heartbeats", .field = "host", .is_volatile = true};
	char name[VK_DIFF_TEXT_BYTES];
	struct vk_text text = vk_text_in(name, sizeof(name));

	/* of a region that is another one altogether some are enough */
	if (hb->state != VK_HB_IN_USE || (*told)++ >= HOSTS_MAX)
		return;
	vk_text_put(&text, vk_vmfs_uuid_text(&hb->owner).text);
	if (hb->ip[0] != 0) {
		vk_text_put(&text, " (");
		vk_text_label(&text, hb->ip, sizeof(hb->ip));
		vk_text_put(&text, ")");
	}
	vk_diff_report(dev->d, &topic, left ? name : "none", left ? "none" : name, "host %s %s", name,
		       left ? "left" : "appeared");
}

/* Which hosts came and left, how many slots changed, how many are damaged. volume_offset: that of slot 0. */
static void compare_heartbeats(struct device *dev, const struct vk_place *place, const uint64_t at[VK_SIDES],
			       uint64_t volume_offset)
{
	const uint32_t slot_bytes = place->stride_bytes;
	struct vk_diff_topic topic = {.partition = dev->partition, .subject = "heartbeats", .field = "damaged slots"};
	uint8_t pieces[VK_SIDES][PIECE_BYTES];
	uint64_t changed = 0, damaged[VK_SIDES] = {0, 0};
	uint64_t damage_changed = 0; /* slots that are damaged on one side only, or in another way */
	unsigned hosts = 0;
	size_t got = 0;

	vk_diff_claim_both(dev->d, VK_CLAIM_VOLATILE, at, 0, place->length_bytes);
	if (slot_bytes < VK_HEARTBEAT_BYTES || slot_bytes > PIECE_BYTES || PIECE_BYTES % slot_bytes != 0)
		return;
	for (uint64_t from = 0; from < place->length_bytes && dev->d->status == VK_OK; from += slot_bytes) {
		const size_t k = from % PIECE_BYTES;
		struct vk_heartbeat hb[VK_SIDES];
		bool is_damaged[VK_SIDES];

		if (k == 0)
			got = (size_t)vk_min_u64(PIECE_BYTES, place->length_bytes - from);
		for (int side = 0; side < VK_SIDES && k == 0; side++)
			got = vk_diff_read(dev->d, side, vk_add_sat(at[side], from), pieces[side], got);
		if (k + slot_bytes > got)
			continue;
		for (int side = 0; side < VK_SIDES; side++) {
			vk_heartbeat_decode(pieces[side] + k, slot_bytes, &hb[side]);
			is_damaged[side] = (hb[side].state != VK_HB_FREE && hb[side].state != VK_HB_IN_USE) ||
					   hb[side].addr != volume_offset + from;
			damaged[side] += is_damaged[side];
		}
		if (memcmp(pieces[VK_BEFORE] + k, pieces[VK_AFTER] + k, slot_bytes) == 0)
			continue;
		if (is_damaged[VK_BEFORE] || is_damaged[VK_AFTER]) {
			damage_changed++;
			vk_diff_claim_both(dev->d, VK_CLAIM_TOLD, at, from, slot_bytes);
			continue;
		}
		changed++;
		if (hb[VK_BEFORE].state == hb[VK_AFTER].state &&
		    vk_vmfs_uuid_equal(&hb[VK_BEFORE].owner, &hb[VK_AFTER].owner))
			continue;
		report_host(dev, &hb[VK_BEFORE], true, &hosts);
		report_host(dev, &hb[VK_AFTER], false, &hosts);
	}
	if (damage_changed > 0)
		vk_diff_report_number(dev->d, &topic, damaged[VK_BEFORE], damaged[VK_AFTER]);
	topic.is_volatile = true;
	topic.field = "slots";
	if (changed > 0)
		vk_diff_report(dev->d, &topic, "", "", "%llu slot%s changed", (unsigned long long)changed,
			       changed == 1 ? "" : "s");
}

static bool has_place(const struct vk_vmfs *v, const struct vk_place *place)
{
	for (size_t i = 0; i < v->place_count; i++)
		if (v->places[i].offset_bytes == place->offset_bytes && v->places[i].layout == place->layout &&
		    v->places[i].element == place->element)
			return true;
	return false;
}

/* The places of best, and those that only the other side has. */
static void compare_places(struct device *dev, const struct vk_vmfs *best)
{
	const struct vk_vmfs *lists[] = {best, dev->vmfs[best == dev->vmfs[VK_BEFORE] ? VK_AFTER : VK_BEFORE]};
	const uint64_t header[VK_SIDES] = {vk_add_sat(dev->base[VK_BEFORE], VK_LVM_HEADER_OFFSET),
					   vk_add_sat(dev->base[VK_AFTER], VK_LVM_HEADER_OFFSET)};
	struct reading r;
	bool both;

	/* where only one side's table names it, that it came or went is one change, not one for each structure */
	read_both(dev->d, &vk_lvm_device_layout, header, &r);
	both = (dev->vmfs[VK_BEFORE] != NULL && dev->vmfs[VK_AFTER] != NULL) ||
	       (r.present[VK_BEFORE] && r.present[VK_AFTER]);
	if (!both && r.present[VK_BEFORE] != r.present[VK_AFTER] && r.held[VK_BEFORE] && r.held[VK_AFTER])
		vk_diff_claim_partition(dev->d, dev->partition);
	for (size_t n = 0; n < 2 && lists[n] != NULL; n++)
		for (size_t i = 0; i < lists[n]->place_count && dev->d->status == VK_OK; i++) {
			const struct vk_place *place = &lists[n]->places[i];
			const uint64_t at[VK_SIDES] = {vk_add_sat(dev->base[VK_BEFORE], place->offset_bytes),
						       vk_add_sat(dev->base[VK_AFTER], place->offset_bytes)};

			if ((n == 1 && has_place(best, place)) || (!both && place->layout != &vk_lvm_device_layout))
				continue;
			if (place->layout != NULL)
				compare_structure(dev, place, at);
			else if (place->element == &vk_lvm_sd_layout)
				compare_members(dev, place, at);
			else if (place->element == &vk_heartbeat_layout)
				compare_heartbeats(dev, place, at, lists[n]->heartbeats.geometry.heartbeat_offset);
			else /* PE bitmaps and tables */
				vk_diff_claim_both(dev->d, dev->other_extents ? VK_CLAIM_TOLD : VK_CLAIM_EXTENTS, at, 0,
						   place->length_bytes);
		}
}

static bool has_header(struct vk_differ *d, int side, uint64_t base)
{
	uint8_t magic[4];

	return vk_diff_read(d, side, vk_add_sat(base, VK_LVM_HEADER_OFFSET), magic, sizeof(magic)) == sizeof(magic) &&
	       vk_get_le32(magic) == VK_LVM_MAGIC;
}

static void compare_pair(struct vk_differ *d, const void *of_before, const void *of_after)
{
	const struct vk_vmfs *before = of_before, *after = of_after;
	const struct vk_vmfs *first = before != NULL ? before : after;
	/* the side whose header is the better guide */
	const struct vk_vmfs *best = !first->lvm_usable && after != NULL && after->lvm_usable ? after : first;
	struct device dev = {.d = d, .vmfs = {before, after}, .partition = first->partition};
	bool stayed = before == NULL || after == NULL;

	for (int side = 0; side < VK_SIDES; side++) {
		const int own = dev.vmfs[side] != NULL ? side : !side;

		dev.base[side] = vk_plan_base(d->side[own], dev.vmfs[own]);
	}
	/*
	 * The table says that it begins elsewhere, which is told. Where the volume stayed (on the other side nothing
	 * begins where its table says, but where that of this side says), it is compared where it is; where it went
	 * along, other things lie now at the same places.
	 */
	for (int side = 0; side < VK_SIDES && dev.base[VK_BEFORE] != dev.base[VK_AFTER]; side++) {
		const int other = !side;

		if (has_header(d, other, dev.base[other]) || !has_header(d, other, dev.base[side]))
			continue;
		dev.base[other] = dev.base[side];
		dev.vmfs[other] = best = dev.vmfs[side];
		stayed = true;
	}
	for (int side = 0; side < VK_SIDES && !stayed && dev.base[VK_BEFORE] != dev.base[VK_AFTER]; side++)
		vk_diff_claim_partition(d, dev.vmfs[side]->partition);
	compare_places(&dev, best);
}

static uint64_t start_of(const struct vk_differ *d, int side, const void *item, unsigned *ret_number)
{
	const struct vk_vmfs *vmfs = item;

	*ret_number = vmfs->partition;
	return vk_plan_base(d->side[side], vmfs);
}

void vk_diff_vmfs(struct vk_differ *d)
{
	struct vk_vmfs spare[VK_SIDES];
	struct vk_diff_lists lists = {
		.item_bytes = sizeof(struct vk_vmfs), .start_of = start_of, .compare = compare_pair};

	for (int side = 0; side < VK_SIDES; side++)
		lists.items[side] = vk_plan_partitions(d->side[side], &spare[side], &lists.counts[side]);
	vk_diff_pairs(d, &lists);
}
