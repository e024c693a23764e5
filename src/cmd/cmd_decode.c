/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit decode: show what is in a disk, a dump or a capture, and what is wrong with it. */
#include <string.h>

#include "cmd/shared/frame.h"
#include "cmd/shared/opened.h"
#include "cmd/shared/verbs.h"
#include "report/report.h"

/* Everything that was named on the command line, decoded. */
struct run {
	struct vk_cmd cmd;
	struct vk_source_options options;
	struct vk_cmd_opened opened;
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
		if (vk_cmd_open_any(&run->cmd, path, &run->options, &run->opened, &err) != VK_OK)
			vk_cmd_fail(&run->cmd, &err);
	}
	if (run->opened.count == 0)
		return false;
	if (vk_volumes_assemble(run->opened.sources, run->opened.count, &sink, &run->volumes, &run->volume_count,
				&err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	for (size_t i = 0; i < run->opened.count; i++)
		vk_cmd_judge_findings(&run->cmd, &run->opened.sources[i].findings);
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
	for (size_t i = 0; i < run->opened.count; i++)
		add_up(&run->opened.sources[i].findings, sums);
	add_up(&run->across, sums);
	if (sums[VK_ERROR] + sums[VK_WARNING] > 0) {
		fprintf(out, "Findings, at the end: ");
		vk_report_findings_sum(out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO], sums[ABSENT]);
	}
	for (size_t i = 0; i < run->opened.count; i++) {
		if (i > 0)
			fputc('\n', out);
		if (vk_cli_flag(run->cmd.call, "hex"))
			vk_report_source_hex(out, &run->opened.sources[i], &style);
		else
			vk_report_source_text(out, &run->opened.sources[i], &style);
	}
	vk_report_volumes_text(out, run->volumes, run->volume_count, run->opened.sources);
	fprintf(out, "\nFindings: ");
	vk_report_findings_sum(out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO], sums[ABSENT]);
	for (size_t i = 0; i < run->opened.count; i++)
		vk_report_findings_text(out, &run->opened.sources[i].findings,
					run->opened.count > 1 ? run->opened.sources[i].path : NULL, &style);
	vk_report_findings_text(out, &run->across, NULL, &style);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *sources = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->opened.count; i++) {
		vk_json_append(sources, vk_report_source_json(&run->opened.sources[i]), root);
		vk_cmd_findings_json(findings, run->opened.sources[i].path, &run->opened.sources[i].findings, root);
	}
	vk_cmd_findings_json(findings, NULL, &run->across, root);
	VK_JSON_SET(root, VK_KEY("sources", sources),
		    VK_KEY("volumes", vk_report_volumes_json(run->volumes, run->volume_count, run->opened.sources)),
		    VK_KEY("findings", findings));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_volumes_free(run->volumes, run->volume_count);
	vk_cmd_opened_free(&run->opened);
	vk_findings_free(&run->across);
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
	.purpose = "show what is in a disk, a partition or a dump, and what is wrong",
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
