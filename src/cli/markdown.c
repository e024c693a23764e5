/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as a page of documentation. */
#include "cli/cli.h"

#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"

/* Text in which nothing is markup. */
static void put_plain(FILE *out, struct vk_words words)
{
	for (size_t i = 0; i < words.len; i++) {
		if (strchr("\\`*_<>[]|#", words.text[i]) != NULL)
			fputc('\\', out);
		fputc(words.text[i], out);
	}
}

static void put_text(FILE *out, const char *text)
{
	struct vk_paragraph paragraph;

	while (vk_words_paragraph(&text, &paragraph)) {
		if (paragraph.verbatim)
			fprintf(out, "```text\n%.*s\n```", (int)paragraph.words.len,
				paragraph.words.text);
		else
			put_plain(out, paragraph.words);
		fputs("\n\n", out);
	}
}

static void put_option(FILE *out, const struct vk_cli_option *option)
{
	char text[VK_CLI_OPTION_TEXT_BYTES];

	vk_cli_option_text(option, text);
	fputs("| ", out);
	if (option->letter != 0)
		fprintf(out, "`-%c`, ", option->letter);
	fprintf(out, "`--%s%s%s` | ", option->name, option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	put_plain(out, vk_words_of(text));
	fputs(" |\n", out);
}

static void put_verb(FILE *out, const struct vk_cli_program *program,
		     const struct vk_cli_verb *verb)
{
	const struct vk_cli_option *option;

	fprintf(out, "### %s %s\n\n", program->name, verb->name);
	put_plain(out, vk_words_of(verb->purpose));
	fprintf(out, "\n\n```text\n%s %s [OPTION]...", program->name, verb->name);
	if (verb->arguments != NULL && verb->arguments[0] != '\0')
		fprintf(out, " %s", verb->arguments);
	fputs("\n```\n\n", out);
	put_text(out, verb->description);
	fputs("| option | what it does |\n|---|---|\n", out);
	for (size_t i = 0; (option = vk_cli_nth_option(verb, i)) != NULL; i++)
		put_option(out, option);
	fputc('\n', out);
	if (verb->examples == NULL)
		return;
	for (const struct vk_cli_example *e = verb->examples; e->command != NULL; e++) {
		fprintf(out, "- `%s`: ", e->command);
		put_plain(out, vk_words_of(e->what));
		fprintf(out, "\n%s", e[1].command == NULL ? "\n" : "");
	}
}

void vk_cli_markdown(const struct vk_cli_program *program, FILE *out)
{
	fprintf(out, "## %s\n\n", program->name);
	put_plain(out, vk_words_of(program->purpose));
	fputs("\n\n", out);
	put_text(out, program->description);
	fputs("| exit code | meaning |\n|---|---|\n", out);
	for (size_t i = 0; vk_cli_exit_codes[i] != NULL; i++)
		fprintf(out, "| %zu | %s |\n", i, vk_cli_exit_codes[i]);
	fputc('\n', out);
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		put_verb(out, program, program->verbs[i]);
}
