/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete --json. */
#include "cmd/undelete/undelete.h"

enum { RANGES_LISTED = 1 << 18 }; /* of all files together */

static json_t *range_json(const struct vk_lost_run *run, const struct vk_undelete_range *r)
{
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("file_offset", r->file_offset), VK_KEY("length", r->length_bytes),
		    VK_KEY("state", vk_undelete_state_name(r->state)), VK_KEY("by", vk_json_text(r->by)));
	if (r->state == VK_UNDELETE_REUSED)
		vk_json_set_text(&o, "since", r->since < run->moment_count ? run->moments[r->since].since : "today");
	if (r->state == VK_UNDELETE_UNKNOWN)
		vk_json_set_text(&o, "why", vk_undelete_why_said(r->why));
	return vk_json_end(&o);
}

static json_t *ranges_json(const struct vk_lost_run *run, const struct vk_undelete_file *file, size_t *listed,
			   struct vk_json *owner)
{
	json_t *ranges = json_array();
	struct vk_undelete_range r;

	for (size_t i = 0; *listed < RANGES_LISTED && vk_lost_next_range(file, &i, &r); (*listed)++)
		vk_json_append(ranges, range_json(run, &r), owner);
	return ranges;
}

void vk_lost_put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_lost_run *run = ctx;
	json_t *files = json_array();
	size_t listed = 0;

	for (size_t i = 0; i < run->gone.count; i++) {
		const struct vk_undelete_file *file = &run->gone.files[i];
		const size_t number = run->copied != NULL ? run->copied[i] : SIZE_MAX;
		const struct vk_copied *c = number != SIZE_MAX ? &run->copy.copied[number] : NULL;
		const char *seen = vk_lost_last_seen(run, file);
		struct vk_json o;

		if (!vk_lost_is_file(file))
			continue;
		o = vk_json_begin();
		VK_JSON_SET(&o, VK_KEY("path", vk_json_text(file->path)),
			    VK_KEY("known_from", vk_json_text(file->from == VK_UNDELETE_CAPTURE
							      ? run->moments[file->map].capture->id
							      : vk_undelete_from_name(file->from))),
			    VK_KEY("size_bytes", file->size_bytes),
			    VK_KEY("last_seen", vk_json_text(seen[0] != '\0' ? seen : NULL)),
			    VK_KEY("verdict", vk_undelete_verdict_name(file->verdict)),
			    VK_KEY("ranges", ranges_json(run, file, &listed, &o)),
			    VK_KEY("dest", vk_json_text(c != NULL ? c->dest : NULL)),
			    VK_KEY("zero_bytes", c != NULL ? json_integer((json_int_t)c->zero_bytes) : json_null()),
			    VK_KEY("sha256", vk_json_text(c != NULL && c->sha256[0] != '\0' ? c->sha256 : NULL)));
		vk_json_append(files, vk_json_end(&o), root);
	}
	VK_JSON_SET(root, VK_KEY("volume", vk_files_volume_json(&run->copy.files)), VK_KEY("files", files),
		    VK_KEY("older_than", vk_json_text(run->gone.went_back ? run->moments[run->gone.back].capture->id
								 : NULL)),
		    VK_KEY("ranges_cut", vk_json_bool(listed == RANGES_LISTED)));
	vk_files_set_findings(&run->copy.files, root);
}
