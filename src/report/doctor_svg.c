/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis as a picture: the disk to scale, and below it each stretch where structures lie, enlarged. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "report/doctor.h"
#include "report/xml_text.h"

enum { WIDTH = 1000, MARGIN = 20, BAR = 40, STRIPS_MAX = 24 };

/* Colours that also differ in brightness, for those who see no red and green. */
static const char *const colours[VK_DAMAGE_COUNT] = {
	[VK_DAMAGE_UNKNOWN] = "#d9d9d9", [VK_DAMAGE_INTACT] = "#1b7837",  [VK_DAMAGE_CONSISTENT] = "#a6dba0",
	[VK_DAMAGE_CHANGED] = "#fee08b", [VK_DAMAGE_DAMAGED] = "#d73027", [VK_DAMAGE_ZERO] = "#111111",
	[VK_DAMAGE_FOREIGN] = "#762a83", [VK_DAMAGE_UNREADABLE] = "#f46d43",
};

/* A stretch of the disk as a bar. Coordinates in hundredths, so that no floating point decides about bytes. */
struct scale {
	uint64_t start, end;
	unsigned y;
};

static uint64_t x_of(const struct scale *s, uint64_t at)
{
	const uint64_t width = (WIDTH - 2 * MARGIN) * 100;

	return (uint64_t)((unsigned __int128)(at - s->start) * width / (s->end - s->start)) + MARGIN * 100;
}

static void put_range(FILE *out, const struct vk_diagnosis *d, const struct scale *s, const struct vk_damage_range *r)
{
	uint64_t from = vk_max_u64(r->offset_bytes, s->start);
	uint64_t to = vk_min_u64(r->offset_bytes + r->length_bytes, s->end);
	uint64_t x, width;

	if (from >= to)
		return;
	x = x_of(s, from);
	width = vk_max_u64(x_of(s, to) - x, 100); /* one pixel, or nobody sees a sector */
	fprintf(out, "<rect x=\"%" PRIu64 ".%02" PRIu64 "\" y=\"%u\" width=\"%" PRIu64 ".%02" PRIu64 "\" height=\"%d\" "
		"fill=\"%s\"><title>", x / 100, x % 100, s->y, width / 100, width % 100, BAR, colours[r->damage]);
	vk_report_xml_text(out, r->what);
	fprintf(out, ": %s, sectors %" PRIu64 " to %" PRIu64 "</title></rect>\n", vk_damage_name(r->damage),
		r->offset_bytes / d->sector_size, (r->offset_bytes + r->length_bytes - 1) / d->sector_size);
}

/* What is bad is painted over what is good. */
static void put_bar(FILE *out, const struct vk_diagnosis *d, const struct scale *s, const char *title)
{
	fprintf(out, "<text x=\"%d\" y=\"%u\">", MARGIN, s->y - 6);
	vk_report_xml_text(out, title);
	fprintf(out, "</text>\n<rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%d\" fill=\"#f7f7f7\" "
		"stroke=\"#888888\"><title>not looked at</title></rect>\n", MARGIN, s->y, WIDTH - 2 * MARGIN, BAR);
	for (unsigned rank = 0; rank <= VK_DAMAGE_COUNT; rank++)
		for (size_t i = 0; i < d->range_count; i++)
			if (vk_report_damage_rank(d->ranges[i].damage) == rank)
				put_range(out, d, s, &d->ranges[i]);
}

void vk_report_diagnosis_svg(FILE *out, const struct vk_diagnosis *d)
{
	const uint64_t apart = 64ULL << 20;
	struct scale strips[STRIPS_MAX];
	size_t count = 0;
	unsigned height;
	struct scale disk = {0, d->size_bytes, 90};
	char title[160];

	/* stretches where structures lie, with nothing of more than 64 MiB between them */
	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];
		uint64_t end = r->offset_bytes + r->length_bytes;

		if (count > 0 && r->offset_bytes - strips[count - 1].end <= apart)
			strips[count - 1].end = end;
		else if (count == STRIPS_MAX)
			break;
		else
			strips[count++] = (struct scale){.start = r->offset_bytes, .end = end};
	}
	height = 150 + (unsigned)count * (BAR + 40) + VK_DAMAGE_COUNT * 20 + MARGIN;
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
		     "width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" font-family=\"sans-serif\" font-size=\"12\" "
		     "role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
		WIDTH, height, WIDTH, height);
	vk_report_xml_text(out, d->path);
	fputs("</title>\n<desc id=\"desc\">", out);
	vk_report_xml_text(out, d->headline);
	fprintf(out, "</desc>\n<rect width=\"%d\" height=\"%u\" fill=\"#ffffff\"/>\n<text x=\"%d\" y=\"24\" "
		"font-size=\"16\">", WIDTH, height, MARGIN);
	vk_report_xml_text(out, d->path);
	fprintf(out, "</text>\n<text x=\"%d\" y=\"46\">", MARGIN);
	vk_report_xml_text(out, d->headline);
	fputs("</text>\n", out);
	snprintf(title, sizeof(title), "the whole disk, %" PRIu64 " sectors, to scale", d->size_bytes / d->sector_size);
	if (d->size_bytes > 0)
		put_bar(out, d, &disk, title);
	for (size_t i = 0; i < count; i++) {
		strips[i].y = 90 + (unsigned)(i + 1) * (BAR + 40);
		snprintf(title, sizeof(title), "sectors %" PRIu64 " to %" PRIu64 ", enlarged",
			 strips[i].start / d->sector_size, (strips[i].end - 1) / d->sector_size);
		put_bar(out, d, &strips[i], title);
	}
	for (int i = 0; i < VK_DAMAGE_COUNT; i++) {
		unsigned y = 150 + (unsigned)count * (BAR + 40) + (unsigned)i * 20;

		fprintf(out, "<rect x=\"%d\" y=\"%u\" width=\"14\" height=\"14\" fill=\"%s\"/>\n<text x=\"%d\" "
			"y=\"%u\">%s: ",
			MARGIN, y, colours[i], MARGIN + 22, y + 12, vk_damage_name((enum vk_damage)i));
		vk_report_xml_text(out, vk_damage_meaning((enum vk_damage)i));
		fputs("</text>\n", out);
	}
	fputs("</svg>\n", out);
}
