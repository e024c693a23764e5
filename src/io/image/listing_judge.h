/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which style a listing is in: each that its first row allows is tried on the rows that follow. Offsets that go on by
 * what a row holds, and text columns that are those of the bytes, speak for it.
 */
#ifndef VK_IO_LISTING_JUDGE_H
#define VK_IO_LISTING_JUDGE_H

#include "io/image/listing_row.h"

/* Lines of a listing that are read one after the other under one style. */
struct vk_listing_walk {
	struct vk_listing_style style;
	void *ctx;
	/* false: stop. A row comes when it is whole. */
	bool (*put_row)(void *ctx, const struct vk_listing_row *row, const struct vk_listing_line *line);
	bool (*put_repeat)(void *ctx, const struct vk_listing_line *line);
	bool (*put_end)(void *ctx, uint64_t offset, const struct vk_listing_line *line);
	bool open; /* row waits for what may have been wrapped off it */
	uint64_t next; /* offset of a row that has none */
	struct vk_listing_row row;
	struct vk_listing_line row_line;
	struct vk_listing_line plain; /* a line without its mark-up */
};
enum vk_listing_step {
	VK_LISTING_TAKEN,
	VK_LISTING_IGNORED, /* it is no part of a listing */
	VK_LISTING_FAILED,  /* it looks like a row, but is none of this style */
	VK_LISTING_STOP
};
enum vk_listing_step vk_listing_walk_line(struct vk_listing_walk *walk, const struct vk_listing_line *line);
/* The row that is open goes out; false: stop. */
bool vk_listing_walk_flush(struct vk_listing_walk *walk);

/* What stands around the rows says of them. */
struct vk_listing_hints {
	unsigned radix; /* of offsets; 0: nothing is said */
	bool hexdump;   /* hexdump prints them: its offsets are hexadecimal unless od says otherwise */
	bool xxd;
	bool swapped;   /* xxd -e */
	bool little;    /* the host that printed them has its bytes in little-endian order */
};

enum { VK_LISTING_WINDOW = 64, VK_LISTING_READING_BYTES = 120 };
enum vk_listing_verdict {
	VK_LISTING_NONE,      /* the first row belongs to no listing */
	VK_LISTING_CLEAR,
	VK_LISTING_AMBIGUOUS  /* two styles fit equally, with other offsets or bytes */
};
struct vk_listing_judgement {
	struct vk_listing_style style;
	enum vk_listing_verdict verdict;
	const char *why;  /* what decided between styles that fit equally; NULL or empty: the rows themselves */
	char readings[2][VK_LISTING_READING_BYTES]; /* when ambiguous */
};
/*
 * lines[0] looks like a row. lone: there is nothing else in the text. before: a style that was clear earlier in this
 * text, or NULL.
 */
void vk_listing_judge(const struct vk_listing_line *lines, size_t count, const struct vk_listing_hints *hints,
		      const struct vk_listing_style *before, bool lone, struct vk_listing_walk *scratch,
		      struct vk_listing_judgement *ret);

/* Whether a structure with a magic of its own begins with these bytes; name, or NULL. */
const char *vk_listing_magic(const uint8_t bytes[8]);

#endif
