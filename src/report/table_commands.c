/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the commands for a planned table, and shows them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/json.h"
#include "base/checked.h"
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

uint64_t vk_commands_extended(const struct vk_commands_case *c)
{
	for (size_t i = 0; i < c->table->entry_count; i++)
		if (vk_partition_is_extended(&c->entries[i].partition))
			return c->entries[i].partition.start_sector;
	for (unsigned i = 0; c->has_mbr && i < 4; i++)
		if (vk_mbr_entry_used(&c->mbr.entries[i]) && vk_mbr_type_is_extended(c->mbr.entries[i].type))
			return c->mbr.entries[i].firstLBA;
	return 0;
}

static bool fits_in_line(const char *path)
{
	for (; *path != '\0'; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7F)
			return false;
	return true;
}

bool vk_commands_active(const struct vk_commands_case *c, unsigned number)
{
	return c->has_mbr && number >= 1 && number <= 4 && c->mbr.entries[number - 1].bootFlag == 0x80;
}

enum vk_status vk_table_commands_make(const struct vk_rebuild_table *table,
				      const struct vk_table_commands_options *options,
				      struct vk_table_commands *ret_commands, struct vk_error *err)
{
	struct vk_table_commands out = {.size_bytes = vk_mul_sat(table->disk_sectors, table->sector_size)};
	struct vk_commands_case c = {.table = table, .options = options, .out = &out};
	bool kept;

	c.device = "/dev/DEVICE";
	if (options->linux_device != NULL && fits_in_line(options->linux_device))
		c.device = options->linux_device;
	c.has_mbr = options->sector0 != NULL && table->kind == VK_TABLE_MBR;
	if (c.has_mbr)
		vk_mbr_decode(options->sector0, VK_MBR_BYTES, &c.mbr);
	c.entries = calloc(table->entry_count + 1, sizeof(*c.entries));
	kept = c.entries != NULL;
	for (size_t i = 0; i < table->entry_count && kept; i++) {
		c.entries[i] = table->entries[i];
		c.logical = c.logical || table->entries[i].partition.logical;
	}
	if (kept)
		qsort(c.entries, table->entry_count, sizeof(*c.entries), by_start);
	kept = kept && vk_commands_for_esxi(&c) && vk_commands_for_linux(&c);
	free(c.entries);
	if (kept) {
		*ret_commands = out;
		return VK_OK;
	}
	vk_table_commands_free(&out);
	return vk_no_memory(err, NULL);
}

void vk_table_commands_free(struct vk_table_commands *commands)
{
	vk_table_care_free(&commands->esxi_care);
	vk_table_care_free(&commands->linux_care);
	vk_sentences_free(&commands->esxi, &commands->esxi_count);
	vk_sentences_free(&commands->shown, &commands->shown_count);
	vk_sentences_free(&commands->esxi_notes, &commands->esxi_note_count);
	vk_sentences_free(&commands->script, &commands->script_count);
	vk_sentences_free(&commands->linux_notes, &commands->linux_note_count);
	free(commands->esxi_which);
	free(commands->linux_command);
	commands->esxi_which = NULL;
	commands->linux_command = NULL;
}

static void put_lines(FILE *out, const char *before, char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s\n", before, lines[i]);
}

static void put_care(FILE *out, const struct vk_table_care *care)
{
	put_lines(out, "", care->check, care->check_count);
	if (care->save_count > 0)
		fputs("# save what will be overwritten, in a folder on another disk. When a dd fails, stop\n", out);
	put_lines(out, "", care->save, care->save_count);
}

static void put_back(FILE *out, const struct vk_table_care *care)
{
	put_lines(out, "# to put back what was saved: ", care->back, care->back_count);
}

void vk_table_commands_text(FILE *out, const struct vk_table_commands *commands)
{
	fputs("# on the ESXi host\n", out);
	if (commands->esxi_which != NULL)
		fprintf(out, "# %s\n", commands->esxi_which);
	if (commands->esxi_care.check_count > 0)
		fprintf(out, "# is it this LUN, and %llu MiB long? If not, stop\n",
			(unsigned long long)(commands->size_bytes >> 20));
	put_care(out, &commands->esxi_care);
	put_lines(out, "", commands->esxi, commands->esxi_count);
	if (commands->shown_count > 0)
		fputs("# getptbl then shows\n", out);
	put_lines(out, "#   ", commands->shown, commands->shown_count);
	put_back(out, &commands->esxi_care);
	put_lines(out, "# note: ", commands->esxi_notes, commands->esxi_note_count);
	fputs("\n# on a Linux host\n", out);
	if (commands->linux_care.check_count > 0)
		fputs("# is it this LUN? A line that prints nothing says that it is another one: stop\n", out);
	put_care(out, &commands->linux_care);
	if (commands->linux_command != NULL) {
		fprintf(out, "%s <<'END'\n", commands->linux_command);
		put_lines(out, "", commands->script, commands->script_count);
		fputs("END\n", out);
	}
	put_back(out, &commands->linux_care);
	put_lines(out, "# note: ", commands->linux_notes, commands->linux_note_count);
}

static json_t *list(char *const *lines, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		if (array != NULL && json_array_append_new(array, vk_json_text(lines[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

json_t *vk_table_commands_json(const struct vk_table_commands *commands)
{
	const struct vk_table_care *e = &commands->esxi_care, *l = &commands->linux_care;
	json_t *esxi = json_pack("{s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "which", commands->esxi_which, "check",
				 list(e->check, e->check_count), "save", list(e->save, e->save_count), "back",
				 list(e->back, e->back_count), "commands",
				 list(commands->esxi, commands->esxi_count), "shows",
				 list(commands->shown, commands->shown_count), "notes",
				 list(commands->esxi_notes, commands->esxi_note_count));
	json_t *host = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "check", list(l->check, l->check_count), "save",
				 list(l->save, l->save_count), "back", list(l->back, l->back_count), "command",
				 commands->linux_command != NULL ? vk_json_text(commands->linux_command)
								 : json_null(),
				 "script",
				 list(commands->script, commands->script_count), "notes",
				 list(commands->linux_notes, commands->linux_note_count));

	return json_pack("{s:o, s:o}", "esxi", esxi, "linux", host);
}
