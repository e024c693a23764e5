/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that are broken for a narrow screen, and what is never broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/screen.h"
#include "vmfskit/text.h"

static char *text;
static size_t size;
static FILE *real;

static FILE *open_screen(const char *columns)
{
	if (columns == NULL)
		unsetenv("COLUMNS");
	else
		setenv("COLUMNS", columns, 1);
	real = open_memstream(&text, &size);
	assert_non_null(real);
	return vk_screen_open(real);
}

static void close_screen(FILE *out, const char *expected)
{
	vk_screen_close(out);
	assert_int_equal(fclose(real), 0);
	assert_string_equal(text, expected);
	free(text);
	text = NULL;
}

/* The line as a screen of 30 columns shows it. */
static void expect(const char *line, const char *expected)
{
	FILE *out = open_screen("30");

	assert_ptr_not_equal(out, real);
	fputs(line, out);
	close_screen(out, expected);
}

static void test_width(void **state)
{
	static const char *const none[] = {NULL, "", "abc", "80x", "-80", " 80", "19", "10000", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		FILE *out = open_screen(none[i]);

		assert_ptr_equal(out, real);
		assert_int_equal(vk_screen_columns(out), 0);
		fputs("a line that is longer than thirty columns stays whole\n", out);
		close_screen(out, "a line that is longer than thirty columns stays whole\n");
	}
	setenv("COLUMNS", "132", 1);
	assert_int_equal(vk_screen_columns(stderr) == 0, 0);
	unsetenv("COLUMNS");
}

static void test_wrapped(void **state)
{
	(void)state;
	expect("", "");
	expect("\n\n", "\n\n");
	expect("012345678901234567890123456789\n", "012345678901234567890123456789\n");
	expect("01234567890123456789012345 7890\n", "01234567890123456789012345\n  7890\n");
	expect("a line without an end is shown when the stream is closed",
	       "a line without an end is shown\n  when the stream is closed");
	/* a sentence goes on under its beginning, an item of a list deeper */
	expect("  Nothing was written to the disk at all.\n", "  Nothing was written to the\n  disk at all.\n");
	expect("  sector 2048, 4096 sectors, label one\n", "  sector 2048, 4096 sectors,\n    label one\n");
	expect("  1. Save what is left before anything else\n", "  1. Save what is left before\n     anything else\n");
	expect("  why    the partition table is gone\n", "  why    the partition table\n         is gone\n");
	expect("label  one two three four      five six seven\n", "label  one two three four\n       five six seven\n");
	expect("# a comment of a script stays a comment\n", "# a comment of a script stays\n# a comment\n");
	/* a label that leaves no room for its value; blanks at the end */
	expect("a label that is really long    value of it\n", "a label that is really long\n  value of it\n");
	expect("the blanks at the end are none          \n", "the blanks at the end are none\n");
}

static void test_words(void **state)
{
	(void)state;
	/* no word is broken, wherever it stands */
	expect("0123456789012345678901234567890123456789 and\n", "0123456789012345678901234567890123456789\n  and\n");
	expect("at 0123456789012345678901234567890123456789\n", "at\n  0123456789012345678901234567890123456789\n");
	/* characters are counted, not bytes; a colour is nothing */
	expect("\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac 67890 234567890123456789\n",
	       "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac 67890 234567890123456789\n");
	expect("\033[1;31merror\033[0m 7890 234567890123 567890\n", "\033[1;31merror\033[0m 7890 234567890123 567890\n");
	expect("\033[1;31merror\033[0m 7890 234567890123 5678901\n",
	       "\033[1;31merror\033[0m 7890 234567890123\n  5678901\n");
	/* an escape that never ends */
	expect("\033[1;31 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8\n", "\033[1;31 1 2 3 4 5 6 7 8 9 0 1 2\n  3 4 5 6 7 8\n");
	/* the words of a command in a sentence */
	expect("see vmfskit verify --ledger --store /x tells more\n",
	       "see\n  vmfskit verify --ledger --store /x\n  tells more\n");
	expect("It is what vmfskit decode /dev/sdb shows.\n", "It is what\nvmfskit decode /dev/sdb shows.\n");
	expect("with vmfskit capture --store s DISK, then again\n",
	       "with\n  vmfskit capture --store s DISK,\n  then again\n");
	/* one of other programs, to the end of the sentence */
	expect("  open it with: losetup --find --show --read-only FILE; then\n",
	       "  open it with:\n    losetup --find --show --read-only FILE;\n    then\n");
	expect("that nobody runs vmfskit, it said\n", "that nobody runs vmfskit, it\n  said\n");
}

static void test_exact(void **state)
{
	FILE *out = open_screen("30");

	(void)state;
	assert_false(vk_screen_exact(out, true));
	fputs("bytes that are for a program, not for a screen \xff\n", out);
	vk_screen_paste(out, "vmfskit undo a b c d e f g h %s\n", "i j k l");
	assert_true(vk_screen_exact(out, false));
	fputs("a line that is longer than the screen\n  1. ", out);
	vk_screen_paste(out, "vmfskit repair table /dev/sdb --override guess\n");
	fputs("     The plan of a table, and no more.\n", out);
	close_screen(out, "bytes that are for a program, not for a screen \xff\n"
			  "vmfskit undo a b c d e f g h i j k l\n"
			  "a line that is longer than the\n  screen\n"
			  "  1. vmfskit repair table /dev/sdb --override guess\n"
			  "     The plan of a table, and\n     no more.\n");
	out = open_screen(NULL);
	vk_screen_paste(out, "%s\n", "the same of a plain stream, which has no end of its lines");
	assert_false(vk_screen_exact(out, true));
	close_screen(out, "the same of a plain stream, which has no end of its lines\n");
}

/* What was flushed has left the program; a write that fails is known of the real stream. */
static void test_flushed(void **state)
{
	FILE *full, *out = open_screen("30");

	(void)state;
	fputs("one\n", out);
	fflush(out);
	assert_string_equal(text, "one\n");
	close_screen(out, "one\n");
	full = fopen("/dev/full", "w");
	assert_non_null(full);
	setenv("COLUMNS", "30", 1);
	out = vk_screen_open(full);
	assert_ptr_not_equal(out, full);
	fputs("two\n", out);
	vk_screen_close(out);
	assert_true(ferror(full) != 0);
	fclose(full);
}

/* Two are open at a time: a third stays as it is. */
static void test_two(void **state)
{
	FILE *files[3], *screens[3];

	(void)state;
	setenv("COLUMNS", "30", 1);
	for (int i = 0; i < 3; i++) {
		files[i] = tmpfile();
		assert_non_null(files[i]);
		screens[i] = vk_screen_open(files[i]);
	}
	assert_ptr_not_equal(screens[0], files[0]);
	assert_ptr_not_equal(screens[1], files[1]);
	assert_ptr_equal(screens[2], files[2]);
	assert_int_equal(vk_screen_columns(screens[1]), 30);
	assert_false(vk_screen_is_terminal(screens[0]));
	for (int i = 0; i < 3; i++) {
		vk_screen_close(screens[i]);
		fclose(files[i]);
	}
}

/* For a screen the same size has one text, rounded or not. */
static void test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *shown;
	} rows[] = {{688, "688 bytes"},
		    {1025, "1 KiB"},
		    {1536, "1.50 KiB"},
		    {107372739584ULL, "100 GiB"},
		    {(1ULL << 30) - 1, "1 GiB"},
		    {1ULL << 46, "64 TiB"},
		    {UINT64_MAX, "16 EiB"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[64];
		struct vk_text out;

		vk_text_init(&out, buf, sizeof(buf));
		vk_text_size_short(&out, rows[i].bytes);
		assert_string_equal(buf, rows[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),  cmocka_unit_test(test_wrapped), cmocka_unit_test(test_words),
		cmocka_unit_test(test_exact),  cmocka_unit_test(test_flushed), cmocka_unit_test(test_two),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
