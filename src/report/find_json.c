/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for scripts: the contract is docs/json.md. */
#include "report/report.h"
#include "report/report_find.h"
#include "base/shown.h"

static json_t *check_json(const struct vk_candidate *c, enum vk_find_check check)
{
	static const char *const verdicts[] = {"unknown", "pass", "fail"};

	return VK_JSON_OBJECT(VK_KEY("name", vk_find_check_name(check)),
			      VK_KEY("verdict", verdicts[c->checks[check].verdict]),
			      VK_KEY("what", vk_find_check_what(check)), VK_KEY("seen", c->checks[check].seen));
}

static json_t *vote_json(const struct vk_vote *v)
{
	uint64_t locks = 0;

	for (int i = 0; i < 8; i++)
		locks += v->locks[i];
	/* where the volume would begin may lie in front of the disk */
	return VK_JSON_OBJECT(VK_KEY("volume_start", json_integer((json_int_t)v->volume_start_bytes)),
			      VK_KEY("blocks", v->blocks), VK_KEY("locks", locks),
			      VK_KEY("heartbeats", v->heartbeats),
			      VK_KEY("heartbeats_in_use", v->heartbeats_in_use), VK_KEY("first", v->first_bytes),
			      VK_KEY("last", v->last_bytes));
}

static void set_names(struct vk_json *o, const struct vk_candidate *c)
{
	char lvm[24], fs[40];
	const struct vk_shown_label label = vk_shown_label(c->fs.fsLabel, sizeof(c->fs.fsLabel));

	snprintf(lvm, sizeof(lvm), "%u.%u", c->lvm.majorVersion, c->lvm.minorVersion);
	vk_fs_version_name(&c->fs, fs);
	VK_JSON_SET(o, VK_KEY("lvm_version", c->has_header ? lvm : NULL), VK_KEY("fs_version", c->has_fs ? fs : NULL),
		    VK_KEY("label", c->has_fs ? label.text : NULL),
		    VK_KEY("device_uuid", c->has_header ? vk_vmfs_uuid_text(&c->lvm.devID).text : NULL),
		    VK_KEY("volume_uuid", c->has_volume ? vk_vmfs_uuid_text(&c->volume.uuid).text : NULL),
		    VK_KEY("uuid", c->has_fs ? vk_vmfs_uuid_text(&c->fs.uuid).text : NULL));
}

static json_t *candidate_json(const struct vk_find_view *view, const struct vk_candidate *c)
{
	static const char *const ways[] = {"table", "hint", "usual", "header", "descriptor", "self-location"};
	uint32_t ss = view->source->sector_size;
	json_t *found_by = json_array(), *checks = json_array();
	struct vk_json o = vk_json_begin();

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((c->found_by >> i & 1) != 0)
			vk_json_append(found_by, json_string(ways[i]), &o);
	for (int i = 0; i < VK_CHECK_COUNT; i++)
		vk_json_append(checks, check_json(c, (enum vk_find_check)i), &o);
	VK_JSON_SET(&o, VK_KEY("standing", vk_standing_name(c->standing)),
		    VK_KEY("ghost", vk_standing_is_ghost(c->standing)), VK_KEY("sure_percent", c->sure_percent),
		    VK_KEY("why", c->why), VK_KEY("start_sector", c->start_bytes / ss),
		    VK_KEY("sectors", c->length_bytes / ss), VK_KEY("start_bytes", c->start_bytes),
		    VK_KEY("length_bytes", c->length_bytes), VK_KEY("length_exact", c->length_exact),
		    VK_KEY("start_before_disk", c->start_before_disk),
		    VK_KEY("type", c->local ? "VMFS-L" : "VMFS"),
		    VK_KEY("type_guid", c->local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS),
		    VK_KEY("head", c->head), VK_KEY("in_table", vk_report_find_in_table(c)),
		    VK_KEY("told_bytes", c->told_bytes), VK_KEY("most_bytes", c->most_bytes),
		    VK_KEY("length_witness", c->length_witness), VK_KEY("heard", c->heard),
		    VK_KEY("claimed_bytes", c->claimed_bytes),
		    VK_KEY("inside", c->inside == SIZE_MAX ? json_null() : vk_json_number(c->inside)));
	if (c->absent_bytes != 0)
		vk_json_set_number(&o, "absent_bytes", c->absent_bytes);
	set_names(&o, c);
	VK_JSON_SET(&o, VK_KEY("found_by", found_by),
		    VK_KEY("votes", c->vote.blocks == 0 ? json_null() : vote_json(&c->vote)),
		    VK_KEY("checks", checks));
	return vk_json_end(&o);
}

void vk_report_set_foreign(struct vk_json *o, const struct vk_foreigners *foreign)
{
	static const char *const kinds[] = {"file system", "volume manager", "encryption", "other"};
	json_t *array = json_array();

	for (size_t i = 0; i < foreign->count; i++) {
		const struct vk_foreign *x = &foreign->items[i];

		vk_json_append(array,
			       VK_JSON_OBJECT(VK_KEY("kind", kinds[x->kind]), VK_KEY("type", x->type),
					      VK_KEY("label", x->label), VK_KEY("uuid", x->uuid),
					      VK_KEY("start_bytes", x->start_bytes),
					      VK_KEY("length_bytes", x->length_bytes),
					      VK_KEY("magic_bytes", x->magic_bytes)),
			       o);
	}
	vk_json_set(o, "foreign", array);
}

/* "older_gpts": earlier tables, where there are any. */
static void set_older(struct vk_json *o, const struct vk_find *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->older_count; i++) {
		const struct vk_older_gpt *gpt = &f->older[i];
		json_t *partitions = json_array();

		for (size_t k = 0; k < gpt->entry_count; k++) {
			const struct vk_gpt_entry *e = &gpt->entries[k].entry;

			vk_json_append(partitions,
				       VK_JSON_OBJECT(VK_KEY("number", gpt->entries[k].number),
						      VK_KEY("start_sector", e->firstLBA),
						      VK_KEY("sectors", e->lastLBA - e->firstLBA + 1),
						      VK_KEY("type", vk_gpt_type_name(&e->typeGUID)),
						      VK_KEY("type_guid", vk_guid_text(&e->typeGUID).text),
						      VK_KEY("guid", vk_guid_text(&e->uniqueGUID).text)),
				       o);
		}
		vk_json_append(list,
			       VK_JSON_OBJECT(VK_KEY("offset", gpt->offset_bytes), VK_KEY("sector", gpt->header.myLBA),
					      VK_KEY("sector_size", gpt->sector_size),
					      VK_KEY("disk_sectors", gpt->disk_sectors),
					      VK_KEY("disk_guid", vk_guid_text(&gpt->header.diskGUID).text),
					      VK_KEY("entries_fit", vk_json_bool(gpt->entries_fit)),
					      VK_KEY("partitions", partitions)),
			       o);
	}
	if (f->older_count > 0)
		vk_json_set(o, "older_gpts", list);
	else
		json_decref(list);
}

json_t *vk_report_find_json(const struct vk_find_view *view)
{
	const struct vk_source *s = view->source;
	const struct vk_find *f = view->find;
	bool agrees = vk_report_find_agrees(view), resumed = f->resumed_s != 0;
	json_t *candidates = json_array(), *votes = json_array(), *unreadable = json_array();
	struct vk_json o = vk_json_begin();

	for (size_t i = 0; i < f->count; i++)
		vk_json_append(candidates, candidate_json(view, &f->candidates[i]), &o);
	for (size_t i = 0; i < f->vote_count; i++)
		vk_json_append(votes, vote_json(&f->votes[i]), &o);
	for (size_t i = 0; i < f->unreadable_count; i++)
		vk_json_append(unreadable,
			       VK_JSON_OBJECT(VK_KEY("offset", f->unreadable[i].offset_bytes),
					      VK_KEY("length", f->unreadable[i].length_bytes)),
			       &o);
	VK_JSON_SET(&o, VK_KEY("schema", "vmfskit.find/1"), VK_KEY("source", s->path),
		    VK_KEY("kind", vk_source_kind_name(s->kind)), VK_KEY("readings", vk_report_readings_json(s)),
		    VK_KEY("container", s->container != NULL ? s->container->name : NULL),
		    VK_KEY("size_bytes", s->size_bytes), VK_KEY("sector_size", s->sector_size),
		    VK_KEY("table", vk_table_kind_name(s->table.kind)),
		    VK_KEY("agrees", agrees && !vk_report_find_has_table(s) ? json_null() : vk_json_bool(agrees)),
		    VK_KEY("likely_only", view->likely_only), VK_KEY("stopped", f->stopped),
		    VK_KEY("range", VK_JSON_OBJECT(VK_KEY("start", view->range_start_bytes),
						      VK_KEY("length", f->total_bytes))),
		    VK_KEY("scanned_bytes", f->scanned_bytes), VK_KEY("holes_bytes", f->holes_bytes),
		    VK_KEY("left_out", f->left_out), VK_KEY("resumed_bytes", f->resumed_bytes),
		    VK_KEY("resumed_from", resumed ? view->resume_path : NULL),
		    VK_KEY("resumed_date", resumed ? vk_shown_time_s(f->resumed_s).text : NULL),
		    VK_KEY("candidates", candidates), VK_KEY("votes", votes));
	vk_report_set_whole(&o, s);
	vk_report_set_foreign(&o, &f->foreign);
	set_older(&o, f);
	vk_json_set(&o, "unreadable", unreadable);
	vk_json_set_texts(&o, "next", view->next, view->next_count);
	return vk_json_end(&o);
}
