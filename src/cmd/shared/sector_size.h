/* SPDX-License-Identifier: Apache-2.0 */
/* The option --sector-size, the same for every verb. */
#ifndef VK_CMD_SECTOR_SIZE_H
#define VK_CMD_SECTOR_SIZE_H

#include <stdint.h>

#include "cli/cli.h"

#define VK_SECTOR_SIZE_OPTION \
	{.name = "sector-size", .argument = "BYTES", .choices = "512 4096", \
	 .help = "sector size of a file; devices know their own"}

/* 0 when it was not given. Returns 0, or the exit code of a usage error that was said. */
int vk_cmd_sector_size(const struct vk_cli_call *call, uint32_t *ret_bytes);

#endif
