/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings as a source: the output of `hexdump -C` (or xxd), alone or pasted into a mail. Bytes that the text
 * does not give are absent; `*` stands for them only where its two ends are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "io/image/hexdump_line.h"
#include "io/io_handle.h"
#include "io/io_reader.h"

#define TEXT_MAX_BYTES ((uint64_t)256 << 20)
#define REPEAT_MAX_BYTES ((uint64_t)64 << 20)
#define OFFSET_MAX ((uint64_t)1 << 60)
#define PARTS_MAX ((size_t)1 << 20)
/* How far to look for rows, and how much of that must be text. */
#define LOOK_BYTES ((uint64_t)64 << 10)
#define LOOK_TEXT_BYTES ((size_t)4096)

struct part {
	uint64_t offset;
	uint64_t length;
	size_t at;  /* in the store; the bytes of a part lie there in one run */
	bool zeros; /* nothing in the store */
};

struct listing {
	struct part *parts;
	size_t count;
	FILE *out;      /* into the store */
	char *store;
	size_t store_bytes;
	size_t len;     /* put into it */
	struct vk_hexdump_line row; /* the last one; count 0: none yet */
	uint64_t end;               /* behind the last byte given */
	uint64_t repeated;          /* bytes that `*` made in the store */
	bool repeat;                /* a `*` waits for its second end */
	uint64_t repeat_offset;     /* in the text */
	bool no_memory;
	const char *damage;         /* NULL: none */
	uint64_t damage_offset;     /* in the text */
	struct vk_byte_reader reader;
};

/* Always false: the caller stops there. */
static bool stop(struct listing *l, const char *what, uint64_t text_offset)
{
	l->damage = what;
	l->damage_offset = text_offset;
	return false;
}

static bool out_of_memory(struct listing *l)
{
	l->no_memory = true;
	return false;
}

/* Extend the last part or begin another one. */
static bool put_part(struct listing *l, uint64_t length, bool zeros, uint64_t text_offset)
{
	struct part *last = l->count > 0 ? &l->parts[l->count - 1] : NULL;

	if (last != NULL && last->offset + last->length == l->end && last->zeros == zeros) {
		last->length += length;
		l->end += length;
		return true;
	}
	if (l->count == PARTS_MAX)
		return stop(l, "the listing has more than a million pieces", text_offset);
	if (vk_append(&l->parts, &l->count, &(struct part){l->end, length, l->len, zeros}, sizeof(*l->parts)) == NULL)
		return out_of_memory(l);
	l->end += length;
	return true;
}

static bool put_bytes(struct listing *l, const uint8_t *bytes, size_t len, uint64_t text_offset)
{
	if (!put_part(l, len, false, text_offset))
		return false;
	l->len += len;
	return fwrite(bytes, 1, len, l->out) == len || out_of_memory(l);
}

/* The row before goes on up to offset. */
static bool fill_repeat(struct listing *l, uint64_t offset)
{
	uint64_t length = offset - l->end;

	l->repeat = false;
	if (length == 0)
		return true;
	if (vk_all_zero(l->row.bytes, l->row.count))
		return put_part(l, length, true, l->repeat_offset);
	if (length > REPEAT_MAX_BYTES - l->repeated)
		return stop(l, "the repeated rows stand for more than 64 MiB", l->repeat_offset);
	l->repeated += length;
	while (length > 0) {
		size_t n = (size_t)vk_min_u64(length, l->row.count);

		if (!put_bytes(l, l->row.bytes, n, l->repeat_offset))
			return false;
		length -= n;
	}
	return true;
}

/* Take a line; false: stop here. */
static bool take_line(struct listing *l, const char *text, size_t len, uint64_t text_offset)
{
	struct vk_hexdump_line line;

	vk_hexdump_parse(text, len, &line);
	switch (line.kind) {
	case VK_HEXDUMP_ROW:
		if (line.offset > OFFSET_MAX)
			return stop(l, "the offset of a row is larger than a disk can be", text_offset);
		if (line.offset < l->end && l->row.count > 0)
			return stop(l, "the offset of a row goes back", text_offset);
		if (l->repeat && !fill_repeat(l, line.offset))
			return false;
		l->end = line.offset;
		l->row = line;
		return put_bytes(l, line.bytes, line.count, text_offset);
	case VK_HEXDUMP_REPEAT:
		if (l->row.count == VK_HEXDUMP_ROW_BYTES &&
		    l->end == l->row.offset + l->row.count) {
			l->repeat = true;
			l->repeat_offset = text_offset;
		}
		return true;
	case VK_HEXDUMP_OFFSET: /* elsewhere it is a number in the prose */
		if (l->repeat && line.offset >= l->end && line.offset <= OFFSET_MAX)
			return fill_repeat(l, line.offset);
		return true;
	case VK_HEXDUMP_OTHER: /* the second end may be that of another listing */
		l->repeat = false;
		return true;
	case VK_HEXDUMP_BLANK:
		break;
	}
	return true;
}

/* The next line, cut where no row reaches; false at the end. */
static bool next_line(struct vk_byte_reader *reader, char *text, size_t *ret_len)
{
	size_t len = 0;
	bool any = false;
	uint8_t c;

	while (vk_byte_reader_byte(reader, &c)) {
		any = true;
		if (c == '\n')
			break;
		if (len < VK_HEXDUMP_LINE_BYTES)
			text[len++] = (char)c;
	}
	*ret_len = len;
	return any;
}

static void read_listing(struct listing *l)
{
	char text[VK_HEXDUMP_LINE_BYTES];
	uint64_t start = 0;
	size_t len;

	while (next_line(&l->reader, text, &len)) {
		if (!take_line(l, text, len, start))
			return;
		start = vk_byte_reader_tell(&l->reader);
	}
	if (l->reader.failed)
		stop(l, "the file cannot be read on", start);
	else if (vk_io_size_bytes(l->reader.io) > TEXT_MAX_BYTES)
		stop(l, "the text is longer than 256 MiB", TEXT_MAX_BYTES);
	else if (l->repeat)
		stop(l, "the text ends behind a * row, which does not say how far it reaches",
		     l->repeat_offset);
}

/* The store goes to the source. */
static struct vk_io *make_source(struct listing *l, struct vk_io *base)
{
	struct vk_io_piece *pieces = calloc(l->count, sizeof(*pieces));
	struct vk_io *io;

	if (pieces == NULL)
		return NULL;
	for (size_t i = 0; i < l->count; i++) {
		const uint8_t *bytes = (const uint8_t *)l->store + l->parts[i].at;

		pieces[i] = (struct vk_io_piece){l->parts[i].offset, l->parts[i].length,
						 l->parts[i].zeros ? NULL : bytes};
	}
	io = vk_io_pieces(vk_io_name(base), pieces, l->count, vk_io_sector_size(base), l->store);
	l->store = NULL;
	free(pieces);
	return io;
}

enum vk_status vk_io_hexdump(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err)
{
	struct listing *l = calloc(1, sizeof(*l));
	enum vk_status status = VK_OK;
	struct vk_io *io = NULL;

	if (l != NULL)
		l->out = open_memstream(&l->store, &l->store_bytes);
	if (l == NULL || l->out == NULL) {
		free(l);
		return vk_no_memory(err, vk_io_name(base));
	}
	vk_byte_reader_init(&l->reader, base, TEXT_MAX_BYTES);
	read_listing(l);
	if (fclose(l->out) != 0)
		l->no_memory = true;
	if (l->count > 0 && !l->no_memory)
		io = make_source(l, base);
	if (l->count == 0 && !l->no_memory) {
		status = vk_error_set(err, VK_DAMAGED, vk_io_name(base), "the listing holds no bytes%s%s",
				      l->damage != NULL ? ": " : "", l->damage != NULL ? l->damage : "");
		vk_error_at(err, l->damage != NULL ? l->damage_offset : 0);
	} else if (io == NULL) {
		status = vk_no_memory(err, vk_io_name(base));
	} else {
		if (l->damage != NULL)
			vk_io_set_damage(io, l->damage, l->damage_offset);
		vk_io_close(base);
		*ret_io = io;
	}
	free(l->parts);
	free(l->store);
	free(l);
	return status;
}

static bool is_text(const struct vk_byte_reader *reader)
{
	for (size_t i = 0; i < reader->len && i < LOOK_TEXT_BYTES; i++) {
		uint8_t c = reader->buf[i];

		if ((c < 0x20 && (c < '\b' || c > '\r') && c != 0x1B) || c == 0x7F)
			return false;
	}
	return true;
}

/*
 * A listing is told from other text by two neighbouring lines that belong together: a row, and behind it a row
 * or an end that goes on where it stops, or a `*`. A text of a single row and nothing else will do as well.
 */
static bool has_rows(struct vk_byte_reader *reader)
{
	struct vk_hexdump_line line;
	uint64_t end = UINT64_MAX;
	char text[VK_HEXDUMP_LINE_BYTES];
	size_t rows = 0;
	size_t others = 0;
	size_t len;

	while (next_line(reader, text, &len)) {
		vk_hexdump_parse(text, len, &line);
		others += line.kind != VK_HEXDUMP_ROW && line.kind != VK_HEXDUMP_BLANK;
		switch (line.kind) {
		case VK_HEXDUMP_ROW:
			rows++;
			if (line.offset == end)
				return true;
			end = vk_add_sat(line.offset, line.count);
			break;
		case VK_HEXDUMP_OFFSET:
			if (line.offset == end)
				return true;
			end = UINT64_MAX;
			break;
		case VK_HEXDUMP_REPEAT:
			if (end != UINT64_MAX)
				return true;
			break;
		case VK_HEXDUMP_OTHER:
		case VK_HEXDUMP_BLANK:
			break;
		}
	}
	return rows == 1 && others == 0;
}

bool vk_io_is_hexdump(struct vk_io *base)
{
	struct vk_byte_reader *reader = calloc(1, sizeof(*reader));
	uint8_t first;
	bool is = false;

	if (reader == NULL)
		return false;
	vk_byte_reader_init(reader, base, LOOK_BYTES);
	if (vk_byte_reader_byte(reader, &first) && is_text(reader)) {
		vk_byte_reader_seek(reader, 0);
		is = has_rows(reader);
	}
	free(reader);
	return is;
}
