/* SPDX-License-Identifier: Apache-2.0 */
/* All addresses of a file one after the other: for what asks whose a block is. */
#include "base/checked.h"
#include "fs/fs_parts.h"

bool vk_fs_has_addresses(const struct vk_fs_cursor *cursor)
{
	const struct vk_file_metadata *m = &cursor->file->meta;

	if (m->type == VK_FILE_RDM || m->zeroLevelAddrType == VK_ZLA_RESIDENT)
		return false;
	return cursor->level_count > 0 || m->zeroLevelAddrType == VK_ZLA_FILE_BLOCK ||
	       m->zeroLevelAddrType == VK_ZLA_SUB_BLOCK;
}

uint64_t vk_fs_reach(const struct vk_fs_cursor *cursor)
{
	const struct vk_fs_info *info = &cursor->fs->info;
	uint64_t span = 1;

	for (unsigned i = 0; i < cursor->level_count; i++)
		span *= info->pointers_per_block;
	return vk_mul_sat(vk_mul_sat(info->fd.pointers, span), cursor->unit_bytes);
}

void vk_fs_follow(struct vk_fs_cursor *cursor, vk_fs_step_fn fn, void *ctx)
{
	uint64_t end = vk_fs_reach(cursor);
	bool go_on = true;

	for (uint64_t at = 0; at < end && go_on;) {
		struct vk_fs_step step;

		vk_fs_step(cursor, at, &step);
		go_on = fn(ctx, at, &step);
		at = vk_add_sat(at, step.length_bytes);
	}
}
