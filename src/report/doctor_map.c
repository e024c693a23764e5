/* SPDX-License-Identifier: Apache-2.0 */
/* The damage map: no disk of 64 TB fits a line to scale, so it shows the structures in their order. */
#include <stdarg.h>
#include <string.h>

#include "base/screen.h"
#include "report/doctor.h"

enum { CELLS_MAX = 256, LINE_USUAL = 80 };

/* One structure and the worst of its verdicts. */
struct cell {
	const struct vk_damage_range *range;
	enum vk_damage worst;
};

static const struct {
	const char *symbol;
	const char *name;
} symbols[] = {
	{"M", "boot record"},       {"G", "GPT header"},        {"E", "partition entries"}, {"L", "LVM header"},
	{"V", "volume"},            {"N", "names of devices"},  {"B", "PE bitmap"},         {"P", "PE table"},
	{"X", "extended metadata"}, {"F", "FS descriptor"},     {"H", "heartbeats"},        {"C", "FD clusters"},
	{"D", "file descriptors"},  {"_", "unused sectors"},    {"+", "others' copies"},
};

/* Beside anything else what is not known is not drawn. */
unsigned vk_report_damage_rank(enum vk_damage damage)
{
	return damage == VK_DAMAGE_UNKNOWN ? 0 : vk_damage_rank(damage) + 1;
}

static bool harmed(enum vk_damage damage)
{
	return vk_report_damage_rank(damage) > vk_report_damage_rank(VK_DAMAGE_CHANGED);
}

static const char *symbol_of(const struct vk_damage_range *r)
{
	if (r->symbol[0] != '\0')
		return r->symbol;
	return strstr(r->what, "copy") != NULL ? "+" : "_";
}

/* Two of one kind beside each other are one cell; bitmaps and PE tables of a large volume take turns. */
static struct cell *find_cell(struct cell *cells, size_t count, const struct vk_damage_range *r)
{
	const char *symbol = symbol_of(r);

	for (size_t back = 1; back <= 2 && back <= count; back++) {
		struct cell *cell = &cells[count - back];
		bool turns = strchr("PB", symbol[0]) != NULL;

		if (strcmp(cell->range->what, r->what) != 0 &&
		    (strcmp(symbol_of(cell->range), symbol) != 0 || strchr("PB_+", symbol[0]) == NULL ||
		     cell->range->volume_start_bytes != r->volume_start_bytes))
			continue;
		if (back == 1 || turns)
			return cell;
	}
	return NULL;
}

static size_t collect(const struct vk_diagnosis *d, struct cell cells[CELLS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];
		struct cell *same;

		/* what is empty and as it should be says nothing */
		if (r->symbol[0] == '\0' && !harmed(r->damage))
			continue;
		same = find_cell(cells, count, r);
		if (same != NULL) {
			if (vk_report_damage_rank(r->damage) > vk_report_damage_rank(same->worst))
				same->worst = r->damage;
			continue;
		}
		if (count == CELLS_MAX)
			break;
		cells[count++] = (struct cell){r, r->damage};
	}
	return count;
}

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
	struct cell cells[CELLS_MAX];
	size_t count = collect(d, cells);
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
		put_item(&line, " %s%c", symbol_of(cells[i].range), vk_damage_sign(cells[i].worst));
	}
	fputc('\n', out);
	fputc(' ', out);
	line.at = 1;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		for (size_t k = 0; k < count; k++)
			if (strcmp(symbol_of(cells[k].range), symbols[i].symbol) == 0) {
				put_item(&line, " %s %s;", symbols[i].symbol, symbols[i].name);
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
