/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a file lie: steps joined to runs, and cut where another extent begins. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "fs/fs_parts.h"

struct vk_fs_walk {
	struct vk_fs_cursor cursor;
	struct vk_range_set followed;
	uint64_t at, end;
	struct vk_fs_step step; /* what is left of it lies at at */
	struct vk_fs_run next;  /* found, and not given yet; its length is 0 when there is none */
};

const char *vk_run_kind_name(enum vk_run_kind kind)
{
	static const char *const names[] = {"data", "hole", "tbz", "resident", "missing"};

	return names[kind];
}

enum vk_status vk_fs_walk_open(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset, uint64_t length,
			       const struct vk_finding_sink *sink, struct vk_fs_walk **ret_walk, struct vk_error *err)
{
	struct vk_fs_walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL)
		return vk_no_memory(err, NULL);
	vk_fs_cursor_init(&walk->cursor, fs, file, sink);
	walk->cursor.followed = &walk->followed;
	walk->at = offset;
	walk->end = vk_min_u64(vk_add_sat(offset, length), file->meta.fileLength);
	*ret_walk = walk;
	return VK_OK;
}

void vk_fs_walk_on_pointer_block(struct vk_fs_walk *walk, vk_fs_pointer_block_fn fn, void *ctx)
{
	walk->cursor.on_pointer_block = fn;
	walk->cursor.ctx = ctx;
}

void vk_fs_walk_close(struct vk_fs_walk *walk)
{
	if (walk == NULL)
		return;
	vk_fs_cursor_end(&walk->cursor);
	vk_range_set_free(&walk->followed);
	free(walk);
}

/* The piece of a step that lies on one extent, or on none. */
static void one_piece(struct vk_fs_walk *w, struct vk_fs_run *run)
{
	struct vk_fs_step *s = &w->step;
	uint64_t length = vk_min_u64(s->length_bytes, w->end - w->at), rest;
	bool copy = s->kind == VK_RUN_DATA || s->kind == VK_RUN_TBZ;

	*run = (struct vk_fs_run){.kind = s->kind,
				  .file_offset = w->at,
				  .volume_offset = s->volume_offset,
				  .extent = SIZE_MAX,
				  .source_offset = UINT64_MAX,
				  .address = s->address,
				  .lack = s->lack,
				  .copy_on_write = copy && s->copy_on_write};
	if (s->volume_offset != UINT64_MAX) {
		if (!vk_fs_place(w->cursor.fs, s->volume_offset, &run->extent, &run->source_offset, &rest) &&
		    s->kind == VK_RUN_DATA)
			run->kind = VK_RUN_MISSING;
		length = vk_min_u64(length, rest);
		s->volume_offset += length;
	}
	run->length_bytes = length;
	s->length_bytes -= length;
	w->at += length;
}

static bool joins(const struct vk_fs_run *a, const struct vk_fs_run *b)
{
	bool placed = a->volume_offset != UINT64_MAX, sourced = a->source_offset != UINT64_MAX;

	return a->kind == b->kind && a->extent == b->extent && a->copy_on_write == b->copy_on_write &&
	       a->lack == b->lack &&
	       b->volume_offset == (placed ? a->volume_offset + a->length_bytes : UINT64_MAX) &&
	       b->source_offset == (sourced ? a->source_offset + a->length_bytes : UINT64_MAX);
}

bool vk_fs_walk_next(struct vk_fs_walk *w, struct vk_fs_run *ret_run)
{
	struct vk_fs_run piece, run = w->next;

	w->next.length_bytes = 0;
	while (w->at < w->end) {
		if (w->step.length_bytes == 0)
			vk_fs_step(&w->cursor, w->at, &w->step);
		one_piece(w, &piece);
		if (run.length_bytes == 0) {
			run = piece;
		} else if (joins(&run, &piece)) {
			run.length_bytes += piece.length_bytes;
		} else {
			w->next = piece;
			break;
		}
	}
	*ret_run = run;
	return run.length_bytes > 0;
}
