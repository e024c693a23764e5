/* SPDX-License-Identifier: Apache-2.0 */
/* What vmfskit drill says. */
#include <inttypes.h>

#include "cmd/drill_show.h"
#include "base/shown.h"

static const char *decoded_as(const struct drill *d)
{
	if (d->errors > d->known_errors)
		return "not sound";
	return d->errors > 0 ? "as damaged as the disk was" : "sound";
}

static const char *result_of(const struct drill *d)
{
	if (d->has_none)
		return "no sound capture";
	if (d->status != VK_OK)
		return "not tried";
	if (d->refused[0] != '\0')
		return "refused";
	if (d->differs)
		return "differs";
	return d->unsaved_bytes > 0 && d->errors <= d->known_errors ? "incomplete" : decoded_as(d);
}

static void put_drill(FILE *out, const struct drill *d)
{

	if (d->has_none) {
		fprintf(out, "%s: no sound capture, nothing to drill; of the newest, %s: %s\n", d->label, d->path,
			d->refused);
		return;
	}
	fprintf(out, "%s: ", d->id);
	if (d->label[0] != '\0')
		fprintf(out, "%s, ", d->label);
	if (d->refused[0] != '\0') {
		fprintf(out, "refused: %s\n", d->refused);
		return;
	}
	fprintf(out, "disk of %s, %s written, %s compared; ", vk_shown_size_short(d->size_bytes).text,
		vk_shown_size_short(d->written_bytes).text, vk_shown_size_short(d->compared_bytes).text);
	if (d->differs)
		fprintf(out, "not what was saved from byte %" PRIu64 " on", d->differs_at);
	else
		fprintf(out, "decoded: %s", decoded_as(d));
	if (!d->differs && d->errors > 0)
		fprintf(out, " (%zu error%s)", d->errors, d->errors == 1 ? "" : "s");
	if (d->unsaved_bytes > 0)
		fprintf(out, "; %" PRIu64 " bytes were not saved", d->unsaved_bytes);
	fprintf(out, "; %s\n", vk_shown_duration_us(d->us).text);
}

void vk_drill_put_text(const void *ctx)
{
	const struct drill_run *run = ctx;
	FILE *out = run->cmd.call->out;

	if (run->count == 0)
		fprintf(out, "no sound capture in %s\n", vk_cmd_store(run->cmd.call));
	for (size_t i = 0; i < run->count; i++)
		if (run->drills[i].status == VK_OK)
			put_drill(out, &run->drills[i]);
	if (run->unreadable > 0)
		fprintf(out, "%zu capture%s cannot be read; vmfskit verify says which\n", run->unreadable,
			run->unreadable == 1 ? "" : "s");
	if (run->count > 0)
		fprintf(out, "%zu of %zu %s%s restored and compared\n", run->sound, run->count,
			run->cmd.call->argument_count > 0 ? "capture" : "LUN", run->count == 1 ? "" : "s");
}

void vk_drill_put_json(const void *ctx, struct vk_json *root)
{
	const struct drill_run *run = ctx;
	json_t *drills = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct drill *d = &run->drills[i];
		struct vk_json o = vk_json_begin();

		VK_JSON_SET(&o, VK_KEY("id", d->id[0] != '\0' ? d->id : d->path), VK_KEY("label", d->label),
			    VK_KEY("result", result_of(d)), VK_KEY("size_bytes", d->size_bytes),
			    VK_KEY("written_bytes", d->written_bytes), VK_KEY("compared_bytes", d->compared_bytes),
			    VK_KEY("unsaved_bytes", d->unsaved_bytes),
			    VK_KEY("errors", d->errors), VK_KEY("known_errors", d->known_errors),
			    VK_KEY("milliseconds", d->us / 1000));
		if (d->status != VK_OK)
			vk_json_set_text(&o, "error", d->err.what);
		if (d->has_none)
			vk_json_set_text(&o, "why", d->refused);
		else if (d->refused[0] != '\0')
			vk_json_set_text(&o, "refused", d->refused);
		if (d->differs)
			vk_json_set_number(&o, "differs_at", d->differs_at);
		vk_json_append(drills, vk_json_end(&o), root);
	}
	VK_JSON_SET(root, VK_KEY("scratch", run->folder), VK_KEY("sound", run->sound),
		    VK_KEY("unreadable", run->unreadable), VK_KEY("drills", drills));
}
