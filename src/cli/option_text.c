/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an option in help, manual page and markdown alike. */
#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"
#include "vmfskit/text.h"

void vk_cli_option_text(const struct vk_cli_option *option, char ret_text[VK_CLI_OPTION_TEXT_BYTES])
{
	struct vk_words rest;
	struct vk_words word;
	struct vk_text text;
	const char *before = ": ";

	vk_text_init(&text, ret_text, VK_CLI_OPTION_TEXT_BYTES);
	vk_text_put(&text, option->help);
	if (option->choices != NULL && strcmp(option->choices, "FILE") != 0 &&
	    strcmp(option->choices, "DIR") != 0) {
		rest = vk_words_of(option->choices);
		while (vk_words_next(&rest, &word)) {
			vk_text_fmt(&text, "%s%.*s", before, (int)word.len, word.text);
			before = ", ";
		}
	}
	if (option->config)
		vk_text_put(&text, "; may be set in the configuration");
}
