/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of a run of capture, and what is known of them before they are looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/capture/capture_run.h"
#include "scsi/lun_nodes.h"
#include "store/capture/taking.h"

static enum vk_status find_luns(struct capture_run *run, struct vk_error *err)
{
	const struct vk_cli_call *call = run->cmd.call;
	struct vk_luns_options options = {.dev_dir = vk_cli_value(call, "dev-dir")};
	enum vk_status status;

	run->include = vk_cli_values(call, "include");
	run->exclude = vk_cli_values(call, "exclude");
	if (run->include == NULL || run->exclude == NULL)
		return vk_no_memory(err, NULL);
	options.include = run->include;
	options.exclude = run->exclude;
	status = vk_luns_find(&options, &run->luns, &run->lun_count, err);
	run->by_name = options.dev_dir != NULL;
	run->count = run->lun_count;
	if (status != VK_OK || run->count > 0)
		return status;
	vk_error_set(err, VK_ABSENT, options.dev_dir, "not one disk was found");
	return vk_error_remedy(
		err, "look whether this host still sees its LUNs; if it should have none, do not run this here");
}

/* What is known of each disk before it is looked at. */
static void make_jobs(struct capture_run *run)
{
	size_t argument = 0, count = 0;

	for (; run->all ? count < run->count : argument < run->count; count++) {
		struct capture_job *job = &run->jobs[count];

		job->run = run;
		job->view = run->source.view;
		if (run->all) {
			const struct vk_lun *lun = &run->luns[count];

			job->disk = lun->path;
			job->other_paths = (const char *const *)lun->other_paths;
			job->wwid = lun->wwid;
			job->only_with_vmfs = lun->only_with_vmfs;
		} else {
			job->disk = vk_cmd_next_source(run->cmd.call, &argument, &job->view);
			job->wwid = run->facts[count].wwid;
		}
		vk_disk_facts_of_path(job->disk, &run->facts[count]);
	}
	run->count = count;
}

/* Where this run looks for disks, and which of them are meant; how it reports does not count. */
static void set_scope(struct capture_run *run)
{
	const char *folder = vk_cli_value(run->cmd.call, "dev-dir");
	struct vk_text text;

	run->scope_folder[0] = '\0';
	if (folder != NULL)
		vk_taking_path(folder, run->scope_folder, sizeof(run->scope_folder));
	text = vk_text_in(run->scope_words, sizeof(run->scope_words));
	vk_text_put(&text, run->vmfs_only ? "--vmfs-only" : "");
	for (size_t i = 0; run->include[i] != NULL; i++) {
		vk_text_put(&text, " --include ");
		vk_text_label(&text, (const uint8_t *)run->include[i], strlen(run->include[i]));
	}
	for (size_t i = 0; run->exclude[i] != NULL; i++) {
		vk_text_put(&text, " --exclude ");
		vk_text_label(&text, (const uint8_t *)run->exclude[i], strlen(run->exclude[i]));
	}
	run->scope = (struct vk_seen_scope){.folder = run->scope_folder, .words = run->scope_words};
}

/* The last capture of each disk, and what is not there any more. */
static enum vk_status find_previous(struct capture_run *run, struct vk_error *err)
{
	struct vk_last_disk *disks = calloc(run->count, sizeof(*disks));
	size_t kept = 0;
	enum vk_status status;

	if (disks == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < run->count; i++) {
		disks[i].path = run->jobs[i].disk;
		disks[i].other_paths = run->jobs[i].other_paths;
		disks[i].wwid = run->jobs[i].wwid;
		disks[i].facts = &run->facts[i];
	}
	status = vk_last_captures(run->capture.store, disks, run->count, err);
	for (size_t i = 0; status == VK_OK && i < run->count; i++)
		memcpy(run->jobs[i].previous, disks[i].id, sizeof(disks[i].id));
	if (status == VK_OK && run->all) {
		set_scope(run);
		/* that nobody can tell what the last run saw keeps nothing from being captured */
		if (vk_seen_gone(run->capture.store, &run->scope, disks, run->count, &run->gones, err) != VK_OK)
			vk_cmd_fail(&run->cmd, err);
	}
	/* what a changed configuration leaves out is not missing */
	for (size_t i = 0; i < run->gones.count; i++) {
		struct vk_capture *gone = &run->gones.captures[i];
		const bool in = run->include[0] == NULL || vk_luns_match(run->include, gone->source_path, gone->wwid);

		if (in && !vk_luns_match(run->exclude, gone->source_path, gone->wwid))
			run->gones.captures[kept++] = *gone;
		else
			vk_capture_close(gone);
	}
	run->gones.count = kept;
	free(disks);
	return status;
}

enum vk_status vk_capture_prepare(struct capture_run *run, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	run->count = run->cmd.call->argument_count;
	if (run->all)
		status = find_luns(run, err);
	if (status != VK_OK)
		return status;
	run->jobs = calloc(run->count, sizeof(*run->jobs));
	run->facts = calloc(run->count + 1, sizeof(*run->facts));
	if (run->jobs == NULL || run->facts == NULL)
		return vk_no_memory(err, NULL);
	make_jobs(run);
	return find_previous(run, err);
}

void vk_capture_run_free(struct capture_run *run)
{
	for (size_t i = 0; run->jobs != NULL && i < run->count; i++) {
		free(run->jobs[i].path);
		for (size_t k = 0; k < CAPTURE_INSIDE_MAX; k++)
			free(run->jobs[i].next[k]);
		free(run->jobs[i].changes);
		vk_findings_free(&run->jobs[i].findings);
		vk_capture_close(&run->jobs[i].capture);
	}
	free(run->jobs);
	free(run->facts);
	free(run->include);
	free(run->exclude);
	vk_luns_free(run->luns, run->lun_count);
	vk_gones_free(&run->gones);
}
