/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a practice volume: file descriptors and resource metadata. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/lab_files.h"

enum {
	POINTER_BLOCK_BYTES = 65536, POINTERS = POINTER_BLOCK_BYTES / 8,
	TBZ_SHIFT = 20,
	FLAG_POINTER_BLOCKS = 8 /* on the one file seen that has them */
};

/* Fields that VMFS5 brought. */
static void fill_metadata5(const struct vk_lab_files *files, enum vk_system_file file, struct vk_file_metadata *m)
{
	const struct vk_lab_file *f = &files->of[file];

	m->newSinceEpochLo = files->md_alignment != 0 && file == VK_SYSTEM_FDC ? 1 : (uint32_t)f->blocks;
	m->affinityFD = m->descAddr;
	m->tbzGranularityShift = TBZ_SHIFT;
	m->blockOffsetShift = (uint8_t)__builtin_ctzll(files->block_bytes);
	if (files->md_alignment != 0)
		m->signature = VK_FD_SIGNATURE;
	if (f->pointer_blocks == 0)
		return;
	m->flags = FLAG_POINTER_BLOCKS;
	m->zeroLevelAddrType = VK_ZLA_POINTER_BLOCK2;
	m->numPointerBlocks = f->pointer_blocks;
	m->lastSFBClusterNum =
		(uint32_t)(vk_lab_block_number(files, file, f->blocks - 1) / VK_LAB_SMALL_PER_CLUSTER);
	m->unknown78[4] = 1;
	m->affinityBitmap = 1;
}

static struct vk_file_metadata metadata(const struct vk_lab_files_at *at, enum vk_system_file file)
{
	const struct vk_lab_file *f = &at->files->of[file];
	bool folder = file == VK_SYSTEM_ROOT || file == VK_SYSTEM_SDD;
	uint32_t seconds = at->device->fs.creationTime;
	struct vk_file_metadata m = {
		.descAddr = vk_fd_address(0, file),
		.generation = 1,
		.linkCount = folder ? 2 : 1,
		.type = file == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM,
		.fileLength = f->length,
		.blockSize = at->files->block_bytes,
		.numBlocks = f->blocks,
		.mode = file == VK_SYSTEM_ROOT ? 01755 : file == VK_SYSTEM_SDD ? 040700 : 0400,
		.zeroLevelAddrType = VK_ZLA_FILE_BLOCK,
	};

	/* an ESX 3.5 took seconds to make them one after the other; .sdd.sf is a folder of the root */
	if (at->device->version == 3)
		seconds += file == VK_SYSTEM_ROOT ? 4 : file - 1U;
	else if (file == VK_SYSTEM_ROOT)
		m.linkCount++;
	m.mtime = seconds;
	m.ctime = seconds;
	m.atime = seconds;
	if (at->device->version >= 5)
		fill_metadata5(at->files, file, &m);
	return m;
}

static uint64_t block_address(const struct vk_lab_files *f, enum vk_system_file file, uint64_t index)
{
	return vk_file_block_address(f->md_alignment != 0, vk_lab_block_number(f, file, index),
				     VK_LAB_SMALL_PER_CLUSTER);
}

/* Pointer block number n of a file, in .pb2.sf. */
static void put_pointer_block(const struct vk_lab_files_at *at, enum vk_system_file file, uint32_t n,
			      struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	const struct vk_resource_file *pb2 = &f->of[VK_SYSTEM_PB2].resource;
	uint8_t *raw = vk_lab_alloc(at->disk, POINTER_BLOCK_BYTES, err);

	if (raw == NULL)
		return;
	for (uint64_t i = 0; i < POINTERS && (uint64_t)n * POINTERS + i < f->of[file].blocks; i++)
		vk_put_le64(raw + i * 8, block_address(f, file, (uint64_t)n * POINTERS + i));
	vk_lab_file_put(at, VK_SYSTEM_PB2, vk_resource_offset(pb2, f->md_alignment, 0, f->of[file].pointer_block + n),
			raw,
			POINTER_BLOCK_BYTES, err);
	free(raw);
}

static void put_pointers(const struct vk_lab_files_at *at, enum vk_system_file file, const struct vk_fd_geometry *g,
			 uint8_t *raw, struct vk_error *err)
{
	const struct vk_lab_file *f = &at->files->of[file];
	uint8_t *pointers = raw + g->pointers_offset;

	for (uint32_t i = 0; f->pointer_blocks == 0 && i < f->blocks && i < g->pointers; i++) {
		uint64_t address = block_address(at->files, file, i);

		if (g->pointer_bytes == 8)
			vk_put_le64(pointers + (size_t)i * 8, address);
		else
			vk_put_le32(pointers + (size_t)i * 4, (uint32_t)address);
	}
	for (uint32_t i = 0; i < f->pointer_blocks; i++) {
		vk_put_le64(pointers + (size_t)i * 8,
			    VK_ADDRESS_POINTER_BLOCK2 | (uint64_t)(f->pointer_block + i) << 56);
		put_pointer_block(at, file, i, err);
	}
}

static void put_fd(struct vk_lab_files_at *at, enum vk_system_file file, struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	uint64_t offset = vk_resource_offset(&f->of[VK_SYSTEM_FDC].resource, f->md_alignment, 0, file);
	struct vk_lock lock = vk_lab_lock(at, VK_FD_LOCK_TYPE, vk_lab_file_volume_offset(f, VK_SYSTEM_FDC, offset));
	struct vk_file_metadata m = metadata(at, file);
	struct vk_fd_geometry g;
	uint8_t raw[2 * 4096] = {0};

	vk_fd_geometry(f->md_alignment, &g);
	vk_lock_encode(&lock, raw, g.metadata_offset);
	vk_file_metadata_encode(&m, raw + g.metadata_offset, 512);
	put_pointers(at, file, &g, raw, err);
	vk_lab_file_put(at, VK_SYSTEM_FDC, offset, raw, g.fd_bytes, err);
}

static void put_resource(const struct vk_lab_files_at *at, enum vk_system_file file, uint64_t offset,
			 const struct vk_resource_file *resource, struct vk_error *err)
{
	uint8_t sector[512] = {0};

	vk_resource_file_encode(resource, sector, sizeof(sector));
	vk_lab_file_put(at, file, offset, sector, sizeof(sector), err);
}

/* A file, and the clusters that it has if it is a resource file. */
static void put_file(struct vk_lab_files_at *at, enum vk_system_file file, struct vk_error *err)
{
	const struct vk_lab_file *f = &at->files->of[file];

	put_fd(at, file, err);
	if (!f->has_resource)
		return;
	put_resource(at, file, 0, &f->resource, err);
	if (f->resource.childMetaOffset != 0)
		put_resource(at, file, f->resource.childMetaOffset, &at->files->small, err);
	vk_lab_write_clusters(at, file, err);
}

enum vk_status vk_lab_write_files(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				  struct vk_error *err)
{
	struct vk_lab_files files;
	struct vk_lab_files_at at = {disk, base_bytes + device->header.dataOffset, device, &files, 0};

	if (vk_lab_fail(disk, vk_lab_files_plan(device, &files, err)) != VK_OK)
		return disk->failed;
	for (unsigned i = VK_SYSTEM_FBB; i < files.file_count; i++)
		put_file(&at, (enum vk_system_file)i, err);
	put_file(&at, VK_SYSTEM_ROOT, err);
	vk_lab_write_folders(&at, err);
	return disk->failed;
}
