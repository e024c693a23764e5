/* SPDX-License-Identifier: Apache-2.0 */
/* Compares partition tables: kind, boot record, copies; then the partitions. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/differ.h"

static const struct vk_diff_topic of_table = {.subject = "partition table"};
static const uint64_t at_zero[VK_SIDES] = {0, 0};

static const struct vk_table *table_of(const struct vk_differ *d, int side)
{
	return &d->side[side]->table;
}

/* Whether enough of the source is there to say what its table is. */
static bool is_known(const struct vk_table *table)
{
	if (table->kind == VK_TABLE_MBR || table->gpt_chosen >= 0)
		return true;
	if (table->mbr_seen_bytes < VK_MBR_BYTES || table->gpt[0].sector == NULL)
		return false;
	return table->kind == VK_TABLE_NONE || table->gpt[1].sector != NULL;
}

static void report(struct vk_differ *d, const char *field, const char *before, const char *after)
{
	struct vk_diff_topic topic = of_table;

	topic.field = field;
	vk_diff_report(d, &topic, before, after, NULL);
}

/* Sector 0 of both sides; false when one does not hold it. */
static bool read_sectors(struct vk_differ *d, uint8_t raw[VK_SIDES][VK_MBR_BYTES])
{
	for (int side = 0; side < VK_SIDES; side++)
		if (table_of(d, side)->mbr_seen_bytes < VK_MBR_BYTES ||
		    vk_diff_read(d, side, 0, raw[side], VK_MBR_BYTES) < VK_MBR_BYTES)
			return false;
	return true;
}

/* Of sector 0 what belongs to no partition. */
static void compare_boot_record(struct vk_differ *d)
{
	uint8_t raw[VK_SIDES][VK_MBR_BYTES];
	const struct vk_diff_structure s = {
		.layout = &vk_mbr_layout, .topic = of_table, .bytes = {raw[VK_BEFORE], raw[VK_AFTER]}, .at = at_zero};
	const char *states[VK_SIDES];

	if (!read_sectors(d, raw))
		return;
	for (int side = 0; side < VK_SIDES; side++)
		states[side] = vk_all_zero(raw[side], VK_MBR_BYTES) ? "zeros" : "boot record";
	if (strcmp(states[VK_BEFORE], states[VK_AFTER]) == 0) {
		vk_diff_rows(d, &s);
		return;
	}
	vk_diff_claim(d, VK_CLAIM_TOLD, 0, VK_MBR_BYTES);
	/* where the kind changed that says it */
	if (table_of(d, VK_BEFORE)->kind == table_of(d, VK_AFTER)->kind || !is_known(table_of(d, VK_BEFORE)) ||
	    !is_known(table_of(d, VK_AFTER)))
		report(d, "sector 0", states[VK_BEFORE], states[VK_AFTER]);
}

static void compare_kinds(struct vk_differ *d)
{
	char texts[VK_SIDES][64];

	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_table *table = table_of(d, side);

		if (table->kind == VK_TABLE_NONE)
			snprintf(texts[side], sizeof(texts[side]), "none");
		else
			snprintf(texts[side], sizeof(texts[side]), "%s (%zu partition%s)",
				 vk_table_kind_name(table->kind), table->partition_count,
				 table->partition_count == 1 ? "" : "s");
	}
	report(d, "kind", texts[VK_BEFORE], texts[VK_AFTER]);
}

/* What a copy of the GPT is in; NULL: not known. */
static const char *copy_state(const struct vk_table *table, int which)
{
	const struct vk_gpt_copy *copy = &table->gpt[which], *primary = &table->gpt[0];

	if (copy->sector == NULL)
		return NULL;
	if (!copy->present)
		return "missing";
	if (!copy->sound)
		return "damaged";
	if (which == 1 && primary->sound &&
	    (primary->header.entriesCRC32 != copy->header.entriesCRC32 ||
	     !vk_guid_equal(&primary->header.diskGUID, &copy->header.diskGUID)))
		return "sound, but of other content than the primary";
	return "sound";
}

static void compare_copy(struct vk_differ *d, int which, const char *called)
{
	const struct vk_gpt_copy *before = &table_of(d, VK_BEFORE)->gpt[which],
				 *after = &table_of(d, VK_AFTER)->gpt[which];
	const char *states[VK_SIDES] = {copy_state(table_of(d, VK_BEFORE), which),
					copy_state(table_of(d, VK_AFTER), which)};
	char texts[VK_SIDES][40];

	if (states[VK_BEFORE] == NULL || states[VK_AFTER] == NULL)
		return;
	if (strcmp(states[VK_BEFORE], states[VK_AFTER]) != 0) {
		report(d, called, states[VK_BEFORE], states[VK_AFTER]);
	} else if (before->lba != after->lba && before->present && !d->size_told) {
		/* it lies at the end of the disk: when that moved it was told */
		snprintf(texts[VK_BEFORE], sizeof(texts[0]), "in sector %llu", (unsigned long long)before->lba);
		snprintf(texts[VK_AFTER], sizeof(texts[0]), "in sector %llu", (unsigned long long)after->lba);
		report(d, called, texts[VK_BEFORE], texts[VK_AFTER]);
	}
}

/* The headers that the partitions come from. Some rows follow from the size of the disk, or from which copy it is. */
static void compare_headers(struct vk_differ *d)
{
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);
	const bool same_copy = before->gpt_chosen == after->gpt_chosen;
	const struct vk_diff_structure s = {
		.layout = &vk_gpt_header_layout,
		.topic = of_table,
		.bytes = {before->gpt[before->gpt_chosen].sector, after->gpt[after->gpt_chosen].sector},
		.silent = {d->size_told || !same_copy ? "alternateLBA" : NULL, d->size_told ? "lastUsableLBA" : NULL,
			   same_copy ? NULL : "entriesLBA"}};

	vk_diff_rows(d, &s);
}

/*
 * The entries of a protective MBR. That of type EE covers the disk: its length follows from that of the disk, and tools
 * that write a table write its CHS in several ways.
 */
static void compare_guards(struct vk_differ *d, bool rewritten)
{
	uint8_t raw[VK_SIDES][VK_MBR_BYTES];

	if (!read_sectors(d, raw) || table_of(d, VK_BEFORE)->mbr.signature != table_of(d, VK_AFTER)->mbr.signature)
		return;
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t at[VK_SIDES] = {VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES,
					       VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES};
		const bool guard = table_of(d, VK_BEFORE)->mbr.entries[i].type == VK_MBR_TYPE_PROTECTIVE;
		char subject[40];
		const struct vk_diff_structure s = {.layout = &vk_mbr_entry_layout,
						    .topic = {.subject = subject},
						    .bytes = {raw[VK_BEFORE] + at[0], raw[VK_AFTER] + at[0]},
						    .at = at,
						    .silent = {guard && rewritten ? "firstCHS" : NULL,
							       guard && rewritten ? "lastCHS" : NULL,
							       guard && d->size_told ? "sectors" : NULL}};

		snprintf(subject, sizeof(subject), "protective MBR, entry %u", i + 1);
		vk_diff_rows(d, &s);
	}
}

static void compare_gpts(struct vk_differ *d)
{
	const size_t told = vk_diff_count(d);

	compare_copy(d, 0, "primary GPT");
	compare_copy(d, 1, "backup GPT");
	if (table_of(d, VK_BEFORE)->gpt_chosen >= 0 && table_of(d, VK_AFTER)->gpt_chosen >= 0) {
		compare_headers(d);
		vk_diff_partitions(d);
	}
	compare_guards(d, d->size_told || vk_diff_count(d) > told);
}

/*
 * Every field of a table was compared by itself. Where one differs, whoever wrote it wrote the table anew: copies,
 * checksums, links of boot records are no further change. Boot code, and what lies behind the fields of a header, is
 * none of this.
 */
static void claim_all(struct vk_differ *d)
{
	for (int side = 0; side < VK_SIDES; side++)
		for (size_t i = 0; i < table_of(d, side)->place_count; i++) {
			const struct vk_place *place = &table_of(d, side)->places[i];
			const uint64_t skip = place->layout == &vk_mbr_layout ? VK_MBR_ENTRY_OFFSET : 0;
			const uint64_t end = place->layout == &vk_gpt_header_layout
						     ? vk_min_u64(place->length_bytes, place->layout->size)
						     : place->length_bytes;

			if (end > skip)
				vk_diff_claim(d, VK_CLAIM_TOLD, place->offset_bytes + skip, end - skip);
		}
}

void vk_diff_table(struct vk_differ *d)
{
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);
	size_t told;

	compare_boot_record(d);
	if (!is_known(before) || !is_known(after) || d->status != VK_OK)
		return;
	told = vk_diff_count(d);
	if (before->kind != after->kind)
		compare_kinds(d);
	if (before->kind == VK_TABLE_GPT && after->kind == VK_TABLE_GPT)
		compare_gpts(d);
	else if (before->kind != VK_TABLE_NONE && after->kind != VK_TABLE_NONE)
		vk_diff_partitions(d);
	if (d->size_told || vk_diff_count(d) > told)
		claim_all(d);
}
