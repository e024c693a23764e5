/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Magic, version, sizes and configuration of the file-system descriptor against what the system files and heartbeats
 * say.
 */
#include "rebuild/header/fs_work.h"

enum {
	KNOWN_CONFIG = 0x7FFF,
	KNOWN_CONFIG3 = 0x022B, /* access mode, maintenance, and what is set by default elsewhere */
	USUAL_CONFIG3 = 2, USUAL_CONFIG = 6,
	OSDATA = 0x800
};

/* Minor versions that were seen. */
static bool minor_seen(uint32_t major, uint32_t minor)
{
	static const uint8_t seen3[] = {21, 31, 33, 46, 54, 58, 60};
	static const uint8_t seen5[] = {54, 58, 60, 61, 81};
	const uint8_t *seen = major == VK_FS_VMFS3 ? seen3 : seen5;
	size_t count = major == VK_FS_VMFS3 ? sizeof(seen3) : sizeof(seen5);

	if (major == VK_FS_VMFS6)
		return minor >= 81 && minor <= 99;
	for (size_t i = 0; i < count; i++)
		if (seen[i] == minor)
			return true;
	return false;
}

/* That minor version was seen with this version of VMFS and with no other. */
static bool minor_tells(uint32_t major, uint32_t minor)
{
	static const uint32_t all[] = {VK_FS_VMFS3, VK_FS_VMFS5, VK_FS_VMFS6};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (minor_seen(all[i], minor) != (all[i] == major))
			return false;
	return true;
}

/* Whether something that is known for sure speaks against the version that stands there. */
static bool version_denied(const struct vk_fs_work *fs)
{
	const struct vk_self_fact *alignment = vk_fs_fact(fs, VK_SELF_MD_ALIGNMENT);
	const struct vk_self_fact *major = vk_fs_fact(fs, VK_SELF_FS_MAJOR);
	const struct vk_self_fact *minor = vk_fs_fact(fs, VK_SELF_FS_MINOR);
	const struct vk_self_fact *sub = vk_fs_fact(fs, VK_SELF_SUB_BLOCK_SIZE);
	uint32_t stands = fs->was.majorVersion;

	if (alignment->sure == VK_SELF_CERTAIN && (alignment->value != 0) != (stands >= VK_FS_VMFS6))
		return true;
	if (stands == VK_FS_VMFS3 && sub->sure == VK_SELF_CERTAIN && sub->value == 8192)
		return true;
	/* a host of a later release may have used an older volume, but not with the same minor version */
	return major->sure >= VK_SELF_LIKELY && major->value != stands && minor->sure >= VK_SELF_LIKELY &&
	       minor->value == fs->was.minorVersion && minor_tells((uint32_t)major->value, fs->was.minorVersion);
}

static bool set_major(struct vk_fs_work *fs)
{
	struct vk_header_work *work = fs->work;
	const struct vk_self_fact *major = vk_fs_fact(fs, VK_SELF_FS_MAJOR);
	uint32_t lvm = work->vmfs.lvm_usable ? work->vmfs.lvm.majorVersion : 0;
	bool by_minor = fs->trusted && minor_tells((uint32_t)major->value, fs->was.minorVersion);
	unsigned asked = vk_work_asked_major(work);

	if (asked != 0 && fs->capture == NULL)
		vk_mend_number(&fs->m, "majorVersion", asked, VK_FIELD_ASKED, "named by the caller");
	else if (major->sure >= VK_SELF_LIKELY || fs->capture != NULL)
		vk_mend_number(&fs->m, "majorVersion", major->value, vk_fs_by(major->sure == VK_SELF_CERTAIN ||
									      by_minor), "%s%s",
			  major->from, by_minor && major->sure != VK_SELF_CERTAIN ? ", and the minor version" : "");
	else if (lvm == 6)
		vk_mend_number(&fs->m, "majorVersion", VK_FS_VMFS6, VK_FIELD_USUAL, "LVM 6, which carries VMFS6 only");
	else if (major->sure == VK_SELF_GUESS)
		vk_mend_number(&fs->m, "majorVersion", major->value, VK_FIELD_USUAL, "%s", major->from);
	else if (lvm != 0)
		vk_mend_number(&fs->m, "majorVersion", lvm == 5 ? VK_FS_VMFS5 : VK_FS_VMFS3, VK_FIELD_USUAL,
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

	if (!known || version_denied(fs)) {
		if (!set_major(fs))
			return false;
	} else {
		fs->is.majorVersion = fs->was.majorVersion;
	}
	if (fs->trusted) {
		if (!minor_seen(fs->is.majorVersion, fs->was.minorVersion))
			vk_work_note(fs->work, "The minor version of the file system is %u, which was not seen before; "
					       "it stays, for nothing tells another one.",
				     fs->was.minorVersion);
		return true;
	}
	/* a driver may be newer than the volume that it used */
	if (minor->sure >= VK_SELF_LIKELY && major->value == fs->is.majorVersion)
		vk_mend_number(&fs->m, "minorVersion", minor->value, VK_FIELD_USUAL, "%s", minor->from);
	else
		vk_mend_number(&fs->m, "minorVersion",
			  fs->is.majorVersion == VK_FS_VMFS3 ? 31 : fs->is.majorVersion == VK_FS_VMFS5 ? 61 : 81,
			  VK_FIELD_USUAL, "frequent with this version");
	return true;
}

static bool config_plausible(const struct vk_fs_work *fs)
{
	uint32_t known = fs->is.majorVersion == VK_FS_VMFS3 ? KNOWN_CONFIG3 : KNOWN_CONFIG;

	return fs->trusted && fs->was.config != 0 && (fs->was.config & ~known) == 0;
}

/*
 * VMFS-L is marked three times: by the magic, in the configuration and, on LVM6, in the header's flags. VMFS3 has no
 * such form.
 */
struct locality {
	unsigned for_local, for_shared; /* votes besides the magic */
	const char *from;
};

static void ask_locality(const struct vk_fs_work *fs, struct locality *ret)
{
	const struct vk_vmfs *v = &fs->work->vmfs;
	bool configured = config_plausible(fs);
	bool local = configured && (fs->was.config & VK_FS_LOCAL) != 0;
	bool usual = configured && (fs->was.config == USUAL_CONFIG3 || fs->was.config == USUAL_CONFIG);
	bool flags = v->lvm_usable && v->lvm.majorVersion >= 6 && !vk_work_changes(fs->work, &vk_lvm_device_layout,
										   "flags");

	*ret = (struct locality){.from = configured ? "config of the descriptor itself" :
				 "flags of the LVM header at 0x100000"};
	ret->for_local += local;
	ret->for_shared += usual;
	if (flags && (v->lvm.flags & VK_LVM_FLAG_VMFSL) != 0)
		ret->for_local++;
	else if (flags && (usual || local)) /* zero alone tells nothing, but it is a mark of VMFS-L less */
		ret->for_shared++;
	if (fs->trusted && fs->was.majorVersion == VK_FS_VMFS3 && fs->is.majorVersion == VK_FS_VMFS3)
		ret->for_shared++;
}

/* What is left of a damaged magic: three bytes are those of both, the lowest tells which. */
static unsigned remains_of(uint32_t magic, uint32_t of)
{
	unsigned same = 0;

	for (unsigned shift = 8; shift < 32; shift += 8)
		same += (magic >> shift & 0xFF) == (of >> shift & 0xFF);
	return same > 0 && (magic & 0xFF) == (of & 0xFF);
}

void vk_fs_judge_magic(struct vk_fs_work *fs)
{
	bool known = vk_fs_magic_known(fs->was.magic);
	bool is_local = fs->was.magic == VK_FS_MAGIC_VMFSL || fs->was.magic == VK_FS_MAGIC_VMFS6L;
	struct locality ask;
	unsigned for_local, for_shared;
	bool local;

	ask_locality(fs, &ask);
	/* on VMFS5 only the configuration can speak against it; one bit of that makes no VMFS-L of a volume */
	if (known && (is_local ? ask.for_local > 0 || ask.for_shared < 1 : ask.for_shared > 0 || ask.for_local < 2)) {
		vk_mend_number(&fs->m, "magic", fs->was.magic, VK_FIELD_COPY, "the descriptor itself");
		return;
	}
	for_local = ask.for_local + (known ? 0 : remains_of(fs->was.magic, VK_FS_MAGIC_VMFSL));
	for_shared = ask.for_shared + (known ? 0 : remains_of(fs->was.magic, VK_FS_MAGIC_VMFS));
	local = for_local > for_shared;
	vk_mend_number(&fs->m, "magic", local ? VK_FS_MAGIC_VMFSL : VK_FS_MAGIC_VMFS,
		  vk_fs_by(local ? for_local >= 2 && for_shared == 0 : for_shared >= 2 && for_local == 0), "%s",
		  local || for_shared > 0 ? ask.from : "usual; a local VMFS-L has another");
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

void vk_fs_judge_number(struct vk_fs_work *fs, const char *name, enum vk_self_fact_id id,
			bool (*plausible)(uint64_t), uint64_t usual)
{
	const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, name);
	const struct vk_self_fact *told = vk_fs_fact(fs, id);
	uint64_t stands = vk_field_number(field, &fs->was);
	bool keep = fs->trusted && plausible(stands);

	if (keep && told->sure != VK_SELF_CERTAIN) {
		if (told->sure == VK_SELF_LIKELY && told->value != stands)
			vk_work_note(fs->work, "%s of the file system is %llu, by %s it is %llu: it stays, for it "
					       "cannot be told which is right.",
				     name, (unsigned long long)stands, told->from, (unsigned long long)told->value);
		return;
	}
	if (told->sure >= VK_SELF_LIKELY)
		vk_mend_number(&fs->m, name, told->value, vk_fs_by(told->sure == VK_SELF_CERTAIN), "%s", told->from);
	else
		vk_mend_number(&fs->m, name, usual, VK_FIELD_USUAL, "usual with this version");
}

/* The size of a block of the disk stands in the LVM header too, and is 512 on every volume seen. */
static void judge_disk_block(struct vk_fs_work *fs)
{
	const struct vk_vmfs *v = &fs->work->vmfs;
	uint32_t by_lvm = v->lvm_usable ? v->lvm.diskBlockSize : 512;

	if (by_lvm != 512 && by_lvm != 4096)
		by_lvm = 512;
	if (fs->trusted && (fs->was.diskBlockSize == 512 || fs->was.diskBlockSize == by_lvm))
		return;
	vk_mend_number(&fs->m, "diskBlockSize", by_lvm,
		  vk_fs_by(v->lvm_usable && by_lvm == 512 && v->lvm.diskBlockSize == 512 &&
			   !vk_work_changes(fs->work, &vk_lvm_device_layout, "diskBlockSize")),
		  "LVM_DevMetadata.diskBlockSize at 0x100000, and 512 on every volume seen");
}

void vk_fs_judge_sizes(struct vk_fs_work *fs)
{
	uint32_t major = fs->is.majorVersion;

	vk_fs_judge_number(fs, "fileBlockSize", VK_SELF_FILE_BLOCK_SIZE, block_plausible, 1 << 20);
	vk_fs_judge_number(fs, "fdcClusterGroupOffset", VK_SELF_FDC_GROUP_OFFSET, offset_plausible, 0x10000);
	vk_fs_judge_number(fs, "fdcClustersPerGroup", VK_SELF_FDC_PER_GROUP, per_group_plausible,
			   major == VK_FS_VMFS3 ? 32 : major == VK_FS_VMFS5 ? 64 : 8);
	vk_fs_judge_number(fs, "subBlockSize", VK_SELF_SUB_BLOCK_SIZE, sub_plausible,
			   major == VK_FS_VMFS5 ? 8192 : 65536);
	judge_disk_block(fs);
}

/* VMFS5 made new has dense sub-blocks; the bit decides how their addresses are read. */
static bool dense(const struct vk_fs_work *fs)
{
	const struct vk_self_fact *told = vk_fs_fact(fs, VK_SELF_DENSE);

	if (fs->is.majorVersion != VK_FS_VMFS5)
		return fs->is.majorVersion > VK_FS_VMFS5;
	return told->sure != VK_SELF_UNKNOWN ? told->value != 0 : fs->is.subBlockSize == 8192;
}

void vk_fs_judge_config(struct vk_fs_work *fs)
{
	const struct vk_self_fact *told = vk_fs_fact(fs, VK_SELF_DENSE);
	const struct vk_self_file *pb2 = &fs->work->self.files[VK_SYSTEM_PB2];
	bool local = fs->is.magic == VK_FS_MAGIC_VMFSL || fs->is.magic == VK_FS_MAGIC_VMFS6L;
	uint32_t config = (dense(fs) ? USUAL_CONFIG : USUAL_CONFIG3) | (local ? VK_FS_LOCAL | OSDATA : 0);

	if (!config_plausible(fs)) {
		vk_mend_number(&fs->m, "config", config, VK_FIELD_USUAL, "usual with this version%s",
			  told->sure != VK_SELF_UNKNOWN ? "; dense sub-blocks by .sbc.sf" : "");
		return;
	}
	/* the descriptor itself names the place that .pb2.sf has on such volumes only */
	if (fs->is.majorVersion == VK_FS_VMFS5 && told->sure == VK_SELF_CERTAIN &&
	    (fs->was.config | VK_FS_DENSE) == USUAL_CONFIG &&
	    pb2->has_fd && fs->was.pb2VolAddr == pb2->fd_offset)
		vk_mend_number(&fs->m, "config", USUAL_CONFIG, VK_FIELD_COPY, "%s; .pb2.sf at its fixed place",
			       told->from);
}
