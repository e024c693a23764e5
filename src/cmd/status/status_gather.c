/* SPDX-License-Identifier: Apache-2.0 */
/* What the store says of itself: captures, LUNs, what was verified, what was sent elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/memory.h"
#include "base/texts.h"
#include "cmd/status/status.h"
#include "scsi/lun_nodes.h"
#include "store/capture/previous.h"
#include "store/folder/folder.h"
#include "store/folder/identity_of_run.h"
#include "store/manifest/manifest.h"
#include "store/verify/told.h"
#include "vmfskit/luns.h"

#define PUSHED_FILE ".pushed"
enum { PUSHED_MAX_BYTES = 400 };

/* For vk_cmd_spread: one capture, by the few lines of its manifest that tell whose it is. */
static void glance_at(void *ctx, size_t index)
{
	const struct status_run *run = ctx;
	struct status_capture *capture = &run->captures[index];
	const struct vk_glance *g = &capture->glance;
	struct vk_error unread;

	if (vk_glance_read(vk_store_fd(run->cmd.store), capture->id, &capture->glance, &unread) == VK_OK) {
		const struct vk_disk_said said = {.wwid = g->wwid,
						  .host = g->host,
						  .path = g->path,
						  .serial = g->serial,
						  .is_disk = strcmp(g->kind, "disk") == 0};

		capture->disk = vk_disk_key(&said);
	}
}

/* What a restore overwrote, and what a repair concluded, saves no LUN. Those that nobody can read are counted. */
static void keep_backups(struct status_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->count; i++) {
		struct status_capture *c = &run->captures[i];
		bool readable = c->disk != NULL && strcmp(c->glance.id, c->id) == 0;

		run->unreadable += !readable;
		if (readable && strcmp(c->glance.purpose, "capture") == 0) {
			run->captures[kept++] = *c;
			continue;
		}
		vk_glance_free(&c->glance);
		free(c->disk);
	}
	run->count = kept;
}

static int compare_captures(const void *a, const void *b)
{
	const struct status_capture *x = a, *y = b;
	int order = strcmp(x->disk, y->disk);

	if (order == 0)
		order = strcmp(y->glance.time, x->glance.time);
	return order != 0 ? order : strverscmp(y->id, x->id);
}

static bool find_captures(struct status_run *run)
{
	struct vk_error err;

	if (vk_store_list(vk_cmd_store(run->cmd.call), &run->ids, &run->id_count, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	run->captures = calloc(run->id_count + 1, sizeof(*run->captures));
	if (run->captures == NULL)
		return vk_cmd_no_memory(&run->cmd);
	if (run->id_count > 0)
		qsort(run->ids, run->id_count, sizeof(*run->ids), vk_texts_compare);
	run->count = run->id_count;
	for (size_t i = 0; i < run->count; i++)
		run->captures[i].id = run->ids[i];
	vk_cmd_spread(run->count, glance_at, run);
	keep_backups(run);
	if (run->count > 0)
		qsort(run->captures, run->count, sizeof(*run->captures), compare_captures);
	return true;
}

/* What a changed configuration leaves out is not missing; the same rule as of capture --all. */
static bool is_left_out(const struct status_run *run, const struct status_capture *c)
{
	return (run->include[0] != NULL && !vk_luns_match(run->include, c->glance.path, c->glance.wwid)) ||
	       vk_luns_match(run->exclude, c->glance.path, c->glance.wwid);
}

/* Those whose time lies in the future come first, and would hide the others for ever. */
static void set_ahead_apart(const struct status_run *run, struct status_lun *lun)
{
	size_t n = 0;

	while (n < lun->count && vk_civil_is_ahead(lun->captures[n].glance.time, run->now))
		n++;
	lun->ahead = n > 0 ? lun->captures : NULL;
	/* where there are no others, they say at least whose they are */
	lun->captures += n < lun->count ? n : 0;
	lun->count -= n < lun->count ? n : 0;
}

static bool find_luns(struct status_run *run)
{
	for (size_t first = 0, end; first < run->count; first = end) {
		const struct status_lun lun = {.captures = &run->captures[first]};
		struct status_lun *added;

		for (end = first; end < run->count && strcmp(run->captures[end].disk, lun.captures->disk) == 0;)
			end++;
		if (is_left_out(run, lun.captures))
			continue;
		added = vk_append(&run->luns, &run->lun_count, &lun, sizeof(lun));
		if (added == NULL)
			return vk_cmd_no_memory(&run->cmd);
		added->count = end - first;
		set_ahead_apart(run, added);
	}
	return true;
}

/* Which captures the last verify found something wrong with. */
static void take_told(struct status_run *run)
{
	json_t *told = vk_told_read(vk_store_fd(run->cmd.store));
	const char **ids = NULL;
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(told); i++) {
		const json_t *entry = json_array_get(told, i), *list = json_object_get(entry, "captures");
		enum vk_finding_code code = vk_told_code(entry);
		unsigned flaw = code < VK_F_COUNT ? vk_finding_flaw(code) : VK_FLAW_UNTRUSTED;

		count = 0;
		for (size_t k = 0; flaw != 0 && k < json_array_size(list); k++) {
			const char *id = json_string_value(json_array_get(list, k));

			if (id != NULL && vk_append(&ids, &count, &id, sizeof(id)) == NULL)
				break;
		}
		if (count > 0)
			qsort(ids, count, sizeof(*ids), vk_texts_compare);
		for (size_t k = 0; k < run->count && count > 0; k++)
			if (bsearch(&run->captures[k].id, ids, count, sizeof(*ids), vk_texts_compare) != NULL)
				run->captures[k].flaws |= flaw;
	}
	free(ids);
	json_decref(told);
}

/* "2026-11-21T03:00:12Z vmfskit@backup.example.org", as vmfskit-push leaves it when all arrived. */
static void take_pushed(struct status_run *run)
{
	struct vk_error unread;
	struct vk_text text;
	int64_t seconds;
	char *line, *blank;
	size_t len;

	if (vk_folder_slurp(vk_store_fd(run->cmd.store), PUSHED_FILE, PUSHED_MAX_BYTES, &line, &len, &unread) != VK_OK)
		return;
	line[strcspn(line, "\n")] = '\0';
	blank = strchr(line, ' ');
	if (blank != NULL)
		*blank++ = '\0';
	if (vk_civil_parse(line, &seconds)) {
		memcpy(run->pushed, line, strlen(line) + 1);
		vk_text_init(&text, run->target, sizeof(run->target));
		vk_text_label(&text, (const uint8_t *)(blank != NULL ? blank : ""), blank != NULL ? strlen(blank) : 0);
	}
	free(line);
}

/* "20261121T014500Z-sdb": what follows the time is the name of the disk. */
static const char *name_of(const char *id)
{
	const char *dash = strchr(id, '-');

	return dash != NULL ? dash + 1 : id;
}

/* Whose it was is told by its name alone; a LUN that has newer captures lost nothing that matters here. */
static bool add_lost(struct status_run *run, char *id)
{
	struct status_capture lost = {.id = id, .glance = {.id = id, .purpose = "capture", .time = "", .ended = "",
							   .host = "", .path = name_of(id), .kind = "", .serial = "",
							   .wwid = ""}};
	char host[VK_WHO_HOST_BYTES];
	bool has_lun = false;

	vk_who_host(host);
	for (size_t i = 0; i < run->lun_count; i++) {
		struct status_lun *lun = &run->luns[i];

		if (strcmp(name_of(lun->captures[0].id), lost.glance.path) != 0 ||
		    strcmp(lun->captures[0].glance.host, host) != 0)
			continue;
		has_lun = true;
		if (strcmp(lun->captures[0].id, id) < 0)
			lun->lost = id;
	}
	return has_lun || is_left_out(run, &lost) ||
	       vk_append(&run->lost, &run->lost_count, &lost, sizeof(lost)) != NULL;
}

/*
 * Whether it is in the list of the store and yet no capture, or neither there nor in the list: what a run took since
 * the captures were listed is none.
 */
static bool may_be_lost(const struct status_run *run, char *id, char *const *kept)
{
	struct stat st;

	if (!vk_id_stamped(id) || bsearch(&id, kept, run->count, sizeof(*kept), vk_texts_compare) != NULL)
		return false;
	if (fstatat(vk_store_fd(run->cmd.store), id, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT;
	return run->id_count > 0 && bsearch(&id, run->ids, run->id_count, sizeof(*run->ids), vk_texts_compare) != NULL;
}

/* What the last runs of capture --all saw as its captures, and the ledger records: it was not removed by prune. */
static bool add_recorded(struct status_run *run, char *const *ids, size_t count)
{
	struct vk_recorded_set recorded = {.count = 0};
	char verified[32];
	struct vk_error unread;
	bool fits = true;

	if (count > 0 && vk_ledger_glance(vk_store_fd(run->cmd.store), ids, count, &recorded, verified, NULL,
					  &unread) == VK_OK)
		for (size_t i = 0; i < count && fits; i++) {
			const struct vk_recorded *r = vk_recorded_find(&recorded, ids[i]);

			fits = r == NULL || r->added <= r->removed || add_lost(run, ids[i]);
		}
	vk_recorded_free(&recorded);
	for (size_t i = 0; i < run->lost_count && fits; i++) {
		const struct status_lun lun = {.captures = &run->lost[i], .count = 1, .lost = run->lost[i].id};

		fits = vk_append(&run->luns, &run->lun_count, &lun, sizeof(lun)) != NULL;
	}
	return fits;
}

static bool find_lost(struct status_run *run)
{
	char **kept = calloc(run->count + 1, sizeof(*kept)), **lost = NULL;
	size_t count = 0;
	bool fits = kept != NULL;

	for (size_t i = 0; fits && i < run->count; i++)
		kept[i] = run->captures[i].id;
	if (fits && run->count > 0)
		qsort(kept, run->count, sizeof(*kept), vk_texts_compare);
	for (size_t i = 0; fits && i < run->seen_count; i++)
		if (may_be_lost(run, run->seen[i], kept))
			fits = vk_append(&lost, &count, &run->seen[i], sizeof(*lost)) != NULL;
	fits = fits && add_recorded(run, lost, count);
	free(kept);
	free(lost);
	return fits || vk_cmd_no_memory(&run->cmd);
}

bool vk_status_begin(struct status_run *run)
{
	run->now = (int64_t)time(NULL);
	run->max_age_s = STATUS_NIGHT_S;
	run->include = vk_cli_values(run->cmd.call, "include");
	run->exclude = vk_cli_values(run->cmd.call, "exclude");
	return (run->include != NULL && run->exclude != NULL) || vk_cmd_no_memory(&run->cmd);
}

bool vk_status_gather(struct status_run *run)
{
	struct vk_error err;
	struct stat st;

	run->is_exposed = fstat(vk_store_fd(run->cmd.store), &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
	if (!find_captures(run) || !find_luns(run))
		return false;
	take_told(run);
	take_pushed(run);
	/* that nobody can tell what the last run saw hides no capture */
	if (vk_seen_captures(run->cmd.store, &run->seen, &run->seen_count, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	return find_lost(run);
}

void vk_status_free(struct status_run *run)
{
	for (size_t i = 0; i < run->lun_count; i++) {
		if (run->luns[i].newest != NULL)
			vk_manifest_free(run->luns[i].newest);
		free(run->luns[i].newest);
	}
	free(run->luns);
	for (size_t i = 0; i < run->count; i++) {
		vk_glance_free(&run->captures[i].glance);
		free(run->captures[i].disk);
	}
	free(run->captures);
	free(run->lost);
	vk_sentences_free(&run->ids, &run->id_count);
	vk_sentences_free(&run->missing.ids, &run->missing.count);
	vk_sentences_free(&run->seen, &run->seen_count);
	vk_recorded_free(&run->recorded);
	free(run->include);
	free(run->exclude);
}
