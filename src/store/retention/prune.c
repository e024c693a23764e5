/* SPDX-License-Identifier: Apache-2.0 */
/* What each capture of a store is, as far as the rules of retention ask. */
#include "store/retention/prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/texts.h"
#include "store/folder/folder.h"
#include "store/verify/verify.h"

static void put_problem(struct vk_prune_capture *capture, const char *what, const char *detail)
{
	struct vk_text text;

	vk_text_init(&text, capture->problem, sizeof(capture->problem));
	vk_text_put(&text, what);
	vk_text_put(&text, detail);
}

/*
 * A disk is known by what it says of itself, as in vmfskit/of_disk.h; without a WWID also by its path on this host,
 * so that never the captures of two disks count as those of one. Partitions that were captured by themselves share
 * the first and are told apart by the second.
 */
static bool fill_disk(struct vk_prune_capture *capture, const struct vk_manifest *m)
{
	const struct vk_capture *c = &m->capture;
	bool known = c->wwid[0] != '\0';
	bool whole = c->source_kind == VK_SOURCE_DISK;
	int n = known ? asprintf(&capture->disk, "wwid %s%s%s", c->wwid, whole ? "" : "\npartition ",
				 whole ? "" : c->source_path)
		      : asprintf(&capture->disk, "host %s\npath %s%s%s", c->host, c->source_path,
				 c->disk_serial[0] != '\0' ? "\nserial " : "", c->disk_serial);

	if (n < 0)
		capture->disk = NULL;
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

/* One digest over those of all regions of a part, in their order. Empty when there are none. */
static bool digest_part(const struct vk_capture *c, enum vk_part part, char ret_sha256[VK_SHA256_HEX_BYTES])
{
	char *all = malloc((c->region_count + 1) * VK_SHA256_HEX_BYTES);
	size_t len = 0;
	bool sound = all != NULL;

	ret_sha256[0] = '\0';
	for (size_t i = 0; i < c->region_count && sound; i++) {
		if (c->regions[i].part != part)
			continue;
		memcpy(all + len, c->regions[i].sha256, VK_SHA256_HEX_BYTES);
		len += VK_SHA256_HEX_BYTES;
	}
	if (sound && len > 0)
		sound = vk_digest_bytes(all, len, ret_sha256);
	free(all);
	return sound;
}

static bool fill_header(struct vk_prune_capture *capture, const struct vk_capture *c)
{
	if (!digest_part(c, VK_PART_LVM, capture->header))
		return false;
	capture->item.header_is_table = capture->header[0] == '\0';
	return !capture->item.header_is_table || digest_part(c, VK_PART_TABLE, capture->header);
}

static void fill(struct vk_prune_capture *capture, const struct vk_manifest *m)
{
	const struct vk_capture *c = &m->capture;

	memcpy(capture->time, c->time, sizeof(capture->time));
	capture->item.is_undo = c->is_undo;
	capture->item.is_rebuilt = c->is_rebuilt;
	if (strcmp(c->id, capture->id) != 0)
		put_problem(capture, "its manifest is that of another capture: ", c->id);
	else if (!vk_civil_parse(c->time, &capture->item.unix_seconds))
		put_problem(capture, "its manifest tells no time: ", c->time);
	else if (!fill_disk(capture, m) || !fill_volumes(capture, c) || !fill_header(capture, c))
		put_problem(capture, "there is no memory for its manifest", "");
	capture->item.id = capture->id;
	capture->item.disk = capture->disk;
	capture->item.volumes = (const char *const *)capture->volumes;
	capture->item.header = capture->header;
}

static void load(struct vk_prune_capture *capture, int fd, const char *path)
{
	struct vk_manifest *manifest = calloc(1, sizeof(*manifest));
	struct vk_error err = {.what = "no memory"};

	if (manifest == NULL || vk_manifest_load(fd, path, manifest, &err) != VK_OK) {
		capture->unread = manifest != NULL && err.status == VK_IO;
		put_problem(capture, "its manifest cannot be read: ", err.what);
	} else {
		fill(capture, manifest);
		vk_manifest_free(manifest);
	}
	free(manifest);
}

/*
 * A warning is no damage: what was saved is there, though somebody else could have written to it, or the disk was
 * damaged at the time. A file that somebody put there must not go with the capture.
 */
static void judge(struct vk_prune_capture *capture, int fd, const char *path, struct vk_verify_cache *cache)
{
	struct vk_findings findings = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err;

	if (vk_verify_folder(fd, path, cache, &sink, &err) != VK_OK) {
		capture->unread = capture->unread || err.status == VK_IO;
		put_problem(capture, "it could not be verified: ", err.what);
	}
	capture->item.verdict = VK_RETENTION_SOUND;
	for (size_t i = 0; i < findings.count; i++) {
		if (findings.items[i].code == VK_F_CAPTURE_INCOMPLETE)
			capture->item.verdict = VK_RETENTION_INCOMPLETE;
		if (findings.items[i].code == VK_F_CAPTURE_EXTRA_FILE)
			put_problem(capture, "there is something in it that no run of vmfskit makes: ",
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
	load(capture, fd, path);
	judge(capture, fd, path, cache);
	/* vmfskit makes nothing but plain files in captures: what somebody else put there must not go with it */
	if (capture->problem[0] == '\0' && !vk_only_plain_files(fd))
		put_problem(capture,
			    "there is something in it that no run of vmfskit makes: a folder, a link or the like", "");
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
