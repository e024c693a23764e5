/* SPDX-License-Identifier: Apache-2.0 */
/* What names on the command line may mean, opened: disks, dumps, listings, captures of the store or their folders. */
#ifndef VK_CMD_OPENED_H
#define VK_CMD_OPENED_H

#include "cmd/shared/frame.h"
#include "vmfskit/capture.h"
#include "vmfskit/source.h"

/* Start with all zero; free with vk_cmd_opened_free. */
struct vk_cmd_opened {
	struct vk_source *sources;
	size_t count;
	struct vk_capture *captures; /* captures[i] belongs to sources[i] when it has a path */
	size_t capture_count;
};
/*
 * Add what path names. A folder is a capture as it stands; what is not here may be a capture of the store. With
 * options->several all disks whose listings stand in one text are added. Errors: those of vk_source_open and
 * vk_capture_open; VK_USAGE: a folder that is no capture.
 */
VK_MUST_USE enum vk_status vk_cmd_open_any(const struct vk_cmd *cmd, const char *path,
					   const struct vk_source_options *options, struct vk_cmd_opened *opened,
					   struct vk_error *err);
void vk_cmd_opened_free(struct vk_cmd_opened *opened);

#endif
