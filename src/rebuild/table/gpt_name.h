/* SPDX-License-Identifier: Apache-2.0 */
/* Names of fresh GPT entries. */
#ifndef VK_REBUILD_GPT_NAME_H
#define VK_REBUILD_GPT_NAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { VK_GPT_NAME_BYTES = 72 };

/* ASCII, or NULL: none, as the ESXi tools leave it (one NUL and 0xFFFF behind it). */
static inline void vk_gpt_name_put(const char *name, uint8_t ret_name[VK_GPT_NAME_BYTES])
{
	memset(ret_name, name == NULL ? 0xFF : 0, VK_GPT_NAME_BYTES);
	if (name == NULL)
		ret_name[0] = ret_name[1] = 0;
	for (size_t i = 0; name != NULL && i < VK_GPT_NAME_BYTES / 2 && name[i] != '\0'; i++)
		ret_name[2 * i] = (uint8_t)name[i];
}

#endif
