/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the commands for a planned table, and shows them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/json.h"
#include "base/checked.h"
#include "base/screen.h"
#include "base/texts.h"
#include "report/report.h"
#include "report/table_commands_parts.h"

static int by_start(const void *a, const void *b)
{
	const struct vk_partition *x = &((const struct vk_planned_entry *)a)->partition;
	const struct vk_partition *y = &((const struct vk_planned_entry *)b)->partition;

	if (x->start_sector != y->start_sector)
		return x->start_sector < y->start_sector ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool fits_in_line(const char *path)
{
	for (; *path != '\0'; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7F)
			return false;
	return true;
}

enum vk_status vk_table_commands_make(const struct vk_rebuild_table *table,
				      const struct vk_table_commands_options *options,
				      struct vk_table_commands *ret_commands, struct vk_error *err)
{
	struct vk_table_commands out = {.size_bytes = vk_mul_sat(table->disk_sectors, table->sector_size)};
	struct vk_commands_case c = {.table = table, .options = options, .device = "/dev/DEVICE", .out = &out};

	if (options->linux_device != NULL && fits_in_line(options->linux_device))
		c.device = options->linux_device;
	c.has_mbr = options->sector0 != NULL && table->kind == VK_TABLE_MBR;
	if (c.has_mbr)
		vk_mbr_decode(options->sector0, VK_MBR_BYTES, &c.mbr);
	c.entries = calloc(table->entry_count + 1, sizeof(*c.entries));
	if (c.entries == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < table->entry_count; i++) {
		c.entries[i] = table->entries[i];
		c.logical = c.logical || table->entries[i].partition.logical;
	}
	qsort(c.entries, table->entry_count, sizeof(*c.entries), by_start);
	vk_commands_for_esxi(&c);
	vk_commands_for_linux(&c);
	free(c.entries);
	if (c.failed) {
		vk_table_commands_free(&out);
		return vk_no_memory(err, NULL);
	}
	*ret_commands = out;
	return VK_OK;
}

static void free_tool(struct vk_tool_commands *tool)
{
	struct vk_lines *all[] = {&tool->check, &tool->save, &tool->back, &tool->lines, &tool->notes};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		vk_sentences_free(&all[i]->items, &all[i]->count);
}

void vk_table_commands_free(struct vk_table_commands *commands)
{
	free_tool(&commands->esxi);
	free_tool(&commands->sfdisk);
	vk_sentences_free(&commands->shown.items, &commands->shown.count);
	free(commands->esxi_which);
	free(commands->linux_command);
	commands->esxi_which = NULL;
	commands->linux_command = NULL;
}

static void put_lines(FILE *out, const char *before, const struct vk_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		vk_screen_paste(out, "%s%s\n", before, lines->items[i]);
}

static void put_care(FILE *out, const struct vk_tool_commands *tool)
{
	put_lines(out, "", &tool->check);
	if (tool->save.count > 0)
		fputs("# save what will be overwritten, in a folder on another disk. When a dd fails, stop\n", out);
	put_lines(out, "", &tool->save);
}

static void put_end(FILE *out, const struct vk_tool_commands *tool)
{
	put_lines(out, "# to put back what was saved: ", &tool->back);
	for (size_t i = 0; i < tool->notes.count; i++)
		fprintf(out, "# note: %s\n", tool->notes.items[i]);
}

void vk_table_commands_text(FILE *out, const struct vk_table_commands *commands)
{
	fputs("# on the ESXi host\n", out);
	if (commands->esxi_which != NULL)
		fprintf(out, "# %s\n", commands->esxi_which);
	if (commands->esxi.check.count > 0)
		fprintf(out, "# is it this LUN, and %llu MiB long? If not, stop\n",
			(unsigned long long)(commands->size_bytes >> 20));
	put_care(out, &commands->esxi);
	put_lines(out, "", &commands->esxi.lines);
	if (commands->shown.count > 0)
		fputs("# getptbl then shows\n", out);
	put_lines(out, "#   ", &commands->shown);
	put_end(out, &commands->esxi);
	fputs("\n# on a Linux host\n", out);
	if (commands->sfdisk.check.count > 0)
		fputs("# is it this LUN? If a line prints nothing, it is another one: stop\n", out);
	put_care(out, &commands->sfdisk);
	if (commands->linux_command != NULL) {
		vk_screen_paste(out, "%s <<'END'\n", commands->linux_command);
		put_lines(out, "", &commands->sfdisk.lines);
		fputs("END\n", out);
	}
	put_end(out, &commands->sfdisk);
}

static void set_lines(struct vk_json *o, const char *key, const struct vk_lines *lines)
{
	vk_json_set_texts(o, key, lines->items, lines->count);
}

static void set_care(struct vk_json *o, const struct vk_tool_commands *tool)
{
	set_lines(o, "check", &tool->check);
	set_lines(o, "save", &tool->save);
	set_lines(o, "back", &tool->back);
}

json_t *vk_table_commands_json(const struct vk_table_commands *commands)
{
	struct vk_json esxi = vk_json_begin(), host = vk_json_begin();

	vk_json_set_text(&esxi, "which", commands->esxi_which);
	set_care(&esxi, &commands->esxi);
	set_lines(&esxi, "commands", &commands->esxi.lines);
	set_lines(&esxi, "shows", &commands->shown);
	set_lines(&esxi, "notes", &commands->esxi.notes);
	set_care(&host, &commands->sfdisk);
	vk_json_set_text(&host, "command", commands->linux_command);
	set_lines(&host, "script", &commands->sfdisk.lines);
	set_lines(&host, "notes", &commands->sfdisk.notes);
	return VK_JSON_OBJECT(VK_KEY("esxi", vk_json_end(&esxi)), VK_KEY("linux", vk_json_end(&host)));
}
