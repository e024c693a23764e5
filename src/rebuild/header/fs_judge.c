/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Magic, version, sizes and configuration of the file-system descriptor against what the system files and heartbeats
 * say; and what that of VMFS 5 and 6 has behind the sizes: system files' places, sizes of VMFS6, usual values.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/header_work.h"

enum {
	KNOWN_CONFIG = 0x7FFF,
	KNOWN_CONFIG3 = 0x022B, /* access mode, maintenance, and what is set by default elsewhere */
	USUAL_CONFIG3 = 2, USUAL_CONFIG = 6,
	OSDATA = 0x800,
	MAX_JOURNAL = 0xDD, CHECKSUM_TYPE = 0x111, PHYS_DISK_BLOCK = 0x130, LOCAL_STAMP = 0x154
};

/* Minor versions that were seen. */
static bool minor_seen(uint32_t major, uint32_t minor)
{
	static const uint8_t seen3[] = {21, 31, 33, 46, 54, 58, 60}, seen5[] = {54, 58, 60, 61, 81};

	if (major == VK_FS_VMFS6)
		return minor >= 81 && minor <= 99;
	return minor != 0 && minor <= 255 && (major == VK_FS_VMFS3 ? memchr(seen3, (int)minor, sizeof(seen3))
								   : memchr(seen5, (int)minor, sizeof(seen5))) != NULL;
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
static bool version_denied(const struct vk_header_work *w)
{
	const struct vk_self_fact *alignment = vk_fs_fact(w, VK_SELF_MD_ALIGNMENT);
	const struct vk_self_fact *major = vk_fs_fact(w, VK_SELF_FS_MAJOR);
	const struct vk_self_fact *minor = vk_fs_fact(w, VK_SELF_FS_MINOR);
	const struct vk_self_fact *sub = vk_fs_fact(w, VK_SELF_SUB_BLOCK_SIZE);
	uint32_t stands = w->fsd.was.majorVersion;

	if (alignment->sure == VK_SELF_CERTAIN && (alignment->value != 0) != (stands >= VK_FS_VMFS6))
		return true;
	if (stands == VK_FS_VMFS3 && sub->sure == VK_SELF_CERTAIN && sub->value == 8192)
		return true;
	/* a host of a later release may have used an older volume, but not with the same minor version */
	return major->sure >= VK_SELF_LIKELY && major->value != stands && minor->sure >= VK_SELF_LIKELY &&
	       minor->value == w->fsd.was.minorVersion &&
	       minor_tells((uint32_t)major->value, w->fsd.was.minorVersion);
}

static bool set_major(struct vk_header_work *w)
{
	const struct vk_self_fact *major = vk_fs_fact(w, VK_SELF_FS_MAJOR);
	uint32_t lvm = w->vmfs.lvm_usable ? w->vmfs.lvm.majorVersion : 0;
	bool certain = major->sure == VK_SELF_CERTAIN;
	bool by_minor = w->fsd.trusted && minor_tells((uint32_t)major->value, w->fsd.was.minorVersion);
	unsigned asked = vk_work_asked_major(w);
	struct vk_mending *m = &w->fsd.m;

	if (asked != 0 && w->fsd.capture == NULL)
		vk_mend_number(m, "majorVersion", asked, VK_FIELD_ASKED, "named by the caller");
	else if (major->sure >= VK_SELF_LIKELY || w->fsd.capture != NULL)
		vk_mend_number(m, "majorVersion", major->value, vk_fs_by(certain || by_minor), "%s%s", major->from,
			       by_minor && !certain ? ", and the minor version" : "");
	else if (lvm == 6)
		vk_mend_number(m, "majorVersion", VK_FS_VMFS6, VK_FIELD_USUAL, "LVM 6, which carries VMFS6 only");
	else if (major->sure == VK_SELF_GUESS)
		vk_mend_number(m, "majorVersion", major->value, VK_FIELD_USUAL, "%s", major->from);
	else if (lvm != 0)
		vk_mend_number(m, "majorVersion", lvm == 5 ? VK_FS_VMFS5 : VK_FS_VMFS3, VK_FIELD_USUAL,
			       "LVM %u, which mostly carries this version", lvm);
	else
		return false;
	return true;
}

bool vk_fs_judge_version(struct vk_header_work *w)
{
	const struct vk_self_fact *minor = vk_fs_fact(w, VK_SELF_FS_MINOR);
	uint32_t stood = w->fsd.was.minorVersion, major;

	if (w->fsd.trusted && vk_view_name(VK_VIEW_FS_VERSION, w->fsd.was.majorVersion) != NULL && !version_denied(w))
		w->fsd.is.majorVersion = w->fsd.was.majorVersion;
	else if (!set_major(w))
		return false;
	major = w->fsd.is.majorVersion;
	if (w->fsd.trusted && !minor_seen(major, stood))
		vk_work_note(w, "the minor version of the file system is %u, which was not seen before; it stays, "
				"for nothing shows another one.", stood);
	if (w->fsd.trusted)
		return true;
	/* a driver may be newer than the volume that it used */
	if (minor->sure >= VK_SELF_LIKELY && vk_fs_fact(w, VK_SELF_FS_MAJOR)->value == major)
		vk_mend_number(&w->fsd.m, "minorVersion", minor->value, VK_FIELD_USUAL, "%s", minor->from);
	else
		vk_mend_number(&w->fsd.m, "minorVersion", major == VK_FS_VMFS3 ? 31 : major == VK_FS_VMFS5 ? 61 : 81,
			       VK_FIELD_USUAL, "frequent with this version");
	return true;
}

static bool config_plausible(const struct vk_header_work *w)
{
	uint32_t known = w->fsd.is.majorVersion == VK_FS_VMFS3 ? KNOWN_CONFIG3 : KNOWN_CONFIG;

	return w->fsd.trusted && w->fsd.was.config != 0 && (w->fsd.was.config & ~known) == 0;
}

/* What is left of a damaged magic: three bytes are those of both, the lowest tells which. */
static unsigned remains_of(uint32_t magic, uint32_t of)
{
	unsigned same = 0;

	for (unsigned shift = 8; shift < 32; shift += 8)
		same += (magic >> shift & 0xFF) == (of >> shift & 0xFF);
	return same > 0 && (magic & 0xFF) == (of & 0xFF);
}

/*
 * VMFS-L is marked three times: by the magic, in the configuration and, on LVM6, in the header's flags. VMFS3 has no
 * such form.
 */
void vk_fs_judge_magic(struct vk_header_work *w)
{
	const struct vk_fs_descriptor *was = &w->fsd.was;
	const struct vk_lvm_device *lvm = &w->vmfs.lvm;
	bool configured = config_plausible(w);
	bool marked = configured && (was->config & VK_FS_LOCAL) != 0;
	bool usual = configured && (was->config == USUAL_CONFIG3 || was->config == USUAL_CONFIG);
	bool flags = w->vmfs.lvm_usable && lvm->majorVersion >= 6 &&
		     !vk_work_changes(w, &vk_lvm_device_layout, "flags");
	bool flagged = flags && (lvm->flags & VK_LVM_FLAG_VMFSL) != 0;
	bool known = vk_fs_magic_known(was->magic), local;
	/* zero flags alone tell nothing, but are a mark of VMFS-L less */
	unsigned for_local = (unsigned)marked + flagged;
	unsigned for_shared = (unsigned)usual + (flags && !flagged && (usual || marked)) +
			      (w->fsd.trusted && was->majorVersion == VK_FS_VMFS3 &&
			       w->fsd.is.majorVersion == VK_FS_VMFS3);

	local = was->magic == VK_FS_MAGIC_VMFSL || was->magic == VK_FS_MAGIC_VMFS6L;
	/* on VMFS5 only the configuration can speak against it; one bit of that makes no VMFS-L of a volume */
	if (known && (local ? for_local > 0 || for_shared < 1 : for_shared > 0 || for_local < 2)) {
		vk_mend_number(&w->fsd.m, "magic", was->magic, VK_FIELD_COPY, "the descriptor itself");
		return;
	}
	for_local += known ? 0 : remains_of(was->magic, VK_FS_MAGIC_VMFSL);
	for_shared += known ? 0 : remains_of(was->magic, VK_FS_MAGIC_VMFS);
	local = for_local > for_shared;
	vk_mend_number(&w->fsd.m, "magic", local ? VK_FS_MAGIC_VMFSL : VK_FS_MAGIC_VMFS,
		       vk_fs_by(local ? for_local >= 2 && for_shared == 0 : for_shared >= 2 && for_local == 0), "%s",
		       !local && for_shared == 0 ? "usual; a local VMFS-L has another" :
		       configured ? "config of the descriptor itself" : "flags of the LVM header at 0x100000");
}

/*
 * Numbers that the system files tell, too: one that stands and is plausible stays, unless they are certain of another.
 * Plausible: from least to most, so many steps from the least; step 0: a power of two. Usual: of VMFS 3, 5 and 6.
 */
static const struct {
	const char *field;
	enum vk_self_fact_id told;
	bool of_six_alone;
	uint32_t least, most, step, usual[3];
} numbers[] = {
	{"fileBlockSize", VK_SELF_FILE_BLOCK_SIZE, false, 1 << 20, 8 << 20, 0, {1 << 20, 1 << 20, 1 << 20}},
	{"fdcClusterGroupOffset", VK_SELF_FDC_GROUP_OFFSET, false, 512, 1 << 20, 512, {0x10000, 0x10000, 0x10000}},
	{"fdcClustersPerGroup", VK_SELF_FDC_PER_GROUP, false, 1, 512, 1, {32, 64, 8}},
	{"subBlockSize", VK_SELF_SUB_BLOCK_SIZE, false, 8192, 65536, 65536 - 8192, {65536, 8192, 65536}},
	{"mdAlignment", VK_SELF_MD_ALIGNMENT, true, 512, 65536, 0, {0, 0, 4096}},
	{"sfbToLfbShift", VK_SELF_LFB_SHIFT, true, 1, 13, 1, {0, 0, 9}},
};

/* A number as a fact has it, or as it is usual. */
static void put_number(struct vk_header_work *w, const char *name, const struct vk_self_fact *told, uint64_t value,
		       uint64_t usual)
{
	if (told->sure >= VK_SELF_LIKELY)
		vk_mend_number(&w->fsd.m, name, value, vk_fs_by(told->sure == VK_SELF_CERTAIN), "%s", told->from);
	else
		vk_mend_number(&w->fsd.m, name, usual, VK_FIELD_USUAL, "usual with this version");
}

static void judge_numbers(struct vk_header_work *w, bool of_six_alone)
{
	uint32_t major = w->fsd.is.majorVersion;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *name = numbers[i].field;
		const struct vk_self_fact *told = vk_fs_fact(w, numbers[i].told);
		uint64_t stands = vk_field_number(vk_layout_field(&vk_fs_descriptor_layout, name), &w->fsd.was);
		bool plausible = stands >= numbers[i].least && stands <= numbers[i].most &&
				 (numbers[i].step == 0 ? (stands & (stands - 1)) == 0
						       : (stands - numbers[i].least) % numbers[i].step == 0);

		if (numbers[i].of_six_alone != of_six_alone)
			continue;
		if (!(w->fsd.trusted && plausible) || told->sure == VK_SELF_CERTAIN)
			put_number(w, name, told, told->value,
				   numbers[i].usual[major == VK_FS_VMFS3 ? 0 : major == VK_FS_VMFS5 ? 1 : 2]);
		else if (told->sure == VK_SELF_LIKELY && told->value != stands)
			vk_work_note(w, "%s of the file system is %" PRIu64 ", by %s it is %" PRIu64 ": it stays, "
					"for which is right is not known.", name, stands, told->from, told->value);
	}
}

void vk_fs_judge_sizes(struct vk_header_work *w)
{
	bool usable = w->vmfs.lvm_usable;
	uint32_t lvm = w->vmfs.lvm.diskBlockSize, by_lvm = usable && vk_lvm_block_size_sound(lvm) ? lvm : 512;
	uint32_t stands = w->fsd.was.diskBlockSize;

	judge_numbers(w, false);
	/* the size of a block of the disk stands in the LVM header too, and is 512 on every volume seen */
	if (!w->fsd.trusted || (stands != 512 && stands != by_lvm))
		vk_mend_number(&w->fsd.m, "diskBlockSize", by_lvm,
			       vk_fs_by(usable && lvm == 512 &&
					!vk_work_changes(w, &vk_lvm_device_layout, "diskBlockSize")),
			       "LVM_DevMetadata.diskBlockSize at 0x100000, and 512 on every volume seen");
}

void vk_fs_judge_config(struct vk_header_work *w)
{
	const struct vk_self_fact *told = vk_fs_fact(w, VK_SELF_DENSE);
	const struct vk_self_file *pb2 = &w->self.files[VK_SYSTEM_PB2];
	const struct vk_fs_descriptor *is = &w->fsd.is;
	bool local = is->magic == VK_FS_MAGIC_VMFSL || is->magic == VK_FS_MAGIC_VMFS6L;
	/* VMFS5 made new has dense sub-blocks; the bit decides how their addresses are read */
	bool dense = is->majorVersion != VK_FS_VMFS5 ? is->majorVersion > VK_FS_VMFS5 :
		     told->sure != VK_SELF_UNKNOWN ? told->value != 0 : is->subBlockSize == 8192;
	uint32_t config = (dense ? USUAL_CONFIG : USUAL_CONFIG3) | (local ? VK_FS_LOCAL | OSDATA : 0);

	if (!config_plausible(w))
		vk_mend_number(&w->fsd.m, "config", config, VK_FIELD_USUAL, "usual with this version%s",
			       told->sure != VK_SELF_UNKNOWN ? "; dense sub-blocks by .sbc.sf" : "");
	/* the descriptor itself names the place that .pb2.sf has on such volumes only */
	else if (is->majorVersion == VK_FS_VMFS5 && told->sure == VK_SELF_CERTAIN &&
		 (w->fsd.was.config | VK_FS_DENSE) == USUAL_CONFIG &&
		 pb2->has_fd && w->fsd.was.pb2VolAddr == pb2->fd_offset)
		vk_mend_number(&w->fsd.m, "config", USUAL_CONFIG, VK_FIELD_COPY, "%s; .pb2.sf at its fixed place",
			       told->from);
}

/* That part of the sector is lost: the whole descriptor is, or it is zero where no volume seen is. */
static bool lost(const struct vk_header_work *w, unsigned from, unsigned end)
{
	return !w->fsd.trusted || vk_all_zero(w->fsd.sector + from, end - from);
}

/*
 * Where .pb2.sf or .sdd.sf is. Where the root directory names it, or where DENSE_SBPC is set, which puts it at its
 * fixed place, its file descriptor there is the second witness.
 */
static void judge_place(struct vk_header_work *w, enum vk_system_file file, const char *offset, uint64_t offset_was,
			const char *address, uint32_t address_was)
{
	static const char from[] = "file descriptor of %s, %s";
	const struct vk_self_file *f = &w->self.files[file];
	const char *name = vk_system_file_name(file);
	bool trusted = w->fsd.trusted;
	bool dense = (w->fsd.is.config & VK_FS_DENSE) != 0 &&
		(trusted || vk_fs_fact(w, VK_SELF_DENSE)->sure == VK_SELF_CERTAIN ||
		 w->fsd.is.majorVersion >= VK_FS_VMFS6);
	bool pair = trusted && (offset_was == f->fd_offset || address_was == f->fd_address);
	enum vk_field_origin origin = vk_fs_by(f->elsewhere || dense || pair);
	const char *how = f->elsewhere ? "named by the root directory" : "at its fixed place";

	if (!f->has_fd || (trusted && origin != VK_FIELD_COPY))
		return;
	vk_mend_number(&w->fsd.m, offset, f->fd_offset, origin, from, name, how);
	vk_mend_number(&w->fsd.m, address, f->fd_address, origin, from, name, how);
}

/* A number that follows from the size of a system file's resources, where it is lost; what stands there stays. */
static void judge_derived(struct vk_header_work *w, const char *name, const struct vk_self_fact *told, uint64_t value,
			  uint64_t usual)
{
	const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, name);

	if (lost(w, PHYS_DISK_BLOCK, LOCAL_STAMP) ||
	    (vk_field_number(field, &w->fsd.was) == 0 && told->sure == VK_SELF_CERTAIN))
		put_number(w, name, told, value, usual);
}

/* The session that made the file system had begun by then, on the host that made the LVM volume. */
static void guess_host(struct vk_header_work *w)
{
	for (unsigned i = 0; i < w->self.host_count && w->fsd.lv != NULL; i++) {
		const struct vk_vmfs_uuid *host = &w->self.hosts[i].uuid;

		if (vk_uuid_seconds(host) > w->fsd.is.creationTime ||
		    memcmp(host->b + 10, w->fsd.lv->uuid.b + 10, 6) != 0)
			continue;
		vk_mend_bytes(&w->fsd.m, "hostUuid", host, VK_FIELD_USUAL,
			      "a session of the host that made the volume, by the block at volume offset 0x%" PRIx64,
			      w->self.hosts[i].offset);
		return;
	}
	if (w->fsd.capture == NULL)
		vk_work_lost(w, "the host session that made the file system (hostUuid) is lost and is left nil.");
}

/* Values of new volumes; only one volume of each version was seen. */
static const struct {
	const char *field;
	uint32_t five, six;
} usual[] = {
	{"maxJournalSlotsPerTxn", 8, 64}, {"gblGeneration", 1, 1}, {"unmapPriority", 0, 1}, {"sfbAddrBits", 0, 44},
	{"tbzGranularity", 0, 1 << 20},   {"leaseIntervalMs", 0, 16000}, {"reclaimWindowMs", 0, 4000},
};

void vk_fs_judge_later(struct vk_header_work *w)
{
	const struct vk_fs_descriptor *was = &w->fsd.was, *is = &w->fsd.is;
	const struct vk_self_fact *pointers = vk_fs_fact(w, VK_SELF_POINTER_BLOCK_SIZE);
	const struct vk_self_fact *journal = vk_fs_fact(w, VK_SELF_JOURNAL_BLOCK_SIZE);
	bool trusted = w->fsd.trusted, six = is->majorVersion >= VK_FS_VMFS6;
	bool lost5, lost6 = six && lost(w, PHYS_DISK_BLOCK, LOCAL_STAMP);

	if (is->majorVersion < VK_FS_VMFS5)
		return;
	judge_place(w, VK_SYSTEM_PB2, "pb2VolAddr", was->pb2VolAddr, "pb2FDAddr", was->pb2FDAddr);
	judge_place(w, VK_SYSTEM_SDD, "sddVolAddr", was->sddVolAddr, "sddFDAddr", was->sddFDAddr);
	if (!trusted && w->fsd.capture == NULL && is->majorVersion == VK_FS_VMFS5 &&
	    !w->self.files[VK_SYSTEM_PB2].has_fd && !w->self.root_readable && (is->config & VK_FS_DENSE) == 0)
		vk_work_lost(w, "whether and where this volume has a .pb2.sf is not known, for its root directory "
				"cannot be read; if it was upgraded from VMFS3, files of more than 256 GiB cannot be "
				"read by this descriptor.");
	if (six) {
		judge_numbers(w, true);
		judge_derived(w, "ptrBlockShift", pointers,
			      pointers->value != 0 ? (uint64_t)__builtin_ctzll(pointers->value) : 0, 16);
		judge_derived(w, "journalBlockSize", journal, journal->value, 2 << 20);
	}
	/* a volume that was upgraded from VMFS3 may have nothing there */
	lost5 = lost(w, MAX_JOURNAL, CHECKSUM_TYPE) && (!trusted || (is->config & VK_FS_DENSE) != 0);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, usual[i].field);

		if (field->offset < CHECKSUM_TYPE ? lost5 : field->offset < PHYS_DISK_BLOCK ? !trusted : lost6)
			vk_mend_number(&w->fsd.m, usual[i].field, six ? usual[i].six : usual[i].five, VK_FIELD_USUAL,
				       "usual with this version");
	}
	if (lost5)
		guess_host(w);
	if (lost6)
		vk_mend_number(&w->fsd.m, "physDiskBlockSize", w->sector_size, VK_FIELD_USUAL,
			       "sector size of this disk");
}
