/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the files of a volume, for people and for scripts. */
#ifndef VK_CMD_DIFF_FILES_H
#define VK_CMD_DIFF_FILES_H

#include <stdio.h>

#include "base/json.h"
#include "vmfskit/diff.h"

void vk_diff_show_files(FILE *out, const struct vk_files_diff *diff);
json_t *vk_diff_files_json(const struct vk_files_diff *diff); /* NULL when memory ran out */

#endif
