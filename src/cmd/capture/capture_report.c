/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of capture tells people. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "cli/words.h"
#include "cmd/capture/capture_run.h"
#include "report/report.h"

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
	char size[64];
	char saved[64];

	vk_cmd_size(capture->size_bytes, size);
	vk_cmd_size(vk_cmd_saved_bytes(capture), saved);
	fprintf(out, "%s, saved %s", size, saved);
	for (size_t i = 0; i < capture->identity_count; i++) {
		const struct vk_identity *id = &capture->identities[i];

		fprintf(out, "; partition %u: %s", id->partition,
			id->fs_label[0] != '\0' ? id->fs_label : "no label");
		if (id->disk_id[0] != '\0')
			fprintf(out, ", %s", id->disk_id);
	}
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

/* Of what is told every night only what asks for somebody. */
static void put_findings(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	const struct vk_report_style style = vk_report_style_for(out);
	struct vk_findings bad = {0};

	if (!run->quiet && !run->all) {
		vk_report_findings_text(out, &job->findings, NULL, &style);
		return;
	}
	for (size_t i = 0; i < job->findings.count; i++)
		if (vk_finding_kind(job->findings.items[i].code)->severity != VK_INFO)
			vk_findings_add(&bad, &job->findings.items[i]);
	vk_report_findings_text(out, &bad, NULL, &style);
	vk_findings_free(&bad);
}

static void put_decode(FILE *out, const struct capture_job *job)
{
	struct vk_command command;
	char *line;

	vk_command_begin(&command, "vmfskit decode");
	vk_command_path(&command, job->disk);
	line = vk_command_end(&command);
	fputs(line != NULL ? line : "", out);
	free(line);
}

/* A run over all disks, or a quiet one: only what is new, and what is wrong. */
static void put_news(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	if (!job->result.compared) {
		put_name(out, run, job);
		fprintf(out, ": new, captured as %s, ", job->result.id);
		put_capture(out, &job->capture);
		if (job->result.decode_findings > 0) {
			fprintf(out, "; %zu finding%s, see ", job->result.decode_findings,
				job->result.decode_findings == 1 ? "" : "s");
			put_decode(out, job);
		}
		fputc('\n', out);
	}
	put_changes(out, run, job);
	if (!vk_findings_bad(&job->findings))
		return;
	if (job->result.compared) {
		put_name(out, run, job);
		fprintf(out, ": captured as %s, with findings\n", job->result.id);
	}
	put_findings(out, run, job);
}

static void put_all(FILE *out, const struct capture_run *run, const struct capture_job *job)
{
	fprintf(out, "%s: %s, ", job->result.id, job->capture.source_path);
	put_capture(out, &job->capture);
	fputc('\n', out);
	put_changes(out, run, job);
	put_findings(out, run, job);
	if (job->result.decode_findings == 0)
		return;
	fprintf(out, "  note: %zu finding%s about this disk; to see %s: ", job->result.decode_findings,
		job->result.decode_findings == 1 ? "" : "s", job->result.decode_findings == 1 ? "it" : "them");
	put_decode(out, job);
	fputc('\n', out);
}

static void put_gones(FILE *out, const struct capture_run *run)
{
	for (size_t i = 0; i < run->gones.count; i++) {
		const struct vk_last_gone *gone = &run->gones.items[i];
		const char *slash = run->by_name ? strrchr(gone->path, '/') : NULL;

		fprintf(out, "%s: no longer seen, last captured %s\n",
			slash != NULL ? slash + 1 : gone->path, gone->time);
	}
}

static void put_part(FILE *out, size_t count, const char *what, const char **before)
{
	if (count == 0)
		return;
	fprintf(out, "%s%zu %s", *before, count, what);
	*before = ", ";
}

static void put_sums(FILE *out, const struct capture_run *run)
{
	const struct capture_sums *sums = &run->sums;
	const char *before = ": ";

	fprintf(out, "%zu LUN%s", run->count, run->count == 1 ? "" : "s");
	put_part(out, sums->unchanged, "unchanged", &before);
	put_part(out, sums->changed, "changed", &before);
	put_part(out, sums->new_ones, "new", &before);
	put_part(out, sums->bad, "with findings", &before);
	put_part(out, sums->failed, "not captured", &before);
	put_part(out, sums->skipped, "passed over", &before);
	put_part(out, run->gones.count, "no longer seen", &before);
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
	put_gones(out, run);
	if (run->all && !run->quiet && isatty(fileno(out)) == 1)
		put_sums(out, run);
}
