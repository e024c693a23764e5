/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit restore: put a capture back; and undo: undo a restore. */
#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "cli/words.h"
#include "cmd/restore/restore_run.h"
#include "cmd/shared/verbs.h"

struct run {
	struct vk_restore_run plan; /* first */
	struct vk_capture capture;
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;

	run->plan.own_options = run->plan.undo ? "" : "part";
	if (!run->plan.undo)
		run->plan.options.parts = vk_cli_chosen(run->plan.cmd.call, "part");
	if (!vk_restore_read_options(&run->plan))
		return false;
	return vk_cmd_name_argument(&run->plan.cmd,
				    VK_NAME_ONE_DISK | VK_NAME_PLANS | (run->plan.undo ? VK_NAME_UNDO : 0), 0);
}

static bool plan_and_write(void *ctx)
{
	struct run *all = ctx;
	struct vk_restore_run *run = &all->plan;
	const struct vk_cli_call *call = run->cmd.call;
	const struct vk_guard_kind *verified = vk_guard_kind(VK_GUARD_CAPTURE_VERIFIED);
	const char *const captures[2] = {all->capture.id, run->undo_id};
	struct vk_error err;
	char *command;
	int code;

	if (vk_capture_open(run->options.store, call->arguments[0], &all->capture, &err) != VK_OK) {
		code = vk_cli_fail(call, &err);
		if (err.status != VK_DAMAGED && err.status != VK_UNSUPPORTED)
			return vk_cmd_ok(&run->cmd, code);
		/* a capture so broken that it cannot be opened fails verification before there is a plan */
		fprintf(call->err, "guard %s refuses: %s; %s\n", verified->name, verified->why, verified->past);
		return vk_cmd_ok(&run->cmd, VK_EXIT_REFUSED);
	}
	run->capture = &all->capture;
	if (run->undo && !all->capture.is_undo)
		return vk_cmd_usage(&run->cmd, "%s is not an undo capture; to restore a capture use: %s restore",
				    call->arguments[0], call->program->name);
	if (!run->undo && all->capture.is_undo) {
		/* it holds a wreck, under the label of the disk that has been put right since */
		fprintf(call->err, "%s restore: ", call->program->name);
		vk_words_clean(call->err, run->capture->id);
		fputs(" is an undo capture: it contains what a restore overwrote, with all its damage, and is not a "
		      "backup\n",
		      call->err);
		command = vk_restore_as_undo(run);
		if (command != NULL)
			vk_screen_paste(call->err, "to take that restore back use:\n  %s\n", command);
		free(command);
		return vk_cmd_ok(&run->cmd, VK_EXIT_USAGE);
	}
	if (vk_restore_plan(run->capture, run->target, &run->options, &run->restore, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	if (vk_restore_begin_writing(run))
		vk_restore_written(run, vk_restore_write(run->restore, run->undo_id, &run->error),
				   run->undo ? VK_EVENT_UNDO : VK_EVENT_RESTORE, captures);
	return true;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_restore_end(&run->plan);
	vk_restore_free(run->plan.restore);
	vk_capture_close(&run->capture);
}

static int run(struct vk_cli_call *call)
{
	bool undo = strcmp(call->verb->name, "undo") == 0;
	const struct vk_cmd_steps steps = {undo ? "vmfskit.undo/1" : "vmfskit.restore/1", read_options, plan_and_write,
					   vk_restore_put_json, vk_restore_show, end};
	struct run run = {.plan.undo = undo};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{'p', "part", "LIST",
	 "what to restore, separated by commas; without it the table and everything damaged",
	 "table lvm vh heartbeats"},
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb",
	 "show what would change on /dev/sdb; nothing is written"},
	{"vmfskit restore latest:datastore7 /dev/sdb",
	 "the same of the newest backup of the LUN with this label"},
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb --write",
	 "restore the partition table and everything damaged"},
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb --part table --write",
	 "restore the partition table alone"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_restore = {
	.name = "restore",
	.arguments = "CAPTURE TARGET",
	.purpose = "put a capture back",
	.description =
		"Writes the partition table and the VMFS headers of CAPTURE back to TARGET, the disk (or an image of "
		"it) that was captured. Heartbeats are restored only when --part names them.\n\n"
		"CAPTURE is a folder (with --write by a path with a slash: ./NAME), an id of the store, or a short "
		"name: the beginning or end of an id (at least three characters); latest, the newest backup, if the "
		"store has captures of one disk only; latest:TEXT, the newest of the disk whose label or NAA name is "
		"or contains TEXT. The capture that was found is printed first. A short name that fits several is "
		"refused with a list of them, and so is one that a folder here has, too. An undo capture, which "
		"holds what a restore overwrote, is refused: use vmfskit undo for it.\n\n"
		"A short name may mean another capture tomorrow. So the command at the end of a plan has the whole "
		"id, and --write accepts only whole ids.\n\n"
		"Without --write the plan is shown: which bytes would change, and what they mean before and after. "
		"The target is not opened for writing. The plan ends with the command that writes it. This command "
		"has --plan with a digest over the target, the bytes on it and the bytes to be written. If any of "
		"these changed in the meantime, nothing is written; look at the new plan.\n\n"
		"With --write the bytes that will be overwritten are first saved in an undo capture, flushed and read "
		"back. Right before the first write restore checks again whether another process has the target open "
		"for writing, whether a host wrote its heartbeat since the plan, and whether the target is still the "
		"same device. Then the ledger gets a line restore-begun. The undo command is printed on standard "
		"error before the first write. Then the backup GPT, the primary GPT, the MBR and the headers are "
		"written in this order with a flush after each. From the first write on, signals, also that of a lost "
		"connection, wait until the target is whole. At the end everything is read back, past the cache. If "
		"the power fails in between, the same command without --plan completes the work, and undo restores "
		"the old bytes.\n\n"
		"Guards refuse to write to the wrong disk or to one in use. Each has a name, says what it saw, and "
		"makes the command exit with 3. --override lifts one of them.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};

static const struct vk_cli_option undo_options[] = {
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example undo_examples[] = {
	{"vmfskit undo 20090422T081500Z-lun3-undo /dev/sdb", "show what would change"},
	{"vmfskit undo 20090422T081500Z-lun3-undo /dev/sdb --write",
	 "put every byte back as it was before the restore"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_undo = {
	.name = "undo",
	.arguments = "UNDO-CAPTURE TARGET",
	.purpose = "undo a restore",
	.description =
		"Puts back every byte that a restore overwrote. UNDO-CAPTURE is the capture that the restore made "
		"before it wrote; its id is printed before the first write and at the end. latest is the newest undo "
		"capture; latest:TEXT is that of the disk whose label or NAA name contains TEXT (see vmfskit "
		"restore).\n\n"
		"An undo is a restore of that capture: without --write it only shows the plan, guards protect the "
		"target, and it can be undone itself. --plan binds --write to the plan that was shown. It also undoes "
		"a restore that was interrupted. The guards that compare the contents of the target do not apply as "
		"long as every byte to be overwritten is as the restore found it or left it. Guard lun, the name that "
		"the kernel gives the disk, always applies. The plan says which damage comes back.",
	.options = undo_options,
	.examples = undo_examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
