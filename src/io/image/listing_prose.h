/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lines around the rows tell: prompts with the program and the device that they name, heads of columns, the
 * output of partedUtil getptbl, and that of the search in VMware's KB 2046610.
 */
#ifndef VK_IO_LISTING_PROSE_H
#define VK_IO_LISTING_PROSE_H

#include "io/image/listing_judge.h"

enum { VK_LISTING_NAME_BYTES = 160, VK_LISTING_TABLE_BYTES = 220 };

struct vk_listing_prose {
	struct vk_listing_hints hints;
	char device[VK_LISTING_NAME_BYTES]; /* that the rows are of; empty: nothing names it */
	/* of partedUtil getptbl */
	unsigned awaits;      /* 0: nothing; 1: the line of the geometry; 2: entries */
	uint64_t table_line;
	char table[VK_LISTING_TABLE_BYTES];
	/* of the search: the start that the next rows are looked at for */
	uint64_t start_sector;
	uint64_t start_line;
};

enum vk_listing_said {
	VK_LISTING_SAID_NOTHING,
	VK_LISTING_SAID_BREAK, /* what follows is another listing */
	VK_LISTING_SAID_TABLE, /* a line of a table */
	VK_LISTING_SAID_TABLE_DONE /* the table ended in front of this line, which says nothing more */
};
enum vk_listing_said vk_listing_prose_line(struct vk_listing_prose *prose, const struct vk_listing_line *line);
/* Whether a line that looks like a row is one of such a table. */
bool vk_listing_prose_claims(const struct vk_listing_prose *prose, const struct vk_listing_line *line);

#endif
