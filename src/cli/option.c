/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the options of a verb, and said of them in help, manual page and markdown alike. */
#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"
#include "vmfskit/text.h"

size_t vk_cli_option_count(const struct vk_cli_verb *verb)
{
	size_t count = 0;

	if (verb->options != NULL)
		while (verb->options[count].name != NULL)
			count++;
	return count;
}

const struct vk_cli_option *vk_cli_nth_option(const struct vk_cli_verb *verb, size_t n)
{
	static const struct vk_cli_option help = {'h', "help", NULL, "show this help", NULL};
	static const struct vk_cli_option help_without_letter = {0, "help", NULL, "show this help", NULL};
	size_t count = vk_cli_option_count(verb);

	if (n < count)
		return &verb->options[n];
	for (size_t i = 0; i < count; i++)
		if (verb->options[i].letter == 'h')
			return n == count ? &help_without_letter : NULL;
	return n == count ? &help : NULL;
}

const char *vk_cli_wrong_choice(const struct vk_cli_option *option, const char *value,
				size_t *ret_len)
{
	const char *part = value;

	if (option->choices == NULL || strcmp(option->choices, "FILE") == 0 ||
	    strcmp(option->choices, "DIR") == 0)
		return NULL;
	for (;;) {
		*ret_len = strcspn(part, ",");
		if (!vk_words_have(option->choices, (struct vk_words){part, *ret_len}))
			return part;
		if (part[*ret_len] == '\0')
			return NULL;
		part += *ret_len + 1;
	}
}

bool vk_cli_list_has(const char *list, struct vk_words word)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (len == word.len && memcmp(list, word.text, len) == 0)
			return true;
		if (list[len] == '\0')
			return false;
		list += len + 1;
	}
}

void vk_cli_option_text(const struct vk_cli_option *option, char ret_text[VK_CLI_OPTION_TEXT_BYTES])
{
	struct vk_words rest;
	struct vk_words word;
	const char *before = ": ";
	struct vk_text text = vk_text_in(ret_text, VK_CLI_OPTION_TEXT_BYTES);

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
