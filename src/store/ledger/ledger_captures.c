/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger says are in the store, and whether they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_captures.h"
#include "store/manifest/manifest.h"

enum { FIRST_CAP = 256 };

struct vk_recorded {
	char *id; /* NULL: the slot is empty */
	uint64_t added;   /* number of the last line that added it; 0: none */
	uint64_t removed; /* the same of removing */
	uint64_t begun;   /* as the undo capture of a write: number of the last line that begins one, ... */
	uint64_t ended;   /* ... and of the last that tells the end of one */
	uint64_t offset;  /* of the line that added it */
	char manifest_sha256[VK_SHA256_HEX_BYTES];
	bool is_seen; /* a folder of that name is there */
	enum vk_finding_code doubt; /* what is wrong with the line that added it; VK_F_COUNT: nothing */
};

/*
 * FNV-1a from a secret start: who can write names into the ledger must not be able to choose those that meet in one
 * place.
 */
static uint64_t hash_of(const char *id)
{
	static uint64_t start;
	uint64_t hash;

	if (start == 0)
		start = 0xcbf29ce484222325ULL ^ (uint64_t)(uintptr_t)&start ^ (uint64_t)getpid() << 32;
	hash = start;
	for (; *id != '\0'; id++)
		hash = (hash ^ (uint8_t)*id) * 0x100000001b3ULL;
	return hash ^ hash >> 29;
}

static struct vk_recorded *slot_of(const struct vk_recorded_set *set, const char *id)
{
	size_t at = (size_t)hash_of(id) & (set->cap - 1);

	while (set->slots[at].id != NULL && strcmp(set->slots[at].id, id) != 0)
		at = (at + 1) & (set->cap - 1);
	return &set->slots[at];
}

static bool grow(struct vk_recorded_set *set)
{
	struct vk_recorded_set larger = {.cap = set->cap == 0 ? FIRST_CAP : set->cap * 2, .count = set->count};

	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < set->cap; i++)
		if (set->slots[i].id != NULL)
			*slot_of(&larger, set->slots[i].id) = set->slots[i];
	free(set->slots);
	*set = larger;
	return true;
}

static struct vk_recorded *find_or_add(struct vk_recorded_set *set, const char *id)
{
	struct vk_recorded *slot;

	if (set->count * 2 >= set->cap && !grow(set))
		return NULL;
	slot = slot_of(set, id);
	if (slot->id != NULL)
		return slot;
	slot->id = strdup(id);
	if (slot->id == NULL)
		return NULL;
	set->count++;
	return slot;
}

bool vk_recorded_add(struct vk_recorded_set *set, const struct vk_ledger_line *line, uint64_t offset,
		     enum vk_finding_code doubt)
{
	bool adds = vk_event_adds(line->kind);
	bool removes = vk_event_removes(line->kind);

	if (line->captures == NULL || !vk_event_places(line->kind))
		return true;
	for (size_t i = 0; line->captures[i] != NULL; i++) {
		struct vk_recorded *r = find_or_add(set, line->captures[i]);

		if (r == NULL)
			return false;
		if (removes && line->seq > r->removed)
			r->removed = line->seq;
		/* both kinds name what is written and then the undo capture; who goes back with that ends the first */
		if (line->kind == VK_EVENT_RESTORE_BEGUN && line->captures[i + 1] == NULL && line->seq > r->begun)
			r->begun = line->seq;
		else if (vk_event_ends_write(line->kind) && line->seq > r->ended)
			r->ended = line->seq;
		if (adds && line->seq > r->added) {
			r->added = line->seq;
			r->offset = offset;
			r->doubt = doubt;
			memcpy(r->manifest_sha256, line->manifest_sha256, VK_SHA256_HEX_BYTES);
		}
	}
	return true;
}

void vk_recorded_free(struct vk_recorded_set *set)
{
	for (size_t i = 0; i < set->cap; i++)
		free(set->slots[i].id);
	free(set->slots);
	memset(set, 0, sizeof(*set));
}

static void put(const struct vk_finding_sink *sink, enum vk_finding_code code, const char *id, const char *message,
		uint64_t offset)
{
	char shown[VK_CAPTURE_ID_BYTES + 32];
	struct vk_finding finding;
	struct vk_text text;

	vk_text_init(&text, shown, sizeof(shown));
	vk_text_label(&text, (const uint8_t *)id, strlen(id));
	vk_finding_init(&finding, code, offset, 0, "%s %s", shown, message);
	vk_finding_put(sink, &finding);
}

/* What lies under its name has another manifest. */
static void put_other(const struct vk_finding_sink *sink, const struct vk_recorded *r, const char *id)
{
	if (r->removed > r->added)
		put(sink, VK_F_LEDGER_CAPTURE_UNRECORDED, id,
		    "is recorded as removed, and another one lies in its place", 0);
	else
		put(sink, VK_F_LEDGER_CAPTURE_DIFFERS, id, "has another manifest than the ledger recorded", r->offset);
}

enum state { ABSENT, SAME, OTHER };

/* What the folder prefix+id holds, by the digest of its manifest. An error of the environment is one. */
static enum vk_status look(int store_fd, const char *prefix, const struct vk_recorded *r, enum state *ret_state,
			   struct vk_error *err)
{
	char name[VK_CAPTURE_ID_BYTES + 16];
	char sha256[VK_SHA256_HEX_BYTES];
	struct vk_error why = {.status = VK_OK};
	enum vk_status status;
	char *text;
	size_t len;
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
	*ret_state = OTHER;
	status = vk_folder_slurp(fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &text, &len, &why);
	close(fd);
	if (status == VK_ABSENT || status == VK_DAMAGED)
		return VK_OK;
	if (status != VK_OK) {
		*err = why;
		return status;
	}
	if (!vk_digest_bytes(text, len, sha256))
		status = vk_no_memory(err, name);
	else if (strcmp(sha256, r->manifest_sha256) == 0)
		*ret_state = SAME;
	free(text);
	return status;
}

/* A folder that is in the store. */
static enum vk_status judge_there(const struct vk_recorded_set *set, int store_fd, const char *id,
				  const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct vk_recorded *r = set->cap > 0 ? slot_of(set, id) : NULL;
	enum state state;
	enum vk_status status;

	if (r == NULL || r->id == NULL || r->added == 0) {
		put(sink, VK_F_LEDGER_CAPTURE_UNRECORDED, id, "is not recorded in the ledger", 0);
		return VK_OK;
	}
	status = look(store_fd, "", r, &state, err);
	if (status != VK_OK || state == ABSENT)
		return status;
	r->is_seen = true;
	if (state == OTHER)
		put_other(sink, r, id);
	else if (r->removed > r->added)
		put(sink, VK_F_LEDGER_UNFINISHED, id, "is recorded as removed and still there", r->offset);
	if (r->begun > r->ended)
		put(sink, VK_F_LEDGER_WRITE_UNFINISHED, id,
		    "was saved for a restore that was begun, and no line says how it ended", r->offset);
	return VK_OK;
}

/* One that the ledger knows and that was not among the folders: perhaps it got its name only just now, or a run died in between. */
static enum vk_status judge_recorded(const struct vk_recorded *r, int store_fd, const struct vk_finding_sink *sink,
				     struct vk_error *err)
{
	static const char *const prefixes[] = {".tmp-", ""};
	enum state state = ABSENT;
	enum vk_status status;

	if (r->removed > r->added) {
		status = look(store_fd, ".gone-", r, &state, err);
		if (status == VK_OK && state != ABSENT)
			put(sink, VK_F_LEDGER_UNFINISHED, r->id, "is recorded as removed and not wholly gone", r->offset);
		return status;
	}
	for (size_t i = 0; i < 2 && state != SAME; i++) {
		/* what another run has under its temporary name is its own, unless it is just this */
		status = look(store_fd, prefixes[i], r, &state, err);
		if (status != VK_OK)
			return status;
		if (state == SAME && i == 0)
			put(sink, VK_F_LEDGER_UNFINISHED, r->id, "is recorded and whole, but did not get its name", r->offset);
	}
	if (state == ABSENT)
		put(sink, VK_F_LEDGER_CAPTURE_MISSING, r->id, "is recorded and not there", r->offset);
	else if (state == OTHER)
		put_other(sink, r, r->id);
	return VK_OK;
}

bool vk_recorded_vouches(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
			 const struct vk_finding_sink *sink)
{
	const struct vk_recorded *r = set->cap > 0 ? slot_of(set, id) : NULL;

	if (r == NULL || r->id == NULL || r->added == 0) {
		put(sink, VK_F_LEDGER_CAPTURE_UNRECORDED, id, "is not recorded in the ledger", 0);
	} else if (r->doubt != VK_F_COUNT) {
		put(sink, r->doubt, id,
		    r->doubt == VK_F_LEDGER_ALTERED
			    ? "is recorded by a line of the ledger that is not what was written"
			    : "is recorded by a line of the ledger whose signature does not fit",
		    r->offset);
	} else if (strcmp(r->manifest_sha256, manifest_sha256) == 0) {
		return true;
	} else {
		put_other(sink, r, id);
	}
	return false;
}

bool vk_recorded_knows(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
		       const struct vk_finding_sink *sink)
{
	const struct vk_recorded *r = set->cap > 0 ? slot_of(set, id) : NULL;

	for (size_t i = 0; i < set->cap; i++)
		if (set->slots[i].id != NULL && set->slots[i].doubt == VK_F_COUNT && set->slots[i].added > 0 &&
		    strcmp(set->slots[i].manifest_sha256, manifest_sha256) == 0)
			return true;
	if (r != NULL && r->id != NULL && r->doubt == VK_F_COUNT && r->added > 0)
		put(sink, VK_F_LEDGER_CAPTURE_DIFFERS, id, "has another manifest than the ledger of the store recorded", r->offset);
	return false;
}

static int compare_added(const void *a, const void *b)
{
	const struct vk_recorded *const *x = a;
	const struct vk_recorded *const *y = b;
	uint64_t s = (*x)->added > 0 ? (*x)->added : (*x)->removed;
	uint64_t t = (*y)->added > 0 ? (*y)->added : (*y)->removed;

	if (s != t)
		return s < t ? -1 : 1;
	return strcmp((*x)->id, (*y)->id);
}

/* In the order of the ledger, not in that of the slots. */
static enum vk_status judge_unseen(const struct vk_recorded_set *set, int store_fd, const struct vk_finding_sink *sink,
				   struct vk_error *err)
{
	const struct vk_recorded **unseen = calloc(set->count + 1, sizeof(struct vk_recorded *));
	enum vk_status status = VK_OK;
	size_t count = 0;

	if (unseen == NULL)
		return vk_no_memory(err, VK_LEDGER_FILE);
	for (size_t i = 0; i < set->cap; i++)
		if (set->slots[i].id != NULL && !set->slots[i].is_seen && set->slots[i].added > 0)
			unseen[count++] = &set->slots[i];
	qsort(unseen, count, sizeof(struct vk_recorded *), compare_added);
	for (size_t i = 0; i < count && status == VK_OK; i++)
		status = judge_recorded(unseen[i], store_fd, sink, err);
	free(unseen);
	return status;
}

enum vk_status vk_recorded_compare(struct vk_recorded_set *set, int store_fd, char *const *ids, size_t count,
				   const struct vk_finding_sink *sink, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < count && status == VK_OK; i++)
		status = judge_there(set, store_fd, ids[i], sink, err);
	return status == VK_OK ? judge_unseen(set, store_fd, sink, err) : status;
}
