/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit diff: both sides, and the ways to show what differs. */
#ifndef VK_CMD_DIFF_RUN_H
#define VK_CMD_DIFF_RUN_H

#include "cmd/shared/captures.h"
#include "vmfskit/diff.h"

/* A capture, or what a path names. */
struct vk_diff_side {
	const char *name; /* as it was given */
	bool is_capture;
	struct vk_capture capture;
	struct vk_source source;
	char time[32];    /* when the capture was taken, or the source read */
};

struct vk_diff_run {
	struct vk_cmd cmd;
	struct vk_source_options given;
	struct vk_diff_side sides[2];
	struct vk_diff diff;
};

/*
 * Find out what both are, and open them; what of them is open is closed with vk_diff_side_close, also after a failure.
 */
VK_MUST_USE enum vk_status vk_diff_sides_open(struct vk_diff_run *run, struct vk_error *err);
void vk_diff_side_close(struct vk_diff_side *side);

void vk_diff_put_text(const void *run);
/* As docs/json.md describes it. */
void vk_diff_put_json(const void *run, struct vk_json *root);

#endif
