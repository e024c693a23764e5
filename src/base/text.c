/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded text builder, and the texts people read. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/hex_digit.h"
#include "base/utf8.h"
#include "vmfskit/text.h"

void vk_text_init(struct vk_text *text, char *buf, size_t cap_bytes)
{
	*text = vk_text_in(buf, cap_bytes);
}

struct vk_text vk_text_in(char *buf, size_t cap_bytes)
{
	buf[0] = '\0';
	return (struct vk_text){buf, cap_bytes, 0};
}

/* The text is full: it ends in front of the character that was cut, and nothing is appended behind the cut. */
static void cut(struct vk_text *text)
{
	text->len_bytes = vk_utf8_trim(text->buf);
	text->cap_bytes = text->len_bytes + 1;
}

static void append(struct vk_text *text, const char *s, size_t len)
{
	size_t room = text->cap_bytes - text->len_bytes;
	bool fits = len < room;
	size_t n = fits ? len : room - 1;

	memcpy(text->buf + text->len_bytes, s, n);
	text->len_bytes += n;
	text->buf[text->len_bytes] = '\0';
	if (!fits)
		cut(text);
}

void vk_text_fmt(struct vk_text *text, const char *fmt, ...)
{
	va_list args;
	size_t room = text->cap_bytes - text->len_bytes;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->buf + text->len_bytes, room, fmt, args);
	va_end(args);
	if (n < 0) {
		text->buf[text->len_bytes] = '\0';
		return;
	}
	if ((size_t)n < room)
		text->len_bytes += (size_t)n;
	else
		cut(text);
}

void vk_text_put(struct vk_text *text, const char *s)
{
	append(text, s, strlen(s));
}

void vk_text_hex(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		const char two[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		append(text, two, sizeof(two));
	}
}

void vk_text_label(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && bytes[i] != 0;) {
		uint32_t c;
		size_t n = vk_utf8_decode(bytes + i, len - i, &c);

		if (n != 0 && c != '\\' && !vk_utf8_steers(c)) {
			append(text, (const char *)bytes + i, n);
			i += n;
			continue;
		}
		/* all bytes of an unwanted character, or one byte that begins none */
		for (size_t end = i + (n == 0 ? 1 : n); i < end; i++)
			vk_text_fmt(text, "\\x%02x", bytes[i]);
	}
}

/* Hundredths of the unit 1 << shift, rounded. In integers: printf's decimal point follows the locale. */
static uint64_t in_hundredths(uint64_t bytes, unsigned shift)
{
	uint64_t rest = bytes & ((1ULL << shift) - 1);
	uint64_t fraction = shift > 30 ? rest >> (shift - 30) : rest << (30 - shift);

	return (bytes >> shift) * 100 + (fraction * 100 + (1U << 29)) / (1U << 30);
}

/* exactly: ".00" says that it is rounded */
static void put_size(struct vk_text *text, uint64_t bytes, bool exactly)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0;
	unsigned shift = 10;
	uint64_t hundredths;

	if (bytes < 1024) {
		vk_text_fmt(text, "%llu bytes", (unsigned long long)bytes);
		return;
	}
	/* 1023.995 and more would read as 1024.00 of the smaller unit */
	while (unit < 5 && bytes >> shift >= 1023 && in_hundredths(bytes, shift) >= 102400) {
		shift += 10;
		unit++;
	}
	hundredths = in_hundredths(bytes, shift);
	if (exactly ? (bytes & ((1ULL << shift) - 1)) == 0 : hundredths % 100 == 0)
		vk_text_fmt(text, "%llu %s", (unsigned long long)(hundredths / 100), units[unit]);
	else
		vk_text_fmt(text, "%llu.%02u %s", (unsigned long long)(hundredths / 100),
			    (unsigned)(hundredths % 100), units[unit]);
}

void vk_text_size_short(struct vk_text *text, uint64_t bytes)
{
	put_size(text, bytes, false);
}

void vk_text_size(struct vk_text *text, uint64_t bytes)
{
	put_size(text, bytes, true);
	if (bytes >= 1024)
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
	at = strchr(letters, unit[0] >= 'a' && unit[0] <= 'z' ? unit[0] - 'a' + 'A' : unit[0]);
	if (at == NULL || *at == '\0')
		return 0;
	if (unit[1] != '\0' && strcmp(unit + 1, "iB") != 0)
		return 0;
	return 1ULL << (10 * (unsigned)(at - letters + 1));
}

/* Digits from *s on, whatever the first is; false when there are none or the number does not fit. */
static bool parse_digits(const char **s, unsigned base, uint64_t *ret_number)
{
	const char *first = *s;
	uint64_t number = 0;

	for (; vk_hex_digit(**s) >= 0 && vk_hex_digit(**s) < (int)base; (*s)++)
		if (!vk_mul_u64(number, base, &number) ||
		    !vk_add_u64(number, (uint64_t)vk_hex_digit(**s), &number))
			return false;
	if (*s == first)
		return false;
	*ret_number = number;
	return true;
}

bool vk_text_parse_number(const char *s, uint64_t most, uint64_t *ret_number)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	uint64_t number;

	s += hex ? 2 : 0;
	if (!parse_digits(&s, hex ? 16 : 10, &number) || *s != '\0' || number > most)
		return false;
	*ret_number = number;
	return true;
}

/* Digits that a fraction may have: enough for each byte of an EiB; the product below fits 128 bits. */
enum { FRACTION_DIGITS = 18 };

int vk_text_parse_size(const char *s, uint64_t *ret_bytes)
{
	uint64_t whole;
	uint64_t fraction = 0;
	uint64_t scale = 1;
	uint64_t factor;
	uint64_t bytes;

	if (!parse_digits(&s, 10, &whole))
		return 0;
	if (*s == '.') {
		const char *first = ++s;

		if (!parse_digits(&s, 10, &fraction) || s - first > FRACTION_DIGITS)
			return 0;
		for (; first < s; first++)
			scale *= 10;
	}
	factor = unit_factor(s);
	if (factor == 0 || !vk_mul_u64(whole, factor, &bytes))
		return 0;
	/* there is no half byte and no half sector */
	if (scale != 1 && factor < 1024)
		return 0;
	if (!vk_add_u64(bytes, (uint64_t)((unsigned __int128)fraction * factor / scale), &bytes))
		return 0;
	*ret_bytes = bytes;
	return 1;
}
