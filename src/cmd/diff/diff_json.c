/* SPDX-License-Identifier: Apache-2.0 */
/* What differs, for scripts: the contract is docs/json.md. */
#include "cmd/diff/diff_run.h"
#include "store/manifest/rebuilt.h"

static json_t *side_json(const struct vk_diff_side *side)
{
	const struct vk_capture *c = side->is_capture ? &side->capture : NULL;
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "purpose", c != NULL ? vk_capture_purpose(c) : "live");
	vk_json_set_text(&o, "path", c != NULL ? c->path : side->name);
	vk_json_set_text(&o, "id", c != NULL ? c->id : NULL);
	vk_json_set_text(&o, "host", c != NULL ? c->host : NULL);
	vk_json_set_text(&o, "disk", c != NULL ? c->source_path : side->name);
	vk_json_set_text(&o, "time", side->time);
	vk_json_set_text(&o, "kind", vk_source_kind_name(side->source.kind));
	vk_json_set_number(&o, "size_bytes", side->source.size_bytes);
	vk_json_set_number(&o, "sector_size", side->source.sector_size);
	return vk_json_end(&o);
}

static json_t *range_json(const struct vk_byte_change *range)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "offset_bytes", range->offset_bytes);
	vk_json_set_number(&o, "length_bytes", range->length_bytes);
	vk_json_set_text(&o, "part", vk_part_name(range->part));
	vk_json_set_number(&o, "partition", range->partition);
	vk_json_set_bool(&o, "volatile", range->is_volatile);
	return vk_json_end(&o);
}

void vk_diff_put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_diff_run *run = ctx;
	const struct vk_diff *diff = &run->diff;
	json_t *changes = json_array();
	json_t *ranges = json_array();

	for (size_t i = 0; i < diff->change_count; i++)
		vk_json_append(changes, vk_cmd_change_json(&diff->changes[i], true), root);
	for (size_t i = 0; i < diff->range_count; i++)
		vk_json_append(ranges, range_json(&diff->ranges[i]), root);
	vk_json_set(root, "before", side_json(&run->sides[0]));
	vk_json_set(root, "after", side_json(&run->sides[1]));
	vk_json_set_bool(root, "matters", diff->matters);
	vk_json_set_bool(root, "unrelated", diff->unrelated);
	vk_json_set(root, "changes", changes);
	vk_json_set_number(root, "changes_dropped", diff->changes_dropped);
	vk_json_set(root, "ranges", ranges);
	vk_json_set_number(root, "ranges_dropped", diff->ranges_dropped);
	vk_json_set_number(root, "compared_bytes", diff->compared_bytes);
	vk_json_set_number(root, "missing_bytes", diff->missing_bytes);
}
