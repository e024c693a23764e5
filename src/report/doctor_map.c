/* SPDX-License-Identifier: Apache-2.0 */
/* The damage map: no disk of 64 TB fits a line to scale, so it shows the structures in their order. */
#include <stdarg.h>
#include <string.h>

#include "base/screen.h"
#include "report/doctor.h"
#include "report/doctor_cells.h"

enum { LINE_USUAL = 80 };

/* A line that is broken between its items. */
struct line {
	FILE *out;
	unsigned at, columns;
};

__attribute__((format(printf, 2, 3))) static void put_item(struct line *line, const char *format, ...)
{
	char text[80];
	unsigned len;
	va_list args;

	va_start(args, format);
	len = (unsigned)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line->at > 2 && line->at + len > line->columns) {
		fputs("\n ", line->out);
		line->at = 1;
	}
	fputs(text, line->out);
	line->at += len;
}

void vk_report_damage_map(FILE *out, const struct vk_diagnosis *d)
{
	struct vk_cell cells[VK_CELLS_MAX];
	size_t count = vk_report_cells(d, cells);
	const char *symbol, *name;
	struct line line = {out, 1, vk_screen_columns(out)};

	if (count == 0)
		return;
	if (line.columns == 0)
		line.columns = LINE_USUAL;
	fputs("Map\n ", out);
	for (size_t i = 0; i < count; i++) {
		/* where one volume ends and another, or the table, begins */
		if (i > 0 && cells[i].range->volume_start_bytes != cells[i - 1].range->volume_start_bytes)
			put_item(&line, " |");
		put_item(&line, " %s%c", cells[i].symbol, vk_damage_sign(cells[i].worst));
	}
	fputc('\n', out);
	fputc(' ', out);
	line.at = 1;
	for (size_t i = 0; (name = vk_report_symbol_name(i, &symbol)) != NULL; i++)
		for (size_t k = 0; k < count; k++)
			if (strcmp(cells[k].symbol, symbol) == 0) {
				put_item(&line, " %s %s;", symbol, name);
				break;
			}
	fputs("\n ", out);
	line.at = 1;
	for (int damage = 0; damage < VK_DAMAGE_COUNT; damage++)
		for (size_t k = 0; k < count; k++)
			if ((int)cells[k].worst == damage) {
				put_item(&line, " %c %s;", vk_damage_sign(cells[k].worst),
					 vk_damage_meaning(cells[k].worst));
				break;
			}
	fputc('\n', out);
}
