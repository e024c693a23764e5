/* SPDX-License-Identifier: Apache-2.0 */
/* A text that is read into sections: the state of that. */
#ifndef VK_IO_LISTING_READ_H
#define VK_IO_LISTING_READ_H

#include <stdio.h>

#include "io/image/listing_parts.h"

/* What the text says of a disk besides its bytes. */
struct vk_listing_told {
	char device[VK_LISTING_NAME_BYTES]; /* empty: nothing names it */
	uint64_t line;
	char table[VK_LISTING_TABLE_BYTES]; /* as partedUtil getptbl prints it; empty: it is a start */
	uint64_t start_sector;              /* that the search of the KB tried */
};
enum { VK_LISTING_TOLD_MAX = 64 };

struct vk_listing {
	struct vk_listing_sections all;
	FILE *out;         /* into the store */
	char *store;
	size_t store_bytes;
	size_t len;        /* put into it */
	bool active;       /* a section goes on */
	struct vk_listing_row row; /* the last one of the section; count 0: none yet */
	uint64_t end;      /* behind the last byte given */
	uint64_t repeated; /* bytes that `*` made in the store */
	bool repeat;       /* a `*` waits for its second end */
	uint64_t repeat_offset; /* in the text */
	struct vk_listing_style clear; /* the last style that was clear; radix 0: none */
	size_t failures;   /* rows of which no style was found */
	size_t others;     /* lines that are neither rows nor blank */
	size_t unused;     /* rows that are not used, and the first of them */
	uint64_t unused_line, unused_offset;
	const char *unused_why;
	uint64_t lines_read;
	bool characters;   /* rows of characters go on */
	bool strange;      /* a line holds what people do not write */
	bool no_memory;
	const char *damage;     /* NULL: none */
	uint64_t damage_offset; /* in the text */
	struct vk_findings notes;
	struct vk_listing_told *told;
	size_t told_count;
	struct vk_listing_prose prose;
	struct vk_listing_judgement judgement;
	struct vk_listing_walk walk;
	struct vk_listing_walk scratch;
	struct vk_byte_reader reader;
	size_t waiting;   /* lines whose style is not known yet */
	struct vk_listing_line lines[VK_LISTING_WINDOW];
	struct vk_listing_line line;
};

/* All lines of io, which is borrowed, up to limit bytes; look: up to the first listing only. False: memory ran out. */
bool vk_listing_read(struct vk_listing *l, struct vk_io *io, uint64_t limit, bool look);
void vk_listing_free(struct vk_listing *l);

#endif
