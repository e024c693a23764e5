/* SPDX-License-Identifier: Apache-2.0 */
/* A capture as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/manifest/rebuilt.h"
#include "store/manifest/rows.h"

/* One object of these rows as a member. */
static void set_rows(struct vk_json *object, const char *key, const struct vk_rows *rows, const void *item)
{
	struct vk_json o = vk_json_begin();

	vk_rows_write(rows, item, &o);
	vk_json_set(object, key, vk_json_end(&o));
}

static json_t *device_json(const struct vk_device_info *device)
{
	const struct vk_file_id *file = &device->file;
	struct vk_json o = vk_json_begin();

	vk_rows_write(&vk_device_rows, device, &o);
	/* a number that JSON cannot hold is one that is not known */
	if (file->inode != 0 && file->inode <= INT64_MAX && file->device <= INT64_MAX && file->born_ns <= INT64_MAX)
		set_rows(&o, "file", &vk_file_id_rows, file);
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
	struct vk_json restore = vk_json_begin();

	vk_json_set_text(&o, "schema", VK_MANIFEST_SCHEMA);
	vk_json_set_text(&o, "id", c->id);
	vk_json_set_text(&o, "purpose", vk_capture_purpose(c));
	if (c->is_undo)
		vk_json_set_text(&o, "undo_of", c->undo_of);
	if (c->is_rebuilt)
		set_rows(&o, "rebuilt", &vk_rebuilt_rows, &c->rebuilt);
	vk_rows_write(&vk_run_rows, c, &o);
	if (c->imported != NULL)
		set_rows(&o, "imported", &vk_imported_rows, c);
	set_rows(&o, "source", &vk_source_rows, c);
	vk_json_set(&o, "device", device_json(&m->device));
	vk_rows_write(&vk_content_rows, c, &o);
	vk_json_set_text(&restore, "file", VK_RESTORE_FILE);
	vk_rows_write(&vk_restore_rows, m, &restore);
	vk_json_set(&o, "files", json_pack("[o]", vk_json_end(&restore)));
	vk_rows_write(&vk_unreadable_rows, c, &o);
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
