/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for scripts: the contract is docs/json.md. */
#include "report/doctor.h"
#include "report/report_find.h"

static json_t *volume_json(const struct vk_diagnosis *d, const struct vk_diagnosed_volume *v)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "partition", v->partition);
	vk_json_set_number(&o, "start_sector", v->start_bytes / d->sector_size);
	vk_json_set_number(&o, "sectors", v->length_bytes / d->sector_size);
	vk_json_set_bool(&o, "in_table", v->named);
	vk_json_set_text(&o, "label", v->label);
	vk_json_set_text(&o, "volume_uuid", v->volume_uuid);
	vk_json_set_text(&o, "uuid", v->fs_uuid);
	vk_json_set_text(&o, "fs_version", v->fs_version);
	vk_json_set_text(&o, "disk_id", v->disk_id);
	vk_json_set_bool(&o, "alive", v->alive);
	return vk_json_end(&o);
}

static json_t *range_json(const struct vk_diagnosis *d, const struct vk_damage_range *r)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "offset_bytes", r->offset_bytes);
	vk_json_set_number(&o, "length_bytes", r->length_bytes);
	vk_json_set_text(&o, "damage", vk_damage_name(r->damage));
	vk_json_set_text(&o, "what", r->what);
	if (r->volume_start_bytes != UINT64_MAX)
		vk_json_set_number(&o, "volume_start_sector", r->volume_start_bytes / d->sector_size);
	return vk_json_end(&o);
}

static json_t *advice_json(const struct vk_advice *a)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "command", a->command);
	vk_json_set_text(&o, "why", a->why);
	vk_json_set_bool(&o, "writes", a->writes);
	return vk_json_end(&o);
}

static json_t *damaged_json(const struct vk_diagnosis *d)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "first_byte", d->first_damaged_bytes);
	vk_json_set_number(&o, "last_byte", d->last_damaged_bytes);
	vk_json_set_number(&o, "first_sector", d->first_damaged_bytes / d->sector_size);
	vk_json_set_number(&o, "last_sector", d->last_damaged_bytes / d->sector_size);
	return vk_json_end(&o);
}

/* A text that is not there is null. */
static void set_optional(struct vk_json *o, const char *key, const char *text)
{
	vk_json_set_text(o, key, text[0] != '\0' ? text : NULL);
}

json_t *vk_report_diagnosis_json(const struct vk_diagnosis *d)
{
	struct vk_json o = vk_json_begin();
	json_t *volumes = json_array(), *ranges = json_array(), *next = json_array(), *findings = json_array();

	for (size_t i = 0; i < d->volume_count; i++)
		vk_json_append(volumes, volume_json(d, &d->volumes[i]), &o);
	for (size_t i = 0; i < d->range_count; i++)
		vk_json_append(ranges, range_json(d, &d->ranges[i]), &o);
	for (size_t i = 0; i < d->advice_count; i++)
		vk_json_append(next, advice_json(&d->advice[i]), &o);
	if (!vk_report_findings_json(findings, d->path, &d->findings))
		o.failed = true;
	vk_json_set_text(&o, "path", d->path);
	vk_json_set_text(&o, "kind", vk_source_kind_name(d->kind));
	vk_json_set_number(&o, "size_bytes", d->size_bytes);
	vk_json_set_number(&o, "sector_size", d->sector_size);
	vk_json_set_text(&o, "headline", d->headline);
	vk_json_set(&o, "damaged", d->damaged ? damaged_json(d) : json_null());
	set_optional(&o, "capture", d->capture);
	set_optional(&o, "captures_unknown", d->captures_unknown);
	set_optional(&o, "passed_over", d->passed_over_id);
	set_optional(&o, "passed_over_why", d->passed_over_id[0] != '\0' ? d->passed_over : "");
	vk_json_set_bool(&o, "unknown", d->unknown);
	vk_json_set(&o, "volumes", volumes);
	vk_json_set_text(&o, "alive", d->alive ? "yes" : d->in_use && !d->watched ? "not known" : "no");
	vk_json_set_bool(&o, "in_use", d->in_use);
	vk_report_set_foreign(&o, &d->foreign);
	vk_json_set_texts(&o, "intact", d->intact, d->intact_count);
	vk_json_set_texts(&o, "lost", d->lost, d->lost_count);
	vk_json_set(&o, "ranges", ranges);
	vk_json_set(&o, "next", next);
	vk_json_set(&o, "findings", findings);
	return vk_json_end(&o);
}
