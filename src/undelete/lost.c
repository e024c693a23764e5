/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a map that is gone: what is known of it, its pieces, and the bytes that lay in its descriptor. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/undelete_parts.h"

/* The descriptor of at as it was when its map was made: where it lies today, from what was kept then. */
static bool kept_descriptor(struct vk_gone_search *s, uint8_t *fd, uint64_t *ret_got)
{
	const struct vk_fs_info *info = vk_fs_info(s->fs);
	const struct vk_fs_system *fdc = &info->system[VK_SYSTEM_FDC];
	struct vk_io *volume = s->known[s->at.key->map].volume;
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	struct vk_address a;
	size_t got = 0;
	bool met;

	vk_address_decode(s->at.file.address, &info->addresses, &a);
	if (volume == NULL || fdc->file == NULL || !fdc->has_resource || a.kind != VK_ADDRESS_FD ||
	    vk_fs_walk_open(s->fs, fdc->file,
			    vk_resource_offset(&fdc->resource, info->md_alignment, a.cluster, a.resource),
			    info->fd.fd_bytes, NULL, &walk, NULL) != VK_OK)
		return false;
	met = vk_fs_walk_next(walk, &run) && run.kind == VK_RUN_DATA;
	vk_fs_walk_close(walk);
	if (!met || vk_io_read(volume, run.volume_offset, fd, info->fd.fd_bytes, &got, NULL) != VK_OK)
		return false;
	*ret_got = got;
	return true;
}

static bool find_resident(struct vk_gone_search *s, struct vk_undelete_file *file)
{
	const struct vk_fs_info *info = vk_fs_info(s->fs);
	const uint64_t size = file->size_bytes, from = info->resident_offset;
	uint8_t *fd = calloc(1, info->fd.fd_bytes);
	struct vk_file_metadata meta = {0};
	struct vk_fs_file *today = NULL;
	uint64_t got = 0;
	bool found = false;

	for (unsigned i = 0; fd != NULL && i < 2 && !found; i++) {
		if (i == 0 && vk_fs_file_open(s->fs, file->address, NULL, &today, NULL) == VK_OK) {
			memcpy(fd, today->fd, info->fd.fd_bytes);
			got = today->fd_seen_bytes;
		} else if (i == 0 || !kept_descriptor(s, fd, &got)) {
			continue;
		}
		if (got > info->fd.metadata_offset)
			vk_file_metadata_decode(fd + info->fd.metadata_offset, got - info->fd.metadata_offset, &meta);
		found = meta.generation == file->generation && meta.fileLength == size &&
			meta.zeroLevelAddrType == VK_ZLA_RESIDENT && size <= info->resident_bytes && from + size <= got;
	}
	file->resident_kept = found && today == NULL;
	vk_fs_file_close(today);
	if (found && size > 0) {
		file->resident = malloc((size_t)size);
		if (file->resident == NULL)
			found = vk_gone_no_memory(s);
		else
			memcpy(file->resident, fd + from, file->resident_bytes = (size_t)size);
	}
	free(fd);
	return found;
}

static void add_range(struct vk_gone_search *s, struct vk_undelete_file *file, const struct vk_fs_run *run,
		      enum vk_undelete_state state, enum vk_undelete_why why)
{
	const struct vk_undelete_range range = {.file_offset = run->file_offset, .length_bytes = run->length_bytes,
						.volume_offset = run->volume_offset, .kind = run->kind,
						.state = state, .why = why};

	if (s->ranges_left == 0) {
		s->out.unfinished = true;
		return;
	}
	s->ranges_left--;
	if (vk_append(&file->ranges, &file->range_count, &range, sizeof(range)) == NULL)
		(void)vk_gone_no_memory(s);
}

static void add_data(struct vk_gone_search *s, struct vk_undelete_file *file, const struct vk_fs_run *run)
{
	const uint64_t sub_end = s->sub_ends[file->map], all = vk_mul_sat(s->blocks, s->block_bytes);
	struct vk_gone_piece piece = {.at = run->volume_offset, .length = run->length_bytes,
				      .file_offset = run->file_offset, .file = (uint32_t)(file - s->out.files)};
	uint64_t end;

	/* where the bitmaps cannot be had, the end of the volume is not known either */
	if (s->blocks > 0 && (piece.at >= all || piece.length > all - piece.at)) {
		add_range(s, file, run, VK_UNDELETE_UNKNOWN, VK_UNDELETE_OUTSIDE);
		return;
	}
	piece.sub = vk_gone_unit(s, piece.at, sub_end, &end) >= s->blocks && s->blocks > 0;
	if (vk_append(&s->new_pieces, &s->new_count, &piece, sizeof(piece)) == NULL)
		(void)vk_gone_no_memory(s);
}

/* In use, though no name leads to it. */
static bool is_nameless(const struct vk_gone_search *s, const struct vk_undelete_file *file)
{
	const struct vk_fs_clusters_of *fds = &s->clusters.of[VK_CLUSTERS_DESCRIPTORS];
	struct vk_fs_file *today;
	struct vk_address a;
	uint64_t number;
	bool there;

	vk_address_decode(file->address, &vk_fs_info(s->fs)->addresses, &a);
	number = a.cluster * fds->per_cluster + a.resource;
	if (a.kind != VK_ADDRESS_FD || fds->known == NULL || a.cluster >= fds->count || number >= fds->resources ||
	    (fds->known[a.cluster / 8] >> a.cluster % 8 & 1) == 0 ||
	    (fds->allocated[number / 8] >> number % 8 & 1) == 0 ||
	    vk_fs_file_open(s->fs, file->address, NULL, &today, NULL) != VK_OK)
		return false;
	there = today->meta.generation == file->generation;
	vk_fs_file_close(today);
	return there;
}

void vk_gone_add(struct vk_gone_search *s, bool cut)
{
	const struct vk_file_map_file *f = &s->at.file;
	struct vk_undelete_file new = {.from = VK_UNDELETE_CAPTURE, .map = s->at.key->map, .type = f->type,
				       .address = f->address, .generation = f->generation, .size_bytes = f->size_bytes,
				       .mode = f->mode, .uid = f->uid, .gid = f->gid, .links = f->links,
				       .mtime = f->mtime, .ctime = f->ctime, .cut = cut}, *file;
	const struct vk_fs_run whole = {.length_bytes = f->size_bytes, .volume_offset = UINT64_MAX,
					.kind = VK_RUN_MISSING};

	new.path = strdup(s->at.path);
	new.disk_id = (char *)(uintptr_t)f->disk_id;
	s->at.file.disk_id = NULL;
	new.unseen = s->out.names_unknown && !cut;
	new.nameless = !cut && is_nameless(s, &new);
	file = new.path != NULL ? vk_append(&s->out.files, &s->out.count, &new, sizeof(new)) : NULL;
	if (file == NULL) {
		free(new.path);
		free(new.disk_id);
		(void)vk_gone_no_memory(s);
		return;
	}
	if (s->at.run_count == 0 && f->size_bytes > 0)
		add_range(s, file, &whole, VK_UNDELETE_UNKNOWN, VK_UNDELETE_NOT_SAID);
	for (size_t i = 0; i < s->at.run_count && s->status == VK_OK; i++) {
		const struct vk_fs_run *run = &s->at.runs[i];

		if (run->kind == VK_RUN_DATA)
			add_data(s, file, run);
		else if (run->kind == VK_RUN_HOLE || run->kind == VK_RUN_TBZ)
			add_range(s, file, run, VK_UNDELETE_HOLE, VK_UNDELETE_SURE);
		else if (run->kind == VK_RUN_RESIDENT && find_resident(s, file))
			add_range(s, file, run, VK_UNDELETE_UNTOUCHED, VK_UNDELETE_SURE);
		else
			add_range(s, file, run, VK_UNDELETE_UNKNOWN,
				  run->kind == VK_RUN_RESIDENT ? VK_UNDELETE_DESCRIPTOR_GONE : VK_UNDELETE_NOT_SAID);
	}
}
