/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a command that a person can paste. */
#include "cmd/shell_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vk_cmd_put_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%+=:,./_-";

	if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
		fprintf(out, " %s", word);
		return;
	}
	fputs(" '", out);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

void vk_cmd_put_path(FILE *out, const char *path)
{
	char *told = NULL;

	if (path[0] == '-' && asprintf(&told, "./%s", path) < 0)
		told = NULL;
	vk_cmd_put_word(out, told != NULL ? told : path);
	free(told);
}

void vk_cmd_put_option(FILE *out, const struct vk_cli_call *call, const char *name)
{
	char dashed[64];
	const char *value;

	snprintf(dashed, sizeof(dashed), "--%s", name);
	for (size_t n = 0; (value = vk_cli_nth_value(call, name, n)) != NULL; n++) {
		vk_cmd_put_word(out, dashed);
		vk_cmd_put_word(out, value);
	}
}
