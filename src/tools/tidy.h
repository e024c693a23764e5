/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read by `make tidy` in front of every file: tells the analyser, which sees one file at a time, that the functions
 * of error.h and memory.h return the failure they were given. Without it every error path seems to go on as if all
 * were well.
 */
#ifndef VK_TOOLS_TIDY_H
#define VK_TOOLS_TIDY_H

#include <stddef.h>

#include "base/memory.h"

/* Not defined anywhere: the analyser takes err for filled with something. */
int vk_tidy_use(struct vk_error *err, ...);

static inline enum vk_status vk_tidy_set(struct vk_error *err, enum vk_status status)
{
	if (err != NULL) {
		vk_tidy_use(err);
		err->status = status;
	}
	return status;
}

static inline enum vk_status vk_tidy_keep(const struct vk_error *err)
{
	return err != NULL ? err->status : VK_INTERNAL;
}

#define vk_error_set(err, status, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), vk_tidy_set(err, status))
#define vk_error_errno(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), vk_tidy_set(err, VK_IO))
#define vk_error_at(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), vk_tidy_keep(err))
#define vk_error_remedy(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), vk_tidy_keep(err))
#define vk_no_memory(err, where) ((void)(0 ? vk_tidy_use(err, where) : 0), vk_tidy_set(err, VK_NOMEM))

#endif
