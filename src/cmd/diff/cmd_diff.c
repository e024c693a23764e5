/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit diff */
#include <string.h>

#include "cmd/diff/diff_run.h"
#include "cmd/shared/verbs.h"

static bool read_options(void *ctx)
{
	struct vk_diff_run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	const char *as = vk_cli_value(call, "as");

	if (!vk_cmd_read_sector_size(&run->cmd, &run->given.sector_size))
		return false;
	if (as != NULL && !vk_source_kind_parse(as, &run->given.as))
		return vk_cmd_ok(&run->cmd, vk_cli_usage(call, "--as is disk or partition, not %s", as));
	if (strcmp(call->arguments[0], "-") == 0 && strcmp(call->arguments[1], "-") == 0)
		return vk_cmd_ok(&run->cmd, vk_cli_usage(call, "standard input can be one of the two, not both"));
	return true;
}

static bool compare(void *ctx)
{
	struct vk_diff_run *run = ctx;
	struct vk_error err;

	if (vk_diff_sides_open(run, &err) != VK_OK ||
	    vk_diff_sources(&run->sides[0].source, &run->sides[1].source, &run->diff, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	vk_cmd_ok(&run->cmd, run->diff.matters ? VK_EXIT_FINDINGS : VK_EXIT_OK);
	return true;
}

static void end(void *ctx)
{
	struct vk_diff_run *run = ctx;

	vk_diff_free(&run->diff);
	for (int i = 0; i < 2; i++)
		vk_diff_side_close(&run->sides[i]);
}

static int run_diff(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.diff/1", read_options,     compare,
						  vk_diff_put_json, vk_diff_put_text, end};
	struct vk_diff_run run = {.given = {.as = VK_SOURCE_AUTO}};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "as",
	 .argument = "KIND",
	 .help = "what a disk or file is, where its bytes do not tell",
	 .choices = "disk partition"},
	VK_SECTOR_SIZE_OPTION,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit diff 20261121T014500Z-sdb 20261122T014500Z-sdb", "what happened between two nights"},
	{"vmfskit diff 20261121T014500Z-sdb /dev/sdb", "what changed since then"},
	{"vmfskit diff old.img new.img", "two dumps of one disk"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_diff = {
	.name = "diff",
	.arguments = "BEFORE AFTER",
	.purpose = "show what changed between two captures, or a capture and a disk",
	.description =
		"Compares BEFORE with AFTER: each is a capture (an id of the store, or a folder's path), or a disk or "
		"partition (a device, a file, or - for standard input). First comes what the fields say, each cause "
		"once: that a partition ends elsewhere is one line, though the table says so in several places. Then, "
		"apart, what changes by itself while hosts use a volume: heartbeats, generations, times of change, who "
		"holds a lock. Then the bytes that differ. Bytes that no field explains are one line for each part of "
		"a partition.\n\n"
		"What is compared is what a capture saves: partition table, LVM region, volume header, heartbeats. "
		"What one of the two does not hold is not compared and not a difference: an undo capture holds only "
		"what the restore was to change.\n\n"
		"A name without a slash is first an id of the store, then a capture in a folder here, then a file or "
		"device. The exit code is 1 when something differs that does not change by itself.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run_diff,
};
