/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undo: take a restore back. */
#include "cmd/restore/restore_run.h"
#include "cmd/shared/verbs.h"

static int run(struct vk_cli_call *call)
{
	return vk_restore_run(call, true);
}

static const struct vk_cli_option options[] = {
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit undo 20090422T081500Z-lun3-undo /dev/sdb", "show what would change"},
	{"vmfskit undo 20090422T081500Z-lun3-undo /dev/sdb --write",
	 "put every byte back as it was before the restore"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_undo = {
	.name = "undo",
	.arguments = "UNDO-CAPTURE TARGET",
	.purpose = "take a restore back",
	.description =
		"Puts back every byte that a restore overwrote. UNDO-CAPTURE is what the restore took "
		"before it wrote; its id is printed before the first write and at the end.\n\n"
		"An undo is the restore of that capture: shown without --write, guarded, and itself "
		"undoable; --plan binds --write to the plan that was shown. It also leads back from a restore that was "
		"cut short. The guards that compare what lies on the target stand aside as long as every byte to be "
		"overwritten is as the restore found it or left it; what the kernel calls the disk (guard lun) is "
		"always compared. The plan says which damage comes back.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
