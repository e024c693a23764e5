/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the partition table is, and the areas of boot records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

#define TYPE_MSR "E3C9E316-0B5C-4DB8-817D-F92DF00215AE"

/* What others have there; NULL: what ESX may have made. */
static const char *foreign_kind(const struct vk_partition *p, bool *ret_windows)
{
	static const char windows[] = "\x01\x04\x06\x07\x0b\x0c\x0e\x27\x42";
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	vk_partition_type(p, type, &name);
	*ret_windows = p->gpt ? strcmp(type, TYPE_MSR) == 0 : p->mbr_type != 0 && strchr(windows, p->mbr_type) != NULL;
	if (p->gpt && *ret_windows)
		return "a Microsoft reserved partition (MSR)";
	if (!p->gpt && p->mbr_type == 0x42)
		return "a dynamic disk of Windows (type 42)";
	if (vk_partition_is_vmfs(p) ||
	    (p->gpt ? p->entry.firstLBA == 0 : p->mbr_type == 0xee || vk_partition_is_extended(p)))
		return NULL;
	return name;
}

/* A table that names none of the volumes but has partitions of others, over a volume or of a kind that ESX never makes.
 */
static void judge_owner(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	uint32_t ss = doc->source.sector_size;
	struct vk_text text;

	if (t->kind == VK_TABLE_GPT && (t->gpt_chosen < 0 || !t->gpt[t->gpt_chosen].sound))
		return;
	if (doc->subject_count == 0 || vk_doctor_names_any(doc, t->partitions, t->partition_count))
		return;
	text = vk_text_in(doc->foreign_table, sizeof(doc->foreign_table));
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		bool windows;
		const char *what = foreign_kind(p, &windows);
		bool meets = false;

		for (size_t k = 0; k < doc->subject_count; k++)
			meets = meets || vk_ranges_meet(vk_mul_sat(p->start_sector, ss), vk_mul_sat(p->sectors, ss),
							doc->subjects[k].start_bytes,
							vk_max_u64(doc->subjects[k].length_bytes, 1));
		if (what == NULL || (!windows && !meets))
			continue;
		doc->table_foreign = true;
		doc->windows = doc->windows || windows;
		if (strstr(doc->foreign_table, what) == NULL)
			vk_text_fmt(&text, "%s%s", text.len_bytes > 0 ? ", " : "", what);
	}
}

static bool had_gpt(const struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;

	/* the MBR that systems go by names a volume: copies of a GPT are what another system left */
	if (t->kind == VK_TABLE_MBR && doc->names_some &&
	    !(doc->known.found && doc->known.source.table.kind == VK_TABLE_GPT))
		return false;
	if (t->gpt[0].present || t->gpt[1].present || vk_mbr_is_protective(&t->mbr))
		return true;
	if (doc->known.found)
		return doc->known.source.table.kind == VK_TABLE_GPT;
	if (t->kind == VK_TABLE_MBR && !doc->table_foreign)
		return false;
	/* VMFS6 never had anything else, nor what begins at sector 2048 since ESXi 5 */
	for (size_t i = 0; i < doc->subject_count; i++) {
		const struct vk_subject *s = &doc->subjects[i];

		if (vk_fs_is_vmfs6(&doc->source.vmfs[s->vmfs].fs) && doc->source.vmfs[s->vmfs].fs_usable)
			return true;
		if (s->lvm_known && s->lvm.majorVersion >= 5 && s->start_bytes == 1 << 20)
			return true;
	}
	return false;
}

static void add_mbr(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	bool guards = vk_mbr_is_protective(&t->mbr) && t->mbr.signature == VK_MBR_SIGNATURE;
	struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, 0, VK_MBR_BYTES, "M",
					doc->gpt_expected ? "protective MBR" : "MBR");

	if (a == NULL)
		return;
	if (!doc->gpt_expected)
		guards = t->kind == VK_TABLE_MBR && vk_doctor_names_any(doc, t->partitions, t->partition_count) &&
			 t->mbr.signature == VK_MBR_SIGNATURE;
	a->whole = VK_DAMAGE_DAMAGED;
	/* who writes a GPT writes what protects it, too: the same bytes, unless a capture has others */
	if (doc->table_foreign && t->kind == VK_TABLE_GPT && t->gpt_chosen == 0 && doc->known.found)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (guards)
		a->whole = VK_DAMAGE_CONSISTENT;
	else if (doc->table_foreign && t->kind == VK_TABLE_MBR)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (doc->subject_count == 0 && t->kind != VK_TABLE_NONE)
		a->whole = VK_DAMAGE_CONSISTENT; /* nothing says that it should be another one */
	if (a->whole == VK_DAMAGE_DAMAGED && doc->gpt_expected && vk_mbr_is_protective(&t->mbr))
		a->how = "only its last two bytes, 55 aa, are gone";
	a->may_change = a->whole == VK_DAMAGE_CONSISTENT;
}

static void add_ebrs(struct vk_doctor *doc, const struct vk_table *t)
{
	for (size_t i = 0; i < t->ebr_count && t->kind == VK_TABLE_MBR; i++) {
		uint8_t sector[VK_MBR_BYTES];
		struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX,
						vk_mul_sat(t->ebr_lbas[i], doc->source.sector_size), sizeof(sector),
						"E", "extended boot record at sector %llu",
						(unsigned long long)t->ebr_lbas[i]);

		if (a == NULL)
			continue;
		vk_doctor_read(doc, a->offset_bytes, sector, sizeof(sector));
		a->whole = vk_get_le16(sector + 510) == VK_MBR_SIGNATURE ? VK_DAMAGE_CONSISTENT : VK_DAMAGE_DAMAGED;
		a->may_change = a->whole == VK_DAMAGE_CONSISTENT;
	}
}

bool vk_doctor_plan_table(struct vk_doctor *doc)
{
	judge_owner(doc);
	doc->gpt_expected = had_gpt(doc);
	/* a disk on which nothing is or was has no table to miss */
	doc->table_written = doc->subject_count > 0 || doc->source.table.kind != VK_TABLE_NONE;
	if (!doc->table_written)
		return true;
	add_mbr(doc);
	if (doc->gpt_expected)
		vk_doctor_plan_gpt(doc);
	if (doc->known.found)
		add_ebrs(doc, &doc->known.source.table);
	if (!doc->table_foreign)
		add_ebrs(doc, &doc->source.table);
	return doc->status == VK_OK;
}
