/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit drill */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/crash_point.h"
#include "base/memory.h"
#include "base/signals.h"
#include "cmd/drill_show.h"
#include "cmd/shared/output_file.h"
#include "cmd/shared/verbs.h"
#include "cmd/status/status.h"
#include "vmfskit/restore.h"

enum { CHUNK_BYTES = 1 << 20 };

/* What the capture has against the scratch file, but for what could not be read when it was taken. */
static enum vk_status compare_region(struct drill_run *run, struct drill *drill, const struct vk_region *region,
				     struct vk_io *saved, struct vk_io *scratch, struct vk_error *err)
{
	enum vk_status status = VK_OK;
	uint64_t at = 0;

	while (status == VK_OK && !drill->differs && at < region->length_bytes) {
		size_t want = (size_t)vk_min_u64(region->length_bytes - at, CHUNK_BYTES), got = 0, back = 0;
		struct vk_error unread;

		if (vk_io_read(saved, at, run->buf, want, &got, &unread) != VK_OK || got == 0) {
			drill->unsaved_bytes += vk_min_u64(region->length_bytes - at, 512);
			at += 512;
			continue;
		}
		status = vk_io_read(scratch, region->offset_bytes + at, run->buf + CHUNK_BYTES, got, &back, err);
		drill->differs = status == VK_OK && (back != got || memcmp(run->buf, run->buf + CHUNK_BYTES, got) != 0);
		drill->differs_at = region->offset_bytes + at;
		drill->compared_bytes += got;
		at += got;
	}
	return status;
}

static enum vk_status compare_all(struct drill_run *run, struct drill *drill, const struct vk_capture *capture,
				  struct vk_io *scratch, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < capture->region_count && status == VK_OK && !drill->differs; i++) {
		struct vk_io *saved;

		status = vk_capture_region(capture, i, &saved, err);
		if (status != VK_OK)
			break;
		status = compare_region(run, drill, &capture->regions[i], saved, scratch, err);
		vk_io_close(saved);
	}
	return status;
}

/* The restored disk, decoded: which errors it has, and which of them were captured with it. */
static enum vk_status look_back(struct drill_run *run, struct drill *drill, const struct vk_capture *capture,
				const char *scratch, struct vk_error *err)
{
	const struct vk_source_options options = {.as = capture->source_kind, .sector_size = capture->sector_size};
	struct vk_source now, then;
	enum vk_status status = vk_source_open(scratch, &options, &now, err);

	if (status != VK_OK)
		return status;
	status = compare_all(run, drill, capture, now.raw, err);
	if (status == VK_OK)
		status = vk_capture_source(capture, &then, err);
	if (status == VK_OK) {
		for (size_t i = 0; i < now.findings.count; i++) {
			const struct vk_finding *f = &now.findings.items[i];

			if (vk_finding_kind(f->code)->severity != VK_ERROR)
				continue;
			drill->errors++;
			drill->known_errors += vk_findings_have(&then.findings, f->code, f->offset_bytes);
		}
		vk_source_close(&then);
	}
	vk_source_close(&now);
	return status;
}

/* The same plan and the same writer as of restore; only guards that ask whose disk it is stand aside. */
static enum vk_status restore_onto(struct drill_run *run, struct drill *drill, const struct vk_capture *capture,
				   const char *scratch, struct vk_error *err)
{
	const unsigned asked = 1U << VK_GUARD_CAPTURE_VERIFIED | 1U << VK_GUARD_CAPTURE_VOUCHED | 1U << VK_GUARD_IN_USE;
	struct vk_restore_options options = {.overrides = ~asked,
					     .sector_size = capture->sector_size,
					     .store = vk_cmd_store(run->cmd.call),
					     .public_key = run->cmd.public_key};
	const struct vk_objection *objections;
	struct vk_restore *restore;
	enum vk_status status;
	size_t count;

	for (size_t i = 0; i < capture->region_count; i++)
		options.parts |= capture->regions[i].part;
	status = vk_restore_plan(capture, scratch, &options, &restore, err);
	if (status != VK_OK)
		return status;
	count = vk_restore_objections(restore, &objections);
	for (size_t i = 0; i < count && drill->refused[0] == '\0'; i++)
		if (!objections[i].overridden)
			snprintf(drill->refused, sizeof(drill->refused), "guard %s: %s",
				 vk_guard_kind(objections[i].guard)->name, objections[i].message);
	if (drill->refused[0] == '\0')
		status = vk_restore_write_scratch(restore, err);
	drill->written_bytes = vk_restore_written_bytes(restore);
	vk_restore_free(restore);
	return status;
}

/* Before anything is written: what the files of the capture take must fit. */
static enum vk_status check_room(const struct drill_run *run, const struct vk_capture *capture, struct vk_error *err)
{
	struct statvfs fs;
	uint64_t need = CHUNK_BYTES, room;

	for (size_t i = 0; i < capture->region_count; i++) {
		struct stat st;
		char *path;

		if (asprintf(&path, "%s/%s", capture->path, capture->regions[i].file) < 0)
			return vk_no_memory(err, capture->path);
		if (stat(path, &st) == 0)
			need = vk_add_sat(need, vk_mul_sat((uint64_t)st.st_blocks, 512));
		free(path);
	}
	if (statvfs(run->folder, &fs) != 0)
		return vk_error_errno(err, errno, run->folder, "cannot look at the scratch folder");
	room = vk_mul_sat(fs.f_bavail, fs.f_frsize);
	if (room >= need)
		return VK_OK;
	vk_error_set(err, VK_IO, run->folder,
		     "the scratch folder has %" PRIu64 " MiB free, and %" PRIu64 " MiB are needed", room >> 20,
		     need >> 20);
	return vk_error_remedy(err, "make room, or name another folder with --scratch");
}

static enum vk_status try_capture(struct drill_run *run, struct drill *drill, struct vk_error *err)
{
	struct vk_capture capture;
	char *scratch = NULL;
	enum vk_status status = vk_capture_open(vk_cmd_store(run->cmd.call), drill->path, &capture, err);

	if (status != VK_OK)
		return status;
	memcpy(drill->id, capture.id, sizeof(drill->id));
	drill->size_bytes = capture.size_bytes;
	snprintf(drill->label, sizeof(drill->label), "%s", vk_capture_label(&capture));
	if (capture.is_undo || capture.is_rebuilt) {
		status = vk_error_set(err, VK_USAGE, capture.id, "this is what a %s, no backup of a disk",
				      capture.is_undo ? "restore overwrote" : "repair worked out");
	} else {
		status = check_room(run, &capture, err);
		if (status == VK_OK)
			status = vk_output_scratch(run->folder, capture.size_bytes, &scratch, err);
		if (status == VK_OK)
			status = restore_onto(run, drill, &capture, scratch, err);
		vk_stop_point("drill written");
		if (status == VK_OK && drill->refused[0] == '\0')
			status = look_back(run, drill, &capture, scratch, err);
	}
	if (scratch != NULL && unlink(scratch) != 0 && status == VK_OK)
		status = vk_error_errno(err, errno, scratch, "cannot remove the scratch file");
	free(scratch);
	vk_capture_close(&capture);
	return status;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A signal waits until the scratch file is gone. False: one came that asks to end. */
static bool drill_one(struct drill_run *run, struct drill *drill)
{
	const uint64_t began = now_us();
	sigset_t before;
	bool stop;

	vk_signals_hold(&before);
	drill->status = try_capture(run, drill, &drill->err);
	drill->us = now_us() - began;
	stop = vk_signals_waiting() != 0;
	vk_signals_release(&before);
	if (drill->status != VK_OK)
		(void)vk_cmd_fail(&run->cmd, &drill->err);
	else if (drill->refused[0] != '\0' || drill->differs || drill->unsaved_bytes > 0 ||
		 drill->errors > drill->known_errors)
		(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	else
		run->sound++;
	return !stop;
}

static bool add_drill(struct drill_run *run, const char *path)
{
	struct drill *drill = vk_append(&run->drills, &run->count, NULL, sizeof(*drill));

	if (drill != NULL)
		drill->path = strdup(path);
	return (drill != NULL && drill->path != NULL) || vk_cmd_no_memory(&run->cmd);
}

/* A LUN without a sound capture is named: that there is nothing to drill must not look like a drill that went well. */
static bool add_lun(struct drill_run *run, const struct status_lun *lun)
{
	struct drill *drill;

	if (!add_drill(run, lun->sound != NULL ? lun->sound->id : lun->lost != NULL ? lun->lost : lun->captures[0].id))
		return false;
	if (lun->sound != NULL)
		return true;
	drill = &run->drills[run->count - 1];
	drill->has_none = true;
	snprintf(drill->label, sizeof(drill->label), "%s", vk_status_label(lun));
	snprintf(drill->refused, sizeof(drill->refused), "%s%s",
		 lun->is_bad_disk ? "the disk was damaged when it was taken: " : "", lun->why);
	return true;
}

/* The newest sound capture of each LUN, as vmfskit status has them. */
static bool find_newest(struct drill_run *run)
{
	struct status_run status = {.cmd = {.call = run->cmd.call}};
	bool found = vk_status_begin(&status) && vk_cmd_open_store(&status.cmd, VK_STORE_READ, true) &&
		     vk_status_gather(&status) && vk_status_judge(&status);

	for (size_t i = 0; found && i < status.lun_count; i++)
		found = add_lun(run, &status.luns[i]);
	run->unreadable = status.unreadable;
	(void)vk_cmd_ok(&run->cmd, status.cmd.code);
	vk_store_close(status.cmd.store);
	vk_status_free(&status);
	return found;
}

static bool read_options(void *ctx)
{
	struct drill_run *run = ctx;
	const char *scratch = vk_cli_value(run->cmd.call, "scratch"), *tmp = getenv("TMPDIR");

	run->folder = scratch != NULL ? scratch : tmp != NULL && tmp[0] == '/' ? tmp : "/tmp";
	return vk_cmd_open_public_key(&run->cmd);
}

static bool drill_all(void *ctx)
{
	struct drill_run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	bool found = call->argument_count > 0 || find_newest(run);

	for (size_t i = 0; i < call->argument_count && found; i++)
		if (vk_cmd_name_argument(&run->cmd, 0, i))
			found = add_drill(run, call->arguments[i]);
	run->buf = malloc((size_t)2 * CHUNK_BYTES);
	if (!found || run->buf == NULL)
		return !found ? false : vk_cmd_no_memory(&run->cmd);
	if (run->count == 0 || run->unreadable > 0)
		(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	for (size_t i = 0; i < run->count; i++)
		if (run->drills[i].has_none)
			(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
		else if (!drill_one(run, &run->drills[i]))
			return false;
	return true;
}

static void end(void *ctx)
{
	struct drill_run *run = ctx;

	for (size_t i = 0; i < run->count; i++)
		free(run->drills[i].path);
	free(run->drills);
	free(run->buf);
}

VK_CMD_VERB(run_drill, struct drill_run, "vmfskit.drill/1", read_options, drill_all, vk_drill_put_json,
	    vk_drill_put_text, end)

static const struct vk_cli_option options[] = {
	{.name = "scratch", .argument = "DIR", .choices = "DIR", .config = true,
	 .help = "folder of the scratch file (TMPDIR, else /tmp); if the configuration has it, the weekly run drills"},
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	VK_SCOPE_OPTIONS,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit drill", "the newest sound capture of every LUN"},
	{"vmfskit drill 20261121T014500Z-sdb --scratch /srv/scratch", "one capture, where there is room"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_drill = {
	.name = "drill",
	.arguments = "[CAPTURE...]",
	.purpose = "prove that captures can be put back, on a scratch file",
	.description =
		"Restores each CAPTURE onto a new, sparse file as long as the disk was, with the plan, the guards and "
		"the writer of vmfskit restore. A CAPTURE is an id of the store, a part of it or latest:LABEL as in "
		"vmfskit restore, or a folder's path; without any, the newest sound capture of each LUN is restored. "
		"Then every saved byte is compared with the file, and the file is decoded as a disk. drill says how "
		"long this took, and removes the file.\n\n"
		"Nothing else is written: no disk, no undo capture, not the store nor its ledger. The guards that "
		"check whose disk the target is do not apply to a scratch file. The guards that check the capture "
		"do.\n\n"
		"The scratch file takes some megabytes, as much as the capture. But its file system must allow files "
		"as long as the disk: ext4 allows 16 TiB, XFS and tmpfs more. A drill that is killed leaves its file "
		"behind, vmfskit-drill.*.\n\n"
		"The exit code is 0 when each capture was restored as it was saved. It is 1 when one was not or was "
		"refused, when bytes of it were not saved, or when a LUN has no sound capture, and 4 when the scratch "
		"file could not be made or written.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run_drill,
};
