/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit diff */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd/diff_files.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/verbs.h"
#include "base/shown.h"
#include "store/folder/folder.h"
#include "store/manifest/rebuilt.h"

enum { RANGES_SHOWN = 40 };

/* A capture, or what a path names. */
struct side {
	const char *name; /* as it was given */
	bool is_capture;
	struct vk_capture capture;
	struct vk_source source;
	char time[32];    /* when the capture was taken, or the source read */
};

struct run {
	struct vk_cmd cmd;
	struct vk_source_options given;
	struct side sides[2];
	struct vk_diff diff;
	struct vk_files_diff *files; /* of two captures */
	size_t file_count;
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;

	if (!vk_cmd_read_how(&run->cmd, &run->given.sector_size, &run->given.view) ||
	    !vk_cmd_read_kind(&run->cmd, &run->given.as))
		return false;
	if (strcmp(call->arguments[0], "-") == 0 && strcmp(call->arguments[1], "-") == 0)
		return vk_cmd_usage(&run->cmd, "standard input can be one of the two, not both");
	return true;
}

/* ---- what the two names mean */

static enum vk_status open_path(struct side *side, const struct vk_source_options *options, struct vk_error *err)
{
	enum vk_status status;

	vk_time_into(side->time, sizeof(side->time), (uint64_t)time(NULL));
	status = vk_source_open(side->name, options, &side->source, err);
	return status == VK_OK ? vk_source_refuse_container(&side->source, err) : status;
}

/* An id of the store goes before a folder, and that before a file; two things of one name are refused. */
static enum vk_status open_side(struct side *side, const char *store, const struct vk_source_options *given,
				struct vk_error *err)
{
	const char *name = side->name;
	struct stat st;
	const bool is_path = strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
	enum vk_status status;
	char *folder;

	if (strcmp(name, "-") == 0 || (is_path && strchr(name, '/') != NULL))
		return open_path(side, given, err);
	status = vk_store_find(store, name, &folder, err);
	if (status == VK_OK && is_path) {
		free(folder);
		vk_error_set(err, VK_USAGE, name, "there is a file of this name here and a capture in the store %s",
			     store);
		return vk_error_remedy(err, "write ./%s or %s/%s", name, store, name);
	}
	if (status == VK_OK) {
		status = vk_capture_open("", folder, &side->capture, err);
		free(folder);
		if (status != VK_OK)
			return status;
		side->is_capture = true;
		snprintf(side->time, sizeof(side->time), "%s", side->capture.time);
		return vk_capture_source(&side->capture, &side->source, err);
	}
	if (is_path && status != VK_USAGE && status != VK_NOMEM)
		return open_path(side, given, err);
	if (status == VK_ABSENT) {
		vk_error_set(err, VK_ABSENT, name, "there is no such capture in the store %s, and no such file here",
			     store);
		vk_error_remedy(err, "vmfskit list shows the captures of a store");
	}
	return status;
}

/*
 * A disk whose table is gone does not tell what it is, nor its sector size where it is a file; the other side does,
 * and it is read again by that.
 */
static enum vk_status agree(struct side *side, const struct side *other, const struct vk_source_options *given,
			    struct vk_error *err)
{
	struct vk_source_options options = {.as = other->source.kind, .sector_size = given->sector_size,
					    .view = given->view};
	const struct vk_findings *found = &side->source.findings;
	const bool same = side->source.kind == other->source.kind &&
			  side->source.sector_size == other->source.sector_size;

	if (side->is_capture || same || strcmp(side->name, "-") == 0 || given->as != VK_SOURCE_AUTO ||
	    !(vk_findings_have(found, VK_F_SOURCE_UNRECOGNISED, 0) || vk_findings_have(found, VK_F_TABLE_NONE, 0)))
		return VK_OK;
	if (options.sector_size == 0 && !vk_io_is_device(side->source.raw))
		options.sector_size = other->source.sector_size;
	vk_source_close(&side->source);
	return open_path(side, &options, err);
}

static bool compare(void *ctx)
{
	struct run *run = ctx;
	struct side *sides = run->sides;
	enum vk_status status = VK_OK;
	struct vk_error err;

	for (int i = 0; i < 2 && status == VK_OK; i++) {
		if (!vk_cmd_name_argument(&run->cmd, VK_NAME_ONE_DISK | VK_NAME_OR_FILE, (size_t)i))
			return false;
		sides[i].name = run->cmd.call->arguments[i];
		status = open_side(&sides[i], vk_cmd_store(run->cmd.call), &run->given, &err);
	}
	if (status == VK_OK && run->given.view.mapfile != NULL && !sides[0].is_capture && !sides[1].is_capture)
		return vk_cmd_usage(&run->cmd, "--mapfile is of one image, and two are named: compare it with a "
					       "capture");
	for (int i = 0; i < 2 && status == VK_OK; i++)
		status = agree(&sides[i], &sides[1 - i], &run->given, &err);
	if (status == VK_OK)
		status = vk_diff_sources(&sides[0].source, &sides[1].source, &run->diff, &err);
	if (status == VK_OK && sides[0].is_capture && sides[1].is_capture)
		status = vk_diff_files(&sides[0].capture, &sides[1].capture, &run->files, &run->file_count, &err);
	if (status != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	for (size_t i = 0; i < run->file_count; i++)
		for (size_t k = 0; k < run->files[i].change_count; k++)
			run->diff.matters |= vk_file_change_matters(&run->files[i].changes[k]);
	vk_cmd_ok(&run->cmd, run->diff.matters ? VK_EXIT_FINDINGS : VK_EXIT_OK);
	return true;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_diff_free(&run->diff);
	vk_diff_files_free(run->files, run->file_count);
	for (int i = 0; i < 2; i++) {
		vk_source_close(&run->sides[i].source);
		if (run->sides[i].is_capture)
			vk_capture_close(&run->sides[i].capture);
	}
}

/* ---- for people */

static void show_side(FILE *out, const char *word, const struct side *side)
{
	fprintf(out, "%-7s ", word);
	if (side->is_capture) {
		fprintf(out, "%s %s, taken %s of %s", side->capture.is_undo      ? "undo capture"
			: side->capture.is_rebuilt ? "rebuilt capture"
						   : "capture",
			side->capture.id, side->time, vk_shown_name(side->capture.source_path).text);
		if (side->capture.host[0] != '\0')
			fprintf(out, " on %s", vk_shown_name(side->capture.host).text);
	} else {
		fprintf(out, "%s %s, read %s", vk_source_kind_name(side->source.kind), vk_shown_name(side->name).text,
			side->time);
	}
	fprintf(out, ", %s\n", vk_shown_size_short(side->source.size_bytes).text);
}

static void show_changes(FILE *out, const struct vk_diff *diff, bool is_volatile, const char *title)
{
	bool first = true;

	for (size_t i = 0; i < diff->change_count; i++) {
		if (diff->changes[i].is_volatile != is_volatile)
			continue;
		if (first)
			fprintf(out, "\n%s\n", title);
		first = false;
		fprintf(out, "  %s\n", diff->changes[i].message);
	}
}

static void show_range(FILE *out, const struct vk_byte_change *range, uint32_t sector_size)
{
	char place[48];

	if (range->partition != 0)
		snprintf(place, sizeof(place), "partition %u %s", range->partition, vk_part_name(range->part));
	else
		snprintf(place, sizeof(place), "%s", vk_part_name(range->part));
	fprintf(out, "  %-24s %8" PRIu64 " byte%s at %" PRIu64 " (0x%" PRIx64 ", sector %" PRIu64 ")%s\n", place,
		range->length_bytes, range->length_bytes == 1 ? " " : "s", range->offset_bytes,
		range->offset_bytes, range->offset_bytes / sector_size,
		range->is_volatile ? " volatile" : "");
}

/* First those that matter: a busy heartbeat region must not push them off the screen. */
static void show_ranges(FILE *out, const struct vk_diff *diff, uint32_t sector_size)
{
	size_t shown = 0;

	if (diff->range_count == 0)
		return;
	fputs("\nBytes that differ:\n", out);
	for (int is_volatile = 0; is_volatile < 2; is_volatile++)
		for (size_t i = 0; i < diff->range_count && shown < RANGES_SHOWN; i++)
			if (diff->ranges[i].is_volatile == (is_volatile != 0)) {
				show_range(out, &diff->ranges[i], sector_size);
				shown++;
			}
	if (diff->range_count > shown)
		fprintf(out, "  and %zu more ranges; --json lists %s%zu\n",
			diff->range_count + diff->ranges_dropped - shown,
			diff->ranges_dropped > 0 ? "the first " : "all ", diff->range_count);
}

static size_t file_changes(const struct run *run)
{
	size_t sum = 0;

	for (size_t i = 0; i < run->file_count; i++)
		sum += run->files[i].change_count;
	return sum;
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const struct vk_diff *diff = &run->diff;
	FILE *out = run->cmd.call->out;

	show_side(out, "before", &run->sides[0]);
	show_side(out, "after", &run->sides[1]);
	if (diff->unrelated)
		fputs("\nThese are most likely two different disks: not one UUID or GUID of one is on the other.\n",
		      out);
	show_changes(out, diff, false, "Changed:");
	if (diff->changes_dropped > 0)
		fprintf(out, "  and %zu more changes, which are too many to list\n", diff->changes_dropped);
	show_changes(out, diff, true, "Changed by hosts that use the volume:");
	show_ranges(out, diff, run->sides[0].source.sector_size);
	for (size_t i = 0; i < run->file_count; i++)
		vk_diff_show_files(out, &run->files[i]);
	fputc('\n', out);
	if (diff->missing_bytes > 0)
		fprintf(out, "%s could not be compared: only one of the two holds them\n",
			vk_shown_size_short(diff->missing_bytes).text);
	fprintf(out, "%s %s: %s\n", vk_shown_size_short(diff->compared_bytes).text,
		diff->missing_bytes > 0 ? "that both hold were compared" : "compared",
		diff->range_count > 0 && diff->matters	       ? "different"
		: diff->matters				       ? "all bytes are equal, but see above"
		: diff->range_count + diff->change_count + file_changes(run) > 0
			? "the same, apart from what hosts change all the time"
		: diff->missing_bytes > 0		       ? "all bytes are equal"
							       : "the same");
}

/* ---- for scripts: the contract is docs/json.md */

static json_t *side_json(const struct side *side)
{
	const struct vk_capture *c = side->is_capture ? &side->capture : NULL;

	return VK_JSON_OBJECT(
		VK_KEY("purpose", c != NULL ? vk_capture_purpose(c) : "live"),
		VK_KEY("path", c != NULL ? c->path : side->name), VK_KEY("id", c != NULL ? c->id : NULL),
		VK_KEY("host", c != NULL ? c->host : NULL), VK_KEY("disk", c != NULL ? c->source_path : side->name),
		VK_KEY("time", side->time), VK_KEY("kind", vk_source_kind_name(side->source.kind)),
		VK_KEY("size_bytes", side->source.size_bytes), VK_KEY("sector_size", side->source.sector_size));
}

static json_t *range_json(const struct vk_byte_change *range)
{
	return VK_JSON_OBJECT(VK_KEY("offset_bytes", range->offset_bytes), VK_KEY("length_bytes", range->length_bytes),
			      VK_KEY("part", vk_part_name(range->part)), VK_KEY("partition", range->partition),
			      VK_KEY("volatile", range->is_volatile));
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	const struct vk_diff *diff = &run->diff;
	json_t *changes = json_array();
	json_t *ranges = json_array();
	json_t *files = json_array();

	for (size_t i = 0; i < diff->change_count; i++)
		vk_json_append(changes, vk_cmd_change_json(&diff->changes[i], true), root);
	for (size_t i = 0; i < diff->range_count; i++)
		vk_json_append(ranges, range_json(&diff->ranges[i]), root);
	for (size_t i = 0; i < run->file_count; i++)
		vk_json_append(files, vk_diff_files_json(&run->files[i]), root);
	VK_JSON_SET(root, VK_KEY("before", side_json(&run->sides[0])), VK_KEY("after", side_json(&run->sides[1])),
		    VK_KEY("matters", diff->matters), VK_KEY("unrelated", diff->unrelated), VK_KEY("changes", changes),
		    VK_KEY("changes_dropped", diff->changes_dropped), VK_KEY("ranges", ranges),
		    VK_KEY("ranges_dropped", diff->ranges_dropped), VK_KEY("compared_bytes", diff->compared_bytes),
		    VK_KEY("missing_bytes", diff->missing_bytes),
		    VK_KEY("files", files));
}

VK_CMD_VERB(run_diff, struct run, "vmfskit.diff/1", read_options, compare, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "as",
	 .argument = "KIND",
	 .help = "what a disk or file is, if its bytes do not show it",
	 .choices = "disk partition"},
	VK_HOW_OPTIONS,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit diff 20261121T014500Z-sdb 20261122T014500Z-sdb", "what happened between two nights"},
	{"vmfskit diff 20261121T014500Z-sdb /dev/sdb", "what changed since then"},
	{"vmfskit diff old.img new.img", "two dumps of one disk"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_diff = {
	.name = "diff",
	.arguments = "BEFORE AFTER",
	.purpose = "show what changed between two captures, or a capture and a disk",
	.description =
		"Compares BEFORE with AFTER. Each is a capture (an id of the store, a part of it or latest:LABEL as "
		"in vmfskit restore, or a folder's path), or a disk or partition (a device, a file, or - for standard "
		"input).\n\n"
		"First it prints the fields that changed, each cause once: a partition with a new end is one line, "
		"although the table stores the end in several places. Then it prints, separately, what hosts change "
		"while they use a volume: heartbeats, generations, times of change, who holds a lock. Then it prints "
		"the bytes that differ. Bytes that no field explains are one line for each part of a partition.\n\n"
		"Of two captures it also compares the maps of files: which appeared, vanished, grew, shrank or moved "
		"(the same file under another path). What a map does not know, because files could not be read, is "
		"not called vanished. Only a virtual disk that vanished counts for the exit code.\n\n"
		"It compares what a capture saves: partition table, LVM region, volume header, heartbeats. What one "
		"of the two does not hold is not compared and is not a difference. For example, an undo capture holds "
		"only what the restore was going to change.\n\n"
		"A name without a slash is first taken for an id of the store, then for a capture in a folder here, "
		"then for a file or device, then for a part of an id. The exit code is 1 when something differs that "
		"hosts do not change by using the volume.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run_diff,
};
