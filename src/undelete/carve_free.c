/* SPDX-License-Identifier: Apache-2.0 */
/* Free blocks that begin with a signature, as candidates. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "undelete/carve_parts.h"

enum { BETWEEN = 1024 /* blocks, from one call of progress to the next */ };

struct scan {
	struct vk_carving *c;
	uint64_t blocks;
	uint64_t end;            /* of the free blocks that the one looked at is in */
};

static bool is_free(const struct vk_carving *c, uint64_t number)
{
	bool known;

	return !vk_carve_allocated(c, VK_CLUSTERS_BLOCKS, number, &known) && known &&
	       !vk_bit(c->live[VK_CLUSTERS_BLOCKS], number);
}

static void count_free(struct scan *s)
{
	struct vk_carved *out = &s->c->out;

	for (uint64_t n = 0; n < s->blocks; n++) {
		bool known;

		(void)vk_carve_allocated(s->c, VK_CLUSTERS_BLOCKS, n, &known);
		out->blocks_unknown |= !known;
		out->blocks_free += is_free(s->c, n);
	}
}

static void take_block(struct scan *s, uint64_t number, const char *looks_like, uint64_t said_bytes)
{
	struct vk_carving *c = s->c;
	const uint64_t unit = c->info->file_block_bytes, at = number * unit;
	struct vk_carve_making m = {.c = c, .file = {.from = VK_UNDELETE_SIGNATURE, .looks_like = looks_like,
						     .guess = true}};
	struct vk_undelete_range range = {.volume_offset = at, .kind = VK_RUN_DATA, .state = VK_UNDELETE_UNKNOWN,
					  .why = VK_UNDELETE_GUESSED};

	/* each run of free blocks is gone through once */
	for (s->end = vk_max_u64(s->end, number + 1); s->end < s->blocks && is_free(c, s->end); s->end++)
		;
	range.length_bytes = (s->end - number) * unit;
	if (said_bytes > 0)
		range.length_bytes = vk_min_u64(range.length_bytes, said_bytes);
	snprintf(m.mark.name, sizeof(m.mark.name), "#block-0x%" PRIx64, at);
	m.mark.last_alloc = vk_carve_last_alloc(c, VK_CLUSTERS_BLOCKS, number);
	(void)vk_carve_put_range(&m, &range);
	if (said_bytes > m.end)
		vk_carve_put_gap(&m, VK_RUN_MISSING, said_bytes - m.end);
	m.file.size_bytes = said_bytes;
	vk_carve_keep(&m);
}

static void look_at(struct scan *s, uint64_t number)
{
	struct vk_carving *c = s->c;
	struct vk_io *volume = vk_fs_volume(c->fs);
	const uint64_t at = number * c->info->file_block_bytes;
	const struct vk_span span = vk_io_span(volume, at);
	uint8_t head[VK_CARVE_HEAD_BYTES];
	const char *looks_like;
	uint64_t said;
	size_t got = 0;

	c->out.blocks_read++;
	if (span.state == VK_SPAN_ZERO && span.length_bytes >= sizeof(head))
		return;
	/* a bad sector hides one candidate */
	if (vk_io_read(volume, at, head, sizeof(head), &got, NULL) != VK_OK || vk_all_zero(head, got))
		return;
	looks_like = vk_carve_looks_like(head, got, &said);
	if (looks_like != NULL)
		take_block(s, number, looks_like, said);
}

void vk_carve_free_blocks(struct vk_carving *c)
{
	struct scan s = {.c = c, .blocks = c->clusters.of[VK_CLUSTERS_BLOCKS].resources};
	uint64_t next = 0;

	if (c->wish.no_signatures)
		return;
	count_free(&s);
	for (uint64_t n = 0; n < s.blocks && c->status == VK_OK; n++) {
		if (!is_free(c, n) || vk_bit(c->claimed[VK_CLUSTERS_BLOCKS], n))
			continue;
		if (c->wish.progress != NULL && c->out.blocks_read >= next) {
			next = c->out.blocks_read + BETWEEN;
			if (!c->wish.progress(c->wish.ctx, c->out.blocks_read, c->out.blocks_free)) {
				c->out.stopped = true;
				return;
			}
		}
		look_at(&s, n);
	}
}
