/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A diagnosis as a picture: the disk to scale, each stretch where structures lie enlarged, and the list of the
 * structures with their numbers. Every text is of a font of one width, so that what fits can be counted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "report/doctor.h"
#include "base/shown.h"
#include "report/svg_bar.h"
#include "report/xml_text.h"
#include "vmfskit/text.h"

enum { STRIPS_MAX = 24, LINE = 18, HEADLINE_FONT = 14, PATH_FONT = 16, VOLUMES_MAX = 32 };

/* Columns of the list. The last one takes "unreadable in sectors 137438953471 to 137438953472". */
enum { AT_SIGN = 52, AT_NAME = 76, AT_VOLUME = 318, AT_SECTORS = 372, AT_SIZE = 566, AT_VERDICT = 644 };

/* What is drawn and where. */
struct picture {
	const struct vk_diagnosis *d;
	struct vk_cell cells[VK_CELLS_MAX];
	size_t cell_count;
	struct vk_svg_bar strips[STRIPS_MAX];
	size_t strip_count, strips_left;
	bool occurs[VK_DAMAGE_COUNT];
	unsigned y; /* the next line */
};

/* Stretches where structures lie, with nothing of more than 64 MiB between them; what others left is only listed. */
static void find_strips(struct picture *p)
{
	const uint64_t apart = 64ULL << 20;

	for (size_t i = 0; i < p->cell_count; i++) {
		const struct vk_cell *c = &p->cells[i];
		uint64_t end = vk_min_u64(c->end_bytes, p->d->size_bytes);
		struct vk_svg_bar *last = p->strip_count > 0 ? &p->strips[p->strip_count - 1] : NULL;

		if (strcmp(c->symbol, "+") == 0 || c->start_bytes >= end)
			continue;
		if (last != NULL && c->start_bytes <= vk_add_sat(last->end_bytes, apart))
			last->end_bytes = vk_max_u64(last->end_bytes, end);
		else if (p->strip_count < STRIPS_MAX)
			p->strips[p->strip_count++] = (struct vk_svg_bar){c->start_bytes, end, 0, false};
		else
			p->strips_left++;
	}
	/* one that is most of the source shows nothing new */
	if (p->strip_count == 1 && p->strips[0].end_bytes - p->strips[0].start_bytes > p->d->size_bytes / 2)
		p->strip_count = 0;
}

static void open_text(FILE *out, unsigned x, unsigned y, unsigned font)
{
	fprintf(out, "<text font-size=\"%u\" x=\"%u\" y=\"%u\">", font, x, y);
}

static void put_line(FILE *out, struct picture *p, const char *text)
{
	p->y += LINE;
	open_text(out, VK_SVG_MARGIN, p->y, 12);
	vk_report_xml_cut(out, text, vk_svg_columns(VK_SVG_BAR_WIDTH, 12));
	fputs("</text>\n", out);
}

/* The colour and, for those who cannot tell it from another, the sign of the map. */
static void put_sign(FILE *out, unsigned x, unsigned y, enum vk_damage damage)
{
	static const bool dark[VK_DAMAGE_COUNT] = {
		[VK_DAMAGE_INTACT] = true,  [VK_DAMAGE_DAMAGED] = true,	   [VK_DAMAGE_ZERO] = true,
		[VK_DAMAGE_FOREIGN] = true, [VK_DAMAGE_UNREADABLE] = true,
	};

	fprintf(out, "<rect class=\"line\" x=\"%u\" y=\"%u\" width=\"14\" height=\"14\" fill=\"%s\" "
		"stroke=\"#767676\"/>\n<text font-size=\"%d\" text-anchor=\"middle\" x=\"%u\" y=\"%u\" "
		"style=\"fill:%s\">%c</text>\n", x, y - 11, vk_svg_colour(damage), VK_SVG_SMALL, x + 7, y,
		dark[damage] ? "#ffffff" : "#000000", vk_damage_sign(damage));
}

static void put_row(FILE *out, struct picture *p, size_t index)
{
	const struct vk_cell *c = &p->cells[index];
	uint64_t first, last;

	p->y += LINE;
	fprintf(out, "<g%s>\n", vk_report_harmed(c->worst) ? " font-weight=\"bold\"" : "");
	open_text(out, VK_SVG_MARGIN, p->y, VK_SVG_SMALL);
	fprintf(out, "%zu</text>\n", index + 1);
	put_sign(out, AT_SIGN, p->y, c->worst);
	open_text(out, AT_NAME, p->y, VK_SVG_SMALL);
	vk_report_xml_cut(out, vk_report_cell_name(c).text, vk_svg_columns(AT_VOLUME - AT_NAME, VK_SVG_SMALL));
	fputs("</text>\n", out);
	for (size_t i = 0; i < p->d->volume_count; i++)
		if (p->d->volumes[i].start_bytes == c->range->volume_start_bytes) {
			open_text(out, AT_VOLUME, p->y, VK_SVG_SMALL);
			fprintf(out, "%zu</text>\n", i + 1);
		}
	open_text(out, AT_SECTORS, p->y, VK_SVG_SMALL);
	first = c->start_bytes / p->d->sector_size;
	last = (c->end_bytes - 1) / p->d->sector_size;
	fprintf(out, last > first ? "%" PRIu64 " to %" PRIu64 "</text>\n" : "%" PRIu64 "</text>\n", first, last);
	open_text(out, AT_SIZE, p->y, VK_SVG_SMALL);
	fprintf(out, "%s</text>\n", vk_shown_size_short(c->end_bytes - c->start_bytes).text);
	open_text(out, AT_VERDICT, p->y, VK_SVG_SMALL);
	fputs(vk_damage_name(c->worst), out);
	if (c->harm_end_bytes != 0 && (c->harm_start_bytes != c->start_bytes || c->harm_end_bytes != c->end_bytes)) {
		fputs(" in ", out);
		vk_report_sectors(out, p->d, c->harm_start_bytes, c->harm_end_bytes);
	}
	fputs("</text>\n</g>\n", out);
}

static void put_list(FILE *out, struct picture *p)
{
	static const struct {
		unsigned x;
		const char *title;
	} heads[] = {
		{AT_NAME, "structure"}, {AT_VOLUME, "volume"}, {AT_SECTORS, "sectors"}, {AT_SIZE, "size"},
		{AT_VERDICT, "verdict"},
	};

	if (p->cell_count == 0) {
		put_line(out, p, "No structure was judged.");
		return;
	}
	p->y += LINE;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		fprintf(out, "<text class=\"soft\" font-size=\"%d\" x=\"%u\" y=\"%u\">%s</text>\n", VK_SVG_SMALL,
			heads[i].x, p->y, heads[i].title);
	for (size_t i = 0; i < p->cell_count; i++)
		put_row(out, p, i);
	if (p->cell_count == VK_CELLS_MAX)
		put_line(out, p, "Further structures are left out: vmfskit doctor --json lists all.");
}

static void put_volumes(FILE *out, struct picture *p)
{
	const struct vk_diagnosis *d = p->d;
	char text[sizeof(d->volumes->label) + 160];

	for (size_t i = 0; i < d->volume_count && i < VOLUMES_MAX; i++) {
		const struct vk_diagnosed_volume *v = &d->volumes[i];
		uint64_t first = v->start_bytes / d->sector_size;
		struct vk_text line = vk_text_in(text, sizeof(text));

		vk_text_fmt(&line, "volume %zu: from sector %" PRIu64, i + 1, first);
		if (v->length_bytes != 0)
			vk_text_fmt(&line, " to %" PRIu64,
				    vk_add_sat(v->start_bytes, v->length_bytes - 1) / d->sector_size);
		if (v->partition != 0)
			vk_text_fmt(&line, ", partition %u", v->partition);
		if (v->fs_version[0] != '\0')
			vk_text_fmt(&line, ", %s \"%s\"", v->fs_version, v->label);
		put_line(out, p, text);
	}
	if (d->volume_count > VOLUMES_MAX)
		put_line(out, p, "Further volumes are left out: vmfskit doctor --json lists all.");
}

static void put_legend(FILE *out, struct picture *p)
{
	p->y += LINE;
	fprintf(out, "<rect class=\"line\" x=\"%d\" y=\"%u\" width=\"14\" height=\"14\" fill=\"#f7f7f7\" "
		"stroke=\"#767676\"/>\n", VK_SVG_MARGIN, p->y - 11);
	open_text(out, VK_SVG_MARGIN + 24, p->y, 12);
	fputs("not looked at</text>\n", out);
	for (int i = 0; i < VK_DAMAGE_COUNT; i++) {
		if (!p->occurs[i])
			continue;
		p->y += LINE;
		put_sign(out, VK_SVG_MARGIN, p->y, (enum vk_damage)i);
		open_text(out, VK_SVG_MARGIN + 24, p->y, 12);
		fprintf(out, "%s: ", vk_damage_name((enum vk_damage)i));
		vk_report_xml_text(out, vk_damage_meaning((enum vk_damage)i));
		fputs("</text>\n", out);
	}
}

/* Everything below the title; returns where it ends. */
static unsigned put_body(FILE *out, struct picture *p)
{
	const struct vk_diagnosis *d = p->d;
	const char *rest = d->headline;

	open_text(out, VK_SVG_MARGIN, 30, PATH_FONT);
	vk_report_xml_cut(out, vk_shown_name(d->path).text, vk_svg_columns(VK_SVG_BAR_WIDTH, PATH_FONT));
	fputs("</text>\n", out);
	p->y = 36;
	while (rest != NULL && rest[0] != '\0') {
		p->y += LINE;
		open_text(out, VK_SVG_MARGIN, p->y, HEADLINE_FONT);
		rest = vk_report_xml_line(out, rest, vk_svg_columns(VK_SVG_BAR_WIDTH, HEADLINE_FONT));
		fputs("</text>\n", out);
	}
	p->y += LINE;
	if (d->size_bytes > 0)
		p->y = vk_svg_bar(out, d, &(struct vk_svg_bar){0, d->size_bytes, p->y, true}, p->cells, p->cell_count);
	put_volumes(out, p);
	p->y += LINE;
	for (size_t i = 0; i < p->strip_count; i++) {
		p->strips[i].y = p->y;
		p->y = vk_svg_bar(out, d, &p->strips[i], p->cells, p->cell_count);
	}
	if (p->strips_left > 0)
		put_line(out, p, "Further stretches are not enlarged.");
	put_list(out, p);
	p->y += LINE;
	put_legend(out, p);
	return p->y + VK_SVG_MARGIN;
}

bool vk_report_diagnosis_svg(FILE *out, const struct vk_diagnosis *d)
{
	struct picture p = {.d = d};
	char *text = NULL;
	size_t len = 0;
	unsigned height;
	FILE *body = open_memstream(&text, &len);

	if (body == NULL)
		return false;
	p.cell_count = vk_report_cells(d, p.cells);
	for (size_t i = 0; i < d->range_count; i++)
		p.occurs[d->ranges[i].damage] = true;
	find_strips(&p);
	height = put_body(body, &p);
	if (fclose(body) != 0) {
		free(text);
		return false;
	}
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
		     "width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" font-family=\"monospace\" font-size=\"12\" "
		     "role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
		VK_SVG_WIDTH, height, VK_SVG_WIDTH, height);
	vk_report_xml_text(out, d->path);
	fputs("</title>\n<desc id=\"desc\">", out);
	vk_report_xml_text(out, d->headline);
	/* on dark paper the text is light; bars and signs keep their colours */
	fprintf(out, "</desc>\n<style>text { fill: #1a1a1a } .soft { fill: #555555 } "
		"@media (prefers-color-scheme: dark) { text { fill: #ececec } .soft { fill: #b4b4b4 } "
		".page { fill: #17191d } .line { stroke: #9a9a9a } }</style>\n"
		"<rect class=\"page\" width=\"%d\" height=\"%u\" fill=\"#ffffff\"/>\n", VK_SVG_WIDTH, height);
	fwrite(text, 1, len, out);
	fputs("</svg>\n", out);
	free(text);
	return true;
}
