/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of one text, and the sources that they make: one for each device that the text names. */
#ifndef VK_IO_LISTING_PARTS_H
#define VK_IO_LISTING_PARTS_H

#include "io/image/listing_prose.h"
#include "vmfskit/finding.h"

struct vk_listing_part {
	uint64_t offset;
	uint64_t length;
	size_t at;     /* in the store */
	size_t stored; /* bytes there, the first digits of a group first; at least length */
	bool zeros;    /* nothing in the store */
};
/* Rows of one style, of one device, whose offsets only grow. */
struct vk_listing_section {
	char device[VK_LISTING_NAME_BYTES];
	uint64_t line;
	uint64_t text_offset;
	struct vk_listing_style style;
	struct vk_listing_hints hints;
	bool colon;            /* behind the offsets */
	bool seven;            /* offsets of seven digits, as hexdump and od print them */
	const char *why;       /* what decided the radix */
	bool ambiguous;        /* its rows are not used */
	char readings[2][VK_LISTING_READING_BYTES];
	size_t first_part;
	size_t part_count;
	size_t rows;
	size_t as_printed, swapped; /* rows whose text is only that of the one order */
	enum { VK_ORDER_OPEN, VK_ORDER_PRINTED, VK_ORDER_SWAPPED } order;
};
struct vk_listing_sections {
	struct vk_listing_section *list;
	size_t count;
	struct vk_listing_part *parts;
	size_t part_count;
	uint8_t *store;
};

/*
 * Settle the order of the bytes in each group, by text columns, structures, prompts and listings of the same form; what
 * cannot be settled becomes ambiguous. The store is then in the order of the disk. How it was settled goes to notes.
 */
void vk_listing_settle_order(struct vk_listing_sections *s, struct vk_findings *notes);

/* A source that the sections make. */
struct vk_listing_source {
	char name[VK_LISTING_NAME_BYTES + 32];
	char device[VK_LISTING_NAME_BYTES];
	uint64_t line;
	struct vk_listing_part *parts; /* sorted, not overlapping */
	size_t count;
};
enum { VK_LISTING_SOURCES_MAX = 64 };
/*
 * Share the sections out. A section goes to its device; one that no prompt names to the device before it. One that
 * gives other bytes for a place that is known already begins a source of its own, and that is noted. Free the lists of
 * parts. False: memory ran out.
 */
bool vk_listing_share_out(const struct vk_listing_sections *s, struct vk_listing_source *ret_sources,
			  size_t *ret_count, struct vk_findings *notes);

#endif
