/* SPDX-License-Identifier: Apache-2.0 */
/* Runs restore and undo: options, plan, guards, writing. */
#include "cmd/restore/restore_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "cli/words.h"

/* Hosts beat every three seconds: who waits less sees none. Tests have their own clocks. */
#ifdef VK_TEST_HOOKS
#define WAIT_LEAST_SECONDS 0.001
#else
#define WAIT_LEAST_SECONDS 4
#endif

static bool read_wait(struct vk_restore_run *run)
{
	struct vk_cli_call *call = run->cmd.call;
	const char *text = vk_cli_value(call, "heartbeat-wait");
	bool lifted = (run->options.overrides & 1U << VK_GUARD_HEARTBEAT) != 0;
	char *end;
	double seconds;

	if (text == NULL)
		return true;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 3600))
		return vk_cmd_ok(&run->cmd, vk_cli_usage(call, "--heartbeat-wait %s: seconds between 0.001 and 3600 "
							 "are meant", text));
	if (seconds < WAIT_LEAST_SECONDS && !lifted)
		return vk_cmd_ok(&run->cmd,
				 vk_cli_usage(call,
					      "--heartbeat-wait %s: hosts beat every 3 seconds, less than 4 would "
					      "miss them; to do without the look use --override heartbeat",
					      text));
	run->options.heartbeat_wait_ms = (unsigned)(seconds * 1000 + 0.5);
	return true;
}

static bool read_plan(struct vk_restore_run *run)
{
	const char *plan = run->options.plan = vk_cli_value(run->cmd.call, "plan");

	if (plan == NULL || (strlen(plan) == VK_PLAN_DIGEST_BYTES - 1 &&
			     strspn(plan, "0123456789abcdef") == VK_PLAN_DIGEST_BYTES - 1))
		return true;
	return vk_cmd_ok(&run->cmd, vk_cli_usage(run->cmd.call,
						 "--plan %s: the %d hexadecimal digits are meant that the plan was "
						 "shown with", plan, VK_PLAN_DIGEST_BYTES - 1));
}

/* Should the power or the connection fail, these lines still name the way back. */
static void tell_undo(void *ctx, const char *undo_id)
{
	const struct vk_restore_run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	char *way_back = vk_restore_next_command(run);

	fflush(call->out);
	fprintf(call->err, "undo capture: %s\n", undo_id);
	if (way_back != NULL)
		fprintf(call->err, "to go back to the state before: %s\n", way_back);
	fflush(call->err);
	free(way_back);
}

bool vk_restore_read_options(struct vk_restore_run *run)
{
	const struct vk_cli_call *call = run->cmd.call;
	struct vk_restore_options *options = &run->options;

	run->target = call->arguments[1];
	run->verbose = vk_cli_flag(call, "verbose");
	options->undo_taken = tell_undo;
	options->undo_taken_ctx = run;
	options->store = vk_cmd_store(call);
	options->command = call->command;
	options->overrides = vk_cli_chosen(call, "override");
	if (!vk_cmd_read_sector_size(&run->cmd, &options->sector_size) || !read_wait(run) || !read_plan(run) ||
	    !vk_cmd_open_sign_key(&run->cmd) || !vk_cmd_open_public_key(&run->cmd))
		return false;
	options->sign_key = run->cmd.sign_key;
	options->public_key = run->cmd.public_key;
	return true;
}

bool vk_restore_begin_writing(struct vk_restore_run *run)
{
	const struct vk_edit *edits;

	if (vk_restore_refused(run->restore))
		return vk_cmd_ok(&run->cmd, VK_EXIT_REFUSED);
	if (!vk_cli_flag(run->cmd.call, "write") || vk_restore_edits(run->restore, &edits) == 0)
		return false;
	vk_signals_hold(&run->signals);
	run->holds_signals = true;
	return true;
}

static void record(const struct vk_restore_run *run, enum vk_event_kind kind, const char *const captures[2])
{
	const struct vk_restore_options *options = &run->options;
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = options->sign_key,
					     .command = options->command};
	char result[100];
	const struct vk_event event = {.kind = kind,
				       .captures = captures,
				       .capture_count = 2,
				       .target = run->target,
				       .plan = vk_restore_plan_digest(run->restore),
				       .result = result};
	struct vk_store *store;
	struct vk_error err;
	enum vk_status status;

	snprintf(result, sizeof(result), "%s %llu bytes", run->written ? "written" : "failed after",
		 (unsigned long long)vk_restore_written_bytes(run->restore));
	status = vk_store_open(options->store, &use, &store, &err);
	if (status == VK_OK) {
		status = vk_ledger_append(store, &event, &err);
		vk_store_close(store);
	}
	if (status != VK_OK)
		fprintf(run->cmd.call->err, "%s: note: not recorded in the ledger: %s\n", run->cmd.call->program->name,
			err.what);
}

void vk_restore_written(struct vk_restore_run *run, enum vk_status status, enum vk_event_kind kind,
			const char *const captures[2])
{
	run->written = status == VK_OK;
	run->failed = !run->written;
	if (run->undo_id[0] != '\0')
		record(run, kind, captures);
}

/* The whole command that takes back what was written before it failed. */
static void report_failure(struct vk_restore_run *run)
{
	char *command;

	(void)vk_cmd_fail(&run->cmd, &run->error);
	if (run->undo_id[0] == '\0' || vk_restore_written_bytes(run->restore) == 0)
		return;
	command = vk_restore_next_command(run);
	if (command != NULL)
		fprintf(run->cmd.call->err, "  to go back: %s\n", command);
	free(command);
}

void vk_restore_end(struct vk_restore_run *run)
{
	if (run->restore != NULL)
		vk_restore_show_objections(run);
	if (run->failed)
		report_failure(run);
	if (!run->holds_signals)
		return;
	fflush(run->cmd.call->out);
	vk_signals_release(&run->signals);
}

/* restore and undo. */

struct run {
	struct vk_restore_run plan; /* first */
	struct vk_capture capture;
	bool is_open;
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;

	if (!run->plan.undo)
		run->plan.options.parts = vk_cli_chosen(run->plan.cmd.call, "part");
	return vk_restore_read_options(&run->plan);
}

/* A capture so broken that it cannot be opened fails verification before there is a plan. */
static bool cannot_open(struct vk_restore_run *run, const struct vk_error *err)
{
	const struct vk_guard_kind *kind = vk_guard_kind(VK_GUARD_CAPTURE_VERIFIED);
	int code = vk_cli_fail(run->cmd.call, err);

	if (err->status != VK_DAMAGED && err->status != VK_UNSUPPORTED)
		return vk_cmd_ok(&run->cmd, code);
	fprintf(run->cmd.call->err, "guard %s refuses: %s; %s\n", kind->name, kind->protects, kind->past);
	return vk_cmd_ok(&run->cmd, VK_EXIT_REFUSED);
}

/* An undo capture holds a wreck, under the label of the disk that has been put right since. */
static bool refuse_undo_capture(struct vk_restore_run *run)
{
	const struct vk_cli_call *call = run->cmd.call;
	char *command = vk_restore_as_undo(run);

	fprintf(call->err, "%s restore: ", call->program->name);
	vk_words_clean(call->err, run->capture->id);
	fputs(" is an undo capture: it holds what a restore overwrote, with all its damage, and is no backup\n",
	      call->err);
	if (command != NULL)
		fprintf(call->err, "to take that restore back use:\n  %s\n", command);
	free(command);
	return vk_cmd_ok(&run->cmd, VK_EXIT_USAGE);
}

static bool plan_and_write(void *ctx)
{
	struct run *all = ctx;
	struct vk_restore_run *run = &all->plan;
	const struct vk_cli_call *call = run->cmd.call;
	const char *const captures[2] = {all->capture.id, run->undo_id};
	struct vk_error err;

	if (vk_capture_open(run->options.store, call->arguments[0], &all->capture, &err) != VK_OK)
		return cannot_open(run, &err);
	all->is_open = true;
	run->capture = &all->capture;
	if (run->undo && !all->capture.is_undo)
		return vk_cmd_ok(&run->cmd, vk_cli_usage(call, "%s is no undo capture; to put a capture back use: %s "
							 "restore", call->arguments[0], call->program->name));
	if (!run->undo && all->capture.is_undo)
		return refuse_undo_capture(run);
	if (vk_restore_plan(run->capture, run->target, &run->options, &run->restore, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	if (vk_restore_begin_writing(run))
		vk_restore_written(run, vk_restore_write(run->restore, run->undo_id, &run->error),
				   run->undo ? VK_EVENT_UNDO : VK_EVENT_RESTORE, captures);
	return true;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_restore_end(&run->plan);
	vk_restore_free(run->plan.restore);
	if (run->is_open)
		vk_capture_close(&run->capture);
}

int vk_restore_run(struct vk_cli_call *call, bool undo)
{
	const struct vk_cmd_steps steps = {undo ? "vmfskit.undo/1" : "vmfskit.restore/1", read_options, plan_and_write,
					   vk_restore_put_json, vk_restore_show, end};
	struct run run = {.plan.undo = undo};

	return vk_cmd_run(call, &run, &steps);
}
