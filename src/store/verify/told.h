/* SPDX-License-Identifier: Apache-2.0 */
/* What the last verify of the whole store found, and since when: a file of the store, .findings.json (docs/json.md). */
#ifndef VK_STORE_TOLD_H
#define VK_STORE_TOLD_H

#include "base/json.h"
#include "vmfskit/finding.h"

/*
 * An array of objects: code, cause, since, captures[]. What cannot be read tells nothing: the array is empty then. It
 * is for showing only: who may write to the store may write it. NULL when memory ran out.
 */
json_t *vk_told_read(int store_fd);
/* Take the array over and make it the file. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_told_write(int store_fd, json_t *told, struct vk_error *err);

/* What makes two findings one cause, as one text: code, message, place, what stands there and what should. */
enum { VK_CAUSE_BYTES = 700 };
void vk_told_cause(const struct vk_finding *finding, char ret_cause[VK_CAUSE_BYTES]);
/* Since when it is told; NULL: it was not. */
const char *vk_told_since(const json_t *told, const char *cause);
/* The code of an entry; VK_F_COUNT: one that this version does not know. */
enum vk_finding_code vk_told_code(const json_t *entry);

#endif
