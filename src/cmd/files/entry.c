/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a volume in words. */
#include "cmd/files/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"

const char *vk_ls_type(uint32_t type)
{
	switch (type) {
	case VK_FILE_FOLDER:
		return "dir";
	case VK_FILE_ORDINARY:
		return "file";
	case VK_FILE_LINK:
		return "symlink";
	case VK_FILE_SYSTEM:
		return "system";
	case VK_FILE_RDM:
		return "rdm";
	default:
		return "unknown";
	}
}

struct vk_shown vk_ls_mode(uint32_t type, bool is_folder, uint32_t mode)
{
	static const char letters[] = "rwxrwxrwx";
	static const struct {
		uint32_t bit;
		unsigned at;
		char with_x, without;
	} special[] = {{04000, 3, 's', 'S'}, {02000, 6, 's', 'S'}, {01000, 9, 't', 'T'}};
	struct vk_shown shown = {"----------"};

	shown.text[0] = is_folder ? 'd' : type == VK_FILE_LINK ? 'l' : '-';
	for (unsigned i = 0; i < 9; i++)
		if ((mode >> (8 - i) & 1) != 0)
			shown.text[i + 1] = letters[i];
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if ((mode & special[i].bit) != 0)
			shown.text[special[i].at] = shown.text[special[i].at] == 'x' ? special[i].with_x
										     : special[i].without;
	return shown;
}

struct vk_shown vk_ls_mode_octal(uint32_t mode)
{
	struct vk_shown shown;

	snprintf(shown.text, sizeof(shown.text), "%04o", mode & 07777);
	return shown;
}

static void put_damage(void *ctx, const struct vk_finding *finding)
{
	const struct vk_finding_sink *sink = ctx;

	if (finding->code != VK_F_STRUCTURE_ABSENT)
		sink->put(sink->ctx, finding);
}

/* Why bytes of a file are missing, where it is not only that the source ends. */
static enum vk_status say_damage(struct vk_files *files, const struct vk_fs_file *file, struct vk_error *err)
{
	const struct vk_finding_sink sink = {.put = put_damage, .ctx = &files->sink};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	enum vk_status status = vk_fs_walk_open(files->fs, file, 0, UINT64_MAX, &sink, &walk, err);

	if (status != VK_OK)
		return status;
	while (vk_fs_walk_next(walk, &run))
		continue;
	vk_fs_walk_close(walk);
	return VK_OK;
}

enum vk_status vk_ls_measure(struct vk_files *files, const struct vk_fs_file *file, struct vk_ls_entry *entry,
			     struct vk_error *err)
{
	char target[VK_FS_LINK_BYTES];
	enum vk_status status;

	entry->known = true;
	entry->type = file->meta.type;
	entry->address = file->address;
	entry->is_folder = vk_fs_file_is_folder(file);
	entry->meta = file->meta;
	status = vk_fs_measure(files->fs, file, &entry->missing_bytes, &entry->lack, &entry->allocated_bytes,
			       err);
	/* a raw device has its bytes on another LUN */
	if (file->meta.type == VK_FILE_RDM)
		entry->missing_bytes = 0;
	if (status == VK_OK && entry->missing_bytes > 0)
		status = say_damage(files, file, err);
	/* the end of the last block is allocated, too */
	if (status == VK_OK && file->meta.blockSize > 0)
		entry->allocated_bytes = vk_round_up_sat(entry->allocated_bytes, file->meta.blockSize);
	if (status != VK_OK || file->meta.type != VK_FILE_LINK)
		return status;
	/* what is not in the source is said by missing_bytes */
	if (vk_fs_link(files->fs, file, target, err) != VK_OK)
		return VK_OK;
	entry->target = strdup(target);
	return entry->target != NULL ? VK_OK : vk_no_memory(err, entry->path);
}

const char *vk_ls_missing(const struct vk_ls_entry *entry)
{
	static const char *const said[] = {"not in the source", "not read", "lost: what leads to it is zeros",
					   "lost: what leads to it is damaged"};

	return said[entry->lack];
}

struct vk_json vk_ls_entry_json(const struct vk_ls_entry *entry)
{
	const struct vk_file_metadata *m = &entry->meta;
	struct vk_json o = vk_json_begin();
	struct vk_shown address;

	snprintf(address.text, sizeof(address.text), "0x%08x", entry->address);
	VK_JSON_SET(&o, VK_KEY("path", (const char *)entry->path), VK_KEY("type", vk_ls_type(entry->type)));
	if (entry->known)
		VK_JSON_SET(&o, VK_KEY("size_bytes", m->fileLength), VK_KEY("allocated_bytes", entry->allocated_bytes),
			    VK_KEY("mode", (const char *)vk_ls_mode_octal(m->mode).text), VK_KEY("uid", m->uid),
			    VK_KEY("gid", m->gid), VK_KEY("links", m->linkCount),
			    VK_KEY("mtime", (const char *)vk_shown_time_s(m->mtime).text),
			    VK_KEY("ctime", (const char *)vk_shown_time_s(m->ctime).text),
			    VK_KEY("atime", (const char *)vk_shown_time_s(m->atime).text));
	vk_json_set_text(&o, "fd", address.text);
	if (entry->known)
		vk_json_set_number(&o, "missing_bytes", entry->missing_bytes);
	if (entry->known && entry->missing_bytes > 0)
		vk_json_set_text(&o, "missing", vk_fs_lack_said(entry->lack));
	if (entry->target != NULL)
		vk_json_set_text(&o, "target", entry->target);
	if (!entry->known)
		vk_json_set_text(&o, "unreadable", vk_fs_lack_said(entry->lack));
	return o;
}
