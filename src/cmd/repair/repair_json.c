/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a repair as JSON; keys: docs/json.md. */
#include <string.h>

#include "base/json.h"
#include "cmd/repair/repair_run.h"

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *value)
{
	put(object, key, vk_json_text(value));
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
	put(object, key, json_integer((json_int_t)value));
}

static json_t *texts(char *const *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, vk_json_text(items[i]));
	return list;
}

static json_t *captures(const struct vk_repair_run *run)
{
	json_t *list = json_array();
	const struct vk_capture *known;

	for (size_t i = 0; (known = vk_repair_known(run->repair, i)) != NULL; i++)
		json_array_append_new(list, vk_json_text(known->id));
	return list;
}

static json_t *searched(const struct vk_repair_run *run)
{
	const struct vk_find *find = vk_repair_find(run->repair);
	json_t *o = json_object();
	const char *why;

	put(o, "all", json_boolean(vk_repair_scanned(run->repair, &why)));
	put_text(o, "why", why);
	put_number(o, "bytes", find->scanned_bytes);
	return o;
}

static json_t *entry(const struct vk_planned_entry *e)
{
	const struct vk_partition *p = &e->partition;
	char type[VK_GUID_TEXT_BYTES], unique[VK_GUID_TEXT_BYTES];
	const char *name;
	json_t *o = json_object();

	vk_partition_type(p, type, &name);
	put_number(o, "number", p->number);
	put_number(o, "start_sector", p->start_sector);
	put_number(o, "sectors", p->sectors);
	put_text(o, "type", type);
	put_text(o, "type_name", name);
	if (p->gpt) {
		vk_guid_format(&p->entry.uniqueGUID, unique);
		put_text(o, "unique_guid", unique);
	}
	put_text(o, "origin", vk_entry_origin_name(e->origin));
	put(o, "bytes_exact", json_boolean(e->bytes_exact));
	put(o, "stands", json_boolean(e->stands));
	put(o, "length_exact", json_boolean(e->length_exact));
	put(o, "number_exact", json_boolean(e->number_exact));
	put(o, "guid_fresh", json_boolean(e->guid_fresh));
	put_text(o, "why", e->why);
	return o;
}

static json_t *part(int index, const struct vk_table_part_verdict *verdict)
{
	json_t *o = json_object();

	put_text(o, "part", vk_table_part_name((enum vk_table_part)index));
	put_text(o, "state", vk_part_state_name(verdict->state));
	put(o, "rewritten", json_boolean(verdict->rewritten));
	put_number(o, "offset", verdict->offset_bytes);
	put_number(o, "length", verdict->length_bytes);
	put_text(o, "why", vk_repair_part_why(verdict));
	return o;
}

static json_t *table(const struct vk_rebuild_table *table)
{
	json_t *o = json_object(), *parts = json_array(), *entries = json_array(), *doubts = json_array();
	char guid[VK_GUID_TEXT_BYTES];

	put_text(o, "kind", vk_table_kind_name(table->kind));
	put_text(o, "why", table->why_kind);
	put(o, "layout", table->layout != NULL ? vk_json_text(table->layout) : json_null());
	if (table->kind == VK_TABLE_GPT) {
		vk_guid_format(&table->disk_guid, guid);
		put_text(o, "disk_guid", guid);
		put(o, "disk_guid_fresh", json_boolean(table->disk_guid_fresh));
	}
	for (int i = 0; i < VK_TP_COUNT; i++)
		if (table->parts[i].state != VK_PART_STATE_UNUSED)
			json_array_append_new(parts, part(i, &table->parts[i]));
	for (size_t i = 0; i < table->entry_count; i++)
		json_array_append_new(entries, entry(&table->entries[i]));
	for (size_t i = 0; table->guessed && i < table->doubt_count; i++)
		json_array_append_new(doubts, vk_json_text(table->doubts[i]));
	put(o, "parts", parts);
	put(o, "entries", entries);
	put(o, "doubts", doubts);
	return o;
}

static json_t *commands(const struct vk_repair_run *run)
{
	struct vk_table_commands made;
	json_t *o;

	if (vk_repair_commands(run, &made, NULL) != VK_OK)
		return json_null();
	o = vk_table_commands_json(&made);
	vk_table_commands_free(&made);
	return o != NULL ? o : json_null();
}

static json_t *field(const struct vk_rebuilt_field *f)
{
	json_t *o = json_object();

	put_text(o, "structure", f->layout->name);
	put(o, "field", f->field != NULL ? vk_json_text(f->field->name) : json_null());
	put_number(o, "offset", f->structure_bytes);
	put_number(o, "at", f->at_bytes);
	put_number(o, "length", f->len_bytes);
	put_text(o, "was", f->was);
	put_text(o, "is", f->is);
	put_text(o, "origin", vk_field_origin_name(f->origin));
	put(o, "exact", json_boolean(vk_field_origin_exact(f->origin)));
	put_text(o, "from", f->from);
	return o;
}

static json_t *header(const struct vk_repair_run *run)
{
	const struct vk_rebuild_header *h = vk_repair_header(run->repair);
	json_t *o = json_object(), *structures = json_array(), *fields = json_array();

	for (int i = 0; i < VK_HS_COUNT; i++) {
		json_t *item = json_object();

		put_text(item, "structure", vk_header_structure_name((enum vk_header_structure)i));
		put_text(item, "state", vk_structure_state_name(h->verdicts[i].state));
		put_text(item, "why", h->verdicts[i].why);
		json_array_append_new(structures, item);
	}
	for (size_t i = 0; i < h->field_count; i++)
		json_array_append_new(fields, field(&h->fields[i]));
	put_number(o, "start_sector", vk_repair_start_sector(run->repair));
	put(o, "structures", structures);
	put(o, "fields", fields);
	return o;
}

void vk_repair_show_json(const struct vk_repair_run *run)
{
	const struct vk_rebuild_table *t = vk_repair_table(run->repair);
	const struct vk_rebuild_header *h = vk_repair_header(run->repair);
	const char *over = vk_repair_passed_over(run->repair);
	json_t *root = json_object();

	put_text(root, "schema", "vmfskit.repair/1");
	put_text(root, "what", run->header ? "header" : "table");
	put_text(root, "target", run->target);
	put(root, "asked", captures(run));
	put(root, "passed_over", over != NULL ? vk_json_text(over) : json_null());
	put(root, "searched", searched(run));
	if (t != NULL) {
		put(root, "table", table(t));
		if (!vk_restore_refused(run->restore.restore))
			put(root, "commands", commands(run));
	} else {
		put(root, "header", header(run));
	}
	put(root, "lost", t != NULL ? texts(t->lost, t->lost_count) : texts(h->lost, h->lost_count));
	put(root, "notes", t != NULL ? texts(t->notes, t->note_count) : texts(h->notes, h->note_count));
	put(root, "guessed", json_boolean(t != NULL ? t->guessed : h->guessed));
	put(root, "capture", run->capture_id[0] != '\0' ? vk_json_text(run->capture_id) : json_null());
	vk_restore_plan_json(root, &run->restore);
	json_dumpf(root, run->call->out, JSON_INDENT(2));
	fputc('\n', run->call->out);
	json_decref(root);
}
