/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste: what to type after a plan was shown or carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/restore/restore_run.h"
#include "cmd/shared/shell_words.h"

/* back: the command that undoes what was written; else the same again, as verb. */
static char *make_command(const struct vk_restore_run *run, const char *verb, bool back, bool write)
{
	const struct vk_cli_call *call = run->cmd.call;
	struct vk_command command;

	vk_command_begin(&command, call->program->name);
	vk_command_add(&command, " %s", verb);
	vk_command_path(&command, back ? run->undo_id : call->arguments[0]);
	vk_command_path(&command, run->target);
	if (!back) {
		if (strcmp(verb, "restore") == 0)
			vk_cmd_put_option(&command, call, "part");
		vk_cmd_put_overrides(&command, call, run->restore);
		vk_cmd_put_option(&command, call, "heartbeat-wait");
	} else if (vk_cli_value(call, "public-key") != NULL && vk_cli_value(call, "sign-key") == NULL) {
		/*
		 * an undo capture that could not be signed is not vouched for where signatures are due: this run has
		 * made it
		 */
		vk_command_add(&command, " --override %s", vk_guard_kind(VK_GUARD_CAPTURE_VOUCHED)->name);
	}
	vk_cmd_put_options(&command, call, "sector-size store sign-key public-key config");
	/* what undoes it was not looked at yet; it is bound by the bytes of the undo capture, guard changed-since */
	if (!back && run->restore != NULL)
		vk_cmd_put_plan(&command, run->restore);
	vk_command_add(&command, "%s", write ? " --write" : "");
	return vk_command_end(&command);
}

char *vk_restore_next_command(const struct vk_restore_run *run)
{
	bool back = run->undo_id[0] != '\0';

	if (!back && run->again != NULL)
		return strdup(run->again);
	return make_command(run, back ? "undo" : run->cmd.call->verb->name, back, true);
}

char *vk_restore_as_undo(const struct vk_restore_run *run)
{
	return make_command(run, "undo", false, vk_cli_flag(run->cmd.call, "write"));
}
