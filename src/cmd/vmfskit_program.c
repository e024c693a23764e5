/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs of vmfskit. */
#include "cmd/shared/frame.h"
#include "cmd/shared/verbs.h"

static const struct vk_cli_verb *const verbs[] = {
	&vk_verb_doctor,  &vk_verb_decode, &vk_verb_find, &vk_verb_diff, &vk_verb_lunid, &vk_verb_explain,
	&vk_verb_ls,      &vk_verb_stat,   &vk_verb_map,  &vk_verb_cat, &vk_verb_cp, &vk_verb_undelete,
	&vk_verb_mount,   &vk_verb_check,
	&vk_verb_capture, &vk_verb_import, &vk_verb_list, &vk_verb_status, &vk_verb_verify,
	&vk_verb_drill,   &vk_verb_prune,   &vk_verb_pin,
	&vk_verb_restore, &vk_verb_repair, &vk_verb_undo, &vk_verb_wipe,   NULL,
};

static const struct vk_cli_group groups[] = {
	{&vk_verb_doctor, "look (no disk is written)"},
	{&vk_verb_ls, "look into a volume (no disk is written)"},
	{&vk_verb_capture, "keep (no disk is written)"},
	{&vk_verb_restore, "put back (nothing is written without --write)"},
	{NULL, NULL},
};

const struct vk_cli_program vk_vmfskit_program = {
	.name = "vmfskit",
	.version = VK_VERSION,
	.purpose = "look at, save and restore what makes a VMware VMFS volume mountable",
	.description =
		"A few lost megabytes make a VMFS datastore unusable: the partition table, the LVM header, the volume "
		"header. vmfskit shows them (decode), saves them so that dd alone can restore them (capture, list, "
		"verify), restores them (restore), or rebuilds them if nothing was saved (repair). Every write can be "
		"undone (undo).\n\nNothing is written to a disk without --write. A source may be a whole disk, one "
		"partition, a logical volume or a piece of any of them: a block device, a file, or standard input "
		"(-).\n\nText is fitted to the width of the terminal, or to the exported variable COLUMNS; commands to "
		"copy stay on one line. Without either, no line is wrapped, which suits scripts.\n\nOptions that stay "
		"the same can be set in the configuration, " VK_CONFIG_DEFAULT ". The help of an option says whether "
		"it can. Each line has one option by its long name without dashes; flags are yes or no. Only include "
		"and exclude may be repeated. A value may be quoted. A blank followed by # begins a comment. An option "
		"on the command line replaces everything that the file says about it. The file must be a regular file "
		"of root or of the user who runs vmfskit, and only its owner may be able to write to it.\n\n"
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
