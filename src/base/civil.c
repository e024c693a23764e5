/* SPDX-License-Identifier: Apache-2.0 */
/* Days and dates: the calendar repeats after 400 years, and with years that begin in March the leap day is the last. */
#include "base/civil.h"

#include <string.h>

enum {
	DAY_SECONDS = 86400,
	DAYS_4_YEARS = 4 * 365 + 1,
	DAYS_100_YEARS = 25 * DAYS_4_YEARS - 1,
	DAYS_400_YEARS = 4 * DAYS_100_YEARS + 1,
	DAY_OF_2000_03_01 = 11017,
	CLOCKS_DIFFER_S = 600
};

/* Days of a year that begins in March before each of its months. */
static const unsigned before_month[12] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337};

int64_t vk_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t vk_civil_day_of(int64_t unix_seconds)
{
	return vk_floor_div(unix_seconds, DAY_SECONDS);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct vk_civil vk_civil_from_day(int64_t day)
{
	int64_t rest = day - DAY_OF_2000_03_01;
	int64_t cycle = vk_floor_div(rest, DAYS_400_YEARS);
	int64_t century;
	int64_t four;
	int64_t one;
	unsigned month = 11;
	struct vk_civil date;

	/* the last century, four years and year of each cycle are a day longer than the others */
	rest -= cycle * DAYS_400_YEARS;
	century = least(rest / DAYS_100_YEARS, 3);
	rest -= century * DAYS_100_YEARS;
	four = rest / DAYS_4_YEARS;
	rest -= four * DAYS_4_YEARS;
	one = least(rest / 365, 3);
	rest -= one * 365;
	while (before_month[month] > rest)
		month--;
	date.year = 2000 + 400 * cycle + 100 * century + 4 * four + one + (month >= 10);
	date.month = (month + 2) % 12 + 1;
	date.day = (unsigned)(rest - before_month[month]) + 1;
	return date;
}

static int64_t day_of_date(unsigned year, unsigned month, unsigned day)
{
	unsigned shifted = (month + 9) % 12;
	/* years since March of the year -400, never negative: 2000 is 2400 of them, which are six cycles */
	int64_t years = (int64_t)year - (shifted >= 10) + 400;
	int64_t days = 365 * years + years / 4 - years / 100 + years / 400 + before_month[shifted] +
		       (int64_t)day - 1;

	return days - (6LL * DAYS_400_YEARS) + DAY_OF_2000_03_01;
}

static bool digits(const char *text, unsigned count, unsigned *ret_number)
{
	*ret_number = 0;
	for (unsigned i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*ret_number = *ret_number * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

bool vk_civil_parse(const char *text, int64_t *ret_unix_seconds)
{
	unsigned year, month, day, hour, minute, second;
	struct vk_civil date;
	int64_t number;

	if (strlen(text) != sizeof("2009-04-21T16:45:56Z") - 1 || text[4] != '-' || text[7] != '-' ||
	    text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z' ||
	    !digits(text, 4, &year) || !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day) ||
	    !digits(text + 11, 2, &hour) || !digits(text + 14, 2, &minute) || !digits(text + 17, 2, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
		return false;
	number = day_of_date(year, month, day);
	/* the 31st of a shorter month comes back as another date */
	date = vk_civil_from_day(number);
	if (date.year != year || date.month != month || date.day != day)
		return false;
	*ret_unix_seconds = number * DAY_SECONDS + hour * 3600LL + minute * 60LL + second;
	return true;
}

bool vk_civil_is_ahead(const char *text, int64_t now)
{
	int64_t seconds;

	return vk_civil_parse(text, &seconds) && seconds > now + CLOCKS_DIFFER_S;
}
