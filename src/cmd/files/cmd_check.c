/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit check: whether a file system is sound, and which files damage hits. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/shown.h"
#include "cmd/files/check_hits.h"
#include "cmd/shared/verbs.h"

struct run {
	struct vk_files files; /* first */
	struct vk_fs_check check;
	struct vk_check_rows rows;
};

/* What lies around the file system; a host mounts none without it. */
static bool is_damaged_around(const struct vk_source *source)
{
	return source->kind != VK_SOURCE_VOLUME && vk_findings_errors(&source->findings);
}

static bool check(void *ctx)
{
	struct run *run = ctx;
	struct vk_error err;

	if (!vk_files_open(&run->files) || !vk_files_at_most(&run->files, 0))
		return false;
	if (vk_fs_check(run->files.fs, &run->files.sink, &run->check, &err) != VK_OK)
		return vk_cmd_fail(&run->files.cmd, &err);
	if (!vk_check_rows_make(&run->files, &run->check, &run->rows))
		return vk_cmd_no_memory(&run->files.cmd);
	vk_cmd_judge_findings(&run->files.cmd, &run->files.findings);
	for (size_t i = 0; i < run->files.opened.count; i++)
		if (is_damaged_around(&run->files.opened.sources[i]))
			(void)vk_cmd_ok(&run->files.cmd, VK_EXIT_FINDINGS);
	return true;
}

static uint64_t sum_of(const struct vk_fs_check *check, bool unknown)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < VK_FS_CHECK_PHASES; i++)
		sum += unknown ? check->phases[i].unknown : check->phases[i].findings;
	return sum;
}

/* Findings of damage; *ret_elsewhere: a device of the volume is not named, which is none. */
static size_t damages(const struct run *run, bool *ret_elsewhere)
{
	const struct vk_findings *all = &run->files.findings;
	struct vk_findings bad = {.dropped = all->dropped};
	size_t count;

	*ret_elsewhere = false;
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].code == VK_F_VOLUME_EXTENT_MISSING)
			*ret_elsewhere = true;
		else
			vk_findings_add(&bad, &all->items[i]);
	count = (size_t)vk_findings_bad(&bad);
	vk_findings_free(&bad);
	return count;
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const struct vk_fs_check *c = &run->check;
	const struct vk_fs_descriptor *fs = &vk_fs_info(run->files.fs)->descriptor;
	FILE *out = run->files.cmd.call->out;
	char version[40];
	bool elsewhere;
	const bool damaged = damages(run, &elsewhere) > 0 || sum_of(c, false) > 0;

	vk_fs_version_name(fs, version);
	fprintf(out, "%s, %s, UUID %s\n\n", version, vk_shown_label(fs->fsLabel, sizeof(fs->fsLabel)).text,
		vk_vmfs_uuid_text(&fs->uuid).text);
	fprintf(out, "%-26s %12s %10s %18s\n", "phase", "checked", "findings", "not in the source");
	for (unsigned i = 0; i < VK_FS_CHECK_PHASES; i++)
		fprintf(out, "%-26s %12" PRIu64 " %10" PRIu64 " %18" PRIu64 "\n",
			vk_fs_check_phase_name((enum vk_fs_check_phase)i), c->phases[i].checked, c->phases[i].findings,
			c->phases[i].unknown);
	fprintf(out, "\n%" PRIu64 " file descriptors in use, %" PRIu64 " of %" PRIu64 " file blocks allocated\n",
		c->files, c->blocks_allocated, c->blocks);
	if (sum_of(c, true) > 0)
		fputs("What is not in the source was not checked: nothing is known of it.\n", out);
	if (elsewhere)
		fputs("What lies on devices that are not named was not checked.\n", out);
	if (damaged)
		fputs("The file system is damaged: the findings say where.\n", out);
	else
		fprintf(out, "No damage was found in %s.\n",
			sum_of(c, true) > 0 || elsewhere ? "the rest of the file system" : "the file system");
	vk_check_rows_put(out, &run->rows);
	for (size_t i = 0; i < run->files.opened.count; i++)
		if (is_damaged_around(&run->files.opened.sources[i]))
			fprintf(out, "The partition table or the LVM header is damaged: vmfskit doctor %s\n",
				vk_shell_path(run->files.opened.sources[i].path).text);
	fflush(out);
	vk_files_show_findings(&run->files);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	const struct vk_fs_check *c = &run->check;
	json_t *phases = json_array();

	for (unsigned i = 0; i < VK_FS_CHECK_PHASES; i++) {
		struct vk_json o = vk_json_begin();

		VK_JSON_SET(&o, VK_KEY("name", vk_fs_check_phase_name((enum vk_fs_check_phase)i)),
			    VK_KEY("checked", c->phases[i].checked), VK_KEY("findings", c->phases[i].findings),
			    VK_KEY("not_in_source", c->phases[i].unknown));
		vk_json_append(phases, vk_json_end(&o), root);
	}
	vk_json_set(root, "volume", vk_files_volume_json(&run->files));
	vk_json_set(root, "phases", phases);
	VK_JSON_SET(root, VK_KEY("files", c->files), VK_KEY("blocks", c->blocks),
		    VK_KEY("blocks_allocated", c->blocks_allocated));
	vk_check_rows_json(&run->files, c, &run->rows, root);
}

static void end(void *ctx)
{
	struct run *run = ctx;

	free(run->rows.items);
	vk_fs_check_free(&run->check);
	vk_files_close(&run->files);
}

static int run_check(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.check/1", vk_files_read_options, check,
						  put_json,          put_text,              end};
	struct run run = {.check = {.files = 0}};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {VK_FILES_OPTIONS, {0}};

static const struct vk_cli_example examples[] = {
	{"vmfskit check /dev/sdb", "is the file system of this volume sound"},
	{"vmfskit check --json whole-disk.dd", "the same, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_check = {
	.name = "check",
	.arguments = "SOURCE",
	.purpose = "check a file system, and name the files that damage hits",
	.description =
		"Compares what a file system says twice, in phases: the header and the headers of all resource "
		"clusters; heartbeats, and the locks that name one; file descriptors; the names in folders and the "
		"descriptors they lead to; the addresses of all files and the bitmaps of what is allocated. Nothing "
		"is written, and nothing is repaired.\n\n"
		"A finding that hits a file names it, and the lines \"hits\" name the folders in the root, which are "
		"the virtual machines. A folder may be there because a cluster of system files has a damaged header "
		"and holds descriptors or blocks of its files: they may be sound themselves. The journal of "
		"a host, and blocks that are shared "
		"copy-on-write, are no damage. What a cut dump does not hold is counted as not in the source. Blocks "
		"that no file uses are reported only where all files are known.\n\n"
		"A volume that a host is using changes while it is read, and findings may come from that: unmount "
		"it first, or check a snapshot of the LUN. Times, owners and the contents of files are said only "
		"once, so that damage to them cannot be noticed.\n\n"
		VK_FILES_SOURCE_TEXT "\n\n"
		"The exit code is 1 when something is damaged.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run_check,
};
