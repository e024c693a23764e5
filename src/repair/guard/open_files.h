/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes have a block device or a file open for writing. */
#ifndef VK_REPAIR_OPEN_FILES_H
#define VK_REPAIR_OPEN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vmfskit/error.h"
#include "vmfskit/text.h"

/* What is looked for: devices by their numbers, whatever node they were opened by, or one file. */
struct vk_open_thing {
	const dev_t *devices;
	size_t device_count; /* 0: a file */
	dev_t dev;
	ino_t ino;
};

/*
 * Add "open for writing by process 1234 (qemu)" to users for each other process, the first of them by name and how
 * many more. False: not every process could be looked at, because this one may not or because it sees only some of
 * them.
 */
VK_MUST_USE bool vk_open_writers(const struct vk_open_thing *thing, struct vk_text *users);

#endif
