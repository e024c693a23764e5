/* SPDX-License-Identifier: Apache-2.0 */
/* Compares partition tables: kind, boot record, copies; then the partitions. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/diff_parts.h"

static const struct vk_table *table_of(const struct vk_differ *d, int side)
{
	return &d->side[side]->table;
}

static bool holds_sector_0(const struct vk_table *table)
{
	return table->mbr_seen_bytes >= VK_MBR_BYTES;
}

/* Whether enough of the source is there to say what its table is. */
static bool is_known(const struct vk_table *table)
{
	if (table->kind == VK_TABLE_MBR || table->gpt_chosen >= 0)
		return true;
	if (!holds_sector_0(table) || table->gpt[0].sector == NULL)
		return false;
	return table->kind == VK_TABLE_NONE || table->gpt[1].sector != NULL;
}

static void say(struct vk_differ *d, const char *field, const char *before, const char *after)
{
	const struct vk_diff_topic topic = {.subject = "partition table", .field = field};

	vk_diff_say(d, &topic, before, after);
}

static void describe_code(const struct vk_mbr *mbr, char ret_text[40])
{
	if (vk_all_zero(mbr->bootCode, sizeof(mbr->bootCode)))
		snprintf(ret_text, 40, "none");
	else
		snprintf(ret_text, 40, "CRC-32 %08x", vk_crc32(0, mbr->bootCode, sizeof(mbr->bootCode)));
}

static void compare_numbers(struct vk_differ *d, const struct vk_mbr *mbr[VK_SIDES])
{
	static const struct {
		const char *row;
		const char *called;
	} rows[] = {{"diskSignature", "disk signature"},
		    {"unknown1BC", "bytes 0x1BC to 0x1BD"},
		    {"signature", "boot signature"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct vk_field *row = vk_layout_field(&vk_mbr_layout, rows[i].row);
		char texts[VK_SIDES][40];

		if (vk_field_number(row, mbr[VK_BEFORE]) == vk_field_number(row, mbr[VK_AFTER]))
			continue;
		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_field_text(row, mbr[side], &text);
		}
		say(d, rows[i].called, texts[VK_BEFORE], texts[VK_AFTER]);
		vk_diff_claim(d, VK_CLAIM_TOLD, row->offset, row->size);
	}
}

/* Of sector 0 what belongs to no partition. */
static void compare_boot_record(struct vk_differ *d)
{
	const struct vk_mbr *mbr[VK_SIDES] = {&table_of(d, VK_BEFORE)->mbr, &table_of(d, VK_AFTER)->mbr};
	uint8_t raw[VK_SIDES][VK_MBR_BYTES];
	bool zero[VK_SIDES];
	char texts[VK_SIDES][40];

	for (int side = 0; side < VK_SIDES; side++) {
		if (!holds_sector_0(table_of(d, side)) ||
		    vk_diff_read(d, side, 0, raw[side], sizeof(raw[side])) < sizeof(raw[side]))
			return;
		zero[side] = vk_all_zero(raw[side], sizeof(raw[side]));
	}
	if (zero[VK_BEFORE] != zero[VK_AFTER]) {
		vk_diff_claim(d, VK_CLAIM_TOLD, 0, VK_MBR_BYTES);
		if (table_of(d, VK_BEFORE)->kind == table_of(d, VK_AFTER)->kind ||
		    !is_known(table_of(d, VK_BEFORE)) || !is_known(table_of(d, VK_AFTER)))
			say(d, "sector 0", zero[VK_BEFORE] ? "zeros" : "boot record",
			    zero[VK_AFTER] ? "zeros" : "boot record");
		return;
	}
	compare_numbers(d, mbr);
	if (memcmp(mbr[VK_BEFORE]->bootCode, mbr[VK_AFTER]->bootCode, sizeof(mbr[0]->bootCode)) == 0)
		return;
	for (int side = 0; side < VK_SIDES; side++)
		describe_code(mbr[side], texts[side]);
	say(d, "boot code", texts[VK_BEFORE], texts[VK_AFTER]);
	vk_diff_claim(d, VK_CLAIM_TOLD, 0, sizeof(mbr[0]->bootCode));
}

/* All that a table lies in, but not what else is in sector 0. */
static void claim_all(struct vk_differ *d)
{
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_table *table = table_of(d, side);

		for (size_t i = 0; i < table->place_count; i++) {
			uint64_t at = table->places[i].offset_bytes;
			uint64_t skip = at == 0 ? VK_MBR_ENTRY_OFFSET : 0;

			if (table->places[i].length_bytes > skip)
				vk_diff_claim(d, VK_CLAIM_TOLD, at + skip,
					      table->places[i].length_bytes - skip);
		}
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
	say(d, "kind", texts[VK_BEFORE], texts[VK_AFTER]);
	claim_all(d);
	if (table_of(d, VK_BEFORE)->kind != VK_TABLE_NONE && table_of(d, VK_AFTER)->kind != VK_TABLE_NONE)
		vk_diff_partitions(d);
}

void vk_diff_table(struct vk_differ *d)
{
	const struct vk_table *before = table_of(d, VK_BEFORE), *after = table_of(d, VK_AFTER);

	compare_boot_record(d);
	if (!is_known(before) || !is_known(after) || d->status != VK_OK)
		return;
	if (before->kind != after->kind)
		compare_kinds(d);
	else if (before->kind == VK_TABLE_MBR)
		vk_diff_partitions(d);
	else if (before->kind == VK_TABLE_GPT)
		vk_diff_gpt(d);
}
