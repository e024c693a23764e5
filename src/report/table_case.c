/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of commands share: lines, and what the planned table says of itself. */
#include <stdarg.h>
#include <stdlib.h>

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
