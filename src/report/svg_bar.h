/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of a disk as a bar, to scale: for the picture of a diagnosis. */
#ifndef VK_REPORT_SVG_BAR_H
#define VK_REPORT_SVG_BAR_H

#include <stdio.h>

#include "report/doctor_cells.h"

enum {
	VK_SVG_WIDTH = 1000,
	VK_SVG_MARGIN = 20,
	VK_SVG_BAR_WIDTH = VK_SVG_WIDTH - 2 * VK_SVG_MARGIN,
	VK_SVG_SMALL = 11,	 /* size of the font of tables and scales */
	VK_SVG_LEAST = 4,	 /* pixels: no damage is drawn thinner */
};

struct vk_svg_bar {
	uint64_t start_bytes, end_bytes; /* start < end */
	unsigned y;
	bool whole; /* all of the source: with its volumes, and the numbers of what is bad alone */
};

/* With its title, numbers, names and scale; returns where it ends. */
unsigned vk_svg_bar(FILE *out, const struct vk_diagnosis *diagnosis, const struct vk_svg_bar *bar,
		    const struct vk_cell *cells, size_t count);
/* Columns of a font of that size that fit a width; the font has one width, of at most 0.61 of its size. */
size_t vk_svg_columns(unsigned width, unsigned font);
const char *vk_svg_colour(enum vk_damage damage);

#endif
