/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the partitions of two tables: what came, went, moved, or is described in another way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/diff/diff_parts.h"

static const char table_subject[] = "partition table";

static uint64_t start_bytes(const struct vk_differ *d, int side, const struct vk_partition *p)
{
	return vk_mul_sat(p->start_sector, d->side[side]->sector_size);
}

static uint64_t end_sector(const struct vk_partition *p)
{
	return p->sectors > 0 ? vk_add_sat(p->start_sector, p->sectors - 1) : p->start_sector;
}

static bool is_gpt(const struct vk_differ *d, int side)
{
	return d->side[side]->table.kind == VK_TABLE_GPT;
}

/* The entry's bytes; on a GPT those of both copies. */
static void claim_entry(struct vk_differ *d, int side, const struct vk_partition *p)
{
	const struct vk_table *table = &d->side[side]->table;

	if (!p->gpt) {
		vk_diff_claim(d, VK_CLAIM_TOLD, p->entry_offset_bytes, VK_MBR_ENTRY_BYTES);
		return;
	}
	for (int i = 0; i < 2; i++) {
		const struct vk_gpt_header *header = &table->gpt[i].header;
		uint64_t at = vk_mul_sat(header->entriesLBA, d->side[side]->sector_size);

		if (table->gpt[i].usable && p->number <= header->numEntries)
			vk_diff_claim(d, VK_CLAIM_TOLD,
				      vk_add_sat(at, (p->number - 1ULL) * header->entrySize),
				      VK_GPT_ENTRY_BYTES);
	}
}

/* A logical partition is known by the record in front of it, which a capture need not hold. */
static bool other_side_knows(struct vk_differ *d, int side, const struct vk_partition *p)
{
	uint64_t at = p->entry_offset_bytes;

	if (!p->logical)
		return true;
	return vk_io_held(d->side[!side]->io, at, VK_MBR_ENTRY_BYTES) == VK_MBR_ENTRY_BYTES;
}

/* The links of the chain of extended boot records change when a logical partition comes, goes or moves. */
static void claim_links(struct vk_differ *d)
{
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_table *table = &d->side[side]->table;

		for (size_t i = 0; i < table->ebr_count; i++)
			vk_diff_claim(d, VK_CLAIM_TOLD,
				      vk_add_sat(vk_mul_sat(table->ebr_lbas[i], d->side[side]->sector_size),
						 VK_MBR_ENTRY_OFFSET),
				      VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET);
	}
}

static void describe(const struct vk_partition *p, char ret_text[200])
{
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	vk_partition_type(p, type, &name);
	snprintf(ret_text, 200, "sectors %llu to %llu, type %s (%s)",
		 (unsigned long long)p->start_sector, (unsigned long long)end_sector(p), type, name);
}

/* It came or went: only one side has it. */
static bool tell_single(struct vk_differ *d, int side, const struct vk_partition *p)
{
	const struct vk_diff_topic topic = {.partition = p->number,
					    .subject = table_subject,
					    .field = "partition",
					    .short_message = true};
	char text[200];

	if (!other_side_knows(d, side, p))
		return false;
	describe(p, text);
	if (side == VK_BEFORE)
		vk_diff_say_so(d, &topic, text, "none", "removed from the table (was %s)", text);
	else
		vk_diff_say_so(d, &topic, "none", text, "added to the table (%s)", text);
	claim_entry(d, side, p);
	return true;
}

static void say_field(struct vk_differ *d, unsigned number, const char *field, const char *before,
		      const char *after)
{
	const struct vk_diff_topic topic = {.partition = number,
					    .subject = table_subject,
					    .field = field,
					    .short_message = true};

	vk_diff_say(d, &topic, before, after);
}

static bool compare_number(struct vk_differ *d, unsigned number, const char *field, uint64_t before,
			   uint64_t after)
{
	const struct vk_diff_topic topic = {.partition = number,
					    .subject = table_subject,
					    .field = field,
					    .short_message = true};

	if (before == after)
		return false;
	vk_diff_say_number(d, &topic, before, after);
	return true;
}

static bool compare_type(struct vk_differ *d, const struct vk_partition *pair[VK_SIDES])
{
	char types[VK_SIDES][VK_GUID_TEXT_BYTES], texts[VK_SIDES][200];
	const char *names[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		vk_partition_type(pair[side], types[side], &names[side]);
		snprintf(texts[side], sizeof(texts[side]), "%s (%s)", types[side], names[side]);
	}
	/* the same type is written in another way when a table was converted */
	if (strcmp(types[VK_BEFORE], types[VK_AFTER]) == 0 ||
	    (pair[VK_BEFORE]->gpt != pair[VK_AFTER]->gpt &&
	     strcmp(names[VK_BEFORE], names[VK_AFTER]) == 0))
		return false;
	say_field(d, pair[VK_AFTER]->number, "type", texts[VK_BEFORE], texts[VK_AFTER]);
	return true;
}

/* What only an entry of a GPT has. */
static bool compare_gpt_entry(struct vk_differ *d, const struct vk_partition *pair[VK_SIDES])
{
	static const struct {
		const char *row;
		const char *called;
	} rows[] = {{"uniqueGUID", "partition GUID"}, {"attributes", "attributes"}, {"name", "name"}};
	bool told = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct vk_field *row = vk_layout_field(&vk_gpt_entry_layout, rows[i].row);
		char texts[VK_SIDES][200];

		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_field_text(row, &pair[side]->entry, &text);
		}
		if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
			continue;
		say_field(d, pair[VK_AFTER]->number, rows[i].called, texts[VK_BEFORE], texts[VK_AFTER]);
		told = true;
	}
	return told;
}

/* What only an entry of an MBR has. CHS follows the sector numbers, unless it alone changed. */
static bool compare_mbr_entry(struct vk_differ *d, const struct vk_partition *pair[VK_SIDES],
			      bool moved)
{
	static const char *const rows[] = {"bootFlag", "firstCHS", "lastCHS"};
	static const char *const called[] = {"boot flag", "CHS of the first sector",
					     "CHS of the last sector"};
	struct vk_mbr_entry entries[VK_SIDES];
	bool told = false;

	for (int side = 0; side < VK_SIDES; side++) {
		uint8_t raw[VK_MBR_ENTRY_BYTES];

		if (vk_diff_read(d, side, pair[side]->entry_offset_bytes, raw, sizeof(raw)) < sizeof(raw))
			return false;
		vk_layout_decode(&vk_mbr_entry_layout, raw, sizeof(raw), &entries[side]);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && (i == 0 || !moved); i++) {
		const struct vk_field *row = vk_layout_field(&vk_mbr_entry_layout, rows[i]);
		char texts[VK_SIDES][200];

		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_field_text(row, &entries[side], &text);
		}
		if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
			continue;
		say_field(d, pair[VK_AFTER]->number, called[i], texts[VK_BEFORE], texts[VK_AFTER]);
		told = true;
	}
	return told;
}

static bool tell_start(struct vk_differ *d, const struct vk_partition *before,
		       const struct vk_partition *after)
{
	const struct vk_diff_topic topic = {.partition = before->number,
					    .subject = table_subject,
					    .field = "start sector",
					    .short_message = true};
	char texts[VK_SIDES][24];

	snprintf(texts[VK_BEFORE], sizeof(texts[0]), "%llu", (unsigned long long)before->start_sector);
	snprintf(texts[VK_AFTER], sizeof(texts[0]), "%llu", (unsigned long long)after->start_sector);
	vk_diff_say_so(d, &topic, texts[VK_BEFORE], texts[VK_AFTER], "start sector %s -> %s%s",
		       texts[VK_BEFORE], texts[VK_AFTER],
		       before->sectors == after->sectors ? ", length unchanged" : "");
	return true;
}

static bool compare_pair(struct vk_differ *d, const struct vk_partition *pair[VK_SIDES])
{
	const struct vk_partition *before = pair[VK_BEFORE], *after = pair[VK_AFTER];
	unsigned number = before->number;
	bool told = compare_number(d, number, "number", before->number, after->number);
	bool moved = false;

	if (start_bytes(d, VK_BEFORE, before) != start_bytes(d, VK_AFTER, after))
		moved = tell_start(d, before, after);
	if ((!moved || before->sectors != after->sectors) &&
	    vk_mul_sat(vk_add_sat(end_sector(before), 1), d->side[VK_BEFORE]->sector_size) !=
		    vk_mul_sat(vk_add_sat(end_sector(after), 1), d->side[VK_AFTER]->sector_size))
		moved |= compare_number(d, number, "end sector", end_sector(before), end_sector(after));
	told |= compare_type(d, pair);
	if (before->gpt && after->gpt)
		told |= compare_gpt_entry(d, pair);
	else if (!before->gpt && !after->gpt)
		told |= compare_mbr_entry(d, pair, moved);
	if (told || moved)
		for (int side = 0; side < VK_SIDES; side++)
			claim_entry(d, side, pair[side]);
	return (told || moved) && (before->logical || after->logical);
}

static struct vk_diff_key *keys_of(struct vk_differ *d, int side)
{
	const struct vk_table *table = &d->side[side]->table;
	struct vk_diff_key *keys = calloc(table->partition_count + 1, sizeof(*keys));

	for (size_t i = 0; keys != NULL && i < table->partition_count; i++)
		keys[i] = (struct vk_diff_key){start_bytes(d, side, &table->partitions[i]),
					       table->partitions[i].number, i};
	return keys;
}

void vk_diff_partitions(struct vk_differ *d)
{
	struct vk_diff_key *keys[VK_SIDES] = {keys_of(d, VK_BEFORE), keys_of(d, VK_AFTER)};
	const size_t counts[VK_SIDES] = {d->side[VK_BEFORE]->table.partition_count,
					 d->side[VK_AFTER]->table.partition_count};
	struct vk_diff_pair *pairs = NULL;
	size_t count = 0;
	bool links = false;

	if (keys[VK_BEFORE] != NULL && keys[VK_AFTER] != NULL)
		count = vk_diff_match(d, keys, counts, &pairs);
	else if (d->status == VK_OK)
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
	for (size_t i = 0; i < count && d->status == VK_OK; i++) {
		const struct vk_partition *pair[VK_SIDES];

		for (int side = 0; side < VK_SIDES; side++) {
			size_t index = pairs[i].index[side];

			pair[side] = index == SIZE_MAX ? NULL : &d->side[side]->table.partitions[index];
		}
		if (pair[VK_BEFORE] != NULL && pair[VK_AFTER] != NULL)
			links |= compare_pair(d, pair);
		else if (pair[VK_BEFORE] != NULL)
			links |= tell_single(d, VK_BEFORE, pair[VK_BEFORE]) && pair[VK_BEFORE]->logical;
		else if (pair[VK_AFTER] != NULL)
			links |= tell_single(d, VK_AFTER, pair[VK_AFTER]) && pair[VK_AFTER]->logical;
	}
	if (links && !is_gpt(d, VK_BEFORE) && !is_gpt(d, VK_AFTER))
		claim_links(d);
	free(keys[VK_BEFORE]);
	free(keys[VK_AFTER]);
	free(pairs);
}
