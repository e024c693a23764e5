/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a virtual disk: how long it is, how it begins. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vdisk/vdisk.h"

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
		if (!f.raw && vk_fs_measure(m->fs, file, &f.missing_bytes, &f.allocated_bytes, NULL) == VK_OK &&
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
