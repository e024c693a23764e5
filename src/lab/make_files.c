/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a practice volume: file descriptors and resource metadata. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/lab.h"

enum {
	POINTER_BLOCK_BYTES = 65536, POINTERS = POINTER_BLOCK_BYTES / 8,
	TBZ_SHIFT = 20,
	FLAG_POINTER_BLOCKS = 8 /* on the one file seen that has them */
};

static struct vk_file_metadata metadata(const struct vk_lab_writing *w, enum vk_system_file file)
{
	const struct vk_lab_file *f = &w->files.of[file];
	bool folder = file == VK_SYSTEM_ROOT || file == VK_SYSTEM_SDD;
	uint32_t seconds = w->device->fs.creationTime;
	struct vk_file_metadata m = {
		.descAddr = vk_fd_address(0, file),
		.generation = 1,
		.linkCount = folder ? 2 : 1,
		.type = file == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM,
		.fileLength = f->length,
		.blockSize = w->files.block_bytes,
		.numBlocks = f->blocks,
		.mode = file == VK_SYSTEM_ROOT ? 01755 : file == VK_SYSTEM_SDD ? 040700 : 0400,
		.zeroLevelAddrType = VK_ZLA_FILE_BLOCK,
	};

	/* an ESX 3.5 took seconds to make them one after the other; .sdd.sf is a folder of the root */
	if (w->device->version == 3)
		seconds += file == VK_SYSTEM_ROOT ? 4 : file - 1U;
	else if (file == VK_SYSTEM_ROOT)
		m.linkCount++;
	m.mtime = seconds;
	m.ctime = seconds;
	m.atime = seconds;
	if (w->device->version == 3)
		return m;
	m.newSinceEpochLo = w->files.md_alignment != 0 && file == VK_SYSTEM_FDC ? 1 : (uint32_t)f->blocks;
	m.affinityFD = m.descAddr;
	m.tbzGranularityShift = TBZ_SHIFT;
	m.blockOffsetShift = (uint8_t)__builtin_ctzll(w->files.block_bytes);
	if (w->files.md_alignment != 0)
		m.signature = VK_FD_SIGNATURE;
	if (f->pointer_blocks == 0)
		return m;
	m.flags = FLAG_POINTER_BLOCKS;
	m.zeroLevelAddrType = VK_ZLA_POINTER_BLOCK2;
	m.numPointerBlocks = f->pointer_blocks;
	m.lastSFBClusterNum =
		(uint32_t)(vk_lab_block_number(&w->files, file, f->blocks - 1) / VK_LAB_SMALL_PER_CLUSTER);
	m.unknown78[4] = 1;
	m.affinityBitmap = 1;
	return m;
}

static uint64_t block_address(const struct vk_lab_files *f, enum vk_system_file file, uint64_t index)
{
	return vk_file_block_address(f->md_alignment != 0, vk_lab_block_number(f, file, index),
				     VK_LAB_SMALL_PER_CLUSTER);
}

/* The addresses of a file that do not fit its descriptor: its pointer blocks in .pb2.sf. */
static void put_pointer_blocks(const struct vk_lab_writing *w, enum vk_system_file file)
{
	const struct vk_lab_files *f = &w->files;
	uint8_t *raw = vk_lab_alloc(w->disk, POINTER_BLOCK_BYTES);

	for (uint32_t n = 0; raw != NULL && n < f->of[file].pointer_blocks; n++) {
		memset(raw, 0, POINTER_BLOCK_BYTES);
		for (uint64_t i = 0; i < POINTERS && (uint64_t)n * POINTERS + i < f->of[file].blocks; i++)
			vk_put_le64(raw + i * 8, block_address(f, file, (uint64_t)n * POINTERS + i));
		vk_lab_file_put(w, VK_SYSTEM_PB2,
				vk_resource_offset(&f->of[VK_SYSTEM_PB2].resource, f->md_alignment, 0,
						   f->of[file].pointer_block + n),
				raw, POINTER_BLOCK_BYTES);
	}
	free(raw);
}

static void put_fd(struct vk_lab_writing *w, enum vk_system_file file)
{
	const struct vk_lab_files *f = &w->files;
	const struct vk_lab_file *of = &f->of[file];
	uint64_t offset = vk_resource_offset(&f->of[VK_SYSTEM_FDC].resource, f->md_alignment, 0, file);
	struct vk_lock lock = vk_lab_lock(w, VK_FD_LOCK_TYPE, vk_lab_file_volume_offset(f, VK_SYSTEM_FDC, offset));
	struct vk_file_metadata m = metadata(w, file);
	struct vk_fd_geometry g;
	uint8_t raw[2 * 4096] = {0};
	uint8_t *pointers;

	vk_fd_geometry(f->md_alignment, &g);
	vk_lock_encode(&lock, raw, g.metadata_offset);
	vk_file_metadata_encode(&m, raw + g.metadata_offset, 512);
	pointers = raw + g.pointers_offset;
	for (uint32_t i = 0; of->pointer_blocks == 0 && i < of->blocks && i < g.pointers; i++) {
		uint64_t address = block_address(f, file, i);

		if (g.pointer_bytes == 8)
			vk_put_le64(pointers + (size_t)i * 8, address);
		else
			vk_put_le32(pointers + (size_t)i * 4, (uint32_t)address);
	}
	for (uint32_t i = 0; i < of->pointer_blocks; i++)
		vk_put_le64(pointers + (size_t)i * 8,
			    VK_ADDRESS_POINTER_BLOCK2 | (uint64_t)(of->pointer_block + i) << 56);
	vk_lab_file_put(w, VK_SYSTEM_FDC, offset, raw, g.fd_bytes);
	put_pointer_blocks(w, file);
}

static void put_resource(const struct vk_lab_writing *w, enum vk_system_file file, uint64_t offset,
			 const struct vk_resource_file *resource)
{
	uint8_t sector[512] = {0};

	vk_resource_file_encode(resource, sector, sizeof(sector));
	vk_lab_file_put(w, file, offset, sector, sizeof(sector));
}

/* Each file with its clusters if it is a resource file; the root comes last, as on the real volumes. */
void vk_lab_write_files(struct vk_lab_writing *w)
{
	for (unsigned i = VK_SYSTEM_FBB; i < w->files.file_count; i++) {
		const struct vk_lab_file *f = &w->files.of[i];

		put_fd(w, (enum vk_system_file)i);
		if (!f->has_resource)
			continue;
		put_resource(w, (enum vk_system_file)i, 0, &f->resource);
		if (f->resource.childMetaOffset != 0)
			put_resource(w, (enum vk_system_file)i, f->resource.childMetaOffset, &w->files.small);
		vk_lab_write_clusters(w, (enum vk_system_file)i);
	}
	put_fd(w, VK_SYSTEM_ROOT);
	vk_lab_write_folders(w);
}
