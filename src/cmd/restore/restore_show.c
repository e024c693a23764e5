/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the plan of a restore or undo, and what became of it, to people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "cmd/restore/restore_run.h"
#include "report/report.h"
#include "base/shown.h"

enum { EDITS_SHOWN = 24, ALIKE_LEAST = 4, FINDINGS_SHOWN = 5 };

static void show_capture(const struct vk_restore_run *run)
{
	const struct vk_capture *capture = run->capture;
	FILE *out = run->cmd.call->out;

	fprintf(out, "capture  %s\n         taken %s of %s", capture->id, capture->time,
		vk_shown_name(capture->source_path).text);
	if (capture->host[0] != '\0')
		fprintf(out, " on %s", vk_shown_name(capture->host).text);
	if (capture->is_undo)
		fprintf(out, ", before %s was put back", capture->undo_of[0] != '\0' ? capture->undo_of : "a capture");
	fprintf(out, "%s\n         %s, sectors of %" PRIu32 " bytes, table %s\n",
		capture->is_rebuilt ? ", rebuilt by repair" : "",
		vk_shown_size_short(capture->size_bytes).text, capture->sector_size,
		vk_table_kind_name(capture->table_kind));
	for (size_t i = 0; i < capture->identity_count; i++) {
		const struct vk_identity *identity = &capture->identities[i];

		fprintf(out, "         partition %u at sector %" PRIu64 ": volume %s", identity->partition,
			identity->start_sector,
			identity->volume_uuid[0] != '\0' ? identity->volume_uuid : "not known");
		if (identity->fs_label[0] != '\0')
			fprintf(out, ", label %s", identity->fs_label);
		fputc('\n', out);
	}
}

void vk_restore_show_target(const struct vk_restore_run *run)
{
	const struct vk_source *before = vk_restore_before(run->restore);
	FILE *out = run->cmd.call->out;

	fprintf(out, "target   %s\n         %s, sectors of %" PRIu32 " bytes, table %s\n",
		vk_shown_name(run->target).text,
		vk_shown_size(before->size_bytes).text, before->sector_size, vk_table_kind_name(before->table.kind));
	if (!before->readings.items[0].repairable)
		vk_report_readings_text(out, before);
}

static void show_parts(const struct vk_restore_run *run)
{
	const struct vk_restore_choice *choices;
	size_t count = vk_restore_choices(run->restore, &choices);
	FILE *out = run->cmd.call->out;

	if (count == 0)
		fputs("parts    none\n", out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s%s", i == 0 ? "parts    " : "         ", vk_part_name(choices[i].part));
		if (choices[i].partition != 0)
			fprintf(out, " of partition %u", choices[i].partition);
		fprintf(out, ": %s\n", choices[i].why);
	}
}

static void show_partitions(FILE *out, const char *title, const struct vk_table *table)
{
	fprintf(out, "%s (%s)\n", title, vk_table_kind_name(table->kind));
	if (table->partition_count == 0)
		fputs("  no partitions\n", out);
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *partition = &table->partitions[i];
		char type[VK_GUID_TEXT_BYTES];
		const char *name;

		vk_partition_type(partition, type, &name);
		fprintf(out, "  %u: sectors %" PRIu64 " to %" PRIu64 ", %s (%s)\n", partition->number,
			partition->start_sector,
			partition->start_sector + partition->sectors - (partition->sectors > 0), name,
			type);
	}
}

static void show_tables(const struct vk_restore_run *run)
{
	const struct vk_source *before = vk_restore_before(run->restore);
	const struct vk_table *a = &before->table, *b = &vk_restore_after(run->restore)->table;
	bool same = a->kind == b->kind && a->partition_count == b->partition_count;

	for (size_t i = 0; same && i < a->partition_count; i++) {
		const struct vk_partition *x = &a->partitions[i], *y = &b->partitions[i];

		same = x->number == y->number && x->start_sector == y->start_sector && x->sectors == y->sectors &&
		       x->mbr_type == y->mbr_type && memcmp(&x->entry, &y->entry, sizeof(x->entry)) == 0;
	}
	if (same || before->kind != VK_SOURCE_DISK)
		return;
	show_partitions(run->cmd.call->out, "partitions before", a);
	show_partitions(run->cmd.call->out, "partitions after", b);
}

/* How many from the first on say the same of neighbouring sectors: heartbeat slots are hundreds. */
static size_t alike(const struct vk_edit *edits, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(edits[n].reason, edits[0].reason) == 0)
		n++;
	return n >= ALIKE_LEAST ? n : 1;
}

static void show_alike(const struct vk_restore_run *run, const struct vk_edit *edits, size_t count)
{
	const struct vk_edit *last = &edits[count - 1];
	uint32_t sector_size = vk_restore_before(run->restore)->sector_size;
	uint64_t end = last->offset_bytes + last->length_bytes - 1, bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += edits[i].length_bytes;
	fprintf(run->cmd.call->out,
		"  bytes %" PRIu64 " to %" PRIu64 " (sectors %" PRIu64 " to %" PRIu64 "), %zu ranges of %" PRIu64
		" bytes together: %s (--verbose shows each)\n",
		edits[0].offset_bytes, end, edits[0].offset_bytes / sector_size, end / sector_size, count, bytes,
		edits[0].reason);
}

static void show_edits(const struct vk_restore_run *run)
{
	const struct vk_edit *edits;
	size_t count = vk_restore_edits(run->restore, &edits);
	size_t lines = 0, same;
	uint32_t sector_size = vk_restore_before(run->restore)->sector_size;
	FILE *out = run->cmd.call->out;
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += edits[i].length_bytes;
	fprintf(out, "changes  %zu %s, %" PRIu64 " bytes\n", count, count == 1 ? "range" : "ranges",
		bytes);
	for (size_t i = 0; i < count; i += same, lines++) {
		same = run->verbose ? 1 : alike(&edits[i], count - i);
		if (lines == EDITS_SHOWN && !run->verbose) {
			fprintf(out, "  and %zu range%s more (--verbose shows all)\n", count - i,
				count - i == 1 ? "" : "s");
			break;
		}
		if (same > 1) {
			show_alike(run, &edits[i], same);
			continue;
		}
		fprintf(out, "  byte %" PRIu64 " (sector %" PRIu64 "), %zu bytes: %s\n",
			edits[i].offset_bytes, edits[i].offset_bytes / sector_size,
			edits[i].length_bytes, edits[i].reason);
		vk_restore_show_fields(run, &edits[i]);
	}
}

static bool is_new_error(const struct vk_restore_run *run, const struct vk_finding *finding)
{
	return vk_finding_kind(finding->code)->severity == VK_ERROR &&
	       !vk_findings_have(&vk_restore_before(run->restore)->findings, finding->code, finding->offset_bytes);
}

size_t vk_restore_new_errors(const struct vk_restore_run *run)
{
	const struct vk_findings *findings = &vk_restore_after(run->restore)->findings;
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += is_new_error(run, &findings->items[i]);
	return count;
}

/* The decoders' word on the target as it would be. */
static void show_result(const struct vk_restore_run *run)
{
	const struct vk_findings *findings = &vk_restore_after(run->restore)->findings;
	FILE *out = run->cmd.call->out;
	size_t errors = 0, fresh = vk_restore_new_errors(run);

	for (size_t i = 0; i < findings->count; i++)
		errors += vk_finding_kind(findings->items[i].code)->severity == VK_ERROR;
	if (errors == 0) {
		fputs("result   decoded with these changes, nothing on the target is in error\n", out);
		return;
	}
	fprintf(out, "result   decoded with these changes, %zu %s", errors, errors == 1 ? "error" : "errors");
	if (fresh == 0)
		fprintf(out, " %s left:\n", errors == 1 ? "is" : "are");
	else
		fprintf(out, ", %zu of them not there now:\n", fresh);
	errors = 0;
	for (size_t i = 0; i < findings->count; i++) {
		const struct vk_finding *finding = &findings->items[i];

		if (vk_finding_kind(finding->code)->severity != VK_ERROR)
			continue;
		if (++errors > FINDINGS_SHOWN && !run->verbose)
			continue;
		fprintf(out, "  %s%s at byte %" PRIu64 ": %s\n", is_new_error(run, finding) ? "new: " : "",
			vk_finding_kind(finding->code)->code,
			finding->offset_bytes, finding->message);
	}
	if (errors > FINDINGS_SHOWN && !run->verbose)
		fprintf(out, "  and %zu more (--verbose shows all)\n", errors - FINDINGS_SHOWN);
}

static void show_next(const struct vk_restore_run *run, const char *intro)
{
	char *command = vk_restore_next_command(run);

	if (command != NULL) {
		fprintf(run->cmd.call->out, "%s\n", intro);
		vk_screen_paste(run->cmd.call->out, "  %s\n", command);
	}
	free(command);
}

void vk_restore_show_outcome(const struct vk_restore_run *run)
{
	FILE *out = run->cmd.call->out;
	const char *note = vk_restore_note(run->restore);
	const struct vk_edit *edits;
	struct vk_error view;

	if (vk_restore_edits(run->restore, &edits) == 0)
		return;
	if (run->written) {
		fputs("written, flushed and read back\n", out);
		if (note[0] != '\0')
			fprintf(out, "note: %s\n", note);
		show_next(run, "to take this back:");
	} else if (run->undo_id[0] != '\0' && vk_restore_written_bytes(run->restore) == 0) {
		fputs("nothing was written; the undo capture is not needed\n", out);
	} else if (run->undo_id[0] != '\0') {
		fputs("the writing failed; what was overwritten is in the undo capture\n", out);
		show_next(run, "to go back to the state before:");
	} else if (!run->failed && vk_io_refuse_view(vk_restore_before(run->restore)->raw, &view) != VK_OK) {
		fprintf(out, "nothing was written, and cannot be: %s\n  what to do: %s\n", view.what, view.remedy);
	} else if (vk_restore_refused(run->restore)) {
		fputs("refused: nothing was written\n", out);
		if (vk_restore_may_be_lifted(run->restore))
			show_next(run, "first do what the guards say; to write at the risk that they name:");
	} else if (!run->failed) {
		show_next(run, "nothing was written; to do this:");
	}
}

void vk_restore_show_plan(const struct vk_restore_run *run)
{
	const struct vk_edit *edits;
	bool any = vk_restore_edits(run->restore, &edits) > 0;
	FILE *out = run->cmd.call->out;
	const char *remark;

	if (any) {
		show_edits(run);
		show_tables(run);
		show_result(run);
	} else {
		fputs(vk_restore_refused(run->restore)	? "refused: nothing was written\n"
		      : run->capture->memory == NULL
			      ? "nothing to change: the target already holds these bytes\n"
		      : vk_rebuilt_is_wipe(&run->capture->rebuilt)
			      ? "nothing to remove: nothing was written\n"
			      : "nothing to repair: nothing was written\n",
		      out);
	}
	for (size_t i = 0; (remark = vk_restore_remark(run->restore, i)) != NULL; i++)
		fprintf(out, "note     %s\n", remark);
	if (any)
		fprintf(out, "plan     %s\n", vk_restore_plan_digest(run->restore));
}

void vk_restore_show(const void *ctx)
{
	const struct vk_restore_run *run = ctx;

	show_capture(run);
	vk_restore_show_target(run);
	show_parts(run);
	vk_restore_show_plan(run);
	vk_restore_show_outcome(run);
}
