/* SPDX-License-Identifier: Apache-2.0 */
/* Where captures of this disk say that its volumes begin. */
#ifndef VK_CMD_FIND_HINTS_H
#define VK_CMD_FIND_HINTS_H

#include "cmd/shared/frame.h"
#include "vmfskit/find.h"

/* Start from all zero; free with vk_cmd_hints_free. */
struct vk_cmd_hints {
	struct vk_find_hint *items;
	size_t count;
	char **texts; /* what the items' from points to */
};

/*
 * Where volumes began, from the newest captures in the store of --store that are of this disk (vk_capture_is_of) and
 * that cmd->vouching vouches for. No store is no error unless it was named. VK_IO, VK_ABSENT, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_cmd_hints_read(const struct vk_cmd *cmd, const struct vk_source *source,
					     struct vk_cmd_hints *hints, struct vk_error *err);
void vk_cmd_hints_free(struct vk_cmd_hints *hints);

#endif
