/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit lunid: is this the LUN that the volume was written for, and what to do if it is not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/lunid/lunid_run.h"
#include "cmd/shared/verbs.h"

enum { TEXT_MAX_BYTES = 16 << 20, WAIT_SECONDS = 8 };

/* A saved text of ESX. */
static enum vk_status read_text(const char *path, struct vk_live_luns *ret_luns, struct vk_error *err)
{
	FILE *f = fopen(path, "r");
	char *text = f != NULL ? malloc(TEXT_MAX_BYTES) : NULL;
	enum vk_status status;
	size_t len;

	if (f == NULL) {
		vk_error_errno(err, errno, path, "cannot read it");
		return vk_error_remedy(err, "give --live a name (vml., naa., eui., t10.) or a saved text of ESX");
	}
	if (text == NULL) {
		fclose(f);
		return vk_no_memory(err, path);
	}
	len = fread(text, 1, TEXT_MAX_BYTES, f);
	if (ferror(f) != 0)
		status = vk_error_errno(err, errno, path, "cannot read it");
	else if (len == TEXT_MAX_BYTES)
		status = vk_error_set(err, VK_UNSUPPORTED, path, "it is longer than %d bytes", TEXT_MAX_BYTES);
	else
		status = vk_live_luns_of_text(text, len, ret_luns, err);
	fclose(f);
	free(text);
	return status;
}

static bool read_live(struct lunid_run *run)
{
	const char *live = vk_cli_value(run->cmd.call, "live");
	struct vk_live_lun one;
	struct vk_error err;
	enum vk_status status = VK_OK;

	if (live == NULL)
		return true;
	if (!vk_live_lun_is_name(live))
		return read_text(live, &run->live, &err) == VK_OK || vk_cmd_fail(&run->cmd, &err);
	status = vk_live_lun_of_name(live, &one, &err);
	if (status == VK_OK && vk_append(&run->live.items, &run->live.count, &one, sizeof(one)) == NULL)
		status = vk_no_memory(&err, NULL);
	return status == VK_OK || vk_cmd_fail(&run->cmd, &err);
}

static bool read_options(void *ctx)
{
	struct lunid_run *run = ctx;
	unsigned seconds = WAIT_SECONDS;

	run->options.several = true;
	if (!vk_cmd_read_how(&run->cmd, &run->options.sector_size, &run->options.view) ||
	    !vk_cmd_read_kind(&run->cmd, &run->options.as) ||
	    !vk_cmd_read_number(&run->cmd, "heartbeat-wait", 0, 3600, &seconds))
		return false;
	if (seconds > 0 && seconds < 4)
		return vk_cmd_usage(&run->cmd, "--heartbeat-wait %u: give 4 to 3600 seconds, or 0 for one look only",
				    seconds);
	run->wait_ms = seconds * 1000;
	return read_live(run);
}

/* Of a saved text: the device that has this name. */
static const struct vk_live_lun *listed_as(const struct lunid_run *run, const char *name)
{
	for (size_t i = 0; i < run->live.count; i++)
		if (vk_lun_relate_names(name, run->live.items[i].name) == VK_LUN_SAME)
			return &run->live.items[i];
	return NULL;
}

/*
 * Of a saved text: the device that its mapping gives to this volume, else the one with the recorded name. A copy has
 * both of its original: what two sources would get is known of neither.
 */
static const struct vk_live_lun *choose_live(const struct lunid_run *run, const struct vk_vmfs *vmfs)
{
	char name[VK_SCSI_NAME_BYTES], uuid[VK_VMFS_UUID_TEXT_BYTES] = "";
	bool certain;

	if (vmfs->fs_usable)
		vk_vmfs_uuid_format(&vmfs->fs.uuid, uuid);
	vk_scsi_disk_id_name(&vmfs->lvm.diskID, name, &certain);
	for (size_t i = 0; i < run->live.count; i++)
		if (uuid[0] != '\0' && strcmp(run->live.items[i].volume, uuid) == 0)
			return &run->live.items[i];
	if (listed_as(run, name) != NULL)
		return listed_as(run, name);
	return run->live.count == 1 ? &run->live.items[0] : NULL;
}

/* A device is asked itself; of one that the text names, too, the text has more. */
static bool ask_device(const struct lunid_run *run, const struct vk_source *source, struct vk_live_lun *ret_live)
{
	const struct vk_live_lun *listed;

	if (!vk_live_lun_of_io(source->given, ret_live))
		return false;
	listed = listed_as(run, ret_live->name);
	if (listed != NULL)
		*ret_live = *listed;
	return true;
}

/* What the text says of two sources is said of neither. */
static void settle_live(struct lunid_run *run, const struct vk_live_lun **chosen)
{
	for (size_t i = 0; i < run->count; i++)
		for (size_t k = 0; k < i && chosen[i] != NULL; k++)
			if (chosen[k] == chosen[i] && run->extents[k].source != run->extents[i].source) {
				run->extents[i].live_known = false;
				run->extents[k].live_known = false;
			}
}

static void add_extent(struct lunid_run *run, const struct vk_source *source, size_t vmfs,
		       const struct vk_live_lun **ret_chosen)
{
	const char *live = vk_cli_value(run->cmd.call, "live");
	struct vk_lunid_extent *e = &run->extents[run->count++];

	*e = (struct vk_lunid_extent){.source = source, .vmfs = vmfs};
	/* a name was given by somebody who knows the LUN; a text is of all LUNs of a host */
	if (live == NULL || !vk_live_lun_is_name(live))
		e->live_known = ask_device(run, source, &e->live);
	if (!e->live_known && live != NULL) {
		*ret_chosen = choose_live(run, &source->vmfs[vmfs]);
		e->live_known = *ret_chosen != NULL;
		if (e->live_known)
			e->live = **ret_chosen;
	}
}

static bool add_extents(struct lunid_run *run)
{
	const struct vk_live_lun **chosen;
	size_t total = 0;

	for (size_t i = 0; i < run->opened.count; i++)
		total += run->opened.sources[i].vmfs_count;
	run->extents = calloc(total + 1, sizeof(*run->extents));
	run->found = calloc(total + 1, sizeof(*run->found));
	run->captures = calloc(total + 1, sizeof(*run->captures));
	chosen = calloc(total + 1, sizeof(const struct vk_live_lun *));
	if (run->extents == NULL || run->found == NULL || run->captures == NULL || chosen == NULL) {
		free(chosen);
		return vk_cmd_no_memory(&run->cmd);
	}
	for (size_t i = 0; i < run->opened.count; i++) {
		const struct vk_source *source = &run->opened.sources[i];

		for (size_t k = 0; k < source->vmfs_count; k++)
			if (source->vmfs[k].lvm_usable)
				add_extent(run, source, k, &chosen[run->count]);
	}
	settle_live(run, chosen);
	free(chosen);
	return true;
}

static bool judge(struct lunid_run *run)
{
	const struct vk_finding_sink across = vk_findings_sink(&run->across);
	struct vk_error err;

	for (size_t i = 0; i < run->count; i++) {
		const struct vk_lunid_extent *e = &run->extents[i];
		const struct vk_finding_sink sink = vk_findings_sink(&run->found[i]);

		vk_lunid_judge(&vk_lunid_vmfs(e)->lvm.diskID, e->live_known ? &e->live : NULL, vk_lunid_offset(e),
		&sink);
		vk_cmd_judge_findings(&run->cmd, &run->found[i]);
	}
	if (vk_lunid_judge_volumes(run->extents, run->count, &across, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	vk_cmd_judge_findings(&run->cmd, &run->across);
	if (vk_lunid_listen(run->extents, run->count, run->wait_ms, &err) != VK_OK)
		vk_cmd_fail(&run->cmd, &err);
	return true;
}

static bool work(void *ctx)
{
	struct lunid_run *run = ctx;
	const struct vk_cli_call *call = run->cmd.call;
	struct vk_error err;

	for (size_t i = 0; i < call->argument_count;) {
		const char *path = vk_cmd_next_source(call, &i, &run->options.view);

		if (vk_cmd_open_any(&run->cmd, path, &run->options, &run->opened, &err) != VK_OK)
			vk_cmd_fail(&run->cmd, &err);
	}
	if (!add_extents(run))
		return false;
	if (run->count == 0 && run->opened.count > 0) {
		vk_error_set(&err, VK_ABSENT, run->opened.sources[0].path, "no LVM header of VMFS can be read");
		vk_error_remedy(&err, "vmfskit doctor says what happened to the disk");
		return vk_cmd_fail(&run->cmd, &err);
	}
	if (run->count > 1 && run->live.count == 1 && vk_live_lun_is_name(vk_cli_value(call, "live")))
		return vk_cmd_usage(&run->cmd, "--live names one LUN, and there are %zu volumes: name one source, "
		"or give "
				    "the saved text of all devices", run->count);
	if (run->count == 0)
		return false;
	vk_lunid_find_captured(run);
	return judge(run);
}

static void end(void *ctx)
{
	struct lunid_run *run = ctx;

	for (size_t i = 0; i < run->count; i++)
		vk_findings_free(&run->found[i]);
	free(run->found);
	free(run->extents);
	free(run->captures);
	vk_findings_free(&run->across);
	vk_live_luns_free(&run->live);
	vk_cmd_opened_free(&run->opened);
}

VK_CMD_VERB(run_lunid, struct lunid_run, "vmfskit.lunid/1", read_options, work, vk_lunid_put_json, vk_lunid_put_text,
	    end)

static const struct vk_cli_option options[] = {
	{.name = "live", .argument = "NAME|FILE", .choices = "FILE",
	 .help = "what the LUN is called now: its vml., naa., eui., t10. or mpx. name, or a file with the saved "
	 "output of "
		 "esxcli storage core device list, esxcfg-scsidevs -l or -m, or esxcfg-mpath -l"},
	{.name = "heartbeat-wait", .argument = "SECONDS",
	 .help = "time between two looks at a heartbeat that is in use (default 8, at least 4); 0: one look only"},
	{.name = "as", .argument = "KIND", .choices = "disk partition volume header",
	 .help = "read the source as this, whatever its content suggests"},
	VK_STORE_OPTION,
	VK_HOW_OPTIONS,
	VK_JSON_OPTION,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit lunid /dev/sdb", "a LUN that hosts call a snapshot: what changed, and what to do"},
	{"vmfskit lunid --live vml.0200040000600144f07ed404000000496ff8cd0003434f4d535441 header.bin",
	 "the header from a mail, and the name that the host shows"},
	{"vmfskit lunid --live devices.txt lun7.img lun8.img", "two extents, and the saved list of a host's devices"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_lunid = {
	.name = "lunid",
	.arguments = "SOURCE...",
	.purpose = "say whether this is the LUN that a volume was written for",
	.description =
		"An LVM header records the LUN on which a host last accepted the volume. If that differs from the "
		"LUN that "
		"a host finds, it takes the volume for a snapshot and does not mount it: the datastore is gone, and "
		"the data "
		"is whole. lunid shows the id in the header, the one that ESX would form of the LUN now, and the "
		"one that the "
		"last capture saw, side by side, and names the field that changed.\n\n"
		"What the LUN is called now comes from the block device itself (sysfs, INQUIRY), or from --live. "
		"The number "
		"and the path of a block device are those of this machine; ESX hosts may have others. Which id ESX "
		"forms is "
		"inferred from published names.\n\n"
		"For each finding it says what ESX 3 to 8 do by default, as far as that is public, and lists the "
		"remedies in "
		"the order of harm: at the storage, mounting by force, a new signature. Words in capitals are for "
		"you to fill "
		"in. It also says whether mounting by force is safe here and now: by heartbeats that are read "
		"twice, by copies "
		"among the sources that were named, and by missing extents.\n\n"
		"Nothing is written. Name all extents of a volume, and every LUN that may be a copy. The exit code "
		"is 1 when "
		"something differs.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_lunid,
};
