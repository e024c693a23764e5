/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan knows so far: enough to go on from the same place with the same result. */
#ifndef VK_FIND_SCAN_STATE_H
#define VK_FIND_SCAN_STATE_H

#include "find/scan/scan.h"
#include "find/scan/scan_votes.h"
#include "io/range_set.h"

/* Ranges behind these are joined with the last one: a dying disk may consist of nothing else. */
enum { VK_SCAN_RANGES_MAX = 65536 };

/*
 * A block that holds something, as it was when it was read: by these a state is held against the disk when it goes on.
 */
struct vk_scan_sample {
	uint64_t offset_bytes;
	uint32_t crc; /* of its 512 bytes */
};
enum { VK_SCAN_SAMPLES_MAX = 64 };

struct vk_scan_state {
	uint64_t position;        /* on the disk: all before it is done */
	uint64_t saved_s;         /* when it was saved last with something new, in seconds since 1970; 0: never */
	struct vk_scan_sample samples[VK_SCAN_SAMPLES_MAX]; /* in order of offset */
	size_t sample_count;
	uint64_t sample_stride;   /* the distance of two, at least */
	uint64_t next_sample;     /* where the next one may be */
	uint64_t scanned_bytes;
	uint64_t holes_bytes;
	struct vk_mark *marks;
	size_t mark_count;
	size_t gpt_marks;         /* of these */
	uint64_t marks_left_out;
	struct vk_tallies tallies;
	struct vk_range_set unreadable;
};

/* False when memory ran out; free it all the same. */
VK_MUST_USE bool vk_scan_state_init(struct vk_scan_state *state, uint64_t position);
void vk_scan_state_free(struct vk_scan_state *state);
/* These come in order of offset. False when memory ran out. */
VK_MUST_USE bool vk_scan_state_mark(struct vk_scan_state *state, enum vk_mark_kind kind, uint64_t offset);
VK_MUST_USE bool vk_scan_state_unreadable(struct vk_scan_state *state, uint64_t offset, uint64_t length);
/* Look at every 512-byte boundary of the disk in the bytes from offset on. False when memory ran out. */
VK_MUST_USE bool vk_scan_state_search(struct vk_scan_state *state, const uint8_t *bytes, size_t len, uint64_t offset);

/* How far apart samples of a range of that many bytes are at least, so that they do not run out before its end. */
uint64_t vk_scan_sample_stride(uint64_t length_bytes);
/* Note a block that holds something, in the bytes from offset on, where one is due. */
void vk_scan_state_sample(struct vk_scan_state *state, const uint8_t *bytes, size_t len, uint64_t offset);

/* No volume is larger than 64 TiB; a volume offset is not twice as much. */
#define VK_SCAN_ADDR_MAX ((uint64_t)1 << 47)

#endif
