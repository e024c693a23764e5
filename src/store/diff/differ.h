/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a comparison share: both sources, the changes so far, and which bytes these explain. */
#ifndef VK_STORE_DIFF_DIFFER_H
#define VK_STORE_DIFF_DIFFER_H

#include "io/range_set.h"
#include "vmfskit/diff.h"

enum { VK_BEFORE, VK_AFTER, VK_SIDES };
enum { VK_DIFF_TEXT_BYTES = 200 };

/* What is known of a byte that differs. Where two overlap, the first one counts. */
enum vk_claim {
	VK_CLAIM_TOLD,     /* a change speaks of it */
	VK_CLAIM_VOLATILE, /* it changes by itself */
	VK_CLAIM_EXTENTS,  /* of a PE bitmap or table: all of these are one change */
	VK_CLAIMS
};

struct vk_differ {
	struct vk_source *side[VK_SIDES];
	struct vk_diff *diff;
	struct vk_capture_plan plans[VK_SIDES]; /* what a capture of each would save: all that is compared */
	struct vk_range_set claims[VK_CLAIMS];
	bool size_told;        /* that the disk is longer or shorter, or that follows from a listing's length */
	bool partial[VK_SIDES];/* a listing with gaps, or of a part: where it ends the disk does not */
	enum vk_status status; /* the first failure; nothing is done after it */
	struct vk_error *err;
};

void vk_diff_no_memory(struct vk_differ *d);
/* Bytes that side holds at offset, without a gap, up to len. */
size_t vk_diff_read(struct vk_differ *d, int side, uint64_t offset, void *buf, size_t len);
void vk_diff_claim(struct vk_differ *d, enum vk_claim claim, uint64_t offset, uint64_t length);
void vk_diff_claim_both(struct vk_differ *d, enum vk_claim claim, const uint64_t at[VK_SIDES], uint64_t offset,
			uint64_t length);
/* All that a capture saves of the partition: it moved, came or went, which is told as a whole. */
void vk_diff_claim_partition(struct vk_differ *d, unsigned partition);

/* What a change is about. */
struct vk_diff_topic {
	unsigned partition;
	const char *subject;
	const char *field;
	bool is_volatile;
	bool short_message; /* the field's name says it all: no subject between partition and field */
};
/* "partition 1: SUBJECT: FIELD before -> after"; with words those stand behind the subject. */
void vk_diff_report(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before, const char *after,
		    const char *words, ...) __attribute__((format(printf, 5, 6)));
void vk_diff_report_number(struct vk_differ *d, const struct vk_diff_topic *topic, uint64_t before, uint64_t after);
/* Changes so far, those that are too many to be kept, too. */
size_t vk_diff_count(const struct vk_differ *d);

/* One structure on both sides: the rows of a layout, and the bytes that they lie in. */
struct vk_diff_structure {
	const struct vk_layout *layout;
	struct vk_diff_topic topic;     /* field, is_volatile and short_message are those of each row */
	const uint8_t *bytes[VK_SIDES]; /* layout->size of them */
	const uint64_t *at;             /* of each side: where they lie, to claim them; NULL: somebody else does */
	const char *silent[4];          /* rows whose change follows from what is told already */
};
/* One change for each row that differs and follows from nothing else. */
void vk_diff_rows(struct vk_differ *d, const struct vk_diff_structure *s);
/* Whether the bytes of the named row differ. */
bool vk_diff_row_differs(const struct vk_diff_structure *s, const char *row);
/* What people call a row; its own name for most; NULL: it is not told by itself. */
const char *vk_diff_row_called(const struct vk_layout *layout, const char *row);

/* Partitions of both sides, of which it must be found out which is which. */
struct vk_diff_lists {
	const void *items[VK_SIDES];
	size_t counts[VK_SIDES];
	size_t item_bytes;
	/* where it begins, and its number */
	uint64_t (*start_of)(const struct vk_differ *d, int side, const void *item, unsigned *ret_number);
	void (*compare)(struct vk_differ *d, const void *before, const void *after); /* NULL where there is none */
};
/* Compare each pair: same start and number, or the same start, or the same number; then what has no partner. */
void vk_diff_pairs(struct vk_differ *d, const struct vk_diff_lists *lists);

void vk_diff_table(struct vk_differ *d);
void vk_diff_partitions(struct vk_differ *d);
void vk_diff_vmfs(struct vk_differ *d);
/* Over all bytes that a capture of either would save. */
void vk_diff_bytes(struct vk_differ *d);

#endif
