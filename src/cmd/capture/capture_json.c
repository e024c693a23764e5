/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of capture tells scripts. */
#include "cmd/capture/capture_run.h"

static json_t *paths_json(const char *const *paths, struct vk_json *owner)
{
	json_t *array = json_array();

	for (; paths != NULL && *paths != NULL; paths++)
		vk_json_append(array, vk_json_text(*paths), owner);
	return array;
}

static json_t *job_json(const struct capture_job *job)
{
	struct vk_json o = vk_cmd_capture_json(job->result.id, job->path, &job->capture);
	json_t *changes = json_array();

	for (size_t i = 0; i < job->change_count; i++)
		vk_json_append(changes, vk_cmd_change_json(&job->changes[i], false), &o);
	vk_json_set_number(&o, "decode_findings", job->result.decode_findings);
	vk_json_set(&o, "other_paths", paths_json(job->other_paths, &o));
	vk_json_set_text(&o, "previous", job->result.compared ? job->previous : NULL);
	vk_json_set_bool(&o, "unchanged", job->result.compared && !vk_capture_is_changed(job));
	vk_json_set(&o, "changes", changes);
	return vk_json_end(&o);
}

static json_t *skipped_json(const struct capture_job *job)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "disk", job->disk);
	vk_json_set_text(&o, "why", job->result.err.what);
	return vk_json_end(&o);
}

static json_t *gone_json(const struct vk_last_gone *gone)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "disk", gone->path);
	vk_json_set_text(&o, "last", gone->id);
	vk_json_set_text(&o, "time", gone->time);
	return vk_json_end(&o);
}

static json_t *sums_json(const struct capture_run *run)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_number(&o, "disks", run->count);
	vk_json_set_number(&o, "unchanged", run->sums.unchanged);
	vk_json_set_number(&o, "changed", run->sums.changed);
	vk_json_set_number(&o, "new", run->sums.new_ones);
	vk_json_set_number(&o, "failed", run->sums.failed);
	vk_json_set_number(&o, "skipped", run->sums.skipped);
	vk_json_set_number(&o, "gone", run->gones.count);
	return vk_json_end(&o);
}

void vk_capture_put_json(const void *ctx, struct vk_json *root)
{
	const struct capture_run *run = ctx;
	json_t *captures = json_array();
	json_t *errors = json_array();
	json_t *skipped = json_array();
	json_t *gone = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];

		if (job->result.skipped) {
			vk_json_append(skipped, skipped_json(job), root);
		} else if (job->result.status != VK_OK) {
			vk_json_append(errors, vk_cmd_error_json(job->disk, &job->result.err), root);
		} else {
			vk_json_append(captures, job_json(job), root);
			vk_cmd_findings_json(findings, job->disk, &job->findings, root);
		}
	}
	for (size_t i = 0; i < run->gones.count; i++)
		vk_json_append(gone, gone_json(&run->gones.items[i]), root);
	vk_json_set_text(root, "store", vk_cmd_store(run->cmd.call));
	vk_json_set(root, "captures", captures);
	vk_json_set(root, "errors", errors);
	vk_json_set(root, "skipped", skipped);
	vk_json_set(root, "gone", gone);
	vk_json_set(root, "summary", sums_json(run));
	vk_json_set(root, "findings", findings);
}
