/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and ledger for verify. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/shared/keys.h"
#include "cmd/verify_ledger.h"
#include "report/report.h"
#include "store/ledger/ledger_lines.h"

/* A ledger, a head that tells that there was one, or an anchor from outside. */
static bool is_expected(const struct vk_cli_call *call)
{
	static const char *const files[] = {VK_LEDGER_FILE, VK_LEDGER_HEAD_FILE};
	bool expected = vk_cli_value(call, "anchor") != NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !expected; i++) {
		struct stat st;
		char *path;

		if (asprintf(&path, "%s/%s", vk_cmd_store(call), files[i]) < 0)
			return true;
		expected = lstat(path, &st) == 0;
		free(path);
	}
	return expected;
}

int vk_cmd_ledger_begin(const struct vk_cli_call *call, struct vk_cmd_ledger *ret_ledger)
{
	*ret_ledger = (struct vk_cmd_ledger){
		.insisted = vk_cli_flag(call, "ledger") || vk_cli_given_here(call, "anchor")};
	ret_ledger->asked = ret_ledger->insisted || (call->argument_count == 0 && is_expected(call));
	if (asprintf(&ret_ledger->path, "%s/" VK_LEDGER_FILE, vk_cmd_store(call)) < 0)
		ret_ledger->path = NULL;
	return vk_cmd_trust(call, &ret_ledger->trust);
}

void vk_cmd_ledger_check(const struct vk_cli_call *call, struct vk_cmd_ledger *ledger)
{
	const struct vk_ledger_check check = {.public_key = ledger->trust.key,
					      .anchor = vk_cli_value(call, "anchor")};
	struct vk_finding_sink sink = vk_findings_sink(&ledger->findings);

	if (ledger->asked)
		ledger->status = vk_ledger_verify(vk_cmd_store(call), &check, &sink, &ledger->lines, &ledger->err);
}

int vk_cmd_ledger_report(struct vk_cli_call *call, const struct vk_cmd_ledger *ledger)
{
	const struct vk_report_style style = vk_report_style_for(call->out);

	if (!ledger->asked)
		return VK_EXIT_OK;
	if (ledger->status != VK_OK)
		return vk_cli_fail(call, &ledger->err);
	if (!vk_cli_flag(call, "json") &&
	    !(vk_cli_flag(call, "quiet") && !vk_findings_bad(&ledger->findings))) {
		fprintf(call->out, "%s: %zu line%s, %s\n", ledger->path != NULL ? ledger->path : VK_LEDGER_FILE,
			ledger->lines, ledger->lines == 1 ? "" : "s",
			vk_findings_bad(&ledger->findings) ? "not sound" : "sound");
		vk_report_findings_text(call->out, &ledger->findings, NULL, &style);
	}
	return vk_findings_bad(&ledger->findings) ? VK_EXIT_FINDINGS : VK_EXIT_OK;
}

json_t *vk_cmd_ledger_json(const struct vk_cli_call *call, const struct vk_cmd_ledger *ledger)
{
	struct vk_ledger_head head;
	struct vk_error err;
	struct vk_store *store;
	const struct vk_store_options use = {.use = VK_STORE_READ};
	json_t *o = json_pack("{s:s?,s:I,s:s}", "path", ledger->path, "lines", (json_int_t)ledger->lines, "verdict",
			      ledger->status != VK_OK		       ? "cannot be read"
			      : vk_findings_bad(&ledger->findings) ? "not sound"
								       : "sound");

	if (o == NULL || vk_store_open(vk_cmd_store(call), &use, &store, &err) != VK_OK)
		return o;
	if (vk_ledger_head_read(vk_store_fd(store), VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &head, &err) == VK_OK &&
	    json_object_set_new(o, "head", json_pack("{s:I,s:s,s:s,s:b}", "seq", (json_int_t)head.seq, "sha256",
						     head.sha256, "time", head.time, "signed", head.is_signed)) != 0) {
		json_decref(o);
		o = NULL;
	}
	vk_store_close(store);
	return o;
}

void vk_cmd_ledger_free(struct vk_cmd_ledger *ledger)
{
	vk_cmd_trust_free(&ledger->trust);
	vk_findings_free(&ledger->findings);
	free(ledger->path);
}

void vk_cmd_ledger_note(const struct vk_cli_call *call, const struct vk_cmd_ledger *ledger, const char *const *ids,
			size_t count, size_t bad)
{
	const struct vk_store_options use = {.use = VK_STORE_ADD, .command = call->command};
	struct vk_event event = {.kind = VK_EVENT_VERIFY, .captures = ids, .capture_count = ids != NULL ? count : 0};
	char result[VK_LEDGER_RESULT_BYTES];
	struct vk_store *store;
	struct vk_error err;
	struct vk_text text;
	struct stat st;
	enum vk_status status;

	/* a ledger that was taken away must not be replaced by a new one that knows of nothing */
	if (count == 0 || ledger->path == NULL || lstat(ledger->path, &st) != 0)
		return;
	vk_text_init(&text, result, sizeof(result));
	vk_text_fmt(&text, "%zu of %zu sound", count - bad, count);
	if (ledger->asked && ledger->status == VK_OK)
		vk_text_fmt(&text, ", ledger %s", vk_findings_bad(&ledger->findings) ? "not sound" : "sound");
	event.result = result;
	status = vk_store_open(vk_cmd_store(call), &use, &store, &err);
	if (status == VK_OK) {
		status = vk_ledger_append(store, &event, &err);
		vk_store_close(store);
	}
	if (status != VK_OK && ledger->insisted)
		fprintf(call->err, "%s: note: not recorded in the ledger: %s\n", call->program->name, err.what);
}
