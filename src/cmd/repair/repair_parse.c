/* SPDX-License-Identifier: Apache-2.0 */
/* Options of vmfskit repair, and the command that does what was planned. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/repair/repair_run.h"
#include "cmd/shared/shell_words.h"

/* Options that speak of one of the two only. */
static const struct {
	const char *name;
	bool header;
} one_sided[] = {
	{"include", false},	{"exclude", false}, {"commands-only", false}, {"partition", true},
	{"start", true},	{"member", true},   {"structure", true},
};

static int check_sides(const struct vk_repair_run *run)
{
	for (size_t i = 0; i < sizeof(one_sided) / sizeof(one_sided[0]); i++)
		if (one_sided[i].header != run->header && vk_cli_flag(run->call, one_sided[i].name))
			return vk_cli_usage(run->call, "--%s is of repair %s", one_sided[i].name,
					    one_sided[i].header ? "header" : "table");
	return VK_EXIT_OK;
}

static int parse_number(const struct vk_cli_call *call, const char *name, const char *text,
			uint64_t *ret_number)
{
	if (!vk_text_parse_number(text, UINT64_MAX, ret_number))
		return vk_cli_usage(call, "--%s %s: a number is meant, decimal or with 0x hexadecimal", name, text);
	return VK_EXIT_OK;
}

/* Each value is a number. */
static int parse_sectors(const struct vk_cli_call *call, const char *name, uint64_t **ret_sectors,
			 size_t *ret_count)
{
	size_t count = 0;
	int code = VK_EXIT_OK;

	while (vk_cli_nth_value(call, name, count) != NULL)
		count++;
	*ret_sectors = calloc(count + 1, sizeof(**ret_sectors));
	if (*ret_sectors == NULL)
		return VK_EXIT_IO;
	for (size_t i = 0; code == VK_EXIT_OK && i < count; i++)
		code = parse_number(call, name, vk_cli_nth_value(call, name, i), &(*ret_sectors)[i]);
	*ret_count = count;
	return code;
}

static int parse_table(struct vk_repair_run *run)
{
	struct vk_rebuild_table_options *table = &run->options.table;
	const char *label = vk_cli_value(run->call, "label");
	int code = parse_sectors(run->call, "include", &run->include, &table->include_count);

	if (code == VK_EXIT_OK)
		code = parse_sectors(run->call, "exclude", &run->exclude, &table->exclude_count);
	table->include_sectors = run->include;
	table->exclude_sectors = run->exclude;
	if (code != VK_EXIT_OK || label == NULL)
		return code;
	if (strcmp(label, "mbr") != 0 && strcmp(label, "gpt") != 0)
		return vk_cli_usage(run->call, "--label %s: of a table, mbr or gpt is meant", label);
	table->label = label[0] == 'm' ? VK_TABLE_MBR : VK_TABLE_GPT;
	return VK_EXIT_OK;
}

static void parse_structures(struct vk_repair_run *run)
{
	static const struct {
		const char *name;
		enum vk_header_structure structure;
	} words[] = {
		{"lvm", VK_HS_LVM_HEADER},   {"volume", VK_HS_VOLUME}, {"pe-tables", VK_HS_PE_TABLES},
		{"sd-table", VK_HS_SD_TABLE}, {"fs", VK_HS_FS_DESCRIPTOR}, {"heartbeats", VK_HS_HEARTBEATS},
	};
	const char *list;

	for (size_t n = 0; (list = vk_cli_nth_value(run->call, "structure", n)) != NULL; n++) {
		while (*list != '\0') {
			size_t len = strcspn(list, ",");

			for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
				if (strncmp(words[i].name, list, len) == 0 && words[i].name[len] == '\0')
					run->options.header.structures |= 1U << words[i].structure;
			list += len + (list[len] == ',');
		}
	}
}

static int parse_partition(struct vk_repair_run *run)
{
	const char *partition = vk_cli_value(run->call, "partition");
	const char *start = vk_cli_value(run->call, "start");
	uint64_t number = 0;
	int code = VK_EXIT_OK;

	if (partition != NULL && start != NULL)
		return vk_cli_usage(run->call, "--partition and --start say the same in two ways: give one");
	if (partition != NULL)
		code = parse_number(run->call, "partition", partition, &number);
	if (code == VK_EXIT_OK && partition != NULL && (number == 0 || number > UINT32_MAX))
		return vk_cli_usage(run->call, "--partition %s: partitions count from 1", partition);
	run->options.partition = (unsigned)number;
	run->options.has_start = start != NULL;
	if (code == VK_EXIT_OK && start != NULL)
		code = parse_number(run->call, "start", start, &run->options.start_sector);
	return code;
}

static int parse_header(struct vk_repair_run *run)
{
	size_t count = 0;
	int code = parse_partition(run);

	run->options.header.label = vk_cli_value(run->call, "label");
	parse_structures(run);
	while (vk_cli_nth_value(run->call, "member", count) != NULL)
		count++;
	run->members = calloc(count + 1, sizeof(*run->members));
	if (run->members == NULL)
		return VK_EXIT_IO;
	for (size_t i = 0; i < count; i++)
		run->members[i] = vk_cli_nth_value(run->call, "member", i);
	run->options.members = run->members;
	return code;
}

static int parse_search(struct vk_repair_run *run)
{
	const struct vk_cli_call *call = run->call;
	bool scan = vk_cli_flag(call, "scan"), likely = vk_cli_flag(call, "likely");

	if (scan && likely)
		return vk_cli_usage(call, "--scan and --likely do not go together");
	if (vk_cli_flag(call, "commands-only") && vk_cli_flag(call, "write"))
		return vk_cli_usage(call, "--commands-only and --write do not go together");
	if (vk_cli_flag(call, "no-captures") && vk_cli_value(call, "capture") != NULL)
		return vk_cli_usage(call, "--capture and --no-captures do not go together");
	run->options.scan = scan     ? VK_REPAIR_SCAN_WHOLE
			    : likely ? VK_REPAIR_SCAN_LIKELY
				     : VK_REPAIR_SCAN_AUTO;
	run->options.capture = vk_cli_value(call, "capture");
	run->options.use_captures = !vk_cli_flag(call, "no-captures");
	run->options.find.resume_path = vk_cli_value(call, "resume");
	return VK_EXIT_OK;
}

int vk_repair_parse(struct vk_repair_run *run)
{
	int code = check_sides(run);

	if (code == VK_EXIT_OK)
		code = vk_restore_parse(&run->restore, false, &run->options.restore);
	if (code == VK_EXIT_OK)
		code = parse_search(run);
	if (code == VK_EXIT_OK)
		code = run->header ? parse_header(run) : parse_table(run);
	return code;
}

void vk_repair_options_free(struct vk_repair_run *run)
{
	free(run->members);
	free(run->include);
	free(run->exclude);
}

char *vk_repair_command(const struct vk_repair_run *run)
{
	static const char *const valued[] = {"label", "include", "exclude", "partition", "start", "member",
					     "structure", "capture", "resume", "heartbeat-wait", "sector-size", "store",
					     "sign-key", "public-key", "config"};
	static const char *const flags[] = {"no-captures", "scan", "likely"};
	const struct vk_cli_call *call = run->call;
	struct vk_command command;

	vk_command_begin(&command, call->program->name);
	vk_command_add(&command, " %s %s", call->verb->name, call->arguments[0]);
	vk_command_path(&command, run->target);
	for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++)
		vk_cmd_put_option(&command, call, valued[i]);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (vk_cli_flag(call, flags[i]))
			vk_command_add(&command, " --%s", flags[i]);
	vk_cmd_put_overrides(&command, call, vk_repair_restore(run->repair));
	vk_cmd_put_plan(&command, vk_repair_restore(run->repair));
	vk_command_add(&command, " --write");
	return vk_command_end(&command);
}
