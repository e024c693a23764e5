/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for scripts: the contract is docs/json.md. */
#include "report/report.h"
#include "report/report_find.h"

static void set_uuid(struct vk_json *o, const char *key, bool known, const struct vk_vmfs_uuid *uuid)
{
	char text[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(uuid, text);
	vk_json_set_text(o, key, known ? text : NULL);
}

static json_t *check_json(const struct vk_candidate *c, enum vk_find_check check)
{
	static const char *const verdicts[] = {"unknown", "pass", "fail"};
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "name", vk_find_check_name(check));
	vk_json_set_text(&o, "verdict", verdicts[c->checks[check].verdict]);
	vk_json_set_text(&o, "what", vk_find_check_what(check));
	vk_json_set_text(&o, "seen", c->checks[check].seen);
	return vk_json_end(&o);
}

static json_t *vote_json(const struct vk_vote *v)
{
	struct vk_json o = vk_json_begin();
	uint64_t locks = 0;

	for (int i = 0; i < 8; i++)
		locks += v->locks[i];
	/* where the volume would begin may lie in front of the disk */
	vk_json_set(&o, "volume_start", json_integer((json_int_t)v->volume_start_bytes));
	vk_json_set_number(&o, "blocks", v->blocks);
	vk_json_set_number(&o, "locks", locks);
	vk_json_set_number(&o, "heartbeats", v->heartbeats);
	vk_json_set_number(&o, "heartbeats_in_use", v->heartbeats_in_use);
	vk_json_set_number(&o, "first", v->first_bytes);
	vk_json_set_number(&o, "last", v->last_bytes);
	return vk_json_end(&o);
}

static void set_names(struct vk_json *o, const struct vk_candidate *c)
{
	char text[700];
	struct vk_text out;

	vk_text_init(&out, text, sizeof(text));
	vk_text_fmt(&out, "%u.%u", c->lvm.majorVersion, c->lvm.minorVersion);
	vk_json_set_text(o, "lvm_version", c->has_header ? text : NULL);
	vk_fs_version_name(&c->fs, text);
	vk_json_set_text(o, "fs_version", c->has_fs ? text : NULL);
	vk_text_init(&out, text, sizeof(text));
	vk_text_label(&out, c->fs.fsLabel, sizeof(c->fs.fsLabel));
	vk_json_set_text(o, "label", c->has_fs ? text : NULL);
	set_uuid(o, "device_uuid", c->has_header, &c->lvm.devID);
	set_uuid(o, "volume_uuid", c->has_volume, &c->volume.uuid);
	set_uuid(o, "uuid", c->has_fs, &c->fs.uuid);
}

static void set_evidence(struct vk_json *o, const struct vk_candidate *c)
{
	static const char *const ways[] = {"table", "hint", "usual", "header", "descriptor", "self-location"};
	json_t *found_by = json_array(), *checks = json_array();

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((c->found_by >> i & 1) != 0)
			vk_json_append(found_by, json_string(ways[i]), o);
	for (int i = 0; i < VK_CHECK_COUNT; i++)
		vk_json_append(checks, check_json(c, (enum vk_find_check)i), o);
	vk_json_set(o, "found_by", found_by);
	vk_json_set(o, "votes", c->vote.blocks == 0 ? json_null() : vote_json(&c->vote));
	vk_json_set(o, "checks", checks);
}

static json_t *candidate_json(const struct vk_find_view *view, const struct vk_candidate *c)
{
	uint32_t ss = view->source->sector_size;
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "standing", vk_standing_name(c->standing));
	vk_json_set_bool(&o, "ghost", vk_standing_is_ghost(c->standing));
	vk_json_set_number(&o, "sure_percent", c->sure_percent);
	vk_json_set_text(&o, "why", c->why);
	vk_json_set_number(&o, "start_sector", c->start_bytes / ss);
	vk_json_set_number(&o, "sectors", c->length_bytes / ss);
	vk_json_set_number(&o, "start_bytes", c->start_bytes);
	vk_json_set_number(&o, "length_bytes", c->length_bytes);
	vk_json_set_bool(&o, "length_exact", c->length_exact);
	vk_json_set_bool(&o, "start_before_disk", c->start_before_disk);
	vk_json_set_text(&o, "type", c->local ? "VMFS-L" : "VMFS");
	vk_json_set_text(&o, "type_guid", c->local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS);
	vk_json_set_bool(&o, "head", c->head);
	vk_json_set_bool(&o, "in_table", vk_report_find_in_table(c));
	vk_json_set_number(&o, "told_bytes", c->told_bytes);
	vk_json_set_number(&o, "most_bytes", c->most_bytes);
	vk_json_set_text(&o, "length_witness", c->length_witness);
	vk_json_set_text(&o, "heard", c->heard);
	vk_json_set_number(&o, "claimed_bytes", c->claimed_bytes);
	vk_json_set(&o, "inside", c->inside == SIZE_MAX ? json_null() : vk_json_number(c->inside));
	set_names(&o, c);
	set_evidence(&o, c);
	return vk_json_end(&o);
}

static json_t *foreign_json(const struct vk_foreign *x)
{
	static const char *const kinds[] = {"file system", "volume manager", "encryption", "other"};
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "kind", kinds[x->kind]);
	vk_json_set_text(&o, "type", x->type);
	vk_json_set_text(&o, "label", x->label);
	vk_json_set_text(&o, "uuid", x->uuid);
	vk_json_set_number(&o, "start_bytes", x->start_bytes);
	vk_json_set_number(&o, "length_bytes", x->length_bytes);
	vk_json_set_number(&o, "magic_bytes", x->magic_bytes);
	return vk_json_end(&o);
}

void vk_report_set_foreign(struct vk_json *o, const struct vk_foreigners *foreign)
{
	json_t *array = json_array();

	for (size_t i = 0; i < foreign->count; i++)
		vk_json_append(array, foreign_json(&foreign->items[i]), o);
	vk_json_set(o, "foreign", array);
}

static json_t *range_json(uint64_t offset_bytes, uint64_t length_bytes)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "offset", offset_bytes);
	vk_json_set_number(&o, "length", length_bytes);
	return vk_json_end(&o);
}

static void set_lists(struct vk_json *o, const struct vk_find_view *view)
{
	const struct vk_find *f = view->find;
	json_t *candidates = json_array(), *votes = json_array(), *unreadable = json_array();

	for (size_t i = 0; i < f->count; i++)
		vk_json_append(candidates, candidate_json(view, &f->candidates[i]), o);
	for (size_t i = 0; i < f->vote_count; i++)
		vk_json_append(votes, vote_json(&f->votes[i]), o);
	for (size_t i = 0; i < f->unreadable_count; i++)
		vk_json_append(unreadable,
			       range_json(f->unreadable[i].offset_bytes, f->unreadable[i].length_bytes), o);
	vk_json_set(o, "candidates", candidates);
	vk_json_set(o, "votes", votes);
	vk_report_set_foreign(o, &f->foreign);
	vk_json_set(o, "unreadable", unreadable);
	vk_json_set_texts(o, "next", view->next, view->next_count);
}

json_t *vk_report_find_json(const struct vk_find_view *view)
{
	const struct vk_source *s = view->source;
	const struct vk_find *f = view->find;
	bool agrees = vk_report_find_agrees(view), resumed = f->resumed_s != 0;
	struct vk_json o = vk_json_begin();
	struct vk_json range = vk_json_begin();
	char date[64];
	struct vk_text text;

	vk_text_init(&text, date, sizeof(date));
	vk_text_time_s(&text, f->resumed_s);
	vk_json_set_number(&range, "start", view->range_start_bytes);
	vk_json_set_number(&range, "length", f->total_bytes);
	vk_json_set_text(&o, "schema", "vmfskit.find/1");
	vk_json_set_text(&o, "source", s->path);
	vk_json_set_text(&o, "kind", vk_source_kind_name(s->kind));
	vk_json_set_text(&o, "container", s->container != NULL ? s->container->name : NULL);
	vk_json_set_number(&o, "size_bytes", s->size_bytes);
	vk_json_set_number(&o, "sector_size", s->sector_size);
	vk_json_set_text(&o, "table", vk_table_kind_name(s->table.kind));
	vk_json_set(&o, "agrees", agrees && !vk_report_find_has_table(s) ? json_null() : json_boolean(agrees));
	vk_json_set_bool(&o, "likely_only", view->likely_only);
	vk_json_set_bool(&o, "stopped", f->stopped);
	vk_json_set(&o, "range", vk_json_end(&range));
	vk_json_set_number(&o, "scanned_bytes", f->scanned_bytes);
	vk_json_set_number(&o, "holes_bytes", f->holes_bytes);
	vk_json_set_number(&o, "left_out", f->left_out);
	vk_json_set_number(&o, "resumed_bytes", f->resumed_bytes);
	vk_json_set_text(&o, "resumed_from", resumed ? view->resume_path : NULL);
	vk_json_set_text(&o, "resumed_date", resumed ? date : NULL);
	set_lists(&o, view);
	return vk_json_end(&o);
}
