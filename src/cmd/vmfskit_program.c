/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs of vmfskit. */
#include "cmd/shared/frame.h"
#include "cmd/shared/verbs.h"

static const struct vk_cli_verb *const verbs[] = {
	&vk_verb_doctor,  &vk_verb_decode, &vk_verb_find, &vk_verb_diff,
	&vk_verb_capture, &vk_verb_import, &vk_verb_list, &vk_verb_status, &vk_verb_verify,
	&vk_verb_drill,   &vk_verb_prune,   &vk_verb_pin,
	&vk_verb_restore, &vk_verb_repair, &vk_verb_undo, &vk_verb_wipe,   NULL,
};

static const struct vk_cli_group groups[] = {
	{&vk_verb_doctor, "look (no disk is written)"},
	{&vk_verb_capture, "keep (no disk is written)"},
	{&vk_verb_restore, "put back (nothing is written without --write)"},
	{NULL, NULL},
};

const struct vk_cli_program vk_vmfskit_program = {
	.name = "vmfskit",
	.version = VK_VERSION,
	.purpose = "look at, save and restore what makes a VMware VMFS volume mountable",
	.description =
		"A few lost megabytes make a VMFS datastore unusable: the partition table, the LVM header, the "
		"volume header. vmfskit shows them (decode), saves them with proof, so that dd alone can restore "
		"them (capture, list, verify), and restores them (restore) or rebuilds them where nothing was saved "
		"(repair). Every write can be undone (undo).\n\nNothing is ever written without --write. A source "
		"may be a whole disk, one partition, a logical volume or a piece of any of them: a block device, a "
		"file, or standard input (-).\n\nText is fitted to the width of the terminal, or to the exported "
		"variable COLUMNS; commands to copy stay on one line. Without either, lines are whole, as scripts "
		"want them.\n\nWhat is the same every night can stand in the configuration, " VK_CONFIG_DEFAULT ": "
		"options whose help says so, by their long names without dashes, each on a line of its own; flags are "
		"yes or "
		"no. Only lists (include, exclude) repeat the key; any other key may stand there once. A value may "
		"stand in quotes, which "
		"are taken off; # behind a blank begins a comment. What the command line says of an option takes the "
		"place of all that the file says of it. "
		"The file must be a regular file that only its owner can write, root or whoever runs vmfskit.\n\n"
		"  # " VK_CONFIG_DEFAULT "\n"
		"  store = /var/lib/vmfskit\n"
		"  exclude = naa.600508b1*    # local disks\n"
		"  keep-daily = 14\n"
		"  fail-on-change = yes",
	.verbs = verbs,
	.groups = groups,
	.words_command = "list --words",
	.config_file = VK_CONFIG_DEFAULT,
};
