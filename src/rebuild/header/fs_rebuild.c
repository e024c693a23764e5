/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file-system descriptor: kept, mended field by field, or made new; what decides is how much of it can be believed.
 */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/fs_work.h"
#include "vmfskit/source.h"

static void read_facts(struct vk_fs_work *fs)
{
	const struct vk_vmfs *v = &fs->work->vmfs;

	if (v->volume_count > 0 && !vk_vmfs_uuid_is_nil(&v->volumes[0].volume.uuid))
		fs->lv = &v->volumes[0].volume;
	vk_fs_descriptor_decode(fs->sector, sizeof(fs->sector), &fs->was);
	fs->trusted = vk_belief_fs(&fs->was, fs->lv != NULL ? &fs->lv->uuid : NULL);
	fs->m = (struct vk_mending){.work = fs->work, .layout = &vk_fs_descriptor_layout, .was = &fs->was,
				    .is = &fs->is,
				    .at = fs->work->vmfs.fs_offset_bytes, .rebuilt = !fs->trusted,
				    .blank = vk_all_zero(fs->sector, sizeof(fs->sector))};
	if (fs->trusted)
		fs->is = fs->was;
	vk_fs_find_capture(fs);
}

/* A descriptor is of use only to a volume whose files can be reached by it. */
static bool can_be_made(struct vk_fs_work *fs)
{
	if (fs->trusted || fs->capture != NULL)
		return true;
	if (fs->lv == NULL)
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST,
				"it is gone, and so is the volume's identity in the LVM region");
	else if (vk_fs_fact(fs, VK_SELF_FILE_BLOCK_SIZE)->sure == VK_SELF_UNKNOWN)
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST,
				"it is gone, and none of the system files is left to make it from");
	else
		return true;
	vk_work_lost(fs->work, "The file-system descriptor is gone, and too little is left to make it anew: only a "
			       "capture brings it back.");
	return false;
}

/* Fields that VMFS3 does not use are zero on the volumes seen; damage there does not matter, but it shows. */
static void note_unused(struct vk_fs_work *fs)
{
	const struct vk_field *first = vk_layout_field(&vk_fs_descriptor_layout, "maxJournalSlotsPerTxn");
	char names[600];
	struct vk_text text;

	vk_text_init(&text, names, sizeof(names));
	for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++) {
		const struct vk_field *f = &vk_fs_descriptor_layout.fields[i];
		const uint8_t *raw = fs->sector + f->offset;

		if (f->offset >= first->offset && !vk_all_zero(raw, f->size) &&
		    !vk_work_changes(fs->work, &vk_fs_descriptor_layout, f->name))
			vk_text_fmt(&text, "%s%s", text.len_bytes > 0 ? ", " : "", f->name);
	}
	if (text.len_bytes > 0)
		vk_work_note(fs->work, "Not zero in this descriptor, as on all VMFS3 volumes seen, but left as it is, "
				       "for nothing tells what belongs there: %s.", names);
}

static void verdict(struct vk_fs_work *fs, const struct vk_mend_sum *sum)
{
	if (fs->trusted && fs->is.majorVersion == 4)
		note_unused(fs);
	if (fs->trusted && fs->capture == NULL)
		vk_work_note(fs->work, "Damage to these of the file-system descriptor is seen only beside a capture, "
				       "nothing else on the volume tells them: fsLabel, minorVersion, config, all of "
				       "uuid but its time, and what follows subBlockSize.");
	if (sum->changed == 0) {
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_CONSISTENT, "%s",
				fs->work->identity.info_foreign
				? "it agrees with itself, but it names another LVM volume than the LVM region"
				: "everything in it that can be compared agrees");
		return;
	}
	/* what a checksum covers and how it is made is not known */
	if (fs->is.checksumType != 0 || !vk_all_zero(fs->is.checksum, sizeof(fs->is.checksum)))
		vk_work_note(fs->work, "The descriptor carries a checksum that nobody outside VMware can compute; it "
				       "stays as it is, and a host may complain about it.");
	if (!fs->trusted)
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_REBUILT,
				fs->capture != NULL ? "it was gone; a capture holds it"
						: "it was gone; made from the LVM volume, the system files and the "
						  "heartbeats");
	else if (sum->changed == 1 && fs->was.magic != fs->is.magic)
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_MENDED,
				"only its magic was gone");
	else
		vk_work_verdict(fs->work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_MENDED,
				"%zu field%s changed, %zu of them not proved", sum->changed,
				sum->changed == 1 ? "" : "s", sum->inexact);
}

static bool looked_after(struct vk_fs_work *fs)
{
	struct vk_header_work *work = fs->work;

	if (!vk_work_wants(work, VK_HS_FS_DESCRIPTOR)) {
		vk_work_verdict(work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_NONE, "not asked for");
		return false;
	}
	if (!work->vmfs.fs_expected) {
		vk_work_verdict(work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_NONE,
				"it lies on the first extent of the volume, not on this one");
		return false;
	}
	if (!vk_work_get_anew(work, work->vmfs.fs_offset_bytes, fs->sector, sizeof(fs->sector))) {
		vk_work_verdict(work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST,
				"its sector is not there");
		return false;
	}
	return true;
}

static void judge_all(struct vk_fs_work *fs)
{
	vk_fs_judge_magic(fs);
	vk_fs_judge_sizes(fs);
	vk_fs_judge_identity(fs);
	vk_fs_judge_config(fs);
	vk_fs_judge_label(fs);
	vk_fs_judge_places(fs);
	vk_fs_judge_six(fs);
	vk_fs_judge_usual(fs);
	vk_fs_take_capture(fs);
}

enum vk_status vk_rebuild_fs(struct vk_header_work *work, struct vk_error *err)
{
	struct vk_fs_work fs = {.work = work};
	struct vk_mend_sum sum = {0, 0};

	if (!looked_after(&fs))
		return VK_OK;
	read_facts(&fs);
	if (!can_be_made(&fs))
		return VK_OK;
	if (!vk_fs_judge_version(&fs)) {
		vk_work_verdict(work, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST,
				"nothing tells which version of VMFS this is");
		vk_work_lost(work, "The version of the file system is not known.");
		return VK_OK;
	}
	judge_all(&fs);
	vk_mend_record(&fs.m, &sum);
	/* a capture has what no row describes, too */
	vk_mend_lay(&fs.m, fs.sector, sizeof(fs.sector), fs.capture != NULL ? fs.capture_sector : NULL, &sum);
	verdict(&fs, &sum);
	return sum.changed == 0 ? VK_OK : vk_work_put(work, fs.m.at, fs.sector, sizeof(fs.sector),
						      "file-system descriptor",
						      VK_HEADER_CLASS_FS, err);
}
