/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a source, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/checked.h"
#include "report/json_object.h"

static json_t *table_json(const struct vk_table *t)
{
	struct json_object o = object();
	json_t *partitions = json_array();

	set(&o, "kind", json_string(vk_table_kind_name(t->kind)));
	if (t->kind == VK_TABLE_GPT && t->gpt_chosen >= 0)
		set(&o, "read_from", json_string(t->gpt_chosen == 0 ? "primary" : "backup"));
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		struct json_object e = object();
		char type[VK_GUID_TEXT_BYTES];
		const char *name;

		vk_partition_type(p, type, &name);
		set_number(&e, "number", p->number);
		set_number(&e, "start_sector", p->start_sector);
		set_number(&e, "sectors", p->sectors);
		set(&e, "type", json_string(type));
		set(&e, "type_name", json_string(name));
		if (p->logical)
			set(&e, "logical", json_true());
		if (p->gpt) {
			vk_guid_format(&p->entry.uniqueGUID, type);
			set(&e, "guid", json_string(type));
		}
		append(partitions, finish(&e), &o);
	}
	set(&o, "partitions", partitions);
	return finish(&o);
}

static json_t *place_json(const struct vk_place *p, uint64_t base)
{
	struct json_object o = object();

	set(&o, "name", json_string(p->name));
	set(&o, "state", json_string(vk_presence_name(p->presence)));
	set(&o, "damaged", json_boolean(p->damaged));
	set_number(&o, "offset", vk_add_sat(base, p->offset_bytes));
	set_number(&o, "length", p->length_bytes);
	set_number(&o, "held", p->held_bytes);
	return finish(&o);
}

json_t *vk_report_source_json(const struct vk_source *source)
{
	static const char *const forms[] = {"raw", "vmfsimg", "hexdump"};
	struct json_object o = object();
	json_t *structures = json_array();
	json_t *vmfs = json_array();

	set(&o, "path", label_json((const uint8_t *)source->path, strlen(source->path)));
	set(&o, "kind", json_string(vk_source_kind_name(source->kind)));
	set(&o, "form", json_string(forms[source->form]));
	set_number(&o, "size_bytes", source->size_bytes);
	set_number(&o, "sector_size", source->sector_size);
	if (source->origin_bytes > 0)
		set_number(&o, "origin_bytes", source->origin_bytes);
	set(&o, "table", table_json(&source->table));
	if (source->tail.first_sector > 0)
		set(&o, "tail_gpt", vk_report_tail_json(&source->tail, table_json(&source->tail.table)));
	for (size_t i = 0; i < source->table.place_count; i++)
		append(structures, place_json(&source->table.places[i], 0), &o);
	for (size_t i = 0; i < source->vmfs_count; i++) {
		const struct vk_vmfs *v = &source->vmfs[i];
		uint64_t base = vk_mul_sat(v->start_sector, source->sector_size);

		append(vmfs, vk_report_vmfs_json(source, v), &o);
		for (size_t k = 0; k < v->place_count; k++)
			append(structures, place_json(&v->places[k], base), &o);
	}
	set(&o, "vmfs", vmfs);
	set(&o, "structures", structures);
	return finish(&o);
}

json_t *vk_report_volumes_json(const struct vk_volume *volumes, size_t count,
			       const struct vk_source *sources)
{
	struct json_object all = object();
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct vk_volume *v = &volumes[i];
		struct json_object o = object();
		json_t *extents = json_array();
		char uuid[VK_VMFS_UUID_TEXT_BYTES];

		vk_vmfs_uuid_format(&v->uuid, uuid);
		set(&o, "uuid", json_string(uuid));
		set_number(&o, "snapID", v->snap_id);
		set_number(&o, "logicalSize", v->logical_bytes);
		set_number(&o, "numDevs", v->num_devs);
		set(&o, "complete", json_boolean(v->complete));
		if (v->has_fs)
			set(&o, "label", label_json(v->fs.fsLabel, sizeof(v->fs.fsLabel)));
		for (size_t k = 0; k < v->extent_count; k++) {
			const char *path = sources[v->extents[k].source].path;
			struct json_object e = object();

			set(&e, "source", label_json((const uint8_t *)path, strlen(path)));
			set_number(&e, "firstPE", v->extents[k].first_pe);
			set_number(&e, "lastPE", v->extents[k].last_pe);
			append(extents, finish(&e), &o);
		}
		set(&o, "extents", extents);
		append(array, finish(&o), &all);
	}
	if (all.failed) {
		json_decref(array);
		array = NULL;
	}
	json_decref(all.o);
	return array;
}
