/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit repair table --check-line: a line of partedUtil before it is typed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/screen.h"
#include "cmd/repair/repair_run.h"
#include "base/shown.h"
#include "scsi/device_info.h"

enum { SENTENCE_BYTES = 700 };

/* The search looks where the line says that something begins; that it says so proves nothing of a length. */
static struct vk_find_hint *line_hints(const struct vk_setptbl *line)
{
	struct vk_find_hint *hints = calloc(line->count + 1, sizeof(*hints));

	for (size_t i = 0; hints != NULL && i < line->count; i++)
		hints[i] = (struct vk_find_hint){.start_sector = line->entries[i].first, .from = "the line"};
	return hints;
}

/* Why no line is told instead: there is no plan, or a guard that only its reason lifts refuses it. */
static bool why_not(const struct vk_repair *repair, char ret_why[SENTENCE_BYTES])
{
	const struct vk_error *none = vk_repair_no_plan(repair);
	const struct vk_objection *items;
	size_t count = none == NULL ? vk_restore_objections(vk_repair_restore(repair), &items) : 0;

	if (none != NULL)
		snprintf(ret_why, SENTENCE_BYTES, "%.400s", none->what);
	if (none != NULL || !vk_restore_refused(vk_repair_restore(repair)))
		return none != NULL;
	for (size_t i = 0; i < count; i++) {
		if (items[i].overridden || items[i].guard == VK_GUARD_GUESS || items[i].guard == VK_GUARD_UNREADABLE)
			continue;
		snprintf(ret_why, SENTENCE_BYTES, "Guard %s refuses the plan: %s", vk_guard_kind(items[i].guard)->name,
			 items[i].message);
		return true;
	}
	return false;
}

static enum vk_status compare_line(struct vk_repair_run *run, struct vk_error *err)
{
	struct vk_device_info device;
	char why[SENTENCE_BYTES];
	struct vk_line_case against = {.source = vk_repair_source(run->repair),
				       .find = vk_repair_find(run->repair),
				       .table = vk_repair_table(run->repair),
				       .live_name = device.wwid};

	vk_device_info_of_io(against.source->io, &device);
	if (why_not(run->repair, why))
		against.why_not = why;
	return vk_line_check(&against, &run->check, err);
}

bool vk_repair_check(void *ctx)
{
	struct vk_repair_run *run = ctx;
	struct vk_cmd *cmd = &run->plan.cmd;
	struct vk_error err;
	enum vk_status status;

	if (vk_setptbl_read(vk_cli_value(cmd->call, "check-line"), &run->check.line, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	run->options.find.hints = run->hints = line_hints(&run->check.line);
	if (run->hints == NULL)
		return vk_cmd_no_memory(cmd);
	run->options.survey = true;
	run->options.find.hint_count = run->plan.options.sector_size != 4096 ? run->check.line.count : 0;
	status = vk_repair_make_plan(run, &err);
	if (status == VK_OK)
		status = compare_line(run, &err);
	if (status != VK_OK)
		return vk_cmd_fail(cmd, &err);
	if (!run->check.sound)
		(void)vk_cmd_ok(cmd, VK_EXIT_FINDINGS);
	return true;
}

static void show_list(FILE *out, const char *word, char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-8s %s\n", word, vk_shown_name(lines[i]).text);
}

static void show_said(FILE *out, const struct vk_line_said *said)
{
	show_list(out, "wrong", said->wrong, said->wrong_count);
	show_list(out, "unknown", said->open, said->open_count);
	show_list(out, "right", said->right, said->right_count);
}

void vk_repair_check_show(const void *ctx)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_line_check *check = &run->check;
	FILE *out = run->plan.cmd.call->out;

	fprintf(out, "target   %s\n", vk_shown_name(run->plan.target).text);
	vk_repair_show_sources(run);
	fputs("the line as a whole\n", out);
	show_said(out, &check->whole);
	for (size_t i = 0; i < check->line.count; i++) {
		fprintf(out, "entry    %s\n", check->line.entries[i].text);
		show_said(out, &check->said[i]);
		if (check->instead[i][0] != '\0')
			fprintf(out, "  instead  %s\n", check->instead[i]);
	}
	if (check->sound) {
		fputs("nothing speaks against this line\n", out);
		return;
	}
	fputs("do not type this line\n", out);
	if (check->line_instead != NULL)
		vk_screen_paste(out, "instead:\n  %s\n", check->line_instead);
}

static void set_said(struct vk_json *o, const struct vk_line_said *said)
{
	vk_json_set_texts(o, "right", said->right, said->right_count);
	vk_json_set_texts(o, "wrong", said->wrong, said->wrong_count);
	vk_json_set_texts(o, "unknown", said->open, said->open_count);
}

void vk_repair_check_json(const void *ctx, struct vk_json *root)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_line_check *check = &run->check;
	json_t *entries = json_array();

	vk_json_set_text(root, "target", run->plan.target);
	vk_repair_searched_json(run, root);
	VK_JSON_SET(root, VK_KEY("device", check->line.device), VK_KEY("label", check->line.gpt ? "gpt" : "msdos"));
	set_said(root, &check->whole);
	for (size_t i = 0; i < check->line.count; i++) {
		const struct vk_setptbl_entry *e = &check->line.entries[i];
		struct vk_json o = vk_json_begin();

		VK_JSON_SET(&o, VK_KEY("number", e->number), VK_KEY("first", e->first), VK_KEY("last", e->last),
			    VK_KEY("type", e->type), VK_KEY("attribute", e->attribute));
		set_said(&o, &check->said[i]);
		vk_json_set_text(&o, "instead", check->instead[i][0] != '\0' ? check->instead[i] : NULL);
		vk_json_append(entries, vk_json_end(&o), root);
	}
	VK_JSON_SET(root, VK_KEY("entries", entries), VK_KEY("instead", check->line_instead),
		    VK_KEY("sound", check->sound));
}
