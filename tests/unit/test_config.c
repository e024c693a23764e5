/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: its text, and what it adds to a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/config_text.h"
#include "cli/parse.h"

static const struct vk_cli_option options[] = {
	{.name = "config", .argument = "FILE", .help = "h"},
	{.name = "store", .argument = "DIR", .help = "h", .choices = "DIR", .config = true},
	{.name = "include", .argument = "GLOB", .help = "h", .config = true, .several = true},
	{.name = "kind", .argument = "KIND", .help = "h", .choices = "a b", .config = true},
	{.name = "md5", .help = "h", .config = true},
	{.name = "write", .help = "h"},
	{.name = NULL},
};
static const struct vk_cli_option other_options[] = {
	{.name = "keep", .argument = "N", .help = "h", .config = true},
	{.name = "write", .help = "h"},
	{.name = NULL},
};
static const struct vk_cli_verb verb = {
	.name = "look", .arguments = "", .purpose = "p", .description = "d", .options = options};
static const struct vk_cli_verb other = {
	.name = "keep", .arguments = "", .purpose = "p", .description = "d", .options = other_options};
static const struct vk_cli_verb *const verbs[] = {&verb, &other, NULL};

static char file[64];

struct fixture {
	struct vk_cli_program program;
	struct vk_cli_call call;
	char *printed;
	size_t printed_len;
	int code;
};

static int make_file(void **state)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "%.40s/vmfskit-conf.XXXXXX", tmp != NULL ? tmp : "/tmp");
	fd = mkstemp(file);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	unlink(file);
	return 0;
}

/* The file says text (NULL: leave it); words follow the verb. by_default: the file is not named. */
static void parse(struct fixture *f, const char *text, const char *words, bool by_default)
{
	char line[300];
	char *argv[16] = {NULL};
	int argc = 0;
	bool help;

	memset(f, 0, sizeof(*f));
	if (text != NULL) {
		FILE *out = fopen(file, "w");

		assert_non_null(out);
		fputs(text, out);
		fclose(out);
	}
	snprintf(line, sizeof(line), "look %s%s %s", by_default ? "" : "--config ", by_default ? "" : file, words);
	for (char *save, *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	f->program = (struct vk_cli_program){.name = "prog",
					     .version = "1",
					     .purpose = "p",
					     .description = "d",
					     .verbs = verbs,
					     .config_file = by_default ? file : "/nonexistent/vmfskit.conf"};
	f->call.program = &f->program;
	f->call.verb = &verb;
	f->call.out = stdout;
	f->call.err = open_memstream(&f->printed, &f->printed_len);
	assert_non_null(f->call.err);
	f->code = vk_cli_parse(&f->call, argc, argv, &help);
	fflush(f->call.err);
}

static void done(struct fixture *f)
{
	vk_cli_parse_free(&f->call);
	fclose(f->call.err);
	free(f->printed);
}

static void refused(const char *text, int code, const char *because)
{
	struct fixture f;

	parse(&f, text, "", false);
	assert_int_equal(f.code, code);
	if (strstr(f.printed, because) == NULL || strstr(f.printed, file) == NULL)
		fail_msg("said: %s", f.printed);
	done(&f);
}

static void values(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "# comment\n\n store = /a b#c # why\r\nmd5=yes\ninclude = x*\ninclude=y*\nkind = b,a\nkeep = 7", "",
	      false);
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_string_equal(vk_cli_value(&f.call, "store"), "/a b#c");
	assert_true(vk_cli_flag(&f.call, "md5"));
	assert_string_equal(vk_cli_nth_value(&f.call, "include", 0), "x*");
	assert_string_equal(vk_cli_nth_value(&f.call, "include", 1), "y*");
	assert_null(vk_cli_nth_value(&f.call, "include", 2));
	assert_string_equal(vk_cli_value(&f.call, "kind"), "b,a");
	assert_false(vk_cli_given_here(&f.call, "md5"));
	done(&f);
	parse(&f, "md5 = no\n", "", false);
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_false(vk_cli_flag(&f.call, "md5"));
	done(&f);
}

/* Quotes are taken off, whatever is between them; what is not closed, or goes on, is no value. */
static void quotes(void **state)
{
	static const struct {
		const char *line;
		const char *value;
	} lines[] = {
		{"store = \"/x\"", "/x"},           {"store='/x'", "/x"},
		{"store = \" /a b # c \"  # why", " /a b # c "}, {"store = '\"/x\"'", "\"/x\""},
		{"store = \"it's\"", "it's"},       {"store = /x\"y\"", "/x\"y\""},
		{"store = a#\"b\"", "a#\"b\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fixture f;

		parse(&f, lines[i].line, "", false);
		assert_int_equal(f.code, VK_EXIT_OK);
		assert_string_equal(vk_cli_value(&f.call, "store"), lines[i].value);
		done(&f);
	}
	refused("md5 = yes\nstore = \"/x\n", VK_EXIT_USAGE, "line 2: the quote before the value is not closed");
	refused("store = '/x\"\n", VK_EXIT_USAGE, "is not closed");
	refused("store = \"/x\" /y\n", VK_EXIT_USAGE, "line 1: there is more behind the quotes");
	refused("store = \"\"\n", VK_EXIT_USAGE, "no value");
	refused("store = \"/a\tb\"\n", VK_EXIT_USAGE, "control character");
}

/* A list repeats its key; of two values of anything else nobody can tell which is meant, also where this verb does not ask. */
static void repeated_keys(void **state)
{
	static char text[60000];
	struct fixture f;
	const char **values;
	size_t count = 0;

	(void)state;
	for (size_t len = 0; len + 20 < sizeof(text); count++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "include=%zu\n", count);
	parse(&f, text, "", false);
	assert_int_equal(f.code, VK_EXIT_OK);
	values = vk_cli_values(&f.call, "include");
	assert_non_null(values);
	assert_string_equal(values[0], "0");
	assert_int_equal(strtoul(values[count - 1], NULL, 10), count - 1);
	assert_null(values[count]);
	free(values);
	done(&f);
	refused("store = /a\nmd5 = yes\nstore = /b\n", VK_EXIT_USAGE, "line 3: store stands in line 1 already");
	refused("md5 = yes\n\nmd5 = yes\n", VK_EXIT_USAGE, "line 3: md5 stands in line 1 already");
	refused("keep = 7\nkeep = 8\n", VK_EXIT_USAGE, "line 2: keep stands in line 1 already");
}

static void command_line_comes_first(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "store = /a\ninclude = x\ninclude = y\n", "--include z --store /b", false);
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_string_equal(vk_cli_value(&f.call, "store"), "/b");
	assert_string_equal(vk_cli_nth_value(&f.call, "include", 0), "z");
	assert_null(vk_cli_nth_value(&f.call, "include", 1));
	assert_true(vk_cli_given_here(&f.call, "store"));
	done(&f);
}

static void default_file(void **state)
{
	struct fixture f;

	(void)state;
	parse(&f, "store = /a\n", "", true);
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_string_equal(vk_cli_value(&f.call, "store"), "/a");
	done(&f);
	unlink(file);
	parse(&f, NULL, "", true);
	assert_int_equal(f.code, VK_EXIT_OK);
	assert_null(vk_cli_value(&f.call, "store"));
	done(&f);
	/* one that was named must be there */
	parse(&f, NULL, "", false);
	assert_int_equal(f.code, VK_EXIT_IO);
	done(&f);
}

static void wrong_lines(void **state)
{
	(void)state;
	refused("md5 = yes\n\nstroe = /a\n", VK_EXIT_USAGE, "line 3: this cannot be set here: stroe");
	refused("write = yes\n", VK_EXIT_USAGE, "line 1: this cannot be set here: write");
	refused("config = /a\n", VK_EXIT_USAGE, "this cannot be set here: config");
	refused("md5 = maybe\n", VK_EXIT_USAGE, "line 1: md5 is yes or no");
	refused("kind = c\n", VK_EXIT_USAGE, "is not one of: a b");
	refused("store\n", VK_EXIT_USAGE, "key = value");
	refused("store =\n", VK_EXIT_USAGE, "no value");
	refused("-store = /a\n", VK_EXIT_USAGE, "line 1");
	refused("Store = /a\n", VK_EXIT_USAGE, "line 1");
	refused("store = /a\033[2J\n", VK_EXIT_USAGE, "control character");
}

static void files_that_others_can_write(void **state)
{
	(void)state;
	assert_int_equal(chmod(file, 0620), 0);
	refused("md5 = yes\n", VK_EXIT_REFUSED, "others can write");
	assert_int_equal(chmod(file, 0602), 0);
	refused("md5 = yes\n", VK_EXIT_REFUSED, "others can write");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	refused(NULL, VK_EXIT_REFUSED, "not a regular file");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	refused(NULL, VK_EXIT_REFUSED, "not a regular file");
	assert_int_equal(rmdir(file), 0);
}

static void no_text(void **state)
{
	FILE *out = fopen(file, "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(fwrite("md5 = yes\0\n", 1, 11, out), 11);
	fclose(out);
	refused(NULL, VK_EXIT_USAGE, "not a text");
	assert_int_equal(truncate(file, (64 << 10) + 1), 0);
	refused(NULL, VK_EXIT_USAGE, "longer than 64 KiB");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(values),      CASE(command_line_comes_first),    CASE(default_file),
		CASE(wrong_lines), CASE(files_that_others_can_write), CASE(no_text),
		CASE(quotes),      CASE(repeated_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
