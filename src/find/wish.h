/* SPDX-License-Identifier: Apache-2.0 */
/* What a person must say so that a repair of the table names a volume. */
#ifndef VK_FIND_WISH_H
#define VK_FIND_WISH_H

#include "base/command.h"
#include "vmfskit/find.h"

enum vk_wish {
	VK_WISH_NONE,  /* nothing: no partition of another system stands in its way */
	VK_WISH_ASKED, /* the volume by its start, and what holds another system's data by its own */
	VK_WISH_COPY   /* it lies inside a partition that holds another system's data, as a copy: nothing is offered */
};
enum vk_wish vk_find_wish(const struct vk_find *find, const struct vk_source *source, const struct vk_candidate *c);
/* " --include 2048 --exclude 34816": what VK_WISH_ASKED asks for; nothing for the others. */
void vk_find_put_wish(const struct vk_find *find, const struct vk_source *source, const struct vk_candidate *c,
		      struct vk_command *line);

#endif
