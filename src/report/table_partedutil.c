/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partedUtil of ESXi: its arguments and what it shows, as its own usage text and published listings have them. It counts
 * sectors of 512 bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/texts.h"
#include "report/table_commands_parts.h"

enum { DEVICE_BYTES = 600, HEADS = 255, SECTORS_PER_TRACK = 63, BOOT = 128 };

#define COMMAND(c, ...) vk_sentence_add(&(c)->out->esxi, &(c)->out->esxi_count, __VA_ARGS__)
#define SHOWN(c, ...) vk_sentence_add(&(c)->out->shown, &(c)->out->shown_count, __VA_ARGS__)
#define NOTE(c, ...) vk_sentence_add(&(c)->out->esxi_notes, &(c)->out->esxi_note_count, __VA_ARGS__)

/* A path as the shell of ESXi takes it: a backslash in front of colons, and of all that a shell may take apart. */
static bool put_device(const char *device, char ret_word[DEVICE_BYTES])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+=,-";
	struct vk_text text;

	vk_text_init(&text, ret_word, DEVICE_BYTES);
	for (const char *p = device; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7E || text.len_bytes + 3 > DEVICE_BYTES)
			return false;
		vk_text_fmt(&text, "%s%c", strchr(plain, *p) != NULL ? "" : "\\", *p);
	}
	return device[0] != '\0';
}

/* The type as setptbl takes and getptbl shows it: a GUID without hyphens, or the decimal type of an MBR. */
static void type_word(const struct vk_partition *p, char ret_word[VK_GUID_TEXT_BYTES])
{
	char guid[VK_GUID_TEXT_BYTES];
	struct vk_text text;

	vk_text_init(&text, ret_word, VK_GUID_TEXT_BYTES);
	if (!p->gpt) {
		vk_text_fmt(&text, "%u", p->mbr_type);
		return;
	}
	vk_guid_format(&p->entry.typeGUID, guid);
	for (const char *c = guid; *c != '\0'; c++)
		if (*c != '-')
			vk_text_fmt(&text, "%c", *c);
}

/* The names that listings of getptbl have; NULL: none is known. */
static const char *type_name(const struct vk_guid *type)
{
	static const struct {
		const char *guid;
		const char *name;
	} names[] = {
		{VK_GPT_TYPE_VMFS, "vmfs"},	 {VK_GPT_TYPE_VMFSL, "vmfsl"},
		{VK_GPT_TYPE_VMKDIAG, "vmkDiagnostic"}, {VK_GPT_TYPE_BASIC, "linuxNative"},
		{VK_GPT_TYPE_EFI, "systemPartition"},
	};
	char guid[VK_GUID_TEXT_BYTES];

	vk_guid_format(type, guid);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].guid, guid) == 0)
			return names[i].name;
	return NULL;
}

/* 128 marks what a machine boots from: the EFI system partition, or the active one of an MBR. */
static unsigned attribute(const struct vk_commands_case *c, const struct vk_partition *p)
{
	char guid[VK_GUID_TEXT_BYTES];

	if (!p->gpt)
		return vk_commands_active(c, p->number) ? BOOT : 0;
	vk_guid_format(&p->entry.typeGUID, guid);
	return strcmp(guid, VK_GPT_TYPE_EFI) == 0 ? BOOT : 0;
}

static uint64_t end_of(const struct vk_partition *p)
{
	return vk_add_sat(p->start_sector, p->sectors) - 1;
}

static bool put_setptbl(struct vk_commands_case *c, const char *device)
{
	size_t cap = 256 + DEVICE_BYTES + c->table->entry_count * 120;
	char *line = malloc(cap);
	struct vk_text text;
	bool kept;

	if (line == NULL)
		return false;
	vk_text_init(&text, line, cap);
	vk_text_fmt(&text, "partedUtil setptbl %s %s", device,
		    c->table->kind == VK_TABLE_GPT ? "gpt" : "msdos");
	for (size_t i = 0; i < c->table->entry_count; i++) {
		const struct vk_partition *p = &c->entries[i].partition;
		char type[VK_GUID_TEXT_BYTES];

		type_word(p, type);
		vk_text_fmt(&text, " \"%u %" PRIu64 " %" PRIu64 " %s %u\"", p->number, p->start_sector,
			    end_of(p), type, attribute(c, p));
	}
	kept = COMMAND(c, "%s", line);
	free(line);
	return kept;
}

/* What getptbl shows then: the label, a geometry of 255 heads and 63 sectors, the partitions in the order of the disk. */
static bool put_shown(struct vk_commands_case *c)
{
	const struct vk_rebuild_table *t = c->table;
	bool kept = SHOWN(c, "%s", t->kind == VK_TABLE_GPT ? "gpt" : "msdos") &&
		    SHOWN(c, "%" PRIu64 " %d %d %" PRIu64, t->disk_sectors / (HEADS * SECTORS_PER_TRACK),
			  HEADS, SECTORS_PER_TRACK, t->disk_sectors);

	for (size_t i = 0; i < t->entry_count && kept; i++) {
		const struct vk_partition *p = &c->entries[i].partition;
		const char *name = p->gpt ? type_name(&p->entry.typeGUID) : "";
		char type[VK_GUID_TEXT_BYTES];

		type_word(p, type);
		kept = SHOWN(c, "%u %" PRIu64 " %" PRIu64 " %s%s%s %u", p->number, p->start_sector,
			     end_of(p), type, p->gpt ? " " : "", name != NULL ? name : "unknown",
			     attribute(c, p));
	}
	return kept;
}

static bool copy_stands(const struct vk_rebuild_table *t, enum vk_table_part header,
			enum vk_table_part array)
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

/* fixGpt copies one copy of the table to the other, and moves the backup to the end. It knows no entries but those. */
static bool fix_is_enough(const struct vk_rebuild_table *t)
{
	if (t->kind != VK_TABLE_GPT || !vk_commands_label_stands(t))
		return false;
	for (size_t i = 0; i < t->entry_count; i++)
		if (!t->entries[i].bytes_exact || t->entries[i].origin > VK_ENTRY_BOTH)
			return false;
	return true;
}

static bool put_notes(struct vk_commands_case *c)
{
	bool gpt = c->table->kind == VK_TABLE_GPT;
	bool kept = NOTE(c, "setptbl drops every partition that is not on its line: name them all, as above") &&
		    NOTE(c, "ESXi does not check that partitions do not overlap; these do not");

	if (kept && gpt)
		kept = NOTE(c, "partedUtil takes no unique GUIDs, names and disk GUID: those become new. "
			       "vmfskit repair table --write puts back what is known of them");
	return kept;
}

static bool make_new(struct vk_commands_case *c, const char *device)
{
	const struct vk_rebuild_table *t = c->table;
	bool kept = true;

	if (!vk_commands_label_stands(t))
		kept = COMMAND(c, "partedUtil mklabel %s %s", device, t->kind == VK_TABLE_GPT ? "gpt" : "msdos");
	if (kept && t->kind == VK_TABLE_GPT)
		kept = COMMAND(c, "partedUtil getUsableSectors %s", device) &&
		       NOTE(c, "getUsableSectors must show %" PRIu64 " %" PRIu64 ", or at least a range that "
			       "holds all partitions",
			    t->first_usable_lba, t->last_usable_lba);
	return kept && put_setptbl(c, device) && COMMAND(c, "partedUtil getptbl %s", device) &&
	       put_shown(c) && put_notes(c);
}

/* Names of one kind can be compared; others say the same thing in other words. */
static bool comparable(const char *a, const char *b)
{
	return strncasecmp(a, b, 4) == 0 && (strncasecmp(a, "naa.", 4) == 0 || strncasecmp(a, "eui.", 4) == 0);
}

/*
 * The LUN that the commands aim at. A replica carries the header, and so the name, of another LUN: only a name that the
 * kernel confirms is put into a command.
 */
static bool choose_device(struct vk_commands_case *c, char ret_word[DEVICE_BYTES])
{
	const char *name = c->options->esxi_name;
	const char *live = c->options->live_name != NULL ? c->options->live_name : "";
	char path[DEVICE_BYTES];
	int printed;

	if (name != NULL && strcasecmp(name, live) == 0 &&
	    snprintf(path, sizeof(path), "/vmfs/devices/disks/%s", name) < (int)sizeof(path) &&
	    put_device(path, ret_word))
		return true;
	strcpy(ret_word, "/vmfs/devices/disks/DEVICE");
	if (name == NULL)
		printed = asprintf(&c->out->esxi_which, "put the name of the LUN for DEVICE");
	else if (comparable(name, live))
		printed = asprintf(&c->out->esxi_which,
				   "WARNING: the header was written for another LUN, %s; this one is %s. Make sure which "
				   "LUN is meant, and put its name for DEVICE", name, live);
	else
		printed = asprintf(&c->out->esxi_which,
				   "the header was written for %s: make sure which LUN this is, and put its name for DEVICE",
				   name);
	if (printed < 0)
		c->out->esxi_which = NULL;
	return printed >= 0;
}

bool vk_commands_for_esxi(struct vk_commands_case *c)
{
	const struct vk_rebuild_table *t = c->table;
	char device[DEVICE_BYTES];

	if (t->sector_size == 512 && !choose_device(c, device))
		return false;
	if (t->sector_size != 512)
		return NOTE(c, "partedUtil counts sectors of 512 bytes, this table sectors of %u: it cannot make it",
			    t->sector_size);
	if (t->nothing_to_do)
		return COMMAND(c, "partedUtil getptbl %s", device) && put_shown(c) &&
		       NOTE(c, "The table is sound: there is nothing to type but the check");
	if (c->logical)
		return COMMAND(c, "partedUtil getptbl %s", device) &&
		       NOTE(c, "partedUtil has no words for logical partitions, and setptbl drops what it is not "
			       "told: it cannot make this table. Use sfdisk on a Linux host, or vmfskit repair "
			       "table --write");
	if (!vk_commands_care_esxi(c, device))
		return false;
	if (fix_is_enough(t))
		return COMMAND(c, "partedUtil getptbl %s", device) &&
		       COMMAND(c, "partedUtil fixGpt %s", device) &&
		       COMMAND(c, "partedUtil getptbl %s", device) && put_shown(c) &&
		       NOTE(c, "fixGpt asks before it writes: answer Y, then Fix. It keeps all GUIDs and names") &&
		       NOTE(c, "Do not run fixGpt on a disk that a virtual machine uses as a raw device (RDM)");
	return make_new(c, device);
}
