/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit prune: which captures may go, and let them go. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/words.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/shared/shell_words.h"
#include "cmd/shared/verbs.h"
#include "report/report.h"
#include "store/retention/prune.h"

enum { KEEP_MAX = 1000000 };

struct run {
	struct vk_cmd_key_pair keys; /* NULL: not named */
	struct vk_cli_call *call;
	struct vk_retention_policy policy;
	struct vk_prune prune;
	struct vk_pins pins;
	struct vk_verify_cache *cache;
	struct vk_findings findings; /* about the store itself */
	struct vk_findings ledger;
	bool refused; /* the ledger is not sound */
	bool write;
};

static const char *const verdicts[] = {"sound", "incomplete", "damaged"};

static int read_number(const struct vk_cli_call *call, const char *option, unsigned *ret_number)
{
	const char *value = vk_cli_value(call, option);
	uint64_t number;

	if (value == NULL)
		return VK_EXIT_OK;
	if (!vk_text_parse_number(value, KEEP_MAX, &number))
		return vk_cli_usage(call, "--%s is a whole number from 0 to %d, not \"%s\"", option, KEEP_MAX, value);
	*ret_number = (unsigned)number;
	return VK_EXIT_OK;
}

static int read_policy(const struct vk_cli_call *call, struct vk_retention_policy *ret_policy)
{
	int code;

	*ret_policy = VK_RETENTION_DEFAULT;
	code = read_number(call, "keep-daily", &ret_policy->keep_daily);
	if (code == VK_EXIT_OK)
		code = read_number(call, "keep-weekly", &ret_policy->keep_weekly);
	if (code == VK_EXIT_OK)
		code = read_number(call, "keep-monthly", &ret_policy->keep_monthly);
	if (code == VK_EXIT_OK)
		code = read_number(call, "keep-yearly", &ret_policy->keep_yearly);
	return code;
}

static const char *path_of(const struct run *run)
{
	return vk_store_path(run->prune.store);
}

/* A run would make a store that is not there: one that is misspelt must not come into being. */
static enum vk_status open_store(struct run *run, struct vk_error *err)
{
	const char *path = vk_cmd_store(run->call);
	const struct vk_finding_sink sink = vk_findings_sink(&run->findings);
	struct vk_store_options options = {.use = VK_STORE_READ, .sink = &sink, .command = run->call->command,
					   .sign_key = run->keys.sign};
	enum vk_status status = vk_store_open(path, &options, &run->prune.store, err);

	if (status != VK_OK || !run->write)
		return status;
	vk_store_close(run->prune.store);
	run->prune.store = NULL;
	options.use = VK_STORE_RUN;
	return vk_store_open(path, &options, &run->prune.store, err);
}

static enum vk_status list_captures(struct run *run, struct vk_error *err)
{
	char **ids;
	size_t count;
	enum vk_status status = vk_store_list(path_of(run), &ids, &count, err);

	if (status != VK_OK)
		return status;
	run->prune.captures = calloc(count + 1, sizeof(*run->prune.captures));
	if (run->prune.captures == NULL)
		status = vk_no_memory(err, path_of(run));
	else
		run->prune.count = count;
	for (size_t i = 0; i < count; i++) {
		if (status == VK_OK)
			snprintf(run->prune.captures[i].id, sizeof(run->prune.captures[i].id), "%s", ids[i]);
		free(ids[i]);
	}
	free(ids);
	return status;
}

/*
 * Who forged a newer capture, or rolled the store back, would have prune remove the genuine ones. So the whole ledger
 * is proved first, with the key and against the anchor where there are any.
 */
static enum vk_status ask_ledger(struct run *run, struct vk_error *err)
{
	const struct vk_finding_sink sink = vk_findings_sink(&run->ledger);
	const char *anchor = vk_cli_value(run->call, "anchor");
	struct vk_ledger_check check = {.public_key = run->keys.check};
	enum vk_status status;

	/* the first run has none yet and makes it */
	if (anchor != NULL && access(anchor, F_OK) == 0)
		check.anchor = anchor;
	status = vk_ledger_verify(path_of(run), &check, &sink, NULL, err);
	run->refused = status == VK_OK && vk_findings_bad(&run->ledger) && vk_cli_value(run->call, "override") == NULL;
	return status;
}

static enum vk_status refuse(const struct run *run, struct vk_error *err)
{
	const struct vk_finding *worst = &run->ledger.items[0];

	for (const struct vk_finding *f = worst; f < run->ledger.items + run->ledger.count; f++)
		if (vk_finding_kind(f->code)->severity > vk_finding_kind(worst->code)->severity)
			worst = f;
	vk_error_set(err, VK_REFUSED, path_of(run), "the ledger is not sound, so nothing is removed: %s: %s",
		     vk_finding_kind(worst->code)->code, worst->message);
	return vk_error_remedy(err, "vmfskit verify --ledger tells all of it; when it is settled, --override ledger "
				    "lets prune go on");
}

static void look(void *ctx, size_t index)
{
	struct run *run = ctx;

	vk_prune_look(&run->prune, &run->pins, run->cache, &run->prune.captures[index]);
}

static enum vk_status plan(struct run *run, struct vk_error *err)
{
	enum vk_status status = vk_pins_read(vk_store_fd(run->prune.store), path_of(run), &run->pins, err);

	if (status == VK_OK)
		status = list_captures(run, err);
	if (status != VK_OK)
		return status;
	run->cache = vk_verify_cache_new();
	vk_cmd_spread(run->prune.count, look, run);
	return vk_prune_decide(&run->prune, &run->policy, err);
}

/* The command that does what was shown. Free the result; NULL when memory ran out. */
static char *next_command(const struct run *run)
{
	static const char *const kept[] = {"keep-daily", "keep-weekly", "keep-monthly", "keep-yearly",
					   "store",	 "sign-key",	"public-key",	"anchor",
					   "override",	 "config"};
	struct vk_command command;

	vk_command_begin(&command, run->call->program->name);
	vk_command_add(&command, " %s", run->call->verb->name);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		vk_cmd_put_option(&command, run->call, kept[i]);
	vk_command_add(&command, " --write");
	return vk_command_end(&command);
}

/* The name of a folder that anyone may have made. */
static const char *shown_id(const struct vk_prune_capture *capture, char buf[4 * VK_CAPTURE_ID_BYTES])
{
	struct vk_text text;

	vk_text_init(&text, buf, 4 * VK_CAPTURE_ID_BYTES);
	vk_text_label(&text, (const uint8_t *)capture->id, strlen(capture->id));
	return buf;
}

static const char *verdict_of(const struct vk_prune_capture *capture)
{
	return capture->problem[0] != '\0' ? "unclear" : verdicts[capture->verdict];
}

static void print_sum(const struct run *run)
{
	FILE *out = run->call->out;
	size_t gone = 0;
	char room[64];

	for (size_t i = 0; i < run->prune.count; i++)
		gone += run->prune.captures[i].removed;
	vk_cmd_size(run->prune.free_bytes, room);
	if (run->write && !run->refused)
		fprintf(out, "%zu captures: kept %zu, removed %zu, freed about %s\n", run->prune.count,
			run->prune.count - gone, gone, room);
	else
		fprintf(out, "%zu captures: keep %zu, remove %zu, which frees about %s\n", run->prune.count,
			run->prune.count - run->prune.remove_count, run->prune.remove_count, room);
}

static void print(const struct run *run)
{
	FILE *out = run->call->out;
	const struct vk_report_style style = vk_report_style_for(out);
	size_t width = 0;
	char id[4 * VK_CAPTURE_ID_BYTES];

	vk_report_findings_text(out, &run->findings, path_of(run), &style);
	vk_report_findings_text(out, &run->ledger, path_of(run), &style);
	if (run->prune.count == 0) {
		fprintf(out, "no captures in %s\n", path_of(run));
		return;
	}
	for (size_t i = 0; i < run->prune.count; i++) {
		size_t len = strlen(shown_id(&run->prune.captures[i], id));

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < run->prune.count; i++) {
		const struct vk_prune_capture *c = &run->prune.captures[i];

		fprintf(out, "%-7s  %-10s  %-*s  ",
			c->removed ? "removed"
			: c->keep  ? "keep"
				   : "remove",
			verdict_of(c), (int)width, shown_id(c, id));
		vk_words_clean(out, c->why);
		fputc('\n', out);
	}
	print_sum(run);
	if (!run->write && !run->refused && run->prune.remove_count > 0) {
		char *next = next_command(run);

		fprintf(out, "nothing was removed; to do this:\n  %s\n", next != NULL ? next : "prune --write");
		free(next);
	}
}

static json_t *capture_json(const struct vk_prune_capture *c)
{
	char id[4 * VK_CAPTURE_ID_BYTES];
	bool known = c->disk != NULL;

	return json_pack("{s:s,s:b,s:s,s:s,s:b,s:b,s:s?,s:s?}", "id", shown_id(c, id), "keep", c->keep, "why", c->why,
			 "verdict", verdict_of(c), "pinned", c->pinned, "removed", c->removed, "time",
			 known ? c->time : NULL, "disk", known ? c->source_path : NULL);
}

static json_t *run_json(const struct run *run)
{
	const struct vk_retention_policy *p = &run->policy;
	json_t *captures = json_array();
	json_t *findings = json_array();
	char *next = run->write || run->refused || run->prune.remove_count == 0 ? NULL : next_command(run);
	json_t *root = NULL;
	bool sound = true;

	for (size_t i = 0; i < run->prune.count && sound; i++)
		sound = json_array_append_new(captures, capture_json(&run->prune.captures[i])) == 0;
	if (sound && vk_report_findings_json(findings, path_of(run), &run->findings) &&
	    vk_report_findings_json(findings, path_of(run), &run->ledger))
		root = json_pack("{s:s,s:s,s:{s:I,s:I,s:I,s:I},s:b,s:O,s:I,s:I,s:I,s:s?,s:O}", "schema",
				 "vmfskit.prune/1", "store", path_of(run), "policy", "keep_daily",
				 (json_int_t)p->keep_daily, "keep_weekly", (json_int_t)p->keep_weekly,
				 "keep_monthly", (json_int_t)p->keep_monthly, "keep_yearly",
				 (json_int_t)p->keep_yearly, "written", run->write && !run->refused, "captures",
				 captures, "keep_count", (json_int_t)(run->prune.count - run->prune.remove_count),
				 "remove_count", (json_int_t)run->prune.remove_count, "free_bytes",
				 (json_int_t)run->prune.free_bytes, "next", next, "findings", findings);
	json_decref(captures);
	json_decref(findings);
	free(next);
	return root;
}

static int judge(const struct run *run)
{
	for (size_t i = 0; i < run->prune.count; i++)
		if (run->prune.captures[i].unread)
			return VK_EXIT_IO;
	for (size_t i = 0; i < run->prune.count; i++)
		if (run->prune.captures[i].problem[0] != '\0' ||
		    run->prune.captures[i].verdict == VK_RETENTION_DAMAGED)
			return VK_EXIT_FINDINGS;
	return vk_findings_bad(&run->findings) || vk_findings_bad(&run->ledger) ? VK_EXIT_FINDINGS : VK_EXIT_OK;
}

static int work(struct run *run)
{
	struct vk_error err;
	struct vk_error removing = {.status = VK_OK};
	int code;

	if (open_store(run, &err) != VK_OK || ask_ledger(run, &err) != VK_OK || plan(run, &err) != VK_OK)
		return vk_cli_fail(run->call, &err);
	if (run->refused)
		removing.status = refuse(run, &removing);
	else if (run->write && run->prune.remove_count > 0)
		removing.status = vk_prune_remove(&run->prune, &removing);
	code = judge(run);
	if (vk_cli_flag(run->call, "json"))
		code = vk_cmd_put_json(run->call, run_json(run), code);
	else
		print(run);
	return removing.status == VK_OK ? code : vk_cli_fail(run->call, &removing);
}

static int run(struct vk_cli_call *call)
{
	struct run run = {.call = call, .write = vk_cli_flag(call, "write")};
	const char *override = vk_cli_value(call, "override");
	int code = read_policy(call, &run.policy);
	size_t gone = 0;
	int anchored;

	if (override != NULL && strcmp(override, "ledger") != 0)
		return vk_cli_usage(call, "--override takes ledger, not \"%s\"", override);
	if (code == VK_EXIT_OK)
		code = vk_cmd_keys(call, &run.keys);
	if (code == VK_EXIT_OK && run.write)
		code = vk_cmd_anchor_check(call, vk_cmd_store(call), false);
	if (code != VK_EXIT_OK) {
		vk_cmd_keys_close(&run.keys);
		return code;
	}
	code = work(&run);
	for (size_t i = 0; i < run.prune.count; i++)
		gone += run.prune.captures[i].removed;
	anchored = run.write && !run.refused && run.prune.store != NULL
			   ? vk_cmd_anchor(call, run.prune.store, gone, "removed")
			   : VK_EXIT_OK;
	code = anchored > code ? anchored : code;
	for (size_t i = 0; i < run.prune.count; i++)
		vk_prune_capture_free(&run.prune.captures[i]);
	free(run.prune.captures);
	vk_pins_free(&run.pins);
	vk_verify_cache_free(run.cache);
	vk_findings_free(&run.findings);
	vk_findings_free(&run.ledger);
	vk_store_close(run.prune.store);
	vk_cmd_keys_close(&run.keys);
	return code;
}

static const struct vk_cli_option options[] = {
	{.name = "keep-daily", .argument = "N", .config = true, .help = "newest days of which the last capture stays (default 7)"},
	{.name = "keep-weekly", .argument = "N", .config = true, .help = "the same for weeks, which end on Friday (default 5)"},
	{.name = "keep-monthly", .argument = "N", .config = true, .help = "the same for months (default 12)"},
	{.name = "keep-yearly", .argument = "N", .config = true, .help = "the same for years (default 10)"},
	{.name = "write", .help = "remove them; without this, only show what would be removed"},
	VK_STORE_OPTION,
	{.name = "override", .argument = "GUARD", .choices = "ledger",
	 .help = "ledger: remove captures though the ledger is not sound"},
	VK_SIGN_KEY_OPTION,
	VK_PUBLIC_KEY_OPTION,
	VK_ANCHOR_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit prune", "show what would stay, what would go, and why"},
	{"vmfskit prune --keep-daily 14 --keep-yearly 0 --write", "keep two weeks of nights and no years; remove the rest"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_prune = {
	.name = "prune",
	.arguments = "",
	.purpose = "show which captures are old enough to go; with --write, remove them",
	.description =
		"Of each disk the last capture of each of the newest days stays, and so of weeks (Saturday to "
		"Friday), months and years, in UTC. Only periods in which there is a sound or incomplete capture count, so "
		"that a disk that was away loses nothing. A disk is known by its WWID, or where it has none by host "
		"and path.\n\n"
		"Whatever the numbers say, these stay: pinned captures (vmfskit pin), the newest undo capture of every "
		"disk (what a restore saved before it wrote; an older one goes when the days, weeks and months that are kept no "
		"longer reach back to it), the newest sound capture of every disk and of every volume, and the newest with each distinct "
		"LVM header (of a disk without VMFS: partition table). A damaged capture counts for nothing and goes "
		"when as many newer days as --keep-daily says have a better one. One whose manifest cannot be "
		"read, or whose name is not its own, is never removed.\n\n"
		"The ledger is proved first, with --public-key its signatures, too, and against --anchor when that is there: when it is not "
		"sound, nothing is removed and the exit code is 3. Somebody who slipped captures in, or put an older store in "
		"its place, would have the genuine ones removed.\n\n"
		"Every file is verified, too. What goes is first renamed, all of it, and its files are removed when "
		"that is on the disk: a run can be killed at any moment, and the next one finishes. The room that "
		"comes free counts files that no other capture shares. The exit code is 1 when a capture is damaged, "
		"and 4 when one cannot be read: nothing is known of that one, and it stays.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = 0,
	.run = run,
};
