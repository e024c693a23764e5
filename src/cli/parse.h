/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a command line to a call. */
#ifndef VK_CLI_PARSE_H
#define VK_CLI_PARSE_H

#include "cli/cli.h"
#include "cli/words.h"

/*
 * Parse what follows the program's name; argv[0] is the verb, and program, verb, out and err of call are set.
 * Returns VK_EXIT_OK, or the exit code after the problem was printed. ret_help: --help was among the options and
 * nothing else of the call may be used. Free with vk_cli_parse_free, also after a failure.
 */
int vk_cli_parse(struct vk_cli_call *call, int argc, char **argv, bool *ret_help);
void vk_cli_parse_free(struct vk_cli_call *call);

/*
 * Add what the configuration file sets to what the command line gave, for options that it did not give. Returns
 * VK_EXIT_OK, or the exit code after the problem was printed.
 */
int vk_cli_config(struct vk_cli_call *call);

/*
 * The first part of value (which may be several with commas between them) that is not one of the option's choices; NULL
 * when all is well. *ret_len is its length.
 */
const char *vk_cli_wrong_choice(const struct vk_cli_option *option, const char *value,
				size_t *ret_len);

/* Whether a value, which may be several with commas between them, has the word. */
bool vk_cli_list_has(const char *list, struct vk_words word);

/* The nth option of a verb; behind its own comes --help, with its letter unless one of them has it; then NULL. */
const struct vk_cli_option *vk_cli_nth_option(const struct vk_cli_verb *verb, size_t n);
/* How many are its own. */
size_t vk_cli_option_count(const struct vk_cli_verb *verb);

enum { VK_CLI_OPTION_TEXT_BYTES = 1000 };
/* The help of an option and, behind it, the values that it takes. */
void vk_cli_option_text(const struct vk_cli_option *option, char ret_text[VK_CLI_OPTION_TEXT_BYTES]);

/* "usage: PROGRAM VERB [OPTION]... ARGUMENTS" and a newline. */
void vk_cli_usage_line(const struct vk_cli_program *program, const struct vk_cli_verb *verb,
		       FILE *out);

#endif
