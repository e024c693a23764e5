/* SPDX-License-Identifier: Apache-2.0 */
/* Compares byte by byte what a capture of either side would save, and asks who speaks of what differs. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "store/diff/differ.h"

enum { CHUNK_BYTES = 64 << 10, JOIN_BYTES = 16, SHOWN_BYTES = 8 };

/* What differs in one part of a partition and is told by nobody, or only as extents. */
struct sum {
	unsigned partition;
	enum vk_part part;
	uint64_t unexplained_bytes;
	uint64_t first_offset;
	uint8_t shown[VK_SIDES][SHOWN_BYTES];
	uint64_t extent_bytes;
};

struct walk {
	struct vk_differ *d;
	struct sum *sums;
	size_t sum_count;
	struct sum *now;          /* of the region */
	struct vk_range_set done; /* what was compared, where the regions of both sides overlap */
	uint8_t bytes[VK_SIDES][CHUNK_BYTES];
};

/* length bytes at offset all differ; first is the index of the first in the chunk. */
static void take_run(struct walk *w, uint64_t offset, uint64_t length, size_t first)
{
	struct vk_diff *diff = w->d->diff;
	struct sum *sum = w->now;

	for (uint64_t n; length > 0; offset += n, first += (size_t)n, length -= n) {
		struct vk_byte_change *last = diff->range_count > 0 ? &diff->ranges[diff->range_count - 1] : NULL;
		struct vk_byte_change range = {.offset_bytes = offset, .part = sum->part, .partition = sum->partition};
		enum vk_claim claim = 0;

		/* who speaks of the bytes from offset on, and how far */
		n = length;
		while (claim < VK_CLAIMS && !vk_range_set_holds(&w->d->claims[claim], offset, &n))
			claim++;
		if (claim == VK_CLAIM_EXTENTS)
			sum->extent_bytes += n;
		if (claim == VK_CLAIMS && sum->part == VK_PART_HEARTBEATS)
			claim = VK_CLAIM_VOLATILE;
		if (claim == VK_CLAIMS && sum->unexplained_bytes == 0)
			sum->first_offset = offset;
		for (uint64_t i = 0; claim == VK_CLAIMS && i < n; i++, sum->unexplained_bytes++)
			for (int side = 0; side < VK_SIDES && sum->unexplained_bytes < SHOWN_BYTES; side++)
				sum->shown[side][sum->unexplained_bytes] = w->bytes[side][first + i];
		range.length_bytes = n;
		range.is_volatile = claim == VK_CLAIM_VOLATILE;
		diff->matters = diff->matters || !range.is_volatile;
		if (last != NULL && last->part == range.part && last->partition == range.partition &&
		    last->is_volatile == range.is_volatile && offset >= last->offset_bytes + last->length_bytes &&
		    offset - (last->offset_bytes + last->length_bytes) < JOIN_BYTES)
			last->length_bytes = offset + n - last->offset_bytes;
		else if (diff->range_count == VK_BYTE_CHANGES_MAX)
			diff->ranges_dropped++;
		else if (vk_append(&diff->ranges, &diff->range_count, &range, sizeof(range)) == NULL)
			vk_diff_no_memory(w->d);
	}
}

static bool is_there(struct vk_span span)
{
	return span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO;
}

/* Compare up to length bytes, as far as both sides are of one kind. Returns how many are done with. */
static uint64_t compare_piece(struct walk *w, uint64_t offset, uint64_t length)
{
	struct vk_differ *d = w->d;
	const uint8_t *a = w->bytes[VK_BEFORE], *b = w->bytes[VK_AFTER];
	const uint32_t sector = d->side[VK_BEFORE]->sector_size;
	struct vk_span spans[VK_SIDES];
	uint64_t got;

	for (int side = 0; side < VK_SIDES; side++) {
		spans[side] = vk_io_span(d->side[side]->io, offset);
		if (spans[side].length_bytes > 0)
			length = vk_min_u64(length, spans[side].length_bytes);
	}
	if (!is_there(spans[VK_BEFORE]) || !is_there(spans[VK_AFTER])) {
		if (is_there(spans[VK_BEFORE]) || is_there(spans[VK_AFTER]))
			d->diff->missing_bytes += length;
		return length;
	}
	if (spans[VK_BEFORE].state == VK_SPAN_ZERO && spans[VK_AFTER].state == VK_SPAN_ZERO) {
		d->diff->compared_bytes += length;
		return length;
	}
	got = length = vk_min_u64(length, CHUNK_BYTES);
	for (int side = 0; side < VK_SIDES; side++)
		got = vk_min_u64(got, vk_diff_read(d, side, offset, w->bytes[side], (size_t)length));
	/* nothing of most pieces differs */
	for (size_t i = memcmp(a, b, (size_t)got) == 0 ? got : 0, from; i < got; i++) {
		for (from = i; i < got && a[i] != b[i];)
			i++;
		if (i > from)
			take_run(w, offset + from, i - from, from);
	}
	d->diff->compared_bytes += got;
	if (got == length || d->status != VK_OK)
		return length;
	/* past the sector that could not be read */
	length = got + vk_min_u64(sector - (offset + got) % sector, length - got);
	d->diff->missing_bytes += length - got;
	return length;
}

/* The regions of one side's plan, but for what was compared as one of the other's. */
static void walk_plan(struct walk *w, const struct vk_capture_plan *plan)
{
	struct vk_differ *d = w->d;

	for (size_t i = 0; i < plan->region_count && d->status == VK_OK; i++) {
		const struct vk_region *region = &plan->regions[i];
		const uint64_t end = region->offset_bytes + region->length_bytes;
		const struct sum none = {.partition = region->partition, .part = region->part};

		w->now = NULL;
		for (size_t k = 0; k < w->sum_count && w->now == NULL; k++)
			if (w->sums[k].partition == none.partition && w->sums[k].part == none.part)
				w->now = &w->sums[k];
		if (w->now == NULL)
			w->now = vk_append(&w->sums, &w->sum_count, &none, sizeof(none));
		if (w->now == NULL)
			vk_diff_no_memory(d);
		for (uint64_t at = region->offset_bytes, length; at < end && d->status == VK_OK; at += length) {
			length = end - at;
			if (!vk_range_set_holds(&w->done, at, &length))
				length = compare_piece(w, at, length);
		}
	}
	for (size_t i = 0; i < plan->region_count && d->status == VK_OK; i++)
		if (!vk_range_set_add(&w->done, plan->regions[i].offset_bytes, plan->regions[i].length_bytes))
			vk_diff_no_memory(d);
}

static void report_unexplained(struct vk_differ *d, const struct sum *sum)
{
	static const char *const subjects[] = {[VK_PART_TABLE] = "partition table",
					       [VK_PART_LVM] = "LVM region",
					       [VK_PART_VH] = "volume header (.vh.sf)",
					       [VK_PART_HEARTBEATS] = "heartbeat region"};
	const struct vk_diff_topic topic = {.partition = sum->partition,
					    .subject = subjects[sum->part],
					    .field = "bytes that no field explains"};
	const bool one = sum->unexplained_bytes == 1;
	char texts[VK_SIDES][40];

	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text = vk_text_in(texts[side], sizeof(texts[side]));

		vk_text_hex(&text, sum->shown[side], (size_t)vk_min_u64(sum->unexplained_bytes, SHOWN_BYTES));
		vk_text_put(&text, sum->unexplained_bytes > SHOWN_BYTES ? "..." : "");
	}
	vk_diff_report(d, &topic, texts[VK_BEFORE], texts[VK_AFTER],
		       "%llu byte%s from 0x%llx on differ%s that no field explains (%s -> %s)",
		       (unsigned long long)sum->unexplained_bytes, one ? "" : "s",
		       (unsigned long long)sum->first_offset, one ? "s" : "", texts[VK_BEFORE], texts[VK_AFTER]);
}

/* Extents came or went where the numbers say so; else only how they are placed changed. */
static void report_extents(struct vk_differ *d, const struct sum *sum)
{
	const struct vk_diff_topic topic = {.partition = sum->partition, .subject = "PE table", .field = "extents"};
	uint64_t used[VK_SIDES] = {0, 0};

	for (int side = 0; side < VK_SIDES; side++)
		for (size_t i = d->side[side]->vmfs_count; i-- > 0;)
			if (d->side[side]->vmfs[i].partition == sum->partition)
				used[side] = d->side[side]->vmfs[i].pes.entries_used;
	if (used[VK_BEFORE] != used[VK_AFTER])
		vk_diff_report_number(d, &topic, used[VK_BEFORE], used[VK_AFTER]);
	else
		vk_diff_report(d, &topic, "", "", "%llu byte%s of the extents' places differ%s",
			       (unsigned long long)sum->extent_bytes, sum->extent_bytes == 1 ? "" : "s",
			       sum->extent_bytes == 1 ? "s" : "");
}

static int by_partition_and_part(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return x->partition != y->partition ? (x->partition < y->partition ? -1 : 1) : (int)x->part - (int)y->part;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_byte_change *x = a, *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

void vk_diff_bytes(struct vk_differ *d)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		vk_diff_no_memory(d);
		return;
	}
	w->d = d;
	walk_plan(w, &d->plans[VK_BEFORE]);
	walk_plan(w, &d->plans[VK_AFTER]);
	if (w->sum_count > 0)
		qsort(w->sums, w->sum_count, sizeof(*w->sums), by_partition_and_part);
	if (d->diff->range_count > 0)
		qsort(d->diff->ranges, d->diff->range_count, sizeof(*d->diff->ranges), by_offset);
	for (size_t i = 0; i < w->sum_count; i++) {
		if (w->sums[i].extent_bytes > 0)
			report_extents(d, &w->sums[i]);
		if (w->sums[i].unexplained_bytes > 0)
			report_unexplained(d, &w->sums[i]);
	}
	vk_range_set_free(&w->done);
	free(w->sums);
	free(w);
}
