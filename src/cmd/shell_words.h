/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a command that a person can paste. */
#ifndef VK_CMD_SHELL_WORDS_H
#define VK_CMD_SHELL_WORDS_H

#include "cli/cli.h"

/* A blank and the word, quoted where a shell would take it apart. */
void vk_cmd_put_word(FILE *out, const char *word);
/* The same of a path: one that begins with a hyphen would be taken for an option. */
void vk_cmd_put_path(FILE *out, const char *path);
/* The option with each value that was given; nothing when it was not. */
void vk_cmd_put_option(FILE *out, const struct vk_cli_call *call, const char *name);

#endif
