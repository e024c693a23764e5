/* SPDX-License-Identifier: Apache-2.0 */
/* What differs, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "cmd/diff/diff_run.h"
#include "store/manifest/rebuilt.h"

/* Paths are bytes; JSON is UTF-8: what is none is escaped as on a terminal. */
static json_t *path_json(const char *path)
{
	char buf[16400];
	struct vk_text text;

	vk_text_init(&text, buf, sizeof(buf));
	vk_text_label(&text, (const uint8_t *)path, strlen(path));
	return json_string(buf);
}

static json_t *side_json(const struct vk_diff_side *side)
{
	const struct vk_capture *c = &side->capture;

	return json_pack("{s:s,s:o,s:s?,s:s?,s:o,s:s,s:s,s:I,s:I}", "purpose",
			 side->is_capture ? vk_capture_purpose(c) : "live",
			 "path", path_json(side->is_capture ? c->path : side->name), "id",
			 side->is_capture ? c->id : NULL, "host", side->is_capture ? c->host : NULL, "disk",
			 path_json(side->is_capture ? c->source_path : side->name), "time", side->time, "kind",
			 vk_source_kind_name(side->source.kind), "size_bytes",
			 (json_int_t)side->source.size_bytes, "sector_size",
			 (json_int_t)side->source.sector_size);
}

static json_t *changes_json(const struct vk_diff *diff)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < diff->change_count; i++) {
		const struct vk_change *c = &diff->changes[i];

		if (json_array_append_new(array, json_pack("{s:b,s:I,s:s,s:s,s:s,s:s,s:s}", "volatile",
							   (int)c->is_volatile, "partition",
							   (json_int_t)c->partition, "subject", c->subject,
							   "field", c->field, "before", c->before, "after",
							   c->after, "message", c->message)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *ranges_json(const struct vk_diff *diff)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < diff->range_count; i++) {
		const struct vk_byte_change *r = &diff->ranges[i];

		if (json_array_append_new(array, json_pack("{s:I,s:I,s:s,s:I,s:b}", "offset_bytes",
							   (json_int_t)r->offset_bytes, "length_bytes",
							   (json_int_t)r->length_bytes, "part",
							   vk_part_name(r->part), "partition",
							   (json_int_t)r->partition, "volatile",
							   (int)r->is_volatile)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

json_t *vk_diff_json(const struct vk_diff_side sides[2], const struct vk_diff *diff)
{
	return json_pack("{s:s,s:o,s:o,s:b,s:b,s:o,s:I,s:o,s:I,s:I,s:I}", "schema", "vmfskit.diff/1", "before",
			 side_json(&sides[0]), "after", side_json(&sides[1]), "matters", (int)diff->matters,
			 "unrelated", (int)diff->unrelated, "changes", changes_json(diff), "changes_dropped",
			 (json_int_t)diff->changes_dropped, "ranges", ranges_json(diff), "ranges_dropped",
			 (json_int_t)diff->ranges_dropped, "compared_bytes", (json_int_t)diff->compared_bytes,
			 "missing_bytes", (json_int_t)diff->missing_bytes);
}
