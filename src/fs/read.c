/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file, and how many of them the sources hold. */
#include <string.h>

#include "base/checked.h"
#include "fs/fs_parts.h"

/* Bytes of one run; fewer where the source does not hold them. */
static enum vk_status read_run(struct vk_fs *fs, const struct vk_fs_file *file, const struct vk_fs_run *run,
			       uint8_t *to, size_t *ret_got, struct vk_error *err)
{
	size_t len = (size_t)run->length_bytes, at;

	*ret_got = len;
	switch (run->kind) {
	case VK_RUN_DATA:
		/* what is small is metadata, or lies near it */
		if (len < VK_FS_PIECE_BYTES / 2)
			return vk_fs_get(fs, run->volume_offset, to, len, ret_got, err);
		return vk_io_read(fs->volume, run->volume_offset, to, len, ret_got, err);
	case VK_RUN_HOLE:
	case VK_RUN_TBZ:
		memset(to, 0, len);
		return VK_OK;
	case VK_RUN_RESIDENT:
		at = (size_t)(run->volume_offset - file->volume_offset);
		*ret_got = at < file->fd_seen_bytes ? (size_t)vk_min_u64(len, file->fd_seen_bytes - at) : 0;
		memcpy(to, file->fd + at, *ret_got);
		return VK_OK;
	case VK_RUN_MISSING:
		break;
	}
	*ret_got = 0;
	return VK_OK;
}

enum vk_status vk_fs_read(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset, void *buf, size_t len,
			  size_t *ret_got, struct vk_error *err)
{
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	size_t done = 0, got;
	enum vk_status status;

	*ret_got = 0;
	status = vk_fs_walk_open(fs, file, offset, len, NULL, &walk, err);
	if (status != VK_OK)
		return status;
	while (vk_fs_walk_next(walk, &run)) {
		status = read_run(fs, file, &run, (uint8_t *)buf + done, &got, err);
		if (status != VK_OK)
			break;
		done += got;
		if (got < run.length_bytes)
			break;
	}
	vk_fs_walk_close(walk);
	*ret_got = done;
	return status;
}

/* Bytes of a run that the source does not hold, or could not be read from it. */
static uint64_t not_held(const struct vk_fs *fs, const struct vk_fs_run *run, enum vk_fs_lack *lack)
{
	uint64_t missing = 0, length;

	for (uint64_t at = 0; at < run->length_bytes; at += length) {
		struct vk_span span = vk_io_span(fs->volume, run->volume_offset + at);

		length = vk_min_u64(span.length_bytes, run->length_bytes - at);
		if (span.state == VK_SPAN_END)
			length = run->length_bytes - at;
		if (span.state != VK_SPAN_DATA && span.state != VK_SPAN_ZERO)
			missing += length;
		if (span.state == VK_SPAN_UNREADABLE && *lack < VK_LACK_UNREADABLE)
			*lack = VK_LACK_UNREADABLE;
	}
	return missing;
}

static uint64_t resident_missing(const struct vk_fs_file *file, const struct vk_fs_run *run)
{
	uint64_t end = run->volume_offset - file->volume_offset + run->length_bytes;

	return end > file->fd_seen_bytes ? vk_min_u64(run->length_bytes, end - file->fd_seen_bytes) : 0;
}

enum vk_status vk_fs_measure(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t *ret_missing_bytes,
			     enum vk_fs_lack *ret_lack, uint64_t *ret_allocated_bytes, struct vk_error *err)
{
	struct vk_fs_walk *walk;
	struct vk_fs_cursor sizes;
	struct vk_fs_run run;
	enum vk_status status = vk_fs_walk_open(fs, file, 0, UINT64_MAX, NULL, &walk, err);
	uint64_t missing = 0, allocated = 0;
	enum vk_fs_lack lack = VK_LACK_ABSENT;

	if (status != VK_OK)
		return status;
	vk_fs_cursor_init(&sizes, fs, file, NULL);
	while (vk_fs_walk_next(walk, &run)) {
		if (run.kind == VK_RUN_MISSING && run.lack > lack)
			lack = run.lack;
		if (run.kind == VK_RUN_MISSING)
			missing += run.length_bytes;
		else if (run.kind == VK_RUN_DATA)
			missing += not_held(fs, &run, &lack);
		else if (run.kind == VK_RUN_RESIDENT)
			missing += resident_missing(file, &run);
		/* the last block is allocated as a whole */
		if (run.kind == VK_RUN_DATA || run.kind == VK_RUN_TBZ)
			allocated += vk_round_up_sat(run.file_offset + run.length_bytes, sizes.unit_bytes) -
				     run.file_offset / sizes.unit_bytes * sizes.unit_bytes;
	}
	vk_fs_walk_close(walk);
	*ret_missing_bytes = missing;
	if (ret_lack != NULL)
		*ret_lack = lack;
	*ret_allocated_bytes = allocated;
	return VK_OK;
}
