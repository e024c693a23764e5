/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit wipe: leftover signatures of VMFS put away on purpose. */
#include <inttypes.h>
#include <string.h>

#include "cmd/repair/repair_run.h"
#include "cmd/shared/verbs.h"
#include "base/shown.h"

enum { HEX_BYTES = 3 * VK_WIPE_BYTES };

static const char *const state_names[] = {"stands", "not there", "not in the target", "unreadable"};
static const char *const state_sentences[] = {NULL, "it does not stand there", "the target does not reach that far",
					      "it cannot be read"};

static void hex_of(const struct vk_wiped *item, char ret_hex[HEX_BYTES])
{
	struct vk_text text = vk_text_in(ret_hex, HEX_BYTES);

	for (int i = 0; i < VK_WIPE_BYTES; i++)
		vk_text_fmt(&text, "%s%02x", i > 0 ? " " : "", item->was[i]);
}

static bool read_options(void *ctx)
{
	struct vk_repair_run *run = ctx;
	struct vk_cli_call *call = run->plan.cmd.call;
	/* bits in the order of the choices: lvm, fs, all */
	unsigned chosen = vk_cli_chosen(call, "signature");

	run->plan.own_options = "signature partition start heartbeat-wait " VK_HOW_OPTION_NAMES " store sign-key "
				"public-key config scan";
	if (chosen == 0)
		return vk_cmd_usage(&run->plan.cmd, "--signature is missing: give lvm, fs or all");
	run->options.signatures = (chosen & 4) != 0 ? VK_WIPE_LVM | VK_WIPE_FS : chosen;
	run->options.scan = vk_cli_flag(call, "scan") ? VK_REPAIR_SCAN_WHOLE : VK_REPAIR_SCAN_AUTO;
	return vk_repair_read_place(run) && vk_restore_read_options(&run->plan);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_repair_wipe *wipe = vk_repair_wipe(run->repair);
	json_t *signatures = json_array();

	vk_json_set_text(root, "target", run->plan.target);
	vk_repair_searched_json(run, root);
	VK_JSON_SET(root, VK_KEY("start_sector", vk_repair_start_sector(run->repair)),
		    VK_KEY("standing", wipe->known ? vk_standing_name(wipe->standing) : NULL),
		    VK_KEY("why", wipe->known ? wipe->why : NULL));
	for (size_t i = 0; i < wipe->count; i++) {
		const struct vk_wiped *item = &wipe->items[i];
		char hex[HEX_BYTES];

		hex_of(item, hex);
		vk_json_append(signatures,
			       VK_JSON_OBJECT(VK_KEY("signature", vk_wipe_signature_name(item->which)),
					      VK_KEY("state", state_names[item->state]),
					      VK_KEY("offset", item->at_bytes),
					      VK_KEY("length", (unsigned)VK_WIPE_BYTES),
					      VK_KEY("was", item->state <= VK_WIPED_NOT_THERE ? hex : NULL),
					      VK_KEY("becomes", item->state == VK_WIPED_STANDS ? "00 00 00 00" : NULL)),
			       root);
	}
	VK_JSON_SET(root, VK_KEY("signatures", signatures),
		    VK_KEY("capture", run->capture_id[0] != '\0' ? run->capture_id : NULL));
	vk_restore_plan_json(root, &run->plan);
}

static void show(const void *ctx)
{
	const struct vk_repair_run *run = ctx;
	const struct vk_repair_wipe *wipe = vk_repair_wipe(run->repair);
	FILE *out = run->plan.cmd.call->out;

	vk_restore_show_target(&run->plan);
	vk_repair_show_sources(run);
	fprintf(out, "volume   at sector %" PRIu64, vk_repair_start_sector(run->repair));
	if (wipe->known)
		fprintf(out, ", %s: %s\n", vk_standing_name(wipe->standing), vk_shown_name(wipe->why).text);
	else
		fputs(": the search knows of none\n", out);
	for (size_t i = 0; i < wipe->count; i++) {
		const struct vk_wiped *item = &wipe->items[i];
		char hex[HEX_BYTES];

		hex_of(item, hex);
		fprintf(out, "%s%s at byte %" PRIu64 ": ", i == 0 ? "wipe     " : "         ",
			vk_wipe_signature_name(item->which), item->at_bytes);
		if (item->state == VK_WIPED_STANDS)
			fprintf(out, "%s becomes 00 00 00 00\n", hex);
		else
			fprintf(out, "%s\n", state_sentences[item->state]);
	}
	if (run->capture_id[0] != '\0')
		fprintf(out, "capture  %s holds what becomes of it\n", run->capture_id);
	vk_restore_show_plan(&run->plan);
	vk_restore_show_outcome(&run->plan);
}

static int run(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.wipe/1", read_options, vk_repair_plan_and_write,
						  put_json, show, vk_repair_end};
	struct vk_repair_run run = {.make = vk_repair_plan_wipe};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "signature", .argument = "LIST", .choices = "lvm fs all",
	 .help = "what to zero: the magic of the LVM header (which blkid and installers see), that of the file "
	 "system, or both"},
	{.name = "partition", .argument = "NUMBER", .help = "the partition with this number in the table"},
	{.name = "start", .argument = "SECTOR",
	 .help = "the volume that begins at this sector of the disk; 0: the target is the partition itself"},
	{.name = "scan", .help = "search all of the target"},
	VK_RESTORE_OPTIONS,
};

static const struct vk_cli_example examples[] = {
	{"vmfskit wipe /dev/sdb --signature all", "show which bytes of the one leftover would be zeroed"},
	{"vmfskit wipe /dev/sdb --partition 2 --signature lvm --write",
	 "remove the signature that makes blkid call partition 2 a VMFS_volume_member"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_wipe = {
	.name = "wipe",
	.arguments = "TARGET",
	.purpose = "remove leftover signatures of VMFS",
	.description =
		"Zeroes the signatures of a VMFS volume that is no longer used. Installers and volume managers stop "
		"at such leftovers: they see a VMFS member where another system is now. wipe zeroes only the four "
		"bytes that they look for. lvm is the magic of the LVM header, 1 MiB behind the start of the "
		"partition; fs is that of the file-system descriptor. If other bytes are in that place, they are not "
		"changed.\n\n"
		"Without --partition and --start wipe takes the only leftover that is found. Guard worse refuses what "
		"is no leftover: a volume that is alive, or one in a VMFS partition of a sound table. All other "
		"guards are those of restore, for example: another system's data in that place (foreign-signature), a "
		"host that writes its heartbeat (heartbeat), a target in use (in-use), a part of a RAID (member).\n\n"
		"Without --write the plan is shown and nothing is written. With --write a wipe works as a repair: "
		"what is written is saved as a capture whose id ends in -rebuilt, and the old bytes are saved as an "
		"undo capture. undo puts them back, byte for byte. The same command without --plan completes an "
		"interrupted wipe.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run,
};
