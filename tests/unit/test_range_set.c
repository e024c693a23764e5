/* SPDX-License-Identifier: Apache-2.0 */
/* A set of ranges: asked what lies at an offset, and filled from lists that anyone may have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/range_set.h"

static void it_says_how_far_the_answer_reaches(void **state)
{
	static const struct vk_range list[] = {{4096, 512}, {512, 512}, {1024, 512}, {4000, 200}, {9000, 0}};
	static const struct {
		uint64_t offset;
		bool holds;
		uint64_t length;
	} rows[] = {
		{0, false, 512}, {512, true, 1024}, {1535, true, 1}, {1536, false, 2464},
		{4000, true, 608}, {4607, true, 1}, {4608, false, 10000},
	};
	struct vk_range_set set = {.count = 0};
	uint64_t length;

	(void)state;
	assert_true(vk_range_set_add_all(&set, list, sizeof(list) / sizeof(list[0])));
	assert_int_equal(set.count, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		length = 10000;
		assert_int_equal(vk_range_set_holds(&set, rows[i].offset, &length), rows[i].holds);
		assert_int_equal(length, rows[i].length);
	}
	length = 5;
	assert_true(vk_range_set_holds(&set, 512, &length));
	assert_int_equal(length, 5);
	vk_range_set_free(&set);
}

static void an_empty_one_holds_nothing(void **state)
{
	struct vk_range_set set = {.count = 0};
	uint64_t length = 77;

	(void)state;
	assert_true(vk_range_set_add_all(&set, NULL, 0));
	assert_false(vk_range_set_holds(&set, 0, &length));
	assert_int_equal(length, 77);
	vk_range_set_free(&set);
}

static void ends_that_do_not_fit_are_the_last_byte(void **state)
{
	const struct vk_range list[] = {{UINT64_MAX - 5, 100}, {3, UINT64_MAX}};
	struct vk_range_set set = {.count = 0};
	uint64_t length = UINT64_MAX;

	(void)state;
	assert_true(vk_range_set_add_all(&set, list, 2));
	assert_true(vk_range_set_holds(&set, 3, &length));
	assert_int_equal(length, UINT64_MAX - 3);
	vk_range_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_how_far_the_answer_reaches),
		cmocka_unit_test(an_empty_one_holds_nothing),
		cmocka_unit_test(ends_that_do_not_fit_are_the_last_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
