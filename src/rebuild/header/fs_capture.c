/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture of this volume says of its file-system descriptor. */
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/fs_work.h"
#include "vmfskit/source.h"

static bool of_this_volume(const struct vk_fs_work *fs, const struct vk_vmfs *v)
{
	if (!v->fs_usable || v->fs_seen_bytes < VK_FS_DESCRIPTOR_BYTES)
		return false;
	if (fs->lv != NULL)
		return vk_vmfs_uuid_equal(&v->fs.volInfo, &fs->lv->uuid);
	return fs->trusted && vk_vmfs_uuid_equal(&v->fs.uuid, &fs->was.uuid);
}

void vk_fs_find_capture(struct vk_fs_work *fs)
{
	const struct vk_rebuild_header_options *o = fs->work->options;

	for (size_t i = 0; i < o->known_count; i++) {
		const struct vk_known_header *k = &o->known[i];
		const struct vk_vmfs *v;
		struct vk_error err;
		uint64_t at;

		if (k->member || k->vmfs >= k->source->vmfs_count)
			continue;
		v = &k->source->vmfs[k->vmfs];
		if (!of_this_volume(fs, v)) {
			if (v->fs_usable)
				vk_work_note(fs->work, "%s holds the descriptor of another volume; it is not used.", k->name);
			continue;
		}
		at = vk_add_sat(vk_mul_sat(v->start_sector, k->source->sector_size), v->fs_offset_bytes);
		if (vk_io_read_all(k->source->io, at, fs->capture_sector, sizeof(fs->capture_sector), &err) !=
		    VK_OK)
			continue;
		fs->has_capture = true;
		fs->capture = v->fs;
		fs->capture_name = k->name;
		if (!fs->trusted)
			fs->is = v->fs;
		return;
	}
}

/* What a file system keeps from its making to its end; the label, for one, may have been changed since. */
static const char *const lasting[] = {
	"magic", "uuid", "diskBlockSize", "fileBlockSize", "creationTime", "volInfo", "fdcClusterGroupOffset",
	"fdcClustersPerGroup", "subBlockSize", "mdAlignment", "sfbToLfbShift",
};

enum vk_field_origin vk_fs_capture_origin(const struct vk_fs_work *fs, const struct vk_field *field)
{
	/* a resignature draws them anew; that there was none is known when descriptor or volume descriptor stands */
	bool drawn_anew = strcmp(field->name, "uuid") == 0 || strcmp(field->name, "volInfo") == 0;

	if (fs->work->capture_untied || (drawn_anew && !fs->trusted && fs->work->volume_lost))
		return VK_FIELD_USUAL;
	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
		if (strcmp(field->name, lasting[i]) == 0)
			return VK_FIELD_CAPTURE;
	return VK_FIELD_USUAL;
}

static void note_other_label(struct vk_fs_work *fs)
{
	char now[140], then[140];
	struct vk_text text;

	if (memcmp(fs->is.fsLabel, fs->capture.fsLabel, sizeof(fs->is.fsLabel)) == 0)
		return;
	vk_text_init(&text, now, sizeof(now));
	vk_text_label(&text, fs->is.fsLabel, sizeof(fs->is.fsLabel));
	vk_text_init(&text, then, sizeof(then));
	vk_text_label(&text, fs->capture.fsLabel, sizeof(fs->capture.fsLabel));
	vk_work_note(fs->work, "The label is \"%s\", in %s it was \"%s\": a datastore may have been renamed, it stays.",
		     now, fs->capture_name, then);
}

void vk_fs_take_capture(struct vk_fs_work *fs)
{
	if (!fs->has_capture)
		return;
	if (!fs->trusted) {
		for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++) {
			const struct vk_field *f = &vk_fs_descriptor_layout.fields[i];
			bool said = false;

			for (size_t k = 0; k < fs->work->header->field_count; k++)
				said |= fs->work->header->fields[k].field == f;
			if (!said)
				vk_fs_set_bytes(fs, f->name, (const uint8_t *)&fs->capture + f->member,
						VK_FIELD_USUAL, "%s", fs->capture_name);
		}
		return;
	}
	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
		const struct vk_field *f = vk_layout_field(&vk_fs_descriptor_layout, lasting[i]);

		/* what was set above came from the capture already */
		vk_fs_set_bytes(fs, lasting[i], (const uint8_t *)&fs->capture + f->member, VK_FIELD_USUAL, "%s", fs->capture_name);
	}
	note_other_label(fs);
}
