/* SPDX-License-Identifier: Apache-2.0 */
/* Options of vmfskit repair, and what wipe has of them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/repair/repair_run.h"

static bool read_number(struct vk_repair_run *run, const char *name, const char *text, uint64_t *ret_number)
{
	if (vk_text_parse_number(text, UINT64_MAX, ret_number))
		return true;
	return vk_cmd_usage(&run->plan.cmd, "--%s %s: give a number, decimal or with 0x hexadecimal", name, text);
}

/* Each value is a number. */
static bool read_sectors(struct vk_repair_run *run, const char *name, uint64_t **ret_sectors, size_t *ret_count)
{
	const char *text;
	uint64_t sector;

	for (*ret_count = 0; (text = vk_cli_nth_value(run->plan.cmd.call, name, *ret_count)) != NULL;) {
		if (!read_number(run, name, text, &sector))
			return false;
		if (vk_append(ret_sectors, ret_count, &sector, sizeof(sector)) == NULL)
			return vk_cmd_no_memory(&run->plan.cmd);
	}
	return true;
}

static bool read_table_options(struct vk_repair_run *run)
{
	struct vk_rebuild_table_options *table = &run->options.table;
	struct vk_cli_call *call = run->plan.cmd.call;
	const char *label = vk_cli_value(call, "label");

	table->convert_sectors = vk_cli_flag(call, "convert-sectors") ? 512 : 0; /* its only choice */
	if (!read_sectors(run, "include", &run->include, &table->include_count) ||
	    !read_sectors(run, "exclude", &run->exclude, &table->exclude_count))
		return false;
	table->include_sectors = run->include;
	table->exclude_sectors = run->exclude;
	if (label == NULL)
		return true;
	if (strcmp(label, "mbr") != 0 && strcmp(label, "gpt") != 0)
		return vk_cmd_usage(&run->plan.cmd, "--label %s: for a table give mbr or gpt", label);
	table->label = label[0] == 'm' ? VK_TABLE_MBR : VK_TABLE_GPT;
	return true;
}

bool vk_repair_read_place(struct vk_repair_run *run)
{
	struct vk_cli_call *call = run->plan.cmd.call;
	const char *partition = vk_cli_value(call, "partition"), *start = vk_cli_value(call, "start");
	uint64_t number = 0;

	if (partition != NULL && start != NULL)
		return vk_cmd_usage(&run->plan.cmd, "--partition and --start say the same in two ways: give one");
	if (partition != NULL && !read_number(run, "partition", partition, &number))
		return false;
	if (partition != NULL && (number == 0 || number > UINT32_MAX))
		return vk_cmd_usage(&run->plan.cmd, "--partition %s: partitions count from 1", partition);
	run->options.partition = (unsigned)number;
	run->options.has_start = start != NULL;
	return start == NULL || read_number(run, "start", start, &run->options.start_sector);
}

static bool read_header_options(struct vk_repair_run *run)
{
	struct vk_cli_call *call = run->plan.cmd.call;

	run->options.header.label = vk_cli_value(call, "label");
	run->options.header.structures = vk_cli_chosen(call, "structure");
	run->options.members = run->members = vk_cli_values(call, "member");
	if (run->members == NULL)
		return vk_cmd_no_memory(&run->plan.cmd);
	return vk_repair_read_place(run);
}

bool vk_repair_read_options(void *ctx)
{
	/* options that speak of one of the two only, and that do not go together */
	static const struct {
		const char *name;
		bool header;
	} one_sided[] = {
		{"include", false},    {"exclude", false}, {"commands-only", false},   {"partition", true},
		{"start", true},       {"member", true},   {"structure", true},	       {"check-line", false},
		{"convert-sectors", false},
	};
	static const char *const apart[][2] = {
		{"scan", "likely"},
		{"commands-only", "write"},
		{"check-line", "write"},
		{"check-line", "commands-only"},
		{"capture", "no-captures"},
		{"convert-sectors", "include"},
		{"convert-sectors", "exclude"},
		{"convert-sectors", "label"},
		{"convert-sectors", "sector-size"},
	};
	struct vk_repair_run *run = ctx;
	struct vk_cli_call *call = run->plan.cmd.call;

	run->plan.own_options = "label include exclude convert-sectors partition start member structure capture resume "
				"heartbeat-wait "
				VK_HOW_OPTION_NAMES " store sign-key public-key config no-captures scan likely";
	for (size_t i = 0; i < sizeof(one_sided) / sizeof(one_sided[0]); i++)
		if (one_sided[i].header != run->header && vk_cli_flag(call, one_sided[i].name))
			return vk_cmd_usage(&run->plan.cmd, "--%s is of repair %s", one_sided[i].name,
					    one_sided[i].header ? "header" : "table");
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
		if (vk_cli_flag(call, apart[i][0]) && vk_cli_flag(call, apart[i][1]))
			return vk_cmd_usage(&run->plan.cmd, "--%s and --%s do not go together", apart[i][0],
					    apart[i][1]);
	run->options.scan = vk_cli_flag(call, "scan")     ? VK_REPAIR_SCAN_WHOLE
			    : vk_cli_flag(call, "likely") ? VK_REPAIR_SCAN_LIKELY
							  : VK_REPAIR_SCAN_AUTO;
	run->options.capture = vk_cli_value(call, "capture");
	run->options.use_captures = !vk_cli_flag(call, "no-captures");
	run->options.find.resume_path = vk_cli_value(call, "resume");
	if (!(run->header ? read_header_options(run) : read_table_options(run)) ||
	    !vk_restore_read_options(&run->plan))
		return false;
	if (run->options.capture == NULL)
		return true;
	if (!vk_cmd_name_capture(&run->plan.cmd, VK_NAME_ONE_DISK | VK_NAME_PLANS, &run->options.capture))
		return false;
	vk_cli_set_value(call, "capture", run->options.capture);
	return true;
}
