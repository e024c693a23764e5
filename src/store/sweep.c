/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a killed run left in a store. */
#include "base/memory.h"
#include "store/sweep.h"

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
#include "store/folder/entries.h"
#include "store/folder/folder.h"
#include "store/retention/pins.h"
#include "store/ledger/ledger_captures.h"
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

static bool is_plain(void *ctx, int folder_fd, const char *name)
{
	struct stat st;
	bool plain = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);

	(void)ctx;
	if (!plain)
		errno = 0;
	return plain;
}

static bool remove_file(void *ctx, int folder_fd, const char *name)
{
	(void)ctx;
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
	if (vk_each_entry(fd, is_plain, NULL))
		return true;
	put_left(sink, name, errno == 0 ? "it has something in it that no run makes" : strerror(errno));
	return false;
}

/* What cannot be read now may be there: only a clear no lets a folder go. */
enum answer { NO, YES, UNKNOWN };

/* Whether the folder is the capture that the ledger speaks of. */
static enum answer is_recorded_one(int fd, const struct vk_recorded *recorded)
{
	char sha256[VK_SHA256_HEX_BYTES];
	enum vk_status status = vk_manifest_digest(fd, sha256, NULL);

	if (status == VK_OK)
		return strcmp(sha256, recorded->manifest_sha256) == 0 ? YES : NO;
	return status == VK_ABSENT || status == VK_DAMAGED ? NO : UNKNOWN;
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
	if (!vk_each_entry(fd, remove_file, NULL) || vk_step_fails("left folder: rmdir") ||
	    unlinkat(store_fd, name, AT_REMOVEDIR) != 0)
		put_left(sink, name, strerror(errno));
}

/* The name without the prefix. */
static const char *id_of(const char *name)
{
	return strchr(name, '-') + 1;
}

/*
 * Whether what is left is a capture of the store, of which the ledger has this; one that was pinned while it was being
 * removed stays, too.
 */
static enum answer belongs(const struct vk_store *store, const char *name, int fd, const struct vk_recorded_set *set)
{
	const struct vk_recorded *recorded = vk_recorded_find(set, id_of(name));
	bool is_gone = begins_with(name, VK_GONE_PREFIX);
	bool stays = is_gone && vk_pin_holds(vk_store_fd(store), id_of(name));
	enum answer answer;

	if (recorded == NULL && set->incomplete)
		return UNKNOWN;
	if (recorded == NULL)
		return stays ? is_whole(store, name) : NO;
	if (recorded->removed > recorded->added && !stays)
		return NO;
	answer = is_recorded_one(fd, recorded);
	return answer == YES && is_gone ? is_whole(store, name) : answer;
}

/*
 * A capture that the ledger has is one: a run died when only its name was missing, or took the name away and died
 * before that was recorded.
 */
static void sweep_one(struct vk_store *store, const char *name, const struct vk_recorded_set *recorded,
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
		switch (belongs(store, name, fd, recorded)) {
		case YES:
			give_name(store_fd, name, id_of(name), sink);
			break;
		case NO:
			remove_folder(store_fd, name, fd, sink);
			break;
		case UNKNOWN:
			put_left(sink, name, "it may be a capture: it cannot be read, or the ledger not be believed");
			break;
		}
	}
	close(fd);
}

/* Names in the store that are those of unfinished captures, or of captures that are being removed. */
struct left {
	char **names;
	size_t count;
};

/* For vk_each_entry; errno is ENOMEM when memory ran out. */
static bool add_left(void *ctx, int folder_fd, const char *name)
{
	struct left *left = ctx;
	char *copy;

	(void)folder_fd;
	if (!begins_with(name, VK_TEMPORARY_PREFIX) && !begins_with(name, VK_GONE_PREFIX))
		return true;
	copy = strdup(name);
	if (copy != NULL && vk_append(&left->names, &left->count, &copy, sizeof(copy)) != NULL)
		return true;
	free(copy);
	return false;
}

enum vk_status vk_store_sweep(struct vk_store *store, const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct left left = {.count = 0};
	struct vk_recorded_set recorded = {.tree = NULL};
	enum vk_status status = VK_OK;
	bool expected;

	if (!vk_each_entry(vk_store_fd(store), add_left, &left))
		status = vk_error_errno(err, errno, vk_store_path(store), "cannot list the store");
	if (status == VK_OK && left.count > 0) {
		status = vk_ledger_recorded(vk_store_fd(store), NULL, &recorded, &expected, err);
		/* a store without a ledger records nothing */
		status = status == VK_ABSENT ? VK_OK : status;
	}
	for (size_t i = 0; status == VK_OK && i < left.count; i++)
		sweep_one(store, left.names[i], &recorded, sink);
	if (status == VK_OK && left.count > 0 &&
	    (vk_step_fails("left folder: fsync store") || fsync(vk_store_fd(store)) != 0))
		status = vk_error_errno(err, errno, vk_store_path(store), "cannot flush the folder of the store");
	for (size_t i = 0; i < left.count; i++)
		free(left.names[i]);
	free(left.names);
	vk_recorded_free(&recorded);
	return status;
}
