/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares VMFS partitions structure by structure. Each is read at the same place on both sides, so that a header
 * that makes no sense any more on one side does not hide what lies behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff_parts.h"
#include "store/plan.h"

/* One partition on both sides. */
struct device {
	struct vk_differ *d;
	const struct vk_vmfs *vmfs[VK_SIDES]; /* NULL: the table of that side does not name it */
	const struct vk_vmfs *best;           /* the side whose header is the better guide */
	unsigned partition;
	uint64_t base[VK_SIDES];
	bool header_compared;
	struct vk_diff_structure header;
	struct vk_diff_structure volume; /* the first */
	bool volume_compared;
};

static bool is_header(const uint8_t *bytes)
{
	return vk_get_le32(bytes) == VK_LVM_MAGIC;
}

static bool is_volume(const uint8_t *bytes)
{
	return !vk_all_zero(bytes, VK_LVM_VOLUME_BYTES);
}

static bool is_fs(const uint8_t *bytes)
{
	return vk_fs_magic_known(vk_get_le32(bytes));
}

static bool named(const struct vk_field *field, const char *name)
{
	return strcmp(field->name, name) == 0;
}

/* totalBytes is the partition's length, numPEs follow from it, and lastPEIndex from these. */
static bool header_follows(const struct vk_diff_structure *s, const struct vk_field *field)
{
	const struct device *dev = s->context;
	bool size = vk_diff_field_differs(s, "totalBytes");
	bool count = vk_diff_field_differs(s, "numPEs");

	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_lvm_device *h = &s->decoded[side].device;
		const struct vk_vmfs *v = dev->vmfs[side];

		size &= v != NULL && v->partition_bytes != 0;
		if (named(field, "totalBytes"))
			size = size && h->totalBytes == v->partition_bytes;
		else if (named(field, "numPEs"))
			size &= h->totalBytes >= h->dataOffset &&
				h->numPEs == (h->totalBytes - h->dataOffset) / VK_LVM_PE_BYTES;
		else if (named(field, "lastPEIndex"))
			count &= h->lastPEIndex == h->numPEs - 1;
	}
	if (named(field, "totalBytes"))
		return size && dev->vmfs[VK_BEFORE]->partition_bytes != dev->vmfs[VK_AFTER]->partition_bytes;
	return named(field, "numPEs") ? size : named(field, "lastPEIndex") && count;
}

/* The name repeats the UUID; numPEs is the distance of the extents; a volume on one device is as long as these. */
static bool volume_follows(const struct vk_diff_structure *s, const struct vk_field *field)
{
	bool extents = vk_diff_field_differs(s, "firstPE") || vk_diff_field_differs(s, "lastPE");
	bool uuid = vk_diff_field_differs(s, "uuid");

	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_lvm_volume *v = &s->decoded[side].volume;
		char text[VK_VMFS_UUID_TEXT_BYTES];

		vk_vmfs_uuid_format(&v->uuid, text);
		if (named(field, "name"))
			uuid &= memcmp(v->name, text, sizeof(text)) == 0;
		else
			extents &= v->lastPE >= v->firstPE && v->numPEs == v->lastPE - v->firstPE + 1;
		if (named(field, "logicalSize"))
			extents &= v->numDevs == 1 && v->logicalSize == v->numPEs * VK_LVM_PE_BYTES;
	}
	if (named(field, "name"))
		return uuid;
	return extents && (named(field, "numPEs") || named(field, "logicalSize"));
}

/* The descriptor repeats the identity of the volume that it lies in. */
static bool fs_follows(const struct vk_diff_structure *s, const struct vk_field *field)
{
	const struct device *dev = s->context;
	bool follows = dev->volume_compared;

	if (!named(field, "volInfo") && !named(field, "volInfoSnapID"))
		return false;
	for (int side = 0; side < VK_SIDES && follows; side++) {
		const struct vk_lvm_volume *v = &dev->volume.decoded[side].volume;
		const struct vk_fs_descriptor *fs = &s->decoded[side].fs;

		follows = named(field, "volInfo") ? vk_vmfs_uuid_equal(&fs->volInfo, &v->uuid)
						  : fs->volInfoSnapID == v->snapID;
	}
	return follows;
}

static void compare_header(struct device *dev)
{
	struct vk_diff_structure *s = &dev->header;

	*s = (struct vk_diff_structure){.layout = &vk_lvm_device_layout,
					.subject = "LVM device header",
					.partition = dev->partition,
					.is_one = is_header,
					.follows = header_follows,
					.context = dev};
	for (int side = 0; side < VK_SIDES; side++)
		s->at[side] = vk_add_sat(dev->base[side], VK_LVM_HEADER_OFFSET);
	dev->header_compared = vk_diff_structure(dev->d, s);
	if (dev->header_compared && (vk_diff_field_differs(s, "numPEs") || vk_diff_field_differs(s, "numPEs6")))
		vk_diff_number_add(dev->d, &dev->d->extents_told, dev->partition);
}

static void compare_volume(struct device *dev, size_t index, struct vk_diff_structure *s)
{
	char subject[48] = "LVM volume descriptor";

	if (index > 0)
		snprintf(subject, sizeof(subject), "LVM volume descriptor %zu", index);
	*s = (struct vk_diff_structure){.layout = &vk_lvm_volume_layout,
					.subject = subject,
					.partition = dev->partition,
					.is_one = is_volume,
					.follows = volume_follows};
	for (int side = 0; side < VK_SIDES; side++)
		s->at[side] = vk_add_sat(dev->base[side],
					 vk_add_sat(dev->best->geometry.volume_table,
						    index * VK_LVM_VOLUME_BYTES));
	if (vk_diff_structure(dev->d, s) &&
	    (vk_diff_field_differs(s, "firstPE") || vk_diff_field_differs(s, "lastPE") ||
	     vk_diff_field_differs(s, "numPEs")))
		vk_diff_number_add(dev->d, &dev->d->extents_told, dev->partition);
	if (index == 0)
		dev->volume_compared = s->present[VK_BEFORE] && s->present[VK_AFTER];
	s->subject = NULL;
}

/* Entries behind the last used one are not looked at: what changes there is told as bytes. */
static void compare_volumes(struct device *dev)
{
	size_t count = 1;

	for (int side = 0; side < VK_SIDES; side++)
		if (dev->vmfs[side] != NULL && dev->vmfs[side]->volume_count > count)
			count = dev->vmfs[side]->volume_count;
	compare_volume(dev, 0, &dev->volume);
	for (size_t i = 1; i < count && dev->d->status == VK_OK; i++) {
		struct vk_diff_structure s;

		compare_volume(dev, i, &s);
	}
}

/* The regions that continue the extent tables of devices over 16 TiB. */
static void compare_exts(struct device *dev)
{
	for (size_t i = 0; i < dev->best->ext_count && dev->d->status == VK_OK; i++) {
		struct vk_diff_structure s = {.layout = &vk_lvm_ext_layout,
					      .subject = "LVM extended metadata",
					      .partition = dev->partition,
					      .is_one = is_header};

		for (int side = 0; side < VK_SIDES; side++)
			s.at[side] = vk_add_sat(dev->base[side], dev->best->exts[i].offset_bytes);
		vk_diff_structure(dev->d, &s);
	}
}

/* "naa.600144f0...:1" of the disk that the header names: it changes with the disk id. */
static bool names_own_disk(const struct device *dev, int side, const char *member)
{
	char name[VK_SCSI_NAME_BYTES];
	size_t len;
	bool certain;

	if (!dev->header_compared)
		return false;
	vk_scsi_disk_id_name(&dev->header.decoded[side].device.diskID, name, &certain);
	len = strlen(name);
	return strncmp(member, name, len) == 0 && (member[len] == '\0' || member[len] == ':');
}

static bool follows_disk_id(const struct device *dev, char members[VK_SIDES][200])
{
	return names_own_disk(dev, VK_BEFORE, members[VK_BEFORE]) &&
	       names_own_disk(dev, VK_AFTER, members[VK_AFTER]) &&
	       !vk_scsi_disk_id_same_lun(&dev->header.decoded[VK_BEFORE].device.diskID,
					 &dev->header.decoded[VK_AFTER].device.diskID);
}

/* Names of member devices: the SD table of the head device. */
static void compare_members(struct device *dev)
{
	struct vk_differ *d = dev->d;
	uint64_t table = dev->best->geometry.sd_table;
	uint8_t raw[VK_SIDES][VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];
	uint64_t at[VK_SIDES];

	if (!dev->best->lvm_usable || dev->best->lvm.majorVersion < 5)
		return;
	for (int side = 0; side < VK_SIDES; side++) {
		at[side] = vk_add_sat(dev->base[side], table);
		if (vk_diff_read(d, side, at[side], raw[side], sizeof(raw[side])) < sizeof(raw[side]))
			return;
	}
	for (unsigned i = 0; i < VK_LVM_SD_ENTRIES; i++) {
		const uint32_t from = i * VK_LVM_SD_BYTES;
		struct vk_diff_topic topic = {.partition = dev->partition, .subject = "SD table"};
		char texts[VK_SIDES][200], field[40];

		snprintf(field, sizeof(field), "member device %u", i + 1);
		topic.field = field;
		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_text_label(&text, raw[side] + from, VK_LVM_SD_BYTES);
			if (text.len_bytes == 0)
				vk_text_put(&text, "none");
		}
		if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
			continue;
		if (!follows_disk_id(dev, texts))
			vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
		vk_diff_claim_both(d, VK_CLAIM_TOLD, at, from, VK_LVM_SD_BYTES);
	}
}

static void claim_extents(struct device *dev)
{
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *v = dev->vmfs[side];

		for (size_t i = 0; v != NULL && i < v->place_count; i++)
			if (v->places[i].element == &vk_lvm_pe_layout ||
			    strncmp(v->places[i].name, "PE bitmap", 9) == 0)
				vk_diff_claim(dev->d, VK_CLAIM_EXTENTS,
					      vk_add_sat(dev->base[side], v->places[i].offset_bytes),
					      v->places[i].length_bytes);
	}
}

static uint64_t fs_offset(const struct device *dev, int side)
{
	const struct vk_vmfs *own = dev->vmfs[side], *other = dev->vmfs[!side];

	if (own != NULL && own->fs_usable)
		return own->fs_offset_bytes;
	if (other != NULL && other->fs_usable)
		return other->fs_offset_bytes;
	return vk_add_sat(vk_plan_data_offset(dev->best), VK_FS_OFFSET);
}

static void compare_fs(struct device *dev)
{
	struct vk_diff_structure s = {.layout = &vk_fs_descriptor_layout,
				      .subject = "file-system descriptor",
				      .partition = dev->partition,
				      .is_one = is_fs,
				      .follows = fs_follows,
				      .context = dev};

	for (int side = 0; side < VK_SIDES; side++)
		s.at[side] = vk_add_sat(dev->base[side], fs_offset(dev, side));
	vk_diff_structure(dev->d, &s);
}

static void compare_beats(struct device *dev)
{
	const struct vk_vmfs *guide = dev->best;
	uint64_t at[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++)
		if (dev->vmfs[side] != NULL && dev->vmfs[side]->fs_usable && !guide->fs_usable)
			guide = dev->vmfs[side];
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *own = dev->vmfs[side] != NULL && dev->vmfs[side]->fs_usable
						    ? dev->vmfs[side] : guide;

		at[side] = vk_add_sat(dev->base[side], own->heartbeats.offset_bytes);
	}
	if (guide->fs_usable && guide->heartbeats.geometry.heartbeat_slot_bytes >= VK_HEARTBEAT_BYTES)
		vk_diff_heartbeats(dev->d, dev->partition, at, &guide->heartbeats.geometry);
}

/* Only one side's table names it: whether the volume came or went is one change, not one for each structure. */
static bool tell_single(struct device *dev)
{
	if (dev->vmfs[VK_BEFORE] != NULL && dev->vmfs[VK_AFTER] != NULL)
		return false;
	if (dev->header_compared)
		return false;
	if (dev->header.present[VK_BEFORE] != dev->header.present[VK_AFTER] &&
	    dev->header.held[VK_BEFORE] && dev->header.held[VK_AFTER])
		vk_diff_number_add(dev->d, &dev->d->moved, dev->partition);
	return true;
}

static void compare_device(struct device *dev)
{
	bool head = false;

	compare_header(dev);
	if (tell_single(dev))
		return;
	compare_volumes(dev);
	compare_exts(dev);
	compare_members(dev);
	claim_extents(dev);
	for (int side = 0; side < VK_SIDES; side++)
		head |= dev->vmfs[side] != NULL && dev->vmfs[side]->fs_expected;
	if (!head)
		return;
	compare_fs(dev);
	compare_beats(dev);
}

static bool has_header(struct vk_differ *d, int side, uint64_t base)
{
	uint8_t magic[4];

	return vk_diff_read(d, side, vk_add_sat(base, VK_LVM_HEADER_OFFSET), magic, sizeof(magic)) ==
		       sizeof(magic) && is_header(magic);
}

/*
 * The table says that the partition begins elsewhere, which is told. Where the volume stayed, it is compared where
 * it is; where it went along, other things lie now at the same places.
 */
static void follow_move(struct device *dev)
{
	struct vk_differ *d = dev->d;

	if (!has_header(d, VK_AFTER, dev->base[VK_AFTER]) && has_header(d, VK_AFTER, dev->base[VK_BEFORE])) {
		dev->base[VK_AFTER] = dev->base[VK_BEFORE];
		dev->vmfs[VK_AFTER] = dev->vmfs[VK_BEFORE];
		dev->best = dev->vmfs[VK_BEFORE];
	} else if (!has_header(d, VK_BEFORE, dev->base[VK_BEFORE]) &&
		   has_header(d, VK_BEFORE, dev->base[VK_AFTER])) {
		dev->base[VK_BEFORE] = dev->base[VK_AFTER];
		dev->vmfs[VK_BEFORE] = dev->vmfs[VK_AFTER];
		dev->best = dev->vmfs[VK_AFTER];
	} else {
		vk_diff_number_add(d, &d->moved, dev->vmfs[VK_BEFORE]->partition);
		vk_diff_number_add(d, &d->moved, dev->vmfs[VK_AFTER]->partition);
	}
}

static void compare_pair(struct vk_differ *d, const struct vk_vmfs *before, const struct vk_vmfs *after)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (dev == NULL) {
		d->status = vk_error_set(d->err, VK_NOMEM, d->side[VK_AFTER]->path,
					 "no memory for the comparison");
		return;
	}
	dev->d = d;
	dev->vmfs[VK_BEFORE] = before;
	dev->vmfs[VK_AFTER] = after;
	dev->best = before != NULL && (before->lvm_usable || after == NULL || !after->lvm_usable) ? before
												  : after;
	dev->partition = before != NULL ? before->partition : after->partition;
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *own = dev->vmfs[side] != NULL ? dev->vmfs[side] : dev->vmfs[!side];

		dev->base[side] = vk_plan_base(d->side[dev->vmfs[side] != NULL ? side : !side], own);
	}
	if (dev->base[VK_BEFORE] != dev->base[VK_AFTER])
		follow_move(dev);
	compare_device(dev);
	free(dev);
}

void vk_diff_vmfs(struct vk_differ *d)
{
	struct vk_diff_key *keys[VK_SIDES];
	size_t counts[VK_SIDES], count = 0;
	struct vk_diff_pair *pairs = NULL;
	const struct vk_vmfs *lists[VK_SIDES];
	struct vk_vmfs spare[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		lists[side] = vk_plan_partitions(d->side[side], &spare[side], &counts[side]);
		keys[side] = calloc(counts[side] + 1, sizeof(*keys[side]));
		for (size_t i = 0; keys[side] != NULL && i < counts[side]; i++)
			keys[side][i] = (struct vk_diff_key){
				vk_plan_base(d->side[side], &lists[side][i]),
				lists[side][i].partition, i};
	}
	if (keys[VK_BEFORE] != NULL && keys[VK_AFTER] != NULL && d->status == VK_OK)
		count = vk_diff_match(d, keys, counts, &pairs);
	else if (d->status == VK_OK)
		d->status = vk_error_set(d->err, VK_NOMEM, d->side[VK_AFTER]->path,
					 "no memory for the comparison");
	for (size_t i = 0; i < count && d->status == VK_OK; i++) {
		size_t before = pairs[i].index[VK_BEFORE], after = pairs[i].index[VK_AFTER];

		compare_pair(d, before == SIZE_MAX ? NULL : &lists[VK_BEFORE][before],
			     after == SIZE_MAX ? NULL : &lists[VK_AFTER][after]);
	}
	free(keys[VK_BEFORE]);
	free(keys[VK_AFTER]);
	free(pairs);
}
