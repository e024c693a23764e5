/* SPDX-License-Identifier: Apache-2.0 */
/* Making a capture, step by step; and what makes it evidence: who took it, its signature, its line in the ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/shown.h"
#include "store/capture/taking.h"
#include "store/folder/reader.h"
#include "store/folder/identity_of_run.h"

/*
 * Whole, so that it says something to who reads it elsewhere; links are kept: names like those of
 * by-id are the better ones.
 */
void vk_taking_path(const char *path, char *ret_text, size_t cap)
{
	char folder[4096];
	struct vk_text text = vk_text_in(ret_text, cap);

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

struct vk_taking *vk_taking_new(void)
{
	struct vk_taking *taking = calloc(1, sizeof(*taking));

	if (taking == NULL)
		return NULL;
	taking->folder.fd = -1;
	taking->previous.fd = -1;
	return taking;
}

/* A hundred LUNs by their long names; what is longer is told of by its beginning. */
enum { COMMAND_BYTES = 16384 };

/* User, host, command line and the key's name into the manifest. */
static enum vk_status record_who(struct vk_taking *taking, const struct vk_capture_options *options,
				 struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	const struct vk_sign_key *key = vk_store_sign_key(options->store);
	const char *const *command = vk_store_command(options->store);

	taking->store = options->store;
	vk_who_host(c->host);
	vk_who_user(c->user);
	if (key != NULL)
		memcpy(c->signer, vk_sign_key_name(key), sizeof(c->signer));
	if (command[0] == NULL)
		return VK_OK;
	c->command = vk_who_command(command, COMMAND_BYTES);
	return c->command != NULL ? VK_OK : vk_no_memory(err, NULL);
}

/* Of another host and time: nothing here knows that disk. */
static enum vk_status set_origin(struct vk_taking *taking, const char *path,
				 const struct vk_capture_origin *origin, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;

	c->imported = calloc(origin->file_count + 1, sizeof(*c->imported));
	if (c->imported == NULL)
		return vk_no_memory(err, path);
	memcpy(c->imported, origin->files, origin->file_count * sizeof(*c->imported));
	c->imported_count = origin->file_count;
	vk_time_into(c->imported_time, sizeof(c->imported_time), taking->unix_seconds);
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
	enum vk_status status;

	taking->unix_seconds = (uint64_t)time(NULL);
	vk_who_label(c->version, sizeof(c->version), VK_VERSION);
	vk_who_label(c->run, sizeof(c->run), vk_store_run(options->store));
	c->size_bytes = vk_io_size_bytes(io);
	c->sector_size = vk_io_sector_size(io);
	status = put_other_paths(c, options->other_paths) ?
			 record_who(taking, options, err) :
			 vk_no_memory(err, path);
	if (options->origin == NULL) {
		vk_taking_path(path, c->source_path, sizeof(c->source_path));
		vk_device_info_of_io(io, &taking->manifest.device);
	} else if (status == VK_OK) {
		status = set_origin(taking, path, options->origin, err);
	}
	vk_time_into(c->time, sizeof(c->time), taking->unix_seconds);
	vk_manifest_set_device(c, &taking->manifest.device);
	if (status == VK_OK)
		status = vk_saver_init(&taking->saver, io, err);
	if (status == VK_OK && options->md5 && !vk_digest_add_md5(&taking->saver.digest))
		status = vk_no_memory(err, path);
	if (status != VK_OK)
		return status;
	status = vk_folder_begin(options->store, path, suffix, taking->unix_seconds,
				 &taking->folder, err);
	if (status != VK_OK)
		return status;
	memcpy(c->id, taking->folder.id, sizeof(c->id));
	vk_previous_open(&taking->folder, options->previous, &taking->previous);
	return VK_OK;
}

enum vk_status vk_taking_set(struct vk_taking *taking, const struct vk_region *regions,
			     size_t region_count, const struct vk_identity *identities,
			     size_t identity_count, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;

	c->regions = calloc(region_count + 1, sizeof(*c->regions));
	c->identities = calloc(identity_count + 1, sizeof(*c->identities));
	/* no more maps, and files of metadata, than volumes, whose identities these are */
	taking->written_count = region_count + 1 + 2 * identity_count;
	taking->written = calloc(taking->written_count, sizeof(*taking->written));
	if (taking->written == NULL)
		taking->written_count = 0;
	if (c->regions == NULL || c->identities == NULL || taking->written == NULL)
		return vk_no_memory(err, NULL);
	if (region_count > 0)
		memcpy(c->regions, regions, region_count * sizeof(*regions));
	if (identity_count > 0)
		memcpy(c->identities, identities, identity_count * sizeof(*identities));
	c->region_count = region_count;
	c->identity_count = identity_count;
	return VK_OK;
}

enum vk_status vk_taking_copy(struct vk_taking *taking, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	const struct vk_saver *saver = &taking->saver;
	enum vk_status status = VK_OK;

	for (size_t i = 0; status == VK_OK && i < c->region_count; i++)
		status = vk_taking_put(taking, i, NULL, err);
	for (size_t i = 0; status == VK_OK && i < saver->missing_count; i++)
		if (vk_append(&c->unreadable, &c->unreadable_count, &saver->missing[i].range,
			      sizeof(*c->unreadable)) == NULL)
			status = vk_no_memory(err, NULL);
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
	status = vk_digest_bytes(text, strlen(text), m->restore_sha256)
			 ? vk_taking_put(taking, m->capture.region_count, &(struct vk_taking_bytes){.text = text}, err)
			 : vk_no_memory(err, VK_RESTORE_FILE);
	free(text);
	return status;
}

bool vk_taking_read_back(const struct vk_taking *taking, uint64_t offset, void *buf, size_t len,
			 const char **ret_file)
{
	const struct vk_capture *c = &taking->manifest.capture;

	*ret_file = NULL;
	for (size_t i = 0; i < c->region_count; i++) {
		const struct vk_region *r = &c->regions[i];
		struct vk_error err;
		uint64_t length;
		bool sound;
		int fd;

		if (offset < r->offset_bytes || offset - r->offset_bytes >= r->length_bytes)
			continue;
		*ret_file = r->file;
		if (vk_folder_open_file(taking->folder.fd, r->file, &fd, &length, &err) != VK_OK)
			return false;
		sound = vk_pread_all(fd, buf, len, offset - r->offset_bytes);
		close(fd);
		return sound;
	}
	return false;
}

/*
 * Read the files that were written again, from the disk, and compare with the sums that were computed while they were
 * written. For files that were flushed.
 */
static enum vk_status reread(struct vk_taking *taking, struct vk_error *err)
{
	const struct vk_manifest *m = &taking->manifest;

	for (size_t i = 0; i <= m->capture.region_count + m->capture.map_count + m->capture.metadata_count; i++) {
		uint64_t length;
		const char *file = vk_taking_file(taking, i, &length);
		uint64_t found;
		int fd;
		enum vk_status status;

		if (taking->written[i].linked)
			continue;
		status = vk_folder_open_fresh(taking->folder.fd, file, &fd, &found, err);
		if (status != VK_OK)
			return status;
		if (found != length ||
		    !vk_written_is(&taking->written[i], &taking->saver.sum, fd, length, taking->saver.buf)) {
			vk_error_set(err, VK_IO, file,
				     "a file of the capture does not read back from %s as it was written",
				     taking->folder.store);
			status = vk_error_remedy(
				err, "check the disk of the store, or name another store with --store");
		}
		close(fd);
		if (status != VK_OK)
			return status;
	}
	return VK_OK;
}

/*
 * What stands beside the manifest, whose text is given: its signature when the store has a key, MD5SUMS when there are
 * such digests, SHA256SUMS over all.
 */
static enum vk_status put_papers(struct vk_taking *taking, const char *manifest_text, size_t len, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_sums sums = {.manifest_sha256 = taking->manifest_sha256};
	char signature_sha256[VK_SHA256_HEX_BYTES];
	uint8_t signature[VK_SIGNATURE_BYTES];
	enum vk_status status = VK_OK;
	char *text;

	if (c->signer[0] != '\0') {
		status = vk_sign(vk_store_sign_key(taking->store), manifest_text, len, signature, err);
		if (status == VK_OK && !vk_digest_bytes(signature, sizeof(signature), signature_sha256))
			status = vk_no_memory(err, VK_SIGNATURE_FILE);
		if (status == VK_OK)
			status = vk_folder_put(&taking->folder, VK_SIGNATURE_FILE, (const char *)signature,
					       sizeof(signature), err);
		sums.signature_sha256 = signature_sha256;
	}
	if (status == VK_OK && vk_capture_has_md5(c)) {
		text = vk_md5sums_text(c);
		status = text != NULL ? vk_folder_put(&taking->folder, VK_MD5SUMS_FILE, text, strlen(text), err)
				      : vk_no_memory(err, VK_MD5SUMS_FILE);
		free(text);
	}
	if (status != VK_OK)
		return status;
	text = vk_digest_bytes(manifest_text, len, taking->manifest_sha256) ? vk_sums_text(&taking->manifest, &sums)
									    : NULL;
	status = text != NULL ? vk_folder_put(&taking->folder, VK_SUMS_FILE, text, strlen(text), err)
			      : vk_no_memory(err, VK_SUMS_FILE);
	free(text);
	return status;
}

static struct vk_event event_of(const struct vk_taking *taking, const char *const *ids)
{
	const struct vk_capture *c = &taking->manifest.capture;
	return (struct vk_event){.kind = c->is_undo      ? VK_EVENT_UNDO_CAPTURE
					 : c->is_rebuilt ? VK_EVENT_REBUILT_CAPTURE
							 : taking->event,
				 .captures = ids,
				 .capture_count = 1,
				 .manifest_sha256 = taking->manifest_sha256,
				 .target = c->source_path};
}

/* The line in the ledger, for a folder that is whole and flushed under its temporary name. */
static enum vk_status record_line(struct vk_taking *taking, struct vk_error *err)
{
	const char *const id = taking->manifest.capture.id;
	struct vk_event event = event_of(taking, &id);
	const struct vk_findings *findings = &taking->manifest.findings;
	char result[64] = "complete";
	size_t bad = 0;

	for (size_t i = 0; i < findings->count; i++)
		bad += vk_finding_kind(findings->items[i].code)->severity != VK_INFO;
	if (bad > 0)
		snprintf(result, sizeof(result), "%zu finding%s", bad, bad == 1 ? "" : "s");
	event.result = result;
	/* the temporary folder's name, too, must be on disk before the ledger speaks of it */
	if (vk_step_fails("store folder: fsync before the ledger") || fsync(taking->folder.store_fd) != 0)
		return vk_error_errno(err, errno, taking->folder.store, "cannot flush the store");
	return vk_ledger_append(taking->store, &event, err);
}

/* The line was written and the folder did not get its name after all. */
static void record_abandon(struct vk_taking *taking)
{
	const char *const id = taking->manifest.capture.id;
	struct vk_event event = event_of(taking, &id);
	struct vk_error ignored;

	event.kind = VK_EVENT_ABANDON;
	/* when this fails, too, the ledger names a capture that verify will miss: rather that than the reverse */
	(void)!vk_ledger_append(taking->store, &event, &ignored);
}

enum vk_status vk_taking_commit(struct vk_taking *taking, char ret_id[VK_CAPTURE_ID_BYTES],
				struct vk_error *err)
{
	char *text;
	size_t len;
	enum vk_status status = put_restore(taking, err);

	if (status != VK_OK)
		return status;
	vk_time_into(taking->manifest.capture.ended, sizeof(taking->manifest.capture.ended), (uint64_t)time(NULL));
	status = vk_manifest_write(&taking->manifest, &text, &len, err);
	if (status != VK_OK)
		return status;
	status = vk_folder_put(&taking->folder, VK_MANIFEST_FILE, text, len, err);
	if (status == VK_OK)
		status = put_papers(taking, text, len, err);
	free(text);
	if (status == VK_OK)
		status = vk_folder_flush(&taking->folder, err);
	if (status == VK_OK && !taking->reread)
		status = reread(taking, err);
	/* the ledger names only what is whole and on disk, and the folder gets its name only when the ledger does */
	if (status == VK_OK)
		status = record_line(taking, err);
	if (status == VK_OK) {
		status = vk_folder_commit(&taking->folder, err);
		if (status != VK_OK && taking->folder.fd >= 0)
			record_abandon(taking);
	}
	if (status == VK_OK)
		memcpy(ret_id, taking->manifest.capture.id, VK_CAPTURE_ID_BYTES);
	return status;
}

void vk_taking_free(struct vk_taking *taking)
{
	if (taking == NULL)
		return;
	vk_folder_abandon(&taking->folder);
	vk_previous_close(&taking->previous);
	for (size_t i = 0; i < taking->written_count; i++)
		vk_written_free(&taking->written[i]);
	free(taking->written);
	free(taking->left_out);
	vk_saver_free(&taking->saver);
	vk_manifest_free(&taking->manifest);
	free(taking);
}
