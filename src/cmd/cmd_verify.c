/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit verify */
#include <stdint.h>
#include <stdlib.h>

#include "cmd/captures.h"
#include "report/report.h"
#include "store/folder.h"

struct checks {
	char **paths;
	struct vk_cmd_judged *items;
	size_t count;
	struct vk_verify_cache *cache;
};

static void check(void *ctx, size_t index)
{
	struct checks *checks = ctx;

	vk_cmd_judge(checks->paths[index], true, checks->cache, &checks->items[index]);
}

static void print_check(const struct vk_cli_call *call, const struct vk_cmd_judged *judged)
{
	const struct vk_report_style style = vk_report_style_for(call->out);
	char saved[64];

	fprintf(call->out, "%s: %s", judged->path, vk_cmd_verdict(judged));
	if (judged->known) {
		vk_cmd_size(vk_cmd_saved_bytes(&judged->capture), saved);
		fprintf(call->out, ", %zu regions, %s", judged->capture.region_count, saved);
	}
	fputc('\n', call->out);
	vk_report_findings_text(call->out, &judged->findings, NULL, &style);
}

static json_t *checks_json(const struct checks *checks)
{
	json_t *captures = json_array();
	json_t *findings = json_array();
	bool ok = true;

	for (size_t i = 0; i < checks->count && ok; i++) {
		const struct vk_cmd_judged *judged = &checks->items[i];
		json_t *o = json_pack("{s:s,s:s}", "path", judged->path, "verdict",
				      vk_cmd_verdict(judged));

		if (judged->known)
			ok = json_object_set_new(o, "id", json_string(judged->capture.id)) == 0;
		if (judged->status != VK_OK)
			ok = ok && json_object_set_new(o, "error", json_string(judged->err.what)) == 0;
		ok = json_array_append_new(captures, o) == 0 && ok &&
		     vk_report_findings_json(findings, judged->path, &judged->findings);
	}
	if (ok)
		return json_pack("{s:s,s:o,s:o}", "schema", "vmfskit.verify/1", "captures", captures,
				 "findings", findings);
	json_decref(captures);
	json_decref(findings);
	return NULL;
}

static int report(struct vk_cli_call *call, const struct checks *checks)
{
	bool json = vk_cli_flag(call, "json");
	int code = VK_EXIT_OK;

	for (size_t i = 0; i < checks->count; i++) {
		const struct vk_cmd_judged *judged = &checks->items[i];
		int one = vk_findings_bad(&judged->findings) ? VK_EXIT_FINDINGS : VK_EXIT_OK;

		if (!json)
			print_check(call, judged);
		if (judged->status != VK_OK)
			one = vk_cli_fail(call, &judged->err);
		code = one > code ? one : code;
	}
	return json ? vk_cmd_put_json(call, checks_json(checks), code) : code;
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

static int run(struct vk_cli_call *call)
{
	struct checks checks = {.count = 0};
	int code = call->argument_count > 0 ? find_named(call, &checks) : find_all(call, &checks);
	int judged = VK_EXIT_OK;

	if (checks.paths == NULL && checks.count == 0 && code != VK_EXIT_OK)
		return code;
	checks.items = calloc(checks.count + 1, sizeof(*checks.items));
	if (checks.items == NULL || (checks.paths == NULL && call->argument_count > 0)) {
		struct vk_error err;

		vk_error_set(&err, VK_NOMEM, NULL, "no memory for the captures");
		judged = vk_cli_fail(call, &err);
	} else {
		checks.cache = vk_verify_cache_new();
		vk_cmd_spread(checks.count, check, &checks);
		vk_verify_cache_free(checks.cache);
		judged = report(call, &checks);
	}
	for (size_t i = 0; i < checks.count && checks.items != NULL; i++)
		vk_cmd_judged_free(&checks.items[i]);
	free(checks.items);
	free(checks.paths);
	return judged > code ? judged : code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit verify", "prove every capture of the store"},
	{"vmfskit verify 20261121T014500Z-sdb", "prove one, by its id"},
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
		"links in the place of files, and regions that overlap or reach past the end of the disk are told, "
		"too.\n\n"
		"All that is wrong is printed, not only the first thing. The exit code is 1 when anything is.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run,
};
