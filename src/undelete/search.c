/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of all files, moment by moment, and which files are gone. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/undelete_parts.h"

struct knowing {
	struct vk_gone_search *s;
	size_t map;
};

/* ---- one file after the other */

static void close_today(struct vk_gone_search *s)
{
	vk_fs_walk_close(s->at.walk);
	vk_fs_file_close(s->at.today);
	s->at.walk = NULL;
	s->at.today = NULL;
}

/* The file that is open is over. */
static void end_file(struct vk_gone_search *s)
{
	if (!s->open)
		return;
	s->open = false;
	if (s->status == VK_OK && vk_append(&s->now.files, &s->now.file_count, &s->at.sum, sizeof(s->at.sum)) == NULL)
		(void)vk_gone_no_memory(s);
	if (s->status == VK_OK && s->at.key != NULL) {
		const uint64_t size = s->at.today != NULL ? s->at.today->meta.fileLength : 0;
		const size_t found = s->out.count;

		s->at.key->taken = true;
		if (!s->at.key->live)
			vk_gone_add(s, false);
		else if (s->at.today != NULL && s->at.lost_some &&
			 (size < s->at.file.size_bytes || !s->at.kept_some))
			vk_gone_add(s, true);
		s->at.key->file = s->out.count > found ? (uint32_t)s->out.count : 0;
	}
	close_today(s);
	free((void *)(uintptr_t)s->at.file.disk_id);
	s->at.file.disk_id = NULL;
	free(s->at.runs);
	s->at.runs = NULL;
	s->at.run_count = 0;
}

static void begin_file(struct vk_gone_search *s, const struct vk_file_map_file *file, struct vk_gone_key *key)
{
	end_file(s);
	s->open = true;
	memset(&s->at, 0, sizeof(s->at));
	s->at.file = *file;
	memccpy(s->at.path, file->path, '\0', sizeof(s->at.path) - 1);
	s->at.file.path = s->at.path;
	s->at.sum = (struct vk_gone_sum){.address = file->address, .generation = file->generation};
	s->at.key = key;
	if (key == NULL || !key->live ||
	    vk_fs_file_open(s->fs, file->address, NULL, &s->at.today, NULL) != VK_OK)
		return;
	if (s->at.today->meta.generation != file->generation ||
	    vk_fs_walk_open(s->fs, s->at.today, 0, UINT64_MAX, NULL, &s->at.walk, NULL) != VK_OK)
		close_today(s);
}

/* Whether the file of today has these bytes at the same places. */
static void compare_with_today(struct vk_gone_search *s, const struct vk_fs_run *run)
{
	struct vk_fs_run *t = &s->at.today_run;
	uint64_t at = run->file_offset, end = at + run->length_bytes;

	while (at < end) {
		uint64_t next = end;

		while (s->at.walk != NULL && t->file_offset + t->length_bytes <= at)
			if (!vk_fs_walk_next(s->at.walk, t)) {
				vk_fs_walk_close(s->at.walk);
				s->at.walk = NULL;
			}
		if (t->file_offset + t->length_bytes > at) {
			next = vk_min_u64(end, t->file_offset + t->length_bytes);
			if (t->volume_offset != UINT64_MAX &&
			    t->volume_offset + (at - t->file_offset) == run->volume_offset + (at - run->file_offset))
				s->at.kept_some = true;
			else
				s->at.lost_some |= t->kind != VK_RUN_MISSING;
		} else {
			s->at.lost_some = true;
		}
		at = next;
	}
}

static void take_run(struct vk_gone_search *s, const struct vk_fs_run *run)
{
	if (run->volume_offset != UINT64_MAX && s->status == VK_OK) {
		vk_gone_count_run(s, &s->at.sum, run->volume_offset, run->length_bytes);
		vk_gone_hit(s, run, false);
	}
	if (s->at.key == NULL || s->status != VK_OK)
		return;
	if (run->kind == VK_RUN_DATA && s->at.today != NULL)
		compare_with_today(s, run);
	if (s->at.run_count >= vk_min_u64(s->ranges_left, VK_GONE_RANGES_MAX))
		s->out.unfinished = true;
	else if (vk_append(&s->at.runs, &s->at.run_count, run, sizeof(*run)) == NULL)
		(void)vk_gone_no_memory(s);
}

static bool map_file(void *ctx, const struct vk_file_map_file *file)
{
	struct knowing *k = ctx;
	struct vk_gone_key *key = vk_gone_find_key(k->s, file->address, file->generation);

	end_file(k->s);
	if (key != NULL && !key->live && key->newest == k->map && !file->unread)
		vk_gone_compare_slot(k->s, file, k->map);
	if (key != NULL && (key->map != k->map || key->taken || file->unread || !key->wished ||
			    !vk_gone_is_wished(k->s, file->path)))
		key = NULL;
	begin_file(k->s, file, key);
	return k->s->status == VK_OK;
}

static bool map_torn(void *ctx, uint32_t address, uint32_t generation)
{
	struct knowing *k = ctx;
	const struct vk_gone_key *key;

	end_file(k->s);
	key = vk_gone_find_key(k->s, address, generation);
	if (key != NULL && key->map == k->map && key->file > 0)
		k->s->out.files[key->file - 1].torn = true;
	return k->s->status == VK_OK;
}

static bool map_run(void *ctx, const struct vk_fs_run *run)
{
	struct knowing *k = ctx;

	take_run(k->s, run);
	return k->s->status == VK_OK;
}

static bool map_disk(void *ctx, const char *disk_id)
{
	struct knowing *k = ctx;

	if (k->s->at.key != NULL && (k->s->at.file.disk_id = strdup(disk_id)) == NULL)
		return vk_gone_no_memory(k->s);
	return true;
}

static bool map_stamps(void *ctx, const struct vk_file_map_stamps *stamps)
{
	struct knowing *k = ctx;
	const uint64_t count = k->s->clusters.of[stamps->kind].count;

	for (uint64_t i = stamps->first; i < stamps->first + stamps->count && i < count; i++)
		k->s->now.stamps[stamps->kind][i] = stamps->stamp;
	return true;
}

/* Each file once, whatever names it has. */
static void end_moment(struct vk_gone_search *s)
{
	struct vk_gone_moment *m = &s->now;
	size_t kept = 0;

	end_file(s);
	if (m->file_count > 0)
		qsort(m->files, m->file_count, sizeof(*m->files), vk_gone_compare_sums);
	for (size_t i = 0; i < m->file_count; i++)
		if (kept == 0 || vk_gone_compare_sums(&m->files[kept - 1], &m->files[i]) != 0)
			m->files[kept++] = m->files[i];
	m->file_count = kept;
	vk_gone_apply(s);
}

void vk_gone_read_map(struct vk_gone_search *s, size_t map)
{
	struct knowing k = {s, map};
	const struct vk_file_map_visitor visitor = {map_file, map_disk, map_run, map_torn, map_stamps, &k};
	struct vk_file_map_sums sums;
	enum vk_status status;

	s->since = (uint32_t)map;
	if (!vk_gone_moment_open(s, s->sub_ends[map]))
		return;
	status = vk_file_map_read(s->known[map].map, &visitor, &sums, s->err);
	if (s->status == VK_OK)
		s->status = status;
	s->now.whole = status == VK_OK && vk_file_map_is_whole(&sums) && sums.scope == VK_FILE_MAP_ALL &&
		       sums.torn == 0;
	end_moment(s);
	vk_gone_compare_stamps(s);
}

/* ---- today */

static void read_file(struct vk_gone_search *s, const char *path, const struct vk_fs_file *file)
{
	const struct vk_file_map_file as = {.type = file->meta.type, .address = file->address,
					    .generation = file->meta.generation, .path = path};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	begin_file(s, &as, NULL);
	if (vk_fs_walk_open(s->fs, file, 0, UINT64_MAX, NULL, &walk, s->err) != VK_OK) {
		s->now.whole = false;
		return;
	}
	while (s->status == VK_OK && vk_fs_walk_next(walk, &run)) {
		s->now.whole &= run.kind != VK_RUN_MISSING || file->meta.type == VK_FILE_RDM;
		take_run(s, &run);
	}
	vk_fs_walk_close(walk);
}

static bool visit_today(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct vk_gone_search *s = ctx;

	if (visit->file != NULL)
		read_file(s, visit->path, visit->file);
	else
		s->now.whole = false;
	*ret_stop = s->status != VK_OK;
	return !*ret_stop;
}

/*
 * Read the clusters again: what changed while the files were read is known of neither moment. The bitmaps of now count.
 */
static void stamp_today(struct vk_gone_search *s)
{
	struct vk_fs_clusters later = {0};

	vk_fs_forget(s->fs);
	if (s->status == VK_OK)
		s->status = vk_fs_clusters_read(s->fs, &later, s->err);
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS && s->status == VK_OK; k++) {
		struct vk_fs_clusters_of *of = &s->clusters.of[k], *is = &later.of[k];

		if (is->count != of->count || is->resources != of->resources) {
			of->resources = 0;
			continue;
		}
		for (uint64_t i = 0; i < of->count; i++)
			if (of->stamps[i] == is->stamps[i])
				s->now.stamps[k][i] = is->stamps[i];
		free(of->known);
		free(of->allocated);
		of->known = is->known;
		of->allocated = is->allocated;
		is->known = is->allocated = NULL;
	}
	vk_fs_clusters_free(&later);
}

void vk_gone_read_today(struct vk_gone_search *s)
{
	const struct vk_fs_info *info = vk_fs_info(s->fs);
	const struct vk_fs_file *root = info->system[VK_SYSTEM_ROOT].file;
	struct vk_error why = {0};

	s->since = VK_UNDELETE_TODAY;
	if (!vk_gone_moment_open(s, UINT64_MAX))
		return;
	s->now.whole = !s->out.names_unknown;
	if (root != NULL)
		read_file(s, "/", root);
	if (vk_fs_walk_tree(s->fs, "/", visit_today, s, NULL, &why) != VK_OK)
		s->now.whole = false;
	end_moment(s);
	stamp_today(s);
	vk_gone_compare_stamps(s);
}
