/* SPDX-License-Identifier: Apache-2.0 */
/* A verb's work in a process of its own, so that a thread that hangs in a dead device does not keep who called us waiting. */
#ifndef VK_CMD_WORKER_H
#define VK_CMD_WORKER_H

#include "cli/cli.h"

/* Set stuck when a thread was left behind: the process is then left to itself. */
typedef int (*vk_cmd_work)(struct vk_cli_call *call, void *ctx, bool *ret_stuck);

/*
 * Returns the exit code of work. What ends the process of the work ends this one in the same way; with this one the other
 * is ended, too.
 */
int vk_cmd_in_worker(struct vk_cli_call *call, vk_cmd_work work, void *ctx);

#endif
