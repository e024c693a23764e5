/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the device header should say. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/header_work.h"

enum { MINOR_ESX35 = 16, MINOR_ESX4 = 17, MINOR_ESXI5 = 21, MINORS_MAX = 255 };

enum { CONFIG_LOCAL = 0x100 };

static unsigned fs_major(struct vk_header_work *c)
{
	if (c->fs_believed)
		return c->fs.majorVersion;
	return vk_work_asked_major(c) != 0 ? c->options->fs_major : c->self.fs_major;
}

/* The LVM that the ESX had which made such a file system. */
static void make_version(struct vk_header_work *c)
{
	static const char from[] = "the LVM seen with this version of the file system";
	unsigned lvm = c->six ? 6 : 5, minor = MINOR_ESXI5;

	if (c->d.majorVersion != 0) /* of a capture */
		return;
	/* VMFS 3.31 with LVM 3.16 and 3.46 with 3.17 were seen; ESXi 5 writes LVM 5.21 for VMFS3, too */
	if (!c->six && fs_major(c) == 4 && (!c->fs_believed || c->fs.minorVersion < 54)) {
		lvm = 3;
		minor = !c->fs_believed || c->fs.minorVersion <= 31 ? MINOR_ESX35 : MINOR_ESX4;
	}
	vk_mend_number(&c->device, "majorVersion", lvm, VK_FIELD_USUAL, from);
	vk_mend_number(&c->device, "minorVersion", minor, VK_FIELD_USUAL, from);
}

/* How many signs more there are in a header that it is of LVM 5 than of LVM 3, its major version left aside. */
static int five_signs(struct vk_header_work *c, const struct vk_lvm_device *d, int *ret_five)
{
	int three = (d->minorVersion == MINOR_ESX35 || d->minorVersion == MINOR_ESX4) + (d->numPEMaps == 0) +
		    !vk_all_zero(d->diskID.vendor, sizeof(d->diskID.vendor));

	*ret_five = (d->minorVersion == MINOR_ESXI5) + (d->numPEMaps == 1) + (fs_major(c) == VK_FS_VMFS5) +
		    (c->name_count > 0);
	return *ret_five - three;
}

static bool five(struct vk_header_work *c, const struct vk_lvm_device *d)
{
	int signs;

	return five_signs(c, d, &signs) > 0 && signs >= 2 && d->majorVersion == 5;
}

bool vk_lvm_five_likely(struct vk_header_work *c, bool *ret_proved)
{
	*ret_proved = c->six ? c->volume_believed : c->device_believed && five(c, &c->d0);
	return *ret_proved || c->six || (c->device.rebuilt && c->d.majorVersion >= 5) || five(c, &c->d);
}

static void mend_version(struct vk_header_work *c)
{
	unsigned major = c->d.majorVersion;
	int ignored, lead = five_signs(c, &c->d0, &ignored);

	if (c->six)
		vk_mend_number(&c->device, "majorVersion", 6, vk_origin_if(c->volume_believed, VK_FIELD_COMPUTED),
			       "the place of the volume descriptor");
	else if (major < 3 || major > 5 || (major != 3 && lead < -1))
		vk_mend_number(&c->device, "majorVersion", lead < 0 ? 3 : 5, VK_FIELD_USUAL,
			       "what goes with such a header: minor version, number of PE maps, vendor text");
	major = c->d.majorVersion;
	if (c->d.minorVersion == c->d0.minorVersion && major == 3 &&
	    !vk_all_zero(c->d0.diskID.vendor, sizeof(c->d0.diskID.vendor)))
		vk_mend_number(&c->device, "minorVersion", MINOR_ESX35, VK_FIELD_USUAL,
			       "only LVM 3.16 records vendor and model");
	else if (c->d.minorVersion > MINORS_MAX)
		vk_mend_number(&c->device, "minorVersion", major == 3 ? MINOR_ESX4 : MINOR_ESXI5,
			       VK_FIELD_USUAL, "the one seen with that major version");
}

/* How many other times of the volume name exactly this second, and how many are of the same event. */
static void rate_time(const struct vk_header_work *c, uint64_t seconds, unsigned *ret_equal, unsigned *ret_near)
{
	uint32_t drawn = vk_uuid_seconds(&c->identity.uuid);
	enum vk_part_proof proof = c->identity.proof[VK_UUID_TIME_LO];
	uint64_t others[5] = {c->d.modTimeUS / 1000000, c->volume_believed ? c->v0.creationTimeUS / 1000000 : 0,
			      c->volume_believed && proof == VK_PART_PROVED ? drawn : 0};

	if (c->fs_believed) {
		others[3] = c->fs.creationTime;
		others[4] = vk_uuid_seconds(&c->fs.uuid);
	}
	*ret_equal = 0;
	*ret_near = proof == VK_PART_LIKELY && vk_same_event(seconds, drawn);
	for (size_t i = 0; i < 5; i++) {
		*ret_equal += others[i] != 0 && seconds == others[i];
		*ret_near += others[i] != 0 && vk_same_event(seconds, others[i]);
	}
}

/* devID is made in the second of initTimeUS. Only devID can be mended: the microseconds are told by nothing else. */
static void mend_identity(struct vk_header_work *c)
{
	uint64_t init = c->d.initTimeUS / 1000000;
	uint32_t seconds = vk_uuid_seconds(&c->d.devID);
	struct vk_vmfs_uuid id = c->d.devID;
	const uint8_t *mac = id.b + 10;
	unsigned init_equal = 0, init_near = 0, id_equal, id_near;
	bool host_agrees;

	if (c->d.modTimeUS / 1000000 > UINT32_MAX || c->d.modTimeUS + 1000000 < c->d.initTimeUS)
		vk_work_lost(c, "modTimeUS of the LVM header cannot be right, and it has no copy: left as it is.");
	if (init == seconds)
		return;
	rate_time(c, seconds, &id_equal, &id_near);
	if (init <= UINT32_MAX)
		rate_time(c, init, &init_equal, &init_near);
	if (init_equal > id_equal || (init_near > 0 && !vk_told32(seconds)) ||
	    (init_equal == id_equal && init_near > id_near)) {
		/* the host that made the device made the volume */
		host_agrees = !vk_all_zero(mac, 6) && (memcmp(mac, c->identity.uuid.b + 10, 6) == 0 ||
						       (c->fs_believed && memcmp(mac, c->fs.uuid.b + 10, 6) == 0));
		vk_put_le32(id.b, (uint32_t)init);
		vk_mend_bytes(&c->device, "devID", &id,
			      vk_origin_if(init_equal >= 2 && id_equal == 0 && host_agrees, VK_FIELD_COMPUTED),
			      "its first four bytes are the second of initTimeUS");
		if (c->earlier == NULL)
			vk_work_lost(c, "bytes 4 to 15 of devID have no copy: if they were damaged, too, they still "
					"are.");
	} else if (id_equal > init_equal || (id_equal == init_equal && id_near > init_near)) {
		vk_work_lost(c, "initTimeUS of the LVM header is damaged: devID gives second %u; the microseconds "
				"have no copy. Left as it is.", seconds);
	} else {
		vk_work_lost(c, "initTimeUS and devID of the LVM header name different times, and which is right is "
				"not known: left as they are.");
	}
}

static void make_identity(struct vk_header_work *c)
{
	const char *from;
	uint32_t seconds = vk_lvm_made_at(c, &from);
	struct vk_vmfs_uuid id;

	if (!vk_vmfs_uuid_is_nil(&c->d.devID)) /* of a capture, or what is left */
		return;
	if (seconds == 0) {
		seconds = 1;
		from = "its value is not known";
	}
	vk_lvm_fresh_uuid(c, "device", seconds, &id);
	vk_mend_bytes(&c->device, "devID", &id, VK_FIELD_FRESH, "made new");
	vk_mend_number(&c->device, "initTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_mend_number(&c->device, "modTimeUS", seconds * 1000000ULL, VK_FIELD_FRESH, "%s", from);
	vk_work_lost(c, "the UUID of the device (devID) and the times of its header are lost: new ones were made.");
}

/*
 * LVM3 to 5: one map to 8192 extents, and extended metadata behind 16 TiB. What is only of LVM6 is zero; the place of
 * the volume descriptor and the version tell which it is.
 */
static void mend_five(struct vk_header_work *c)
{
	static const char *const of_six[] = {"mdAlignment", "numPEs6", "flags"};
	const struct vk_lvm_sizes *z = &c->sizes;
	uint64_t maps = vk_min_u64((z->device.value + VK_LVM_PES_PER_MAP - 1) / VK_LVM_PES_PER_MAP,
				   VK_LVM_MAPS_PER_REGION);
	bool one_of_three = c->d.majorVersion == 3 && maps == 1;
	bool sure = c->volume_believed && c->device_believed && c->d0.majorVersion >= 3 && c->d0.majorVersion <= 5;
	struct vk_mending *d = &c->device;
	bool proved;

	for (size_t i = 0; i < sizeof(of_six) / sizeof(of_six[0]); i++)
		vk_mend_number(d, of_six[i], 0, vk_origin_if(sure, VK_FIELD_CONSTANT), "zero before LVM6");
	if (z->pes_open)
		return;
	vk_mend_voted(d, "numPEs", &z->device, VK_FIELD_COMPUTED);
	vk_mend_number(d, "lastPEIndex", z->device.value - 1, vk_origin_if(z->device.proved, VK_FIELD_COMPUTED), "%s",
		       z->device.from);
	(void)vk_lvm_five_likely(c, &proved);
	if (c->d.numPEMaps != maps && !(one_of_three && c->d.numPEMaps == 0))
		vk_mend_number(d, "numPEMaps", one_of_three ? 0 : maps,
			       vk_origin_if(!one_of_three && z->device.proved && proved, VK_FIELD_COMPUTED),
			       "8192 extents to a map");
	if (!z->large)
		vk_mend_number(d, "extDevMetadataOffset", 0, vk_origin_if(z->device.proved, VK_FIELD_CONSTANT),
			       "up to 16 TiB there is no extended metadata");
	else if (c->ext_found_at != 0)
		vk_mend_number(d, "extDevMetadataOffset", c->ext_found_at,
			       vk_origin_if(z->device.proved, VK_FIELD_COMPUTED),
			       "the extended metadata that begins where the extents of the main region end");
	else if (c->ext_count == 0)
		vk_work_lost(c, "the extended metadata of the device cannot be reached, and where it lay is not known "
				"for certain: extDevMetadataOffset is left as it is.");
}

/* LVM6: numPEs counts the entries of the PE table, numPEs6 units of 256 MiB. */
static void mend_six(struct vk_header_work *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	const struct vk_fs_descriptor *fs = c->fs_believed ? &c->fs : &c->doubtful;
	bool sure = c->volume_believed, known = vk_fs_magic_known(fs->magic), local, local_proved;
	/* VMFS-L is marked three times: two of magic and configuration of the descriptor and the flags decide */
	bool magic = fs->magic == VK_FS_MAGIC_VMFSL || fs->magic == VK_FS_MAGIC_VMFS6L;
	bool configured = (fs->config & CONFIG_LOCAL) != 0;
	bool flagged = !c->device.rebuilt && c->d.flags == VK_LVM_FLAG_VMFSL;
	struct vk_mending *d = &c->device;

	local_proved = c->fs_believed && known && vk_told32(fs->config) && magic == configured;
	if (!c->fs_believed)
		local = magic && configured;
	else if (!known) /* a mark less: it stays */
		local = c->device.rebuilt ? configured : flagged;
	else
		local = magic + configured + flagged >= 2;
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
	vk_mend_voted(d, "numPEs", &z->entries, VK_FIELD_COMPUTED);
	vk_mend_number(d, "lastPEIndex", z->entries.value - 1, vk_origin_if(z->entries.proved, VK_FIELD_COMPUTED),
		       "%s", z->entries.from);
	vk_mend_voted(d, "numPEs6", &z->device, VK_FIELD_COMPUTED);
}

bool vk_lvm_one_volume(struct vk_header_work *c)
{
	uint8_t second[VK_LVM_VOLUME_BYTES];

	return c->six || c->device.rebuilt || c->d.numVolumes == 1 ||
	       (vk_work_get(c, c->volume_at + VK_LVM_VOLUME_BYTES, second, sizeof(second)) &&
		vk_all_zero(second, sizeof(second)));
}

static void mend_volume_count(struct vk_header_work *c)
{
	if (c->d.numVolumes == 1)
		return;
	if (!vk_lvm_one_volume(c))
		vk_work_lost(c, "numVolumes of the LVM header is %u and the second entry of the volume table is in "
				"use: left as they are.", c->d.numVolumes);
	else
		vk_mend_number(&c->device, "numVolumes", 1,
			       vk_origin_if((int)c->volume_believed + c->fs_believed + (c->survey.good > 0) >= 2,
					    VK_FIELD_COMPUTED),
			       "the volume table, which has one entry in use");
}

void vk_lvm_device_mend(struct vk_header_work *c)
{
	uint32_t block = c->fs_believed && vk_lvm_block_size_sound(c->fs.diskBlockSize) ? c->fs.diskBlockSize : 0;
	struct vk_mending *d = &c->device;

	vk_mend_number(d, "magic", VK_LVM_MAGIC, VK_FIELD_CONSTANT, "the magic of every LVM header");
	if (d->rebuilt)
		make_version(c);
	else
		mend_version(c);
	/* 512 in every header seen; another size must be that of the disk, too */
	if (!vk_lvm_block_size_sound(c->d.diskBlockSize))
		vk_mend_number(d, "diskBlockSize", block != 0 ? block : 512,
			       vk_origin_if(block == 512 || (block != 0 && block == c->sector_size), VK_FIELD_COPY),
			       "%s", block != 0 ? "diskBlockSize of the file-system descriptor" : "every header seen");
	vk_mend_voted(d, "dataOffset", &c->sizes.offset, VK_FIELD_COMPUTED);
	if (!c->sizes.pes_open)
		vk_mend_number(d, "totalBytes", c->sizes.total_bytes, c->sizes.total_origin, "%s", c->sizes.total_from);
	if (c->six)
		mend_six(c);
	else
		mend_five(c);
	mend_volume_count(c);
	if (d->rebuilt)
		make_identity(c);
	else
		mend_identity(c);
	if (d->rebuilt && c->d.generation == 0)
		vk_mend_number(d, "generation", c->d.majorVersion == 3 && c->d.minorVersion == MINOR_ESX35 ?
			       c->sizes.device.value + 2 : 3, VK_FIELD_USUAL,
			       "headers of that LVM version after one creation");
	if (!vk_vmfs_uuid_is_nil(&c->d.lockedBy))
		vk_work_note(c, "the LVM header names a host that holds the lock of the metadata (lockedBy); nothing "
				"confirms it.");
}
