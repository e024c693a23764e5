/* SPDX-License-Identifier: Apache-2.0 */
/* Making a capture, step by step. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/capture/record.h"
#include "store/capture/taking.h"
#include "store/folder/reader.h"
#include "store/folder/who.h"

/*
 * Whole, so that it says something to who reads it elsewhere; links are kept: names like those of
 * by-id are the better ones.
 */
void vk_taking_path(const char *path, char *ret_text, size_t cap)
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

/* Further nodes of the LUN. */
static bool put_other_paths(struct vk_capture *c, const char *const *paths)
{
	size_t count = 0;

	while (paths != NULL && paths[count] != NULL && count < VK_READER_MAX_TEXTS)
		count++;
	if (count == 0)
		return true;
	c->other_paths = calloc(count + 1, sizeof(*c->other_paths));
	for (size_t i = 0; c->other_paths != NULL && i < count; i++) {
		char path[sizeof(c->source_path)];

		vk_taking_path(paths[i], path, sizeof(path));
		c->other_paths[i] = strdup(path);
		if (c->other_paths[i] == NULL)
			return false;
	}
	return c->other_paths != NULL;
}

void vk_taking_init(struct vk_taking *taking)
{
	memset(taking, 0, sizeof(*taking));
	taking->folder.fd = -1;
	taking->previous.fd = -1;
}

/* Of another host and time: nothing here knows that disk. */
static enum vk_status set_origin(struct vk_taking *taking, const char *path,
				 const struct vk_capture_origin *origin, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_text text;

	c->imported = calloc(origin->file_count + 1, sizeof(*c->imported));
	if (c->imported == NULL)
		return vk_no_memory(err, path);
	memcpy(c->imported, origin->files, origin->file_count * sizeof(*c->imported));
	c->imported_count = origin->file_count;
	vk_text_init(&text, c->imported_time, sizeof(c->imported_time));
	vk_text_time_s(&text, taking->unix_seconds);
	memcpy(c->imported_host, c->host, sizeof(c->imported_host));
	vk_who_label(c->host, sizeof(c->host), origin->host);
	vk_who_label(c->source_path, sizeof(c->source_path), path);
	if (origin->wwid != NULL)
		vk_who_label(taking->manifest.device.wwid, sizeof(taking->manifest.device.wwid), origin->wwid);
	c->size_uncertain = origin->size_uncertain;
	taking->unix_seconds = origin->unix_seconds;
	taking->event = VK_EVENT_IMPORT;
	return VK_OK;
}

enum vk_status vk_taking_begin(struct vk_taking *taking, struct vk_io *io, const char *path,
			       const struct vk_capture_options *options, const char *suffix,
			       struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_text text;
	enum vk_status status;

	taking->unix_seconds = (uint64_t)time(NULL);
	vk_who_label(c->version, sizeof(c->version), VK_VERSION);
	vk_who_label(c->run, sizeof(c->run), vk_store_run(options->store));
	c->size_bytes = vk_io_size_bytes(io);
	c->sector_size = vk_io_sector_size(io);
	status = put_other_paths(c, options->other_paths) ?
			 vk_record_who(taking, options, err) :
			 vk_no_memory(err, path);
	if (options->origin == NULL) {
		vk_taking_path(path, c->source_path, sizeof(c->source_path));
		vk_device_info_of_io(io, &taking->manifest.device);
	} else if (status == VK_OK) {
		status = set_origin(taking, path, options->origin, err);
	}
	vk_text_init(&text, c->time, sizeof(c->time));
	vk_text_time_s(&text, taking->unix_seconds);
	vk_manifest_set_device(c, &taking->manifest.device);
	if (status == VK_OK)
		status = vk_saver_init(&taking->saver, io, options->shared, err);
	if (status == VK_OK && options->md5 && !vk_digest_add_md5(&taking->saver.digest))
		status = vk_no_memory(err, path);
	if (status != VK_OK)
		return status;
	status = vk_folder_begin(options->store, path, suffix, taking->unix_seconds,
				 &taking->folder, err);
	if (status != VK_OK)
		return status;
	memcpy(c->id, taking->folder.id, sizeof(c->id));
	return vk_previous_open(&taking->folder, options->previous, &taking->previous, err);
}

enum vk_status vk_taking_set(struct vk_taking *taking, const struct vk_region *regions,
			     size_t region_count, const struct vk_identity *identities,
			     size_t identity_count, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;

	c->regions = calloc(region_count + 1, sizeof(*c->regions));
	c->identities = calloc(identity_count + 1, sizeof(*c->identities));
	taking->linked = calloc(region_count + 1, sizeof(*taking->linked));
	if (c->regions == NULL || c->identities == NULL || taking->linked == NULL)
		return vk_no_memory(err, NULL);
	if (region_count > 0)
		memcpy(c->regions, regions, region_count * sizeof(*regions));
	if (identity_count > 0)
		memcpy(c->identities, identities, identity_count * sizeof(*identities));
	c->region_count = region_count;
	c->identity_count = identity_count;
	return VK_OK;
}

static enum vk_status copy_region(struct vk_taking *taking, struct vk_region *region,
				  struct vk_previous *previous, bool *ret_linked,
				  bool *ret_old_failed, struct vk_error *err)
{
	struct vk_region_file file;
	enum vk_status status = vk_region_file_begin(&file, &taking->folder, previous, region->file,
						     region->length_bytes, err);

	if (status == VK_OK)
		status = vk_saver_copy(&taking->saver, region, &file, err);
	if (status == VK_OK)
		status = vk_region_file_finish(&file, err);
	else
		vk_region_file_abandon(&file);
	*ret_linked = file.linked;
	*ret_old_failed = file.old_failed;
	return status;
}

/* A previous file that fails under our hands is no reason to have no capture: the region is read anew without it. */
static enum vk_status take_region(struct vk_taking *taking, size_t index, struct vk_error *err)
{
	struct vk_region *region = &taking->manifest.capture.regions[index];
	struct vk_saver_mark mark = vk_saver_mark(&taking->saver);
	bool linked;
	bool old_failed;
	enum vk_status status =
		copy_region(taking, region, &taking->previous, &linked, &old_failed, err);

	if (status != VK_OK && old_failed) {
		vk_saver_back_to(&taking->saver, &mark);
		(void)unlinkat(taking->folder.fd, region->file, 0);
		status = copy_region(taking, region, NULL, &linked, &old_failed, err);
	}
	taking->linked[index] = linked;
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
		enum vk_status status = take_region(taking, i, err);

		if (status != VK_OK)
			return status;
		vk_digest_md5(&saver->digest, c->regions[i].md5);
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
		return vk_no_memory(err, NULL);
	merge(taking, c->unreadable);
	return VK_OK;
}

static enum vk_status put_or_link(struct vk_taking *taking, const char *name, const char *text,
				  size_t len, struct vk_error *err)
{
	struct vk_region_file file;
	enum vk_status status = vk_region_file_begin(&file, &taking->folder, &taking->previous, name,
						     len, err);

	if (status == VK_OK)
		status = vk_region_file_bytes(&file, 0, (const uint8_t *)text, len, err);
	if (status == VK_OK)
		status = vk_region_file_finish(&file, err);
	else
		vk_region_file_abandon(&file);
	if (status != VK_OK && file.old_failed) {
		(void)unlinkat(taking->folder.fd, name, 0);
		return vk_folder_put(&taking->folder, name, text, len, err);
	}
	taking->restore_linked = file.linked;
	return status;
}

static enum vk_status put_restore(struct vk_taking *taking, struct vk_error *err)
{
	struct vk_manifest *m = &taking->manifest;
	char *text = vk_restore_text(&m->capture);
	enum vk_status status;

	if (text == NULL)
		return vk_no_memory(err, VK_RESTORE_FILE);
	m->restore_bytes = strlen(text);
	if (vk_digest_bytes(text, strlen(text), m->restore_sha256))
		status = put_or_link(taking, VK_RESTORE_FILE, text, strlen(text), err);
	else
		status = vk_no_memory(err, VK_RESTORE_FILE);
	free(text);
	return status;
}

/* The ledger names the capture only when it is whole and on disk, and its folder gets its name only when the ledger does. */
static enum vk_status record_and_name(struct vk_taking *taking, struct vk_error *err)
{
	enum vk_status status = vk_record_line(taking, err);

	if (status != VK_OK)
		return status;
	status = vk_folder_commit(&taking->folder, err);
	if (status != VK_OK && taking->folder.fd >= 0)
		vk_record_abandon(taking);
	return status;
}

static enum vk_status reread_file(struct vk_taking *taking, const char *file, uint64_t length,
				  const char *sha256, struct vk_error *err)
{
	char now[VK_SHA256_HEX_BYTES];
	uint64_t found;
	int fd;
	enum vk_status status = vk_folder_open_fresh(taking->folder.fd, file, &fd, &found, err);

	if (status != VK_OK)
		return status;
	if (found != length || !vk_saver_digest(&taking->saver, fd, length, now) ||
	    strcmp(now, sha256) != 0) {
		vk_error_set(err, VK_IO, file, "a file of the capture does not read back from %s as it was written",
			     taking->folder.store);
		status = vk_error_remedy(err, "check the disk that the store lies on, or name another store with --store");
	}
	close(fd);
	return status;
}

enum vk_status vk_taking_reread(struct vk_taking *taking, struct vk_error *err)
{
	const struct vk_manifest *m = &taking->manifest;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < m->capture.region_count && status == VK_OK; i++) {
		const struct vk_region *region = &m->capture.regions[i];

		if (!taking->linked[i])
			status = reread_file(taking, region->file, region->length_bytes, region->sha256, err);
	}
	if (status == VK_OK && !taking->restore_linked)
		status = reread_file(taking, VK_RESTORE_FILE, m->restore_bytes, m->restore_sha256, err);
	return status;
}

enum vk_status vk_taking_commit(struct vk_taking *taking, char ret_id[VK_CAPTURE_ID_BYTES],
				struct vk_error *err)
{
	char *text;
	size_t len;
	struct vk_text ended;
	enum vk_status status = put_restore(taking, err);

	if (status != VK_OK)
		return status;
	vk_text_init(&ended, taking->manifest.capture.ended, sizeof(taking->manifest.capture.ended));
	vk_text_time_s(&ended, (uint64_t)time(NULL));
	status = vk_manifest_write(&taking->manifest, &text, &len, err);
	if (status != VK_OK)
		return status;
	status = vk_folder_put(&taking->folder, VK_MANIFEST_FILE, text, len, err);
	if (status == VK_OK)
		status = vk_record_papers(taking, text, len, err);
	free(text);
	if (status == VK_OK)
		status = vk_folder_flush(&taking->folder, err);
	if (status == VK_OK && !taking->reread)
		status = vk_taking_reread(taking, err);
	if (status == VK_OK)
		status = record_and_name(taking, err);
	if (status == VK_OK)
		memcpy(ret_id, taking->manifest.capture.id, VK_CAPTURE_ID_BYTES);
	return status;
}

void vk_taking_end(struct vk_taking *taking)
{
	vk_folder_abandon(&taking->folder);
	vk_previous_close(&taking->previous);
	free(taking->linked);
	free(taking->unreadable);
	free(taking->absent);
	free(taking->left_out);
	vk_saver_free(&taking->saver);
	vk_manifest_free(&taking->manifest);
}
