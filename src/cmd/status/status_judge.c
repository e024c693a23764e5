/* SPDX-License-Identifier: Apache-2.0 */
/* Which capture of a LUN is the newest sound one, as far as is known without reading its files; and its state. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/memory.h"
#include "base/texts.h"
#include "cmd/status/status.h"
#include "store/folder/folder.h"
#include "store/folder/identity_of_run.h"

static int64_t seconds_of(const char *time)
{
	int64_t seconds;

	return vk_civil_parse(time, &seconds) ? seconds : 0;
}

/* Each file has the length that it was saved with: more cannot be said without reading it. */
static bool has_files(const struct vk_manifest *m, int fd, struct vk_text *why)
{
	const struct vk_capture *c = &m->capture;
	struct stat st;

	for (size_t i = 0; i <= c->region_count + c->map_count; i++) {
		const char *file = VK_RESTORE_FILE;
		uint64_t length = m->restore_bytes;

		if (i < c->region_count) {
			file = c->regions[i].file;
			length = c->regions[i].length_bytes;
		} else if (i < c->region_count + c->map_count) {
			file = c->maps[i - c->region_count].file;
			length = c->maps[i - c->region_count].length_bytes;
		}
		if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			vk_text_fmt(why, "%s is missing", file);
		else if ((uint64_t)st.st_size != length)
			vk_text_fmt(why, "%s does not have its length", file);
		else
			continue;
		return false;
	}
	return true;
}

/* Whether it is whole and can be believed; what speaks against that goes into why. */
static bool is_whole(const struct status_run *run, const struct status_capture *c, int fd, const struct vk_manifest *m,
		     struct vk_text *why)
{
	struct vk_findings findings = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);

	if ((c->flaws & VK_FLAW_BROKEN) != 0)
		vk_text_put(why, "vmfskit verify found it damaged");
	else if ((c->flaws & ~(unsigned)VK_FLAW_INCOMPLETE) != 0)
		vk_text_put(why, "vmfskit verify did not trust it");
	else if (run->is_exposed)
		vk_text_put(why, STATUS_EXPOSED);
	else if (!run->has_ledger)
		vk_text_put(why, STATUS_NO_LEDGER);
	else if (!vk_recorded_vouches(&run->recorded, c->id, m->capture.manifest_sha256, &sink))
		vk_text_put(why, findings.count > 0 ? findings.items[0].message : "the ledger does not vouch for it");
	else
		(void)has_files(m, fd, why);
	vk_findings_free(&findings);
	return why->len_bytes == 0;
}

/* One of its captures: whether it is sound. *manifest is filled, or NULL. */
static bool judge_capture(const struct status_run *run, const struct status_capture *c, struct vk_manifest **manifest,
			  char why[300], bool *is_bad_disk)
{
	int fd = openat(vk_store_fd(run->cmd.store), c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct vk_manifest *m = calloc(1, sizeof(*m));
	struct vk_error err = {.what = "its folder cannot be opened"};
	struct vk_text text;
	bool whole = false;

	vk_text_init(&text, why, 300);
	if (fd < 0 || m == NULL || vk_manifest_load(fd, c->id, m, &err) != VK_OK) {
		vk_text_put(&text, err.what);
		free(m);
		m = NULL;
	} else {
		whole = is_whole(run, c, fd, m, &text);
	}
	*is_bad_disk = whole && m->taken_bad > 0;
	if (*is_bad_disk)
		vk_text_put(&text, m->taken_first);
	if (fd >= 0)
		close(fd);
	*manifest = m;
	return whole && !*is_bad_disk;
}

/* For vk_cmd_spread: the newest one. */
static void judge_newest(void *ctx, size_t index)
{
	const struct status_run *run = ctx;
	struct status_lun *lun = &run->luns[index];

	if (judge_capture(run, &lun->captures[0], &lun->newest, lun->why, &lun->is_bad_disk))
		lun->sound = &lun->captures[0];
}

/* For vk_cmd_spread: where that is not sound, the newest that is. */
static void judge_others(void *ctx, size_t index)
{
	const struct status_run *run = ctx;
	struct status_lun *lun = &run->luns[index];

	for (size_t i = 1; i < lun->count && lun->sound == NULL; i++) {
		struct vk_manifest *manifest;
		char ignored[300];
		bool is_bad_disk;

		if (judge_capture(run, &lun->captures[i], &manifest, ignored, &is_bad_disk))
			lun->sound = &lun->captures[i];
		if (manifest != NULL)
			vk_manifest_free(manifest);
		free(manifest);
	}
}

/*
 * The lines of the ledger about the captures that are asked for next: to read all of a ledger takes longer than all
 * else.
 */
static bool ask_ledger(struct status_run *run, bool others)
{
	char **wanted = NULL;
	size_t count = 0;
	struct vk_error err;
	enum vk_status status;

	for (size_t i = 0; i < run->lun_count; i++) {
		const struct status_lun *lun = &run->luns[i];

		for (size_t k = others; k < (others ? lun->count : 1) && lun->sound == NULL; k++)
			if (vk_append(&wanted, &count, &lun->captures[k].id, sizeof(*wanted)) == NULL) {
				free(wanted);
				return vk_cmd_no_memory(&run->cmd);
			}
	}
	if (count > 0)
		qsort(wanted, count, sizeof(*wanted), vk_texts_compare);
	run->missing.present = run->ids;
	run->missing.present_count = run->id_count;
	status = vk_ledger_glance(vk_store_fd(run->cmd.store), wanted, count, &run->recorded, run->verified,
				  others ? NULL : &run->missing, &err);
	free(wanted);
	run->has_ledger = status == VK_OK;
	return status == VK_OK || status == VK_ABSENT || status == VK_DAMAGED || vk_cmd_fail(&run->cmd, &err);
}

/* Those that their LUN names already are not named twice. */
static void forget_lost(struct status_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->missing.count; i++) {
		bool is_named = false;

		for (size_t k = 0; k < run->lun_count; k++)
			is_named = is_named || (run->luns[k].lost != NULL &&
						strcmp(run->luns[k].lost, run->missing.ids[i]) == 0);
		if (is_named)
			free(run->missing.ids[i]);
		else
			run->missing.ids[kept++] = run->missing.ids[i];
	}
	run->missing.count = kept;
}

/* The last run of capture --all did not see it, though it is one that such a run took. */
static bool is_gone(const struct status_run *run, const struct status_lun *lun)
{
	char **command = lun->newest != NULL ? lun->newest->capture.command : NULL;
	const char *last = run->seen_count > 0 ? run->seen[run->seen_count - 1] : "";
	char host[VK_WHO_HOST_BYTES];
	bool by_all = false;

	vk_who_host(host);
	for (; command != NULL && *command != NULL; command++)
		by_all = by_all || strcmp(*command, "--all") == 0;
	/* the run that takes it now has not come to its end */
	if (!by_all || strcmp(lun->newest->capture.host, host) != 0 || strcmp(lun->captures[0].id, last) >= 0)
		return false;
	for (const struct status_capture *c = lun->ahead != NULL ? lun->ahead : lun->captures;
	     c < lun->captures + lun->count; c++)
		if (bsearch(&c->id, run->seen, run->seen_count, sizeof(*run->seen), vk_texts_compare) !=
		    NULL)
			return false;
	return true;
}

/* When all of the store was verified, or sent: it counts for a LUN that had a capture by then. */
static int64_t when_done(const struct status_lun *lun, const char *done)
{
	const char *first = lun->captures[lun->count - 1].glance.ended;

	return done[0] != '\0' && strcmp(first, done) <= 0 ? seconds_of(done) : 0;
}

static void fill_lun(struct status_run *run, struct status_lun *lun)
{
	size_t same = 0;

	while (same + 1 < lun->count && lun->captures[same + 1].glance.content == lun->captures[0].glance.content)
		same++;
	if (same + 1 < lun->count)
		lun->changed = seconds_of(lun->captures[same].glance.time);
	lun->saved = lun->sound != NULL && lun->ahead != lun->captures ? seconds_of(lun->sound->glance.time) : 0;
	lun->verified = when_done(lun, run->verified);
	lun->pushed = when_done(lun, run->pushed);
	if (lun->lost != NULL)
		snprintf(lun->why, sizeof(lun->why),
			 "the last capture --all took it, and it is not there or cannot be read: vmfskit verify says "
			 "which");
	if (lun->lost != NULL)
		lun->state = STATUS_DAMAGED;
	else if (is_gone(run, lun))
		lun->state = STATUS_GONE;
	else if (lun->sound != &lun->captures[0])
		lun->state = lun->is_bad_disk ? STATUS_BAD_DISK : STATUS_DAMAGED;
	else if (lun->ahead != lun->captures && run->now - lun->saved > run->max_age_s)
		lun->state = STATUS_OLD;
	else
		lun->state = lun->ahead != NULL ? STATUS_FUTURE : STATUS_SAVED;
	run->states[lun->state]++;
	run->empty += vk_status_is_empty(lun);
}

bool vk_status_judge(struct status_run *run)
{
	size_t sound = 0;

	if (!ask_ledger(run, false))
		return false;
	forget_lost(run);
	vk_cmd_spread(run->lun_count, judge_newest, run);
	for (size_t i = 0; i < run->lun_count; i++)
		sound += run->luns[i].sound != NULL;
	if (sound < run->lun_count) {
		if (!ask_ledger(run, true))
			return false;
		vk_cmd_spread(run->lun_count, judge_others, run);
	}
	for (size_t i = 0; i < run->lun_count; i++)
		fill_lun(run, &run->luns[i]);
	return true;
}
