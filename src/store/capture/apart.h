/* SPDX-License-Identifier: Apache-2.0 */
/* Work on a device in a process of its own: when the device does not answer, only that work is lost. */
#ifndef VK_STORE_APART_H
#define VK_STORE_APART_H

#include "vmfskit/capture.h"

/*
 * Call fn(ctx): here, when watch is NULL; else in a process of its own, so that what it is to leave behind must lie in
 * shared memory or in files. Errors: VK_IO (the device did not answer, or the process ended before it was done; a
 * process that cannot be ended is not waited for). err says why.
 */
VK_MUST_USE enum vk_status vk_apart(struct vk_capture_watch *watch, void (*fn)(void *ctx), void *ctx,
				    struct vk_error *err);

#endif
