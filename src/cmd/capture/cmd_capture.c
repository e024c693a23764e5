/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit capture */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/capture/capture_jobs.h"
#include "cmd/shared/keys.h"
#include "cmd/shared/sector_size.h"
#include "cmd/shared/worker.h"
#include "report/report.h"

enum { JOBS_MAX = 256, TIMEOUT_S = 120, TIMEOUT_MAX_S = 86400 };

/* A number of an option; 0 when it was not given. */
static int read_number(const struct vk_cli_call *call, const char *option, unsigned max,
		       unsigned *ret_number)
{
	const char *value = vk_cli_value(call, option);
	uint64_t number;

	*ret_number = 0;
	if (value == NULL)
		return VK_EXIT_OK;
	if (!vk_text_parse_number(value, max, &number) || number < 1)
		return vk_cli_usage(call, "--%s is a number from 1 to %u, not %s", option, max, value);
	*ret_number = (unsigned)number;
	return VK_EXIT_OK;
}

/* Options that only make sense for disks that are looked for; what the configuration says of those is not meant for named ones. */
static int check_all(const struct vk_cli_call *call, bool all)
{
	static const char *const of_all[] = {"dev-dir", "include", "exclude", "vmfs-only"};

	if (all && call->argument_count > 0)
		return vk_cli_usage(call, "--all finds the disks by itself: %s cannot be named beside it",
				    call->arguments[0]);
	if (all && vk_cli_flag(call, "as"))
		return vk_cli_usage(call, "--as is for a named DISK");
	if (all)
		return VK_EXIT_OK;
	if (call->argument_count == 0)
		return vk_cli_usage(call, "which DISK, or --all?");
	for (size_t i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++)
		if (vk_cli_given_here(call, of_all[i]))
			return vk_cli_usage(call, "--%s is for --all", of_all[i]);
	return VK_EXIT_OK;
}

static int read_options(const struct vk_cli_call *call, struct capture_run *run)
{
	const char *as = vk_cli_value(call, "as");
	int code = vk_cmd_sector_size(call, &run->source.sector_size);

	run->all = vk_cli_flag(call, "all");
	if (code == VK_EXIT_OK)
		code = check_all(call, run->all);
	if (code == VK_EXIT_OK)
		code = read_number(call, "jobs", JOBS_MAX, &run->threads);
	if (code == VK_EXIT_OK)
		code = read_number(call, "timeout", TIMEOUT_MAX_S, &run->timeout_s);
	if (code != VK_EXIT_OK)
		return code;
	run->timeout_s = run->timeout_s > 0 ? run->timeout_s : TIMEOUT_S;
	run->vmfs_only = vk_cli_flag(call, "vmfs-only");
	run->quiet = vk_cli_flag(call, "quiet");
	run->fail_on_change = vk_cli_flag(call, "fail-on-change");
	run->progress = isatty(STDERR_FILENO) == 1 && !run->quiet;
	run->store = vk_cmd_store(call);
	run->capture.sector_size = run->source.sector_size;
	run->capture.md5 = vk_cli_flag(call, "md5");
	if (as != NULL && (!vk_source_kind_parse(as, &run->source.as) ||
			   (run->source.as != VK_SOURCE_DISK &&
			    run->source.as != VK_SOURCE_PARTITION)))
		return vk_cli_usage(call, "--as is disk or partition, not %s", as);
	return VK_EXIT_OK;
}

static int work_in_store(struct vk_cli_call *call, struct capture_run *run, bool *ret_stuck)
{
	struct vk_capture_shared *shared = vk_capture_shared_new();
	struct vk_error err;
	int code;

	run->capture.shared = shared;
	if (vk_capture_prepare(call, run, &err) == VK_OK) {
		vk_capture_work(run);
		code = vk_capture_report(call, run);
	} else {
		code = vk_cli_fail(call, &err);
	}
	for (size_t i = 0; run->jobs != NULL && i < run->count; i++)
		run->saved += !vk_capture_gave_up(&run->jobs[i]) && run->jobs[i].skipped == NULL &&
			      run->jobs[i].status == VK_OK;
	*ret_stuck = run->given_up > 0;
	/* a thread that hangs may wake up and go on with what it has */
	if (*ret_stuck)
		return code;
	vk_capture_shared_free(shared);
	vk_capture_run_free(run);
	return code;
}

/* What cannot have been left by a run and stays in the store; not among the findings about disks. */
static int tell_left(const struct vk_cli_call *call, struct vk_findings *left)
{
	const struct vk_report_style style = vk_report_style_for(call->err);
	int code = left->count > 0 ? VK_EXIT_FINDINGS : VK_EXIT_OK;

	vk_report_findings_text(call->err, left, NULL, &style);
	vk_findings_free(left);
	return code;
}

static int work(struct vk_cli_call *call, void *ctx, bool *ret_stuck)
{
	struct capture_run *run = ctx;
	struct vk_findings left = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&left);
	struct vk_store_options use = {.use = VK_STORE_RUN, .command = call->command, .sink = &sink};
	int told;
	struct vk_sign_key *key;
	struct vk_error err;
	int code = vk_cmd_sign_key(call, &key);
	int anchored;

	if (code == VK_EXIT_OK)
		code = vk_cmd_anchor_check(call, run->store, true);
	if (code != VK_EXIT_OK) {
		vk_sign_key_close(key);
		return code;
	}
	use.sign_key = key;
	if (vk_store_open(run->store, &use, &run->capture.store, &err) != VK_OK) {
		vk_sign_key_close(key);
		vk_findings_free(&left);
		return vk_cli_fail(call, &err);
	}
	told = tell_left(call, &left);
	code = work_in_store(call, run, ret_stuck);
	code = told > code ? told : code;
	anchored = vk_cmd_anchor(call, run->capture.store, run->saved, "saved");
	code = anchored > code ? anchored : code;
	if (*ret_stuck) {
		vk_store_unlock(run->capture.store);
		return code;
	}
	vk_store_close(run->capture.store);
	vk_sign_key_close(key);
	return code;
}

static int run_capture(struct vk_cli_call *call)
{
	struct capture_run run = {.count = 0};
	int code = read_options(call, &run);

	return code == VK_EXIT_OK ? vk_cmd_in_worker(call, work, &run) : code;
}

static const struct vk_cli_option options[] = {
	{.name = "all", .help = "every LUN that this host sees, each once, however many paths lead to it"},
	{.name = "dev-dir", .argument = "DIR", .choices = "DIR", .config = true,
	 .help = "with --all: the disks are the device nodes or image files of this folder"},
	{.name = "include", .argument = "GLOB", .config = true, .several = true,
	 .help = "with --all: only LUNs with such a name, path or WWID (naa.6001*); may be repeated"},
	{.name = "exclude", .argument = "GLOB", .config = true, .several = true,
	 .help = "with --all: not LUNs with such a name, path or WWID; may be repeated"},
	{.name = "vmfs-only", .config = true, .help = "with --all: pass over disks without VMFS"},
	VK_STORE_OPTION,
	{.name = "jobs", .argument = "N", .config = true,
	 .help = "how many disks are worked on at a time (default twice the processors, at least 4)"},
	{.name = "timeout", .argument = "SECONDS", .config = true,
	 .help = "give a disk up that has not answered for so long (default 120)"},
	{.name = "fail-on-change", .config = true,
	 .help = "exit 1 when something that matters changed since the last capture, or a LUN is no longer seen"},
	{.name = "md5", .config = true, .help = "save MD5 digests beside SHA-256"},
	VK_SIGN_KEY_OPTION,
	VK_ANCHOR_OPTION,
	{.name = "quiet", .help = "print only what is new: changes, new disks, findings"},
	{.name = "as",
	 .argument = "KIND",
	 .help = "what each DISK is, where its bytes do not tell",
	 .choices = "disk partition"},
	VK_SECTOR_SIZE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit capture /dev/sdb /dev/sdc", "save what would be needed to bring two disks back"},
	{"vmfskit capture --store /mnt/usb/vmfs disk.img", "the same of a disk in a file, into another store"},
	{"vmfskit capture --all", "what cron runs every night: prints only what changed or is wrong"},
	{"vmfskit capture --all --dev-dir /mnt/luns --exclude 'test*'", "all disks of a folder but some"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_capture = {
	.name = "capture",
	.arguments = "DISK...|--all",
	.purpose = "save what is needed to bring partition table and VMFS headers back",
	.description =
		"Saves of each DISK (a device, or a file with a whole disk or partition in it) the partition "
		"table with all its copies and, of each VMFS partition, the LVM region, the volume header "
		"(.vh.sf) and the heartbeats, about 21 MiB in sparse files. The disk is only read.\n\n"
		"A capture is a folder of the store that can be used with nothing but dd and sha256sum: "
		"RESTORE.txt in it has the lines. It appears under its name only when it is whole and on "
		"disk. Files that are what the last capture of the same disk holds are hard links to those.\n\n"
		"What was saved is read back to make sure that it contains what it is for. Where it does "
		"not (no LVM header where one should be), where the disk could not be read, or where there is "
		"no VMFS partition at all, that is printed and the exit code is 1; the capture is kept. The exit "
		"code is 4 when a disk could not be captured; the others are captured all the same.\n\n"
		"With --all the disks are those of /sys/block without loop, RAM, floppy and optical devices, or on ESX and "
		"ESXi those of /vmfs/devices/disks or /dev/disks. A LUN that is seen through several paths is captured once, through its "
		"multipath device where there is one. Logical volumes and software RAIDs are taken when there is VMFS on "
		"them, empty disks are passed over, and other disks without VMFS have their partition table saved.\n\n"
		"With --all only news are printed: what changed since the last capture of a disk, in one line for each change, new "
		"disks, those that are no longer seen, and findings; on a terminal also a summary. A change is no reason for exit code 1 unless "
		"--fail-on-change is given. What hosts change by using a volume (heartbeats, generations, locks) is not printed.\n\n"
		"A device that does not answer for --timeout seconds is given up and named; the others are finished, and the exit code is 4.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run_capture,
};
