/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of the command table, with a table of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/parse.h"
#include "cli/words.h"

static const struct vk_cli_option options[] = {
	{'x', "hex", NULL, "a flag", NULL},
	{'a', "as", "KIND", "a choice", "disk partition volume"},
	{0, "store", "DIR", "a folder", "DIR"},
	{0, "write", NULL, "another flag", NULL},
	{0, NULL, NULL, NULL, NULL},
};
static const struct vk_cli_verb verb = {
	.name = "look",
	.arguments = "SOURCE [OTHER]",
	.purpose = "look at something",
	.description = "First.\n\n  kept\n    as it is\n\nLast.",
	.options = options,
	.least_arguments = 1,
	.most_arguments = 2,
};
static const struct vk_cli_verb *const verbs[] = {&verb, NULL};
static const struct vk_cli_program program = {
	.name = "prog", .version = "1", .purpose = "purpose", .description = "d", .verbs = verbs};

enum { WORDS_MAX = 16 };
struct fixture {
	struct vk_cli_call call;
	char *printed; /* on err */
	size_t printed_len;
	bool help;
	int code;
};

/* words: separated by blanks, "_" stands for an empty word */
static void parse(struct fixture *f, const char *words)
{
	static char copy[256];
	char *argv[WORDS_MAX] = {NULL};
	int argc = 0;

	memset(f, 0, sizeof(*f));
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *save, *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "_") == 0 ? w + 1 : w;
	f->call.program = &program;
	f->call.verb = &verb;
	f->call.out = stdout;
	f->call.err = open_memstream(&f->printed, &f->printed_len);
	assert_non_null(f->call.err);
	f->code = vk_cli_parse(&f->call, argc, argv, &f->help);
	fflush(f->call.err);
}

static void done(struct fixture *f)
{
	vk_cli_parse_free(&f->call);
	fclose(f->call.err);
	free(f->printed);
}

static void refused(const char *words, const char *because)
{
	struct fixture f;

	parse(&f, words);
	assert_int_equal(f.code, VK_EXIT_USAGE);
	if (strstr(f.printed, because) == NULL)
		fail_msg("\"%s\" said: %s", words, f.printed);
	assert_non_null(strstr(f.printed, "usage: prog look [OPTION]... SOURCE [OTHER]\n"));
	assert_non_null(strstr(f.printed, "try: prog look --help\n"));
	done(&f);
}

static void takes_options_anywhere(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look one --as disk -x two --store=/s");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_int_equal(f.call.argument_count, 2);
	assert_string_equal(f.call.arguments[0], "one");
	assert_string_equal(f.call.arguments[1], "two");
	assert_true(vk_cli_flag(&f.call, "hex"));
	assert_false(vk_cli_flag(&f.call, "write"));
	assert_string_equal(vk_cli_value(&f.call, "as"), "disk");
	assert_string_equal(vk_cli_value(&f.call, "store"), "/s");
	done(&f);
}

static void ignores_posixly_correct(void **state)
{
	struct fixture f;

	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	parse(&f, "look one --write");
	unsetenv("POSIXLY_CORRECT");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_int_equal(f.call.argument_count, 1);
	assert_true(vk_cli_flag(&f.call, "write"));
	done(&f);
}

static void ends_options_at_two_dashes(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look -x -- --write -");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_int_equal(f.call.argument_count, 2);
	assert_string_equal(f.call.arguments[0], "--write");
	assert_string_equal(f.call.arguments[1], "-");
	assert_false(vk_cli_flag(&f.call, "write"));
	done(&f);
}

static void keeps_empty_words(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look _ --store _");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_int_equal(f.call.argument_count, 1);
	assert_string_equal(f.call.arguments[0], "");
	assert_string_equal(vk_cli_value(&f.call, "store"), "");
	done(&f);
}

static void counts_repeated_options(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look one --store a -xxx --store b");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_string_equal(vk_cli_nth_value(&f.call, "store", 0), "a");
	assert_string_equal(vk_cli_nth_value(&f.call, "store", 1), "b");
	assert_null(vk_cli_nth_value(&f.call, "store", 2));
	assert_string_equal(vk_cli_value(&f.call, "store"), "b");
	assert_null(vk_cli_value(&f.call, "as"));
	done(&f);
}

static void joins_letters(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look one -xavolume");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_true(vk_cli_flag(&f.call, "hex"));
	assert_string_equal(vk_cli_value(&f.call, "as"), "volume");
	done(&f);
}

static void takes_lists_of_choices(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "look one --as disk,volume");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_string_equal(vk_cli_value(&f.call, "as"), "disk,volume");
	done(&f);
	refused("look one --as disk,", "\"\" is not one of");
	refused("look one --as disk,floppy", "\"floppy\" is not one of: disk partition volume");
	refused("look one --as dis", "\"dis\" is not one of");
	refused("look one --as=", "\"\" is not one of");
}

static void finds_help_anywhere(void **state)
{
	struct fixture f;
	static const char *const lines[] = {"look --help", "look a b --help", "look -h", "look -xh"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		parse(&f, lines[i]);
		assert_int_equal(f.code, VK_EXIT_OK);
		assert_true(f.help);
		done(&f);
	}
	/* "--help" as a value, or behind "--", is none */
	parse(&f, "look a --store --help -- --help");
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_false(f.help);
	assert_int_equal(f.call.argument_count, 2);
	done(&f);
}

static void refuses_nonsense(void **state)
{
	(void)state;
	refused("look one --nosuch", "there is no option --nosuch\n");
	refused("look one --hexx=1", "there is no option --hexx; --hex is near");
	refused("look one --wr", "there is no option --wr; --write is near");
	refused("look one --stor=1", "there is no option --stor; --store is near");
	refused("look one --hel", "there is no option --hel");
	refused("look one -q", "there is no option -q");
	refused("look one -xq", "there is no option -q");
	refused("look one --=x", "there is no option --");
	refused("look one --as", "option --as wants a value: KIND");
	refused("look one -a", "option --as wants a value: KIND");
	refused("look one --hex=1", "option --hex takes no value");
	refused("look", "too few arguments, wanted: SOURCE [OTHER]");
	refused("look a b c", "one argument too many: c");
}

/* A verb whose first argument is one of a few words. */
static void knows_first_words(void **state)
{
	struct vk_cli_verb wordy = verb;
	struct vk_cli_call call = {.program = &program, .verb = &wordy, .out = stdout};
	char *argv[3] = {(char *)(uintptr_t)"look", (char *)(uintptr_t)"header", NULL};
	char *printed;
	size_t len;
	bool help;

	(void)state;
	wordy.words = "table header";
	call.err = open_memstream(&printed, &len);
	assert_non_null(call.err);
	assert_int_equal(vk_cli_parse(&call, 2, argv, &help), VK_EXIT_OK);
	vk_cli_parse_free(&call);
	call = (struct vk_cli_call){.program = &program, .verb = &wordy, .out = stdout, .err = call.err};
	argv[1] = (char *)(uintptr_t)"head";
	assert_int_equal(vk_cli_parse(&call, 2, argv, &help), VK_EXIT_USAGE);
	vk_cli_parse_free(&call);
	fclose(call.err);
	assert_non_null(strstr(printed, "prog look: \"head\" is not one of: table header\n"));
	free(printed);
}

static void maps_every_status(void **state)
{
	static const int codes[] = {
		[VK_OK] = 0,     [VK_USAGE] = 2,       [VK_IO] = 4,      [VK_ABSENT] = 4, [VK_DAMAGED] = 1,
		[VK_REFUSED] = 3, [VK_UNSUPPORTED] = 1, [VK_NOMEM] = 4, [VK_INTERNAL] = 5};
	struct vk_error err;
	struct fixture f;

	(void)state;
	parse(&f, "look one");
	for (int status = VK_OK; status <= VK_INTERNAL; status++) {
		vk_error_set(&err, (enum vk_status)status, NULL, "what");
		assert_int_equal(vk_cli_fail(&f.call, &err), codes[status]);
	}
	done(&f);
}

static void prints_errors_clean(void **state)
{
	struct vk_error err;
	struct fixture f;

	(void)state;
	parse(&f, "look one");
	vk_error_set(&err, VK_IO, "a\033[2Jb", "bad label \xc2\x9b\x7f\n");
	vk_error_at(&err, 512);
	vk_error_remedy(&err, "do that");
	vk_cli_fail(&f.call, &err);
	fflush(f.call.err);
	assert_string_equal(f.printed, "prog: bad label \\xc2\\x9b\\x7f\\x0a (a\\x1b[2Jb, at byte 512)\n"
				       "  do that\n");
	done(&f);
}

static void cuts_paragraphs(void **state)
{
	const char *cursor = "\n\nFirst\nline.\n\n\n  kept\n   so\n\nLast.\n";
	struct vk_paragraph p;

	(void)state;
	assert_true(vk_words_paragraph(&cursor, &p));
	assert_false(p.verbatim);
	assert_int_equal(p.words.len, 11);
	assert_true(vk_words_paragraph(&cursor, &p));
	assert_true(p.verbatim);
	assert_memory_equal(p.words.text, "  kept\n   so", p.words.len);
	assert_true(vk_words_paragraph(&cursor, &p));
	assert_memory_equal(p.words.text, "Last.", p.words.len);
	assert_false(vk_words_paragraph(&cursor, &p));
}

static void fills_lines(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	char words[301];

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < sizeof(words) - 1; i++)
		words[i] = "abcd "[i % 5];
	words[sizeof(words) - 1] = '\0';
	vk_words_fill(f, vk_words_of(words), 4, 4);
	fclose(f);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 79);
	free(text);
}

static void suggests_only_what_is_near(void **state)
{
	size_t best = SIZE_MAX;

	(void)state;
	assert_true(vk_words_nearer("decod", "decode", &best));
	assert_int_equal(best, 1);
	assert_false(vk_words_nearer("decod", "restore", &best));
	best = SIZE_MAX;
	assert_false(vk_words_nearer("zzzzzz", "decode", &best));
	assert_false(vk_words_nearer("", "ls", &best));
	assert_true(vk_words_nearer("rest", "restore", &best));
	best = SIZE_MAX;
	assert_false(vk_words_nearer("a-very-long-word-that-nobody-would-ever-call-a-verb", "verb", &best));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_options_anywhere),
		cmocka_unit_test(ignores_posixly_correct),
		cmocka_unit_test(ends_options_at_two_dashes),
		cmocka_unit_test(keeps_empty_words),
		cmocka_unit_test(counts_repeated_options),
		cmocka_unit_test(joins_letters),
		cmocka_unit_test(takes_lists_of_choices),
		cmocka_unit_test(finds_help_anywhere),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(knows_first_words),
		cmocka_unit_test(maps_every_status),
		cmocka_unit_test(prints_errors_clean),
		cmocka_unit_test(cuts_paragraphs),
		cmocka_unit_test(fills_lines),
		cmocka_unit_test(suggests_only_what_is_near),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
