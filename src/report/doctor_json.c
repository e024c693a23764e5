/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for scripts: the contract is docs/json.md. */
#include "report/doctor.h"
#include "report/report.h"
#include "report/report_find.h"

static json_t *volume_json(const struct vk_diagnosis *d, const struct vk_diagnosed_volume *v)
{
	return VK_JSON_OBJECT(VK_KEY("partition", v->partition),
			      VK_KEY("start_sector", v->start_bytes / d->sector_size),
			      VK_KEY("sectors", v->length_bytes / d->sector_size), VK_KEY("in_table", v->named),
			      VK_KEY("label", v->label), VK_KEY("volume_uuid", v->volume_uuid),
			      VK_KEY("uuid", v->fs_uuid), VK_KEY("fs_version", v->fs_version),
			      VK_KEY("disk_id", v->disk_id), VK_KEY("alive", v->alive),
			      VK_KEY("hits", vk_report_diagnosed_files_json(v->hits)));
}

static json_t *range_json(const struct vk_diagnosis *d, const struct vk_damage_range *r)
{
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("offset_bytes", r->offset_bytes), VK_KEY("length_bytes", r->length_bytes),
		    VK_KEY("damage", vk_damage_name(r->damage)), VK_KEY("what", r->what));
	if (r->volume_start_bytes != UINT64_MAX)
		vk_json_set_number(&o, "volume_start_sector", r->volume_start_bytes / d->sector_size);
	return vk_json_end(&o);
}

static json_t *damaged_json(const struct vk_diagnosis *d)
{
	if (!d->damaged)
		return json_null();
	return VK_JSON_OBJECT(VK_KEY("first_byte", d->first_damaged_bytes),
			      VK_KEY("last_byte", d->last_damaged_bytes),
			      VK_KEY("first_sector", d->first_damaged_bytes / d->sector_size),
			      VK_KEY("last_sector", d->last_damaged_bytes / d->sector_size));
}

/* A text that is not there is null. */
static const char *optional(const char *text)
{
	return text[0] != '\0' ? text : NULL;
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
		vk_json_append(next,
			       VK_JSON_OBJECT(VK_KEY("command", d->advice[i].command),
					      VK_KEY("why", d->advice[i].why), VK_KEY("writes", d->advice[i].writes)),
			       &o);
	if (!vk_report_findings_json(findings, d->path, &d->findings))
		o.failed = true;
	VK_JSON_SET(&o, VK_KEY("path", d->path), VK_KEY("kind", vk_source_kind_name(d->kind)),
		    VK_KEY("readings", vk_report_readings_json(d->source)),
		    VK_KEY("size_bytes", d->size_bytes), VK_KEY("sector_size", d->sector_size),
		    VK_KEY("headline", d->headline), VK_KEY("damaged", damaged_json(d)),
		    VK_KEY("capture", optional(d->capture)),
		    VK_KEY("captures_unknown", optional(d->captures_unknown)),
		    VK_KEY("passed_over", optional(d->passed_over_id)),
		    VK_KEY("passed_over_why", optional(d->passed_over)), VK_KEY("unknown", d->unknown),
		    VK_KEY("volumes", volumes),
		    VK_KEY("alive", d->alive ? "yes" : d->in_use && !d->watched ? "not known" : "no"),
		    VK_KEY("in_use", d->in_use));
	vk_report_set_whole(&o, d->source);
	vk_report_set_foreign(&o, &d->foreign);
	vk_json_set_texts(&o, "intact", d->intact, d->intact_count);
	vk_json_set_texts(&o, "lost", d->lost, d->lost_count);
	VK_JSON_SET(&o, VK_KEY("ranges", ranges), VK_KEY("next", next), VK_KEY("findings", findings));
	return vk_json_end(&o);
}
