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
	.purpose = "look into, save and put back what makes a VMware VMFS volume mountable",
	.description =
		"A VMFS datastore is lost when a few megabytes are: the partition table, the LVM header, the "
		"volume header. vmfskit shows what stands there (decode), saves it so that it can be proved and "
		"put back with nothing but dd (capture, list, verify), and puts it back (restore) or builds it "
		"anew where nothing was saved (repair), in a way that can be undone (undo).\n\n"
		"Nothing is ever written without --write. A source may be a whole disk, one partition, a logical "
		"volume or a piece of any of them: a block device, a file, or standard input (-).\n\n"
		"Text is fitted to the width of the terminal, or to the exported variable COLUMNS; commands to copy "
		"stay on one line. Without either, lines are whole, as scripts want them.\n\n"
		"What is the same every night can stand in the configuration, " VK_CONFIG_DEFAULT ": "
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
