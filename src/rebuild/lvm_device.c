/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the device header should say. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/lvm_case.h"

enum { MINOR_ESX35 = 16, MINOR_ESX4 = 17, MINOR_ESXI5 = 21, MINORS_MAX = 255 };

static bool has_vendor(const struct vk_lvm_device *d)
{
	return vk_all_zero(d->diskID.vendor, sizeof(d->diskID.vendor)) == false;
}

enum { CONFIG_LOCAL = 0x100 };

/* VMFS-L is marked three times: two of the descriptor's magic, its configuration and the header's own flags decide. */
static bool local_volume(const struct vk_lvm_case *c)
{
	bool magic = c->fs.magic == VK_FS_MAGIC_VMFSL || c->fs.magic == VK_FS_MAGIC_VMFS6L;
	bool configured = (c->fs.config & CONFIG_LOCAL) != 0;
	bool flagged = !c->device.rebuilt && c->d.flags == VK_LVM_FLAG_VMFSL;

	if (!c->fs_believed)
		return false;
	return magic + configured + flagged >= 2;
}

static unsigned fs_major(const struct vk_lvm_case *c)
{
	if (c->fs_believed)
		return c->fs.majorVersion;
	return vk_work_asked_major(c->work) != 0 ? c->work->options->fs_major : c->work->self.fs_major;
}

/* The LVM that the ESX had which made such a file system. */
static void make_version(struct vk_lvm_case *c)
{
	unsigned major = fs_major(c), lvm = 5, minor = MINOR_ESXI5;

	if (c->d.majorVersion != 0) /* of a capture */
		return;
	if (c->six) {
		lvm = 6;
	} else if (major == 4) {
		/* VMFS 3.31 with LVM 3.16 and 3.46 with 3.17 were seen; ESXi 5 writes LVM 5.21 for VMFS3, too */
		bool esx35 = !c->fs_believed || c->fs.minorVersion <= 31;

		lvm = c->fs_believed && c->fs.minorVersion >= 54 ? 5 : 3;
		minor = lvm == 5 ? MINOR_ESXI5 : esx35 ? MINOR_ESX35 : MINOR_ESX4;
	}
	vk_side_number(&c->device, "majorVersion", lvm, VK_FIELD_USUAL,
		       "the LVM seen with this version of the file system");
	vk_side_number(&c->device, "minorVersion", minor, VK_FIELD_USUAL,
		       "the LVM seen with this version of the file system");
}

static void mend_version(struct vk_lvm_case *c)
{
	const struct vk_lvm_device *d = &c->d0;
	unsigned three = 0, five = 0, major = c->d.majorVersion;

	three += d->minorVersion == MINOR_ESX35 || d->minorVersion == MINOR_ESX4;
	three += d->numPEMaps == 0;
	three += has_vendor(d);
	five += d->minorVersion == MINOR_ESXI5;
	five += d->numPEMaps == 1;
	five += fs_major(c) == 14;
	five += c->name_count > 0;
	if (c->six) {
		vk_side_number(&c->device, "majorVersion", 6, VK_FIELD_COMPUTED,
			       "the place of the volume descriptor");
	} else if (major < 3 || major > 5 || (major != 3 && three > five + 1)) {
		vk_side_number(&c->device, "majorVersion", three > five ? 3 : 5, VK_FIELD_USUAL,
			       "what goes with such a header: minor version, number of PE maps, vendor text");
	}
	major = c->d.majorVersion;
	if (c->d.minorVersion == d->minorVersion && major == 3 && has_vendor(d))
		vk_side_number(&c->device, "minorVersion", MINOR_ESX35, VK_FIELD_USUAL,
			       "only LVM 3.16 records vendor and model");
	else if (c->d.minorVersion > MINORS_MAX)
		vk_side_number(&c->device, "minorVersion", major == 3 ? MINOR_ESX4 : MINOR_ESXI5,
			       VK_FIELD_USUAL, "the one seen with that major version");
}

/* How well a second fits the other times of the volume. */
static unsigned rate_time(const struct vk_lvm_case *c, uint64_t seconds)
{
	uint64_t others[5] = {c->d.modTimeUS / 1000000, 0, 0, 0, 0};
	unsigned rate = 0;

	if (c->volume_believed) {
		others[1] = c->v.creationTimeUS / 1000000;
		others[2] = vk_uuid_seconds(&c->v.uuid);
	}
	if (c->fs_believed) {
		others[3] = c->fs.creationTime;
		others[4] = vk_uuid_seconds(&c->fs.uuid);
	}
	for (size_t i = 0; i < 5; i++)
		if (others[i] != 0)
			rate += seconds == others[i] ? 2 : vk_same_event(seconds, others[i]);
	return rate;
}

static void mend_identity(struct vk_lvm_case *c)
{
	uint64_t init = c->d.initTimeUS / 1000000;
	uint32_t seconds = vk_uuid_seconds(&c->d.devID);
	struct vk_vmfs_uuid id = c->d.devID;

	if (init != seconds) {
		unsigned by_init = init <= UINT32_MAX ? rate_time(c, init) : 0;
		unsigned by_id = rate_time(c, seconds);

		if (by_init > by_id) {
			vk_put_le32(id.b, (uint32_t)init);
			vk_side_bytes(&c->device, "devID", &id, VK_FIELD_COMPUTED,
				      "its first four bytes are the second of initTimeUS");
		} else if (by_id > by_init) {
			vk_side_number(&c->device, "initTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH,
				       "the second in devID; the microseconds are lost");
			vk_work_lost(c->work, "initTimeUS of the LVM header was damaged: the second is known from devID, "
				     "the microseconds are not.");
		} else {
			vk_work_lost(c->work, "initTimeUS and devID of the LVM header name different times, and it "
				     "cannot be told which is right: left as they are.");
		}
	}
	if (!vk_vmfs_uuid_equal(&c->d.devID, &c->d0.devID) && c->earlier == NULL)
		vk_work_lost(c->work, "Bytes 4 to 15 of devID are told by nothing else: if they were damaged, too, they still are.");
	if (c->d.modTimeUS / 1000000 > UINT32_MAX || c->d.modTimeUS + 1000000 < c->d.initTimeUS)
		vk_work_lost(c->work, "modTimeUS of the LVM header cannot be right, and nothing else tells it: left as it is.");
}

static void make_identity(struct vk_lvm_case *c)
{
	const char *from;
	uint32_t seconds = vk_lvm_made_at(c, &from);
	struct vk_vmfs_uuid id;

	if (!vk_vmfs_uuid_is_nil(&c->d.devID)) /* of a capture, or what is left */
		return;
	if (seconds == 0) {
		seconds = 1;
		from = "nobody tells it";
	}
	vk_lvm_fresh_uuid(c, "device", seconds, &id);
	vk_side_bytes(&c->device, "devID", &id, VK_FIELD_FRESH, "made new");
	vk_side_number(&c->device, "initTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_side_number(&c->device, "modTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_work_lost(c->work, "The UUID of the device (devID) and the times of its header survive nowhere: new ones were made.");
}

static void mend_sizes(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	struct vk_side *d = &c->device;
	enum vk_field_origin origin = z->pes_usual ? VK_FIELD_USUAL : VK_FIELD_COMPUTED;
	uint64_t maps = vk_min_u64((z->device_pes + VK_LVM_PES_PER_MAP - 1) / VK_LVM_PES_PER_MAP,
				   VK_LVM_MAPS_PER_REGION);

	vk_side_number(d, "dataOffset", z->data_offset,
		       z->offset_usual ? VK_FIELD_USUAL : VK_FIELD_COMPUTED, "%s", z->offset_from);
	if (z->pes_open)
		return;
	vk_side_number(d, "totalBytes", z->total_bytes, z->total_origin, "%s", z->total_from);
	if (c->six)
		return;
	vk_side_number(d, "numPEs", z->device_pes, origin, "%s", z->pes_from);
	vk_side_number(d, "lastPEIndex", z->device_pes - 1, origin, "%s", z->pes_from);
	if (c->d.numPEMaps != maps && !(c->d.majorVersion == 3 && maps == 1 && c->d.numPEMaps == 0))
		vk_side_number(d, "numPEMaps", c->d.majorVersion == 3 && maps == 1 ? 0 : maps,
			       c->d.majorVersion == 3 && maps == 1 ? VK_FIELD_USUAL : VK_FIELD_COMPUTED, "8192 extents to a map");
	if (!z->large)
		vk_side_number(d, "extDevMetadataOffset", 0, VK_FIELD_CONSTANT,
			       "up to 16 TiB there is no extended metadata");
	else if (c->ext_found_at != 0)
		vk_side_number(d, "extDevMetadataOffset", c->ext_found_at, VK_FIELD_COMPUTED,
			       "the extended metadata that begins where the extents of the main region end");
	else if (c->ext_count == 0)
		vk_work_lost(c->work, "The extended metadata of the device cannot be reached, and where it lay is not "
			     "known for certain: extDevMetadataOffset is left as it is.");
}

/* LVM6: which of the two numbers counts table entries is not settled, so both ways are taken for right. */
static void mend_six(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	bool sure = c->volume_believed, covered;
	uint64_t entries = vk_lvm_six_entries(c, &covered);
	uint64_t a = c->d.numPEs, b = c->d.numPEs6;
	struct vk_side *d = &c->device;

	vk_side_number(d, "mdAlignment", c->alignment, sure ? VK_FIELD_COMPUTED : VK_FIELD_USUAL, "%s",
		       sure ? "the place of the volume descriptor" : "every VMFS6 volume seen");
	if (c->d.numPEMaps == 0 || c->d.numPEMaps > VK_LVM_MAPS_PER_REGION)
		vk_side_number(d, "numPEMaps", 1, VK_FIELD_USUAL, "LVM6 needs one");
	if (c->ext_count == 0)
		vk_side_number(d, "extDevMetadataOffset", 0, VK_FIELD_USUAL, "LVM6 has no extended metadata");
	if (z->pes_open)
		return;
	if (!(a == entries && b == z->device_pes) && !(a == z->device_pes && (b == entries || b == 0))) {
		bool swapped = a == z->device_pes && !d->rebuilt;

		vk_side_number(d, "numPEs", swapped ? z->device_pes : entries, VK_FIELD_USUAL, "%s",
			       "entries of the PE table");
		vk_side_number(d, "numPEs6", swapped ? entries : z->device_pes, VK_FIELD_USUAL, "%s",
			       z->pes_from);
	}
	if (c->d.numPEs != 0)
		vk_side_number(d, "lastPEIndex", c->d.numPEs - 1ULL, VK_FIELD_USUAL, "numPEs - 1");
	if (c->d.flags > VK_LVM_FLAG_VMFSL || (c->fs_believed && c->d.flags != local_volume(c)))
		vk_side_number(d, "flags", local_volume(c) ? VK_LVM_FLAG_VMFSL : 0, VK_FIELD_USUAL,
			       "magic and config of the file-system descriptor");
}

/* A table entry that nobody filled does not count. */
static void mend_volume_count(struct vk_lvm_case *c)
{
	uint8_t second[VK_LVM_VOLUME_BYTES];

	if (c->d.numVolumes == 1)
		return;
	if (!c->six && !c->device.rebuilt &&
	    (!vk_work_get(c->work, c->volume_at + VK_LVM_VOLUME_BYTES, second, sizeof(second)) ||
	     !vk_all_zero(second, sizeof(second)))) {
		vk_work_lost(c->work, "numVolumes of the LVM header is %u and the second entry of the volume table is in "
			     "use: left as they are.", c->d.numVolumes);
		return;
	}
	vk_side_number(&c->device, "numVolumes", 1, VK_FIELD_COMPUTED,
		       "the volume table, which has one entry in use");
}

void vk_lvm_device_mend(struct vk_lvm_case *c)
{
	struct vk_side *d = &c->device;
	bool esx35;

	vk_side_number(d, "magic", VK_LVM_MAGIC, VK_FIELD_CONSTANT, "the magic of every LVM header");
	if (d->rebuilt)
		make_version(c);
	else
		mend_version(c);
	if (c->d.diskBlockSize != 512 && c->d.diskBlockSize != 4096)
		vk_side_number(d, "diskBlockSize",
			       c->fs_believed && c->fs.diskBlockSize == 4096 ? 4096 : 512,
			       c->fs_believed ? VK_FIELD_COPY : VK_FIELD_USUAL, "%s",
			       c->fs_believed ? "diskBlockSize of the file-system descriptor" : "every header seen");
	mend_sizes(c);
	mend_volume_count(c);
	if (d->rebuilt)
		make_identity(c);
	else
		mend_identity(c);
	if (c->six) {
		mend_six(c);
	} else {
		vk_side_number(d, "mdAlignment", 0, VK_FIELD_CONSTANT, "zero before LVM6");
		vk_side_number(d, "numPEs6", 0, VK_FIELD_CONSTANT, "zero before LVM6");
		vk_side_number(d, "flags", 0, VK_FIELD_CONSTANT, "zero before LVM6");
	}
	esx35 = c->d.majorVersion == 3 && c->d.minorVersion == MINOR_ESX35;
	if (d->rebuilt && c->d.generation == 0)
		vk_side_number(d, "generation", esx35 ? c->sizes.device_pes + 2 : 3, VK_FIELD_USUAL,
			       "headers of that LVM version after one creation");
	if (!vk_vmfs_uuid_is_nil(&c->d.lockedBy))
		vk_work_note(c->work, "The LVM header names a host that holds the lock of the metadata (lockedBy); nothing "
			     "else tells whether that is so.");
}
