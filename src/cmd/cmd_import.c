/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit import */
#include <stdlib.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "report/report.h"
#include "base/shown.h"
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

struct run {
	struct vk_cmd cmd;
	struct vk_import_options options;
	uint64_t places[PLACES_MAX];
	struct vk_import *import;
	struct job *jobs;
	size_t count;
	size_t saved;
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->cmd;
	struct vk_import_options *o = &run->options;
	const char *size = vk_cli_value(cmd->call, "disk-size");
	const char *place;

	o->disk = vk_cli_value(cmd->call, "disk");
	o->host = vk_cli_value(cmd->call, "host");
	o->places = run->places;
	if (!vk_cmd_read_how(cmd, &o->sector_size, &o->view) || !vk_cmd_read_kind(cmd, &o->as))
		return false;
	if (o->disk != NULL && o->disk[0] == '\0')
		return vk_cmd_usage(cmd, "--disk needs a name");
	if (size != NULL && (!vk_text_parse_size(size, &o->disk_size_bytes) || o->disk_size_bytes == 0 ||
			     o->disk_size_bytes > INT64_MAX))
		return vk_cmd_usage(cmd, "--disk-size is a size like 500G or 41943040s, not %s", size);
	for (; (place = vk_cli_nth_value(cmd->call, "place", o->place_count)) != NULL; o->place_count++) {
		uint64_t *to = &run->places[o->place_count];

		if (o->place_count == PLACES_MAX)
			return vk_cmd_usage(cmd, "--place may be given %d times", PLACES_MAX);
		if (!vk_text_parse_size(place, to) || *to > INT64_MAX)
			return vk_cmd_usage(cmd, "--place is a number of bytes, or of sectors like 2048s, not %s",
					    place);
	}
	if (o->view.mapfile != NULL && vk_io_split_count((const char *const *)cmd->call->arguments,
							 cmd->call->argument_count) < cmd->call->argument_count)
		return vk_cmd_usage(cmd, "--mapfile is of one image: name it alone");
	return vk_cmd_open_sign_key(cmd) && vk_cmd_check_anchor(cmd, true);
}

static void import_disk(struct run *run, size_t index, const struct vk_capture_options *options)
{
	struct job *job = &run->jobs[index];
	struct vk_finding_sink sink = vk_findings_sink(&job->findings);

	job->disk = vk_import_disk(run->import, index);
	job->status = vk_import_take(run->import, index, options, &sink, job->id, &job->err);
	if (job->status == VK_OK) {
		run->saved++;
		if (asprintf(&job->path, "%s/%s", vk_store_path(run->cmd.store), job->id) < 0) {
			job->path = NULL;
			job->status = vk_no_memory(&job->err, job->disk);
		} else {
			job->status = vk_capture_open("", job->path, &job->capture, &job->err);
		}
	}
	if (job->status != VK_OK)
		vk_cmd_fail(&run->cmd, &job->err);
	else
		vk_cmd_judge_findings(&run->cmd, &job->findings);
}

/* One disk after the other: they share the files that they come from. */
static bool import_all(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->cmd;
	struct vk_capture_options options = {.store = NULL};
	struct vk_error err;

	if (vk_import_open((const char *const *)cmd->call->arguments, cmd->call->argument_count, &run->options,
			   &run->import, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	if (!vk_cmd_open_store(cmd, VK_STORE_RUN, false))
		return false;
	vk_cmd_report_store_findings(cmd);
	run->jobs = calloc(vk_import_count(run->import), sizeof(*run->jobs));
	if (run->jobs == NULL)
		return vk_cmd_no_memory(cmd);
	run->count = vk_import_count(run->import);
	options.store = cmd->store;
	for (size_t i = 0; i < run->count; i++)
		import_disk(run, i, &options);
	return true;
}

static void print_job(const struct vk_cli_call *call, const struct job *job)
{
	const struct vk_report_style style = vk_report_style_for(call->out);
	const struct vk_capture *c = &job->capture;
	char view[1024];
	struct vk_text text = vk_text_in(view, sizeof(view));

	vk_capture_put_view(c, &text);
	fprintf(call->out, "%s: %s, %s%s, taken %s%s%s, ", job->id, c->source_path,
		c->size_uncertain ? "at least " : "", vk_shown_size_short(c->size_bytes).text, c->time,
		c->host[0] != '\0' ? " on " : "", c->host);
	vk_cmd_show_saved(call->out, c);
	fputc('\n', call->out);
	if (view[0] != '\0')
		fprintf(call->out, "  read as   %s\n", view);
	vk_report_findings_text(call->out, &job->findings, NULL, &style);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;

	for (size_t i = 0; i < run->count; i++)
		if (run->jobs[i].status == VK_OK)
			print_job(run->cmd.call, &run->jobs[i]);
}

static json_t *job_json(const struct job *job)
{
	struct vk_json o = vk_cmd_capture_json(job->id, job->path, &job->capture);
	char view[1024];
	struct vk_text text = vk_text_in(view, sizeof(view));

	vk_capture_put_view(&job->capture, &text);
	VK_JSON_SET(&o, VK_KEY("size_certain", vk_json_bool(!job->capture.size_uncertain)),
		    VK_KEY("files", job->capture.imported_count), VK_KEY("read_as", view[0] != '\0' ? view : NULL));
	return vk_json_end(&o);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *captures = json_array();
	json_t *errors = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct job *job = &run->jobs[i];

		if (job->status != VK_OK) {
			vk_json_append(errors, vk_cmd_error_json(job->disk, &job->err), root);
			continue;
		}
		vk_json_append(captures, job_json(job), root);
		vk_cmd_findings_json(findings, job->disk, &job->findings, root);
	}
	VK_JSON_SET(root, VK_KEY("store", vk_store_path(run->cmd.store)), VK_KEY("captures", captures),
		    VK_KEY("errors", errors), VK_KEY("findings", findings));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	if (run->cmd.store != NULL)
		vk_cmd_keep_anchor(&run->cmd, run->saved, "saved");
	for (size_t i = 0; i < run->count; i++) {
		free(run->jobs[i].path);
		vk_findings_free(&run->jobs[i].findings);
		vk_capture_close(&run->jobs[i].capture);
	}
	free(run->jobs);
	vk_import_close(run->import);
}

VK_CMD_VERB(run_import, struct run, "vmfskit.import/1", read_options, import_all, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "disk",
	 .argument = "NAME",
	 .help = "name of the disk: all dumps are of it and make one capture; of a collection import only this disk"},
	{.name = "host",
	 .argument = "NAME",
	 .help = "the host of the disks, if the collection does not say it"},
	{.name = "disk-size",
	 .argument = "SIZE",
	 .help = "length of the disk (500G, 41943040s), if nothing shows it"},
	{.name = "place",
	 .argument = "OFFSET",
	 .help = "where a dump begins on its disk, in bytes or in sectors (2048s); may be given once for each dump, in "
		 "their order"},
	{.name = "as",
	 .argument = "KIND",
	 .help = "what the dumps are, if their bytes do not show it",
	 .choices = "disk partition volume header"},
	VK_HOW_OPTIONS,
	VK_SIGN_KEY_OPTION,
	VK_ANCHOR_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"ssh esx1 sh -s <vmfskit-collect.sh >esx1.tar; vmfskit import esx1.tar", "all disks of an ESXi host"},
	{"vmfskit import vmfs-header-backup-sda.hex vmfs-metadata-sda-vh.sf.bu",
	 "what the script of 2009 saved, as one capture"},
	{"vmfskit import --at 1M member.img", "the disk that begins there in the image of something else"},
	{"vmfskit import --disk lun7 --place 0 table.dd --place 2048s part.dd", "two dumps of one disk"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_import = {
	.name = "import",
	.arguments = "SOURCE...",
	.purpose = "make captures from files that were saved where vmfskit cannot run",
	.description =
		"Makes captures from SOURCEs that were saved without vmfskit. Each SOURCE is one of these: a folder "
		"or tar that vmfskit-collect.sh wrote; a dump made with dd (of the start of a disk or of a "
		"partition); a file of the script of 2009 (vmfs-header-backup-NAME.hex, the first 2 MiB of disk NAME; "
		"vmfs-metadata-NAME-vh.sf.bu, its .vh.sf); a text with listings; a VMFSIMG image. - is standard "
		"input. Sources are only read. A text with listings of several disks makes a capture of each; "
		"FILE#NAME names one of them. The pieces of a split dump (.001, .002, ...; .aa, .ab, ...), named one "
		"after the other, are one SOURCE.\n\n"
		"A dump may hold the whole disk inside something else (a member of a mirror, a physical volume, a "
		"partition), or come from a drive with longer sectors. The disk in it is then imported. --mapfile, "
		"--stride and --at are applied in this order. The capture holds the bytes at their places on that "
		"disk and records how they were read. It is restored to that disk, never to the source of the "
		"dump.\n\n"
		"The captures are the same that vmfskit capture would have made of the disk, as far as its bytes are "
		"in the SOURCE. Missing bytes are never treated as zeros: they are recorded in the capture and "
		"printed as capture.not-held, and restore does not write them. The capture records when the bytes "
		"were read (of a dump: when its file was last changed), from which host, and the names and digests of "
		"all files that it was made of.\n\n"
		"A safe restore needs the length of the disk. If neither the collector nor --disk-size gives it, the "
		"capture records the least length that its tables prove. restore then accepts a longer disk and says "
		"so.\n\n"
		"The exit code is 1 when a capture lacks something, and 4 when a disk could not be imported because a "
		"file is missing; the others are still imported.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_import,
};
