/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit decode: show what is in a disk, a dump or a capture, and what is wrong with it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "cmd/shared/sector_size.h"
#include "cmd/shared/verbs.h"
#include "report/report.h"
#include "vmfskit/capture.h"

/* Everything that was named on the command line, decoded. */
struct decoded {
	struct vk_source *sources;
	struct vk_capture *captures; /* captures[i] belongs to sources[i] when it has a path */
	size_t count;
	struct vk_volume *volumes;
	size_t volume_count;
	struct vk_findings across; /* findings about volumes, not about one source */
};

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum vk_status open_one(const char *path, const struct vk_source_options *options,
			       struct decoded *d, struct vk_error *err)
{
	struct vk_source *source = &d->sources[d->count];
	struct vk_capture *capture = &d->captures[d->count];
	enum vk_status status;

	if (strcmp(path, "-") == 0 || !is_folder(path)) {
		status = vk_source_open(path, options, source, err);
	} else {
		char here[PATH_MAX + 8];

		/* a folder that was named is meant as it stands, not as an id of a store */
		snprintf(here, sizeof(here), "%s%s", strchr(path, '/') == NULL ? "./" : "", path);
		status = vk_capture_open(VK_STORE_DEFAULT, here, capture, err);
		if (status == VK_OK) {
			status = vk_capture_source(capture, source, err);
			if (status != VK_OK)
				vk_capture_close(capture);
		}
	}
	if (status == VK_OK)
		d->count++;
	return status;
}

static void close_all(struct decoded *d)
{
	vk_volumes_free(d->volumes, d->volume_count);
	for (size_t i = 0; i < d->count; i++) {
		vk_source_close(&d->sources[i]);
		if (d->captures[i].path != NULL)
			vk_capture_close(&d->captures[i]);
	}
	vk_findings_free(&d->across);
	free(d->sources);
	free(d->captures);
}

static void count(const struct vk_findings *list, size_t sums[3])
{
	for (size_t i = 0; i < list->count; i++)
		sums[vk_finding_kind(list->items[i].code)->severity]++;
	sums[VK_WARNING] += list->dropped;
}

static void print_text(struct vk_cli_call *call, const struct decoded *d)
{
	struct vk_report_style style = vk_report_style_for(call->out);
	size_t sums[3] = {0};

	style.all = vk_cli_flag(call, "all");
	for (size_t i = 0; i < d->count; i++)
		count(&d->sources[i].findings, sums);
	count(&d->across, sums);
	if (sums[VK_ERROR] + sums[VK_WARNING] > 0) {
		fprintf(call->out, "Findings, at the end: ");
		vk_report_findings_sum(call->out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO]);
	}
	for (size_t i = 0; i < d->count; i++) {
		if (i > 0)
			fputc('\n', call->out);
		if (vk_cli_flag(call, "hex"))
			vk_report_source_hex(call->out, &d->sources[i], &style);
		else
			vk_report_source_text(call->out, &d->sources[i], &style);
	}
	vk_report_volumes_text(call->out, d->volumes, d->volume_count, d->sources);
	fprintf(call->out, "\nFindings: ");
	vk_report_findings_sum(call->out, sums[VK_ERROR], sums[VK_WARNING], sums[VK_INFO]);
	for (size_t i = 0; i < d->count; i++)
		vk_report_findings_text(call->out, &d->sources[i].findings,
					d->count > 1 ? d->sources[i].path : NULL, &style);
	vk_report_findings_text(call->out, &d->across, NULL, &style);
}

static int print_json(struct vk_cli_call *call, const struct decoded *d)
{
	json_t *sources = json_array();
	json_t *findings = json_array();
	json_t *volumes = vk_report_volumes_json(d->volumes, d->volume_count, d->sources);
	bool fits = sources != NULL && findings != NULL && volumes != NULL;
	json_t *root;

	for (size_t i = 0; fits && i < d->count; i++)
		fits = json_array_append_new(sources, vk_report_source_json(&d->sources[i])) == 0 &&
		       vk_report_findings_json(findings, d->sources[i].path, &d->sources[i].findings);
	fits = fits && vk_report_findings_json(findings, NULL, &d->across);
	root = json_pack("{s:s,s:o,s:o,s:o}", "schema", "vmfskit.decode/1", "sources", sources,
			 "volumes", volumes, "findings", findings);
	if (!fits || root == NULL) {
		struct vk_error err;

		json_decref(root);
		vk_no_memory(&err, NULL);
		return vk_cli_fail(call, &err);
	}
	json_dumpf(root, call->out, JSON_INDENT(2));
	fputc('\n', call->out);
	json_decref(root);
	return VK_EXIT_OK;
}

static int run_decode(struct vk_cli_call *call)
{
	const char *as = vk_cli_value(call, "as");
	struct vk_source_options options = {0};
	struct decoded d = {0};
	struct vk_error err;
	int code = vk_cmd_sector_size(call, &options.sector_size);
	int worst = VK_EXIT_OK;

	if (code != VK_EXIT_OK)
		return code;
	if (as != NULL && !vk_source_kind_parse(as, &options.as))
		return vk_cli_usage(call, "--as takes disk, partition, volume or header, not %s", as);
	if (vk_cli_flag(call, "hex") && vk_cli_flag(call, "json"))
		return vk_cli_usage(call, "--hex and --json exclude each other");
	d.sources = calloc(call->argument_count, sizeof(*d.sources));
	d.captures = calloc(call->argument_count, sizeof(*d.captures));
	if (d.sources == NULL || d.captures == NULL) {
		close_all(&d);
		vk_no_memory(&err, NULL);
		return vk_cli_fail(call, &err);
	}
	/* what cannot be opened is said; the others are shown all the same */
	for (size_t i = 0; i < call->argument_count; i++)
		if (open_one(call->arguments[i], &options, &d, &err) != VK_OK) {
			code = vk_cli_fail(call, &err);
			worst = code > worst ? code : worst;
		}
	if (d.count > 0) {
		struct vk_finding_sink sink = vk_findings_sink(&d.across);
		bool bad = false;

		if (vk_volumes_assemble(d.sources, d.count, &sink, &d.volumes, &d.volume_count, &err) !=
		    VK_OK)
			worst = vk_cli_fail(call, &err);
		if (vk_cli_flag(call, "json"))
			worst = print_json(call, &d) > worst ? VK_EXIT_IO : worst;
		else
			print_text(call, &d);
		for (size_t i = 0; i < d.count; i++)
			bad = bad || vk_findings_bad(&d.sources[i].findings);
		bad = bad || vk_findings_bad(&d.across);
		if (bad && worst == VK_EXIT_OK)
			worst = VK_EXIT_FINDINGS;
	}
	close_all(&d);
	return worst;
}

static const struct vk_cli_option options[] = {
	{.name = "as", .argument = "KIND", .choices = "disk partition volume header",
	 .help = "read the source as this, whatever its content suggests"},
	VK_SECTOR_SIZE_OPTION,
	{.name = "hex", .help = "show the bytes of every structure beside the names of their fields"},
	{.letter = 'j', .name = "json", .help = "print JSON (docs/json.md)"},
	{.name = "all", .help = "show also fields that are zero, and every entry of long tables"},
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit decode /dev/sdb", "look at a LUN"},
	{"vmfskit decode --hex first-2-MiB.dd", "every field beside its bytes, of a dump that was cut short"},
	{"hexdump -C -n 4096 -s 0x100000 /dev/sdb1 | vmfskit decode -", "a listing instead of a dump"},
	{"vmfskit decode --json /dev/sdb /dev/sdc", "two extents of one volume, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_decode = {
	.name = "decode",
	.arguments = "SOURCE...",
	.purpose = "show what is in a disk, a partition, a volume or a piece of one, and what is wrong with it",
	.description =
		"A SOURCE is a disk, one partition, a logical volume (.vh.sf or an image of /dev/lvm), a fragment "
		"that starts at the LVM header, a VMFSIMG image, a hexdump -C listing in a text file, or a capture's "
		"folder; a block device, a file or standard input (-); whole or cut off anywhere. What it is is "
		"recognised by its content. When two readings fit equally, decode refuses and names both.\n\n"
		"Sources that are extents of one volume are put together; an extent that is missing is named.\n\n"
		"Nothing is opened for writing. Block devices are read past the page cache. Sectors that cannot be "
		"read are reported by range and never taken for zeros.\n\n"
		"The exit code is 0 when everything is whole and sound, and 1 when a structure is cut, absent or "
		"damaged.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_decode,
};
