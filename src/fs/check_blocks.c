/* SPDX-License-Identifier: Apache-2.0 */
/* The last phase of the check: what the addresses of files use, against what the bitmaps say. */
#include <inttypes.h>

#include "base/checked.h"
#include "base/memory.h"
#include "fs/check.h"

enum { LOST_MAX = 16 /* findings of lost runs of one kind; the rest is counted */ };

/* One file. */
struct user {
	struct vk_checking *c;
	const struct vk_fs_file *file;
	struct vk_fs_cursor *cursor;
	bool again;
	uint64_t last;          /* address of the last step: a large block stands in many */
	uint64_t units;         /* that its addresses lead to */
	uint64_t zeroed;        /* of them, to be zeroed */
	uint64_t pointer_blocks;
	uint64_t free_count, free_first, twice_count, twice_first; /* addresses */
};

static void use_one(struct user *u, enum vk_check_kind kind, uint64_t number, uint64_t address, bool shared)
{
	struct vk_checking *c = u->c;
	struct vk_check_map *m = &c->maps[kind];
	uint64_t one = 1;

	if (number >= m->count)
		return;
	if (u->again) {
		if (vk_range_set_holds(&c->twice[kind], number, &one) && u->twice_count++ == 0)
			u->twice_first = address;
		return;
	}
	c->result.phases[c->phase].checked++;
	if (vk_bit(m->used, number) && !shared && !vk_range_set_add(&c->twice[kind], number, 1))
		c->status = vk_no_memory(c->err, NULL);
	vk_set_bit(m->used, number);
	if (vk_bit(m->known, number / m->per_cluster) && !vk_bit(m->allocated, number) && u->free_count++ == 0)
		u->free_first = address;
}

static void use_resource(struct user *u, enum vk_check_kind kind, const struct vk_address *a, uint64_t address)
{
	const struct vk_check_map *m = &u->c->maps[kind];

	use_one(u, kind, a->cluster * m->per_cluster + a->resource, address, a->copy_on_write);
}

static void use_address(struct user *u, uint64_t address)
{
	const struct vk_fs_info *info = &u->c->fs->info;
	struct vk_address a;

	vk_address_decode(address, &info->addresses, &a);
	switch (a.kind) {
	case VK_ADDRESS_FILE_BLOCK:
		use_one(u, VK_CHECK_BLOCKS, info->vmfs6 ? a.cluster * info->small_per_cluster + a.resource : a.block,
			address, a.copy_on_write);
		break;
	case VK_ADDRESS_LARGE_BLOCK:
		for (uint64_t i = 0; i < info->small_per_cluster; i++)
			use_one(u, VK_CHECK_BLOCKS, a.block * info->small_per_cluster + i, address, a.copy_on_write);
		break;
	case VK_ADDRESS_SUB_BLOCK:
		use_resource(u, VK_CHECK_SUB_BLOCKS, &a, address);
		break;
	case VK_ADDRESS_POINTER_BLOCK:
		use_resource(u, VK_CHECK_PBS, &a, address);
		break;
	case VK_ADDRESS_POINTER_BLOCK2:
		use_resource(u, VK_CHECK_PB2S, &a, address);
		break;
	default:
		break;
	}
}

static void use_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct user *u = ctx;

	(void)volume_offset;
	u->pointer_blocks++;
	use_address(u, address);
}

/* A sub-block of VMFS3 may lie in two blocks of .sbc.sf: two steps, one address. */
static bool use_step(void *ctx, uint64_t offset, const struct vk_fs_step *step)
{
	struct user *u = ctx;

	if (step->kind == VK_RUN_MISSING) {
		u->c->blocks_unknown = true;
		u->c->result.phases[u->c->phase].unknown += !u->again && step->lack < VK_LACK_ZEROS;
	}
	if (step->address == 0 || offset % u->cursor->unit_bytes != 0)
		return u->c->status == VK_OK;
	u->units++;
	u->zeroed += step->kind == VK_RUN_TBZ;
	if (step->address != u->last || vk_address_kind(step->address) != VK_ADDRESS_LARGE_BLOCK)
		use_address(u, step->address);
	u->last = step->address;
	return u->c->status == VK_OK;
}

static void follow_all(struct user *u)
{
	uint64_t end = vk_fs_reach(u->cursor), length = u->file->meta.fileLength;

	if (length > end && !u->again)
		vk_fs_say(u->c->fs, &u->c->named, u->c->fd, VK_F_FILE_LENGTH, u->file->volume_offset, 0,
			  vk_phrase("%" PRIu64, length).text, vk_phrase("at most %" PRIu64, end).text,
			  "file descriptor 0x%08" PRIx32 ": fileLength is beyond its addresses", u->file->address);
	vk_fs_follow(u->cursor, use_step, u);
}

static void say_user(const struct user *u, enum vk_finding_code code, uint64_t count, uint64_t first, const char *what)
{
	if (count > 0)
		vk_fs_say(u->c->fs, &u->c->named, u->c->fd, code, u->file->volume_offset, 0,
			  vk_fs_address_text(u->c->fs, first).text, NULL,
			  "file descriptor 0x%08" PRIx32 ": %" PRIu64 " of its blocks %s", u->file->address, count,
			  what);
}

/* System files have the blocks of their length; others may have more, and holes. */
static void check_system_length(struct vk_checking *c, const struct vk_fs_file *file, uint64_t units)
{
	const struct vk_file_metadata *m = &file->meta;
	uint64_t needed = m->blockSize == 0 ? 0 : m->fileLength / m->blockSize + (m->fileLength % m->blockSize != 0);

	if (m->type == VK_FILE_SYSTEM && m->numLFB == 0 && units != needed && !c->blocks_unknown)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_COUNT, file->volume_offset, 0,
			  vk_phrase("%" PRIu64 " blocks", units).text, vk_phrase("%" PRIu64, needed).text,
			  "file descriptor 0x%08" PRIx32 ": a system file has other blocks than its length needs",
			  file->address);
}

void vk_check_blocks(struct vk_checking *c, const struct vk_fs_file *file, bool again)
{
	const struct vk_file_metadata *m = &file->meta;
	struct vk_fs_cursor cursor;
	struct user u = {.c = c, .file = file, .cursor = &cursor, .again = again};
	struct vk_range_set followed = {0};
	struct vk_fs_step step;

	if (m->type == VK_FILE_RDM)
		return;
	vk_fs_cursor_init(&cursor, c->fs, file, again ? NULL : &c->named);
	cursor.followed = &followed;
	cursor.on_pointer_block = use_pointer_block;
	cursor.ctx = &u;
	if (!vk_fs_has_addresses(&cursor)) {
		if (m->fileLength > 0)
			vk_fs_step(&cursor, m->fileLength - 1, &step);
		if (m->zeroLevelAddrType == VK_ZLA_RESIDENT && m->numBlocks != 0 && !again)
			vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_COUNT, file->volume_offset, 0,
				  vk_phrase("%" PRIu64, m->numBlocks).text, "0",
				  "file descriptor 0x%08" PRIx32 ": it holds its data itself and counts blocks",
				  file->address);
		vk_range_set_free(&followed);
		return;
	}
	follow_all(&u);
	vk_fs_cursor_end(&cursor);
	vk_range_set_free(&followed);
	if (again) {
		say_user(&u, VK_F_FILE_BLOCK_TWICE, u.twice_count, u.twice_first,
			 "are used by another file as well, or twice");
		return;
	}
	say_user(&u, VK_F_FILE_BLOCK_FREE, u.free_count, u.free_first, "are marked free");
	/* how large blocks are counted was not seen */
	if (u.units != m->numBlocks && m->numLFB == 0 && !c->blocks_unknown)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_COUNT, file->volume_offset, 0,
			  vk_phrase("%" PRIu64, m->numBlocks).text, vk_phrase("%" PRIu64, u.units).text,
			  "file descriptor 0x%08" PRIx32 ": numBlocks is not the number of its blocks", file->address);
	/* how VMFS 3 and 5 count them was not seen, nor two levels */
	if (cursor.level_count <= (c->fs->info.vmfs6 ? 1U : 0U) && u.pointer_blocks != m->numPointerBlocks &&
	    !c->blocks_unknown)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_COUNT, file->volume_offset, 0,
			  vk_phrase("%" PRIu32, m->numPointerBlocks).text, vk_phrase("%" PRIu64, u.pointer_blocks).text,
			  "file descriptor 0x%08" PRIx32 ": numPointerBlocks is not the number of its pointer blocks",
			  file->address);
	check_system_length(c, file, u.units);
	/* what is counted on VMFS6, where parts of a block are to be zeroed, was not seen */
	if (!c->fs->info.vmfs6 && u.zeroed != m->numTBZBlocksLo && !c->blocks_unknown)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_COUNT, file->volume_offset, 0,
			  vk_phrase("%" PRIu32, m->numTBZBlocksLo).text, vk_phrase("%" PRIu64, u.zeroed).text,
			  "file descriptor 0x%08" PRIx32 ": numTBZBlocks is not the number of blocks to be zeroed",
			  file->address);
}

static void lost_run(struct vk_checking *c, const struct vk_check_map *m, uint64_t first, uint64_t count,
		     uint64_t said)
{
	const struct vk_fs_info *info = &c->fs->info;
	uint64_t at = 0, size = info->file_block_bytes;

	if (said >= LOST_MAX)
		return;
	if (m->file == VK_SYSTEM_FBB) {
		at = first * size;
	} else {
		size = info->system[m->file].resource.resourceSize;
		if (vk_fs_resource(c->fs, m->file, first / m->per_cluster, (uint32_t)(first % m->per_cluster), &at) !=
		    VK_OK)
			return;
	}
	vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_LOST, at, vk_mul_sat(count, size), NULL, NULL,
		  "%" PRIu64 " %s from %" PRIu64 " on are allocated in %s, and no file uses them", count, m->things,
		  first, vk_system_file_name(m->file));
}

static void lost_of(struct vk_checking *c, const struct vk_check_map *m)
{
	uint64_t run = 0, said = 0, total = 0;

	c->fd = c->fs->info.system[m->file].file->address;
	for (uint64_t i = 0; i <= m->count; i++) {
		bool lost = i < m->count && vk_bit(m->allocated, i) && !vk_bit(m->used, i);

		run += lost;
		if (!lost && run > 0) {
			lost_run(c, m, i - run, run, said++);
			total += run;
			run = 0;
		}
	}
	if (said > LOST_MAX)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_BLOCK_LOST,
			  c->fs->info.system[m->file].file->volume_offset, 0,
			  NULL, NULL, "%" PRIu64 " %s in %" PRIu64 " places are allocated and unused", total,
			  m->things, said);
	c->fd = 0;
}

/* Only where all files are known can it be said that none uses a block. */
void vk_check_lost(struct vk_checking *c)
{
	c->phase = VK_FS_CHECK_BLOCKS;
	for (size_t i = 0; i < VK_CHECK_KINDS && !c->blocks_unknown; i++) {
		/* VMFS 3 and 5 have journals in file blocks */
		const bool journals = i == VK_CHECK_BLOCKS && !c->fs->info.vmfs6 && c->journals_unknown;

		if (i != VK_CHECK_FDS && c->maps[i].count > 0 && !journals)
			lost_of(c, &c->maps[i]);
	}
}
