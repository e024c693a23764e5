/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the device header should say. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/lvm_case.h"

enum { MINOR_ESX35 = 16, MINOR_ESX4 = 17, MINOR_ESXI5 = 21, MINORS_MAX = 255 };

static bool has_vendor(const struct vk_lvm_device *d)
{
	return vk_all_zero(d->diskID.vendor, sizeof(d->diskID.vendor)) == false;
}

enum { CONFIG_LOCAL = 0x100 };

/*
 * VMFS-L is marked three times: two of the descriptor's magic, its configuration and the header's own flags decide.
 * Proved: both marks of the descriptor say so.
 */
static bool local_volume(const struct vk_lvm_case *c, bool *ret_proved)
{
	const struct vk_fs_descriptor *fs = c->fs_believed ? &c->fs : &c->doubtful;
	bool magic = fs->magic == VK_FS_MAGIC_VMFSL || fs->magic == VK_FS_MAGIC_VMFS6L;
	bool configured = (fs->config & CONFIG_LOCAL) != 0;
	bool flagged = !c->device.rebuilt && c->d.flags == VK_LVM_FLAG_VMFSL;

	*ret_proved = c->fs_believed && vk_fs_magic_known(c->fs.magic) && vk_told32(c->fs.config) &&
		magic == configured;
	if (c->fs_believed && !vk_fs_magic_known(fs->magic)) /* a mark less: it stays */
		return c->device.rebuilt ? configured : flagged;
	if (!c->fs_believed)
		return magic && configured;
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
	vk_mend_number(&c->device, "majorVersion", lvm, VK_FIELD_USUAL,
		       "the LVM seen with this version of the file system");
	vk_mend_number(&c->device, "minorVersion", minor, VK_FIELD_USUAL,
		       "the LVM seen with this version of the file system");
}

/* How many signs there are in a header that it is of LVM 3, and of LVM 5, its major version left aside. */
static void weigh_version(const struct vk_lvm_case *c, const struct vk_lvm_device *d, unsigned *ret_three,
			  unsigned *ret_five)
{
	*ret_three = (unsigned)(d->minorVersion == MINOR_ESX35 || d->minorVersion == MINOR_ESX4) +
		     (unsigned)(d->numPEMaps == 0) + (unsigned)has_vendor(d);
	*ret_five = (unsigned)(d->minorVersion == MINOR_ESXI5) + (unsigned)(d->numPEMaps == 1) +
		    (unsigned)(fs_major(c) == 14) + (unsigned)(c->name_count > 0);
}

static bool five(const struct vk_lvm_case *c, const struct vk_lvm_device *d)
{
	unsigned three_signs, five_signs;

	weigh_version(c, d, &three_signs, &five_signs);
	return d->majorVersion == 5 && five_signs >= 2 && five_signs > three_signs;
}

bool vk_lvm_five_proved(const struct vk_lvm_case *c)
{
	return c->six ? c->volume_believed : c->device_believed && five(c, &c->d0);
}

bool vk_lvm_five_likely(const struct vk_lvm_case *c)
{
	return c->six || (c->device.rebuilt && c->d.majorVersion >= 5) || five(c, &c->d);
}

static void mend_version(struct vk_lvm_case *c)
{
	const struct vk_lvm_device *d = &c->d0;
	unsigned three_signs, five_signs, major = c->d.majorVersion;

	weigh_version(c, d, &three_signs, &five_signs);
	if (c->six) {
		vk_mend_number(&c->device, "majorVersion", 6, vk_origin_if(c->volume_believed, VK_FIELD_COMPUTED),
			       "the place of the volume descriptor");
	} else if (major < 3 || major > 5 || (major != 3 && three_signs > five_signs + 1)) {
		vk_mend_number(&c->device, "majorVersion", three_signs > five_signs ? 3 : 5, VK_FIELD_USUAL,
			       "what goes with such a header: minor version, number of PE maps, vendor text");
	}
	major = c->d.majorVersion;
	if (c->d.minorVersion == d->minorVersion && major == 3 && has_vendor(d))
		vk_mend_number(&c->device, "minorVersion", MINOR_ESX35, VK_FIELD_USUAL,
			       "only LVM 3.16 records vendor and model");
	else if (c->d.minorVersion > MINORS_MAX)
		vk_mend_number(&c->device, "minorVersion", major == 3 ? MINOR_ESX4 : MINOR_ESXI5,
			       VK_FIELD_USUAL, "the one seen with that major version");
}

/* How many other times of the volume name exactly this second, and how many are of the same event. */
static void rate_time(const struct vk_lvm_case *c, uint64_t seconds, unsigned *ret_equal, unsigned *ret_near)
{
	uint64_t others[5] = {c->d.modTimeUS / 1000000, 0, 0, 0, 0};

	if (c->volume_believed) {
		others[1] = c->v0.creationTimeUS / 1000000;
		if (c->work->identity.proof[VK_UUID_TIME_LO] == VK_PART_PROVED)
			others[2] = vk_uuid_seconds(&c->work->identity.uuid);
	}
	if (c->fs_believed) {
		others[3] = c->fs.creationTime;
		others[4] = vk_uuid_seconds(&c->fs.uuid);
	}
	*ret_equal = 0;
	*ret_near = c->work->identity.proof[VK_UUID_TIME_LO] == VK_PART_LIKELY &&
		    vk_same_event(seconds, vk_uuid_seconds(&c->work->identity.uuid));
	for (size_t i = 0; i < 5; i++) {
		*ret_equal += others[i] != 0 && seconds == others[i];
		*ret_near += others[i] != 0 && vk_same_event(seconds, others[i]);
	}
}

/* Whether the rest of devID looks like that of this volume: the host that made the device made the volume. */
static bool host_agrees(const struct vk_lvm_case *c, const struct vk_vmfs_uuid *id)
{
	const uint8_t *mac = id->b + 10;

	return !vk_all_zero(mac, 6) && (memcmp(mac, c->work->identity.uuid.b + 10, 6) == 0 ||
					(c->fs_believed && memcmp(mac, c->fs.uuid.b + 10, 6) == 0));
}

/* devID is made in the second of initTimeUS. Only devID can be mended: the microseconds are told by nothing else. */
static void mend_identity(struct vk_lvm_case *c)
{
	uint64_t init = c->d.initTimeUS / 1000000;
	uint32_t seconds = vk_uuid_seconds(&c->d.devID);
	struct vk_vmfs_uuid id = c->d.devID;
	unsigned init_equal = 0, init_near = 0, id_equal, id_near;

	if (c->d.modTimeUS / 1000000 > UINT32_MAX || c->d.modTimeUS + 1000000 < c->d.initTimeUS)
		vk_work_lost(c->work, "modTimeUS of the LVM header cannot be right, and nothing else tells it: left as "
				      "it is.");
	if (init == seconds)
		return;
	rate_time(c, seconds, &id_equal, &id_near);
	if (init <= UINT32_MAX)
		rate_time(c, init, &init_equal, &init_near);
	if (init_equal > id_equal || (init_near > 0 && !vk_told32(seconds)) ||
	    (init_equal == id_equal && init_near > id_near)) {
		vk_put_le32(id.b, (uint32_t)init);
		vk_mend_bytes(&c->device, "devID", &id,
			      vk_origin_if(init_equal >= 2 && id_equal == 0 && host_agrees(c, &id), VK_FIELD_COMPUTED),
			      "its first four bytes are the second of initTimeUS");
		if (c->earlier == NULL)
			vk_work_lost(c->work, "Bytes 4 to 15 of devID are told by nothing else: if they were damaged, "
					      "too, they still are.");
	} else if (id_equal > init_equal || (id_equal == init_equal && id_near > init_near)) {
		vk_work_lost(c->work, "initTimeUS of the LVM header is damaged: it was in second %u, by devID; the "
				      "microseconds are told by nothing else. Left as it is.", seconds);
	} else {
		vk_work_lost(c->work, "initTimeUS and devID of the LVM header name different times, and it "
			     "cannot be told which is right: left as they are.");
	}
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
	vk_mend_bytes(&c->device, "devID", &id, VK_FIELD_FRESH, "made new");
	vk_mend_number(&c->device, "initTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_mend_number(&c->device, "modTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_work_lost(c->work, "The UUID of the device (devID) and the times of its header survive nowhere: new ones "
			      "were made.");
}

/* LVM3 to 5: one map to 8192 extents, and extended metadata behind 16 TiB. */
static void mend_maps(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	struct vk_mending *d = &c->device;
	bool three = c->d.majorVersion == 3;
	uint64_t maps = vk_min_u64((z->device_pes + VK_LVM_PES_PER_MAP - 1) / VK_LVM_PES_PER_MAP,
				   VK_LVM_MAPS_PER_REGION);

	if (c->d.numPEMaps != maps && !(three && maps == 1 && c->d.numPEMaps == 0))
		vk_mend_number(d, "numPEMaps", three && maps == 1 ? 0 : maps,
			       vk_origin_if(!(three && maps == 1) && z->device_proved && vk_lvm_five_proved(c),
					    VK_FIELD_COMPUTED),
			       "8192 extents to a map");
	if (!z->large)
		vk_mend_number(d, "extDevMetadataOffset", 0, vk_origin_if(z->device_proved, VK_FIELD_CONSTANT),
			       "up to 16 TiB there is no extended metadata");
	else if (c->ext_found_at != 0)
		vk_mend_number(d, "extDevMetadataOffset", c->ext_found_at,
			       vk_origin_if(z->device_proved, VK_FIELD_COMPUTED),
			       "the extended metadata that begins where the extents of the main region end");
	else if (c->ext_count == 0)
		vk_work_lost(c->work, "The extended metadata of the device cannot be reached, and where it lay is not "
			     "known for certain: extDevMetadataOffset is left as it is.");
}

static void mend_sizes(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	enum vk_field_origin origin = vk_origin_if(z->device_proved, VK_FIELD_COMPUTED);
	struct vk_mending *d = &c->device;

	vk_mend_number(d, "dataOffset", z->data_offset, vk_origin_if(z->offset_proved, VK_FIELD_COMPUTED), "%s",
		       z->offset_from);
	if (z->pes_open)
		return;
	vk_mend_number(d, "totalBytes", z->total_bytes, z->total_origin, "%s", z->total_from);
	if (c->six)
		return;
	vk_mend_number(d, "numPEs", z->device_pes, origin, "%s", z->pes_from);
	vk_mend_number(d, "lastPEIndex", z->device_pes - 1, origin, "%s", z->pes_from);
	mend_maps(c);
}

/* LVM6: numPEs counts the entries of the PE table, numPEs6 units of 256 MiB. */
static void mend_six(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	bool sure = c->volume_believed, local_proved;
	bool local = local_volume(c, &local_proved);
	enum vk_field_origin counted = vk_origin_if(z->entries_proved, VK_FIELD_COMPUTED);
	struct vk_mending *d = &c->device;

	vk_mend_number(d, "mdAlignment", c->alignment, vk_origin_if(sure, VK_FIELD_COMPUTED), "%s",
		       sure ? "the place of the volume descriptor" : "every VMFS6 volume seen");
	if (c->d.numPEMaps > VK_LVM_MAPS_PER_REGION)
		vk_mend_number(d, "numPEMaps", 0, VK_FIELD_USUAL, "the one LVM6 header seen");
	if (c->ext_count == 0)
		vk_mend_number(d, "extDevMetadataOffset", 0, VK_FIELD_USUAL, "LVM6 has no extended metadata");
	if (c->d.flags > VK_LVM_FLAG_VMFSL || ((c->fs_believed || local) && c->d.flags != local))
		vk_mend_number(d, "flags", local ? VK_LVM_FLAG_VMFSL : 0, vk_origin_if(local_proved, VK_FIELD_COPY),
			       "magic and config of the file-system descriptor");
	if (z->pes_open)
		return;
	vk_mend_number(d, "numPEs", z->entries, counted, "entries of the PE table");
	vk_mend_number(d, "lastPEIndex", z->entries - 1, counted, "entries of the PE table");
	vk_mend_number(d, "numPEs6", z->device_pes, vk_origin_if(z->device_proved, VK_FIELD_COMPUTED), "%s",
		       z->pes_from);
}

bool vk_lvm_one_volume(const struct vk_lvm_case *c)
{
	uint8_t second[VK_LVM_VOLUME_BYTES];

	return c->six || c->device.rebuilt || c->d.numVolumes == 1 ||
	       (vk_work_get(c->work, c->volume_at + VK_LVM_VOLUME_BYTES, second, sizeof(second)) &&
		vk_all_zero(second, sizeof(second)));
}

static void mend_volume_count(struct vk_lvm_case *c)
{
	if (c->d.numVolumes == 1)
		return;
	if (!vk_lvm_one_volume(c)) {
		vk_work_lost(c->work, "numVolumes of the LVM header is %u and the second entry of the volume table is "
				      "in use: left as they are.", c->d.numVolumes);
		return;
	}
	vk_mend_number(&c->device, "numVolumes", 1,
		       vk_origin_if((int)c->volume_believed + c->fs_believed + (c->survey.good > 0) >= 2,
				    VK_FIELD_COMPUTED),
		       "the volume table, which has one entry in use");
}

/* 512 in every header seen; another size must be that of the disk, too. */
static void mend_block_size(struct vk_lvm_case *c)
{
	uint32_t told = c->fs_believed && (c->fs.diskBlockSize == 512 || c->fs.diskBlockSize == 4096) ?
		c->fs.diskBlockSize : 0;

	if (c->d.diskBlockSize == 512 || c->d.diskBlockSize == 4096)
		return;
	vk_mend_number(&c->device, "diskBlockSize", told != 0 ? told : 512,
		       vk_origin_if(told == 512 || (told != 0 && told == c->work->sector_size), VK_FIELD_COPY), "%s",
		       told != 0 ? "diskBlockSize of the file-system descriptor" : "every header seen");
}

/* Before LVM6 these are zero; the place of the volume descriptor and the version tell which it is. */
static void mend_unused(struct vk_lvm_case *c)
{
	static const char *const names[] = {"mdAlignment", "numPEs6", "flags"};
	bool sure = c->volume_believed && c->device_believed && c->d0.majorVersion >= 3 && c->d0.majorVersion <= 5;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		vk_mend_number(&c->device, names[i], 0, vk_origin_if(sure, VK_FIELD_CONSTANT), "zero before LVM6");
}

void vk_lvm_device_mend(struct vk_lvm_case *c)
{
	struct vk_mending *d = &c->device;
	bool esx35;

	vk_mend_number(d, "magic", VK_LVM_MAGIC, VK_FIELD_CONSTANT, "the magic of every LVM header");
	if (d->rebuilt)
		make_version(c);
	else
		mend_version(c);
	mend_block_size(c);
	mend_sizes(c);
	mend_volume_count(c);
	if (d->rebuilt)
		make_identity(c);
	else
		mend_identity(c);
	if (c->six)
		mend_six(c);
	else
		mend_unused(c);
	esx35 = c->d.majorVersion == 3 && c->d.minorVersion == MINOR_ESX35;
	if (d->rebuilt && c->d.generation == 0)
		vk_mend_number(d, "generation", esx35 ? c->sizes.device_pes + 2 : 3, VK_FIELD_USUAL,
			       "headers of that LVM version after one creation");
	if (!vk_vmfs_uuid_is_nil(&c->d.lockedBy))
		vk_work_note(c->work, "The LVM header names a host that holds the lock of the metadata (lockedBy); "
				      "nothing else tells whether that is so.");
}
