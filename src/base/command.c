/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that a person pastes into a shell. */
#include "base/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void vk_command_begin(struct vk_command *command, const char *words)
{
	*command = (struct vk_command){.out = NULL};
	command->out = open_memstream(&command->text, &command->size);
	if (command->out != NULL)
		fputs(words, command->out);
}

void vk_command_add(struct vk_command *command, const char *words, ...)
{
	va_list args;

	if (command->out == NULL)
		return;
	va_start(args, words);
	vfprintf(command->out, words, args);
	va_end(args);
}

static void put_word(struct vk_command *command, const char *before, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%+=:,./_-";

	if (command->out == NULL)
		return;
	if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
		fprintf(command->out, " %s%s", before, word);
		return;
	}
	fprintf(command->out, " '%s", before);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			fputs("'\\''", command->out);
		else
			fputc(*word, command->out);
	}
	fputc('\'', command->out);
}

void vk_command_word(struct vk_command *command, const char *word)
{
	put_word(command, "", word);
}

void vk_command_path(struct vk_command *command, const char *path)
{
	put_word(command, path[0] == '-' ? "./" : "", path);
}

char *vk_command_end(struct vk_command *command)
{
	bool whole = command->out != NULL && !ferror(command->out);

	if (command->out != NULL && fclose(command->out) == 0 && whole)
		return command->text;
	if (command->out != NULL)
		free(command->text);
	return NULL;
}

struct vk_shell_word vk_shell_path(const char *path)
{
	struct vk_shell_word word = {"PATH"};
	struct vk_command command;
	char *text;

	vk_command_begin(&command, "");
	vk_command_path(&command, path);
	text = vk_command_end(&command);
	/* behind the blank in front of it */
	if (text != NULL && strlen(text + 1) < sizeof(word.text))
		strcpy(word.text, text + 1);
	free(text);
	return word;
}
