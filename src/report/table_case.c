/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the makers of commands share: lines, what the planned table says of itself, and what goes before commands that
 * write it: which LUN is it, and what do they overwrite?
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/texts.h"
#include "report/table_commands_parts.h"

void vk_commands_add(struct vk_commands_case *c, struct vk_lines *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!vk_sentence_vadd(&lines->items, &lines->count, format, args))
		c->failed = true;
	va_end(args);
}

void vk_commands_add_made(struct vk_commands_case *c, struct vk_lines *lines, struct vk_command *line)
{
	char *text = vk_command_end(line);

	if (text != NULL)
		vk_commands_add(c, lines, "%s", text);
	else
		c->failed = true;
	free(text);
}

bool vk_commands_active(const struct vk_commands_case *c, unsigned number)
{
	return c->has_mbr && number >= 1 && number <= 4 && c->mbr.entries[number - 1].bootFlag == 0x80;
}

/* First sector of the extended partition of an MBR; 0: there is none. */
static uint64_t extended_sector(const struct vk_commands_case *c)
{
	for (size_t i = 0; i < c->table->entry_count; i++)
		if (vk_partition_is_extended(&c->entries[i].partition))
			return c->entries[i].partition.start_sector;
	for (unsigned i = 0; c->has_mbr && i < 4; i++)
		if (vk_mbr_entry_used(&c->mbr.entries[i]) && vk_mbr_type_is_extended(c->mbr.entries[i].type))
			return c->mbr.entries[i].firstLBA;
	return 0;
}

static bool copy_stands(const struct vk_rebuild_table *t, enum vk_table_part header, enum vk_table_part array)
{
	return t->parts[array].state == VK_PART_STATE_SOUND &&
	       (t->parts[header].state == VK_PART_STATE_SOUND ||
		(header == VK_TP_PRIMARY_HEADER && t->parts[header].state == VK_PART_STATE_STALE));
}

bool vk_commands_label_stands(const struct vk_rebuild_table *table)
{
	enum vk_part_state mbr = table->parts[VK_TP_MBR].state;

	if (table->kind != VK_TABLE_GPT)
		return vk_part_state_stands(mbr);
	return (vk_part_state_stands(mbr) || mbr == VK_PART_STATE_STALE) &&
	       (copy_stands(table, VK_TP_PRIMARY_HEADER, VK_TP_PRIMARY_ARRAY) ||
		copy_stands(table, VK_TP_BACKUP_HEADER, VK_TP_BACKUP_ARRAY));
}

/* A table has as many entries as these tools make of it, whatever the old one had. */
enum { ARRAY_BYTES = 128 * 128, NAME_BYTES = 80 };

/* A tool, its device as the shell takes it, and the beginning of the names of files. */
struct saving {
	struct vk_commands_case *c;
	struct vk_tool_commands *tool;
	const char *word;
	char name[NAME_BYTES];
};

/* The last part of the device's name, as far as every shell takes it as it is. */
static void name_files(struct saving *s, const char *device)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
	const char *slash = strrchr(device, '/');
	struct vk_text text = vk_text_in(s->name, NAME_BYTES);

	for (const char *p = slash != NULL ? slash + 1 : device; *p != '\0' && text.len_bytes < NAME_BYTES - 2; p++)
		vk_text_fmt(&text, "%c", strchr(plain, *p) != NULL ? *p : '_');
}

/* A file that is there already holds what stood there before: it is never overwritten. */
static void save_range(const struct saving *s, uint64_t start, uint64_t count)
{
	uint32_t sector_size = s->c->table->sector_size;

	vk_commands_add(s->c, &s->tool->save, "(set -C; dd if=%s bs=%u skip=%" PRIu64 " count=%" PRIu64 " "
			">%s-sector%" PRIu64 ".dd)", s->word, sector_size, start, count, s->name, start);
	vk_commands_add(s->c, &s->tool->back, "dd if=%s-sector%" PRIu64 ".dd of=%s bs=%u seek=%" PRIu64 " "
			"conv=notrunc,fsync", s->name, start, s->word, sector_size, start);
}

/* Where either tool writes a table of either kind, and where it takes the old one away. */
static void save_table(const struct saving *s)
{
	uint32_t ss = s->c->table->sector_size;
	uint64_t array = (ARRAY_BYTES + ss - 1) / ss, sectors = s->c->table->disk_sectors;

	if (sectors <= 2 * array + 3) {
		save_range(s, 0, sectors);
		return;
	}
	save_range(s, 0, array + 2);
	save_range(s, sectors - array - 1, array + 1);
}

void vk_commands_care_linux(struct vk_commands_case *c)
{
	struct saving s = {.c = c, .tool = &c->out->sfdisk};
	const char *live = c->options->live_name;
	uint64_t extended = extended_sector(c);
	struct vk_command command;
	char *word;

	vk_command_begin(&command, "");
	vk_command_path(&command, c->device);
	word = vk_command_end(&command);
	if (word == NULL) {
		c->failed = true;
		return;
	}
	s.word = word + 1; /* behind the blank */
	name_files(&s, c->device);
	vk_commands_add(c, &s.tool->check, "LC_ALL=C sfdisk --list%s | grep -F ' %" PRIu64 " bytes'", word,
			vk_mul_sat(c->table->disk_sectors, c->table->sector_size));
	if (live != NULL && live[0] != '\0') {
		vk_command_begin(&command, "d=/sys/class/block/$(basename \"$(readlink -f");
		vk_command_add(&command, "%s)\"); cat \"$d\"/wwid \"$d\"/device/wwid", word);
		vk_command_add(&command, " \"$d\"/slaves/*/device/wwid 2>/dev/null | grep -iF");
		vk_command_word(&command, live);
		vk_commands_add_made(c, &s.tool->check, &command);
	}
	save_table(&s);
	/* sfdisk puts the first EBR at the start of the extended partition, each other one in front of its partition */
	if (c->logical && extended != 0)
		save_range(&s, extended, 1);
	for (size_t i = 0; i < c->table->entry_count; i++) {
		const struct vk_partition *p = &c->entries[i].partition;

		if (p->logical && p->start_sector - 1 != extended)
			save_range(&s, p->start_sector - 1, 1);
	}
	vk_commands_add(c, &s.tool->save, "(set -C; sfdisk --dump%s >%s-table.sfdisk)", word, s.name);
	free(word);
}

void vk_commands_care_esxi(struct vk_commands_case *c, const char *device)
{
	struct saving s = {.c = c, .tool = &c->out->esxi, .word = device};

	name_files(&s, device);
	vk_commands_add(c, &s.tool->check, "esxcli storage core device list -d %s", strrchr(device, '/') + 1);
	save_table(&s);
	vk_commands_add(c, &s.tool->save, "(set -C; partedUtil getptbl %s >%s-table.getptbl)", device, s.name);
}
