/* SPDX-License-Identifier: Apache-2.0 */
/* What an LVM header and its volume descriptors must say for each other. One test per finding. */
#include <string.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "base/utf8.h"
#include "vmfskit/lvm.h"

/* What a check needs to say where and about what. */
struct place {
	const struct vk_layout *layout;
	size_t seen_bytes;
	uint64_t offset_bytes;
	const struct vk_finding_sink *sink;
};

/* A finding about one field, ready for seen and expected; false when the field is not in the source. */
static bool start(const struct place *p, struct vk_finding *f, enum vk_finding_code code,
		  const char *field_name, const char *message)
{
	const struct vk_field *field = vk_layout_field(p->layout, field_name);

	if (field == NULL || !vk_field_held(field, p->seen_bytes))
		return false;
	vk_finding_init(f, code, p->offset_bytes + field->offset, field->size, "%s", message);
	return true;
}

static void say_number(const struct place *p, enum vk_finding_code code, const char *field_name,
		       const char *message, uint64_t seen, const char *expected)
{
	struct vk_finding f;

	if (!start(p, &f, code, field_name, message))
		return;
	vk_finding_seen(&f, "%llu", (unsigned long long)seen);
	vk_finding_expected(&f, "%s", expected);
	vk_finding_put(p->sink, &f);
}

static void say_expected_number(const struct place *p, enum vk_finding_code code,
				const char *field_name, const char *message, uint64_t seen,
				uint64_t expected)
{
	struct vk_finding f;

	if (!start(p, &f, code, field_name, message))
		return;
	vk_finding_seen(&f, "%llu", (unsigned long long)seen);
	vk_finding_expected(&f, "%llu", (unsigned long long)expected);
	vk_finding_put(p->sink, &f);
}

static bool version_known(uint32_t major)
{
	return major >= 3 && major <= 6;
}

static bool data_offset_sound(uint64_t offset)
{
	return offset >= 0x1000000 && offset % 4096 == 0;
}

static bool total_sound(const struct vk_lvm_device *d)
{
	/* an impossible dataOffset is a finding of its own */
	uint64_t least = data_offset_sound(d->dataOffset) ? d->dataOffset : 0;

	return d->totalBytes > least && d->totalBytes % 512 == 0;
}

bool vk_lvm_device_usable(const struct vk_lvm_device *device, size_t seen_bytes)
{
	return seen_bytes >= VK_LVM_DEVICE_BYTES && device->magic == VK_LVM_MAGIC &&
	       version_known(device->majorVersion) && data_offset_sound(device->dataOffset) &&
	       total_sound(device);
}

static void check_sizes(const struct vk_lvm_device *d, uint64_t partition_bytes,
			const struct place *p)
{
	struct vk_finding f;

	if (d->diskBlockSize != 512 && d->diskBlockSize != 4096)
		say_number(p, VK_F_LVM_BLOCK_SIZE, "diskBlockSize",
			   "the LVM header gives an impossible block size", d->diskBlockSize,
			   "512 or 4096");
	if (!data_offset_sound(d->dataOffset))
		say_number(p, VK_F_LVM_DATA_OFFSET, "dataOffset",
			   "the LVM header gives an impossible place for its data", d->dataOffset,
			   "a multiple of 4096 from 16777216 on");
	else if (d->dataOffset != VK_LVM_DATA_OFFSET)
		say_expected_number(p, VK_F_LVM_DATA_OFFSET_UNUSUAL, "dataOffset",
				    "the data begins at an unusual place", d->dataOffset,
				    VK_LVM_DATA_OFFSET);
	if (!total_sound(d))
		say_number(p, VK_F_LVM_TOTAL_BYTES, "totalBytes",
			   "the LVM header gives an impossible length", d->totalBytes,
			   "whole sectors, more than dataOffset");
	if (partition_bytes == 0 || d->totalBytes == partition_bytes || !total_sound(d))
		return;
	if (!start(p, &f, VK_F_TABLE_LENGTH, "totalBytes",
		   "the partition has another length than its LVM header records"))
		return;
	vk_finding_seen(&f, "partition of %llu bytes", (unsigned long long)partition_bytes);
	vk_finding_expected(&f, "%llu bytes (%llu sectors of 512)", (unsigned long long)d->totalBytes,
			    (unsigned long long)(d->totalBytes / 512));
	vk_finding_put(p->sink, &f);
}

static void check_extents(const struct vk_lvm_device *d, const struct place *p)
{
	/* LVM6 counts the entries of its PE table in numPEs, and units of 256 MiB here */
	bool fixed = vk_lvm_fixed_pes(d);
	uint32_t units = fixed ? d->numPEs : d->numPEs6;

	if (!fixed && d->majorVersion != 6)
		return;
	if (total_sound(d) && data_offset_sound(d->dataOffset) &&
	    units != (d->totalBytes - d->dataOffset) / VK_LVM_PE_BYTES &&
	    d->extDevMetadataOffset == 0)
		say_expected_number(p, VK_F_LVM_NUM_PES, fixed ? "numPEs" : "numPEs6",
				    "the number of physical extents does not follow from the length",
				    units, (d->totalBytes - d->dataOffset) / VK_LVM_PE_BYTES);
	if (d->numPEs != 0 && d->lastPEIndex != d->numPEs - 1)
		say_expected_number(p, VK_F_LVM_LAST_PE, "lastPEIndex",
				    "lastPEIndex does not follow from numPEs", d->lastPEIndex,
				    d->numPEs - 1ULL);
}

static void check_identity(const struct vk_lvm_device *d, const struct place *p)
{
	struct vk_vmfs_uuid_parts id;
	struct vk_finding f;
	char host[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_decode(&d->devID, &id);
	if (d->initTimeUS / 1000000 != id.timeLo)
		say_expected_number(p, VK_F_LVM_INIT_TIME, "initTimeUS",
				    "the creation time is not the second in the device UUID",
				    d->initTimeUS / 1000000, id.timeLo);
	if (vk_vmfs_uuid_is_nil(&d->lockedBy) ||
	    !start(p, &f, VK_F_LVM_LOCKED, "lockedBy", "a host is recorded as holding the LVM lock"))
		return;
	vk_vmfs_uuid_format(&d->lockedBy, host);
	vk_finding_seen(&f, "%s", host);
	vk_finding_put(p->sink, &f);
}

void vk_lvm_device_check(const struct vk_lvm_device *device, size_t seen_bytes,
			 uint64_t partition_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink)
{
	const struct place p = {&vk_lvm_device_layout, seen_bytes, offset_bytes, sink};
	uint32_t volumes_max = device->majorVersion == 6 ? 1 : 512;
	struct vk_lvm_geometry geometry;
	struct vk_finding f;

	if (device->magic != VK_LVM_MAGIC) {
		if (!start(&p, &f, VK_F_LVM_MAGIC, "magic", "no LVM header where one should be"))
			return;
		vk_finding_seen(&f, "0x%08x", device->magic);
		vk_finding_expected(&f, "0x%08x", VK_LVM_MAGIC);
		vk_finding_put(sink, &f);
		return;
	}
	if (!version_known(device->majorVersion))
		say_number(&p, VK_F_LVM_VERSION, "majorVersion", "the LVM version is not known",
			   device->majorVersion, "3, 4, 5 or 6");
	check_sizes(device, partition_bytes, &p);
	check_extents(device, &p);
	check_identity(device, &p);
	if (device->numVolumes > volumes_max)
		say_number(&p, VK_F_LVM_NUM_VOLUMES, "numVolumes",
			   "more volumes than the volume table holds", device->numVolumes,
			   volumes_max == 1 ? "0 or 1" : "at most 512");
	else if (device->numVolumes == 0)
		say_number(&p, VK_F_LVM_NO_VOLUME, "numVolumes", "the device carries no volume", 0, "1");
	if (vk_lvm_fixed_pes(device) && version_known(device->majorVersion) && device->mdAlignment != 0)
		say_expected_number(&p, VK_F_LVM_MD_ALIGNMENT, "mdAlignment",
				    "only LVM 6 has an alignment of its tables", device->mdAlignment, 0);
	if (device->majorVersion == 6 && !vk_lvm_geometry(device, VK_LVM_HEADER_OFFSET, &geometry))
		say_number(&p, VK_F_LVM_MD_ALIGNMENT, "mdAlignment",
			   "the alignment of the LVM6 tables is impossible", device->mdAlignment,
			   "a power of two from 512 to 65536, normally 4096");
	if (seen_bytes >= VK_LVM_DEVICE_BYTES)
		vk_scsi_disk_id_check(&device->diskID, offset_bytes + 0x0C, sink);
}

/* How far apart two records of one event may be: the volume's UUID is made before its descriptor. */
enum { SAME_EVENT_SECONDS = 60 };

static void check_volume_time(const struct vk_lvm_volume *v, const struct place *p)
{
	struct vk_vmfs_uuid_parts id;
	uint64_t created = v->creationTimeUS / 1000000;
	uint64_t apart;

	vk_vmfs_uuid_decode(&v->uuid, &id);
	apart = created > id.timeLo ? created - id.timeLo : id.timeLo - created;
	if (apart > SAME_EVENT_SECONDS)
		say_expected_number(p, VK_F_VOLUME_TIME, "creationTimeUS",
				    "creation time and volume UUID name different times", created,
				    id.timeLo);
}

static bool held(const struct place *p, const char *field_name)
{
	const struct vk_field *field = vk_layout_field(p->layout, field_name);

	return field != NULL && vk_field_held(field, p->seen_bytes);
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
 * Whether the name is, or was, the text of a UUID: this one, when as many characters in a row are as two of its parts have,
 * or any, when it has the form of one. What else it may be somebody chose.
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

static void check_volume_name(const struct vk_lvm_volume *v, const struct place *p)
{
	char uuid[VK_VMFS_UUID_TEXT_BYTES];
	enum vk_finding_code code = VK_F_VOLUME_NAME_DAMAGED;
	const char *message = "the volume's name is the text of another UUID than its own: name or uuid is damaged";
	struct vk_finding f;
	struct vk_text seen;

	vk_vmfs_uuid_format(&v->uuid, uuid);
	if (!held(p, "uuid") || (memcmp(v->name, uuid, sizeof(uuid)) == 0 && is_text(v->name, sizeof(v->name))))
		return;
	if (!is_text(v->name, sizeof(v->name))) {
		message = "the volume's name is no text";
	} else if (!was_uuid_text(v->name, uuid)) {
		code = VK_F_VOLUME_NAME;
		message = "the volume's name is not its UUID";
	}
	if (!start(p, &f, code, "name", message))
		return;
	vk_text_init(&seen, f.seen, sizeof(f.seen));
	vk_text_label(&seen, v->name, sizeof(v->name));
	vk_finding_expected(&f, "%s", uuid);
	vk_finding_put(p->sink, &f);
}

static void check_volume_identity(const struct vk_lvm_volume *v, const struct place *p)
{
	const char *state = vk_view_name(VK_VIEW_VOL_STATE, v->state);
	struct vk_finding f;

	if (v->state != VK_LVM_NORMAL &&
	    start(p, &f, VK_F_VOLUME_STATE, "state", "the volume is not in its normal state")) {
		vk_finding_seen(&f, "%u (%s)", v->state, state == NULL ? "unknown" : state);
		vk_finding_expected(&f, "1 (LVM_NORMAL)");
		vk_finding_put(p->sink, &f);
	}
	check_volume_name(v, p);
}

static void check_volume_extents(const struct vk_lvm_volume *v, const struct vk_lvm_device *device,
				 const struct place *p)
{
	uint64_t pes = v->lastPE - v->firstPE + 1;
	uint64_t bytes = v->numPEs * VK_LVM_PE_BYTES;

	if (held(p, "lastPE") && (pes != v->numPEs || v->lastPE < v->firstPE) && v->numPEs != 0)
		say_expected_number(p, VK_F_VOLUME_PE_COUNT, "numPEs",
				    "the volume's first and last extent do not fit their number",
				    v->numPEs, pes);
	else if (vk_lvm_device_usable(device, VK_LVM_DEVICE_BYTES) && bytes > device->totalBytes)
		say_number(p, VK_F_VOLUME_PE_COUNT, "numPEs",
			   "the volume claims more extents than the device holds", v->numPEs,
			   "what fits totalBytes");
	/* not held, numDevs is 0; of several devices only all together make up the size */
	if (v->numDevs == 1 && v->logicalSize != bytes)
		say_expected_number(p, VK_F_VOLUME_SIZE, "logicalSize",
				    "the volume's size is not that of its extents", v->logicalSize,
				    bytes);
	/* the header's two numbers outvote this one only when they agree */
	if (device->majorVersion == 6 && vk_lvm_device_usable(device, VK_LVM_DEVICE_BYTES) && held(p, "consumedPEs") &&
	    device->lastPEIndex == device->numPEs - 1 && v->consumedPEs != device->numPEs)
		say_expected_number(p, VK_F_VOLUME_PE_COUNT, "consumedPEs",
				    "the volume has another number of entries in the PE table than the LVM header says",
				    v->consumedPEs, device->numPEs);
}

void vk_lvm_volume_check(const struct vk_lvm_volume *volume, const struct vk_lvm_device *device,
			 size_t seen_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink)
{
	const struct place p = {&vk_lvm_volume_layout, seen_bytes, offset_bytes, sink};

	check_volume_identity(volume, &p);
	check_volume_extents(volume, device, &p);
	check_volume_time(volume, &p);
}

/* What an id says that ESX makes for a LUN of this name; there is none for eui., and of t10. the name says too little. */
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
	const struct place p = {&vk_lvm_device_layout, VK_LVM_DEVICE_BYTES, offset_bytes, sink};
	char told[VK_SCSI_NAME_BYTES], own[VK_SCSI_NAME_BYTES];
	struct vk_finding f;
	bool certain;

	if (!vk_lvm_sd_name(first, told) || is_id_of(&device->diskID, told) ||
	    !start(&p, &f, VK_F_LVM_DISK_ID_NAME, "diskID", "disk id and table of member devices name different LUNs"))
		return;
	vk_scsi_disk_id_name(&device->diskID, own, &certain);
	vk_finding_seen(&f, "%s", own);
	vk_finding_expected(&f, "%s, as the table says", told);
	vk_finding_put(sink, &f);
}
