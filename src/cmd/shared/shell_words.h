/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste that repeat options of the call. */
#ifndef VK_CMD_SHELL_WORDS_H
#define VK_CMD_SHELL_WORDS_H

#include "base/command.h"
#include "cli/cli.h"
#include "vmfskit/restore.h"

/* The option as it was given, with each value; nothing when it was not. */
void vk_cmd_put_option(struct vk_command *command, const struct vk_cli_call *call, const char *name);
/* The same of several: names with blanks between them. */
void vk_cmd_put_options(struct vk_command *command, const struct vk_cli_call *call, const char *names);
/*
 * Whether all that stands in the way of a plan are guards that a reader of the plan can decide: that values are
 * guesses, and that sectors could not be read. Others want their reason removed.
 */
bool vk_cmd_may_be_lifted(const struct vk_restore *restore);
/* --override as it was given, and with what may be lifted. */
void vk_cmd_put_overrides(struct vk_command *command, const struct vk_cli_call *call, const struct vk_restore *restore);
/* --plan with the digest of this plan; nothing when there is nothing to do. */
void vk_cmd_put_plan(struct vk_command *command, const struct vk_restore *restore);

#endif
