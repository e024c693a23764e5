/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing captures: first all get names under which nobody looks for them, and only when that is durable their files
 * go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/crash_point.h"
#include "store/folder/folder.h"
#include "store/retention/prune.h"
#include "vmfskit/ledger.h"

enum { GONE_BYTES = VK_CAPTURE_ID_BYTES + sizeof(VK_GONE_PREFIX) };

static void gone_name(const char *id, char ret_name[GONE_BYTES])
{
	snprintf(ret_name, GONE_BYTES, VK_GONE_PREFIX "%s", id);
}

static enum vk_status failed(const struct vk_prune *prune, const char *id, struct vk_error *err)
{
	vk_error_errno(err, errno, vk_store_path(prune->store), "cannot remove the capture %s", id);
	return vk_error_remedy(err,
			       "check the permissions of the store, then run prune again: it removes what is left");
}

static void stays_pinned(struct vk_prune_capture *capture)
{
	capture->removed = false;
	capture->item.keep = true;
	snprintf(capture->item.why, sizeof(capture->item.why), "pinned meanwhile");
}

static enum vk_status take_name(const struct vk_prune *prune, struct vk_prune_capture *capture,
				struct vk_error *err)
{
	int store_fd = vk_store_fd(prune->store);
	char gone[GONE_BYTES];
	struct stat st;
	int code = 0;

	gone_name(capture->id, gone);
	/* what stands under the name now must be what was judged */
	if (fstatat(store_fd, capture->id, &st, AT_SYMLINK_NOFOLLOW) != 0)
		code = errno;
	else if (!S_ISDIR(st.st_mode) || st.st_dev != capture->dev || st.st_ino != capture->ino)
		code = ESTALE;
	else
		code = vk_step_fails("prune: rename") ? errno : vk_rename_to_new(store_fd, capture->id, gone);
	capture->removed = code == 0;
	if (code == 0 && vk_pin_holds(store_fd, capture->id)) {
		/* where it does not get its name back it stays without one, and the next run gives it */
		capture->removed = false;
		code = vk_rename_to_new(store_fd, gone, capture->id);
		if (code == 0)
			stays_pinned(capture);
	}
	errno = code;
	return code == 0 ? VK_OK : failed(prune, capture->id, err);
}

static bool remove_gone(int store_fd, const char *name)
{
	int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool sound = fd >= 0 && vk_empty_folder(fd, "prune: unlink");
	int code = errno;

	if (fd >= 0)
		close(fd);
	errno = code;
	return sound && !vk_step_fails("prune: rmdir") && unlinkat(store_fd, name, AT_REMOVEDIR) == 0;
}

/* Verifying takes its time; what was pinned since then must not get into the ledger as removed. */
static enum vk_status record(struct vk_prune *prune, struct vk_error *err)
{
	struct vk_event event = {.kind = VK_EVENT_PRUNE};
	const char **ids = calloc(prune->count + prune->missing_count + 1, sizeof(*ids));
	enum vk_status status = VK_OK;

	if (ids == NULL)
		return vk_no_memory(err, vk_store_path(prune->store));
	for (size_t i = 0; i < prune->count; i++) {
		struct vk_prune_capture *capture = &prune->captures[i];

		if (capture->item.keep)
			continue;
		if (vk_pin_holds(vk_store_fd(prune->store), capture->id))
			stays_pinned(capture);
		else
			ids[event.capture_count++] = capture->id;
	}
	for (size_t i = 0; i < prune->missing_count; i++)
		ids[event.capture_count++] = prune->missing[i];
	event.captures = ids;
	if (event.capture_count > 0)
		status = vk_ledger_append(prune->store, &event, err);
	free(ids);
	return status;
}

enum vk_status vk_prune_remove(struct vk_prune *prune, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	int store_fd = vk_store_fd(prune->store);
	enum vk_status first = record(prune, err);

	if (first != VK_OK)
		return first;
	for (size_t i = 0; i < prune->count; i++) {
		struct vk_error own;

		if (!prune->captures[i].item.keep && take_name(prune, &prune->captures[i], &own) != VK_OK &&
		    first == VK_OK) {
			why = own;
			first = why.status;
		}
	}
	if (vk_step_fails("prune: fsync store") || fsync(store_fd) != 0)
		return vk_error_errno(err, errno, vk_store_path(prune->store), "cannot flush the folder of the store");
	for (size_t i = 0; i < prune->count; i++) {
		char gone[GONE_BYTES];

		if (!prune->captures[i].removed)
			continue;
		gone_name(prune->captures[i].id, gone);
		if (!remove_gone(store_fd, gone) && first == VK_OK)
			first = failed(prune, prune->captures[i].id, &why);
	}
	if (fsync(store_fd) != 0 && first == VK_OK)
		first = vk_error_errno(&why, errno, vk_store_path(prune->store),
				       "cannot flush the folder of the store");
	if (first != VK_OK && err != NULL)
		*err = why;
	return first;
}
