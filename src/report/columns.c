/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people. */
#include "report/columns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "vmfskit/text.h"

/* Behind the next character of a text that is not at its end. */
static const char *next_character(const char *text)
{
	for (text++; ((unsigned char)*text & 0xc0) == 0x80; text++)
		;
	return text;
}

/* Columns on a screen. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text = next_character(text))
		width++;
	return width;
}

static const char *skip_characters(const char *text, size_t count)
{
	while (count-- > 0 && *text != '\0')
		text = next_character(text);
	return text;
}

struct vk_middle vk_shown_middle(const char *text, size_t width)
{
	static const char dots[] = "...";
	size_t all = width_of(text), rest = width > sizeof(dots) - 1 ? width - (sizeof(dots) - 1) : 1;
	struct vk_middle middle;
	struct vk_text out = vk_text_in(middle.text, sizeof(middle.text));

	if (all <= width) {
		vk_text_put(&out, text);
		return middle;
	}
	vk_text_fmt(&out, "%.*s%s%s", (int)(skip_characters(text, rest - rest / 2) - text), text, dots,
		    skip_characters(text, all - rest / 2));
	return middle;
}

/* What may be sent to a terminal of it; NULL: memory ran out. */
static char *clean_copy(const char *cell)
{
	size_t cap = 4 * strlen(cell) + 1;
	char *copy = malloc(cap);
	struct vk_text text;

	if (copy == NULL)
		return NULL;
	text = vk_text_in(copy, cap);
	for (bool second = false; *cell != '\0'; cell++) {
		unsigned char c = (unsigned char)*cell;
		/* the control characters of one byte, and those of two bytes in UTF-8 */
		bool first = c == 0xc2 && (unsigned char)cell[1] >= 0x80 && (unsigned char)cell[1] < 0xa0;

		vk_text_fmt(&text, c < 0x20 || c == 0x7f || first || second ? "\\x%02x" : "%c", c);
		second = first;
	}
	return copy;
}

void vk_columns_row_in(struct vk_columns *table, const char *colour, const char *const *cells)
{
	table->failed |= vk_append(&table->colours, &table->row_count, &colour, sizeof(colour)) == NULL;
	for (size_t i = 0; i < table->count; i++) {
		char *cell = clean_copy(cells[i] != NULL && cells[i][0] != '\0' ? cells[i] : "");

		if (cell != NULL && vk_append(&table->cells, &table->cell_count, &cell, sizeof(cell)) != NULL)
			continue;
		free(cell);
		table->failed = true;
	}
}

void vk_columns_row(struct vk_columns *table, const char *const *cells)
{
	vk_columns_row_in(table, NULL, cells);
}

/* How wide each column is; 0: it is left out. */
static void measure(const struct vk_columns *table, size_t screen, size_t widths[VK_COLUMNS_MAX])
{
	size_t all = table->indent, spare = 0; /* so much can be shortened */

	for (size_t i = 0; i < table->count; i++) {
		const struct vk_column *column = &table->columns[i];
		size_t widest = 0;

		for (size_t k = i; k < table->cell_count; k += table->count) {
			size_t width = width_of(table->cells[k]);

			widest = width > widest ? width : widest;
		}
		if (widest > 0 || !column->may_go) {
			widest = widest > 0 ? widest : 1;
			widths[i] = strlen(column->head) > widest ? strlen(column->head) : widest;
			all += column->prose ? 0 : widths[i] + (i > 0 ? 2 : 0);
		}
		spare += column->least > 0 && widths[i] > column->least ? widths[i] - column->least : 0;
	}
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].spare && all - spare > screen) {
			all -= widths[i] + 2;
			widths[i] = 0;
		}
	/* the last of those that may be shorter first */
	for (size_t i = table->count; i-- > 0 && all > screen;) {
		size_t least = table->columns[i].least, over = all - screen;

		if (least == 0 || widths[i] <= least)
			continue;
		over = over < widths[i] - least ? over : widths[i] - least;
		widths[i] -= over;
		all -= over;
	}
}

static void put_blanks(FILE *out, size_t count)
{
	while (count-- > 0)
		fputc(' ', out);
}

static void put_cells(const struct vk_columns *table, const size_t widths[VK_COLUMNS_MAX], const char *colour,
		      const char *const *cells, FILE *out)
{
	size_t blanks = table->indent;

	for (size_t i = 0; i < table->count; i++) {
		const char *cell = cells[i][0] != '\0' ? cells[i] : "-";
		struct vk_middle shorter;
		size_t room;

		if (widths[i] == 0)
			continue;
		if (table->columns[i].least > 0 && width_of(cell) > widths[i]) {
			shorter = vk_shown_middle(cell, widths[i]);
			cell = shorter.text;
		}
		room = width_of(cell) < widths[i] ? widths[i] - width_of(cell) : 0;
		/* no blanks at the end of a line */
		put_blanks(out, blanks + (table->columns[i].right ? room : 0));
		fprintf(out, "%s%s%s", colour != NULL ? colour : "", cell, colour != NULL ? "\033[0m" : "");
		colour = NULL;
		blanks = 2 + (table->columns[i].right ? 0 : room);
	}
	fputc('\n', out);
}

void vk_columns_end(struct vk_columns *table, FILE *out)
{
	size_t widths[VK_COLUMNS_MAX] = {0};
	const unsigned columns = vk_screen_columns(out);
	/* lines that are broken would be no table */
	const bool exact = vk_screen_exact(out, table->wide);
	const char *heads[VK_COLUMNS_MAX];
	bool headed = false;

	for (size_t i = 0; i < table->count; i++) {
		heads[i] = table->columns[i].head;
		headed = headed || heads[i][0] != '\0';
	}
	if (table->failed) {
		fputs("memory ran out: the table cannot be shown\n", out);
	} else {
		measure(table, table->wide ? SIZE_MAX : columns != 0 ? columns : VK_COLUMNS_SCREEN, widths);
		if (headed)
			put_cells(table, widths, NULL, heads, out);
		for (size_t i = 0; i < table->row_count; i++)
			put_cells(table, widths, table->colours[i],
				  (const char *const *)&table->cells[i * table->count], out);
	}
	(void)vk_screen_exact(out, exact);
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->colours);
	table->cells = NULL;
	table->colours = NULL;
	table->cell_count = table->row_count = 0;
}
