/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: copy files out of a volume. */
#include <stdlib.h>
#include <string.h>

#include "cmd/copy/copy.h"
#include "cmd/shared/verbs.h"
#include "base/shown.h"

static bool read_options(void *ctx)
{
	struct vk_copy *copy = ctx;
	struct vk_cmd *cmd = &copy->files.cmd;

	copy->tree = vk_cli_flag(cmd->call, "recursive");
	copy->system_files = vk_cli_flag(cmd->call, "all");
	copy->make_descriptor = vk_cli_flag(cmd->call, "make-descriptor");
	return vk_copy_read_options(copy);
}

/* PATH is followed through links, DEST never. */
static enum vk_status look_up(struct vk_copy *copy, struct vk_error *err)
{
	const char *where = vk_files_source(&copy->files, 0);
	enum vk_status status = vk_fs_lookup(copy->files.fs, copy->path, true, &copy->files.sink, &copy->file, err);

	if (status != VK_OK)
		return status;
	if (vk_fs_file_is_folder(copy->file) && !copy->tree) {
		vk_error_set(err, VK_USAGE, where, "%s is a folder", vk_shown_name(copy->path).text);
		return vk_error_remedy(err, "-r copies a folder with all that is in it");
	}
	return vk_files_refuse_raw(&copy->files, copy->file, copy->path, err);
}

static enum vk_status copy_all(void *ctx, struct vk_error *err)
{
	struct vk_copy *copy = ctx;
	const bool tree = vk_fs_file_is_folder(copy->file);
	char identity[VK_COPY_IDENTITY_BYTES];
	struct vk_copy_place place;
	enum vk_status status = VK_OK;

	vk_copy_identity(vk_fs_info(copy->files.fs), copy->file, identity);
	if (copy->make_descriptor)
		status = vk_copy_prepare_descriptors(copy, err);
	if (status == VK_OK && tree)
		status = vk_copy_count_tree(copy, err);
	else if (status == VK_OK)
		vk_copy_count(copy, copy->file);
	if (status == VK_OK)
		status = tree ? vk_copy_place_of_tree(copy->dest, copy->path, identity, copy->tree_there, &place, err)
			      : vk_copy_place_of(copy->dest, copy->path, &place, err);
	if (status != VK_OK)
		return status;
	status = vk_files_check_disk(&copy->files, place.folder_fd, place.shown, err);
	if (status == VK_OK)
		status = vk_copy_check_room(copy, &place, err);
	if (status == VK_OK && tree)
		status = vk_copy_begin_tree(copy, identity, &place, err);
	if (status == VK_OK) {
		vk_cmd_progress_begin(&copy->progress, copy->files.cmd.call);
		copy->progress.done = "copied";
		if (tree)
			vk_copy_tree(copy, &place);
		else
			vk_copy_of_volume(copy, copy->file, copy->path, &place);
		(void)vk_cmd_progress_end(&copy->progress);
		vk_copy_end_tree(copy);
	}
	vk_copy_place_free(&place);
	return status;
}

static bool work(void *ctx)
{
	struct vk_copy *copy = ctx;
	struct vk_cmd *cmd = &copy->files.cmd;
	struct vk_error err;
	enum vk_status status;

	/* its own argument, the last one, is no piece of the source */
	copy->dest = cmd->call->arguments[--cmd->call->argument_count];
	if (!vk_files_open(&copy->files))
		return false;
	copy->path = vk_files_path(&copy->files, 0);
	if (copy->path == NULL || vk_files_path(&copy->files, 1) != NULL)
		return vk_cmd_ok(cmd, vk_cli_usage(cmd->call, "SOURCE, one PATH and DEST are needed: "
						   "run it once for each PATH"));
	status = look_up(copy, &err);
	if (status == VK_OK)
		status = vk_copy_with_sums(copy, copy_all, copy, &err);
	if (status != VK_OK)
		return vk_cmd_fail(cmd, &err);
	vk_cmd_judge_findings(cmd, &copy->files.findings);
	return true;
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_copy *copy = ctx;
	json_t *files = json_array();

	for (size_t i = 0; i < copy->count; i++) {
		const struct vk_copied *c = &copy->copied[i];
		const char *sha256 = c->sha256[0] != '\0' ? c->sha256 : NULL;
		json_t *missing = json_array();
		struct vk_json o = vk_json_begin();

		for (size_t k = 0; k < c->missing_count; k++)
			vk_json_append(missing, VK_JSON_OBJECT(VK_KEY("file_offset", c->missing[k].file_offset),
							       VK_KEY("length", c->missing[k].length_bytes)), root);
		VK_JSON_SET(&o, VK_KEY("path", c->path), VK_KEY("dest", c->dest), VK_KEY("size_bytes", c->size_bytes),
			    VK_KEY("sha256", sha256), VK_KEY("unreadable", missing));
		if (c->guesses != 0)
			vk_json_set(&o, "guesses", vk_copy_guesses_json(c->guesses));
		vk_json_append(files, vk_json_end(&o), root);
	}
	vk_json_set(root, "files", files);
	vk_files_set_findings(&copy->files, root);
}

static void put_text(const void *ctx)
{
	vk_copy_put_summary(ctx);
}

static void end(void *ctx)
{
	vk_copy_end(ctx);
}

static int run_cp(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.cp/1", read_options, work, put_json, put_text, end};
	struct vk_copy copy = {.tree_map_fd = -1};

	return vk_cmd_run(call, &copy, &steps);
}

static const struct vk_cli_option options[] = {
	{.letter = 'r', .name = "recursive", .help = "copy a folder with all that is in it"},
	{.letter = 'a', .name = "all", .help = "with -r: the system files (.fdc.sf and so on), too"},
	VK_COPY_OPTIONS,
	{.name = "make-descriptor",
	 .help = "beside a flat file (NAME-flat.vmdk) whose descriptor is lost, make one: NAME.vmdk"},
	VK_FILES_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit cp /dev/sdb /web/web-flat.vmdk /rescue/", "one virtual disk, as /rescue/web-flat.vmdk"},
	{"vmfskit cp -r --sums /rescue/web.sha256 /dev/sdb /web /rescue", "a virtual machine, with digests"},
	{"vmfskit cp -r --resume /dev/sdb / /rescue/all", "all files, where an earlier run stopped"},
	{"vmfskit cp disk.img /.fdc.sf fdc.bin", "a system file of a dump"},
	{"vmfskit cp --make-descriptor /dev/sdb /web/web-flat.vmdk /rescue/", "and a new descriptor for it"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_cp = {
	.name = "cp",
	.arguments = "SOURCE PATH DEST",
	.purpose = "copy files and folders out of a volume",
	.description =
		"Copies the file PATH of a volume to DEST, a file or a folder of this host. With -r PATH may be a"
		" folder. For several, run it once for each. "
		VK_FILES_SOURCE_TEXT
		"\n\n"
		"A file is called DEST.vmfskit-part until it is whole. Beside it lies DEST.vmfskit-map, a mapfile "
		"of GNU ddrescue: + is copied, - cannot be read, ? is not copied or not in the source. Where bytes are "
		"missing both stay, the ranges are listed, and the exit code is 1. The missing bytes are holes, "
		"never zeros that look like data. --resume continues such a copy and tries what is missing again;"
		" the map says which file of which volume it is of, and a copy of anything else is refused. Of "
		"what was copied before, 4 MiB of every 256 MiB are compared with the source, with --sums and --json "
		"all of it: a copy that holds bytes of two moments is refused. What is "
		"whole at DEST is compared with the source, byte by byte, before it is called copied. With -r a "
		"folder DEST is gone on with when a map beside it says that it is the tree, or when it has a file of "
		"each name and size of the tree; then nothing is replaced. Any other folder takes the tree in it.\n\n"
		"Holes, and blocks that were never written, stay holes. Sectors that cannot be read are read "
		"around, one by one. Modes and times are kept. A digest is computed with --sums and --json, and "
		"only of files that are whole.\n\n"
		"Neither DEST nor the FILE of --sums may lie on the disk that is read, or on another partition or "
		"logical volume of it, nor be a file that is read. "
		"Nothing is written through a symbolic link at or below DEST. An existing file is replaced only "
		"with --overwrite; a list of sums is, with --resume, too. What is called like an unfinished "
		"copy, and is none of this very file, is never touched. Control characters in names "
		"of the volume are written as %xx. With -r symbolic "
		"links are made if they stay inside of what is copied; "
		"others, and the mapping files of raw "
		"devices, are named and left out. The room that is needed and what is free is told before "
		"anything is copied.\n\n"
		"--make-descriptor makes the descriptor (NAME.vmdk) of a flat file that has lost it, beside the copy: "
		"of the file PATH, or with -r of each one that needs it. Length and geometry follow from the "
		"flat file; a file with holes is called thin. The rest is said to be a guess: the CID (fffffffe, as of "
		"a disk that was never written to), adapterType (lsilogic: a machine with another controller needs "
		"it changed), virtualHWVersion (4 from VMFS3, else 8), that a file without holes is thick, and the "
		"geometry of disks from 1 to 2 GiB. It has no uuid; ESX makes one. It is made when the whole flat file "
		"is there, and only when the source holds each folder and each .vmdk of the volume that may be a "
		"descriptor. Where a file lies "
		"under the descriptor's name, none is made with -r: that file is copied as "
		"it is. For the flat file alone one is made where that file is small and nothing but junk. "
		"Nothing is made for deltas: only a descriptor tells which disk is the parent of a delta, and the CID "
		"that the parent had.\n\n"
		"--mapfile is about the source: it names the mapfile of the ddrescue run that made the image.",
	.options = options,
	.examples = examples,
	.least_arguments = 3,
	.most_arguments = SIZE_MAX,
	.run = run_cp,
};
