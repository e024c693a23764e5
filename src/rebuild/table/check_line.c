/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a proposed line of setptbl with the disk and with the planned table, entry by entry. */
#include "rebuild/table/check_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/command.h"
#include "base/memory.h"
#include "base/shown.h"
#include "base/texts.h"

/* The four words of an MBR and the 128 entries of a GPT are numbered from 1. */
enum { MBR_ENTRIES = 4, GPT_FIRST_USABLE = 34, GPT_TAIL_SECTORS = 33 };

struct judge {
	const struct vk_line_case *against;
	struct vk_line_check *check;
	bool failed; /* memory ran out */
};

#define RIGHT(j, said, ...) say_one(j, &(said)->right, &(said)->right_count, __VA_ARGS__)
#define WRONG(j, said, ...) say_one(j, &(said)->wrong, &(said)->wrong_count, __VA_ARGS__)
#define OPEN(j, said, ...) say_one(j, &(said)->open, &(said)->open_count, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static void say_one(struct judge *j, char ***list, size_t *count,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	j->failed = !vk_sentence_vadd(list, count, format, args) || j->failed;
	va_end(args);
}

/* A partition of the plan, or of the disk, as partedUtil counts it. */
static struct vk_partition counted(const struct judge *j, const struct vk_partition *partition)
{
	uint32_t ss = j->against->source->sector_size;
	struct vk_partition p = *partition;

	p.start_sector = vk_mul_sat(p.start_sector, ss) / VK_SETPTBL_SECTOR_BYTES;
	p.sectors = vk_mul_sat(p.sectors, ss) / VK_SETPTBL_SECTOR_BYTES;
	return p;
}

static uint64_t last_of(const struct vk_partition *p)
{
	return vk_add_sat(p->start_sector, p->sectors) - (p->sectors > 0);
}

/* Whether the end of a planned entry is no guess. */
static bool end_known(const struct vk_planned_entry *entry)
{
	return entry->length_exact || entry->length_rounded || entry->stands;
}

/* The planned entry that begins at this sector; NULL: none does. */
static const struct vk_planned_entry *planned_at(const struct judge *j, uint64_t first)
{
	const struct vk_rebuild_table *t = j->against->table;

	for (size_t i = 0; t != NULL && i < t->entry_count; i++)
		if (!vk_partition_is_extended(&t->entries[i].partition) &&
		    counted(j, &t->entries[i].partition).start_sector == first)
			return &t->entries[i];
	return NULL;
}

static bool has_first(const struct vk_setptbl *line, uint64_t first)
{
	for (size_t i = 0; i < line->count; i++)
		if (line->entries[i].first == first)
			return true;
	return false;
}

/* The planned entry that was probably meant by one that begins elsewhere; NULL: none. */
static const struct vk_planned_entry *meant_by(const struct judge *j, const struct vk_setptbl_entry *e)
{
	const struct vk_rebuild_table *t = j->against->table;
	const struct vk_planned_entry *best = planned_at(j, e->first);
	int rank = 0;

	if (best == NULL)
		best = planned_at(j, vk_mul_sat(e->first, 8));
	if (best != NULL)
		return best;
	for (size_t i = 0; t != NULL && i < t->entry_count; i++) {
		const struct vk_partition p = counted(j, &t->entries[i].partition);
		bool meets = e->first <= e->last && e->first <= last_of(&p) && p.start_sector <= e->last;
		int fits = meets + 2 * (p.number == e->number);

		if (vk_partition_is_extended(&p) || has_first(&j->check->line, p.start_sector) || fits <= rank)
			continue;
		best = &t->entries[i];
		rank = fits;
	}
	return best;
}

/* What the search says of this place; NULL: nothing. */
static const struct vk_candidate *found_at(const struct judge *j, uint64_t first)
{
	const struct vk_find *find = j->against->find;

	for (size_t i = 0; i < find->count; i++)
		if (!find->candidates[i].start_before_disk &&
		    find->candidates[i].start_bytes == vk_mul_sat(first, VK_SETPTBL_SECTOR_BYTES))
			return &find->candidates[i];
	return NULL;
}

static bool names_vmfs(const struct vk_setptbl *line, const struct vk_setptbl_entry *e)
{
	const struct vk_partition p = {.gpt = line->gpt, .mbr_type = e->mbr_type, .entry.typeGUID = e->guid};

	return (line->gpt ? e->has_guid : e->has_mbr_type) && vk_partition_is_vmfs(&p);
}

/* Number, place on the disk, and the neighbours on the line. */
static void check_place(struct judge *j, size_t index)
{
	const struct vk_setptbl *line = &j->check->line;
	const struct vk_setptbl_entry *e = &line->entries[index];
	struct vk_line_said *said = &j->check->said[index];
	const struct vk_rebuild_table *t = j->against->table;
	bool planned = t != NULL && t->kind == VK_TABLE_GPT && line->gpt;
	uint64_t sectors = j->against->source->size_bytes / VK_SETPTBL_SECTOR_BYTES;
	uint64_t least = planned ? t->first_usable_lba : line->gpt ? GPT_FIRST_USABLE : 1;
	uint64_t tail = vk_min_u64(sectors, line->gpt ? 1 + GPT_TAIL_SECTORS : 1);
	uint64_t most = planned ? t->last_usable_lba : sectors - tail;

	if (e->number == 0 || e->number > (line->gpt ? VK_SETPTBL_ENTRIES_MAX : MBR_ENTRIES))
		WRONG(j, said, "there is no partition %" PRIu64 ": they are numbered from 1 to %d", e->number,
		      line->gpt ? VK_SETPTBL_ENTRIES_MAX : MBR_ENTRIES);
	if (e->first > e->last)
		WRONG(j, said, "it ends at sector %" PRIu64 ", before it begins: the third word is the last sector, "
		      "not a length", e->last);
	if (e->first < least)
		WRONG(j, said, "sector %" PRIu64 " belongs to the table: the first that a partition may have is "
		      "%" PRIu64, e->first, least);
	if (e->last > most)
		WRONG(j, said, "it ends at sector %" PRIu64 ", %s: the last that a partition may have is %" PRIu64,
		      e->last, e->last >= sectors ? "behind the end of the disk" : "in the backup of the table", most);
	if (!line->gpt && e->last > UINT32_MAX)
		WRONG(j, said, "an MBR ends at sector %" PRIu32 ": longer disks need a GPT", UINT32_MAX);
	for (size_t i = 0; i < index; i++) {
		const struct vk_setptbl_entry *o = &line->entries[i];

		if (o->number == e->number)
			WRONG(j, said, "partition %" PRIu64 " stands on the line twice", e->number);
		if (e->first <= o->last && o->first <= e->last)
			WRONG(j, said, "it overlaps partition %" PRIu64 ", sectors %" PRIu64 " to %" PRIu64 ", and "
			      "partedUtil does not say so", o->number, o->first, o->last);
	}
}

/* What begins where it begins. */
static void check_start(struct judge *j, size_t index, const struct vk_planned_entry *meant)
{
	const struct vk_setptbl *line = &j->check->line;
	const struct vk_setptbl_entry *e = &line->entries[index];
	struct vk_line_said *said = &j->check->said[index];
	const struct vk_candidate *c = found_at(j, e->first);
	uint64_t start = meant != NULL ? counted(j, &meant->partition).start_sector : 0;

	if (meant != NULL && start == e->first)
		RIGHT(j, said, "sector %" PRIu64 " is where it begins: %s. %s", e->first,
		      vk_entry_origin_name(meant->origin), meant->why);
	else if (c != NULL && vk_standing_is_ghost(c->standing))
		WRONG(j, said, "what begins at sector %" PRIu64 " is not a volume of this disk (%s): %s", e->first,
		      vk_standing_name(c->standing), c->why);
	else if (c != NULL)
		OPEN(j, said, "a volume begins at sector %" PRIu64 " (%s: %s), but the plan has no partition for it",
		     e->first, vk_standing_name(c->standing), c->why);
	else if (meant != NULL && vk_mul_sat(e->first, 8) == start)
		WRONG(j, said, "the start is in sectors of 4096 bytes, partedUtil uses 512: 8 times %" PRIu64 " is "
		      "%" PRIu64, e->first, start);
	else if (meant != NULL)
		WRONG(j, said, "nothing begins at sector %" PRIu64 "; you may mean the volume that begins at sector "
		      "%" PRIu64, e->first, start);
	else if (names_vmfs(line, e))
		WRONG(j, said, "no VMFS volume begins at sector %" PRIu64, e->first);
	else
		OPEN(j, said, "nothing is known of what begins at sector %" PRIu64, e->first);
}

/* The length, of one that begins where the plan has it. */
static void check_end(struct judge *j, size_t index, const struct vk_planned_entry *meant)
{
	const struct vk_setptbl_entry *e = &j->check->line.entries[index];
	struct vk_line_said *said = &j->check->said[index];
	const struct vk_partition p = counted(j, &meant->partition);
	const struct vk_candidate *c = found_at(j, e->first);
	const char *witness = c != NULL ? c->length_witness : "";
	uint64_t last = last_of(&p), least = 0;
	bool known = end_known(meant);

	if (c != NULL && c->length_bytes > 0)
		least = vk_add_sat(e->first, (c->length_bytes - 1) / VK_SETPTBL_SECTOR_BYTES);
	if (e->last == last && known)
		RIGHT(j, said, "sector %" PRIu64 " is where it ends%s%s", e->last,
		      witness[0] != '\0' ? ": so says " : "", witness);
	else if (e->last == last)
		OPEN(j, said, "sector %" PRIu64 " fits what is left, but nothing proves that it ends there", e->last);
	else if ((known || meant->length_said) && (e->last == p.sectors || e->last == last + 1))
		WRONG(j, said, "%" PRIu64 " is %s: the third word is the last sector itself, %" PRIu64, e->last,
		      e->last == p.sectors ? "the number of its sectors" : "the sector behind it", last);
	else if (known || meant->length_said)
		WRONG(j, said, "it ends at sector %" PRIu64 ", not at %" PRIu64, last, e->last);
	else if (e->last < least)
		WRONG(j, said, "it is too short: its extents reach to sector %" PRIu64 " at least", least);
	else
		OPEN(j, said, "nothing proves where it ends: the plan takes sector %" PRIu64, last);
}

static void check_type(struct judge *j, size_t index, const struct vk_planned_entry *meant)
{
	const struct vk_setptbl *line = &j->check->line;
	const struct vk_setptbl_entry *e = &line->entries[index];
	struct vk_line_said *said = &j->check->said[index];
	const struct vk_partition *p = meant != NULL ? &meant->partition : NULL;
	char words[VK_SETPTBL_WORDS_BYTES];
	bool same;

	if (line->gpt && (!e->has_guid || e->hyphens)) {
		WRONG(j, said, e->hyphens ? "partedUtil takes the type %s without hyphens"
					  : "the type %s is not a GUID: a GPT has 32 hex digits there", e->type);
		return;
	}
	if (!line->gpt && !e->has_mbr_type) {
		WRONG(j, said, "the type %s is not a decimal number from 0 to 255, as partedUtil takes it for an "
		      "MBR: VMFS is 251", e->type);
		return;
	}
	/* of another kind of table there is nothing to compare */
	if (p == NULL || p->gpt != line->gpt)
		return;
	same = p->gpt ? vk_guid_equal(&p->entry.typeGUID, &e->guid) : p->mbr_type == e->mbr_type;
	vk_setptbl_words(p, words);
	if (same)
		RIGHT(j, said, "%s is its type", e->type);
	else
		WRONG(j, said, "its type is %s, not %s", strrchr(words, ' ') + 1, e->type);
}

/* Of an MBR that stands: whether the planned partition is the active one. */
static bool is_active(const struct judge *j, const struct vk_partition *p)
{
	const struct vk_mbr *mbr = &j->against->source->table.mbr;

	for (int i = 0; !p->gpt && i < MBR_ENTRIES; i++)
		if (mbr->entries[i].firstLBA == p->start_sector && mbr->entries[i].bootFlag == 0x80)
			return true;
	return false;
}

static void check_rest(struct judge *j, size_t index, const struct vk_planned_entry *meant)
{
	const struct vk_setptbl_entry *e = &j->check->line.entries[index];
	struct vk_line_said *said = &j->check->said[index];
	unsigned attribute = vk_setptbl_attribute(&meant->partition, is_active(j, &meant->partition));

	if (e->number == meant->partition.number && meant->number_exact)
		RIGHT(j, said, "%" PRIu64 " is its number", e->number);
	else if (e->number == meant->partition.number)
		OPEN(j, said, "%" PRIu64 " fits the order of the disk, but nothing proves its number", e->number);
	else if (meant->number_exact)
		WRONG(j, said, "its number is %u, not %" PRIu64 ": ESXi knows the datastore by it",
		      meant->partition.number, e->number);
	else
		OPEN(j, said, "nothing proves its number: the plan takes %u", meant->partition.number);
	if (e->attribute != attribute)
		WRONG(j, said, "the last word is %u, not %" PRIu64 ": 128 marks a boot partition, all others have 0",
		      attribute, e->attribute);
}

/* The planned entry as it is typed. */
static void put_instead(const struct judge *j, const struct vk_planned_entry *meant, char *ret_text, size_t cap)
{
	const struct vk_partition p = counted(j, &meant->partition);
	char words[VK_SETPTBL_WORDS_BYTES];

	vk_setptbl_words(&p, words);
	snprintf(ret_text, cap, "%s %u", words, vk_setptbl_attribute(&p, is_active(j, &meant->partition)));
}

static void check_entry(struct judge *j, size_t index)
{
	struct vk_line_check *check = j->check;
	const struct vk_setptbl_entry *e = &check->line.entries[index];
	const struct vk_planned_entry *meant = meant_by(j, e);
	uint64_t start = meant != NULL ? counted(j, &meant->partition).start_sector : 0;
	bool there = meant != NULL && start == e->first, sure = there || (meant != NULL && start / 8 == e->first);

	check_place(j, index);
	check_start(j, index, meant);
	if (there)
		check_end(j, index, meant);
	check_type(j, index, sure ? meant : NULL);
	if (sure)
		check_rest(j, index, meant);
	if (check->said[index].wrong_count == 0 || meant == NULL || j->against->why_not != NULL)
		return;
	put_instead(j, meant, check->instead[index], sizeof(check->instead[index]));
	if (!end_known(meant))
		OPEN(j, &check->said[index], "nothing proves the end in the line to type instead");
}

/* "naa.6001:1" is a partition; of "mpx.vmhba1:C0:T0:L0" only a fourth colon makes one. */
static bool names_partition(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0';
}

static void check_device(struct judge *j)
{
	const char *slash = strrchr(j->check->line.device, '/'), *live = j->against->live_name;
	const char *name = slash != NULL ? slash + 1 : j->check->line.device;
	struct vk_line_said *said = &j->check->whole;
	bool comparable = strncasecmp(name, live, 4) == 0 &&
			  (strncasecmp(name, "naa.", 4) == 0 || strncasecmp(name, "eui.", 4) == 0);

	if (names_partition(name))
		WRONG(j, said, "%s is a partition: a table belongs on the whole disk", vk_shown_name(name).text);
	else if (comparable && strcasecmp(name, live) == 0)
		RIGHT(j, said, "the target is the LUN %s", live);
	else if (comparable)
		WRONG(j, said, "the line is for the LUN %s, the target is %s", vk_shown_name(name).text, live);
	else
		OPEN(j, said, "whether the target is %s is not known here: compare it before you type",
		     vk_shown_name(name).text);
}

/* setptbl deletes every partition that is not on its line. */
static void check_missing(struct judge *j)
{
	const struct vk_rebuild_table *t = j->against->table;
	struct vk_line_said *said = &j->check->whole;
	char words[VK_SETPTBL_WORDS_BYTES];

	for (size_t i = 0; t != NULL && i < t->entry_count; i++) {
		const struct vk_partition p = counted(j, &t->entries[i].partition);

		if (has_first(&j->check->line, p.start_sector))
			continue;
		vk_setptbl_words(&p, words);
		if (p.logical || vk_partition_is_extended(&p))
			WRONG(j, said, "setptbl deletes partition %u and partedUtil cannot write it: it is %s",
			      p.number, p.logical ? "a logical one" : "the extended one");
		else
			WRONG(j, said, "setptbl deletes every partition you do not list; partition %u is missing: %s%s",
			      p.number, words, end_known(&t->entries[i]) ? "" : ", whose end nothing proves");
	}
}

static void check_whole(struct judge *j)
{
	const struct vk_line_case *a = j->against;
	const struct vk_rebuild_table *t = a->table;
	struct vk_line_said *said = &j->check->whole;
	bool gpt = j->check->line.gpt;
	const char *label = gpt ? "gpt" : "msdos";

	check_device(j);
	if (a->source->sector_size != VK_SETPTBL_SECTOR_BYTES)
		WRONG(j, said, "partedUtil counts sectors of 512 bytes, the table of this disk counts %" PRIu32 ": it "
		      "cannot make it", a->source->sector_size);
	if (t == NULL)
		OPEN(j, said, "there is no plan to compare the line with. %s", a->why_not != NULL ? a->why_not : "");
	else if (a->why_not != NULL)
		OPEN(j, said, "no line to type instead. %s", a->why_not);
	if (t != NULL && (t->kind == VK_TABLE_GPT) != gpt)
		WRONG(j, said, "the label is %s, not %s: %s", gpt ? "msdos" : "gpt", label, t->why_kind);
	else if (t != NULL)
		RIGHT(j, said, "%s is the label", label);
	if (a->source->table.kind == VK_TABLE_NONE)
		OPEN(j, said, "the disk has no label: first type partedUtil mklabel DEVICE %s, or setptbl is unable "
		     "to satisfy all constraints", label);
	if (j->check->line.count == 0)
		WRONG(j, said, "the line has no entries: it makes an empty table");
	check_missing(j);
}

static char *make_line(const struct judge *j)
{
	const struct vk_rebuild_table *t = j->against->table;
	char words[VK_SETPTBL_WORDS_BYTES + 16], disk[VK_SETPTBL_WORD_BYTES];
	struct vk_command command;

	memcpy(disk, j->check->line.device, sizeof(disk));
	if (names_partition(disk))
		*strrchr(disk, ':') = '\0';
	vk_command_begin(&command, "partedUtil setptbl");
	vk_command_path(&command, disk);
	vk_command_add(&command, " %s", t->kind == VK_TABLE_GPT ? "gpt" : "msdos");
	for (size_t i = 0; i < t->entry_count; i++) {
		put_instead(j, &t->entries[i], words, sizeof(words));
		vk_command_add(&command, " \"%s\"", words);
	}
	return vk_command_end(&command);
}

enum vk_status vk_line_check(const struct vk_line_case *against, struct vk_line_check *ret_check, struct vk_error *err)
{
	struct judge j = {.against = against, .check = ret_check};
	const struct vk_rebuild_table *t = against->table;
	bool told = t != NULL && against->why_not == NULL && against->source->sector_size == VK_SETPTBL_SECTOR_BYTES;
	size_t wrong;

	check_whole(&j);
	wrong = ret_check->whole.wrong_count;
	for (size_t i = 0; i < ret_check->line.count; i++) {
		check_entry(&j, i);
		wrong += ret_check->said[i].wrong_count;
	}
	for (size_t i = 0; told && i < t->entry_count; i++)
		told = !t->entries[i].partition.logical && !vk_partition_is_extended(&t->entries[i].partition);
	ret_check->sound = wrong == 0;
	if (wrong > 0 && told) {
		ret_check->line_instead = make_line(&j);
		j.failed = j.failed || ret_check->line_instead == NULL;
	}
	if (!j.failed)
		return VK_OK;
	vk_line_check_free(ret_check);
	return vk_no_memory(err, NULL);
}

void vk_line_check_free(struct vk_line_check *check)
{
	for (size_t i = 0; i <= check->line.count; i++) {
		struct vk_line_said *said = i < check->line.count ? &check->said[i] : &check->whole;

		vk_sentences_free(&said->right, &said->right_count);
		vk_sentences_free(&said->wrong, &said->wrong_count);
		vk_sentences_free(&said->open, &said->open_count);
	}
	free(check->line_instead);
	check->line_instead = NULL;
}
