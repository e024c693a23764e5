/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit list */
#include <stdlib.h>
#include <string.h>

#include "cmd/shared/captures.h"
#include "cmd/list_dfxml.h"
#include "cmd/list_files.h"
#include "cmd/list_words.h"
#include "report/columns.h"
#include "base/shown.h"
#include "store/retention/pins.h"

struct run {
	struct vk_cmd cmd; /* vouching NULL: captures are not verified */
	bool wide;
	struct vk_cmd_judged *items;
	size_t count;
	struct vk_pins pins;
};

/* What a row says, in all columns and in the few. A volume is NULL where a capture has none. */
static void put_row(const struct run *run, const struct vk_cmd_judged *judged, const struct vk_identity *id,
		    struct vk_columns *table)
{
	static const struct vk_capture none = {.id = ""};
	static const struct vk_identity nobody = {.partition = 0};
	const struct vk_capture *c = judged->known ? &judged->capture : &none;
	const char *pin = vk_pins_find(&run->pins, vk_cmd_judged_id(judged)) != NULL ? "pin" : "";
	const char *verdict = vk_cmd_verdict(judged);
	const struct vk_shown size = vk_shown_size(c->size_bytes), shorter = vk_shown_size_short(c->size_bytes);
	char lun[16] = "", minute[sizeof(c->time)];

	id = id != NULL ? id : &nobody;
	if (c->is_rebuilt && strcmp(verdict, "sound") == 0)
		verdict = "rebuilt";
	if (id->disk_id[0] != '\0')
		snprintf(lun, sizeof(lun), "%u", id->lun);
	if (run->wide) {
		vk_columns_row(table, (const char *const[]){verdict, pin, c->time, c->host, c->source_path,
							    judged->known ? size.text : "", lun, id->disk_id,
							    id->fs_label, id->fs_uuid, vk_cmd_judged_id(judged)});
		return;
	}
	/* "2026-11-21T01:45:00Z" to the minute */
	snprintf(minute, sizeof(minute), "%.*s", (int)sizeof("2026-11-21T01:45") - 1, c->time);
	if (minute[0] != '\0' && minute[strlen(minute) - 1] != 'Z' && strchr(minute, 'T') != NULL)
		*strchr(minute, 'T') = ' ';
	vk_columns_row(table, (const char *const[]){verdict, pin, minute,
						    id->fs_label[0] != '\0'  ? id->fs_label
						    : id->disk_id[0] != '\0' ? id->disk_id
									     : c->wwid,
						    judged->known ? shorter.text : "", vk_cmd_judged_id(judged)});
}

/* One row for each volume of a capture, at least one. */
static void put_rows(const struct run *run, FILE *out)
{
	static const struct vk_column few[] = {
		{"VERDICT"}, {"PIN", .may_go = true}, {"TIME (UTC)", .spare = true}, {"VOLUME", .least = 8},
		{"SIZE", .right = true}, {"CAPTURE"}};
	static const struct vk_column all[] = {{"VERDICT"}, {"PIN"}, {"TIME"}, {"HOST"},  {"DISK"},   {"SIZE"},
					       {"LUN"},     {"NAA"}, {"LABEL"}, {"UUID"}, {"CAPTURE"}};
	struct vk_columns table = VK_COLUMNS(few), wide = VK_COLUMNS(all);

	wide.wide = true;
	if (run->wide)
		table = wide;
	for (size_t i = 0; i < run->count; i++) {
		const struct vk_cmd_judged *judged = &run->items[i];
		size_t volumes = judged->known ? judged->capture.identity_count : 0;

		for (size_t k = 0; k < (volumes > 0 ? volumes : 1); k++)
			put_row(run, judged, volumes > 0 ? &judged->capture.identities[k] : NULL, &table);
	}
	vk_columns_end(&table, out);
}

static json_t *item_json(const struct run *run, const struct vk_cmd_judged *judged)
{
	const struct vk_pin *pin = vk_pins_find(&run->pins, vk_cmd_judged_id(judged));
	struct vk_json o;

	if (judged->known) {
		o = vk_cmd_capture_json(vk_cmd_judged_id(judged), judged->path, &judged->capture);
	} else {
		o = vk_json_begin();
		VK_JSON_SET(&o, VK_KEY("id", vk_cmd_judged_id(judged)), VK_KEY("path", judged->path));
	}
	vk_cmd_set_verdict(&o, judged);
	vk_json_set_bool(&o, "pinned", pin != NULL);
	if (pin != NULL)
		vk_json_set_text(&o, "pin_reason", pin->reason);
	return vk_json_end(&o);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *captures = json_array();

	for (size_t i = 0; i < run->count; i++)
		vk_json_append(captures, item_json(run, &run->items[i]), root);
	vk_json_set(root, "captures", captures);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	bool named = vk_cli_value(call, "store") != NULL;

	if (vk_cli_flag(call, "dfxml")) {
		vk_cmd_put_dfxml(call, run->items, run->count);
		return;
	}
	if (run->count == 0) {
		fprintf(call->out, "no captures in %s\nTake one with: vmfskit capture%s%s DISK\n", vk_cmd_store(call),
			named ? " --store " : "", named ? vk_cmd_store(call) : "");
		return;
	}
	put_rows(run, call->out);
	for (size_t i = 0; i < run->count; i++)
		if (strcmp(vk_cmd_verdict(&run->items[i]), VK_VERDICT_UNDO) == 0) {
			fputs(VK_VERDICT_UNDO ": " VK_UNDO_USE "\n", call->out);
			break;
		}
	if (run->cmd.code != VK_EXIT_OK)
		fputs("vmfskit verify says what is damaged, cannot be read or is not trusted, and why\n", call->out);
}

static bool read_options(void *ctx)
{
	struct run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;

	if (run->cmd.json && vk_cli_flag(call, "dfxml"))
		return vk_cmd_usage(&run->cmd, "--json and --dfxml do not go together");
	run->wide = vk_cli_flag(call, "wide");
	return vk_cli_flag(call, "no-verify") || vk_cmd_open_vouching(&run->cmd);
}

/*
 * The store of the default place that is not there yet has no captures, and no pins; one that was named may be a
 * typing error. Pins that cannot be read are reported, and the rest is
 * shown.
 */
static bool judge_captures(void *ctx)
{
	struct run *run = ctx;
	const char *store = vk_cmd_store(run->cmd.call);
	char **paths = NULL;
	struct vk_error err;
	enum vk_status status = vk_cmd_store_paths(store, &paths, &run->count, &err);

	if (status != VK_OK && (status != VK_ABSENT || vk_cli_value(run->cmd.call, "store") != NULL))
		return vk_cmd_fail(&run->cmd, &err);
	if (status == VK_OK && vk_cmd_open_store(&run->cmd, VK_STORE_READ, true) &&
	    vk_pins_read(vk_store_fd(run->cmd.store), store, &run->pins, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	run->items = vk_cmd_judge(paths, run->count, run->cmd.vouching);
	free(paths);
	if (run->items == NULL)
		return vk_cmd_no_memory(&run->cmd);
	for (size_t i = 0; i < run->count; i++) {
		const struct vk_cmd_judged *judged = &run->items[i];

		/* of what cannot be read nothing is known: that is no finding about it */
		if (judged->status != VK_OK)
			(void)vk_cmd_ok(&run->cmd, VK_EXIT_IO);
		else if (!judged->known || vk_findings_bad(&judged->findings))
			(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	}
	return true;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_cmd_judged_free(run->items, run->count);
	vk_pins_free(&run->pins);
}

static int run_list(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.list/1", read_options, judge_captures,
						  put_json,	    put_text,	  end};
	struct run run = {.count = 0};

	if (vk_cli_value(call, "words") != NULL) {
		vk_cmd_put_words(call, vk_cli_value(call, "words"));
		return VK_EXIT_OK;
	}
	if (vk_cli_flag(call, "files"))
		return vk_cmd_list_files(call);
	if (call->argument_count > 0)
		return vk_cli_usage(call, "a CAPTURE is for --files");
	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	{.name = "no-verify", .help = "do not read the captures' files, only their manifests"},
	{.name = "wide", .help = "show all columns: also host, disk, LUN, NAA name, label and UUID, and exact sizes"},
	{.name = "files", 
	 .help = "the files of the volumes as CAPTURE knows them (default: the newest one of the only disk)"},
	VK_JSON_OPTION,
	{.name = "dfxml", .help = "print DFXML, the XML that forensic tools exchange"},
	{.name = "words", .argument = "KIND", .choices = "captures luns",
	 .help = "print only words for the completion of a shell: names of captures, or the LUNs of this host"},
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit list", "what there is, oldest first"},
	{"vmfskit list --files latest:datastore1", "the files of that volume on its last night"},
	{"vmfskit list --json --no-verify", "the same for a script, without reading every file"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_list = {
	.name = "list",
	.arguments = "[--files [CAPTURE]]",
	.purpose = "show the captures of a store, oldest first",
	.description =
		"Prints one line for each volume of each capture: verdict, whether it is pinned, time, label of the "
		"volume (without a label the NAA name, shortened in the middle), size of the disk, and the id of the "
		"capture. --wide shows all columns on longer lines.\n\n"
		"The verdict is that of vmfskit verify: every file is read, and a capture is not trusted if the "
		"ledger or the key does not vouch for it. The exit code is 1 when a capture is damaged or not "
		"trusted, and 4 when one cannot be read. \"rebuilt\" marks a capture that repair made; it does not "
		"show what a disk held. \"undo\" marks an undo capture: it holds what a restore overwrote and is no "
		"backup; use vmfskit undo for it.\n\n"
		"--files prints what one capture knows of files: the path of each, its size, and in how many runs of "
		"blocks it lies. \"torn\": it changed while it was read. \"left out\": its runs are not saved, because "
		"of --files-limit. \"not read\": its descriptor could not be read. Where the runs are stands in "
		"pN-files.map of the capture, a text; docs/file-map.md describes it.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = 1,
	.run = run_list,
};
