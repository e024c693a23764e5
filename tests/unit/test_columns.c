/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: what fits, what is shortened, what is left out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "report/columns.h"

/* Prints and frees the table; the text is to be freed. */
static char *end_in_memory(struct vk_columns *table)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	vk_columns_end(table, out);
	fclose(out);
	return text;
}

static void check(struct vk_columns *table, const char *expected)
{
	char *text = end_in_memory(table);

	assert_string_equal(text, expected);
	free(text);
}

static void test_as_wide_as_its_cells(void **state)
{
	static const struct vk_column columns[] = {{"A"}, {"NUMBER", .right = true}, {"LAST"}};
	struct vk_columns table = VK_COLUMNS(columns);

	(void)state;
	vk_columns_row(&table, (const char *const[]){"one", "1", "x"});
	vk_columns_row(&table, (const char *const[]){"", "12345678", NULL});
	check(&table, "A      NUMBER  LAST\n"
		      "one         1  x\n"
		      "-    12345678  -\n");
	/* it may be used again */
	table.indent = 2;
	vk_columns_row(&table, (const char *const[]){"n\xc3\xa4h", "1", "x"});
	check(&table, "  A    NUMBER  LAST\n"
		      "  n\xc3\xa4h       1  x\n");
}

static void test_columns_without_anything(void **state)
{
	static const struct vk_column columns[] = {{""}, {"", .may_go = true}, {"", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);

	(void)state;
	vk_columns_row(&table, (const char *const[]){"keep", "", "newest"});
	vk_columns_row(&table, (const char *const[]){"remove", NULL, "old"});
	check(&table, "keep    newest\n"
		      "remove  old\n");
	vk_columns_row(&table, (const char *const[]){"keep", "pin", "newest"});
	vk_columns_row(&table, (const char *const[]){"keep", NULL, "old"});
	check(&table, "keep  pin  newest\n"
		      "keep  -    old\n");
	check(&table, "");
}

static void test_no_wider_than_a_screen(void **state)
{
	static const struct vk_column columns[] = {{"V"}, {"LABEL", .least = 8}, {"NAA", .least = 10}, {"ID"}};
	static const char id[] = "20261121T014500Z-a-name-that-is-long-and-stays-whole";
	struct vk_columns table = VK_COLUMNS(columns);
	const char *const cells[] = {"sound", "datastore for the test systems", "naa.600144f07ed404000000496ff8cd0003",
				     id};

	(void)state;
	vk_columns_row(&table, cells);
	check(&table, "V      LABEL     NAA         ID\n"
		      "sound  dat...ms  naa....003  20261121T014500Z-a-name-that-is-long-and-stays-whole\n");
	vk_columns_row(&table, (const char *const[]){"sound", "l", cells[2], "20261121T014500Z-sdb-of-host7"});
	vk_columns_row(&table, (const char *const[]){"sound", "", "", "20261121T014500Z-sdb-of-host-72"});
	check(&table, "V      LABEL  NAA                                ID\n"
		      "sound  l      naa.600144f07ed...000496ff8cd0003  20261121T014500Z-sdb-of-host7\n"
		      "sound  -      -                                  20261121T014500Z-sdb-of-host-72\n");
	table.wide = true;
	vk_columns_row(&table, cells);
	check(&table, "V      LABEL                           NAA                                   ID\n"
		      "sound  datastore for the test systems  naa.600144f07ed404000000496ff8cd0003  "
		      "20261121T014500Z-a-name-that-is-long-and-stays-whole\n");
}

/* The time goes where the id, which begins with it, leaves no room. */
static void test_what_is_said_twice_goes_first(void **state)
{
	static const struct vk_column columns[] = {{"V"}, {"TIME", .spare = true}, {"LABEL", .least = 8}, {"ID"}};
	struct vk_columns table = VK_COLUMNS(columns);

	(void)state;
	vk_columns_row(&table, (const char *const[]){"sound", "2026-11-21 01:45", "datastore number seven",
						     "20261121T014500Z-a-name-of-41-columns....."});
	check(&table, "V      TIME              LABEL        ID\n"
		      "sound  2026-11-21 01:45  data...even  20261121T014500Z-a-name-of-41-columns.....\n");
	vk_columns_row(&table, (const char *const[]){"sound", "2026-11-21 01:45", "datastore number seven",
						     "20261121T014500Z-naa.600144f07ed404000000496ff8cd0003"});
	check(&table, "V      LABEL               ID\n"
		      "sound  datastor...r seven  20261121T014500Z-naa.600144f07ed404000000496ff8cd0003\n");
}

/* What somebody put into a label cannot steer the terminal, nor make a row of its own. */
static void test_hostile_cells(void **state)
{
	static const struct vk_column columns[] = {{"A"}, {"B"}};
	struct vk_columns table = VK_COLUMNS(columns);

	(void)state;
	vk_columns_row_in(&table, "\033[1;31m", (const char *const[]){"bad", "x\ny\033[2J\xc2\x9b"});
	vk_columns_row(&table, (const char *const[]){"good", "z"});
	check(&table, "A     B\n"
		      "\033[1;31mbad\033[0m   x\\x0ay\\x1b[2J\\xc2\\x9b\n"
		      "good  z\n");
}

static void test_middle(void **state)
{
	(void)state;
	assert_string_equal(vk_shown_middle("naa.600144f07ed404000000496ff8cd0003", 16).text, "naa.600...cd0003");
	assert_string_equal(vk_shown_middle("short", 5).text, "short");
	assert_string_equal(vk_shown_middle("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6", 5).text, "\xc3\xa4...\xc3\xb6");
	assert_string_equal(vk_shown_middle("longer", 0).text, "l...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_wide_as_its_cells), cmocka_unit_test(test_columns_without_anything),
		cmocka_unit_test(test_no_wider_than_a_screen),
		cmocka_unit_test(test_what_is_said_twice_goes_first), cmocka_unit_test(test_hostile_cells),
		cmocka_unit_test(test_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
