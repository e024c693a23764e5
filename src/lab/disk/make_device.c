/* SPDX-License-Identifier: Apache-2.0 */
/* What the structures of a volume's devices say: identities, times, sizes, and who carries which extents. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "lab/disk/practice.h"

enum {
	NAA_BYTES = 16,
	MD_ALIGNMENT = 4096,
	PUBLIC = 2, DENSE_SBPC = 4,
	LOCAL_CONFIG = 0x100 | 0x800, /* LOCAL and OSDATA of VMFS-L */
};
#define PES_PER_ENTRY6 65536ULL /* an LVM6 table entry reaches 16 TiB at most */

/* Years in which such volumes were made: the time of a volume is drawn from them. */
static uint64_t creation_us(const struct vk_lab_volume *v, uint64_t seed, uint64_t index)
{
	static const uint64_t from_s[] = {1167609600, 1325376000, 1483228800}; /* 2007, 2012, 2017 */
	uint64_t years = 4ULL * 365 * 86400;
	uint64_t r = vk_lab_random(seed, "creation", index);

	return (from_s[v->version == 3 ? 0 : v->version == 5 ? 1 : 2] + r % years) * 1000000 +
	       (r >> 32) % 1000000;
}

static void blank_padded(uint8_t *to, size_t cap, const char *text, size_t len)
{
	memset(to, ' ', cap);
	memcpy(to, text, len < cap ? len : cap);
}

/* Of "VENDOR:MODEL:REVISION" the tail of the model goes into the id; all of it is recorded up to LVM 3.16 only. */
static enum vk_status make_disk_id(const struct vk_lab_volume *v, uint64_t seed, unsigned member,
				   struct vk_scsi_disk_id *ret_id, struct vk_error *err)
{
	struct vk_scsi_disk_id *id = ret_id;
	const char *colon = strchr(v->model, ':');
	const char *model = colon == NULL ? v->model : colon + 1;
	size_t model_len = strcspn(model, ":");
	const char *revision = model[model_len] == ':' ? model + model_len + 1 : "";
	char tail[VK_SCSI_MODEL_TAIL_BYTES + 1] = "";
	char made[5 + 2 * NAA_BYTES];

	memcpy(tail, model, model_len < sizeof(tail) - 1 ? model_len : sizeof(tail) - 1);
	/* 6: registered, extended; 000c29: VMware, as virtual disks are named */
	snprintf(made, sizeof(made), "naa.6000c29%09llx%016llx",
		 (unsigned long long)(vk_lab_random(seed, "naa", 0) & 0xFFFFFFFFFULL),
		 (unsigned long long)vk_lab_random(seed, "naa", 1));
	if (vk_scsi_disk_id_from_name(v->lun_name[0] != '\0' ? v->lun_name : made, tail,
				      (uint16_t)(v->lun + member), id) != VK_OK)
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the name of a LUN", v->lun_name);
	if (member > 0) {
		/* each member of a spanned volume lies on a LUN of its own: the next number of the array */
		size_t at = id->len;

		if (id->type != VK_SCSI_ID_NAA || at <= VK_SCSI_MODEL_TAIL_BYTES)
			return vk_error_set(err, VK_USAGE, NULL,
					    "the LUNs of a spanned volume are named naa., not \"%s\"", v->lun_name);
		at -= VK_SCSI_MODEL_TAIL_BYTES;
		for (unsigned carry = member; carry != 0 && at > 1; carry >>= 8) {
			carry += id->id[--at];
			id->id[at] = (uint8_t)carry;
		}
	}
	if (v->version != 3) {
		vk_scsi_disk_id_shorten(id);
		return VK_OK;
	}
	blank_padded(id->vendor, sizeof(id->vendor), v->model, colon == NULL ? 0 : (size_t)(colon - v->model));
	blank_padded(id->model, sizeof(id->model), model, model_len);
	blank_padded(id->revision, sizeof(id->revision), revision, strlen(revision));
	id->scsiLevel = 6;
	return VK_OK;
}

bool vk_lab_region_next(uint64_t total_bytes, const struct vk_lab_region *prev,
			struct vk_lab_region *ret_region)
{
	const uint64_t most = (uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION;
	const uint64_t region_bytes = VK_LVM_DATA_OFFSET - VK_LVM_HEADER_OFFSET; /* 16 MiB */
	struct vk_lab_region r = {VK_LVM_HEADER_OFFSET, VK_LVM_DATA_OFFSET, 0, 0, 0, 0};
	uint64_t room;

	if (prev != NULL) {
		if (prev->next_offset == 0)
			return false;
		r.header_offset = prev->next_offset;
		r.data_offset = prev->next_offset + region_bytes;
		r.first_pe = prev->first_pe + prev->pes;
	}
	room = total_bytes > r.data_offset ? (total_bytes - r.data_offset) / VK_LVM_PE_BYTES : 0;
	r.pes = (uint32_t)vk_min_u64(room, most);
	r.maps = (r.pes + VK_LVM_PES_PER_MAP - 1) / VK_LVM_PES_PER_MAP;
	if (r.maps == 0)
		r.maps = 1;
	if (room > most)
		r.next_offset = r.data_offset + most * VK_LVM_PE_BYTES;
	*ret_region = r;
	return true;
}

uint64_t vk_lab_pe_count(unsigned version, uint64_t total_bytes)
{
	struct vk_lab_region r;
	uint64_t pes = 0;

	if (total_bytes <= VK_LVM_DATA_OFFSET)
		return 0;
	if (version >= 6)
		return (total_bytes - VK_LVM_DATA_OFFSET) / VK_LVM_PE_BYTES;
	for (bool more = vk_lab_region_next(total_bytes, NULL, &r); more;
	     more = vk_lab_region_next(total_bytes, &r, &r))
		pes += r.pes;
	return pes;
}

static void fill_header(struct vk_lvm_device *h, const struct vk_lab_volume *v, uint64_t total_bytes, uint32_t units,
			uint64_t init_us, const struct vk_vmfs_uuid *id)
{
	struct vk_lab_region region;

	*h = (struct vk_lvm_device){
		.magic = VK_LVM_MAGIC,
		.majorVersion = v->version,
		.minorVersion = v->version == 3 ? 16 : 21,
		.diskBlockSize = 512, /* also on 4Kn disks: ESXi emulates 512 */
		.totalBytes = total_bytes,
		.numVolumes = 1,
		.numPEs = v->version == 6 ? (uint32_t)((units + PES_PER_ENTRY6 - 1) / PES_PER_ENTRY6) : units,
		.generation = v->version == 3 ? units + 2ULL : 3,
		.dataOffset = VK_LVM_DATA_OFFSET,
		.devID = *id,
		.initTimeUS = init_us,
		.modTimeUS = init_us + 99000,
	};
	h->lastPEIndex = h->numPEs - 1;
	if (v->version == 6) {
		/* numPEMaps stays 0 */
		h->mdAlignment = MD_ALIGNMENT;
		h->numPEs6 = units;
		h->flags = v->local ? VK_LVM_FLAG_VMFSL : 0;
	} else if (vk_lab_region_next(total_bytes, NULL, &region)) {
		/* ESX 3.5 left the field 0 where one map is enough */
		h->numPEMaps = v->version == 3 && region.maps == 1 ? 0 : region.maps;
		h->extDevMetadataOffset = region.next_offset;
	}
}

static void fill_fs(struct vk_lab_device *d, const struct vk_lab_volume *v, uint32_t seconds, uint32_t sector_size,
		    const struct vk_vmfs_uuid *id)
{
	struct vk_fs_descriptor *fs = &d->fs;
	uint64_t up_s;
	uint8_t mac[6];

	*fs = (struct vk_fs_descriptor){
		.magic = v->local ? VK_FS_MAGIC_VMFSL : VK_FS_MAGIC_VMFS,
		.majorVersion = v->version == 3 ? 4 : v->version == 5 ? 14 : 24,
		.minorVersion = v->version == 3 ? 31 : v->version == 5 ? 81 : 82,
		.uuid = *id,
		.config = (v->version == 3 ? PUBLIC : PUBLIC | DENSE_SBPC) | (v->local ? LOCAL_CONFIG : 0),
		.diskBlockSize = 512,
		.fileBlockSize = v->block_bytes != 0 ? v->block_bytes : 1 << 20,
		.creationTime = seconds,
		.snapID = 1,
		.volInfo = d->volume.uuid,
		.volInfoSnapID = d->volume.snapID,
		.fdcClusterGroupOffset = 0x10000,
		.fdcClustersPerGroup = v->version == 3 ? 32 : v->version == 5 ? 64 : 8,
		.subBlockSize = v->version == 5 ? 8192 : 65536,
	};
	memcpy(fs->fsLabel, v->label, strlen(v->label));
	if (v->version == 6) {
		fs->physDiskBlockSize = sector_size;
		fs->mdAlignment = MD_ALIGNMENT;
		fs->unmapPriority = 1;
		fs->sfbToLfbShift = 9;
		fs->ptrBlockShift = 16;
		fs->sfbAddrBits = 44;
		fs->tbzGranularity = 1 << 20;
		fs->journalBlockSize = 2 << 20;
		fs->leaseIntervalMs = 16000;
		fs->reclaimWindowMs = 4000;
	}
	if (v->version == 3)
		return;
	/* behind the fields of VMFS3: the two files that came with VMFS5, and who made the volume */
	up_s = 600 + vk_lab_random(d->seed, "maker uptime", d->seed_index) % (30ULL * 86400);
	fs->maxJournalSlotsPerTxn = d->version == 6 ? 64 : 8;
	fs->pb2VolAddr = vk_lab_system_fd(fs, VK_SYSTEM_PB2);
	fs->pb2FDAddr = vk_fd_address(0, VK_SYSTEM_PB2);
	fs->sddVolAddr = vk_lab_system_fd(fs, VK_SYSTEM_SDD);
	fs->sddFDAddr = vk_fd_address(0, VK_SYSTEM_SDD);
	vk_lab_mac(d->seed, "maker", d->seed_index, mac);
	vk_lab_uuid(d->seed, "maker session", d->seed_index, (uint32_t)(seconds - up_s), mac, &fs->hostUuid);
	fs->gblGeneration = 1;
}

/* Identity and place of one member; the sums over all members follow later. */
static enum vk_status make_member(const struct vk_lab_volume *v, uint64_t init_us, unsigned member,
				  uint64_t total_bytes, uint64_t first_pe, struct vk_lab_device *d,
				  struct vk_error *err)
{
	uint64_t units = vk_lab_pe_count(v->version, total_bytes);
	struct vk_vmfs_uuid id;
	uint8_t mac[6];

	if (units == 0) {
		vk_error_set(err, VK_USAGE, NULL, "a VMFS partition of %llu bytes is too small",
			     (unsigned long long)total_bytes);
		return vk_error_remedy(err, "give it at least 273 MiB");
	}
	if (units > UINT32_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "a device holds at most 2^32 - 1 extents");
	d->version = v->version;
	d->head = member == 0;
	vk_lab_mac(d->seed, "maker", d->seed_index, mac);
	vk_lab_uuid(d->seed, "device", d->seed_index * VK_LAB_MEMBERS_MAX + member, (uint32_t)(init_us / 1000000), mac,
		    &id);
	fill_header(&d->header, v, total_bytes, (uint32_t)units, init_us, &id);
	d->volume.firstPE = first_pe;
	d->volume.numPEs = (uint32_t)units;
	return make_disk_id(v, d->seed, member, &d->header.diskID, err);
}

/* What the members' descriptors of the volume say, and by which names the head knows them. */
static void join_members(const struct vk_lab_volume *v, struct vk_lab_device *devices,
			 const struct vk_lab_extent *extents, size_t count, const struct vk_lvm_volume *common)
{
	for (size_t i = 0; i < count; i++) {
		struct vk_lvm_volume *l = &devices[i].volume;
		uint64_t first_pe = l->firstPE;
		uint32_t pes = l->numPEs;
		char name[VK_SCSI_NAME_BYTES];
		bool certain;

		*l = *common;
		l->firstPE = first_pe;
		l->numPEs = pes;
		l->lastPE = first_pe + pes - 1;
		if (v->version == 6)
			l->consumedPEs = devices[i].header.numPEs;
		if (v->version < 5)
			continue;
		vk_scsi_disk_id_name(&devices[i].header.diskID, name, &certain);
		/* a short path has lost its channel */
		snprintf((char *)devices[0].members[i].deviceName,
			 sizeof(devices[0].members[i].deviceName), "%s:%u",
			 devices[i].header.diskID.type == VK_SCSI_ID_PATH ? v->lun_name : name,
			 extents[i].partition);
		devices[0].member_count = count;
	}
}

enum vk_status vk_lab_devices_make(const struct vk_lab_volume *volume, uint64_t seed,
				   uint64_t seed_index, const struct vk_lab_extent *extents,
				   size_t count, uint32_t sector_size,
				   struct vk_lab_device *ret_devices, struct vk_error *err)
{
	uint64_t created_us = creation_us(volume, seed, seed_index);
	uint32_t seconds = (uint32_t)(created_us / 1000000);
	struct vk_lvm_volume lv = {.generation = 1, .state = VK_LVM_NORMAL, .snapID = 1,
				   .creationTimeUS = created_us + 6000, .modTimeUS = created_us + 94000,
				   .numDevs = (uint32_t)count};
	struct vk_vmfs_uuid fs_id;
	uint64_t pes = 0;
	char text[VK_VMFS_UUID_TEXT_BYTES];
	uint8_t mac[6];

	if (count == 0 || count > VK_LAB_MEMBERS_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "a volume spans 1 to %d devices",
				    VK_LAB_MEMBERS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct vk_lab_device *d = &ret_devices[i];
		enum vk_status status;

		memset(d, 0, sizeof(*d));
		d->seed = seed;
		d->seed_index = seed_index;
		/* a member is added minutes after the one before it */
		status = make_member(volume, created_us + i * 300 * 1000000, (unsigned)i, extents[i].total_bytes, pes,
				     d, err);
		if (status != VK_OK)
			return status;
		pes += d->volume.numPEs;
		lv.generation += d->header.numPEs; /* entries of all their PE tables */
	}
	vk_lab_mac(seed, "maker", seed_index, mac);
	/* an ESX 3.5 drew the volume's UUID two seconds before it initialised the device, later ones in the same one */
	vk_lab_uuid(seed, "volume", seed_index, seconds - (volume->version == 3 ? 2 : 0), mac, &lv.uuid);
	vk_lab_uuid(seed, "file system", seed_index, seconds, mac, &fs_id);
	vk_vmfs_uuid_format(&lv.uuid, text);
	memcpy(lv.name, text, sizeof(text));
	lv.logicalSize = pes * VK_LVM_PE_BYTES;
	join_members(volume, ret_devices, extents, count, &lv);
	fill_fs(&ret_devices[0], volume, seconds, sector_size, &fs_id);
	ret_devices[0].live = volume->live;
	return VK_OK;
}
