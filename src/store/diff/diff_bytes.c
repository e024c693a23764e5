/* SPDX-License-Identifier: Apache-2.0 */
/* Compares byte by byte what a capture of either side would save, and asks who speaks of what differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/diff_parts.h"

enum { CHUNK_BYTES = 64 << 10, JOIN_BYTES = 16, SHOWN_BYTES = 8 };

/* What differs in one part of a partition and is told by nobody, or only as extents. */
struct tally {
	unsigned partition;
	enum vk_part part;
	uint64_t unexplained_bytes;
	uint64_t first_offset;
	uint8_t shown[VK_SIDES][SHOWN_BYTES];
	uint64_t extent_bytes;
};

struct walk {
	struct vk_differ *d;
	struct tally *tallies;
	size_t tally_count;
	size_t tally_cap;
	struct tally now; /* of the segment */
	bool told;        /* all of the segment's partition is */
	uint8_t bytes[VK_SIDES][CHUNK_BYTES];
};

static int by_offset(const void *a, const void *b)
{
	const struct vk_range *x = a, *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

/* Sorted and joined, so that they can be searched. */
static void settle_claims(struct vk_claimed *list)
{
	size_t kept = 0;

	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), by_offset);
	for (size_t i = 0; i < list->count; i++) {
		struct vk_range *last = kept > 0 ? &list->items[kept - 1] : NULL;
		uint64_t end = vk_add_sat(list->items[i].offset_bytes, list->items[i].length_bytes);

		if (last != NULL && list->items[i].offset_bytes <= last->offset_bytes + last->length_bytes)
			last->length_bytes = vk_max_u64(end, last->offset_bytes + last->length_bytes) -
					     last->offset_bytes;
		else
			list->items[kept++] = (struct vk_range){list->items[i].offset_bytes,
								end - list->items[i].offset_bytes};
	}
	list->count = kept;
}

/* Whether offset is claimed; *length is cut where that changes. */
static bool is_claimed(const struct vk_claimed *list, uint64_t offset, uint64_t *length)
{
	size_t low = 0, high = list->count;
	const struct vk_range *range;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct vk_range *r = &list->items[middle];

		if (r->offset_bytes + r->length_bytes <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count)
		return false;
	range = &list->items[low];
	if (range->offset_bytes > offset) {
		*length = vk_min_u64(*length, range->offset_bytes - offset);
		return false;
	}
	*length = vk_min_u64(*length, range->offset_bytes + range->length_bytes - offset);
	return true;
}

static void add_range(struct walk *w, uint64_t offset, uint64_t length, bool is_volatile)
{
	struct vk_differ *d = w->d;
	struct vk_diff *diff = d->diff;
	struct vk_byte_change *last = diff->range_count > 0 ? &diff->ranges[diff->range_count - 1] : NULL;

	if (!is_volatile)
		diff->matters = true;
	if (last != NULL && last->part == w->now.part && last->partition == w->now.partition &&
	    last->is_volatile == is_volatile &&
	    offset - (last->offset_bytes + last->length_bytes) < JOIN_BYTES) {
		last->length_bytes = offset + length - last->offset_bytes;
		return;
	}
	if (diff->range_count == VK_BYTE_CHANGES_MAX)
		diff->ranges_dropped++;
	else if (vk_diff_grow(d, (void **)&diff->ranges, diff->range_count, &d->range_cap,
			      sizeof(*diff->ranges)))
		diff->ranges[diff->range_count++] = (struct vk_byte_change){
			offset, length, w->now.part, w->now.partition, is_volatile};
}

/* length bytes at offset all differ; first is the index of the first in the chunk. */
static void take_run(struct walk *w, uint64_t offset, uint64_t length, size_t first)
{
	while (length > 0) {
		uint64_t n = length;
		struct tally *t = &w->now;
		bool is_volatile = false;

		if (!w->told && !is_claimed(&w->d->claims[VK_CLAIM_TOLD], offset, &n)) {
			if (is_claimed(&w->d->claims[VK_CLAIM_VOLATILE], offset, &n)) {
				is_volatile = true;
			} else if (is_claimed(&w->d->claims[VK_CLAIM_EXTENTS], offset, &n)) {
				t->extent_bytes += n;
			} else if (t->part == VK_PART_HEARTBEATS) {
				is_volatile = true;
			} else {
				if (t->unexplained_bytes == 0)
					t->first_offset = offset;
				for (uint64_t i = 0; i < n && t->unexplained_bytes + i < SHOWN_BYTES; i++)
					for (int side = 0; side < VK_SIDES; side++)
						t->shown[side][t->unexplained_bytes + i] =
							w->bytes[side][first + i];
				t->unexplained_bytes += n;
			}
		}
		add_range(w, offset, n, is_volatile);
		offset += n;
		first += (size_t)n;
		length -= n;
	}
}

static void compare_chunk(struct walk *w, uint64_t offset, size_t len)
{
	const uint8_t *a = w->bytes[VK_BEFORE], *b = w->bytes[VK_AFTER];
	enum { BLOCK = 512 };

	for (size_t block = 0; block < len; block += BLOCK) {
		size_t end = (size_t)vk_min_u64(block + BLOCK, len);

		if (memcmp(a + block, b + block, end - block) == 0)
			continue;
		for (size_t i = block; i < end; i++) {
			size_t from = i;

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

/* Read what the spans promise; returns how much both delivered. */
static size_t read_both(struct walk *w, const struct vk_span spans[VK_SIDES], uint64_t offset, size_t len)
{
	size_t got = len;

	for (int side = 0; side < VK_SIDES; side++) {
		if (spans[side].state == VK_SPAN_ZERO)
			memset(w->bytes[side], 0, len);
		else
			got = (size_t)vk_min_u64(got, vk_diff_read(w->d, side, offset, w->bytes[side], len));
	}
	return got;
}

static void compare_segment(struct walk *w, uint64_t start, uint64_t end)
{
	struct vk_differ *d = w->d;
	uint32_t step = d->side[VK_BEFORE]->sector_size;

	while (start < end && d->status == VK_OK) {
		struct vk_span spans[VK_SIDES];
		uint64_t n = end - start;
		size_t got;

		for (int side = 0; side < VK_SIDES; side++) {
			spans[side] = vk_io_span(d->side[side]->io, start);
			if (spans[side].length_bytes > 0)
				n = vk_min_u64(n, spans[side].length_bytes);
		}
		if (!is_there(spans[VK_BEFORE]) || !is_there(spans[VK_AFTER])) {
			if (is_there(spans[VK_BEFORE]) || is_there(spans[VK_AFTER]))
				d->diff->missing_bytes += n;
			start += n;
			continue;
		}
		if (spans[VK_BEFORE].state == VK_SPAN_ZERO && spans[VK_AFTER].state == VK_SPAN_ZERO) {
			d->diff->compared_bytes += n;
			start += n;
			continue;
		}
		n = vk_min_u64(n, CHUNK_BYTES);
		got = read_both(w, spans, start, (size_t)n);
		compare_chunk(w, start, got);
		d->diff->compared_bytes += got;
		start += got;
		if (got < n && d->status == VK_OK) {
			uint64_t lost = vk_min_u64(step - start % step, end - start);

			d->diff->missing_bytes += lost;
			start += lost;
		}
	}
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool has_number(const struct vk_diff_numbers *numbers, unsigned number)
{
	return numbers->count > 0 && bsearch(&number, numbers->items, numbers->count,
					     sizeof(number), by_number) != NULL;
}

static void sort_numbers(struct vk_diff_numbers *numbers)
{
	if (numbers->count > 0)
		qsort(numbers->items, numbers->count, sizeof(*numbers->items), by_number);
}

/* Compare start to end, which is a piece of region. */
static void take_segment(struct walk *w, const struct vk_region *region, uint64_t start, uint64_t end)
{
	w->now = (struct tally){.partition = region->partition, .part = region->part};
	w->told = region->part != VK_PART_TABLE && has_number(&w->d->moved, region->partition);
	compare_segment(w, start, end);
	if (w->now.unexplained_bytes + w->now.extent_bytes > 0 &&
	    vk_diff_grow(w->d, (void **)&w->tallies, w->tally_count, &w->tally_cap, sizeof(*w->tallies)))
		w->tallies[w->tally_count++] = w->now;
}

static uint64_t end_of(const struct vk_region *region)
{
	return region->offset_bytes + region->length_bytes;
}

/* All bytes that either plan names, once. Regions of one plan are sorted and do not overlap. */
static void walk_union(struct walk *w, const struct vk_capture_plan plans[VK_SIDES])
{
	size_t next[VK_SIDES] = {0};
	uint64_t at = 0;

	while (w->d->status == VK_OK) {
		const struct vk_region *here = NULL;
		uint64_t start = UINT64_MAX, stop = UINT64_MAX;

		for (int side = 0; side < VK_SIDES; side++) {
			const struct vk_region *r;

			while (next[side] < plans[side].region_count &&
			       end_of(&plans[side].regions[next[side]]) <= at)
				next[side]++;
			if (next[side] == plans[side].region_count)
				continue;
			r = &plans[side].regions[next[side]];
			if (vk_max_u64(r->offset_bytes, at) < start) {
				stop = vk_min_u64(start, end_of(r));
				start = vk_max_u64(r->offset_bytes, at);
				here = r;
			} else if (r->offset_bytes > start) {
				stop = vk_min_u64(stop, r->offset_bytes);
			}
		}
		if (here == NULL)
			return;
		stop = vk_min_u64(stop, end_of(here));
		take_segment(w, here, start, stop);
		at = stop;
	}
}

static int by_partition_and_part(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return x->first_offset < y->first_offset ? -1 : x->first_offset > y->first_offset;
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

static void tell_unexplained(struct walk *w, const struct tally *t)
{
	const struct vk_diff_topic topic = {.partition = t->partition,
					    .subject = subject_of(t->part),
					    .field = "bytes that no field explains"};
	uint64_t shown = vk_min_u64(t->unexplained_bytes, SHOWN_BYTES);
	char texts[VK_SIDES][40];

	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text;

		vk_text_init(&text, texts[side], sizeof(texts[side]));
		vk_text_hex(&text, t->shown[side], (size_t)shown);
		if (shown < t->unexplained_bytes)
			vk_text_put(&text, "...");
	}
	vk_diff_say_so(w->d, &topic, texts[VK_BEFORE], texts[VK_AFTER],
		       "%llu byte%s from 0x%llx on differ%s that no field explains (%s -> %s)",
		       (unsigned long long)t->unexplained_bytes, t->unexplained_bytes == 1 ? "" : "s",
		       (unsigned long long)t->first_offset, t->unexplained_bytes == 1 ? "s" : "",
		       texts[VK_BEFORE], texts[VK_AFTER]);
}

static const struct vk_vmfs *find_vmfs(const struct vk_source *source, unsigned partition)
{
	for (size_t i = 0; i < source->vmfs_count; i++)
		if (source->vmfs[i].partition == partition)
			return &source->vmfs[i];
	return NULL;
}

/* Extents came or went where the numbers say so; else only how they are placed changed. */
static void tell_extents(struct walk *w, const struct tally *t)
{
	const struct vk_diff_topic topic = {
		.partition = t->partition, .subject = "PE table", .field = "extents"};
	uint64_t used[VK_SIDES] = {0};

	if (has_number(&w->d->extents_told, t->partition))
		return;
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *v = find_vmfs(w->d->side[side], t->partition);

		if (v != NULL)
			used[side] = v->pes.entries_used;
	}
	if (used[VK_BEFORE] != used[VK_AFTER])
		vk_diff_say_number(w->d, &topic, used[VK_BEFORE], used[VK_AFTER]);
	else
		vk_diff_say_so(w->d, &topic, "", "", "%llu byte%s of the extents' places differ%s",
			       (unsigned long long)t->extent_bytes, t->extent_bytes == 1 ? "" : "s",
			       t->extent_bytes == 1 ? "s" : "");
}

static void tell_tallies(struct walk *w)
{
	if (w->tally_count > 0)
		qsort(w->tallies, w->tally_count, sizeof(*w->tallies), by_partition_and_part);
	for (size_t i = 0; i < w->tally_count; i++) {
		struct tally sum = w->tallies[i];

		while (i + 1 < w->tally_count && w->tallies[i + 1].partition == sum.partition &&
		       w->tallies[i + 1].part == sum.part) {
			const struct tally *more = &w->tallies[++i];

			if (sum.unexplained_bytes == 0) {
				sum.first_offset = more->first_offset;
				memcpy(sum.shown, more->shown, sizeof(sum.shown));
			}
			sum.unexplained_bytes += more->unexplained_bytes;
			sum.extent_bytes += more->extent_bytes;
		}
		if (sum.extent_bytes > 0)
			tell_extents(w, &sum);
		if (sum.unexplained_bytes > 0)
			tell_unexplained(w, &sum);
	}
}

void vk_diff_bytes(struct vk_differ *d)
{
	struct vk_capture_plan plans[VK_SIDES] = {{0}};
	struct walk *w = d->status == VK_OK ? calloc(1, sizeof(*w)) : NULL;

	if (w == NULL && d->status == VK_OK)
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
	for (int side = 0; side < VK_SIDES && d->status == VK_OK; side++)
		d->status = vk_capture_plan(d->side[side], &plans[side], d->err);
	if (d->status == VK_OK) {
		w->d = d;
		for (int i = 0; i < VK_CLAIMS; i++)
			settle_claims(&d->claims[i]);
		sort_numbers(&d->moved);
		sort_numbers(&d->extents_told);
		walk_union(w, plans);
		tell_tallies(w);
	}
	for (int side = 0; side < VK_SIDES; side++)
		vk_capture_plan_free(&plans[side]);
	if (w != NULL)
		free(w->tallies);
	free(w);
}
