/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit pin: captures that prune never removes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "cli/words.h"
#include "cmd/shared/frame.h"
#include "cmd/shared/verbs.h"
#include "store/retention/pins.h"
#include "vmfskit/ledger.h"

struct run {
	struct vk_cmd cmd;
	const char *reason;
	bool unpin;
	/* what succeeded */
	struct done {
		char *id;
		bool was; /* there was a pin */
	} *done;
	size_t done_count;
};

/* An id, or the path of a capture's folder in this store. Free ret_id. */
static enum vk_status find_id(const struct run *run, const char *name, char **ret_id, struct vk_error *err)
{
	const char *store = vk_store_path(run->cmd.store);
	char *copy = strdup(name);
	size_t len = strlen(name);
	struct stat above;
	struct stat ours;
	char *slash;

	if (copy == NULL)
		return vk_no_memory(err, name);
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	*ret_id = copy;
	slash = strrchr(copy, '/');
	if (slash == NULL)
		return VK_OK;
	*slash = '\0';
	if (stat(slash == copy ? "/" : copy, &above) == 0 && stat(store, &ours) == 0 &&
	    above.st_dev == ours.st_dev && above.st_ino == ours.st_ino) {
		memmove(copy, slash + 1, strlen(slash + 1) + 1);
		return VK_OK;
	}
	free(copy);
	vk_error_set(err, VK_USAGE, name, "this is not a capture of the store %s", store);
	return vk_error_remedy(err, "name the store with --store, and the capture by its id");
}

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;

	run->reason = vk_cli_value(call, "reason");
	run->unpin = vk_cli_flag(call, "unpin");
	return !run->unpin || run->reason == NULL ||
	       vk_cmd_usage(&run->cmd, "--reason is for pinning, not for --unpin");
}

static enum vk_status pin_one(struct run *run, const char *name, struct vk_error *err)
{
	const char *store = vk_store_path(run->cmd.store);
	int fd = vk_store_fd(run->cmd.store);
	char *id;
	bool was = false;
	struct vk_event event = {.kind = run->unpin ? VK_EVENT_UNPIN : VK_EVENT_PIN,
				 .captures = (const char *const *)&id,
				 .capture_count = 1,
				 .result = run->reason};
	enum vk_status status = find_id(run, name, &id, err);

	if (status != VK_OK)
		return status;
	status = run->unpin ? vk_pin_clear(fd, store, id, &was, err)
			    : vk_pin_set(fd, store, id, run->reason, err);
	if (status == VK_OK && (was || !run->unpin))
		status = vk_ledger_append(run->cmd.store, &event, err);
	if (status == VK_OK &&
	    vk_append(&run->done, &run->done_count, &(struct done){id, was}, sizeof(*run->done)) == NULL)
		status = vk_no_memory(err, store);
	if (status != VK_OK)
		free(id);
	return status;
}

static bool pin_all(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	struct vk_error err;

	if (!vk_cmd_open_store(&run->cmd, VK_STORE_ADD, true))
		return false;
	for (size_t i = 0; i < call->argument_count; i++) {
		/* a pin may have outlived its capture */
		if (!vk_pin_holds(vk_store_fd(run->cmd.store), call->arguments[i]) &&
		    !vk_cmd_name_argument(&run->cmd, VK_NAME_ONE_DISK, i))
			continue;
		if (pin_one(run, call->arguments[i], &err) != VK_OK)
			vk_cmd_fail(&run->cmd, &err);
	}
	return true;
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *captures = json_array();

	for (size_t i = 0; i < run->done_count; i++) {
		vk_json_append(
			captures,
			VK_JSON_OBJECT(VK_KEY("id", run->done[i].id), VK_KEY("pinned", vk_json_bool(!run->unpin))),
			root);
	}
	VK_JSON_SET(root, VK_KEY("store", vk_store_path(run->cmd.store)), VK_KEY("captures", captures));
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->cmd.call->out;

	for (size_t i = 0; i < run->done_count; i++) {
		vk_words_clean(out, run->done[i].id);
		fprintf(out, ": %s\n", !run->unpin	      ? "pinned"
				       : run->done[i].was ? "no longer pinned"
							  : "was not pinned");
	}
}

static void end(void *ctx)
{
	struct run *run = ctx;

	for (size_t i = 0; i < run->done_count; i++)
		free(run->done[i].id);
	free(run->done);
}

VK_CMD_VERB(run_pin, struct run, "vmfskit.pin/1", read_options, pin_all, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	{.name = "unpin", .help = "remove the pin"},
	{.name = "reason", .argument = "TEXT", .help = "why it is kept; vmfskit list --json shows it"},
	VK_STORE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit pin 20261121T014500Z-sdb --reason 'before the migration'", "this one stays"},
	{"vmfskit pin 20261121T014500Z-sdb --unpin", "prune may remove it again"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_pin = {
	.name = "pin",
	.arguments = "CAPTURE...",
	.purpose = "keep captures from being pruned",
	.description =
		"Marks each CAPTURE (an id of the store, a part of it or latest:LABEL as in vmfskit restore), so that "
		"vmfskit prune never removes it. A pin is a file beside the captures; the captures are not changed. "
		"Pinning again with --reason changes the reason. A pinned capture still counts as the last of its "
		"day, week, month or year: pinning never causes another capture to be removed.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_pin,
};
