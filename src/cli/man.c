/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as manual pages (troff, man macros). */
#include "cli/cli.h"

#include <ctype.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"

/* Text in which nothing is a request or an escape; hyphens stay hyphens that can be copied. */
static void put_plain(FILE *out, struct vk_words words)
{
	static const struct {
		char c;
		const char *escape;
	} special[] = {{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};

	if (words.len > 0 && (*words.text == '.' || *words.text == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < words.len; i++) {
		const char *escape = NULL;

		for (size_t k = 0; k < sizeof(special) / sizeof(special[0]); k++)
			if (words.text[i] == special[k].c)
				escape = special[k].escape;
		if (escape != NULL)
			fputs(escape, out);
		else
			fputc(words.text[i], out);
	}
}

/* Texts in turn: troff as it stands, then text in which nothing is troff, and so on. */
#define put_all(out, ...) put_turns(out, (const char *const[]){__VA_ARGS__, NULL})
static void put_turns(FILE *out, const char *const *texts)
{
	for (size_t i = 0; texts[i] != NULL; i++)
		if (i % 2 == 0)
			fputs(texts[i], out);
		else
			put_plain(out, vk_words_of(texts[i]));
}

/* Paragraphs; the first one stands right under its heading. */
static void put_text(FILE *out, const char *text)
{
	struct vk_paragraph paragraph;
	struct vk_words line;
	bool first = true;

	while (vk_words_paragraph(&text, &paragraph)) {
		put_all(out, first ? "" : ".PP\n", "", paragraph.verbatim ? ".nf\n" : "");
		while (vk_words_line(&paragraph.words, &line)) {
			put_plain(out, line);
			fputc('\n', out);
		}
		fputs(paragraph.verbatim ? ".fi\n" : "", out);
		first = false;
	}
}

/* The name of a page: "vmfskit-repair"; verb NULL: of the program. */
struct page {
	char name[80];
};

static struct page page_of(const struct vk_cli_program *program, const char *verb)
{
	struct page page;

	snprintf(page.name, sizeof(page.name), "%s%s%s", program->name, verb != NULL ? "-" : "",
		 verb != NULL ? verb : "");
	return page;
}

static void put_head(FILE *out, const struct vk_cli_program *program, const char *verb, const char *purpose)
{
	const struct page page = page_of(program, verb);

	fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Generated from the command table.\n.TH ", out);
	for (const char *p = page.name; *p != '\0'; p++)
		fputc(toupper((unsigned char)*p), out);
	fprintf(out, " 1 \"%s\" \"vmfskit %s\" \"User Commands\"\n", VK_DATE, program->version);
	put_all(out, ".SH NAME\n", page.name, " \\- ", purpose, "\n.SH SYNOPSIS\n.B ", program->name);
}

static void put_exit_codes(FILE *out)
{
	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; vk_cli_exit_codes[i] != NULL; i++) {
		fprintf(out, ".TP\n.B %zu\n", i);
		put_all(out, "", vk_cli_exit_codes[i], "\n");
	}
}

static void put_option(FILE *out, const struct vk_cli_option *option)
{
	char text[VK_CLI_OPTION_TEXT_BYTES];

	vk_cli_option_text(option, text);
	fputs(".TP\n", out);
	if (option->letter != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	put_all(out, "\\fB\\-\\-", option->name, "\\fR");
	if (option->argument != NULL)
		put_all(out, " \\fI", option->argument, "\\fR");
	put_all(out, "\n", text, ".\n");
}

void vk_cli_man(const struct vk_cli_program *program, FILE *out)
{
	const char *name = program->name;

	put_head(out, program, NULL, program->purpose);
	put_all(out, "\n.I VERB\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n.br\n.B ", name,
		"\nhelp [\\fIVERB\\fR]\n.br\n.B ", name, "\n\\-\\-version\n.SH DESCRIPTION\n");
	put_text(out, program->description);
	fputs(".SH VERBS\n", out);
	for (const struct vk_cli_verb *const *verb = program->verbs; *verb != NULL; verb++)
		put_all(out, ".TP\n.BR ", page_of(program, (*verb)->name).name, " (1)\n", (*verb)->purpose, ".\n");
	put_exit_codes(out);
	fputs(".SH SEE ALSO\n", out);
	for (const struct vk_cli_verb *const *verb = program->verbs; *verb != NULL; verb++)
		put_all(out, ".BR ", page_of(program, (*verb)->name).name, verb[1] != NULL ? " (1),\n" : " (1)\n");
}

void vk_cli_verb_man(const struct vk_cli_program *program, const struct vk_cli_verb *verb, FILE *out)
{
	const struct vk_cli_option *option;

	put_head(out, program, verb->name, verb->purpose);
	put_all(out, " ", verb->name, "\n[\\fIOPTION\\fR]...\n");
	if (verb->arguments != NULL && verb->arguments[0] != '\0')
		put_all(out, "", verb->arguments, "\n");
	fputs(".SH DESCRIPTION\n", out);
	put_text(out, verb->description);
	fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; (option = vk_cli_nth_option(verb, i)) != NULL; i++)
		put_option(out, option);
	put_exit_codes(out);
	if (verb->examples != NULL && verb->examples[0].command != NULL)
		fputs(".SH EXAMPLES\n", out);
	for (const struct vk_cli_example *e = verb->examples; e != NULL && e->command != NULL; e++)
		put_all(out, ".TP\n.B ", e->command, "\n", e->what, ".\n");
	put_all(out, ".SH SEE ALSO\n.BR ", program->name, " (1)\n");
}
