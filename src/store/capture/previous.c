/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for the last captures of disks: manifests newest first, until every disk has its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/capture/previous.h"
#include "store/capture/taking.h"
#include "store/folder/identity_of_run.h"

enum { PATH_BYTES = 4096, STAMP_LENGTH = sizeof("20261121T014500") - 1 };

/* One name of a disk; sorted by it. */
struct name {
	char *text;
	size_t disk;
};

struct search {
	struct vk_last_disk *disks;
	size_t count;
	size_t found;
	struct name *wwids;
	size_t wwid_count;
	struct name *paths;
	size_t path_count;
	char host[VK_WHO_HOST_BYTES];
	bool (*is_alike)(const char *const *command, void *ctx);
	void *ctx;
	char run[48]; /* the last run alike; empty: not met yet */
	bool past;    /* an earlier one was met */
	struct vk_last_gones *gones; /* NULL: not wanted */
};

void vk_last_gones_free(struct vk_last_gones *gones)
{
	for (size_t i = 0; i < gones->count; i++)
		free(gones->items[i].path);
	free(gones->items);
	memset(gones, 0, sizeof(*gones));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* The first of that name; NULL: there is none. */
static const struct name *find_name(const struct name *names, size_t count, const char *text)
{
	const struct name key = {.text = (char *)(uintptr_t)text};
	const struct name *found = count > 0 ? bsearch(&key, names, count, sizeof(*names), compare_names) : NULL;

	while (found != NULL && found > names && strcmp(found[-1].text, text) == 0)
		found--;
	return found;
}

static void free_names(struct name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i].text);
	free(names);
}

static size_t count_paths(const struct vk_last_disk *disk)
{
	size_t count = 1;

	while (disk->other_paths != NULL && disk->other_paths[count - 1] != NULL)
		count++;
	return count;
}

static bool add_name(struct name *names, size_t *count, const char *text, size_t disk)
{
	names[*count].text = strdup(text);
	names[*count].disk = disk;
	return names[(*count)++].text != NULL;
}

static bool make_index(struct search *s)
{
	char path[PATH_BYTES];
	size_t paths = 0;
	bool sound;

	for (size_t i = 0; i < s->count; i++)
		paths += count_paths(&s->disks[i]);
	s->wwids = calloc(s->count + 1, sizeof(*s->wwids));
	s->paths = calloc(paths + 1, sizeof(*s->paths));
	sound = s->wwids != NULL && s->paths != NULL;
	for (size_t i = 0; sound && i < s->count; i++) {
		const struct vk_last_disk *disk = &s->disks[i];
		size_t own = count_paths(disk);

		if (disk->wwid[0] != '\0')
			sound = add_name(s->wwids, &s->wwid_count, disk->wwid, i);
		for (size_t k = 0; sound && k < own; k++) {
			vk_taking_path(k == 0 ? disk->path : disk->other_paths[k - 1], path, sizeof(path));
			sound = add_name(s->paths, &s->path_count, path, i);
		}
	}
	if (!sound)
		return false;
	qsort(s->wwids, s->wwid_count, sizeof(*s->wwids), compare_names);
	qsort(s->paths, s->path_count, sizeof(*s->paths), compare_names);
	return true;
}

static bool contradicts(const struct search *s, size_t disk, const struct vk_capture *c)
{
	return s->disks[disk].facts != NULL && vk_capture_contradicts(c, s->disks[disk].facts);
}

/* Calls take for each disk that the capture is of. Returns whether there is one. */
static bool for_each_disk(struct search *s, const struct vk_capture *c,
			  void (*take)(struct search *s, size_t disk, const struct vk_capture *c))
{
	bool any = false;
	const struct name *n = c->wwid[0] != '\0' ? find_name(s->wwids, s->wwid_count, c->wwid) : NULL;

	for (; n != NULL && n < s->wwids + s->wwid_count && strcmp(n->text, c->wwid) == 0; n++) {
		if (contradicts(s, n->disk, c))
			continue;
		take(s, n->disk, c);
		any = true;
	}
	if (any || strcmp(c->host, s->host) != 0)
		return any;
	n = find_name(s->paths, s->path_count, c->source_path);
	for (; n != NULL && n < s->paths + s->path_count && strcmp(n->text, c->source_path) == 0; n++) {
		if ((c->wwid[0] != '\0' && s->disks[n->disk].wwid[0] != '\0') || contradicts(s, n->disk, c))
			continue;
		take(s, n->disk, c);
		any = true;
	}
	return any;
}

static void take_last(struct search *s, size_t disk, const struct vk_capture *c)
{
	if (s->disks[disk].id[0] != '\0')
		return;
	memcpy(s->disks[disk].id, c->id, sizeof(s->disks[disk].id));
	s->found++;
}

static bool add_gone(struct search *s, const struct vk_capture *c)
{
	struct vk_last_gone gone = {.path = strdup(c->source_path)};

	memcpy(gone.wwid, c->wwid, sizeof(gone.wwid));
	memcpy(gone.time, c->time, sizeof(gone.time));
	memcpy(gone.id, c->id, sizeof(gone.id));
	if (gone.path != NULL && vk_append(&s->gones->items, &s->gones->count, &gone, sizeof(gone)) != NULL)
		return true;
	free(gone.path);
	return false;
}

/*
 * Whether it was taken by the last run that looked for the same disks. Ids of captures have whole seconds, so runs
 * within one second are mixed: one of the last run comes behind none that is older than that run.
 */
static bool of_last_run(struct search *s, const struct vk_capture *c)
{
	int order;

	if (s->gones == NULL || s->past || c->run[0] == '\0' || strcmp(c->host, s->host) != 0 ||
	    c->command == NULL || !s->is_alike((const char *const *)c->command, s->ctx))
		return false;
	s->past = s->run[0] != '\0' && strncmp(c->id, s->run, STAMP_LENGTH) < 0;
	order = strcmp(c->run, s->run);
	if (order <= 0)
		return order == 0 && !s->past;
	vk_last_gones_free(s->gones);
	memcpy(s->run, c->run, sizeof(s->run));
	return true;
}

static bool look_at(struct search *s, const struct vk_capture *c)
{
	bool last = of_last_run(s, c);
	bool known = for_each_disk(s, c, take_last);

	return known || !last || add_gone(s, c);
}

static bool is_done(const struct search *s)
{
	return s->found == s->count && (s->gones == NULL || s->past);
}

static enum vk_status walk(struct search *s, const char *path, struct vk_error *err)
{
	char **ids;
	size_t count;
	enum vk_status status = vk_store_list(path, &ids, &count, err);

	if (status != VK_OK)
		return status;
	for (size_t i = count; i-- > 0 && status == VK_OK && !is_done(s);) {
		struct vk_capture c;
		struct vk_error unknown;
		char *folder;

		if (asprintf(&folder, "%s/%s", path, ids[i]) < 0) {
			status = vk_no_memory(err, path);
			break;
		}
		if (vk_capture_open("", folder, &c, &unknown) == VK_OK) {
			/* what was renamed in the store is not what its name says */
			if (!c.is_undo && !c.is_rebuilt && strcmp(c.id, ids[i]) == 0 && !look_at(s, &c))
				status = vk_no_memory(err, path);
			vk_capture_close(&c);
		}
		free(folder);
	}
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	return status;
}

enum vk_status vk_last_captures(const struct vk_store *store, struct vk_last_disk *disks,
				size_t count,
				bool (*is_alike)(const char *const *command, void *ctx), void *ctx,
				struct vk_last_gones *ret_gones, struct vk_error *err)
{
	struct search s = {.disks = disks,
			   .count = count,
			   .is_alike = is_alike,
			   .ctx = ctx,
			   .gones = ret_gones};
	enum vk_status status;

	if (ret_gones != NULL)
		memset(ret_gones, 0, sizeof(*ret_gones));
	vk_who_host(s.host);
	status = make_index(&s) ? walk(&s, vk_store_path(store), err)
				: vk_no_memory(err, vk_store_path(store));
	free_names(s.wwids, s.wwid_count);
	free_names(s.paths, s.path_count);
	if (status != VK_OK && ret_gones != NULL)
		vk_last_gones_free(ret_gones);
	return status;
}
