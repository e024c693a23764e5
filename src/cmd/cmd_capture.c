/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit capture */
#include <stdlib.h>

#include "cmd/captures.h"
#include "cmd/sector_size.h"
#include "report/report.h"

struct job {
	const char *disk;
	enum vk_status status;
	struct vk_error err;
	char id[VK_CAPTURE_ID_BYTES];
	char *path;
	struct vk_findings findings;
	struct vk_capture capture; /* as it was saved */
	size_t decode_findings;    /* warnings and errors that decode has for the disk */
};

struct jobs {
	struct vk_source_options source;
	struct vk_capture_options capture;
	const char *store;
	struct job *items;
	size_t count;
};

static size_t count_bad(const struct vk_findings *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += vk_finding_kind(findings->items[i].code)->severity != VK_INFO;
	return count;
}

/* One disk; nothing in it touches another job. */
static void capture_disk(void *ctx, size_t index)
{
	struct jobs *jobs = ctx;
	struct job *job = &jobs->items[index];
	struct vk_finding_sink sink = vk_findings_sink(&job->findings);
	struct vk_source source;

	job->status = vk_source_open(job->disk, &jobs->source, &source, &job->err);
	if (job->status != VK_OK)
		return;
	job->decode_findings = count_bad(&source.findings);
	job->status = vk_capture_take(&source, &jobs->capture, &sink, job->id, &job->err);
	vk_source_close(&source);
	if (job->status != VK_OK)
		return;
	if (asprintf(&job->path, "%s/%s", jobs->store, job->id) < 0) {
		job->path = NULL;
		job->status = vk_error_set(&job->err, VK_NOMEM, job->disk, "no memory for a path");
		return;
	}
	job->status = vk_capture_open("", job->path, &job->capture, &job->err);
}

static void print_job(const struct vk_cli_call *call, const struct job *job)
{
	const struct vk_report_style style = vk_report_style_for(call->out);
	char size[64];
	char saved[64];

	vk_cmd_size(job->capture.size_bytes, size);
	vk_cmd_size(vk_cmd_saved_bytes(&job->capture), saved);
	fprintf(call->out, "%s: %s, %s, saved %s", job->id, job->capture.source_path, size, saved);
	for (size_t i = 0; i < job->capture.identity_count; i++) {
		const struct vk_identity *id = &job->capture.identities[i];

		fprintf(call->out, "; partition %u: %s", id->partition,
			id->fs_label[0] != '\0' ? id->fs_label : "no label");
		if (id->disk_id[0] != '\0')
			fprintf(call->out, ", %s", id->disk_id);
	}
	fputc('\n', call->out);
	vk_report_findings_text(call->out, &job->findings, NULL, &style);
	if (job->decode_findings > 0)
		fprintf(call->out, "  note: %zu finding%s about this disk; to see %s: vmfskit decode %s\n",
			job->decode_findings, job->decode_findings == 1 ? "" : "s",
			job->decode_findings == 1 ? "it" : "them", job->disk);
}

static json_t *job_json(const struct job *job)
{
	json_t *o = vk_cmd_capture_json(job->id, job->path, &job->capture);

	if (json_object_set_new(o, "decode_findings",
				json_integer((json_int_t)job->decode_findings)) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *jobs_json(const struct jobs *jobs)
{
	json_t *captures = json_array();
	json_t *errors = json_array();
	json_t *findings = json_array();
	bool ok = true;

	for (size_t i = 0; i < jobs->count && ok; i++) {
		const struct job *job = &jobs->items[i];

		if (job->status == VK_OK)
			ok = json_array_append_new(captures, job_json(job)) == 0 &&
			     vk_report_findings_json(findings, job->disk, &job->findings);
		else
			ok = json_array_append_new(
				     errors, json_pack("{s:s,s:s,s:s,s:s,s:s}", "disk", job->disk,
						       "status", vk_status_name(job->status), "what",
						       job->err.what, "where", job->err.where,
						       "remedy", job->err.remedy)) == 0;
	}
	if (ok)
		return json_pack("{s:s,s:s,s:o,s:o,s:o}", "schema", "vmfskit.capture/1", "store",
				 jobs->store, "captures", captures, "errors", errors,
				 "findings", findings);
	json_decref(captures);
	json_decref(errors);
	json_decref(findings);
	return NULL;
}

static int report(struct vk_cli_call *call, const struct jobs *jobs)
{
	bool json = vk_cli_flag(call, "json");
	int code = VK_EXIT_OK;

	for (size_t i = 0; i < jobs->count; i++) {
		const struct job *job = &jobs->items[i];
		int one = VK_EXIT_OK;

		if (job->status != VK_OK)
			one = vk_cli_fail(call, &job->err);
		else if (!json)
			print_job(call, job);
		if (job->status == VK_OK && vk_findings_bad(&job->findings))
			one = VK_EXIT_FINDINGS;
		code = one > code ? one : code;
	}
	return json ? vk_cmd_put_json(call, jobs_json(jobs), code) : code;
}

static int read_options(const struct vk_cli_call *call, struct jobs *jobs)
{
	const char *as = vk_cli_value(call, "as");
	int code = vk_cmd_sector_size(call, &jobs->source.sector_size);

	if (code != VK_EXIT_OK)
		return code;
	jobs->store = vk_cmd_store(call);
	jobs->capture.sector_size = jobs->source.sector_size;
	if (as != NULL && (!vk_source_kind_parse(as, &jobs->source.as) ||
			   (jobs->source.as != VK_SOURCE_DISK &&
			    jobs->source.as != VK_SOURCE_PARTITION)))
		return vk_cli_usage(call, "--as is disk or partition, not %s", as);
	return VK_EXIT_OK;
}

static int run(struct vk_cli_call *call)
{
	struct jobs jobs = {.count = call->argument_count};
	const struct vk_store_options use = {.use = VK_STORE_RUN, .command = call->command};
	struct vk_capture_shared *shared;
	struct vk_error opening;
	int code = read_options(call, &jobs);

	if (code != VK_EXIT_OK)
		return code;
	if (vk_store_open(jobs.store, &use, &jobs.capture.store, &opening) != VK_OK)
		return vk_cli_fail(call, &opening);
	jobs.items = calloc(jobs.count, sizeof(*jobs.items));
	if (jobs.items == NULL) {
		struct vk_error err;

		vk_error_set(&err, VK_NOMEM, NULL, "no memory for %zu disks", jobs.count);
		vk_store_close(jobs.capture.store);
		return vk_cli_fail(call, &err);
	}
	for (size_t i = 0; i < jobs.count; i++)
		jobs.items[i].disk = call->arguments[i];
	shared = vk_capture_shared_new();
	jobs.capture.shared = shared;
	vk_cmd_spread(jobs.count, capture_disk, &jobs);
	vk_capture_shared_free(shared);
	code = report(call, &jobs);
	for (size_t i = 0; i < jobs.count; i++) {
		free(jobs.items[i].path);
		vk_findings_free(&jobs.items[i].findings);
		vk_capture_close(&jobs.items[i].capture);
	}
	free(jobs.items);
	vk_store_close(jobs.capture.store);
	return code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "as",
	 .argument = "KIND",
	 .help = "what each DISK is, where its bytes do not tell",
	 .choices = "disk partition"},
	VK_SECTOR_SIZE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit capture /dev/sdb /dev/sdc", "save what would be needed to bring two disks back"},
	{"vmfskit capture --store /mnt/usb/vmfs disk.img", "the same of a disk in a file, into another store"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_capture = {
	.name = "capture",
	.arguments = "DISK...",
	.purpose = "save what is needed to bring partition table and VMFS headers back",
	.description =
		"Saves of each DISK (a device, or a file with a whole disk or partition in it) the partition "
		"table with all its copies and, of each VMFS partition, the LVM region, the volume header "
		"(.vh.sf) and the heartbeats, about 21 MiB in sparse files. The disk is only read.\n\n"
		"A capture is a folder of the store that can be used with nothing but dd and sha256sum: "
		"RESTORE.txt in it has the lines. It appears under its name only when it is whole and on "
		"disk.\n\n"
		"What was saved is read back to make sure that it contains what it is for. Where it does "
		"not (no LVM header where one should be), where the disk could not be read, or where there is "
		"no VMFS partition at all, that is printed and the exit code is 1; the capture is kept. The exit "
		"code is 4 when a disk could not be captured; the others are captured all the same.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run,
};
