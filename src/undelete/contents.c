/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of a file that is gone, as a source; what was found is freed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "vmfskit/undelete.h"

struct contents {
	const struct vk_undelete_file *file;
	unsigned leave_out;
	size_t next;
	struct vk_io *resident; /* the bytes of the descriptor in place of the volume; NULL: the volume */
};

static uint64_t key_of_range(const void *range)
{
	return ((const struct vk_undelete_range *)range)->file_offset;
}

static enum vk_status seek_range(void *ctx, uint64_t offset, struct vk_error *err)
{
	struct contents *c = ctx;
	const struct vk_undelete_file *f = c->file;

	(void)err;
	c->next = vk_first_not_below(f->ranges, f->range_count, sizeof(*f->ranges), offset, key_of_range);
	if (c->next > 0 && (c->next == f->range_count || f->ranges[c->next].file_offset > offset))
		c->next--;
	return VK_OK;
}

static bool next_range(void *ctx, struct vk_fs_run *ret_run)
{
	struct contents *c = ctx;
	const struct vk_undelete_range *r = &c->file->ranges[c->next];
	const bool resident = c->next < c->file->range_count && r->kind == VK_RUN_RESIDENT;

	if (c->next == c->file->range_count)
		return false;
	c->next++;
	*ret_run = (struct vk_fs_run){.kind = r->kind, .file_offset = r->file_offset,
				      .length_bytes = r->length_bytes, .volume_offset = r->volume_offset,
				      .extent = SIZE_MAX, .source_offset = UINT64_MAX};
	if (resident && c->resident != NULL) {
		ret_run->kind = VK_RUN_DATA;
		ret_run->volume_offset = 0;
	} else if ((r->kind == VK_RUN_DATA && (r->volume_offset == UINT64_MAX || c->resident != NULL)) || resident) {
		ret_run->kind = VK_RUN_MISSING;
	}
	if ((c->leave_out >> r->state & 1) != 0)
		ret_run->kind = VK_RUN_MISSING;
	return true;
}

static void close_contents(void *ctx)
{
	struct contents *c = ctx;

	vk_io_close(c->resident);
	free(c);
}

enum vk_status vk_undelete_io(struct vk_fs *fs, const struct vk_undelete_file *file, unsigned leave_out,
			      struct vk_io **ret_io, struct vk_error *err)
{
	struct contents *c = calloc(1, sizeof(*c));
	const struct vk_fs_runs runs = {seek_range, next_range, close_contents, c};
	const char *name = file->path != NULL ? file->path : "candidate";
	struct vk_io *io;

	if (c == NULL)
		return vk_no_memory(err, name);
	c->file = file;
	c->leave_out = leave_out;
	if (file->resident != NULL) {
		c->resident = vk_io_memory(name, file->resident, file->resident_bytes, false);
		if (c->resident == NULL) {
			free(c);
			return vk_no_memory(err, name);
		}
	}
	io = vk_io_runs(name, file->size_bytes, c->resident != NULL ? c->resident : vk_fs_volume(fs), &runs);
	if (io == NULL)
		return vk_no_memory(err, name);
	*ret_io = io;
	return VK_OK;
}

void vk_undelete_free(struct vk_undelete *gone)
{
	for (size_t i = 0; i < gone->count; i++) {
		free(gone->files[i].path);
		free(gone->files[i].disk_id);
		free(gone->files[i].ranges);
		free(gone->files[i].resident);
	}
	free(gone->files);
	vk_sentences_free(&gone->names, &gone->name_count);
	memset(gone, 0, sizeof(*gone));
}
