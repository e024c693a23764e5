/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit verify */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/verify_ledger.h"
#include "report/report.h"
#include "store/folder/folder.h"

struct checks {
	char **paths;
	struct vk_cmd_judged *items;
	size_t count;
	struct vk_cmd_ledger ledger;
	struct vk_verify_cache *cache;
};

static void check(void *ctx, size_t index)
{
	struct checks *checks = ctx;

	vk_cmd_judge(checks->paths[index], checks->ledger.trust.vouching, checks->cache, &checks->items[index]);
}

/* Where something speaks against it the findings tell. */
static bool is_vouched(const struct vk_cmd_judged *judged)
{
	return judged->status == VK_OK && judged->known && (vk_findings_flaws(&judged->findings) & VK_FLAW_DOUBT) == 0;
}

static void print_vouched(FILE *out, const struct vk_cmd_judged *judged)
{
	static const char *const by[] = {"nothing but itself", "the ledger", "its signature",
					 "the ledger and its signature"};

	if (is_vouched(judged) && !vk_findings_errors(&judged->findings))
		fprintf(out, ", vouched for by %s", by[judged->vouched_by & 3]);
}

static json_t *vouched_json(const struct vk_cmd_judged *judged)
{
	json_t *by = json_array();
	bool vouched = is_vouched(judged);

	if (vouched && (judged->vouched_by & VK_VOUCHED_LEDGER) != 0)
		json_array_append_new(by, json_string("ledger"));
	if (vouched && (judged->vouched_by & VK_VOUCHED_SIGNATURE) != 0)
		json_array_append_new(by, json_string("signature"));
	return by;
}

static void print_check(const struct vk_cli_call *call, const struct vk_cmd_judged *judged)
{
	const struct vk_report_style style = vk_report_style_for(call->out);
	char saved[64];

	const char *verdict = vk_cmd_verdict(judged);

	fprintf(call->out, "%s: %s", judged->path, verdict);
	if (judged->known) {
		vk_cmd_size(vk_cmd_saved_bytes(&judged->capture), saved);
		fprintf(call->out, ", %zu regions, %s", judged->capture.region_count, saved);
		print_vouched(call->out, judged);
	}
	if (strcmp(verdict, VK_VERDICT_UNDO) == 0)
		fputs("; " VK_UNDO_USE, call->out);
	fputc('\n', call->out);
	vk_report_findings_text(call->out, &judged->findings, NULL, &style);
}

static json_t *checks_json(const struct vk_cli_call *call, const struct checks *checks)
{
	json_t *captures = json_array();
	json_t *findings = json_array();
	json_t *ledger = checks->ledger.asked ? vk_cmd_ledger_json(call, &checks->ledger) : NULL;
	bool ok = !checks->ledger.asked || ledger != NULL;

	for (size_t i = 0; i < checks->count && ok; i++) {
		const struct vk_cmd_judged *judged = &checks->items[i];
		json_t *o = json_pack("{s:s,s:o}", "path", judged->path, "vouched_by", vouched_json(judged));

		ok = vk_cmd_put_verdict(o, judged);
		if (judged->known)
			ok = ok && json_object_set_new(o, "id", json_string(judged->capture.id)) == 0;
		if (judged->status != VK_OK)
			ok = ok && json_object_set_new(o, "error", json_string(judged->err.what)) == 0;
		ok = json_array_append_new(captures, o) == 0 && ok &&
		     vk_report_findings_json(findings, judged->path, &judged->findings);
	}
	ok = ok && vk_report_findings_json(findings, checks->ledger.path, &checks->ledger.findings);
	if (ok)
		return json_pack("{s:s,s:o,s:o*,s:o}", "schema", "vmfskit.verify/1", "captures", captures,
				 "ledger", ledger, "findings", findings);
	json_decref(ledger);
	json_decref(captures);
	json_decref(findings);
	return NULL;
}

static int report(struct vk_cli_call *call, const struct checks *checks)
{
	bool json = vk_cli_flag(call, "json");
	bool quiet = vk_cli_flag(call, "quiet");
	size_t wrong = 0;
	int code = VK_EXIT_OK;
	int of_ledger;

	for (size_t i = 0; i < checks->count; i++) {
		const struct vk_cmd_judged *judged = &checks->items[i];
		int one = vk_findings_bad(&judged->findings) ? VK_EXIT_FINDINGS : VK_EXIT_OK;

		if (!json && !(quiet && one == VK_EXIT_OK && judged->status == VK_OK))
			print_check(call, judged);
		if (judged->status != VK_OK)
			one = vk_cli_fail(call, &judged->err);
		wrong += one != VK_EXIT_OK;
		code = one > code ? one : code;
	}
	if (quiet && !json && wrong > 0)
		fprintf(call->out, "%zu captures: %zu sound, %zu not\n", checks->count, checks->count - wrong, wrong);
	of_ledger = vk_cmd_ledger_report(call, &checks->ledger);
	code = of_ledger > code ? of_ledger : code;
	return json ? vk_cmd_put_json(call, checks_json(call, checks), code) : code;
}

/* The named captures; what cannot be found is told and leaves a gap that is closed. */
static int find_named(const struct vk_cli_call *call, struct checks *checks)
{
	int code = VK_EXIT_OK;

	checks->paths = calloc(call->argument_count, sizeof(*checks->paths));
	for (size_t i = 0; i < call->argument_count && checks->paths != NULL; i++) {
		struct vk_error err;
		int one = VK_EXIT_OK;

		if (vk_store_find(vk_cmd_store(call), call->arguments[i],
				  &checks->paths[checks->count], &err) == VK_OK)
			checks->count++;
		else
			one = vk_cli_fail(call, &err);
		code = one > code ? one : code;
	}
	return code;
}

static int find_all(const struct vk_cli_call *call, struct checks *checks)
{
	struct vk_error err;

	if (vk_cmd_store_paths(vk_cmd_store(call), &checks->paths, &checks->count, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	if (checks->count == 0 && !vk_cli_flag(call, "json"))
		fprintf(call->out, "no captures in %s\n", vk_cmd_store(call));
	return VK_EXIT_OK;
}

/* Only captures of this store belong in its ledger: those that were asked for by their ids. */
static void note(const struct vk_cli_call *call, const struct checks *checks)
{
	const char **ids = calloc(checks->count + 1, sizeof(*ids));
	const char *store = vk_cmd_store(call);
	size_t count = 0;
	size_t bad = 0;

	for (size_t i = 0; i < checks->count && ids != NULL; i++) {
		const struct vk_cmd_judged *judged = &checks->items[i];
		size_t len = strlen(store);

		if (strncmp(judged->path, store, len) != 0 || judged->path[len] != '/' ||
		    strchr(judged->path + len + 1, '/') != NULL)
			continue;
		ids[count++] = judged->path + len + 1;
		bad += judged->status != VK_OK || vk_findings_bad(&judged->findings);
	}
	if (ids != NULL)
		vk_cmd_ledger_note(call, &checks->ledger, call->argument_count > 0 ? ids : NULL, count, bad);
	free(ids);
}

static int verify(struct vk_cli_call *call, struct checks *checks)
{
	int code = call->argument_count > 0 ? find_named(call, checks) : find_all(call, checks);
	int judged = VK_EXIT_OK;

	if (checks->paths == NULL && checks->count == 0 && code != VK_EXIT_OK)
		return code;
	checks->items = calloc(checks->count + 1, sizeof(*checks->items));
	if (checks->items == NULL || (checks->paths == NULL && call->argument_count > 0)) {
		struct vk_error err;

		vk_no_memory(&err, NULL);
		judged = vk_cli_fail(call, &err);
	} else {
		checks->cache = vk_verify_cache_new();
		vk_cmd_spread(checks->count, check, checks);
		vk_verify_cache_free(checks->cache);
		vk_cmd_ledger_check(call, &checks->ledger);
		judged = report(call, checks);
		note(call, checks);
	}
	return judged > code ? judged : code;
}

static int run(struct vk_cli_call *call)
{
	struct checks checks = {.count = 0};
	int code = vk_cmd_ledger_begin(call, &checks.ledger);

	if (code == VK_EXIT_OK)
		code = verify(call, &checks);
	for (size_t i = 0; i < checks.count && checks.items != NULL; i++)
		vk_cmd_judged_free(&checks.items[i]);
	free(checks.items);
	free(checks.paths);
	vk_cmd_ledger_free(&checks.ledger);
	return code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "ledger", .help = "prove the whole ledger also when single captures are named, or when there is none"},
	VK_PUBLIC_KEY_OPTION,
	{.name = "anchor",
	 .argument = "FILE",
	 .choices = "FILE",
	 .config = true,
	 .help = "compare the ledger with a head that was kept outside (capture --anchor); on the command line it means "
		 "--ledger"},
	{.name = "quiet", .help = "print only what is wrong, and nothing when nothing is"},
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit verify", "prove every capture of the store, and its ledger"},
	{"vmfskit verify 20261121T014500Z-sdb", "prove one, by its id"},
	{"vmfskit verify --public-key pub.pem --anchor /mnt/safe/anchor",
	 "prove that nothing was removed, altered or slipped in"},
	{"vmfskit verify --ledger --quiet", "for cron: not a word when all is well"},
	{"vmfskit verify ./20261121T014500Z-sdb", "prove a folder that lies here"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_verify = {
	.name = "verify",
	.arguments = "[CAPTURE...]",
	.purpose = "prove that captures are what was saved",
	.description =
		"Reads every file of each CAPTURE (an id of the store, or a folder's path; without any, all of the store) "
		"and compares it with what the manifest and SHA256SUMS say; both of these are compared with each "
		"other byte for byte, and the manifest with the form in which it was written. Files that do not belong, "
		"links in the place of files, and regions that overlap or reach past the end of the disk are reported, "
		"too.\n\n"
		"Whoever can write to a capture can make all of that fit. So each is also held against the ledger of the store "
		"that it lies in: its manifest must be the one that was recorded. With --public-key it must be signed by that key. "
		"And nobody else may be able to write to it or to the store. Of a copy that lies outside of any store the ledger of "
		"--store is asked; one that nobody knows is \"vouched for by nothing but itself\".\n\n"
		"Without a CAPTURE the ledger itself is proved as well: that no line of it was removed, altered, put in or moved, "
		"that no capture is gone, and with --public-key that lines and head are signed. With --anchor a head that was kept "
		"outside shows whether the whole store was put back to an older state, or emptied. With a CAPTURE this is "
		"done when --ledger or --anchor is given.\n\n"
		"All that is wrong is printed, not only the first thing. The exit code is 1 when anything is. The run is "
		"recorded in the ledger where the store can be written to; evidence on a read-only mount is verified all "
		"the same.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run,
};
