/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit decode: show what is in a disk, a dump or a capture, and what is wrong with it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/command.h"
#include "base/memory.h"
#include "base/texts.h"
#include "cmd/shared/frame.h"
#include "cmd/shared/verbs.h"
#include "report/report.h"
#include "vmfskit/capture.h"
#include "vmfskit/store.h"
#include "vmfskit/text.h"

/* Everything that was named on the command line, decoded. */
struct run {
	struct vk_cmd cmd;
	struct vk_source_options options;
	struct vk_source *sources;
	struct vk_capture *captures; /* captures[i] belongs to sources[i] when it has a path */
	size_t count;
	size_t capture_count;
	struct vk_volume *volumes;
	size_t volume_count;
	struct vk_findings across; /* findings about volumes, not about one source */
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;

	if (!vk_cmd_read_how(&run->cmd, &run->options.sector_size, &run->options.view) ||
	    !vk_cmd_read_kind(&run->cmd, &run->options.as))
		return false;
	if (vk_cli_flag(call, "hex") && run->cmd.json)
		return vk_cmd_usage(&run->cmd, "--hex and --json exclude each other");
	run->options.several = true;
	return true;
}

/* Owns source and capture (NULL: none), also when this fails. */
static enum vk_status keep_source(struct run *run, struct vk_source *source, struct vk_capture *capture,
				  struct vk_error *err)
{
	if (vk_append(&run->captures, &run->capture_count, capture, sizeof(*run->captures)) != NULL &&
	    vk_append(&run->sources, &run->count, source, sizeof(*run->sources)) != NULL)
		return VK_OK;
	if (capture != NULL && run->capture_count == run->count)
		vk_capture_close(capture);
	vk_source_close(source);
	return vk_no_memory(err, NULL);
}

/* The listings of other disks in the same text. */
static enum vk_status open_others(struct run *run, struct vk_error *err)
{
	for (;;) {
		const struct vk_source *before = &run->sources[run->count - 1];
		struct vk_io *io = vk_io_take_next(before->given);
		struct vk_source source;
		enum vk_status status;

		if (io == NULL)
			return VK_OK;
		status = vk_source_open_io(io, vk_io_name(io), before->form, &run->options, &source, err);
		if (status == VK_OK)
			status = keep_source(run, &source, NULL, err);
		if (status != VK_OK)
			return status;
	}
}

/* A folder without what every capture has: the captures in it, when it is a store. */
static enum vk_status explain_folder(const char *path, enum vk_status status, struct vk_error *err)
{
	static const char *const marks[] = {"manifest.json", "SHA256SUMS"};
	char **ids = NULL, newest[3 * (VK_CAPTURE_ID_BYTES + 2)] = "";
	struct vk_text text = vk_text_in(newest, sizeof(newest));
	size_t count = 0;
	struct stat st;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char file[PATH_MAX + 32];

		snprintf(file, sizeof(file), "%s/%s", path, marks[i]);
		if (lstat(file, &st) == 0 || errno != ENOENT)
			return status;
	}
	if (vk_store_list(path, &ids, &count, NULL) != VK_OK || count == 0) {
		vk_sentences_free(&ids, &count);
		status = vk_error_set(err, VK_USAGE, path, "this is a folder, and no capture");
		vk_error_remedy(err,
				"name a disk, a partition, the folder of a capture, or a file that holds an image");
		return status;
	}
	for (size_t i = count; i > 0 && count - i < 3; i--)
		vk_text_fmt(&text, "%s%s", i < count ? ", " : "", ids[i - 1]);
	status = vk_error_set(err, VK_USAGE, path, "this folder is a store: it holds %zu capture%s, the newest %s",
			      count, count == 1 ? "" : "s", newest);
	vk_sentences_free(&ids, &count);
	vk_error_remedy(err, "name a capture, %s/ID; vmfskit list --store %s shows them all", vk_shell_path(path).text,
			vk_shell_path(path).text);
	return status;
}

static enum vk_status open_source(struct run *run, const char *path, struct vk_error *err)
{
	struct vk_source source;
	enum vk_status status = vk_source_open(path, &run->options, &source, err);

	if (status == VK_OK)
		status = keep_source(run, &source, NULL, err);
	return status == VK_OK ? open_others(run, err) : status;
}

/* A folder is a capture as it stands; what is not here may be a capture of the store. */
static enum vk_status open_one(struct run *run, const char *path, struct vk_error *err)
{
	const char *store = vk_cmd_store(run->cmd.call);
	struct vk_capture capture;
	struct vk_source source;
	char here[PATH_MAX + 8];
	enum vk_status status;
	struct stat st;
	bool is_here = strcmp(path, "-") == 0 || stat(path, &st) == 0 || strchr(path, '/') != NULL;

	if (is_here && (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
		return open_source(run, path, err);
	snprintf(here, sizeof(here), "%s%s", is_here && strchr(path, '/') == NULL ? "./" : "", path);
	status = vk_capture_open(store, here, &capture, err);
	if (!is_here && (status == VK_ABSENT || status == VK_IO)) {
		struct vk_error other;
		enum vk_status opened = open_source(run, path, &other);

		if (status == VK_ABSENT && opened != VK_OK)
			*err = other;
		return opened != VK_OK && status == VK_IO ? status : opened;
	}
	if (status != VK_OK)
		return status == VK_DAMAGED && is_here ? explain_folder(path, status, err) : status;
	status = vk_capture_source(&capture, &source, err);
	if (status == VK_OK)
		return keep_source(run, &source, &capture, err);
	vk_capture_close(&capture);
	return status;
}

/* What cannot be opened is reported; the others are shown all the same. */
static bool decode_all(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	const struct vk_finding_sink sink = vk_findings_sink(&run->across);
	struct vk_error err;

	for (size_t i = 0; i < call->argument_count;) {
		const char *path;

		if (!vk_cmd_name_argument(&run->cmd, VK_NAME_OR_FILE, i)) {
			i++;
			continue;
		}
		path = vk_cmd_next_source(call, &i, &run->options.view);
		if (open_one(run, path, &err) != VK_OK)
			vk_cmd_fail(&run->cmd, &err);
	}
	if (run->count == 0)
		return false;
	if (vk_volumes_assemble(run->sources, run->count, &sink, &run->volumes, &run->volume_count, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	for (size_t i = 0; i < run->count; i++)
		vk_cmd_judge_findings(&run->cmd, &run->sources[i].findings);
	vk_cmd_judge_findings(&run->cmd, &run->across);
	return true;
}

enum { ABSENT = 3, SUMS };

static void add_up(const struct vk_findings *list, size_t sums[SUMS])
{
	sums[ABSENT] += vk_findings_absent(list);
	for (size_t i = 0; i < list->count; i++)
		sums[vk_finding_kind(list->items[i].code)->severity]++;
	sums[VK_WARNING] += list->dropped;
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->cmd.call->out;
	struct vk_report_style style = vk_report_style_for(out);
	size_t sums[SUMS] = {0};

	style.all = vk_cli_flag(run->cmd.call, "all");
	for (size_t i = 0; i < run->count; i++)
		add_up(&run->sources[i].findings, sums);
	add_up(&run->across, sums);
	if (sums[VK_ERROR] + sums[VK_WARNING] > 0) {
		fprintf(out, "Findings, at the end: ");
		vk_report_findings_sum(out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO], sums[ABSENT]);
	}
	for (size_t i = 0; i < run->count; i++) {
		if (i > 0)
			fputc('\n', out);
		if (vk_cli_flag(run->cmd.call, "hex"))
			vk_report_source_hex(out, &run->sources[i], &style);
		else
			vk_report_source_text(out, &run->sources[i], &style);
	}
	vk_report_volumes_text(out, run->volumes, run->volume_count, run->sources);
	fprintf(out, "\nFindings: ");
	vk_report_findings_sum(out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO], sums[ABSENT]);
	for (size_t i = 0; i < run->count; i++)
		vk_report_findings_text(out, &run->sources[i].findings, run->count > 1 ? run->sources[i].path : NULL,
					&style);
	vk_report_findings_text(out, &run->across, NULL, &style);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *sources = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->count; i++) {
		vk_json_append(sources, vk_report_source_json(&run->sources[i]), root);
		vk_cmd_findings_json(findings, run->sources[i].path, &run->sources[i].findings, root);
	}
	vk_cmd_findings_json(findings, NULL, &run->across, root);
	VK_JSON_SET(root, VK_KEY("sources", sources),
		    VK_KEY("volumes", vk_report_volumes_json(run->volumes, run->volume_count, run->sources)),
		    VK_KEY("findings", findings));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_volumes_free(run->volumes, run->volume_count);
	for (size_t i = 0; i < run->count; i++)
		vk_source_close(&run->sources[i]);
	for (size_t i = 0; i < run->capture_count; i++)
		if (run->captures[i].path != NULL)
			vk_capture_close(&run->captures[i]);
	vk_findings_free(&run->across);
	free(run->sources);
	free(run->captures);
}

VK_CMD_VERB(run_decode, struct run, "vmfskit.decode/1", read_options, decode_all, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	{.name = "as", .argument = "KIND", .choices = "disk partition volume header",
	 .help = "read the source as this, whatever its content suggests"},
	VK_HOW_OPTIONS,
	VK_STORE_OPTION,
	{.name = "hex", .help = "show the bytes of every structure beside the names of their fields"},
	{.letter = 'j', .name = "json", .help = "print JSON (docs/json.md)"},
	{.name = "all", .help = "show also fields that are zero, and every entry of long tables"},
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit decode /dev/sdb", "look at a LUN"},
	{"vmfskit decode --hex first-2-MiB.dd", "every field beside its bytes, of a dump that was cut short"},
	{"hexdump -C -n 4096 -s 0x100000 /dev/sdb1 | vmfskit decode -", "a listing instead of a dump"},
	{"vmfskit decode mail.txt", "all listings that somebody pasted into a mail"},
	{"vmfskit decode --json /dev/sdb /dev/sdc", "two extents of one volume, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_decode = {
	.name = "decode",
	.arguments = "SOURCE...",
	.purpose = "show what is in a disk, a partition, a volume or a piece of one, and what is wrong with it",
	.description =
		"Shows the structures of a SOURCE and what is wrong with them. A SOURCE is a block device, a file or "
		"standard input (-). It may be a disk, one partition, a logical volume (.vh.sf or an image of "
		"/dev/lvm), a fragment that starts at the LVM header, a VMFSIMG image, listings of bytes in a text "
		"file, or a capture (its folder, or an id of the store, see vmfskit restore). It may be cut off "
		"anywhere. Its kind is recognised by its content. If two kinds fit equally well, decode names both "
		"and refuses.\n\n"
		"The pieces of a split dump (.001, .002 and so on, also from .000, or .aa, .ab) are one source if "
		"they are named in order, or if the first is named and the others are in the same folder. A missing "
		"piece is treated as absent bytes. --mapfile, --stride and --at are applied in this order.\n\n"
		"Listings are the output of hexdump, od, xxd and hex editors, as pasted into mails. Radix and byte "
		"order are recognised from the rows, their text column, the structures in them and the commands "
		"around them. A row that can be read in two ways is not used. Neither are rows of characters (od -c), "
		"because they do not show every byte. Unused rows are counted. If a text holds listings of several "
		"disks, each is a source of its own, FILE#NAME; other commands need one of these names. Output of "
		"partedUtil getptbl and of the search of VMware's KB 2046610 in such a text is shown as a remark.\n\n"
		"Sources that are extents of one volume are put together; a missing extent is named.\n\n"
		"Nothing is opened for writing. Block devices are read past the page cache. Sectors that cannot be "
		"read are reported by range and never treated as zeros.\n\n"
		"A file may end before the end that its table or header gives. It is then shown as the beginning of a "
		"longer disk, with its share of that disk. What is not in the file is counted apart and is no error. "
		"A device that ends too early was cut short; this is an error.\n\n"
		"The exit code is 0 when everything in the source is sound, and 1 when something in it is damaged.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_decode,
};
