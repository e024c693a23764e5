/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit repair: partition tables and VMFS headers rebuilt from what is left of them. */
#include <stdlib.h>
#include <string.h>

#include "cmd/repair/repair_run.h"
#include "cmd/shared/scan_progress.h"
#include "cmd/shared/verbs.h"

/* Too little is left to work with: of a repair that is a finding, not a failure of the environment. */
static bool fail(struct vk_cmd *cmd, const struct vk_error *err)
{
	int code = vk_cli_fail(cmd->call, err);

	return vk_cmd_ok(cmd, err->status == VK_ABSENT ? VK_EXIT_FINDINGS : code);
}

/*
 * A structure that stays as broken as it was, or damage of which nothing could be mended. What else is lost (a boot
 * loader, a GUID) does not make the result less whole.
 */
static bool is_incomplete(const struct vk_repair_run *run)
{
	const struct vk_rebuild_header *header = vk_repair_header(run->repair);
	const struct vk_edit *edits;
	bool lost = header != NULL && header->lost_count > 0 && vk_restore_edits(run->plan.restore, &edits) == 0 &&
		    !run->plan.written;

	for (int i = 0; header != NULL && i < VK_HS_COUNT; i++)
		lost = lost || header->verdicts[i].state == VK_STRUCTURE_LOST;
	return lost;
}

/* Who wants to stop while the plan is made does not want it carried out. */
static enum vk_status make_plan(struct vk_repair_run *run, struct vk_error *err)
{
	const char *target = run->plan.target;
	struct vk_cmd_progress progress;
	enum vk_status status;

	run->options.restore = run->plan.options;
	run->options.find.progress = vk_cmd_progress_tell;
	run->options.find.ctx = &progress;
	vk_cmd_progress_begin(&progress, run->plan.cmd.call);
	status = run->header ? vk_repair_plan_header(target, &run->options, &run->repair, err)
			     : vk_repair_plan_table(target, &run->options, &run->repair, err);
	run->options.find.ctx = NULL;
	if (!vk_cmd_progress_end(&progress))
		return status;
	vk_error_set(err, VK_IO, target, "Stopped before there was a plan; nothing was written");
	if (run->options.find.resume_path == NULL)
		vk_error_remedy(err, "With --resume FILE the next search can be stopped and continued");
	return VK_IO;
}

static bool plan_and_write(void *ctx)
{
	struct vk_repair_run *run = ctx;
	struct vk_restore_run *plan = &run->plan;
	const char *const captures[2] = {run->capture_id, plan->undo_id};
	struct vk_error err;

	if (make_plan(run, &err) != VK_OK)
		return fail(&plan->cmd, &err);
	plan->capture = vk_repair_rebuilt(run->repair);
	/* what is shown only borrows it */
	plan->restore = (struct vk_restore *)(uintptr_t)vk_repair_restore(run->repair);
	plan->again = vk_repair_command(run);
	/* what this program would not do it does not tell anyone to do by hand */
	run->has_commands = !run->header && !vk_restore_refused(plan->restore);
	if (run->has_commands && vk_repair_make_commands(run, &err) != VK_OK) {
		run->has_commands = false;
		return vk_cmd_fail(&plan->cmd, &err);
	}
	if (vk_restore_begin_writing(plan))
		vk_restore_written(plan, vk_repair_write(run->repair, run->capture_id, plan->undo_id, &plan->error),
				   VK_EVENT_REPAIR, captures);
	if (!plan->failed && is_incomplete(run))
		(void)vk_cmd_ok(&plan->cmd, VK_EXIT_FINDINGS);
	return true;
}

static void end(void *ctx)
{
	struct vk_repair_run *run = ctx;

	vk_restore_end(&run->plan);
	if (run->has_commands)
		vk_table_commands_free(&run->commands);
	vk_repair_free(run->repair);
	free(run->plan.again);
	vk_repair_options_free(run);
}

static int run(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.repair/1", vk_repair_read_options, plan_and_write,
						  vk_repair_put_json, vk_repair_show, end};
	struct vk_repair_run run = {.header = strcmp(call->arguments[0], "header") == 0};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "label", .argument = "TEXT",
	 .help = "table: mbr or gpt, whatever the evidence says; header: the label of the datastore, if its descriptor "
	 "has to be made new"},
	{.name = "include", .argument = "SECTOR",
	 .help = "table: an entry also for what begins at this sector, though it looks like a ghost; may be given "
	 "several times"},
	{.name = "exclude", .argument = "SECTOR",
	 .help = "table: no entry for what begins at this sector; may be given several times"},
	{.name = "commands-only",
	 .help = "table: only print the commands that do the same on an ESXi host and on Linux"},
	{.name = "partition", .argument = "NUMBER", .help = "header: of which partition of the table"},
	{.name = "start", .argument = "SECTOR",
	 .help = "header: of the partition that begins at this sector of the disk; 0: the target is the partition "
	 "itself"},
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
	{"vmfskit repair header /dev/sdb --partition 1", "show which headers of partition 1 can be mended, and from "
		"what"},
	{"vmfskit repair table /dev/sdb --commands-only", "what to type on an ESXi host instead"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_repair = {
	.name = "repair",
	.arguments = "table|header TARGET",
	.words = "table header",
	.purpose = "rebuild a partition table or VMFS headers without a capture",
	.description =
		"repair table builds the partition table that fits the volumes on TARGET, a disk or an image of one, "
		"and what is still sound of the old table. repair header mends LVM header, volume descriptor, PE "
		"tables, file-system descriptor and heartbeat slots of one partition from what the volume still says "
		"of itself. For every value it says where it comes from, and whether it is exact.\n\n"
		"Captures of the same disk are asked when the store has any; a disk is recognised by its WWID or "
		"serial number, else by UUIDs and by the GUID of the table, never by the path of the device.\n\n"
		"Without --write the plan is shown and nothing is written. The command that is printed then has --plan "
		"with the digest of that plan; of any other plan nothing is written. With --write, what was rebuilt is "
		"saved as a capture whose id ends in -rebuilt, and that is restored: with the same guards, undo "
		"capture, order of writing and safety when the power fails. The same command without --plan, or "
		"restore with that capture, completes a repair that was cut short; undo goes back.\n\n"
		"Where the plan has values that nothing proves, the guard guess refuses. The exit code is 1 when a "
		"structure cannot be brought back or too little is left for a plan; all else that is lost is said.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
