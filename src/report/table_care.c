/* SPDX-License-Identifier: Apache-2.0 */
/* What goes before commands that write a table, and what leads back: which LUN is it, and what do they overwrite? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "report/table_commands_parts.h"

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
	struct vk_text text;

	vk_text_init(&text, s->name, NAME_BYTES);
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

/* sfdisk puts the first EBR at the start of the extended partition, each other one in front of its partition. */
static void save_chain(const struct saving *s)
{
	uint64_t extended = vk_commands_extended(s->c);

	if (extended != 0)
		save_range(s, extended, 1);
	for (size_t i = 0; i < s->c->table->entry_count; i++) {
		const struct vk_partition *p = &s->c->entries[i].partition;

		if (p->logical && p->start_sector - 1 != extended)
			save_range(s, p->start_sector - 1, 1);
	}
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
	if (c->logical)
		save_chain(&s);
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
