/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit import */
#include <stdlib.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/shared/sector_size.h"
#include "report/report.h"
#include "vmfskit/import.h"

enum { PLACES_MAX = 64 };

struct job {
	const char *disk;
	enum vk_status status;
	struct vk_error err;
	char id[VK_CAPTURE_ID_BYTES];
	char *path;
	struct vk_findings findings;
	struct vk_capture capture; /* as it was saved */
};

struct jobs {
	const char *store;
	struct vk_store *handle;
	struct vk_import *import;
	struct job *items;
	size_t count;
	size_t saved;
};

static void import_disk(struct jobs *jobs, size_t index, const struct vk_capture_options *options)
{
	struct job *job = &jobs->items[index];
	struct vk_finding_sink sink = vk_findings_sink(&job->findings);

	job->disk = vk_import_disk(jobs->import, index);
	job->status = vk_import_take(jobs->import, index, options, &sink, job->id, &job->err);
	if (job->status != VK_OK)
		return;
	jobs->saved++;
	if (asprintf(&job->path, "%s/%s", jobs->store, job->id) < 0) {
		job->path = NULL;
		job->status = vk_no_memory(&job->err, job->disk);
		return;
	}
	job->status = vk_capture_open("", job->path, &job->capture, &job->err);
}

static void print_job(const struct vk_cli_call *call, const struct job *job)
{
	const struct vk_report_style style = vk_report_style_for(call->out);
	const struct vk_capture *c = &job->capture;
	char size[64];
	char saved[64];

	vk_cmd_size(c->size_bytes, size);
	vk_cmd_size(vk_cmd_saved_bytes(c), saved);
	fprintf(call->out, "%s: %s, %s%s, taken %s%s%s, saved %s", job->id, c->source_path,
		c->size_uncertain ? "at least " : "", size, c->time, c->host[0] != '\0' ? " on " : "",
		c->host, saved);
	for (size_t i = 0; i < c->identity_count; i++) {
		const struct vk_identity *id = &c->identities[i];

		fprintf(call->out, "; partition %u: %s", id->partition,
			id->fs_label[0] != '\0' ? id->fs_label : "no label");
		if (id->disk_id[0] != '\0')
			fprintf(call->out, ", %s", id->disk_id);
	}
	fputc('\n', call->out);
	vk_report_findings_text(call->out, &job->findings, NULL, &style);
}

static json_t *job_json(const struct job *job)
{
	json_t *o = vk_cmd_capture_json(job->id, job->path, &job->capture);

	if (json_object_set_new(o, "size_certain", json_boolean(!job->capture.size_uncertain)) == 0 &&
	    json_object_set_new(o, "files", json_integer((json_int_t)job->capture.imported_count)) == 0)
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
		return json_pack("{s:s,s:s,s:o,s:o,s:o}", "schema", "vmfskit.import/1", "store",
				 jobs->store, "captures", captures, "errors", errors, "findings",
				 findings);
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

static int read_options(const struct vk_cli_call *call, struct vk_import_options *ret_options,
			uint64_t ret_places[PLACES_MAX])
{
	const char *as = vk_cli_value(call, "as");
	const char *size = vk_cli_value(call, "disk-size");
	const char *place;
	int code = vk_cmd_sector_size(call, &ret_options->sector_size);

	if (code != VK_EXIT_OK)
		return code;
	ret_options->disk = vk_cli_value(call, "disk");
	ret_options->host = vk_cli_value(call, "host");
	if (ret_options->disk != NULL && ret_options->disk[0] == '\0')
		return vk_cli_usage(call, "--disk needs a name");
	if (as != NULL && !vk_source_kind_parse(as, &ret_options->as))
		return vk_cli_usage(call, "--as is disk, partition, volume or header, not %s", as);
	if (size != NULL && (!vk_text_parse_size(size, &ret_options->disk_size_bytes) ||
			     ret_options->disk_size_bytes == 0 ||
			     ret_options->disk_size_bytes > INT64_MAX))
		return vk_cli_usage(call, "--disk-size is a size like 500G or 41943040s, not %s", size);
	while ((place = vk_cli_nth_value(call, "place", ret_options->place_count)) != NULL) {
		uint64_t *to = &ret_places[ret_options->place_count];

		if (ret_options->place_count == PLACES_MAX)
			return vk_cli_usage(call, "--place may be given %d times", PLACES_MAX);
		if (!vk_text_parse_size(place, to) || *to > INT64_MAX)
			return vk_cli_usage(call, "--place is a number of bytes, or of sectors like 2048s, not %s", place);
		ret_options->place_count++;
	}
	ret_options->places = ret_places;
	return VK_EXIT_OK;
}

/* One after the other: they share the files that they come from. */
static int import_all(struct vk_cli_call *call, struct jobs *jobs)
{
	struct vk_capture_shared *shared = vk_capture_shared_new();
	const struct vk_capture_options options = {.store = jobs->handle, .shared = shared};
	struct vk_error err;
	int code;

	jobs->count = vk_import_count(jobs->import);
	jobs->items = calloc(jobs->count, sizeof(*jobs->items));
	if (jobs->items == NULL) {
		vk_capture_shared_free(shared);
		vk_error_set(&err, VK_NOMEM, NULL, "no memory for %zu disks", jobs->count);
		return vk_cli_fail(call, &err);
	}
	for (size_t i = 0; i < jobs->count; i++)
		import_disk(jobs, i, &options);
	vk_capture_shared_free(shared);
	code = report(call, jobs);
	for (size_t i = 0; i < jobs->count; i++) {
		free(jobs->items[i].path);
		vk_findings_free(&jobs->items[i].findings);
		vk_capture_close(&jobs->items[i].capture);
	}
	free(jobs->items);
	return code;
}

static int run(struct vk_cli_call *call)
{
	struct jobs jobs = {.store = vk_cmd_store(call)};
	struct vk_findings left = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&left);
	const struct vk_report_style style = vk_report_style_for(call->err);
	struct vk_store_options use = {.use = VK_STORE_RUN, .command = call->command, .sink = &sink};
	struct vk_import_options options = {.disk = NULL};
	struct vk_sign_key *key = NULL;
	uint64_t places[PLACES_MAX];
	struct vk_error err;
	int code = read_options(call, &options, places);
	int anchored = VK_EXIT_OK;

	if (code == VK_EXIT_OK)
		code = vk_cmd_sign_key(call, &key);
	if (code == VK_EXIT_OK)
		code = vk_cmd_anchor_check(call, jobs.store, true);
	if (code != VK_EXIT_OK) {
		vk_sign_key_close(key);
		return code;
	}
	use.sign_key = key;
	if (vk_import_open((const char *const *)call->arguments, call->argument_count, &options,
			   &jobs.import, &err) != VK_OK ||
	    vk_store_open(jobs.store, &use, &jobs.handle, &err) != VK_OK) {
		code = vk_cli_fail(call, &err);
	} else {
		vk_report_findings_text(call->err, &left, NULL, &style);
		code = import_all(call, &jobs);
		if (left.count > 0 && code == VK_EXIT_OK)
			code = VK_EXIT_FINDINGS;
		anchored = vk_cmd_anchor(call, jobs.handle, jobs.saved, "saved");
	}
	vk_store_close(jobs.handle);
	vk_import_close(jobs.import);
	vk_sign_key_close(key);
	vk_findings_free(&left);
	return anchored > code ? anchored : code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "disk",
	 .argument = "NAME",
	 .help = "the disk that all dumps are of, which then make one capture; of a collection only this disk"},
	{.name = "host", .argument = "NAME", .help = "the host whose disks they were, where the collection does not tell"},
	{.name = "disk-size",
	 .argument = "SIZE",
	 .help = "how long the disk was (500G, 41943040s), where nothing tells"},
	{.name = "place",
	 .argument = "OFFSET",
	 .help = "where a dump begins on its disk, in bytes or in sectors (2048s); given several times, for one dump "
		 "after the other"},
	{.name = "as",
	 .argument = "KIND",
	 .help = "what the dumps are, where their bytes do not tell",
	 .choices = "disk partition volume header"},
	VK_SECTOR_SIZE_OPTION,
	VK_SIGN_KEY_OPTION,
	VK_ANCHOR_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"ssh esx1 sh -s <vmfskit-collect.sh >esx1.tar; vmfskit import esx1.tar", "all disks of an ESXi host"},
	{"vmfskit import vmfs-header-backup-sda.hex vmfs-metadata-sda-vh.sf.bu",
	 "what the script of 2009 saved, as one capture"},
	{"vmfskit import --disk lun7 --place 0 table.dd --place 2048s part.dd", "two dumps of one disk"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_import = {
	.name = "import",
	.arguments = "SOURCE...",
	.purpose = "make captures of what was saved where vmfskit cannot run",
	.description =
		"Each SOURCE is a folder or tar that vmfskit-collect.sh wrote, a dump made with dd (of the start "
		"of a disk or of a partition), a file of the script of 2009 (vmfs-header-backup-NAME.hex, the first 2 MiB of "
		"disk NAME; vmfs-metadata-NAME-vh.sf.bu, its .vh.sf), a hexdump -C listing or a VMFSIMG image; - is standard "
		"input. Sources are only read.\n\n"
		"The captures are what vmfskit capture would have made of the disk itself, as far as its bytes are there. "
		"What is not there is never taken for zeros: it is on record in the capture, printed as capture.not-held, and "
		"restore does not write it. The capture carries the time when the bytes were read (of a dump: when "
		"its file was last changed), the host that they come from, and names and digests of all files that it was made "
		"of.\n\n"
		"How long the disk was must be known to put a capture back safely. Where neither collector nor --disk-size "
		"tells, the capture records the least that its tables prove; restore then accepts a longer disk and says "
		"so.\n\n"
		"The exit code is 1 when a capture lacks something, 4 when a disk could not be imported because a file is "
		"missing; the others are imported all the same.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run,
};
