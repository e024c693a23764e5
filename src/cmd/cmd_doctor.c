/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit doctor: one look at everything. */
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "cmd/shared/frame.h"
#include "cmd/shared/output_file.h"
#include "cmd/shared/verbs.h"
#include "report/doctor.h"
#include "vmfskit/live_lun.h"

/* Hosts beat every three seconds: who waits less sees none. Tests have their own clocks. */
#ifdef VK_TEST_HOOKS
#define WAIT_LEAST_SECONDS 0.001
#else
#define WAIT_LEAST_SECONDS 4
#endif
enum { WAIT_MS = 8000 };

/* Everything that was named on the command line. */
struct run {
	struct vk_cmd cmd;
	const char *svg;
	struct vk_doctor_options options;
	struct vk_diagnosis *diagnoses;
	size_t count;
	struct vk_findings across; /* findings about volumes, not about one source */
};

static bool read_wait(struct vk_cmd *cmd, unsigned *ret_ms)
{
	const char *text = vk_cli_value(cmd->call, "heartbeat-wait");
	char *end;
	double seconds;

	*ret_ms = WAIT_MS;
	if (text == NULL)
		return true;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds == 0 || (seconds >= WAIT_LEAST_SECONDS && seconds <= 3600)))
		return vk_cmd_usage(cmd, "--heartbeat-wait %s: give 4 to 3600 seconds, or 0 for one look only", text);
	*ret_ms = (unsigned)(seconds * 1000 + 0.5);
	return true;
}

/* What is no name of a LUN would answer nothing, and nobody would notice. Of NVMe the kernel has names of its own. */
static bool check_live_id(struct vk_cmd *cmd, const char *name)
{
	struct vk_live_lun lun;
	struct vk_error ignored;

	if (name == NULL || (strncmp(name, "nvme.", 5) == 0 && name[5] != '\0') ||
	    vk_live_lun_of_name(name, &lun, &ignored) == VK_OK)
		return true;
	return vk_cmd_usage(cmd, "--live-id %s: this is no whole name of a LUN; give it as ESX or the kernel shows it: "
			    "naa., eui., t10., mpx., uuid., nvme. or vml. and the rest", vk_shown_name(name).text);
}

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->cmd;
	const struct vk_cli_call *call = cmd->call;
	bool overwrite = vk_cli_flag(call, "overwrite");
	struct vk_error err;

	run->svg = vk_cli_value(call, "svg");
	run->options = (struct vk_doctor_options){.store = vk_cmd_store(call),
						  .store_named = vk_cli_value(call, "store") != NULL,
						  .scan = vk_cli_flag(call, "scan"),
						  .live_id = vk_cli_value(call, "live-id"),
						  .public_key_file = vk_cli_value(call, "public-key")};
	if (!vk_cmd_read_how(cmd, &run->options.sector_size, &run->options.view) ||
	    !read_wait(cmd, &run->options.heartbeat_wait_ms) || !check_live_id(cmd, run->options.live_id))
		return false;
	if (run->svg != NULL && call->argument_count > 1)
		return vk_cmd_usage(cmd, "--svg draws one disk, and %zu were named", call->argument_count);
	if (overwrite && run->svg == NULL)
		return vk_cmd_usage(cmd, "--overwrite works with --svg only");
	if (run->svg != NULL && vk_output_check(run->svg, overwrite, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	if (!vk_cmd_open_public_key(cmd))
		return false;
	run->options.public_key = cmd->public_key;
	run->diagnoses = calloc(call->argument_count, sizeof(*run->diagnoses));
	return run->diagnoses != NULL || vk_cmd_no_memory(cmd);
}

static void draw(struct run *run)
{
	struct vk_output_file file;
	struct vk_error err;
	bool drawn;

	if (vk_output_open(run->svg, vk_cli_flag(run->cmd.call, "overwrite"), &file, &err) != VK_OK) {
		vk_cmd_fail(&run->cmd, &err);
		return;
	}
	drawn = vk_report_diagnosis_svg(file.out, &run->diagnoses[0]) || vk_cmd_no_memory(&run->cmd);
	if (vk_output_close(&file, drawn, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
}

/* What cannot be opened is reported; the others are shown all the same. */
static bool diagnose_all(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	const struct vk_finding_sink sink = vk_findings_sink(&run->across);
	struct vk_error err;

	for (size_t i = 0; i < call->argument_count;) {
		struct vk_diagnosis *diagnosis = &run->diagnoses[run->count];
		const char *path = vk_cmd_next_source(call, &i, &run->options.view);

		if (vk_diagnose(NULL, path, &run->options, diagnosis, &err) != VK_OK) {
			vk_cmd_fail(&run->cmd, &err);
			continue;
		}
		vk_cmd_ok(&run->cmd, diagnosis->unknown ? VK_EXIT_IO : diagnosis->bad ? VK_EXIT_FINDINGS : VK_EXIT_OK);
		run->count++;
	}
	if (run->count == 0)
		return false;
	/* one disk that lacks the others of its volume is asked for them */
	if (vk_diagnosis_assemble(run->diagnoses, run->count, &sink, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	vk_cmd_judge_findings(&run->cmd, &run->across);
	if (run->svg != NULL)
		draw(run);
	return true;
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->cmd.call->out;
	struct vk_report_style style = vk_report_style_for(out);

	for (size_t i = 0; i < run->count; i++) {
		if (i > 0)
			fputc('\n', out);
		vk_report_diagnosis_text(out, &run->diagnoses[i], run->options.store, &style);
	}
	if (run->across.count == 0)
		return;
	fputs("\nThe disks together\n", out);
	vk_report_findings_text(out, &run->across, NULL, &style);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *sources = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < run->count; i++)
		vk_json_append(sources, vk_report_diagnosis_json(&run->diagnoses[i]), root);
	vk_cmd_findings_json(findings, NULL, &run->across, root);
	VK_JSON_SET(root, VK_KEY("sources", sources), VK_KEY("findings", findings));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	for (size_t i = 0; i < run->count; i++)
		vk_diagnosis_free(&run->diagnoses[i]);
	free(run->diagnoses);
	vk_findings_free(&run->across);
}

VK_CMD_VERB(run_doctor, struct run, "vmfskit.doctor/1", read_options, diagnose_all, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	VK_HOW_OPTIONS,
	{.name = "scan", .help = "search the whole disk for volumes, not only the likely places"},
	{.name = "heartbeat-wait", .argument = "SECONDS",
	 .help = "time between two looks at a heartbeat that is in use (default 8, at least 4); 0: one look only"},
	{.name = "live-id", .argument = "NAME",
	 .help = "name of the LUN (naa., eui., t10., mpx., uuid., nvme. or vml.), if the kernel does not know it, for "
	 "example of a copy in a file"},
	{.name = "svg", .argument = "FILE", .choices = "FILE", .help = "draw the damage into this file"},
	{.name = "overwrite", .help = "with --svg: replace the file if it exists"},
	{.letter = 'j', .name = "json", .help = "print JSON"},
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit doctor /dev/sdb", "the datastore is gone: what happened, and what to do next"},
	{"vmfskit doctor --scan /dev/sdb", "look everywhere"},
	{"vmfskit doctor --svg damage.svg lun7.img", "a picture for the report"},
	{"vmfskit doctor --json /dev/sdb /dev/sdc", "two extents of one volume, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_doctor = {
	.name = "doctor",
	.arguments = "SOURCE...",
	.purpose = "say what happened to a disk, what is lost, and what to run next",
	.description =
		"Says what happened to a disk, and to which bytes. A SOURCE is a disk or a partition: a block device "
		"or a file. Examples of what it recognises: a deleted table, another system that initialised or "
		"formatted the LUN, wiped magics, zeros, a grown LUN, a replica, an array in the wrong order.\n\n"
		"It reads every copy of the partition table, the LVM header and its tables, the file-system "
		"descriptor, locks, heartbeats, signatures of other systems, the LUN's own name, and the captures of "
		"this disk in the store. If a heartbeat is in use, it reads the heartbeats twice, some seconds "
		"apart.\n\n"
		"If the store has a good capture, every captured byte is compared with it. Without a capture, only "
		"those bytes are judged whose value is certain. The first and last damaged sector are then given as "
		"\"at least\". Intact means that a checksum or the capture proves it. Consistent means that all "
		"checks pass.\n\n"
		"Where the file system of a volume can be opened, the files, folders and metadata that the damaged "
		"and unreadable ranges belong to are named, also those that a mapfile of ddrescue says were not "
		"read. At most a million files and 32 TiB of blocks are looked at. vmfskit check looks for damage "
		"in the file system itself.\n\n"
		"At the end it prints the one or two commands to run next, the safest first. None of them writes to "
		"the disk. doctor itself writes only the file of --svg.\n\n"
		"Sources that are extents of one volume are put together; a missing extent is named. The exit code is "
		"1 when something is wrong. It is 4 when something of the disk or its captures could not be read; "
		"then no repair is advised.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_doctor,
};
