/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a verb: options, keys and store, its work, text or JSON, exit code. */
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "base/texts.h"
#include "cli/words.h"
#include "cmd/shared/frame.h"
#include "report/report.h"

bool vk_cmd_ok(struct vk_cmd *cmd, int code)
{
	cmd->code = code > cmd->code ? code : cmd->code;
	return code == VK_EXIT_OK;
}

bool vk_cmd_fail(struct vk_cmd *cmd, const struct vk_error *err)
{
	(void)vk_cmd_ok(cmd, vk_cli_fail(cmd->call, err));
	return false;
}

bool vk_cmd_no_memory(struct vk_cmd *cmd)
{
	struct vk_error err;

	vk_no_memory(&err, NULL);
	return vk_cmd_fail(cmd, &err);
}

void vk_cmd_judge_findings(struct vk_cmd *cmd, const struct vk_findings *findings)
{
	(void)vk_cmd_ok(cmd, vk_findings_bad(findings) ? VK_EXIT_FINDINGS : VK_EXIT_OK);
}

const char *vk_cmd_store(const struct vk_cli_call *call)
{
	const char *store = vk_cli_value(call, "store");

	return store != NULL ? store : VK_STORE_DEFAULT;
}

bool vk_cmd_open_sign_key(struct vk_cmd *cmd)
{
	const char *file = vk_cli_value(cmd->call, "sign-key");
	struct vk_error err;

	return file == NULL || vk_sign_key_open(file, &cmd->sign_key, &err) == VK_OK || vk_cmd_fail(cmd, &err);
}

bool vk_cmd_open_public_key(struct vk_cmd *cmd)
{
	const char *file = vk_cli_value(cmd->call, "public-key");
	struct vk_error err;

	return file == NULL || vk_public_key_open(file, &cmd->public_key, &err) == VK_OK || vk_cmd_fail(cmd, &err);
}

bool vk_cmd_open_vouching(struct vk_cmd *cmd)
{
	if (!vk_cmd_open_public_key(cmd))
		return false;
	cmd->vouching = vk_vouching_new(vk_cmd_store(cmd->call), cmd->public_key);
	return cmd->vouching != NULL || vk_cmd_no_memory(cmd);
}

bool vk_cmd_open_store(struct vk_cmd *cmd, enum vk_store_use use, bool must_exist)
{
	const struct vk_finding_sink sink = vk_findings_sink(&cmd->store_findings);
	struct vk_store_options options = {.use = must_exist ? VK_STORE_READ : use,
					   .sink = &sink,
					   .command = cmd->call->command,
					   .sign_key = cmd->sign_key};
	const char *path = vk_cmd_store(cmd->call);
	struct vk_error err;

	if (vk_store_open(path, &options, &cmd->store, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	if (options.use == use)
		return true;
	vk_store_close(cmd->store);
	cmd->store = NULL;
	return vk_cmd_open_store(cmd, use, false);
}

void vk_cmd_report_store_findings(struct vk_cmd *cmd)
{
	const struct vk_report_style style = vk_report_style_for(cmd->call->err);

	vk_report_findings_text(cmd->call->err, &cmd->store_findings, NULL, &style);
	(void)vk_cmd_ok(cmd, cmd->store_findings.count > 0 ? VK_EXIT_FINDINGS : VK_EXIT_OK);
}

bool vk_cmd_check_anchor(struct vk_cmd *cmd, bool saves)
{
	const char *file = vk_cli_value(cmd->call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor_check(vk_cmd_store(cmd->call), file, &err) == VK_OK)
		return true;
	/* an anchor that is out of reach costs no night its captures: it is reported when they are safe */
	return (saves && err.status == VK_IO) || vk_cmd_fail(cmd, &err);
}

void vk_cmd_keep_anchor(struct vk_cmd *cmd, size_t done, const char *what)
{
	const char *file = vk_cli_value(cmd->call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor(cmd->store, file, &err) == VK_OK)
		return;
	(void)vk_cli_fail(cmd->call, &err);
	fprintf(cmd->call->err, "%s: %zu capture%s %s; anchor not updated\n", cmd->call->program->name, done,
		done == 1 ? "" : "s", what);
	(void)vk_cmd_ok(cmd, VK_EXIT_IO);
}

bool vk_cmd_read_kind(struct vk_cmd *cmd, enum vk_source_kind *ret_kind)
{
	const char *as = vk_cli_value(cmd->call, "as");

	return as == NULL || vk_source_kind_parse(as, ret_kind) ||
	       vk_cmd_usage(cmd, "--as takes one of its words, not %s", as);
}

bool vk_cmd_read_how(struct vk_cmd *cmd, uint32_t *ret_sector_size, struct vk_io_view *ret_view)
{
	const char *at = vk_cli_value(cmd->call, "at");

	*ret_view = (struct vk_io_view){.mapfile = vk_cli_value(cmd->call, "mapfile")};
	*ret_sector_size = 0;
	if (at != NULL && (!vk_text_parse_size(at, &ret_view->at_bytes) || ret_view->at_bytes > INT64_MAX))
		return vk_cmd_usage(cmd, "--at is a number of bytes, or of sectors like 2048s, not %s", at);
	return vk_cmd_read_number(cmd, "stride", 520, 528, &ret_view->stride_bytes) &&
	       vk_cmd_read_number(cmd, "sector-size", 512, 4096, ret_sector_size);
}

const char *vk_cmd_next_source(const struct vk_cli_call *call, size_t *index, struct vk_io_view *view)
{
	const char *const *paths = (const char *const *)call->arguments + *index;
	size_t count = vk_io_split_count(paths, call->argument_count - *index);

	view->pieces = paths + 1;
	view->piece_count = count - 1;
	*index += count;
	return paths[0];
}

const char *vk_cmd_one_source(struct vk_cmd *cmd, size_t index, struct vk_io_view *view)
{
	const char *path = vk_cmd_next_source(cmd->call, &index, view);

	if (index == cmd->call->argument_count)
		return path;
	(void)vk_cmd_usage(cmd, "unexpected argument %s: only the pieces of one split dump are several files",
			   cmd->call->arguments[index]);
	return NULL;
}

void vk_cmd_put_source(struct vk_command *command, const char *path, const struct vk_io_view *view)
{
	vk_command_path(command, path);
	for (size_t i = 0; i < view->piece_count; i++)
		vk_command_path(command, view->pieces[i]);
}

bool vk_cmd_read_number(struct vk_cmd *cmd, const char *option, unsigned least, unsigned most, unsigned *ret_number)
{
	const char *value = vk_cli_value(cmd->call, option);
	uint64_t number;

	if (value == NULL)
		return true;
	if (!vk_text_parse_number(value, most, &number) || number < least)
		return vk_cmd_usage(cmd, "--%s is a whole number from %u to %u, not \"%s\"", option, least, most,
				    value);
	*ret_number = (unsigned)number;
	return true;
}

void vk_cmd_put_option(struct vk_command *command, const struct vk_cli_call *call, const char *name)
{
	const char *value;

	if (vk_cli_flag(call, name) && vk_cli_value(call, name) == NULL)
		vk_command_add(command, " --%s", name);
	for (size_t n = 0; (value = vk_cli_nth_value(call, name, n)) != NULL; n++) {
		vk_command_add(command, " --%s", name);
		vk_command_word(command, value);
	}
}

void vk_cmd_put_options(struct vk_command *command, const struct vk_cli_call *call, const char *names)
{
	struct vk_words rest = vk_words_of(names), word;
	char name[40];

	while (vk_words_next(&rest, &word)) {
		snprintf(name, sizeof(name), "%.*s", (int)word.len, word.text);
		vk_cmd_put_option(command, call, name);
	}
}

void vk_cmd_findings_json(json_t *array, const char *source, const struct vk_findings *findings, struct vk_json *owner)
{
	if (array == NULL || !vk_report_findings_json(array, source, findings))
		owner->failed = true;
}

json_t *vk_cmd_error_json(const char *disk, const struct vk_error *err)
{
	return VK_JSON_OBJECT(VK_KEY("disk", disk), VK_KEY("status", vk_status_name(err->status)),
			      VK_KEY("what", err->what), VK_KEY("where", err->where), VK_KEY("remedy", err->remedy));
}

static void show_json(struct vk_cmd *cmd, const void *run, const struct vk_cmd_steps *steps)
{
	struct vk_json root = vk_json_begin();
	json_t *object;

	vk_json_set_text(&root, "schema", steps->schema);
	steps->put_json(run, &root);
	object = vk_json_end(&root);
	(void)vk_screen_exact(cmd->call->out, true);
	if (object == NULL || json_dumpf(object, cmd->call->out, JSON_INDENT(2)) != 0)
		(void)vk_cmd_no_memory(cmd);
	else
		fputc('\n', cmd->call->out);
	(void)vk_screen_exact(cmd->call->out, false);
	json_decref(object);
}

int vk_cmd_run(struct vk_cli_call *call, void *run, const struct vk_cmd_steps *steps)
{
	struct vk_cmd *cmd = run;

	*cmd = (struct vk_cmd){.call = call, .json = steps->put_json != NULL && vk_cli_flag(call, "json")};
	if ((steps->read_options == NULL || steps->read_options(run)) && steps->work(run)) {
		if (cmd->json)
			show_json(cmd, run, steps);
		else
			steps->put_text(run);
	}
	if (steps->end != NULL)
		steps->end(run);
	vk_store_close(cmd->store);
	vk_vouching_free(cmd->vouching);
	vk_public_key_close(cmd->public_key);
	vk_sign_key_close(cmd->sign_key);
	vk_findings_free(&cmd->store_findings);
	vk_sentences_free(&cmd->names, &cmd->name_count);
	return cmd->code;
}
