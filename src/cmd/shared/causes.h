/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of many captures, told once for each cause: unchanged files of many captures are one file. */
#ifndef VK_CMD_CAUSES_H
#define VK_CMD_CAUSES_H

#include "cmd/shared/captures.h"

/* Findings that are equal, and the captures that have them, as indices. */
struct vk_cmd_cause {
	const struct vk_finding *finding; /* borrowed */
	size_t *captures;
	size_t count;
	char since[32]; /* when a verify told it first; empty: this one does */
};
struct vk_cmd_causes {
	struct vk_cmd_cause *items;
	size_t count;
};

/* told: what vk_told_read gave; NULL: nothing is known. False when memory ran out; free also then. */
VK_MUST_USE bool vk_cmd_causes_find(const struct vk_cmd_judged *items, size_t count, const json_t *told,
				    struct vk_cmd_causes *ret_causes);
void vk_cmd_causes_free(struct vk_cmd_causes *causes);
/* Worst first, down to those of this severity. named: which captures it is about, too; else there is only one. */
void vk_cmd_causes_show(FILE *out, const struct vk_cmd_causes *causes, const struct vk_cmd_judged *items,
			enum vk_severity least, bool named);
/* The array for vk_told_write; what is not known to be older is told since now. */
json_t *vk_cmd_causes_json(const struct vk_cmd_causes *causes, const struct vk_cmd_judged *items, const char *now);

#endif
