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
				vk_work_note(fs->work, "%s holds the descriptor of another volume; it is not used.",
					     k->name);
			continue;
		}
		at = vk_add_sat(vk_mul_sat(v->start_sector, k->source->sector_size), v->fs_offset_bytes);
		if (vk_io_read_all(k->source->io, at, fs->capture_sector, sizeof(fs->capture_sector), &err) != VK_OK)
			continue;
		fs->capture = &v->fs;
		fs->m.capture = &v->fs;
		fs->m.capture_name = k->name;
		fs->m.capture_proves = !fs->work->capture_untied;
		/*
		 * a resignature draws UUIDs anew; that there was none is known when descriptor or volume descriptor
		 * stands
		 */
		fs->m.capture_names = fs->trusted || !fs->work->volume_lost;
		if (!fs->trusted)
			fs->is = v->fs;
		return;
	}
}

static void note_other_label(struct vk_fs_work *fs)
{
	char now[140], then[140];
	struct vk_text text;

	if (memcmp(fs->is.fsLabel, fs->capture->fsLabel, sizeof(fs->is.fsLabel)) == 0)
		return;
	vk_text_init(&text, now, sizeof(now));
	vk_text_label(&text, fs->is.fsLabel, sizeof(fs->is.fsLabel));
	vk_text_init(&text, then, sizeof(then));
	vk_text_label(&text, fs->capture->fsLabel, sizeof(fs->capture->fsLabel));
	vk_work_note(fs->work, "The label is \"%s\", in %s it was \"%s\": a datastore may have been renamed, it stays.",
		     now, fs->m.capture_name, then);
}

void vk_fs_take_capture(struct vk_fs_work *fs)
{
	if (fs->capture == NULL)
		return;
	vk_mend_from_capture(&fs->m);
	if (fs->trusted)
		note_other_label(fs);
}
