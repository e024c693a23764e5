/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger says are in the store, and whether they are. */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_captures.h"
#include "store/manifest/manifest.h"

static int compare_ids(const void *a, const void *b)
{
	const struct vk_recorded *x = a;
	const struct vk_recorded *y = b;

	return strcmp(x->id, y->id);
}

static struct vk_recorded *find(const struct vk_recorded_set *set, const char *id)
{
	const struct vk_recorded key = {.id = id};
	void *node = tfind(&key, &set->tree, compare_ids);

	return node != NULL ? *(struct vk_recorded **)node : NULL;
}

const struct vk_recorded *vk_recorded_find(const struct vk_recorded_set *set, const char *id)
{
	const struct vk_recorded *r = find(set, id);

	return r != NULL && r->added > 0 ? r : NULL;
}

/* Item and id are one piece of memory, which belongs to the tree. */
static struct vk_recorded *find_or_add(struct vk_recorded_set *set, const char *id)
{
	struct vk_recorded *r = find(set, id);
	size_t id_bytes = strlen(id) + 1;

	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r) + id_bytes);
	if (r == NULL)
		return NULL;
	r->id = memcpy(r + 1, id, id_bytes);
	if (tsearch(r, &set->tree, compare_ids) == NULL) {
		free(r);
		return NULL;
	}
	return vk_append(&set->items, &set->count, &r, sizeof(struct vk_recorded *)) != NULL ? r : NULL;
}

bool vk_recorded_add(struct vk_recorded_set *set, const struct vk_ledger_line *line, uint64_t offset)
{
	unsigned effects = vk_event_effects(line->kind);

	set->lines++;
	for (size_t i = 0; effects != 0 && line->captures != NULL && line->captures[i] != NULL; i++) {
		struct vk_recorded *r = find_or_add(set, line->captures[i]);

		if (r == NULL)
			return false;
		if ((effects & VK_EFFECT_REMOVES) != 0)
			r->removed = set->lines;
		/* both kinds name what is written and then the undo capture; who goes back with that ends the first */
		if ((effects & VK_EFFECT_BEGINS_WRITE) != 0 && line->captures[i + 1] == NULL)
			r->begun = set->lines;
		if ((effects & VK_EFFECT_ENDS_WRITE) != 0)
			r->ended = set->lines;
		if ((effects & VK_EFFECT_ADDS) == 0)
			continue;
		r->added = set->lines;
		r->offset = offset;
		memcpy(r->manifest_sha256, line->manifest_sha256, VK_SHA256_HEX_BYTES);
	}
	return true;
}

void vk_recorded_free(struct vk_recorded_set *set)
{
	tdestroy(set->tree, free);
	free(set->items);
	*set = (struct vk_recorded_set){.tree = NULL};
}

static void put_finding(const struct vk_finding_sink *sink, enum vk_finding_code code, const char *id,
			const char *message, uint64_t offset)
{
	vk_finding_say(sink, code, offset, 0, NULL, NULL, "%s %s", vk_shown_name(id).text, message);
}

/* What lies under its name has another manifest. */
static void put_other(const struct vk_finding_sink *sink, const struct vk_recorded *r, const char *id)
{
	if (r->removed > r->added)
		put_finding(sink, VK_F_LEDGER_CAPTURE_UNRECORDED, id,
		    "is recorded as removed, and another one is in its place", 0);
	else
		put_finding(sink, VK_F_LEDGER_CAPTURE_DIFFERS, id, "has another manifest than the ledger recorded",
			    r->offset);
}

enum vk_status vk_manifest_digest(int folder_fd, char ret_sha256[VK_SHA256_HEX_BYTES], struct vk_error *err)
{
	char *text;
	size_t len;
	enum vk_status status = vk_folder_slurp(folder_fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &text, &len, err);

	if (status != VK_OK)
		return status;
	if (!vk_digest_bytes(text, len, ret_sha256))
		status = vk_no_memory(err, VK_MANIFEST_FILE);
	free(text);
	return status;
}

enum state { ABSENT, SAME, OTHER };

/* What the folder prefix+id holds, by the digest of its manifest. An error of the environment is one. */
static enum vk_status find_state(int store_fd, const char *prefix, const struct vk_recorded *r, enum state *ret_state,
				 struct vk_error *err)
{
	char name[VK_CAPTURE_ID_BYTES + 16];
	char sha256[VK_SHA256_HEX_BYTES] = "";
	struct vk_error why;
	enum vk_status status;
	int fd;

	*ret_state = ABSENT;
	/* a name of the ledger is no path */
	if (strchr(r->id, '/') != NULL || r->id[0] == '.' || r->id[0] == '\0')
		return VK_OK;
	snprintf(name, sizeof(name), "%s%s", prefix, r->id);
	fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return VK_OK;
	if (fd < 0)
		return vk_error_errno(err, errno, name, "cannot open a capture's folder");
	status = vk_manifest_digest(fd, sha256, &why);
	close(fd);
	if (status != VK_OK && status != VK_ABSENT && status != VK_DAMAGED)
		return (*err = why).status;
	*ret_state = strcmp(sha256, r->manifest_sha256) == 0 ? SAME : OTHER;
	return VK_OK;
}

/*
 * A capture that the ledger knows. It may get its name, or lose it, while this runs: so what is not there under its
 * name is asked for under it once more after the temporary one.
 */
static enum vk_status judge_recorded(const struct vk_recorded *r, int store_fd, const struct vk_finding_sink *sink,
				     struct vk_error *err)
{
	bool removed = r->removed > r->added;
	enum state here;
	enum state aside = ABSENT;
	enum vk_status status = find_state(store_fd, "", r, &here, err);

	if (status == VK_OK && here == ABSENT)
		status = find_state(store_fd, removed ? VK_GONE_PREFIX : VK_TEMPORARY_PREFIX, r, &aside, err);
	if (status == VK_OK && here == ABSENT && !removed && aside != SAME)
		status = find_state(store_fd, "", r, &here, err);
	if (status != VK_OK)
		return status;
	if (here == OTHER)
		put_other(sink, r, r->id);
	else if (here == SAME && removed)
		put_finding(sink, VK_F_LEDGER_UNFINISHED, r->id, "is recorded as removed and still there", r->offset);
	else if (here == ABSENT && removed && aside != ABSENT)
		put_finding(sink, VK_F_LEDGER_UNFINISHED, r->id, "is recorded as removed and not wholly gone",
			    r->offset);
	/* what another run has under its temporary name is its own, unless it is just this */
	else if (here == ABSENT && !removed && aside == SAME)
		put_finding(sink, VK_F_LEDGER_UNFINISHED, r->id, "is recorded and whole, but did not get its name",
			    r->offset);
	else if (here == ABSENT && !removed)
		put_finding(sink, VK_F_LEDGER_CAPTURE_MISSING, r->id, "is recorded and not there", r->offset);
	if (here != ABSENT && r->begun > r->ended)
		put_finding(sink, VK_F_LEDGER_WRITE_UNFINISHED, r->id,
			    "was saved for a restore that was begun, and no line says how it ended", r->offset);
	return VK_OK;
}

static void put_unrecorded(const struct vk_recorded_set *set, const struct vk_finding_sink *sink, const char *id)
{
	put_finding(sink, VK_F_LEDGER_CAPTURE_UNRECORDED, id,
		    set->incomplete ? "is not recorded by a line of the ledger that can be believed"
				    : "is not recorded in the ledger", 0);
}

bool vk_recorded_vouches(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
			 const struct vk_finding_sink *sink)
{
	const struct vk_recorded *r = vk_recorded_find(set, id);

	if (r == NULL)
		put_unrecorded(set, sink, id);
	else if (strcmp(r->manifest_sha256, manifest_sha256) == 0)
		return true;
	else
		put_other(sink, r, id);
	return false;
}

bool vk_recorded_knows(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
		       const struct vk_finding_sink *sink)
{
	const struct vk_recorded *r = vk_recorded_find(set, id);

	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->added > 0 && strcmp(set->items[i]->manifest_sha256, manifest_sha256) == 0)
			return true;
	if (r != NULL)
		put_finding(sink, VK_F_LEDGER_CAPTURE_DIFFERS, id,
			    "has another manifest than the ledger of the store recorded", r->offset);
	return false;
}

enum vk_status vk_recorded_compare(const struct vk_recorded_set *set, int store_fd, char *const *ids, size_t count,
				   const struct vk_finding_sink *sink, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < count; i++)
		if (vk_recorded_find(set, ids[i]) == NULL)
			put_unrecorded(set, sink, ids[i]);
	for (size_t i = 0; i < set->count && status == VK_OK; i++)
		if (set->items[i]->added > 0)
			status = judge_recorded(set->items[i], store_fd, sink, err);
	return status;
}
