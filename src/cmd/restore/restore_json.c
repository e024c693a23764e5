/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a restore or undo, and what became of it, as JSON. */
#include <stdlib.h>

#include "cmd/restore/restore_run.h"
#include "report/report.h"

static void set_parts(struct vk_json *root, const struct vk_restore *restore)
{
	json_t *parts = json_array(), *choices = json_array();
	const struct vk_restore_choice *items;
	size_t count = vk_restore_choices(restore, &items);

	for (unsigned part = VK_PART_TABLE; part <= VK_PART_HEARTBEATS; part <<= 1)
		if ((vk_restore_parts(restore) & part) != 0)
			vk_json_append(parts, json_string(vk_part_name((enum vk_part)part)), root);
	for (size_t i = 0; i < count; i++) {
		vk_json_append(choices,
			       VK_JSON_OBJECT(VK_KEY("part", vk_part_name(items[i].part)),
					      VK_KEY("partition", items[i].partition), VK_KEY("why", items[i].why)),
			       root);
	}
	VK_JSON_SET(root, VK_KEY("parts", parts), VK_KEY("choices", choices));
}

static void set_edits(struct vk_json *root, const struct vk_restore *restore)
{
	json_t *list = json_array();
	const struct vk_edit *items;
	size_t count = vk_restore_edits(restore, &items);

	for (size_t i = 0; i < count; i++) {
		vk_json_append(list,
			       VK_JSON_OBJECT(VK_KEY("offset", items[i].offset_bytes),
					      VK_KEY("length", items[i].length_bytes),
					      VK_KEY("reason", items[i].reason), VK_KEY("class", items[i].write_class)),
			       root);
	}
	vk_json_set(root, "edits", list);
}

static void set_objections(struct vk_json *root, const struct vk_restore *restore)
{
	json_t *list = json_array(), *remarks = json_array();
	const struct vk_objection *items;
	size_t count = vk_restore_objections(restore, &items);
	const char *remark;

	for (size_t i = 0; i < count; i++) {
		const struct vk_guard_kind *kind = vk_guard_kind(items[i].guard);

		vk_json_append(list,
			       VK_JSON_OBJECT(VK_KEY("guard", kind->name), VK_KEY("message", items[i].message),
					      VK_KEY("remedy", items[i].past), VK_KEY("risk", kind->risk),
					      VK_KEY("overridden", items[i].overridden)),
			       root);
	}
	for (size_t i = 0; (remark = vk_restore_remark(restore, i)) != NULL; i++)
		vk_json_append(remarks, vk_json_text(remark), root);
	VK_JSON_SET(root, VK_KEY("objections", list), VK_KEY("remarks", remarks));
}

static void set_table(struct vk_json *root, const char *key, const struct vk_table *table)
{
	struct vk_json result = vk_json_begin();
	json_t *list = json_array();

	for (size_t i = 0; i < table->partition_count; i++) {
		struct vk_json o = vk_report_partition_json(&table->partitions[i]);

		vk_json_append(list, vk_json_end(&o), root);
	}
	VK_JSON_SET(&result, VK_KEY("kind", vk_table_kind_name(table->kind)), VK_KEY("partitions", list));
	vk_json_set(root, key, vk_json_end(&result));
}

static void put_next(struct vk_json *root, const struct vk_restore_run *run)
{
	char *command = vk_restore_next_command(run);

	vk_json_set(root, "next", command != NULL ? vk_json_text(command) : NULL);
	free(command);
}

void vk_restore_plan_json(struct vk_json *root, const struct vk_restore_run *run)
{
	const struct vk_restore *restore = run->restore;
	const char *plan = vk_restore_plan_digest(restore), *note = vk_restore_note(restore);
	json_t *findings = json_array();
	const struct vk_edit *edits;
	struct vk_error view;

	VK_JSON_SET(root, VK_KEY("written", run->written), VK_KEY("refused", vk_restore_refused(restore)),
		    VK_KEY("undo", run->undo_id[0] != '\0' ? run->undo_id : NULL),
		    VK_KEY("plan", plan[0] != '\0' ? plan : NULL));
	set_parts(root, restore);
	set_edits(root, restore);
	set_objections(root, restore);
	set_table(root, "table_before", &vk_restore_before(restore)->table);
	set_table(root, "table_after", &vk_restore_after(restore)->table);
	/* what the decoders say of the target as it would be, or is now */
	vk_cmd_findings_json(findings, NULL, &vk_restore_after(restore)->findings, root);
	VK_JSON_SET(root, VK_KEY("findings_after", findings), VK_KEY("new_errors", vk_restore_new_errors(run)));
	if (run->failed)
		vk_json_set_text(root, "error", run->error.what);
	if (note[0] != '\0')
		vk_json_set_text(root, "note", note);
	if (!run->failed && vk_io_refuse_view(vk_restore_before(restore)->raw, &view) != VK_OK)
		vk_json_set_text(root, "read_only", view.what);
	else if (!vk_restore_refused(restore) && vk_restore_edits(restore, &edits) > 0)
		put_next(root, run);
}

void vk_restore_put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_restore_run *run = ctx;

	VK_JSON_SET(root, VK_KEY("capture", run->capture->id), VK_KEY("target", run->target));
	vk_restore_plan_json(root, run);
}
