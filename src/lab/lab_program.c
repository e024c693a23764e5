/* SPDX-License-Identifier: Apache-2.0 */
/* The command table of vmfskit-lab. */
#include "lab/lab_verbs.h"

static const struct vk_cli_verb *const verbs[] = {
	&vk_lab_verb_make,
	&vk_lab_verb_break,
	&vk_lab_verb_beat,
	&vk_lab_verb_history,
	NULL,
};

const struct vk_cli_program vk_lab_program = {
	.name = "vmfskit-lab",
	.version = VK_VERSION,
	.purpose = "make practice disks with VMFS volumes, and break them",
	.description =
		"This program makes disks on which a restore can be practised: sparse files with the partition "
		"tables, LVM headers, descriptors and heartbeats of VMFS 3, 5 and 6 volumes, of any size up to 64 TB "
		"and beyond. It can damage them in the ways real disks get damaged: a wiped table, a lost header, "
		"another system's format, a dump that was cut short.\n\n"
		"The disks hold only the files of the file systems themselves. Everything in them comes from the "
		"options and --seed: the same command makes the same bytes. --image places the partition image of a "
		"real volume on a practice disk.\n\n"
		"The program works on files. It never makes disks on block devices. It damages a loop device only "
		"with --really, and never one that is mounted or in use. Other block devices are refused.",
	.verbs = verbs,
};
