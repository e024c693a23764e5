/* SPDX-License-Identifier: Apache-2.0 */
/* Which capture of the store is the newest of a device, a volume or a label. */
#ifndef VK_CMD_EXPLAIN_KEPT_H
#define VK_CMD_EXPLAIN_KEPT_H

#include "cmd/shared/captures.h"
#include "vmfskit/explain.h"

/* Free with vk_kept_free. */
struct vk_kept {
	struct vk_cmd_judged *items;
	size_t item_count;
	struct vk_kept_name {
		const char *name; /* in items */
		size_t item;
	} * names; /* sorted, of one name the newest capture first */
	size_t name_count;
};

/* A store that is not there has nothing. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_kept_load(const char *store, struct vk_kept *ret_kept, struct vk_error *err);
void vk_kept_free(struct vk_kept *kept);
/* By the volume, else by the device, else by the label. NULL: none is known. */
const struct vk_cmd_judged *vk_kept_find(const struct vk_kept *kept, const struct vk_explain_subject *subject);

#endif
