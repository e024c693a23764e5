/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store: a run finds it without what killed ones left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/shown.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/retention/pins.h"
#include "store/ledger/ledger_captures.h"
#include "store/manifest/manifest.h"

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void put_left(const struct vk_finding_sink *sink, const char *name, const char *why)
{
	vk_finding_say(sink, VK_F_STORE_LEFT_OVER, 0, 0, NULL, NULL, "%s stays in the store: %s",
		       vk_shown_name(name).text, why);
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
	if (vk_only_plain_files(fd))
		return true;
	put_left(sink, name, errno == 0 ? "it contains something that vmfskit does not make" : strerror(errno));
	return false;
}

/* What cannot be read now may be there: only a clear no lets a folder go. */
enum answer { NO, YES, UNKNOWN };

/* Nothing of it was removed yet; what it was taken with is no damage. */
static enum answer is_whole(const struct vk_store *store, const char *name)
{
	struct vk_findings findings = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error unread;
	enum answer answer = UNKNOWN;
	char *path;

	if (asprintf(&path, "%s/%s", vk_store_path(store), name) < 0)
		return UNKNOWN;
	if (vk_capture_verify(path, &sink, &unread) == VK_OK)
		answer = vk_findings_errors(&findings) ? NO : YES;
	vk_findings_free(&findings);
	free(path);
	return answer;
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
	char sha256[VK_SHA256_HEX_BYTES];
	enum vk_status status;

	if (recorded == NULL && set->incomplete)
		return UNKNOWN;
	if (recorded == NULL)
		return stays ? is_whole(store, name) : NO;
	if (recorded->removed > recorded->added && !stays)
		return NO;
	status = vk_manifest_digest(fd, sha256, NULL);
	if (status == VK_OK && strcmp(sha256, recorded->manifest_sha256) == 0)
		return is_gone ? is_whole(store, name) : YES;
	return status == VK_OK || status == VK_ABSENT || status == VK_DAMAGED ? NO : UNKNOWN;
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
	int code;

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0) {
		put_left(sink, name, errno == ENOTDIR || errno == ELOOP ? "it is not a folder" : strerror(errno));
		return;
	}
	if (is_leftover(store_fd, name, fd, sink)) {
		switch (belongs(store, name, fd, recorded)) {
		case YES:
			code = vk_step_fails("left folder: rename") ? errno
								    : vk_rename_to_new(store_fd, name, id_of(name));
			if (code != 0)
				put_left(sink, name, strerror(code));
			break;
		case NO:
			if (!vk_empty_folder(fd, "left folder: unlink") || vk_step_fails("left folder: rmdir") ||
			    unlinkat(store_fd, name, AT_REMOVEDIR) != 0)
				put_left(sink, name, strerror(errno));
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

/*
 * Remove the folders of captures that were being made or removed when their run ended; one that the ledger has gets
 * its name. A folder that is locked is being made by somebody beside this run and stays. What no run can have left (a
 * folder with other things than plain files in it, a link) stays, too, and so does what may have been recorded in a
 * line of the ledger that is not believed; both are told: store.left-over. For who holds the lock of the store.
 * Errors: VK_IO (store or ledger cannot be read), VK_NOMEM.
 */
static enum vk_status sweep(struct vk_store *store, const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct left left = {.count = 0};
	struct vk_recorded_set recorded = {.tree = NULL};
	enum vk_status status = VK_OK;
	bool expected;

	if (!vk_each_entry(vk_store_fd(store), add_left, &left))
		status = vk_error_errno(err, errno, vk_store_path(store), "cannot list the store");
	if (status == VK_OK && left.count > 0) {
		status = vk_ledger_recorded(vk_store_fd(store), NULL, &recorded, &expected, err);
		/* a store without a ledger records nothing, unless it was taken away */
		recorded.incomplete = recorded.incomplete || (status == VK_ABSENT && expected);
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

enum vk_status vk_store_open(const char *path, const struct vk_store_options *options,
			     struct vk_store **ret_store, struct vk_error *err)
{
	struct vk_store *store;
	enum vk_status status = vk_store_hold(path, options, &store, err);

	if (status == VK_OK && options->use == VK_STORE_RUN) {
		status = sweep(store, options->sink, err);
		if (status != VK_OK)
			vk_store_close(store);
	}
	if (status == VK_OK)
		*ret_store = store;
	return status;
}
