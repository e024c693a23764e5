/* SPDX-License-Identifier: Apache-2.0 */
/* Words for the completion of a shell. */
#ifndef VK_CMD_LIST_WORDS_H
#define VK_CMD_LIST_WORDS_H

#include "cli/cli.h"

/*
 * kind "captures": latest, latest:LABEL of the newest captures (without a label: the NAA name), and all ids, newest
 * first; "luns": the nodes of the LUNs of this host. One a line, no file of a capture but manifests is read, and what
 * cannot be read is left out in silence.
 */
void vk_cmd_put_words(const struct vk_cli_call *call, const char *kind);

#endif
