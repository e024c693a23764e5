/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as help on a terminal. */
#include "cli/cli.h"

#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"

enum { INDENT = 2, OPTION_INDENT = 8 };

static void put_text(FILE *out, const char *text)
{
	struct vk_paragraph paragraph;

	while (vk_words_paragraph(&text, &paragraph)) {
		fputc('\n', out);
		if (paragraph.verbatim)
			fprintf(out, "%.*s\n", (int)paragraph.words.len, paragraph.words.text);
		else
			vk_words_fill(out, paragraph.words, 0, 0);
	}
}

static void put_option(FILE *out, const struct vk_cli_option *option)
{
	char text[VK_CLI_OPTION_TEXT_BYTES];

	vk_cli_option_text(option, text);
	if (option->letter != 0)
		fprintf(out, "%*s-%c, --%s", INDENT, "", option->letter, option->name);
	else
		fprintf(out, "%*s--%s", INDENT + 4, "", option->name);
	if (option->argument != NULL)
		fprintf(out, " %s", option->argument);
	fprintf(out, "\n%*s", OPTION_INDENT, "");
	vk_words_fill(out, vk_words_of(text), OPTION_INDENT, OPTION_INDENT);
}

void vk_cli_usage_line(const struct vk_cli_program *program, const struct vk_cli_verb *verb,
		       FILE *out)
{
	bool bare = verb->arguments == NULL || verb->arguments[0] == '\0';

	fprintf(out, "usage: %s %s [OPTION]...%s%s\n", program->name, verb->name, bare ? "" : " ",
		bare ? "" : verb->arguments);
}

void vk_cli_brief(const struct vk_cli_program *program, FILE *out)
{
	const struct vk_cli_group *group = program->groups;
	size_t width = 0;

	fprintf(out, "usage: %s VERB [OPTION]... [ARGUMENT]...\n%s: ", program->name, program->name);
	vk_words_fill(out, vk_words_of(program->purpose), strlen(program->name) + 2, 0);
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		if (strlen(program->verbs[i]->name) > width)
			width = strlen(program->verbs[i]->name);
	fputs("verbs:\n", out);
	for (size_t i = 0; program->verbs[i] != NULL; i++) {
		const struct vk_cli_verb *verb = program->verbs[i];

		if (group != NULL && group->first == verb)
			fprintf(out, " %s:\n", (group++)->title);
		fprintf(out, "%*s%-*s  ", INDENT, "", (int)width, verb->name);
		vk_words_fill(out, vk_words_of(verb->purpose), INDENT + width + 2, INDENT + width + 2);
	}
}

void vk_cli_help(const struct vk_cli_program *program, FILE *out)
{
	vk_cli_brief(program, out);
	put_text(out, program->description);
	fputs("\nexit codes:\n", out);
	for (size_t i = 0; vk_cli_exit_codes[i] != NULL; i++)
		fprintf(out, "%*s%zu  %s\n", INDENT, "", i, vk_cli_exit_codes[i]);
	fprintf(out, "\nmore: %s help VERB, man %s\n", program->name, program->name);
}

void vk_cli_verb_help(const struct vk_cli_program *program, const struct vk_cli_verb *verb,
		      FILE *out)
{
	const struct vk_cli_option *option;

	vk_cli_usage_line(program, verb, out);
	fprintf(out, "\n%s %s: ", program->name, verb->name);
	vk_words_fill(out, vk_words_of(verb->purpose),
		      strlen(program->name) + strlen(verb->name) + 3, 0);
	put_text(out, verb->description);
	fputs("\noptions:\n", out);
	for (size_t i = 0; (option = vk_cli_nth_option(verb, i)) != NULL; i++)
		put_option(out, option);
	if (verb->examples != NULL && verb->examples[0].command != NULL)
		fputs("\nexamples:\n", out);
	for (const struct vk_cli_example *example = verb->examples; example != NULL &&
	     example->command != NULL; example++) {
		fprintf(out, "%*s%s\n%*s", INDENT, "", example->command, OPTION_INDENT, "");
		vk_words_fill(out, vk_words_of(example->what), OPTION_INDENT, OPTION_INDENT);
	}
}
