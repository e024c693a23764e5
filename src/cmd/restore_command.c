/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste: what to type after a plan was shown or carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/restore_run.h"

/* One word of a shell command. */
static void put_word(FILE *out, const char *word)
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

static void put_option(FILE *out, const struct vk_cli_call *call, const char *name)
{
	char dashed[64];
	const char *value;

	snprintf(dashed, sizeof(dashed), "--%s", name);
	for (size_t n = 0; (value = vk_cli_nth_value(call, name, n)) != NULL; n++) {
		put_word(out, dashed);
		put_word(out, value);
	}
}

char *vk_restore_next_command(const struct vk_restore_run *run)
{
	static const char *const kept[] = {"override", "heartbeat-wait"};
	const struct vk_cli_call *call = run->call;
	bool back = run->undo_id[0] != '\0';
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s %s", call->program->name, back ? "undo" : call->verb->name);
	put_word(out, back ? run->undo_id : call->arguments[0]);
	put_word(out, run->target);
	if (!back && !run->undo)
		put_option(out, call, "part");
	for (size_t i = 0; !back && i < sizeof(kept) / sizeof(kept[0]); i++)
		put_option(out, call, kept[i]);
	put_option(out, call, "sector-size");
	put_option(out, call, "store");
	fputs(" --write", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
