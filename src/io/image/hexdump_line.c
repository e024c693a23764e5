/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a listing. */
#include <stdbool.h>
#include <string.h>

#include "base/hex_digit.h"
#include "io/image/hexdump_line.h"

#define OFFSET_DIGITS_MIN 7
#define OFFSET_DIGITS_MAX 16

/* What is left of the line. */
struct cursor {
	const char *p;
	const char *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static size_t skip_blanks(struct cursor *c)
{
	size_t n = 0;

	for (; c->p < c->end && is_blank(*c->p); c->p++)
		n++;
	return n;
}

static void trim(struct cursor *c)
{
	if (c->end - c->p >= 3 && memcmp(c->p, "\xEF\xBB\xBF", 3) == 0)
		c->p += 3;
	while (c->p < c->end && (is_blank(*c->p) || *c->p == '>'))
		c->p++;
	while (c->p < c->end && is_blank(c->end[-1]))
		c->end--;
}

static bool take_offset(struct cursor *c, uint64_t *ret_offset)
{
	uint64_t offset = 0;
	int digits = 0;

	for (; c->p < c->end && vk_hex_digit(*c->p) >= 0; c->p++) {
		if (++digits > OFFSET_DIGITS_MAX)
			return false;
		offset = offset << 4 | (uint64_t)vk_hex_digit(*c->p);
	}
	*ret_offset = offset;
	return digits >= OFFSET_DIGITS_MIN;
}

/* Two digits; what follows them is the caller's matter. */
static bool take_byte(struct cursor *c, struct vk_hexdump_line *line)
{
	if (c->end - c->p < 2 || vk_hex_digit(c->p[0]) < 0 || vk_hex_digit(c->p[1]) < 0 ||
	    line->count == VK_HEXDUMP_ROW_BYTES)
		return false;
	line->bytes[line->count++] = vk_hex_byte(c->p);
	c->p += 2;
	return true;
}

/* Bytes set apart by blanks. A whole row may be followed by any text column, a shorter one only by |...|. */
static bool take_spaced_bytes(struct cursor *c, struct vk_hexdump_line *line)
{
	while (!at_end(c)) {
		size_t blanks = skip_blanks(c);

		if (at_end(c) || *c->p == '|')
			break;
		if (blanks == 0)
			return false;
		if (line->count == VK_HEXDUMP_ROW_BYTES)
			break;
		if (!take_byte(c, line))
			return false;
	}
	return line->count > 0;
}

/* xxd: groups of bytes set apart by one blank; two blanks begin the text column. */
static bool take_grouped_bytes(struct cursor *c, struct vk_hexdump_line *line)
{
	while (!at_end(c)) {
		if (skip_blanks(c) != 1)
			break;
		while (!at_end(c) && !is_blank(*c->p))
			if (!take_byte(c, line))
				return false;
	}
	return line->count > 0;
}

void vk_hexdump_parse(const char *text, size_t len, struct vk_hexdump_line *ret_line)
{
	struct cursor c = {text, text + len};
	bool row;

	memset(ret_line, 0, sizeof(*ret_line));
	trim(&c);
	ret_line->kind = VK_HEXDUMP_BLANK;
	if (at_end(&c))
		return;
	ret_line->kind = VK_HEXDUMP_REPEAT;
	if (c.end - c.p == 1 && *c.p == '*')
		return;
	ret_line->kind = VK_HEXDUMP_OTHER;
	if (!take_offset(&c, &ret_line->offset))
		return;
	if (at_end(&c)) {
		ret_line->kind = VK_HEXDUMP_OFFSET;
		return;
	}
	if (*c.p == ':') {
		c.p++;
		row = take_grouped_bytes(&c, ret_line);
	} else {
		row = take_spaced_bytes(&c, ret_line);
	}
	if (row)
		ret_line->kind = VK_HEXDUMP_ROW;
}
