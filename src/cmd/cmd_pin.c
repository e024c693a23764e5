/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit pin: captures that prune never removes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "cli/words.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/verbs.h"
#include "store/retention/pins.h"
#include "vmfskit/ledger.h"

struct pinning {
	struct vk_cli_call *call;
	struct vk_store *store;
	const char *reason;
	bool unpin;
	json_t *done; /* of what succeeded */
};

/* An id, or the path of a capture's folder in this store. Free ret_id. */
static enum vk_status find_id(const struct pinning *pinning, const char *name, char **ret_id, struct vk_error *err)
{
	const char *store = vk_store_path(pinning->store);
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
	vk_error_set(err, VK_USAGE, name, "this is no capture of the store %s", store);
	return vk_error_remedy(err, "name the store with --store, and the capture by its id");
}

static const char *result_text(const struct pinning *pinning, bool was)
{
	if (!pinning->unpin)
		return "pinned";
	return was ? "no longer pinned" : "was not pinned";
}

static int put_result(struct pinning *pinning, const char *id, bool was)
{
	FILE *out = pinning->call->out;

	if (pinning->done != NULL)
		return json_array_append_new(pinning->done, json_pack("{s:s,s:b}", "id", id, "pinned",
								       !pinning->unpin)) == 0
			       ? VK_EXIT_OK
			       : VK_EXIT_INTERNAL;
	vk_words_clean(out, id);
	fprintf(out, ": %s\n", result_text(pinning, was));
	return VK_EXIT_OK;
}

static enum vk_status record(const struct pinning *pinning, const char *id, struct vk_error *err)
{
	const struct vk_event event = {.kind = pinning->unpin ? VK_EVENT_UNPIN : VK_EVENT_PIN,
				       .captures = &id,
				       .capture_count = 1,
				       .result = pinning->reason};

	return vk_ledger_append(pinning->store, &event, err);
}

static int pin_one(struct pinning *pinning, const char *name)
{
	const char *store = vk_store_path(pinning->store);
	int fd = vk_store_fd(pinning->store);
	struct vk_error err;
	bool was = false;
	char *id = NULL;
	enum vk_status status = find_id(pinning, name, &id, &err);
	int code;

	if (status != VK_OK)
		return vk_cli_fail(pinning->call, &err);
	status = pinning->unpin ? vk_pin_clear(fd, store, id, &was, &err)
				: vk_pin_set(fd, store, id, pinning->reason, &err);
	if (status == VK_OK && (was || !pinning->unpin))
		status = record(pinning, id, &err);
	code = status == VK_OK ? put_result(pinning, id, was) : vk_cli_fail(pinning->call, &err);
	free(id);
	return code;
}

/* A store that is not there is not made for a pin. */
static enum vk_status open_store(struct pinning *pinning, struct vk_error *err)
{
	const char *path = vk_cmd_store(pinning->call);
	struct vk_store_options options = {.use = VK_STORE_READ, .command = pinning->call->command};
	enum vk_status status = vk_store_open(path, &options, &pinning->store, err);

	if (status != VK_OK)
		return status;
	vk_store_close(pinning->store);
	options.use = VK_STORE_ADD;
	return vk_store_open(path, &options, &pinning->store, err);
}

static int run(struct vk_cli_call *call)
{
	struct pinning pinning = {.call = call,
				  .reason = vk_cli_value(call, "reason"),
				  .unpin = vk_cli_flag(call, "unpin")};
	struct vk_error err;
	int code = VK_EXIT_OK;

	if (pinning.unpin && pinning.reason != NULL)
		return vk_cli_usage(call, "--reason is for pinning, not for --unpin");
	if (open_store(&pinning, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	if (vk_cli_flag(call, "json"))
		pinning.done = json_array();
	for (size_t i = 0; i < call->argument_count; i++) {
		int one = pin_one(&pinning, call->arguments[i]);

		code = one > code ? one : code;
	}
	if (vk_cli_flag(call, "json"))
		code = vk_cmd_put_json(call, json_pack("{s:s,s:s,s:o}", "schema", "vmfskit.pin/1", "store",
						       vk_store_path(pinning.store), "captures", pinning.done), code);
	vk_store_close(pinning.store);
	return code;
}

static const struct vk_cli_option options[] = {
	{.name = "unpin", .help = "take the pin away"},
	{.name = "reason", .argument = "TEXT", .help = "why it stays; vmfskit list --json shows it"},
	VK_STORE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit pin 20261121T014500Z-sdb --reason 'before the migration'", "this one stays"},
	{"vmfskit pin 20261121T014500Z-sdb --unpin", "until now"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_pin = {
	.name = "pin",
	.arguments = "CAPTURE...",
	.purpose = "keep captures whatever the rules of prune say",
	.description =
		"Marks each CAPTURE (an id of the store) as one that vmfskit prune never removes. A pin is a file beside "
		"the captures, which themselves are not touched. Pinning one again changes its reason, when one is "
		"given. A pinned capture still counts as the last of its day, week, month or year: pinning never "
		"makes another capture go.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run,
};
