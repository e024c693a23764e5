/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a practice volume: file descriptors, resource metadata, the folders. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/disk/practice.h"

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

/* VMFS 3 and 5: an array of entries. */
enum { DOTS = 2, FIRST_FILE = VK_SYSTEM_FBB };

/* VMFS6: a header with a hash table, then blocks of 4096 bytes, each with a header of its own. */
enum {
	ENTRY6_SLOTS = 14,
	HASH_FIRST_FILE = 0x3E66, /* .fbb.sf; the other system files follow in order */
	LOCATION_ENTRY = 1
};

static void put_entry(uint8_t *to, uint32_t type, uint32_t resource, const char *name)
{
	/* the generation of all of them is 1 */
	struct vk_dir_entry e = {.type = type, .descAddr = vk_fd_address(0, resource), .generation = 1};

	memcpy(e.name, name, strlen(name));
	vk_dir_entry_encode(&e, to, VK_DIR_ENTRY_BYTES);
}

/* The names of system files have fixed places in the hash table, and no hash in the entry. */
static void put_entry6(uint8_t *dir, uint32_t offset, uint32_t type, uint32_t resource, const char *name)
{
	struct vk_dir6_entry e = {.type = type, .address = vk_fd_address(0, resource), .generation = 1,
				  .offset = offset};

	memcpy(e.name, name, strlen(name));
	vk_dir6_entry_encode(&e, dir + offset, VK_DIR6_ENTRY_BYTES);
}

static void put_block_header(uint8_t *to, uint16_t type, uint16_t slots, uint16_t used)
{
	struct vk_dir6_block b = {.version = type != VK_DIR6_MAP, .type = type, .totalSlots = slots,
				  .freeSlots = (uint16_t)(slots - used)};

	for (uint32_t i = used; i < slots && i < VK_DIR6_SLOTS_MAX; i++)
		b.bitmap[i / 8] = (uint8_t)(b.bitmap[i / 8] | 1U << i % 8);
	vk_dir6_block_encode(&b, to, VK_DIR6_BLOCK_BYTES);
}

/* The root names the other system files; .sdd.sf is empty. */
static void fill_folder6(uint8_t *dir, enum vk_system_file self, unsigned files)
{
	/* one allocation map, in block 0 */
	struct vk_dir6_header header = {.version = VK_DIR6_VERSION, .numEntries = files + DOTS,
					.numAllocated = files + DOTS, .numAllocationMapBlocks = 1};
	uint8_t *map = dir + VK_DIR6_BLOCKS;

	vk_dir6_header_encode(&header, dir, VK_DIR6_HEADER_BYTES);
	put_entry6(dir, VK_DIR6_SELF, self == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM, self, ".");
	put_entry6(dir, VK_DIR6_PARENT, VK_FILE_FOLDER, VK_SYSTEM_ROOT, "..");
	put_block_header(map, VK_DIR6_MAP, 0, 0);
	memset(map + VK_DIR6_BLOCK_BYTES, VK_DIR6_ITEM_NOT_WRITTEN * 0x11,
	       VK_LAB_FOLDER6_BLOCK_BYTES - VK_DIR6_BLOCK_BYTES);
	map[VK_DIR6_BLOCK_BYTES] = VK_DIR6_MAP << 4 | (files > 0 ? VK_DIR6_ENTRIES | VK_DIR6_ITEM_FREE_SLOTS
								  : VK_DIR6_ITEM_NOT_WRITTEN);
	if (files > 0)
		put_block_header(dir + VK_LAB_FOLDER6_BYTES, VK_DIR6_ENTRIES, ENTRY6_SLOTS, (uint16_t)files);
	for (unsigned i = 0; i < files; i++) {
		put_entry6(dir, VK_LAB_FOLDER6_BYTES + VK_DIR6_BLOCK_BYTES + i * VK_DIR6_ENTRY_BYTES, VK_FILE_SYSTEM,
			   FIRST_FILE + i, vk_system_file_name((enum vk_system_file)(FIRST_FILE + i)));
		vk_put_le32(dir + VK_DIR6_HASH + (size_t)(HASH_FIRST_FILE + i) * 4,
			    LOCATION_ENTRY | 1U << 2 | i << 24);
	}
}

static void fill_folder(uint8_t *to, enum vk_system_file self, unsigned files)
{
	put_entry(to, self == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM, self, ".");
	put_entry(to + VK_DIR_ENTRY_BYTES, VK_FILE_FOLDER, VK_SYSTEM_ROOT, "..");
	for (unsigned i = FIRST_FILE; i < FIRST_FILE + files; i++)
		put_entry(to + (size_t)(i + 1) * VK_DIR_ENTRY_BYTES, VK_FILE_SYSTEM, i,
			  vk_system_file_name((enum vk_system_file)i));
}

static void write_folders(const struct vk_lab_writing *w)
{
	static const enum vk_system_file folders[] = {VK_SYSTEM_ROOT, VK_SYSTEM_SDD};

	for (size_t i = 0; i < (w->files.file_count > VK_SYSTEM_SDD ? 2 : 1); i++) {
		size_t len = (size_t)w->files.of[folders[i]].length;
		unsigned files = folders[i] == VK_SYSTEM_ROOT ? w->files.file_count - FIRST_FILE : 0;
		uint8_t *bytes = vk_lab_alloc(w->disk, len);

		if (bytes == NULL)
			return;
		if (w->files.md_alignment != 0)
			fill_folder6(bytes, folders[i], files);
		else
			fill_folder(bytes, folders[i], files);
		vk_lab_file_put(w, folders[i], 0, bytes, len);
		free(bytes);
	}
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
	write_folders(w);
}
