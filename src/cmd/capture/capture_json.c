/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of capture tells scripts. */
#include <string.h>

#include "cmd/capture/capture_jobs.h"
#include "report/report.h"

/* Takes ownership of value, as all of these; false when memory ran out. */
static bool put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static json_t *paths_json(const char *const *paths)
{
	json_t *array = json_array();

	for (; paths != NULL && *paths != NULL; paths++) {
		char text[4096];
		struct vk_text clean;

		vk_text_init(&clean, text, sizeof(text));
		vk_text_label(&clean, (const uint8_t *)*paths, strlen(*paths));
		if (json_array_append_new(array, json_string(text)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *changes_json(const struct capture_job *job)
{
	json_t *array = json_array();

	for (size_t i = 0; i < job->change_count; i++) {
		const struct vk_change *c = &job->changes[i];
		json_t *o = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "partition",
				      (json_int_t)c->partition, "subject", c->subject, "field",
				      c->field, "before", c->before, "after", c->after, "message",
				      c->message);

		if (json_array_append_new(array, o) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *job_json(const struct capture_job *job)
{
	json_t *o = vk_cmd_capture_json(job->id, job->path, &job->capture);

	if (put(o, "decode_findings", json_integer((json_int_t)job->decode_findings)) &&
	    put(o, "other_paths", paths_json(job->other_paths)) &&
	    put(o, "previous", job->compared ? json_string(job->previous) : json_null()) &&
	    put(o, "unchanged", json_boolean(job->compared && job->change_count + job->changes_dropped == 0)) &&
	    put(o, "changes", changes_json(job)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *error_json(const char *disk, const struct vk_error *err)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "disk", disk, "status",
			 vk_status_name(err->status), "what", err->what, "where", err->where,
			 "remedy", err->remedy);
}

struct lists {
	json_t *captures;
	json_t *errors;
	json_t *skipped;
	json_t *gone;
	json_t *findings;
	size_t unchanged;
	size_t changed;
	size_t new_ones;
};

static bool add_job(struct lists *l, const struct capture_run *run, const struct capture_job *job)
{
	struct vk_error stuck;

	if (vk_capture_gave_up(job)) {
		vk_capture_stuck_error(run, job, &stuck);
		return json_array_append_new(l->errors, error_json(job->shown, &stuck)) == 0;
	}
	if (job->skipped != NULL)
		return json_array_append_new(l->skipped, json_pack("{s:s,s:s}", "disk", job->shown, "why",
								   job->skipped)) == 0;
	if (job->status != VK_OK)
		return json_array_append_new(l->errors, error_json(job->shown, &job->err)) == 0;
	if (!job->compared)
		l->new_ones++;
	else if (job->change_count + job->changes_dropped > 0)
		l->changed++;
	else
		l->unchanged++;
	return json_array_append_new(l->captures, job_json(job)) == 0 &&
	       vk_report_findings_json(l->findings, job->shown, &job->findings);
}

static json_t *summary_json(const struct lists *l, const struct capture_run *run)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "disks", (json_int_t)run->count, "unchanged",
			 (json_int_t)l->unchanged, "changed", (json_int_t)l->changed, "new",
			 (json_int_t)l->new_ones, "failed", (json_int_t)json_array_size(l->errors),
			 "skipped", (json_int_t)json_array_size(l->skipped), "gone",
			 (json_int_t)run->gones.count);
}

json_t *vk_capture_run_json(const struct capture_run *run)
{
	struct lists l = {json_array(), json_array(), json_array(), json_array(), json_array(), 0, 0, 0};
	bool ok = true;

	for (size_t i = 0; i < run->count && ok; i++)
		ok = add_job(&l, run, &run->jobs[i]);
	for (size_t i = 0; i < run->gones.count && ok; i++) {
		const struct vk_last_gone *gone = &run->gones.items[i];

		ok = json_array_append_new(l.gone, json_pack("{s:s,s:s,s:s}", "disk", gone->path, "last",
							     gone->id, "time", gone->time)) == 0;
	}
	if (ok)
		return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "schema", "vmfskit.capture/1", "store",
				 run->store, "captures", l.captures, "errors", l.errors, "skipped",
				 l.skipped, "gone", l.gone, "summary", summary_json(&l, run), "findings",
				 l.findings);
	json_decref(l.captures);
	json_decref(l.errors);
	json_decref(l.skipped);
	json_decref(l.gone);
	json_decref(l.findings);
	return NULL;
}
