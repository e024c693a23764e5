/* SPDX-License-Identifier: Apache-2.0 */
/* ext2, ext3 and ext4: superblock, group descriptors, block bitmaps. No number is used before it was checked. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/ext.h"

enum {
	SUPER_AT = 1024, SUPER_BYTES = 1024, EXT_MAGIC = 0xEF53, BLOCK_BYTES_MAX = 65536,
	COMPAT_SPARSE2 = 0x200, COMPAT_ORPHAN_FILE = 0x1000,
	INCOMPAT_RECOVER = 0x4, INCOMPAT_JOURNAL = 0x8, INCOMPAT_META_BG = 0x10, INCOMPAT_64BIT = 0x80,
	INCOMPAT_FLEX_BG = 0x200, INCOMPAT_SEED = 0x2000,
	RO_SPARSE = 0x1, RO_GDT_CSUM = 0x10, RO_BIGALLOC = 0x200, RO_METADATA_CSUM = 0x400,
	GROUP_BLOCK_UNINIT = 2, ROOT_INODE = 2
};

uint32_t vk_crc32c(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc;
}

static bool read_bytes(const struct vk_ext *fs, uint64_t block, uint64_t from, uint8_t *buf, size_t len)
{
	uint64_t at = vk_add_sat(vk_add_sat(fs->start_bytes, vk_mul_sat(block, fs->block_bytes)), from);

	return block < fs->blocks && vk_io_read_all(fs->io, at, buf, len, NULL) == VK_OK;
}

static uint64_t time_of(const uint8_t *sb, size_t low, size_t high)
{
	return vk_get_le32(sb + low) | (uint64_t)sb[high] << 32;
}

/* Numbers that everything below divides by or reads with. */
static bool take_geometry(const uint8_t *sb, struct vk_ext *fs)
{
	uint32_t incompat = vk_get_le32(sb + 0x60), ro = vk_get_le32(sb + 0x64);
	uint32_t log_block = vk_get_le32(sb + 0x18), log_cluster = vk_get_le32(sb + 0x1c);
	bool wide = (incompat & INCOMPAT_64BIT) != 0, clusters = (ro & RO_BIGALLOC) != 0;

	if (log_block > 6 || (clusters && (log_cluster < log_block || log_cluster - log_block > 16)))
		return false;
	fs->block_bytes = 1024U << log_block;
	fs->unit_blocks = clusters ? 1U << (log_cluster - log_block) : 1;
	fs->blocks = vk_get_le32(sb + 0x04) | (wide ? (uint64_t)vk_get_le32(sb + 0x150) << 32 : 0);
	fs->first_block = vk_get_le32(sb + 0x14);
	fs->blocks_per_group = vk_get_le32(sb + 0x20);
	fs->units_per_group = clusters ? vk_get_le32(sb + 0x24) : fs->blocks_per_group;
	fs->inodes_per_group = vk_get_le32(sb + 0x28);
	fs->inode_bytes = vk_get_le32(sb + 0x4c) == 0 ? 128 : vk_get_le16(sb + 0x58);
	fs->descriptor_bytes = wide ? vk_get_le16(sb + 0xfe) : 32;
	/* a bitmap is one block */
	if (fs->first_block > (fs->block_bytes == SUPER_AT) || fs->blocks <= fs->first_block ||
	    fs->units_per_group == 0 || fs->units_per_group > fs->block_bytes * 8 || fs->units_per_group % 8 != 0 ||
	    fs->blocks_per_group != (uint64_t)fs->units_per_group * fs->unit_blocks)
		return false;
	if (fs->inodes_per_group == 0 || fs->inode_bytes < 128 || fs->inode_bytes > fs->block_bytes ||
	    (fs->inode_bytes & (fs->inode_bytes - 1)) != 0 || fs->descriptor_bytes < (wide ? 64 : 32) ||
	    fs->descriptor_bytes > fs->block_bytes || (fs->descriptor_bytes & (fs->descriptor_bytes - 1)) != 0)
		return false;
	fs->groups = (fs->blocks - fs->first_block - 1) / fs->blocks_per_group + 1;
	fs->length_bytes = vk_mul_sat(fs->blocks, fs->block_bytes);
	return fs->length_bytes != UINT64_MAX &&
	       vk_mul_sat(fs->groups, fs->inodes_per_group) == vk_get_le32(sb + 0x00) &&
	       vk_get_le32(sb + 0x10) <= vk_get_le32(sb + 0x00);
}

/* fs/ext4/super.c, ext4_bg_has_super. */
static bool has_super(const struct vk_ext *fs, uint64_t group)
{
	if (group == 0)
		return true;
	if (fs->backups[0] != 0 || fs->backups[1] != 0)
		return group == fs->backups[0] || group == fs->backups[1];
	if (group == 1 || !fs->sparse)
		return true;
	for (unsigned base = 3; base <= 7; base += 2) {
		uint64_t power = base;

		while (power < group)
			power = vk_mul_sat(power, base);
		if (power == group)
			return true;
	}
	return false;
}

static uint64_t first_of(const struct vk_ext *fs, uint64_t group)
{
	return fs->first_block + group * fs->blocks_per_group;
}

static uint32_t halves_of(const uint8_t *raw, size_t low, size_t high)
{
	return vk_get_le16(raw + low) | (uint32_t)vk_get_le16(raw + high) << 16;
}

static uint64_t words_of(const uint8_t *raw, size_t low, size_t high)
{
	return vk_get_le32(raw + low) | (uint64_t)vk_get_le32(raw + high) << 32;
}

struct group {
	uint64_t bitmap, inode_bitmap, inodes; /* blocks */
	uint32_t free_units, free_inodes, checksum;
	bool wide_checksum;
	bool uninit;
};

static bool read_group(const struct vk_ext *fs, uint64_t number, struct group *ret)
{
	uint64_t per_block = fs->block_bytes / fs->descriptor_bytes, slot = number / per_block;
	uint64_t block = (fs->block_bytes == SUPER_AT ? 2U : 1U) + slot;
	uint8_t raw[64] = {0};

	if (number >= fs->groups)
		return false;
	if (slot >= fs->meta_from)
		block = first_of(fs, slot * per_block) + (has_super(fs, slot * per_block) ? 1U : 0U);
	if (!read_bytes(fs, block, number % per_block * fs->descriptor_bytes, raw,
			vk_min_u64(fs->descriptor_bytes, sizeof(raw))))
		return false;
	*ret = (struct group){.bitmap = words_of(raw, 0, 0x20),
			      .inode_bitmap = words_of(raw, 0x04, 0x24),
			      .inodes = words_of(raw, 0x08, 0x28),
			      .free_units = halves_of(raw, 0x0c, 0x2c),
			      .free_inodes = halves_of(raw, 0x0e, 0x2e),
			      .checksum = halves_of(raw, 0x18, 0x38),
			      .wide_checksum = fs->descriptor_bytes >= 64,
			      .uninit = fs->uninit && (vk_get_le16(raw + 0x12) & GROUP_BLOCK_UNINIT) != 0};
	return ret->bitmap != 0 && ret->inodes != 0 && ret->bitmap < fs->blocks && ret->inode_bitmap < fs->blocks &&
	       ret->inodes < fs->blocks;
}

/*
 * Inodes in use that mkfs does not make: it takes the reserved ones, lost+found, and the file for orphans where that
 * feature is on. The superblock's count may be as old as the last mount, that of the first group is not.
 */
static uint64_t count_files(const struct vk_ext *fs, const uint8_t *sb)
{
	uint64_t made = vk_get_le32(sb + 0x4c) == 0 ? 11 : vk_max_u64(vk_get_le32(sb + 0x54), 11);
	uint64_t used = vk_get_le32(sb + 0x00) - vk_get_le32(sb + 0x10);
	struct group group;

	if ((vk_get_le32(sb + 0x5c) & COMPAT_ORPHAN_FILE) != 0 && vk_get_le32(sb + 0x280) != 0)
		made++;
	if (read_group(fs, 0, &group) && group.free_inodes < fs->inodes_per_group)
		used = vk_max_u64(used, fs->inodes_per_group - group.free_inodes);
	return used > made ? used - made : 0;
}

bool vk_ext_open(struct vk_io *io, uint64_t start_bytes, struct vk_ext *ret_fs)
{
	struct vk_ext fs = {.io = io, .start_bytes = start_bytes, .flex_groups = 1, .meta_from = UINT32_MAX};
	uint8_t sb[SUPER_BYTES];
	uint32_t compat, incompat, ro;

	if (vk_io_read_all(io, vk_add_sat(start_bytes, SUPER_AT), sb, sizeof(sb), NULL) != VK_OK ||
	    vk_get_le16(sb + 0x38) != EXT_MAGIC)
		return false;
	compat = vk_get_le32(sb + 0x5c);
	incompat = vk_get_le32(sb + 0x60);
	ro = vk_get_le32(sb + 0x64);
	/* a journal of another file system has no files */
	if ((incompat & INCOMPAT_JOURNAL) != 0 || !take_geometry(sb, &fs))
		return false;
	fs.sparse = (ro & RO_SPARSE) != 0;
	fs.checksums = (ro & RO_METADATA_CSUM) != 0;
	fs.uninit = (ro & (RO_METADATA_CSUM | RO_GDT_CSUM)) != 0;
	if (fs.checksums && vk_crc32c(~0U, sb, 0x3fc) != vk_get_le32(sb + 0x3fc))
		return false;
	fs.seed = (incompat & INCOMPAT_SEED) != 0 ? vk_get_le32(sb + 0x270) : vk_crc32c(~0U, sb + 0x68, 16);
	if ((incompat & INCOMPAT_FLEX_BG) != 0)
		fs.flex_groups = sb[0x174] <= 10 ? 1U << sb[0x174] : 0;
	if ((incompat & INCOMPAT_META_BG) != 0)
		fs.meta_from = vk_get_le32(sb + 0x104);
	fs.reserved_blocks = vk_get_le16(sb + 0xce);
	if ((compat & COMPAT_SPARSE2) != 0) {
		fs.backups[0] = vk_get_le32(sb + 0x24c);
		fs.backups[1] = vk_get_le32(sb + 0x250);
	}
	fs.clean = (vk_get_le16(sb + 0x3a) & 1) != 0 && (incompat & INCOMPAT_RECOVER) == 0;
	fs.made_s = time_of(sb, 0x108, 0x276);
	fs.written_s = time_of(sb, 0x30, 0x274);
	fs.mounted_s = time_of(sb, 0x2c, 0x275);
	fs.files = count_files(&fs, sb);
	*ret_fs = fs;
	return true;
}

static bool bitmap_fits(const struct vk_ext *fs, const struct group *group, const uint8_t *bitmap)
{
	uint32_t mask = group->wide_checksum ? UINT32_MAX : 0xffff;

	return !fs->checksums ||
	       (vk_crc32c(fs->seed, bitmap, fs->units_per_group / 8) & mask) == (group->checksum & mask);
}

static bool is_marked(const uint8_t *bitmap, uint64_t unit)
{
	return (bitmap[unit / 8] >> unit % 8 & 1) != 0;
}

/* Whether a group's bitmap says what its descriptor counts; where nothing was written yet, it has nothing to say. */
static bool group_agrees(const struct vk_ext *fs, uint64_t number)
{
	uint8_t bitmap[BLOCK_BYTES_MAX];
	uint64_t units = (vk_min_u64(fs->blocks - first_of(fs, number), fs->blocks_per_group) + fs->unit_blocks - 1) /
			 fs->unit_blocks;
	uint64_t unused = 0, own;
	struct group group;

	if (!read_group(fs, number, &group))
		return false;
	if (group.uninit)
		return true;
	if (!read_bytes(fs, group.bitmap, 0, bitmap, fs->block_bytes))
		return false;
	own = group.bitmap - first_of(fs, number);
	if (group.bitmap >= first_of(fs, number) && own < fs->blocks_per_group &&
	    !is_marked(bitmap, own / fs->unit_blocks))
		return false;
	/* while it is mounted, and after a crash, a part of this may still be in the journal */
	if (!fs->clean)
		return true;
	for (uint64_t i = 0; i < units; i++)
		unused += !is_marked(bitmap, i);
	return unused == group.free_units && bitmap_fits(fs, &group, bitmap);
}

bool vk_ext_whole(const struct vk_ext *fs)
{
	struct group first;
	uint8_t mode[2];

	/* the root is a directory (i_mode, S_IFDIR) */
	return read_group(fs, 0, &first) &&
	       read_bytes(fs, first.inodes, (uint64_t)(ROOT_INODE - 1) * fs->inode_bytes, mode, sizeof(mode)) &&
	       (mode[1] & 0xf0) == 0x40 && group_agrees(fs, 0) && group_agrees(fs, fs->groups / 2) &&
	       group_agrees(fs, fs->groups - 1);
}

/* Superblock, descriptors and room for more of them, at the beginning of a group. */
static bool is_head(const struct vk_ext *fs, uint64_t number, uint64_t block)
{
	uint64_t per_block = fs->block_bytes / fs->descriptor_bytes;
	uint64_t slots = vk_min_u64((fs->groups - 1) / per_block + 1, fs->meta_from);

	if (has_super(fs, number))
		return block - first_of(fs, number) <= slots + fs->reserved_blocks;
	/* of meta_bg the first, second and last group of each block of descriptors have a copy of it */
	return fs->meta_from != UINT32_MAX && block == first_of(fs, number);
}

/* Bitmaps and inodes of a group, which may lie in the first one of its neighbours. */
static bool is_table(const struct vk_ext *fs, uint64_t number, uint64_t block)
{
	uint64_t first = number - number % fs->flex_groups, last = first + fs->flex_groups;
	uint64_t table = ((uint64_t)fs->inodes_per_group * fs->inode_bytes + fs->block_bytes - 1) / fs->block_bytes;
	struct group g;

	for (uint64_t i = first; i < last && i < fs->groups; i++)
		if (read_group(fs, i, &g) && (block == g.bitmap || block == g.inode_bitmap ||
					      (block >= g.inodes && block - g.inodes < table)))
			return true;
	return false;
}

enum vk_hold vk_ext_hold(const struct vk_ext *fs, uint64_t at_bytes)
{
	uint8_t bitmap[BLOCK_BYTES_MAX];
	uint64_t block = (at_bytes - fs->start_bytes) / fs->block_bytes, number;
	struct group group;

	if (at_bytes < fs->start_bytes || block >= fs->blocks || fs->flex_groups == 0)
		return VK_HOLD_UNKNOWN;
	if (block < fs->first_block)
		return VK_HOLD_OWN;
	number = (block - fs->first_block) / fs->blocks_per_group;
	if (!read_group(fs, number, &group))
		return VK_HOLD_UNKNOWN;
	if (is_head(fs, number, block) || is_table(fs, number, block))
		return VK_HOLD_OWN;
	if (group.uninit)
		return VK_HOLD_FREE;
	if (!read_bytes(fs, group.bitmap, 0, bitmap, fs->block_bytes) || !bitmap_fits(fs, &group, bitmap))
		return VK_HOLD_UNKNOWN;
	return is_marked(bitmap, (block - first_of(fs, number)) / fs->unit_blocks) ? VK_HOLD_FILE : VK_HOLD_FREE;
}
