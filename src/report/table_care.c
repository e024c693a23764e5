/* SPDX-License-Identifier: Apache-2.0 */
/* What goes before commands that write a table, and what leads back: which LUN is it, and what do they overwrite? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/command.h"
#include "base/texts.h"
#include "report/table_commands_parts.h"

/* A table has as many entries as these tools make of it, whatever the old one had. */
enum { ARRAY_BYTES = 128 * 128, NAME_BYTES = 80 };

#define CHECK(care, ...) vk_sentence_add(&(care)->check, &(care)->check_count, __VA_ARGS__)
#define SAVE(care, ...) vk_sentence_add(&(care)->save, &(care)->save_count, __VA_ARGS__)
#define BACK(care, ...) vk_sentence_add(&(care)->back, &(care)->back_count, __VA_ARGS__)

/* Names of files: the last part of the device's name, as far as every shell takes it as it is. */
static void file_name(const char *device, char ret_name[NAME_BYTES])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
	const char *slash = strrchr(device, '/');
	struct vk_text text;

	vk_text_init(&text, ret_name, NAME_BYTES);
	for (const char *p = slash != NULL ? slash + 1 : device; *p != '\0' && text.len_bytes < NAME_BYTES - 2; p++)
		vk_text_fmt(&text, "%c", strchr(plain, *p) != NULL ? *p : '_');
}

/* A file that is there already holds what stood there before: it is never overwritten. */
static bool put_range(struct vk_table_care *care, const char *word, const char *name, uint32_t sector_size,
		      uint64_t start, uint64_t count)
{
	return SAVE(care, "(set -C; dd if=%s bs=%u skip=%" PRIu64 " count=%" PRIu64 " >%s-sector%" PRIu64 ".dd)", word,
		    sector_size, start, count, name, start) &&
	       BACK(care, "dd if=%s-sector%" PRIu64 ".dd of=%s bs=%u seek=%" PRIu64 " conv=notrunc,fsync", name, start,
		    word, sector_size, start);
}

/* sfdisk puts the first EBR at the start of the extended partition, each other one in front of its partition. */
static bool put_chain(const struct vk_commands_case *c, struct vk_table_care *care, const char *word, const char *name)
{
	uint32_t ss = c->table->sector_size;
	uint64_t extended = vk_commands_extended(c);
	bool kept = extended == 0 || put_range(care, word, name, ss, extended, 1);

	for (size_t i = 0; kept && i < c->table->entry_count; i++) {
		const struct vk_partition *p = &c->entries[i].partition;

		if (p->logical && p->start_sector - 1 != extended)
			kept = put_range(care, word, name, ss, p->start_sector - 1, 1);
	}
	return kept;
}

/* Where either tool writes a table of either kind, and where it takes the old one away. */
static bool put_ranges(const struct vk_commands_case *c, struct vk_table_care *care, const char *word, const char *name)
{
	uint32_t ss = c->table->sector_size;
	uint64_t array = (ARRAY_BYTES + ss - 1) / ss, sectors = c->table->disk_sectors;

	if (sectors <= 2 * array + 3)
		return put_range(care, word, name, ss, 0, sectors);
	return put_range(care, word, name, ss, 0, array + 2) &&
	       put_range(care, word, name, ss, sectors - array - 1, array + 1);
}

bool vk_commands_care_linux(struct vk_commands_case *c)
{
	struct vk_table_care *care = &c->out->linux_care;
	const char *live = c->options->live_name;
	struct vk_command command;
	char name[NAME_BYTES];
	char *word;
	bool kept;

	vk_command_begin(&command, "");
	vk_command_path(&command, c->device);
	word = vk_command_end(&command);
	if (word == NULL)
		return false;
	file_name(c->device, name);
	kept = CHECK(care, "LC_ALL=C sfdisk --list%s | grep -F ' %" PRIu64 " bytes'", word,
		     vk_mul_sat(c->table->disk_sectors, c->table->sector_size));
	if (kept && live != NULL && live[0] != '\0') {
		char *line;

		vk_command_begin(&command, "d=/sys/class/block/$(basename \"$(readlink -f");
		vk_command_add(&command, "%s)\"); cat \"$d\"/wwid \"$d\"/device/wwid", word);
		vk_command_add(&command, " \"$d\"/slaves/*/device/wwid 2>/dev/null | grep -iF");
		vk_command_word(&command, live);
		line = vk_command_end(&command);
		kept = line != NULL && CHECK(care, "%s", line);
		free(line);
	}
	kept = kept && put_ranges(c, care, word + 1, name) && (!c->logical || put_chain(c, care, word + 1, name)) &&
	       SAVE(care, "(set -C; sfdisk --dump%s >%s-table.sfdisk)", word, name);
	free(word);
	return kept;
}

bool vk_commands_care_esxi(struct vk_commands_case *c, const char *device)
{
	struct vk_table_care *care = &c->out->esxi_care;
	char name[NAME_BYTES];

	file_name(device, name);
	return CHECK(care, "esxcli storage core device list -d %s", strrchr(device, '/') + 1) &&
	       put_ranges(c, care, device, name) &&
	       SAVE(care, "(set -C; partedUtil getptbl %s >%s-table.getptbl)", device, name);
}

void vk_table_care_free(struct vk_table_care *care)
{
	vk_sentences_free(&care->check, &care->check_count);
	vk_sentences_free(&care->save, &care->save_count);
	vk_sentences_free(&care->back, &care->back_count);
}
