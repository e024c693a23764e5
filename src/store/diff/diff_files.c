/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the maps of files of two captures. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "vmfskit/diff.h"

static enum vk_status load(const struct vk_capture *capture, size_t map, struct vk_file_map *ret_map,
			   struct vk_error *err)
{
	struct vk_io *io;
	enum vk_status status = vk_capture_map(capture, map, &io, err);

	if (status != VK_OK)
		return status;
	status = vk_file_map_load(io, ret_map, err);
	vk_io_close(io);
	return status;
}

/* *ret_same: of one volume. */
static enum vk_status compare_maps(const struct vk_capture *before, size_t i, const struct vk_capture *after, size_t k,
				   struct vk_files_diff *d, bool *ret_same, struct vk_error *err)
{
	enum vk_status status;

	*ret_same = true;
	if (strcmp(before->maps[i].sha256, after->maps[k].sha256) == 0)
		return VK_OK;
	status = load(before, i, &d->maps[0], err);
	if (status == VK_OK)
		status = load(after, k, &d->maps[1], err);
	if (status != VK_OK)
		return status;
	*ret_same = strcmp(d->maps[0].sums.volume, d->maps[1].sums.volume) == 0;
	d->unsure = !vk_file_map_is_whole(&d->maps[0].sums) || !vk_file_map_is_whole(&d->maps[1].sums);
	return *ret_same ? vk_file_map_compare(&d->maps[0], &d->maps[1], &d->changes, &d->change_count, err) : VK_OK;
}

static void free_one(struct vk_files_diff *d)
{
	vk_file_map_free(&d->maps[0]);
	vk_file_map_free(&d->maps[1]);
	free(d->changes);
}

enum vk_status vk_diff_files(const struct vk_capture *before, const struct vk_capture *after,
			     struct vk_files_diff **ret_diffs, size_t *ret_count, struct vk_error *err)
{
	struct vk_files_diff *diffs = NULL;
	size_t count = 0;
	enum vk_status status = VK_OK;

	for (size_t n = 0; n < before->map_count * after->map_count && status == VK_OK; n++) {
		const size_t i = n / after->map_count, k = n % after->map_count;
		struct vk_files_diff one = {.partition = after->maps[k].partition};
		bool same;

		if (before->maps[i].partition != one.partition)
			continue;
		status = compare_maps(before, i, after, k, &one, &same, err);
		if (status == VK_OK && same && vk_append(&diffs, &count, &one, sizeof(one)) == NULL)
			status = vk_no_memory(err, NULL);
		if (status != VK_OK || !same)
			free_one(&one);
	}
	if (status != VK_OK) {
		vk_diff_files_free(diffs, count);
		return status;
	}
	*ret_diffs = diffs;
	*ret_count = count;
	return VK_OK;
}

void vk_diff_files_free(struct vk_files_diff *diffs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_one(&diffs[i]);
	free(diffs);
}

bool vk_file_change_matters(const struct vk_file_change *change)
{
	return change->kind == VK_FILE_VANISHED && vk_file_map_is_disk(change->before);
}
