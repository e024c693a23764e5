/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit repair: partition tables and VMFS headers rebuilt from what is left of them. */
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "cmd/repair/repair_run.h"
#include "cmd/shared/scan_progress.h"
#include "cmd/shared/verbs.h"

/* Too little is left to work with: of a repair that is a finding, not a failure of the environment. */
static int fail(const struct vk_repair_run *run, const struct vk_error *err)
{
	int code = vk_cli_fail(run->call, err);

	return err->status == VK_ABSENT ? VK_EXIT_FINDINGS : code;
}

/*
 * A structure that stays as broken as it was, or damage of which nothing could be mended. What else is lost (a boot
 * loader, a GUID) does not make the result less whole.
 */
static bool is_incomplete(const struct vk_repair_run *run)
{
	const struct vk_rebuild_header *header = vk_repair_header(run->repair);
	const struct vk_edit *edits;
	bool lost = header != NULL && header->lost_count > 0 &&
		    vk_restore_edits(run->restore.restore, &edits) == 0 && !run->restore.written;

	for (int i = 0; header != NULL && i < VK_HS_COUNT; i++)
		lost = lost || header->verdicts[i].state == VK_STRUCTURE_LOST;
	return lost;
}

static int show_text(const struct vk_repair_run *run)
{
	const struct vk_rebuild_table *table = vk_repair_table(run->repair);
	bool refused = vk_restore_refused(run->restore.restore);

	/* what this program would not do it does not tell anyone to do by hand */
	if (vk_cli_flag(run->call, "commands-only"))
		return refused ? VK_EXIT_OK : vk_repair_show_commands(run);
	vk_repair_show(run);
	if (refused || table == NULL || table->nothing_to_do || vk_cli_flag(run->call, "write"))
		return VK_EXIT_OK;
	fputs("\n# The same without vmfskit:\n", run->call->out);
	return vk_repair_show_commands(run);
}

static int show(struct vk_repair_run *run, int code)
{
	if (vk_cli_flag(run->call, "json"))
		vk_repair_show_json(run);
	else if (show_text(run) != VK_EXIT_OK)
		return VK_EXIT_IO;
	vk_restore_show_objections(&run->restore);
	if (run->restore.error != NULL)
		return vk_restore_fail(&run->restore);
	return code == VK_EXIT_OK && is_incomplete(run) ? VK_EXIT_FINDINGS : code;
}

static int write_it(struct vk_repair_run *run)
{
	struct vk_restore_run *restore = &run->restore;
	const char *const captures[] = {run->capture_id, restore->undo_id};
	struct vk_error err;
	sigset_t before;
	int code;

	/* until it is recorded and told what became of the target */
	vk_signals_hold(&before);
	restore->written = vk_repair_write(run->repair, run->capture_id, restore->undo_id, &err) == VK_OK;
	restore->error = restore->written ? NULL : &err;
	vk_restore_record(restore, &run->options.restore, VK_EVENT_REPAIR, captures, 2);
	code = show(run, VK_EXIT_OK);
	fflush(run->call->out);
	vk_signals_release(&before);
	restore->error = NULL;
	return code;
}

static int carry_on(struct vk_repair_run *run)
{
	struct vk_restore_run *restore = &run->restore;
	const struct vk_edit *edits;

	if (vk_restore_refused(restore->restore))
		return show(run, VK_EXIT_REFUSED);
	if (!vk_cli_flag(run->call, "write") || vk_restore_edits(restore->restore, &edits) == 0)
		return show(run, VK_EXIT_OK);
	return write_it(run);
}

/* Who wants to stop while the plan is made does not want it carried out. */
static enum vk_status make_plan(struct vk_repair_run *run, struct vk_error *err)
{
	struct vk_cmd_progress progress;
	enum vk_status status;

	run->options.find.progress = vk_cmd_progress_tell;
	run->options.find.ctx = &progress;
	vk_cmd_progress_begin(&progress, run->call);
	status = run->header ? vk_repair_plan_header(run->target, &run->options, &run->repair, err)
			     : vk_repair_plan_table(run->target, &run->options, &run->repair, err);
	run->options.find.ctx = NULL;
	if (!vk_cmd_progress_end(&progress))
		return status;
	if (status == VK_OK)
		vk_repair_free(run->repair);
	vk_error_set(err, VK_IO, run->target, "Stopped before there was a plan; nothing was written");
	if (run->options.find.resume_path == NULL)
		vk_error_remedy(err, "With --resume FILE the next search can be stopped and continued");
	return VK_IO;
}

static int plan(struct vk_repair_run *run)
{
	struct vk_error err;
	enum vk_status status = make_plan(run, &err);
	char *again;
	int code;

	if (status != VK_OK)
		return fail(run, &err);
	again = vk_repair_command(run);
	run->restore = (struct vk_restore_run){
		.call = run->call,
		.capture = vk_repair_rebuilt(run->repair),
		.target = run->target,
		/* what is shown only borrows it */
		.restore = (struct vk_restore *)(uintptr_t)vk_repair_restore(run->repair),
		.verbose = vk_cli_flag(run->call, "verbose"),
		.again = again,
	};
	code = carry_on(run);
	vk_repair_free(run->repair);
	free(again);
	return code;
}

static int run(struct vk_cli_call *call)
{
	struct vk_repair_run run = {.call = call,
				    .target = call->arguments[1],
				    .header = strcmp(call->arguments[0], "header") == 0,
				    .restore = {.call = call}};
	struct vk_cmd_key_pair keys = {.sign = NULL};
	int code = vk_repair_parse(&run);

	if (code == VK_EXIT_OK)
		code = vk_cmd_keys(call, &keys);
	run.options.restore.sign_key = keys.sign;
	run.options.restore.public_key = keys.check;
	if (code == VK_EXIT_OK)
		code = plan(&run);
	vk_repair_options_free(&run);
	vk_cmd_keys_close(&keys);
	return code;
}

static const struct vk_cli_option options[] = {
	{.name = "label", .argument = "TEXT",
	 .help = "table: mbr or gpt, whatever the evidence says; header: the label of the datastore, if its descriptor has to "
		 "be made new"},
	{.name = "include", .argument = "SECTOR",
	 .help = "table: an entry also for what begins at this sector, though it looks like a ghost; may be given several times"},
	{.name = "exclude", .argument = "SECTOR",
	 .help = "table: no entry for what begins at this sector; may be given several times"},
	{.name = "commands-only",
	 .help = "table: only print the commands that do the same on an ESXi host and on Linux"},
	{.name = "partition", .argument = "NUMBER", .help = "header: of which partition of the table"},
	{.name = "start", .argument = "SECTOR",
	 .help = "header: of the partition that begins at this sector of the disk; 0: the target is the partition itself"},
	{.name = "member", .argument = "PATH", .choices = "FILE",
	 .help = "header: another extent of the same volume; may be given several times"},
	{.name = "structure", .argument = "LIST", .choices = "lvm volume pe-tables sd-table fs heartbeats",
	 .help = "header: what to repair, separated by commas; without it whatever is damaged"},
	{.name = "capture", .argument = "CAPTURE",
	 .help = "ask this capture, a folder or an id in the store; without it those that are of this disk"},
	{.name = "no-captures", .help = "ask no captures"},
	{.name = "scan", .help = "search all of the target"},
	{.name = "likely",
	 .help = "search only the likely places; without either, all of the target when these do not account for it"},
	{.name = "resume", .argument = "FILE", .choices = "FILE",
	 .help = "keep the state of a long search in FILE, or go on from it"},
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit repair table /dev/sdb", "show which table fits what is left; nothing is written"},
	{"vmfskit repair table /dev/sdb --write", "write that table"},
	{"vmfskit repair header /dev/sdb --partition 1", "show which headers of partition 1 can be mended, and from what"},
	{"vmfskit repair table /dev/sdb --commands-only", "what to type on an ESXi host instead"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_repair = {
	.name = "repair",
	.arguments = "table|header TARGET",
	.words = "table header",
	.purpose = "rebuild a partition table or VMFS headers without a capture",
	.description =
		"repair table builds the partition table that fits the volumes on TARGET, a disk or an image of one, and what "
		"is still sound of the old table. repair header mends LVM header, volume descriptor, PE tables, file-system "
		"descriptor and heartbeat slots of one partition from what the volume still says of itself. For every value it "
		"says where it comes from, and whether it is exact.\n\n"
		"Captures of the same disk are asked when the store has any; a disk is recognised by its WWID or serial "
		"number, else by UUIDs and by the GUID of the table, never by the path of the device.\n\n"
		"Without --write the plan is shown and nothing is written. The command that is printed then has --plan with the digest of "
		"that plan; of any other plan nothing is written. With --write, what was rebuilt is saved as a capture "
		"whose id ends in -rebuilt, and that is restored: with the same guards, undo capture, order of writing and safety "
		"when the power fails. The same command without --plan, or restore with that capture, completes a repair that was cut short; undo "
		"goes back.\n\n"
		"Where the plan has values that nothing proves, the guard guess refuses. The exit code is 1 when a structure cannot be "
		"brought back or too little is left for a plan; all else that is lost is said.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
