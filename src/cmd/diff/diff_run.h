/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit diff: both sides, and the ways to show what differs. */
#ifndef VK_CMD_DIFF_RUN_H
#define VK_CMD_DIFF_RUN_H

#include <jansson.h>

#include "cli/cli.h"
#include "vmfskit/diff.h"

/* A capture, or what a path names. Free with vk_diff_side_close. */
struct vk_diff_side {
	const char *name; /* as it was given */
	bool is_capture;
	struct vk_capture capture;
	bool is_open;
	struct vk_source source;
	char time[32];    /* when the capture was taken, or the source read */
};

/* Find out what both are, and open them. Returns 0, or the exit code of an error that was said. */
int vk_diff_sides_open(const struct vk_cli_call *call, struct vk_diff_side sides[2]);
void vk_diff_side_close(struct vk_diff_side *side);

void vk_diff_show(FILE *out, const struct vk_diff_side sides[2], const struct vk_diff *diff);
/* As docs/json.md describes it; NULL when memory ran out. */
json_t *vk_diff_json(const struct vk_diff_side sides[2], const struct vk_diff *diff);

#endif
