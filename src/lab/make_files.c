/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a practice volume: file descriptors and resource metadata. */
#include <string.h>

#include "base/bytes.h"
#include "lab/lab_files.h"
#include "vmfskit/lock.h"

uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file,
				   uint64_t offset)
{
	return files->of[file].first_block * files->block_bytes + offset;
}

enum vk_status vk_lab_file_put(const struct vk_lab_files_at *at, enum vk_system_file file,
			       uint64_t offset, const void *buf, size_t len, struct vk_error *err)
{
	return vk_lab_put(at->disk, at->volume_bytes + vk_lab_file_volume_offset(at->files, file, offset),
			  buf, len, err);
}

static struct vk_file_metadata metadata(const struct vk_lab_files_at *at, enum vk_system_file file)
{
	const struct vk_lab_file *f = &at->files->of[file];
	/* the files are made one after the other, the first in the second of the file system's creation */
	uint32_t seconds = at->device->fs.creationTime + (file == VK_SYSTEM_ROOT ? 4 : file - 1U);
	struct vk_file_metadata m = {
		.descAddr = vk_fd_address(0, file),
		.generation = 1,
		.linkCount = file == VK_SYSTEM_ROOT ? 2 : 1,
		.type = file == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM,
		.fileLength = f->length,
		.blockSize = at->files->block_bytes,
		.numBlocks = f->blocks,
		.mtime = seconds,
		.ctime = seconds,
		.atime = seconds,
		.mode = file == VK_SYSTEM_ROOT ? 01755 : 0400,
		.zeroLevelAddrType = VK_ZLA_FILE_BLOCK,
	};

	if (at->files->md_alignment != 0) {
		m.signature = VK_FD_SIGNATURE;
		m.blockOffsetShift = (uint8_t)__builtin_ctzll(at->files->block_bytes);
	}
	return m;
}

static enum vk_status put_fd(const struct vk_lab_files_at *at, enum vk_system_file file,
			     struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	const struct vk_resource_file *fdc = &f->of[VK_SYSTEM_FDC].resource;
	uint64_t offset = vk_resource_offset(fdc, f->md_alignment, 0, file);
	struct vk_lock lock = vk_lab_lock(VK_FD_LOCK_TYPE, vk_lab_file_volume_offset(f, VK_SYSTEM_FDC, offset));
	struct vk_file_metadata m = metadata(at, file);
	struct vk_fd_geometry g;
	uint8_t raw[2 * 4096] = {0};

	vk_fd_geometry(f->md_alignment, &g);
	vk_lock_encode(&lock, raw, g.metadata_offset);
	vk_file_metadata_encode(&m, raw + g.metadata_offset, 512);
	for (uint32_t i = 0; i < f->of[file].blocks && i < g.pointers; i++) {
		uint64_t address = vk_file_block_address(f->md_alignment != 0, f->of[file].first_block + i,
							 VK_LAB_SMALL_PER_CLUSTER);
		uint8_t *to = raw + g.pointers_offset + (size_t)i * g.pointer_bytes;

		if (g.pointer_bytes == 8)
			vk_put_le64(to, address);
		else
			vk_put_le32(to, (uint32_t)address);
	}
	return vk_lab_file_put(at, VK_SYSTEM_FDC, offset, raw, g.fd_bytes, err);
}

static enum vk_status put_resource(const struct vk_lab_files_at *at, enum vk_system_file file,
				   uint64_t offset, const struct vk_resource_file *resource,
				   struct vk_error *err)
{
	uint8_t sector[512] = {0};

	vk_resource_file_encode(resource, sector, sizeof(sector));
	return vk_lab_file_put(at, file, offset, sector, sizeof(sector), err);
}

enum vk_status vk_lab_write_files(struct vk_lab_disk *disk, uint64_t base_bytes,
				  const struct vk_lab_device *device, struct vk_error *err)
{
	struct vk_lab_files files;
	struct vk_lab_files_at at = {disk, base_bytes + device->header.dataOffset, device, &files};
	enum vk_status status = vk_lab_files_plan(device, &files, err);

	for (unsigned i = VK_SYSTEM_ROOT; i < files.file_count && status == VK_OK; i++) {
		status = put_fd(&at, (enum vk_system_file)i, err);
		if (status == VK_OK && files.of[i].has_resource)
			status = put_resource(&at, (enum vk_system_file)i, 0, &files.of[i].resource, err);
	}
	if (status == VK_OK && files.md_alignment != 0)
		status = put_resource(&at, VK_SYSTEM_FBB, files.of[VK_SYSTEM_FBB].resource.childMetaOffset,
				      &files.small, err);
	if (status == VK_OK)
		status = vk_lab_write_clusters(&at, err);
	if (status == VK_OK)
		status = vk_lab_write_root(&at, err);
	return status;
}
