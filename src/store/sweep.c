/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a killed run left in a store. */
#include "base/memory.h"
#include "store/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/retention/pins.h"
#include "store/ledger/ledger_lines.h"
#include "store/manifest/manifest.h"
#include "vmfskit/text.h"

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void put_left(const struct vk_finding_sink *sink, const char *name, const char *why)
{
	struct vk_finding finding;
	char label[160];
	struct vk_text text;

	vk_text_init(&text, label, sizeof(label));
	vk_text_label(&text, (const uint8_t *)name, strlen(name));
	vk_finding_init(&finding, VK_F_STORE_LEFT_OVER, 0, 0, "%s stays in the store: %s", label, why);
	vk_finding_put(sink, &finding);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Call step for each entry until it returns false; errno says why. */
static bool each_entry(int folder_fd, bool (*step)(int folder_fd, const char *name))
{
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool sound = true;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while (sound && (entry = readdir(dir)) != NULL)
		sound = is_dots(entry->d_name) || step(folder_fd, entry->d_name);
	closedir(dir);
	return sound;
}

static bool is_plain(int folder_fd, const char *name)
{
	struct stat st;
	bool plain = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);

	if (!plain)
		errno = 0;
	return plain;
}

static bool remove_file(int folder_fd, const char *name)
{
	return !vk_step_fails("left folder: unlink") && unlinkat(folder_fd, name, 0) == 0;
}

/* The folder is locked and holds nothing but plain files of this user; false when it is to be left alone. */
static bool is_leftover(int store_fd, const char *name, int fd, const struct vk_finding_sink *sink)
{
	struct stat st;

	/* the name may have got to another folder before this one was locked: it was finished, or is another's now */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !vk_is_at(store_fd, name, fd))
		return false;
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		put_left(sink, name, "it belongs to another user");
		return false;
	}
	if (each_entry(fd, is_plain))
		return true;
	put_left(sink, name, errno == 0 ? "it has something in it that no run makes" : strerror(errno));
	return false;
}

/* What cannot be read now may be there: only a clear no lets a folder go. */
enum answer { NO, YES, UNKNOWN };

/* Whether the folder is the capture that the ledger speaks of. */
static enum answer is_recorded_one(int fd, const struct vk_ledger_query *query)
{
	char sha256[VK_SHA256_HEX_BYTES];
	char *text;
	size_t len;
	bool same;
	enum vk_status status = vk_folder_slurp(fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &text, &len, NULL);

	if (status != VK_OK)
		return status == VK_ABSENT || status == VK_DAMAGED ? NO : UNKNOWN;
	if (!vk_digest_bytes(text, len, sha256)) {
		free(text);
		return UNKNOWN;
	}
	same = strcmp(sha256, query->manifest_sha256) == 0;
	free(text);
	return same ? YES : NO;
}

static void count_error(void *ctx, const struct vk_finding *finding)
{
	size_t *errors = ctx;

	/* what it was taken with is no damage */
	*errors += vk_finding_kind(finding->code)->severity == VK_ERROR;
}

/* Nothing of it was removed yet. */
static enum answer is_whole(const struct vk_store *store, const char *name)
{
	size_t errors = 0;
	const struct vk_finding_sink sink = {.put = count_error, .ctx = &errors};
	struct vk_error unread;
	enum vk_status status;
	char *path;

	if (asprintf(&path, "%s/%s", vk_store_path(store), name) < 0)
		return UNKNOWN;
	status = vk_capture_verify(path, &sink, &unread);
	free(path);
	if (status != VK_OK)
		return UNKNOWN;
	return errors == 0 ? YES : NO;
}

static void give_name(int store_fd, const char *name, const char *id, const struct vk_finding_sink *sink)
{
	int code = vk_step_fails("left folder: rename") ? errno : vk_rename_to_new(store_fd, name, id);

	if (code != 0)
		put_left(sink, name, strerror(code));
}

static void remove_folder(int store_fd, const char *name, int fd, const struct vk_finding_sink *sink)
{
	if (!each_entry(fd, remove_file) || vk_step_fails("left folder: rmdir") ||
	    unlinkat(store_fd, name, AT_REMOVEDIR) != 0)
		put_left(sink, name, strerror(errno));
}

/* Whether what is left is a capture of the store; one that was pinned while it was being removed stays, too. */
static enum answer belongs(const struct vk_store *store, const char *name, int fd, const struct vk_ledger_query *query)
{
	bool is_gone = begins_with(name, VK_GONE_PREFIX);
	enum answer recorded;

	if (!query->is_recorded)
		return is_gone && vk_pin_holds(vk_store_fd(store), query->id) ? is_whole(store, name) : NO;
	if (query->is_removed && !(is_gone && vk_pin_holds(vk_store_fd(store), query->id)))
		return NO;
	recorded = is_recorded_one(fd, query);
	return recorded == YES && is_gone ? is_whole(store, name) : recorded;
}

/*
 * A capture that the ledger has is one: a run died when only its name was missing, or took the name away and died
 * before that was recorded.
 */
static void sweep_one(struct vk_store *store, const char *name, const struct vk_ledger_query *query,
		      const struct vk_finding_sink *sink)
{
	int store_fd = vk_store_fd(store);
	int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0) {
		put_left(sink, name, errno == ENOTDIR || errno == ELOOP ? "it is no folder" : strerror(errno));
		return;
	}
	if (is_leftover(store_fd, name, fd, sink)) {
		switch (belongs(store, name, fd, query)) {
		case YES:
			give_name(store_fd, name, query->id, sink);
			break;
		case NO:
			remove_folder(store_fd, name, fd, sink);
			break;
		case UNKNOWN:
			put_left(sink, name, "it may be a capture, and cannot be read");
			break;
		}
	}
	close(fd);
}

struct left {
	char **names;
	struct vk_ledger_query *queries;
	size_t count;
};

static void free_left(struct left *left)
{
	for (size_t i = 0; i < left->count; i++)
		free(left->names[i]);
	free(left->names);
	free(left->queries);
}

static bool add_left(struct left *left, const char *name)
{
	char *copy = strdup(name);

	if (copy != NULL && vk_append(&left->names, &left->count, &copy, sizeof(copy)) != NULL)
		return true;
	free(copy);
	return false;
}

static enum vk_status collect(const struct vk_store *store, struct left *left, struct vk_error *err)
{
	int copy = openat(vk_store_fd(store), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool sound = true;

	if (dir == NULL) {
		vk_error_errno(err, errno, vk_store_path(store), "cannot list the store");
		if (copy >= 0)
			close(copy);
		return VK_IO;
	}
	while (sound && (entry = readdir(dir)) != NULL)
		if (begins_with(entry->d_name, VK_TEMPORARY_PREFIX) || begins_with(entry->d_name, VK_GONE_PREFIX))
			sound = add_left(left, entry->d_name);
	closedir(dir);
	left->queries = calloc(left->count + 1, sizeof(*left->queries));
	if (!sound || left->queries == NULL)
		return vk_no_memory(err, vk_store_path(store));
	for (size_t i = 0; i < left->count; i++)
		left->queries[i].id = strchr(left->names[i], '-') + 1;
	return VK_OK;
}

enum vk_status vk_store_sweep(struct vk_store *store, const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct left left = {.count = 0};
	enum vk_status status = collect(store, &left, err);

	if (status == VK_OK && left.count > 0)
		status = vk_ledger_lookup(store, left.queries, left.count, err);
	for (size_t i = 0; status == VK_OK && i < left.count; i++)
		sweep_one(store, left.names[i], &left.queries[i], sink);
	if (status == VK_OK && left.count > 0 &&
	    (vk_step_fails("left folder: fsync store") || fsync(vk_store_fd(store)) != 0))
		status = vk_error_errno(err, errno, vk_store_path(store), "cannot flush the folder of the store");
	free_left(&left);
	return status;
}
