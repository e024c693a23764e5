/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file-system descriptor: kept, mended field by field, or made new; what decides is how much of it can be believed.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/header_work.h"
#include "vmfskit/source.h"

/* The first capture of this volume that shows its descriptor. */
static void find_capture(struct vk_header_work *w)
{
	const struct vk_rebuild_header_options *o = w->options;
	struct vk_fs_work *fs = &w->fsd;

	for (size_t i = 0; i < o->known_count && fs->capture == NULL; i++) {
		const struct vk_known_header *k = &o->known[i];
		const struct vk_vmfs *v;
		struct vk_error err;
		uint64_t at;

		if (k->member || k->vmfs >= k->source->vmfs_count)
			continue;
		v = &k->source->vmfs[k->vmfs];
		if (!v->fs_usable || v->fs_seen_bytes < VK_FS_DESCRIPTOR_BYTES ||
		    !(fs->lv != NULL ? vk_vmfs_uuid_equal(&v->fs.volInfo, &fs->lv->uuid)
				     : fs->trusted && vk_vmfs_uuid_equal(&v->fs.uuid, &fs->was.uuid))) {
			if (v->fs_usable)
				vk_work_note(w, "%s holds the descriptor of another volume; it is not used.", k->name);
			continue;
		}
		at = vk_add_sat(vk_mul_sat(v->start_sector, k->source->sector_size), v->fs_offset_bytes);
		if (vk_io_read_all(k->source->io, at, fs->capture_sector, sizeof(fs->capture_sector), &err) != VK_OK)
			continue;
		fs->capture = &v->fs;
		fs->m.capture = &v->fs;
		fs->m.capture_name = k->name;
		fs->m.capture_proves = !w->capture_untied;
		/*
		 * a resignature draws UUIDs anew; that there was none is known when descriptor or volume descriptor
		 * stands
		 */
		fs->m.capture_names = fs->trusted || w->volume_believed;
		if (!fs->trusted)
			fs->is = v->fs;
	}
}

static void note_other_label(struct vk_header_work *w)
{
	char now[140], then[140];
	struct vk_text text;

	if (memcmp(w->fsd.is.fsLabel, w->fsd.capture->fsLabel, sizeof(w->fsd.is.fsLabel)) == 0)
		return;
	text = vk_text_in(now, sizeof(now));
	vk_text_label(&text, w->fsd.is.fsLabel, sizeof(w->fsd.is.fsLabel));
	text = vk_text_in(then, sizeof(then));
	vk_text_label(&text, w->fsd.capture->fsLabel, sizeof(w->fsd.capture->fsLabel));
	vk_work_note(w, "the label is \"%s\", in %s it was \"%s\": a datastore may have been renamed, it stays.", now,
		     w->fsd.m.capture_name, then);
}

/* Fields that VMFS3 does not use are zero on the volumes seen; damage there does not matter, but it shows. */
static void note_unused(struct vk_header_work *w)
{
	const struct vk_field *first = vk_layout_field(&vk_fs_descriptor_layout, "maxJournalSlotsPerTxn");
	char names[600];
	struct vk_text text = vk_text_in(names, sizeof(names));

	for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++) {
		const struct vk_field *f = &vk_fs_descriptor_layout.fields[i];

		if (f->offset >= first->offset && !vk_all_zero(w->fsd.sector + f->offset, f->size) &&
		    !vk_work_changes(w, &vk_fs_descriptor_layout, f->name))
			vk_text_fmt(&text, "%s%s", text.len_bytes > 0 ? ", " : "", f->name);
	}
	if (text.len_bytes > 0)
		vk_work_note(w, "not zero in this descriptor, as on all VMFS3 volumes seen, but left as it is, for "
				"the right value is not known: %s.", names);
}

static void verdict(struct vk_header_work *w, const struct vk_mend_sum *sum)
{
	const struct vk_fs_descriptor *is = &w->fsd.is;
	bool trusted = w->fsd.trusted, captured = w->fsd.capture != NULL;

	if (trusted && is->majorVersion == VK_FS_VMFS3)
		note_unused(w);
	if (trusted && !captured)
		vk_work_note(w, "damage to these fields of the file-system descriptor shows only against a capture, "
				"for they have no copy on the volume: fsLabel, minorVersion, config, all of uuid but "
				"its time, and what follows subBlockSize.");
	if (sum->changed == 0) {
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_CONSISTENT, "%s",
				w->identity.info_foreign
				? "it is consistent in itself, but it names another LVM volume than the LVM region"
				: "everything in it that can be compared agrees");
		return;
	}
	/* what a checksum covers and how it is made is not known */
	if (is->checksumType != 0 || !vk_all_zero(is->checksum, sizeof(is->checksum)))
		vk_work_note(w, "the descriptor carries a checksum that nobody outside VMware can compute; it stays as "
				"it is, and a host may complain about it.");
	if (!trusted)
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_REBUILT, "it was gone; %s",
				captured ? "a capture holds it"
					 : "made from the LVM volume, the system files and the heartbeats");
	else if (sum->changed == 1 && w->fsd.was.magic != is->magic)
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_MENDED, "only its magic was gone");
	else
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_MENDED,
				"%zu field%s changed, %zu of them not proved", sum->changed,
				sum->changed == 1 ? "" : "s", sum->inexact);
}

/* Read it and decide whether it is to be mended or can be made; else the verdict says why not. */
static bool begin(struct vk_header_work *w)
{
	const struct vk_vmfs *v = &w->vmfs;
	struct vk_fs_work *fs = &w->fsd;
	bool wanted = vk_work_wants(w, VK_HS_FS_DESCRIPTOR);
	const char *gone = NULL;

	if (!wanted || !v->fs_expected) {
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_NONE, "%s",
				wanted ? "it lies on the first extent of the volume, not on this one"
				       : "not requested");
		return false;
	}
	if (!vk_work_get_anew(w, v->fs_offset_bytes, fs->sector, sizeof(fs->sector))) {
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST, "its sector is not there");
		return false;
	}
	if (v->volume_count > 0 && !vk_vmfs_uuid_is_nil(&v->volumes[0].volume.uuid))
		fs->lv = &v->volumes[0].volume;
	vk_fs_descriptor_decode(fs->sector, sizeof(fs->sector), &fs->was);
	fs->trusted = vk_belief_fs(&fs->was, fs->lv != NULL ? &fs->lv->uuid : NULL);
	fs->m = (struct vk_mending){.work = w, .layout = &vk_fs_descriptor_layout, .was = &fs->was, .is = &fs->is,
				    .at = v->fs_offset_bytes, .rebuilt = !fs->trusted,
				    .blank = vk_all_zero(fs->sector, sizeof(fs->sector))};
	if (fs->trusted)
		fs->is = fs->was;
	find_capture(w);
	/* a descriptor is of use only to a volume whose files can be reached by it */
	if (fs->lv == NULL)
		gone = "it is gone, and so is the volume's identity in the LVM region";
	else if (vk_fs_fact(w, VK_SELF_FILE_BLOCK_SIZE)->sure == VK_SELF_UNKNOWN)
		gone = "it is gone, and so are the system files from which it could be made";
	if (gone != NULL && !fs->trusted && fs->capture == NULL) {
		vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST, "%s", gone);
		vk_work_lost(w, "the file-system descriptor is gone, and too little is left to rebuild it: only a "
				"capture brings it back.");
		return false;
	}
	if (vk_fs_judge_version(w))
		return true;
	vk_work_verdict(w, VK_HS_FS_DESCRIPTOR, VK_STRUCTURE_LOST, "the version of VMFS is not known");
	vk_work_lost(w, "the version of the file system is not known.");
	return false;
}

enum vk_status vk_rebuild_fs(struct vk_header_work *w, struct vk_error *err)
{
	struct vk_fs_work *fs = &w->fsd;
	struct vk_mend_sum sum = {0, 0};

	if (!begin(w))
		return VK_OK;
	vk_fs_judge_magic(w);
	vk_fs_judge_sizes(w);
	vk_fs_judge_identity(w);
	vk_fs_judge_config(w);
	vk_fs_judge_label(w);
	vk_fs_judge_later(w);
	/* what never changes in the life of a file system, and all of a descriptor that is lost */
	if (fs->capture != NULL)
		vk_mend_from_capture(&fs->m);
	if (fs->capture != NULL && fs->trusted)
		note_other_label(w);
	vk_mend_record(&fs->m, &sum);
	/* a capture has what no row describes, too */
	vk_mend_lay(&fs->m, fs->sector, sizeof(fs->sector), fs->capture != NULL ? fs->capture_sector : NULL, &sum);
	verdict(w, &sum);
	return sum.changed == 0 ? VK_OK : vk_work_put(w, fs->m.at, fs->sector, sizeof(fs->sector),
						      "file-system descriptor", VK_HEADER_CLASS_FS, err);
}
