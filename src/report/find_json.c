/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/json.h"
#include "report/report.h"
#include "report/report_find.h"

/* Numbers of damaged fields may lie beyond what JSON integers hold: these are cut. */
static json_int_t number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static bool set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static bool set_uuid(json_t *object, const char *key, bool known, const struct vk_vmfs_uuid *uuid)
{
	char text[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(uuid, text);
	return set(object, key, known ? json_string(text) : json_null());
}

static json_t *checks_json(const struct vk_candidate *c)
{
	static const char *const verdicts[] = {"unknown", "pass", "fail"};
	json_t *array = json_array();

	for (int i = 0; i < VK_CHECK_COUNT; i++)
		if (json_array_append_new(array, json_pack("{s:s,s:s,s:s,s:s}", "name",
							   vk_find_check_name((enum vk_find_check)i), "verdict",
							   verdicts[c->checks[i].verdict], "what",
							   vk_find_check_what((enum vk_find_check)i), "seen",
							   c->checks[i].seen)) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *found_by_json(const struct vk_candidate *c)
{
	static const char *const ways[] = {"table", "hint", "usual", "header", "descriptor", "self-location"};
	json_t *array = json_array();

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((c->found_by >> i & 1) != 0 && json_array_append_new(array, json_string(ways[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *vote_json(const struct vk_vote *v)
{
	uint64_t locks = 0;

	for (int i = 0; i < 8; i++)
		locks += v->locks[i];
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "volume_start", (json_int_t)v->volume_start_bytes, "blocks",
			 number(v->blocks), "locks", number(locks), "heartbeats", number(v->heartbeats),
			 "heartbeats_in_use", number(v->heartbeats_in_use), "first", number(v->first_bytes), "last",
			 number(v->last_bytes));
}

static bool set_names(json_t *o, const struct vk_candidate *c)
{
	char text[700] = "";
	char version[40];
	struct vk_text out;
	bool fits = true;

	snprintf(text, sizeof(text), "%u.%u", c->lvm.majorVersion, c->lvm.minorVersion);
	fits = set(o, "lvm_version", c->has_header ? json_string(text) : json_null());
	vk_fs_version_name(&c->fs, version);
	fits = fits && set(o, "fs_version", c->has_fs ? json_string(version) : json_null());
	vk_text_init(&out, text, sizeof(text));
	vk_text_label(&out, c->fs.fsLabel, sizeof(c->fs.fsLabel));
	fits = fits && set(o, "label", c->has_fs ? json_string(text) : json_null());
	return fits && set_uuid(o, "device_uuid", c->has_header, &c->lvm.devID) &&
	       set_uuid(o, "volume_uuid", c->has_volume, &c->volume.uuid) && set_uuid(o, "uuid", c->has_fs, &c->fs.uuid);
}

static json_t *candidate_json(const struct vk_find_view *view, const struct vk_candidate *c)
{
	uint32_t ss = view->source->sector_size;
	json_t *o = json_pack("{s:s,s:b,s:I,s:s,s:I,s:I,s:I,s:I,s:b,s:b}", "standing", vk_standing_name(c->standing), "ghost",
			      vk_standing_is_ghost(c->standing), "sure_percent", (json_int_t)c->sure_percent, "why", c->why,
			      "start_sector", number(c->start_bytes / ss), "sectors", number(c->length_bytes / ss),
			      "start_bytes", number(c->start_bytes), "length_bytes", number(c->length_bytes),
			      "length_exact", c->length_exact, "start_before_disk", c->start_before_disk);
	bool fits = o != NULL;

	fits = fits && set(o, "type", json_string(c->local ? "VMFS-L" : "VMFS")) &&
	       set(o, "type_guid", json_string(c->local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS)) &&
	       set(o, "head", json_boolean(c->head)) &&
	       set(o, "in_table", json_boolean(vk_report_find_in_table(c))) &&
	       set(o, "told_bytes", json_integer(number(c->told_bytes))) && set(o, "most_bytes", json_integer(number(c->most_bytes))) &&
	       set(o, "length_witness", json_string(c->length_witness)) && set(o, "heard", json_string(c->heard)) && set(o, "claimed_bytes", json_integer(number(c->claimed_bytes))) &&
	       set(o, "inside", c->inside == SIZE_MAX ? json_null() : json_integer((json_int_t)c->inside)) &&
	       set_names(o, c) && set(o, "found_by", found_by_json(c)) &&
	       set(o, "votes", c->vote.blocks == 0 ? json_null() : vote_json(&c->vote)) && set(o, "checks", checks_json(c));
	if (fits)
		return o;
	json_decref(o);
	return NULL;
}

static const char *kind_name(enum vk_foreign_kind kind)
{
	static const char *const names[] = {"file system", "volume manager", "encryption", "other"};

	return names[kind];
}

static json_t *foreign_json(const struct vk_foreign *x)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "kind", kind_name(x->kind), "type", x->type, "label", x->label, "uuid",
			 x->uuid, "start_bytes", number(x->start_bytes), "length_bytes", number(x->length_bytes), "magic_bytes",
			 number(x->magic_bytes));
}

/* Lists; a member that could not be made is noticed by the caller, who finds them too short. */
static bool fill_lists(json_t *root, const struct vk_find_view *view)
{
	const struct vk_find *f = view->find;
	json_t *candidates = json_array(), *votes = json_array(), *foreign = json_array();
	json_t *unreadable = json_array(), *next = json_array();
	bool fits = true;

	for (size_t i = 0; i < f->count; i++)
		fits = json_array_append_new(candidates, candidate_json(view, &f->candidates[i])) == 0 && fits;
	for (size_t i = 0; i < f->vote_count; i++)
		fits = json_array_append_new(votes, vote_json(&f->votes[i])) == 0 && fits;
	for (size_t i = 0; i < f->foreign.count; i++)
		fits = json_array_append_new(foreign, foreign_json(&f->foreign.items[i])) == 0 && fits;
	for (size_t i = 0; i < f->unreadable_count; i++)
		fits = json_array_append_new(unreadable, json_pack("{s:I,s:I}", "offset", number(f->unreadable[i].offset_bytes),
								   "length", number(f->unreadable[i].length_bytes))) == 0 && fits;
	for (size_t i = 0; i < view->next_count; i++)
		fits = json_array_append_new(next, vk_json_text(view->next[i])) == 0 && fits;
	return set(root, "candidates", candidates) && set(root, "votes", votes) && set(root, "foreign", foreign) &&
	       set(root, "unreadable", unreadable) && set(root, "next", next) && fits;
}

static bool set_resumed(json_t *root, const struct vk_find_view *view)
{
	char date[64];
	struct vk_text text;

	vk_text_init(&text, date, sizeof(date));
	vk_text_time_s(&text, view->find->resumed_s);
	return set(root, "resumed_bytes", json_integer(number(view->find->resumed_bytes))) &&
	       set(root, "resumed_from", view->find->resumed_s != 0 ? vk_json_text(view->resume_path) : json_null()) &&
	       set(root, "resumed_date", view->find->resumed_s != 0 ? json_string(date) : json_null());
}

json_t *vk_report_find_json(const struct vk_find_view *view)
{
	const struct vk_source *s = view->source;
	const struct vk_find *f = view->find;
	bool agrees = vk_report_find_agrees(view);
	json_t *root = json_pack("{s:s,s:o,s:s,s:s?,s:I,s:I,s:s,s:o,s:b,s:b,s:{s:I,s:I},s:I,s:I,s:I}", "schema",
				 "vmfskit.find/1", "source", vk_json_text(s->path), "kind",
				 vk_source_kind_name(s->kind), "container",
				 s->container != NULL ? s->container->name : NULL, "size_bytes", number(s->size_bytes),
				 "sector_size", (json_int_t)s->sector_size, "table", vk_table_kind_name(s->table.kind),
				 "agrees",
				 agrees && !vk_report_find_has_table(s) ? json_null() : json_boolean(agrees), "likely_only", view->likely_only, "stopped", f->stopped,
				 "range", "start", number(view->range_start_bytes), "length", number(f->total_bytes),
				 "scanned_bytes", number(f->scanned_bytes), "holes_bytes", number(f->holes_bytes), "left_out",
				 (json_int_t)f->left_out);

	if (root != NULL && set_resumed(root, view) && fill_lists(root, view))
		return root;
	json_decref(root);
	return NULL;
}
