/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two GPTs: the state of each copy, the headers, the protective MBR; then the partitions. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/diff/diff_parts.h"

enum state { UNKNOWN, MISSING, DAMAGED, SOUND, OTHER };
static const char *const state_names[] = {"", "missing", "damaged", "sound",
					  "sound, but of other content than the primary"};
static const char *const copy_names[] = {"primary GPT", "backup GPT"};

static const struct vk_gpt_copy *copy_of(const struct vk_differ *d, int side, int which)
{
	return &d->side[side]->table.gpt[which];
}

static bool same_content(const struct vk_gpt_header *a, const struct vk_gpt_header *b)
{
	return a->entriesCRC32 == b->entriesCRC32 && vk_guid_equal(&a->diskGUID, &b->diskGUID);
}

static enum state state_of(const struct vk_differ *d, int side, int which)
{
	const struct vk_gpt_copy *copy = copy_of(d, side, which);

	if (copy->sector == NULL)
		return UNKNOWN;
	if (!copy->present)
		return MISSING;
	if (!copy->sound)
		return DAMAGED;
	if (which == 1 && copy_of(d, side, 0)->sound &&
	    !same_content(&copy_of(d, side, 0)->header, &copy->header))
		return OTHER;
	return SOUND;
}

static void claim_copy(struct vk_differ *d, int side, int which)
{
	const struct vk_gpt_copy *copy = copy_of(d, side, which);
	uint64_t sector = d->side[side]->sector_size;

	if (copy->lba == 0)
		return;
	vk_diff_claim(d, VK_CLAIM_TOLD, vk_mul_sat(copy->lba, sector), sector);
	if (copy->present)
		vk_diff_claim(d, VK_CLAIM_TOLD, vk_mul_sat(copy->header.entriesLBA, sector),
			      vk_gpt_entries_bytes(&copy->header));
}

static bool compare_copy(struct vk_differ *d, int which)
{
	const struct vk_diff_topic topic = {.subject = "partition table", .field = copy_names[which]};
	enum state before = state_of(d, VK_BEFORE, which), after = state_of(d, VK_AFTER, which);
	uint64_t lba[VK_SIDES] = {copy_of(d, VK_BEFORE, which)->lba, copy_of(d, VK_AFTER, which)->lba};

	if (before == UNKNOWN || after == UNKNOWN)
		return false;
	if (before != after) {
		vk_diff_say(d, &topic, state_names[before], state_names[after]);
	} else if (lba[VK_BEFORE] != lba[VK_AFTER] && before != MISSING) {
		char texts[VK_SIDES][40];

		for (int side = 0; side < VK_SIDES; side++)
			snprintf(texts[side], sizeof(texts[side]), "in sector %llu",
				 (unsigned long long)lba[side]);
		/* it lies at the end of the disk: that the end moved is told */
		if (!d->size_told)
			vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
	} else {
		return false;
	}
	for (int side = 0; side < VK_SIDES; side++)
		claim_copy(d, side, which);
	return true;
}

/* What follows from the size of the disk, from the place of the copy, or from what the entries hold. */
static bool is_derived(const struct vk_differ *d, const char *name, bool same_copy)
{
	static const char *const always[] = {"signature", "headerCRC32", "entriesCRC32", "myLBA"};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (strcmp(name, always[i]) == 0)
			return true;
	if (strcmp(name, "alternateLBA") == 0 || strcmp(name, "lastUsableLBA") == 0)
		return d->size_told || (name[0] == 'a' && !same_copy);
	return strcmp(name, "entriesLBA") == 0 && !same_copy;
}

static bool compare_headers(struct vk_differ *d)
{
	int chosen[VK_SIDES] = {d->side[VK_BEFORE]->table.gpt_chosen, d->side[VK_AFTER]->table.gpt_chosen};
	const struct vk_gpt_header *headers[VK_SIDES];
	bool told = false;

	if (chosen[VK_BEFORE] < 0 || chosen[VK_AFTER] < 0)
		return false;
	for (int side = 0; side < VK_SIDES; side++)
		headers[side] = &copy_of(d, side, chosen[side])->header;
	for (size_t i = 0; i < vk_gpt_header_layout.count; i++) {
		const struct vk_field *row = &vk_gpt_header_layout.fields[i];
		const struct vk_diff_field *note = vk_diff_field_find(&vk_gpt_header_layout, row->name);
		struct vk_diff_topic topic = {.subject = "partition table", .field = row->name};
		char texts[VK_SIDES][200];

		if (is_derived(d, row->name, chosen[VK_BEFORE] == chosen[VK_AFTER]))
			continue;
		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_field_text(row, headers[side], &text);
		}
		if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
			continue;
		if (note != NULL && note->alias != NULL)
			topic.field = note->alias;
		vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
		told = true;
	}
	return told;
}

/* When the table was written anew, both headers and their checksums were, too. */
static void claim_headers(struct vk_differ *d)
{
	for (int side = 0; side < VK_SIDES; side++)
		for (int which = 0; which < 2; which++)
			if (copy_of(d, side, which)->present)
				vk_diff_claim(d, VK_CLAIM_TOLD,
					      vk_mul_sat(copy_of(d, side, which)->lba,
							 d->side[side]->sector_size),
					      VK_GPT_HEADER_BYTES);
}

static void describe_guard(const struct vk_mbr_entry *e, char ret_text[120])
{
	if (!vk_mbr_entry_used(e))
		snprintf(ret_text, 120, "none");
	else
		snprintf(ret_text, 120, "type %02x, sector %u, %u sectors, boot flag %02x", e->type,
			 e->firstLBA, e->sectors, e->bootFlag);
}

/* The entry of type EE covers the disk: its length and CHS follow, and tools write them in several ways. */
static bool guard_follows(const struct vk_differ *d, const struct vk_mbr_entry *a,
			  const struct vk_mbr_entry *b, bool rewritten)
{
	if (a->type != VK_MBR_TYPE_PROTECTIVE || b->type != a->type || a->bootFlag != b->bootFlag ||
	    a->firstLBA != b->firstLBA)
		return false;
	return d->size_told || (rewritten && a->sectors == b->sectors);
}

static void compare_guards(struct vk_differ *d, bool rewritten)
{
	const struct vk_table *before = &d->side[VK_BEFORE]->table, *after = &d->side[VK_AFTER]->table;

	if (before->mbr_seen_bytes < VK_MBR_BYTES || after->mbr_seen_bytes < VK_MBR_BYTES ||
	    before->mbr.signature != after->mbr.signature)
		return;
	for (unsigned i = 0; i < 4; i++) {
		const struct vk_mbr_entry *a = &before->mbr.entries[i], *b = &after->mbr.entries[i];
		const uint64_t start = VK_MBR_ENTRY_OFFSET + (uint64_t)i * VK_MBR_ENTRY_BYTES;
		struct vk_diff_topic topic = {.subject = "partition table"};
		char field[40], texts[VK_SIDES][120];

		if (memcmp(a, b, sizeof(*a)) == 0)
			continue;
		if (guard_follows(d, a, b, rewritten)) {
			vk_diff_claim(d, VK_CLAIM_TOLD, start, VK_MBR_ENTRY_BYTES);
			continue;
		}
		snprintf(field, sizeof(field), "protective MBR, entry %u:", i + 1);
		topic.field = field;
		describe_guard(a, texts[VK_BEFORE]);
		describe_guard(b, texts[VK_AFTER]);
		if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
			continue; /* bytes that no field explains */
		vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
		vk_diff_claim(d, VK_CLAIM_TOLD, start, VK_MBR_ENTRY_BYTES);
	}
}

void vk_diff_gpt(struct vk_differ *d)
{
	size_t told = d->diff->change_count + d->diff->changes_dropped;
	bool rewritten = d->size_told;

	for (int which = 0; which < 2; which++)
		rewritten |= compare_copy(d, which);
	rewritten |= compare_headers(d);
	if (d->side[VK_BEFORE]->table.gpt_chosen >= 0 && d->side[VK_AFTER]->table.gpt_chosen >= 0)
		vk_diff_partitions(d);
	rewritten |= d->diff->change_count + d->diff->changes_dropped > told;
	if (rewritten)
		claim_headers(d);
	compare_guards(d, rewritten);
}
