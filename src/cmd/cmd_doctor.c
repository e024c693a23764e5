/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit doctor: one look at everything. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/shared/output_file.h"
#include "cmd/shared/sector_size.h"
#include "cmd/shared/verbs.h"
#include "report/doctor.h"

/* Hosts beat every three seconds: who waits less sees none. Tests have their own clocks. */
#ifdef VK_TEST_HOOKS
#define WAIT_LEAST_SECONDS 0.001
#else
#define WAIT_LEAST_SECONDS 4
#endif
enum { WAIT_MS = 8000 };

/* Everything that was named on the command line. */
struct run {
	struct vk_cli_call *call;
	struct vk_doctor_options options;
	struct vk_diagnosis *diagnoses;
	size_t count;
	struct vk_findings across; /* findings about volumes, not about one source */
	int worst;
};

static int parse_wait(struct vk_cli_call *call, unsigned *ret_ms)
{
	const char *text = vk_cli_value(call, "heartbeat-wait");
	char *end;
	double seconds;

	*ret_ms = WAIT_MS;
	if (text == NULL)
		return VK_EXIT_OK;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds == 0 || (seconds >= WAIT_LEAST_SECONDS && seconds <= 3600)))
		return vk_cli_usage(call, "--heartbeat-wait %s: seconds between 4 and 3600 are meant, or 0 for one look only",
				    text);
	*ret_ms = (unsigned)(seconds * 1000 + 0.5);
	return VK_EXIT_OK;
}

static void diagnose_all(struct run *r)
{
	for (size_t i = 0; i < r->call->argument_count; i++) {
		struct vk_error err;
		int code;

		if (vk_diagnose(r->call->arguments[i], &r->options, &r->diagnoses[r->count], &err) == VK_OK) {
			if (r->diagnoses[r->count].bad && r->worst == VK_EXIT_OK)
				r->worst = VK_EXIT_FINDINGS;
			if (r->diagnoses[r->count].unknown)
				r->worst = VK_EXIT_IO;
			r->count++;
			continue;
		}
		/* what cannot be opened is said; the others are shown all the same */
		code = vk_cli_fail(r->call, &err);
		r->worst = code > r->worst ? code : r->worst;
	}
}

/* One disk that lacks the others of its volume is asked for them. */
static void assemble(struct run *r)
{
	struct vk_finding_sink sink = vk_findings_sink(&r->across);
	struct vk_error err;

	if (r->count > 0 && vk_diagnosis_assemble(r->diagnoses, r->count, &sink, &err) != VK_OK)
		r->worst = vk_cli_fail(r->call, &err);
	if (vk_findings_bad(&r->across) && r->worst == VK_EXIT_OK)
		r->worst = VK_EXIT_FINDINGS;
}

static void show(struct run *r)
{
	struct vk_report_style style = vk_report_style_for(r->call->out);

	for (size_t i = 0; i < r->count; i++) {
		if (i > 0)
			fputc('\n', r->call->out);
		vk_report_diagnosis_text(r->call->out, &r->diagnoses[i], r->options.store, 0, &style);
	}
	if (r->across.count == 0)
		return;
	fputs("\nThe disks together\n", r->call->out);
	vk_report_findings_text(r->call->out, &r->across, NULL, &style);
}

static int show_json(struct run *r)
{
	json_t *sources = json_array();
	json_t *findings = json_array();
	bool fits = sources != NULL && findings != NULL;

	for (size_t i = 0; fits && i < r->count; i++)
		fits = json_array_append_new(sources, vk_report_diagnosis_json(&r->diagnoses[i])) == 0;
	fits = fits && vk_report_findings_json(findings, NULL, &r->across);
	if (!fits) {
		json_decref(sources);
		json_decref(findings);
		return vk_cmd_put_json(r->call, NULL, r->worst);
	}
	return vk_cmd_put_json(r->call,
			       json_pack("{s:s,s:o,s:o}", "schema", "vmfskit.doctor/1", "sources", sources, "findings", findings),
			       r->worst);
}

static int draw(struct run *r, const char *path)
{
	struct vk_output_file file;
	struct vk_error err;

	if (vk_output_open(path, vk_cli_flag(r->call, "overwrite"), &file, &err) != VK_OK)
		return vk_cli_fail(r->call, &err);
	vk_report_diagnosis_svg(file.out, &r->diagnoses[0]);
	if (vk_output_close(&file, true, &err) != VK_OK)
		return vk_cli_fail(r->call, &err);
	return VK_EXIT_OK;
}

static int finish(struct run *r, const char *svg)
{
	int code = VK_EXIT_OK;

	if (vk_cli_flag(r->call, "json") && r->count > 0)
		code = show_json(r);
	else if (r->count > 0)
		show(r);
	r->worst = code > r->worst ? code : r->worst;
	if (svg != NULL && r->count == 1) {
		code = draw(r, svg);
		r->worst = code > r->worst ? code : r->worst;
	}
	return r->worst;
}

static int run_doctor(struct vk_cli_call *call)
{
	struct run r = {.call = call, .options = {.store = vk_cmd_store(call),
						       .store_named = vk_cli_value(call, "store") != NULL}};
	const char *svg = vk_cli_value(call, "svg");
	struct vk_public_key *key = NULL;
	struct vk_error err;
	int code = vk_cmd_sector_size(call, &r.options.sector_size);

	if (code == VK_EXIT_OK)
		code = parse_wait(call, &r.options.heartbeat_wait_ms);
	if (code != VK_EXIT_OK)
		return code;
	if (svg != NULL && call->argument_count > 1)
		return vk_cli_usage(call, "--svg draws one disk, and %zu were named", call->argument_count);
	if (vk_cli_flag(call, "overwrite") && svg == NULL)
		return vk_cli_usage(call, "--overwrite goes with --svg only");
	if (svg != NULL && vk_output_check(svg, vk_cli_flag(call, "overwrite"), &err) != VK_OK)
		return vk_cli_fail(call, &err);
	r.options.scan = vk_cli_flag(call, "scan");
	r.options.live_id = vk_cli_value(call, "live-id");
	code = vk_cmd_public_key(call, &key);
	if (code != VK_EXIT_OK)
		return code;
	r.options.public_key = key;
	r.options.public_key_file = vk_cli_value(call, "public-key");
	r.diagnoses = calloc(call->argument_count, sizeof(*r.diagnoses));
	if (r.diagnoses == NULL) {
		vk_public_key_close(key);
		vk_no_memory(&err, NULL);
		return vk_cli_fail(call, &err);
	}
	diagnose_all(&r);
	assemble(&r);
	code = finish(&r, svg);
	for (size_t i = 0; i < r.count; i++)
		vk_diagnosis_free(&r.diagnoses[i]);
	free(r.diagnoses);
	vk_findings_free(&r.across);
	vk_public_key_close(key);
	return code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	VK_SECTOR_SIZE_OPTION,
	{.name = "scan", .help = "search the whole disk for volumes, not only the likely places"},
	{.name = "heartbeat-wait", .argument = "SECONDS",
	 .help = "time between two looks at a heartbeat that is in use (default 8, at least 4); 0: one look only"},
	{.name = "live-id", .argument = "NAME",
	 .help = "name of the LUN (naa....), where the kernel does not tell it: of a copy in a file"},
	{.name = "svg", .argument = "FILE", .choices = "FILE", .help = "draw the damage into this file"},
	{.name = "overwrite", .help = "with --svg: replace the file if it exists"},
	{.letter = 'j', .name = "json", .help = "print JSON"},
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit doctor /dev/sdb", "the datastore is gone: what happened, and what now"},
	{"vmfskit doctor --scan /dev/sdb", "look everywhere"},
	{"vmfskit doctor --svg damage.svg lun7.img", "a picture for the report"},
	{"vmfskit doctor --json /dev/sdb /dev/sdc", "two extents of one volume, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_doctor = {
	.name = "doctor",
	.arguments = "SOURCE...",
	.purpose = "say what happened to a disk, what is intact and lost, and what to run next",
	.description =
		"Looks at everything at once: every copy of the partition table, the LVM header and its tables, the file-system "
		"descriptor, heartbeats (twice, some seconds apart, when one is in use), locks, signatures of other systems, the "
		"LUN's own name, and the captures of this disk in the store. A SOURCE is a disk or a partition: a block device or a file.\n\n"
		"It says in plain words what happened and to which bytes: a deleted table, another system that initialised or "
		"formatted the LUN, wiped magics, zeros, a LUN that was grown, a replica, an array in the wrong order. With a good "
		"capture every captured byte is compared with it. Without one only what must stand there for certain is "
		"judged: the first and last damaged sector are then given as \"at least\".\n\n"
		"Intact is only what a checksum or the capture proves; consistent is what passes all checks.\n\n"
		"Then come the one or two commands to run next, the safest first. None of them writes to the disk. Nothing is opened for "
		"writing but the file of --svg.\n\n"
		"Sources that are extents of one volume are put together; an extent that is missing is named. The exit code is "
		"1 when something is wrong, and 4 when something could not be read, of the disk or of its captures: then no repair is "
		"advised.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_doctor,
};
