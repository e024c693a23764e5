/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit lunid: its sources, the extents on them, what was found. */
#ifndef VK_CMD_LUNID_RUN_H
#define VK_CMD_LUNID_RUN_H

#include <stdio.h>

#include "cmd/shared/frame.h"
#include "cmd/shared/opened.h"
#include "vmfskit/lunid.h"

struct lunid_run {
	struct vk_cmd cmd;
	struct vk_source_options options;
	unsigned wait_ms;
	struct vk_live_luns live;       /* of --live */
	struct vk_cmd_opened opened;
	struct vk_lunid_extent *extents;
	char (*captures)[VK_CAPTURE_ID_BYTES]; /* of each extent; empty: none has it */
	size_t count;
	struct vk_findings *found;      /* of each extent */
	struct vk_findings across;      /* of the volumes */
};

/* lunid_show.c */
void vk_lunid_put_text(const void *run);
void vk_lunid_put_json(const void *run, struct vk_json *root);

/* lunid_next.c: what ESX does and what can be done, once for each volume. */
void vk_lunid_put_next(FILE *out, const struct lunid_run *run);
/* The extent that a finding about a volume is about: its message names the volume. */
size_t vk_lunid_extent_of(const struct lunid_run *run, const struct vk_finding *finding);
/* Whether the volume of an extent may be mounted by force here and now. */
enum { VK_LUNID_WHY_BYTES = 800 };
enum vk_lunid_mount vk_lunid_mount_here(const struct lunid_run *run, size_t index, struct vk_text *ret_why);

/* lunid_captured.c: what the newest capture that saw this volume on any LUN recorded, for every extent. */
void vk_lunid_find_captured(struct lunid_run *run);

#endif
