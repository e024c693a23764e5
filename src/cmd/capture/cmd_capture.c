/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit capture */
#include "cmd/bundle/bundle_run.h"
#include "cmd/capture/capture_run.h"

enum { JOBS_MAX = 256, TIMEOUT_S = 120, TIMEOUT_MAX_S = 86400 };

/*
 * Options that only make sense for disks that are looked for; what the configuration says of those is not meant for
 * named ones.
 */
static int check_all(const struct vk_cli_call *call)
{
	static const char *const of_all[] = {"dev-dir", "include", "exclude", "vmfs-only"};
	bool all = vk_cli_flag(call, "all");

	if (all && call->argument_count > 0)
		return vk_cli_usage(call, "--all finds the disks itself: do not name %s with it",
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

/* A capture names bytes of a device, and restore writes them there: another way to read it has others. */
static int check_view(const struct capture_run *run)
{
	const struct vk_io_view *view = &run->source.view;

	if (view->at_bytes != 0)
		return vk_cli_usage(run->cmd.call,
				    "--at: the capture would begin at byte %llu of this source and could not be "
				    "restored; assemble its array or volume and capture that, or a loop device "
				    "(losetup --find --show --read-only --offset %llu)",
				    (unsigned long long)view->at_bytes, (unsigned long long)view->at_bytes);
	if (view->stride_bytes != 0)
		return vk_cli_usage(run->cmd.call,
				    "--stride: a capture would hold other offsets than this has; capture the device "
				    "that the array makes of such drives");
	if (view->mapfile != NULL && (run->all || run->cmd.call->argument_count > 1))
		return vk_cli_usage(run->cmd.call, "--mapfile is of one image: name it alone");
	return VK_EXIT_OK;
}

static bool read_files_limit(struct capture_run *run)
{
	const char *limit = vk_cli_value(run->cmd.call, "files-limit");
	uint64_t *bytes = &run->capture.files_limit_bytes;

	*bytes = VK_FILE_MAP_USUAL_BYTES;
	if (limit != NULL && (!vk_text_parse_size(limit, bytes) || *bytes < VK_FILE_MAP_LEAST_BYTES ||
			      *bytes > VK_FILE_MAP_MOST_BYTES))
		return vk_cmd_usage(&run->cmd, "--files-limit: %s is not from 4K to 1G", limit);
	if (vk_cli_flag(run->cmd.call, "no-files"))
		*bytes = 0;
	return true;
}

static bool read_options(void *ctx)
{
	struct capture_run *run = ctx;
	struct vk_cmd *cmd = &run->cmd;
	const struct vk_cli_call *call = cmd->call;

	run->all = vk_cli_flag(call, "all");
	run->vmfs_only = vk_cli_flag(call, "vmfs-only");
	run->quiet = vk_cli_flag(call, "quiet");
	run->fail_on_change = vk_cli_flag(call, "fail-on-change");
	run->capture.md5 = vk_cli_flag(call, "md5");
	run->timeout_s = TIMEOUT_S;
	if (!vk_cmd_read_how(cmd, &run->source.sector_size, &run->source.view) ||
	    !vk_cmd_ok(cmd, check_view(run)) || !vk_cmd_ok(cmd, check_all(call)) ||
	    !vk_cmd_read_number(cmd, "jobs", 1, JOBS_MAX, &run->processes) ||
	    !vk_cmd_read_number(cmd, "timeout", 1, TIMEOUT_MAX_S, &run->timeout_s) || !read_files_limit(run))
		return false;
	run->capture.sector_size = run->source.sector_size;
	return vk_cmd_read_kind(cmd, &run->source.as) && vk_cmd_open_sign_key(cmd) && vk_cmd_check_anchor(cmd, true);
}

static void judge(struct capture_run *run, const struct capture_job *job)
{
	struct capture_sums *sums = &run->sums;
	bool changed = vk_capture_is_changed(job);

	if (job->result.skipped) {
		sums->skipped++;
		return;
	}
	if (job->result.status != VK_OK) {
		sums->failed++;
		vk_cmd_fail(&run->cmd, &job->result.err);
		return;
	}
	sums->bad += vk_findings_bad(&job->findings) ? 1 : 0;
	sums->new_ones += !job->result.compared;
	sums->changed += changed;
	sums->unchanged += job->result.compared && !changed;
	vk_cmd_judge_findings(&run->cmd, &job->findings);
	if (changed && run->fail_on_change)
		vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
}

/*
 * One that did not answer was seen all the same. Only behind what the run prints: whoever is gone is told again by the
 * next run rather than by none.
 */
static void keep_seen(struct capture_run *run)
{
	const char **ids = calloc(run->count + 1, sizeof(*ids));
	struct vk_error err;
	size_t count = 0;

	if (fflush(run->cmd.call->out) != 0) {
		free(ids);
		return;
	}
	if (ids == NULL) {
		vk_cmd_no_memory(&run->cmd);
		return;
	}
	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];
		const char *id = job->result.status == VK_OK ? job->result.id : job->previous;

		if (id[0] != '\0')
			ids[count++] = id;
	}
	if (vk_seen_write(run->capture.store, &run->scope, ids, count, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	free(ids);
}

static bool capture_all(void *ctx)
{
	struct capture_run *run = ctx;
	struct vk_error err;

	if (!vk_cmd_open_store(&run->cmd, VK_STORE_RUN, false))
		return false;
	vk_cmd_report_store_findings(&run->cmd);
	run->capture.store = run->cmd.store;
	if (vk_capture_prepare(run, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	vk_capture_work(run);
	vk_capture_settle_inside(run);
	for (size_t i = 0; i < run->count; i++)
		judge(run, &run->jobs[i]);
	run->is_done = true;
	if (run->fail_on_change && run->gones.count > 0)
		vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	return true;
}

static void end(void *ctx)
{
	struct capture_run *run = ctx;

	if (run->all && run->is_done)
		keep_seen(run);
	if (run->cmd.store != NULL)
		vk_cmd_keep_anchor(&run->cmd, run->sums.new_ones + run->sums.changed + run->sums.unchanged, "saved");
	vk_capture_run_free(run);
}

VK_CMD_VERB(run_capture, struct capture_run, "vmfskit.capture/1", read_options, capture_all, vk_capture_put_json,
	    vk_capture_put_text, end)

static int run(struct vk_cli_call *call)
{
	return vk_bundle_asked(call) ? vk_bundle_run(call) : run_capture(call);
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
	VK_BUNDLE_OPTIONS,
	VK_STORE_OPTION,
	{.name = "jobs", .argument = "N", .config = true,
	 .help = "how many disks are worked on at a time (default twice the processors, at least 4)"},
	{.name = "timeout", .argument = "SECONDS", .config = true,
	 .help = "skip a disk that has not answered for this long (default 120)"},
	{.name = "fail-on-change", .config = true,
	 .help = "exit 1 when something that matters changed since the last capture, or a LUN is no longer seen"},
	{.name = "files-limit", .argument = "BYTES", .config = true,
	 .help = "the map of the files of a volume, and its metadata, are at most so long (default 256M); else the map "
		 "has only virtual disks, the metadata no bitmaps and no small files"},
	{.name = "no-files", .config = true,
	 .help = "save neither where the files of volumes lie nor what leads to them"},
	{.name = "md5", .config = true, .help = "save MD5 digests with SHA-256"},
	VK_SIGN_KEY_OPTION,
	VK_ANCHOR_OPTION,
	{.name = "quiet", .help = "print only what is new: changes, new disks, findings"},
	{.name = "as",
	 .argument = "KIND",
	 .help = "what each DISK is, if its bytes do not show it",
	 .choices = "disk partition"},
	VK_HOW_OPTIONS,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit capture /dev/sdb /dev/sdc", "save what would be needed to bring two disks back"},
	{"vmfskit capture --store /mnt/usb/vmfs disk.img", "the same of a disk in a file, into another store"},
	{"vmfskit capture --all", "what cron runs every night: prints only what changed or is wrong"},
	{"vmfskit capture --bundle sdb.bundle /dev/sdb", "what somebody needs who is to look at it elsewhere"},
	{"vmfskit capture --all --dev-dir /mnt/luns --exclude 'test*'", "all disks of a folder but some"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_capture = {
	.name = "capture",
	.arguments = "DISK...|--all|--bundle FILE DISK",
	.purpose = "save what a restore of partition table and VMFS headers needs",
	.description =
		"Saves the partition table of each DISK with all its copies. Of each VMFS partition it also saves the "
		"LVM region, the volume header (.vh.sf) and the heartbeats: about 21 MiB in sparse files. A DISK is a "
		"device, or a file that holds a whole disk or a partition. It is only read.\n\n"
		"It also saves a map of the files of each VMFS volume: paths, sizes, times, and where each byte "
		"lies. Only with such a map a deleted virtual disk can be found again. It has about 30 bytes for "
		"each run of blocks and 100 for each file, and no contents. A map that would be longer than "
		"--files-limit has the runs of virtual disks only, and this is printed. Files that change while they "
		"are mapped are marked. If files cannot be read, the rest is saved all the same. vmfskit list "
		"--files shows the map, vmfskit diff compares two. restore never writes anything of it.\n\n"
		"Beside the map lies what leads to the files: file descriptors, also of deleted files, pointer "
		"blocks, folders, bitmaps, and files of at most 64 KiB, such as the descriptors of virtual disks. It "
		"is packed, usually into some kilobytes, and is a source of its own: vmfskit ls reads it. How much "
		"both are at most is shown on a terminal before the files are read, and told with --json.\n\n"
		"A capture is a folder of the store. It can be restored with dd and sha256sum alone: RESTORE.txt in "
		"it has the commands. The folder gets its name only when it is whole and on disk. Files that did not "
		"change since the last capture of the same disk are hard links to its files.\n\n"
		"Each capture is read back to check that a restore can use it. The exit code is 1 when an LVM header "
		"is missing where one should be, when parts of the disk could not be read, or when there is no VMFS "
		"partition at all. This is printed, and the capture is kept. The exit code is 4 when a disk could not "
		"be captured; the others are still captured.\n\n"
		"With --all the disks are those of /sys/block without loop, RAM, floppy and optical devices; on ESX "
		"and ESXi those of /vmfs/devices/disks or /dev/disks. A LUN with several paths is captured once, "
		"through its multipath device if there is one. Logical volumes and software RAIDs are captured if "
		"there is VMFS on them. Empty disks are skipped. Of other disks without VMFS the partition table is "
		"saved.\n\n"
		"--all prints only news: what changed since the last capture of a disk (one line for each change), "
		"virtual disks that are gone, new disks, disks that are no longer seen, and findings; on a terminal "
		"also a summary. A change alone gives exit code 1 only with --fail-on-change. What hosts change by "
		"using a volume (heartbeats, generations, locks, other files) is not printed.\n\n"
		"A LUN can lie inside something else (a member of a mirror, a physical volume, a partition). A "
		"capture of that outer disk does not hold the LUN. If no other disk of the run is that LUN, this is "
		"printed with the command that saves it. If nothing else is on the outer disk, it is not "
		"captured.\n\n"
		"A device that does not answer for --timeout seconds is skipped and named. The others are finished, "
		"and the exit code is 4. If that happens only while its files are looked at, table and headers are "
		"saved without the map, and the exit code is 1.\n\n"
		"--bundle FILE needs no store. FILE gets what tells what is on the DISK: the partition table with all "
		"its copies, the LVM region, the header of each file system and all its metadata (bitmaps, file "
		"descriptors, pointer blocks, folders, journals, files of at most 64 KiB), and the ends of the disk "
		"and of its partitions. Contents of other files are not in it. Every verb that looks takes FILE for a "
		"DISK, and calls what is not in it not in the source. How much is to be read is said first. FILE is "
		"never put on the disk that is read, and gets its name when it is whole.\n\n"
		"With --redact names of files and folders, also deleted ones, are replaced by hashes. The key of the "
		"hashes is random and not kept, because whoever has it can try names. With a key of your own "
		"(--redact-key) the same name has the same hash in every bundle. What programs put behind a name "
		"stays: -flat.vmdk, .vmx, -000001. Small files, targets of links, journals, what other systems have "
		"on the disk, and IP addresses of hosts are left out. Sizes, times, owners, the label and the UUIDs "
		"of volumes, MAC addresses in these, and names of LUNs stay: without them nobody can tell what "
		"belongs together. What an earlier use of the disk left in front of a file system stays, too.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = SIZE_MAX,
	.run = run,
};
