/* SPDX-License-Identifier: Apache-2.0 */
/* Version, sizes and configuration of the file-system descriptor against what the system files and heartbeats say. */
#include "rebuild/fs_work.h"

enum {
	VMFS3 = 4, VMFS5 = 14, VMFS6 = 24, DENSE = 4,
	KNOWN_CONFIG = 0x7FFF,
	KNOWN_CONFIG3 = 0x022B /* access mode, maintenance, and what is set by default elsewhere */
};

/* Minor versions that were seen; other numbers are more likely damage. */
static bool minor_seen(uint32_t major, uint32_t minor)
{
	static const uint8_t seen3[] = {21, 31, 33, 46, 54, 58, 60};
	static const uint8_t seen5[] = {54, 58, 60, 61, 81};
	const uint8_t *seen = major == VMFS3 ? seen3 : seen5;
	size_t count = major == VMFS3 ? sizeof(seen3) : sizeof(seen5);

	if (major == VMFS6)
		return minor >= 81 && minor <= 99;
	for (size_t i = 0; i < count; i++)
		if (seen[i] == minor)
			return true;
	return false;
}

/* Whether something that is known for sure speaks against the version that stands there. */
static bool version_denied(const struct vk_fs_work *fs)
{
	const struct vk_self_fact *alignment = vk_fs_fact(fs, VK_SELF_MD_ALIGNMENT);
	const struct vk_self_fact *major = vk_fs_fact(fs, VK_SELF_FS_MAJOR);
	const struct vk_self_fact *minor = vk_fs_fact(fs, VK_SELF_FS_MINOR);
	const struct vk_self_fact *sub = vk_fs_fact(fs, VK_SELF_SUB_BLOCK_SIZE);
	uint32_t stands = fs->was.majorVersion;

	if (alignment->sure == VK_SELF_CERTAIN && (alignment->value != 0) != (stands >= VMFS6))
		return true;
	if (stands == VMFS3 && sub->sure == VK_SELF_CERTAIN && sub->value == 8192)
		return true;
	/* a host of a later release may have used an older volume, but not with the same minor version */
	return major->sure >= VK_SELF_LIKELY && major->value != stands &&
	       minor->sure >= VK_SELF_LIKELY && minor->value == fs->was.minorVersion;
}

static bool set_major(struct vk_fs_work *fs)
{
	struct vk_header_work *work = fs->work;
	const struct vk_self_fact *major = vk_fs_fact(fs, VK_SELF_FS_MAJOR);
	uint32_t lvm = work->vmfs.lvm_usable ? work->vmfs.lvm.majorVersion : 0;
	unsigned asked = vk_work_asked_major(work);

	if (asked != 0 && !fs->has_capture)
		vk_fs_set(fs, "majorVersion", asked, VK_FIELD_ASKED, "named by the caller");
	else if (major->sure >= VK_SELF_LIKELY || fs->has_capture)
		vk_fs_set(fs, "majorVersion", major->value, VK_FIELD_COPY, "%s", major->from);
	else if (lvm == 6)
		vk_fs_set(fs, "majorVersion", VMFS6, VK_FIELD_COMPUTED, "LVM 6 carries VMFS6 only");
	else if (major->sure == VK_SELF_GUESS)
		vk_fs_set(fs, "majorVersion", major->value, VK_FIELD_USUAL, "%s", major->from);
	else if (lvm != 0)
		vk_fs_set(fs, "majorVersion", lvm == 5 ? VMFS5 : VMFS3, VK_FIELD_USUAL,
			  "LVM %u, which mostly carries this version", lvm);
	else
		return false;
	return true;
}

bool vk_fs_judge_version(struct vk_fs_work *fs)
{
	const struct vk_self_fact *minor = vk_fs_fact(fs, VK_SELF_FS_MINOR);
	const struct vk_self_fact *major = vk_fs_fact(fs, VK_SELF_FS_MAJOR);
	bool known = fs->trusted && vk_view_name(VK_VIEW_FS_VERSION, fs->was.majorVersion) != NULL;
	static const uint8_t usual[] = {31, 61, 81};

	if ((!known || version_denied(fs)) && !set_major(fs))
		return false;
	if (fs->trusted && minor_seen(fs->is.majorVersion, fs->was.minorVersion))
		return true;
	if (minor->sure >= VK_SELF_LIKELY && major->value == fs->is.majorVersion)
		vk_fs_set(fs, "minorVersion", minor->value, VK_FIELD_COPY, "%s", minor->from);
	else if (!fs->trusted || fs->was.minorVersion == 0)
		vk_fs_set(fs, "minorVersion",
			  usual[fs->is.majorVersion == VMFS3 ? 0 : fs->is.majorVersion == VMFS5 ? 1 : 2],
			  VK_FIELD_USUAL, "frequent with this version");
	return true;
}

static bool block_plausible(uint64_t v)
{
	return v >= 1 << 20 && v <= 8 << 20 && (v & (v - 1)) == 0;
}

static bool offset_plausible(uint64_t v)
{
	return v >= 512 && v % 512 == 0 && v <= 1 << 20;
}

static bool per_group_plausible(uint64_t v)
{
	return v >= 1 && v <= 512;
}

static bool sub_plausible(uint64_t v)
{
	return v == 8192 || v == 65536;
}

/* A number that the system files tell too. Kept when plausible unless they are certain of another. */
static void judge_number(struct vk_fs_work *fs, const char *name, enum vk_self_fact_id id,
			 bool (*plausible)(uint64_t), uint64_t usual)
{
	const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, name);
	const struct vk_self_fact *told = vk_fs_fact(fs, id);
	uint64_t stands = vk_field_number(field, &fs->was);
	bool keep = fs->trusted && plausible(stands);

	if (keep && (told->sure == VK_SELF_UNKNOWN || told->value == stands))
		return;
	if (keep && told->sure != VK_SELF_CERTAIN && stands == usual)
		return;
	if (told->sure >= VK_SELF_LIKELY)
		vk_fs_set(fs, name, told->value, VK_FIELD_COPY, "%s", told->from);
	else if (!keep)
		vk_fs_set(fs, name, usual, VK_FIELD_USUAL, "usual with this version");
}

void vk_fs_judge_sizes(struct vk_fs_work *fs)
{
	const struct vk_vmfs *v = &fs->work->vmfs;
	uint32_t disk_block = v->lvm_usable ? v->lvm.diskBlockSize : 512;

	judge_number(fs, "fileBlockSize", VK_SELF_FILE_BLOCK_SIZE, block_plausible, 1 << 20);
	judge_number(fs, "fdcClusterGroupOffset", VK_SELF_FDC_GROUP_OFFSET, offset_plausible, 0x10000);
	judge_number(fs, "fdcClustersPerGroup", VK_SELF_FDC_PER_GROUP, per_group_plausible, 32);
	judge_number(fs, "subBlockSize", VK_SELF_SUB_BLOCK_SIZE, sub_plausible,
		     fs->is.majorVersion == VMFS5 ? 8192 : 65536);
	if (!fs->trusted || (fs->was.diskBlockSize != 512 && fs->was.diskBlockSize != disk_block))
		vk_fs_set(fs, "diskBlockSize", disk_block, v->lvm_usable ? VK_FIELD_COPY : VK_FIELD_CONSTANT, v->lvm_usable ? "LVM_DevMetadata.diskBlockSize at 0x100000"
					       : "the same on every volume seen");
}

/* Bits 0 and 1 are the access mode, 2 in all volumes seen; of the others only that of the sub-blocks decides something. */
void vk_fs_judge_config(struct vk_fs_work *fs)
{
	const struct vk_self_fact *dense = vk_fs_fact(fs, VK_SELF_DENSE);
	bool five = fs->is.majorVersion == VMFS5;
	uint32_t known = fs->is.majorVersion == VMFS3 ? KNOWN_CONFIG3 : KNOWN_CONFIG;
	bool local = fs->is.magic == VK_FS_MAGIC_VMFSL || fs->is.magic == VK_FS_MAGIC_VMFS6L;
	uint32_t config = 2;

	if (five && dense->sure >= VK_SELF_LIKELY && dense->value != 0)
		config |= DENSE;
	if (local)
		config |= 0x900; /* LOCAL and OSDATA, as on the system volume of ESXi 7 */
	if (fs->trusted && (fs->was.config & ~known) == 0 && fs->was.config != 0) {
		if (five && dense->sure >= VK_SELF_LIKELY && dense->value != 0 && (fs->was.config & DENSE) == 0)
			vk_fs_set(fs, "config", fs->was.config | DENSE, VK_FIELD_COMPUTED, "%s",
				  dense->from);
		return;
	}
	vk_fs_set(fs, "config", config, VK_FIELD_USUAL,
		  "usual with this version%s",
		  (config & DENSE) != 0 ? "; dense sub-blocks by .sbc.sf" : "");
}

/* Where .pb2.sf or .sdd.sf is, for a volume on which it is not at its fixed place. */
static void judge_place(struct vk_fs_work *fs, enum vk_system_file file, const char *offset,
			const char *address)
{
	const struct vk_self_file *f = &fs->work->self.files[file];
	enum vk_field_origin origin = f->elsewhere ? VK_FIELD_COPY : VK_FIELD_USUAL;
	const char *how = f->elsewhere ? "named by the root directory" : "at its fixed place";

	if (!f->has_fd || (fs->trusted && !f->elsewhere))
		return;
	vk_fs_set(fs, offset, f->fd_offset, origin, "file descriptor of %s, %s",
		  vk_system_file_name(file), how);
	vk_fs_set(fs, address, f->fd_address, origin, "file descriptor of %s, %s",
		  vk_system_file_name(file), how);
}

void vk_fs_judge_places(struct vk_fs_work *fs)
{
	const struct vk_self_report *self = &fs->work->self;

	if (fs->is.majorVersion < VMFS5)
		return;
	judge_place(fs, VK_SYSTEM_PB2, "pb2VolAddr", "pb2FDAddr");
	judge_place(fs, VK_SYSTEM_SDD, "sddVolAddr", "sddFDAddr");
	if (fs->trusted || fs->has_capture || fs->is.majorVersion != VMFS5 ||
	    self->files[VK_SYSTEM_PB2].has_fd || self->root_readable || (fs->is.config & DENSE) != 0)
		return;
	vk_work_lost(fs->work, "Whether and where this volume has a .pb2.sf is not known, for its root directory cannot be read; if it was upgraded from VMFS3, files of more than 256 GiB cannot be read by this descriptor.");
}

static bool alignment_plausible(uint64_t v)
{
	return v >= 512 && v <= 65536 && (v & (v - 1)) == 0;
}

static bool shift_plausible(uint64_t v)
{
	return v >= 1 && v <= 13;
}

void vk_fs_judge_six(struct vk_fs_work *fs)
{
	if (fs->is.majorVersion < VMFS6)
		return;
	judge_number(fs, "mdAlignment", VK_SELF_MD_ALIGNMENT, alignment_plausible, 4096);
	judge_number(fs, "sfbToLfbShift", VK_SELF_LFB_SHIFT, shift_plausible, 9);
	if (fs->trusted || fs->has_capture)
		return;
	vk_fs_set(fs, "unmapPriority", 1, VK_FIELD_USUAL, "low, as new volumes have it");
	vk_fs_set(fs, "tbzGranularity", 1 << 20, VK_FIELD_USUAL, "usual with this version");
	vk_fs_set(fs, "physDiskBlockSize", fs->work->sector_size, VK_FIELD_USUAL,
		  "sector size of this disk");
	vk_work_lost(fs->work, "What a VMFS6 descriptor holds behind sfbToLfbShift (ptrBlockShift, sfbAddrBits, journalBlockSize, leases, unmap rates, checksum) survives nowhere and is left zero: a host may refuse the volume; files can be read.");
}
