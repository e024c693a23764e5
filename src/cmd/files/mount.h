/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as a read-only file system of the kernel, by libfuse3 where the build had it. */
#ifndef VK_CMD_FILES_MOUNT_H
#define VK_CMD_FILES_MOUNT_H

#include "vmfskit/fs.h"

/*
 * Mount fs at folder, call mounted, and serve it until it is unmounted: in this process with foreground, else in a
 * child of it, while the process itself ends with exit code 0. Errors: VK_IO, with what libfuse says; VK_NOMEM;
 * VK_UNSUPPORTED: built without libfuse3.
 */
VK_MUST_USE enum vk_status vk_mount(struct vk_fs *fs, const char *source, const char *folder, bool foreground,
				    void (*mounted)(void *ctx), void *ctx, struct vk_error *err);

#endif
