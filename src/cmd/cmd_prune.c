/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit prune: which captures may go, and let them go. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/screen.h"
#include "base/shown.h"
#include "base/texts.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/verbs.h"
#include "report/columns.h"
#include "report/report.h"
#include "store/ledger/ledger_captures.h"
#include "store/retention/prune.h"

enum { KEEP_MAX = 1000000 };
/* the choices of --override */
enum { OVERRIDE_LEDGER = 1, OVERRIDE_MISSING = 2 };

struct run {
	struct vk_cmd cmd;
	struct vk_retention_policy policy;
	struct vk_prune prune;
	struct vk_pins pins;
	struct vk_verify_cache *cache;
	struct vk_findings ledger;
	bool refused; /* the ledger is not sound */
	bool write;
};

static const char *const verdicts[] = {"sound", "incomplete", "damaged"};

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->cmd;
	struct vk_retention_policy *p = &run->policy;

	*p = VK_RETENTION_DEFAULT;
	run->write = vk_cli_flag(cmd->call, "write");
	return vk_cmd_read_number(cmd, "keep-daily", 0, KEEP_MAX, &p->keep_daily) &&
	       vk_cmd_read_number(cmd, "keep-weekly", 0, KEEP_MAX, &p->keep_weekly) &&
	       vk_cmd_read_number(cmd, "keep-monthly", 0, KEEP_MAX, &p->keep_monthly) &&
	       vk_cmd_read_number(cmd, "keep-yearly", 0, KEEP_MAX, &p->keep_yearly) && vk_cmd_open_sign_key(cmd) &&
	       vk_cmd_open_public_key(cmd) && (!run->write || vk_cmd_check_anchor(cmd, false));
}

static const char *path_of(const struct run *run)
{
	return vk_store_path(run->cmd.store);
}

/* A loss is recorded only where nothing else stands against the ledger. */
static bool is_lifted(const struct run *run)
{
	unsigned lifted = vk_cli_chosen(run->cmd.call, "override");

	if ((lifted & OVERRIDE_LEDGER) != 0)
		return true;
	for (size_t i = 0; i < run->ledger.count; i++)
		if (vk_finding_kind(run->ledger.items[i].code)->severity != VK_INFO &&
		    run->ledger.items[i].code != VK_F_LEDGER_CAPTURE_MISSING)
			return false;
	return (lifted & OVERRIDE_MISSING) != 0;
}

/*
 * Who forged a newer capture, or rolled the store back, would have prune remove the genuine ones. So the whole ledger
 * is proved first, with the key and against the anchor where there are any.
 */
static enum vk_status ask_ledger(struct run *run, struct vk_error *err)
{
	const struct vk_finding_sink sink = vk_findings_sink(&run->ledger);
	const char *anchor = vk_cli_value(run->cmd.call, "anchor");
	struct vk_ledger_check check = {.public_key = run->cmd.public_key};
	enum vk_status status;

	/* the first run has none yet and makes it */
	if (anchor != NULL && access(anchor, F_OK) == 0)
		check.anchor = anchor;
	status = vk_ledger_verify(path_of(run), &check, &sink, NULL, err);
	run->refused = status == VK_OK && vk_findings_bad(&run->ledger) && !is_lifted(run);
	return status;
}

/* Report the worst that the ledger says. */
static void refuse(struct run *run)
{
	const struct vk_finding *worst = &run->ledger.items[0];
	struct vk_error err;

	for (const struct vk_finding *f = worst; f < run->ledger.items + run->ledger.count; f++)
		if (vk_finding_kind(f->code)->severity > vk_finding_kind(worst->code)->severity)
			worst = f;
	vk_error_set(&err, VK_REFUSED, path_of(run), "the ledger is not sound, so nothing is removed: %s: %s",
		     vk_finding_kind(worst->code)->code, worst->message);
	vk_error_remedy(&err, "find the cause with vmfskit verify --ledger; --override ledger removes captures "
			      "although it is not known, and with them perhaps the evidence");
	vk_cmd_fail(&run->cmd, &err);
}

/* What is lost and is to be recorded; otherwise each run would be refused for it from now on. */
static enum vk_status find_missing(struct run *run, char *const *ids, size_t count, struct vk_error *err)
{
	char **sorted = calloc(count + 1, sizeof(*sorted));
	struct vk_ledger_missing missing = {.present = sorted, .present_count = count};
	struct vk_recorded_set recorded = {.count = 0};
	char verified[32];
	enum vk_status status = VK_OK;

	if (sorted == NULL)
		return vk_no_memory(err, path_of(run));
	if (count > 0)
		memcpy(sorted, ids, count * sizeof(*sorted));
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), vk_texts_compare);
	if ((vk_cli_chosen(run->cmd.call, "override") & OVERRIDE_MISSING) != 0)
		status = vk_ledger_glance(vk_store_fd(run->cmd.store), NULL, 0, &recorded, verified, &missing, err);
	vk_recorded_free(&recorded);
	free(sorted);
	run->prune.missing = missing.ids;
	run->prune.missing_count = missing.count;
	return status == VK_ABSENT || status == VK_DAMAGED ? VK_OK : status;
}

static void study(void *ctx, size_t index)
{
	struct run *run = ctx;

	vk_prune_study(&run->prune, &run->pins, run->cache, &run->prune.captures[index]);
}

/*
 * The rules keep the newest of each disk: a forged one that is newer must not count, also where the user removes
 * although the ledger is not sound. A store whose ledger is gone has nothing to vouch for any of them.
 */
static enum vk_status distrust_unrecorded(struct run *run, struct vk_error *err)
{
	struct vk_recorded_set recorded = {.count = 0};
	bool expected;
	enum vk_status status =
		vk_ledger_recorded(vk_store_fd(run->cmd.store), run->cmd.public_key, &recorded, &expected, err);

	for (size_t i = 0; i < run->prune.count && status == VK_OK; i++) {
		struct vk_prune_capture *capture = &run->prune.captures[i];

		if (capture->problem[0] == '\0' &&
		    !vk_recorded_vouches(&recorded, capture->id, capture->manifest_sha256, NULL))
			snprintf(capture->problem, sizeof(capture->problem), "the ledger does not record it as it is");
	}
	vk_recorded_free(&recorded);
	return status == VK_ABSENT || status == VK_DAMAGED ? VK_OK : status;
}

/* To record a loss removes nothing: what is left is more precious than before. */
static void keep_all(struct vk_prune *prune)
{
	for (size_t i = 0; i < prune->count; i++) {
		prune->captures[i].item.keep = true;
		snprintf(prune->captures[i].item.why, sizeof(prune->captures[i].item.why),
			 "losses are recorded, nothing is removed");
	}
	prune->remove_count = 0;
	prune->free_bytes = 0;
}

static enum vk_status plan(struct run *run, struct vk_error *err)
{
	struct vk_prune *prune = &run->prune;
	char **ids = NULL;
	size_t count = 0;
	enum vk_status status = vk_pins_read(vk_store_fd(run->cmd.store), path_of(run), &run->pins, err);

	if (status == VK_OK)
		status = vk_store_list(path_of(run), &ids, &count, err);
	if (status != VK_OK)
		return status;
	status = find_missing(run, ids, count, err);
	prune->captures = calloc(count + 1, sizeof(*prune->captures));
	prune->count = prune->captures != NULL ? count : 0;
	for (size_t i = 0; i < count; i++) {
		if (i < prune->count)
			snprintf(prune->captures[i].id, sizeof(prune->captures[i].id), "%s", ids[i]);
		free(ids[i]);
	}
	free(ids);
	if (prune->captures == NULL)
		return vk_no_memory(err, path_of(run));
	if (status != VK_OK)
		return status;
	run->cache = vk_verify_cache_new();
	vk_cmd_spread(prune->count, study, run);
	status = distrust_unrecorded(run, err);
	if (status == VK_OK)
		status = vk_prune_decide(prune, &run->policy, err);
	if (status == VK_OK && vk_cli_chosen(run->cmd.call, "override") == OVERRIDE_MISSING)
		keep_all(prune);
	return status;
}

/* The command that does what was shown. Free the result; NULL when memory ran out. */
static char *next_command(const struct run *run)
{
	static const char *const kept[] = {"keep-daily", "keep-weekly", "keep-monthly", "keep-yearly",
					   "store",	 "sign-key",	"public-key",	"anchor",
					   "override",	 "config"};
	struct vk_command command;

	vk_command_begin(&command, run->cmd.call->program->name);
	vk_command_add(&command, " %s", run->cmd.call->verb->name);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		vk_cmd_put_option(&command, run->cmd.call, kept[i]);
	vk_command_add(&command, " --write");
	return vk_command_end(&command);
}

/* The name of a folder that anyone may have made. */
static const char *shown_id(const struct vk_prune_capture *capture, char buf[4 * VK_CAPTURE_ID_BYTES])
{

	vk_label_into(buf, 4 * VK_CAPTURE_ID_BYTES, capture->id, strlen(capture->id));
	return buf;
}

static bool has_work(const struct run *run)
{
	return run->prune.remove_count > 0 || run->prune.missing_count > 0;
}

static const char *verdict_of(const struct vk_prune_capture *capture)
{
	return capture->problem[0] != '\0' ? "unclear" : verdicts[capture->item.verdict];
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->cmd.call->out;
	const struct vk_report_style style = vk_report_style_for(out);
	const bool done = run->write && !run->refused;
	static const struct vk_column columns[] = {{""}, {""}, {""}, {"", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);
	size_t gone = 0;
	char id[4 * VK_CAPTURE_ID_BYTES];

	vk_report_findings_text(out, &run->cmd.store_findings, path_of(run), &style);
	vk_report_findings_text(out, &run->ledger, path_of(run), &style);
	for (size_t i = 0; i < run->prune.missing_count; i++)
		fprintf(out, "%s is missing: %s in the ledger\n", run->prune.missing[i],
			done ? "this is recorded" : "--write records this");
	if (run->prune.count == 0) {
		fprintf(out, "no captures in %s\n", path_of(run));
		return;
	}
	for (size_t i = 0; i < run->prune.count; i++) {
		const struct vk_prune_capture *c = &run->prune.captures[i];

		gone += done ? c->removed : !c->item.keep;
		vk_columns_row(&table, (const char *const[]){c->removed ? "removed" : c->item.keep ? "keep" : "remove",
							     verdict_of(c), shown_id(c, id),
							     c->item.why});
	}
	vk_columns_end(&table, out);
	fprintf(out, "%zu captures: %s %zu, %s %zu, %s about %s\n", run->prune.count, done ? "kept" : "keep",
		run->prune.count - gone, done ? "removed" : "remove", gone, done ? "freed" : "which frees",
		vk_shown_size_short(run->prune.free_bytes).text);
	if (!run->write && !run->refused && has_work(run)) {
		char *next = next_command(run);

		vk_screen_paste(out, "nothing was removed; to do this:\n  %s\n",
				next != NULL ? next : "prune --write");
		free(next);
	}
}

static json_t *capture_json(const struct vk_prune_capture *c)
{
	char id[4 * VK_CAPTURE_ID_BYTES];
	bool known = c->source_path != NULL;

	return VK_JSON_OBJECT(VK_KEY("id", shown_id(c, id)), VK_KEY("keep", c->item.keep), VK_KEY("why", c->item.why),
			      VK_KEY("verdict", verdict_of(c)), VK_KEY("pinned", c->item.pinned),
			      VK_KEY("removed", c->removed), VK_KEY("time", known ? c->time : NULL),
			      VK_KEY("disk", known ? c->source_path : NULL));
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	const struct vk_retention_policy *p = &run->policy;
	struct vk_json policy = vk_json_begin();
	json_t *captures = json_array();
	json_t *findings = json_array(), *missing = json_array();
	char *next = run->write || run->refused || !has_work(run) ? NULL : next_command(run);

	for (size_t i = 0; i < run->prune.count; i++)
		vk_json_append(captures, capture_json(&run->prune.captures[i]), root);
	vk_cmd_findings_json(findings, path_of(run), &run->cmd.store_findings, root);
	vk_cmd_findings_json(findings, path_of(run), &run->ledger, root);
	vk_json_set_text(root, "store", path_of(run));
	VK_JSON_SET(&policy, VK_KEY("keep_daily", p->keep_daily), VK_KEY("keep_weekly", p->keep_weekly),
		    VK_KEY("keep_monthly", p->keep_monthly), VK_KEY("keep_yearly", p->keep_yearly));
	for (size_t i = 0; i < run->prune.missing_count; i++)
		vk_json_append(missing, json_string(run->prune.missing[i]), root);
	VK_JSON_SET(root, VK_KEY("policy", vk_json_end(&policy)),
		    VK_KEY("written", vk_json_bool(run->write && !run->refused)), VK_KEY("captures", captures),
		    VK_KEY("keep_count", run->prune.count - run->prune.remove_count),
		    VK_KEY("remove_count", run->prune.remove_count), VK_KEY("free_bytes", run->prune.free_bytes),
		    VK_KEY("missing", missing), VK_KEY("next", next), VK_KEY("findings", findings));
	free(next);
}

static bool work(void *ctx)
{
	struct run *run = ctx;
	struct vk_error err;

	if (!vk_cmd_open_store(&run->cmd, run->write ? VK_STORE_RUN : VK_STORE_READ, true))
		return false;
	run->prune.store = run->cmd.store;
	if (ask_ledger(run, &err) != VK_OK || plan(run, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	vk_cmd_judge_findings(&run->cmd, &run->cmd.store_findings);
	vk_cmd_judge_findings(&run->cmd, &run->ledger);
	for (size_t i = 0; i < run->prune.count; i++) {
		const struct vk_prune_capture *c = &run->prune.captures[i];

		if (c->unread)
			(void)vk_cmd_ok(&run->cmd, VK_EXIT_IO);
		else if (c->problem[0] != '\0' || c->item.verdict == VK_RETENTION_DAMAGED)
			(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	}
	if (run->refused)
		refuse(run);
	else if (run->write && has_work(run) && vk_prune_remove(&run->prune, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	return true;
}

static void end(void *ctx)
{
	struct run *run = ctx;
	size_t removed = 0;

	for (size_t i = 0; i < run->prune.count; i++)
		removed += run->prune.captures[i].removed;
	if (run->write && !run->refused && run->cmd.store != NULL)
		vk_cmd_keep_anchor(&run->cmd, removed, "removed");
	for (size_t i = 0; i < run->prune.count; i++)
		vk_prune_capture_free(&run->prune.captures[i]);
	free(run->prune.captures);
	vk_sentences_free(&run->prune.missing, &run->prune.missing_count);
	vk_pins_free(&run->pins);
	vk_verify_cache_free(run->cache);
	vk_findings_free(&run->ledger);
}

VK_CMD_VERB(run_prune, struct run, "vmfskit.prune/1", read_options, work, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	{.name = "keep-daily",
	 .argument = "N",
	 .config = true,
	 .help = "newest days of which the last capture stays (default 7)"},
	{.name = "keep-weekly",
	 .argument = "N",
	 .config = true,
	 .help = "the same for weeks, which end on Friday (default 5)"},
	{.name = "keep-monthly", .argument = "N", .config = true, .help = "the same for months (default 12)"},
	{.name = "keep-yearly", .argument = "N", .config = true, .help = "the same for years (default 10)"},
	{.name = "write", .help = "remove them; without this, only show what would be removed"},
	VK_STORE_OPTION,
	{.name = "override",
	 .argument = "GUARD",
	 .choices = "ledger missing",
	 .help = "ledger: remove captures though the ledger is not sound; missing: record the loss of captures "
		 "that are missing, and remove nothing"},
	VK_SIGN_KEY_OPTION,
	VK_PUBLIC_KEY_OPTION,
	VK_ANCHOR_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit prune", "show what would stay, what would go, and why"},
	{"vmfskit prune --keep-daily 14 --keep-yearly 0 --write",
	 "keep two weeks of nights and no years; remove the rest"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_prune = {
	.name = "prune",
	.arguments = "",
	.purpose = "show which captures are old enough to go; with --write, remove them",
	.description =
		"Of each disk prune keeps the last capture of each of the newest days, weeks (Saturday to Friday), "
		"months and years, in UTC. Only periods with a sound or incomplete capture count; so a disk that was "
		"away loses nothing. A disk is known by its WWID; without one, by host and path.\n\n"
		"These are always kept: pinned captures (vmfskit pin); the newest undo capture of every disk; the "
		"newest sound capture of every disk and of every volume; the newest with each distinct LVM header (of "
		"a disk without VMFS: partition table). An older undo capture is removed when it is older than the "
		"days, weeks and months that are kept. A damaged capture does not count for any period. It is removed "
		"when as many newer days as --keep-daily says have a better one. A capture whose manifest cannot be "
		"read, or whose name is not its own, is never removed.\n\n"
		"First the ledger is verified; with --public-key also its signatures, with --anchor also against the "
		"anchor. If it is not sound, nothing is removed and the exit code is 3: somebody may have added "
		"forged captures, or put an older store in its place, so that prune removes the genuine captures. "
		"A capture that was lost is such a finding, too: --override missing --write records its loss, if "
		"nothing else is wrong with the ledger. It removes nothing.\n\n"
		"Every file is verified, too. Captures to be removed are first all renamed. Their files are removed "
		"only when the renaming is on disk. So a run can be killed at any moment, and the next one finishes "
		"it. The freed space counts only files that no other capture shares. The exit code is 1 when a "
		"capture is damaged. It is 4 when one cannot be read; that one is kept.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = 0,
	.run = run_prune,
};
