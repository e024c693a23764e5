/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of capture tells people, and scripts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/screen.h"
#include "cli/words.h"
#include "cmd/capture/capture_run.h"
#include "report/report.h"
#include "base/shown.h"

/* The name that a disk has in lines: of a folder of disks the last part of the path says enough. */
static void put_name(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	const char *slash = run->by_name ? strrchr(job->disk, '/') : NULL;

	vk_words_clean(out, slash != NULL ? slash + 1 : job->disk);
	if (slash == NULL && run->all && job->wwid[0] != '\0')
		fprintf(out, " (%s)", job->wwid);
}

static void put_capture(FILE *out, const struct vk_capture *capture)
{
	fprintf(out, "%s, ", vk_shown_size_short(capture->size_bytes).text);
	vk_cmd_show_saved(out, capture);
}

static void put_changes(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	for (size_t i = 0; i < job->change_count; i++) {
		put_name(out, run, job);
		fprintf(out, ": %s\n", job->changes[i].message);
	}
	if (job->result.changes_dropped == 0)
		return;
	put_name(out, run, job);
	fprintf(out, ": %zu more changes\n", job->result.changes_dropped);
}

static void put_command(FILE *out, const char *verb, const struct capture_job *job)
{
	struct vk_command command;
	char *line;

	vk_command_begin(&command, verb);
	vk_command_path(&command, job->disk);
	line = vk_command_end(&command);
	fputs(line != NULL ? line : "", out);
	free(line);
}

static bool is_of_lun(const struct vk_finding *f)
{
	return strncmp(vk_finding_kind(f->code)->code, "lunid.", 6) == 0;
}

/* A LUN under another name is no damage, and one line for a disk: vmfskit lunid tells the rest. */
static void put_lun(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	for (size_t i = 0; i < job->findings.count; i++) {
		const struct vk_finding *f = &job->findings.items[i];

		if (!is_of_lun(f))
			continue;
		put_name(out, run, job);
		fprintf(out, ": %s (%s; %s); next: ", f->message, f->seen, f->expected);
		put_command(out, "vmfskit lunid", job);
		fputc('\n', out);
		return;
	}
}

/* The others; of what is told every night only what asks for somebody. False: there is nothing bad. */
static bool gather_findings(const struct capture_run *run, const struct capture_job *job, struct vk_findings *ret_list)
{
	const bool brief = run->quiet || run->all;

	for (size_t i = 0; i < job->findings.count; i++) {
		const struct vk_finding *f = &job->findings.items[i];

		if (!is_of_lun(f) && (!brief || vk_finding_kind(f->code)->severity != VK_INFO))
			vk_findings_add(ret_list, f);
	}
	ret_list->dropped += job->findings.dropped;
	return vk_findings_bad(ret_list);
}

static void put_findings(FILE *out, struct vk_findings *list)
{
	const struct vk_report_style style = vk_report_style_for(out);

	vk_report_findings_text(out, list, NULL, &style);
	vk_findings_free(list);
}

/* A run over all disks, or a quiet one: only what is new, and what is wrong. */
static void put_news(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	struct vk_findings bad = {0};

	if (!job->result.compared) {
		put_name(out, run, job);
		fprintf(out, ": new, captured as %s, ", job->result.id);
		put_capture(out, &job->capture);
		if (job->result.decode_findings > 0) {
			fprintf(out, "; %zu finding%s, see ", job->result.decode_findings,
				job->result.decode_findings == 1 ? "" : "s");
			put_command(out, "vmfskit decode", job);
		}
		fputc('\n', out);
	}
	put_changes(out, run, job);
	put_lun(out, run, job);
	if (gather_findings(run, job, &bad) && job->result.compared) {
		put_name(out, run, job);
		fprintf(out, ": captured as %s, with findings\n", job->result.id);
	}
	put_findings(out, &bad);
}

static void put_maps(FILE *out, const struct vk_capture *c)
{
	for (size_t i = 0; i < c->map_count; i++)
		fprintf(out, "  files of partition %u: %" PRIu64 " in %" PRIu64 " runs, %s\n", c->maps[i].partition,
			c->maps[i].files, c->maps[i].runs, vk_shown_size_short(c->maps[i].length_bytes).text);
	for (size_t i = 0; i < c->metadata_count; i++)
		fprintf(out, "  metadata of partition %u: %s, packed %s\n", c->metadata[i].partition,
			vk_shown_size_short(c->metadata[i].held_bytes).text,
			vk_shown_size_short(c->metadata[i].length_bytes).text);
}

static void put_all(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	struct vk_findings list = {0};

	fprintf(out, "%s: %s, ", job->result.id, job->capture.source_path);
	put_capture(out, &job->capture);
	fputc('\n', out);
	put_maps(out, &job->capture);
	put_changes(out, run, job);
	put_lun(out, run, job);
	gather_findings(run, job, &list);
	put_findings(out, &list);
	if (job->result.decode_findings == 0)
		return;
	fprintf(out, "  note: %zu finding%s about this disk; to see %s: ", job->result.decode_findings,
		job->result.decode_findings == 1 ? "" : "s", job->result.decode_findings == 1 ? "it" : "them");
	put_command(out, "vmfskit decode", job);
	fputc('\n', out);
}

static void put_sums(FILE *out, const struct capture_run *run)
{
	const struct capture_sums *sums = &run->sums;
	const struct {
		size_t count;
		const char *what;
	} parts[] = {{sums->unchanged, "unchanged"},  {sums->changed, "changed"},     {sums->new_ones, "new"},
		     {sums->bad, "with findings"},    {sums->failed, "not captured"}, {sums->skipped, "passed over"},
		     {run->gones.count, "no longer seen"}};
	const char *before = ": ";

	fprintf(out, "%zu LUN%s", run->count, run->count == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].count == 0)
			continue;
		fprintf(out, "%s%zu %s", before, parts[i].count, parts[i].what);
		before = ", ";
	}
	fputc('\n', out);
}

void vk_capture_put_text(const void *ctx)
{
	const struct capture_run *run = ctx;
	FILE *out = run->cmd.call->out;

	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];

		if (job->result.status == VK_OK && (run->all || run->quiet))
			put_news(out, run, job);
		else if (job->result.status == VK_OK)
			put_all(out, run, job);
	}
	for (size_t i = 0; i < run->gones.count; i++) {
		const struct vk_capture *gone = &run->gones.captures[i];
		const char *slash = run->by_name ? strrchr(gone->source_path, '/') : NULL;

		fprintf(out, "%s: no longer seen, last captured %s\n", slash != NULL ? slash + 1 : gone->source_path,
			gone->time);
	}
	vk_capture_put_inside(out, run);
	if (run->all && !run->quiet && vk_screen_is_terminal(out))
		put_sums(out, run);
}

/* ---- for scripts: the contract is docs/json.md */

static json_t *job_json(const struct capture_job *job)
{
	struct vk_json o = vk_cmd_capture_json(job->result.id, job->path, &job->capture);
	json_t *changes = json_array(), *paths = json_array();
	const char *const *path = job->other_paths;

	for (; path != NULL && *path != NULL; path++)
		vk_json_append(paths, vk_json_text(*path), &o);
	for (size_t i = 0; i < job->change_count; i++)
		vk_json_append(changes, vk_cmd_change_json(&job->changes[i], false), &o);
	VK_JSON_SET(&o, VK_KEY("decode_findings", job->result.decode_findings), VK_KEY("other_paths", paths),
		    VK_KEY("files_at_most", VK_JSON_OBJECT(VK_KEY("map_bytes", job->result.most_map_bytes),
							   VK_KEY("metadata_bytes", job->result.most_metadata_bytes))),
		    VK_KEY("previous", job->result.compared ? job->previous : NULL),
		    VK_KEY("unchanged", vk_json_bool(job->result.compared && !vk_capture_is_changed(job))),
		    VK_KEY("changes", changes));
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
	struct vk_json sums = vk_json_begin();

	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];

		if (job->result.skipped) {
			struct vk_json o = vk_json_begin();

			VK_JSON_SET(&o, VK_KEY("disk", job->disk), VK_KEY("why", job->result.err.what));
			vk_json_append(skipped, vk_json_end(&o), root);
		} else if (job->result.status != VK_OK) {
			vk_json_append(errors, vk_cmd_error_json(job->disk, &job->result.err), root);
		} else {
			vk_json_append(captures, job_json(job), root);
			vk_cmd_findings_json(findings, job->disk, &job->findings, root);
		}
	}
	for (size_t i = 0; i < run->gones.count; i++) {
		const struct vk_capture *c = &run->gones.captures[i];
		struct vk_json o = vk_json_begin();

		VK_JSON_SET(&o, VK_KEY("disk", c->source_path), VK_KEY("last", c->id), VK_KEY("time", c->time));
		vk_json_append(gone, vk_json_end(&o), root);
	}
	VK_JSON_SET(&sums, VK_KEY("disks", run->count), VK_KEY("unchanged", run->sums.unchanged),
		    VK_KEY("changed", run->sums.changed), VK_KEY("new", run->sums.new_ones),
		    VK_KEY("failed", run->sums.failed), VK_KEY("skipped", run->sums.skipped),
		    VK_KEY("gone", run->gones.count));
	VK_JSON_SET(root, VK_KEY("store", vk_cmd_store(run->cmd.call)), VK_KEY("captures", captures),
		    VK_KEY("errors", errors), VK_KEY("skipped", skipped), VK_KEY("gone", gone),
		    VK_KEY("inside", vk_capture_inside_json(run, root)), VK_KEY("summary", vk_json_end(&sums)),
		    VK_KEY("findings", findings));
}
