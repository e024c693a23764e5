/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a repair as JSON; keys: docs/json.md. */
#include "cmd/repair/repair_run.h"
#include "report/report.h"

static json_t *table_json(const struct vk_rebuild_table *table)
{
	struct vk_json o = vk_json_begin();
	json_t *parts = json_array(), *entries = json_array();
	char guid[VK_GUID_TEXT_BYTES];

	VK_JSON_SET(&o, VK_KEY("kind", vk_table_kind_name(table->kind)), VK_KEY("why", table->why_kind),
		    VK_KEY("layout", table->layout));
	if (table->kind == VK_TABLE_GPT) {
		vk_guid_format(&table->disk_guid, guid);
		VK_JSON_SET(&o, VK_KEY("disk_guid", guid), VK_KEY("disk_guid_fresh", table->disk_guid_fresh));
	}
	if (table->converted_from != 0)
		vk_json_set_number(&o, "converted_from", table->converted_from);
	for (int i = 0; i < VK_TP_COUNT; i++) {
		const struct vk_table_part_verdict *verdict = &table->parts[i];
		struct vk_json item;

		if (verdict->state == VK_PART_STATE_UNUSED)
			continue;
		item = vk_json_begin();
		VK_JSON_SET(&item, VK_KEY("part", vk_table_part_name((enum vk_table_part)i)),
			    VK_KEY("state", vk_part_state_name(verdict->state)),
			    VK_KEY("rewritten", verdict->rewritten), VK_KEY("offset", verdict->offset_bytes),
			    VK_KEY("length", verdict->length_bytes), VK_KEY("why", vk_repair_part_why(verdict)));
		vk_json_append(parts, vk_json_end(&item), &o);
	}
	for (size_t i = 0; i < table->entry_count; i++) {
		const struct vk_planned_entry *e = &table->entries[i];
		struct vk_json item = vk_report_partition_json(&e->partition);

		vk_guid_format(&e->partition.entry.uniqueGUID, guid);
		if (e->partition.gpt)
			vk_json_set_text(&item, "unique_guid", guid);
		VK_JSON_SET(&item, VK_KEY("origin", vk_entry_origin_name(e->origin)),
			    VK_KEY("bytes_exact", e->bytes_exact), VK_KEY("stands", e->stands),
			    VK_KEY("length_exact", e->length_exact), VK_KEY("number_exact", e->number_exact),
			    VK_KEY("guid_fresh", e->guid_fresh), VK_KEY("why", e->why));
		vk_json_append(entries, vk_json_end(&item), &o);
	}
	VK_JSON_SET(&o, VK_KEY("parts", parts), VK_KEY("entries", entries));
	vk_json_set_texts(&o, "doubts", table->doubts, table->guessed ? table->doubt_count : 0);
	return vk_json_end(&o);
}

static json_t *header_json(const struct vk_repair_run *run)
{
	const struct vk_rebuild_header *h = vk_repair_header(run->repair);
	struct vk_json o = vk_json_begin();
	json_t *structures = json_array(), *fields = json_array();

	for (int i = 0; i < VK_HS_COUNT; i++) {
		struct vk_json item = vk_json_begin();

		VK_JSON_SET(&item, VK_KEY("structure", vk_header_structure_name((enum vk_header_structure)i)),
			    VK_KEY("state", vk_structure_state_name(h->verdicts[i].state)),
			    VK_KEY("why", h->verdicts[i].why));
		vk_json_append(structures, vk_json_end(&item), &o);
	}
	for (size_t i = 0; i < h->field_count; i++) {
		const struct vk_rebuilt_field *f = &h->fields[i];
		struct vk_json item = vk_json_begin();

		VK_JSON_SET(&item, VK_KEY("structure", f->layout->name),
			    VK_KEY("field", f->field != NULL ? f->field->name : NULL),
			    VK_KEY("offset", f->structure_bytes), VK_KEY("at", f->at_bytes),
			    VK_KEY("length", f->len_bytes), VK_KEY("was", f->was), VK_KEY("is", f->is),
			    VK_KEY("origin", vk_field_origin_name(f->origin)),
			    VK_KEY("exact", vk_field_origin_exact(f->origin)), VK_KEY("from", f->from));
		vk_json_append(fields, vk_json_end(&item), &o);
	}
	VK_JSON_SET(&o, VK_KEY("start_sector", vk_repair_start_sector(run->repair)), VK_KEY("structures", structures),
		    VK_KEY("fields", fields));
	return vk_json_end(&o);
}

void vk_repair_searched_json(const struct vk_repair_run *run, struct vk_json *root)
{
	const char *why;
	bool all = vk_repair_scanned(run->repair, &why);

	vk_json_set(root, "searched",
		    VK_JSON_OBJECT(VK_KEY("all", all), VK_KEY("why", why),
				   VK_KEY("bytes", vk_repair_find(run->repair)->scanned_bytes)));
}

void vk_repair_put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_rebuild_table *t = vk_repair_table(run->repair);
	const struct vk_rebuild_header *h = vk_repair_header(run->repair);
	json_t *asked = json_array();
	const struct vk_capture *known;

	for (size_t i = 0; (known = vk_repair_known(run->repair, i)) != NULL; i++)
		vk_json_append(asked, vk_json_text(known->id), root);
	VK_JSON_SET(root, VK_KEY("what", run->header ? "header" : "table"), VK_KEY("target", run->plan.target),
		    VK_KEY("asked", asked), VK_KEY("passed_over", vk_repair_passed_over(run->repair)));
	vk_repair_searched_json(run, root);
	if (t != NULL) {
		vk_json_set(root, "table", table_json(t));
		if (run->has_commands)
			vk_json_set(root, "commands", vk_table_commands_json(&run->commands));
		vk_json_set_texts(root, "lost", t->lost, t->lost_count);
		vk_json_set_texts(root, "notes", t->notes, t->note_count);
	} else {
		vk_json_set(root, "header", header_json(run));
		vk_json_set_texts(root, "lost", h->lost, h->lost_count);
		vk_json_set_texts(root, "notes", h->notes, h->note_count);
	}
	VK_JSON_SET(root, VK_KEY("guessed", vk_json_bool(t != NULL ? t->guessed : h->guessed)),
		    VK_KEY("capture", run->capture_id[0] != '\0' ? run->capture_id : NULL));
	vk_restore_plan_json(root, &run->plan);
}
