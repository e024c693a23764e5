/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to paste that repeat options of the call. */
#include "cmd/shared/shell_words.h"

#include "cli/words.h"

void vk_cmd_put_option(struct vk_command *command, const struct vk_cli_call *call, const char *name)
{
	const char *value;

	if (vk_cli_flag(call, name) && vk_cli_value(call, name) == NULL)
		vk_command_add(command, " --%s", name);
	for (size_t n = 0; (value = vk_cli_nth_value(call, name, n)) != NULL; n++) {
		vk_command_add(command, " --%s", name);
		vk_command_word(command, value);
	}
}

void vk_cmd_put_options(struct vk_command *command, const struct vk_cli_call *call, const char *names)
{
	struct vk_words rest = vk_words_of(names), word;
	char name[40];

	while (vk_words_next(&rest, &word)) {
		snprintf(name, sizeof(name), "%.*s", (int)word.len, word.text);
		vk_cmd_put_option(command, call, name);
	}
}

void vk_cmd_put_plan(struct vk_command *command, const struct vk_restore *restore)
{
	const char *plan = vk_restore_plan_digest(restore);

	if (plan[0] != '\0')
		vk_command_add(command, " --plan %s", plan);
}

bool vk_cmd_may_be_lifted(const struct vk_restore *restore)
{
	const struct vk_objection *objections;
	size_t count = vk_restore_objections(restore, &objections);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (objections[i].overridden)
			continue;
		any = true;
		if (objections[i].guard != VK_GUARD_GUESS && objections[i].guard != VK_GUARD_UNREADABLE)
			return false;
	}
	return any;
}

void vk_cmd_put_overrides(struct vk_command *command, const struct vk_cli_call *call, const struct vk_restore *restore)
{
	const struct vk_objection *objections;
	size_t count =
		restore == NULL || !vk_cmd_may_be_lifted(restore) ? 0 : vk_restore_objections(restore, &objections);
	bool put[VK_GUARD_COUNT] = {false};

	vk_cmd_put_option(command, call, "override");
	for (size_t i = 0; i < count; i++) {
		enum vk_guard guard = objections[i].guard;

		if (objections[i].overridden || put[guard])
			continue;
		put[guard] = true;
		vk_command_add(command, " --override %s", vk_guard_kind(guard)->name);
	}
}
