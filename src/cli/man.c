/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as manual pages (troff, man macros). */
#include "cli/cli.h"

#include <ctype.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"

/* Text in which nothing is a request or an escape; hyphens stay hyphens that can be copied. */
static void put(FILE *out, struct vk_words words)
{
	if (words.len > 0 && (*words.text == '.' || *words.text == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < words.len; i++) {
		switch (words.text[i]) {
		case '\\':
			fputs("\\e", out);
			break;
		case '-':
			fputs("\\-", out);
			break;
		case '\'':
			fputs("\\(aq", out);
			break;
		case '`':
			fputs("\\(ga", out);
			break;
		case '^':
			fputs("\\(ha", out);
			break;
		case '~':
			fputs("\\(ti", out);
			break;
		default:
			fputc(words.text[i], out);
			break;
		}
	}
}

static void put_s(FILE *out, const char *text)
{
	put(out, vk_words_of(text));
}

static void put_lines(FILE *out, struct vk_words words)
{
	struct vk_words line;

	while (vk_words_line(&words, &line)) {
		put(out, line);
		fputc('\n', out);
	}
}

/* Paragraphs; the first one stands right under its heading. */
static void put_text(FILE *out, const char *text)
{
	struct vk_paragraph paragraph;
	bool first = true;

	while (vk_words_paragraph(&text, &paragraph)) {
		if (!first)
			fputs(".PP\n", out);
		if (paragraph.verbatim)
			fputs(".nf\n", out);
		put_lines(out, paragraph.words);
		if (paragraph.verbatim)
			fputs(".fi\n", out);
		first = false;
	}
}

static void put_upper(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(toupper((unsigned char)*text), out);
}

/* verb: NULL for the page of the program. */
static void put_head(FILE *out, const struct vk_cli_program *program, const char *verb,
		     const char *purpose)
{
	fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Generated from the command table.\n.TH ", out);
	put_upper(out, program->name);
	if (verb != NULL) {
		fputc('-', out);
		put_upper(out, verb);
	}
	fprintf(out, " 1 \"%s\" \"vmfskit %s\" \"User Commands\"\n.SH NAME\n", VK_DATE,
		program->version);
	put_s(out, program->name);
	if (verb != NULL) {
		put_s(out, "-");
		put_s(out, verb);
	}
	fputs(" \\- ", out);
	put_s(out, purpose);
	fputs("\n.SH SYNOPSIS\n", out);
}

static void put_exit_codes(FILE *out)
{
	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; vk_cli_exit_codes[i] != NULL; i++) {
		fprintf(out, ".TP\n.B %zu\n", i);
		put_s(out, vk_cli_exit_codes[i]);
		fputc('\n', out);
	}
}

static void put_reference(FILE *out, const char *program, const char *verb, bool last)
{
	fputs(".BR ", out);
	put_s(out, program);
	if (verb != NULL) {
		put_s(out, "-");
		put_s(out, verb);
	}
	fprintf(out, " (1)%s\n", last ? "" : ",");
}

static void put_option(FILE *out, const struct vk_cli_option *option)
{
	char text[VK_CLI_OPTION_TEXT_BYTES];

	vk_cli_option_text(option, text);
	fputs(".TP\n", out);
	if (option->letter != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB\\-\\-", out);
	put_s(out, option->name);
	fputs("\\fR", out);
	if (option->argument != NULL) {
		fputs(" \\fI", out);
		put_s(out, option->argument);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	put_s(out, text);
	fputs(".\n", out);
}

void vk_cli_man(const struct vk_cli_program *program, FILE *out)
{
	put_head(out, program, NULL, program->purpose);
	fputs(".B ", out);
	put_s(out, program->name);
	fputs("\n.I VERB\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n.br\n.B ", out);
	put_s(out, program->name);
	fputs("\nhelp [\\fIVERB\\fR]\n.br\n.B ", out);
	put_s(out, program->name);
	fputs("\n\\-\\-version\n.SH DESCRIPTION\n", out);
	put_text(out, program->description);
	fputs(".SH VERBS\n", out);
	for (size_t i = 0; program->verbs[i] != NULL; i++) {
		fputs(".TP\n", out);
		put_reference(out, program->name, program->verbs[i]->name, true);
		put_s(out, program->verbs[i]->purpose);
		fputs(".\n", out);
	}
	put_exit_codes(out);
	fputs(".SH SEE ALSO\n", out);
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		put_reference(out, program->name, program->verbs[i]->name,
			      program->verbs[i + 1] == NULL);
}

void vk_cli_verb_man(const struct vk_cli_program *program, const struct vk_cli_verb *verb,
		     FILE *out)
{
	const struct vk_cli_option help = {vk_cli_help_letter(verb), "help", NULL, vk_cli_help_text, NULL};

	put_head(out, program, verb->name, verb->purpose);
	fputs(".B ", out);
	put_s(out, program->name);
	fputc(' ', out);
	put_s(out, verb->name);
	fputs("\n[\\fIOPTION\\fR]...\n", out);
	if (verb->arguments != NULL && verb->arguments[0] != '\0') {
		put_s(out, verb->arguments);
		fputc('\n', out);
	}
	fputs(".SH DESCRIPTION\n", out);
	put_text(out, verb->description);
	fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; i < vk_cli_option_count(verb); i++)
		put_option(out, &verb->options[i]);
	put_option(out, &help);
	put_exit_codes(out);
	if (verb->examples != NULL && verb->examples[0].command != NULL) {
		fputs(".SH EXAMPLES\n", out);
		for (const struct vk_cli_example *e = verb->examples; e->command != NULL; e++) {
			fputs(".TP\n.B ", out);
			put_s(out, e->command);
			fputc('\n', out);
			put_s(out, e->what);
			fputs(".\n", out);
		}
	}
	fputs(".SH SEE ALSO\n", out);
	put_reference(out, program->name, NULL, true);
}
