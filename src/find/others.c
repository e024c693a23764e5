/* SPDX-License-Identifier: Apache-2.0 */
/* On a disk of another system no candidate is a volume: each is a file's, or a leftover. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "find/find_parts.h"
#include "source/ext.h"
#include "source/use.h"

/* Where its header or descriptor lies; negative: it has neither, or before the disk. */
static int64_t place_of(const struct vk_probe *p)
{
	if (p->magic || p->c.has_header)
		return p->start + (int64_t)VK_LVM_HEADER_OFFSET;
	return p->c.has_fs ? p->start + (int64_t)(VK_LVM_DATA_OFFSET + VK_FS_OFFSET) : -1;
}

/* Whether it lies in a stretch of the disk; of scattered blocks: whether they may. */
static bool lies_in(const struct vk_probe *p, uint64_t start, uint64_t end)
{
	int64_t at = place_of(p);

	if (at >= 0)
		return (uint64_t)at >= start && (uint64_t)at < end;
	return p->c.start_bytes < end && vk_add_sat(p->c.start_bytes, vk_max_u64(p->c.length_bytes, 1)) > start;
}

/* What does not say how long it is ends with its partition, or with the disk. */
static uint64_t end_of(const struct vk_finder *f, const struct vk_foreign *x)
{
	const struct vk_table *t = &f->source->table;

	if (x->length_bytes != 0)
		return vk_add_sat(x->start_bytes, x->length_bytes);
	for (size_t i = 0; i < t->partition_count; i++)
		if (vk_mul_sat(t->partitions[i].start_sector, t->sector_size) == x->start_bytes)
			return vk_add_sat(x->start_bytes, vk_mul_sat(t->partitions[i].sectors, t->sector_size));
	return f->size_bytes;
}

static void stand_in(const struct vk_finder *f, struct vk_probe *p, const struct vk_foreign *x)
{
	int64_t at = place_of(p);
	enum vk_hold hold = VK_HOLD_UNKNOWN;
	struct vk_ext fs;

	if (at >= 0 && strncmp(x->type, "ext", 3) == 0 && vk_ext_open(f->io, x->start_bytes, &fs))
		hold = vk_ext_hold(&fs, (uint64_t)at);
	if (hold == VK_HOLD_FILE)
		vk_stand(p, VK_GHOST_FILE, SIZE_MAX, "in a file of the %s at byte %" PRIu64 ": byte %" PRId64
			 " lies in a block that it marks as in use", x->type, x->start_bytes, at);
	else if (hold == VK_HOLD_FREE || hold == VK_HOLD_OWN)
		vk_stand(p, VK_GHOST_FOREIGN, SIZE_MAX, "a leftover under the %s at byte %" PRIu64 ": byte %" PRId64
			 " lies in %s", x->type, x->start_bytes, at, hold == VK_HOLD_FREE
			 ? "a block that it does not use" : "room that it keeps for its tables");
	else
		vk_stand(p, VK_GHOST_FOREIGN, SIZE_MAX, "a leftover under the %s at byte %" PRIu64 ", which is in "
			 "use, or in a file of it", x->type, x->start_bytes);
}

void vk_judge_others(const struct vk_finder *f)
{
	if (f->options->as_own || f->foreign == NULL || f->source->readings.count == 0 ||
	    f->source->readings.items[0].kind != VK_READING_OTHER)
		return;
	for (size_t i = 0; i < f->foreign->count; i++) {
		const struct vk_foreign *x = &f->foreign->items[i];
		uint64_t end = vk_min_u64(end_of(f, x), f->size_bytes);
		struct vk_use use;

		if (x->start_bytes >= end)
			continue;
		vk_use_read(f->io, x, end - x->start_bytes, &use);
		for (size_t k = 0; k < f->count && use.in_use; k++)
			if (f->probes[k].c.standing != VK_GHOST_NOISE && lies_in(&f->probes[k], x->start_bytes, end))
				stand_in(f, &f->probes[k], x);
	}
}
