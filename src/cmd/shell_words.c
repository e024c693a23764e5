/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste that repeat options of the call. */
#include "cmd/shell_words.h"

void vk_cmd_put_option(struct vk_command *command, const struct vk_cli_call *call, const char *name)
{
	const char *value;

	for (size_t n = 0; (value = vk_cli_nth_value(call, name, n)) != NULL; n++) {
		vk_command_add(command, " --%s", name);
		vk_command_word(command, value);
	}
}

void vk_cmd_put_plan(struct vk_command *command, const struct vk_restore *restore)
{
	const char *plan = vk_restore_plan_digest(restore);

	if (plan[0] != '\0')
		vk_command_add(command, " --plan %s", plan);
}
