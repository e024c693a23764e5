/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures may go: the rules, one by one. */
#include "retention_history.h"

static int64_t at(const char *time)
{
	int64_t seconds;

	if (!vk_civil_parse(time, &seconds))
		fail_msg("no time: %s", time);
	return seconds;
}

static struct vk_retention_item *night(const char *day, const char *disk)
{
	char time[40];

	snprintf(time, sizeof(time), "%sT02:30:00Z", day);
	return add(at(time), disk, "h");
}

/* "+-+": which of them stay, in the order they were added. */
static void stays(const char *expected)
{
	char got[MAX_ITEMS + 1];

	for (size_t i = 0; i < count; i++)
		got[i] = items[i].keep ? '+' : '-';
	got[count] = '\0';
	assert_string_equal(got, expected);
}

static int begin(void **state)
{
	(void)state;
	count = 0;
	return 0;
}

static void the_calendar(void **state)
{
	static const char *const bad[] = {
		"", "2009-04-21T16:45:56", "2009-04-21 16:45:56Z", "2009-02-29T00:00:00Z", "2009-04-31T00:00:00Z",
		"2009-00-01T00:00:00Z", "2009-13-01T00:00:00Z", "2009-01-00T00:00:00Z", "2009-01-32T00:00:00Z",
		"2009-01-01T24:00:00Z", "2009-01-01T00:60:00Z", "2009-01-01T00:00:60Z", "2009-01-01T00:00:00Z ",
		"+009-01-01T00:00:00Z", "2009-01-01T-1:00:00Z"};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vk_civil_parse(bad[i], &seconds));
	/* every day of the years 0 to 9999, which is as far as the text reaches, against the C library */
	for (int64_t day = -719528; day < 2932897; day++) {
		struct vk_civil date = vk_civil_from_day(day);
		time_t t = (time_t)day * 86400;
		struct tm tm;
		char text[40];

		assert_non_null(gmtime_r(&t, &tm));
		if (date.year != tm.tm_year + 1900 || (int)date.month != tm.tm_mon + 1 || (int)date.day != tm.tm_mday)
			fail_msg("day %lld", (long long)day);
		if (day % 11 != 0)
			continue;
		snprintf(text, sizeof(text), "%04d-%02d-%02dT12:34:56Z", tm.tm_year + 1900, tm.tm_mon + 1,
			 tm.tm_mday);
		if (!vk_civil_parse(text, &seconds) || seconds != day * 86400 + 45296)
			fail_msg("%s", text);
	}
	assert_int_equal(vk_civil_day_of(-1), -1);
	assert_int_equal(vk_civil_day_of(-86400), -1);
	assert_int_equal(vk_civil_day_of(-86401), -2);
	assert_int_equal(vk_civil_day_of(INT64_MIN), INT64_MIN / 86400 - 1);
	(void)vk_civil_from_day(vk_civil_day_of(INT64_MIN));
	(void)vk_civil_from_day(vk_civil_day_of(INT64_MAX));
}

static void nothing(void **state)
{
	(void)state;
	decide(7, 5, 12, 10);
}

static void days_with_a_capture_count(void **state)
{
	(void)state;
	night("2026-01-05", "a");
	night("2026-03-01", "a");
	add(at("2026-11-20T23:59:59Z"), "a", "h");
	add(at("2026-11-20T00:00:00Z"), "a", "h");
	add(at("2026-11-21T00:00:00Z"), "a", "h");
	decide(3, 0, 0, 0);
	stays("-++-+");
	assert_string_equal(items[3].why, "a later one of the same day stays");
	assert_string_equal(items[0].why, "older than the rules keep");
	assert_string_equal(items[4].why, "last of the day 2026-11-21; newest sound capture of its disk; newest capture with this LVM header");
}

/* 2026-11-20 is a Friday. */
static void weeks_end_on_friday(void **state)
{
	(void)state;
	night("2026-11-13", "a");
	night("2026-11-14", "a");
	night("2026-11-19", "a");
	night("2026-11-20", "a");
	night("2026-11-21", "a");
	decide(0, 3, 0, 0);
	stays("+--++");
	assert_string_equal(items[0].why, "last of the week to Friday 2026-11-13");
	assert_string_equal(items[3].why, "last of the week to Friday 2026-11-20");
	/* the week that has not ended yet is one, too */
	decide(0, 2, 0, 0);
	stays("---++");
}

static void months_and_years(void **state)
{
	(void)state;
	night("2024-12-31", "a");
	night("2025-01-31", "a");
	night("2025-12-30", "a");
	night("2026-01-01", "a");
	night("2026-01-31", "a");
	decide(0, 0, 2, 0);
	stays("--+-+");
	assert_string_equal(items[2].why, "last of the month 2025-12");
	decide(0, 0, 0, 2);
	stays("--+-+");
	assert_string_equal(items[2].why, "last of the year 2025");
	decide(0, 0, 0, 3);
	stays("+-+-+");
	decide(1, 1, 1, 1);
	assert_string_equal(items[4].why,
			    "last of the day 2026-01-31, the week to Friday 2026-02-06, the month 2026-01, the year "
			    "2026; newest sound capture of its disk; newest capture with this LVM header");
}

static void equal_times_by_id(void **state)
{
	(void)state;
	night("2026-01-31", "a")->id = "x-2";
	night("2026-01-31", "a")->id = "x-10";
	night("2026-01-31", "a")->id = "x";
	decide(1, 1, 1, 1);
	stays("-+-");
}

static void disks_apart(void **state)
{
	(void)state;
	night("2026-01-30", "a");
	night("2026-01-30", "b");
	night("2026-01-31", "b");
	night("2026-01-31", "a");
	decide(1, 0, 0, 0);
	stays("--++");
}

static void protected_under_no_rule(void **state)
{
	static const char *const volumes[] = {"v"};

	(void)state;
	night("2020-01-01", "a")->pinned = true;
	night("2020-01-02", "a")->is_undo = true;
	night("2020-01-03", "a")->header = "other";
	night("2020-01-04", "a");
	night("2020-01-05", "a")->volumes = volumes;
	items[4].volume_count = 1;
	night("2020-01-06", "a");
	night("2020-01-07", "a")->verdict = VK_RETENTION_INCOMPLETE;
	night("2020-01-08", "a")->verdict = VK_RETENTION_DAMAGED;
	night("2020-01-09", "a")->is_undo = true;
	night("2020-01-10", "a")->is_rebuilt = true;
	night("2020-01-11", "alone")->is_rebuilt = true;
	decide(0, 0, 0, 0);
	stays("+-+-++--+++");
	assert_string_equal(items[9].why, "rebuilt by repair");
	assert_string_equal(items[10].why, "rebuilt by repair");
	assert_string_equal(items[0].why, "pinned");
	assert_string_equal(items[1].why, "undo capture older than the days, weeks and months that are kept");
	assert_string_equal(items[8].why, "newest undo capture of its disk");
	assert_string_equal(items[2].why, "the only capture with this LVM header");
	assert_string_equal(items[4].why, "newest sound capture of its volume");
	assert_string_equal(items[7].why, "damaged, and there are better ones");
}

/* An old undo capture goes, but neither the newest of a disk nor one that may still be wanted. */
static void undo_captures(void **state)
{
	(void)state;
	night("2019-12-30", "b")->is_undo = true;
	night("2020-01-01", "a")->is_undo = true;
	night("2020-01-02", "a");
	night("2020-01-03", "a")->is_undo = true;
	night("2020-01-03", "a");
	night("2020-01-04", "a")->is_undo = true;
	items[5].verdict = VK_RETENTION_DAMAGED;
	night("2020-02-04", "a");
	night("2020-03-04", "a");
	decide(0, 0, 0, 10);
	stays("+--+-+-+");
	decide(4, 0, 0, 0);
	stays("+-++++++");
	decide(5, 0, 0, 0);
	stays("++++++++");
	decide(0, 0, 2, 0);
	stays("+--+-+++");
	decide(0, 0, 3, 0);
	stays("++-+++++");
	assert_string_equal(items[1].why, "undo capture of a time that is kept");
}

static void nothing_sound(void **state)
{
	(void)state;
	night("2020-01-01", "a")->verdict = VK_RETENTION_INCOMPLETE;
	night("2020-01-02", "a")->verdict = VK_RETENTION_INCOMPLETE;
	night("2020-01-03", "a")->verdict = VK_RETENTION_DAMAGED;
	night("2020-01-01", "b")->verdict = VK_RETENTION_DAMAGED;
	night("2020-01-02", "b")->verdict = VK_RETENTION_DAMAGED;
	decide(0, 0, 0, 0);
	stays("-+-++");
	assert_string_equal(items[1].why, "newest capture, as none is sound, of its disk; newest capture with this LVM header");
}

static void damaged_go_after_the_days(void **state)
{
	(void)state;
	night("2020-01-01", "a");
	night("2020-01-02", "a")->verdict = VK_RETENTION_DAMAGED;
	night("2020-01-03", "a")->verdict = VK_RETENTION_INCOMPLETE;
	add(at("2020-01-04T01:00:00Z"), "a", "h")->verdict = VK_RETENTION_DAMAGED;
	night("2020-01-04", "a");
	night("2020-01-05", "a")->verdict = VK_RETENTION_DAMAGED;
	decide(3, 0, 0, 0);
	stays("++++++");
	decide(2, 0, 0, 0);
	stays("--++++");
	decide(1, 0, 0, 0);
	stays("---+++");
	/* 2020-01-03 is a Friday */
	decide(0, 12, 12, 12);
	stays("--+-+-");
}

static void a_disk_without_vmfs(void **state)
{
	(void)state;
	night("2020-01-01", "a")->header = "t1";
	night("2020-01-02", "a")->header = "t2";
	for (size_t i = 0; i < count; i++)
		items[i].header_is_table = true;
	decide(0, 0, 0, 0);
	stays("++");
	assert_string_equal(items[0].why, "the only capture with this partition table");
}

/* The whole of what there is to say fits. */
static void the_longest_reason(void **state)
{
	struct vk_retention_item *item = add(at("9999-12-31T23:59:59Z"), "a", "h");
	static const char *const volumes[] = {"v"};

	(void)state;
	item->pinned = true;
	item->verdict = VK_RETENTION_INCOMPLETE;
	item->volumes = volumes;
	item->volume_count = 1;
	night("2000-01-01", "a")->verdict = VK_RETENTION_DAMAGED;
	decide(1, 1, 1, 1);
	assert_non_null(strstr(items[0].why, "newest capture with this LVM header"));
	assert_true(strlen(items[0].why) + 60 < sizeof(items[0].why));
}

static void times_at_the_edge(void **state)
{
	(void)state;
	add(INT64_MIN, "a", "h");
	add(INT64_MAX, "a", "h");
	add(0, "a", "h");
	decide(2, 2, 2, 2);
	stays("-++");
	decide(UINT32_MAX, 0, 0, 0);
	stays("+++");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_calendar),
		cmocka_unit_test_setup(nothing, begin),
		cmocka_unit_test_setup(days_with_a_capture_count, begin),
		cmocka_unit_test_setup(weeks_end_on_friday, begin),
		cmocka_unit_test_setup(months_and_years, begin),
		cmocka_unit_test_setup(equal_times_by_id, begin),
		cmocka_unit_test_setup(disks_apart, begin),
		cmocka_unit_test_setup(protected_under_no_rule, begin),
		cmocka_unit_test_setup(undo_captures, begin),
		cmocka_unit_test_setup(nothing_sound, begin),
		cmocka_unit_test_setup(damaged_go_after_the_days, begin),
		cmocka_unit_test_setup(a_disk_without_vmfs, begin),
		cmocka_unit_test_setup(the_longest_reason, begin),
		cmocka_unit_test_setup(times_at_the_edge, begin),
	};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
