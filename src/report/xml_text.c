/* SPDX-License-Identifier: Apache-2.0 */
/* Text as XML 1.0 takes it. */
#include "report/xml_text.h"

#include <string.h>

#include "base/utf8.h"

/*
 * U+FDD0 to U+FDEF, and the last two of each plane. Of these XML refuses U+FFFE and U+FFFF, and advises against the
 * rest.
 */
static bool is_noncharacter(uint32_t point)
{
	return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

/* One character, or a byte that becomes \xNN (*ret_point 0), and how many columns it takes of a font of one width. */
static size_t take_one(const char *bytes, size_t len, uint32_t *ret_point, size_t *ret_columns)
{
	size_t n = vk_utf8_decode((const uint8_t *)bytes, len, ret_point);

	if (n == 0 || vk_utf8_steers(*ret_point) || is_noncharacter(*ret_point)) {
		*ret_point = 0;
		*ret_columns = 4;
		return 1;
	}
	/* wide scripts begin with Hangul; a character that is narrow all the same leaves room */
	*ret_columns = *ret_point < 0x1100 ? 1 : 2;
	return n;
}

static void put_bytes(FILE *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t columns, n = take_one(bytes + i, len - i, &point, &columns);

		if (point == 0)
			fprintf(out, "\\x%02x", (unsigned char)bytes[i]);
		else if (point == '<')
			fputs("&lt;", out);
		else if (point == '>')
			fputs("&gt;", out);
		else if (point == '&')
			fputs("&amp;", out);
		else if (point == '"')
			fputs("&quot;", out);
		else
			fwrite(bytes + i, 1, n, out);
		i += n;
	}
}

void vk_report_xml_text(FILE *out, const char *bytes)
{
	put_bytes(out, bytes, strlen(bytes));
}

/* How many of len bytes fit. */
static size_t fit(const char *bytes, size_t len, size_t columns)
{
	size_t at = 0, used = 0;

	while (at < len) {
		uint32_t point;
		size_t wide, n = take_one(bytes + at, len - at, &point, &wide);

		if (used + wide > columns)
			break;
		used += wide;
		at += n;
	}
	return at;
}

void vk_report_xml_cut(FILE *out, const char *bytes, size_t columns)
{
	size_t len = strlen(bytes);

	if (fit(bytes, len, columns) == len) {
		put_bytes(out, bytes, len);
	} else if (columns > 3) {
		put_bytes(out, bytes, fit(bytes, len, columns - 3));
		fputs("...", out);
	}
}

const char *vk_report_xml_line(FILE *out, const char *bytes, size_t columns)
{
	size_t len = strlen(bytes), n = fit(bytes, len, columns);

	if (n < len)
		for (size_t blank = n; blank > n / 2; blank--)
			if (bytes[blank] == ' ') {
				n = blank;
				break;
			}
	if (out != NULL)
		put_bytes(out, bytes, n);
	n += strspn(bytes + n, " ");
	return bytes[n] != '\0' && n > 0 ? bytes + n : NULL;
}
