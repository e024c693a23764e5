/* SPDX-License-Identifier: Apache-2.0 */
/* Captures that a person named: latest, latest:LABEL and parts of ids become whole ids before anything is done. */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/civil.h"
#include "base/shown.h"
#include "base/texts.h"
#include "cmd/shared/frame.h"
#include "report/columns.h"
#include "store/capture/named.h"

static void put_captures(FILE *out, const struct vk_named_list *list)
{
	static const struct vk_column columns[] = {{"TIME"}, {"LABEL", .least = 8}, {"NAA", .least = 12}, {"CAPTURE"}};
	struct vk_columns table = VK_COLUMNS(columns);

	table.indent = 2;
	for (size_t i = 0; i < list->count; i++)
		vk_columns_row(&table, (const char *const[]){list->items[i].time, list->items[i].label,
							     list->items[i].naa, list->items[i].id});
	vk_columns_end(&table, out);
	if (list->all > list->count)
		fprintf(out, "  and %zu more\n", list->all - list->count);
}

static void say_chosen(const struct vk_cmd *cmd, const char *name, const struct vk_named_list *list)
{
	const struct vk_named *chosen = &list->items[0];
	const char *program = cmd->call->program->name;
	const bool ahead = vk_civil_is_ahead(chosen->time, (int64_t)time(NULL));
	FILE *out = cmd->call->err;

	fflush(cmd->call->out);
	if (list->unread > 0)
		fprintf(out, "%s: note: passed over %s%s: no manifest that can be understood\n", program,
			vk_shown_name(list->unread_id).text, list->unread > 1 ? " and others" : "");
	if (list->ahead > 0 && !ahead)
		fprintf(out, "%s: note: passed over %s%s: its time lies in the future\n", program,
			vk_shown_name(list->ahead_id).text, list->ahead > 1 ? " and others" : "");
	fprintf(out, "%s: %s is %s", program, vk_shown_name(name).text, vk_shown_name(chosen->id).text);
	if (chosen->time[0] != '\0')
		fprintf(out, ", taken %s", chosen->time);
	if (ahead)
		fputs(" (which lies in the future)", out);
	if (chosen->label[0] != '\0' || chosen->naa[0] != '\0')
		fprintf(out, ", of %s", vk_shown_name(chosen->label[0] != '\0' ? chosen->label : chosen->naa).text);
	fputc('\n', out);
}

/* Whether it is taken as a source by its path; a file called latest is not guessed about. False: that is reported. */
static bool may_be_capture(struct vk_cmd *cmd, const char *name, bool *ret_may)
{
	struct vk_error err;
	struct stat st;
	bool is_file = strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));

	*ret_may = !is_file && strchr(name, '/') == NULL;
	if (!is_file || !vk_name_is_latest(name))
		return true;
	vk_error_set(&err, VK_USAGE, name, "there is a file of this name here, and it may mean a capture of the store");
	vk_error_remedy(&err, "write ./%s, or the id of the capture", name);
	return vk_cmd_fail(cmd, &err);
}

/* What is written from has a slash in the plan, so that it is never taken for another. */
static bool name_by_path(struct vk_cmd *cmd, const char **name)
{
	struct vk_error err;

	if (vk_cli_flag(cmd->call, "write")) {
		vk_error_set(&err, VK_USAGE, *name,
			     "--write takes a capture in the current folder only by a path with a slash");
		vk_error_remedy(&err, "write ./%s", *name);
		return vk_cmd_fail(cmd, &err);
	}
	if (!vk_sentence_add(&cmd->names, &cmd->name_count, "./%s", *name))
		return vk_cmd_no_memory(cmd);
	*name = cmd->names[cmd->name_count - 1];
	return true;
}

bool vk_cmd_name_capture(struct vk_cmd *cmd, unsigned how, const char **name)
{
	const struct vk_naming naming = {.store = vk_cmd_store(cmd->call),
					 .undo = (how & VK_NAME_UNDO) != 0,
					 .one_disk = (how & VK_NAME_ONE_DISK) != 0};
	struct vk_named_list list;
	struct vk_error err;
	enum vk_status status;
	bool may = true;

	if ((how & VK_NAME_OR_FILE) != 0 && !may_be_capture(cmd, *name, &may))
		return false;
	if (!may)
		return true;
	status = vk_capture_named(&naming, *name, &list, &err);
	/* a listing in a file has a name that is no path; and who may not look into the store may decode files */
	if ((how & VK_NAME_OR_FILE) != 0 && (status == VK_ABSENT || status == VK_IO) && !vk_name_is_latest(*name))
		return true;
	if (status != VK_OK) {
		(void)vk_cmd_fail(cmd, &err);
		if (list.all > 1 || (list.whole && list.all > 0))
			put_captures(cmd->call->err, &list);
		return false;
	}
	if (list.whole)
		return !list.here || (how & VK_NAME_PLANS) == 0 || name_by_path(cmd, name);
	if ((how & VK_NAME_PLANS) != 0 && vk_cli_flag(cmd->call, "write")) {
		vk_error_set(&err, VK_USAGE, NULL,
			     "--write takes the whole id of the capture whose plan was shown: "
			     "%s may be another capture by now",
			     vk_shown_name(*name).text);
		vk_error_remedy(&err, "look at the plan without --write; the command at its end has the id");
		return vk_cmd_fail(cmd, &err);
	}
	say_chosen(cmd, *name, &list);
	if (!vk_sentence_add(&cmd->names, &cmd->name_count, "%s", list.items[0].id))
		return vk_cmd_no_memory(cmd);
	*name = cmd->names[cmd->name_count - 1];
	return true;
}

bool vk_cmd_name_argument(struct vk_cmd *cmd, unsigned how, size_t index)
{
	const char *name = cmd->call->arguments[index];

	if (!vk_cmd_name_capture(cmd, how, &name))
		return false;
	if (name != cmd->call->arguments[index])
		cmd->call->arguments[index] = cmd->names[cmd->name_count - 1];
	return true;
}
