/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the file-system descriptor of VMFS 5 and 6 has behind the sizes: system files' places, sizes of VMFS6, usual
 * values.
 */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/fs_work.h"

enum { MAX_JOURNAL = 0xDD, CHECKSUM_TYPE = 0x111, PHYS_DISK_BLOCK = 0x130, LOCAL_STAMP = 0x154 };

/* That part of the sector is lost: the whole descriptor is, or it is zero where no volume seen is. */
static bool lost(const struct vk_fs_work *fs, unsigned from, unsigned end)
{
	return !fs->trusted || vk_all_zero(fs->sector + from, end - from);
}

static bool lost5(const struct vk_fs_work *fs)
{
	/* a volume that was upgraded from VMFS3 may have nothing there */
	return fs->is.majorVersion >= VK_FS_VMFS5 && lost(fs, MAX_JOURNAL, CHECKSUM_TYPE) &&
	       (!fs->trusted || (fs->is.config & VK_FS_DENSE) != 0);
}

static bool lost6(const struct vk_fs_work *fs)
{
	return fs->is.majorVersion >= VK_FS_VMFS6 && lost(fs, PHYS_DISK_BLOCK, LOCAL_STAMP);
}

/*
 * Where .pb2.sf or .sdd.sf is. Where the root directory names it, or where DENSE_SBPC is set, which puts it at its
 * fixed place, its file descriptor there is the second witness.
 */
static void judge_place(struct vk_fs_work *fs, enum vk_system_file file, const char *offset, uint64_t offset_was,
			const char *address, uint32_t address_was)
{
	const struct vk_self_file *f = &fs->work->self.files[file];
	bool dense = (fs->is.config & VK_FS_DENSE) != 0 &&
		(fs->trusted || vk_fs_fact(fs, VK_SELF_DENSE)->sure == VK_SELF_CERTAIN ||
							    fs->is.majorVersion >= VK_FS_VMFS6);
	bool pair = fs->trusted && (offset_was == f->fd_offset || address_was == f->fd_address);
	enum vk_field_origin origin = vk_fs_by(f->elsewhere || dense || pair);
	const char *how = f->elsewhere ? "named by the root directory" : "at its fixed place";

	if (!f->has_fd || (fs->trusted && origin != VK_FIELD_COPY))
		return;
	vk_mend_number(&fs->m, offset, f->fd_offset, origin, "file descriptor of %s, %s", vk_system_file_name(file),
		       how);
	vk_mend_number(&fs->m, address, f->fd_address, origin, "file descriptor of %s, %s", vk_system_file_name(file),
		       how);
}

void vk_fs_judge_places(struct vk_fs_work *fs)
{
	const struct vk_self_report *self = &fs->work->self;
	const struct vk_fs_descriptor *was = &fs->was;

	if (fs->is.majorVersion < VK_FS_VMFS5)
		return;
	judge_place(fs, VK_SYSTEM_PB2, "pb2VolAddr", was->pb2VolAddr, "pb2FDAddr", was->pb2FDAddr);
	judge_place(fs, VK_SYSTEM_SDD, "sddVolAddr", was->sddVolAddr, "sddFDAddr", was->sddFDAddr);
	if (fs->trusted || fs->capture != NULL || fs->is.majorVersion != VK_FS_VMFS5 ||
	    self->files[VK_SYSTEM_PB2].has_fd || self->root_readable || (fs->is.config & VK_FS_DENSE) != 0)
		return;
	vk_work_lost(fs->work, "Whether and where this volume has a .pb2.sf is not known, for its root directory "
			       "cannot be read; if it was upgraded from VMFS3, files of more than 256 GiB cannot be "
			       "read by this descriptor.");
}

static bool alignment_plausible(uint64_t v)
{
	return v >= 512 && v <= 65536 && (v & (v - 1)) == 0;
}

static bool shift_plausible(uint64_t v)
{
	return v >= 1 && v <= 13;
}

/* A number that follows from the size of a system file's resources, where it is lost; what stands there stays. */
static void judge_derived(struct vk_fs_work *fs, const char *name, const struct vk_self_fact *told, uint64_t value,
			  uint64_t usual)
{
	const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, name);

	if (!lost6(fs) && (vk_field_number(field, &fs->was) != 0 || told->sure != VK_SELF_CERTAIN))
		return;
	if (told->sure >= VK_SELF_LIKELY)
		vk_mend_number(&fs->m, name, value, vk_fs_by(told->sure == VK_SELF_CERTAIN), "%s", told->from);
	else
		vk_mend_number(&fs->m, name, usual, VK_FIELD_USUAL, "usual with this version");
}

void vk_fs_judge_six(struct vk_fs_work *fs)
{
	const struct vk_self_fact *pointers = vk_fs_fact(fs, VK_SELF_POINTER_BLOCK_SIZE);
	const struct vk_self_fact *journal = vk_fs_fact(fs, VK_SELF_JOURNAL_BLOCK_SIZE);

	if (fs->is.majorVersion < VK_FS_VMFS6)
		return;
	vk_fs_judge_number(fs, "mdAlignment", VK_SELF_MD_ALIGNMENT, alignment_plausible, 4096);
	vk_fs_judge_number(fs, "sfbToLfbShift", VK_SELF_LFB_SHIFT, shift_plausible, 9);
	judge_derived(fs, "ptrBlockShift", pointers, pointers->value != 0 ? (uint64_t)__builtin_ctzll(pointers->value) :
		      0, 16);
	judge_derived(fs, "journalBlockSize", journal, journal->value, 2 << 20);
}

/* The session that made the file system had begun by then, on the host that made the LVM volume. */
static void guess_host(struct vk_fs_work *fs)
{
	const struct vk_self_report *self = &fs->work->self;

	for (unsigned i = 0; i < self->host_count && fs->lv != NULL; i++) {
		struct vk_vmfs_uuid_parts host, lv;

		vk_vmfs_uuid_decode(&self->hosts[i].uuid, &host);
		vk_vmfs_uuid_decode(&fs->lv->uuid, &lv);
		if (host.timeLo > fs->is.creationTime || memcmp(host.macAddr, lv.macAddr, sizeof(lv.macAddr)) != 0)
			continue;
		vk_mend_bytes(&fs->m, "hostUuid", &self->hosts[i].uuid, VK_FIELD_USUAL,
				"a session of the host that made the volume, by the block at volume offset 0x%llx",
				(unsigned long long)self->hosts[i].offset);
		return;
	}
	if (fs->capture == NULL)
		vk_work_lost(fs->work, "The host session that made the file system (hostUuid) survives nowhere and is "
				       "left nil.");
}

/* Values of new volumes; only one volume of each version was seen. */
static const struct {
	const char *field;
	uint32_t five, six;
} usual[] = {
	{"maxJournalSlotsPerTxn", 8, 64}, {"gblGeneration", 1, 1}, {"unmapPriority", 0, 1}, {"sfbAddrBits", 0, 44},
	{"tbzGranularity", 0, 1 << 20},   {"leaseIntervalMs", 0, 16000}, {"reclaimWindowMs", 0, 4000},
};

void vk_fs_judge_usual(struct vk_fs_work *fs)
{
	bool six = fs->is.majorVersion >= VK_FS_VMFS6;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, usual[i].field);
		bool gone = field->offset < CHECKSUM_TYPE ? lost5(fs) : field->offset < PHYS_DISK_BLOCK ? !fs->trusted :
			lost6(fs);

		if (gone && fs->is.majorVersion >= VK_FS_VMFS5)
			vk_mend_number(&fs->m, usual[i].field, six ? usual[i].six : usual[i].five, VK_FIELD_USUAL,
				       "usual with this version");
	}
	if (lost5(fs))
		guess_host(fs);
	if (lost6(fs))
		vk_mend_number(&fs->m, "physDiskBlockSize", fs->work->sector_size, VK_FIELD_USUAL,
			       "sector size of this disk");
}
