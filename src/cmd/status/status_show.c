/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a store's LUNs for people and for scripts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/command.h"
#include "base/screen.h"
#include "cmd/status/status.h"
#include "report/columns.h"
#include "report/report.h"

static const struct {
	const char *word, *key;
	const char *colour;
} states[STATUS_STATES] = {
	[STATUS_SAVED] = {"saved", "saved", "\033[32m"},
	[STATUS_OLD] = {"old", "old", "\033[1;33m"},
	[STATUS_DAMAGED] = {"damaged", "damaged", "\033[1;31m"},
	[STATUS_BAD_DISK] = {"bad disk", "bad_disk", "\033[1;31m"},
	[STATUS_GONE] = {"gone", "gone", "\033[1;31m"},
	[STATUS_FUTURE] = {"future", "future", "\033[1;33m"},
};

const char *vk_status_word(enum status_state state)
{
	return states[state].word;
}

bool vk_status_is_empty(const struct status_lun *lun)
{
	return lun->state == STATUS_SAVED && lun->newest != NULL && lun->newest->capture.identity_count == 0;
}

const char *vk_status_label(const struct status_lun *lun)
{
	const char *label = lun->newest != NULL ? vk_capture_label(&lun->newest->capture) : "";
	const char *slash = strrchr(lun->captures[0].glance.path, '/');

	if (label[0] != '\0')
		return label;
	return slash != NULL ? slash + 1 : lun->captures[0].glance.path;
}

const char *vk_status_naa(const struct status_lun *lun)
{
	return lun->newest != NULL ? vk_capture_naa(&lun->newest->capture) : "";
}

/* below the label of a LUN */
#define WHY "  why   "
#define NEXT "  next  "
enum { NIGHT_HALF_S = 6 * 3600, FRESH_S = 2 * 3600 };

/* The largest unit of which there are two or more. */
static void put_span(struct vk_text *text, int64_t seconds, bool brief)
{
	static const struct {
		int64_t seconds;
		const char *brief, *word;
	} units[] = {{86400, "d", "day"}, {3600, "h", "hour"}, {60, "min", "minute"}};
	size_t unit = 0;

	while (unit < 2 && seconds < 2 * units[unit].seconds)
		unit++;
	seconds = seconds > 0 ? seconds / units[unit].seconds : 0;
	if (brief)
		vk_text_fmt(text, "%" PRId64 " %s", seconds, units[unit].brief);
	else
		vk_text_fmt(text, "%" PRId64 " %s%s", seconds, units[unit].word, seconds == 1 ? "" : "s");
}

/*
 * When those were saved that are: what the night took hours ago was saved last night, what was taken by hand a moment
 * ago was not.
 */
static void put_when(struct vk_text *text, const struct status_run *run)
{
	const time_t now = (time_t)run->now;
	int64_t oldest = run->now, newest = 0, midnight;
	struct tm local;

	for (size_t i = 0; i < run->lun_count; i++) {
		const struct status_lun *lun = &run->luns[i];

		if (lun->state == STATUS_SAVED && lun->saved < oldest)
			oldest = lun->saved;
		if (lun->state == STATUS_SAVED && lun->saved > newest)
			newest = lun->saved;
	}
	if (newest == 0 || run->max_age_s != STATUS_NIGHT_S || localtime_r(&now, &local) == NULL) {
		vk_text_put(text, "in the last ");
		put_span(text, run->max_age_s, false);
		return;
	}
	midnight = run->now - (local.tm_hour * 60 + local.tm_min) * 60 - local.tm_sec;
	if (oldest >= midnight - NIGHT_HALF_S && newest <= midnight + NIGHT_HALF_S && run->now - newest >= FRESH_S) {
		vk_text_put(text, "last night");
	} else if (oldest >= midnight) {
		vk_text_put(text, "today");
	} else {
		vk_text_put(text, "in the last ");
		/* rounded up */
		put_span(text, run->now - oldest + (run->now - oldest < 2 * 3600 ? 59 : 3599), false);
	}
}

void vk_status_headline(const struct status_run *run, char ret_text[400])
{
	int64_t oldest = 0;
	struct vk_text text;
	size_t n;

	vk_text_init(&text, ret_text, 400);
	if (run->lun_count == 0) {
		vk_text_put(&text, "no LUN is saved here");
		return;
	}
	for (size_t i = 0; i < run->lun_count; i++)
		if (run->luns[i].state == STATUS_OLD && run->now - run->luns[i].saved > oldest)
			oldest = run->now - run->luns[i].saved;
	vk_text_fmt(&text, "%zu of %zu LUN%s saved ", run->states[STATUS_SAVED], run->lun_count,
		    run->lun_count == 1 ? "" : "s");
	put_when(&text, run);
	n = run->states[STATUS_OLD];
	if (n > 0) {
		vk_text_fmt(&text, ", %zu %s ", n, n == 1 ? "is" : "are up to");
		put_span(&text, oldest, false);
		vk_text_put(&text, " old");
	}
	n = run->states[STATUS_DAMAGED];
	if (n > 0)
		vk_text_fmt(&text, ", %zu %s a damaged capture", n, n == 1 ? "has" : "have");
	n = run->states[STATUS_BAD_DISK];
	if (n > 0)
		vk_text_fmt(&text, ", %zu %s", n, n == 1 ? "was damaged when it was saved"
						       : "were damaged when they were saved");
	n = run->states[STATUS_GONE];
	if (n > 0)
		vk_text_fmt(&text, ", %zu %s gone", n, n == 1 ? "is" : "are");
	n = run->states[STATUS_FUTURE];
	if (n > 0)
		vk_text_fmt(&text, ", %zu %s a capture from the future", n, n == 1 ? "has" : "have");
	if (run->missing.count > 0)
		vk_text_fmt(&text, "; %zu recorded capture%s missing", run->missing.count,
			    run->missing.count == 1 ? " is" : "s are");
	if (run->empty > 0)
		vk_text_fmt(&text, "; no VMFS volume on %zu of them", run->empty);
}

struct span {
	char text[32];
};
static struct span age_of(const struct status_run *run, int64_t when)
{
	struct span span;
	struct vk_text text;

	vk_text_init(&text, span.text, sizeof(span.text));
	if (when == 0)
		vk_text_put(&text, "never");
	else
		put_span(&text, run->now - when, true);
	return span;
}

static void put_luns(FILE *out, const struct status_run *run)
{
	static const struct vk_column columns[] = {{"STATE"},	{"LABEL", .least = 10}, {"NAA", .least = 16}, {"SAVED"},
						   {"CHANGED"}, {"VERIFIED"},		{"PUSHED"}};
	const bool colour = vk_report_style_for(out).colour;
	struct vk_columns table = VK_COLUMNS(columns);

	for (size_t i = 0; i < run->lun_count; i++) {
		const struct status_lun *lun = &run->luns[i];

		vk_columns_row_in(&table, colour ? states[lun->state].colour : NULL,
				  (const char *const[]){states[lun->state].word, vk_status_label(lun),
							vk_status_naa(lun), age_of(run, lun->saved).text,
							age_of(run, lun->changed).text,
							age_of(run, lun->verified).text,
							age_of(run, lun->pushed).text});
	}
	vk_columns_end(&table, out);
}

/* Why a LUN is not saved, and what to do about it. */
static void put_why(FILE *out, const struct status_run *run, const struct status_lun *lun)
{
	const char *config = vk_cli_value(run->cmd.call, "config");
	const struct status_capture *last = &lun->captures[0];
	const char *wwid = lun->newest != NULL ? lun->newest->capture.wwid : "";
	const char *sound = lun->sound != NULL ? "the newest sound capture is " : "the LUN has no sound capture";
	const char *sound_id = lun->sound != NULL ? lun->sound->id : "";
	const char *id = lun->lost != NULL ? lun->lost : last->id;
	bool has_id = strncmp(lun->why, id, strlen(id)) == 0;
	bool is_said_once = lun->state == STATUS_DAMAGED && (strcmp(lun->why, STATUS_EXPOSED) == 0 ||
							     strcmp(lun->why, STATUS_NO_LEDGER) == 0);

	if (lun->ahead == NULL && !vk_status_is_empty(lun) && (lun->state == STATUS_SAVED || is_said_once))
		return;
	fprintf(out, "%s\n", vk_status_label(lun));
	if (lun->ahead != NULL)
		fprintf(out, WHY "%s: its time, %s, lies in the future: a clock was wrong\n" NEXT "%s%s\n",
			lun->ahead->id, lun->ahead->glance.time,
			lun->ahead != last ? "the newest before now is " : "no capture is from before now",
			lun->ahead != last ? last->id : "");
	if (vk_status_is_empty(lun))
		fputs(WHY "no VMFS volume was found on it\n" NEXT "vmfskit decode says what it is\n", out);
	if (lun->state == STATUS_GONE)
		fprintf(out, WHY "not seen by the last capture --all\n" NEXT "if intended: exclude = %s in %s; if not: "
			     "look at its paths (lsblk), then vmfskit capture --all\n",
			wwid[0] != '\0' ? wwid : last->glance.path, config != NULL ? config : VK_CONFIG_DEFAULT);
	else if (lun->state == STATUS_OLD)
		fprintf(out, WHY "not captured since %s\n" NEXT "look whether the nightly run works\n",
			last->glance.time);
	else if (lun->state == STATUS_BAD_DISK)
		fprintf(out, WHY "%s is whole, but the disk was damaged when it was taken: %s\n" NEXT "vmfskit doctor "
			     "%s shows what happened; %s%s\n",
			last->id, lun->why, vk_shell_path(last->glance.path).text, sound, sound_id);
	else if (lun->state == STATUS_DAMAGED && !is_said_once)
		/* what the ledger says begins with the id */
		fprintf(out, WHY "%s%s%s\n" NEXT "vmfskit capture --all takes a new one; %s%s\n",
			has_id ? "" : id, has_id ? "" : ": ", lun->why, sound, sound_id);
}

/* What is lost of the past, and what ends this note. */
static void put_missing(FILE *out, const struct status_run *run)
{
	enum { NAMED = 3 };
	const size_t count = run->missing.count;
	struct vk_command command;
	char *record;

	if (count == 0)
		return;
	fprintf(out, "%zu recorded capture%s missing\n" WHY "the ledger records what the store does not have: ", count,
		count == 1 ? " is" : "s are");
	for (size_t i = 0; i < count && i < NAMED; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", run->missing.ids[i]);
	if (count > NAMED)
		fprintf(out, " and %zu more", count - NAMED);
	fputs("\n" NEXT "look for it in another copy of the store; if there is none, this records the loss:\n", out);
	vk_command_begin(&command, run->cmd.call->program->name);
	vk_command_add(&command, " prune");
	vk_cmd_put_option(&command, run->cmd.call, "store");
	vk_cmd_put_option(&command, run->cmd.call, "config");
	vk_command_add(&command, " --override missing --write");
	record = vk_command_end(&command);
	vk_screen_paste(out, "        %s\n", record != NULL ? record : "vmfskit prune --override missing --write");
	free(record);
}

void vk_status_put_text(const void *ctx)
{
	const struct status_run *run = ctx;
	FILE *out = run->cmd.call->out;
	char headline[400];

	vk_status_headline(run, headline);
	fprintf(out, "%s\n", headline);
	if (run->lun_count > 0)
		put_luns(out, run);
	for (size_t i = 0; i < run->lun_count; i++)
		put_why(out, run, &run->luns[i]);
	put_missing(out, run);
	if (run->is_exposed)
		fprintf(out, STATUS_EXPOSED ": find out who did that, then chmod go-w %s; until then no capture is "
			     "believed\n", vk_cmd_store(run->cmd.call));
	else if (run->lun_count > 0 && !run->has_ledger)
		fputs(STATUS_NO_LEDGER ": vmfskit verify says why; until then no capture is believed\n", out);
	if (run->unreadable > 0)
		fprintf(out, "%zu capture%s cannot be read; vmfskit verify says which\n", run->unreadable,
			run->unreadable == 1 ? "" : "s");
}

/* ---- for scripts: the contract is docs/json.md */

static void set_time(struct vk_json *o, const char *key, int64_t seconds)
{
	char buf[32];
	struct vk_text text;

	vk_text_init(&text, buf, sizeof(buf));
	if (seconds > 0)
		vk_text_time_s(&text, (uint64_t)seconds);
	vk_json_set_text(o, key, seconds > 0 ? buf : NULL);
}

static json_t *lun_json(const struct status_run *run, const struct status_lun *lun)
{
	struct vk_json o = vk_json_begin();

	vk_json_set_text(&o, "state", states[lun->state].key);
	vk_json_set_text(&o, "label", vk_status_label(lun));
	vk_json_set_text(&o, "naa", vk_status_naa(lun));
	vk_json_set_text(&o, "disk",
			 lun->newest != NULL ? lun->newest->capture.source_path : lun->captures[0].glance.path);
	vk_json_set_number(&o, "captures",
			   (uint64_t)(lun->captures + lun->count - (lun->ahead != NULL ? lun->ahead : lun->captures)));
	vk_json_set_text(&o, "newest", lun->captures[0].id);
	if (lun->newest != NULL)
		vk_json_set_number(&o, "volumes", lun->newest->capture.identity_count);
	vk_json_set_text(&o, "why", lun->why[0] != '\0' ? lun->why : NULL);
	vk_json_set_text(&o, "sound", lun->sound != NULL ? lun->sound->id : NULL);
	vk_json_set_text(&o, "future", lun->ahead != NULL ? lun->ahead->id : NULL);
	set_time(&o, "saved", lun->saved);
	if (lun->saved > 0)
		vk_json_set_number(&o, "age_seconds", run->now > lun->saved ? (uint64_t)(run->now - lun->saved) : 0);
	set_time(&o, "changed", lun->changed);
	set_time(&o, "verified", lun->verified);
	set_time(&o, "pushed", lun->pushed);
	return vk_json_end(&o);
}

void vk_status_put_json(const void *ctx, struct vk_json *root)
{
	const struct status_run *run = ctx;
	json_t *luns = json_array(), *missing = json_array();
	char headline[400];

	vk_status_headline(run, headline);
	for (size_t i = 0; i < run->lun_count; i++)
		vk_json_append(luns, lun_json(run, &run->luns[i]), root);
	vk_json_set_text(root, "store", vk_cmd_store(run->cmd.call));
	vk_json_set_text(root, "headline", headline);
	vk_json_set_number(root, "max_age_seconds", (uint64_t)run->max_age_s);
	for (int i = 0; i < STATUS_STATES; i++)
		vk_json_set_number(root, states[i].key, run->states[i]);
	vk_json_set_number(root, "unreadable", run->unreadable);
	for (size_t i = 0; i < run->missing.count; i++)
		vk_json_append(missing, json_string(run->missing.ids[i]), root);
	vk_json_set(root, "missing", missing);
	vk_json_set_text(root, "verified", run->verified[0] != '\0' ? run->verified : NULL);
	vk_json_set_text(root, "pushed", run->pushed[0] != '\0' ? run->pushed : NULL);
	vk_json_set_text(root, "pushed_to", run->target[0] != '\0' ? run->target : NULL);
	vk_json_set(root, "luns", luns);
}
