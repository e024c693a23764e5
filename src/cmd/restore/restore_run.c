/* SPDX-License-Identifier: Apache-2.0 */
/* Runs restore and undo: options, plan, guards, writing. */
#include "cli/words.h"
#include "cmd/restore/restore_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/signals.h"

/* Hosts beat every three seconds: who waits less sees none. Tests have their own clocks. */
#ifdef VK_TEST_HOOKS
#define WAIT_LEAST_SECONDS 0.001
#else
#define WAIT_LEAST_SECONDS 4
#endif

static int parse_wait(const struct vk_cli_call *call, unsigned overrides, unsigned *ret_ms)
{
	const char *text = vk_cli_value(call, "heartbeat-wait");
	bool lifted = (overrides & 1U << VK_GUARD_HEARTBEAT) != 0;
	char *end;
	double seconds;

	if (text == NULL)
		return VK_EXIT_OK;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 3600))
		return vk_cli_usage(call, "--heartbeat-wait %s: seconds between 0.001 and 3600 are meant",
				    text);
	if (seconds < WAIT_LEAST_SECONDS && !lifted)
		return vk_cli_usage(call,
				    "--heartbeat-wait %s: hosts beat every 3 seconds, less than 4 would "
				    "miss them; to do without the look use --override heartbeat",
				    text);
	*ret_ms = (unsigned)(seconds * 1000 + 0.5);
	return VK_EXIT_OK;
}

static int parse_parts(const struct vk_cli_call *call, unsigned *ret_parts)
{
	static const enum vk_part all[] = {VK_PART_TABLE, VK_PART_LVM, VK_PART_VH,
					   VK_PART_HEARTBEATS};
	const char *list;

	for (size_t n = 0; (list = vk_cli_nth_value(call, "part", n)) != NULL; n++) {
		while (*list != '\0') {
			size_t len = strcspn(list, ",");
			unsigned part = 0;

			for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
				if (strncmp(vk_part_name(all[i]), list, len) == 0 &&
				    vk_part_name(all[i])[len] == '\0')
					part = (unsigned)all[i];
			if (part == 0)
				return vk_cli_usage(call, "--part: there is no part \"%.*s\"",
						    (int)len, list);
			*ret_parts |= part;
			list += len + (list[len] == ',');
		}
	}
	return VK_EXIT_OK;
}

static int parse_overrides(const struct vk_cli_call *call, unsigned *ret_overrides)
{
	const char *list;

	for (size_t n = 0; (list = vk_cli_nth_value(call, "override", n)) != NULL; n++) {
		while (*list != '\0') {
			size_t len = strcspn(list, ",");
			char name[40] = "";
			enum vk_guard guard;

			strncat(name, list, len < sizeof(name) ? len : sizeof(name) - 1);
			if (!vk_guard_parse(name, &guard))
				return vk_cli_usage(call, "--override: there is no guard \"%s\"", name);
			*ret_overrides |= 1U << guard;
			list += len + (list[len] == ',');
		}
	}
	return VK_EXIT_OK;
}

static int parse_plan(const struct vk_cli_call *call, const char **ret_plan)
{
	const char *plan = vk_cli_value(call, "plan");

	if (plan != NULL && (strlen(plan) != VK_PLAN_DIGEST_BYTES - 1 ||
			     strspn(plan, "0123456789abcdef") != VK_PLAN_DIGEST_BYTES - 1))
		return vk_cli_usage(call, "--plan %s: the %d hexadecimal digits are meant that the plan was shown with",
				    plan, VK_PLAN_DIGEST_BYTES - 1);
	*ret_plan = plan;
	return VK_EXIT_OK;
}

/* Should the power or the connection fail, these lines still name the way back. */
static void tell_undo(void *ctx, const char *undo_id)
{
	const struct vk_restore_run *run = ctx;
	const struct vk_cli_call *call = run->call;
	char *way_back = vk_restore_next_command(run);

	fflush(call->out);
	fprintf(call->err, "undo capture: %s\n", undo_id);
	if (way_back != NULL)
		fprintf(call->err, "to go back to the state before: %s\n", way_back);
	fflush(call->err);
	free(way_back);
}

int vk_restore_parse(const struct vk_restore_run *run, bool parts, struct vk_restore_options *options)
{
	const struct vk_cli_call *call = run->call;
	const char *store = vk_cli_value(call, "store");
	int code = parts ? parse_parts(call, &options->parts) : VK_EXIT_OK;

	options->undo_taken = tell_undo;
	options->undo_taken_ctx = (void *)(uintptr_t)run;
	options->store = store != NULL ? store : VK_STORE_DEFAULT;
	options->command = call->command;
	if (code == VK_EXIT_OK)
		code = vk_cmd_sector_size(call, &options->sector_size);
	if (code == VK_EXIT_OK)
		code = parse_overrides(call, &options->overrides);
	if (code == VK_EXIT_OK)
		code = parse_wait(call, options->overrides, &options->heartbeat_wait_ms);
	if (code == VK_EXIT_OK)
		code = parse_plan(call, &options->plan);
	return code;
}

/* The disk is written by now, whatever becomes of the line: that it could not be recorded is worth a word and no more. */
void vk_restore_record(const struct vk_restore_run *run, const struct vk_restore_options *options,
		       enum vk_event_kind kind, const char *const *captures, size_t count)
{
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = options->sign_key,
					     .command = options->command};
	char result[100];
	const struct vk_event event = {.kind = kind,
				       .captures = captures,
				       .capture_count = count,
				       .target = run->target,
				       .plan = vk_restore_plan_digest(run->restore),
				       .result = result};
	struct vk_store *store;
	struct vk_error err;
	enum vk_status status;

	if (run->undo_id[0] == '\0')
		return;
	snprintf(result, sizeof(result), "%s %llu bytes", run->written ? "written" : "failed after",
		 (unsigned long long)vk_restore_written_bytes(run->restore));
	status = vk_store_open(options->store, &use, &store, &err);
	if (status == VK_OK) {
		status = vk_ledger_append(store, &event, &err);
		vk_store_close(store);
	}
	if (status != VK_OK)
		fprintf(run->call->err, "%s: note: not recorded in the ledger: %s\n", run->call->program->name, err.what);
}

static void record(const struct vk_restore_run *run, const struct vk_restore_options *options)
{
	const char *const captures[] = {run->capture->id, run->undo_id};

	vk_restore_record(run, options, run->undo ? VK_EVENT_UNDO : VK_EVENT_RESTORE, captures, 2);
}

int vk_restore_cannot_open(const struct vk_cli_call *call, const struct vk_error *err)
{
	int code = vk_cli_fail(call, err);
	const struct vk_guard_kind *kind = vk_guard_kind(VK_GUARD_CAPTURE_VERIFIED);

	if (err->status != VK_DAMAGED && err->status != VK_UNSUPPORTED)
		return code;
	fprintf(call->err, "guard %s refuses: %s; %s\n", kind->name, kind->protects, kind->past);
	return VK_EXIT_REFUSED;
}

int vk_restore_fail(const struct vk_restore_run *run)
{
	int code = vk_cli_fail(run->call, run->error);
	char *command;

	if (run->undo_id[0] == '\0' || vk_restore_written_bytes(run->restore) == 0)
		return code;
	command = vk_restore_next_command(run);
	if (command != NULL)
		fprintf(run->call->err, "  to go back: %s\n", command);
	free(command);
	return code;
}

static int finish(struct vk_restore_run *run, int code)
{
	if (vk_cli_flag(run->call, "json"))
		vk_restore_show_json(run);
	else
		vk_restore_show(run);
	vk_restore_show_objections(run);
	if (run->error != NULL)
		return vk_restore_fail(run);
	return code;
}

static int plan_and_write(struct vk_restore_run *run, const struct vk_restore_options *options)
{
	const struct vk_edit *edits;
	struct vk_error err;
	sigset_t before;
	int code;

	if (vk_restore_plan(run->capture, run->target, options, &run->restore, &err) != VK_OK)
		return vk_cli_fail(run->call, &err);
	if (vk_restore_refused(run->restore)) {
		code = finish(run, VK_EXIT_REFUSED);
	} else if (!vk_cli_flag(run->call, "write") ||
		   vk_restore_edits(run->restore, &edits) == 0) {
		code = finish(run, VK_EXIT_OK);
	} else {
		/* until it is recorded and told what became of the target */
		vk_signals_hold(&before);
		run->written = vk_restore_write(run->restore, run->undo_id, &err) == VK_OK;
		run->error = run->written ? NULL : &err;
		record(run, options);
		code = finish(run, VK_EXIT_OK);
		fflush(run->call->out);
		vk_signals_release(&before);
		run->error = NULL;
	}
	vk_restore_free(run->restore);
	return code;
}

/* An undo capture holds a wreck, under the label of the disk that has been put right since. */
static int refuse_undo_capture(const struct vk_restore_run *run)
{
	const struct vk_cli_call *call = run->call;
	char *command = vk_restore_as_undo(run);

	fprintf(call->err, "%s restore: ", call->program->name);
	vk_words_clean(call->err, run->capture->id);
	fputs(" is an undo capture: it holds what a restore overwrote, with all its damage, and is no backup\n",
	      call->err);
	if (command != NULL)
		fprintf(call->err, "to take that restore back use:\n  %s\n", command);
	free(command);
	return VK_EXIT_USAGE;
}

int vk_restore_run(struct vk_cli_call *call, bool undo)
{
	struct vk_restore_options options = {0};
	struct vk_restore_run run = {.call = call,
				     .target = call->arguments[1],
				     .undo = undo,
				     .verbose = vk_cli_flag(call, "verbose")};
	struct vk_capture capture;
	struct vk_cmd_key_pair keys = {.sign = NULL};
	struct vk_error err;
	int code = vk_restore_parse(&run, !undo, &options);

	if (code == VK_EXIT_OK)
		code = vk_cmd_keys(call, &keys);
	if (code != VK_EXIT_OK)
		return code;
	if (vk_capture_open(options.store, call->arguments[0], &capture, &err) != VK_OK) {
		vk_cmd_keys_close(&keys);
		return vk_restore_cannot_open(call, &err);
	}
	options.sign_key = keys.sign;
	options.public_key = keys.check;
	run.capture = &capture;
	if (undo && !capture.is_undo)
		code = vk_cli_usage(call, "%s is no undo capture; to put a capture back use: %s restore",
				    call->arguments[0], call->program->name);
	else if (!undo && capture.is_undo)
		code = refuse_undo_capture(&run);
	else
		code = plan_and_write(&run, &options);
	vk_capture_close(&capture);
	vk_cmd_keys_close(&keys);
	return code;
}
