/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as a capture. The file is taken for hostile: nothing in it is used before it was checked. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "base/texts.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/manifest/rebuilt.h"
#include "store/manifest/rows.h"

static void read_purpose(struct vk_json_reader *r, const json_t *root, struct vk_capture *c)
{
	static const char *const words[] = {"capture", "undo", "rebuilt"};
	size_t purpose = vk_reader_choice(r, root, "purpose", words, 3);

	c->is_undo = purpose == 1;
	c->is_rebuilt = purpose == 2;
	if (c->is_undo)
		vk_reader_text(r, root, "undo_of", c->undo_of, sizeof(c->undo_of));
	if (!c->is_rebuilt)
		return;
	vk_rows_read(&vk_rebuilt_rows, r, json_object_get(root, "rebuilt"), &c->rebuilt);
	/* restore goes by these: they are in order, or it might be told to write one of them twice */
	for (size_t i = 1; i < c->rebuilt.range_count && r->ok; i++) {
		const struct vk_range *range = &c->rebuilt.ranges[i];

		if (range->offset_bytes < range[-1].offset_bytes + range[-1].length_bytes)
			vk_reader_fail(r, "ranges", "overlap or are out of order");
	}
}

static void read_files(struct vk_json_reader *r, const json_t *root, struct vk_manifest *m)
{
	const json_t *array = json_object_get(root, "files");
	const json_t *o = json_array_get(array, 0);
	char name[64];

	if (json_array_size(array) != 1)
		vk_reader_fail(r, "files", "is not a list of one file");
	vk_reader_text(r, o, "file", name, sizeof(name));
	if (r->ok && strcmp(name, VK_RESTORE_FILE) != 0)
		vk_reader_fail(r, "files", "names another file than " VK_RESTORE_FILE);
	vk_rows_read(&vk_restore_rows, r, o, m);
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

/* Two regions, or maps, in one file would make one of them worthless. */
static void check_names(struct vk_json_reader *r, const struct vk_capture *c)
{
	const size_t count = c->region_count + c->map_count + c->metadata_count;
	const char **names = calloc(count + 1, sizeof(*names));

	if (names == NULL) {
		r->status = vk_no_memory(r->err, r->where);
		r->ok = false;
		return;
	}
	for (size_t i = 0; i < c->region_count; i++)
		names[i] = c->regions[i].file;
	for (size_t i = 0; i < c->map_count; i++)
		names[c->region_count + i] = c->maps[i].file;
	for (size_t i = 0; i < c->metadata_count; i++)
		names[c->region_count + c->map_count + i] = c->metadata[i].file;
	qsort(names, count, sizeof(*names), vk_texts_compare);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			vk_reader_fail(r, "file", "names the same file twice");
	free(names);
}

/* What was found when it was taken: whether the capture contains what it is for stands only there. */
static void read_findings(struct vk_json_reader *r, const json_t *root, struct vk_manifest *m)
{
	const json_t *array = json_object_get(root, "findings");

	if (r->ok && !json_is_array(array))
		vk_reader_fail(r, "findings", "is not a list");
	for (size_t i = 0; r->ok && i < json_array_size(array); i++) {
		const json_t *o = json_array_get(array, i);
		const char *severity = json_string_value(json_object_get(o, "severity"));
		const char *message = json_string_value(json_object_get(o, "message"));

		if (severity == NULL || strcmp(severity, vk_severity_name(VK_INFO)) == 0)
			continue;
		if (m->taken_bad++ > 0 || message == NULL)
			continue;
		vk_label_into(m->taken_first, sizeof(m->taken_first), message, strlen(message));
	}
}

static void read_manifest(struct vk_json_reader *r, const json_t *root, struct vk_manifest *m)
{
	struct vk_capture *c = &m->capture;
	const json_t *o;
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
	vk_rows_read(&vk_run_rows, r, root, c);
	o = json_object_get(root, "imported");
	if (o != NULL)
		vk_rows_read(&vk_imported_rows, r, o, c);
	vk_rows_read(&vk_source_rows, r, json_object_get(root, "source"), c);
	if (r->ok && c->sector_size != 512 && c->sector_size != 4096)
		vk_reader_fail(r, "sector_size", "is neither 512 nor 4096");
	o = json_object_get(root, "device");
	vk_rows_read(&vk_device_rows, r, o, &m->device);
	o = json_object_get(o, "file");
	if (o != NULL)
		vk_rows_read(&vk_file_id_rows, r, o, &m->device.file);
	vk_manifest_set_device(c, &m->device);
	if (json_array_size(json_object_get(root, "file_maps")) > VK_MANIFEST_MAX_VOLUMES)
		vk_reader_fail(r, "file_maps", "is too long a list");
	if (json_array_size(json_object_get(root, "metadata")) > VK_MANIFEST_MAX_VOLUMES)
		vk_reader_fail(r, "metadata", "is too long a list");
	if (json_array_size(json_object_get(root, "partitions")) > VK_MANIFEST_MAX_VOLUMES)
		vk_reader_fail(r, "partitions", "is too long a list");
	vk_rows_read(&vk_content_rows, r, root, c);
	for (size_t i = 0; i < c->identity_count && r->ok; i++)
		if (c->identities[i].heartbeat_length_bytes > 0 && c->identities[i].heartbeat_slot_bytes == 0)
			vk_reader_fail(r, "heartbeat_slot_bytes", "is out of range");
	read_files(r, root, m);
	vk_rows_read(&vk_unreadable_rows, r, root, c);
	read_findings(r, root, m);
	if (r->ok)
		check_names(r, c);
}

enum vk_status vk_manifest_read(const char *text, size_t len, const char *where,
				struct vk_manifest *ret_manifest, bool *ret_canonical,
				struct vk_error *err)
{
	struct vk_json_reader r = {.what = "the manifest", .where = where, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root;
	size_t tokens = 0;

	memset(ret_manifest, 0, sizeof(*ret_manifest));
	/* at least as many as the values in the text: those in strings are counted, too */
	for (size_t i = 0; i < len; i++)
		tokens += text[i] == ',' || text[i] == '[' || text[i] == '{' || text[i] == ':';
	if (tokens > VK_MANIFEST_MAX_TOKENS)
		return vk_error_set(err, VK_DAMAGED, where, "the manifest is damaged: no capture needs so many values");
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		char why[4 * JSON_ERROR_TEXT_LENGTH];

		/* it quotes the bytes that it stumbled over */
		vk_label_into(why, sizeof(why), error.text, strlen(error.text));
		vk_error_set(err, VK_DAMAGED, where, "the manifest is damaged: line %d: %s",
			     error.line, why);
		return vk_error_at(err, error.position > 0 ? (uint64_t)error.position : 0);
	}
	read_manifest(&r, root, ret_manifest);
	/* any other spelling of the same values, even one more blank, was not written by us */
	if (r.ok && ret_canonical != NULL)
		*ret_canonical = len > 0 && text[len - 1] == '\n' &&
				 vk_reader_spelt(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER, text, len - 1);
	json_decref(root);
	if (!r.ok)
		vk_manifest_free(ret_manifest);
	return r.status;
}

void vk_manifest_free(struct vk_manifest *manifest)
{
	vk_capture_close(&manifest->capture);
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

bool vk_manifest_check_ranges(const struct vk_capture *capture, const struct vk_finding_sink *sink)
{
	bool all_sound = true;
	uint64_t last_end = 0;

	for (size_t i = 0; i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];
		const char *before = i > 0 ? region[-1].file : "";
		uint64_t end = vk_add_sat(region->offset_bytes, region->length_bytes);
		bool past = end > capture->size_bytes;
		bool unordered = i > 0 && region->offset_bytes < region[-1].offset_bytes;
		bool overlaps = !unordered && region->offset_bytes < last_end;

		if (past)
			vk_finding_say(sink, VK_F_CAPTURE_RANGE, region->offset_bytes, region->length_bytes, NULL, NULL,
				       "region %s reaches past the end of the disk", region->file);
		if (unordered || overlaps)
			vk_finding_say(sink, VK_F_CAPTURE_RANGE, region->offset_bytes, region->length_bytes, NULL, NULL,
				       "region %s %s%s", region->file,
				       unordered ? "is out of order behind " : "overlaps ", before);
		all_sound = all_sound && !past && !unordered && !overlaps;
		last_end = vk_max_u64(last_end, end);
	}
	return all_sound;
}
