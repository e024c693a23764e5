/* SPDX-License-Identifier: Apache-2.0 */
/* sfdisk of Linux: a script with every number, GUID and name, as its man page has it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "report/table_commands_parts.h"

/* A unit of UTF-16 is at most three bytes of UTF-8, each of them an escape: \xNN. */
enum { NAME_UNITS = 36, UNIT_TEXT_BYTES = 3 * 4 };

#define LINE(c, ...) vk_commands_add(c, &(c)->out->sfdisk.lines, __VA_ARGS__)
#define NOTE(c, ...) vk_commands_add(c, &(c)->out->sfdisk.notes, __VA_ARGS__)

/* One character as UTF-8; what would end or change the quoted name as the escape that sfdisk writes itself. */
static void put_character(struct vk_text *text, uint32_t c)
{
	static const struct {
		uint32_t below;
		unsigned mark; /* of the first byte */
	} lengths[] = {{0x80, 0}, {0x800, 0xC0}, {0x10000, 0xE0}, {UINT32_MAX, 0xF0}};
	unsigned more = 0;

	if (c >= 0x20 && c < 0x7F && strchr("\"\\$`", (int)c) == NULL) {
		vk_text_fmt(text, "%c", (char)c);
		return;
	}
	while (c >= lengths[more].below)
		more++;
	vk_text_fmt(text, "\\x%02x", lengths[more].mark | c >> 6 * more);
	while (more-- > 0)
		vk_text_fmt(text, "\\x%02x", 0x80 | (c >> 6 * more & 0x3F));
}

/* False when the name is no UTF-16; what was put is then to be left out. */
static bool put_name(struct vk_text *text, const uint8_t name[72])
{
	for (size_t i = 0; i < NAME_UNITS; i++) {
		uint32_t c = vk_get_le16(name + 2 * i);

		if (c == 0)
			return true;
		if (c >= 0xD800 && c < 0xDC00 && i + 1 < NAME_UNITS) {
			uint32_t low = vk_get_le16(name + 2 * ++i);

			if (low < 0xDC00 || low > 0xDFFF)
				return false;
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		} else if (c >= 0xD800 && c < 0xE000) {
			return false;
		}
		put_character(text, c);
	}
	return true;
}

static void put_gpt_entry(struct vk_commands_case *c, const struct vk_planned_entry *entry, struct vk_command *line)
{
	static const char *const attributes[] = {"RequiredPartition", "NoBlockIOProtocol", "LegacyBIOSBootable"};
	const struct vk_gpt_entry *e = &entry->partition.entry;
	const uint64_t told = 0xFFFF000000000007U; /* the bits that have words */
	const char *before = ", attrs=\"";
	char name[NAME_UNITS * UNIT_TEXT_BYTES + 1];
	struct vk_text text = vk_text_in(name, sizeof(name));

	vk_command_add(line, ", type=%s, uuid=%s", vk_guid_text(&e->typeGUID).text, vk_guid_text(&e->uniqueGUID).text);
	if (!put_name(&text, e->name))
		NOTE(c, "the name of partition %u is not a text and is left out", entry->partition.number);
	else if (name[0] != '\0')
		vk_command_add(line, ", name=\"%s\"", name);
	for (unsigned bit = 0; bit < 64; bit++) {
		if ((e->attributes & told & 1ULL << bit) == 0)
			continue;
		if (bit <= 2)
			vk_command_add(line, "%s%s", before, attributes[bit]);
		else
			vk_command_add(line, "%sGUID:%u", before, bit);
		before = " ";
	}
	if ((e->attributes & told) != 0)
		vk_command_add(line, "\"");
	if ((e->attributes & ~told) != 0)
		NOTE(c, "partition %u has attribute bits that sfdisk cannot write", entry->partition.number);
}

/* However long its name is in escapes: a line that was cut would make another table. */
static void put_entry(struct vk_commands_case *c, const char *node, const struct vk_planned_entry *entry)
{
	const struct vk_partition *p = &entry->partition;
	struct vk_command line;

	vk_command_begin(&line, node);
	vk_command_add(&line, "%u : start=%" PRIu64 ", size=%" PRIu64, p->number, p->start_sector, p->sectors);
	if (p->gpt)
		put_gpt_entry(c, entry, &line);
	else
		vk_command_add(&line, ", type=%x%s", p->mbr_type, vk_commands_active(c, p->number) ? ", bootable" : "");
	vk_commands_add_made(c, &c->out->sfdisk.lines, &line);
}

/* An extended partition is no entry of the plan when it holds nothing but its chain; sfdisk must be told it. */
static void put_extended(struct vk_commands_case *c, const char *node)
{
	for (size_t i = 0; i < c->table->entry_count; i++)
		if (vk_partition_is_extended(&c->table->entries[i].partition))
			return;
	for (unsigned i = 0; c->has_mbr && i < 4; i++) {
		const struct vk_mbr_entry *e = &c->mbr.entries[i];

		if (!vk_mbr_entry_used(e) || !vk_mbr_type_is_extended(e->type))
			continue;
		LINE(c, "%s%u : start=%u, size=%u, type=%x", node, i + 1, e->firstLBA, e->sectors, e->type);
		return;
	}
}

/* The number of a partition is what its node's name ends with. */
static void node_name(const char *device, char ret_name[80])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
	size_t len = device != NULL ? strlen(device) : 0;
	struct vk_text text = vk_text_in(ret_name, 80);

	if (len == 0 || len > 70 || strspn(device, plain) != len) {
		vk_text_put(&text, "part");
		return;
	}
	vk_text_put(&text, device);
	if (device[len - 1] >= '0' && device[len - 1] <= '9')
		vk_text_put(&text, "p");
}

void vk_commands_for_linux(struct vk_commands_case *c)
{
	const struct vk_rebuild_table *t = c->table;
	bool gpt = t->kind == VK_TABLE_GPT;
	struct vk_command command;
	char node[80];

	if (t->nothing_to_do) {
		NOTE(c, "the table is sound: there is nothing to type");
		return;
	}
	node_name(c->options->linux_device, node);
	vk_commands_care_linux(c);
	vk_command_begin(&command, "sfdisk --wipe never --wipe-partitions never");
	vk_command_path(&command, c->device);
	c->out->linux_command = vk_command_end(&command);
	c->failed = c->failed || c->out->linux_command == NULL;
	LINE(c, "label: %s", gpt ? "gpt" : "dos");
	if (gpt)
		LINE(c, "label-id: %s", vk_guid_text(&t->disk_guid).text);
	else if (c->has_mbr)
		LINE(c, "label-id: 0x%08x", c->mbr.diskSignature);
	LINE(c, "unit: sectors");
	/* of an MBR it else keeps the first MiB free, and takes a partition that starts at 63 or 128 for a mistake */
	LINE(c, "first-lba: %" PRIu64, gpt ? t->first_usable_lba : 1);
	if (gpt)
		LINE(c, "last-lba: %" PRIu64, t->last_usable_lba);
	LINE(c, "sector-size: %u", t->sector_size);
	LINE(c, "%s", "");
	if (c->logical)
		put_extended(c, node);
	for (size_t i = 0; i < t->entry_count; i++)
		put_entry(c, node, &c->entries[i]);
	if (t->sector_size != 512)
		NOTE(c, "for an image file run losetup --sector-size %u first, and use the loop device",
		     t->sector_size);
	NOTE(c, "sfdisk writes unused fields (CHS, bytes behind names) in its own way; vmfskit repair table --write "
		"keeps sound bytes");
}
