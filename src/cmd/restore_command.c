/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste: what to type after a plan was shown or carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/restore_run.h"
#include "cmd/shell_words.h"

/* back: the command that undoes what was written; else the same again, as verb. */
static char *make_command(const struct vk_restore_run *run, const char *verb, bool back, bool write)
{
	static const char *const kept[] = {"override", "heartbeat-wait"};
	const struct vk_cli_call *call = run->call;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s %s", call->program->name, verb);
	vk_cmd_put_path(out, back ? run->undo_id : call->arguments[0]);
	vk_cmd_put_path(out, run->target);
	if (!back && strcmp(verb, "restore") == 0)
		vk_cmd_put_option(out, call, "part");
	for (size_t i = 0; !back && i < sizeof(kept) / sizeof(kept[0]); i++)
		vk_cmd_put_option(out, call, kept[i]);
	vk_cmd_put_option(out, call, "sector-size");
	vk_cmd_put_option(out, call, "store");
	vk_cmd_put_option(out, call, "sign-key");
	vk_cmd_put_option(out, call, "config");
	fputs(write ? " --write" : "", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *vk_restore_next_command(const struct vk_restore_run *run)
{
	bool back = run->undo_id[0] != '\0';

	if (!back && run->again != NULL)
		return strdup(run->again);
	return make_command(run, back ? "undo" : run->call->verb->name, back, true);
}

char *vk_restore_as_undo(const struct vk_restore_run *run)
{
	return make_command(run, "undo", false, vk_cli_flag(run->call, "write"));
}
