/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a text: read, freed of what mails, terminals and web pages put around them, and taken apart. */
#include <string.h>

#include "base/hex_digit.h"
#include "io/image/listing_line.h"

enum { OFFSET_DIGITS_MIN = 4, OFFSET_DIGITS_MAX = 16, LEAD_MAX = 3, ROW_GROUPS_MIN = 4 };

static bool is_hex(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (vk_hex_digit(p[i]) < 0)
			return false;
	return len > 0;
}

/* Take apart what the prefix of a quotation left over. */
static void split_tokens(struct vk_listing_line *line, size_t at)
{
	line->count = 0;
	while (line->count < VK_LISTING_TOKENS_MAX) {
		struct vk_listing_token *token = &line->tokens[line->count];
		size_t end;

		while (at < line->len && line->text[at] == ' ')
			at++;
		/* here a text column begins, or a tag */
		if (at == line->len || strchr("|<>", line->text[at]) != NULL)
			break;
		for (end = at; end < line->len && strchr(" |<>:", line->text[end]) == NULL; end++)
			;
		*token = (struct vk_listing_token){(uint16_t)at, (uint16_t)(end - at),
						   end < line->len && line->text[end] == ':'};
		line->count++;
		at = end + token->colon;
	}
}

size_t vk_listing_offset_digits(const struct vk_listing_line *line, size_t token, const char **ret_digits,
				bool *ret_hex)
{
	const char *p = line->text + line->tokens[token].at;
	size_t len = line->tokens[token].len;

	*ret_hex = false;
	if (len > 2 && p[0] == '[' && p[len - 1] == ']') {
		p++;
		len -= 2;
	}
	if (len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		*ret_hex = true;
		p += 2;
		len -= 2;
	} else if (len > 1 && (p[len - 1] == 'h' || p[len - 1] == 'H')) {
		*ret_hex = true;
		len--;
	}
	*ret_digits = p;
	return len >= OFFSET_DIGITS_MIN && len <= OFFSET_DIGITS_MAX && is_hex(p, len) ? len : 0;
}

/* Tokens of one length from `from` on that can be groups of digits. */
static size_t count_groups(const struct vk_listing_line *line, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < line->count; i++, n++) {
		const struct vk_listing_token *t = &line->tokens[i];
		const char *p = line->text + t->at;
		size_t len = t->len;

		if (len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
			p += 2;
			len -= p[len - 3] == ',' ? 3 : 2;
		}
		if (len < 2 || !is_hex(p, len) || (t->len != line->tokens[from].len && line->count - i > 1))
			break;
	}
	return n;
}

static size_t decimals(const struct vk_listing_line *line, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < line->count; i++, n++) {
		const char *p = line->text + line->tokens[i].at;
		size_t len = line->tokens[i].len;

		if (len > 1 && *p == '-') {
			p++;
			len--;
		}
		if (strspn(p, "0123456789") < len)
			break;
	}
	return n;
}

/* 0 1 2 ... F, or 00 01 02 ...: what stands above the columns. */
static bool is_column_heads(const struct vk_listing_line *line)
{
	size_t n = 0;

	for (size_t i = 0; i < line->count; i++) {
		const struct vk_listing_token *t = &line->tokens[i];
		const char *p = line->text + t->at;

		if (t->len <= 2 && is_hex(p, t->len) &&
		    (t->len == 2 ? (size_t)vk_hex_byte(p) : (size_t)vk_hex_digit(*p)) == n)
			n++;
		else if (n > 0)
			break;
	}
	return n >= 8;
}

/* A lone *, or one behind the number of its line. */
static bool is_repeat(const struct vk_listing_line *line)
{
	const struct vk_listing_token *last = &line->tokens[line->count - 1];

	return line->count <= 2 && last->len == 1 && line->text[last->at] == '*' &&
	       (line->count == 1 || decimals(line, 0) == 1);
}

static enum vk_listing_kind kind_of(struct vk_listing_line *line)
{
	const char *digits;
	bool hex;

	line->groups = 0;
	if (line->count == 0)
		return line->len == 0 || strspn(line->text, " >|") >= line->len ? VK_LISTING_BLANK : VK_LISTING_PROSE;
	if (is_repeat(line))
		return VK_LISTING_REPEAT;
	if (is_column_heads(line))
		return VK_LISTING_PROSE;
	for (size_t i = 0; i < line->count && i <= LEAD_MAX; i++) {
		size_t len = vk_listing_offset_digits(line, i, &digits, &hex);
		size_t groups;

		if (len == 0)
			continue;
		groups = i + 1 < line->count ? count_groups(line, i + 1) : 0;
		if (groups < ROW_GROUPS_MIN && i + 1 < line->count && decimals(line, i + 1) >= ROW_GROUPS_MIN)
			groups = decimals(line, i + 1);
		if (i + 1 == line->count && len >= 6 && (size_t)(line->tokens[i].at + line->tokens[i].len) == line->len)
			return i == 0 || line->tokens[i - 1].colon ? VK_LISTING_OFFSET : VK_LISTING_PROSE;
		if (groups >= 2 || (groups == 1 && (len >= 6 || line->tokens[i].colon))) {
			line->groups = groups;
			return VK_LISTING_ROW;
		}
	}
	/* a row without an offset, or what was wrapped off one; but not the text column that was */
	line->groups = count_groups(line, 0);
	if (line->groups < ROW_GROUPS_MIN && line->groups < line->count)
		return VK_LISTING_PROSE;
	return line->text[0] == '|' && line->text[line->len - 1] == '|' ? VK_LISTING_PROSE : VK_LISTING_ROW;
}

bool vk_listing_shows_characters(const struct vk_listing_line *line, bool named)
{
	enum { CELL = 4, CELLS_MIN = 8 };
	size_t at = line->count > 0 ? (size_t)(line->tokens[0].at + line->tokens[0].len) : 0, cells = 0, names = 0;
	const char *digits;
	bool hex;

	if (at == 0 || vk_listing_offset_digits(line, 0, &digits, &hex) < 6)
		return false;
	for (; at + CELL <= line->len; at += CELL, cells++) {
		const char *cell = line->text + at;

		if (cell[0] != ' ' || (cell[3] == ' ' && strncmp(cell, "    ", CELL) != 0))
			return false;
		/* \0, or the name of a character, of which each has a letter that is no digit */
		names += cell[2] == '\\' || (cell[2] >= 'a' && cell[3] >= 'a' && (cell[2] > 'f' || cell[3] > 'f'));
	}
	return at == line->len && cells >= CELLS_MIN && (names > 0 || !named);
}

/* Blanks and the marks of quotations in front; a lone * stays. */
static size_t prefix_end(const struct vk_listing_line *line)
{
	size_t at = strspn(line->text, " >|");

	while (at + 1 < line->len && (line->text[at] == '#' || line->text[at] == ':') && line->text[at + 1] == ' ')
		at += 1 + strspn(line->text + at + 1, " >|");
	return at;
}

static void take_apart(struct vk_listing_line *line)
{
	while (line->len > 0 && line->text[line->len - 1] == ' ')
		line->len--;
	line->text[line->len] = '\0';
	split_tokens(line, prefix_end(line));
	line->kind = kind_of(line);
}

/* What a character is for a listing; '\0': nothing. */
static char meaning_of(uint32_t point)
{
	if (point == '\t' || point == '\f' || point == '\v' || point == 0xA0 || (point >= 0x2000 && point <= 0x200A) ||
	    point == 0x202F || point == 0x205F || point == 0x3000)
		return ' ';
	if (point == '\r' || point == 0xFEFF || (point >= 0x200B && point <= 0x200F) || point == 0x2060 ||
	    point == 0xAD)
		return '\0';
	if (point == 0x2502 || point == 0x2503 || point == 0xA6)
		return '|';
	return point >= 0x20 && point < 0x7F ? (char)point : VK_LISTING_STRANGE;
}

/* A character of UTF-8; a byte that is none of it counts as one of an older alphabet. */
static uint32_t take_point(const uint8_t *p, size_t len, size_t *ret_used)
{
	size_t more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC2 ? 1 : 0;
	uint32_t point = p[0];

	*ret_used = 1;
	if (more == 0 || more >= len)
		return point;
	point &= 0x3Fu >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return p[0];
		point = point << 6 | (p[i] & 0x3Fu);
	}
	*ret_used = more + 1;
	return point;
}

/* ESC [ ... letter: a colour. */
static size_t escape_length(const uint8_t *p, size_t len)
{
	size_t n = 2;

	if (len < 2 || p[0] != 0x1B || p[1] != '[')
		return 0;
	while (n < len && ((p[n] >= '0' && p[n] <= '9') || p[n] == ';'))
		n++;
	return n < len ? n + 1 : n;
}

static void clean_line(const uint8_t *raw, size_t len, struct vk_listing_line *line)
{
	uint32_t point;
	size_t used;

	line->len = 0;
	line->controls = false;
	for (size_t i = 0; i < len; i += used) {
		char c;

		used = escape_length(raw + i, len - i);
		if (used > 0)
			continue;
		point = take_point(raw + i, len - i, &used);
		line->controls |= point < '\b' || (point > '\r' && point < 0x20 && point != 0x1B);
		c = meaning_of(point);
		if (c != '\0' && line->len + 1 < VK_LISTING_LINE_BYTES)
			line->text[line->len++] = c;
	}
	take_apart(line);
}

void vk_listing_text_init(struct vk_listing_text *text, struct vk_byte_reader *reader)
{
	uint8_t head[4] = {0};
	bool marked;

	*text = (struct vk_listing_text){.reader = reader};
	if (vk_byte_reader_bytes(reader, head, sizeof(head))) {
		text->big_endian = (head[0] == 0xFE && head[1] == 0xFF) ||
				   (head[0] == 0 && head[2] == 0 && head[1] != 0);
		text->wide = text->big_endian || (head[0] == 0xFF && head[1] == 0xFE) ||
			     (head[1] == 0 && head[3] == 0 && head[0] != 0);
	}
	marked = text->wide && (head[0] >= 0xFE || head[1] >= 0xFE);
	vk_byte_reader_seek(reader, marked ? 2 : 0);
}

/* The next unit of the text, a byte or 16 bits; false at its end. */
static bool next_unit(const struct vk_listing_text *text, uint32_t *ret_unit)
{
	uint8_t c[2];

	if (!text->wide) {
		if (!vk_byte_reader_byte(text->reader, c))
			return false;
		*ret_unit = c[0];
		return true;
	}
	if (!vk_byte_reader_bytes(text->reader, c, 2))
		return false;
	*ret_unit = text->big_endian ? (uint32_t)(c[0] << 8 | c[1]) : (uint32_t)(c[1] << 8 | c[0]);
	return true;
}

bool vk_listing_text_next(struct vk_listing_text *text, struct vk_listing_line *ret_line)
{
	uint8_t raw[VK_LISTING_LINE_BYTES * 2];
	size_t len = 0;
	bool any = false;
	uint32_t unit;

	ret_line->offset = vk_byte_reader_tell(text->reader);
	while (next_unit(text, &unit)) {
		any = true;
		if (unit == '\n')
			break;
		if (len == sizeof(raw))
			continue;
		if (text->wide && unit >= 0x80)
			unit = meaning_of(unit) == VK_LISTING_STRANGE ? 0x80 : (uint8_t)meaning_of(unit);
		if (unit != 0)
			raw[len++] = (uint8_t)unit;
	}
	if (!any)
		return false;
	ret_line->number = ++text->lines;
	clean_line(raw, len, ret_line);
	return true;
}

static const struct {
	const char *name;
	char c;
} entities[] = {
	{"&nbsp;", ' '}, {"&#160;", ' '}, {"&#xa0;", ' '}, {"&lt;", '<'},   {"&gt;", '>'},
	{"&amp;", '&'},  {"&quot;", '"'}, {"&#39;", '\''}, {"&#124;", '|'}, {"&apos;", '\''},
};

/* Length of the mark-up at p and the character that it stands for ('\0': none); 0: it is none. */
static size_t mark_at(const char *p, char *ret_c)
{
	const char *end;

	for (size_t i = 0; *p == '&' && i < sizeof(entities) / sizeof(entities[0]); i++)
		if (strncmp(p, entities[i].name, strlen(entities[i].name)) == 0) {
			*ret_c = entities[i].c;
			return strlen(entities[i].name);
		}
	end = *p == '<' ? strchr(p, '>') : NULL;
	if (end == NULL || !((p[1] >= 'a' && p[1] <= 'z') || (p[1] >= 'A' && p[1] <= 'Z') || p[1] == '/'))
		return 0;
	*ret_c = '\0';
	return (size_t)(end - p) + 1;
}

bool vk_listing_unmark(const struct vk_listing_line *line, struct vk_listing_line *ret_line)
{
	bool any = false;
	char c;

	if (memchr(line->text, '&', line->len) == NULL && memchr(line->text, '<', line->len) == NULL)
		return false;
	ret_line->number = line->number;
	ret_line->offset = line->offset;
	ret_line->len = 0;
	for (size_t i = 0; i < line->len;) {
		size_t n = mark_at(line->text + i, &c);

		any |= n > 0;
		if (n == 0)
			c = line->text[i];
		if (c != '\0')
			ret_line->text[ret_line->len++] = c;
		i += n > 0 ? n : 1;
	}
	take_apart(ret_line);
	return any;
}
