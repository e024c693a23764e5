/* SPDX-License-Identifier: Apache-2.0 */
/* What each capture of a store is, as far as the rules of retention ask, and which go. */
#include "store/retention/prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/civil.h"
#include "base/memory.h"
#include "base/texts.h"
#include "store/folder/folder.h"
#include "store/verify/verify.h"

static void put_problem(struct vk_prune_capture *capture, const char *what, const char *detail)
{
	struct vk_text text = vk_text_in(capture->problem, sizeof(capture->problem));

	vk_text_put(&text, what);
	vk_text_put(&text, detail);
}

static bool fill_disk(struct vk_prune_capture *capture, const struct vk_capture *c)
{
	capture->disk = vk_capture_disk_key(c);
	capture->source_path = strdup(c->source_path);
	return capture->disk != NULL && capture->source_path != NULL;
}

static bool fill_volumes(struct vk_prune_capture *capture, const struct vk_capture *c)
{
	capture->volumes = calloc(c->identity_count + 1, sizeof(*capture->volumes));
	for (size_t i = 0; i < c->identity_count && capture->volumes != NULL; i++) {
		const struct vk_identity *id = &c->identities[i];
		const char *uuid = id->volume_uuid[0] != '\0' ? id->volume_uuid : id->fs_uuid;

		if (uuid[0] == '\0')
			continue;
		capture->volumes[capture->item.volume_count] = strdup(uuid);
		if (capture->volumes[capture->item.volume_count++] == NULL)
			return false;
	}
	return capture->volumes != NULL;
}

/* One digest over those of all LVM regions, in their order; of a disk without any, over those of its table. */
static bool fill_header(struct vk_prune_capture *capture, const struct vk_capture *c)
{
	char *all = malloc((c->region_count + 1) * VK_SHA256_HEX_BYTES);
	size_t len = 0;
	bool sound = all != NULL;

	for (int table = 0; sound && len == 0 && table < 2; table++) {
		capture->item.header_is_table = table == 1;
		for (size_t i = 0; i < c->region_count; i++) {
			if (c->regions[i].part != (table == 1 ? VK_PART_TABLE : VK_PART_LVM))
				continue;
			memcpy(all + len, c->regions[i].sha256, VK_SHA256_HEX_BYTES);
			len += VK_SHA256_HEX_BYTES;
		}
	}
	if (len > 0)
		sound = vk_digest_bytes(all, len, capture->header);
	free(all);
	return sound;
}

static void fill(struct vk_prune_capture *capture, const struct vk_manifest *m)
{
	const struct vk_capture *c = &m->capture;

	memcpy(capture->time, c->time, sizeof(capture->time));
	memcpy(capture->manifest_sha256, c->manifest_sha256, sizeof(capture->manifest_sha256));
	capture->item.is_undo = c->is_undo;
	capture->item.is_rebuilt = c->is_rebuilt;
	if (strcmp(c->id, capture->id) != 0)
		put_problem(capture, "its manifest is that of another capture: ", c->id);
	else if (!vk_civil_parse(c->time, &capture->item.unix_seconds))
		put_problem(capture, "its manifest contains no time: ", c->time);
	else if (!fill_disk(capture, c) || !fill_volumes(capture, c) || !fill_header(capture, c))
		put_problem(capture, "there is no memory for its manifest", "");
	capture->item.id = capture->id;
	capture->item.disk = capture->disk;
	capture->item.volumes = (const char *const *)capture->volumes;
	capture->item.header = capture->header;
}

/*
 * A warning is no damage: what was saved is there, though somebody else could have written to it, or the disk was
 * damaged at the time. A file that somebody put there must not go with the capture.
 */
static void judge(struct vk_prune_capture *capture, int fd, const char *path, struct vk_verify_cache *cache)
{
	struct vk_manifest *manifest = calloc(1, sizeof(*manifest));
	struct vk_findings findings = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err = {.what = "no memory"};

	if (manifest == NULL || vk_manifest_load(fd, path, manifest, &err) != VK_OK) {
		capture->unread = manifest != NULL && err.status == VK_IO;
		put_problem(capture, "its manifest cannot be read: ", err.what);
	} else {
		fill(capture, manifest);
		vk_manifest_free(manifest);
	}
	free(manifest);
	if (vk_verify_folder(fd, path, cache, &sink, &err) != VK_OK) {
		capture->unread = capture->unread || err.status == VK_IO;
		put_problem(capture, "it could not be verified: ", err.what);
	}
	capture->item.verdict = VK_RETENTION_SOUND;
	for (size_t i = 0; i < findings.count; i++) {
		if (findings.items[i].code == VK_F_CAPTURE_INCOMPLETE)
			capture->item.verdict = VK_RETENTION_INCOMPLETE;
		if (findings.items[i].code == VK_F_CAPTURE_EXTRA_FILE)
			put_problem(capture, "it contains something that vmfskit does not make: ",
				    findings.items[i].message);
	}
	if (vk_findings_errors(&findings))
		capture->item.verdict = VK_RETENTION_DAMAGED;
	vk_findings_free(&findings);
}

void vk_prune_study(const struct vk_prune *prune, const struct vk_pins *pins, struct vk_verify_cache *cache,
		   struct vk_prune_capture *capture)
{
	int fd = openat(vk_store_fd(prune->store), capture->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char *path = NULL;

	capture->item.pinned = vk_pins_find(pins, capture->id) != NULL;
	if (fd < 0 || fstat(fd, &st) != 0 || asprintf(&path, "%s/%s", vk_store_path(prune->store), capture->id) < 0) {
		struct vk_error err;

		vk_error_errno(&err, errno, NULL, "its folder cannot be opened");
		put_problem(capture, err.what, "");
		capture->unread = true;
		if (fd >= 0)
			close(fd);
		return;
	}
	capture->dev = st.st_dev;
	capture->ino = st.st_ino;
	judge(capture, fd, path, cache);
	/* vmfskit makes nothing but plain files in captures: what somebody else put there must not go with it */
	if (capture->problem[0] == '\0' && !vk_only_plain_files(fd))
		put_problem(capture,
			    "it contains something that vmfskit does not make: a folder, a link or the like", "");
	free(path);
	close(fd);
}

void vk_prune_capture_free(struct vk_prune_capture *capture)
{
	vk_texts_free(capture->volumes);
	free(capture->disk);
	free(capture->source_path);
	memset(capture, 0, sizeof(*capture));
}

/* ---- which go, and how much room that makes */

/* A file that goes, once for each name that goes. */
struct going {
	dev_t dev;
	ino_t ino;
	nlink_t names;
	uint64_t bytes;
};

struct going_list {
	struct going *items;
	size_t count;
};

/* For vk_each_entry; errno is ENOMEM when memory ran out. */
static bool add_going(void *ctx, int folder_fd, const char *name)
{
	struct going_list *list = ctx;
	struct going going;
	struct stat st;

	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
		return true;
	going = (struct going){.dev = st.st_dev,
			       .ino = st.st_ino,
			       .names = st.st_nlink,
			       .bytes = vk_mul_sat((uint64_t)st.st_blocks, 512)};
	return vk_append(&list->items, &list->count, &going, sizeof(going)) != NULL;
}

static int compare_going(const void *a, const void *b)
{
	const struct going *x = a;
	const struct going *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* A file is gone with the last of its names. */
static enum vk_status count_room(struct vk_prune *prune, struct vk_error *err)
{
	struct going_list list = {.count = 0};
	enum vk_status status = VK_OK;
	size_t first = 0;

	prune->remove_count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		const char *id = prune->captures[i].id;
		int fd;

		if (prune->captures[i].item.keep)
			continue;
		prune->remove_count++;
		fd = openat(vk_store_fd(prune->store), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || !vk_each_entry(fd, add_going, &list))
			status = vk_error_errno(err, errno, id, "cannot list the folder of a capture");
		if (fd >= 0)
			close(fd);
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), compare_going);
	prune->free_bytes = 0;
	for (size_t i = 0; i < list.count; i++) {
		bool ends = i + 1 == list.count || compare_going(&list.items[i], &list.items[i + 1]) != 0;

		if (ends && i - first + 1 >= list.items[i].names)
			prune->free_bytes = vk_add_sat(prune->free_bytes, list.items[i].bytes);
		if (ends)
			first = i + 1;
	}
	free(list.items);
	return status;
}

enum vk_status vk_prune_decide(struct vk_prune *prune, const struct vk_retention_policy *policy,
			       struct vk_error *err)
{
	struct vk_retention_item *items = calloc(prune->count + 1, sizeof(*items));
	size_t count = 0;
	enum vk_status status;

	if (items == NULL)
		return vk_no_memory(err, vk_store_path(prune->store));
	for (size_t i = 0; i < prune->count; i++)
		if (prune->captures[i].problem[0] == '\0')
			items[count++] = prune->captures[i].item;
	status = vk_retention_decide(items, count, policy, err);
	count = 0;
	for (size_t i = 0; i < prune->count && status == VK_OK; i++) {
		struct vk_prune_capture *c = &prune->captures[i];

		if (c->problem[0] == '\0') {
			c->item = items[count++];
			continue;
		}
		c->item.keep = true;
		memcpy(c->item.why, c->problem, sizeof(c->problem));
	}
	free(items);
	return status == VK_OK ? count_room(prune, err) : status;
}
