/* SPDX-License-Identifier: Apache-2.0 */
/* What an LVM header and its volume descriptors must say for each other. One test per finding. */
#include <string.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "disk/field_check.h"
#include "vmfskit/lvm.h"

bool vk_lvm_version_known(uint32_t major)
{
	return major >= 3 && major <= 6;
}

bool vk_lvm_data_offset_sound(uint64_t offset)
{
	return offset >= 0x1000000 && offset % 4096 == 0;
}

bool vk_lvm_block_size_sound(uint32_t size)
{
	return size == 512 || size == 4096;
}

bool vk_lvm_total_bytes_sound(const struct vk_lvm_device *d)
{
	/* an impossible dataOffset is a finding of its own */
	uint64_t least = vk_lvm_data_offset_sound(d->dataOffset) ? d->dataOffset : 0;

	return d->totalBytes > least && d->totalBytes % 512 == 0;
}

bool vk_lvm_device_usable(const struct vk_lvm_device *device, size_t seen_bytes)
{
	return seen_bytes >= VK_LVM_DEVICE_BYTES && device->magic == VK_LVM_MAGIC &&
	       vk_lvm_version_known(device->majorVersion) && vk_lvm_data_offset_sound(device->dataOffset) &&
	       vk_lvm_total_bytes_sound(device);
}

static void check_sizes(const struct vk_lvm_device *d, uint64_t partition_bytes, const struct vk_checked *c)
{
	if (!vk_lvm_block_size_sound(d->diskBlockSize))
		vk_checked_say(c, VK_F_LVM_BLOCK_SIZE, "diskBlockSize", "the LVM header gives an impossible block size",
			       VK_NUMBER(d->diskBlockSize), "512 or 4096");
	if (!vk_lvm_data_offset_sound(d->dataOffset))
		vk_checked_say(c, VK_F_LVM_DATA_OFFSET, "dataOffset",
			       "the LVM header gives an impossible place for its data", VK_NUMBER(d->dataOffset),
			       "a multiple of 4096 from 16777216 on");
	else if (d->dataOffset != VK_LVM_DATA_OFFSET)
		vk_checked_say(c, VK_F_LVM_DATA_OFFSET_UNUSUAL, "dataOffset", "the data begins at an unusual place",
			       VK_NUMBER(d->dataOffset), VK_NUMBER(VK_LVM_DATA_OFFSET));
	if (!vk_lvm_total_bytes_sound(d))
		vk_checked_say(c, VK_F_LVM_TOTAL_BYTES, "totalBytes", "the LVM header gives an impossible length",
			       VK_NUMBER(d->totalBytes), "whole sectors, more than dataOffset");
	else if (partition_bytes != 0 && d->totalBytes != partition_bytes)
		vk_checked_say(c, VK_F_TABLE_LENGTH, "totalBytes",
			       "the partition has another length than its LVM header records",
			       vk_phrase("partition of %llu bytes", (unsigned long long)partition_bytes).text,
			       vk_phrase("%llu bytes (%llu sectors of 512)", (unsigned long long)d->totalBytes,
					 (unsigned long long)(d->totalBytes / 512))
				       .text);
}

static void check_extents(const struct vk_lvm_device *d, const struct vk_checked *c)
{
	/* LVM6 counts the entries of its PE table in numPEs, and units of 256 MiB here */
	bool fixed = vk_lvm_fixed_pes(d);
	uint32_t units = fixed ? d->numPEs : d->numPEs6;

	if (!fixed && d->majorVersion != 6)
		return;
	if (vk_lvm_total_bytes_sound(d) && vk_lvm_data_offset_sound(d->dataOffset) &&
	    units != (d->totalBytes - d->dataOffset) / VK_LVM_PE_BYTES &&
	    d->extDevMetadataOffset == 0)
		vk_checked_say(c, VK_F_LVM_NUM_PES, fixed ? "numPEs" : "numPEs6",
			       "the number of physical extents does not follow from the length", VK_NUMBER(units),
			       VK_NUMBER((d->totalBytes - d->dataOffset) / VK_LVM_PE_BYTES));
	if (d->numPEs != 0 && d->lastPEIndex != d->numPEs - 1)
		vk_checked_say(c, VK_F_LVM_LAST_PE, "lastPEIndex", "lastPEIndex does not follow from numPEs",
			       VK_NUMBER(d->lastPEIndex), VK_NUMBER(d->numPEs - 1ULL));
}

static void check_identity(const struct vk_lvm_device *d, const struct vk_checked *c)
{
	struct vk_vmfs_uuid_parts id;

	vk_vmfs_uuid_decode(&d->devID, &id);
	if (d->initTimeUS / 1000000 != id.timeLo)
		vk_checked_say(c, VK_F_LVM_INIT_TIME, "initTimeUS",
			       "the creation time is not the second in the device UUID",
			       VK_NUMBER(d->initTimeUS / 1000000), VK_NUMBER(id.timeLo));
	if (!vk_vmfs_uuid_is_nil(&d->lockedBy))
		vk_checked_say(c, VK_F_LVM_LOCKED, "lockedBy", "a host is recorded as holding the LVM lock",
			       vk_vmfs_uuid_text(&d->lockedBy).text, NULL);
}

void vk_lvm_device_check(const struct vk_lvm_device *device, size_t seen_bytes,
			 uint64_t partition_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink)
{
	const struct vk_checked c = {&vk_lvm_device_layout, seen_bytes, offset_bytes, sink};
	uint32_t volumes_max = device->majorVersion == 6 ? 1 : 512;
	struct vk_lvm_geometry geometry;

	if (device->magic != VK_LVM_MAGIC) {
		vk_checked_say(&c, VK_F_LVM_MAGIC, "magic", "no LVM header where one should be",
			       VK_HEX32(device->magic), VK_HEX32(VK_LVM_MAGIC));
		return;
	}
	if (!vk_lvm_version_known(device->majorVersion))
		vk_checked_say(&c, VK_F_LVM_VERSION, "majorVersion", "the LVM version is not known",
			       VK_NUMBER(device->majorVersion), "3, 4, 5 or 6");
	check_sizes(device, partition_bytes, &c);
	check_extents(device, &c);
	check_identity(device, &c);
	if (device->numVolumes > volumes_max)
		vk_checked_say(&c, VK_F_LVM_NUM_VOLUMES, "numVolumes", "more volumes than the volume table holds",
			       VK_NUMBER(device->numVolumes), volumes_max == 1 ? "0 or 1" : "at most 512");
	else if (device->numVolumes == 0)
		vk_checked_say(&c, VK_F_LVM_NO_VOLUME, "numVolumes", "the device carries no volume", VK_NUMBER(0),
			       "1");
	if (vk_lvm_fixed_pes(device) && vk_lvm_version_known(device->majorVersion) && device->mdAlignment != 0)
		vk_checked_say(&c, VK_F_LVM_MD_ALIGNMENT, "mdAlignment", "only LVM 6 has an alignment of its tables",
			       VK_NUMBER(device->mdAlignment), VK_NUMBER(0));
	if (device->majorVersion == 6 && !vk_lvm_geometry(device, VK_LVM_HEADER_OFFSET, &geometry))
		vk_checked_say(&c, VK_F_LVM_MD_ALIGNMENT, "mdAlignment",
			       "the alignment of the LVM6 tables is impossible", VK_NUMBER(device->mdAlignment),
			       "a power of two from 512 to 65536, normally 4096");
	if (seen_bytes >= VK_LVM_DEVICE_BYTES)
		vk_scsi_disk_id_check(&device->diskID, offset_bytes + 0x0C, sink);
}

/* Text, and zeros behind it. */
static bool is_text(const uint8_t *name, size_t len)
{
	size_t at = 0;

	while (at < len && name[at] != 0) {
		uint32_t c;
		size_t n = vk_utf8_decode(name + at, len - at, &c);

		if (n == 0 || vk_utf8_steers(c))
			return false;
		at += n;
	}
	return at > 0 && vk_all_zero(name + at, len - at);
}

/*
 * Whether the name is, or was, the text of a UUID: this one, when as many characters in a row are as two of its parts
 * have, or any, when it has the form of one. What else it may be somebody chose.
 */
static bool was_uuid_text(const uint8_t *name, const char uuid[VK_VMFS_UUID_TEXT_BYTES])
{
	enum { ROW_MIN = 8, DIGITS_MIN = 24, DASHES_MIN = 2 };
	unsigned row = 0, longest = 0, dashes = 0, digits = 0;

	for (size_t i = 0; i < VK_VMFS_UUID_TEXT_BYTES - 1; i++) {
		row = name[i] == (uint8_t)uuid[i] ? row + 1 : 0;
		longest = row > longest ? row : longest;
		if (uuid[i] == '-')
			dashes += name[i] == '-';
		else
			digits += vk_hex_digit((char)name[i]) >= 0;
	}
	return longest >= ROW_MIN || (dashes >= DASHES_MIN && digits >= DIGITS_MIN);
}

static void check_volume_name(const struct vk_lvm_volume *v, const struct vk_checked *c)
{
	bool text = is_text(v->name, sizeof(v->name));
	char uuid[VK_VMFS_UUID_TEXT_BYTES], seen[120];

	vk_vmfs_uuid_format(&v->uuid, uuid);
	if (!vk_checked_held(c, "uuid") || (text && memcmp(v->name, uuid, sizeof(uuid)) == 0))
		return;
	vk_label_into(seen, sizeof(seen), v->name, sizeof(v->name));
	if (text && !was_uuid_text(v->name, uuid))
		vk_checked_say(c, VK_F_VOLUME_NAME, "name", "the volume's name is not its UUID", seen, uuid);
	else
		vk_checked_say(c, VK_F_VOLUME_NAME_DAMAGED, "name", text ?
			       "the volume's name is the text of another UUID than its own: name or uuid is damaged" :
			       "the volume's name is no text", seen, uuid);
}

static void check_volume_extents(const struct vk_lvm_volume *v, const struct vk_lvm_device *device,
				 const struct vk_checked *c)
{
	uint64_t pes = v->lastPE - v->firstPE + 1;
	uint64_t bytes = v->numPEs * VK_LVM_PE_BYTES;

	if (vk_checked_held(c, "lastPE") && (pes != v->numPEs || v->lastPE < v->firstPE) && v->numPEs != 0)
		vk_checked_say(c, VK_F_VOLUME_PE_COUNT, "numPEs",
			       "the volume's first and last extent do not fit their number", VK_NUMBER(v->numPEs),
			       VK_NUMBER(pes));
	else if (vk_lvm_device_usable(device, VK_LVM_DEVICE_BYTES) && bytes > device->totalBytes)
		vk_checked_say(c, VK_F_VOLUME_PE_COUNT, "numPEs",
			       "the volume claims more extents than the device holds", VK_NUMBER(v->numPEs),
			       "what fits totalBytes");
	/* not held, numDevs is 0; of several devices only all together make up the size */
	if (v->numDevs == 1 && v->logicalSize != bytes)
		vk_checked_say(c, VK_F_VOLUME_SIZE, "logicalSize", "the volume's size is not that of its extents",
			       VK_NUMBER(v->logicalSize), VK_NUMBER(bytes));
	/* the header's two numbers outvote this one only when they agree */
	if (device->majorVersion == 6 && vk_lvm_device_usable(device, VK_LVM_DEVICE_BYTES) &&
	    vk_checked_held(c, "consumedPEs") && device->lastPEIndex == device->numPEs - 1 &&
	    v->consumedPEs != device->numPEs)
		vk_checked_say(c, VK_F_VOLUME_PE_COUNT, "consumedPEs",
			       "the volume has another number of entries in the PE table than the LVM header says",
			       VK_NUMBER(v->consumedPEs), VK_NUMBER(device->numPEs));
}

void vk_lvm_volume_check(const struct vk_lvm_volume *volume, const struct vk_lvm_device *device,
			 size_t seen_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink)
{
	const struct vk_checked c = {&vk_lvm_volume_layout, seen_bytes, offset_bytes, sink};
	const char *state = vk_view_name(VK_VIEW_VOL_STATE, volume->state);
	uint64_t created = volume->creationTimeUS / 1000000;
	struct vk_vmfs_uuid_parts id;

	if (volume->state != VK_LVM_NORMAL)
		vk_checked_say(&c, VK_F_VOLUME_STATE, "state", "the volume is not in its normal state",
			       vk_phrase("%u (%s)", volume->state, state == NULL ? "unknown" : state).text,
			       "1 (LVM_NORMAL)");
	check_volume_name(volume, &c);
	check_volume_extents(volume, device, &c);
	vk_vmfs_uuid_decode(&volume->uuid, &id);
	if (!vk_same_event(created, id.timeLo))
		vk_checked_say(&c, VK_F_VOLUME_TIME, "creationTimeUS",
			       "creation time and volume UUID name different times", VK_NUMBER(created),
			       VK_NUMBER(id.timeLo));
}

/*
 * What an id says that ESX makes for a LUN of this name; there is none for eui., and of t10. the name says too little.
 */
static bool is_id_of(const struct vk_scsi_disk_id *id, const char *name)
{
	struct vk_scsi_disk_id named;
	size_t tail;

	if (vk_scsi_disk_id_from_name(name, NULL, 0, &named) != VK_OK || vk_scsi_disk_id_same_lun(id, &named))
		return true;
	vk_scsi_disk_id_shorten(&named);
	tail = named.type == VK_SCSI_ID_NAA ? VK_SCSI_MODEL_TAIL_BYTES : 0;
	return id->type == named.type && id->len == named.len && memcmp(id->id, named.id, named.len - tail) == 0;
}

void vk_lvm_sd_check(const struct vk_lvm_sd *first, const struct vk_lvm_device *device, uint64_t offset_bytes,
		     const struct vk_finding_sink *sink)
{
	const struct vk_checked c = {&vk_lvm_device_layout, VK_LVM_DEVICE_BYTES, offset_bytes, sink};
	char told[VK_SCSI_NAME_BYTES], own[VK_SCSI_NAME_BYTES];
	bool certain;

	if (!vk_lvm_sd_name(first, told) || is_id_of(&device->diskID, told))
		return;
	vk_scsi_disk_id_name(&device->diskID, own, &certain);
	vk_checked_say(&c, VK_F_LVM_DISK_ID_NAME, "diskID", "disk id and table of member devices name different LUNs",
		       own, vk_phrase("%s, as the table says", told).text);
}
