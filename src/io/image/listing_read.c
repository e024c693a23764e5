/* SPDX-License-Identifier: Apache-2.0 */
/* Lines into rows, rows into sections. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "io/image/listing_read.h"

#define REPEAT_MAX_BYTES ((uint64_t)64 << 20)
#define OFFSET_MAX ((uint64_t)1 << 60)
#define PARTS_MAX ((size_t)1 << 18)

enum { SECTIONS_MAX = 512, FAILURES_MAX = 1000, UNUSED_GROUPS_MIN = 4 };

/* Always false: the caller stops there. */
static bool stop(struct vk_listing *l, const char *what, uint64_t text_offset)
{
	if (l->damage == NULL) {
		l->damage = what;
		l->damage_offset = text_offset;
	}
	return false;
}

static bool out_of_memory(struct vk_listing *l)
{
	l->no_memory = true;
	return false;
}

static void leave_unused(struct vk_listing *l, const struct vk_listing_line *line, const char *why)
{
	if (l->unused++ > 0)
		return;
	l->unused_line = line->number;
	l->unused_offset = line->offset;
	l->unused_why = why;
}

static struct vk_listing_section *section_of(struct vk_listing *l)
{
	return &l->all.list[l->all.count - 1];
}

/* Extend the last part or begin another one. */
static bool put_part(struct vk_listing *l, uint64_t length, size_t stored, bool zeros, uint64_t text_offset)
{
	struct vk_listing_section *s = section_of(l);
	struct vk_listing_part *last = s->part_count > 0 ? &l->all.parts[l->all.part_count - 1] : NULL;

	if (last != NULL && last->offset + last->length == l->end && last->zeros == zeros &&
	    (zeros || (last->stored == last->length && last->stored % s->style.unit == 0))) {
		last->length += length;
		last->stored += stored;
		l->end += length;
		return true;
	}
	if (l->all.part_count == PARTS_MAX)
		return stop(l, "the listing has more than 262144 pieces", text_offset);
	if (vk_append(&l->all.parts, &l->all.part_count,
		      &(struct vk_listing_part){l->end, length, l->len, stored, zeros}, sizeof(*l->all.parts)) == NULL)
		return out_of_memory(l);
	s->part_count++;
	l->end += length;
	return true;
}

static bool put_bytes(struct vk_listing *l, const struct vk_listing_row *row, size_t count, uint64_t text_offset)
{
	size_t stored = count < row->count ? count : row->stored;

	if (!put_part(l, count, stored, false, text_offset))
		return false;
	l->len += stored;
	return fwrite(row->bytes, 1, stored, l->out) == stored || out_of_memory(l);
}

/* The row before goes on up to offset. */
static bool fill_repeat(struct vk_listing *l, uint64_t offset)
{
	uint64_t length = offset - l->end;

	l->repeat = false;
	if (length == 0)
		return true;
	if (vk_all_zero(l->row.bytes, l->row.stored))
		return put_part(l, length, 0, true, l->repeat_offset);
	if (length > REPEAT_MAX_BYTES - l->repeated)
		return stop(l, "the repeated rows stand for more than 64 MiB", l->repeat_offset);
	l->repeated += length;
	while (length > 0) {
		size_t n = (size_t)vk_min_u64(length, l->row.count);

		/* a row is repeated whole: what ends in the middle of one was not printed by any program */
		if (n < l->row.count && n % section_of(l)->style.unit != 0)
			return true;
		if (!put_bytes(l, &l->row, n, l->repeat_offset))
			return false;
		length -= n;
	}
	return true;
}

static bool begin_section(struct vk_listing *l, const struct vk_listing_line *line)
{
	const struct vk_listing_style *style = &l->walk.style;
	struct vk_listing_section s = {.line = line->number, .text_offset = line->offset, .style = *style};

	if (l->all.count == SECTIONS_MAX)
		return stop(l, "the text holds more than 512 listings", line->offset);
	memcpy(s.device, l->prose.device, sizeof(s.device));
	s.hints = l->prose.hints;
	if (style->radix != 0 && style->lead < line->count) {
		s.colon = line->tokens[style->lead].colon;
		s.seven = line->tokens[style->lead].len == 7;
	}
	s.why = l->judgement.why;
	s.ambiguous = l->judgement.verdict == VK_LISTING_AMBIGUOUS;
	memcpy(s.readings, l->judgement.readings, sizeof(s.readings));
	s.first_part = l->all.part_count;
	if (vk_append(&l->all.list, &l->all.count, &s, sizeof(s)) == NULL)
		return out_of_memory(l);
	l->active = true;
	l->row.count = 0;
	l->repeat = false;
	l->end = 0;
	return true;
}

static bool take_row(void *ctx, const struct vk_listing_row *row, const struct vk_listing_line *line)
{
	struct vk_listing *l = ctx;
	struct vk_listing_section *s;
	unsigned order;

	if ((row->text & VK_LISTING_CONTRADICTED) != 0) {
		leave_unused(l, line, "its text column is not that of its bytes");
		l->repeat = false;
		l->row.count = 0;
		return true;
	}
	if (row->offset > OFFSET_MAX)
		return stop(l, "the offset of a row is larger than a disk can be", line->offset);
	/* a step back: another listing begins */
	if (row->offset < l->end && !begin_section(l, line))
		return false;
	s = section_of(l);
	if (l->repeat && !fill_repeat(l, row->offset))
		return false;
	s->rows++;
	order = row->text & (VK_LISTING_AS_PRINTED | VK_LISTING_SWAPPED);
	if (order != VK_LISTING_AS_PRINTED && order != VK_LISTING_SWAPPED)
		order = row->short_group;
	s->as_printed += order == VK_LISTING_AS_PRINTED;
	s->swapped += order == VK_LISTING_SWAPPED;
	l->end = row->offset;
	l->row = *row;
	return put_bytes(l, row, row->count, line->offset);
}

static bool take_repeat(void *ctx, const struct vk_listing_line *line)
{
	struct vk_listing *l = ctx;

	if (l->row.count == l->walk.style.row_bytes && l->row.count > 0 && l->end == l->row.offset + l->row.count) {
		l->repeat = true;
		l->repeat_offset = line->offset;
	}
	return true;
}

/* Elsewhere it is a number in the prose. The last word may be longer than what was left of the source. */
static bool take_end(void *ctx, uint64_t offset, const struct vk_listing_line *line)
{
	struct vk_listing *l = ctx;
	struct vk_listing_part *last = l->all.part_count > 0 ? &l->all.parts[l->all.part_count - 1] : NULL;

	(void)line;
	if (l->repeat && offset >= l->end && offset <= OFFSET_MAX)
		return fill_repeat(l, offset);
	if (l->row.count > 0 && last != NULL && !last->zeros && l->end == l->row.offset + l->row.count &&
	    offset > l->row.offset && offset < l->end && l->end - offset < l->walk.style.unit) {
		last->length -= l->end - offset;
		l->end = offset;
	}
	return true;
}

static bool end_section(struct vk_listing *l)
{
	bool ok = !l->active || vk_listing_walk_flush(&l->walk);

	l->active = false;
	if (ok && l->repeat)
		stop(l, "a listing ends behind a * row, which does not say how far it reaches", l->repeat_offset);
	l->repeat = false;
	return ok;
}

/* The first lines that wait are no rows after all. */
static void drop_first(struct vk_listing *l)
{
	size_t n = 1;

	l->failures++;
	if (l->lines[0].groups >= UNUSED_GROUPS_MIN)
		leave_unused(l, &l->lines[0], "it continues no row before or behind it");
	while (n < l->waiting && l->lines[n].kind != VK_LISTING_ROW)
		n++;
	l->waiting -= n;
	memmove(l->lines, l->lines + n, l->waiting * sizeof(l->lines[0]));
}

/* Whether a line goes on with the section: VK_LISTING_FAILED ends it. */
static enum vk_listing_step go_on(struct vk_listing *l, const struct vk_listing_line *line)
{
	enum vk_listing_step step = vk_listing_walk_line(&l->walk, line);

	if (step == VK_LISTING_IGNORED) /* the second end of a * may be that of another listing */
		step = vk_listing_walk_flush(&l->walk) ? VK_LISTING_IGNORED : VK_LISTING_STOP;
	if (step == VK_LISTING_IGNORED)
		l->repeat = false;
	return step;
}

/* Find the style of the lines that wait, and take as many as are of it. */
static bool settle_once(struct vk_listing *l, bool lone)
{
	size_t n = 0;

	vk_listing_judge(l->lines, l->waiting, &l->prose.hints, l->clear.radix != 0 ? &l->clear : NULL,
			 lone && l->failures == 0, &l->scratch, &l->judgement);
	if (l->judgement.verdict == VK_LISTING_NONE) {
		drop_first(l);
		return l->failures < FAILURES_MAX ||
		       stop(l, "a thousand lines look like rows and go with no others", l->lines[0].offset);
	}
	if (l->judgement.verdict == VK_LISTING_CLEAR)
		l->clear = l->judgement.style;
	memset(&l->walk, 0, offsetof(struct vk_listing_walk, row));
	l->walk.style = l->judgement.style;
	l->walk.ctx = l;
	l->walk.put_row = take_row;
	l->walk.put_repeat = take_repeat;
	l->walk.put_end = take_end;
	if (!begin_section(l, &l->lines[0]))
		return false;
	for (; n < l->waiting; n++) {
		enum vk_listing_step step = go_on(l, &l->lines[n]);

		if (step == VK_LISTING_STOP)
			return false;
		if (step == VK_LISTING_FAILED)
			break;
	}
	l->waiting -= n;
	memmove(l->lines, l->lines + n, l->waiting * sizeof(l->lines[0]));
	return l->waiting == 0 || end_section(l);
}

static bool settle_waiting(struct vk_listing *l, bool lone)
{
	while (l->waiting > 0)
		if (!settle_once(l, lone))
			return false;
	return true;
}

static bool note_told(struct vk_listing *l, uint64_t line, bool table)
{
	struct vk_listing_told told = {.line = line, .start_sector = l->prose.start_sector};

	if (l->told_count == VK_LISTING_TOLD_MAX)
		return true;
	memcpy(told.device, l->prose.device, sizeof(told.device));
	if (table)
		memcpy(told.table, l->prose.table, sizeof(told.table));
	return vk_append(&l->told, &l->told_count, &told, sizeof(told)) != NULL || out_of_memory(l);
}

static bool take_prose(struct vk_listing *l, const struct vk_listing_line *line)
{
	struct vk_listing_prose before = l->prose;
	enum vk_listing_said said = vk_listing_prose_line(&l->prose, line);
	struct vk_listing_prose after = l->prose;

	l->others++;
	if (said == VK_LISTING_SAID_TABLE_DONE) {
		l->others--;
		return note_told(l, l->prose.table_line, true) && take_prose(l, line);
	}
	if (said != VK_LISTING_SAID_BREAK)
		return true;
	l->characters = false;
	/* what waits belongs to what was said before */
	l->prose = before;
	if (!settle_waiting(l, false) || !end_section(l))
		return false;
	l->prose = after;
	return l->prose.start_line != line->number || note_told(l, line->number, false);
}

/* Whether it is a row of characters; of these some look like octal numbers. */
static bool take_characters(struct vk_listing *l, const struct vk_listing_line *line)
{
	static const char why[] = "it shows characters, which do not show every byte: use hexdump -C";
	size_t kept = 0;

	if (!vk_listing_shows_characters(line, !l->characters))
		return false;
	for (size_t i = 0; i < l->waiting; i++)
		if (!l->characters && vk_listing_shows_characters(&l->lines[i], false))
			leave_unused(l, &l->lines[i], why);
		else
			l->lines[kept++] = l->lines[i];
	l->waiting = kept;
	l->characters = true;
	leave_unused(l, line, why);
	return true;
}

/* Take a line; false: stop here. */
static bool take_line(struct vk_listing *l)
{
	const struct vk_listing_line *line = &l->line;

	/* mark-up may hide a row; one that it only surrounds is seen as it is */
	if (line->kind == VK_LISTING_PROSE && vk_listing_unmark(line, &l->scratch.plain) &&
	    l->scratch.plain.kind != VK_LISTING_PROSE)
		l->line = l->scratch.plain;
	if (line->kind == VK_LISTING_BLANK)
		return true;
	if (take_characters(l, line))
		return true;
	if (line->kind == VK_LISTING_PROSE || line->kind == VK_LISTING_OFFSET ||
	    vk_listing_prose_claims(&l->prose, line)) {
		if (!take_prose(l, line))
			return false;
	}
	if (l->active && l->waiting == 0) {
		enum vk_listing_step step = go_on(l, line);

		if (step != VK_LISTING_FAILED)
			return step != VK_LISTING_STOP;
		if (!end_section(l))
			return false;
	}
	if (l->waiting == 0 && line->kind != VK_LISTING_ROW)
		return true;
	l->lines[l->waiting++] = *line;
	return l->waiting < VK_LISTING_WINDOW || settle_waiting(l, false);
}

bool vk_listing_read(struct vk_listing *l, struct vk_io *io, uint64_t limit, bool look)
{
	struct vk_listing_text text;
	bool ok = true;

	l->out = open_memstream(&l->store, &l->store_bytes);
	if (l->out == NULL)
		return false;
	vk_byte_reader_init(&l->reader, io, limit);
	vk_listing_text_init(&text, &l->reader);
	while (ok && !(look && l->all.count > 0) && vk_listing_text_next(&text, &l->line)) {
		l->lines_read = l->line.number;
		l->strange |= l->line.controls;
		ok = take_line(l);
	}
	if (ok && l->reader.failed)
		stop(l, "the file cannot be read on", vk_byte_reader_tell(&l->reader));
	else if (ok && vk_io_size_bytes(io) > limit)
		stop(l, "the text is longer than 256 MiB", limit);
	if (ok && settle_waiting(l, l->all.count == 0 && l->others == 0))
		end_section(l);
	if (l->prose.awaits == 2)
		note_told(l, l->prose.table_line, true);
	if (fclose(l->out) != 0)
		l->no_memory = true;
	l->all.store = (uint8_t *)l->store;
	return !l->no_memory;
}

void vk_listing_free(struct vk_listing *l)
{
	free(l->told);
	free(l->all.parts);
	free(l->all.list);
	free(l->all.store);
	vk_findings_free(&l->notes);
	free(l);
}
