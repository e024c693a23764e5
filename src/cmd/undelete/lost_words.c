/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: what is said of a file that is gone, for text, JSON and copies. */
#include <string.h>

#include "base/shown.h"
#include "cmd/undelete/undelete.h"

bool vk_lost_is_file(const struct vk_undelete_file *file)
{
	return file->path != NULL && (file->type == VK_FILE_ORDINARY || file->type == VK_FILE_SYSTEM);
}

uint64_t vk_lost_not_held(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	struct vk_io *volume = vk_fs_volume(run->copy.files.fs);
	uint64_t bytes = 0;

	for (size_t i = 0; i < file->range_count; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];

		if (r->kind != VK_RUN_DATA || r->volume_offset == UINT64_MAX || r->state == VK_UNDELETE_REUSED)
			continue;
		for (uint64_t at = 0; at < r->length_bytes;) {
			const struct vk_span span = vk_io_span(volume, r->volume_offset + at);
			const uint64_t left = r->length_bytes - at;
			const bool ends = span.state == VK_SPAN_END || span.length_bytes == 0;
			const uint64_t length = ends || span.length_bytes > left ? left : span.length_bytes;

			if (span.state != VK_SPAN_DATA && span.state != VK_SPAN_ZERO)
				bytes += length;
			at += length;
		}
	}
	return bytes;
}

const char *vk_lost_last_seen(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	return file->map < run->moment_count ? run->moments[file->map].capture->time : "";
}

struct vk_shown vk_lost_since(const struct vk_lost_run *run, const struct vk_undelete_range *range)
{
	struct vk_shown shown;

	if (range->since < run->moment_count)
		snprintf(shown.text, sizeof(shown.text), "capture of %s", run->moments[range->since].since);
	else
		snprintf(shown.text, sizeof(shown.text), "today");
	return shown;
}

static bool is_alike(const struct vk_undelete_range *a, const struct vk_undelete_range *b)
{
	return a->state == b->state && a->why == b->why && a->since == b->since &&
	       (a->by == b->by || (a->by != NULL && b->by != NULL && strcmp(a->by, b->by) == 0));
}

bool vk_lost_next_range(const struct vk_undelete_file *file, size_t *index, struct vk_undelete_range *ret_range)
{
	if (*index >= file->range_count)
		return false;
	*ret_range = file->ranges[(*index)++];
	while (*index < file->range_count && is_alike(ret_range, &file->ranges[*index]))
		ret_range->length_bytes += file->ranges[(*index)++].length_bytes;
	return true;
}
