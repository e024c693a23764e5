/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit repair: partition tables and VMFS headers rebuilt from what is left of them. */
#include <string.h>

#include "cmd/repair/repair_run.h"
#include "cmd/shared/verbs.h"

static int run(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.repair/1", vk_repair_read_options,
						  vk_repair_plan_and_write, vk_repair_put_json, vk_repair_show,
						  vk_repair_end};
	static const struct vk_cmd_steps check = {"vmfskit.check-line/1", vk_repair_read_options, vk_repair_check,
						  vk_repair_check_json, vk_repair_check_show, vk_repair_end};
	bool header = strcmp(call->arguments[0], "header") == 0;
	struct vk_repair_run run = {.header = header, .make = header ? vk_repair_plan_header : vk_repair_plan_table};

	return vk_cmd_run(call, &run, vk_cli_flag(call, "check-line") ? &check : &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "label", .argument = "TEXT",
	 .help = "table: mbr or gpt, whatever the evidence says; header: the label of the datastore, if its descriptor "
	 "has to be made new"},
	{.name = "include", .argument = "SECTOR",
	 .help = "table: an entry also for what begins at this sector, though it looks like a ghost; may be given "
	 "several times"},
	{.name = "exclude", .argument = "SECTOR",
	 .help = "table: no entry for what begins at this sector; may be given several times"},
	{.name = "convert-sectors", .argument = "BYTES", .choices = "512",
	 .help = "table: convert a GPT of larger sectors to sectors of 512 bytes; every partition keeps its bytes "
	 "and GUIDs, and nothing else changes"},
	{.name = "commands-only",
	 .help = "table: only print the commands that do the same on an ESXi host and on Linux"},
	{.name = "check-line", .argument = "LINE",
	 .help = "table: compare a line of partedUtil setptbl, before it is typed, with the disk and with the plan"},
	{.name = "partition", .argument = "NUMBER", .help = "header: of which partition of the table"},
	{.name = "start", .argument = "SECTOR",
	 .help = "header: of the partition that begins at this sector of the disk; 0: the target is the partition "
	 "itself"},
	{.name = "member", .argument = "PATH", .choices = "FILE",
	 .help = "header: another extent of the same volume; may be given several times"},
	{.name = "structure", .argument = "LIST", .choices = "lvm volume pe-tables sd-table fs heartbeats",
	 .help = "header: what to repair, separated by commas; without it whatever is damaged"},
	{.name = "capture", .argument = "CAPTURE",
	 .help = "ask this capture, named as in vmfskit restore; without it those that are of this disk"},
	{.name = "no-captures", .help = "ask no captures"},
	{.name = "scan", .help = "search all of the target"},
	{.name = "likely",
	 .help = "search only the likely places; without either, all of the target when these do not account for it"},
	{.name = "resume", .argument = "FILE", .choices = "FILE",
	 .help = "keep the state of a long search in FILE, or go on from it"},
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit repair table /dev/sdb", "show which table fits what is left; nothing is written"},
	{"vmfskit repair table /dev/sdb --write", "write that table"},
	{"vmfskit repair table /dev/sdb --check-line 'partedUtil setptbl /vmfs/devices/disks/DEVICE gpt \"1 2048 "
		"41943006 AA31E02A400F11DB9590000C2911D1B8 0\"'", "check that line"},
	{"vmfskit repair header /dev/sdb --partition 1", "show which headers of partition 1 can be mended, and from "
		"what"},
	{"vmfskit repair table /dev/sdb --commands-only", "what to type on an ESXi host instead"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_repair = {
	.name = "repair",
	.arguments = "table|header TARGET",
	.words = "table header",
	.purpose = "rebuild a partition table or VMFS headers without a capture",
	.description =
		"repair table builds the partition table that fits the volumes on TARGET, a disk or an image of one, "
		"and what is still sound of the old table. repair header repairs LVM header, volume descriptor, PE "
		"tables, file-system descriptor and heartbeat slots of one partition from what is left of the "
		"volume. For every value it says where it comes from, and whether it is exact.\n\nCaptures of the "
		"same disk are used when the store has any; a disk is recognised by its WWID or serial number, else "
		"by UUIDs and by the GUID of the table, never by the path of the device.\n\nWithout --write the plan "
		"is shown and nothing is written. The command that is printed then has --plan with the digest of "
		"that plan; of any other plan nothing is written. With --write, what was rebuilt is saved as a "
		"capture whose id ends in -rebuilt, and that is restored: with the same guards, undo capture, order "
		"of writing and safety when the power fails. The same command without --plan, or restore with that "
		"capture, completes a repair that was cut short; undo goes back.\n\nWith --check-line nothing is "
		"written either: of each entry of that line it is said what is right, what is wrong, what nobody "
		"knows, and what to type instead. The exit code is 0 only when nothing speaks against it.\n\nWhere "
		"the plan has values that nothing proves, the guard guess refuses. The exit code is 1 when a "
		"structure cannot be brought back or too little is left for a plan; all else that is lost is said.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run,
};
