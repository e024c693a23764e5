/* SPDX-License-Identifier: Apache-2.0 */
/* Which capture a person means. */
#include "store/capture/named.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/command.h"
#include "base/memory.h"
#include "base/texts.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"

#define LATEST "latest"
enum { LEAST_CHARACTERS = 3 };

struct ids {
	char **items; /* oldest first */
	size_t count;
};

/* The newest capture of each disk that answers to the name. */
struct disks {
	char **keys;
	size_t count;
	struct vk_named_list *list;
};

bool vk_name_is_latest(const char *name)
{
	return strcmp(name, LATEST) == 0 || strncmp(name, LATEST ":", sizeof(LATEST)) == 0;
}

static void fill_item(struct vk_named_list *list, const char *id, const struct vk_capture *c)
{
	struct vk_named *item;

	list->all++;
	if (list->count == VK_NAMED_SHOWN)
		return;
	item = &list->items[list->count++];
	*item = (struct vk_named){.id = ""};
	snprintf(item->id, sizeof(item->id), "%s", id);
	if (c == NULL)
		return;
	memcpy(item->time, c->time, sizeof(item->time));
	snprintf(item->naa, sizeof(item->naa), "%s", vk_capture_naa(c));
	snprintf(item->label, sizeof(item->label), "%s", vk_capture_label(c));
}

/* Under its name in the store; what was renamed is not what its name says. */
static enum vk_status open_own(const char *store, const char *id, struct vk_capture *ret_capture,
			       struct vk_error *err)
{
	enum vk_status status;
	char *path;

	if (asprintf(&path, "%s/%s", store, id) < 0)
		return vk_no_memory(err, store);
	status = vk_capture_open("", path, ret_capture, err);
	if (status == VK_OK && strcmp(ret_capture->id, id) != 0) {
		vk_capture_close(ret_capture);
		status = vk_error_set(err, VK_DAMAGED, path, "its manifest is that of another capture");
	}
	free(path);
	return status;
}

static bool has_text(const char *name, const char *text, bool exact)
{
	return exact ? strcmp(name, text) == 0 : strcasestr(name, text) != NULL;
}

/* Whether the disk, or a volume on it, has that name. */
static bool answers(const struct vk_capture *c, const char *text, bool exact)
{
	bool does = has_text(c->wwid, text, exact);

	for (size_t i = 0; i < c->identity_count && !does; i++)
		does = has_text(c->identities[i].fs_label, text, exact) ||
		       has_text(c->identities[i].disk_id, text, exact);
	return does;
}

static enum vk_status note_disk(struct disks *disks, const struct vk_capture *c, struct vk_error *err)
{
	char *key = vk_capture_disk_key(c);

	for (size_t i = 0; key != NULL && i < disks->count; i++)
		if (strcmp(disks->keys[i], key) == 0) {
			free(key);
			return VK_OK;
		}
	if (key == NULL || vk_append(&disks->keys, &disks->count, &key, sizeof(key)) == NULL) {
		free(key);
		return vk_no_memory(err, NULL);
	}
	fill_item(disks->list, c->id, c);
	return VK_OK;
}

/*
 * One capture, by its manifest. ahead: those whose time lies in the future, which else are counted only. text: NULL for
 * all disks. A damaged manifest is passed over, and said; one that cannot be read may be the newest.
 */
struct search {
	const struct vk_naming *naming;
	const char *text;
	bool exact, ahead;
	int64_t now;
};

static enum vk_status look_at(const struct search *s, const char *id, struct disks *disks, struct vk_error *err)
{
	struct vk_named_list *list = disks->list;
	enum vk_status status;
	struct vk_capture c;
	bool is_meant, ahead;

	status = open_own(s->naming->store, id, &c, err);
	if (status == VK_DAMAGED || status == VK_UNSUPPORTED || status == VK_ABSENT) {
		if (list->count == 0 && !s->ahead && list->unread++ == 0)
			snprintf(list->unread_id, sizeof(list->unread_id), "%s", id);
		return VK_OK;
	}
	if (status != VK_OK)
		return status;
	is_meant = s->naming->undo ? c.is_undo : !c.is_undo && !c.is_rebuilt;
	is_meant = is_meant && (s->text == NULL || answers(&c, s->text, s->exact));
	ahead = vk_civil_is_ahead(c.time, s->now);
	if (is_meant && ahead && !s->ahead && list->ahead++ == 0)
		snprintf(list->ahead_id, sizeof(list->ahead_id), "%s", id);
	if (is_meant && ahead == s->ahead)
		status = note_disk(disks, &c, err);
	vk_capture_close(&c);
	return status;
}

static enum vk_status find_latest(const struct vk_naming *naming, const struct ids *ids, const char *text, bool exact,
				  struct vk_named_list *list, struct vk_error *err)
{
	const bool first_does = text == NULL && !naming->one_disk;
	struct search s = {.naming = naming, .text = text, .exact = exact, .now = (int64_t)time(NULL)};
	struct disks disks = {.list = list};
	enum vk_status status = VK_OK;

	*list = (struct vk_named_list){.count = 0};
	for (int pass = 0; pass == 0 || (pass == 1 && list->ahead > 0); pass++) {
		s.ahead = pass == 1;
		for (size_t i = ids->count; i-- > 0 && status == VK_OK && !(first_does && list->count > 0);)
			status = look_at(&s, ids->items[i], &disks, err);
	}
	vk_sentences_free(&disks.keys, &disks.count);
	return status;
}

static enum vk_status choose_latest(const struct vk_naming *naming, const struct ids *ids, const char *name,
				    struct vk_named_list *list, struct vk_error *err)
{
	const char *kind = naming->undo ? "undo captures" : "backups";
	const char *text = name[strlen(LATEST)] == ':' ? name + sizeof(LATEST) : NULL;
	enum vk_status status;

	if (text != NULL && text[0] == '\0') {
		vk_error_set(err, VK_USAGE, name, "a label or an NAA name is missing behind " LATEST ":");
		return VK_USAGE;
	}
	/* a disk that is called so goes before those that have it in their names */
	status = find_latest(naming, ids, text, true, list, err);
	if (status == VK_OK && list->all == 0 && text != NULL)
		status = find_latest(naming, ids, text, false, list, err);
	if (status != VK_OK || list->all == 1)
		return status;
	if (list->all == 0 && text == NULL)
		vk_error_set(err, VK_ABSENT, naming->store, "there are no %s in the store", kind);
	else if (list->all == 0)
		vk_error_set(err, VK_ABSENT, naming->store, "no disk with %s in the store is called %s",
			     kind, vk_shell_path(text).text);
	else
		vk_error_set(err, VK_USAGE, naming->store, "%s: the store has %s of %zu disks", name, kind, list->all);
	if (list->all == 0)
		vk_error_remedy(err, "vmfskit list --store %s shows the captures", vk_shell_path(naming->store).text);
	else
		vk_error_remedy(err, "name one by its id, or by " LATEST ":LABEL or " LATEST ":NAA");
	return list->all == 0 ? VK_ABSENT : VK_USAGE;
}

static bool is_abbreviated(const char *id, const char *name)
{
	size_t len = strlen(id), part = strlen(name);

	return part <= len && (strncmp(id, name, part) == 0 || strcmp(id + len - part, name) == 0);
}

static enum vk_status choose_part(const struct vk_naming *naming, const struct ids *ids, const char *name,
				  struct vk_named_list *list, struct vk_error *err)
{
	for (size_t i = ids->count; i-- > 0;) {
		struct vk_error ignored;
		struct vk_capture c;

		if (!is_abbreviated(ids->items[i], name))
			continue;
		if (list->count < VK_NAMED_SHOWN && open_own(naming->store, ids->items[i], &c, &ignored) == VK_OK) {
			fill_item(list, ids->items[i], &c);
			vk_capture_close(&c);
		} else {
			fill_item(list, ids->items[i], NULL);
		}
	}
	if (list->all == 1)
		return VK_OK;
	if (list->all == 0)
		return VK_ABSENT;
	vk_error_set(err, VK_USAGE, naming->store, "%s may be any of %zu captures in the store", name, list->all);
	vk_error_remedy(err, "name one by its id, or by " LATEST ":LABEL");
	return VK_USAGE;
}

/* A folder of this name, and perhaps captures of the store: not guessed about. */
static enum vk_status refuse_folder(const struct vk_naming *naming, const char *name, bool here, struct vk_error *err)
{
	vk_error_set(err, VK_USAGE, name,
		     "there is a folder of this name %s, and it may mean another capture of the store",
		     here ? "here" : "in the store");
	return here ? vk_error_remedy(err, "write ./%s, or the id of the capture", name)
		    : vk_error_remedy(err, "write %s/%s, or the id of the capture",
				      vk_shell_path(naming->store).text, name);
}

/* A folder that is called as other captures of the store may be; those are in list. */
static enum vk_status check_folder(const struct vk_naming *naming, const struct ids *ids, const char *name,
				   struct vk_named_list *list, struct vk_error *err)
{
	enum vk_status status;

	for (size_t i = 0; i < ids->count; i++)
		if (strcmp(ids->items[i], name) == 0)
			ids->items[i][0] = '\0'; /* itself */
	status = choose_part(naming, ids, name, list, err);
	return status == VK_ABSENT ? VK_OK : refuse_folder(naming, name, list->here, err);
}

/* Where the folder lies that vk_store_find has found. */
static enum vk_status find_whole(const struct vk_naming *naming, const char *name, struct vk_named_list *list,
				 struct vk_error *err)
{
	size_t len = strlen(naming->store);
	char *path;
	enum vk_status status = vk_store_find(naming->store, name, &path, err);

	*list = (struct vk_named_list){.whole = status == VK_OK};
	if (status != VK_OK)
		return status;
	list->here = strchr(name, '/') == NULL &&
		     !(strncmp(path, naming->store, len) == 0 && path[len] == '/' && strcmp(path + len + 1, name) == 0);
	free(path);
	return VK_OK;
}

enum vk_status vk_capture_named(const struct vk_naming *naming, const char *name, struct vk_named_list *ret_list,
				struct vk_error *err)
{
	const bool latest = vk_name_is_latest(name);
	struct vk_error other;
	struct ids ids = {.count = 0};
	enum vk_status status = find_whole(naming, name, ret_list, err), found;

	if ((status != VK_OK && status != VK_ABSENT) || strchr(name, '/') != NULL ||
	    (!latest && strlen(name) < LEAST_CHARACTERS))
		return status;
	if (status == VK_OK && latest)
		return refuse_folder(naming, name, ret_list->here, err);
	if (status == VK_OK && !ret_list->here && vk_id_stamped(name))
		return VK_OK;
	/* where there is no store, that there is no such capture says it all */
	found = vk_store_list(naming->store, &ids.items, &ids.count, &other);
	if (found == VK_ABSENT)
		return status;
	if (found == VK_OK && status == VK_OK)
		found = check_folder(naming, &ids, name, ret_list, &other);
	else if (found == VK_OK)
		found = latest ? choose_latest(naming, &ids, name, ret_list, &other)
			       : choose_part(naming, &ids, name, ret_list, &other);
	vk_sentences_free(&ids.items, &ids.count);
	if (err != NULL && (found != VK_ABSENT || latest))
		*err = other;
	return found;
}
