/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: what is gone and how far it can be had, for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "cmd/undelete/undelete.h"
#include "report/columns.h"

enum { RANGES_SHOWN = 24, FILES_SHOWN = 200 };

/* A place on another disk, in commands to paste. */
#define PLACE "/rescue"

static const char *program(const struct vk_lost_run *run)
{
	return run->copy.files.cmd.call->program->name;
}

static size_t count_files(const struct vk_lost_run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->gone.count; i++)
		count += vk_lost_is_file(&run->gone.files[i]);
	return count;
}

/* What of its bytes is untouched and can be had from this source; holes are. */
static struct vk_shown sure_part(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	const uint64_t not_sure = file->bytes[VK_UNDELETE_REUSED] + file->bytes[VK_UNDELETE_UNKNOWN] +
				  vk_lost_not_held(run, file);
	struct vk_shown shown = {"all"};

	return file->verdict == VK_UNDELETE_ALL_UNTOUCHED && not_sure == 0
		       ? shown
		       : vk_shown_size_short(file->size_bytes > not_sure ? file->size_bytes - not_sure : 0);
}

/* "2026-11-21 02:53" of "2026-11-21T02:53:23Z" */
static struct vk_shown minute(const char *time)
{
	struct vk_shown shown;

	snprintf(shown.text, sizeof(shown.text), "%.10s %.5s", time, strlen(time) > 11 ? time + 11 : "");
	return shown;
}

static const char *note_of(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	if (vk_lost_not_held(run, file) > 0)
		return "not in source";
	if (file->unseen)
		return "maybe there";
	if (file->cut)
		return "cut";
	if (file->nameless)
		return "no name";
	return file->torn ? "torn" : "";
}

static void put_table(const struct vk_lost_run *run, FILE *out)
{
	static const struct vk_column columns[] = {{"VERDICT"}, {"SIZE", .right = true}, {"UNTOUCHED", .right = true},
						   {"LAST SEEN (UTC)"}, {"NOTE", .may_go = true},
						   {"FILE", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);
	size_t shown = 0;

	for (size_t i = 0; i < run->gone.count; i++) {
		const struct vk_undelete_file *file = &run->gone.files[i];

		if (!vk_lost_is_file(file) || shown++ >= FILES_SHOWN)
			continue;
		vk_columns_row(&table, (const char *const[]){
			vk_undelete_verdict_name(file->verdict), vk_shown_size_short(file->size_bytes).text,
			sure_part(run, file).text, minute(vk_lost_last_seen(run, file)).text, note_of(run, file),
			vk_shown_name(file->path).text});
	}
	vk_columns_end(&table, out);
	if (shown > FILES_SHOWN)
		fprintf(out, "and %zu more; a folder as PATH, or --json, shows them\n", shown - FILES_SHOWN);
}

/* ---- range by range */

static void put_ranges(const struct vk_lost_run *run, FILE *out, const struct vk_undelete_file *file)
{
	static const struct vk_column columns[] = {{"FROM BYTE", .right = true}, {"BYTES", .right = true}, {"STATE"},
						   {"BY, OR WHY", .may_go = true, .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);
	struct vk_undelete_range r;
	size_t count = 0;

	table.indent = 2;
	for (size_t i = 0; vk_lost_next_range(file, &i, &r);) {
		char why[1400] = "";

		if (count++ >= RANGES_SHOWN)
			continue;
		if (r.state == VK_UNDELETE_REUSED)
			snprintf(why, sizeof(why), "by %s, seen first %s%s",
				 r.by != NULL ? vk_shown_name(r.by).text : "another file",
				 r.since < run->moment_count ? "in the " : "", vk_lost_since(run, &r).text);
		else if (r.state == VK_UNDELETE_UNKNOWN)
			snprintf(why, sizeof(why), "%s", vk_undelete_why_said(r.why));
		vk_columns_row(&table, (const char *const[]){vk_phrase("%" PRIu64, r.file_offset).text,
							     vk_phrase("%" PRIu64, r.length_bytes).text,
							     vk_undelete_state_name(r.state), why});
	}
	vk_columns_end(&table, out);
	if (count > RANGES_SHOWN)
		fprintf(out, "  and %zu more ranges; --json has them all\n", count - RANGES_SHOWN);
}

static void put_file(const struct vk_lost_run *run, FILE *out, const struct vk_undelete_file *file)
{
	const char *comma = "";

	fprintf(out, "%s\n  size       %s\n  last seen  %s, in capture %s\n  verdict    %s: ",
		vk_shown_name(file->path).text, vk_shown_size(file->size_bytes).text,
		vk_lost_last_seen(run, file), run->moments[file->map].capture->id,
		vk_undelete_verdict_name(file->verdict));
	for (unsigned state = 0; state < VK_UNDELETE_STATES; state++) {
		if (file->bytes[state] == 0)
			continue;
		fprintf(out, "%s%s %s", comma, vk_shown_size_short(file->bytes[state]).text,
			state == VK_UNDELETE_HOLE ? "holes" : vk_undelete_state_name(state));
		comma = ", ";
	}
	fprintf(out, "%s\n", comma[0] == '\0' ? "it has no bytes" : "");
	if (vk_lost_not_held(run, file) > 0)
		fprintf(out, "  note       %s of it cannot be read from this source, or are not in it\n",
			vk_shown_size_short(vk_lost_not_held(run, file)).text);
	if (file->cut)
		fputs("  note       a file is there under this name, and lost blocks\n", out);
	if (file->torn)
		fputs("  note       it changed while that capture was taken: its ranges may be of two moments\n", out);
	if (file->unseen)
		fputs("  note       parts of folders cannot be read: it may be there all the same\n", out);
	put_ranges(run, out, file);
}

/* ---- what was copied */

/* What came of it: nothing is called untouched that is not there. */
static struct vk_phrase came(const struct vk_undelete_file *file, const struct vk_copied *c)
{
	const bool sure = file->verdict == VK_UNDELETE_ALL_UNTOUCHED;
	const char *verdict = vk_undelete_verdict_name(file->verdict);
	uint64_t absent = 0;

	for (size_t i = 0; i < c->missing_count; i++)
		absent += c->missing[i].absent ? c->missing[i].length_bytes : 0;
	if (c->whole)
		return vk_phrase("%s", sure ? "all of it is untouched" : verdict);
	if (!sure)
		return vk_phrase("%s; %s are missing", verdict, vk_shown_size_short(c->missing_bytes).text);
	if (absent == 0 && c->missing_bytes > 0)
		return vk_phrase("%s of it cannot be read", vk_shown_size_short(c->missing_bytes).text);
	if (absent == c->missing_bytes && absent > 0)
		return vk_phrase("%s of it are not in the source", vk_shown_size_short(absent).text);
	if (absent > 0)
		return vk_phrase("%s of it cannot be read, or are not in the source",
				 vk_shown_size_short(c->missing_bytes).text);
	return vk_phrase("it is not whole");
}

static void put_copied(const struct vk_lost_run *run, FILE *out)
{
	bool part = false, map = false;

	for (size_t i = 0; i < run->gone.count; i++) {
		const struct vk_undelete_file *file = &run->gone.files[i];
		const size_t number = run->copied[i];
		const struct vk_copied *c = number != SIZE_MAX ? &run->copy.copied[number] : NULL;

		if (c == NULL)
			continue;
		fprintf(out, "%s -> %s: %s", vk_shown_name(file->path).text, vk_shown_name(c->dest).text,
			came(file, c).text);
		if (c->zero_bytes > 0)
			fprintf(out, "; %s of it are zeros: never written, or given back by UNMAP",
				vk_shown_size_short(c->zero_bytes).text);
		fputc('\n', out);
		if (file->verdict != VK_UNDELETE_ALL_UNTOUCHED)
			put_ranges(run, out, file);
		part = part || !c->whole;
		map = map || (c->whole && file->verdict != VK_UNDELETE_ALL_UNTOUCHED);
	}
	if (map)
		fputs("Beside a file that is not certain lies its map, NAME" VK_COPY_MAP ": + is untouched, - was "
		      "reused, ? is not known.\n", out);
	if (part)
		fputs("A file of which bytes are missing keeps the end " VK_COPY_PART "; the missing bytes read as "
		      "zeros. To use it as it is, rename it.\n", out);
}

/* ---- all of it */

/* The folder of the newest file that is gone, or PATH itself. */
static char *next_path(const struct vk_lost_run *run)
{
	if (run->path != NULL)
		return strdup(run->path);
	for (size_t i = 0; i < run->gone.count; i++) {
		const char *path = run->gone.files[i].path, *slash = path != NULL ? strrchr(path, '/') : NULL;

		if (vk_lost_is_file(&run->gone.files[i]))
			return slash == path ? strdup(path) : strndup(path, (size_t)(slash - path));
	}
	return NULL;
}

/* How much of what is gone another source must be asked for. */
static void put_not_held(const struct vk_lost_run *run, FILE *out)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < run->gone.count; i++)
		if (vk_lost_is_file(&run->gone.files[i]))
			bytes += vk_lost_not_held(run, &run->gone.files[i]);
	if (bytes > 0)
		fprintf(out, "%s of them are not in this source, or cannot be read: name the disk itself, or a dump "
			"that has them\n", vk_shown_size_short(bytes).text);
}

/* ESX gives freed blocks of VMFS6 back to the array, and on a thin LUN they read as zeros then. */
static void put_unmap(const struct vk_lost_run *run, FILE *out)
{
	const struct vk_fs_info *info = vk_fs_info(run->copy.files.fs);

	if (info->vmfs6 && info->descriptor.unmapPriority != 0)
		fputs("ESX gives freed blocks of this volume back to the array (UNMAP), within hours where the LUN is "
		      "thin, and they read as zeros then: take the files out now, or set the space reclamation of the "
		      "datastore to none first.\n", out);
}

static void put_next(const struct vk_lost_run *run, FILE *out)
{
	char *path = next_path(run);

	if (path == NULL)
		return;
	fprintf(out, "\nWrite nothing to this volume until the files are out: each new file may take their blocks.\n");
	put_unmap(run, out);
	if (run->path == NULL) {
		fputs("to see how far each can be had, range by range:\n", out);
		vk_files_put_longer(&run->copy.files, out, path, NULL);
	}
	fputs("to take out what is gone there, into a folder of another disk, " PLACE " for example:\n", out);
	vk_files_put_longer(&run->copy.files, out, run->path == NULL ? path : NULL, PLACE);
	free(path);
}

static void put_head(const struct vk_lost_run *run, FILE *out, size_t count)
{
	fprintf(out, "%zu file%s %s gone from %s, as %zu capture%s know%s it; the newest is %s\n", count,
		count == 1 ? "" : "s", count == 1 ? "is" : "are",
		run->path != NULL ? vk_shown_name(run->path).text : "the volume",
		run->believed_count, run->believed_count == 1 ? "" : "s", run->believed_count == 1 ? "s" : "",
		run->moments[0].capture->id);
}

/* "the volume is older than capture X: ..."; above all else. */
static void put_back(const struct vk_lost_run *run, FILE *out, const char *before)
{
	if (run->gone.went_back)
		fprintf(out, "%sthe volume is older than capture %s: it was rolled back, or is a copy. What that "
			"capture and those before it know of free blocks proves nothing\n", before,
			run->moments[run->gone.back].capture->id);
}

static void say_limits(const struct vk_lost_run *run)
{
	FILE *err = run->copy.files.cmd.call->err;
	const struct vk_phrase before = vk_phrase("%s: note: ", program(run));

	if (run->copied != NULL)
		put_back(run, err, before.text);
	if (run->changed > 0)
		fprintf(err, "%s: note: the volume was written to during the copy: %zu file%s less of it untouched "
			"than at its begin, and the copy may have the bytes of others\n", program(run), run->changed,
			run->changed == 1 ? " has" : "s have");
	if (run->other)
		fprintf(err, "%s: note: the volume was written to during the copy: other files are gone than at its "
			"begin; ask again without DEST, and trust no copy before\n", program(run));
	if (run->gone.names_unknown)
		fprintf(err, "%s: note: parts of folders cannot be read: a file that is called gone may be there\n",
			program(run));
	if (run->gone.unfinished)
		fprintf(err, "%s: note: there is more than was looked at: other files may be gone as well\n",
			program(run));
}

void vk_lost_put_text(const void *ctx)
{
	const struct vk_lost_run *run = ctx;
	FILE *out = run->copy.files.cmd.call->out;
	const size_t count = count_files(run);

	if (run->copied != NULL) {
		put_copied(run, out);
		fflush(out);
		say_limits(run);
		vk_copy_put_summary(&run->copy);
		return;
	}
	put_head(run, out, count);
	put_back(run, out, "");
	put_not_held(run, out);
	if (count > 1 || (count > 0 && run->path == NULL)) {
		fputc('\n', out);
		put_table(run, out);
	}
	for (size_t i = 0, shown = 0; i < run->gone.count && run->path != NULL; i++)
		if (vk_lost_is_file(&run->gone.files[i]) && shown++ < FILES_SHOWN) {
			fputc('\n', out);
			put_file(run, out, &run->gone.files[i]);
		}
	if (run->now != NULL)
		fprintf(out, "it was renamed: it is %s now\n", vk_shown_name(run->now).text);
	if (count > 0)
		put_next(run, out);
	fflush(out);
	say_limits(run);
	vk_files_show_findings(&run->copy.files);
}
