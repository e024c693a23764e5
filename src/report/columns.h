/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people, the same in every verb: columns as wide as what is in them, two blanks between, in all no wider
 * than the screen, or 80 where there is none.
 *
 *	static const struct vk_column columns[] = {
 *		{"VERDICT"}, {"TIME"}, {"LABEL", .least = 10}, {"SIZE", .right = true}, {"CAPTURE"}};
 *	struct vk_columns table = VK_COLUMNS(columns);
 *
 *	vk_columns_row(&table, (const char *const[]){verdict, time, label, size, id});   one cell for each column
 *	vk_columns_end(&table, out);   prints all rows and frees them
 *
 * A cell that is NULL or empty is shown as "-", control characters in one as \xNN.
 */
#ifndef VK_REPORT_COLUMNS_H
#define VK_REPORT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct vk_column {
	const char *head; /* ""; when all heads are empty there is no line of heads */
	/* too wide a table: its cells are shortened in the middle, to no less; the last such column first; 0: never */
	size_t least;
	bool right;       /* numbers: set to the right */
	bool may_go;      /* is left out where no row has anything in it */
	bool spare;       /* is left out where the table is too wide even when all that may be is shortened */
	bool prose;       /* only of the last: sentences, which no table is made narrower for */
};

enum { VK_COLUMNS_MAX = 16, VK_COLUMNS_SCREEN = 80 };

struct vk_columns {
	const struct vk_column *columns;
	size_t count;
	bool wide;       /* nothing is shortened, no line broken */
	unsigned indent; /* blanks before each line */
	/* the rest is the functions' */
	char **cells; /* of all rows, one after the other */
	size_t cell_count;
	const char **colours; /* of each row */
	size_t row_count;
	bool failed; /* memory ran out */
};
#define VK_COLUMNS(list) {.columns = (list), .count = sizeof(list) / sizeof((list)[0])}

void vk_columns_row(struct vk_columns *table, const char *const *cells);
/* The same with its first cell in a colour, a text that stays: "\033[1;31m"; NULL: in none. */
void vk_columns_row_in(struct vk_columns *table, const char *colour, const char *const *cells);
/* When memory ran out, that is all that is printed. */
void vk_columns_end(struct vk_columns *table, FILE *out);

/* "naa.600144f0...8cd0003": a text of at most so many columns on a screen, cut in the middle where it is longer. */
struct vk_middle {
	char text[1200];
};
struct vk_middle vk_shown_middle(const char *text, size_t width);

#endif
