/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over the rows of a style, and the choice between styles. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "io/image/listing_judge.h"

enum { TIES_MAX = 4, SECTOR_BYTES = 512, WEAK_ROW_BYTES = 8 };

bool vk_listing_walk_flush(struct vk_listing_walk *walk)
{
	if (!walk->open)
		return true;
	walk->open = false;
	if (walk->style.radix == 0) {
		walk->row.offset = walk->next;
		walk->next += walk->row.count;
	}
	return walk->put_row(walk->ctx, &walk->row, &walk->row_line);
}

static bool is_text_sound(const struct vk_listing_row *row)
{
	return (row->text & VK_LISTING_CONTRADICTED) == 0;
}

/* A row as it stands or, where that is none, without its mark-up. */
static bool read_row(struct vk_listing_walk *walk, const struct vk_listing_line *line, struct vk_listing_row *ret_row)
{
	bool as_is = vk_listing_row(line, &walk->style, ret_row);
	struct vk_listing_row other;

	if ((as_is && is_text_sound(ret_row)) || !vk_listing_unmark(line, &walk->plain))
		return as_is;
	if (!vk_listing_row(&walk->plain, &walk->style, &other) || (as_is && !is_text_sound(&other)))
		return as_is;
	*ret_row = other;
	return true;
}

/* Without offsets, what was wrapped looks like a row; rows are then only those that are whole, or the last. */
static bool begins_row(struct vk_listing_walk *walk, const struct vk_listing_line *line, struct vk_listing_row *ret_row)
{
	if (walk->style.radix == 0 && line->kind != VK_LISTING_ROW && line->kind != VK_LISTING_OFFSET)
		return false;
	return read_row(walk, line, ret_row);
}

static bool goes_on(struct vk_listing_walk *walk, const struct vk_listing_line *line)
{
	return vk_listing_row_goes_on(line, &walk->style, &walk->row) ||
	       (vk_listing_unmark(line, &walk->plain) &&
		vk_listing_row_goes_on(&walk->plain, &walk->style, &walk->row));
}

static bool read_end(struct vk_listing_walk *walk, const struct vk_listing_line *line, uint64_t *ret_offset)
{
	const struct vk_listing_line *end = line;

	if (end->count != walk->style.lead + (size_t)1 && vk_listing_unmark(line, &walk->plain))
		end = &walk->plain;
	return walk->style.radix != 0 && end->count == walk->style.lead + (size_t)1 &&
	       vk_listing_offset(end, &walk->style, ret_offset) &&
	       (size_t)(end->tokens[walk->style.lead].at + end->tokens[walk->style.lead].len) == end->len;
}

enum vk_listing_step vk_listing_walk_line(struct vk_listing_walk *walk, const struct vk_listing_line *line)
{
	struct vk_listing_row row;
	uint64_t offset;

	if (line->kind == VK_LISTING_BLANK)
		return VK_LISTING_TAKEN;
	if (line->kind == VK_LISTING_REPEAT)
		return vk_listing_walk_flush(walk) && walk->put_repeat(walk->ctx, line) ? VK_LISTING_TAKEN
											: VK_LISTING_STOP;
	if (begins_row(walk, line, &row)) {
		if (!vk_listing_walk_flush(walk))
			return VK_LISTING_STOP;
		walk->row = row;
		walk->row_line = *line;
		walk->open = true;
		return VK_LISTING_TAKEN;
	}
	if (walk->open && goes_on(walk, line))
		return VK_LISTING_TAKEN;
	if (read_end(walk, line, &offset))
		return vk_listing_walk_flush(walk) && walk->put_end(walk->ctx, offset, line) ? VK_LISTING_TAKEN
											     : VK_LISTING_STOP;
	return line->kind == VK_LISTING_ROW ? VK_LISTING_FAILED : VK_LISTING_IGNORED;
}

/* How well a style fits. */
struct score {
	struct vk_listing_style style;
	int links;
	int texts;
	int misses; /* offsets that contradict what rows hold, texts that contradict their bytes */
	size_t rows;
	uint64_t first, last, end; /* what would be read: styles that agree on it are one reading */
	size_t first_count;
	bool first_bare; /* nothing stands behind it */
	uint8_t head[8];
	bool repeat;
};

static bool score_row(void *ctx, const struct vk_listing_row *row, const struct vk_listing_line *line)
{
	struct score *s = ctx;

	(void)line;
	if (s->rows == 0) {
		s->first = row->offset;
		s->first_count = row->count;
		s->first_bare = !row->has_text;
		memcpy(s->head, row->bytes, row->stored < 8 ? row->stored : 8);
	} else if (row->offset == s->end) {
		s->links++;
	} else if (s->repeat && row->offset > s->end && s->style.row_bytes != 0) {
		s->links += (row->offset - s->end) % s->style.row_bytes == 0;
	} else if (row->offset < s->end && row->offset > s->last) {
		s->misses++;
	}
	s->texts += (row->text & (VK_LISTING_AS_PRINTED | VK_LISTING_SWAPPED)) != 0;
	s->misses += (row->text & VK_LISTING_CONTRADICTED) != 0;
	s->rows++;
	s->repeat = false;
	s->last = row->offset;
	s->end = vk_add_sat(row->offset, row->count);
	return true;
}

static bool score_repeat(void *ctx, const struct vk_listing_line *line)
{
	struct score *s = ctx;

	(void)line;
	s->repeat = true;
	return true;
}

static bool score_end(void *ctx, uint64_t offset, const struct vk_listing_line *line)
{
	struct score *s = ctx;

	(void)line;
	if (s->repeat && s->style.row_bytes != 0)
		s->links += offset > s->end && (offset - s->end) % s->style.row_bytes == 0;
	else if (offset == s->end || (offset < s->end && offset > s->last && s->end - offset < s->style.unit))
		s->links++;
	s->repeat = false;
	if (offset > s->end)
		s->end = offset;
	return true;
}

/* The usual step from one row to the next; 0: it is not to be seen. */
static uint16_t row_bytes_of(const struct vk_listing_line *lines, size_t count, const struct vk_listing_style *style)
{
	uint64_t steps[8], before = 0, offset;
	size_t votes[8] = {0}, kinds = 0, best = 0;
	bool known = false;

	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		if (lines[i].kind == VK_LISTING_REPEAT)
			known = false;
		if (!vk_listing_offset(&lines[i], style, &offset) ||
		    lines[i].count <= style->lead + (size_t)1)
			continue;
		if (known && offset > before && offset - before <= VK_LISTING_ROW_BYTES &&
		    (offset - before) % style->unit == 0) {
			while (k < kinds && steps[k] != offset - before)
				k++;
			if (k < 8) {
				kinds += k == kinds;
				steps[k] = offset - before;
				votes[k]++;
				best = votes[k] > votes[best] ? k : best;
			}
		}
		before = offset;
		known = true;
	}
	return kinds > 0 ? (uint16_t)steps[best] : 0;
}

/* Try a style on the lines; false: the first is no row of it. */
static bool try_style(const struct vk_listing_line *lines, size_t count, const struct vk_listing_style *style,
		      struct vk_listing_walk *walk, struct score *ret)
{
	*walk = (struct vk_listing_walk){.style = *style,
					 .ctx = ret,
					 .put_row = score_row,
					 .put_repeat = score_repeat,
					 .put_end = score_end};
	if (style->radix != 0)
		walk->style.row_bytes = row_bytes_of(lines, count, style);
	if (!vk_listing_row(&lines[0], &walk->style, &walk->row) &&
	    (!vk_listing_unmark(&lines[0], &walk->plain) ||
	     !vk_listing_row(&walk->plain, &walk->style, &walk->row)))
		return false;
	/* what a * repeats is a whole row */
	if (walk->style.row_bytes == 0 && ((count > 1 && lines[1].kind == VK_LISTING_REPEAT) || style->radix == 0))
		walk->style.row_bytes = (uint16_t)walk->row.stored;
	*ret = (struct score){.style = walk->style};
	for (size_t i = 0; i < count; i++)
		if (vk_listing_walk_line(walk, &lines[i]) == VK_LISTING_FAILED)
			break;
	vk_listing_walk_flush(walk);
	return ret->rows > 0;
}

static int points(const struct score *s)
{
	return 2 * s->links + s->texts - 2 * s->misses;
}

static bool same_reading(const struct score *a, const struct score *b)
{
	return a->first == b->first && a->last == b->last && a->end == b->end && a->style.base == b->style.base &&
	       a->style.unit == b->style.unit;
}

/* The best so far, and those that fit as well but read something else. */
struct ties {
	struct score list[TIES_MAX];
	size_t count;
};

static void consider(struct ties *ties, const struct score *s)
{
	int gain = ties->count > 0 ? points(s) - points(&ties->list[0]) : 1;

	if (gain < 0)
		return;
	if (gain > 0)
		ties->count = 0;
	for (size_t i = 0; i < ties->count; i++)
		if (same_reading(&ties->list[i], s))
			return;
	if (ties->count < TIES_MAX)
		ties->list[ties->count++] = *s;
}

/* What groups of this many digits can be. */
static size_t groups_of(const struct vk_listing_line *line, size_t token, struct vk_listing_style styles[6])
{
	static const struct {
		uint16_t digits;
		uint8_t base, unit;
	} fixed[] = {{3, 8, 1}, {6, 8, 2}, {11, 8, 4}, {22, 8, 8}, {5, 10, 2}, {8, 2, 1}};
	size_t n = 0;
	size_t len = line->tokens[token].len;
	const char *p = line->text + line->tokens[token].at;

	if (len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		len -= 2;
	len -= len > 2 && p[line->tokens[token].len - 1] == ',';
	if (len > 0 && len % 2 == 0 && len / 2 <= UINT8_MAX)
		styles[n++] = (struct vk_listing_style){
			.base = 16, .unit = (uint8_t)(len / 2), .digits = (uint16_t)len};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (len == fixed[i].digits)
			styles[n++] = (struct vk_listing_style){.base = fixed[i].base, .unit = fixed[i].unit,
								.digits = fixed[i].digits};
	for (uint8_t unit = 1; unit <= 4 && len > 0 && len <= 11 && n < 6; unit *= 2)
		styles[n++] = (struct vk_listing_style){.base = 10, .unit = unit};
	return n;
}

static void try_all(const struct vk_listing_line *lines, size_t count, bool offsets, struct vk_listing_walk *walk,
		    struct ties *ties)
{
	static const uint8_t radices[] = {16, 8, 10};
	struct vk_listing_line *first = &walk->row_line;
	struct vk_listing_style styles[6];
	const char *digits;
	struct score score;
	bool colon, hex;
	size_t width;

	for (size_t lead = 0; lead <= (offsets ? 3U : 0U); lead++) {
		size_t token = offsets ? lead + 1 : 0;
		size_t n;

		/* the walk uses its own copies of lines */
		if (!vk_listing_unmark(&lines[0], first) || lines[0].count > first->count)
			*first = lines[0];
		if (token >= first->count || (!offsets && first->tokens[0].colon))
			break;
		n = groups_of(first, token, styles);
		colon = offsets && first->tokens[lead].colon;
		width = offsets ? vk_listing_offset_digits(first, lead, &digits, &hex) : 0;
		for (size_t k = 0; k < n * (offsets ? 3 : 1); k++) {
			struct vk_listing_style style = styles[k % n];

			style.lead = (uint8_t)lead;
			style.colon = colon;
			style.offset_digits = (uint8_t)width;
			style.radix = offsets ? radices[k / n] : 0;
			if (try_style(lines, count, &style, walk, &score))
				consider(ties, &score);
		}
	}
}

static const struct {
	const char *bytes;
	size_t len;
	const char *name;
} magics[] = {
	{"\x0d\xd0\x01\xc0", 4, "an LVM header"},      {"\x5e\xf1\xab\x2f", 4, "a VMFS descriptor"},
	{"\x5f\xf1\xab\x2f", 4, "a VMFS-L descriptor"}, {"\x60\xf1\xab\x2f", 4, "a VMFS6 descriptor"},
	{"\x61\xf1\xab\x2f", 4, "a VMFS6-L descriptor"}, {"\x01\xef\xcd\xab", 4, "a heartbeat"},
	{"\x02\xef\xcd\xab", 4, "a heartbeat"},        {"EFI PART", 8, "a GPT header"},
};

const char *vk_listing_magic(const uint8_t bytes[8])
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (memcmp(bytes, magics[i].bytes, magics[i].len) == 0)
			return magics[i].name;
	return NULL;
}

/* A structure that begins a sector stands where this style has it. */
static bool magic_at_sector(const struct score *s)
{
	uint8_t swapped[8];

	for (size_t i = 0; i < 8; i++)
		swapped[i] = vk_listing_swapped(s->head, 8, s->style.unit > 8 ? 1 : s->style.unit, i);
	return s->first % SECTOR_BYTES == 0 &&
	       (vk_listing_magic(s->head) != NULL || vk_listing_magic(swapped) != NULL);
}

/* Keep those of a radix, when there is one. */
static bool keep_radix(struct ties *ties, unsigned radix)
{
	for (size_t i = 0; i < ties->count; i++)
		if (ties->list[i].style.radix == radix && ties->count > 1) {
			ties->list[0] = ties->list[i];
			ties->count = 1;
			return true;
		}
	return false;
}

static bool keep_magic(struct ties *ties)
{
	size_t hits = 0, at = 0;

	for (size_t i = 0; i < ties->count; i++)
		if (magic_at_sector(&ties->list[i])) {
			hits++;
			at = i;
		}
	if (hits != 1 || ties->count < 2)
		return false;
	ties->list[0] = ties->list[at];
	ties->count = 1;
	return true;
}

/* The same kind of groups, with offsets of one radix and as long: printed by the same program. */
static bool keep_like(struct ties *ties, const struct vk_listing_style *before)
{
	return before != NULL && before->base == ties->list[0].style.base && before->unit == ties->list[0].style.unit &&
	       keep_radix(ties, before->radix);
}

/*
 * Only the radix can be told by how a program prints; groups that are two things stay two things. What decided, for a
 * sentence; empty: the form of the rows.
 */
static const char *break_tie(struct ties *ties, const struct vk_listing_line *line,
			     const struct vk_listing_hints *hints, const struct vk_listing_style *before)
{
	const struct vk_listing_token *token = &line->tokens[ties->list[0].style.lead];
	bool colon, canonical, padded;

	for (size_t i = 1; i < ties->count; i++)
		if (ties->list[i].style.base != ties->list[0].style.base ||
		    ties->list[i].style.unit != ties->list[0].style.unit)
			return NULL;
	if (ties->list[0].style.radix == 0)
		return NULL;
	colon = token->colon;
	canonical = memchr(line->text + token->at, '|', line->len - token->at) != NULL;
	padded = (token->len >= 8 || token->len == 6) && line->text[token->at] == '0';
	if (hints->radix != 0 && keep_radix(ties, hints->radix))
		return "the text says so";
	/* hexdump -C, xxd, and od, whose other offsets have seven digits */
	if ((canonical || colon || padded) && keep_radix(ties, 16))
		return "";
	if (hints->hexdump && keep_radix(ties, 16))
		return "hexdump prints them so";
	if (keep_magic(ties))
		return "only so a structure begins at a sector";
	return keep_like(ties, before) ? "the listing before it has them so" : NULL;
}

static const char *radix_name(unsigned radix)
{
	return radix == 16 ? "hexadecimal" : radix == 10 ? "decimal" : radix == 8 ? "octal" : "binary";
}

static void describe(const struct score *s, char ret[VK_LISTING_READING_BYTES])
{
	snprintf(ret, VK_LISTING_READING_BYTES, "%s offsets (first byte %llu), %s groups of %u byte%s",
		 s->style.radix != 0 ? radix_name(s->style.radix) : "no", (unsigned long long)s->first,
		 radix_name(s->style.base), s->style.unit, s->style.unit > 1 ? "s" : "");
}

void vk_listing_judge(const struct vk_listing_line *lines, size_t count, const struct vk_listing_hints *hints,
		      const struct vk_listing_style *before, bool lone, struct vk_listing_walk *scratch,
		      struct vk_listing_judgement *ret)
{
	struct ties ties = {.count = 0};
	const struct score *best = &ties.list[0];

	memset(ret, 0, sizeof(*ret));
	try_all(lines, count, true, scratch, &ties);
	if (ties.count == 0 || best->links + best->texts == 0) {
		struct ties bare = {.count = 0};

		try_all(lines, count, false, scratch, &bare);
		if (bare.count > 0 && bare.list[0].first_count >= (bare.list[0].links > 0 ? 1 : 2) * WEAK_ROW_BYTES &&
		    (bare.list[0].links > 0 || lone))
			ties = bare;
	}
	if (ties.count == 0 || points(best) < 0 ||
	    (best->links + best->texts == 0 &&
	     !(lone || (best->first_bare && best->first_count >= WEAK_ROW_BYTES))))
		return;
	ret->why = ties.count > 1 ? break_tie(&ties, &lines[0], hints, before) : NULL;
	ret->style = best->style;
	ret->verdict = ties.count > 1 ? VK_LISTING_AMBIGUOUS : VK_LISTING_CLEAR;
	for (size_t i = 0; i < 2 && ties.count > 1; i++)
		describe(&ties.list[i], ret->readings[i]);
}
