/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read by `make tidy` in front of every file: tells the analyser, which sees one file at a time, that the functions
 * of error.h return the failure they were given. Without it every error path seems to go on as if all were well.
 */
#ifndef VK_TOOLS_TIDY_H
#define VK_TOOLS_TIDY_H

#include "vmfskit/error.h"

int vk_tidy_use(const void *err, ...);
#define vk_error_set(err, status, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), (status))
#define vk_error_errno(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), VK_IO)
#define vk_error_at(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), VK_DAMAGED)
#define vk_error_remedy(err, ...) ((void)(0 ? vk_tidy_use(err, __VA_ARGS__) : 0), VK_DAMAGED)

#endif
