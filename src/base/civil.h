/* SPDX-License-Identifier: Apache-2.0 */
/* Days and dates of the Gregorian calendar, without time zones and for every 64-bit number of seconds. */
#ifndef VK_BASE_CIVIL_H
#define VK_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct vk_civil {
	int64_t year;
	unsigned month; /* 1 to 12 */
	unsigned day;   /* 1 to 31 */
};

/* Towards minus infinity; b is positive. */
int64_t vk_floor_div(int64_t a, int64_t b);

/* Day 0 is 1970-01-01; seconds before it belong to negative days. */
int64_t vk_civil_day_of(int64_t unix_seconds);
struct vk_civil vk_civil_from_day(int64_t day);

/* Exactly "2009-04-21T16:45:56Z", a date that exists; false when it is anything else. */
bool vk_civil_parse(const char *text, int64_t *ret_unix_seconds);

/* Such a time that lies in the future by more than the clocks of two hosts differ: some clock was wrong. */
bool vk_civil_is_ahead(const char *text, int64_t now);

#endif
