/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of a run of capture, and what is known of them before they are looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/capture/capture_run.h"
#include "scsi/lun_nodes.h"

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
	for (size_t i = 0; i < run->count; i++) {
		struct capture_job *job = &run->jobs[i];

		job->run = run;
		if (run->all) {
			const struct vk_lun *lun = &run->luns[i];

			job->disk = lun->path;
			job->other_paths = (const char *const *)lun->other_paths;
			job->wwid = lun->wwid;
			job->only_with_vmfs = lun->only_with_vmfs;
		} else {
			job->disk = run->cmd.call->arguments[i];
			job->wwid = run->facts[i].wwid;
		}
		vk_disk_facts_of_path(job->disk, &run->facts[i]);
	}
}

enum { SCOPE_BYTES = 8192 };

/* The words of a command that say which disks a run looks for: how it reports does not count. */
static void scope_of(const char *const *command, char ret_scope[SCOPE_BYTES])
{
	static const char *const options[] = {"--vmfs-only", "--dev-dir", "--include", "--exclude", "--config"};
	enum { FLAGS = 1, COUNT = sizeof(options) / sizeof(options[0]) };
	bool is_value = false; /* the word before wants one */
	struct vk_text text;

	vk_text_init(&text, ret_scope, SCOPE_BYTES);
	/* it takes no value and stands anywhere */
	for (size_t i = 0; command[i] != NULL; i++)
		if (strcmp(command[i], "--all") == 0)
			vk_text_put(&text, ret_scope[0] == '\0' ? "--all\n" : "");
	for (; *command != NULL; command++) {
		const size_t len = strcspn(*command, "=");
		bool counts = is_value;
		size_t i = 0;

		while (!counts && i < COUNT &&
		       (strlen(options[i]) != len || strncmp(*command, options[i], len) != 0))
			i++;
		is_value = !counts && i >= FLAGS && i < COUNT && (*command)[len] == '\0';
		if (counts || i < COUNT)
			vk_text_fmt(&text, "%s\n", *command);
	}
}

/* Whether another run looked for the same disks as this one. */
static bool is_alike(const char *const *command, void *ctx)
{
	char scope[SCOPE_BYTES];

	scope_of(command, scope);
	return strcmp(scope, ctx) == 0;
}

/* What a changed configuration leaves out is not missing. */
static void drop_unwanted(struct capture_run *run)
{
	struct vk_last_gones *g = &run->gones;
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct vk_last_gone *gone = &g->items[i];
		bool in = run->include[0] == NULL || vk_luns_match(run->include, gone->path, gone->wwid);

		if (in && !vk_luns_match(run->exclude, gone->path, gone->wwid))
			g->items[kept++] = *gone;
		else
			free(gone->path);
	}
	g->count = kept;
}

static enum vk_status find_previous(struct capture_run *run, struct vk_error *err)
{
	struct vk_last_disk *disks = calloc(run->count, sizeof(*disks));
	char scope[SCOPE_BYTES];
	enum vk_status status;

	if (disks == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < run->count; i++) {
		disks[i].path = run->jobs[i].disk;
		disks[i].other_paths = run->jobs[i].other_paths;
		disks[i].wwid = run->jobs[i].wwid;
		disks[i].facts = &run->facts[i];
	}
	scope_of(run->cmd.call->command, scope);
	status = vk_last_captures(run->capture.store, disks, run->count, is_alike, scope, run->all ? &run->gones : NULL,
				  err);
	drop_unwanted(run);
	for (size_t i = 0; status == VK_OK && i < run->count; i++)
		memcpy(run->jobs[i].previous, disks[i].id, sizeof(disks[i].id));
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
		free(run->jobs[i].changes);
		vk_findings_free(&run->jobs[i].findings);
		vk_capture_close(&run->jobs[i].capture);
	}
	free(run->jobs);
	free(run->facts);
	free(run->include);
	free(run->exclude);
	vk_luns_free(run->luns, run->lun_count);
	vk_last_gones_free(&run->gones);
}
