/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a source, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/checked.h"
#include "report/report.h"

struct vk_json vk_report_partition_json(const struct vk_partition *p)
{
	struct vk_json o = vk_json_begin();
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	vk_partition_type(p, type, &name);
	VK_JSON_SET(&o, VK_KEY("number", p->number), VK_KEY("start_sector", p->start_sector),
		    VK_KEY("sectors", p->sectors), VK_KEY("type", type), VK_KEY("type_name", name));
	return o;
}

static json_t *table_json(const struct vk_table *t)
{
	struct vk_json o = vk_json_begin();
	json_t *partitions = json_array();

	vk_json_set_text(&o, "kind", vk_table_kind_name(t->kind));
	if (t->kind == VK_TABLE_GPT && t->gpt_chosen >= 0)
		vk_json_set_text(&o, "read_from", t->gpt_chosen == 0 ? "primary" : "backup");
	if (vk_table_signatures_lost(t))
		vk_json_set_bool(&o, "signatures_lost", true);
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		struct vk_json e = vk_report_partition_json(p);

		if (p->logical)
			vk_json_set_bool(&e, "logical", true);
		if (p->gpt)
			vk_json_set_text(&e, "guid", vk_guid_text(&p->entry.uniqueGUID).text);
		vk_json_append(partitions, vk_json_end(&e), &o);
	}
	vk_json_set(&o, "partitions", partitions);
	return vk_json_end(&o);
}

/* The backup GPT at the end of an image. Its sectors are those of the disk whose end the image is. */
static json_t *tail_json(const struct vk_tail_gpt *tail)
{
	const struct vk_gpt_header *h = &tail->table.gpt[1].header;

	return VK_JSON_OBJECT(
		VK_KEY("first_sector", tail->first_sector), VK_KEY("disk_sectors", tail->table.disk_sectors),
		VK_KEY("sector_size", tail->table.sector_size), VK_KEY("first_usable_sector", h->firstUsableLBA),
		VK_KEY("last_usable_sector", h->lastUsableLBA), VK_KEY("disk_guid", vk_guid_text(&h->diskGUID).text),
		VK_KEY("table", table_json(&tail->table)));
}

static json_t *place_json(const struct vk_place *p, uint64_t base)
{
	return VK_JSON_OBJECT(VK_KEY("name", p->name), VK_KEY("state", vk_presence_name(p->presence)),
			      VK_KEY("damaged", p->damaged), VK_KEY("offset", vk_add_sat(base, p->offset_bytes)),
			      VK_KEY("length", p->length_bytes), VK_KEY("held", p->held_bytes));
}

static json_t *path_json(const struct vk_source *source)
{
	return vk_json_label((const uint8_t *)source->path, strlen(source->path));
}

json_t *vk_report_readings_json(const struct vk_source *source)
{
	struct vk_json all = vk_json_begin();
	json_t *array = json_array();

	for (size_t i = 0; i < source->readings.count; i++) {
		const struct vk_reading *r = &source->readings.items[i];
		struct vk_json o = vk_json_begin();

		VK_JSON_SET(&o, VK_KEY("kind", vk_reading_name(r->kind)), VK_KEY("sure", vk_sure_name(r->sure)),
			    VK_KEY("what", r->what), VK_KEY("evidence", r->evidence), VK_KEY("at_bytes", r->at_bytes),
			    VK_KEY("repairable", r->repairable));
		if (r->length_bytes != 0)
			vk_json_set_number(&o, "length_bytes", r->length_bytes);
		if (r->stride_bytes != 0)
			vk_json_set_number(&o, "stride_bytes", r->stride_bytes);
		if (r->sector_size != 0)
			vk_json_set_number(&o, "sector_size", r->sector_size);
		if (r->shift_bytes != 0)
			vk_json_set_number(&o, "shift_from_bytes", r->shift_from_bytes);
		if (r->shift_bytes != 0)
			vk_json_set(&o, "shift_bytes", json_integer(r->shift_bytes));
		if (r->attach[0] != '\0')
			vk_json_set_text(&o, "attach", r->attach);
		if (r->attach[0] != '\0' && r->device[0] != '\0')
			vk_json_set_text(&o, "device", r->device);
		vk_json_append(array, vk_json_end(&o), &all);
	}
	vk_json_set(&all, "readings", array);
	array = all.failed ? NULL : json_incref(array);
	json_decref(all.o);
	return array;
}

void vk_report_set_whole(struct vk_json *o, const struct vk_source *s)
{
	char missing[400];
	struct vk_text text = vk_text_in(missing, sizeof(missing));

	if (s->whole.bytes == 0)
		return;
	(void)vk_source_put_missing(s, &text);
	vk_json_set(o, "whole", VK_JSON_OBJECT(VK_KEY("bytes", s->whole.bytes), VK_KEY("at_least", s->whole.at_least),
					       VK_KEY("by", s->whole.by), VK_KEY("held_bytes", s->whole.held_bytes),
					       VK_KEY("cut_short", vk_source_is_short(s)),
					       VK_KEY("missing", missing)));
}

json_t *vk_report_source_json(const struct vk_source *source)
{
	struct vk_json o = vk_json_begin();
	json_t *structures = json_array();
	json_t *vmfs = json_array();

	VK_JSON_SET(&o, VK_KEY("path", path_json(source)), VK_KEY("kind", vk_source_kind_name(source->kind)),
		    VK_KEY("form", vk_form(source->form)->name), VK_KEY("size_bytes", source->size_bytes),
		    VK_KEY("sector_size", source->sector_size),
		    VK_KEY("readings", vk_report_readings_json(source)));
	if (source->origin_bytes > 0)
		vk_json_set_number(&o, "origin_bytes", source->origin_bytes);
	vk_report_set_whole(&o, source);
	VK_JSON_SET(&o, VK_KEY("not_in_source", vk_findings_absent(&source->findings)),
		    VK_KEY("table", table_json(&source->table)));
	if (source->tail.first_sector > 0)
		vk_json_set(&o, "tail_gpt", tail_json(&source->tail));
	for (size_t i = 0; i < source->table.place_count; i++)
		vk_json_append(structures, place_json(&source->table.places[i], 0), &o);
	for (size_t i = 0; i < source->vmfs_count; i++) {
		const struct vk_vmfs *v = &source->vmfs[i];
		uint64_t base = vk_mul_sat(v->start_sector, source->sector_size);

		vk_json_append(vmfs, vk_report_vmfs_json(source, v), &o);
		for (size_t k = 0; k < v->place_count; k++)
			vk_json_append(structures, place_json(&v->places[k], base), &o);
	}
	VK_JSON_SET(&o, VK_KEY("vmfs", vmfs), VK_KEY("structures", structures));
	return vk_json_end(&o);
}

json_t *vk_report_volumes_json(const struct vk_volume *volumes, size_t count,
			       const struct vk_source *sources)
{
	struct vk_json all = vk_json_begin();
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct vk_volume *v = &volumes[i];
		struct vk_json o = vk_json_begin();
		json_t *extents = json_array();

		VK_JSON_SET(&o, VK_KEY("uuid", vk_vmfs_uuid_text(&v->uuid).text), VK_KEY("snapID", v->snap_id),
			    VK_KEY("logicalSize", v->logical_bytes), VK_KEY("numDevs", v->num_devs),
			    VK_KEY("complete", v->complete));
		if (v->has_fs)
			vk_json_set(&o, "label", vk_json_label(v->fs.fsLabel, sizeof(v->fs.fsLabel)));
		for (size_t k = 0; k < v->extent_count; k++)
			vk_json_append(extents,
				       VK_JSON_OBJECT(VK_KEY("source", path_json(&sources[v->extents[k].source])),
						      VK_KEY("firstPE", v->extents[k].first_pe),
						      VK_KEY("lastPE", v->extents[k].last_pe)),
				       &o);
		vk_json_set(&o, "extents", extents);
		vk_json_append(array, vk_json_end(&o), &all);
	}
	vk_json_set(&all, "volumes", array);
	array = all.failed ? NULL : json_incref(array);
	json_decref(all.o);
	return array;
}
