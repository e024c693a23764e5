/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a system file lie on the volume. */
#include "lab/lab_files.h"

uint64_t vk_lab_block_number(const struct vk_lab_files *files, enum vk_system_file file, uint64_t index)
{
	const struct vk_lab_run *run = files->of[file].runs;

	if (index < run[0].blocks)
		return run[0].first_block + index;
	return run[1].first_block + index - run[0].blocks;
}

uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file,
				   uint64_t offset)
{
	return vk_lab_block_number(files, file, offset / files->block_bytes) * files->block_bytes +
	       offset % files->block_bytes;
}

void vk_lab_file_put(const struct vk_lab_files_at *at, enum vk_system_file file, uint64_t offset, const void *buf,
		     size_t len, struct vk_error *err)
{
	vk_lab_put(at->disk, at->volume_bytes + vk_lab_file_volume_offset(at->files, file, offset), buf, len, err);
}

struct vk_lock vk_lab_lock(struct vk_lab_files_at *at, uint32_t type, uint64_t volume_offset)
{
	/* VMFS3 stamps microseconds, later ones count */
	uint64_t mtime = at->device->version == 3 ? 243180244 + (volume_offset >> 9) * 97 : 402 + at->locks;

	at->locks++;
	return (struct vk_lock){.type = type, .addr = volume_offset, .token = 1, .mtime = mtime};
}
