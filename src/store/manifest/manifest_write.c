/* SPDX-License-Identifier: Apache-2.0 */
/* A capture as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/manifest/rebuilt.h"

/* Takes ownership of value, as all of these; false when memory ran out or value is NULL. */
static bool put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static bool put_number(json_t *object, const char *key, uint64_t value)
{
	return value <= INT64_MAX && put(object, key, json_integer((json_int_t)value));
}

static bool put_text(json_t *object, const char *key, const char *value)
{
	return put(object, key, json_string(value));
}

/* A list of texts that ends with NULL; not written when there is none, as older versions did not. */
static bool put_texts(json_t *object, const char *key, char *const *texts)
{
	json_t *array;

	if (texts == NULL)
		return true;
	array = json_array();
	for (size_t i = 0; texts[i] != NULL; i++) {
		if (json_array_append_new(array, json_string(texts[i])) != 0) {
			json_decref(array);
			return false;
		}
	}
	return put(object, key, array);
}

static json_t *source_json(const struct vk_capture *c)
{
	json_t *o = json_object();
	bool ok = put_text(o, "path", c->source_path) &&
		  put_texts(o, "other_paths", c->other_paths) &&
		  put_text(o, "kind", vk_source_kind_name(c->source_kind)) &&
		  put_number(o, "size_bytes", c->size_bytes) &&
		  (!c->size_uncertain || put(o, "size_certain", json_false())) &&
		  put_number(o, "sector_size", c->sector_size) &&
		  put_text(o, "table", vk_table_kind_name(c->table_kind));

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* A number that JSON cannot hold is one that is not known. */
static bool put_file(json_t *object, const struct vk_file_id *file)
{
	json_t *o;

	if (file->inode == 0 || file->inode > INT64_MAX || file->device > INT64_MAX || file->born_ns > INT64_MAX)
		return true;
	o = json_object();
	if (put_number(o, "device", file->device) && put_number(o, "inode", file->inode) &&
	    put_number(o, "born_ns", file->born_ns))
		return put(object, "file", o);
	json_decref(o);
	return false;
}

static json_t *device_json(const struct vk_device_info *device)
{
	json_t *o = json_object();
	bool ok = put_text(o, "vendor", device->vendor) && put_text(o, "model", device->model) &&
		  put_text(o, "serial", device->serial) && put_text(o, "wwid", device->wwid) &&
		  (device->partition == 0 || (put_number(o, "partition", device->partition) &&
					      put_number(o, "start_sector", device->start_sector))) &&
		  put_file(o, &device->file);

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *identity_json(const void *item)
{
	const struct vk_identity *id = item;
	json_t *o = json_object();
	bool ok = put_number(o, "partition", id->partition) &&
		  put_number(o, "start_sector", id->start_sector) &&
		  put_number(o, "sectors", id->sectors) && put_text(o, "disk_id", id->disk_id) &&
		  put_text(o, "vml", id->vml) && put_number(o, "lun", id->lun) &&
		  put_text(o, "target_label", id->target_label) &&
		  put_text(o, "device_uuid", id->device_uuid) &&
		  put_text(o, "volume_uuid", id->volume_uuid) &&
		  put_text(o, "fs_uuid", id->fs_uuid) && put_text(o, "fs_label", id->fs_label) &&
		  put_text(o, "fs_version", id->fs_version) &&
		  put_number(o, "heartbeat_offset_bytes", id->heartbeat_offset_bytes) &&
		  put_number(o, "heartbeat_length_bytes", id->heartbeat_length_bytes) &&
		  put_number(o, "heartbeat_slot_bytes", id->heartbeat_slot_bytes);

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *region_json(const void *item)
{
	const struct vk_region *r = item;
	json_t *o = json_object();
	bool ok = put_text(o, "file", r->file) && put_text(o, "part", vk_part_name(r->part)) &&
		  put_number(o, "partition", r->partition) &&
		  put_number(o, "offset_bytes", r->offset_bytes) &&
		  put_number(o, "length_bytes", r->length_bytes) &&
		  put_text(o, "sha256", r->sha256) &&
		  (r->md5[0] == '\0' || put_text(o, "md5", r->md5));

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *origin_file_json(const void *item)
{
	const struct vk_origin_file *file = item;
	json_t *o = json_object();

	if (put_text(o, "file", file->name) && put_number(o, "length_bytes", file->length_bytes) &&
	    put_text(o, "sha256", file->sha256) &&
	    (file->modified[0] == '\0' || put_text(o, "modified", file->modified)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *range_json(const void *item)
{
	const struct vk_range *r = item;
	json_t *o = json_object();

	if (put_number(o, "offset_bytes", r->offset_bytes) &&
	    put_number(o, "length_bytes", r->length_bytes))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *finding_json(const void *item)
{
	const struct vk_finding *f = item;
	const struct vk_finding_kind *kind = vk_finding_kind(f->code);
	json_t *o = json_object();
	bool ok = put_text(o, "severity", vk_severity_name(kind->severity)) &&
		  put_text(o, "code", kind->code) && put_number(o, "offset", f->offset_bytes) &&
		  put_number(o, "length", f->length_bytes) && put_text(o, "seen", f->seen) &&
		  put_text(o, "expected", f->expected) && put_text(o, "message", f->message);

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *array_json(const void *items, size_t count, size_t size,
			  json_t *(*one)(const void *item))
{
	const char *p = items;
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(array, one(p + i * size)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *files_json(const struct vk_manifest *m)
{
	json_t *array = json_array();
	json_t *o = json_object();
	bool ok = put_text(o, "file", VK_RESTORE_FILE) &&
		  put_number(o, "length_bytes", m->restore_bytes) &&
		  put_text(o, "sha256", m->restore_sha256);

	if (ok && json_array_append(array, o) == 0) {
		json_decref(o);
		return array;
	}
	json_decref(o);
	json_decref(array);
	return NULL;
}

#define ARRAY(items, count, one) array_json(items, count, sizeof(*(items)), one)

/* A capture of a disk of this host has no such key. */
static bool put_imported(json_t *object, const struct vk_capture *c)
{
	json_t *o;

	if (c->imported == NULL)
		return true;
	o = json_object();
	if (put_text(o, "time", c->imported_time) && put_text(o, "host", c->imported_host) &&
	    put(o, "files", ARRAY(c->imported, c->imported_count, origin_file_json)))
		return put(object, "imported", o);
	json_decref(o);
	return false;
}

/* Empty lists are written, too: who reads them need not ask whether they are there. */
static bool put_sentences(json_t *object, const char *key, char *const *texts)
{
	return texts != NULL ? put_texts(object, key, texts) : put(object, key, json_array());
}

static json_t *rebuilt_json(const struct vk_rebuilt *rebuilt)
{
	json_t *o = json_object();

	if (put_text(o, "what", rebuilt->what) &&
	    put(o, "ranges", ARRAY(rebuilt->ranges, rebuilt->range_count, range_json)) &&
	    put_sentences(o, "exact", rebuilt->exact) && put_sentences(o, "fresh", rebuilt->fresh) &&
	    put_sentences(o, "lost", rebuilt->lost) && put_sentences(o, "guessed", rebuilt->guessed) &&
	    put_sentences(o, "replaced", rebuilt->replaced))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *manifest_json(const struct vk_manifest *m)
{
	const struct vk_capture *c = &m->capture;
	json_t *o = json_object();
	bool ok = put_text(o, "schema", VK_MANIFEST_SCHEMA) && put_text(o, "id", c->id) &&
		  put_text(o, "purpose", vk_capture_purpose(c)) &&
		  (!c->is_undo || put_text(o, "undo_of", c->undo_of)) &&
		  (!c->is_rebuilt || put(o, "rebuilt", rebuilt_json(&c->rebuilt))) &&
		  put_text(o, "time", c->time) &&
		  (c->ended[0] == '\0' || put_text(o, "ended", c->ended)) &&
		  put_text(o, "host", c->host) &&
		  (c->user[0] == '\0' || put_text(o, "user", c->user)) &&
		  (c->run[0] == '\0' || put_text(o, "run", c->run)) &&
		  put_text(o, "version", c->version) && put_texts(o, "command", c->command) &&
		  (c->signer[0] == '\0' || put_text(o, "signer", c->signer)) &&
		  put_imported(o, c) && put(o, "source", source_json(c)) &&
		  put(o, "device", device_json(&m->device)) &&
		  put(o, "partitions", ARRAY(c->identities, c->identity_count, identity_json)) &&
		  put(o, "regions", ARRAY(c->regions, c->region_count, region_json)) &&
		  put(o, "files", files_json(m)) &&
		  put(o, "unreadable", ARRAY(c->unreadable, c->unreadable_count, range_json)) &&
		  put(o, "findings", ARRAY(m->findings.items, m->findings.count, finding_json));

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

enum vk_status vk_manifest_write(const struct vk_manifest *manifest, char **ret_text,
				 size_t *ret_len, struct vk_error *err)
{
	json_t *o = manifest_json(manifest);
	char *text = o != NULL ? json_dumps(o, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;
	char *line = text != NULL ? realloc(text, len + 2) : NULL;

	json_decref(o);
	if (line == NULL) {
		free(text);
		return vk_no_memory(err, VK_MANIFEST_FILE);
	}
	line[len] = '\n';
	line[len + 1] = '\0';
	*ret_text = line;
	*ret_len = len + 1;
	return VK_OK;
}
