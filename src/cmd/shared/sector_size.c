/* SPDX-License-Identifier: Apache-2.0 */
/* The option --sector-size. */
#include <string.h>

#include "cmd/shared/sector_size.h"

int vk_cmd_sector_size(const struct vk_cli_call *call, uint32_t *ret_bytes)
{
	const char *value = vk_cli_value(call, "sector-size");

	*ret_bytes = 0;
	if (value == NULL)
		return VK_EXIT_OK;
	if (strcmp(value, "512") == 0)
		*ret_bytes = 512;
	else if (strcmp(value, "4096") == 0)
		*ret_bytes = 4096;
	else
		return vk_cli_usage(call, "--sector-size is 512 or 4096, not %s", value);
	return VK_EXIT_OK;
}
