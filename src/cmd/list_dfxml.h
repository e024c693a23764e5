/* SPDX-License-Identifier: Apache-2.0 */
/* The captures of a store in DFXML, the exchange form of forensic tools. */
#ifndef VK_CMD_LIST_DFXML_H
#define VK_CMD_LIST_DFXML_H

#include "cmd/shared/captures.h"

/* A whole document on call->out: each capture is a source, its regions are runs of bytes with their digests. */
void vk_cmd_put_dfxml(const struct vk_cli_call *call, const struct vk_cmd_judged *captures, size_t count);

#endif
