/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partedUtil of ESXi: its arguments and what it shows, as its own usage text and published listings have them. It
 * counts sectors of 512 bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rebuild/table/setptbl.h"
#include "report/table_commands_parts.h"

enum { DEVICE_BYTES = 600, HEADS = 255, SECTORS_PER_TRACK = 63 };

#define COMMAND(c, ...) vk_commands_add(c, &(c)->out->esxi.lines, __VA_ARGS__)
#define SHOWN(c, ...) vk_commands_add(c, &(c)->out->shown, __VA_ARGS__)
#define NOTE(c, ...) vk_commands_add(c, &(c)->out->esxi.notes, __VA_ARGS__)

/* A path as the shell of ESXi takes it: a backslash in front of colons, and of all that a shell may take apart. */
static bool put_device(const char *device, char ret_word[DEVICE_BYTES])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+=,-";
	struct vk_text text = vk_text_in(ret_word, DEVICE_BYTES);

	for (const char *p = device; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7E || text.len_bytes + 3 > DEVICE_BYTES)
			return false;
		vk_text_fmt(&text, "%s%c", strchr(plain, *p) != NULL ? "" : "\\", *p);
	}
	return device[0] != '\0';
}

/* The names that listings of getptbl have, behind a blank. */
static const char *type_name(const struct vk_guid *type)
{
	static const struct {
		const char *guid;
		const char *name;
	} names[] = {
		{VK_GPT_TYPE_VMFS, " vmfs"},	 {VK_GPT_TYPE_VMFSL, " vmfsl"},
		{VK_GPT_TYPE_VMKDIAG, " vmkDiagnostic"}, {VK_GPT_TYPE_BASIC, " linuxNative"},
		{VK_GPT_TYPE_EFI, " systemPartition"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].guid, vk_guid_text(type).text) == 0)
			return names[i].name;
	return " unknown";
}

/* 128 marks what a machine boots from: the EFI system partition, or the active one of an MBR. */
static unsigned attribute(const struct vk_commands_case *c, const struct vk_partition *p)
{
	return vk_setptbl_attribute(p, !p->gpt && vk_commands_active(c, p->number));
}

/*
 * What getptbl shows then: the label, a geometry of 255 heads and 63 sectors, the partitions in the order of the disk.
 */
static void put_shown(struct vk_commands_case *c, const char *label)
{
	const struct vk_rebuild_table *t = c->table;
	char words[VK_SETPTBL_WORDS_BYTES];

	SHOWN(c, "%s", label);
	SHOWN(c, "%" PRIu64 " %d %d %" PRIu64, t->disk_sectors / (HEADS * SECTORS_PER_TRACK), HEADS, SECTORS_PER_TRACK,
	      t->disk_sectors);
	for (size_t i = 0; i < t->entry_count; i++) {
		const struct vk_partition *p = &c->entries[i].partition;

		vk_setptbl_words(p, words);
		SHOWN(c, "%s%s %u", words, p->gpt ? type_name(&p->entry.typeGUID) : "", attribute(c, p));
	}
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

static void make_new(struct vk_commands_case *c, const char *device, const char *label)
{
	const struct vk_rebuild_table *t = c->table;
	bool gpt = t->kind == VK_TABLE_GPT;
	struct vk_command line;
	char words[VK_SETPTBL_WORDS_BYTES];

	if (!vk_commands_label_stands(t))
		COMMAND(c, "partedUtil mklabel %s %s", device, label);
	if (gpt) {
		COMMAND(c, "partedUtil getUsableSectors %s", device);
		NOTE(c, "getUsableSectors must show %" PRIu64 " %" PRIu64 ", or at least a range that holds all "
		     "partitions", t->first_usable_lba, t->last_usable_lba);
	}
	vk_command_begin(&line, "partedUtil setptbl ");
	vk_command_add(&line, "%s %s", device, label);
	for (size_t i = 0; i < t->entry_count; i++) {
		vk_setptbl_words(&c->entries[i].partition, words);
		vk_command_add(&line, " \"%s %u\"", words, attribute(c, &c->entries[i].partition));
	}
	vk_commands_add_made(c, &c->out->esxi.lines, &line);
	COMMAND(c, "partedUtil getptbl %s", device);
	put_shown(c, label);
	NOTE(c, "setptbl deletes every partition you do not list: list them all, as above");
	if (gpt)
		NOTE(c, "partedUtil takes no unique GUIDs, names or disk GUID: new ones are made. vmfskit repair "
			"table --write restores those that are known");
}

/*
 * The LUN that the commands aim at. A replica carries the header, and so the name, of another LUN: only a name that the
 * kernel confirms is put into a command.
 */
static void choose_device(struct vk_commands_case *c, char ret_word[DEVICE_BYTES])
{
	const char *name = c->options->esxi_name;
	const char *live = c->options->live_name != NULL ? c->options->live_name : "";
	/* names of one kind can be compared; others say the same thing in other words */
	bool comparable = name != NULL && strncasecmp(name, live, 4) == 0 &&
			  (strncasecmp(name, "naa.", 4) == 0 || strncasecmp(name, "eui.", 4) == 0);
	char path[DEVICE_BYTES], **which = &c->out->esxi_which;
	int printed;

	if (name != NULL && strcasecmp(name, live) == 0 &&
	    snprintf(path, sizeof(path), "/vmfs/devices/disks/%s", name) < (int)sizeof(path) &&
	    put_device(path, ret_word))
		return;
	strcpy(ret_word, "/vmfs/devices/disks/DEVICE");
	if (name == NULL)
		printed = asprintf(which, "replace DEVICE with the name of the LUN");
	else if (comparable)
		printed = asprintf(which,
				   "WARNING: the header was written for another LUN, %s; this one is %s: check "
				   "which LUN this is, then replace DEVICE with its name", name, live);
	else
		printed = asprintf(which,
				   "the header was written for %s: check which LUN this is, then replace DEVICE with "
				   "its name", name);
	if (printed < 0) {
		*which = NULL;
		c->failed = true;
	}
}

void vk_commands_for_esxi(struct vk_commands_case *c)
{
	const struct vk_rebuild_table *t = c->table;
	const char *label = t->kind == VK_TABLE_GPT ? "gpt" : "msdos";
	char device[DEVICE_BYTES];

	if (t->sector_size != VK_SETPTBL_SECTOR_BYTES) {
		NOTE(c, "partedUtil counts sectors of 512 bytes, this table sectors of %u: it cannot make it",
		     t->sector_size);
		return;
	}
	choose_device(c, device);
	if (!t->nothing_to_do && !c->logical)
		vk_commands_care_esxi(c, device);
	if (!t->nothing_to_do && !c->logical && !fix_is_enough(t)) {
		make_new(c, device, label);
		return;
	}
	COMMAND(c, "partedUtil getptbl %s", device);
	if (t->nothing_to_do) {
		put_shown(c, label);
		NOTE(c, "the table is sound: type only the check");
	} else if (c->logical) {
		NOTE(c, "partedUtil cannot write logical partitions, and setptbl deletes every partition you "
			"do not list: it cannot make this table. Use sfdisk on a Linux host, or vmfskit repair "
			"table --write");
	} else {
		COMMAND(c, "partedUtil fixGpt %s", device);
		COMMAND(c, "partedUtil getptbl %s", device);
		put_shown(c, label);
		NOTE(c, "fixGpt asks before it writes: answer Y, then Fix. It keeps all GUIDs and names");
		NOTE(c, "do not run fixGpt on a disk that a virtual machine uses as a raw device (RDM)");
	}
}
