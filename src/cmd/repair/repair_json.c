/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a repair as JSON; keys: docs/json.md. */
#include "cmd/repair/repair_run.h"
#include "report/report.h"

static json_t *table_json(const struct vk_rebuild_table *table)
{
	struct vk_json o = vk_json_begin();
	json_t *parts = json_array(), *entries = json_array();
	char guid[VK_GUID_TEXT_BYTES];

	vk_json_set_text(&o, "kind", vk_table_kind_name(table->kind));
	vk_json_set_text(&o, "why", table->why_kind);
	vk_json_set_text(&o, "layout", table->layout);
	if (table->kind == VK_TABLE_GPT) {
		vk_guid_format(&table->disk_guid, guid);
		vk_json_set_text(&o, "disk_guid", guid);
		vk_json_set_bool(&o, "disk_guid_fresh", table->disk_guid_fresh);
	}
	if (table->converted_from != 0)
		vk_json_set_number(&o, "converted_from", table->converted_from);
	for (int i = 0; i < VK_TP_COUNT; i++) {
		const struct vk_table_part_verdict *verdict = &table->parts[i];
		struct vk_json item;

		if (verdict->state == VK_PART_STATE_UNUSED)
			continue;
		item = vk_json_begin();
		vk_json_set_text(&item, "part", vk_table_part_name((enum vk_table_part)i));
		vk_json_set_text(&item, "state", vk_part_state_name(verdict->state));
		vk_json_set_bool(&item, "rewritten", verdict->rewritten);
		vk_json_set_number(&item, "offset", verdict->offset_bytes);
		vk_json_set_number(&item, "length", verdict->length_bytes);
		vk_json_set_text(&item, "why", vk_repair_part_why(verdict));
		vk_json_append(parts, vk_json_end(&item), &o);
	}
	for (size_t i = 0; i < table->entry_count; i++) {
		const struct vk_planned_entry *e = &table->entries[i];
		struct vk_json item = vk_report_partition_json(&e->partition);

		vk_guid_format(&e->partition.entry.uniqueGUID, guid);
		if (e->partition.gpt)
			vk_json_set_text(&item, "unique_guid", guid);
		vk_json_set_text(&item, "origin", vk_entry_origin_name(e->origin));
		vk_json_set_bool(&item, "bytes_exact", e->bytes_exact);
		vk_json_set_bool(&item, "stands", e->stands);
		vk_json_set_bool(&item, "length_exact", e->length_exact);
		vk_json_set_bool(&item, "number_exact", e->number_exact);
		vk_json_set_bool(&item, "guid_fresh", e->guid_fresh);
		vk_json_set_text(&item, "why", e->why);
		vk_json_append(entries, vk_json_end(&item), &o);
	}
	vk_json_set(&o, "parts", parts);
	vk_json_set(&o, "entries", entries);
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

		vk_json_set_text(&item, "structure", vk_header_structure_name((enum vk_header_structure)i));
		vk_json_set_text(&item, "state", vk_structure_state_name(h->verdicts[i].state));
		vk_json_set_text(&item, "why", h->verdicts[i].why);
		vk_json_append(structures, vk_json_end(&item), &o);
	}
	for (size_t i = 0; i < h->field_count; i++) {
		const struct vk_rebuilt_field *f = &h->fields[i];
		struct vk_json item = vk_json_begin();

		vk_json_set_text(&item, "structure", f->layout->name);
		vk_json_set_text(&item, "field", f->field != NULL ? f->field->name : NULL);
		vk_json_set_number(&item, "offset", f->structure_bytes);
		vk_json_set_number(&item, "at", f->at_bytes);
		vk_json_set_number(&item, "length", f->len_bytes);
		vk_json_set_text(&item, "was", f->was);
		vk_json_set_text(&item, "is", f->is);
		vk_json_set_text(&item, "origin", vk_field_origin_name(f->origin));
		vk_json_set_bool(&item, "exact", vk_field_origin_exact(f->origin));
		vk_json_set_text(&item, "from", f->from);
		vk_json_append(fields, vk_json_end(&item), &o);
	}
	vk_json_set_number(&o, "start_sector", vk_repair_start_sector(run->repair));
	vk_json_set(&o, "structures", structures);
	vk_json_set(&o, "fields", fields);
	return vk_json_end(&o);
}

void vk_repair_searched_json(const struct vk_repair_run *run, struct vk_json *root)
{
	struct vk_json searched = vk_json_begin();
	const char *why;

	vk_json_set_bool(&searched, "all", vk_repair_scanned(run->repair, &why));
	vk_json_set_text(&searched, "why", why);
	vk_json_set_number(&searched, "bytes", vk_repair_find(run->repair)->scanned_bytes);
	vk_json_set(root, "searched", vk_json_end(&searched));
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
	vk_json_set_text(root, "what", run->header ? "header" : "table");
	vk_json_set_text(root, "target", run->plan.target);
	vk_json_set(root, "asked", asked);
	vk_json_set_text(root, "passed_over", vk_repair_passed_over(run->repair));
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
	vk_json_set_bool(root, "guessed", t != NULL ? t->guessed : h->guessed);
	vk_json_set_text(root, "capture", run->capture_id[0] != '\0' ? run->capture_id : NULL);
	vk_restore_plan_json(root, &run->plan);
}
