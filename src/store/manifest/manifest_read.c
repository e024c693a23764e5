/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as a capture. The file is taken for hostile: nothing in it is used before it was checked. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"

static const char *part_word(size_t index)
{
	return vk_part_name((enum vk_part)(1U << index));
}

static const char *table_word(size_t index)
{
	return vk_table_kind_name((enum vk_table_kind)index);
}

static const char *kind_word(size_t index)
{
	return vk_source_kind_name(index == 0 ? VK_SOURCE_DISK : VK_SOURCE_PARTITION);
}

static const char *purpose_word(size_t index)
{
	static const char *const words[] = {"capture", "undo", "rebuilt"};

	return words[index];
}

/*
 * Where a range ends must be a number, too; that it lies on the disk is judged by
 * vk_manifest_check_ranges.
 */
static void get_range(struct vk_reader *r, const json_t *object, uint64_t max, uint64_t *ret_offset,
		      uint64_t *ret_length)
{
	*ret_offset = vk_reader_number(r, object, "offset_bytes", INT64_MAX);
	*ret_length = vk_reader_number(r, object, "length_bytes", max);
	if (r->ok && (*ret_length == 0 || *ret_length > (uint64_t)INT64_MAX - *ret_offset))
		vk_reader_fail(r, "length_bytes", "is out of range");
}

static void read_identities(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	void *items = NULL;
	const json_t *array;

	if (json_array_size(json_object_get(root, "partitions")) > VK_MANIFEST_MAX_VOLUMES)
		vk_reader_fail(r, "partitions", "is too long a list");
	array = vk_reader_array(r, root, "partitions", sizeof(*c->identities), &items,
					&c->identity_count);

	c->identities = items;
	for (size_t i = 0; i < c->identity_count && r->ok; i++) {
		struct vk_identity *id = &c->identities[i];
		const json_t *o = json_array_get(array, i);

		id->partition = (unsigned)vk_reader_number(r, o, "partition", UINT32_MAX);
		id->start_sector = vk_reader_number(r, o, "start_sector", INT64_MAX / 4096);
		id->sectors = vk_reader_number(r, o, "sectors", INT64_MAX / 4096);
		vk_reader_text(r, o, "disk_id", id->disk_id, sizeof(id->disk_id));
		vk_reader_text(r, o, "vml", id->vml, sizeof(id->vml));
		id->lun = (unsigned)vk_reader_number(r, o, "lun", UINT16_MAX);
		vk_reader_text(r, o, "target_label", id->target_label, sizeof(id->target_label));
		vk_reader_text(r, o, "device_uuid", id->device_uuid, sizeof(id->device_uuid));
		vk_reader_text(r, o, "volume_uuid", id->volume_uuid, sizeof(id->volume_uuid));
		vk_reader_text(r, o, "fs_uuid", id->fs_uuid, sizeof(id->fs_uuid));
		vk_reader_text(r, o, "fs_label", id->fs_label, sizeof(id->fs_label));
		vk_reader_text(r, o, "fs_version", id->fs_version, sizeof(id->fs_version));
		id->heartbeat_offset_bytes = vk_reader_number(r, o, "heartbeat_offset_bytes", INT64_MAX);
		id->heartbeat_length_bytes = vk_reader_number(r, o, "heartbeat_length_bytes", 1U << 30);
		id->heartbeat_slot_bytes =
			(uint32_t)vk_reader_number(r, o, "heartbeat_slot_bytes", 1U << 20);
		if (r->ok && id->heartbeat_length_bytes > 0 && id->heartbeat_slot_bytes == 0)
			vk_reader_fail(r, "heartbeat_slot_bytes", "is out of range");
	}
}

static void read_regions(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	void *items = NULL;
	const json_t *array =
		vk_reader_array(r, root, "regions", sizeof(*c->regions), &items, &c->region_count);

	c->regions = items;
	for (size_t i = 0; i < c->region_count && r->ok; i++) {
		struct vk_region *region = &c->regions[i];
		const json_t *o = json_array_get(array, i);

		vk_reader_text(r, o, "file", region->file, sizeof(region->file));
		if (r->ok && !vk_file_name_plain(region->file))
			vk_reader_fail(r, "file", "is not a plain file name");
		region->part = (enum vk_part)(1U << vk_reader_choice(r, o, "part", part_word, 4));
		region->partition = (unsigned)vk_reader_number(r, o, "partition", UINT32_MAX);
		get_range(r, o, VK_REGION_MAX_BYTES, &region->offset_bytes, &region->length_bytes);
		vk_reader_digest(r, o, region->sha256);
		vk_reader_newer_text(r, o, "md5", region->md5, sizeof(region->md5));
		if (r->ok && region->md5[0] != '\0' && !vk_md5_text(region->md5))
			vk_reader_fail(r, "md5", "is not a digest");
	}
}

static void read_unreadable(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	void *items = NULL;
	const json_t *array = vk_reader_array(r, root, "unreadable", sizeof(*c->unreadable), &items,
					&c->unreadable_count);

	c->unreadable = items;
	for (size_t i = 0; i < c->unreadable_count && r->ok; i++)
		get_range(r, json_array_get(array, i), INT64_MAX, &c->unreadable[i].offset_bytes,
			  &c->unreadable[i].length_bytes);
}

static void read_imported(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	const json_t *o = json_object_get(root, "imported");
	void *items = NULL;
	const json_t *array;

	if (o == NULL || !r->ok)
		return;
	vk_reader_text(r, o, "time", c->imported_time, sizeof(c->imported_time));
	vk_reader_text(r, o, "host", c->imported_host, sizeof(c->imported_host));
	array = vk_reader_array(r, o, "files", sizeof(*c->imported), &items, &c->imported_count);
	c->imported = items;
	for (size_t i = 0; i < c->imported_count && r->ok; i++) {
		struct vk_origin_file *file = &c->imported[i];
		const json_t *item = json_array_get(array, i);

		vk_reader_text(r, item, "file", file->name, sizeof(file->name));
		file->length_bytes = vk_reader_number(r, item, "length_bytes", INT64_MAX);
		vk_reader_digest(r, item, file->sha256);
		vk_reader_newer_text(r, item, "modified", file->modified, sizeof(file->modified));
	}
}

/* Ranges that restore goes by: in order, or it might be told to write one of them twice. */
static void read_rebuilt(struct vk_reader *r, const json_t *root, struct vk_rebuilt *rebuilt)
{
	const json_t *o = json_object_get(root, "rebuilt");
	void *items = NULL;
	const json_t *array;

	vk_reader_text(r, o, "what", rebuilt->what, sizeof(rebuilt->what));
	array = vk_reader_array(r, o, "ranges", sizeof(*rebuilt->ranges), &items, &rebuilt->range_count);
	rebuilt->ranges = items;
	for (size_t i = 0; i < rebuilt->range_count && r->ok; i++) {
		struct vk_range *range = &rebuilt->ranges[i];

		get_range(r, json_array_get(array, i), INT64_MAX, &range->offset_bytes, &range->length_bytes);
		if (r->ok && i > 0 &&
		    range->offset_bytes < range[-1].offset_bytes + range[-1].length_bytes)
			vk_reader_fail(r, "ranges", "overlap or are out of order");
	}
	vk_reader_newer_texts(r, o, "exact", &rebuilt->exact);
	vk_reader_newer_texts(r, o, "fresh", &rebuilt->fresh);
	vk_reader_newer_texts(r, o, "lost", &rebuilt->lost);
	vk_reader_newer_texts(r, o, "guessed", &rebuilt->guessed);
	vk_reader_newer_texts(r, o, "replaced", &rebuilt->replaced);
}

static void read_purpose(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	size_t purpose = vk_reader_choice(r, root, "purpose", purpose_word, 3);

	c->is_undo = purpose == 1;
	c->is_rebuilt = purpose == 2;
	if (c->is_undo)
		vk_reader_text(r, root, "undo_of", c->undo_of, sizeof(c->undo_of));
	if (c->is_rebuilt)
		read_rebuilt(r, root, &c->rebuilt);
}

static void read_files(struct vk_reader *r, const json_t *root, struct vk_manifest *m)
{
	const json_t *array = json_object_get(root, "files");
	const json_t *o = json_array_get(array, 0);
	char name[64];

	if (json_array_size(array) != 1)
		vk_reader_fail(r, "files", "is not a list of one file");
	vk_reader_text(r, o, "file", name, sizeof(name));
	if (r->ok && strcmp(name, VK_RESTORE_FILE) != 0)
		vk_reader_fail(r, "files", "names another file than " VK_RESTORE_FILE);
	m->restore_bytes = vk_reader_number(r, o, "length_bytes", VK_REGION_MAX_BYTES);
	vk_reader_digest(r, o, m->restore_sha256);
}

static void read_source(struct vk_reader *r, const json_t *root, struct vk_capture *c)
{
	const json_t *o = json_object_get(root, "source");
	const json_t *certain;

	vk_reader_text(r, o, "path", c->source_path, sizeof(c->source_path));
	vk_reader_newer_texts(r, o, "other_paths", &c->other_paths);
	c->source_kind = vk_reader_choice(r, o, "kind", kind_word, 2) == 0 ? VK_SOURCE_DISK
								     : VK_SOURCE_PARTITION;
	c->size_bytes = vk_reader_number(r, o, "size_bytes", INT64_MAX);
	certain = json_object_get(o, "size_certain");
	if (certain != NULL && !json_is_boolean(certain))
		vk_reader_fail(r, "size_certain", "is neither true nor false");
	c->size_uncertain = json_is_false(certain);
	c->sector_size = (uint32_t)vk_reader_number(r, o, "sector_size", 4096);
	if (r->ok && c->sector_size != 512 && c->sector_size != 4096)
		vk_reader_fail(r, "sector_size", "is neither 512 nor 4096");
	c->table_kind = (enum vk_table_kind)vk_reader_choice(r, o, "table", table_word, 3);
}

void vk_manifest_set_device(struct vk_capture *capture, const struct vk_device_info *device)
{
	memcpy(capture->disk_serial, device->serial, sizeof(capture->disk_serial));
	memcpy(capture->disk_model, device->model, sizeof(capture->disk_model));
	memcpy(capture->wwid, device->wwid, sizeof(capture->wwid));
	capture->device_partition = device->partition;
	capture->device_start_sector = device->start_sector;
	capture->file = device->file;
}

static void read_device(struct vk_reader *r, const json_t *root, struct vk_manifest *m)
{
	const json_t *o = json_object_get(root, "device");

	vk_reader_text(r, o, "vendor", m->device.vendor, sizeof(m->device.vendor));
	vk_reader_text(r, o, "model", m->device.model, sizeof(m->device.model));
	vk_reader_text(r, o, "serial", m->device.serial, sizeof(m->device.serial));
	vk_reader_text(r, o, "wwid", m->device.wwid, sizeof(m->device.wwid));
	if (json_object_get(o, "partition") != NULL) {
		m->device.partition = (unsigned)vk_reader_number(r, o, "partition", UINT32_MAX);
		m->device.start_sector = vk_reader_number(r, o, "start_sector", INT64_MAX / 512);
	}
	o = json_object_get(o, "file");
	if (o != NULL) {
		m->device.file.device = vk_reader_number(r, o, "device", INT64_MAX);
		m->device.file.inode = vk_reader_number(r, o, "inode", INT64_MAX);
		m->device.file.born_ns = vk_reader_number(r, o, "born_ns", INT64_MAX);
	}
	vk_manifest_set_device(&m->capture, &m->device);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two regions in one file would make one of them worthless. */
static void check_names(struct vk_reader *r, const struct vk_capture *c)
{
	const char **names = calloc(c->region_count + 1, sizeof(*names));

	if (names == NULL) {
		r->status = vk_no_memory(r->err, r->where);
		r->ok = false;
		return;
	}
	for (size_t i = 0; i < c->region_count; i++)
		names[i] = c->regions[i].file;
	qsort(names, c->region_count, sizeof(*names), compare_names);
	for (size_t i = 1; i < c->region_count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			vk_reader_fail(r, "file", "names the same file twice");
	free(names);
}

/* What was found when it was taken: whether the capture contains what it is for stands only there. */
static void read_findings(struct vk_reader *r, const json_t *root, struct vk_manifest *m)
{
	const json_t *array = json_object_get(root, "findings");

	if (r->ok && !json_is_array(array))
		vk_reader_fail(r, "findings", "is not a list");
	for (size_t i = 0; r->ok && i < json_array_size(array); i++) {
		const json_t *o = json_array_get(array, i);
		const char *severity = json_string_value(json_object_get(o, "severity"));
		const char *message = json_string_value(json_object_get(o, "message"));
		struct vk_text text;

		if (severity == NULL || strcmp(severity, vk_severity_name(VK_INFO)) == 0)
			continue;
		if (m->taken_bad++ > 0 || message == NULL)
			continue;
		vk_text_init(&text, m->taken_first, sizeof(m->taken_first));
		vk_text_label(&text, (const uint8_t *)message, strlen(message));
	}
}

static void read_manifest(struct vk_reader *r, const json_t *root, struct vk_manifest *m)
{
	struct vk_capture *c = &m->capture;
	char schema[64];

	vk_reader_text(r, root, "schema", schema, sizeof(schema));
	if (r->ok && strcmp(schema, VK_MANIFEST_SCHEMA) != 0) {
		r->ok = false;
		r->status = vk_error_set(r->err, VK_UNSUPPORTED, r->where,
					 "the manifest is of the form %s, this version knows %s",
					 schema, VK_MANIFEST_SCHEMA);
		vk_error_remedy(r->err, "use the version of vmfskit that took it, or a newer one");
		return;
	}
	vk_reader_text(r, root, "id", c->id, sizeof(c->id));
	read_purpose(r, root, c);
	vk_reader_text(r, root, "time", c->time, sizeof(c->time));
	vk_reader_newer_text(r, root, "ended", c->ended, sizeof(c->ended));
	vk_reader_text(r, root, "host", c->host, sizeof(c->host));
	vk_reader_newer_text(r, root, "user", c->user, sizeof(c->user));
	vk_reader_newer_text(r, root, "run", c->run, sizeof(c->run));
	vk_reader_text(r, root, "version", c->version, sizeof(c->version));
	vk_reader_newer_texts(r, root, "command", &c->command);
	vk_reader_newer_text(r, root, "signer", c->signer, sizeof(c->signer));
	if (r->ok && c->signer[0] != '\0' && !vk_sha256_text(c->signer))
		vk_reader_fail(r, "signer", "is not a digest");
	read_imported(r, root, c);
	read_source(r, root, c);
	read_device(r, root, m);
	read_identities(r, root, c);
	read_regions(r, root, c);
	read_files(r, root, m);
	read_unreadable(r, root, c);
	read_findings(r, root, m);
	if (r->ok)
		check_names(r, c);
}

/*
 * What is written is json_dumps of the values in their order: any other spelling of the same
 * values, even one more blank, was not written by us.
 */
static bool is_canonical(const json_t *root, const char *text, size_t len)
{
	char *again = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	size_t size = again != NULL ? strlen(again) : 0;
	bool same = again != NULL && len == size + 1 && memcmp(again, text, size) == 0 &&
		    text[size] == '\n';

	free(again);
	return same;
}

/* At least as many as the values in the text: those in strings are counted, too. */
static size_t count_tokens(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ',' || text[i] == '[' || text[i] == '{' || text[i] == ':';
	return count;
}

enum vk_status vk_manifest_read(const char *text, size_t len, const char *where,
				struct vk_manifest *ret_manifest, bool *ret_canonical,
				struct vk_error *err)
{
	struct vk_reader r = {.what = "the manifest", .where = where, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root;

	memset(ret_manifest, 0, sizeof(*ret_manifest));
	if (count_tokens(text, len) > VK_MANIFEST_MAX_TOKENS)
		return vk_error_set(err, VK_DAMAGED, where, "the manifest is damaged: no capture needs so many values");
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		char why[4 * JSON_ERROR_TEXT_LENGTH];
		struct vk_text quoted;

		/* it quotes the bytes that it stumbled over */
		vk_text_init(&quoted, why, sizeof(why));
		vk_text_label(&quoted, (const uint8_t *)error.text, strlen(error.text));
		vk_error_set(err, VK_DAMAGED, where, "the manifest is damaged: line %d: %s",
			     error.line, why);
		return vk_error_at(err, error.position > 0 ? (uint64_t)error.position : 0);
	}
	read_manifest(&r, root, ret_manifest);
	if (r.ok && ret_canonical != NULL)
		*ret_canonical = is_canonical(root, text, len);
	json_decref(root);
	if (!r.ok)
		vk_manifest_free(ret_manifest);
	return r.status;
}

void vk_manifest_free(struct vk_manifest *manifest)
{
	vk_texts_free(manifest->capture.other_paths);
	vk_texts_free(manifest->capture.command);
	free(manifest->capture.identities);
	free(manifest->capture.regions);
	free(manifest->capture.unreadable);
	free(manifest->capture.imported);
	vk_rebuilt_free(&manifest->capture.rebuilt);
	vk_findings_free(&manifest->findings);
	memset(manifest, 0, sizeof(*manifest));
}

enum vk_status vk_manifest_load(int folder_fd, const char *where, struct vk_manifest *ret_manifest,
				struct vk_error *err)
{
	char *text;
	size_t len;
	enum vk_status status =
		vk_folder_slurp(folder_fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &text, &len, err);

	if (status != VK_OK)
		return status;
	status = vk_manifest_read(text, len, where, ret_manifest, NULL, err);
	if (status == VK_OK && !vk_digest_bytes(text, len, ret_manifest->capture.manifest_sha256)) {
		vk_manifest_free(ret_manifest);
		status = vk_no_memory(err, where);
	}
	free(text);
	return status;
}
