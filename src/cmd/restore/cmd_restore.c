/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit restore: put a capture back. */
#include "cmd/restore/restore_run.h"
#include "cmd/shared/verbs.h"

static int run(struct vk_cli_call *call)
{
	return vk_restore_run(call, false);
}

static const struct vk_cli_option options[] = {
	{'p', "part", "LIST",
	 "what to put back, separated by commas; without it the table and whatever is damaged",
	 "table lvm vh heartbeats"},
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb",
	 "show what would change on /dev/sdb; nothing is written"},
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb --write",
	 "put back the partition table and whatever is damaged"},
	{"vmfskit restore 20090421T164556Z-lun3 /dev/sdb --part table --write",
	 "put back the partition table alone"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_restore = {
	.name = "restore",
	.arguments = "CAPTURE TARGET",
	.purpose = "put back what a capture holds",
	.description =
		"Puts the partition table and the VMFS headers that CAPTURE holds back on TARGET, the "
		"disk (or an image of it) that was captured. CAPTURE is a folder or an id in the "
		"store. An undo capture, which holds what a restore overwrote, is refused: vmfskit undo is for it.\n\n"
		"Without --write the plan is shown: which bytes would change and what they mean "
		"before and after. The target is then not even opened for writing. The command that is printed at the "
		"end has --plan with a digest over the target, the bytes on it and the bytes to be written: when any "
		"of them is another one by then, nothing is written, and the plan is to be looked at again.\n\n"
		"With --write the bytes that will be overwritten are first saved in an undo capture, "
		"flushed and read back. Then the backup GPT, the primary GPT, the MBR and the headers "
		"are written in this order with a flush after each, and everything is read back, past "
		"what the kernel remembers of it. If the power fails in between, the same command "
		"without --plan completes the work and undo goes back. Right before the first write it looks once "
		"more whether another process has the target open for writing, whether a host beat "
		"since the plan, and whether the target is still the same device. Then the ledger gets a line "
		"restore-begun. The undo capture and the command that goes back are on standard error by then. From "
		"then on signals, that of a lost connection too, wait until the target is whole.\n\n"
		"Heartbeats are only put back when --part names them.\n\n"
		"Guards stand in the way of writing to the wrong disk or to one in use. Each has a "
		"name, says what it saw, and makes the command exit with 3. --override lifts one of "
		"them.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
