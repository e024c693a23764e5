/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stretch of a disk as a bar. It is painted by columns of one pixel, of which each shows the worst that lies in it.
 * Numbers are those of the list of structures.
 */
#include "report/svg_bar.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
#include "report/xml_text.h"

/* Above the bar one line with the title and one with numbers; below it the volumes, then sectors and bytes. */
enum { NUMBERS = 34, TOP = 44, THICK = 30, LANE = 16, SCALE = 44, TICKS_MAX = 7, LABELS_APART = 6 };

/* Colours that also differ in brightness, for those who see no red and green; on light and on dark paper. */
static const char *const colours[VK_DAMAGE_COUNT] = {
	[VK_DAMAGE_UNKNOWN] = "#bdbdbd", [VK_DAMAGE_INTACT] = "#1b7837",  [VK_DAMAGE_CONSISTENT] = "#a6dba0",
	[VK_DAMAGE_CHANGED] = "#fee08b", [VK_DAMAGE_DAMAGED] = "#d73027", [VK_DAMAGE_ZERO] = "#111111",
	[VK_DAMAGE_FOREIGN] = "#762a83", [VK_DAMAGE_UNREADABLE] = "#2171b5",
};

const char *vk_svg_colour(enum vk_damage damage)
{
	return colours[damage];
}

size_t vk_svg_columns(unsigned width, unsigned font)
{
	return (size_t)width * 100 / (font * 61);
}

static unsigned width_of(size_t columns)
{
	return (unsigned)((columns * VK_SVG_SMALL * 61 + 99) / 100);
}

/* No floating point decides about bytes. */
static unsigned column_of(const struct vk_svg_bar *bar, uint64_t at)
{
	return (unsigned)((unsigned __int128)(at - bar->start_bytes) * VK_SVG_BAR_WIDTH /
			  (bar->end_bytes - bar->start_bytes));
}

static void paint(const struct vk_damage_range *columns[VK_SVG_BAR_WIDTH], const struct vk_svg_bar *bar,
		  const struct vk_damage_range *r)
{
	uint64_t start = vk_max_u64(r->offset_bytes, bar->start_bytes);
	uint64_t end = vk_min_u64(vk_add_sat(r->offset_bytes, r->length_bytes), bar->end_bytes);
	unsigned least = vk_report_harmed(r->damage) ? VK_SVG_LEAST : 1, from, to;

	if (start >= end)
		return;
	from = column_of(bar, start);
	to = (unsigned)vk_min_u64(vk_max_u64(column_of(bar, end - 1) + 1, from + least), VK_SVG_BAR_WIDTH);
	if (to - from < least)
		from = to - least;
	for (; from < to; from++)
		if (columns[from] == NULL ||
		    vk_report_damage_rank(r->damage) > vk_report_damage_rank(columns[from]->damage))
			columns[from] = r;
}

static void put_columns(FILE *out, const struct vk_diagnosis *d, const struct vk_svg_bar *bar)
{
	const struct vk_damage_range *columns[VK_SVG_BAR_WIDTH] = {NULL};

	for (size_t i = 0; i < d->range_count; i++)
		paint(columns, bar, &d->ranges[i]);
	for (unsigned from = 0, to; from < VK_SVG_BAR_WIDTH; from = to) {
		const struct vk_damage_range *first = columns[from];

		for (to = from + 1; to < VK_SVG_BAR_WIDTH; to++)
			if ((columns[to] == NULL) != (first == NULL) ||
			    (first != NULL && columns[to]->damage != first->damage))
				break;
		if (first == NULL)
			continue;
		fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\" fill=\"%s\"><title>",
			VK_SVG_MARGIN + from, bar->y + TOP, to - from, THICK, colours[first->damage]);
		vk_report_xml_text(out, first->what);
		fprintf(out, ": %s, ", vk_damage_name(first->damage));
		if (columns[to - 1] == first)
			vk_report_sectors(out, d, first->offset_bytes,
					  vk_add_sat(first->offset_bytes, first->length_bytes));
		else
			fprintf(out, "from sector %" PRIu64 " on", first->offset_bytes / d->sector_size);
		fputs("</title></rect>\n", out);
	}
}

/* Numbers of structures that would overlap are one label, "3-7". */
struct label {
	size_t first, last;
	unsigned at;
};

static size_t label_text(const struct label *l, char text[48])
{
	if (l->first == l->last)
		return (size_t)snprintf(text, 48, "%zu", l->first);
	return (size_t)snprintf(text, 48, "%zu-%zu", l->first, l->last);
}

static unsigned label_end(const struct label *l)
{
	char text[48];

	return l->at + width_of(label_text(l, text));
}

/* A label that would reach beyond the margin begins earlier. */
static void settle(struct label *l)
{
	unsigned end = label_end(l), margin = VK_SVG_WIDTH - VK_SVG_MARGIN;

	if (end > margin)
		l->at -= end - margin;
}

/* With the name of the structure where that ends in front of the next label. */
static void put_label(FILE *out, const struct vk_svg_bar *bar, const struct label *l, unsigned next,
		      const struct vk_cell *cells)
{
	struct vk_cell_name name = vk_report_cell_name(&cells[l->first - 1]);
	char text[48];
	size_t len = label_text(l, text);

	fprintf(out, "<text font-size=\"%d\" x=\"%u\" y=\"%u\">%s", VK_SVG_SMALL, l->at, bar->y + NUMBERS, text);
	if (l->first == l->last &&
	    len + 1 + strlen(name.text) <= vk_svg_columns(next - l->at - LABELS_APART, VK_SVG_SMALL)) {
		fputc(' ', out);
		vk_report_xml_text(out, name.text);
	}
	fputs("</text>\n", out);
}

static void put_numbers(FILE *out, const struct vk_svg_bar *bar, const struct vk_cell *cells, size_t count)
{
	struct label labels[VK_CELLS_MAX];
	size_t label_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct vk_cell *c = &cells[i];
		uint64_t start = bar->whole ? c->harm_start_bytes : c->start_bytes;
		uint64_t end = bar->whole ? c->harm_end_bytes : c->end_bytes;

		start = vk_max_u64(start, bar->start_bytes);
		if (start >= vk_min_u64(end, bar->end_bytes))
			continue;
		labels[label_count++] = (struct label){i + 1, i + 1, VK_SVG_MARGIN + column_of(bar, start)};
		fprintf(out, "<path class=\"line\" stroke=\"#767676\" d=\"M%u.5 %uv7\"/>\n",
			labels[label_count - 1].at, bar->y + TOP - 7);
		settle(&labels[label_count - 1]);
		while (label_count > 1 && label_end(&labels[label_count - 2]) + LABELS_APART >
						  labels[label_count - 1].at) {
			label_count--;
			labels[label_count - 1].last = labels[label_count].last;
			settle(&labels[label_count - 1]);
		}
	}
	for (size_t i = 0; i < label_count; i++)
		put_label(out, bar, &labels[i], i + 1 < label_count ? labels[i + 1].at : VK_SVG_WIDTH - VK_SVG_MARGIN,
			  cells);
}

/* Its number, and its label where there is room. */
static void put_volumes(FILE *out, const struct vk_diagnosis *d, const struct vk_svg_bar *bar)
{
	unsigned free_from = 0;

	for (size_t i = 0; i < d->volume_count; i++) {
		const struct vk_diagnosed_volume *v = &d->volumes[i];
		uint64_t end = vk_min_u64(vk_add_sat(v->start_bytes, v->length_bytes), bar->end_bytes);
		unsigned x, width;
		char text[sizeof(v->label) + 32];

		if (v->start_bytes < bar->start_bytes || v->start_bytes >= end)
			continue;
		x = VK_SVG_MARGIN + column_of(bar, v->start_bytes);
		width = (unsigned)vk_max_u64(VK_SVG_MARGIN + column_of(bar, end) - x, 1);
		fprintf(out, "<rect class=\"line\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\" fill=\"none\" "
			"stroke=\"#767676\"/>\n", x, bar->y + TOP + THICK + 1, width, LANE - 2);
		snprintf(text, sizeof(text), "volume %zu%s%s", i + 1, v->label[0] != '\0' ? ": " : "", v->label);
		if (x < free_from || vk_svg_columns(width, VK_SVG_SMALL) < 12)
			continue;
		free_from = x + width;
		fprintf(out, "<text font-size=\"%d\" x=\"%u\" y=\"%u\">", VK_SVG_SMALL, x + 4,
			bar->y + TOP + THICK + LANE - 4);
		vk_report_xml_cut(out, text, vk_svg_columns(width - 8, VK_SVG_SMALL));
		fputs("</text>\n", out);
	}
}

/* Sectors as they are counted on the disk, bytes from the beginning of the bar. */
static unsigned put_scale(FILE *out, const struct vk_diagnosis *d, const struct vk_svg_bar *bar)
{
	uint64_t span = bar->end_bytes - bar->start_bytes, step = d->sector_size;
	unsigned y = bar->y + TOP + THICK + 1 + (bar->whole ? LANE : 0);

	while (span / step > TICKS_MAX)
		step *= 2;
	for (uint64_t at = 0; at <= span; at += step) {
		unsigned x = VK_SVG_MARGIN + column_of(bar, bar->start_bytes + at);
		const char *anchor = x > VK_SVG_WIDTH - 80 ? "end" : "start";

		fprintf(out, "<path class=\"line\" stroke=\"#767676\" d=\"M%u.5 %uv6\"/>\n"
			"<text font-size=\"%d\" text-anchor=\"%s\" x=\"%u\" y=\"%u\">%" PRIu64 "</text>\n"
			"<text class=\"soft\" font-size=\"%d\" text-anchor=\"%s\" x=\"%u\" y=\"%u\">%s%s</text>\n",
			x, y, VK_SVG_SMALL, anchor, x, y + 17, (bar->start_bytes + at) / d->sector_size, VK_SVG_SMALL,
			anchor, x, y + 31, bar->start_bytes > 0 ? "+" : "",
			at > 0 ? vk_shown_size_short(at).text : "0");
	}
	return y + SCALE;
}

unsigned vk_svg_bar(FILE *out, const struct vk_diagnosis *d, const struct vk_svg_bar *bar, const struct vk_cell *cells,
		size_t count)
{
	struct vk_shown size = vk_shown_size_short(bar->end_bytes - bar->start_bytes);

	fprintf(out, "<text x=\"%d\" y=\"%u\">", VK_SVG_MARGIN, bar->y + 14);
	if (bar->whole)
		fprintf(out, "the whole source: %s, to scale (damage is drawn at least %d pixels wide)",
			size.text, VK_SVG_LEAST);
	else
		fprintf(out, "enlarged: %s from byte %" PRIu64 ", sectors %" PRIu64 " to %" PRIu64, size.text,
			bar->start_bytes, bar->start_bytes / d->sector_size,
			(bar->end_bytes - 1) / d->sector_size);
	fprintf(out, "</text>\n<rect class=\"line\" x=\"%d.5\" y=\"%u.5\" width=\"%d\" height=\"%d\" fill=\"#f7f7f7\" "
		"stroke=\"#767676\"><title>not looked at</title></rect>\n",
		VK_SVG_MARGIN - 1, bar->y + TOP - 1, VK_SVG_BAR_WIDTH + 1, THICK + 1);
	put_columns(out, d, bar);
	put_numbers(out, bar, cells, count);
	if (bar->whole)
		put_volumes(out, d, bar);
	return put_scale(out, d, bar);
}
