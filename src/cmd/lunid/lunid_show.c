/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit lunid: what was found as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/screen.h"
#include "base/shown.h"
#include "cmd/lunid/lunid_run.h"
#include "report/columns.h"
#include "report/report.h"

enum { FILLED_BYTES = 2000 };

static void put_table(FILE *out, const struct lunid_run *run, size_t index)
{
	static const struct vk_column columns[] = {{"FIELD"}, {"IN THE HEADER", .least = 16}, {"NOW", .least = 16},
						   {"LAST CAPTURE", .least = 16, .may_go = true}};
	const struct vk_lunid_extent *e = &run->extents[index];
	struct vk_columns table = VK_COLUMNS(columns);
	struct vk_lunid_row rows[VK_LUNID_ROWS];
	char field[40];

	table.indent = 2;
	vk_lunid_rows(e, rows);
	for (size_t i = 0; i < VK_LUNID_ROWS; i++) {
		snprintf(field, sizeof(field), "%s%s", rows[i].field, rows[i].differs ? " (differs)" : "");
		vk_columns_row(&table, (const char *const[]){field, rows[i].recorded, rows[i].live, rows[i].captured});
	}
	vk_columns_end(&table, out);
	if (e->captured_known)
		fprintf(out, "  last capture: %s\n", run->captures[index]);
	for (size_t i = 1; e->live_known && i < e->live.name_count; i++)
		fprintf(out, "  also called %s\n", vk_shown_name(e->live.names[i]).text);
}

void vk_lunid_put_text(const void *ctx)
{
	const struct lunid_run *run = ctx;
	FILE *out = run->cmd.call->out;
	struct vk_report_style style = vk_report_style_for(out);

	for (size_t i = 0; i < run->count; i++) {
		const struct vk_lunid_extent *e = &run->extents[i];
		const struct vk_vmfs *v = vk_lunid_vmfs(e);

		fprintf(out, "%s%s", i > 0 ? "\n" : "", vk_shown_name(e->source->path).text);
		if (v->partition != 0)
			fprintf(out, ", partition %u", v->partition);
		if (v->fs_usable)
			fprintf(out, ": %s", vk_shown_label(v->fs.fsLabel, sizeof(v->fs.fsLabel)).text);
		fputc('\n', out);
		put_table(out, run, i);
		vk_report_findings_text(out, &run->found[i], NULL, &style);
	}
	if (run->across.count > 0)
		fputs("\nThe volumes\n", out);
	vk_report_findings_text(out, &run->across, NULL, &style);
	vk_lunid_put_next(out, run);
}

/* What is known of one side; NULL: nothing. */
static json_t *side_json(const struct vk_scsi_disk_id *id, bool lun_known, const char *name, bool vml_known)
{
	struct vk_json o = vk_json_begin();
	char text[VK_SCSI_NAME_BYTES], made[VK_SCSI_NAME_BYTES];
	struct vk_text hex = vk_text_in(text, sizeof(text));
	bool certain;

	vk_text_hex(&hex, id->id, id->len < VK_SCSI_ID_MAX ? id->len : VK_SCSI_ID_MAX);
	vk_scsi_disk_id_name(id, made, &certain);
	vk_json_set_number(&o, "type", id->type);
	vk_json_set(&o, "lun", lun_known ? vk_json_number(id->lun) : json_null());
	vk_json_set_text(&o, "id", text);
	vk_json_set_text(&o, "name", name != NULL ? name : made);
	vk_scsi_disk_id_vml(id, made);
	vk_json_set_text(&o, "vml", vml_known ? made : NULL);
	return vk_json_end(&o);
}

static json_t *live_json(const struct vk_live_lun *live)
{
	json_t *o = side_json(&live->id, live->lun_known, live->name, live->id_known && live->lun_known &&
			      (live->model_known || live->id.type == VK_SCSI_ID_PATH));

	/* of a name alone neither kind nor bytes need be known */
	if (o != NULL && !live->kind_known)
		(void)json_object_set_new(o, "type", json_null());
	return o;
}

static json_t *lines_json(const char *text, const struct vk_lunid_extent *e, struct vk_json *owner)
{
	json_t *array = json_array();
	char filled[FILLED_BYTES];
	struct vk_text t = vk_text_in(filled, sizeof(filled));

	vk_lunid_fill(text != NULL ? text : "", e, &t);
	for (char *save = NULL, *line = strtok_r(filled, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		vk_json_append(array, vk_json_text(line), owner);
	return array;
}

static json_t *remedies_json(enum vk_finding_code code, const struct vk_lunid_extent *e, struct vk_json *owner)
{
	json_t *array = json_array();
	const struct vk_lunid_remedy *r;
	char filled[FILLED_BYTES];

	for (size_t n = 0; (r = vk_lunid_remedy(code, n)) != NULL; n++) {
		struct vk_text t = vk_text_in(filled, sizeof(filled));

		vk_lunid_fill(r->what, e, &t);
		vk_json_append(array, VK_JSON_OBJECT(VK_KEY("harm", vk_lunid_harm_name(r->harm)), VK_KEY("on", r->on),
						     VK_KEY("what", (const char *)filled),
						     VK_KEY("commands", lines_json(r->command, e, owner)),
						     VK_KEY("set_back", lines_json(r->set_back, e, owner))), owner);
	}
	return array;
}

/* The findings of a list, each with what ESX does, what can be done, and whether a mount by force is safe. */
static void add_findings(json_t *array, const struct lunid_run *run, const struct vk_findings *list, size_t index,
			 struct vk_json *root)
{
	static const char *const verdicts[] = {"no", "unknown", "yes"};
	const size_t before = json_array_size(array);

	vk_cmd_findings_json(array, index < run->count ? run->extents[index].source->path : NULL, list, root);
	for (size_t i = 0; i < list->count; i++) {
		json_t *o = json_array_get(array, before + i), *esx = json_array();
		const enum vk_finding_code code = list->items[i].code;
		const size_t of = index < run->count ? index : vk_lunid_extent_of(run, &list->items[i]);
		const char *const *does = vk_lunid_esx(code);
		char why[VK_LUNID_WHY_BYTES];
		struct vk_text text = vk_text_in(why, sizeof(why));
		enum vk_lunid_mount mount = vk_lunid_mount_here(run, of, &text);

		for (unsigned k = 0; does != NULL && k < VK_LUNID_RELEASES; k++)
			vk_json_append(esx, VK_JSON_OBJECT(VK_KEY("release", k + VK_LUNID_RELEASE_FIRST),
							   VK_KEY("does", does[k])), root);
		if (o == NULL || json_object_set_new(o, "esx", esx) != 0 ||
		    json_object_set_new(o, "mount", vk_json_text(verdicts[mount])) != 0 ||
		    json_object_set_new(o, "mount_why", vk_json_text(why)) != 0 ||
		    json_object_set_new(o, "remedies", remedies_json(code, &run->extents[of], root)) != 0)
			root->failed = true;
	}
}

void vk_lunid_put_json(const void *ctx, struct vk_json *root)
{
	const struct lunid_run *run = ctx;
	json_t *volumes = json_array(), *findings = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct vk_lunid_extent *e = &run->extents[i];
		struct vk_json o = vk_json_begin();

		vk_json_set_text(&o, "source", e->source->path);
		vk_json_set(&o, "recorded", side_json(&vk_lunid_vmfs(e)->lvm.diskID, true, NULL, true));
		vk_json_set(&o, "live", e->live_known ? live_json(&e->live) : json_null());
		vk_json_set(&o, "captured",
			    e->captured_known ? side_json(&e->captured, true, NULL, true) : json_null());
		vk_json_set_text(&o, "capture", e->captured_known ? run->captures[i] : NULL);
		vk_json_append(volumes, vk_json_end(&o), root);
		add_findings(findings, run, &run->found[i], i, root);
	}
	add_findings(findings, run, &run->across, SIZE_MAX, root);
	VK_JSON_SET(root, VK_KEY("volumes", volumes), VK_KEY("findings", findings));
}
