/* SPDX-License-Identifier: Apache-2.0 */
/* A capture as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/manifest/rebuilt.h"
#include "store/manifest/rows.h"

/* A list of texts that ends with NULL. */
static void set_texts(struct vk_json *object, const char *key, char *const *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		vk_json_append(array, json_string(texts[i]), object);
	vk_json_set(object, key, array);
}

/* Not written when there is none, as older versions did not. */
static void set_newer_texts(struct vk_json *object, const char *key, char *const *texts)
{
	if (texts != NULL)
		set_texts(object, key, texts);
}

static json_t *source_json(const struct vk_capture *c)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "path", c->source_path);
	set_newer_texts(&o, "other_paths", c->other_paths);
	vk_json_set_text(&o, "kind", vk_source_kind_name(c->source_kind));
	vk_json_set_number(&o, "size_bytes", c->size_bytes);
	if (c->size_uncertain)
		vk_json_set_bool(&o, "size_certain", false);
	vk_json_set_number(&o, "sector_size", c->sector_size);
	vk_json_set_text(&o, "table", vk_table_kind_name(c->table_kind));
	return vk_json_end(&o);
}

static json_t *device_json(const struct vk_device_info *device)
{
	const struct vk_file_id *file = &device->file;
	struct vk_json o = vk_json_begin();
	struct vk_json id;

	vk_rows_write(&vk_device_rows, device, &o);
	/* a number that JSON cannot hold is one that is not known */
	if (file->inode != 0 && file->inode <= INT64_MAX && file->device <= INT64_MAX && file->born_ns <= INT64_MAX) {
		id = vk_json_begin();
		vk_rows_write(&vk_file_id_rows, file, &id);
		vk_json_set(&o, "file", vk_json_end(&id));
	}
	return vk_json_end(&o);
}

static json_t *files_json(const struct vk_manifest *m)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "file", VK_RESTORE_FILE);
	vk_json_set_number(&o, "length_bytes", m->restore_bytes);
	vk_json_set_text(&o, "sha256", m->restore_sha256);
	return json_pack("[o]", vk_json_end(&o));
}

static json_t *imported_json(const struct vk_capture *c)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "time", c->imported_time);
	vk_json_set_text(&o, "host", c->imported_host);
	vk_rows_write_array(&vk_origin_file_rows, c->imported, c->imported_count, &o, "files");
	return vk_json_end(&o);
}

/* Empty lists are written, too: who reads them need not ask whether they are there. */
static json_t *rebuilt_json(const struct vk_rebuilt *rebuilt)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "what", rebuilt->what);
	vk_rows_write_array(&vk_range_rows, rebuilt->ranges, rebuilt->range_count, &o, "ranges");
#define LIST(name) set_texts(&o, #name, rebuilt->name);
	VK_REBUILT_LISTS(LIST)
#undef LIST
	return vk_json_end(&o);
}

static json_t *findings_json(const struct vk_findings *findings)
{
	json_t *array = json_array();
	struct vk_json all = {array, array == NULL};

	for (size_t i = 0; i < findings->count; i++) {
		const struct vk_finding *f = &findings->items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(f->code);
		struct vk_json o = vk_json_begin();

		vk_json_set_text(&o, "severity", vk_severity_name(kind->severity));
		vk_json_set_text(&o, "code", kind->code);
		vk_json_set_number(&o, "offset", f->offset_bytes);
		vk_json_set_number(&o, "length", f->length_bytes);
		vk_json_set_text(&o, "seen", f->seen);
		vk_json_set_text(&o, "expected", f->expected);
		vk_json_set_text(&o, "message", f->message);
		vk_json_append(array, vk_json_end(&o), &all);
	}
	return vk_json_end(&all);
}

static json_t *manifest_json(const struct vk_manifest *m)
{
	const struct vk_capture *c = &m->capture;
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "schema", VK_MANIFEST_SCHEMA);
	vk_json_set_text(&o, "id", c->id);
	vk_json_set_text(&o, "purpose", vk_capture_purpose(c));
	if (c->is_undo)
		vk_json_set_text(&o, "undo_of", c->undo_of);
	if (c->is_rebuilt)
		vk_json_set(&o, "rebuilt", rebuilt_json(&c->rebuilt));
	vk_rows_write(&vk_run_rows, c, &o);
	set_newer_texts(&o, "command", c->command);
	if (c->signer[0] != '\0')
		vk_json_set_text(&o, "signer", c->signer);
	if (c->imported != NULL)
		vk_json_set(&o, "imported", imported_json(c));
	vk_json_set(&o, "source", source_json(c));
	vk_json_set(&o, "device", device_json(&m->device));
	vk_rows_write_array(&vk_identity_rows, c->identities, c->identity_count, &o, "partitions");
	vk_rows_write_array(&vk_region_rows, c->regions, c->region_count, &o, "regions");
	vk_json_set(&o, "files", files_json(m));
	vk_rows_write_array(&vk_range_rows, c->unreadable, c->unreadable_count, &o, "unreadable");
	vk_json_set(&o, "findings", findings_json(&m->findings));
	return vk_json_end(&o);
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
