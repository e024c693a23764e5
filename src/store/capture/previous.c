/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last captures of disks: manifests newest first, until every disk has its own. And the disks that are gone: a
 * small file of the store, docs/json.md, has the captures that the last run of each scope saw.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/texts.h"
#include "store/capture/previous.h"
#include "store/capture/taking.h"
#include "store/folder/identity_of_run.h"
#include "store/folder/folder.h"

#define SEEN_FILE "seen.json"
enum { PATH_BYTES = 4096, SEEN_MAX_BYTES = 16 << 20, SCOPES_MAX = 64 };

/* A path of a disk, as manifests have it. */
struct name {
	char *text;
	size_t disk;
};

struct search {
	struct vk_last_disk *disks;
	size_t count;
	size_t found;
	struct name *names;
	size_t name_count;
	char host[VK_WHO_HOST_BYTES];
};

static bool search_begin(struct search *s)
{
	vk_who_host(s->host);
	for (size_t i = 0; i < s->count; i++) {
		const struct vk_last_disk *disk = &s->disks[i];
		const char *const *other = disk->other_paths;

		for (const char *path = disk->path; path != NULL; path = other != NULL ? *other++ : NULL) {
			char text[PATH_BYTES];
			struct name name = {.disk = i};

			vk_taking_path(path, text, sizeof(text));
			name.text = strdup(text);
			if (name.text == NULL || vk_append(&s->names, &s->name_count, &name, sizeof(name)) == NULL) {
				free(name.text);
				return false;
			}
		}
	}
	return true;
}

static void search_end(struct search *s)
{
	for (size_t i = 0; i < s->name_count; i++)
		free(s->names[i].text);
	free(s->names);
}

bool vk_capture_has_map(const struct vk_capture *capture, unsigned partition)
{
	for (size_t i = 0; i < capture->map_count; i++)
		if (capture->maps[i].partition == partition)
			return true;
	return false;
}

/* The capture becomes the last one of each disk that it is of and that has none yet. Returns whether it is of any. */
static bool note_capture(struct search *s, const struct vk_capture *c)
{
	bool by_wwid = false, by_name = false;

	for (size_t i = 0; i < s->count + s->name_count && !(by_wwid && i >= s->count); i++) {
		const struct name *name = i < s->count ? NULL : &s->names[i - s->count];
		struct vk_last_disk *disk = &s->disks[name == NULL ? i : name->disk];

		if (name == NULL && (c->wwid[0] == '\0' || strcmp(disk->wwid, c->wwid) != 0))
			continue;
		if (name != NULL && (strcmp(name->text, c->source_path) != 0 || strcmp(c->host, s->host) != 0 ||
				     (c->wwid[0] != '\0' && disk->wwid[0] != '\0')))
			continue;
		if (disk->facts != NULL && vk_capture_contradicts(c, disk->facts))
			continue;
		if (disk->before != NULL &&
		    (strcmp(c->id, disk->before) >= 0 || !vk_capture_has_map(c, disk->partition)))
			continue;
		by_wwid = by_wwid || name == NULL;
		by_name = by_name || name != NULL;
		if (disk->id[0] != '\0')
			continue;
		memcpy(disk->id, c->id, sizeof(disk->id));
		s->found++;
	}
	return by_wwid || by_name;
}

/* A capture that the disk itself was read for. What was renamed in the store is not what its name says. */
static bool open_own(const char *store, const char *id, struct vk_capture *ret_capture)
{
	struct vk_error unknown;
	char path[PATH_BYTES];

	if (snprintf(path, sizeof(path), "%s/%s", store, id) >= (int)sizeof(path) ||
	    vk_capture_open("", path, ret_capture, &unknown) != VK_OK)
		return false;
	if (!ret_capture->is_undo && !ret_capture->is_rebuilt && strcmp(ret_capture->id, id) == 0)
		return true;
	vk_capture_close(ret_capture);
	return false;
}

enum vk_status vk_last_captures(const struct vk_store *store, struct vk_last_disk *disks, size_t count,
				struct vk_error *err)
{
	struct search s = {.disks = disks, .count = count};
	const char *path = vk_store_path(store);
	char **ids;
	size_t id_count;
	enum vk_status status = vk_store_list(path, &ids, &id_count, err);

	if (status != VK_OK)
		return status;
	if (!search_begin(&s))
		status = vk_no_memory(err, path);
	for (size_t i = id_count; i-- > 0; free(ids[i])) {
		struct vk_capture c;

		if (status != VK_OK || s.found == count || !open_own(path, ids[i], &c))
			continue;
		(void)note_capture(&s, &c);
		vk_capture_close(&c);
	}
	free(ids);
	search_end(&s);
	return status;
}

/* ---- what the last run saw */

void vk_gones_free(struct vk_gones *gones)
{
	for (size_t i = 0; i < gones->count; i++)
		vk_capture_close(&gones->captures[i]);
	free(gones->captures);
	memset(gones, 0, sizeof(*gones));
}

static bool has(const json_t *run, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(run, key));

	return text != NULL && strcmp(text, value) == 0;
}

/* words NULL: any. */
static bool is_of(const json_t *run, const struct vk_seen_scope *scope, const char *words)
{
	char host[VK_WHO_HOST_BYTES];

	vk_who_host(host);
	return has(run, "host", host) && has(run, "folder", scope->folder) &&
	       (words == NULL || has(run, "words", words));
}

/* The runs, newest first; an empty list where there is no such file. */
static enum vk_status load(const struct vk_store *store, json_t **ret_runs, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	json_error_t error;
	json_t *root, *runs;
	char *text;
	size_t len;
	enum vk_status status = vk_folder_slurp(vk_store_fd(store), SEEN_FILE, SEEN_MAX_BYTES, &text, &len, &why);

	if (status == VK_ABSENT) {
		*ret_runs = json_array();
		return *ret_runs != NULL ? VK_OK : vk_no_memory(err, SEEN_FILE);
	}
	if (status != VK_OK) {
		*err = why;
		return status;
	}
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	free(text);
	runs = json_object_get(root, "runs");
	*ret_runs = has(root, "schema", "vmfskit.seen/1") && json_is_array(runs) ? json_incref(runs) : NULL;
	json_decref(root);
	if (*ret_runs != NULL)
		return VK_OK;
	vk_error_set(err, VK_DAMAGED, SEEN_FILE, "it does not say which disks the last run saw");
	return vk_error_remedy(err, "check by hand for missing disks; this run writes a new file");
}

enum vk_status vk_seen_captures(const struct vk_store *store, char ***ret_ids, size_t *ret_count, struct vk_error *err)
{
	char host[VK_WHO_HOST_BYTES], **ids = NULL;
	size_t count = 0;
	json_t *runs;
	enum vk_status status = load(store, &runs, err);

	if (status != VK_OK)
		return status;
	vk_who_host(host);
	for (size_t i = 0; i < json_array_size(runs); i++) {
		const json_t *run = json_array_get(runs, i), *seen = json_object_get(run, "captures");

		for (size_t k = 0; has(run, "host", host) && k < json_array_size(seen); k++) {
			const char *id = json_string_value(json_array_get(seen, k));

			if (id != NULL && !vk_sentence_add(&ids, &count, "%s", id))
				status = vk_no_memory(err, SEEN_FILE);
		}
	}
	json_decref(runs);
	if (status != VK_OK) {
		vk_sentences_free(&ids, &count);
		return status;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), vk_texts_compare);
	*ret_ids = ids;
	*ret_count = count;
	return VK_OK;
}

enum vk_status vk_seen_gone(const struct vk_store *store, const struct vk_seen_scope *scope,
			    struct vk_last_disk *disks, size_t count, struct vk_gones *ret_gones, struct vk_error *err)
{
	struct search s = {.disks = disks, .count = count};
	const json_t *seen = NULL, *ids;
	json_t *runs;
	enum vk_status status;

	memset(ret_gones, 0, sizeof(*ret_gones));
	status = load(store, &runs, err);
	if (status != VK_OK)
		return status;
	if (!search_begin(&s))
		status = vk_no_memory(err, SEEN_FILE);
	for (int any = 0; any < 2; any++)
		for (size_t i = 0; i < json_array_size(runs) && seen == NULL; i++)
			if (is_of(json_array_get(runs, i), scope, any ? NULL : scope->words))
				seen = json_array_get(runs, i);
	ids = json_object_get(seen, "captures");
	for (size_t i = 0; i < json_array_size(ids) && status == VK_OK; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		struct vk_capture c;

		if (id == NULL || !vk_id_stamped(id) || strchr(id, '/') != NULL ||
		    !open_own(vk_store_path(store), id, &c))
			continue;
		if (!note_capture(&s, &c)) {
			if (vk_append(&ret_gones->captures, &ret_gones->count, &c, sizeof(c)) != NULL)
				continue;
			status = vk_no_memory(err, SEEN_FILE);
		}
		vk_capture_close(&c);
	}
	json_decref(runs);
	search_end(&s);
	if (status != VK_OK)
		vk_gones_free(ret_gones);
	return status;
}

enum vk_status vk_seen_write(const struct vk_store *store, const struct vk_seen_scope *scope, const char *const *ids,
			     size_t count, struct vk_error *err)
{
	struct vk_json run = vk_json_begin(), root = vk_json_begin();
	json_t *runs, *captures = json_array();
	char host[VK_WHO_HOST_BYTES];
	struct vk_error ignored;
	char *text;
	enum vk_status status;

	/* one that does not tell is replaced */
	if (load(store, &runs, &ignored) != VK_OK)
		runs = json_array();
	for (size_t i = json_array_size(runs); i-- > 0;)
		if (is_of(json_array_get(runs, i), scope, scope->words) || i + 1 >= SCOPES_MAX)
			(void)json_array_remove(runs, i);
	vk_who_host(host);
	vk_json_set_text(&run, "host", host);
	vk_json_set_text(&run, "folder", scope->folder);
	vk_json_set_text(&run, "words", scope->words);
	for (size_t i = 0; i < count; i++)
		vk_json_append(captures, vk_json_text(ids[i]), &run);
	vk_json_set(&run, "captures", captures);
	if (json_array_insert_new(runs, 0, vk_json_end(&run)) != 0)
		root.failed = true;
	vk_json_set_text(&root, "schema", "vmfskit.seen/1");
	vk_json_set(&root, "runs", runs);
	runs = vk_json_end(&root);
	text = runs != NULL ? json_dumps(runs, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
	json_decref(runs);
	if (text == NULL)
		return vk_no_memory(err, SEEN_FILE);
	status = vk_replace_file(vk_store_fd(store), SEEN_FILE, text, strlen(text), "seen", err);
	free(text);
	return status;
}
