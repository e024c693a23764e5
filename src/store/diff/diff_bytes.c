/* SPDX-License-Identifier: Apache-2.0 */
/* Compares byte by byte what a capture of either side would save, and asks who speaks of what differs. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "store/diff/differ.h"

enum { CHUNK_BYTES = 64 << 10, BLOCK_BYTES = 512, JOIN_BYTES = 16, SHOWN_BYTES = 8 };

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
	size_t now;                     /* index of the sum of the region */
	struct vk_range_set done;       /* what was compared, where the regions of both sides overlap */
	uint8_t bytes[VK_SIDES][CHUNK_BYTES];
};

static void add_range(struct walk *w, uint64_t offset, uint64_t length, bool is_volatile)
{
	struct vk_diff *diff = w->d->diff;
	const struct sum *sum = &w->sums[w->now];
	const struct vk_byte_change range = {offset, length, sum->part, sum->partition, is_volatile};
	struct vk_byte_change *last = diff->range_count > 0 ? &diff->ranges[diff->range_count - 1] : NULL;

	diff->matters = diff->matters || !is_volatile;
	if (last != NULL && last->part == range.part && last->partition == range.partition &&
	    last->is_volatile == is_volatile && offset >= last->offset_bytes + last->length_bytes &&
	    offset - (last->offset_bytes + last->length_bytes) < JOIN_BYTES)
		last->length_bytes = offset + length - last->offset_bytes;
	else if (diff->range_count == VK_BYTE_CHANGES_MAX)
		diff->ranges_dropped++;
	else if (vk_append(&diff->ranges, &diff->range_count, &range, sizeof(range)) == NULL)
		vk_diff_no_memory(w->d);
}

/* Who speaks of the bytes from offset on; *length is cut where that changes. VK_CLAIMS: nobody. */
static enum vk_claim claim_at(struct walk *w, uint64_t offset, uint64_t *length)
{
	const struct sum *sum = &w->sums[w->now];

	for (size_t i = 0; i < w->d->told_count && sum->part != VK_PART_TABLE; i++)
		if (w->d->told[i].partition == sum->partition && w->d->told[i].all)
			return VK_CLAIM_TOLD;
	for (enum vk_claim claim = 0; claim < VK_CLAIMS; claim++)
		if (vk_range_set_holds(&w->d->claims[claim], offset, length))
			return claim;
	return sum->part == VK_PART_HEARTBEATS ? VK_CLAIM_VOLATILE : VK_CLAIMS;
}

/* length bytes at offset all differ; first is the index of the first in the chunk. */
static void take_run(struct walk *w, uint64_t offset, uint64_t length, size_t first)
{
	struct sum *sum = &w->sums[w->now];

	while (length > 0) {
		uint64_t n = length;
		const enum vk_claim claim = claim_at(w, offset, &n);

		if (claim == VK_CLAIM_EXTENTS)
			sum->extent_bytes += n;
		if (claim == VK_CLAIMS && sum->unexplained_bytes == 0)
			sum->first_offset = offset;
		for (uint64_t i = 0; claim == VK_CLAIMS && i < n; i++, sum->unexplained_bytes++)
			for (int side = 0; side < VK_SIDES && sum->unexplained_bytes < SHOWN_BYTES; side++)
				sum->shown[side][sum->unexplained_bytes] = w->bytes[side][first + i];
		add_range(w, offset, n, claim == VK_CLAIM_VOLATILE);
		offset += n;
		first += (size_t)n;
		length -= n;
	}
}

static void compare_chunk(struct walk *w, uint64_t offset, size_t len)
{
	const uint8_t *a = w->bytes[VK_BEFORE], *b = w->bytes[VK_AFTER];

	for (size_t block = 0; block < len; block += BLOCK_BYTES) {
		const size_t end = (size_t)vk_min_u64(block + BLOCK_BYTES, len);

		if (memcmp(a + block, b + block, end - block) == 0)
			continue;
		for (size_t i = block; i < end; i++) {
			const size_t from = i;

			while (i < end && a[i] != b[i])
				i++;
			if (i > from)
				take_run(w, offset + from, i - from, from);
		}
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
	for (int side = 0; side < VK_SIDES; side++) {
		if (spans[side].state == VK_SPAN_ZERO)
			memset(w->bytes[side], 0, (size_t)length);
		else
			got = vk_min_u64(got, vk_diff_read(d, side, offset, w->bytes[side], (size_t)length));
	}
	compare_chunk(w, offset, (size_t)got);
	d->diff->compared_bytes += got;
	if (got == length || d->status != VK_OK)
		return length;
	/* past the sector that could not be read */
	length = got + vk_min_u64(sector - (offset + got) % sector, length - got);
	d->diff->missing_bytes += length - got;
	return length;
}

static size_t sum_of(struct walk *w, const struct vk_region *region)
{
	const struct sum none = {.partition = region->partition, .part = region->part};
	size_t i = 0;

	while (i < w->sum_count && (w->sums[i].partition != none.partition || w->sums[i].part != none.part))
		i++;
	if (i == w->sum_count && vk_append(&w->sums, &w->sum_count, &none, sizeof(none)) == NULL)
		vk_diff_no_memory(w->d);
	return i;
}

/* A region of one side's plan, but for what was compared as one of the other's. */
static void compare_region(struct walk *w, const struct vk_region *region)
{
	const uint64_t end = region->offset_bytes + region->length_bytes;

	w->now = sum_of(w, region);
	for (uint64_t at = region->offset_bytes; at < end && w->d->status == VK_OK;) {
		uint64_t length = end - at;

		at += vk_range_set_holds(&w->done, at, &length) ? length : compare_piece(w, at, length);
	}
}

static const char *subject_of(enum vk_part part)
{
	switch (part) {
	case VK_PART_LVM:
		return "LVM region";
	case VK_PART_VH:
		return "volume header (.vh.sf)";
	case VK_PART_HEARTBEATS:
		return "heartbeat region";
	default:
		return "partition table";
	}
}

static void report_unexplained(struct vk_differ *d, const struct sum *sum)
{
	const struct vk_diff_topic topic = {.partition = sum->partition,
					    .subject = subject_of(sum->part),
					    .field = "bytes that no field explains"};
	const bool one = sum->unexplained_bytes == 1;
	char texts[VK_SIDES][40];

	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text;

		vk_text_init(&text, texts[side], sizeof(texts[side]));
		vk_text_hex(&text, sum->shown[side], (size_t)vk_min_u64(sum->unexplained_bytes, SHOWN_BYTES));
		vk_text_put(&text, sum->unexplained_bytes > SHOWN_BYTES ? "..." : "");
	}
	vk_diff_report(d, &topic, texts[VK_BEFORE], texts[VK_AFTER],
		       "%llu byte%s from 0x%llx on differ%s that no field explains (%s -> %s)",
		       (unsigned long long)sum->unexplained_bytes, one ? "" : "s",
		       (unsigned long long)sum->first_offset, one ? "s" : "", texts[VK_BEFORE], texts[VK_AFTER]);
}

static uint64_t extents_of(const struct vk_source *source, unsigned partition)
{
	for (size_t i = 0; i < source->vmfs_count; i++)
		if (source->vmfs[i].partition == partition)
			return source->vmfs[i].pes.entries_used;
	return 0;
}

/* Extents came or went where the numbers say so; else only how they are placed changed. */
static void report_extents(struct vk_differ *d, const struct sum *sum)
{
	const struct vk_diff_topic topic = {.partition = sum->partition, .subject = "PE table", .field = "extents"};
	const uint64_t before = extents_of(d->side[VK_BEFORE], sum->partition);
	const uint64_t after = extents_of(d->side[VK_AFTER], sum->partition);
	const struct vk_diff_told *told = vk_diff_told(d, sum->partition);

	if (told == NULL || told->extents)
		return;
	if (before != after)
		vk_diff_report_number(d, &topic, before, after);
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

static void report_sums(struct walk *w)
{
	struct vk_diff *diff = w->d->diff;

	if (w->sum_count > 0)
		qsort(w->sums, w->sum_count, sizeof(*w->sums), by_partition_and_part);
	if (diff->range_count > 0)
		qsort(diff->ranges, diff->range_count, sizeof(*diff->ranges), by_offset);
	for (size_t i = 0; i < w->sum_count; i++) {
		if (w->sums[i].extent_bytes > 0)
			report_extents(w->d, &w->sums[i]);
		if (w->sums[i].unexplained_bytes > 0)
			report_unexplained(w->d, &w->sums[i]);
	}
}

static void walk_plan(struct walk *w, const struct vk_capture_plan *plan)
{
	for (size_t i = 0; i < plan->region_count && w->d->status == VK_OK; i++)
		compare_region(w, &plan->regions[i]);
	for (size_t i = 0; i < plan->region_count && w->d->status == VK_OK; i++)
		if (!vk_range_set_add(&w->done, plan->regions[i].offset_bytes, plan->regions[i].length_bytes))
			vk_diff_no_memory(w->d);
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
	report_sums(w);
	vk_range_set_free(&w->done);
	free(w->sums);
	free(w);
}
