/* SPDX-License-Identifier: Apache-2.0 */
/* Making a capture, step by step. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "store/taking.h"

static void put_label(char *ret_text, size_t cap, const char *from)
{
	struct vk_text text;

	vk_text_init(&text, ret_text, cap);
	vk_text_label(&text, (const uint8_t *)from, strlen(from));
}

/*
 * Whole, so that it says something to who reads it elsewhere; links are kept: names like those of
 * by-id are the better ones.
 */
static void put_path(char *ret_text, size_t cap, const char *path)
{
	char folder[4096];
	struct vk_text text;

	vk_text_init(&text, ret_text, cap);
	if (path[0] != '/' && strcmp(path, "-") != 0 && getcwd(folder, sizeof(folder)) != NULL &&
	    folder[0] == '/') {
		vk_text_label(&text, (const uint8_t *)folder, strlen(folder));
		vk_text_put(&text, "/");
	}
	vk_text_label(&text, (const uint8_t *)path, strlen(path));
}

/* Of another host and time: nothing here knows that disk. */
static enum vk_status set_origin(struct vk_taking *taking, const char *path,
				 const struct vk_capture_origin *origin, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_text text;

	c->imported = calloc(origin->file_count + 1, sizeof(*c->imported));
	if (c->imported == NULL)
		return vk_error_set(err, VK_NOMEM, path, "no memory for the capture");
	memcpy(c->imported, origin->files, origin->file_count * sizeof(*c->imported));
	c->imported_count = origin->file_count;
	vk_text_init(&text, c->imported_time, sizeof(c->imported_time));
	vk_text_time_s(&text, taking->unix_seconds);
	put_label(c->source_path, sizeof(c->source_path), path);
	put_label(c->host, sizeof(c->host), origin->host);
	c->size_uncertain = origin->size_uncertain;
	taking->unix_seconds = origin->unix_seconds;
	return VK_OK;
}

enum vk_status vk_taking_begin(struct vk_taking *taking, struct vk_io *io, const char *path,
			       const struct vk_capture_options *options, const char *suffix,
			       struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct utsname name;
	struct vk_text text;
	enum vk_status status;

	taking->unix_seconds = (uint64_t)time(NULL);
	if (uname(&name) == 0)
		put_label(c->host, sizeof(c->host), name.nodename);
	put_label(c->version, sizeof(c->version), VK_VERSION);
	c->size_bytes = vk_io_size_bytes(io);
	c->sector_size = vk_io_sector_size(io);
	if (options->origin == NULL) {
		put_path(c->source_path, sizeof(c->source_path), path);
		vk_device_info_read(path, &taking->manifest.device);
	} else {
		status = set_origin(taking, path, options->origin, err);
		if (status != VK_OK)
			return status;
	}
	vk_text_init(&text, c->time, sizeof(c->time));
	vk_text_time_s(&text, taking->unix_seconds);
	memcpy(c->disk_serial, taking->manifest.device.serial, sizeof(c->disk_serial));
	status = vk_saver_init(&taking->saver, io, options->shared, err);
	if (status != VK_OK)
		return status;
	status = vk_folder_begin(options->store, path, suffix, taking->unix_seconds,
				 &taking->folder, err);
	if (status == VK_OK)
		memcpy(c->id, taking->folder.id, sizeof(c->id));
	return status;
}

enum vk_status vk_taking_set(struct vk_taking *taking, const struct vk_region *regions,
			     size_t region_count, const struct vk_identity *identities,
			     size_t identity_count, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;

	c->regions = calloc(region_count + 1, sizeof(*c->regions));
	c->identities = calloc(identity_count + 1, sizeof(*c->identities));
	if (c->regions == NULL || c->identities == NULL)
		return vk_error_set(err, VK_NOMEM, NULL, "no memory for the capture");
	if (region_count > 0)
		memcpy(c->regions, regions, region_count * sizeof(*regions));
	if (identity_count > 0)
		memcpy(c->identities, identities, identity_count * sizeof(*identities));
	c->region_count = region_count;
	c->identity_count = identity_count;
	return VK_OK;
}

static enum vk_status copy_region(struct vk_taking *taking, struct vk_region *region,
				  struct vk_error *err)
{
	int fd;
	enum vk_status status = vk_folder_create(&taking->folder, region->file, &fd, err);

	if (status != VK_OK)
		return status;
	status = vk_saver_copy(&taking->saver, region, fd, err);
	if (status == VK_OK)
		return vk_folder_close_file(&taking->folder, region->file, fd, err);
	close(fd);
	return status;
}

/* Both lists are sorted, and so is what they make together. */
static void merge(const struct vk_taking *taking, struct vk_range *ret_ranges)
{
	const struct vk_range *a = taking->unreadable;
	const struct vk_range *b = taking->absent;
	size_t i = 0;
	size_t k = 0;

	while (i < taking->unreadable_count || k < taking->absent_count) {
		bool first = k == taking->absent_count ||
			     (i < taking->unreadable_count && a[i].offset_bytes < b[k].offset_bytes);

		*ret_ranges++ = first ? a[i++] : b[k++];
	}
}

enum vk_status vk_taking_copy(struct vk_taking *taking, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_saver *saver = &taking->saver;

	for (size_t i = 0; i < c->region_count; i++) {
		enum vk_status status = copy_region(taking, &c->regions[i], err);

		if (status != VK_OK)
			return status;
	}
	taking->unreadable = saver->unreadable;
	taking->unreadable_count = saver->unreadable_count;
	taking->absent = saver->absent;
	taking->absent_count = saver->absent_count;
	saver->unreadable = NULL;
	saver->unreadable_count = saver->unreadable_cap = 0;
	saver->absent = NULL;
	saver->absent_count = saver->absent_cap = 0;
	c->unreadable_count = taking->unreadable_count + taking->absent_count;
	c->unreadable = calloc(c->unreadable_count + 1, sizeof(*c->unreadable));
	if (c->unreadable == NULL)
		return vk_error_set(err, VK_NOMEM, NULL, "no memory for the ranges that are missing");
	merge(taking, c->unreadable);
	return VK_OK;
}

static enum vk_status put_restore(struct vk_taking *taking, struct vk_error *err)
{
	struct vk_manifest *m = &taking->manifest;
	char *text = vk_restore_text(&m->capture);
	enum vk_status status;

	if (text == NULL)
		return vk_error_set(err, VK_NOMEM, VK_RESTORE_FILE, "no memory for the file");
	m->restore_bytes = strlen(text);
	if (vk_digest_bytes(text, strlen(text), m->restore_sha256))
		status = vk_folder_put(&taking->folder, VK_RESTORE_FILE, text, strlen(text), err);
	else
		status = vk_error_set(err, VK_NOMEM, VK_RESTORE_FILE, "no memory for its digest");
	free(text);
	return status;
}

static enum vk_status put_sums(struct vk_taking *taking, const char *manifest_text, size_t len,
			       struct vk_error *err)
{
	char sha256[VK_SHA256_HEX_BYTES];
	char *text = NULL;
	enum vk_status status;

	if (vk_digest_bytes(manifest_text, len, sha256))
		text = vk_sums_text(&taking->manifest, sha256);
	if (text == NULL)
		return vk_error_set(err, VK_NOMEM, VK_SUMS_FILE, "no memory for the file");
	status = vk_folder_put(&taking->folder, VK_SUMS_FILE, text, strlen(text), err);
	free(text);
	return status;
}

enum vk_status vk_taking_commit(struct vk_taking *taking, char ret_id[VK_CAPTURE_ID_BYTES],
				struct vk_error *err)
{
	char *text;
	size_t len;
	enum vk_status status = put_restore(taking, err);

	if (status != VK_OK)
		return status;
	status = vk_manifest_write(&taking->manifest, &text, &len, err);
	if (status != VK_OK)
		return status;
	status = vk_folder_put(&taking->folder, VK_MANIFEST_FILE, text, len, err);
	if (status == VK_OK)
		status = put_sums(taking, text, len, err);
	free(text);
	if (status == VK_OK)
		status = vk_folder_commit(&taking->folder, err);
	if (status == VK_OK)
		memcpy(ret_id, taking->manifest.capture.id, VK_CAPTURE_ID_BYTES);
	return status;
}

void vk_taking_end(struct vk_taking *taking)
{
	vk_folder_abandon(&taking->folder);
	free(taking->unreadable);
	free(taking->absent);
	vk_saver_free(&taking->saver);
	vk_manifest_free(&taking->manifest);
}
