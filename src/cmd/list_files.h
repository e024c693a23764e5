/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit list --files: what a capture knows of the files of its volumes. */
#ifndef VK_CMD_LIST_FILES_H
#define VK_CMD_LIST_FILES_H

#include "cli/cli.h"

/* Returns the exit code. */
int vk_cmd_list_files(struct vk_cli_call *call);

#endif
