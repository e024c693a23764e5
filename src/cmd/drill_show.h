/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit drill: what came of each capture, for people and for scripts. */
#ifndef VK_CMD_DRILL_SHOW_H
#define VK_CMD_DRILL_SHOW_H

#include "cmd/shared/frame.h"

/* What came of one capture. */
struct drill {
	char *path; /* of the capture */
	char id[VK_CAPTURE_ID_BYTES];
	char label[520];
	enum vk_status status; /* with err: it could not be tried */
	struct vk_error err;
	bool has_none;         /* of a LUN without a sound capture: path is the newest one */
	char refused[440];     /* not empty: the guard that refuses, and why; of has_none: what speaks against it */
	uint64_t size_bytes, written_bytes, compared_bytes, us;
	uint64_t unsaved_bytes; /* of what was to be saved: they could not be read when the capture was taken */
	bool differs;          /* what was read back is not what was saved, first at this byte */
	uint64_t differs_at;
	size_t errors;         /* of the scratch file, decoded; so many of them the disk had when it was captured */
	size_t known_errors;
};

struct drill_run {
	struct vk_cmd cmd; /* first */
	const char *folder;
	struct drill *drills;
	size_t count, sound, unreadable;
	uint8_t *buf; /* two chunks */
};

void vk_drill_put_text(const void *run);
void vk_drill_put_json(const void *run, struct vk_json *root);

#endif
