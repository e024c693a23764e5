/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a listing, once a style is supposed: what digits stand for, and whether the text column agrees. */
#ifndef VK_IO_LISTING_ROW_H
#define VK_IO_LISTING_ROW_H

#include "io/image/listing_line.h"

/* How a program prints rows. */
struct vk_listing_style {
	uint8_t lead;       /* tokens in front of the offset: line numbers */
	uint8_t radix;      /* of offsets: 16, 10, 8; 0: rows have none, each follows the one before */
	uint8_t base;       /* of groups: 16, 10, 8, 2 */
	uint8_t unit;       /* bytes that a group stands for */
	uint16_t digits;    /* of a group; 0: as many as its value needs, set to the right */
	uint16_t row_bytes; /* of a whole row; 0: not known */
	uint8_t offset_digits; /* of an offset, at least */
	bool colon;         /* behind an offset */
};

/* What the text column of a row says; bits. */
enum {
	VK_LISTING_AS_PRINTED = 1, /* it is that of the bytes with the first digits of a group first */
	VK_LISTING_SWAPPED = 2,    /* it is that of the bytes with the last digits of a group first */
	VK_LISTING_CONTRADICTED = 4
};
struct vk_listing_row {
	uint64_t offset;
	size_t count;  /* bytes of the source */
	size_t stored; /* bytes in `bytes`: a last word may be longer than what is left of the source */
	unsigned text;
	unsigned short_group; /* of a last group that is not whole: xxd sets it to the left, xxd -e to the right */
	bool has_text;
	uint8_t bytes[VK_LISTING_ROW_BYTES]; /* the first digits of a group first */
};

/* False: under this style the line is no row. */
bool vk_listing_row(const struct vk_listing_line *line, const struct vk_listing_style *style,
		    struct vk_listing_row *ret_row);
/* What was wrapped off a row: put it behind the row. False: it is not that. */
bool vk_listing_row_goes_on(const struct vk_listing_line *line, const struct vk_listing_style *style,
			    struct vk_listing_row *row);
/* The offset of a row, or of the end. */
bool vk_listing_offset(const struct vk_listing_line *line, const struct vk_listing_style *style, uint64_t *ret_offset);
/* Byte i of a run of n in groups of unit, the last of which may be short, with each group turned round. */
uint8_t vk_listing_swapped(const uint8_t *bytes, size_t n, size_t unit, size_t i);

#endif
