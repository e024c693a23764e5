/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded text builder, and the texts people read. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmfskit/text.h"

void vk_text_init(struct vk_text *text, char *buf, size_t cap_bytes)
{
	text->buf = buf;
	text->cap_bytes = cap_bytes;
	text->len_bytes = 0;
	buf[0] = '\0';
}

void vk_text_fmt(struct vk_text *text, const char *fmt, ...)
{
	va_list args;
	size_t room = text->cap_bytes - text->len_bytes;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->buf + text->len_bytes, room, fmt, args);
	va_end(args);
	if (n > 0)
		text->len_bytes += (size_t)n < room ? (size_t)n : room - 1;
}

void vk_text_put(struct vk_text *text, const char *s)
{
	vk_text_fmt(text, "%s", s);
}

void vk_text_hex(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		vk_text_fmt(text, "%02x", bytes[i]);
}

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none; refuses overlong forms and surrogates. */
static size_t utf8_sequence(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (n == 1)
		return 1;
	if (n == 0 || n > len)
		return 0;
	c = p[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* C1 control characters (U+0080 to U+009F) steer terminals as C0 ones do. */
static bool is_c1_control(const uint8_t *p, size_t n)
{
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void vk_text_label(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && bytes[i] != 0;) {
		size_t n = utf8_sequence(bytes + i, len - i);
		bool plain = n > 1 ? !is_c1_control(bytes + i, n)
				   : n == 1 && bytes[i] >= 0x20 && bytes[i] != 0x7f && bytes[i] != '\\';

		if (!plain) {
			vk_text_fmt(text, "\\x%02x", bytes[i++]);
			continue;
		}
		vk_text_fmt(text, "%.*s", (int)n, (const char *)bytes + i);
		i += n;
	}
}

void vk_text_size(struct vk_text *text, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned shift = 10;
	unsigned unit = 0;

	if (bytes < 1024) {
		vk_text_fmt(text, "%llu bytes", (unsigned long long)bytes);
		return;
	}
	while (unit < 5 && bytes >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	if ((bytes & ((1ULL << shift) - 1)) == 0)
		vk_text_fmt(text, "%llu %s", (unsigned long long)(bytes >> shift), units[unit]);
	else
		vk_text_fmt(text, "%.2f %s", (double)bytes / (double)(1ULL << shift), units[unit]);
	vk_text_fmt(text, " (%llu bytes)", (unsigned long long)bytes);
}

static bool split_time(uint64_t unix_seconds, struct tm *ret_tm)
{
	time_t t = (time_t)unix_seconds;

	/* year 9999: beyond it the four-digit form breaks */
	return unix_seconds <= 253402300799ULL && gmtime_r(&t, ret_tm) != NULL;
}

static bool put_time(struct vk_text *text, uint64_t unix_seconds)
{
	struct tm tm;

	if (!split_time(unix_seconds, &tm))
		return false;
	vk_text_fmt(text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return true;
}

void vk_text_time_s(struct vk_text *text, uint64_t unix_seconds)
{
	if (put_time(text, unix_seconds))
		vk_text_put(text, "Z");
	else
		vk_text_fmt(text, "%llu s since 1970 (no date)", (unsigned long long)unix_seconds);
}

void vk_text_time_us(struct vk_text *text, uint64_t unix_us)
{
	if (put_time(text, unix_us / 1000000))
		vk_text_fmt(text, ".%06uZ", (unsigned)(unix_us % 1000000));
	else
		vk_text_fmt(text, "%llu us since 1970 (no date)", (unsigned long long)unix_us);
}

void vk_text_duration_us(struct vk_text *text, uint64_t us)
{
	uint64_t s = us / 1000000;

	if (s < 3600)
		vk_text_fmt(text, "%llu.%02u s", (unsigned long long)s, (unsigned)(us % 1000000 / 10000));
	else if (s < 86400)
		vk_text_fmt(text, "%u h %02u min %02u s", (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
			    (unsigned)(s % 60));
	else
		vk_text_fmt(text, "%llu d %u h %u min", (unsigned long long)(s / 86400),
			    (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60));
}

/* What a unit letter multiplies by, 0 when there is no such unit. */
static uint64_t unit_factor(const char *unit)
{
	static const char letters[] = "KMGTPE";
	const char *at;

	if (strcmp(unit, "") == 0 || strcmp(unit, "B") == 0)
		return 1;
	if (strcmp(unit, "s") == 0)
		return 512;
	at = strchr(letters, unit[0] >= 'a' ? unit[0] - 'a' + 'A' : unit[0]);
	if (at == NULL || *at == '\0')
		return 0;
	if (unit[1] != '\0' && strcmp(unit + 1, "iB") != 0)
		return 0;
	return 1ULL << (10 * (unsigned)(at - letters + 1));
}

int vk_text_parse_size(const char *s, uint64_t *ret_bytes)
{
	char *end;
	unsigned long long whole;
	uint64_t factor;
	double fraction = 0;
	uint64_t bytes;

	if (s[0] < '0' || s[0] > '9')
		return 0;
	whole = strtoull(s, &end, 10);
	if (*end == '.')
		fraction = strtod(end, &end);
	factor = unit_factor(end);
	if (factor == 0 || __builtin_mul_overflow((uint64_t)whole, factor, &bytes))
		return 0;
	if (__builtin_add_overflow(bytes, (uint64_t)(fraction * (double)factor), &bytes))
		return 0;
	*ret_bytes = bytes;
	return 1;
}
