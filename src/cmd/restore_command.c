/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste: what to type after a plan was shown or carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/restore_run.h"
#include "cmd/shell_words.h"

static char *written_command(const struct vk_restore_run *run, bool back)
{
	static const char *const kept[] = {"override", "heartbeat-wait"};
	const struct vk_cli_call *call = run->call;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s %s", call->program->name, back ? "undo" : call->verb->name);
	vk_cmd_put_path(out, back ? run->undo_id : call->arguments[0]);
	vk_cmd_put_path(out, run->target);
	if (!back && !run->undo)
		vk_cmd_put_option(out, call, "part");
	for (size_t i = 0; !back && i < sizeof(kept) / sizeof(kept[0]); i++)
		vk_cmd_put_option(out, call, kept[i]);
	vk_cmd_put_option(out, call, "sector-size");
	vk_cmd_put_option(out, call, "store");
	vk_cmd_put_option(out, call, "sign-key");
	vk_cmd_put_option(out, call, "public-key");
	vk_cmd_put_option(out, call, "config");
	fputs(" --write", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *vk_restore_next_command(const struct vk_restore_run *run)
{
	bool back = run->undo_id[0] != '\0';

	return !back && run->again != NULL ? strdup(run->again) : written_command(run, back);
}
