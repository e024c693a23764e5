/* SPDX-License-Identifier: Apache-2.0 */
/* Compares partition tables: kind, boot record, copies; then the partitions. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/differ.h"

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
	const struct vk_diff_topic topic = {.subject = "partition table", .field = field};

	vk_diff_report(d, &topic, before, after, NULL);
}

/* Of sector 0 what belongs to no partition. */
static void compare_boot_record(struct vk_differ *d, const uint8_t *const raw[VK_SIDES])
{
	static const uint64_t at_zero[VK_SIDES] = {0, 0};
	const struct vk_diff_structure s = {.layout = &vk_mbr_layout,
					    .topic = {.subject = "partition table"},
					    .bytes = {raw[VK_BEFORE], raw[VK_AFTER]},
					    .at = at_zero};
	bool zeros[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++)
		zeros[side] = vk_all_zero(raw[side], VK_MBR_BYTES);
	if (zeros[VK_BEFORE] == zeros[VK_AFTER]) {
		vk_diff_rows(d, &s);
		return;
	}
	vk_diff_claim(d, VK_CLAIM_TOLD, 0, VK_MBR_BYTES);
	/* where the kind changed that says it */
	if (table_of(d, VK_BEFORE)->kind == table_of(d, VK_AFTER)->kind || !is_known(table_of(d, VK_BEFORE)) ||
	    !is_known(table_of(d, VK_AFTER)))
		report(d, "sector 0", zeros[VK_BEFORE] ? "zeros" : "boot record",
		       zeros[VK_AFTER] ? "zeros" : "boot record");
}

/* What a copy of the GPT is in; NULL: not known. Of a listing with gaps only a sound copy is. */
static const char *copy_state(const struct vk_differ *d, int side, int which)
{
	const struct vk_table *table = table_of(d, side);
	const struct vk_gpt_copy *copy = &table->gpt[which], *primary = &table->gpt[0];

	if (copy->sector == NULL || (d->partial[side] && !copy->sound))
		return NULL;
	if (!copy->present)
		return "missing";
	if (copy->signature_lost)
		return "without its signature";
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
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);
	const char *was = copy_state(d, VK_BEFORE, which), *is = copy_state(d, VK_AFTER, which);
	char texts[VK_SIDES][40];

	if (was == NULL || is == NULL)
		return;
	if (strcmp(was, is) != 0) {
		report(d, called, was, is);
	} else if (before->gpt[which].lba != after->gpt[which].lba && before->gpt[which].present && !d->size_told) {
		/* it lies at the end of the disk: when that moved it was told */
		for (int side = 0; side < VK_SIDES; side++)
			snprintf(texts[side], sizeof(texts[side]), "in sector %llu",
				 (unsigned long long)table_of(d, side)->gpt[which].lba);
		report(d, called, texts[VK_BEFORE], texts[VK_AFTER]);
	}
}

/*
 * The entries of a protective MBR. That of type EE covers the disk: its length follows from that of the disk, and tools
 * that write a table write its CHS in several ways.
 */
static void compare_guards(struct vk_differ *d, const uint8_t *const raw[VK_SIDES], bool rewritten)
{
	const struct vk_mbr *before = &table_of(d, VK_BEFORE)->mbr, *after = &table_of(d, VK_AFTER)->mbr;

	for (unsigned i = 0; i < 4 && before->signature == after->signature; i++) {
		const uint64_t offset = VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES;
		const uint64_t at[VK_SIDES] = {offset, offset};
		const bool guard = before->entries[i].type == VK_MBR_TYPE_PROTECTIVE;
		char subject[40];
		const struct vk_diff_structure s = {.layout = &vk_mbr_entry_layout,
						    .topic = {.subject = subject},
						    .bytes = {raw[VK_BEFORE] + offset, raw[VK_AFTER] + offset},
						    .at = at,
						    .silent = {guard && rewritten ? "firstCHS" : NULL,
							       guard && rewritten ? "lastCHS" : NULL,
							       guard && d->size_told ? "sectors" : NULL}};

		snprintf(subject, sizeof(subject), "protective MBR, entry %u", i + 1);
		vk_diff_rows(d, &s);
	}
}

/* The headers that the partitions come from. Some rows follow from the size of the disk, or from which copy it is. */
static void compare_headers(struct vk_differ *d)
{
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);
	const bool same_copy = before->gpt_chosen == after->gpt_chosen;
	const struct vk_diff_structure s = {
		.layout = &vk_gpt_header_layout,
		.topic = {.subject = "partition table"},
		.bytes = {before->gpt[before->gpt_chosen].sector, after->gpt[after->gpt_chosen].sector},
		.silent = {d->size_told || !same_copy ? "alternateLBA" : NULL, d->size_told ? "lastUsableLBA" : NULL,
			   same_copy ? NULL : "entriesLBA"}};

	vk_diff_rows(d, &s);
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
	if (table_of(d, VK_BEFORE)->kind != table_of(d, VK_AFTER)->kind)
		report(d, "kind", texts[VK_BEFORE], texts[VK_AFTER]);
}

void vk_diff_table(struct vk_differ *d)
{
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);
	uint8_t sectors[VK_SIDES][VK_MBR_BYTES];
	const uint8_t *const raw[VK_SIDES] = {sectors[VK_BEFORE], sectors[VK_AFTER]};
	bool held = true;
	size_t told;

	for (int side = 0; side < VK_SIDES; side++)
		held = held && table_of(d, side)->mbr_seen_bytes >= VK_MBR_BYTES &&
		       vk_diff_read(d, side, 0, sectors[side], VK_MBR_BYTES) == VK_MBR_BYTES;
	if (held)
		compare_boot_record(d, raw);
	if (!is_known(before) || !is_known(after) || d->status != VK_OK)
		return;
	told = vk_diff_count(d);
	compare_kinds(d);
	if (before->kind == VK_TABLE_GPT && after->kind == VK_TABLE_GPT) {
		compare_copy(d, 0, "primary GPT");
		compare_copy(d, 1, "backup GPT");
		if (before->gpt_chosen >= 0 && after->gpt_chosen >= 0) {
			compare_headers(d);
			vk_diff_partitions(d);
		}
		if (held)
			compare_guards(d, raw, d->size_told || vk_diff_count(d) > told);
	} else if (before->kind != VK_TABLE_NONE && after->kind != VK_TABLE_NONE) {
		vk_diff_partitions(d);
	}
	if (d->size_told || vk_diff_count(d) > told)
		claim_all(d);
}
