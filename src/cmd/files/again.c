/* SPDX-License-Identifier: Apache-2.0 */
/* The command line once more, changed so that it works. */
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/screen.h"
#include "cmd/files/files.h"

void vk_files_put_again(const struct vk_files *files, const char *options, const char *word, const char *instead,
			const char *without)
{
	const struct vk_cli_call *call = files->cmd.call;
	const char *const *words = call->command;
	const size_t without_len = without != NULL ? strlen(without) : 0;
	struct vk_command command;
	char *text;

	vk_command_begin(&command, call->program->name);
	vk_command_word(&command, call->verb->name);
	if (options != NULL)
		vk_command_add(&command, " %s", options);
	for (size_t i = 2; words[0] != NULL && words[1] != NULL && words[i] != NULL; i++) {
		if (without != NULL && strcmp(words[i], without) == 0 && words[i + 1] != NULL)
			i++;
		else if (without != NULL && strncmp(words[i], without, without_len) == 0 &&
			 words[i][without_len] == '=')
			continue;
		else
			vk_command_word(&command, word != NULL && words[i] == word ? instead : words[i]);
	}
	text = vk_command_end(&command);
	if (text != NULL)
		vk_screen_paste(call->err, "  %s\n", text);
	free(text);
}

void vk_files_put_longer(const struct vk_files *files, FILE *out, const char *first, const char *second)
{
	const char *const *words = files->cmd.call->command;
	struct vk_command command;
	char *text;

	vk_command_begin(&command, files->cmd.call->program->name);
	for (size_t i = 1; words[0] != NULL && words[i] != NULL; i++)
		vk_command_word(&command, words[i]);
	if (first != NULL)
		vk_command_word(&command, first);
	if (second != NULL)
		vk_command_word(&command, second);
	text = vk_command_end(&command);
	if (text != NULL)
		vk_screen_paste(out, "  %s\n", text);
	free(text);
}
