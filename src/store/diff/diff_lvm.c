/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the LVM structures of a partition. Each is read at the same place on both sides, so that a header that
 * makes no sense any more on one side does not hide what lies behind it.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/diff_device.h"

bool vk_diff_is_lvm(const uint8_t *bytes)
{
	return vk_get_le32(bytes) == VK_LVM_MAGIC;
}

/* Nothing marks a descriptor: it is one as long as any part of it makes sense. */
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

static bool named(const struct vk_field *field, const char *name)
{
	return strcmp(field->name, name) == 0;
}

/* totalBytes is the partition's length, numPEs follow from it, and lastPEIndex from these. */
static bool header_follows(const struct vk_diff_structure *s, const struct vk_field *field)
{
	const struct vk_diff_device *dev = s->context;
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

void vk_diff_lvm_header(struct vk_diff_device *dev)
{
	struct vk_diff_structure *s = &dev->header;

	*s = (struct vk_diff_structure){.layout = &vk_lvm_device_layout,
					.subject = "LVM device header",
					.partition = dev->partition,
					.is_one = vk_diff_is_lvm,
					.follows = header_follows,
					.context = dev};
	for (int side = 0; side < VK_SIDES; side++)
		s->at[side] = vk_add_sat(dev->base[side], VK_LVM_HEADER_OFFSET);
	dev->header_compared = vk_diff_structure(dev->d, s);
	if (dev->header_compared && (vk_diff_field_differs(s, "numPEs") || vk_diff_field_differs(s, "numPEs6")))
		vk_diff_number_add(dev->d, &dev->d->extents_told, dev->partition);
}

static void compare_volume(struct vk_diff_device *dev, size_t index, struct vk_diff_structure *s)
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
static void compare_volumes(struct vk_diff_device *dev)
{
	size_t count = 1;

	for (int side = 0; side < VK_SIDES; side++)
		if (dev->vmfs[side] != NULL && dev->vmfs[side]->volume_count > count)
			count = dev->vmfs[side]->volume_count;
	if (dev->best->geometry.volume_table == 0)
		return;
	compare_volume(dev, 0, &dev->volume);
	for (size_t i = 1; i < count && dev->d->status == VK_OK; i++) {
		struct vk_diff_structure s;

		compare_volume(dev, i, &s);
	}
}

/* The regions that continue the extent tables of devices over 16 TiB. */
static void compare_exts(struct vk_diff_device *dev)
{
	for (size_t i = 0; i < dev->best->ext_count && dev->d->status == VK_OK; i++) {
		struct vk_diff_structure s = {.layout = &vk_lvm_ext_layout,
					      .subject = "LVM extended metadata",
					      .partition = dev->partition,
					      .is_one = vk_diff_is_lvm};

		for (int side = 0; side < VK_SIDES; side++)
			s.at[side] = vk_add_sat(dev->base[side], dev->best->exts[i].offset_bytes);
		vk_diff_structure(dev->d, &s);
	}
}

/* "naa.600144f0...:1" of the disk that the header names: it changes with the disk id. */
static bool names_own_disk(const struct vk_diff_device *dev, int side, const char *member)
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

static bool follows_disk_id(const struct vk_diff_device *dev, char members[VK_SIDES][200])
{
	return names_own_disk(dev, VK_BEFORE, members[VK_BEFORE]) &&
	       names_own_disk(dev, VK_AFTER, members[VK_AFTER]) &&
	       !vk_scsi_disk_id_same_lun(&dev->header.decoded[VK_BEFORE].device.diskID,
					 &dev->header.decoded[VK_AFTER].device.diskID);
}

/* Names of member devices: the SD table of the head device. */
static void compare_members(struct vk_diff_device *dev)
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

static void claim_extents(struct vk_diff_device *dev)
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

void vk_diff_lvm_tables(struct vk_diff_device *dev)
{
	compare_volumes(dev);
	compare_exts(dev);
	compare_members(dev);
	claim_extents(dev);
}
