/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit diff */
#include "cmd/shared/captures.h"
#include "cmd/diff/diff_run.h"
#include "cmd/shared/sector_size.h"

static int compare(struct vk_cli_call *call, struct vk_diff_side sides[2])
{
	struct vk_error err;
	struct vk_diff diff;
	int code;

	if (vk_diff_sources(&sides[0].source, &sides[1].source, &diff, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	code = diff.matters ? VK_EXIT_FINDINGS : VK_EXIT_OK;
	if (vk_cli_flag(call, "json"))
		code = vk_cmd_put_json(call, vk_diff_json(sides, &diff), code);
	else
		vk_diff_show(call->out, sides, &diff);
	vk_diff_free(&diff);
	return code;
}

static int run(struct vk_cli_call *call)
{
	struct vk_diff_side sides[2] = {{.name = NULL}};
	int code = vk_diff_sides_open(call, sides);

	if (code == VK_EXIT_OK)
		code = compare(call, sides);
	for (int i = 0; i < 2; i++)
		vk_diff_side_close(&sides[i]);
	return code;
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
		"once: that a partition ends elsewhere is one line, though the table says so in several places. "
		"Then, apart, what changes by itself while hosts use a volume: heartbeats, generations, times "
		"of change, who holds a lock. Then the bytes that differ. Bytes that no field explains are one line "
		"for each part of a partition.\n\n"
		"What is compared is what a capture saves: partition table, LVM region, volume header, heartbeats. "
		"What one of the two does not hold is not compared and not a difference: an undo capture holds "
		"only what the restore was to change.\n\n"
		"A name without a slash is first an id of the store, then a capture in a folder here, then a file or "
		"device. The exit code is 1 when something differs that does not change by itself.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = 2,
	.run = run,
};
