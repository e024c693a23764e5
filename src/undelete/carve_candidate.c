/* SPDX-License-Identifier: Apache-2.0 */
/* One candidate: its ranges, what is known of each of them today, and what its first bytes say. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/carve_parts.h"

static bool joins(const struct vk_undelete_range *a, const struct vk_undelete_range *b)
{
	/* whose a reused one is comes later */
	return a->kind == b->kind && a->state == b->state && a->why == b->why && a->state != VK_UNDELETE_REUSED &&
	       b->volume_offset ==
		       (a->volume_offset == UINT64_MAX ? UINT64_MAX : a->volume_offset + a->length_bytes);
}

bool vk_carve_put_range(struct vk_carve_making *m, const struct vk_undelete_range *range)
{
	struct vk_undelete_file *f = &m->file;
	struct vk_undelete_range *last = f->range_count > 0 ? &f->ranges[f->range_count - 1] : NULL;

	if (m->full || range->length_bytes == 0)
		return !m->full;
	if (last != NULL && joins(last, range)) {
		last->length_bytes = vk_add_sat(last->length_bytes, range->length_bytes);
	} else if (f->range_count >= m->c->ranges_left) {
		m->c->out.found.unfinished = true;
		m->full = true;
		return false;
	} else {
		struct vk_undelete_range *added = vk_append(&f->ranges, &f->range_count, range, sizeof(*range));

		if (added == NULL) {
			m->full = true;
			return vk_carve_no_memory(m->c);
		}
		added->file_offset = m->end;
	}
	m->end = vk_add_sat(m->end, range->length_bytes);
	if (range->volume_offset != UINT64_MAX)
		m->placed_end = m->end;
	return true;
}

void vk_carve_put_gap(struct vk_carve_making *m, enum vk_run_kind kind, uint64_t length)
{
	const bool hole = kind == VK_RUN_HOLE;

	(void)vk_carve_put_range(m, &(struct vk_undelete_range){
		.length_bytes = length, .volume_offset = UINT64_MAX, .kind = kind,
		.state = hole ? VK_UNDELETE_HOLE : VK_UNDELETE_UNKNOWN,
		.why = hole ? VK_UNDELETE_SURE : VK_UNDELETE_NOT_SAID});
}

/* The state of one block or sub-block. */
static void judge(const struct vk_carve_making *m, enum vk_fs_cluster_kind kind, uint64_t number,
		  struct vk_undelete_range *range)
{
	const struct vk_carving *c = m->c;
	bool known;
	const bool allocated = vk_carve_allocated(c, kind, number, &known);

	range->state = VK_UNDELETE_UNKNOWN;
	if (number >= c->clusters.of[kind].resources)
		range->why = c->clusters.of[kind].resources > 0 ? VK_UNDELETE_OUTSIDE : VK_UNDELETE_UNREADABLE;
	else if (vk_carve_is_live(c, kind, number))
		range->state = VK_UNDELETE_REUSED;
	else if (!known)
		range->why = VK_UNDELETE_UNREADABLE;
	else if (allocated)
		range->why = VK_UNDELETE_ALLOCATED;
	else
		range->why = m->file.from == VK_UNDELETE_DESCRIPTOR ? VK_UNDELETE_UNPROVED : VK_UNDELETE_GUESSED;
	if (range->state == VK_UNDELETE_REUSED)
		range->since = VK_UNDELETE_TODAY;
}

void vk_carve_put_data(struct vk_carve_making *m, bool zeroed, uint64_t address, uint64_t volume_offset,
		       uint64_t length)
{
	struct vk_carving *c = m->c;
	const uint64_t unit = c->info->file_block_bytes;
	struct vk_undelete_range range = {.volume_offset = volume_offset, .length_bytes = length,
					  .kind = zeroed ? VK_RUN_TBZ : VK_RUN_DATA};
	enum vk_fs_cluster_kind kind = VK_CLUSTERS_BLOCKS;
	uint64_t number, done;

	if (zeroed) {
		range.state = VK_UNDELETE_HOLE;
		(void)vk_carve_put_range(m, &range);
	} else if (vk_address_kind(address) == VK_ADDRESS_SUB_BLOCK) {
		if (!vk_carve_number(c, address, &kind, &number))
			number = UINT64_MAX;
		judge(m, VK_CLUSTERS_SUB_BLOCKS, number, &range);
		(void)vk_carve_put_range(m, &range);
	} else {
		for (done = 0; done < length && !m->full; done += range.length_bytes) {
			range.volume_offset = volume_offset + done;
			range.length_bytes = vk_min_u64(unit - range.volume_offset % unit, length - done);
			range.why = VK_UNDELETE_SURE;
			number = range.volume_offset / unit;
			judge(m, kind, number, &range);
			if (number < c->clusters.of[kind].resources)
				vk_set_bit(c->claimed[kind], number);
			(void)vk_carve_put_range(m, &range);
		}
	}
}

void vk_carve_trim(struct vk_carve_making *m)
{
	struct vk_undelete_file *f = &m->file;

	while (f->range_count > 0 && f->ranges[f->range_count - 1].volume_offset == UINT64_MAX)
		m->end = f->ranges[--f->range_count].file_offset;
}

static void look_at_head(struct vk_carve_making *m)
{
	uint8_t head[VK_CARVE_HEAD_BYTES];
	struct vk_io *io = NULL;
	uint64_t said;
	size_t got = 0;

	if (m->file.looks_like != NULL || m->file.range_count == 0 || m->file.ranges[0].volume_offset == UINT64_MAX ||
	    m->file.ranges[0].kind == VK_RUN_TBZ)
		return;
	if (vk_undelete_io(m->c->fs, &m->file, 0, &io, m->c->err) != VK_OK) {
		(void)vk_carve_no_memory(m->c);
		return;
	}
	/* what cannot be read has no signature */
	if (vk_io_read(io, 0, head, sizeof(head), &got, NULL) == VK_OK)
		m->file.looks_like = vk_carve_looks_like(head, got, &said);
	vk_io_close(io);
}

void vk_carve_drop(struct vk_carve_making *m)
{
	free(m->file.ranges);
	free(m->file.resident);
	m->file.ranges = NULL;
	m->file.resident = NULL;
}

void vk_carve_keep(struct vk_carve_making *m)
{
	struct vk_carving *c = m->c;
	struct vk_carved *out = &c->out;
	size_t marks = out->found.count;

	if (m->full || c->kept[m->file.from] == VK_CARVE_CANDIDATES || c->status != VK_OK) {
		out->more[m->file.from]++;
		vk_carve_drop(m);
		return;
	}
	m->file.map = SIZE_MAX;
	vk_undelete_sum(&m->file);
	/* no candidate is certain */
	if (m->file.verdict == VK_UNDELETE_ALL_UNTOUCHED)
		m->file.verdict = VK_UNDELETE_ALL_UNKNOWN;
	look_at_head(m);
	if (vk_append(&out->marks, &marks, &m->mark, sizeof(m->mark)) == NULL ||
	    vk_append(&out->found.files, &out->found.count, &m->file, sizeof(m->file)) == NULL) {
		(void)vk_carve_no_memory(c);
		vk_carve_drop(m);
		return;
	}
	c->kept[m->file.from]++;
	c->ranges_left -= vk_min_u64(c->ranges_left, m->file.range_count);
}
