/* SPDX-License-Identifier: Apache-2.0 */
/* A device that does not answer holds the thread that reads from it: another thread ends the process. */
#ifndef VK_CMD_FILES_WATCH_H
#define VK_CMD_FILES_WATCH_H

#include <stdint.h>

enum { VK_FILES_TIMEOUT_S = 120 };

/*
 * From now on the process ends with exit code 4, and a sentence about source, when a call into a device has not come
 * back for limit_s seconds. The counter for vk_open_options; NULL: there is no thread to be had, and nothing watches.
 * What is passed must outlive the process. Once in a process.
 */
uint64_t *vk_files_watch(const char *program, const char *source, unsigned limit_s);
/* No more: who goes on has other ways. */
void vk_files_watch_end(void);

#endif
