/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the plan of a repair to people: what is hurt, what each value rests on, what stays lost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "cmd/repair/repair_run.h"
#include "report/report_find.h"
#include "base/shown.h"

enum { FIELDS_SHOWN = 24 };

/* These texts hold labels and names of others. */
static void show_lines(FILE *out, const char *word, char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%-8s %s\n", word, vk_shown_name(lines[i]).text);
}

static void show_why(FILE *out, const char *why)
{
	fprintf(out, "%s%s\n", why[0] != '\0' ? ": " : "", vk_shown_name(why).text);
}

void vk_repair_show_sources(const struct vk_repair_run *run)
{
	FILE *out = run->plan.cmd.call->out;
	const struct vk_capture *known;
	const char *why;
	bool scanned = vk_repair_scanned(run->repair, &why);

	for (size_t i = 0; (known = vk_repair_known(run->repair, i)) != NULL; i++)
		fprintf(out, "%s%s, taken %s\n", i == 0 ? "asked    " : "         ", known->id, known->time);
	if (vk_repair_passed_over(run->repair) != NULL)
		fprintf(out, "not used %s: it is not vouched for (vmfskit verify says why)\n",
			vk_repair_passed_over(run->repair));
	fprintf(out, "searched %s: %s\n",
		!scanned      ? "the likely places"
		: run->header ? "all of the partition"
			      : "all of the disk",
		why);
	vk_report_find_resumed(out, vk_repair_find(run->repair), run->options.find.resume_path);
}

static void show_entry(FILE *out, const struct vk_rebuild_table *table, const struct vk_planned_entry *entry)
{
	const struct vk_partition *p = &entry->partition;
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	vk_partition_type(p, type, &name);
	fprintf(out, "  %u: sectors %" PRIu64 " to %" PRIu64 ", %s\n", p->number, p->start_sector,
		p->start_sector + p->sectors - (p->sectors > 0), name);
	fprintf(out, "      %s", vk_entry_origin_name(entry->origin));
	if (entry->bytes_exact)
		fputs(table->converted_from == 0 ? ", byte for byte" : ", the same bytes of the disk", out);
	else if (entry->stands)
		fputs(", as it stands", out);
	if (!entry->length_exact && !entry->length_rounded && !entry->stands && !vk_partition_is_extended(p))
		fputs(", its end is a guess", out);
	if (!entry->number_exact)
		fputs(", its number is new", out);
	if (entry->guid_fresh)
		fputs(", its unique GUID is new", out);
	show_why(out, entry->why);
}

const char *vk_repair_part_why(const struct vk_table_part_verdict *part)
{
	if (part->why[0] == '\0' && part->rewritten && part->state == VK_PART_STATE_SOUND)
		return "it is whole in itself, but does not agree with the planned table";
	return part->why;
}

static void show_table(const struct vk_repair_run *run)
{
	const struct vk_rebuild_table *table = vk_repair_table(run->repair);
	FILE *out = run->plan.cmd.call->out;

	fprintf(out, "table    %s", vk_table_kind_name(table->kind));
	show_why(out, table->why_kind);
	if (table->layout != NULL)
		fprintf(out, "         %s\n", table->layout);
	for (int i = 0; i < VK_TP_COUNT; i++) {
		const struct vk_table_part_verdict *part = &table->parts[i];

		if (part->state == VK_PART_STATE_UNUSED)
			continue;
		fprintf(out, "  %s: %s%s", vk_table_part_name((enum vk_table_part)i),
			vk_part_state_name(part->state), part->rewritten ? ", written anew" : "");
		show_why(out, vk_repair_part_why(part));
	}
	fputs("entries\n", out);
	for (size_t i = 0; i < table->entry_count; i++)
		show_entry(out, table, &table->entries[i]);
	if (table->kind == VK_TABLE_GPT && table->disk_guid_fresh)
		fputs("  the GUID of the disk is new\n", out);
	if (table->guessed)
		show_lines(out, "guess", table->doubts, table->doubt_count);
	show_lines(out, "lost", table->lost, table->lost_count);
	show_lines(out, "note", table->notes, table->note_count);
}

static void show_header(const struct vk_repair_run *run)
{
	const struct vk_rebuild_header *header = vk_repair_header(run->repair);
	size_t shown = run->plan.verbose || header->field_count < FIELDS_SHOWN ? header->field_count
										   : FIELDS_SHOWN;
	FILE *out = run->plan.cmd.call->out;

	fprintf(out, "headers  of the partition at sector %" PRIu64 "\n", vk_repair_start_sector(run->repair));
	for (int i = 0; i < VK_HS_COUNT; i++) {
		const struct vk_header_verdict *verdict = &header->verdicts[i];

		if (verdict->state == VK_STRUCTURE_NONE)
			continue;
		fprintf(out, "  %s: %s", vk_header_structure_name((enum vk_header_structure)i),
			vk_structure_state_name(verdict->state));
		show_why(out, verdict->why);
	}
	if (header->field_count > 0)
		fputs("fields\n", out);
	for (size_t i = 0; i < shown; i++) {
		const struct vk_rebuilt_field *field = &header->fields[i];

		fprintf(out, "  %s at 0x%" PRIx64, field->layout->name, field->structure_bytes);
		if (field->field != NULL)
			fprintf(out, ", %s", field->field->name);
		if (field->was[0] != '\0' || field->is[0] != '\0')
			fprintf(out, ": %s -> %s", vk_shown_name(field->was[0] != '\0' ? field->was : "?").text,
				vk_shown_name(field->is[0] != '\0' ? field->is : "?").text);
		fprintf(out, "\n      %s", vk_field_origin_name(field->origin));
		show_why(out, field->from);
	}
	if (shown < header->field_count)
		fprintf(out, "  and %zu more (--verbose shows all)\n", header->field_count - shown);
	show_lines(out, "lost", header->lost, header->lost_count);
	show_lines(out, "note", header->notes, header->note_count);
}

/* Only the person at the keyboard can know it. */
static void show_may_be(const struct vk_repair_run *run)
{
	const struct vk_cli_call *call = run->plan.cmd.call;
	const char *id = vk_repair_may_be(run->repair);
	struct vk_command command;
	char *line;

	if (id == NULL || !vk_restore_refused(run->plan.restore))
		return;
	vk_command_begin(&command, call->program->name);
	vk_command_add(&command, " %s", call->verb->name);
	vk_command_path(&command, call->arguments[0]);
	vk_cmd_put_source(&command, run->plan.target, &run->plan.options.view);
	vk_cmd_put_options(&command, call, run->plan.own_options);
	vk_command_add(&command, " --capture %s", id);
	line = vk_command_end(&command);
	fputs("a capture may be of this disk, and nothing on the disk shows it. If you know it, plan with it:\n",
	      call->out);
	if (line != NULL)
		vk_screen_paste(call->out, "  %s\n", line);
	free(line);
}

void vk_repair_show(const void *ctx)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_cli_call *call = run->plan.cmd.call;
	struct vk_error view;

	if (vk_cli_flag(call, "commands-only")) {
		const struct vk_rebuild_table *table = vk_repair_table(run->repair);

		if (vk_io_refuse_view(vk_restore_before(run->plan.restore)->raw, &view) != VK_OK)
			fprintf(call->out, "# no commands: %s\n# what to do: %s\n", view.what, view.remedy);
		/* who only sees the commands must know what is lost as well */
		for (size_t i = 0; run->has_commands && i < table->lost_count; i++)
			fprintf(call->out, "# lost: %s\n", vk_shown_name(table->lost[i]).text);
		if (run->has_commands)
			vk_table_commands_text(call->out, &run->commands);
		return;
	}
	vk_restore_show_target(&run->plan);
	vk_repair_show_sources(run);
	if (run->header)
		show_header(run);
	else
		show_table(run);
	if (run->capture_id[0] != '\0')
		fprintf(call->out, "capture  %s holds what was rebuilt\n", run->capture_id);
	vk_restore_show_plan(&run->plan);
	if (run->has_commands && !vk_repair_table(run->repair)->nothing_to_do && !vk_cli_flag(call, "write")) {
		fputs("\n# The same without vmfskit:\n", call->out);
		vk_table_commands_text(call->out, &run->commands);
		fputc('\n', call->out);
	}
	show_may_be(run);
	vk_restore_show_outcome(&run->plan);
}
