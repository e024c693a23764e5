/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a comparison share: both sources, the changes so far, and which bytes these explain. */
#ifndef VK_STORE_DIFF_PARTS_H
#define VK_STORE_DIFF_PARTS_H

#include "vmfskit/diff.h"

enum { VK_BEFORE, VK_AFTER, VK_SIDES };

/* What is known of a byte that differs. Where two overlap, the first one counts. */
enum vk_claim {
	VK_CLAIM_TOLD,     /* a change speaks of it */
	VK_CLAIM_VOLATILE, /* it changes by itself */
	VK_CLAIM_EXTENTS,  /* of a PE bitmap or table: all of these are one change */
	VK_CLAIMS
};

struct vk_claimed {
	struct vk_range *items;
	size_t count;
	size_t cap;
};

/* A partition whose bytes are not compared one by one: that it moved, came or went is told. */
struct vk_diff_numbers {
	unsigned *items;
	size_t count;
	size_t cap;
};

struct vk_differ {
	struct vk_source *side[VK_SIDES];
	struct vk_diff *diff;
	size_t change_cap;
	size_t range_cap;
	struct vk_claimed claims[VK_CLAIMS];
	struct vk_diff_numbers moved;
	struct vk_diff_numbers extents_told; /* partitions of which a change of extents is told already */
	bool size_told;
	enum vk_status status;
	struct vk_error *err;
};

/* Whether a field changes by itself, and how people call it. */
struct vk_diff_field {
	const struct vk_layout *layout;
	const char *field;
	const char *alias;  /* NULL: VMware's name */
	const char *reason; /* why it is volatile; NULL: it is not */
};
/* NULL when there is nothing to say about the field. */
const struct vk_diff_field *vk_diff_field_find(const struct vk_layout *layout, const char *field);

/* What a change is about. */
struct vk_diff_topic {
	unsigned partition;
	const char *subject;
	const char *field;
	bool is_volatile;
	bool short_message; /* the field's name says it all: no subject between partition and field */
};
/* "partition 1: SUBJECT: FIELD before -> after" */
void vk_diff_say(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before,
		 const char *after);
/* The same with other words behind "partition 1: SUBJECT: ". */
void vk_diff_say_so(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before,
		    const char *after, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void vk_diff_say_number(struct vk_differ *d, const struct vk_diff_topic *topic, uint64_t before,
			uint64_t after);

void vk_diff_claim(struct vk_differ *d, enum vk_claim claim, uint64_t offset, uint64_t length);
void vk_diff_claim_both(struct vk_differ *d, enum vk_claim claim, const uint64_t at[VK_SIDES],
			uint64_t offset, uint64_t length);
void vk_diff_number_add(struct vk_differ *d, struct vk_diff_numbers *numbers, unsigned number);
/* Bytes that side holds at offset, without a gap, up to len. */
size_t vk_diff_read(struct vk_differ *d, int side, uint64_t offset, void *buf, size_t len);
/* True when memory was got or there is enough; else status is set. */
bool vk_diff_grow(struct vk_differ *d, void **items, size_t count, size_t *cap, size_t size);

/* One structure on both sides, read from the bytes at `at`. */
union vk_diff_struct {
	struct vk_lvm_device device;
	struct vk_lvm_volume volume;
	struct vk_lvm_ext ext;
	struct vk_fs_descriptor fs;
	struct vk_gpt_header gpt;
	struct vk_gpt_entry entry;
	struct vk_mbr_entry mbr_entry;
};
struct vk_diff_structure {
	const struct vk_layout *layout;
	const char *subject;
	unsigned partition;
	uint64_t at[VK_SIDES];
	bool (*is_one)(const uint8_t *bytes); /* of layout->size bytes: there is one at all */
	/* whether a change of the field follows from another that is told; may be NULL */
	bool (*follows)(const struct vk_diff_structure *structure, const struct vk_field *field);
	const void *context; /* for follows */
	/* filled by the comparison */
	bool held[VK_SIDES];
	bool present[VK_SIDES];
	uint8_t bytes[VK_SIDES][512];
	union vk_diff_struct decoded[VK_SIDES];
};
/* False when it is not there on both sides; what that means is told. */
bool vk_diff_structure(struct vk_differ *d, struct vk_diff_structure *structure);
/* Whether the bytes of the named field differ. */
bool vk_diff_field_differs(const struct vk_diff_structure *structure, const char *field);

void vk_diff_table(struct vk_differ *d);
void vk_diff_partitions(struct vk_differ *d);
void vk_diff_gpt(struct vk_differ *d);
void vk_diff_vmfs(struct vk_differ *d);
void vk_diff_disk_id(struct vk_differ *d, const struct vk_diff_structure *header);
/* at: where slot 0 lies on each side; the region begins at that volume offset. */
void vk_diff_heartbeats(struct vk_differ *d, unsigned partition, const uint64_t at[VK_SIDES],
			const struct vk_fs_geometry *geometry);
bool vk_diff_unrelated(struct vk_differ *d);
/* Over all bytes that a capture of either would save. */
void vk_diff_bytes(struct vk_differ *d);

/* The same thing on both sides; an index is SIZE_MAX where there is none. */
struct vk_diff_pair {
	size_t index[VK_SIDES];
};
struct vk_diff_key {
	uint64_t start_bytes;
	uint64_t number;
	size_t index;
};
/*
 * Pair two lists: by start and number, then by start, then by number. keys are reordered. Returns how many; free
 * ret_pairs.
 */
size_t vk_diff_match(struct vk_differ *d, struct vk_diff_key *keys[VK_SIDES],
		     const size_t counts[VK_SIDES], struct vk_diff_pair **ret_pairs);

#endif
