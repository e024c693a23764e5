/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of the file that is mapped. */
#include <inttypes.h>

#include "cmd/files/map.h"

bool vk_map_each(struct vk_map *map, const struct vk_finding_sink *sink, vk_map_run_fn fn, void *ctx)
{
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	struct vk_error err;

	if (vk_fs_walk_open(map->files.fs, map->file, 0, UINT64_MAX, sink, &walk, &err) != VK_OK)
		return vk_cmd_fail(&map->files.cmd, &err);
	while (vk_fs_walk_next(walk, &run))
		fn(ctx, map, &run);
	vk_fs_walk_close(walk);
	return true;
}

uint64_t vk_map_absent(const struct vk_map *map, const struct vk_fs_run *run)
{
	uint64_t at, end, absent = 0;
	struct vk_io *io;

	if (!vk_map_on_disk(run))
		return run->kind == VK_RUN_MISSING ? run->length_bytes : 0;
	io = map->files.extents[run->extent].io;
	at = run->source_offset - map->files.extents[run->extent].source_bytes;
	end = at + run->length_bytes;
	while (at < end) {
		struct vk_span span = vk_io_span(io, at);
		uint64_t length = span.state == VK_SPAN_END || span.length_bytes > end - at ? end - at
											 : span.length_bytes;

		if (span.state != VK_SPAN_DATA && span.state != VK_SPAN_ZERO)
			absent += length;
		at += length;
	}
	return absent;
}

const char *vk_map_told_by(const struct vk_map *map)
{
	const struct vk_fs_info *info = vk_fs_info(map->files.fs);
	uint64_t address = 0;

	if (map->sums.unknown_bytes == 0 || vk_findings_absent(&map->files.findings) == 0 ||
	    map->file->meta.zeroLevelAddrType == VK_ZLA_RESIDENT)
		return NULL;
	for (uint32_t i = 0; i < info->fd.pointers && address == 0 &&
			     info->fd.pointers_offset + (i + 1) * info->fd.pointer_bytes <=
				     map->file->fd_seen_bytes; i++)
		address = vk_fd_pointer(&info->fd, map->file->fd, i);
	switch (vk_address_kind(address)) {
	case VK_ADDRESS_SUB_BLOCK:
		return vk_system_file_name(VK_SYSTEM_SBC);
	case VK_ADDRESS_POINTER_BLOCK:
		return vk_system_file_name(VK_SYSTEM_PBC);
	case VK_ADDRESS_POINTER_BLOCK2:
		return vk_system_file_name(VK_SYSTEM_PB2);
	default:
		return NULL;
	}
}

void vk_map_put_title(const struct vk_map *map, FILE *out)
{
	const struct vk_fs_descriptor *fs = &vk_fs_info(map->files.fs)->descriptor;

	fprintf(out, "%s (%" PRIu64 " bytes) of the volume %s", vk_shown_name(map->path).text,
		map->file->meta.fileLength, vk_shown_label(fs->fsLabel, sizeof(fs->fsLabel)).text);
	fprintf(out, " (%s)", vk_vmfs_uuid_text(&fs->uuid).text);
}
