/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gone: from the oldest map to today, then what is left is put in order. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "undelete/undelete_parts.h"

/* ---- the end */

/* Files that are still there in part have some of their blocks. */
static void read_own(struct vk_gone_search *s)
{
	for (size_t i = 0; i < s->out.count && s->status == VK_OK; i++) {
		const struct vk_undelete_file *file = &s->out.files[i];
		struct vk_fs_file *today = NULL;
		struct vk_fs_walk *walk = NULL;
		struct vk_fs_run run;

		if ((!file->cut && !file->nameless) ||
		    vk_fs_file_open(s->fs, file->address, NULL, &today, NULL) != VK_OK)
			continue;
		s->at.file = (struct vk_file_map_file){.address = file->address, .generation = file->generation};
		s->at.by = NULL;
		memccpy(s->at.path, file->path, '\0', sizeof(s->at.path) - 1);
		if (today->meta.generation == file->generation &&
		    vk_fs_walk_open(s->fs, today, 0, UINT64_MAX, NULL, &walk, NULL) == VK_OK)
			while (s->status == VK_OK && vk_fs_walk_next(walk, &run))
				if (run.volume_offset != UINT64_MAX)
					vk_gone_hit(s, &run, true);
		vk_fs_walk_close(walk);
		vk_fs_file_close(today);
	}
	vk_gone_apply(s);
}

static int by_file_offset(const void *a, const void *b)
{
	const struct vk_undelete_range *x = a, *y = b;

	return x->file_offset < y->file_offset ? -1 : x->file_offset > y->file_offset;
}

static bool joins(const struct vk_undelete_range *a, const struct vk_undelete_range *b)
{
	return a->file_offset + a->length_bytes == b->file_offset && a->kind == b->kind && a->state == b->state &&
	       a->why == b->why && a->by == b->by && a->since == b->since &&
	       (a->volume_offset == UINT64_MAX ? b->volume_offset == UINT64_MAX
					       : a->volume_offset + a->length_bytes == b->volume_offset);
}

/* What lies in a descriptor of today is not that file, maybe. */
static void doubt_resident(const struct vk_gone_search *s, struct vk_undelete_file *file)
{
	if (!vk_gone_is_back(s, file) || file->resident_kept)
		return;
	for (size_t i = 0; i < file->range_count; i++) {
		struct vk_undelete_range *r = &file->ranges[i];

		if (r->kind == VK_RUN_RESIDENT && r->state == VK_UNDELETE_UNTOUCHED) {
			r->state = VK_UNDELETE_UNKNOWN;
			r->why = VK_UNDELETE_WENT_BACK;
		}
	}
}

/* The ranges of a file one behind the other; what has none, because there were too many, is unknown. */
static void order_ranges(struct vk_gone_search *s, struct vk_undelete_file *file)
{
	struct vk_undelete_range *r = file->ranges, rest = {.volume_offset = UINT64_MAX, .kind = VK_RUN_MISSING,
							    .state = VK_UNDELETE_UNKNOWN,
							    .why = VK_UNDELETE_NOT_SAID};
	const size_t count = file->range_count;
	uint64_t end = 0;
	size_t kept = 0;

	if (count > 0)
		qsort(r, count, sizeof(*r), by_file_offset);
	for (size_t i = 0; i < count && r[i].file_offset == end; i++) {
		end += r[i].length_bytes;
		if (kept > 0 && joins(&r[kept - 1], &r[i]))
			r[kept - 1].length_bytes += r[i].length_bytes;
		else
			r[kept++] = r[i];
	}
	/* without a gap, or as far as there is none */
	file->range_count = kept;
	rest.file_offset = end;
	rest.length_bytes = file->size_bytes - end;
	if (rest.length_bytes > 0) {
		r = realloc(file->ranges, (kept + 1) * sizeof(*r));
		if (r == NULL) {
			(void)vk_gone_no_memory(s);
			return;
		}
		file->ranges = r;
		r[file->range_count++] = rest;
	}
	vk_undelete_sum(file);
}

static int by_knowledge(const void *a, const void *b)
{
	const struct vk_undelete_file *x = a, *y = b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return vk_paths_compare(x->path, strlen(x->path), y->path, strlen(y->path));
}

static void search_all(struct vk_gone_search *s)
{
	vk_fs_forget(s->fs);
	s->status = vk_fs_clusters_read(s->fs, &s->clusters, s->err);
	if (s->status != VK_OK || !vk_gone_units_open(s) || !vk_gone_names(s))
		return;
	for (size_t i = s->count; i-- > 0 && s->status == VK_OK;) {
		vk_gone_read_map(s, i);
		vk_gone_prove(s);
		vk_gone_join(s);
	}
	if (s->status == VK_OK)
		vk_gone_read_today(s);
	vk_gone_prove(s);
	if (s->status == VK_OK)
		read_own(s);
	/* room for the ranges */
	vk_gone_moment_free(&s->before);
	vk_gone_moment_free(&s->now);
	free(s->hits);
	s->hits = NULL;
	vk_gone_settle(s);
	for (size_t i = 0; i < s->out.count && s->status == VK_OK; i++)
		doubt_resident(s, &s->out.files[i]);
	for (size_t i = 0; i < s->out.count && s->status == VK_OK; i++)
		order_ranges(s, &s->out.files[i]);
	if (s->status == VK_OK && s->out.count > 0)
		qsort(s->out.files, s->out.count, sizeof(*s->out.files), by_knowledge);
}

static void free_search(struct vk_gone_search *s)
{
	vk_fs_walk_close(s->at.walk);
	vk_fs_file_close(s->at.today);
	free(s->at.runs);
	free((void *)(uintptr_t)s->at.file.disk_id);
	vk_fs_clusters_free(&s->clusters);
	vk_gone_moment_free(&s->before);
	vk_gone_moment_free(&s->now);
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++)
		free(s->seen[k]);
	free(s->handed[0]);
	free(s->handed[1]);
	free(s->sbc);
	free(s->sub_ends);
	free(s->keys);
	free(s->live);
	free(s->pieces);
	free(s->new_pieces);
	free(s->hits);
	free(s);
}

enum vk_status vk_undelete_find(struct vk_fs *fs, const struct vk_undelete_known *known, size_t count,
				const struct vk_undelete_wish *wish, const struct vk_finding_sink *sink,
				struct vk_undelete *ret_gone, struct vk_error *err)
{
	struct vk_gone_search *s;
	struct vk_error own = {0};
	enum vk_status status;

	if (count > VK_GONE_MAPS_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "no more than %d maps of files are compared",
				    VK_GONE_MAPS_MAX);
	s = calloc(1, sizeof(*s));
	if (s == NULL || (s->sub_ends = calloc(count + 1, sizeof(*s->sub_ends))) == NULL) {
		free(s);
		return vk_no_memory(err, NULL);
	}
	s->fs = fs;
	s->known = known;
	s->count = count;
	if (wish != NULL)
		s->wish = *wish;
	s->sink = sink;
	s->err = err != NULL ? err : &own;
	s->ranges_left = VK_GONE_RANGES_MAX;
	for (size_t i = 0; i < count; i++)
		s->sub_ends[i] = UINT64_MAX;
	search_all(s);
	status = s->status;
	if (status == VK_OK)
		*ret_gone = s->out;
	else
		vk_undelete_free(&s->out);
	free_search(s);
	return status;
}
