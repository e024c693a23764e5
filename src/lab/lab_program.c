/* SPDX-License-Identifier: Apache-2.0 */
/* The command table of vmfskit-lab. */
#include "lab/lab_verbs.h"

static const struct vk_cli_verb *const verbs[] = {
	&vk_lab_verb_make,
	&vk_lab_verb_break,
	&vk_lab_verb_beat,
	NULL,
};

const struct vk_cli_program vk_lab_program = {
	.name = "vmfskit-lab",
	.version = VK_VERSION,
	.purpose = "make practice disks with VMFS volumes, and break them",
	.description =
		"A restore that was never tried is a hope. This program makes disks to try it on: sparse files with "
		"the partition tables, LVM headers, descriptors and heartbeats of VMFS 3, 5 and 6 volumes, of any size "
		"up to "
		"64 TB and beyond. Then it breaks them in the ways real ones break: a wiped table, a lost header, "
		"another system's format, a dump that was cut short.\n"
		"\n"
		"The disks hold no files but those of the file systems themselves. Everything in them is derived "
		"from the options and --seed: the same command makes "
		"the same bytes. Where a partition image of a real volume is at hand, it can be placed on a practice "
		"disk with --image.\n"
		"\n"
		"The program is made for files. It never makes disks on block devices, and breaks a loop device only "
		"with --really, and not while it is mounted or in use. Other block devices are refused.",
	.verbs = verbs,
};
