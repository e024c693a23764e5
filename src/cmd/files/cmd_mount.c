/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit mount: the files of a volume for every program. */
#include "base/command.h"
#include "base/shown.h"
#include "cmd/files/files.h"
#include "cmd/files/mount.h"
#include "cmd/files/watch.h"
#include "cmd/shared/verbs.h"

struct run {
	struct vk_files files; /* first */
	const char *folder;
};

static void report_mounted(void *ctx)
{
	struct run *run = ctx;
	struct vk_cli_call *call = run->files.cmd.call;

	fprintf(call->out, "mounted read-only at %s; to end it: fusermount3 -u %s\n", vk_shown_name(run->folder).text,
		vk_shell_path(run->folder).text);
	/* the process that goes on is another one */
	fflush(call->out);
}

static bool mount_volume(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->files.cmd;
	struct vk_error err;

	if (!vk_files_open(&run->files))
		return false;
	run->folder = vk_files_path(&run->files, 0);
	if (run->folder == NULL || vk_files_path(&run->files, 1) != NULL)
		return vk_cmd_ok(cmd, vk_cli_usage(cmd->call, "SOURCE and one FOLDER are needed"));
	vk_files_show_findings(&run->files);
	vk_files_watch_end();
	if (vk_mount(run->files.fs, vk_files_source(&run->files, 0), run->folder,
		     vk_cli_flag(cmd->call, "foreground"), report_mounted, run, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	vk_cmd_judge_findings(cmd, &run->files.findings);
	return false;
}

static void put_nothing(const void *ctx)
{
	(void)ctx;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_files_close(&run->files);
}

VK_CMD_VERB(run_mount, struct run, NULL, vk_files_read_options, mount_volume, NULL, put_nothing, end)

static const struct vk_cli_option options[] = {
	{.letter = 'f', .name = "foreground",
	 .help = "serve it until it is unmounted, in place of a process behind it"},
	VK_FILES_SOURCE_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit mount /dev/sdb /mnt", "the files of a LUN that no host mounts"},
	{"vmfskit mount /dev/sdb --extent /dev/sdc /mnt", "a volume of two extents"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_mount = {
	.name = "mount",
	.arguments = "SOURCE FOLDER",
	.purpose = "show the files of a volume to every program",
	.description =
		"Mounts the volume at FOLDER, read-only, with FUSE. Only the user who mounts it can look into it. "
		VK_FILES_SOURCE_TEXT
		"\n\n"
		"The system files of the volume are shown, too. Bytes that are not in the source, or cannot be read, "
		"are an I/O error for the program that reads them; they are never shown as zeros. The mapping file of "
		"a raw device cannot be opened: its data lies on another LUN. A volume that a host changes meanwhile "
		"may show a mixture of old and new. --timeout counts until the volume is mounted.\n\n"
		"To end it: fusermount3 -u FOLDER, or umount as root. vmfskit cp is faster for large files, and keeps "
		"a map of what is missing.\n\n"
		"It needs the program fusermount3 (Debian: package fuse3), and a vmfskit that was built with libfuse3.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run_mount,
};
