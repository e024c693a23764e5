/* SPDX-License-Identifier: Apache-2.0 */
/* The option --sector-size, the same for every verb. */
#ifndef VK_CMD_SECTOR_SIZE_H
#define VK_CMD_SECTOR_SIZE_H

#include "cmd/shared/frame.h"

/* 0 when it was not given. Returns 0, or the exit code of a usage error that was said. */
int vk_cmd_sector_size(const struct vk_cli_call *call, uint32_t *ret_bytes);

#endif
