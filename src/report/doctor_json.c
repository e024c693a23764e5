/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for scripts: the contract is docs/json.md. */
#include <string.h>

#include "report/doctor.h"

/* Paths are bytes; JSON is UTF-8: what is none is escaped as on a terminal. */
static json_t *label_json(const char *bytes)
{
	char buf[16400];
	struct vk_text text;

	vk_text_init(&text, buf, sizeof(buf));
	vk_text_label(&text, (const uint8_t *)bytes, strlen(bytes));
	return json_string(buf);
}

static json_t *volumes_json(const struct vk_diagnosis *d)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < d->volume_count; i++) {
		const struct vk_diagnosed_volume *v = &d->volumes[i];

		if (json_array_append_new(
			    array, json_pack("{s:I,s:I,s:I,s:b,s:s,s:s,s:s,s:s,s:s,s:b}", "partition",
					     (json_int_t)v->partition, "start_sector",
					     (json_int_t)(v->start_bytes / d->sector_size), "sectors",
					     (json_int_t)(v->length_bytes / d->sector_size), "in_table", (int)v->named,
					     "label", v->label, "volume_uuid", v->volume_uuid, "uuid", v->fs_uuid,
					     "fs_version", v->fs_version, "disk_id", v->disk_id, "alive",
					     (int)v->alive)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *foreign_json(const struct vk_diagnosis *d)
{
	static const char *const kinds[] = {"file system", "volume manager", "encryption", "other"};
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < d->foreign.count; i++) {
		const struct vk_foreign *f = &d->foreign.items[i];

		if (json_array_append_new(array,
					  json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "type", f->type, "kind",
						    kinds[f->kind], "label", f->label, "uuid", f->uuid, "start_bytes",
						    (json_int_t)f->start_bytes, "length_bytes",
						    (json_int_t)f->length_bytes, "magic_bytes",
						    (json_int_t)f->magic_bytes)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *ranges_json(const struct vk_diagnosis *d)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];
		json_t *o = json_pack("{s:I,s:I,s:s,s:s}", "offset_bytes", (json_int_t)r->offset_bytes, "length_bytes",
				      (json_int_t)r->length_bytes, "damage", vk_damage_name(r->damage), "what", r->what);

		if (o != NULL && r->volume_start_bytes != UINT64_MAX &&
		    json_object_set_new(o, "volume_start_sector",
					json_integer((json_int_t)(r->volume_start_bytes / d->sector_size))) != 0) {
			json_decref(o);
			o = NULL;
		}
		if (json_array_append_new(array, o) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *texts_json(char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < count; i++) {
		if (json_array_append_new(array, label_json(texts[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *advice_json(const struct vk_diagnosis *d)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < d->advice_count; i++) {
		const struct vk_advice *a = &d->advice[i];

		if (json_array_append_new(array, json_pack("{s:o?,s:s,s:b}", "command",
							   a->command != NULL ? label_json(a->command) : NULL, "why",
							   a->why, "writes", (int)a->writes)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *damaged_json(const struct vk_diagnosis *d)
{
	if (!d->damaged)
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:I}", "first_byte", (json_int_t)d->first_damaged_bytes, "last_byte",
			 (json_int_t)d->last_damaged_bytes, "first_sector",
			 (json_int_t)(d->first_damaged_bytes / d->sector_size), "last_sector",
			 (json_int_t)(d->last_damaged_bytes / d->sector_size));
}

json_t *vk_report_diagnosis_json(const struct vk_diagnosis *d)
{
	json_t *findings = json_array();
	const char *alive = d->alive ? "yes" : d->in_use && !d->watched ? "not known" : "no";

	if (findings == NULL || !vk_report_findings_json(findings, d->path, &d->findings)) {
		json_decref(findings);
		return NULL;
	}
	return json_pack("{s:o,s:s,s:I,s:I,s:s,s:o,s:s?,s:s?,s:s?,s:s?,s:b,s:o,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o}", "path", label_json(d->path),
			 "kind", vk_source_kind_name(d->kind), "size_bytes", (json_int_t)d->size_bytes, "sector_size",
			 (json_int_t)d->sector_size, "headline", d->headline, "damaged", damaged_json(d), "capture",
			 d->capture[0] != '\0' ? d->capture : NULL, "captures_unknown",
			 d->captures_unknown[0] != '\0' ? d->captures_unknown : NULL, "passed_over",
			 d->passed_over_id[0] != '\0' ? d->passed_over_id : NULL, "passed_over_why",
			 d->passed_over_id[0] != '\0' ? d->passed_over : NULL, "unknown", (int)d->unknown,
			 "volumes", volumes_json(d), "alive", alive, "in_use",
			 (int)d->in_use, "foreign", foreign_json(d), "intact", texts_json(d->intact, d->intact_count),
			 "lost", texts_json(d->lost, d->lost_count), "ranges", ranges_json(d), "next", advice_json(d),
			 "findings", findings);
}
