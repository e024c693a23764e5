/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors one by one: what they say of themselves, and their names. */
#include <inttypes.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "fs/check.h"

enum { ROOT_ADDRESS = VK_ADDRESS_FD, CLUSTERS_MAX = 1 << 16 };

static void say_file(struct vk_checking *c, const struct vk_fs_file *file, enum vk_finding_code code, uint64_t seen,
		     uint64_t expected, const char *message)
{
	vk_fs_say(c->fs, &c->named, c->fd, code, file->volume_offset, c->fs->info.fd.fd_bytes,
		  vk_phrase("%" PRIu64, seen).text, vk_phrase("%" PRIu64, expected).text,
		  "file descriptor 0x%08" PRIx32 ": %s", file->address, message);
}

/* Of a folder: its name, its "." and the ".." of its folders. */
static void check_links(struct vk_checking *c, const struct vk_fs_file *file, size_t names)
{
	bool folder = vk_fs_file_is_folder(file);
	size_t links = folder ? 2 + vk_check_subfolders_of(c, file->address) : names;

	if (file->meta.linkCount != links)
		say_file(c, file, VK_F_FILE_LINK_COUNT, file->meta.linkCount, links,
			 folder ? "linkCount is not 2 and the number of its folders"
				: "linkCount is not the number of its names");
}

/* VMFS6: a file with one name is in the folder that it says; the root and system files are in none. */
static void check_parent(struct vk_checking *c, const struct vk_fs_file *file, size_t names, uint32_t folder)
{
	uint32_t expected = file->address == ROOT_ADDRESS || file->meta.type == VK_FILE_SYSTEM ? 0 : folder;

	if (c->fs->info.vmfs6 && names <= 1 && file->meta.parentFD != expected)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_DESCRIPTOR, file->volume_offset, c->fs->info.fd.fd_bytes,
			  vk_fs_address_text(c->fs, file->meta.parentFD).text,
			  vk_fs_address_text(c->fs, expected).text,
			  "file descriptor 0x%08" PRIx32 ": parentFD is not the folder that it is in", file->address);
}

static void check_names(struct vk_checking *c, const struct vk_fs_file *file, size_t names, uint32_t folder)
{
	c->phase = VK_FS_CHECK_NAMES;
	if (c->names_unknown)
		return;
	if (names > 0 || file->address == ROOT_ADDRESS) {
		check_links(c, file, names);
		check_parent(c, file, names, folder);
		return;
	}
	vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_NAMELESS, file->volume_offset, c->fs->info.fd.fd_bytes, NULL, NULL,
		  "file descriptor 0x%08" PRIx32 ", %" PRIu64 " bytes, has no name", file->address,
		  file->meta.fileLength);
}

/* Addresses of file descriptors in a descriptor; 0: none. */
static void check_fd_address(struct vk_checking *c, const struct vk_fs_file *file, const char *field, uint32_t address)
{
	const struct vk_check_map *fds = &c->maps[VK_CHECK_FDS];
	struct vk_address a;

	vk_address_decode(address, &c->fs->info.addresses, &a);
	if (address == 0 || (a.kind == VK_ADDRESS_FD && !a.unknown_bits &&
			     (fds->count == 0 || (a.resource < fds->per_cluster &&
						  a.cluster * fds->per_cluster + a.resource < fds->count))))
		return;
	vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_DESCRIPTOR, file->volume_offset, c->fs->info.fd.fd_bytes,
		  vk_fs_address_text(c->fs, address).text, NULL,
		  "file descriptor 0x%08" PRIx32 ": %s names no file descriptor of this volume", file->address, field);
}

static bool zla_known(const struct vk_file_metadata *m)
{
	switch (m->zeroLevelAddrType) {
	case 0:
		/* of a mapped LUN it is not used */
		return m->type == VK_FILE_RDM || m->fileLength == 0;
	case VK_ZLA_FILE_BLOCK:
	case VK_ZLA_SUB_BLOCK:
	case VK_ZLA_POINTER_BLOCK:
	case VK_ZLA_POINTER_BLOCK2:
	case VK_ZLA_DOUBLE:
	case VK_ZLA_RESIDENT:
		return true;
	default:
		return false;
	}
}

/* Bits of the type are often not there; where they are, they do not contradict it. */
static bool mode_fits(const struct vk_fs_file *file)
{
	uint32_t mode = file->meta.mode, kind = mode & S_IFMT;

	if (mode > 0xFFFF)
		return false;
	return kind == 0 || S_ISDIR(mode) == vk_fs_file_is_folder(file);
}

/* blockOffsetShift is log2 of blockSize, or 0 where it was never set: on VMFS3 and what was upgraded from it. */
static bool shift_fits(const struct vk_checking *c, const struct vk_file_metadata *m)
{
	if (m->blockOffsetShift == 0)
		return !c->fs->info.vmfs6;
	return m->blockOffsetShift < 64 && m->blockSize == 1ULL << m->blockOffsetShift;
}

/* Of the blocks of the file; tbzGranularityShift is the log2 of a size. */
static void check_counts(struct vk_checking *c, const struct vk_fs_file *file)
{
	const struct vk_file_metadata *m = &file->meta;

	if (((uint64_t)m->newSinceEpochHi << 32 | m->newSinceEpochLo) > m->numBlocks)
		say_file(c, file, VK_F_FILE_BLOCK_COUNT, m->newSinceEpochLo, m->numBlocks,
			 "newSinceEpoch is more than numBlocks");
	if (((uint64_t)m->numCOWBlocksHi << 32 | m->numCOWBlocksLo) > m->numBlocks)
		say_file(c, file, VK_F_FILE_BLOCK_COUNT, m->numCOWBlocksLo, m->numBlocks,
			 "numCOWBlocks is more than numBlocks");
	if (m->numLFB > m->numBlocks)
		say_file(c, file, VK_F_FILE_BLOCK_COUNT, m->numLFB, m->numBlocks, "numLFB is more than numBlocks");
	if (m->tbzGranularityShift >= 64)
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->tbzGranularityShift, 20,
			 "tbzGranularityShift is too large");
}

static void check_meta(struct vk_checking *c, const struct vk_fs_file *file)
{
	const struct vk_file_metadata *m = &file->meta;
	bool six = c->fs->info.vmfs6;

	c->phase = VK_FS_CHECK_DESCRIPTORS;
	if (m->type <= VK_FILE_VOLUME || m->type > VK_FILE_RDM)
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->type, VK_FILE_ORDINARY, "type is no type of a file");
	if (!shift_fits(c, m))
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->blockOffsetShift, m->blockSize,
			 "blockOffsetShift contradicts blockSize");
	if (!zla_known(m))
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->zeroLevelAddrType, VK_ZLA_FILE_BLOCK,
			 "zeroLevelAddrType is not known");
	if (!mode_fits(file))
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->mode, 0, "mode does not fit type");
	if (!six && m->signature != 0)
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->signature, 0, "VMFS 3 and 5 have no signature");
	if (!six && m->parentFD != 0)
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->parentFD, 0, "parentFD is of VMFS6 only");
	if (!six && (m->numTBZBlocksHi | m->numCOWBlocksHi | m->newSinceEpochHi) != 0)
		say_file(c, file, VK_F_FILE_DESCRIPTOR, m->numTBZBlocksHi, 0, "counts of blocks are too large");
	check_counts(c, file);
	check_fd_address(c, file, "affinityFD", m->affinityFD);
	if (six)
		check_fd_address(c, file, "parentFD", m->parentFD);
}

static void check_file(struct vk_checking *c, const struct vk_fs_file *file, bool again)
{
	uint32_t folder = 0;
	size_t names = vk_check_names_of(c, file->address, &c->path, &folder);

	if (!again) {
		c->result.files++;
		check_meta(c, file);
		vk_check_lock(c, &file->lock, file->volume_offset);
		check_names(c, file, names, folder);
	}
	c->phase = VK_FS_CHECK_BLOCKS;
	vk_check_blocks(c, file, again);
	c->path = NULL;
}

bool vk_check_is_alive(const struct vk_fs_file *file)
{
	return file->meta.linkCount > 0 && file->meta.type != VK_FILE_INVALID;
}

static void check_one(struct vk_checking *c, uint64_t number, void *ctx)
{
	const struct vk_check_map *fds = &c->maps[VK_CHECK_FDS];
	const bool again = *(const bool *)ctx;
	uint64_t cluster = number / fds->per_cluster;
	uint32_t address = vk_fd_address((uint32_t)cluster, (uint32_t)(number % fds->per_cluster));
	bool known = vk_bit(fds->known, cluster);
	struct vk_fs_file *file = NULL;
	struct vk_error why = {0};
	enum vk_status status;
	const char *path;

	c->fd = address;
	if (known && !vk_bit(fds->allocated, number)) {
		if (!again && vk_check_names_of(c, address, &c->path, NULL) > 0) {
			c->phase = VK_FS_CHECK_DESCRIPTORS;
			vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_FREE, c->fs->fdc->volume_offset, 0, NULL,
				  NULL,
				  "file descriptor 0x%08" PRIx32 " is in use and marked free in .fdc.sf", address);
		} else {
			c->fd = 0;
			return;
		}
	}
	c->phase = VK_FS_CHECK_DESCRIPTORS;
	(void)vk_check_names_of(c, address, &path, NULL);
	c->path = path;
	status = vk_fs_file_open(c->fs, address, known && !again ? &c->named : NULL, &file, &why);
	/* of a cluster without a bitmap nobody knows which are in use */
	if (!again && (known || status == VK_OK)) {
		c->result.phases[c->phase].checked += status != VK_ABSENT;
		c->result.phases[c->phase].unknown += status == VK_ABSENT;
	}
	if (status == VK_OK && (known || vk_check_is_alive(file))) {
		check_file(c, file, again);
	} else if (status == VK_IO || status == VK_NOMEM) {
		*c->err = why;
		c->status = status;
	} else if (status == VK_ABSENT) {
		c->blocks_unknown = true;
	} else if (status == VK_DAMAGED && known && !again) {
		c->blocks_unknown = true;
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_DESCRIPTOR, c->fs->fdc->volume_offset, 0, NULL, NULL,
			  "file descriptor 0x%08" PRIx32 " is in use, and none lies at its place", address);
	}
	c->path = NULL;
	c->fd = 0;
	vk_fs_file_close(file);
}

void vk_check_each_descriptor(struct vk_checking *c,
			      void (*fn)(struct vk_checking *c, uint64_t number, void *ctx), void *ctx)
{
	const struct vk_check_map *fds = &c->maps[VK_CHECK_FDS];
	uint64_t end, at;

	for (uint64_t first = 0; first < fds->count && c->status == VK_OK; first = end) {
		uint64_t cluster = first / fds->per_cluster;

		end = vk_min_u64(first + fds->per_cluster, fds->count);
		/* an address has no room for more; of an unread bitmap nobody knows what is in use */
		if (cluster >= CLUSTERS_MAX)
			break;
		if (!vk_bit(fds->known, cluster)) {
			c->blocks_unknown = true;
			if (vk_fs_resource(c->fs, VK_SYSTEM_FDC, cluster, 0, &at) != VK_OK)
				continue;
		}
		for (uint64_t i = first; i < end && c->status == VK_OK; i++)
			fn(c, i, ctx);
	}
}

void vk_check_files(struct vk_checking *c)
{
	bool collided = false, again = false;

	if (c->maps[VK_CHECK_FDS].count == 0 || c->fs->fdc_guessed)
		c->blocks_unknown = true;
	vk_check_each_descriptor(c, check_one, &again);
	for (size_t i = 0; i < VK_CHECK_KINDS; i++)
		collided = collided || c->twice[i].count > 0;
	again = true;
	if (collided)
		vk_check_each_descriptor(c, check_one, &again);
}
