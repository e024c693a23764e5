/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a virtual disk: how long it is, how it begins. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vdisk/vdisk.h"

bool vk_vdisk_is_name(const char *path)
{
	const size_t len = strlen(path);

	return len > 5 && strcasecmp(path + len - 5, ".vmdk") == 0 &&
	       /* changed blocks, for backup: no data of the disk */
	       (len < 9 || strcasecmp(path + len - 9, "-ctk.vmdk") != 0);
}

bool vk_vdisk_is_beyond(const struct vk_error *error)
{
	return error->status == VK_ABSENT || error->status == VK_IO;
}

size_t vk_vdisk_add_file(struct vk_vdisk_making *m, char *path, const struct vk_fs_file *file,
			 const struct vk_error *error)
{
	struct vk_vdisk_file f = {.path = path};
	uint8_t head[VK_VMDK_HEADER_BYTES];
	size_t got;

	f.status = file != NULL ? VK_OK : error->status;
	if (file != NULL) {
		f.address = file->address;
		f.volume_offset = file->volume_offset;
		f.size_bytes = file->meta.fileLength;
		f.raw = file->meta.type == VK_FILE_RDM;
		/* what cannot be measured or read is said where the file is shown or copied */
		if (!f.raw &&
		    vk_fs_measure(m->fs, file, &f.missing_bytes, &f.lack, &f.allocated_bytes, NULL) == VK_OK &&
		    file->meta.blockSize > 0)
			f.allocated_bytes = vk_round_up_sat(f.allocated_bytes, file->meta.blockSize);
		if (!f.raw && vk_fs_read(m->fs, file, 0, head, sizeof(head), &got, NULL) == VK_OK) {
			f.header_seen = got == vk_min_u64(sizeof(head), f.size_bytes);
			(void)vk_vmdk_header_decode(head, got, &f.header);
		}
	}
	if (vk_append(&m->disks->files, &m->disks->file_count, &f, sizeof(f)) != NULL)
		return m->disks->file_count - 1;
	free(path);
	m->status = vk_no_memory(m->err, NULL);
	return SIZE_MAX;
}

void vk_vdisk_read_text(struct vk_vdisk_making *m, size_t number, const struct vk_fs_file *file,
			const struct vk_error *error)
{
	struct vk_vdisk_file *f = &m->disks->files[number];
	const bool may_be = vk_vdisk_is_name(f->path) && vk_vdisk_kind_of_name(f->path) == VK_VDISK_UNKNOWN;
	size_t got = 0;

	if (file == NULL)
		f->is_unread = may_be && vk_vdisk_is_beyond(error);
	if (file == NULL || file->meta.type != VK_FILE_ORDINARY || f->size_bytes > VK_VMDK_TEXT_BYTES)
		return;
	if (vk_fs_read(m->fs, file, 0, m->bytes, VK_VMDK_TEXT_BYTES, &got, NULL) != VK_OK || got < f->size_bytes ||
	    f->missing_bytes > 0)
		f->is_unread = may_be;
	else if (vk_vmdk_parse(m->bytes, got, m->text))
		f->is_descriptor = true;
	else
		f->is_junk = f->header.magic == VK_VMDK_NO_MAGIC;
}
