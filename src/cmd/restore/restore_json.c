/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a restore or undo, and what became of it, as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cmd/restore/restore_run.h"
#include "report/report.h"

static json_t *text(const char *bytes)
{
	return vk_json_text(bytes);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *parts(const struct vk_restore_run *run)
{
	static const enum vk_part all[] = {VK_PART_TABLE, VK_PART_LVM, VK_PART_VH,
					   VK_PART_HEARTBEATS};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((vk_restore_parts(run->restore) & (unsigned)all[i]) != 0)
			json_array_append_new(list, json_string(vk_part_name(all[i])));
	return list;
}

static json_t *choices(const struct vk_restore_run *run)
{
	const struct vk_restore_choice *items;
	size_t count = vk_restore_choices(run->restore, &items);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *item = json_object();

		json_object_set_new(item, "part", json_string(vk_part_name(items[i].part)));
		json_object_set_new(item, "partition", json_integer(items[i].partition));
		json_object_set_new(item, "why", text(items[i].why));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *edits(const struct vk_restore_run *run)
{
	const struct vk_edit *items;
	size_t count = vk_restore_edits(run->restore, &items);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *item = json_object();

		json_object_set_new(item, "offset", number(items[i].offset_bytes));
		json_object_set_new(item, "length", number(items[i].length_bytes));
		json_object_set_new(item, "reason", text(items[i].reason));
		json_object_set_new(item, "class", json_integer(items[i].write_class));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *objections(const struct vk_restore_run *run)
{
	const struct vk_objection *items;
	size_t count = vk_restore_objections(run->restore, &items);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *item = json_object();

		json_object_set_new(item, "guard", json_string(vk_guard_kind(items[i].guard)->name));
		json_object_set_new(item, "message", text(items[i].message));
		json_object_set_new(item, "remedy", json_string(vk_guard_kind(items[i].guard)->past));
		json_object_set_new(item, "overridden", json_boolean(items[i].overridden));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *remarks(const struct vk_restore_run *run)
{
	json_t *list = json_array();
	const char *remark;

	for (size_t i = 0; (remark = vk_restore_remark(run->restore, i)) != NULL; i++)
		json_array_append_new(list, text(remark));
	return list;
}

static json_t *table(const struct vk_source *source)
{
	json_t *result = json_object(), *list = json_array();

	for (size_t i = 0; i < source->table.partition_count; i++) {
		const struct vk_partition *partition = &source->table.partitions[i];
		char type[VK_GUID_TEXT_BYTES];
		const char *name;
		json_t *item = json_object();

		vk_partition_type(partition, type, &name);
		json_object_set_new(item, "number", json_integer(partition->number));
		json_object_set_new(item, "start_sector", number(partition->start_sector));
		json_object_set_new(item, "sectors", number(partition->sectors));
		json_object_set_new(item, "type", text(type));
		json_object_set_new(item, "type_name", text(name));
		json_array_append_new(list, item);
	}
	json_object_set_new(result, "kind", json_string(vk_table_kind_name(source->table.kind)));
	json_object_set_new(result, "partitions", list);
	return result;
}

/* What the decoders say of the target as it would be, or is now. */
static json_t *findings_after(const struct vk_restore_run *run)
{
	json_t *list = json_array();

	if (!vk_report_findings_json(list, NULL, &vk_restore_after(run->restore)->findings)) {
		json_decref(list);
		return json_null();
	}
	return list;
}

static void add_next(json_t *root, const struct vk_restore_run *run)
{
	const struct vk_edit *items;
	char *command;

	if (vk_restore_refused(run->restore) || vk_restore_edits(run->restore, &items) == 0)
		return;
	command = vk_restore_next_command(run);
	if (command != NULL)
		json_object_set_new(root, "next", text(command));
	free(command);
}

void vk_restore_plan_json(json_t *root, const struct vk_restore_run *run)
{
	json_object_set_new(root, "written", json_boolean(run->written));
	json_object_set_new(root, "refused", json_boolean(vk_restore_refused(run->restore)));
	json_object_set_new(root, "undo",
			    run->undo_id[0] != '\0' ? text(run->undo_id) : json_null());
	json_object_set_new(root, "plan", vk_restore_plan_digest(run->restore)[0] != '\0'
						  ? text(vk_restore_plan_digest(run->restore))
						  : json_null());
	json_object_set_new(root, "parts", parts(run));
	json_object_set_new(root, "choices", choices(run));
	json_object_set_new(root, "edits", edits(run));
	json_object_set_new(root, "objections", objections(run));
	json_object_set_new(root, "remarks", remarks(run));
	json_object_set_new(root, "table_before", table(vk_restore_before(run->restore)));
	json_object_set_new(root, "table_after", table(vk_restore_after(run->restore)));
	json_object_set_new(root, "findings_after", findings_after(run));
	json_object_set_new(root, "new_errors", number(vk_restore_new_errors(run)));
	if (run->error != NULL)
		json_object_set_new(root, "error", text(run->error->what));
	if (vk_restore_note(run->restore)[0] != '\0')
		json_object_set_new(root, "note", text(vk_restore_note(run->restore)));
	add_next(root, run);
}

void vk_restore_show_json(const struct vk_restore_run *run)
{
	json_t *root = json_object();

	json_object_set_new(root, "schema",
			    json_string(run->undo ? "vmfskit.undo/1" : "vmfskit.restore/1"));
	json_object_set_new(root, "capture", text(run->capture->id));
	json_object_set_new(root, "target", text(run->target));
	vk_restore_plan_json(root, run);
	json_dumpf(root, run->call->out, JSON_INDENT(2));
	fputc('\n', run->call->out);
	json_decref(root);
}
