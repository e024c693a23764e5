/* SPDX-License-Identifier: Apache-2.0 */
/* Which files there are today, which ones maps know, and the runs of all of them, moment by moment. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "undelete/undelete_parts.h"

static uint64_t live_key(uint32_t address, uint32_t generation)
{
	return (uint64_t)address << 32 | generation;
}

static int compare_live(const void *a, const void *b)
{
	const struct vk_gone_live *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int compare_keys(const void *a, const void *b)
{
	const struct vk_gone_key *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

/* ---- names of today */

static void note_folder(void *ctx, const struct vk_finding *finding)
{
	struct vk_gone_search *s = ctx;

	s->out.names_unknown |= finding->code == VK_F_FOLDER_BLOCK || finding->code == VK_F_FOLDER_ENTRY ||
				finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_SOURCE_UNREADABLE;
	vk_finding_put(s->sink, finding);
}

static bool note_live(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct vk_gone_search *s = ctx;
	const struct vk_file_metadata *meta = visit->file != NULL ? &visit->file->meta : NULL;
	const struct vk_gone_live live = {live_key(visit->entry->address, meta != NULL ? meta->generation
										       : visit->entry->generation),
					  meta != NULL ? meta->ctime : 0};

	if (s->live_count >= VK_FILE_MAP_FILES_MAX)
		s->out.unfinished = true;
	else if (vk_append(&s->live, &s->live_count, &live, sizeof(live)) == NULL)
		(void)vk_gone_no_memory(s);
	*ret_stop = s->status != VK_OK || s->out.unfinished;
	return !*ret_stop;
}

static const struct vk_gone_live *find_live(const struct vk_gone_search *s, uint32_t address, uint32_t generation)
{
	const struct vk_gone_live want = {.key = live_key(address, generation)};

	return s->live_count > 0 ? bsearch(&want, s->live, s->live_count, sizeof(want), compare_live) : NULL;
}

static bool read_names(struct vk_gone_search *s)
{
	const struct vk_finding_sink folders = {note_folder, s};
	struct vk_error why = {0};
	const enum vk_status status = vk_fs_walk_tree(s->fs, "/", note_live, s, &folders, &why);

	if (s->status == VK_OK && (status == VK_NOMEM || status == VK_IO)) {
		s->status = status;
		*s->err = why;
	}
	s->out.names_unknown |= status != VK_OK;
	if (s->live_count > 0)
		qsort(s->live, s->live_count, sizeof(*s->live), compare_live);
	return s->status == VK_OK;
}

/* ---- what maps know */

static bool is_wished(const struct vk_gone_search *s, const char *path)
{
	const char *wish = s->wish.path;
	size_t len;

	if (wish == NULL)
		return true;
	for (len = strlen(wish); len > 0 && wish[len - 1] == '/';)
		len--;
	return strncmp(path, wish, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

struct knowing {
	struct vk_gone_search *s;
	size_t map;
};

static bool note_key(void *ctx, const struct vk_file_map_file *file)
{
	struct knowing *k = ctx;
	struct vk_gone_search *s = k->s;
	const struct vk_gone_live *live = find_live(s, file->address, file->generation);
	const struct vk_gone_key key = {.address = file->address, .generation = file->generation,
					.map = (uint16_t)k->map, .live = live != NULL,
					.wished = is_wished(s, file->path)};

	if (live != NULL && live->ctime != 0 && live->ctime < file->ctime && !file->unread)
		vk_gone_went_back(s, k->map);
	if (file->address == vk_fd_address(0, VK_SYSTEM_SBC))
		s->sub_ends[k->map] = file->size_bytes;
	if (k->map < s->wish.newest || file->unread ||
	    (file->type != VK_FILE_ORDINARY && file->type != VK_FILE_LINK && file->type != VK_FILE_RDM))
		return true;
	return vk_append(&s->keys, &s->key_count, &key, sizeof(key)) != NULL || vk_gone_no_memory(s);
}

static bool read_keys(struct vk_gone_search *s, size_t map)
{
	struct knowing k = {s, map};
	const struct vk_file_map_visitor visitor = {.file = note_key, .ctx = &k};
	struct vk_file_map_sums sums;
	char volume[40];
	size_t kept = 0;

	s->status = vk_file_map_read(s->known[map].map, &visitor, &sums, s->err);
	if (s->status != VK_OK)
		return false;
	vk_vmfs_uuid_format(&vk_fs_info(s->fs)->descriptor.uuid, volume);
	if (strcmp(volume, sums.volume) != 0) {
		s->status = vk_error_set(s->err, VK_USAGE, s->known[map].id, "this file map is of another volume: %s",
					 sums.volume);
		return false;
	}
	if (s->key_count > 0)
		qsort(s->keys, s->key_count, sizeof(*s->keys), compare_keys);
	for (size_t i = 0; i < s->key_count; i++) {
		struct vk_gone_key *last = kept > 0 ? &s->keys[kept - 1] : NULL;

		if (last == NULL || last->address != s->keys[i].address || last->generation != s->keys[i].generation)
			s->keys[kept++] = s->keys[i];
		else if (last->map == s->keys[i].map)
			last->wished |= s->keys[i].wished;
	}
	s->key_count = kept;
	return s->status == VK_OK;
}

bool vk_gone_names(struct vk_gone_search *s)
{
	if (!read_names(s))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!read_keys(s, i))
			return false;
	return true;
}

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

static struct vk_gone_key *find_key(const struct knowing *k, uint32_t address, uint32_t generation)
{
	const struct vk_gone_key want = {.address = address, .generation = generation};
	struct vk_gone_key *keys = k->s->keys;
	size_t low = 0, high = k->s->key_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&keys[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < k->s->key_count && keys[low].address == address && keys[low].generation == generation &&
			       keys[low].map == k->map
		       ? &keys[low]
		       : NULL;
}

static bool map_file(void *ctx, const struct vk_file_map_file *file)
{
	struct knowing *k = ctx;
	struct vk_gone_key *key = find_key(k, file->address, file->generation);

	end_file(k->s);
	if (key != NULL && !key->live && !key->taken && !file->unread)
		vk_gone_compare_slot(k->s, file, k->map);
	if (key != NULL && (!key->wished || !is_wished(k->s, file->path)))
		key = NULL;
	begin_file(k->s, file, key != NULL && !key->taken && !file->unread ? key : NULL);
	return k->s->status == VK_OK;
}

static bool map_torn(void *ctx, uint32_t address, uint32_t generation)
{
	struct knowing *k = ctx;
	const struct vk_gone_key *key;

	end_file(k->s);
	key = find_key(k, address, generation);
	if (key != NULL && key->file > 0)
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
