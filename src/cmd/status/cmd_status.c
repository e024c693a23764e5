/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit status */
#include <stdlib.h>
#include <string.h>

#include "cmd/shared/verbs.h"
#include "cmd/status/status.h"

/* "26h", "3d", "90m" */
static bool read_age(struct status_run *run)
{
	const char *value = vk_cli_value(run->cmd.call, "max-age");
	static const char units[] = "mhd";
	static const int64_t seconds[] = {60, 3600, 86400};
	char *end = NULL;
	long number;

	if (value == NULL)
		return true;
	number = value[0] >= '0' && value[0] <= '9' ? strtol(value, &end, 10) : 0;
	if (number < 1 || number > 100000 || *end == '\0' || end[1] != '\0' || strchr(units, *end) == NULL)
		return vk_cmd_ok(&run->cmd, vk_cli_usage(run->cmd.call, "--max-age %s: a number and m, h or d: 26h",
							 value));
	run->max_age_s = number * seconds[strchr(units, *end) - units];
	return true;
}

static bool read_options(void *ctx)
{
	struct status_run *run = ctx;

	return vk_status_begin(run) && read_age(run);
}

static bool look_at_store(void *ctx)
{
	struct status_run *run = ctx;

	if (!vk_cmd_open_store(&run->cmd, VK_STORE_READ, true) || !vk_status_gather(run) || !vk_status_judge(run))
		return false;
	if (run->lun_count == 0 || run->states[STATUS_SAVED] < run->lun_count || run->unreadable > 0 ||
	    run->missing.count > 0)
		(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	return true;
}

static void end(void *ctx)
{
	vk_status_free(ctx);
}

static int run_status(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.status/1",  read_options,	      look_at_store,
						  vk_status_put_json, vk_status_put_text, end};
	struct status_run run = {.count = 0};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "max-age", .argument = "AGE", .config = true,
	 .help = "a LUN whose newest sound capture is older than that is old: 90m, 26h (the default), 3d"},
	VK_SCOPE_OPTIONS,
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit status", "is every LUN saved?"},
	{"vmfskit status --max-age 8d --store /srv/vmfskit/esx1/store", "on the machine that the store is sent to"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_status = {
	.name = "status",
	.arguments = "",
	.purpose = "say whether every LUN is saved",
	.description =
		"Prints a headline, and one line for each LUN that has captures in the store: its label and NAA name, "
		"how long ago the newest sound capture was taken (SAVED), when the saved headers last changed "
		"(CHANGED), when the whole store was last verified (VERIFIED), and when it was last sent to another "
		"machine by vmfskit-push (PUSHED).\n\n"
		"A LUN is saved when its newest capture is sound and not older than --max-age. It is old when that "
		"capture is older. It is damaged when the newest capture is not sound. It is \"bad disk\" when that "
		"capture is whole, but the disk was damaged or could not be read when it was taken. It is gone when "
		"the last capture --all did not see it. If no VMFS volume was found on it, that is said: a LUN that "
		"lies in such a disk is not saved with it. It is future when it would be saved, but the time of one "
		"of its captures lies in the future; such a capture is not judged. LUNs that include and exclude of "
		"the configuration leave out are not shown.\n\n"
		"status reads no file of a capture. It calls a capture sound when the ledger records it, its files "
		"are there with the right lengths, and the last vmfskit verify of the store found nothing wrong with "
		"it. vmfskit verify proves it.\n\n"
		"The exit code is 0 when every LUN is saved. It is 1 when one is not, when there is none, or when a "
		"capture is missing or cannot be read. It is 4 when the store is missing or cannot be read.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = 0,
	.run = run_status,
};
