/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of metadata, gathered in any order, made a list in which each byte is once. */
#include <stdlib.h>

#include "base/checked.h"
#include "fs/metadata.h"

const char *vk_fs_metadata_kind_name(enum vk_fs_metadata_kind kind)
{
	static const char *const names[] = {"heartbeats", "header", "resource files", "block bitmaps",
					    "file descriptors", "pointer blocks", "folders", "symbolic links",
					    "small files", "journals"};

	return kind < VK_METADATA_KINDS ? names[kind] : "unknown";
}

static int by_place(const void *a, const void *b)
{
	const struct vk_fs_metadata_range *x = a, *y = b;

	if (x->volume_offset != y->volume_offset)
		return x->volume_offset < y->volume_offset ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->length_bytes < y->length_bytes ? -1 : x->length_bytes > y->length_bytes;
}

static uint64_t end_of(const struct vk_fs_metadata_range *r)
{
	return r->volume_offset + r->length_bytes;
}

/* The list that is made: at most two ranges for each that was gathered. */
struct settling {
	struct vk_fs_metadata *to;
	unsigned kinds;
};

static void put_range(struct settling *s, const struct vk_fs_metadata_range *r)
{
	struct vk_fs_metadata *to = s->to;
	struct vk_fs_metadata_range *last = to->count > 0 ? &to->ranges[to->count - 1] : NULL;

	if ((s->kinds & 1U << r->kind) == 0)
		return;
	to->bytes[r->kind] += r->length_bytes;
	to->total_bytes += r->length_bytes;
	to->end_bytes = end_of(r);
	if (last != NULL && end_of(last) == r->volume_offset && last->kind == r->kind && last->owner == r->owner)
		last->length_bytes += r->length_bytes;
	else
		to->ranges[to->count++] = *r;
}

/* One pass from the begin to the end of the volume: of each kind the range that reaches furthest is open. */
static void sweep(struct settling *s, const struct vk_fs_metadata_range *from, size_t count)
{
	struct vk_fs_metadata_range open[VK_METADATA_KINDS] = {{.length_bytes = 0}};
	uint64_t at = 0;
	size_t next = 0;

	for (;;) {
		struct vk_fs_metadata_range piece = {.kind = VK_METADATA_KINDS};
		uint64_t end = next < count ? from[next].volume_offset : UINT64_MAX;

		for (unsigned k = 0; k < VK_METADATA_KINDS && piece.kind == VK_METADATA_KINDS; k++)
			if (end_of(&open[k]) > at)
				piece = open[k];
		if (piece.kind != VK_METADATA_KINDS && end > at) {
			end = vk_min_u64(end, end_of(&piece));
			piece.volume_offset = at;
			piece.length_bytes = end - at;
			put_range(s, &piece);
		} else if (next == count) {
			return;
		}
		at = vk_max_u64(at, end);
		for (; next < count && from[next].volume_offset <= at; next++)
			if (end_of(&from[next]) > end_of(&open[from[next].kind]))
				open[from[next].kind] = from[next];
	}
}

bool vk_fs_metadata_settle(struct vk_fs_metadata *metadata, unsigned kinds)
{
	struct vk_fs_metadata out = {.unfinished = metadata->unfinished, .unknown = metadata->unknown};
	struct settling s = {&out, kinds};
	struct vk_fs_metadata_range *fitted;

	out.ranges = calloc(2 * metadata->count + 1, sizeof(*out.ranges));
	if (out.ranges == NULL)
		return false;
	if (metadata->count > 0)
		qsort(metadata->ranges, metadata->count, sizeof(*metadata->ranges), by_place);
	sweep(&s, metadata->ranges, metadata->count);
	fitted = realloc(out.ranges, (out.count + 1) * sizeof(*out.ranges));
	out.ranges = fitted != NULL ? fitted : out.ranges;
	free(metadata->ranges);
	*metadata = out;
	return true;
}

void vk_fs_metadata_free(struct vk_fs_metadata *metadata)
{
	free(metadata->ranges);
	*metadata = (struct vk_fs_metadata){.count = 0};
}
