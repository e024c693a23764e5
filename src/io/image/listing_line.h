/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a text that may hold a listing of bytes, taken apart without knowing yet what prints such lines. */
#ifndef VK_IO_LISTING_LINE_H
#define VK_IO_LISTING_LINE_H

#include "io/io_reader.h"

/* xxd -c 256 prints the longest rows; what lies behind is cut off. */
enum { VK_LISTING_LINE_BYTES = 1024, VK_LISTING_TOKENS_MAX = 272, VK_LISTING_ROW_BYTES = 256 };
/* Stands for a character of another alphabet, of which only that there was one matters. */
#define VK_LISTING_STRANGE '\x01'

struct vk_listing_token {
	uint16_t at;
	uint16_t len;
	bool colon; /* it ends at one */
};
enum vk_listing_kind {
	VK_LISTING_BLANK,
	VK_LISTING_REPEAT, /* `*`: the row before goes on up to the next offset */
	VK_LISTING_OFFSET, /* a number alone: the end, or a number in the prose */
	VK_LISTING_ROW,    /* it looks like a row */
	VK_LISTING_PROSE
};
struct vk_listing_line {
	enum vk_listing_kind kind;
	uint64_t number; /* of the line in the text, from 1 on */
	uint64_t offset; /* of its first byte in the file */
	bool controls;   /* it has control characters that no text has */
	size_t groups;   /* that look like bytes of a row, at least */
	size_t len;
	size_t count;
	struct vk_listing_token tokens[VK_LISTING_TOKENS_MAX];
	char text[VK_LISTING_LINE_BYTES];
};

/* The lines of a file: bytes, UTF-8, or UTF-16 of either order. */
struct vk_listing_text {
	struct vk_byte_reader *reader; /* borrowed */
	uint64_t lines;
	bool wide;
	bool big_endian;
};
void vk_listing_text_init(struct vk_listing_text *text, struct vk_byte_reader *reader);
/* False at the end. Blanks of all kinds become ' '; colours and marks of order are left out. */
bool vk_listing_text_next(struct vk_listing_text *text, struct vk_listing_line *ret_line);
/* The same line without mark-up: tags, and names of characters like &nbsp;. False: it has none. */
bool vk_listing_unmark(const struct vk_listing_line *line, struct vk_listing_line *ret_line);

/*
 * A row as od -c, hexdump -c and od -a print it: characters and their names, each set to the right in four columns. A
 * bit of each byte is lacking in od -a, and blanks are easily lost: such a row is not read. named: without the name of
 * one it does not count, as od -b prints numbers so.
 */
bool vk_listing_shows_characters(const struct vk_listing_line *line, bool named);

/* The digits of a token that may be an offset, without 0x, h or brackets; 0: it is none. */
size_t vk_listing_offset_digits(const struct vk_listing_line *line, size_t token, const char **ret_digits,
				bool *ret_hex);

#endif
