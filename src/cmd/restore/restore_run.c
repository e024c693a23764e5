/* SPDX-License-Identifier: Apache-2.0 */
/* What restore, undo and repair do around a plan: options, commands to paste, writing. */
#include "cmd/restore/restore_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "base/signals.h"

/* Hosts beat every three seconds: who waits less sees none. Tests have their own clocks. */
#ifdef VK_TEST_HOOKS
#define WAIT_LEAST_SECONDS 0.001
#else
#define WAIT_LEAST_SECONDS 4
#endif

bool vk_restore_may_be_lifted(const struct vk_restore *restore)
{
	const struct vk_objection *objections;
	size_t count = vk_restore_objections(restore, &objections);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (objections[i].overridden)
			continue;
		any = true;
		if (!objections[i].acceptable)
			return false;
	}
	return any;
}

/* --override as it was given, and with what may be lifted. */
static void put_overrides(struct vk_command *command, const struct vk_restore_run *run)
{
	const struct vk_objection *objections;
	bool lift = run->restore != NULL && vk_restore_may_be_lifted(run->restore), put[VK_GUARD_COUNT] = {false};
	size_t count = lift ? vk_restore_objections(run->restore, &objections) : 0;

	vk_cmd_put_option(command, run->cmd.call, "override");
	for (size_t i = 0; i < count; i++) {
		enum vk_guard guard = objections[i].guard;

		if (objections[i].overridden || put[guard])
			continue;
		put[guard] = true;
		vk_command_add(command, " --override %s", vk_guard_kind(guard)->name);
	}
}

/* back: the command that undoes what was written; else the same again, as verb. */
static char *make_command(const struct vk_restore_run *run, const char *verb, bool back, bool write)
{
	const struct vk_cli_call *call = run->cmd.call;
	const char *plan = run->restore != NULL ? vk_restore_plan_digest(run->restore) : "";
	bool repair = run->capture->memory != NULL; /* whose own options are all that it has */
	struct vk_command command;

	vk_command_begin(&command, call->program->name);
	vk_command_add(&command, " %s", verb);
	/* what stands before the target: a capture, or a word */
	if (back || call->verb->least_arguments > 1)
		vk_command_path(&command, back ? run->undo_id : call->arguments[0]);
	vk_cmd_put_source(&command, run->target, &run->options.view);
	if (!back) {
		if (strcmp(verb, call->verb->name) == 0)
			vk_cmd_put_options(&command, call, run->own_options);
		put_overrides(&command, run);
		if (!repair)
			vk_cmd_put_option(&command, call, "heartbeat-wait");
	} else if (vk_cli_value(call, "public-key") != NULL && vk_cli_value(call, "sign-key") == NULL) {
		/*
		 * an undo capture that could not be signed is not vouched for where signatures are due: this run has
		 * made it
		 */
		vk_command_add(&command, " --override %s", vk_guard_kind(VK_GUARD_CAPTURE_VOUCHED)->name);
	}
	if (back || !repair)
		vk_cmd_put_options(&command, call, VK_HOW_OPTION_NAMES " store sign-key public-key config");
	/* what undoes it was not looked at yet; it is bound by the bytes of the undo capture, guard changed-since */
	if (!back && plan[0] != '\0')
		vk_command_add(&command, " --plan %s", plan);
	vk_command_add(&command, "%s", write ? " --write" : "");
	return vk_command_end(&command);
}

char *vk_restore_next_command(const struct vk_restore_run *run)
{
	bool back = run->undo_id[0] != '\0';

	return make_command(run, back ? "undo" : run->cmd.call->verb->name, back, true);
}

char *vk_restore_as_undo(const struct vk_restore_run *run)
{
	return make_command(run, "undo", false, vk_cli_flag(run->cmd.call, "write"));
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
		vk_screen_paste(call->err, "to go back to the state before: %s\n", way_back);
	fflush(call->err);
	free(way_back);
}

/* --write through a view is refused before a disk is searched for hours; the library refuses it as well. */
static bool may_write(struct vk_restore_run *run)
{
	const struct vk_io_view *view = &run->options.view;
	struct vk_error err;

	if (!vk_cli_flag(run->cmd.call, "write") || vk_io_refuse_view_of(view, run->target, &err) == VK_OK)
		return true;
	return vk_cmd_fail(&run->cmd, &err);
}

bool vk_restore_read_options(struct vk_restore_run *run)
{
	struct vk_cli_call *call = run->cmd.call;
	struct vk_restore_options *options = &run->options;
	const char *wait = vk_cli_value(call, "heartbeat-wait"), *plan = vk_cli_value(call, "plan");
	double seconds = 0;
	char *end;

	run->verbose = vk_cli_flag(call, "verbose");
	options->undo_taken = tell_undo;
	options->undo_taken_ctx = run;
	options->store = vk_cmd_store(call);
	options->command = call->command;
	options->overrides = vk_cli_chosen(call, "override");
	options->plan = plan;
	if (!vk_cmd_read_how(&run->cmd, &options->sector_size, &options->view))
		return false;
	run->target = vk_cmd_one_source(&run->cmd, call->verb->least_arguments - 1, &options->view);
	if (run->target == NULL || !may_write(run))
		return false;
	if (wait != NULL) {
		seconds = strtod(wait, &end);
		if (end == wait || *end != '\0' || !(seconds >= 0.001 && seconds <= 3600))
			return vk_cmd_usage(&run->cmd, "--heartbeat-wait %s: give 0.001 to 3600 seconds", wait);
		if (seconds < WAIT_LEAST_SECONDS && (options->overrides & 1U << VK_GUARD_HEARTBEAT) == 0)
			return vk_cmd_usage(&run->cmd,
					    "--heartbeat-wait %s: hosts beat every 3 seconds, less than 4 would miss "
					    "them (guard heartbeat)",
					    wait);
	}
	options->heartbeat_wait_ms = (unsigned)(seconds * 1000 + 0.5);
	if (plan != NULL && (strlen(plan) != VK_PLAN_DIGEST_BYTES - 1 ||
			     strspn(plan, "0123456789abcdef") != VK_PLAN_DIGEST_BYTES - 1))
		return vk_cmd_usage(&run->cmd, "--plan %s: give the %d hexadecimal digits that the plan was shown with",
				    plan, VK_PLAN_DIGEST_BYTES - 1);
	if (!vk_cmd_open_sign_key(&run->cmd) || !vk_cmd_open_public_key(&run->cmd))
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

void vk_restore_written(struct vk_restore_run *run, enum vk_status status, enum vk_event_kind kind,
			const char *const captures[2])
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

	run->written = status == VK_OK;
	run->failed = !run->written;
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
		fprintf(run->cmd.call->err, "%s: note: not recorded in the ledger: %s\n", run->cmd.call->program->name,
			err.what);
}

static void show_objections(const struct vk_restore_run *run)
{
	const struct vk_objection *objections;
	size_t count = vk_restore_objections(run->restore, &objections);

	fflush(run->cmd.call->out);
	for (size_t i = 0; i < count; i++) {
		const struct vk_guard_kind *kind = vk_guard_kind(objections[i].guard);

		fprintf(run->cmd.call->err, "guard %s %s: %s\n", kind->name,
			objections[i].overridden ? "was lifted" : "refuses", objections[i].message);
		if (!objections[i].overridden)
			fprintf(run->cmd.call->err,
				"  what to do: %s\n  --override %s: writes although %s; the risk: %s\n",
				objections[i].past, kind->name, kind->why, kind->risk);
	}
}

void vk_restore_end(struct vk_restore_run *run)
{
	char *command = NULL;

	if (run->restore != NULL)
		show_objections(run);
	if (run->failed) {
		(void)vk_cmd_fail(&run->cmd, &run->error);
		/* the whole command that takes back what was written before it failed */
		if (run->undo_id[0] != '\0' && vk_restore_written_bytes(run->restore) > 0)
			command = vk_restore_next_command(run);
		if (command != NULL)
			vk_screen_paste(run->cmd.call->err, "  to go back: %s\n", command);
		free(command);
	}
	if (!run->holds_signals)
		return;
	fflush(run->cmd.call->out);
	vk_signals_release(&run->signals);
}
