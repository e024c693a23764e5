/* SPDX-License-Identifier: Apache-2.0 */
/* The few lines of a manifest that tell whose capture it is and whether it differs from another. */
#ifndef VK_STORE_GLANCE_H
#define VK_STORE_GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"

/* Texts as they stand in the JSON, escapes and all: to compare, not to show. Free with vk_glance_free. */
struct vk_glance {
	char *text; /* what the others point into */
	const char *id, *purpose, *time, *ended, *host, *path, *kind, *serial, *wwid; /* never NULL after VK_OK */
	uint64_t content; /* equal where all that was saved is, but for heartbeats */
};

/*
 * From the text alone, line by line as vk_manifest_write lays it out: thousands of manifests are looked at in the
 * time in which a few are read. Nothing is proved by it. Errors: VK_DAMAGED (not laid out so), VK_ABSENT, VK_IO,
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_glance_read(int store_fd, const char *id, struct vk_glance *ret_glance,
					  struct vk_error *err);
/* The same of the text of a manifest, which is cut up. Errors: VK_DAMAGED, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_glance_take(char *text, struct vk_glance *ret_glance, struct vk_error *err);
void vk_glance_free(struct vk_glance *glance);

#endif
