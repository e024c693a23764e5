/* SPDX-License-Identifier: Apache-2.0 */
/* One row under a style. */
#include <string.h>

#include "base/checked.h"
#include "base/hex_digit.h"
#include "io/image/listing_row.h"

bool vk_listing_offset(const struct vk_listing_line *line, const struct vk_listing_style *style, uint64_t *ret_offset)
{
	const unsigned radix = style->radix;
	const char *digits;
	bool hex;
	size_t len = style->lead < line->count ? vk_listing_offset_digits(line, style->lead, &digits, &hex) : 0;
	uint64_t value = 0;

	if (len < style->offset_digits || len == 0 || (hex && radix != 16))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)vk_hex_digit(digits[i]);

		if (digit >= radix || !vk_mul_u64(value, radix, &value) || !vk_add_u64(value, digit, &value))
			return false;
	}
	*ret_offset = value;
	return true;
}

uint8_t vk_listing_swapped(const uint8_t *bytes, size_t n, size_t unit, size_t i)
{
	size_t first = i - i % unit;
	size_t last = first + unit < n ? first + unit : n;

	return bytes[last - 1 - (i - first)];
}

/* The digits of a group; gap: from the end of the token before. */
static bool take_value(const char *p, size_t len, size_t gap, const struct vk_listing_style *style, uint64_t *ret_value)
{
	static const size_t decimal_width[9] = {0, 3, 5, 0, 10, 0, 0, 0, 20};
	const bool minus = style->base == 10 && len > 1 && *p == '-';
	const uint64_t end = style->unit >= 8 ? UINT64_MAX : ((uint64_t)1 << style->unit * 8) - 1;
	uint64_t value = 0;

	if (style->unit > 8 ||
	    (style->digits != 0 ? len != style->digits : gap + len < 1 + decimal_width[style->unit]))
		return false;
	/* numbers are set to the right and have no zeros in front, unless all are as long as the longest */
	if (style->digits == 0 && len > 1 && *p == '0')
		return false;
	for (size_t i = minus; i < len; i++) {
		int digit = vk_hex_digit(p[i]);

		if (digit < 0 || digit >= style->base || !vk_mul_u64(value, style->base, &value) ||
		    !vk_add_u64(value, (uint64_t)digit, &value))
			return false;
	}
	if (value > (minus ? end / 2 + 1 : end))
		return false;
	*ret_value = minus ? end - value + 1 : value;
	return true;
}

/* A group into bytes; false: it is none, or there is no room. A short one can only be the last. */
static bool take_group(const struct vk_listing_line *line, size_t token, const struct vk_listing_style *style,
		       struct vk_listing_row *row)
{
	const struct vk_listing_token *t = &line->tokens[token];
	const char *p = line->text + t->at;
	size_t len = t->len;
	size_t gap = token > 0 ? t->at - (size_t)(line->tokens[token - 1].at + line->tokens[token - 1].len) : t->at;
	uint64_t value;

	if (len == 0)
		return false;
	if (style->base != 16) {
		if (row->stored + style->unit > VK_LISTING_ROW_BYTES || !take_value(p, len, gap, style, &value))
			return false;
		for (size_t i = style->unit; i-- > 0; value >>= 8)
			row->bytes[row->stored + i] = (uint8_t)value;
		row->stored += style->unit;
		return true;
	}
	if (len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		len -= 2;
	}
	if (len > 1 && p[len - 1] == ',')
		len--;
	if (len > style->digits || len % 2 != 0 || row->stored % style->unit != 0 ||
	    row->stored + len / 2 > VK_LISTING_ROW_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (vk_hex_digit(p[i]) < 0)
			return false;
	if (len < style->digits)
		row->short_group = gap == 1 ? VK_LISTING_AS_PRINTED
					    : gap == 1 + (size_t)style->digits - len ? VK_LISTING_SWAPPED : 0;
	for (size_t i = 0; i < len; i += 2)
		row->bytes[row->stored++] = vk_hex_byte(p + i);
	return true;
}

static bool is_group(const struct vk_listing_line *line, size_t token, const struct vk_listing_style *style)
{
	struct vk_listing_row row = {.stored = 0};

	return take_group(line, token, style, &row) && row.stored == style->unit;
}

static bool fits_char(char c, uint8_t byte)
{
	if (byte > 0x20 && byte < 0x7F)
		return c == (char)byte;
	return c == ' ' || (byte != ' ' && (c == '.' || c == '?' || c == VK_LISTING_STRANGE));
}

/* Whether text, which may have lost blanks at its end, is that of n bytes; bits. */
static unsigned compare_text(const char *text, size_t len, const struct vk_listing_row *row, size_t n, size_t unit)
{
	unsigned fits = VK_LISTING_AS_PRINTED | VK_LISTING_SWAPPED;

	for (size_t i = 0; i < n && fits != 0; i++) {
		char c = i < len ? text[i] : ' ';

		if (!fits_char(c, row->bytes[i]))
			fits &= ~(unsigned)VK_LISTING_AS_PRINTED;
		if (!fits_char(c, vk_listing_swapped(row->bytes, row->stored, unit, i)))
			fits &= ~(unsigned)VK_LISTING_SWAPPED;
	}
	return fits;
}

/* |...| or >...<: where it ends tells how many bytes there are, also of a last word that is longer. */
static unsigned check_delimited(const char *rest, size_t len, size_t unit, struct vk_listing_row *row)
{
	char close = rest[0] == '>' ? '<' : '|';
	size_t n = len - 1;
	unsigned fits;

	if (n > 0 && rest[n] == close)
		n--;
	if (n > row->stored || n + unit <= row->stored || n == 0)
		return 0;
	fits = compare_text(rest + 1, n, row, n, unit);
	if (fits == 0)
		return VK_LISTING_CONTRADICTED;
	row->count = n;
	return fits;
}

/* The text column behind the last group: it may begin with any of the blanks there. */
static unsigned check_text(const struct vk_listing_line *line, size_t at, size_t unit, struct vk_listing_row *row)
{
	const char *rest = line->text + at;
	size_t len = line->len - at;
	size_t blanks = strspn(rest, " ");
	bool contradicted = false;
	unsigned fits;

	/* UltraEdit sets its text apart so */
	if (blanks + 1 < len && rest[blanks] == ';' && rest[blanks + 1] == ' ') {
		rest += blanks + 1;
		len -= blanks + 1;
		blanks = strspn(rest, " ");
	}
	row->has_text = blanks < len;
	row->count = row->stored;
	if (!row->has_text)
		return 0;
	if (rest[blanks] == '|' || (rest[blanks] == '>' && rest[len - 1] == '<')) {
		fits = check_delimited(rest + blanks, len - blanks, unit, row);
		/* the mark may be a character of a text without marks */
		contradicted = (fits & VK_LISTING_CONTRADICTED) != 0;
		if (fits != 0 && !contradicted)
			return fits;
	}
	for (size_t skip = 0; skip <= blanks; skip++) {
		if (len - skip > row->stored)
			continue;
		fits = compare_text(rest + skip, len - skip, row, row->stored, unit);
		if (fits != 0)
			return fits;
	}
	return contradicted || len - blanks == row->stored ? VK_LISTING_CONTRADICTED : 0;
}

/* All groups from a token on, as far as a row reaches; how many tokens. */
static size_t take_groups(const struct vk_listing_line *line, size_t from, const struct vk_listing_style *style,
			  struct vk_listing_row *row)
{
	size_t n = 0;

	while (from + n < line->count && (style->row_bytes == 0 || row->stored < style->row_bytes) &&
	       take_group(line, from + n, style, row))
		n++;
	return n;
}

/*
 * A row that is not whole may have taken the beginning of its text for bytes: fewer of them count when the text then
 * fits. What follows must then be a text column, or nothing.
 */
static bool settle_short(const struct vk_listing_line *line, size_t from, size_t groups,
			 const struct vk_listing_style *style, struct vk_listing_row *row)
{
	const size_t most = row->stored;
	struct vk_listing_row best = *row;
	bool found = false;

	for (size_t n = groups; n > 0; n--) {
		const struct vk_listing_token *last = &line->tokens[from + n - 1];

		if (n < groups)
			row->stored -= row->stored % style->unit != 0 ? row->stored % style->unit : style->unit;
		row->text = check_text(line, (size_t)(last->at + last->len), style->unit, row);
		if ((row->text & ~(unsigned)VK_LISTING_CONTRADICTED) != 0)
			return true;
		if (n == groups) {
			const char *rest = line->text + last->at + last->len;

			best = *row;
			rest += strspn(rest, " ");
			found = *rest == '\0' || *rest == '|' || (*rest == '>' && line->text[line->len - 1] == '<');
		}
		if (row->stored <= style->unit || most - row->stored > 32)
			break;
	}
	*row = best;
	return found;
}

bool vk_listing_row(const struct vk_listing_line *line, const struct vk_listing_style *style,
		    struct vk_listing_row *ret_row)
{
	size_t from = style->radix != 0 ? style->lead + (size_t)1 : 0;
	const struct vk_listing_token *last;
	size_t groups;

	ret_row->offset = 0;
	ret_row->stored = 0;
	ret_row->short_group = 0;
	if (style->radix != 0 && (!vk_listing_offset(line, style, &ret_row->offset) ||
				  line->tokens[style->lead].colon != style->colon))
		return false;
	groups = take_groups(line, from, style, ret_row);
	if (groups == 0)
		return false;
	if (style->row_bytes == 0 || ret_row->stored < style->row_bytes)
		return settle_short(line, from, groups, style, ret_row);
	last = &line->tokens[from + groups - 1];
	ret_row->text = check_text(line, (size_t)(last->at + last->len), style->unit, ret_row);
	/* one group more, and no text that proves where the row ends: rows are longer than this style has them */
	return from + groups == line->count || (ret_row->text & (VK_LISTING_AS_PRINTED | VK_LISTING_SWAPPED)) != 0 ||
	       !is_group(line, from + groups, style);
}

bool vk_listing_row_goes_on(const struct vk_listing_line *line, const struct vk_listing_style *style,
			    struct vk_listing_row *row)
{
	struct vk_listing_row longer = *row;
	const struct vk_listing_token *last;
	size_t groups;

	if (row->has_text || row->stored >= style->row_bytes || row->stored % style->unit != 0)
		return false;
	groups = take_groups(line, 0, style, &longer);
	if (groups == 0)
		return false;
	last = &line->tokens[groups - 1];
	longer.text = check_text(line, (size_t)(last->at + last->len), style->unit, &longer);
	/* anything else behind it must be the text of the whole row */
	if (longer.has_text && longer.stored < style->row_bytes &&
	    (longer.text & (VK_LISTING_AS_PRINTED | VK_LISTING_SWAPPED)) == 0)
		return false;
	*row = longer;
	return true;
}
