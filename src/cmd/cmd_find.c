/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit find: volumes that no table names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "cmd/shared/frame.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/scan_progress.h"
#include "cmd/shared/verbs.h"
#include "find/wish.h"
#include "report/report_find.h"
#include "vmfskit/of_disk.h"

enum { NEXT_MAX = 5, MANIFESTS_MAX = 4096, CAPTURES_MAX = 4, HINTS_MAX = 64 };

struct run {
	struct vk_cmd cmd;
	const char *path;
	struct vk_find_options options;
	struct vk_source_options how;
	struct vk_source source;
	struct vk_find_hint hints[HINTS_MAX]; /* where captures of this disk say that its volumes begin */
	char hint_texts[HINTS_MAX][VK_CAPTURE_ID_BYTES + 8];
	size_t hint_count;
	struct vk_findings of_source;
	struct vk_find found;
	struct vk_cmd_progress progress;
	struct vk_find_view view; /* once the search is over */
	char *next[NEXT_MAX];     /* what it points to */
};

static bool show_progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct run *run = ctx;

	return vk_cmd_progress_tell(&run->progress, done_bytes, total_bytes);
}

static void report_likely(void *ctx, const struct vk_candidate *candidates, size_t count)
{
	struct run *run = ctx;

	vk_report_find_likely(run->cmd.call->out, &run->source, candidates, count,
				vk_cmd_progress_seconds(&run->progress));
	fflush(run->cmd.call->out);
}

/* START+LENGTH, each a size; false when it is not that. */
static bool parse_range(const char *text, struct vk_find_options *options)
{
	const char *plus = strchr(text, '+');
	char start[64] = "";

	if (plus == NULL || (size_t)(plus - text) >= sizeof(start))
		return false;
	memcpy(start, text, (size_t)(plus - text));
	return vk_text_parse_size(start, &options->range_start_bytes) &&
	       vk_text_parse_size(plus + 1, &options->range_length_bytes) &&
	       options->range_start_bytes % 512 == 0 && options->range_length_bytes > 0;
}

/* A sound entry names it with another length than its header. */
static bool other_length(const struct vk_candidate *c)
{
	return c->table_sound && c->claimed_bytes >= c->length_bytes && c->told_bytes != 0 &&
	       c->told_bytes != c->claimed_bytes;
}

/* Something of it is wrong that repair header works on: that another system's signature lies in it is not. */
static bool headers_are_hurt(const struct vk_candidate *c)
{
	for (int i = 0; i < VK_CHECK_COUNT; i++)
		if (i != VK_CHECK_NOT_FOREIGN && c->checks[i].verdict == VK_VERDICT_FAIL)
			return true;
	return !c->has_header || (c->head && !c->has_fs);
}

/* The volume that is to be repaired next, and how; NULL: the table. The list ends with NULL. */
static void add_next(char **next, size_t *count, const char *verb, const struct run *run, const struct vk_candidate *c)
{
	struct vk_command command;
	char *line;

	vk_command_begin(&command, "vmfskit ");
	vk_command_add(&command, "%s", verb);
	vk_cmd_put_source(&command, run->path, &run->how.view);
	/* 0 of a partition by itself, whatever its content suggests */
	if (c != NULL && (run->source.kind == VK_SOURCE_DISK || run->how.as != VK_SOURCE_AUTO))
		vk_command_add(&command, " --start %" PRIu64, c->start_bytes / run->source.sector_size);
	for (size_t i = 0; c == NULL && i < run->found.count; i++)
		vk_find_put_wish(&run->found, &run->source, &run->found.candidates[i], &command);
	/* without them the next verb would count in other sectors, and ask other captures */
	vk_cmd_put_options(&command, run->cmd.call, VK_HOW_OPTION_NAMES " store public-key config");
	line = vk_command_end(&command);
	if (line != NULL)
		next[(*count)++] = line;
}

/* Nothing is written through a view: where something is to be repaired, what it lies in is opened first. */
static size_t only_reading(struct run *run, size_t count)
{
	const char *attach = run->source.readings.items[0].attach;

	for (size_t i = 0; i < count; i++)
		free(run->next[i]);
	if (count == 0 || attach[0] == '\0')
		return 0;
	run->next[0] = strdup(attach);
	return run->next[0] != NULL;
}

static size_t what_next(struct run *run)
{
	bool table = false, part = vk_source_is_part(&run->source);
	size_t count = 0;

	/* a part of an array or pool, as whole as it may look: what is written to it is lost or breaks the whole */
	for (size_t i = 0; i < run->found.foreign.count; i++)
		if (run->found.foreign.items[i].start_bytes == 0 && vk_foreign_is_member(&run->found.foreign.items[i]))
			return 0;

	for (size_t i = 0; i < run->found.count; i++)
		part = part || run->found.candidates[i].absent_bytes != 0;
	/* a place in what is no disk of its own, or only the beginning of one, is none that could be written to */
	for (size_t i = 0; i < run->found.count && run->source.readings.items[0].repairable && !part; i++) {
		const struct vk_candidate *c = &run->found.candidates[i];

		enum vk_wish wish = vk_find_wish(&run->found, &run->source, c);

		if (vk_standing_is_ghost(c->standing) || c->start_before_disk || wish == VK_WISH_COPY)
			continue;
		/* a sound entry stands: when the header says another length, the header is what is looked at */
		table = table || (!vk_report_find_in_table(c) && !other_length(c));
		/* headers are written into no partition of another system: the table comes first */
		if (wish == VK_WISH_NONE && count < NEXT_MAX - 1 &&
		    ((c->standing == VK_STANDING_DAMAGED && headers_are_hurt(c)) || other_length(c)) &&
		    (run->source.kind == VK_SOURCE_DISK || c->start_bytes == 0))
			add_next(run->next, &count, "repair header", run, c);
	}
	if (table && run->source.kind == VK_SOURCE_DISK)
		/* an older GPT tells names and GUIDs, and repair searches only likely places of its own accord */
		add_next(run->next, &count, run->found.older_count > 0 && !run->options.likely_only
						    ? "repair table --scan" : "repair table", run, NULL);
	return vk_io_is_view(run->source.raw) ? only_reading(run, count) : count;
}

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	struct vk_cli_call *call = run->cmd.call;
	const char *range = vk_cli_value(call, "range");

	run->options.likely_only = vk_cli_flag(call, "likely");
	run->options.resume_path = vk_cli_value(call, "resume");
	if (!vk_cmd_read_how(&run->cmd, &run->how.sector_size, &run->how.view) ||
	    !vk_cmd_read_kind(&run->cmd, &run->how.as))
		return false;
	run->path = vk_cmd_one_source(&run->cmd, 0, &run->how.view);
	if (run->path == NULL)
		return false;
	if (range != NULL && !parse_range(range, &run->options))
		return vk_cmd_usage(&run->cmd, "--range takes START+LENGTH, such as 0+64G or 2048s+4194304s, not %s",
				    range);
	if (run->options.likely_only && (range != NULL || run->options.resume_path != NULL))
		return vk_cmd_usage(&run->cmd, "--likely does not scan: do not give --range or --resume with it");
	return true;
}

/* Whether a capture is of the disk that is searched, and is one that was saved: only such a manifest is believed. */
static bool is_believed(struct vk_vouching *vouching, const struct vk_capture *c, struct vk_disk_facts *facts,
			const char *path)
{
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_of_disk answer;
	struct vk_error ignored;
	unsigned by;
	bool believed = c->source_kind == facts->kind && vk_capture_tells_of(c, facts, &answer) &&
			vk_vouch(vouching, path, &sink, &by, &ignored) == VK_OK && findings.count == 0;

	vk_findings_free(&findings);
	return believed;
}

/*
 * Where volumes began, from the newest captures in the store of --store that are of this disk (vk_capture_is_of) and
 * vouched for; a bounded number of manifests. No store is no error unless it was named. VK_IO, VK_ABSENT, VK_NOMEM.
 */
static enum vk_status read_captures(struct run *run, struct vk_error *err)
{
	const struct vk_cmd *cmd = &run->cmd;
	struct vk_disk_facts facts;
	char **paths = NULL;
	size_t count = 0, used = 0;
	enum vk_status status = vk_cmd_store_paths(vk_cmd_store(cmd->call), &paths, &count, err);

	if (status == VK_ABSENT && !vk_cli_given_here(cmd->call, "store"))
		return VK_OK;
	if (status != VK_OK)
		return status;
	vk_disk_facts_read(&run->source, &facts);
	for (size_t n = 0; n < count; n++) {
		char *path = paths[count - 1 - n];
		enum vk_status opened = VK_ABSENT;
		struct vk_error unread = {.status = VK_OK};
		struct vk_capture c;

		if (n < MANIFESTS_MAX && used < CAPTURES_MAX)
			opened = vk_capture_open("", path, &c, &unread);
		/* one that is damaged has nothing to say; of one that cannot be read that is not known */
		if (opened == VK_IO && status == VK_OK) {
			status = opened;
			*err = unread;
		}
		if (opened == VK_OK) {
			bool believed = is_believed(cmd->vouching, &c, &facts, path);

			used += believed;
			for (size_t i = 0; believed && i < c.identity_count && run->hint_count < HINTS_MAX; i++) {
				struct vk_find_hint *hint = &run->hints[run->hint_count];
				char *text = run->hint_texts[run->hint_count++];

				snprintf(text, sizeof(run->hint_texts[0]), "capture %s", c.id);
				*hint = (struct vk_find_hint){.start_sector = c.identities[i].start_sector,
							      .sectors = c.identities[i].sectors, .from = text};
			}
			vk_capture_close(&c);
		}
		free(path);
	}
	free(paths);
	vk_disk_facts_free(&facts);
	return status;
}

static bool read_hints(struct run *run)
{
	struct vk_cmd *cmd = &run->cmd;
	struct vk_error err;
	enum vk_status status;

	/* captures count from the beginning of the device */
	if (vk_cli_flag(cmd->call, "no-store") || vk_source_looked_through(&run->source))
		return true;
	if (!vk_cmd_open_vouching(cmd))
		return false;
	status = read_captures(run, &err);
	if (status == VK_NOMEM)
		return vk_cmd_fail(cmd, &err);
	/* captures only tell where to look first: the disk can be searched without them */
	if (status != VK_OK)
		fprintf(cmd->call->err, "%s: note: %scaptures are not used: %s (%s)\n", cmd->call->program->name,
			run->hint_count > 0 ? "some " : "", err.what, err.where);
	return true;
}

static bool search(void *ctx)
{
	struct run *run = ctx;
	struct vk_find_options *options = &run->options;
	const struct vk_range *bad;
	char name[400] = "";
	struct vk_text text = vk_text_in(name, sizeof(name));
	struct vk_disk_facts facts;
	struct vk_error err;
	enum vk_status status;

	if (vk_source_open(run->path, &run->how, &run->source, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	for (size_t i = 0; i < run->source.findings.count; i++)
		if (vk_finding_is_of_source(&run->source.findings.items[i]))
			vk_findings_add(&run->of_source, &run->source.findings.items[i]);
	if (!read_hints(run))
		return false;
	options->hints = run->hints;
	options->hint_count = run->hint_count;
	options->progress = show_progress;
	options->ctx = run;
	/* who it is, asked through what is read */
	vk_disk_facts_read(&run->source, &facts);
	vk_disk_facts_name(&facts, &text);
	vk_disk_facts_free(&facts);
	options->disk_name = name;
	if (!run->cmd.json)
		options->likely = report_likely;
	vk_cmd_progress_begin(&run->progress, run->cmd.call);
	status = vk_find(&run->source, options, &run->found, &err);
	options->disk_name = NULL;
	(void)vk_cmd_progress_end(&run->progress);
	if (status != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	/* what the device did not deliver is not known to be empty */
	if (run->found.stopped || vk_io_bad_ranges(run->source.raw, &bad) > 0)
		vk_cmd_ok(&run->cmd, VK_EXIT_IO);
	run->view = (struct vk_find_view){.source = &run->source,
					  .find = &run->found,
					  .likely_only = options->likely_only,
					  .of_source = &run->of_source,
					  .resume_path = options->resume_path,
					  .range_start_bytes = options->range_start_bytes,
					  .all = vk_cli_flag(run->cmd.call, "all"),
					  .seconds = vk_cmd_progress_seconds(&run->progress),
					  .next = run->next,
					  .next_count = what_next(run)};
	vk_cmd_ok(&run->cmd, vk_report_find_agrees(&run->view) && !vk_findings_bad(run->view.of_source)
			      ? VK_EXIT_OK : VK_EXIT_FINDINGS);
	return true;
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;

	json_t *object = vk_report_find_json(&run->view), *findings = json_array();

	if (object == NULL || json_object_update(root->o, object) != 0)
		root->failed = true;
	json_decref(object);
	vk_cmd_findings_json(findings, NULL, &run->of_source, root);
	vk_json_set(root, "findings", findings);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;

	vk_report_find_text(run->cmd.call->out, &run->view);
}

static void report_how_to_go_on(const struct run *run)
{
	struct vk_command command;
	char *line;

	fputs("vmfskit: stopped before the end", run->cmd.call->err);
	if (run->options.resume_path == NULL) {
		fputs("; with --resume FILE the next search can be stopped and continued\n", run->cmd.call->err);
		return;
	}
	vk_command_begin(&command, "; go on with:");
	for (const char *const *word = run->cmd.call->command; *word != NULL; word++)
		vk_command_word(&command, *word);
	line = vk_command_end(&command);
	vk_screen_paste(run->cmd.call->err, "%s\n", line != NULL ? line : "");
	free(line);
}

static void end(void *ctx)
{
	struct run *run = ctx;

	if (run->found.stopped)
		report_how_to_go_on(run);
	for (size_t i = 0; i < run->view.next_count; i++)
		free(run->next[i]);
	vk_find_free(&run->found);
	vk_findings_free(&run->of_source);
	vk_source_close(&run->source);
}

VK_CMD_VERB(run_find, struct run, "vmfskit.find/1", read_options, search, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	{.name = "likely", .help = "look at the likely places only, do not search the whole disk"},
	{.name = "range", .argument = "START+LENGTH",
	 .help = "search only these bytes (64G, 2048s for sectors of 512 bytes)"},
	{.name = "resume", .argument = "FILE", .choices = "FILE",
	 .help = "keep the state of the search in FILE; if FILE has a state of this disk, continue from it"},
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	{.name = "no-store", .help = "do not use the captures of this disk"},
	{.name = "as", .argument = "KIND", .choices = "disk partition",
	 .help = "read the source as this, whatever its content suggests"},
	VK_HOW_OPTIONS,
	{.name = "all", .help = "show also every check of everything that was found, ghosts as well"},
	VK_JSON_OPTION,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit find /dev/sdb", "what is on a LUN whose partition table is gone"},
	{"vmfskit find --likely /dev/sdb", "an answer at once, from the places where volumes usually begin"},
	{"vmfskit find --resume /var/tmp/sdb.scan /dev/sdb", "a search of many hours that may be interrupted"},
	{"vmfskit find --range 8G+2T --json /dev/sdb", "a part of the disk, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_find = {
	.name = "find",
	.arguments = "SOURCE",
	.purpose = "find VMFS volumes, also those that no partition table names",
	.description =
		"Finds VMFS volumes. First it looks where volumes are likely to begin: at the places that every "
		"readable copy of the partition table and the captures of this disk give, and at the usual starts of "
		"installers and tools. Then it searches every 512-byte boundary of the whole disk for LVM headers, "
		"file-system descriptors, locks and heartbeats. Locks and heartbeats record their own place in the "
		"volume. So they show where the volume begins even if header and descriptor are gone.\n\n"
		"Each volume is judged by relations that hold in real volumes: it is living, damaged, or a ghost. A "
		"ghost is a copy of a header inside another volume, the disk of a virtual machine, extended metadata, "
		"an earlier format, something under another file system, or a magic without anything else. Ghosts are "
		"never put into a partition table.\n\n"
		"A length is exact when something besides the LVM header confirms it: a partition table, the backup "
		"GPT at the end of an image, a capture, or the end of the disk. Otherwise the length is \"at least\" "
		"what the extents need, and the length in the header is shown beside it. A single wrong bit in the "
		"header's length would not be noticed.\n\n"
		"SOURCE is a disk or one partition: a block device or a file. It is only read. An interrupted search "
		"(Ctrl-C) ends cleanly. With --resume FILE the next run continues it. That file belongs to one disk: "
		"it records the disk's name (WWID, serial number, or inode of a file) and some of its blocks. These "
		"are read again, and the file is refused if they differ. Results taken from it are shown with their "
		"date.\n\n"
		"The exit code is 0 when the volumes agree with a sound partition table, or when the source holds no "
		"table; for a partition by itself, when its volume is sound. It is 1 when a volume has no partition "
		"or is damaged, when the table lists a volume that is not there, or when the source itself is wrong "
		"(a container, a text, a copy that lost or gained bytes). It is 4 when the search could not be "
		"finished.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_find,
};
