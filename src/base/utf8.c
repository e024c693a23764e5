/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 taken from untrusted bytes. */
#include <string.h>

#include "base/utf8.h"

/* Bytes that a first byte announces, 0 when it cannot begin a sequence. */
static size_t announced(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >> 5 == 6)
		return 2;
	if (first >> 4 == 14)
		return 3;
	return first >> 3 == 30 ? 4 : 0;
}

size_t vk_utf8_decode(const uint8_t *p, size_t len, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = len == 0 ? 0 : announced(p[0]);
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_point = c;
	return n;
}

bool vk_utf8_steers(uint32_t point)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} steering[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     /* C0 and C1 control characters */
		{0x061c, 0x061c}, {0x200e, 0x200f}, /* marks of direction */
		{0x2028, 0x202e}, {0x2066, 0x2069}, /* line ends, embeddings, overrides, isolates */
	};

	for (size_t i = 0; i < sizeof(steering) / sizeof(steering[0]); i++)
		if (point >= steering[i].first && point <= steering[i].last)
			return true;
	return false;
}

size_t vk_utf8_trim(char *text)
{
	size_t len = strlen(text);
	size_t back = 0;

	while (back < 3 && back < len && ((uint8_t)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < len && announced((uint8_t)text[len - 1 - back]) > back + 1) {
		len -= back + 1;
		text[len] = '\0';
	}
	return len;
}
