/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit verify */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/shared/causes.h"
#include "report/report.h"
#include "base/shown.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_lines.h"
#include "store/verify/told.h"

struct run {
	struct vk_cmd cmd;
	char **paths;
	struct vk_cmd_judged *items;
	size_t count;
	size_t wrong; /* so many of them */
	struct vk_cmd_causes causes; /* their findings */
	/* the ledger */
	bool insisted; /* --ledger or --anchor */
	bool asked;    /* all of the store is verified and there should be a ledger, or insisted */
	char *path;
	size_t lines;
	enum vk_status status;
	struct vk_findings findings;
};

/* A ledger, a head that tells that there was one, or an anchor from outside. */
static bool is_expected(const struct vk_cli_call *call)
{
	int fd = open(vk_cmd_store(call), O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool expected = vk_cli_value(call, "anchor") != NULL;

	expected = expected || vk_is_there(fd, VK_LEDGER_FILE) || vk_is_there(fd, VK_LEDGER_HEAD_FILE);
	if (fd >= 0)
		close(fd);
	return expected;
}

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;

	run->insisted = vk_cli_flag(call, "ledger") || vk_cli_given_here(call, "anchor");
	run->asked = run->insisted || (call->argument_count == 0 && is_expected(call));
	if (asprintf(&run->path, "%s/" VK_LEDGER_FILE, vk_cmd_store(call)) < 0) {
		run->path = NULL;
		return vk_cmd_no_memory(&run->cmd);
	}
	return vk_cmd_open_vouching(&run->cmd);
}

/* The named captures; what cannot be found is reported and left out. */
static bool find_named(struct run *run)
{
	const struct vk_cli_call *call = run->cmd.call;

	run->paths = calloc(call->argument_count, sizeof(*run->paths));
	if (run->paths == NULL)
		return vk_cmd_no_memory(&run->cmd);
	for (size_t i = 0; i < call->argument_count; i++) {
		struct vk_error err;

		if (!vk_cmd_name_argument(&run->cmd, 0, i))
			continue;
		if (vk_store_find(vk_cmd_store(call), call->arguments[i], &run->paths[run->count], &err) == VK_OK)
			run->count++;
		else
			vk_cmd_fail(&run->cmd, &err);
	}
	return true;
}

/* What is wrong with the captures, each cause once; how long it has been told, the last verify wrote down. */
static bool find_causes(struct run *run)
{
	int fd = open(vk_cmd_store(run->cmd.call), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *told = fd >= 0 ? vk_told_read(fd) : NULL;
	bool found = vk_cmd_causes_find(run->items, run->count, told, &run->causes);

	json_decref(told);
	if (fd >= 0)
		close(fd);
	return found;
}

static bool verify(void *ctx)
{
	struct run *run = ctx;
	const char *store = vk_cmd_store(run->cmd.call);
	const struct vk_ledger_check check = {.public_key = run->cmd.public_key,
					      .anchor = vk_cli_value(run->cmd.call, "anchor")};
	const struct vk_finding_sink sink = vk_findings_sink(&run->findings);
	struct vk_error err;

	if (run->cmd.call->argument_count > 0) {
		if (!find_named(run))
			return false;
	} else if (vk_cmd_store_paths(store, &run->paths, &run->count, &err) != VK_OK) {
		return vk_cmd_fail(&run->cmd, &err);
	}
	run->items = vk_cmd_judge(run->paths, run->count, run->cmd.vouching);
	if (run->items == NULL || !find_causes(run))
		return vk_cmd_no_memory(&run->cmd);
	for (size_t i = 0; i < run->count; i++) {
		const struct vk_cmd_judged *judged = &run->items[i];

		run->wrong += judged->status != VK_OK || vk_findings_bad(&judged->findings);
		if (judged->status != VK_OK)
			vk_cmd_fail(&run->cmd, &judged->err);
		else
			vk_cmd_judge_findings(&run->cmd, &judged->findings);
	}
	if (!run->asked)
		return true;
	run->status = vk_ledger_verify(store, &check, &sink, &run->lines, &err);
	if (run->status != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	else
		vk_cmd_judge_findings(&run->cmd, &run->findings);
	return true;
}

/* Who vouches, as bits; none where something speaks against it: the findings say what. */
static unsigned vouched_by(const struct vk_cmd_judged *judged)
{
	bool is_vouched = judged->status == VK_OK && judged->known &&
			  (vk_findings_flaws(&judged->findings) & VK_FLAW_DOUBT) == 0;

	return is_vouched ? judged->vouched_by : 0;
}

static void print_capture(const struct vk_cli_call *call, const struct vk_cmd_judged *judged)
{
	static const char *const by[] = {"nothing but itself", "the ledger", "its signature",
					 "the ledger and its signature"};
	const char *verdict = vk_cmd_verdict(judged);

	fprintf(call->out, "%s: %s", judged->path, verdict);
	if (judged->known)
		fprintf(call->out, ", %zu regions, %s", judged->capture.region_count,
			vk_shown_size_short(vk_cmd_saved_bytes(&judged->capture)).text);
	if (judged->known && judged->status == VK_OK && !vk_findings_errors(&judged->findings) &&
	    (vk_findings_flaws(&judged->findings) & VK_FLAW_DOUBT) == 0)
		fprintf(call->out, ", vouched for by %s", by[judged->vouched_by & 3]);
	if (strcmp(verdict, VK_VERDICT_UNDO) == 0)
		fputs("; " VK_UNDO_USE, call->out);
	fputc('\n', call->out);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	const struct vk_report_style style = vk_report_style_for(call->out);
	bool quiet = vk_cli_flag(call, "quiet");
	bool bad = vk_findings_bad(&run->findings);

	if (run->count == 0 && call->argument_count == 0)
		fprintf(call->out, "no captures in %s\n", vk_cmd_store(call));
	for (size_t i = 0; i < run->count; i++)
		if (!quiet || run->items[i].status != VK_OK)
			print_capture(call, &run->items[i]);
	vk_cmd_causes_show(call->out, &run->causes, run->items, quiet ? VK_WARNING : VK_INFO,
			   quiet || run->count > 1);
	if (quiet && run->wrong > 0)
		fprintf(call->out, "%zu captures: %zu sound, %zu not\n", run->count, run->count - run->wrong,
			run->wrong);
	if (!run->asked || run->status != VK_OK || (quiet && !bad))
		return;
	fprintf(call->out, "%s: %zu line%s, %s\n", run->path, run->lines, run->lines == 1 ? "" : "s",
		bad ? "not sound" : "sound");
	vk_report_findings_text(call->out, &run->findings, NULL, &style);
}

static json_t *capture_json(const struct vk_cmd_judged *judged)
{
	struct vk_json o = vk_json_begin();
	json_t *by = json_array();

	if ((vouched_by(judged) & VK_VOUCHED_LEDGER) != 0)
		vk_json_append(by, json_string("ledger"), &o);
	if ((vouched_by(judged) & VK_VOUCHED_SIGNATURE) != 0)
		vk_json_append(by, json_string("signature"), &o);
	VK_JSON_SET(&o, VK_KEY("path", judged->path), VK_KEY("vouched_by", by));
	vk_cmd_set_verdict(&o, judged);
	if (judged->known)
		vk_json_set_text(&o, "id", judged->capture.id);
	if (judged->status != VK_OK)
		vk_json_set_text(&o, "error", judged->err.what);
	return vk_json_end(&o);
}

static json_t *ledger_json(const struct run *run)
{
	int fd = open(vk_cmd_store(run->cmd.call), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vk_json o = vk_json_begin();
	struct vk_ledger_head head;
	struct vk_error err;

	VK_JSON_SET(&o, VK_KEY("path", run->path), VK_KEY("lines", run->lines),
		    VK_KEY("verdict", run->status != VK_OK		? "cannot be read"
				      : vk_findings_bad(&run->findings) ? "not sound"
									: "sound"));
	if (fd >= 0 && vk_ledger_head_read(fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &head, &err) == VK_OK) {
		vk_json_set(&o, "head",
			    VK_JSON_OBJECT(VK_KEY("seq", head.seq), VK_KEY("sha256", head.sha256),
					   VK_KEY("time", head.time), VK_KEY("signed", head.is_signed)));
	}
	if (fd >= 0)
		close(fd);
	return vk_json_end(&o);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *captures = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->count; i++) {
		vk_json_append(captures, capture_json(&run->items[i]), root);
		vk_cmd_findings_json(findings, run->items[i].path, &run->items[i].findings, root);
	}
	vk_cmd_findings_json(findings, run->path, &run->findings, root);
	vk_json_set(root, "captures", captures);
	if (run->asked)
		vk_json_set(root, "ledger", ledger_json(run));
	vk_json_set(root, "findings", findings);
}

/* Of a verify of all of the store: what the next one, and vmfskit status, call known. */
static enum vk_status keep_causes(const struct run *run, const struct vk_store *store, struct vk_error *err)
{
	json_t *told;

	if (run->cmd.call->argument_count > 0)
		return VK_OK;
	told = vk_cmd_causes_json(&run->causes, run->items, vk_shown_time_s((uint64_t)time(NULL)).text);
	return told != NULL ? vk_told_write(vk_store_fd(store), told, err) : vk_no_memory(err, run->path);
}

/*
 * Append that captures were verified: all of the store or some. Only captures of this store belong in its ledger: those
 * that were asked for by their ids. Where the store cannot be written to (a read-only mount, evidence of another user)
 * nothing is recorded.
 */
static void record(const struct run *run)
{
	const struct vk_cli_call *call = run->cmd.call;
	const struct vk_store_options use = {.use = VK_STORE_ADD, .command = call->command};
	const char **ids = calloc(run->count + 1, sizeof(*ids));
	char result[VK_LEDGER_RESULT_BYTES];
	struct vk_text text = vk_text_in(result, sizeof(result));
	const struct vk_event all = {.kind = VK_EVENT_VERIFY, .result = result};
	struct vk_event event = all;
	size_t len = strlen(vk_cmd_store(call));
	struct vk_store *store = NULL;
	struct vk_error err;
	struct stat st;
	size_t bad = 0;

	for (size_t i = 0; i < run->count && ids != NULL; i++) {
		const struct vk_cmd_judged *judged = &run->items[i];

		if (strncmp(judged->path, vk_cmd_store(call), len) != 0 || judged->path[len] != '/' ||
		    strchr(judged->path + len + 1, '/') != NULL)
			continue;
		ids[event.capture_count++] = judged->path + len + 1;
		bad += judged->status != VK_OK || vk_findings_bad(&judged->findings);
	}
	event.captures = ids;
	vk_text_fmt(&text, "%zu of %zu sound", event.capture_count - bad, event.capture_count);
	if (run->asked && run->status == VK_OK)
		vk_text_fmt(&text, ", ledger %s", vk_findings_bad(&run->findings) ? "not sound" : "sound");
	/* a ledger that was taken away must not be replaced by a new one that knows of nothing */
	if (event.capture_count > 0 && lstat(run->path, &st) == 0 &&
	    (vk_store_open(vk_cmd_store(call), &use, &store, &err) != VK_OK ||
	     vk_ledger_append(store, call->argument_count > 0 ? &event : &all, &err) != VK_OK ||
	     keep_causes(run, store, &err) != VK_OK) &&
	    run->insisted)
		fprintf(call->err, "%s: note: not recorded in the ledger: %s\n", call->program->name, err.what);
	vk_store_close(store);
	free(ids);
}

static void end(void *ctx)
{
	struct run *run = ctx;

	if (run->items != NULL)
		record(run);
	vk_cmd_causes_free(&run->causes);
	vk_cmd_judged_free(run->items, run->count);
	free(run->paths);
	free(run->path);
	vk_findings_free(&run->findings);
}

VK_CMD_VERB(run_verify, struct run, "vmfskit.verify/1", read_options, verify, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "ledger", .help = "prove the whole ledger also when single captures are named, or when there is none"},
	VK_PUBLIC_KEY_OPTION,
	{.name = "anchor",
	 .argument = "FILE",
	 .choices = "FILE",
	 .config = true,
	 .help = "compare the ledger with a head that was kept elsewhere (capture --anchor); on the command line it "
		 "implies --ledger"},
	{.name = "quiet", .help = "print only what is wrong"},
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit verify", "prove every capture of the store, and its ledger"},
	{"vmfskit verify 20261121T014500Z-sdb", "prove one, by its id"},
	{"vmfskit verify latest:datastore7", "prove the newest backup of the LUN with this label"},
	{"vmfskit verify --public-key pub.pem --anchor /mnt/safe/anchor",
	 "prove that nothing was removed, altered or slipped in"},
	{"vmfskit verify --ledger --quiet", "for cron: prints nothing when all is sound"},
	{"vmfskit verify ./20261121T014500Z-sdb", "prove a folder"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_verify = {
	.name = "verify",
	.arguments = "[CAPTURE...]",
	.purpose = "prove that captures are unaltered",
	.description =
		"Reads every file of each CAPTURE and compares it with the manifest and SHA256SUMS. A CAPTURE is an "
		"id of the store, a part of it or latest:LABEL as in vmfskit restore, or a folder's path; without "
		"any, all of the store is verified. Manifest and SHA256SUMS are compared with each other byte for "
		"byte, and the manifest with the form in which it was written. Also reported are extra files, links "
		"in the place of files, and regions that overlap or reach past the end of the disk.\n\n"
		"Anybody who can write to a capture can make all of that fit. So each capture is also compared with "
		"the ledger of its store, which must record exactly this manifest. With --public-key the capture must "
		"be signed by that key. Nobody else may be able to write to it or to the store. For a copy outside of "
		"any store the ledger of --store is used; if that does not record it either, the copy is \"vouched "
		"for by nothing but itself\".\n\n"
		"Without a CAPTURE the ledger itself is verified as well: no line was removed, altered, inserted or "
		"moved, and no capture is missing; with --public-key, lines and head are signed. With --anchor, a "
		"head that was kept elsewhere shows whether the whole store was emptied or replaced by an older "
		"state. With a CAPTURE the ledger is verified only if --ledger or --anchor is given.\n\n"
		"Everything that is wrong is printed, not only the first thing; the exit code is then 1. The run is "
		"recorded in the ledger if the store can be written to. A store on a read-only mount is verified in "
		"the same way.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run_verify,
};
