/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures may go: single rules by hand, and random histories against a second implementation that compares all with all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "vmfskit/retention.h"

enum { MAX_ITEMS = 400, ID_BYTES = 40 };

static char ids[MAX_ITEMS][ID_BYTES];
static struct vk_retention_item items[MAX_ITEMS];
static size_t count;

static int64_t at(const char *time)
{
	int64_t seconds;

	if (!vk_civil_parse(time, &seconds))
		fail_msg("no time: %s", time);
	return seconds;
}

static struct vk_retention_item *add(int64_t seconds, const char *disk, const char *header)
{
	struct vk_retention_item *item = &items[count];

	assert_true(count < MAX_ITEMS);
	snprintf(ids[count], sizeof(ids[count]), "c%zu", count);
	*item = (struct vk_retention_item){
		.id = ids[count], .disk = disk, .header = header, .unix_seconds = seconds};
	count++;
	return item;
}

static struct vk_retention_item *night(const char *day, const char *disk)
{
	char time[40];

	snprintf(time, sizeof(time), "%sT02:30:00Z", day);
	return add(at(time), disk, "h");
}

static void decide(unsigned daily, unsigned weekly, unsigned monthly, unsigned yearly)
{
	const struct vk_retention_policy policy = {daily, weekly, monthly, yearly};
	struct vk_error err;

	assert_int_equal(vk_retention_decide(items, count, &policy, &err), VK_OK);
	for (size_t i = 0; i < count; i++)
		assert_true(items[i].why[0] != '\0');
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

/* --- single rules */

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
	decide(0, 0, 0, 0);
	stays("+++-++--+");
	assert_string_equal(items[0].why, "pinned");
	assert_string_equal(items[1].why, "undo capture");
	assert_string_equal(items[2].why, "the only capture with this LVM header");
	assert_string_equal(items[4].why, "newest sound capture of its volume");
	assert_string_equal(items[7].why, "damaged, and there are better ones");
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

/* --- random histories */

static uint64_t seed;

static unsigned dice(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

static const char *const disk_names[] = {"naa.6001", "naa.6002", "host:/dev/sdb"};
static const char *const header_names[] = {"h1", "h2", "h3", ""};
static const char *const volume_names[] = {"v1", "v2", "v3", "v4"};

static void random_history(size_t size)
{
	int64_t first = 1000000000 + (int64_t)dice(1000000000);
	unsigned step = 1 + dice(3 * 86400);

	count = 0;
	for (size_t i = 0; i < size; i++) {
		struct vk_retention_item *item =
			add(first, disk_names[dice(3)], header_names[dice(20) == 0 ? dice(4) : 0]);

		first += dice(4) > 0 ? (int64_t)dice(2 * step) : 0;
		item->verdict = dice(8) > 0 ? VK_RETENTION_SOUND : (enum vk_retention_verdict)dice(3);
		item->pinned = dice(30) == 0;
		item->is_undo = dice(30) == 0;
		item->volumes = volume_names + dice(3);
		item->volume_count = dice(3);
	}
	/* in no order */
	for (size_t i = count; i > 1; i--) {
		size_t k = dice((unsigned)i);
		struct vk_retention_item swap = items[i - 1];

		items[i - 1] = items[k];
		items[k] = swap;
	}
}

/* The name of a period as people write it, made by walking day by day with the C library. */
static void name_period(const struct vk_retention_item *item, int period, char ret_name[32])
{
	static const size_t lengths[] = {10, 10, 7, 4};
	time_t t = (time_t)item->unix_seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	while (period == 1 && tm.tm_wday != 5) {
		t += 86400;
		gmtime_r(&t, &tm);
	}
	strftime(ret_name, 32, "%Y-%m-%d", &tm);
	ret_name[lengths[period]] = '\0';
}

static bool naive_good(const struct vk_retention_item *item)
{
	return !item->is_undo && item->verdict != VK_RETENTION_DAMAGED;
}

static bool naive_newer(const struct vk_retention_item *a, const struct vk_retention_item *b)
{
	return a->unix_seconds != b->unix_seconds ? a->unix_seconds > b->unix_seconds
						  : strverscmp(a->id, b->id) > 0;
}

/* Names of the periods of all items, and whether each item is the last of its own. */
static char names[MAX_ITEMS][4][32];
static bool lasts[MAX_ITEMS][4];

static void naive_prepare(void)
{
	for (size_t i = 0; i < count; i++)
		for (int p = 0; p < 4; p++)
			name_period(&items[i], p, names[i][p]);
	for (size_t i = 0; i < count; i++) {
		for (int p = 0; p < 4; p++) {
			lasts[i][p] = naive_good(&items[i]);
			for (size_t k = 0; k < count; k++)
				if (naive_good(&items[k]) && strcmp(items[k].disk, items[i].disk) == 0 &&
				    strcmp(names[k][p], names[i][p]) == 0 && naive_newer(&items[k], &items[i]))
					lasts[i][p] = false;
		}
	}
}

/* How many later periods of its disk have a good capture. */
static unsigned naive_later(size_t i, int p)
{
	unsigned later = 0;

	for (size_t k = 0; k < count; k++)
		later += lasts[k][p] && strcmp(items[k].disk, items[i].disk) == 0 &&
			 strcmp(names[k][p], names[i][p]) > 0;
	return later;
}

static bool naive_shares(const struct vk_retention_item *a, const struct vk_retention_item *b, int kind, size_t v)
{
	if (b->is_undo)
		return false;
	if (kind == 0)
		return strcmp(a->disk, b->disk) == 0;
	if (kind == 1)
		return strcmp(a->disk, b->disk) == 0 && strcmp(a->header, b->header) == 0;
	for (size_t i = 0; i < b->volume_count; i++)
		if (strcmp(b->volumes[i], a->volumes[v]) == 0)
			return true;
	return false;
}

/* Whether nothing else of the group could stand in for it. */
static bool naive_best(size_t i, int kind, size_t v)
{
	const struct vk_retention_item *item = &items[i];

	for (size_t k = 0; k < count; k++) {
		const struct vk_retention_item *other = &items[k];

		if (k == i || !naive_shares(item, other, kind, v))
			continue;
		if (other->verdict < item->verdict)
			return false;
		if (other->verdict == item->verdict && item->verdict != VK_RETENTION_DAMAGED &&
		    naive_newer(other, item))
			return false;
	}
	return true;
}

static bool naive_keeps(size_t i, const unsigned keep[4])
{
	const struct vk_retention_item *item = &items[i];

	if (item->pinned || item->is_undo)
		return true;
	for (int p = 0; p < 4; p++)
		if (lasts[i][p] && naive_later(i, p) < keep[p])
			return true;
	if (item->verdict == VK_RETENTION_DAMAGED && naive_later(i, 0) < keep[0])
		return true;
	if (naive_best(i, 0, 0) || (item->header[0] != '\0' && naive_best(i, 1, 0)))
		return true;
	for (size_t v = 0; v < item->volume_count; v++)
		if (naive_best(i, 2, v))
			return true;
	return false;
}

static void against_the_naive_one(void **state)
{
	(void)state;
	for (seed = 1; seed < 400; seed += 2) {
		uint64_t begun = seed;
		unsigned keep[4];

		random_history(1 + dice(120));
		naive_prepare();
		for (unsigned round = 0; round < 5; round++) {
			for (int p = 0; p < 4; p++)
				keep[p] = round == 0 ? 0 : dice(10);
			decide(keep[0], keep[1], keep[2], keep[3]);
			for (size_t i = 0; i < count; i++)
				if (items[i].keep != naive_keeps(i, keep))
					fail_msg("seed %llu, %u %u %u %u: %s is told \"%s\"",
						 (unsigned long long)begun, keep[0], keep[1], keep[2], keep[3],
						 items[i].id, items[i].why);
		}
		seed = begun;
	}
}

/* Larger numbers keep more; pinning one changes nothing for the others; deciding again after removing changes nothing. */
static void what_must_always_hold(void **state)
{
	(void)state;
	for (seed = 1; seed < 200; seed += 2) {
		uint64_t begun = seed;
		unsigned keep[4] = {dice(8), dice(6), dice(13), dice(11)};
		bool kept[MAX_ITEMS];
		size_t left = 0;
		size_t pinned;

		random_history(1 + dice(200));
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			kept[i] = items[i].keep;
		decide(keep[0] + dice(3), keep[1] + dice(3), keep[2] + dice(3), keep[3] + dice(3));
		for (size_t i = 0; i < count; i++)
			assert_true(items[i].keep || !kept[i]);
		pinned = dice((unsigned)count);
		items[pinned].pinned = true;
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(items[i].keep, kept[i] || i == pinned);
		for (size_t i = 0; i < count; i++)
			if (items[i].keep)
				items[left++] = items[i];
		count = left;
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			assert_true(items[i].keep);
		seed = begun;
	}
}

/* Thousands of equal keys are no more work than thousands of different ones. */
static void many(void **state)
{
	enum { MANY = 100000 };
	struct vk_retention_item *all = calloc(MANY, sizeof(*all));
	char (*names_of)[16] = calloc(MANY, sizeof(*names_of));
	const struct vk_retention_policy policy = VK_RETENTION_DEFAULT;
	struct vk_error err;
	clock_t begun = clock();
	size_t kept = 0;

	(void)state;
	assert_non_null(all);
	assert_non_null(names_of);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names_of[i], sizeof(names_of[i]), "c%zu", i);
		all[i] = (struct vk_retention_item){.id = names_of[i],
						    .disk = "d",
						    .header = "h",
						    .volumes = volume_names,
						    .volume_count = 4,
						    .unix_seconds = (int64_t)(i * 7919 % MANY) * 3600};
	}
	assert_int_equal(vk_retention_decide(all, MANY, &policy, &err), VK_OK);
	for (size_t i = 0; i < MANY; i++)
		kept += all[i].keep;
	assert_in_range(kept, 12, 34);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < 30);
	free(all);
	free(names_of);
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
		cmocka_unit_test_setup(nothing_sound, begin),
		cmocka_unit_test_setup(damaged_go_after_the_days, begin),
		cmocka_unit_test_setup(a_disk_without_vmfs, begin),
		cmocka_unit_test_setup(the_longest_reason, begin),
		cmocka_unit_test_setup(times_at_the_edge, begin),
		cmocka_unit_test_setup(against_the_naive_one, begin),
		cmocka_unit_test_setup(what_must_always_hold, begin),
		cmocka_unit_test_setup(many, begin),
	};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
