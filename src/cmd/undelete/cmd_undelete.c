/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: bring back what was deleted, by the maps of files in captures. */
#include <stdlib.h>
#include <string.h>

#include "cmd/shared/verbs.h"
#include "cmd/undelete/undelete.h"

static bool read_options(void *ctx)
{
	struct vk_lost_run *run = ctx;
	struct vk_cmd *cmd = &run->copy.files.cmd;

	if (vk_cli_value(cmd->call, "capture") != NULL && vk_cli_value(cmd->call, "from") != NULL)
		return vk_cmd_usage(cmd, "--capture and --from do not go together");
	return vk_copy_read_options(&run->copy);
}

/* As maps name it: one slash in front, none at the end, none twice. NULL: no memory. */
static char *as_in_maps(const char *path)
{
	char *made = malloc(strlen(path) + 2), *to = made;

	if (made == NULL)
		return NULL;
	*to++ = '/';
	for (; *path != '\0'; path++)
		if (*path != '/' || to[-1] != '/')
			*to++ = *path;
	while (to > made + 1 && to[-1] == '/')
		to--;
	*to = '\0';
	return made;
}

static bool judge(struct vk_lost_run *run)
{
	struct vk_cmd *cmd = &run->copy.files.cmd;
	bool sure = !run->other && run->changed == 0 && !run->gone.names_unknown && !run->gone.unfinished;

	for (size_t i = 0; i < run->gone.count; i++)
		sure = sure && (!vk_lost_is_file(&run->gone.files[i]) ||
				(run->gone.files[i].verdict == VK_UNDELETE_ALL_UNTOUCHED &&
				 vk_lost_not_held(run, &run->gone.files[i]) == 0));
	if (!sure)
		(void)vk_cmd_ok(cmd, VK_EXIT_FINDINGS);
	vk_cmd_judge_findings(cmd, &run->copy.files.findings);
	return true;
}

static bool work(void *ctx)
{
	struct vk_lost_run *run = ctx;
	struct vk_copy *copy = &run->copy;
	struct vk_cmd *cmd = &copy->files.cmd;
	struct vk_undelete_wish wish;
	struct vk_error err;
	enum vk_status status;
	const char *path;

	if (!vk_files_open(&copy->files) || !vk_files_at_most(&copy->files, 2))
		return false;
	path = vk_files_path(&copy->files, 0);
	copy->dest = path != NULL ? vk_files_path(&copy->files, 1) : NULL;
	if (copy->dest == NULL && (vk_cli_value(cmd->call, "sums") != NULL || copy->resume || copy->overwrite))
		return vk_cmd_usage(cmd, "--sums, --resume and --overwrite are for a copy: name PATH and DEST");
	if (path != NULL && path[0] == '#')
		return vk_cmd_usage(cmd, "captures know files by their paths: name %s so, or with a slash in front "
				    "if it is a name", path);
	run->path = path != NULL ? as_in_maps(path) : NULL;
	if (path != NULL && run->path == NULL)
		return vk_cmd_no_memory(cmd);
	copy->path = run->path;
	if (!vk_lost_know(run))
		return false;
	wish = (struct vk_undelete_wish){run->path, run->newest};
	status = vk_undelete_find(copy->files.fs, run->known, run->known_count, &wish, &copy->files.sink, &run->gone,
				  &err);
	if (status == VK_OK && copy->dest != NULL)
		status = vk_copy_with_sums(copy, vk_lost_recover, run, &err);
	else if (status == VK_OK && run->path != NULL && run->gone.count == 0)
		status = vk_lost_trace(run, false, &err);
	return status == VK_OK ? judge(run) : vk_cmd_fail(cmd, &err);
}

static void end(void *ctx)
{
	struct vk_lost_run *run = ctx;

	vk_undelete_free(&run->gone);
	vk_lost_know_end(run);
	free(run->copied);
	free(run->by_path);
	vk_copy_end(&run->copy);
	free(run->path);
	free(run->now);
}

static int run_undelete(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.undelete/1", read_options, work, vk_lost_put_json,
						  vk_lost_put_text, end};
	struct vk_lost_run run = {.copy = {.tree_map_fd = -1}};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "capture", .argument = "CAPTURE",
	 .help = "the files as this capture knows them; later captures are asked only what was reused"},
	{.name = "from", .argument = "CAPTURE",
	 .help = "the same of this capture and all before it"},
	{.name = "with-reused", .help = "copy the bytes that lie in reused ranges now, instead of leaving holes"},
	VK_COPY_OPTIONS,
	VK_PUBLIC_KEY_OPTION,
	VK_FILES_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit undelete /dev/sdb", "what captures know and the volume no longer has"},
	{"vmfskit undelete /dev/sdb /web", "how far the files of a virtual machine can be had, range by range"},
	{"vmfskit undelete /dev/sdb /web /rescue", "take all of it that is gone to another disk"},
	{"vmfskit undelete --resume /dev/sdb /web /rescue", "where an earlier run stopped"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_undelete = {
	.name = "undelete",
	.arguments = "SOURCE [PATH] [DEST]",
	.purpose = "bring back deleted files, by the maps in captures",
	.description =
		"When a file is deleted its block pointers are cleared. Its bytes stay until another file gets the "
		"blocks. Each capture holds a map of the files, so it knows where they lay.\n\n"
		"Without PATH all files are listed that captures know and the volume no longer has, newest knowledge "
		"first. With PATH, a file or a folder, each range of their bytes is shown. With DEST they are copied "
		"there: a file as by vmfskit cp, of a folder everything that is gone below it. The volume is only "
		"read. "
		VK_FILES_SOURCE_TEXT_BEGIN VK_FILES_NAME_TEXT
		"\n\n"
		"Of each range it is said what it is. untouched: the block is free, and nothing can have had it since, "
		"as far as the captures show. reused: it belongs, or belonged since, to another file, which is named, "
		"with the first capture that shows it. unknown: nothing proves either. hole: it had no block, "
		"or one that was not written to yet; what a machine wrote there after the capture is in no map, and "
		"missing in the copy. The verdict of a file is untouched, partly-reused, lost (nothing of it is left) "
		"or unknown. A capture of every night proves more than one that is old.\n\n"
		"A volume that is older than a capture, because its LUN was rolled back to a snapshot or it is a copy "
		"that lives on, is told by its counts and times; what that capture and those before it know is unknown "
		"then. It cannot be told where both came to the same counts.\n\n"
		"ESX gives freed blocks of VMFS6 back to the array by itself (UNMAP), unless the space reclamation of "
		"the datastore is none; on VMFS5 esxcli storage vmfs unmap does so by hand. On a thin LUN they read as "
		"zeros then, and no count shows it. What had blocks and was copied as nothing but zeros, MiB by MiB, "
		"is said beside the verdict.\n\n"
		"Reused ranges are left as holes, and the copy keeps the name DEST.vmfskit-part, because bytes are "
		"missing; --with-reused copies what lies there now. Unknown ranges are copied. Where anything is not "
		"certain, a mapfile of GNU ddrescue stays beside the copy, DEST.vmfskit-map: + is untouched, - was "
		"reused or cannot be read, ? is not known or missing. "
		"What --resume, --overwrite and --sums do, and where DEST may be, is as for vmfskit cp. Folders are "
		"made for their owner alone. When a folder is taken out and the descriptor of a flat file (NAME.vmdk "
		"of NAME-flat.vmdk) is nowhere any more, one is made, as by cp --make-descriptor. A flat file alone "
		"needs its descriptor, too: take the folder.\n\n"
		"Asked are all captures in the store that are of this LUN, or not known to be of another one, and have "
		"a map of this volume; captures that are not vouched for, or are damaged, are named and left out. "
		"--capture takes the files as one capture knows them, which may also lie elsewhere; so a file can be "
		"brought back as it was before.\n\n"
		"The exit code is 0 only if all that is shown or copied is untouched, and in the source, and no such "
		"zeros were copied.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_undelete,
};
