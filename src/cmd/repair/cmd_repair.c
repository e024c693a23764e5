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
	 "must be made new"},
	{.name = "include", .argument = "SECTOR",
	 .help = "table: also make an entry for the volume at this sector, although it looks like a ghost; may be "
	 "given several times"},
	{.name = "exclude", .argument = "SECTOR",
	 .help = "table: make no entry for what begins at this sector; may be given several times"},
	{.name = "convert-sectors", .argument = "BYTES", .choices = "512",
	 .help = "table: convert a GPT of larger sectors to sectors of 512 bytes; every partition keeps its bytes "
	 "and GUIDs, and nothing else changes"},
	{.name = "commands-only",
	 .help = "table: only print the commands that do the same on an ESXi host and on Linux"},
	{.name = "check-line", .argument = "LINE",
	 .help = "table: compare a line of partedUtil setptbl with the disk and with the plan, before you run it"},
	{.name = "partition", .argument = "NUMBER", .help = "header: the partition with this number in the table"},
	{.name = "start", .argument = "SECTOR",
	 .help = "header: the partition that begins at this sector of the disk; 0: the target is the partition itself"},
	{.name = "member", .argument = "PATH", .choices = "FILE",
	 .help = "header: another extent of the same volume; may be given several times"},
	{.name = "structure", .argument = "LIST", .choices = "lvm volume pe-tables sd-table fs heartbeats",
	 .help = "header: what to repair, separated by commas; without it whatever is damaged"},
	{.name = "capture", .argument = "CAPTURE",
	 .help = "use this capture, named as in vmfskit restore; by default all captures of this disk"},
	{.name = "no-captures", .help = "use no captures"},
	{.name = "scan", .help = "search all of the target"},
	{.name = "likely",
	 .help = "search only the likely places; by default all of the target if these do not explain it"},
	{.name = "resume", .argument = "FILE", .choices = "FILE",
	 .help = "keep the state of a long search in FILE, or continue from it"},
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
		"tables, file-system descriptor and heartbeat slots of one partition from what is left of the volume. "
		"For every value the plan says where it comes from, and whether it is exact.\n\n"
		"If the store has captures of the same disk, they are used. A disk is recognised by its WWID or "
		"serial number, else by UUIDs and by the GUID of the table, never by the path of the device.\n\n"
		"Without --write the plan is shown and nothing is written. The printed command has --plan with the "
		"digest of that plan; any other plan is refused. With --write the rebuilt structures are saved as a "
		"capture whose id ends in -rebuilt, and that capture is restored, with the guards, the undo capture "
		"and the order of writing of vmfskit restore. If the repair is interrupted, the same command without "
		"--plan, or restore with that capture, completes it; undo restores the old bytes.\n\n"
		"With --check-line nothing is written. For each entry of that line it says what is right, what is "
		"wrong, what is unknown, and what to type instead. The exit code is 0 only when nothing is wrong with "
		"the line.\n\n"
		"If the plan has values that nothing proves, guard guess refuses. The exit code is 1 when a structure "
		"cannot be rebuilt, or when too little is left for a plan. Everything else that is lost is listed.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run,
};
